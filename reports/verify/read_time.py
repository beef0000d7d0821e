"""Instants, minutes and calendars of a case file, and how a result is set beside what a case expects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.worktime import CalendarTerms, Pause, parse_calendar
from reports.verify.outcome import UnknownWordError
from reports.verify.read import agreed, decimal, items, needed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WARSAW = "Europe/Warsaw"
Calendars = Mapping[str, CalendarTerms]


def mapping(where: str, value: object) -> Mapping[str, object]:
    """An object of the file, whatever fields it has."""
    if not isinstance(value, Mapping):
        raise UnknownWordError(f"{where}: an object is expected, not {value!r}")
    return value


def instant(where: str, value: object) -> int:
    """An ISO 8601 instant with an offset, cut to whole seconds."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise UnknownWordError(f"{where}: not an instant: {value!r}") from None
    if moment.tzinfo is None:
        raise UnknownWordError(f"{where}: an instant without an offset: {value!r}")
    return (moment - EPOCH) // timedelta(seconds=1)


def at(where: str, case: Mapping[str, object], field: str) -> int:
    return instant(f"{where}, {field}", needed(where, case, field))


def span(where: str, value: object) -> int:
    """Minutes, perhaps with a fraction, as whole seconds (a figure cut by its writer is rounded)."""
    return round(Fraction(decimal(where, value)) * 60)


def minutes(seconds: int) -> Fraction:
    return Fraction(seconds, 60)


def pauses(where: str, case: Mapping[str, object]) -> list[Pause]:
    spans: list[Pause] = []
    for value in items(f"{where}, pauses", case.get("pauses") or []):
        pause = mapping(f"{where}, pauses", value)
        until = pause.get("to")
        spans.append((at(where, pause, "from"), None if until is None else instant(where, until)))
    return spans


def zone(data: Mapping[str, object]) -> str:
    return str(mapping("meta", data.get("meta") or {}).get("timezone") or WARSAW)


def calendars(data: object, zone: str) -> dict[str, CalendarTerms]:
    return {name: calendar(f"calendar {name}", value, zone) for name, value in mapping("calendars", data).items()}


def calendar(where: str, value: object, zone: str) -> CalendarTerms:
    try:
        return parse_calendar(mapping(where, value), zone=zone, holidays=POLISH_HOLIDAYS)
    except ValueError as wrong:
        raise UnknownWordError(f"{where}: {wrong}") from wrong


def beside(where: str, field: str, expected: object, got: object) -> object:
    """`got` as the case would write it: the expected text itself where both mean the same."""
    if not field.endswith(("_at", "_start", "_utc", "deadline")) or got is None:
        return agreed(expected, got)
    if expected is not None and instant(f"{where}, {field}", expected) == got:
        return expected
    return written(got, expected)


def written(moment: object, like: object = None) -> str:
    """An instant in the offset of the text that it's compared with, else in UTC."""
    offset = UTC if not isinstance(like, str) else datetime.fromisoformat(like).tzinfo or UTC
    return datetime.fromtimestamp(int(str(moment)), offset).isoformat()
