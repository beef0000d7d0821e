"""Clock cases: translated into the product's terms and events, answered by the functions that the pages call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.target_times import DayCount, Hours, TargetTerms
from contracts.vocabulary import DayReading
from incidents.clock import escalation
from incidents.clock.clocks import TARGETS, Clock, Event, Terms, Timeline
from reports.verify.calendars import NAMED_CALENDARS
from reports.verify.outcome import Outcome, UnknownWordError
from reports.verify.read import items, needed, whole, word
from reports.verify.read_time import (
    Calendars,
    at,
    beside,
    calendar,
    calendars,
    instant,
    mapping,
    minutes,
    span,
    written,
    zone,
)

Case = Mapping[str, object]
NAMES = {target: target for target in TARGETS}
READINGS = {reading.value: reading.value for reading in DayReading}
# How a client may write the reasons of a pause.
SPELLINGS = {
    "client_asked": "client_wait",
    "client_asked_to_wait": "client_wait",
    "client_request": "client_wait",
    "maintenance": "maintenance_window",
}


def clock_outcomes(data: Mapping[str, object]) -> list[Outcome]:
    """Every case of a file of clocks. UnknownWordError names what the format doesn't know."""
    own = mapping("calendars", data.get("calendars") or {})
    by_name = calendars({**NAMED_CALENDARS, **own}, zone(data))
    promised = mapping("terms", needed("the file", data, "terms"))
    terms = {
        name: _terms(f"terms {name}", mapping(name, value), by_name, zone(data)) for name, value in promised.items()
    }
    return [
        _outcome(mapping(f"case {number}", case), number, terms)
        for number, case in enumerate(items("cases", needed("the file", data, "cases")), 1)
    ]


def _terms(where: str, data: Case, calendars: Calendars, zone: str) -> Terms:
    severities = []
    for severity, targets in mapping(where, needed(where, data, "severities")).items():
        place = f"{where}, {severity}"
        named = mapping(place, targets).items()
        severities.append(
            (severity, tuple((name, _target(place, name, value, calendars, zone)) for name, value in named))
        )
    return Terms(str(data.get("repair_starts", "report")), str(data.get("reopen", "continue")), tuple(severities))


def _target(where: str, name: str, value: object, calendars: Calendars, zone: str) -> TargetTerms:
    word(where, "target", name, NAMES)
    place = f"{where}, {name}"
    target = mapping(place, value)
    return _times(place, items(place, target.get("alternatives", [target])), calendars, zone)


def _times(where: str, values: list[object], calendars: Calendars, zone: str) -> TargetTerms:
    """A list of times from its end on: each but the last says in which hours a report has it."""
    times = [mapping(where, value) for value in values]
    if not times:
        raise UnknownWordError(f"{where}: no alternatives")
    if "reported_in" in times[-1]:
        raise UnknownWordError(f"{where}: the last of its times has no reported_in")
    chosen = _time(where, times[-1], calendars, zone)
    for time in reversed(times[:-1]):
        reported_in = _hours(where, needed(where, time, "reported_in"), calendars, zone)
        chosen = replace(_time(where, time, calendars, zone), reported_in=reported_in, otherwise=chosen)
    return chosen


def _time(where: str, time: Case, calendars: Calendars, zone: str) -> TargetTerms:
    hours = _hours(where, needed(where, time, "calendar"), calendars, zone)
    if "days" not in time:
        return TargetTerms(span(where, needed(where, time, "minutes")), hours)
    if "minutes" in time:
        raise UnknownWordError(f"{where}: minutes or days, not both")
    days = whole(where, time["days"])
    if days < 0:
        raise UnknownWordError(f"{where}: a term of {days} days")
    reading = word(where, "mode", needed(where, time, "mode"), READINGS)
    return TargetTerms(0, hours, DayCount(days, reading, POLISH_HOLIDAYS))


def _hours(where: str, value: object, calendars: Calendars, zone: str) -> Hours:
    if isinstance(value, Mapping):
        return Hours(calendar(where, value, zone))
    return Hours(word(where, "calendar", value, calendars))


def _outcome(case: Case, number: int, terms: Mapping[str, Terms]) -> Outcome:
    where = str(case.get("id", f"case {number}"))
    promised = word(where, "terms", needed(where, case, "terms"), terms)
    events = [_event(where, mapping(where, event)) for event in items(where, needed(where, case, "events"))]
    expected, now = mapping(where, needed(where, case, "expected")), at(where, case, "now")
    try:
        timeline = Timeline(promised, events, now, _ladder(where, case))
        judged, fired = timeline.clocks, timeline.fired
    except UnknownWordError:
        raise
    except ValueError as wrong:
        raise UnknownWordError(f"{where}: {wrong}") from wrong
    got = {name: _got(where, name, value, judged, fired) for name, value in expected.items()}
    return Outcome(where, dict(expected), got)


def _event(where: str, event: Case) -> Event:
    kind = str(needed(where, event, "event"))
    change, reason = kind == "severity", str(event.get("reason") or "")
    return Event(
        at(where, event, "at"),
        kind,
        severity=str(event.get("to" if change else "severity") or ""),
        change=str(event.get("kind") or "") if change else "",
        reason=SPELLINGS.get(reason, reason),
    )


def _ladder(where: str, case: Case) -> list[escalation.Step]:
    steps = []
    for value in items(where, case.get("ladder") or []):
        step = mapping(f"{where}, ladder", value)
        target = word(where, "target", needed(where, step, "target"), NAMES)
        steps.append(escalation.Step(target, *_mark(where, step)))
    return steps


def _got(where: str, name: str, value: object, judged: Mapping[str, Clock], fired: list[escalation.Fired]) -> object:
    if name == "fired":
        return _fired(where, items(where, value), fired)
    clock = judged[word(where, "target", name, NAMES)]
    figures = {
        "state": clock.state,
        "deadline": clock.deadline,
        "stopped_at": clock.stopped_at,
        "noticed_at": clock.noticed_at,
        "lap": clock.lap,
        "round": clock.round,
        "severity": clock.severity,
        "late_minutes": minutes(clock.late),
        "left_minutes": minutes(clock.left),
    }
    figures_expected = mapping(f"{where}, {name}", value)
    return {
        field: beside(where, field, expected, word(where, "result", field, figures))
        for field, expected in figures_expected.items()
    }


def _fired(where: str, expected: list[object], fired: list[escalation.Fired]) -> list[object]:
    """The order in which a file names the steps is of no account; their moments are."""
    rows = sorted((_row(where, mapping(where, row)) for row in expected), key=str)
    got = sorted(([step.at, step.target, step.share, step.offset] for step in fired), key=str)
    if rows == got:
        return expected
    return [
        {
            "target": step.target,
            **({"share": step.share} if step.offset is None else {"offset_minutes": minutes(step.offset)}),
            "at": written(step.at),
        }
        for step in fired
    ]


def _row(where: str, step: Case) -> list[object]:
    moment = instant(f"{where}, fired", needed(where, step, "at"))
    return [moment, needed(where, step, "target"), *_mark(where, step)]


def _mark(where: str, step: Case) -> tuple[int | None, int | None]:
    """A step's share in per cent, or its offset from the deadline in seconds; the file gives one of them."""
    if "offset_minutes" in step:
        return None, whole(where, step["offset_minutes"]) * 60
    return whole(where, needed(where, step, "share")), None
