"""One breach on the time line: its delay without what doesn't count, and what it costs under every cap. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.penalty.rules import (
    NO_CAPS,
    UNUSED,
    Caps,
    ExcludedLine,
    ExplainedAmount,
    FeeBase,
    LateLine,
    Line,
    Scheme,
    Used,
    priced,
)
from contracts.spans import Hours, Span, WorkingSeconds, clip, seconds_by, subtract, total, union


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
    hours: Hours | WorkingSeconds | None = None
    uncounted: tuple[Span, ...] = ()


def breach_penalty(
    scheme: Scheme,
    lateness: Lateness,
    base: FeeBase | Decimal,
    *,
    exclusions: Sequence[Exclusion] = (),
    caps: Caps = NO_CAPS,
    used: Used = UNUSED,
    fee: Decimal | None = None,
) -> ExplainedAmount:
    """Price one breach with its accepted exclusions and every cap, given what was used of each.

    `fee` is what the caps' percentages are taken of; without it, the base. PenaltyError for terms that can't count.
    """
    return priced(scheme, delay_lines(lateness, exclusions), base, caps, used, fee, late=True)


def delay_lines(lateness: Lateness, exclusions: Sequence[Exclusion] = ()) -> tuple[Line, ...]:
    """The delay and, from the earliest on, what each exclusion takes off it that nothing took before."""
    seconds = seconds_by(lateness.hours)
    window = (lateness.deadline, max(lateness.deadline, lateness.stop))
    taken = union(clip(span, window) for span in lateness.uncounted)
    delay = seconds(*window) - total(taken, seconds)
    lines: list[Line] = [LateLine(delay, lateness.deadline, lateness.stop, lateness.hours is None)]
    for exclusion in sorted(exclusions, key=lambda e: (e.start, e.end)):
        clipped = clip((exclusion.start, exclusion.end), window)
        fresh = total(subtract([clipped], taken), seconds)
        lines.append(ExcludedLine(fresh, exclusion.start, exclusion.end, exclusion.reason))
        taken = union([*taken, clipped])
    return tuple(lines)
