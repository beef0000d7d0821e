"""Targets in days, and a second time for reports outside the hours: each base has the time of its own start."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.day_terms import day_term
from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.target_times import DayCount, Hours, TargetTerms
from contracts.vocabulary import DayReading
from contracts.worktime import work_calendar
from incidents.clock.clocks import Terms
from tests.incidents.clock_world import ALWAYS, LONG, MINUTE, OFFICE, at, fired, play, target, terms, told
from tests.incidents.test_calendar_history import office


def in_and_out(inside: int, outside: int) -> TargetTerms:
    """Minutes round the clock for what begins in office hours, and for what doesn't."""
    return replace(target(inside, ALWAYS), reported_in=Hours(OFFICE), otherwise=target(outside, ALWAYS))


def days(count: int, reading: DayReading, hours: Hours | None = None) -> TargetTerms:
    return TargetTerms(0, hours or Hours(OFFICE), DayCount(count, reading, POLISH_HOLIDAYS))


def two(repair_starts: str = "report", reopen: str = "continue") -> Terms:
    """P1 4 h in office hours, else 8 h; P2 8 h, else 2 working days."""
    p2 = replace(target(480, ALWAYS), reported_in=Hours(OFFICE), otherwise=days(2, DayReading.CLOSE))
    reaction = ("reaction", target(60, ALWAYS))
    return terms(
        repair_starts,
        reopen,
        P1=(reaction, ("restore", in_and_out(240, 480)), ("final_fix", in_and_out(2400, 4800))),
        P2=(reaction, ("restore", p2)),
    )


@pytest.mark.parametrize(
    ("story", "now", "repair"),
    [
        # At 15:59 inside, at the close outside
        (["received P1 @10 15:59"], "10 16:30", "running till 10 19:59, 209 left"),
        (["received P1 @10 16:00"], "10 16:30", "running till 11 00:00, 450 left"),
        # Outside: two working days, of which the day of the report is none
        (["received P2 @10 17:00"], "11 09:00", "running till 12 16:00, 900 left"),
        # Worse at night: 8 h from the change; the old deadline is later
        (["received P2 @10 17:00", "severity worse P1 @11 06:00"], "11 07:00", "running till 11 14:00, 420 left"),
        # Milder by night: counted from the clock's own start, by day
        (["received P1 @10 09:00", "severity downgrade P2 @10 20:00"], "10 20:00", "breached till 10 13:00, 420 late"),
        (["received P1 @10 15:00", "severity downgrade P2 @10 17:00"], "10 17:00", "running till 10 23:00, 360 left"),
        # Corrected: from the clock's own start, which was outside
        (["received P2 @10 17:00", "severity correction P1 @11 09:00"], "11 09:00", "breached till 11 01:00, 480 late"),
        # A pause of an hour of work and a night gives back the hour, in the hours of the days
        (
            ["received P2 @10 17:00", "paused client_answer @11 15:00", "resumed client_answer @12 07:00"],
            "12 09:00",
            "running till 13 09:00, 480 left",
        ),
    ],
)
def test_each_base_has_the_time_of_its_own_start(story: list[str], now: str, repair: str) -> None:
    assert told(play(*story, now=now, by=two())["restore"]) == repair


def test_the_repair_that_starts_with_the_contact_has_the_time_of_the_contact() -> None:
    night = ["received P1 @10 15:50", "contact @10 16:10"]
    assert told(play(*night, now="10 16:10", by=two("first_contact"))["restore"]) == "running till 11 00:10, 480 left"
    started = [*night, "work_started @11 09:00"]
    assert told(play(*started, now="11 09:00", by=two("work_started"))["restore"]) == (
        "breached till 11 00:10, 530 late"
    )
    assert told(play(*night, "work_started @10 23:00", now="10 23:00", by=two("work_started"))["restore"]) == (
        "running till 11 07:00, 480 left"
    )


def test_what_starts_anew_after_a_rejection_has_the_time_of_the_rejection() -> None:
    story = ["received P1 @10 09:00", "resolved @10 12:00", "rejected @10 18:00"]
    assert told(play(*story, now="10 18:00", by=two(reopen="restart"))["restore"]) == (
        "running till 11 02:00, 480 left, lap 2"
    )


def test_the_final_fix_has_the_time_of_the_workaround() -> None:
    clock = play("received P1 @10 09:00", "workaround @10 11:00", now="10 12:00", by=two())["final_fix"]
    assert (told(clock), clock.choice.place) == ("running till 12 03:00, 2340 left", 0)
    clock = play("received P1 @10 15:00", "workaround @10 18:00", now="10 18:00", by=two())["final_fix"]
    assert (told(clock), clock.choice.place) == ("running till 14 02:00, 4800 left", 1)


def test_a_share_of_days_is_a_share_of_their_hours() -> None:
    by = terms(P1=(("restore", days(2, DayReading.CLOSE)),))
    # From 12:00 on Tuesday to Thursday's close: 4 + 8 + 8 h, of which 10 are half
    assert fired("received P1 @10 12:00", now="12 18:00", shares=(50, 100), by=by) == [
        "50 at 11 14:00",
        "100 at 12 16:00",
    ]


@pytest.mark.parametrize(
    ("received", "due"), [("09 10:00", "11 16:00"), ("09 12:00", "11 16:00"), ("09 12:01", "12 16:00")]
)
def test_days_are_counted_by_the_calendar_as_it_stood_at_the_start(received: str, due: str) -> None:
    """On Monday at noon Wednesday became a day off: two working days end a day later for what starts then."""
    hours = Hours(OFFICE, ((at("09 12:00"), office("11")),))
    clock = play(
        f"received P1 @{received}", now=received, by=terms(P1=(("restore", days(2, DayReading.CLOSE, hours)),))
    )
    assert clock["restore"].deadline == at(due)


def test_whether_a_report_is_inside_is_read_from_the_calendar_as_it_stood() -> None:
    changed = Hours(OFFICE, ((at("09 12:00"), office("11")),))
    time = replace(target(60, ALWAYS), reported_in=changed, otherwise=target(120, ALWAYS))
    for story, left in (["received P1 @11 10:00"], 120), (["received P1 @10 10:00"], 60):
        clock = play(*story, now=story[0][-8:], by=terms(P1=(("restore", time),)))["restore"]
        assert clock.left == left * MINUTE


def test_several_conditions_are_asked_in_their_order() -> None:
    """1 h in office hours, 2 h from 7 to 22, else 4 h."""
    late = replace(target(120, ALWAYS), reported_in=Hours(LONG), otherwise=target(240, ALWAYS))
    by = terms(P1=(("restore", replace(target(60, ALWAYS), reported_in=Hours(OFFICE), otherwise=late)),))
    places = {
        moment: (clock.choice.place, clock.left // MINUTE)
        for moment in ("10 09:00", "10 20:00", "10 23:00", "14 09:00")
        for clock in [play(f"received P1 @{moment}", now=moment, by=by)["restore"]]
    }
    assert places == {"10 09:00": (0, 60), "10 20:00": (1, 120), "10 23:00": (2, 240), "14 09:00": (1, 120)}


def test_a_list_without_a_last_time_is_an_error() -> None:
    by = terms(P1=(("restore", replace(target(60), reported_in=Hours(OFFICE))),))
    with pytest.raises(ValueError, match="no condition"):
        play("received P1 @10 20:00", now="10 20:00", by=by)


@settings(max_examples=150)
@given(st.sampled_from(DayReading), st.integers(0, 60 * 24 * 60), st.integers(1, 15))
def test_the_seconds_of_days_end_where_the_term_ends(reading: DayReading, minute: int, count: int) -> None:
    """From any minute of March and April, over Easter and the change of the clocks."""
    start = at("01 00:00") + minute * MINUTE
    seconds, hours = days(count, reading).counted(start, start)
    end = day_term(work_calendar(OFFICE), start, count, reading, POLISH_HOLIDAYS).deadline
    assert work_calendar(hours).add(start, seconds) == end
    assert seconds > 0
