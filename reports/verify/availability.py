"""Availability cases: a file of the format is translated into intervals and terms, and measured by the product."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.penalty.rules import floored
from contracts.vocabulary import MaintenanceMode
from contracts.worktime import WorkCalendar, work_calendar
from monitoring.availability.measure import Interval, Measured, Period, Terms, budget, measure
from monitoring.availability.periods import local_months
from monitoring.probe.specification import State
from reports.verify.calendars import NAMED_CALENDARS
from reports.verify.outcome import Outcome, UnknownWordError
from reports.verify.read import Answer, agreed, decimal, fields, group_outcomes, items, needed, whole, word
from reports.verify.read_time import WARSAW, Calendars, calendars, instant, mapping, minutes, span

DAY = 86400
INPUT = (
    "year",
    "month",
    "timezone",
    "outages",
    "maintenance",
    "unknown",
    "unknown_limit_minutes",
    "service_calendar",
    "min_outage_minutes_exclusive",
    "maintenance_mode",
    "target",
    "note",
    "title",
)
LENGTHS = ("year", "month", "timezone", "days", "minutes", "naive_minutes", "dst", "allowed_minutes", "note")
MODES = {
    "exclude_from_total": MaintenanceMode.OUT_OF_TOTAL,
    "exclude": MaintenanceMode.OUT_OF_TOTAL,
    "out_of_total": MaintenanceMode.OUT_OF_TOTAL,
    "exclude_from_downtime": MaintenanceMode.IN_TOTAL,
    "exclude_from_downtime_only": MaintenanceMode.IN_TOTAL,
    "keep_in_total": MaintenanceMode.IN_TOTAL,
    "include_in_total": MaintenanceMode.IN_TOTAL,
    "in_total": MaintenanceMode.IN_TOTAL,
    "count_in_total": MaintenanceMode.IN_TOTAL,
    "count_as_up": MaintenanceMode.IN_TOTAL,
    "count_as_uptime": MaintenanceMode.IN_TOTAL,
    "counts_as_up": MaintenanceMode.IN_TOTAL,
    "as_up": MaintenanceMode.IN_TOTAL,
    "up": MaintenanceMode.IN_TOTAL,
}


def availability_outcomes(data: Mapping[str, object]) -> list[Outcome]:
    """The month lengths and every case of the group `availability`. UnknownWordError names what isn't known."""
    zone = _zone_of(data)
    own = mapping("calendars", data.get("calendars") or NAMED_CALENDARS)
    lengths = [_length(row, zone) for row in items("month_lengths", needed("the file", data, "month_lengths"))]
    answers: dict[str, Callable[[str, object], Answer]] = {"availability": partial(_month, own, zone)}
    return lengths + group_outcomes({"cases": [], **data}, answers)


def _zone_of(data: Mapping[str, object]) -> str:
    """The zone of the file: `meta.timezone`, else the one that `meta.months` speaks of, else Warsaw."""
    meta = mapping("meta", data.get("meta") or {})
    named = re.search(r"\b[A-Z]\w+/\w+(?:/\w+)?\b|\bUTC\b", str(meta.get("months", "")))
    return str(meta.get("timezone") or (named[0] if named else WARSAW))


def _period(where: str, value: Mapping[str, object], zone: str) -> tuple[Period, date]:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownWordError(f"{where}: unknown time zone: {zone!r}") from None
    year, month = (whole(where, needed(where, value, field)) for field in ("year", "month"))
    try:
        return local_months(year, month, 1, zone), date(year, month, 1)
    except ValueError as wrong:
        raise UnknownWordError(f"{where}: no such month: {year}-{month}: {wrong}") from None


def _length(row: object, zone: str) -> Outcome:
    value = fields("month_lengths", row, LENGTHS)
    where = f"{value.get('year')}-{value.get('month')}"
    period, first = _period(where, value, str(value.get("timezone") or zone))
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    seconds, days = period.end - period.start, (following - first).days
    got = {
        "days": days,
        "minutes": minutes(seconds),
        "naive_minutes": days * DAY // 60,
        "dst": minutes(seconds - days * DAY),
    }
    expected = {field: value[field] for field in got if field in value}
    answer: dict[str, object] = {field: agreed(figure, got[field]) for field, figure in expected.items()}
    if "allowed_minutes" in value:
        expected["allowed_minutes"] = value["allowed_minutes"]
        answer["allowed_minutes"] = _allowed(where, value["allowed_minutes"], seconds)
    return Outcome(where, expected, answer)


def _allowed(where: str, expected: object, seconds: int) -> dict[str, object]:
    targets = mapping(f"{where}, allowed_minutes", expected)
    return {target: agreed(figure, budget(seconds, decimal(where, target)) / 60) for target, figure in targets.items()}


def _month(own: Mapping[str, object], zone: str, where: str, given: object) -> Answer:
    value = fields(where, given, INPUT)
    local = str(value.get("timezone") or zone)
    period, _first = _period(where, value, local)
    measured = measure(period, _intervals(where, value), _terms(where, value), _hours(where, value, own, local))
    return _answer(measured)


def _terms(where: str, value: Mapping[str, object]) -> Terms:
    mode = value.get("maintenance_mode", "exclude_from_total")
    limit = value.get("unknown_limit_minutes")
    return Terms(
        target=None if value.get("target") is None else decimal(where, value["target"]),
        minimum_outage=span(where, value.get("min_outage_minutes_exclusive") or 0),
        mode=word(where, "maintenance_mode", mode, MODES),
        unknown_limit=None if limit is None else span(where, limit),
    )


def _hours(where: str, value: Mapping[str, object], own: Mapping[str, object], zone: str) -> WorkCalendar | None:
    name = value.get("service_calendar", "24_7")
    described: Calendars = calendars({name: word(where, "service_calendar", name, own)}, zone)
    return None if name == "24_7" else work_calendar(described[str(name)])


def _intervals(where: str, value: Mapping[str, object]) -> list[Interval]:
    kinds = (("outages", State.DOWN), ("maintenance", State.MAINTENANCE), ("unknown", State.UNKNOWN))
    return [
        _interval(f"{where}, {field}", row, state)
        for field, state in kinds
        for row in items(f"{where}, {field}", value.get(field) or [])
    ]


def _interval(where: str, given: object, state: State) -> Interval:
    value = fields(where, given, ("from", "to", "note", *(["weight"] if state is State.DOWN else [])))
    start, end = (instant(where, needed(where, value, field)) for field in ("from", "to"))
    return Interval(start, end, state, Fraction(decimal(where, value.get("weight", 1))))


def _answer(measured: Measured) -> Answer:
    budgeted = measured.target is not None
    return {
        "total_minutes": minutes(measured.total),
        "measured_minutes": minutes(measured.measured),
        "unknown_minutes": minutes(measured.unknown),
        "downtime_minutes": measured.down / 60,
        "availability_percent_floor4": None if measured.availability is None else floored(measured.availability),
        "target_met": measured.met,
        "allowed_minutes": measured.allowed / 60 if budgeted else None,
        "budget_left_minutes": measured.budget_left / 60 if budgeted else None,
    }
