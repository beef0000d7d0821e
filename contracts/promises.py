"""When each promise would fall due for a report at some moment: the same arithmetic that the clocks use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from contracts.calendar_text import week_words
from contracts.day_terms import counted_hours
from contracts.models import ContractVersion, RepairStart, Severity, Target, TargetKind
from contracts.severities import SeverityName
from contracts.terms import calendar_terms, hours_now, moment, seconds, target_terms
from contracts.time_text import Times, exact_words, other_words
from contracts.vocabulary import DayReading
from contracts.worktime import NoWorkingTimeError, work_calendar


class Promised(Times, Protocol):
    """A target with its severity and kind."""

    @property
    def severity(self) -> str: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Cell:
    """One target. `due`: for a report at the moment asked; None where it hangs on a later event.

    `words` and `hours` are of its first time, `others` of those for what begins outside hours. `never`: its calendar
    doesn't open any more.
    """

    words: str
    hours: str
    due: datetime | None
    never: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    severity: str
    reaction: Cell | None
    restore: Cell | None
    final_fix: Cell | None
    name: str = ""
    description: str = ""

    @property
    def cells(self) -> list[tuple[str, Cell | None]]:
        return [("reaction", self.reaction), ("restore", self.restore), ("final_fix", self.final_fix)]

    def without_hours(self) -> Row:
        reaction, restore, final_fix = (cell and replace(cell, due=None) for _kind, cell in self.cells)
        return replace(self, reaction=reaction, restore=restore, final_fix=final_fix)

    @property
    def hours(self) -> list[tuple[str, str]]:
        """The hours of the severity: once where all its targets share them, else with the target's name."""
        named = [(kind, cell.hours) for kind, cell in self.cells if cell]
        return [("", named[0][1])] if len({hours for _kind, hours in named}) == 1 else named


def is_over(version: ContractVersion, at: datetime) -> bool:
    """Whether another version follows it already, or its contract has ended."""
    superseded = version.valid_to is not None and version.contract.local_day(at) >= version.valid_to
    return superseded or version.contract.has_ended(at)


def in_force(version: ContractVersion, at: datetime) -> bool:
    return version.has_started(at) and not is_over(version, at)


def promised(version: ContractVersion | None, severity: str) -> list[Target]:
    """The targets of a severity in the order of the clocks; none where nothing was agreed."""
    if version is None or not severity:
        return []
    targets = version.targets.filter(severity=severity).select_related("calendar")
    targets = targets.prefetch_related("alternatives__calendar", "alternatives__outside")
    return sorted(targets, key=lambda target: TargetKind.values.index(target.kind))


def rows(
    targets: Iterable[Promised], at: datetime, repair_starts: str = RepairStart.REPORT, *, rules: bool = True
) -> list[Row]:
    """P1–P4, each with its three promises, for a report at `at`; terms that aren't in force then promise no hour."""
    by_kind = {(target.severity, target.kind): target for target in targets}
    promised = [_row(severity, by_kind, seconds(at), repair_starts) for severity in Severity.values]
    return promised if rules else [row.without_hours() for row in promised]


def named(rows: Iterable[Row], names: Iterable[SeverityName]) -> list[Row]:
    """The rows with what the contract calls their severities."""
    own = {name.severity: name for name in names}
    return [
        replace(row, name=own[row.severity].name, description=own[row.severity].description)
        if row.severity in own
        else row
        for row in rows
    ]


def _row(severity: str, by_kind: dict[tuple[str, str], Promised], at: int, repair_starts: str) -> Row:
    reaction, restore, final_fix = (by_kind.get((severity, kind)) for kind in TargetKind.values)
    contact = _cell(reaction, at, at) if reaction else None
    begins = _repair_from(repair_starts, at, contact)
    return Row(
        severity,
        contact,
        _cell(restore, at, begins) if restore else None,
        _cell(final_fix, at, None) if final_fix else None,
    )


def _repair_from(repair_starts: str, at: int, contact: Cell | None) -> int | None:
    """The latest start of the repair's clock; None where only a person's act starts it."""
    if repair_starts == RepairStart.REPORT:
        return at
    if repair_starts == RepairStart.CONTACT_OR_DEADLINE and contact and contact.due:
        return seconds(contact.due)
    return None


def _cell(target: Promised, at: int, start: int | None) -> Cell:
    counted = counted_hours(calendar_terms(target.calendar), target.reading)
    working = work_calendar(counted).next_change(at) is not None
    others = tuple(other_words(time) for time in target.otherwise)
    cell = Cell(exact_words(target, working=working), _hours(target), None, others=others)
    try:
        return cell if start is None else replace(cell, due=moment(_due(target, start)))
    except NoWorkingTimeError:
        return replace(cell, never=True)


def _due(target: Promised, start: int) -> int:
    """By the time that a base which starts at `start` has."""
    time, _choice = target_terms(target, target.otherwise, hours_now).of(start, start)
    length, hours = time.counted(start, start)
    return work_calendar(hours).add(start, length)


def _hours(target: Promised) -> str:
    """Working days are told by the calendar's own hours."""
    reading = target.reading if target.reading == DayReading.CALENDAR_DAYS else ""
    return week_words(counted_hours(calendar_terms(target.calendar), reading))
