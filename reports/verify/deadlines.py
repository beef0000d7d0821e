"""Deadline cases: translated into the product's calendars, terms and events, answered by its own functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contracts import worktime
from contracts.day_terms import day_term
from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.target_times import Hours, TargetTerms
from contracts.worktime import CalendarTerms, WorkCalendar, work_calendar
from incidents.clock import clocks as clock
from incidents.clock.clocks import Clock, Event, Terms
from reports.verify.calendars import NAMED_CALENDARS
from reports.verify.outcome import Outcome, UnknownWordError
from reports.verify.read import items, needed, whole, word
from reports.verify.read_time import (
    WARSAW,
    Calendars,
    at,
    beside,
    calendar,
    calendars,
    mapping,
    minutes,
    pauses,
    span,
    zone,
)

Case = Mapping[str, object]
Answer = dict[str, object]
DAY_TERMS = "MF_8_16"
CHANGES = {"evolution_up": "worse", "evolution_down": "downgrade", "correction": "correction"}
MODES = {mode: mode for mode in clock.REOPEN}


def deadline_outcomes(data: Mapping[str, object]) -> list[Outcome]:
    """Every case of a file of deadlines. UnknownWordError names what the format doesn't know."""
    by_name = calendars(needed("the file", data, "calendars"), zone(data))
    return [
        _outcome(mapping(f"case {number}", case), number, by_name)
        for number, case in enumerate(items("cases", needed("the file", data, "cases")), 1)
    ]


def _outcome(case: Case, number: int, calendars: Calendars) -> Outcome:
    where = str(case.get("id", f"case {number}"))
    answer = word(where, "group", needed(where, case, "group"), ANSWERS)
    try:
        got = answer(where, case, calendars)
    except UnknownWordError:
        raise
    except ValueError as wrong:
        raise UnknownWordError(f"{where}: {wrong}") from wrong
    expected = {field: case[field] for field in got if field in case}
    return Outcome(where, expected, {f: beside(where, f, value, got[f]) for f, value in expected.items()})


def _terms(where: str, case: Case, calendars: Calendars) -> CalendarTerms:
    return word(where, "calendar", needed(where, case, "calendar"), calendars)


def _work(where: str, case: Case, calendars: Calendars) -> WorkCalendar:
    return work_calendar(_terms(where, case, calendars))


def _target(where: str, value: object, calendars: Calendars) -> TargetTerms:
    target = mapping(where, value)
    return TargetTerms(span(where, needed(where, target, "target_minutes")), Hours(_terms(where, target, calendars)))


def _working(where: str, case: Case, calendars: Calendars) -> Answer:
    work, start = _work(where, case, calendars), at(where, case, "report_at")
    seconds = span(where, needed(where, case, "target_minutes"))
    due = worktime.deadline(work, start, seconds, pauses(where, case))
    return {"effective_start": work.opening(start), "deadline": due, "deadline_utc": due}


def _elapsed(where: str, case: Case, calendars: Calendars) -> Answer:
    begin, end = at(where, case, "from"), at(where, case, "to")
    seconds = worktime.elapsed(_work(where, case, calendars), begin, end, pauses(where, case))
    return {"elapsed_minutes": minutes(seconds)}


def _day_terms(where: str, case: Case, calendars: Calendars) -> Answer:
    work = _work(where, {"calendar": DAY_TERMS, **case}, {DAY_TERMS: _usual_days(), **calendars})
    days, mode = whole(where, needed(where, case, "days")), str(needed(where, case, "mode"))
    term = day_term(work, at(where, case, "report_at"), days, mode, POLISH_HOLIDAYS)
    return {"last_day": term.last_day.isoformat(), "deadline": term.deadline, "deadline_utc": term.deadline}


def _usual_days() -> CalendarTerms:
    return calendar(DAY_TERMS, NAMED_CALENDARS[DAY_TERMS], WARSAW)


def _restore(terms: Terms, events: list[Event], now: int) -> Clock:
    return clock.clocks(terms, events, now)["restore"]


def _severity_change(where: str, case: Case, calendars: Calendars) -> Answer:
    """The old and the new target become two severities, the new one milder in a downgrade only."""
    change = word(where, "kind", needed(where, case, "kind"), CHANGES)
    named = {name: _target(where, needed(where, case, name), calendars) for name in ("old", "new")}
    order = ("old", "new") if change == "downgrade" else ("new", "old")
    terms = Terms("report", "continue", tuple((name, (("restore", named[name]),)) for name in order))
    start, changed = at(where, case, "report_at"), at(where, case, "changed_at")
    events = [Event(start, "received", severity="old"), Event(changed, "severity", severity="new", change=change)]
    before = _restore(terms, events[:1], start).deadline
    return {"old_deadline": before, "deadline": _restore(terms, events, changed).deadline}


def _workaround(where: str, case: Case, calendars: Calendars) -> Answer:
    targets = tuple((name, _target(where, needed(where, case, name), calendars)) for name in ("restore", "final_fix"))
    start, given = at(where, case, "report_at"), at(where, case, "workaround_at")
    events = [Event(start, "received", severity="one"), Event(given, "workaround")]
    judged = clock.clocks(Terms("report", "continue", (("one", targets),)), events, given)
    return {
        "restore_deadline": judged["restore"].deadline,
        "restore_met": judged["restore"].state == "met",
        "final_fix_deadline": judged["final_fix"].deadline,
    }


def _reopen(where: str, case: Case, calendars: Calendars) -> Answer:
    mode = word(where, "mode", needed(where, case, "mode"), MODES)
    terms = Terms("report", mode, (("one", (("restore", _target(where, case, calendars)),)),))
    start, resolved, reopened = (at(where, case, field) for field in ("report_at", "resolved_at", "reopened_at"))
    events = [Event(start, "received", severity="one"), Event(resolved, "resolved"), Event(reopened, "rejected")]
    worked = _restore(terms, events[:2], resolved).used
    return {
        "deadline": _restore(terms, events, reopened).deadline,
        "worked_minutes_before_resolution": minutes(worked),
    }


ANSWERS: dict[str, Callable[[str, Case, Calendars], Answer]] = {
    "working_minutes": _working,
    "pauses": _working,
    "elapsed": _elapsed,
    "day_terms": _day_terms,
    "severity_change": _severity_change,
    "workaround": _workaround,
    "reopen": _reopen,
}
