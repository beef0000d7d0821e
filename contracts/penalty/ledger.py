"""What each missed target adds to its month, whoever decided what first: one order for all, that of the stops. Pure.

The sums are those of `month.month`, taken part by part: a month is one part, or two where another version
settles what stopped later in it. A row's lines say why its own penalty counts whole, in part or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from contracts.penalty.month import EarlierLine, IncidentPenalties, MonthRules, PenaltyDue, highest, month
from contracts.penalty.rules import NO_CAPS, ZERO, CapLevel, CapLine, Caps, Line, Used, cap_line, under_caps
from contracts.vocabulary import Cumulation


@dataclass(frozen=True, slots=True)
class Limits:
    """The version that settles a row: its fee, which percentages are taken of, and its caps."""

    version: int
    fee: Decimal
    caps: Caps = NO_CAPS


@dataclass(frozen=True, slots=True)
class MissedTarget:
    """A row of the ledger. `amount`: its own penalty by its rule, before cumulation and every limit.

    `stop` (epoch seconds) puts the rows in order, `month` is that of the stop in the contract's zone.
    """

    key: int
    incident: str
    target: str
    stop: int
    month: date
    amount: Decimal
    limits: Limits
    cumulation: Cumulation = Cumulation.CUMULATIVE


@dataclass(frozen=True, slots=True)
class HighestLine(Line):
    """Of the incident's penalties this one is the highest; the others don't count."""

    target: str
    amount: Decimal
    others: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class NotHighestLine(Line):
    """An amount that doesn't count, for another of the same incident is as high or higher."""

    target: str
    amount: Decimal
    best: str
    best_amount: Decimal

    @property
    def change(self) -> Fraction:
        return -Fraction(self.amount)


@dataclass(frozen=True, slots=True)
class RecordedLine(Line):
    """What a decision recorded, where a computation of today differs: the record stands."""

    computed: Decimal
    recorded: Decimal

    @property
    def change(self) -> Fraction:
        return Fraction(self.recorded - self.computed)


@dataclass(frozen=True, slots=True)
class Share:
    """What a row adds to the contract's penalties, and the lines from its own amount to that."""

    amount: Decimal
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Row → its share; month → what it owes; `total` of all months."""

    shares: Mapping[int, Share]
    months: Mapping[date, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.months.values(), ZERO)


@dataclass(slots=True)
class _Spent:
    """What earlier rows have used of each limit."""

    contract: Decimal = ZERO
    kind: defaultdict[tuple[date, str], Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    quarter: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    month: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    incident: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def before(self, row: MissedTarget) -> Used:
        quarter = self.quarter[quarter_of(row.month)]
        return Used(self.incident[row.incident], self.month[row.month], self.contract, quarter)

    def add(self, row: MissedTarget, amount: Decimal) -> None:
        self.contract += amount
        self.month[row.month] += amount
        self.quarter[quarter_of(row.month)] += amount
        self.incident[row.incident] += amount


def settle(rows: Iterable[MissedTarget]) -> Ledger:
    """The ledger of one contract's missed targets. PenaltyError for a negative amount."""
    spent, shares = _Spent(), dict[int, Share]()
    months: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    order = sorted(rows, key=lambda row: (row.month, row.stop, row.key))
    for (first, _version), group in groupby(order, key=lambda row: (row.month, row.limits.version)):
        part = list(group)
        by_kind = _kind_lines(part, spent)
        part = [replace(row, amount=by_kind[row.key].after) if row.key in by_kind else row for row in part]
        months[first] += _sum_of(part, spent)
        for key, share in _shares(part, spent).items():
            lines = (by_kind[key], *share.lines) if key in by_kind else share.lines
            shares[key] = replace(share, lines=lines)
    return Ledger(shares, dict(months))


def quarter_of(month: date) -> date:
    """The first day of the calendar quarter that a month lies in."""
    return month.replace(month=(month.month - 1) // 3 * 3 + 1, day=1)


def _kind_lines(part: Sequence[MissedTarget], spent: _Spent) -> dict[int, CapLine]:
    """What is left of each amount under the limit of its kind in the month, in the order of the stops.

    It comes before the incident's sum, so that what a kind may not cost takes nothing from the incident's other kinds.
    """
    lines = {}
    for row in part:
        cap = row.limits.caps.of_kind(row.target)
        if cap is None or not row.amount:
            continue
        used = spent.kind[row.month, row.target]
        lines[row.key] = cap_line(CapLevel.KIND, cap.limit(row.limits.fee), used, row.amount, row.target)
        spent.kind[row.month, row.target] += lines[row.key].after
    return lines


def _sum_of(part: Sequence[MissedTarget], spent: _Spent) -> Decimal:
    limits, first = part[0].limits, part[0].month
    incidents = [
        IncidentPenalties(
            name,
            tuple(PenaltyDue(row.target, row.amount) for row in rows),
            used=spent.incident[name],
            cumulation=rows[0].cumulation,
        )
        for name, rows in _by_incident(part).items()
    ]
    rules = MonthRules(caps=limits.caps)
    return month(
        limits.fee,
        incidents,
        rules,
        charged=spent.contract,
        month_used=spent.month[first],
        quarter_used=spent.quarter[quarter_of(first)],
    ).final


def _by_incident(part: Sequence[MissedTarget]) -> dict[str, list[MissedTarget]]:
    incidents: dict[str, list[MissedTarget]] = {}
    for row in part:
        incidents.setdefault(row.incident, []).append(row)
    return incidents


def _shares(part: Sequence[MissedTarget], spent: _Spent) -> dict[int, Share]:
    incidents = _by_incident(part)
    shares = {}
    for row in part:
        lines: list[Line] = []
        standing = row.amount
        if row.cumulation is Cumulation.HIGHEST:
            standing = _of_the_highest(row, incidents[row.incident], spent, lines)
        if not any(isinstance(line, NotHighestLine) for line in lines):
            standing = under_caps(lines, standing, row.limits.caps, spent.before(row), row.limits.fee)
        spent.add(row, standing)
        shares[row.key] = Share(standing, tuple(lines))
    return shares


def _of_the_highest(row: MissedTarget, rows: Sequence[MissedTarget], spent: _Spent, lines: list[Line]) -> Decimal:
    best = rows[highest([other.amount for other in rows])]
    if row is not best:
        if row.amount:
            lines.append(NotHighestLine(row.target, row.amount, best.target, best.amount))
        return ZERO
    if others := tuple((other.target, other.amount) for other in rows if other is not row and other.amount):
        lines.append(HighestLine(row.target, row.amount, others))
    if used := spent.incident[row.incident]:
        lines.append(EarlierLine(row.incident, used, min(used, row.amount)))
        return max(ZERO, row.amount - used)
    return row.amount
