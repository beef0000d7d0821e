"""What a missed promise costs: from a delay to an amount, with the breakdown of it. Pure; source: domain.md section 7.

Instants are UTC epoch seconds, spans are seconds, money is Decimal; what lies between is an exact Fraction, and each
penalty is rounded once, to 0.01 half up. Every result is a breakdown: its lines add up to the amount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from contracts.vocabulary import GraceMode, RateType

HUNDRED = 100
PLACES = 4  # of a share in per cent, where a figure is told in full
UNIT_NAME = re.compile(r"(?:(started|full|exact)_)?(\d{1,4})?(minute|min|hour|h|day|d)s?(?:_24h)?")
WIDTHS = {"minute": 60, "min": 60, "hour": 3600, "h": 3600, "day": 86400, "d": 86400}


ZERO = Decimal("0.00")
NOTHING = Fraction(0)


class PenaltyError(ValueError):
    """Terms that can't be counted; the message names what is wrong and with which value."""


class CapLevel(StrEnum):
    """In the order in which they hold: of one kind of penalty in a month, then from the incident to the contract."""

    KIND = "kind"
    INCIDENT = "incident"
    MONTH = "month"
    QUARTER = "quarter"
    CONTRACT = "contract"


def rounded(value: Fraction) -> Decimal:
    """Round once to 0.01, half up (money is never negative here). Exact: no float, no context precision."""
    grosze = (value.numerator * 200 + value.denominator) // (value.denominator * 2)
    return Decimal(grosze).scaleb(-2)


def floored(part: Fraction, places: int = PLACES) -> Decimal:
    """A share in per cent, never rounded up, so that a missed promise never reads as kept: 99.99999 % is 99.9999."""
    return Decimal(part.numerator * 100 * 10**places // part.denominator).scaleb(-places)


@dataclass(frozen=True, slots=True)
class Line:
    """A step of the breakdown: what it adds to the counted delay (seconds) and to the result (money)."""

    @property
    def seconds(self) -> int:
        return 0

    @property
    def change(self) -> Fraction:
        return NOTHING


@dataclass(frozen=True, slots=True)
class LateLine(Line):
    """The delay as it was found, in the target's hours or in real time; the instants where they are known."""

    delay: int
    deadline: int | None = None
    stop: int | None = None
    real_time: bool = False

    @property
    def seconds(self) -> int:
        return self.delay


@dataclass(frozen=True, slots=True)
class ExcludedLine(Line):
    """Time that the provider doesn't answer for; `taken` is what no earlier line has taken."""

    taken: int
    start: int | None
    end: int | None
    reason: str

    @property
    def seconds(self) -> int:
        return -self.taken


@dataclass(frozen=True, slots=True)
class GraceLine(Line):
    allowed: int
    mode: GraceMode
    taken: int

    @property
    def seconds(self) -> int:
        return -self.taken


@dataclass(frozen=True, slots=True)
class UnitsLine(Line):
    """The counted delay in units; `unit` is its name as in the contract (started_hour, once, …)."""

    counted: int
    unit: str
    units: Fraction


@dataclass(frozen=True, slots=True)
class BaseLine(Line):
    """What the rate is taken of: the fee of a month, or the shop's share of it, whole or for some of its days."""

    fee: Decimal
    share: Fraction
    days: int | None
    of_days: int | None
    month: str
    version: str
    base: Fraction


@dataclass(frozen=True, slots=True)
class ChargeLine(Line):
    """units × rate (of the base); with tiers one line a tier. Exact: rounding is a line of its own."""

    kind: RateType
    rate: Decimal
    units: Fraction
    unit: str
    base: Fraction
    from_unit: Fraction
    amount: Fraction

    @property
    def change(self) -> Fraction:
        return self.amount


@dataclass(frozen=True, slots=True)
class RoundLine(Line):
    """The one rounding, 0.01 half up."""

    exact: Fraction
    to: Decimal

    @property
    def change(self) -> Fraction:
        return Fraction(self.to) - self.exact


@dataclass(frozen=True, slots=True)
class CapLine(Line):
    """A cap, what of it was used before, and what it takes (0 where it wasn't reached)."""

    level: CapLevel
    limit: Decimal
    used: Decimal
    before: Decimal
    after: Decimal
    subject: str = ""

    @property
    def change(self) -> Fraction:
        return Fraction(self.after - self.before)


@dataclass(frozen=True, slots=True)
class ResultLine(Line):
    """The last line: the sum of the changes above it, to the grosz."""

    total: Decimal


class Rounding(StrEnum):
    STARTED = "started"
    FULL = "full"
    EXACT = "exact"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Unit:
    """How a delay is counted: a width in seconds, and what becomes of a part of it."""

    name: str
    rounding: Rounding
    width: int

    @classmethod
    def named(cls, name: str) -> Unit:
        """Read started_hour, full_30min, exact_4h, started_day_24h, minute (a started one), once; else PenaltyError."""
        return _unit(name)

    def count(self, seconds: int) -> Fraction:
        """Units in a counted delay; `once` is settled by whoever knows that there was a breach."""
        if self.rounding is Rounding.EXACT:
            return Fraction(seconds, self.width)
        if self.rounding is Rounding.FULL:
            return Fraction(seconds // self.width)
        return Fraction(-(-seconds // self.width))


@lru_cache(maxsize=64)
def _unit(name: str) -> Unit:
    if name == "once":
        return Unit(name, Rounding.ONCE, 0)
    match = UNIT_NAME.fullmatch(name)
    if match is None or (match[1] is None and name != "minute") or match[2] == "0":
        raise PenaltyError(f"unknown unit: {name!r}")
    return Unit(name, Rounding(match[1] or "started"), int(match[2] or 1) * WIDTHS[match[3]])


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate up to and including a number of units; None: for all that follow."""

    up_to: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Grace:
    """`deductible`: the first seconds are free. `threshold`: nothing up to it, everything above it."""

    seconds: int
    mode: GraceMode


@dataclass(frozen=True, slots=True)
class Scheme:
    """A penalty rule: a percentage of the base or an amount for each unit of delay, one rate or tiers."""

    kind: RateType
    unit: Unit
    rate: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    grace: Grace | None = None

    def __post_init__(self) -> None:
        if (self.rate is None) == (not self.tiers):
            raise PenaltyError("a penalty rule has either a rate or tiers")
        if any(tier.rate < 0 for tier in self.steps):
            raise PenaltyError("a penalty rate can't be negative")
        edges = [tier.up_to for tier in self.tiers]
        closed = [Decimal(0), *(edge for edge in edges if edge is not None)]
        if None in edges[:-1] or any(low >= high for low, high in pairwise(closed)):
            raise PenaltyError(f"tiers must rise, and only the last may be open: {[str(e) for e in edges]}")

    @property
    def steps(self) -> tuple[Tier, ...]:
        return self.tiers or (Tier(None, self.rate or ZERO),)


@dataclass(frozen=True, slots=True)
class FeeBase:
    """The snapshot of what the rate is taken of: the settlement month's fee, the shop's share, part months pro rata."""

    fee: Decimal
    share: Fraction = Fraction(1)
    days: int | None = None
    of_days: int | None = None
    month: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        if self.fee < 0 or self.share < 0:
            raise PenaltyError(f"a fee or a share can't be negative: {self.fee}, {self.share}")
        if (self.days is None) != (self.of_days is None) or not 0 <= (self.days or 0) <= (self.of_days or 0):
            raise PenaltyError(f"part of a month: {self.days} of {self.of_days} days")

    @property
    def exact(self) -> Fraction:
        part = Fraction(1) if self.days is None or self.of_days is None else Fraction(self.days, self.of_days)
        return Fraction(self.fee) * self.share * part


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit: a percentage of the fee, or an amount."""

    kind: RateType
    value: Decimal

    def limit(self, of: Decimal | Fraction) -> Decimal:
        """The limit in money, rounded once to 0.01 half up."""
        return rounded(Fraction(self.value) * (Fraction(of) / HUNDRED if self.kind is RateType.PERCENT else 1))


@dataclass(frozen=True, slots=True)
class Caps:
    """Any of them may be absent; percentages are taken of the month's fee. `kinds`: target → its limit in a month."""

    incident: Cap | None = None
    month: Cap | None = None
    contract: Cap | None = None
    quarter: Cap | None = None
    kinds: tuple[tuple[str, Cap], ...] = ()

    def of_kind(self, target: str) -> Cap | None:
        return dict(self.kinds).get(target)


@dataclass(frozen=True, slots=True)
class Used:
    """What was charged against each cap before."""

    incident: Decimal = ZERO
    month: Decimal = ZERO
    contract: Decimal = ZERO
    quarter: Decimal = ZERO


NO_CAPS = Caps()
UNUSED = Used()


@dataclass(frozen=True, slots=True)
class ExplainedAmount:
    """The amount due, what it was before caps, the units, the counted delay, and the lines that lead there."""

    amount: Decimal
    raw: Decimal
    units: Fraction
    seconds: int
    lines: tuple[Line, ...]


def penalty(
    scheme: Scheme,
    delay: int,
    base: FeeBase | Decimal,
    incident_cap: Cap | None = None,
    *,
    late: bool = True,
    used: Used = UNUSED,
) -> ExplainedAmount:
    """Price a delay in seconds. `late=False`: there was no breach, so nothing is due, not even once per breach."""
    late_line = LateLine(delay)
    return priced(scheme, (late_line,), base, Caps(incident=incident_cap), used, None, late=late)


def priced(
    scheme: Scheme,
    delay: tuple[Line, ...],
    base: FeeBase | Decimal,
    caps: Caps,
    used: Used,
    fee: Decimal | None,
    *,
    late: bool,
) -> ExplainedAmount:
    whole_delay, left = delay[0].seconds, max(0, sum(line.seconds for line in delay))
    if whole_delay < 0:
        raise PenaltyError(f"a delay can't be negative: {whole_delay} s")
    grace = _grace(scheme.grace, left)
    counted = left - sum(line.taken for line in grace)
    units = _units(scheme, whole_delay, left, counted) if late else NOTHING
    of = base if isinstance(base, FeeBase) else FeeBase(base)
    lines = [*delay, *grace, UnitsLine(counted, scheme.unit.name, units)]
    return _charged(scheme, units, counted, lines, of, caps, used, fee)


def units_penalty(scheme: Scheme, units: Fraction, base: FeeBase | Decimal, caps: Caps = NO_CAPS) -> ExplainedAmount:
    """Price a number of units that is known already, whatever delay it came of; no grace is taken off it."""
    if units < 0:
        raise PenaltyError(f"units can't be negative: {units}")
    of = base if isinstance(base, FeeBase) else FeeBase(base)
    return _charged(scheme, units, 0, [UnitsLine(0, scheme.unit.name, units)], of, caps, UNUSED, None)


def _charged(
    scheme: Scheme,
    units: Fraction,
    counted: int,
    lines: list[Line],
    base: FeeBase,
    caps: Caps,
    used: Used,
    fee: Decimal | None,
) -> ExplainedAmount:
    lines += [*base_lines(scheme, base), *charge_lines(scheme, units, base.exact)]
    raw = round_line(lines)
    amount = under_caps(lines, raw, caps, used, base.exact if fee is None else Fraction(fee))
    return ExplainedAmount(amount, raw, units, counted, (*lines, ResultLine(amount)))


def _grace(grace: Grace | None, delay: int) -> list[GraceLine]:
    if grace is None or grace.seconds == 0:
        return []
    if grace.mode is GraceMode.THRESHOLD and delay > grace.seconds:
        return [GraceLine(grace.seconds, grace.mode, 0)]
    return [GraceLine(grace.seconds, grace.mode, min(delay, grace.seconds))]


def _units(scheme: Scheme, whole_delay: int, left: int, counted: int) -> Fraction:
    if scheme.unit.rounding is not Rounding.ONCE:
        return scheme.unit.count(counted)
    forgiven = counted == 0 and (whole_delay > 0 or (scheme.grace is not None and scheme.grace.seconds > 0))
    return NOTHING if forgiven else Fraction(1)


def base_lines(scheme: Scheme, base: FeeBase) -> list[Line]:
    if scheme.kind is RateType.AMOUNT:
        return []
    if base.share == 1 and base.days is None and not base.month and not base.version:
        return []
    return [BaseLine(base.fee, base.share, base.days, base.of_days, base.month, base.version, base.exact)]


def charge_lines(scheme: Scheme, units: Fraction, base: Fraction) -> list[ChargeLine]:
    lines: list[ChargeLine] = []
    done = NOTHING
    for tier in scheme.steps:
        upto = units if tier.up_to is None else min(units, Fraction(tier.up_to))
        if upto <= done and lines:
            break
        worth = Fraction(tier.rate) * (base / HUNDRED if scheme.kind is RateType.PERCENT else 1)
        part = upto - done
        lines.append(ChargeLine(scheme.kind, tier.rate, part, scheme.unit.name, base, done, part * worth))
        done = upto
    return lines


def round_line(lines: list[Line]) -> Decimal:
    exact = sum((line.change for line in lines), NOTHING)
    raw = rounded(exact)
    if raw != exact:
        lines.append(RoundLine(exact, raw))
    return raw


def under_caps(lines: list[Line], raw: Decimal, caps: Caps, used: Used, of: Fraction | Decimal) -> Decimal:
    """Hold an amount under every cap, given what was used of each; a line a cap is added to `lines`."""
    amount = raw
    for level, cap, before in (
        (CapLevel.INCIDENT, caps.incident, used.incident),
        (CapLevel.MONTH, caps.month, used.month),
        (CapLevel.QUARTER, caps.quarter, used.quarter),
        (CapLevel.CONTRACT, caps.contract, used.contract),
    ):
        if cap is not None:
            line = cap_line(level, cap.limit(of), before, amount)
            amount = line.after
            lines.append(line)
    return amount


def cap_line(level: CapLevel, limit: Decimal, used: Decimal, amount: Decimal, subject: str = "") -> CapLine:
    """Hold an amount under what is left of a cap."""
    return CapLine(level, limit, used, amount, min(amount, max(ZERO, limit - used)), subject)
