"""From which start, target and calendar a deadline counts, and which of several decides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.spans import Span
from contracts.target_times import ONLY_TIME, TimeChoice
from contracts.worktime import CalendarTerms, Pause, deadline, work_calendar


@dataclass(frozen=True, slots=True)
class DueBase:
    """A target counted from an instant. Equal figures under another severity's name are the same base.

    `choice`: which of the target's times it is.
    """

    start: int
    seconds: int
    calendar: CalendarTerms
    severity: str
    choice: TimeChoice = ONLY_TIME

    def same(self, other: DueBase) -> bool:
        return (self.start, self.seconds, self.calendar) == (other.start, other.seconds, other.calendar)

    def due(self, pauses: Sequence[Pause], gaps: Sequence[Span]) -> int | None:
        """When the target is used up; None while an open pause holds it."""
        return self.reached(self.seconds, pauses, gaps)

    def reached(self, seconds: int, pauses: Sequence[Pause], gaps: Sequence[Span]) -> int | None:
        """When `seconds` of working time outside pauses and gaps (delivery to rejection) have passed.

        Time that was used up exactly at a delivery is due when that delivery is rejected.
        """
        work = work_calendar(self.calendar)
        at = deadline(work, self.start, seconds, [*pauses, *gaps])
        for delivered, rejected in gaps:
            if at == delivered:
                at = work.opening(rejected)
        return at


@dataclass(frozen=True, slots=True)
class DueChange:
    """One link of a rule: the base, how it meets what decided before (first, lesser, greater), and whence it came."""

    how: str
    base: DueBase
    at: int
    kind: str


DueRule = tuple[DueChange, ...]


def decide(rule: DueRule, pauses: Sequence[Pause], gaps: Sequence[Span]) -> tuple[int, DueBase]:
    """The deadline and the base that sets it, all pauses being closed; on a tie the older one stays."""
    base = rule[0].base
    at = settled(base, pauses, gaps)
    for change in rule[1:]:
        other = settled(change.base, pauses, gaps)
        if (other < at) if change.how == "lesser" else (other > at):
            base, at = change.base, other
    return at, base


def settled(base: DueBase, pauses: Sequence[Pause], gaps: Sequence[Span]) -> int:
    at = base.due(pauses, gaps)
    if at is None:
        raise ValueError("a deadline was asked for while a pause is open")
    return at


def closed(pauses: Iterable[Pause], at: int) -> list[Pause]:
    """The pauses as they would be if the open ones ended at `at`; what begins later doesn't exist yet."""
    return [(begin, at if end is None else min(end, at)) for begin, end in pauses if begin < at]


def known(pauses: Iterable[Pause], at: int) -> list[Pause]:
    """The pauses as they were known at `at`: one that ends later is open."""
    return [(begin, None if end is None or end > at else end) for begin, end in pauses if begin <= at]
