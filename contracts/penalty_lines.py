"""The lines of an account of money: from the delay to the złoty, each typed, summing to the result. Pure.

Every line carries its signed share of the counted delay (`seconds`) and of the result (`change`), so that an account
can be added up by anybody; what a person reads is made from these lines (`contracts/penalty_words.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
NOTHING = Fraction(0)


class PenaltyError(ValueError):
    """Terms that can't be counted; the message names what is wrong and with which value."""


class Kind(StrEnum):
    PERCENT = "percent"
    AMOUNT = "amount"


class GraceMode(StrEnum):
    DEDUCTIBLE = "deductible"
    THRESHOLD = "threshold"


class CapLevel(StrEnum):
    INCIDENT = "incident"
    MONTH = "month"
    CONTRACT = "contract"


class DropReason(StrEnum):
    """Why a whole amount doesn't count, though its deadline was missed."""

    WAIVED = "waived"
    NOT_THE_HIGHEST = "not_the_highest"
    SAME_CAUSE = "same_cause"
    SAME_EVENT = "same_event"


def rounded(value: Fraction) -> Decimal:
    """Round once to 0.01, half up (money is never negative here). Exact: no float, no context precision."""
    grosze = (value.numerator * 200 + value.denominator) // (value.denominator * 2)
    return Decimal(grosze).scaleb(-2)


@dataclass(frozen=True, slots=True)
class Line:
    """A step of the account: what it adds to the counted delay (seconds) and to the result (money)."""

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

    kind: Kind
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
class AddedLine(Line):
    """An amount that comes into the month: one missed target of one incident, or an availability credit."""

    subject: str
    target: str
    amount: Decimal

    @property
    def change(self) -> Fraction:
        return Fraction(self.amount)


@dataclass(frozen=True, slots=True)
class DroppedLine(Line):
    """An amount that leaves whole, before any cap."""

    subject: str
    target: str
    amount: Decimal
    reason: DropReason

    @property
    def change(self) -> Fraction:
        return -Fraction(self.amount)


@dataclass(frozen=True, slots=True)
class WaivedLine(Line):
    """A sum that the client gives up, taken after the caps; never more than there was."""

    asked: Decimal
    taken: Decimal

    @property
    def change(self) -> Fraction:
        return -Fraction(self.taken)


@dataclass(frozen=True, slots=True)
class MeasuredLine(Line):
    """Availability against the commitment; exactly the commitment is compliant."""

    availability: Fraction
    commitment: Decimal
    met: bool


@dataclass(frozen=True, slots=True)
class BandLine(Line):
    """The band of the credit table that the availability falls into: below, and down to."""

    below: Decimal
    down_to: Decimal | None
    percent: Decimal


@dataclass(frozen=True, slots=True)
class ResultLine(Line):
    """The last line: the sum of the changes above it, to the grosz."""

    total: Decimal
