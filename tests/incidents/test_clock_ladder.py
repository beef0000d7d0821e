"""Escalation: each step once per clock, lap and round, silent while paused, one notice for what lies in the past."""

import pytest

from incidents.clock import escalation
from incidents.clock.clocks import Timeline
from tests.incidents.clock_world import STANDARD, at, events, fired, fired_told, terms

P1_AT_9, P3_AT_9, CONTACT = "received P1 @10 09:00", "received P3 @10 09:00", "contact @10 09:10"
SHARES = (50, 75, 100, 150)
RESTART = terms(reopen="restart")


def test_a_pause_holds_the_steps_back() -> None:
    story = (P1_AT_9, CONTACT, "paused client_answer @10 10:00")
    assert fired(*story, now="10 20:00", shares=SHARES) == []
    assert fired(*story, "resumed client_answer @10 12:00", now="10 20:00", shares=SHARES) == [
        "50 at 10 13:00",
        "75 at 10 14:00",
        "100 at 10 15:00",
        "150 at 10 17:00",
    ]


def test_a_pause_begun_after_the_deadline_holds_nothing_back() -> None:
    story = (P1_AT_9, CONTACT, "paused client_answer @10 14:00")
    assert fired(*story, now="10 15:00", shares=SHARES)[-1] == "150 at 10 15:00"


def test_steps_in_the_past_of_a_correction_go_out_as_one_notice_of_the_highest() -> None:
    story = (P3_AT_9, CONTACT, "severity correction P1 @10 14:00")
    assert fired(*story, now="10 20:00", shares=SHARES) == ["100 at 10 14:00 round 2", "150 at 10 15:00 round 2"]


def test_a_notice_about_the_past_waits_for_the_end_of_a_pause() -> None:
    story = (P3_AT_9, CONTACT, "paused client_answer @10 11:30", "severity correction P1 @10 14:00")
    assert fired(*story, now="10 15:00", shares=SHARES) == []
    assert fired(*story, "resumed client_answer @10 15:00", now="10 16:30", shares=SHARES) == [
        "50 at 10 15:00 round 2",
        "75 at 10 15:30 round 2",
        "100 at 10 16:30 round 2",
    ]


def test_a_change_that_leaves_the_deciding_base_opens_no_round() -> None:
    story = (P3_AT_9, CONTACT, "severity worse P2 @12 14:30")
    assert fired(*story, now="13 09:00", shares=(50, 100)) == ["50 at 11 13:00", "100 at 13 09:00"]


def test_a_milder_category_fires_its_own_steps_in_a_new_round() -> None:
    story = (P1_AT_9, CONTACT, "severity downgrade P2 @10 12:30")
    assert fired(*story, now="11 12:00", shares=SHARES) == [
        "50 at 10 11:00",
        "75 at 10 12:00",
        "50 at 10 13:00 round 2",
        "75 at 10 15:00 round 2",
        "100 at 11 09:00 round 2",
    ]


def test_a_new_lap_fires_its_steps_again() -> None:
    story = (P1_AT_9, CONTACT, "resolved @10 11:30", "rejected @10 13:00")
    assert fired(*story, now="10 15:00", shares=SHARES, by=RESTART) == [
        "50 at 10 11:00",
        "50 at 10 15:00 lap 2 round 2",
    ]


def test_a_late_delivery_that_waited_counts_for_no_step() -> None:
    story = (P1_AT_9, CONTACT, "resolved @10 14:00", "rejected @10 15:00")
    assert fired(*story, now="10 20:00", shares=(100, 150)) == ["100 at 10 13:00", "150 at 10 16:00"]


def test_a_step_due_in_the_second_of_the_stop_fires() -> None:
    assert fired(P1_AT_9, "resolved @10 13:00", now="10 20:00", shares=(75, 100)) == [
        "75 at 10 12:00",
        "100 at 10 13:00",
    ]
    assert fired(P1_AT_9, "resolved @10 12:59:59", now="10 20:00", shares=(75, 100)) == ["75 at 10 12:00"]


def test_a_rejection_fires_no_step_twice() -> None:
    story = (P1_AT_9, "resolved @10 11:00", "rejected @10 12:00")
    assert fired(*story, now="10 13:00", shares=(50, 75)) == ["50 at 10 11:00", "75 at 10 13:00"]


def test_a_cancelled_incident_is_silent() -> None:
    assert fired(P1_AT_9, "cancelled @10 10:00", now="10 20:00", shares=SHARES) == []


def test_both_workarounds_fire_the_steps_of_their_final_fix() -> None:
    story = ("received P1 @02 09:00", "workaround @02 10:00", "rejected @05 10:00", "workaround @05 11:00")
    found = fired(*story, now="11 08:00", shares=(50,), name="final_fix")
    assert found == ["50 at 04 14:00", "50 at 09 15:00 round 2"]


def test_offsets_are_working_time_from_the_deadline() -> None:
    steps = [
        escalation.Step("reaction", offset=-600),
        escalation.Step("reaction", offset=900),
        escalation.Step("restore", offset=-(10**6)),
    ]
    found = Timeline(STANDARD, events(P1_AT_9), at("10 09:45"), steps).fired
    assert [fired_told(one) for one in found] == ["-1000000 at 10 09:00", "-600 at 10 09:20", "+900 at 10 09:45"]


def test_the_next_step_is_known_ahead_and_none_while_paused() -> None:
    steps = [escalation.Step("reaction", 50), escalation.Step("restore", 50), escalation.Step("restore", 150)]

    def following(*texts: str, now: str) -> str:
        found = Timeline(STANDARD, events(*texts), at(now), steps).next_step
        return "none" if found is None else f"{found.target} {fired_told(found)}"

    assert following(P1_AT_9, now="10 09:00") == "reaction 50 at 10 09:15"
    assert following(P1_AT_9, now="10 09:15") == "restore 50 at 10 11:00"
    assert following(P1_AT_9, CONTACT, "paused client_answer @10 10:00", now="10 10:00") == "none"
    assert following(P1_AT_9, CONTACT, now="10 12:00") == "restore 150 at 10 15:00"
    assert following(P1_AT_9, "resolved @10 10:00", now="10 10:00") == "none"


def test_an_unknown_target_of_a_step_is_named() -> None:
    with pytest.raises(ValueError, match="unknown target: coffee"):
        Timeline(STANDARD, events(P1_AT_9), at("10 10:00"), [escalation.Step("coffee", 50)])
