"""Availability of a shop over local time, from intervals of state, as an exact fraction with its explanation. Pure.

Source: domain.md section 8. Instants are UTC epoch seconds, spans are half-open; only the display is rounded: floored.
`measured` is the service time without maintenance (where that leaves the denominator);
down + up + unknown = measured; availability = up / (up + down).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from heapq import heappop, heappush
from itertools import accumulate, pairwise
from typing import NamedTuple

from contracts.spans import Hours, Span, WorkingSeconds, clip, seconds_by, union
from contracts.vocabulary import MaintenanceMode
from monitoring.probe.specification import State

FULL = Fraction(1)
NOTHING = Fraction(0)


class AvailabilityError(ValueError):
    """Intervals or terms that can't be counted; the message names what is wrong."""


class Settled(StrEnum):
    """What both sides agreed to count unknown time as."""

    LEFT_OUT = "left_out"
    UP = "up"
    DOWN = "down"


class Verdict(StrEnum):
    KEPT = "kept"
    BELOW = "below"
    UNDECIDED = "undecided"
    NO_DATA = "no_data"
    NO_TARGET = "no_target"


class Period(NamedTuple):
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A state from `start` (for an outage the first failed check) to `end` (the first good one; now, if it lasts).

    `weight` says how much of the shop was down (0 to 1); `announced` when a maintenance window was announced.
    """

    start: int
    end: int
    state: State
    weight: Fraction = FULL
    announced: int | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise AvailabilityError(f"an interval ends before it starts: {self.start}, {self.end}")
        if not 0 <= self.weight.numerator <= self.weight.denominator:
            raise AvailabilityError(f"a weight lies between 0 and 1: {self.weight}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contract says. `target` in percent; spans in seconds; None: no such term.

    An outage counts if it is longer than `minimum_outage`. Maintenance counts as such if announced `notice` ahead, and
    only its first `maintenance_limit` seconds of the period. Unknown time above `unknown_limit` leaves no verdict.
    """

    target: Decimal | None = None
    minimum_outage: int = 0
    mode: MaintenanceMode = MaintenanceMode.OUT_OF_TOTAL
    notice: int = 0
    maintenance_limit: int | None = None
    unknown_limit: int | None = None
    degraded_weight: Fraction = NOTHING


class Reason(StrEnum):
    """Why an interval counts, or doesn't."""

    COUNTS = "counts"
    TOO_SHORT = "too_short"
    SHORT_NOTICE = "short_notice"
    OVER_LIMIT = "over_limit"
    NOT_COUNTED_TIME = "not_counted_time"


@dataclass(frozen=True, slots=True)
class TimeLine:
    """A step of the explanation: what it adds to the denominator (seconds) and to the downtime (weighted seconds)."""

    @property
    def seconds(self) -> int:
        return 0

    @property
    def down(self) -> Fraction:
        return NOTHING


@dataclass(frozen=True, slots=True)
class PeriodLine(TimeLine):
    start: int
    end: int

    @property
    def seconds(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class OutsideHoursLine(TimeLine):
    """Time outside the service calendar."""

    taken: int

    @property
    def seconds(self) -> int:
        return -self.taken


@dataclass(frozen=True, slots=True)
class MaintenanceLine(TimeLine):
    """A maintenance window; `taken` is what no earlier line has taken; `left_out`: it leaves the denominator."""

    start: int
    end: int
    taken: int
    left_out: bool
    reason: Reason

    @property
    def seconds(self) -> int:
        return -self.taken if self.left_out else 0


@dataclass(frozen=True, slots=True)
class UnknownLine(TimeLine):
    """Time in which nobody looked: left out of the denominator, unless both sides settled it otherwise."""

    start: int
    end: int
    taken: int
    settled: Settled

    @property
    def seconds(self) -> int:
        return -self.taken if self.settled is Settled.LEFT_OUT else 0

    @property
    def down(self) -> Fraction:
        return Fraction(self.taken) if self.settled is Settled.DOWN else NOTHING


@dataclass(frozen=True, slots=True)
class OutageLine(TimeLine):
    """An outage; `counted` are its seconds at which none weighed more, inside the period, its hours and known time."""

    start: int
    end: int
    weight: Fraction
    counted: int
    reason: Reason

    @property
    def down(self) -> Fraction:
        return self.weight * self.counted


@dataclass(frozen=True, slots=True)
class AvailabilityLine(TimeLine):
    """The last line: the result of those above it."""

    known_time: int
    downtime: Fraction
    availability: Fraction | None
    target: Decimal | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """A period measured, in seconds. `known_time` is the denominator.

    `low` and `high` bound the availability if unknown time was all down or all up.
    """

    period: Period
    total: int
    measured: int
    unknown: int
    known_time: int
    down: Fraction
    target: Decimal | None
    verdict: Verdict
    lines: tuple[TimeLine, ...]

    @property
    def up(self) -> Fraction:
        return self.known_time - self.down

    @property
    def availability(self) -> Fraction | None:
        return share(self.up, self.known_time)

    @property
    def low(self) -> Fraction | None:
        return share(self.up, self.known_time + self.unknown)

    @property
    def high(self) -> Fraction | None:
        return share(self.up + self.unknown, self.known_time + self.unknown)

    @property
    def met(self) -> bool | None:
        """Whether the target was kept; None where there is no verdict."""
        return {Verdict.KEPT: True, Verdict.BELOW: False}.get(self.verdict)

    @property
    def allowed(self) -> Fraction:
        """The error budget in seconds. AvailabilityError without a target."""
        return budget(self.known_time, self.target)

    @property
    def budget_left(self) -> Fraction:
        return self.allowed - self.down


def share(part: Fraction | int, whole: int) -> Fraction | None:
    """A fraction of the time; None where there is no time: neither 0 nor 100 %."""
    return Fraction(part) / whole if whole else None


def budget(seconds: int, target: Decimal | None) -> Fraction:
    if target is None:
        raise AvailabilityError("without a target there is no error budget")
    return seconds * (1 - Fraction(target) / 100)


def measure(
    period: Period,
    intervals: Iterable[Interval],
    terms: Terms,
    hours: Hours | WorkingSeconds | None = None,
    settled: Settled | None = None,
) -> Measured:
    """Measure a period. `hours` is the service calendar (None: always); `settled` is what both sides agreed on.

    Unknown time is neither up nor down, also inside an outage; maintenance goes before both.
    """
    by_state: dict[State, list[Interval]] = {state: [] for state in State}
    for interval in intervals:
        by_state[interval.state].append(interval)
    seconds = seconds_by(hours)
    maintenance = _maintenance(period, by_state[State.MAINTENANCE], terms, seconds)
    excused = union((line.start, line.end) for line in maintenance if line.reason is Reason.COUNTS)
    blind = sorted(by_state[State.UNKNOWN] + by_state[State.PAUSED], key=_when)
    unknown = _unknown(period, blind, excused, seconds, settled or Settled.LEFT_OUT)
    blocked = union([*excused, *((line.start, line.end) for line in unknown)]) if unknown else excused
    outages = _outages(period, by_state[State.DOWN] + by_state[State.DEGRADED], terms, _Counted(blocked, seconds))
    service = seconds(*period)
    head = [PeriodLine(*period), OutsideHoursLine(period.end - period.start - service)]
    lines = [*(line for line in head if line.seconds), *maintenance, *unknown, *outages]
    return result(period, lines, sum(line.taken for line in unknown), terms, settled)


def result(period: Period, lines: list[TimeLine], unknown: int, terms: Terms, settled: Settled | None) -> Measured:
    known_time = sum(line.seconds for line in lines if not isinstance(line, OutageLine))
    down = _down(lines)
    measured = known_time + (unknown if settled in (None, Settled.LEFT_OUT) else 0)
    open_question = settled is None and terms.unknown_limit is not None and unknown > terms.unknown_limit
    verdict = _verdict(known_time, down, terms.target, open_question=open_question)
    last = AvailabilityLine(known_time, down, share(known_time - down, known_time), terms.target, verdict)
    left = measured - known_time
    return Measured(
        period, period.end - period.start, measured, left, known_time, down, terms.target, verdict, (*lines, last)
    )


def _verdict(known_time: int, down: Fraction, target: Decimal | None, *, open_question: bool) -> Verdict:
    if known_time == 0:
        return Verdict.NO_DATA
    if target is None:
        return Verdict.NO_TARGET
    if open_question:
        return Verdict.UNDECIDED
    return Verdict.KEPT if down <= budget(known_time, target) else Verdict.BELOW


def _down(lines: Iterable[TimeLine]) -> Fraction:
    """The downtime of all lines: whole numbers added by denominator, for an exact Fraction costs a microsecond."""
    sums: dict[int, int] = {}
    rest = NOTHING
    for line in lines:
        if isinstance(line, OutageLine):
            parts = line.weight.denominator
            sums[parts] = sums.get(parts, 0) + line.weight.numerator * line.counted
        elif (down := line.down) is not NOTHING:
            rest += down
    return sum((Fraction(whole, parts) for parts, whole in sums.items()), rest)


def _when(interval: Interval | OutageLine) -> tuple[int, int]:
    return interval.start, interval.end


class _Counted:
    """Seconds of the service hours outside some blocked spans, for any span in a few look-ups."""

    def __init__(self, blocked: Sequence[Span], seconds: WorkingSeconds) -> None:
        self.seconds = seconds
        self.starts = [start for start, _ in blocked]
        self.ends = [end for _, end in blocked]
        self.sums = [0, *accumulate(seconds(*span) for span in blocked)]

    def between(self, start: int, end: int) -> int:
        if end <= start:
            return 0
        whole = self.seconds(start, end)
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        if first >= last:
            return whole
        inner = self.sums[last] - self.sums[first]
        before = self.seconds(self.starts[first], start) if self.starts[first] < start else 0
        after = self.seconds(end, self.ends[last - 1]) if self.ends[last - 1] > end else 0
        return whole - inner + before + after


def _maintenance(
    period: Period, windows: list[Interval], terms: Terms, seconds: WorkingSeconds
) -> list[MaintenanceLine]:
    lines: list[MaintenanceLine] = []
    reached, left = period.start, terms.maintenance_limit
    out = terms.mode is MaintenanceMode.OUT_OF_TOTAL
    for window in sorted(windows, key=_when):
        span = Period(*clip((window.start, window.end), period))
        if window.announced is not None and window.announced > window.start - terms.notice:
            lines.append(MaintenanceLine(*span, 0, left_out=False, reason=Reason.SHORT_NOTICE))
            continue
        for part, reason in _within(span, reached, left):
            counts = reason is Reason.COUNTS
            fresh = Period(max(part.start, reached), max(part.end, reached))
            lines.append(
                MaintenanceLine(*part, seconds(*fresh) if counts else 0, left_out=out and counts, reason=reason)
            )
            if counts:
                left = None if left is None else left - (fresh.end - fresh.start)
                reached = fresh.end
    return lines


def _within(span: Period, reached: int, left: int | None) -> Iterator[tuple[Period, Reason]]:
    """The part of a window that the limit still covers, and the part beyond it; time taken already costs nothing."""
    edge = span.end if left is None else max(span.start, min(span.end, max(span.start, reached) + left))
    if edge > span.start:
        yield Period(span.start, edge), Reason.COUNTS
    if edge < span.end:
        yield Period(edge, span.end), Reason.OVER_LIMIT


def _unknown(
    period: Period, blind: list[Interval], excused: list[Span], seconds: WorkingSeconds, settled: Settled
) -> list[UnknownLine]:
    lines: list[UnknownLine] = []
    counted = _Counted(excused, seconds)
    reached = period.start
    for interval in blind:
        start, end = clip((interval.start, interval.end), period)
        if end > start:
            fresh = counted.between(max(start, reached), end)
            lines.append(UnknownLine(start, end, fresh, settled))
            reached = max(reached, end)
    return lines


def _outages(period: Period, outages: list[Interval], terms: Terms, counted: _Counted) -> list[OutageLine]:
    """An outage's length is judged before it is cut at the period's edges; at each moment the heaviest one counts."""
    inside = [outage for outage in outages if outage.start < period.end and outage.end > period.start]
    long = sorted((outage for outage in inside if outage.end - outage.start > terms.minimum_outage), key=_when)
    weights = [_weight(outage, terms) for outage in long]
    seconds = [0] * len(long)
    for place, start, end in _heaviest(long, weights):
        seconds[place] += counted.between(max(start, period.start), min(end, period.end))
    lines = [
        OutageLine(outage.start, outage.end, weight, taken, Reason.COUNTS if taken else Reason.NOT_COUNTED_TIME)
        for outage, weight, taken in zip(long, weights, seconds, strict=True)
    ]
    short = [outage for outage in inside if outage.end - outage.start <= terms.minimum_outage]
    lines += [OutageLine(outage.start, outage.end, _weight(outage, terms), 0, Reason.TOO_SHORT) for outage in short]
    return sorted(lines, key=_when) if short else lines


def _weight(outage: Interval, terms: Terms) -> Fraction:
    return outage.weight * terms.degraded_weight if outage.state is State.DEGRADED else outage.weight


def _heaviest(outages: list[Interval], weights: list[Fraction]) -> Iterator[tuple[int, int, int]]:
    """Pieces of time, each with the place of the heaviest outage in it (the earliest of equals)."""
    if all(outage.end <= following.start for outage, following in pairwise(outages)):
        yield from ((place, outage.start, outage.end) for place, outage in enumerate(outages))
        return
    ranks = {weight: rank for rank, weight in enumerate(sorted(set(weights)))}
    active: list[tuple[int, int]] = []
    cursor = 0
    for place, outage in enumerate(outages):
        yield from _until(outage.start, cursor, active, outages)
        cursor = outage.start
        heappush(active, (-ranks[weights[place]], place))
    yield from _until(None, cursor, active, outages)


def _until(
    limit: int | None, cursor: int, active: list[tuple[int, int]], outages: list[Interval]
) -> Iterator[tuple[int, int, int]]:
    while active and (limit is None or cursor < limit):
        place = active[0][1]
        end = outages[place].end
        if end <= cursor:
            heappop(active)
            continue
        stop = end if limit is None else min(end, limit)
        yield place, cursor, stop
        cursor = stop
