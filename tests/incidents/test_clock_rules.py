"""The clocks' rules one by one: each story is a few lines, its outcome one."""

import pytest

from incidents.clock.clocks import Clock, ClockState, Event, Terms, clocks
from tests.incidents.clock_world import P1, STANDARD, at, event, events, play, target, terms, told

P1_AT_9, P3_AT_9 = "received P1 @10 09:00", "received P3 @10 09:00"
CONTACT = "contact @10 09:10"
RESTART = terms(reopen="restart")
EARLIER_OF_BOTH = terms("contact_or_reaction_deadline")


def restore(*texts: str, now: str, by: Terms = STANDARD) -> str:
    return told(play(*texts, now=now, by=by)["restore"])


def final_fix(*texts: str, now: str, by: Terms = STANDARD) -> str:
    return told(play(*texts, now=now, by=by)["final_fix"])


def reaction(*texts: str, now: str, by: Terms = STANDARD) -> str:
    return told(play(*texts, now=now, by=by)["reaction"])


def test_nothing_runs_before_the_report() -> None:
    assert restore(P1_AT_9, now="10 08:59:59") == "not_running"


def test_the_deadline_itself_is_in_time_and_a_second_later_is_late() -> None:
    assert restore(P1_AT_9, now="10 13:00") == "running till 10 13:00, 0 left"
    assert restore(P1_AT_9, now="10 13:00:01") == "breached till 10 13:00, 0:01 late"
    assert restore(P1_AT_9, "resolved @10 13:00", now="10 20:00") == "met till 10 13:00, stopped 10 13:00, 0 left"


# Reaction


@pytest.mark.parametrize("silent", ["auto_reply", "internal_note", "client_message", "work_started", "accepted"])
def test_no_automatic_answer_note_or_status_is_a_reaction(silent: str) -> None:
    assert reaction(P1_AT_9, f"{silent} @10 09:10", now="10 09:20") == "running till 10 09:30, 10 left"


@pytest.mark.parametrize("word", ["contact", "workaround", "resolved", "paused third_party"])
def test_a_word_a_question_or_a_delivery_is_a_reaction(word: str) -> None:
    found = reaction(P1_AT_9, f"{word} @10 09:10", "contact @10 09:20", now="10 09:40")
    assert found == "met till 10 09:30, stopped 10 09:10, 20 left"


def test_no_pause_moves_a_reaction_deadline() -> None:
    late = reaction(P1_AT_9, "paused client_answer @10 09:31", "resumed client_answer @10 09:50", now="10 10:00")
    assert late == "breached till 10 09:30, stopped 10 09:31, 1 late"


# Start of the repair


def test_the_repair_starts_at_the_contact_or_at_the_reactions_deadline() -> None:
    assert restore(P1_AT_9, now="10 09:29", by=EARLIER_OF_BOTH) == "not_running"
    assert restore(P1_AT_9, now="10 09:30", by=EARLIER_OF_BOTH) == "running till 10 13:30, 240 left"
    assert (
        restore(P1_AT_9, "contact @10 10:00", now="10 10:00", by=EARLIER_OF_BOTH) == "running till 10 13:30, 210 left"
    )
    assert restore(P1_AT_9, CONTACT, now="10 10:00", by=EARLIER_OF_BOTH) == "running till 10 13:10, 190 left"


def test_a_correction_that_moves_the_reactions_deadline_moves_the_start_it_gave() -> None:
    story = (P3_AT_9, "contact @10 10:00", "severity correction P1 @10 13:00")
    assert restore(*story, now="10 13:00", by=EARLIER_OF_BOTH) == "running till 10 13:30, 30 left"
    unanswered = (P3_AT_9, "severity correction P1 @10 13:00")
    assert restore(*unanswered, now="10 13:00", by=EARLIER_OF_BOTH) == "running till 10 13:30, 30 left"


BY_WORK = terms("work_started")
WORK = "work_started @10 09:40"


@pytest.mark.parametrize(
    ("story", "now", "expected"),
    [
        # Missing: from the first contact, also long after
        ((CONTACT,), "10 12:00", "running till 10 13:10, 70 left"),
        ((CONTACT,), "14 09:10", "breached till 10 13:10, 5520 late"),
        ((CONTACT, "resolved @14 09:10"), "20 12:00", "breached till 10 13:10, stopped 14 09:10, 5520 late"),
        # The act moves the start to its own moment, once
        ((CONTACT, WORK), "10 12:00", "running till 10 13:40, 100 left"),
        ((CONTACT, WORK, "work_started @10 10:40"), "10 12:00", "running till 10 13:40, 100 left"),
        ((WORK, CONTACT), "10 12:00", "running till 10 13:40, 100 left"),
        # Equal is on time; a second later the breach has happened and stays
        ((CONTACT, "work_started @10 13:10"), "10 13:10", "running till 10 17:10, 240 left"),
        ((CONTACT, "work_started @10 13:10:01"), "10 14:10", "breached till 10 13:10, 60 late"),
        # A delivery shows that work had begun
        (("resolved @10 09:40",), "10 12:00", "met till 10 13:40, stopped 10 09:40, 240 left"),
        ((CONTACT, "resolved @10 09:40", "rejected @10 10:00", "work_started @10 10:10"), "10 10:10",
         "running till 10 13:30, 200 left"),
        # A pause before it gives nothing back, one that goes on does; a clock takes the category in force
        ((CONTACT, "paused third_party @10 09:20", WORK, "resumed third_party @10 09:50"), "10 12:00",
         "running till 10 13:50, 110 left"),
        ((CONTACT, "severity worse P1 @10 09:30", WORK), "10 12:00", "running till 10 13:40, 100 left"),
    ],
)  # fmt: skip
def test_the_repair_counts_from_the_work_and_until_it_begins_from_the_contact(
    story: tuple[str, ...], now: str, expected: str
) -> None:
    assert restore(P1_AT_9, *story, now=now, by=BY_WORK) == expected


def test_the_start_of_work_stands_in_the_account_with_the_start_that_it_moved() -> None:
    trace = play(P1_AT_9, CONTACT, WORK, now="10 12:00", by=BY_WORK)["restore"].trace
    assert [(line.kind, line.at, line.until, line.seconds) for line in trace] == [
        ("before_work", at("10 09:10"), at("10 09:40"), 0),
        ("work_started", at("10 09:40"), at("10 13:40"), 14400),
        ("worked", at("10 09:40"), at("10 12:00"), 8400),
        ("deadline", at("10 13:40"), None, 14400),
        ("running", at("10 12:00"), at("10 13:40"), 6000),
    ]
    assert play(P1_AT_9, CONTACT, now="10 12:00", by=BY_WORK)["restore"].trace[0].kind == "provisional"


@pytest.mark.parametrize("mode", ["report", "first_contact", "contact_or_reaction_deadline"])
def test_where_the_repair_counts_otherwise_the_start_of_work_moves_nothing(mode: str) -> None:
    by = terms(mode)
    assert play(P1_AT_9, CONTACT, WORK, now="10 12:00", by=by) == play(P1_AT_9, CONTACT, now="10 12:00", by=by)


def test_a_clock_that_has_not_started_takes_the_category_in_force_at_its_start() -> None:
    story = ("received P3 @10 09:00", "severity worse P1 @10 09:30", "contact @10 09:40")
    assert restore(*story, now="10 10:00", by=terms("first_contact")) == "running till 10 13:40, 220 left"


def test_the_question_that_is_the_first_contact_starts_a_repair_that_waits() -> None:
    by = terms("first_contact")
    assert restore(P1_AT_9, "paused client_answer @10 09:20", now="10 12:00", by=by) == "paused, 240 left"


def test_of_joined_reports_the_earliest_receipt_and_the_stricter_category_count() -> None:
    story = ("received P3 @10 09:05", "received_earlier P1 @10 09:00")
    assert restore(*story, now="10 10:00") == "running till 10 13:00, 180 left"
    assert restore("received P1 @10 09:05", "received_earlier @10 09:00", now="10 10:00") == (
        "running till 10 13:00, 180 left"
    )


# Pauses


def test_a_question_before_the_opening_gives_back_only_working_time() -> None:
    story = ("received P2 @10 20:00", "paused client_answer @10 21:00")
    assert restore(*story, now="10 23:00") == "paused, 480 left"
    assert restore(*story, "resumed client_answer @10 22:00", now="11 09:00") == "running till 11 16:00, 420 left"
    assert restore(*story, "resumed client_answer @11 09:00", now="11 09:00") == "running till 12 09:00, 480 left"


def test_the_same_pause_asked_for_twice_is_one() -> None:
    story = (P1_AT_9, "paused client_answer @10 10:00", "paused client_answer @10 11:00")
    assert restore(*story, "resumed client_answer @10 12:00", now="10 12:00") == "running till 10 15:00, 180 left"


def test_a_pause_begun_at_the_deadline_undoes_no_breach() -> None:
    story = (P1_AT_9, CONTACT, "paused client_answer @10 13:00")
    assert restore(*story, now="10 13:01") == "breached till 10 13:00, 1 late"


def test_an_answer_to_another_question_ends_no_pause() -> None:
    story = (P1_AT_9, "paused third_party @10 10:00", "resumed client_answer @10 11:00", "client_message @10 11:30")
    assert restore(*story, now="10 12:00") == "paused, 180 left"


@pytest.mark.parametrize("answer", ["rejected", "accepted", "resumed client_answer"])
def test_rejection_and_acceptance_end_the_pause_that_waits_for_the_client(answer: str) -> None:
    story = (P1_AT_9, "paused client_answer @10 10:00", f"{answer} @10 11:00")
    assert restore(*story, now="10 11:00") == "running till 10 14:00, 180 left"
    other = (P1_AT_9, "paused force_majeure @10 10:00", f"{answer} @10 11:00")
    assert restore(*other, now="10 11:00") == "paused, 180 left"


def test_a_second_workaround_is_a_message_and_ends_no_pause() -> None:
    story = (P1_AT_9, "workaround @10 10:00", "paused third_party @10 11:00", "workaround @10 12:00")
    assert final_fix(*story, now="10 13:00") == "paused, 2340 left"
    assert restore(*story, now="10 13:00") == "met till 10 13:00, stopped 10 10:00, 180 left"


# Deliveries and rejections


def test_a_rejection_with_nothing_delivered_moves_no_clock() -> None:
    assert restore(P1_AT_9, CONTACT, "rejected @10 10:00", now="10 11:00") == "running till 10 13:00, 120 left"


def test_a_repair_delivered_at_the_deadline_and_rejected_is_due_at_the_rejection() -> None:
    story = (P1_AT_9, "resolved @10 13:00", "rejected @10 15:00")
    assert restore(*story, now="10 15:00") == "running till 10 15:00, 0 left"
    assert restore(*story, now="10 16:00") == "breached till 10 15:00, 60 late"


def test_a_back_dated_repair_stops_the_repair_then_and_the_reaction_when_it_was_told() -> None:
    late_word = [event(P1_AT_9), Event(at("10 09:20"), "resolved", told_at=at("10 09:40"))]
    found = clocks(STANDARD, late_word, at("10 10:00"))
    assert told(found["reaction"]) == "breached till 10 09:30, stopped 10 09:40, 10 late"
    assert told(found["restore"]) == "met till 10 13:00, stopped 10 09:20, 220 left"
    assert told(clocks(STANDARD, late_word, at("10 09:39"))["restore"]) == "running till 10 13:00, 201 left"
    by = terms("first_contact")
    assert told(clocks(by, late_word, at("10 10:00"))["restore"]) == "met till 10 13:20, stopped 10 09:20, 240 left"


def test_a_fact_from_before_the_receipt_counts_from_the_receipt() -> None:
    assert reaction(P1_AT_9, "contact @10 08:50", now="10 10:00") == "met till 10 09:30, stopped 10 09:00, 30 left"


def test_a_rejection_out_of_hours_waits_for_the_opening() -> None:
    story = ("received P2 @10 09:00", "resolved @10 15:00", "rejected @10 20:00")
    assert restore(*story, now="11 09:00") == "running till 11 10:00, 60 left"


def test_a_workaround_again_after_a_rejected_one_starts_the_final_fix_anew() -> None:
    story = (P1_AT_9, "workaround @10 10:00", "rejected @10 11:00", "workaround @10 12:00")
    found = play(*story, now="11 08:00")
    assert told(found["final_fix"]) == "running till 17 12:00, 2160 left"
    assert (found["final_fix"].run, found["final_fix"].earlier) == (2, ())
    assert told(found["restore"]) == "met till 10 14:00, stopped 10 12:00, 120 left"


def test_a_late_final_fix_stays_on_record_when_its_workaround_is_rejected() -> None:
    found = play("received P1 @02 09:00", "workaround @02 10:00", "rejected @12 12:00", now="12 13:00")
    assert told(found["final_fix"]) == "not_running"
    assert [told(clock) for clock in found["final_fix"].earlier] == [
        "breached till 09 10:00, stopped 12 12:00, 1560 late"
    ]


def test_a_rejected_repair_without_a_final_fix_leaves_nothing_running() -> None:
    found = play(P3_AT_9, "workaround @10 10:00", "resolved @10 12:00", "rejected @10 13:00", now="10 14:00")
    assert [told(clock) for clock in found.values()] == [
        "met till 11 09:00, stopped 10 10:00, 420 left",
        "met till 13 09:00, stopped 10 10:00, 1380 left",
        "not_running",
    ]


def test_restart_counts_the_new_lap_from_the_rejection_and_keeps_the_old_one() -> None:
    found = play(P1_AT_9, "resolved @10 12:50", "rejected @10 14:00", now="10 15:00", by=RESTART)["restore"]
    assert told(found) == "running till 10 18:00, 180 left, lap 2"
    assert [told(clock) for clock in found.earlier] == ["met till 10 13:00, stopped 10 12:50, 10 left"]


def test_restart_applies_to_a_rejected_final_fix_too() -> None:
    story = (P1_AT_9, "workaround @10 10:00", "resolved @11 10:00", "rejected @11 12:00")
    assert final_fix(*story, now="11 12:00", by=RESTART) == "running till 18 12:00, 2400 left, lap 2"


def test_restart_in_a_category_without_the_target_leaves_nothing_running() -> None:
    story = (
        P1_AT_9,
        "workaround @10 10:00",
        "resolved @10 11:00",
        "severity downgrade P3 @10 11:30",
        "rejected @10 12:00",
    )
    assert final_fix(*story, now="10 13:00", by=RESTART) == "not_running"


def test_after_acceptance_nothing_moves() -> None:
    story = (P3_AT_9, CONTACT, "resolved @10 10:00", "accepted @10 11:00")
    later = ("severity worse P1 @10 12:00", "rejected @10 13:00", "resolved @10 14:00")
    assert restore(*story, *later, now="10 15:00") == restore(*story, now="10 15:00")


def test_an_accepted_workaround_lets_the_final_fix_run_on() -> None:
    story = (P1_AT_9, "workaround @10 10:00", "accepted @10 11:00", "closed @10 11:30")
    assert final_fix(*story, now="10 12:00") == "running till 17 10:00, 2280 left"


# Severity


def test_worse_while_paused_counts_from_the_change_and_gives_the_rest_of_the_pause_back() -> None:
    story = (P3_AT_9, "paused client_answer @10 10:00", "severity worse P1 @10 11:00")
    assert restore(*story, now="10 12:00") == "paused, 240 left"
    assert restore(*story, "resumed client_answer @10 13:00", now="10 14:00") == "running till 10 17:00, 180 left"


def test_which_base_decides_follows_the_pause_while_it_lasts() -> None:
    """If it ended at 15:00, P1 would be due at 19:00 and P2 on the 11th; if it ended at 10:00, P2 at 12:00."""
    story = ("received P2 @10 08:00", "paused third_party @10 14:00", "severity worse P1 @10 14:30")
    found = play(*story, now="10 15:00")["restore"]
    assert (found.severity, told(found)) == ("P1", "paused, 240 left")
    later = play(*story, now="11 10:00")["restore"]
    assert (later.severity, told(later)) == ("P2", "paused, 120 left")


def test_worse_while_a_delivery_waits_applies_when_it_is_rejected() -> None:
    story = (P3_AT_9, "resolved @10 10:00", "severity worse P1 @10 11:00")
    assert restore(*story, now="10 12:00") == "met till 13 09:00, stopped 10 10:00, 1380 left"
    assert restore(*story, "rejected @10 13:00", now="10 14:00") == "running till 10 17:00, 180 left"


def test_worse_and_milder_while_waiting_apply_in_their_order() -> None:
    story = (P3_AT_9, "resolved @10 10:00", "severity worse P1 @10 11:00", "severity downgrade P2 @10 11:30")
    assert restore(*story, "rejected @10 12:00", now="10 12:00") == "running till 11 11:00, 420 left"


def test_a_milder_category_undoes_no_breach() -> None:
    story = (P1_AT_9, CONTACT, "severity downgrade P3 @10 13:00:01")
    assert restore(*story, now="10 15:00") == "breached till 10 13:00, 120 late"
    delivered = (P1_AT_9, "resolved @10 14:00", "severity downgrade P3 @10 15:00", "rejected @10 16:00")
    assert restore(*delivered, now="10 17:00") == "breached till 10 13:00, 120 late"


def test_a_milder_category_at_the_deadline_is_in_time() -> None:
    story = (P1_AT_9, CONTACT, "severity downgrade P2 @10 13:00")
    assert restore(*story, now="10 13:00") == "running till 11 09:00, 240 left"


def test_a_correction_to_a_milder_category_counts_from_the_start_and_leaves_what_stopped() -> None:
    found = play(P1_AT_9, CONTACT, "severity correction P3 @10 11:00", now="10 12:00")
    assert told(found["restore"]) == "running till 13 09:00, 1260 left"
    assert told(found["reaction"]) == "met till 10 09:30, stopped 10 09:10, 20 left"


def test_a_breach_found_by_a_correction_carries_its_deadline_and_when_it_was_noticed() -> None:
    found = play(P3_AT_9, "contact @10 10:00", "severity correction P1 @10 14:00", now="10 15:00")
    assert told(found["reaction"]) == "breached till 10 09:30, stopped 10 10:00, 30 late"
    assert told(found["restore"]) == "breached till 10 13:00, 120 late"
    assert (found["reaction"].noticed_at, found["restore"].noticed_at) == (at("10 14:00"), at("10 14:00"))
    assert play(P1_AT_9, now="10 15:00")["restore"].noticed_at == at("10 13:00")


def test_a_correction_judges_a_delivery_again_without_pauses_after_the_new_deadline() -> None:
    story = ("received P3 @10 09:00", CONTACT, "paused client_answer @10 12:00", "resumed client_answer @10 13:30")
    late = (*story, "resolved @10 15:00", "severity correction P1 @10 15:30")
    assert restore(*late, now="10 16:00") == "breached till 10 14:30, stopped 10 15:00, 30 late"
    after = (P3_AT_9, "paused client_answer @10 13:00", "resolved @10 15:00", "severity correction P1 @10 15:30")
    assert restore(*after, now="10 16:00") == "breached till 10 13:00, stopped 10 15:00, 120 late"


def test_a_correction_after_acceptance_still_judges_what_stopped() -> None:
    story = (P3_AT_9, CONTACT, "resolved @10 14:00", "accepted @10 14:30", "severity correction P1 @10 15:00")
    assert restore(*story, now="10 16:00") == "breached till 10 13:00, stopped 10 14:00, 60 late"


def test_a_correction_starts_a_final_fix_at_the_workaround_and_stops_it_at_the_repair() -> None:
    story = (P3_AT_9, "workaround @02 10:00", "resolved @10 10:00", "severity correction P1 @10 11:00")
    found = play("received P3 @02 09:00", *story[1:], now="10 12:00")["final_fix"]
    assert told(found) == "breached till 09 10:00, stopped 10 10:00, 480 late"
    assert found.noticed_at == at("10 11:00")


def test_a_category_without_the_target_cancels_its_clock() -> None:
    story = (P1_AT_9, "workaround @10 10:00", "severity downgrade P3 @10 11:00")
    assert final_fix(*story, now="10 12:00") == "not_running"
    assert final_fix(*story, "severity worse P1 @10 12:00", now="10 13:00") == "running till 17 12:00, 2340 left"


def test_a_final_fix_in_a_category_that_has_it_starts_at_the_worsening_sent_on() -> None:
    story = (P3_AT_9, "workaround @10 10:00", "resolved @10 12:00", "severity worse P1 @10 12:30", "rejected @10 13:00")
    assert final_fix(*story, now="10 14:00") == "running till 17 13:00, 2340 left"


# Ends


@pytest.mark.parametrize("end", ["cancelled", "merged_into"])
def test_an_end_without_a_verdict_stops_the_clocks_but_a_breach_stays(end: str) -> None:
    assert restore(P1_AT_9, CONTACT, f"{end} @10 10:00", "resolved @10 14:00", now="10 15:00") == "not_running"
    late = restore(P1_AT_9, CONTACT, f"{end} @10 14:00", now="10 15:00")
    assert late == "breached till 10 13:00, stopped 10 14:00, 60 late"


# Words


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (Event(0, "phoned"), "unknown event: phoned"),
        (Event(0, "paused", reason="lunch"), "unknown reason of a pause: lunch"),
        (Event(0, "resumed"), r"unknown reason of a pause: \(none\)"),
        (Event(0, "received", severity="P9"), "unknown severity: P9"),
        (Event(0, "received"), r"unknown severity: \(none\)"),
        (Event(0, "severity", severity="P1", change="louder"), "unknown kind of severity change: louder"),
    ],
)
def test_an_unknown_word_in_an_event_is_named(wrong: Event, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        clocks(STANDARD, [event(P1_AT_9), wrong], at("10 10:00"))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (terms("noon"), "unknown start of the repair: noon"),
        (terms(reopen="maybe"), "unknown reopen rule: maybe"),
        (terms(P1=(("coffee", target(5)),)), "unknown target: coffee"),
    ],
)
def test_an_unknown_word_in_the_terms_is_named(wrong: Terms, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        clocks(wrong, [event(P1_AT_9)], at("10 10:00"))


def test_a_category_without_any_target_runs_nothing() -> None:
    found = play(P1_AT_9, "resolved @10 10:00", now="10 11:00", by=terms(P1=()))
    assert set(found.values()) == {
        Clock("reaction", ClockState.NOT_RUNNING),
        Clock("restore", ClockState.NOT_RUNNING),
        found["final_fix"],
    }
    assert found["final_fix"].state == "not_running"


def test_events_are_taken_by_their_time_and_those_after_now_do_not_exist() -> None:
    story = events(P1_AT_9, CONTACT, "resolved @10 12:00", "rejected @10 12:30")
    assert clocks(STANDARD, story[::-1], at("10 14:00")) == clocks(STANDARD, story, at("10 14:00"))
    assert clocks(STANDARD, story, at("10 12:15")) == clocks(STANDARD, story[:3], at("10 12:15"))


def test_a_category_that_gains_the_repair_starts_it_at_the_worsening() -> None:
    by = terms(P1=P1, P3=(("reaction", target(480)),))
    story = (P3_AT_9, CONTACT, "severity worse P1 @10 10:00")
    assert restore(*story[:2], now="10 10:00", by=by) == "not_running"
    assert restore(*story, now="10 11:00", by=by) == "running till 10 14:00, 180 left"
