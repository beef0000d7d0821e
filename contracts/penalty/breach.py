"""One breach on the time line: its delay without what doesn't count, and what it costs under every cap. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from contracts.penalty.rules import (
    NO_CAPS,
    UNUSED,
    Account,
    Base,
    Caps,
    ExcludedLine,
    LateLine,
    Line,
    Scheme,
    Used,
    priced,
)


class Calendar(Protocol):
    def between(self, start: int, end: int, /) -> int: ...


WorkingSeconds = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An accepted exclusion: a span of real time, counted only where the delay counts."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lateness:
    """A breach on the time line. `hours`: the calendar that set the deadline, or None for real time.

    `uncounted` are spans that the clock has left out already (between a delivery and its rejection).
    """

    deadline: int
    stop: int
    hours: Calendar | WorkingSeconds | None = None
    uncounted: tuple[tuple[int, int], ...] = ()


def breach_penalty(
    scheme: Scheme,
    lateness: Lateness,
    base: Base | Decimal,
    *,
    exclusions: Sequence[Exclusion] = (),
    caps: Caps = NO_CAPS,
    used: Used = UNUSED,
    fee: Decimal | None = None,
) -> Account:
    """Price one breach with its accepted exclusions and every cap, given what was used of each.

    `fee` is what the caps' percentages are taken of; without it, the base. PenaltyError for terms that can't count.
    """
    return priced(scheme, delay_lines(lateness, exclusions), base, caps, used, fee, late=True)


def delay_lines(lateness: Lateness, exclusions: Sequence[Exclusion] = ()) -> tuple[Line, ...]:
    """The delay and, from the earliest on, what each exclusion takes off it that nothing took before."""
    seconds = _counter(lateness.hours)
    window = (lateness.deadline, max(lateness.deadline, lateness.stop))
    taken = _union(_clipped(lateness.uncounted, window))
    delay = seconds(*window) - sum(seconds(*span) for span in taken)
    lines: list[Line] = [LateLine(delay, lateness.deadline, lateness.stop, lateness.hours is None)]
    for exclusion in sorted(exclusions, key=lambda e: (e.start, e.end)):
        clipped = list(_clipped([(exclusion.start, exclusion.end)], window))
        fresh = sum(seconds(*piece) for span in clipped for piece in _without(span, taken))
        lines.append(ExcludedLine(fresh, exclusion.start, exclusion.end, exclusion.reason))
        taken = _union([*taken, *clipped])
    return tuple(lines)


def _counter(hours: Calendar | WorkingSeconds | None) -> WorkingSeconds:
    if hours is None:
        return lambda start, end: end - start
    return hours if callable(hours) else hours.between


def _clipped(spans: Iterable[tuple[int, int]], window: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for start, end in spans:
        low, high = max(start, window[0]), min(end, window[1])
        if low < high:
            yield low, high


def _union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _without(span: tuple[int, int], taken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = span
    for low, high in taken:
        if high <= start or end <= low:
            continue
        if start < low:
            yield start, low
        start = high
    if start < end:
        yield start, end
