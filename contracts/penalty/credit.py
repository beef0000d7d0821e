"""The availability credit of a month, by the contract's bands. Pure; source: domain.md section 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from contracts.penalty.rules import (
    HUNDRED,
    ExplainedAmount,
    FeeBase,
    Line,
    PenaltyError,
    ResultLine,
    Scheme,
    Unit,
    base_lines,
    charge_lines,
    round_line,
)
from contracts.vocabulary import RateType


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
class Band:
    """A band of the credit table, in percent: below (exclusive) and down to (inclusive; None: to nothing at all)."""

    below: Decimal
    down_to: Decimal | None
    percent: Decimal


def credit(
    bands: Sequence[Band], commitment: Decimal, availability: Fraction, fee: FeeBase | Decimal
) -> ExplainedAmount:
    """The availability credit of a month; `availability` is the exact fraction (0 to 1), the rest are percents.

    "Less than the commitment" earns a credit, exactly the commitment earns none. PenaltyError for bands that overlap.
    """
    _check_bands(bands)
    of = fee if isinstance(fee, FeeBase) else FeeBase(fee)
    percent = availability * HUNDRED
    met = percent >= Fraction(commitment)
    lines: list[Line] = [MeasuredLine(availability, commitment, met)]
    band = None if met else next((band for band in bands if _inside(band, percent)), None)
    if band is not None:
        scheme = Scheme(RateType.PERCENT, Unit.named("once"), band.percent)
        lines += [BandLine(band.below, band.down_to, band.percent), *base_lines(scheme, of)]
        lines += charge_lines(scheme, Fraction(1), of.exact)
    amount = round_line(lines)
    return ExplainedAmount(amount, amount, Fraction(band is not None), 0, (*lines, ResultLine(amount)))


def _inside(band: Band, percent: Fraction) -> bool:
    return percent < Fraction(band.below) and (band.down_to is None or percent >= Fraction(band.down_to))


def _check_bands(bands: Sequence[Band]) -> None:
    ordered = sorted(bands, key=lambda band: -band.below)
    for upper, lower in pairwise(ordered):
        if upper.down_to is None or lower.below > upper.down_to:
            raise PenaltyError(f"credit bands overlap: {upper.below} to {upper.down_to} and below {lower.below}")


def band_percent(breakdown: ExplainedAmount) -> Decimal:
    """The credit in percent of the fee; 0 where the commitment was kept."""
    return next((line.percent for line in breakdown.lines if isinstance(line, BandLine)), Decimal(0))
