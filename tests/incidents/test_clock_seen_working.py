"""A failure that the monitor saw heal: the repair stands at the first good check until somebody says what it was."""

import pytest

from incidents.clock.clocks import Event, clocks
from tests.incidents.clock_world import STANDARD, at, events, fired, play, terms, told

P1_AT_9, CONTACT = "received P1 @10 09:00", "contact @10 09:10"
GOOD = "monitor_recovered @10 10:00 known 10 10:02"  # an hour used, three left
LATE = "monitor_recovered @10 13:30 known 10 13:32"  # half an hour after the deadline
TAKEN = "resolved @10 10:00 known 10 18:00"
RESTART = terms(reopen="restart")


@pytest.mark.parametrize(
    ("story", "now", "expected"),
    [
        # Not known before the third good check; from then it stands where the first one was, for ever
        ((GOOD,), "10 10:01:59", "running till 10 13:00, 178:01 left"),
        ((GOOD,), "10 10:02", "seen_working, stands 10 10:00, 180 left"),
        ((GOOD,), "30 10:02", "seen_working, stands 10 10:00, 180 left"),
        # A second confirmation of the same changes nothing
        ((GOOD, "monitor_recovered @10 11:00"), "10 12:00", "seen_working, stands 10 10:00, 180 left"),
        # Equal is on time, a second later is a breach that had happened, whose delay stands too
        (("monitor_recovered @10 13:00",), "10 15:00", "seen_working, stands 10 13:00, 0 left"),
        (("monitor_recovered @10 13:00:01",), "10 15:00", "breached till 10 13:00, stands 10 13:00, 0:01 late"),
        ((LATE,), "10 13:31", "breached till 10 13:00, 31 late"),
        ((LATE,), "10 20:00", "breached till 10 13:00, stands 10 13:30, 30 late"),
        # It fails again: the time between isn't counted
        ((GOOD, "monitor_failed @10 12:00"), "10 12:30", "running till 10 15:00, 150 left"),
        ((GOOD, "monitor_failed @10 12:00"), "10 15:00:01", "breached till 10 15:00, 0:01 late"),
        ((LATE, "monitor_failed @10 15:00"), "10 15:10", "breached till 10 13:00, 40 late"),
        ((GOOD, "monitor_failed @10 12:00", "monitor_recovered @10 13:00", "monitor_failed @10 14:00"), "10 14:30",
         "running till 10 16:00, 90 left"),
        (("monitor_failed @10 09:30",), "10 10:00", "running till 10 13:00, 180 left"),
        # A person says that it doesn't work: as if it had never stood
        ((GOOD, "recovery_denied @10 12:00"), "10 12:00", "running till 10 13:00, 60 left"),
        ((GOOD, "recovery_denied @10 14:00"), "10 14:00", "breached till 10 13:00, 60 late"),
        ((GOOD, "recovery_denied @10 12:00", "monitor_failed @10 12:10"), "10 12:10",
         "running till 10 13:00, 50 left"),
        # Taken by a click: the stop is the first good check, whenever it was clicked
        ((GOOD, TAKEN), "10 17:59", "seen_working, stands 10 10:00, 180 left"),
        ((GOOD, TAKEN), "10 18:00", "met till 10 13:00, stopped 10 10:00, 180 left"),
        ((LATE, "resolved @10 13:30 known 10 18:00"), "10 18:00", "breached till 10 13:00, stopped 10 13:30, 30 late"),
        # An ordinary delivery meanwhile can't be a later end than the one that was seen
        ((GOOD, "resolved @10 15:00"), "10 15:00", "met till 10 13:00, stopped 10 10:00, 180 left"),
        ((GOOD, "workaround @10 15:00"), "10 15:00", "met till 10 13:00, stopped 10 10:00, 180 left"),
        # Sent back: on with the time left, or anew after a delivery in time
        ((GOOD, TAKEN, "rejected @10 20:00"), "10 20:00", "running till 10 23:00, 180 left"),
        ((GOOD, "resolved @10 15:00", "rejected @10 16:00"), "10 16:00", "running till 10 19:00, 180 left"),
        # What was seen while a delivery waits, or after the end, is evidence only
        (("resolved @10 09:30", "monitor_recovered @10 09:40", "rejected @10 10:00"), "10 10:30",
         "running till 10 13:30, 180 left"),
        (("cancelled @10 09:30", "monitor_recovered @10 09:40"), "10 10:30", "not_running"),
        ((GOOD, "cancelled @10 15:00"), "10 15:00", "not_running"),
        ((LATE, "cancelled @10 15:00"), "10 15:00", "breached till 10 13:00, stopped 10 13:30, 30 late"),
        # A pause stands behind it and goes on when it fails again
        (("paused third_party @10 09:30", GOOD), "10 12:00", "seen_working, stands 10 10:00, 210 left"),
        (("paused third_party @10 09:30", GOOD, "monitor_failed @10 11:00"), "10 12:00", "paused, 210 left"),
        # A click ends a pause that was begun meanwhile
        ((GOOD, "paused third_party @10 11:00", TAKEN, "rejected @10 20:00"), "10 20:00",
         "running till 10 23:00, 180 left"),
    ],
)  # fmt: skip
def test_the_repair_stands_at_the_first_good_check(story: tuple[str, ...], now: str, expected: str) -> None:
    assert told(play(P1_AT_9, CONTACT, *story, now=now)["restore"]) == expected


@pytest.mark.parametrize(
    ("mode", "story", "expected"),
    [
        # It starts standing where it starts only afterwards; a click stops it before it ran
        ("first_contact", ("monitor_recovered @10 09:05", CONTACT), "seen_working, stands 10 09:10, 240 left"),
        ("first_contact", ("monitor_recovered @10 09:05", CONTACT, "monitor_failed @10 09:30"),
         "running till 10 13:30, 60 left"),
        ("first_contact", ("monitor_recovered @10 09:05", CONTACT, "resolved @10 09:05 known 10 10:00"),
         "met till 10 13:05, stopped 10 09:05, 240 left"),
        ("work_started", (CONTACT, GOOD, "work_started @10 11:00", "monitor_failed @10 12:00"),
         "running till 10 16:00, 210 left"),
        # A report that comes after it says that it doesn't work
        ("report", ("monitor_recovered @10 08:50 known 10 08:52",), "running till 10 13:00, 30 left"),
        ("report", ("monitor_recovered @10 08:59 known 10 09:01",), "seen_working, stands 10 09:00, 240 left"),
    ],
)  # fmt: skip
def test_it_stands_from_its_start_on_where_it_starts_later(mode: str, story: tuple[str, ...], expected: str) -> None:
    assert told(play(P1_AT_9, *story, now="10 12:30", by=terms(mode))["restore"]) == expected


def test_the_reaction_is_not_touched() -> None:
    for story in ((), (GOOD,), (GOOD, "monitor_failed @10 12:00"), (GOOD, "recovery_denied @10 12:00")):
        assert told(play(P1_AT_9, *story, now="10 12:00")["reaction"]) == "breached till 10 09:30, 150 late"
    taken = play(P1_AT_9, GOOD, TAKEN, now="10 18:00")["reaction"]
    assert told(taken) == "breached till 10 09:30, stopped 10 18:00, 510 late"


def test_a_category_that_changes_meanwhile_counts_if_it_goes_on() -> None:
    story = ("received P3 @10 09:00", CONTACT, GOOD, "severity worse P1 @10 12:00")
    assert told(play(*story, now="10 13:00")["restore"]) == "seen_working, stands 10 10:00, 1380 left"
    assert (
        told(play(*story, "monitor_failed @10 14:00", now="10 14:00")["restore"]) == "running till 10 18:00, 240 left"
    )
    denied = play(*story, "recovery_denied @10 14:00", now="10 14:00")["restore"]
    assert told(denied) == "running till 10 16:00, 120 left"
    corrected = ("received P3 @10 09:00", CONTACT, GOOD, "severity correction P1 @10 12:00")
    assert told(play(*corrected, now="10 13:00")["restore"]) == "seen_working, stands 10 10:00, 180 left"


def test_no_step_fires_while_it_stands_and_a_denial_tells_the_highest_that_lies_in_the_past() -> None:
    shares = (20, 50, 75, 100)
    assert fired(P1_AT_9, CONTACT, GOOD, now="11 20:00", shares=shares) == ["20 at 10 09:48"]
    again = fired(P1_AT_9, CONTACT, GOOD, "monitor_failed @10 12:00", now="10 14:30", shares=shares)
    assert again == ["20 at 10 09:48", "50 at 10 13:00", "75 at 10 14:00"]
    denied = fired(P1_AT_9, CONTACT, GOOD, "recovery_denied @10 12:30", now="10 13:00", shares=shares)
    assert denied == ["20 at 10 09:48", "75 at 10 12:30", "100 at 10 13:00"]


def test_the_account_says_what_the_monitor_saw() -> None:
    stands = play(P1_AT_9, CONTACT, GOOD, now="10 12:00")["restore"].trace
    assert [(line.kind, line.at, line.until, line.seconds) for line in stands] == [
        ("start", at("10 09:00"), at("10 13:00"), 14400),
        ("worked", at("10 09:00"), at("10 10:00"), 3600),
        ("stands", at("10 10:00"), None, 0),
        ("seen_working", at("10 10:00"), None, 10800),
    ]
    failed = play(P1_AT_9, CONTACT, GOOD, "monitor_failed @10 12:00", now="10 12:30")["restore"].trace
    assert [(line.kind, line.at, line.until) for line in failed[1:4]] == [
        ("worked", at("10 09:00"), at("10 10:00")),
        ("seen", at("10 10:00"), at("10 12:00")),
        ("worked", at("10 12:00"), at("10 12:30")),
    ]


def test_a_breach_that_was_recorded_before_the_checks_were_known_had_not_happened() -> None:
    """The first good check came in time, the third after the deadline."""
    story = [*events(P1_AT_9, CONTACT), Event(at("10 12:59"), "monitor_recovered", told_at=at("10 13:01"))]
    assert told(clocks(STANDARD, story, at("10 13:00:30"))["restore"]) == "breached till 10 13:00, 0:30 late"
    assert told(clocks(STANDARD, story, at("10 13:01"))["restore"]) == "seen_working, stands 10 12:59, 1 left"


def test_after_a_delivery_in_time_that_the_monitor_saw_the_clock_may_start_anew() -> None:
    again = play(P1_AT_9, CONTACT, GOOD, "resolved @10 15:00", "rejected @10 16:00", now="10 16:00", by=RESTART)
    assert told(again["restore"]) == "running till 10 20:00, 240 left, lap 2"
