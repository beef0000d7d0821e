"""A base reads the calendar as it stood when it began: no later entry moves a deadline that runs."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.target_times import Hours, TargetTerms
from contracts.worktime import CalendarTerms, parse_calendar
from incidents.clock.clocks import Event, Terms, clocks
from reports.verify.calendars import NAMED_CALENDARS
from tests.incidents.clock_world import ALWAYS, OFFICE, at, events, told
from tests.incidents.test_clock_properties import stories

HOUR = 3600


def office(*days_off: str) -> CalendarTerms:
    """Mon–Fri 8–16, closed on these days of March 2026 too."""
    data = {**NAMED_CALENDARS["MF_8_16"], "days_off": [f"2026-03-{day}" for day in days_off]}
    return parse_calendar(data, zone="Europe/Warsaw", holidays=POLISH_HOLIDAYS)


def by(*history: tuple[str, CalendarTerms], reopen: str = "continue", repair_starts: str = "report") -> Terms:
    """P1 8 h, P2 24 h, P3 40 h of repair in office hours that had these changes."""
    changes = tuple((at(when), after) for when, after in history)
    hours = {"P1": 8, "P2": 24, "P3": 40}
    reaction, worked = TargetTerms(HOUR, Hours(ALWAYS)), Hours(OFFICE, changes)
    named = tuple(
        (name, (("reaction", reaction), ("restore", TargetTerms(span * HOUR, worked)))) for name, span in hours.items()
    )
    return Terms(repair_starts, reopen, (*named, ("P4", ())))


ENTERED = ("09 12:00", office("12"))
"""On Monday the 9th at noon Thursday the 12th became a day off."""


@pytest.mark.parametrize(
    ("story", "repair"),
    [
        # The report came before the entry: Thursday is worked; after it: it isn't; in its very second: it is
        (["received P2 @09 10:00"], "running till 12 10:00, 1440 left"),
        (["received P2 @09 12:00"], "running till 12 12:00, 1440 left"),
        (["received P2 @09 12:01"], "running till 13 12:01, 1440 left"),
        # Worse: only the new base knows the day, and here it is later than the old one
        (["received P3 @09 10:00", "severity worse P2 @09 15:00"], "running till 13 15:00, 1740 left"),
        # Milder and corrected: counted from the clock's own start, so by the calendar of then
        (["received P1 @09 10:00", "severity downgrade P2 @09 15:00"], "running till 12 10:00, 1440 left"),
        (["received P3 @09 10:00", "severity correction P2 @09 15:00"], "running till 12 10:00, 1440 left"),
    ],
)
def test_each_base_reads_the_calendar_of_its_own_start(story: list[str], repair: str) -> None:
    now = story[0].partition(" @")[2]
    if len(story) == 1:
        assert told(clocks(by(ENTERED), events(*story), at(now))["restore"]) == repair
    else:
        now = story[-1].partition(" @")[2]
        found = clocks(by(ENTERED), events(*story), at(now))["restore"]
        assert told(found).split(",")[0] == repair.split(",", maxsplit=1)[0]


def test_a_restart_after_a_rejection_is_a_base_of_its_own() -> None:
    story = events("received P2 @09 10:00", "resolved @09 11:00", "rejected @09 15:00")
    assert told(clocks(by(ENTERED, reopen="restart"), story, at("09 15:00"))["restore"]).startswith(
        "running till 13 15:00"
    )
    assert told(clocks(by(ENTERED), story, at("09 15:00"))["restore"]).startswith("running till 12 14:00")


def test_a_repair_that_starts_at_the_reaction_s_deadline_reads_the_calendar_of_then() -> None:
    terms = by(ENTERED, repair_starts="contact_or_reaction_deadline")
    assert told(clocks(terms, events("received P2 @09 11:30"), at("09 13:00"))["restore"]).startswith(
        "running till 13 12:30"
    )


def test_a_removed_day_is_worked_again_by_what_begins_later() -> None:
    terms = by(ENTERED, ("10 12:00", OFFICE))
    for received, due in (("10 12:00", "16 12:00"), ("10 12:01", "13 12:01")):
        assert told(clocks(terms, events(f"received P2 @{received}"), at(received))["restore"]).startswith(
            f"running till {due}"
        )


def test_kept_clocks_read_the_calendar_of_their_last_count_before_calendars_had_a_history() -> None:
    kept = [*events("received P2 @09 10:00"), Event(at("09 14:00"), "calendar_kept")]
    before = clocks(by(ENTERED), kept, at("09 11:00"))["restore"]
    assert told(before).startswith("running till 13 10:00")
    assert before.calendar_at == at("09 14:00")
    later = by(ENTERED, ("09 15:00", office("11", "12")))
    assert told(clocks(later, kept, at("09 16:00"))["restore"]).startswith("running till 13 10:00")


def test_the_night_of_the_clock_change_belongs_to_the_calendar_of_its_start() -> None:
    """24/7 by a calendar that loses Sunday the 29th: one hour is missing in that night for whom it counts."""
    data = {**NAMED_CALENDARS["24_7"], "days_off": ["2026-03-29"]}
    closed = parse_calendar(data, zone="Europe/Warsaw", holidays=POLISH_HOLIDAYS)
    target = TargetTerms(24 * HOUR, Hours(ALWAYS, ((at("28 20:00"), closed),)))
    terms = Terms("report", "continue", tuple((name, (("restore", target),)) for name in ("P1", "P2", "P3", "P4")))
    for received, due in (("28 19:00", "29 20:00"), ("28 20:01", "30 20:01")):
        assert told(clocks(terms, events(f"received P1 @{received}"), at(received))["restore"]).startswith(
            f"running till {due}"
        )


days = st.integers(9, 31).map(lambda day: date(2026, 3, day))
changes = st.lists(
    st.tuples(st.integers(0, 20 * 24), st.frozensets(days, max_size=4)), max_size=4, unique_by=lambda change: change[0]
)


def with_history(changed: list[tuple[int, frozenset[date]]], repair_starts: str, reopen: str) -> Terms:
    history = tuple(
        (at("09 00:00") + hour * HOUR, office(*(f"{day:%d}" for day in off))) for hour, off in sorted(changed)
    )
    targets = tuple(
        (name, TargetTerms(hours * HOUR, Hours(OFFICE, history)))
        for name, hours in (("reaction", 2), ("restore", 16), ("final_fix", 40))
    )
    return Terms(repair_starts, reopen, tuple((name, targets) for name in ("P1", "P2", "P3", "P4")))


@settings(max_examples=120, deadline=None)
@given(
    stories(), changes,
    st.sampled_from(("report", "first_contact", "contact_or_reaction_deadline", "work_started")),
    st.sampled_from(("continue", "restart")),
)  # fmt: skip
def test_no_later_entry_moves_a_deadline(
    story: tuple[list[Event], int], changed: list[tuple[int, frozenset[date]]], repair_starts: str, reopen: str
) -> None:
    """What is entered or removed at an instant or after it changes nothing of what is seen at that instant."""
    happened, now = story
    known = [change for change in changed if at("09 00:00") + change[0] * HOUR < now]
    assert clocks(with_history(changed, repair_starts, reopen), happened, now) == clocks(
        with_history(known, repair_starts, reopen), happened, now
    )
    # Nor when time goes on: a clock keeps its deadline while its base is the same
    first = clocks(with_history(known, repair_starts, reopen), happened, now)
    later = clocks(with_history(changed, repair_starts, reopen), happened, now + 30 * 24 * HOUR)
    for name, clock in first.items():
        if clock.calendar_at is not None and clock.calendar_at == later[name].calendar_at and clock.deadline:
            assert later[name].deadline == clock.deadline
