"""Rates and limits of penalties as people write them: "2 %", "50 zł", "3 × opłata", "1 % do 4 h, potem 2 %".

Raises ValidationError, and nothing else, with a sentence that shows the right way to write it (see `parse`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from contracts.forms.parse import (
    FEE,
    LARGEST_RATE,
    PERCENT,
    UNREADABLE,
    amount_words,
    currency_in,
    percent_in,
    plain_amount,
    plain_number,
    read_minutes,
    read_number,
    read_percent,
    tidy,
)
from contracts.penalty.rules import HUNDRED, Rounding, Tier, Unit
from contracts.vocabulary import RateType
from wording.words import figure

MOST_FEES = 100
OF_VALUE = "share"
"""In per cent of what the whole contract is worth, beside the two kinds of a rate."""
OF_CONTRACT = re.compile(
    r"(?:z |od )?(?:łącznej )?(?:wartości|wynagrodzenia z)(?: netto)?(?: (?:całej )?umowy)?|(?:z )?umowy"
    r"|of (?:the )?contract(?:'s)?(?: value)?|of (?:the )?value",
    re.IGNORECASE,
)
TIMES_FEE = re.compile(
    r"(?P<times>[\d., ]*\d)\s*(?:[×x*]|razy)?\s*"
    r"(?:opłat[ay]?|abonament\w*|(?:miesięczn\w+|mies\.)\s+(?:opłat\w*|wynagrodze\w+)|opłat[ay]?\s+miesięczn\w+"
    r"|(?:the\s+)?(?:monthly\s+)?fees?)",
    re.IGNORECASE,
)
FOLD = re.compile(
    r"(?P<fold>dwu|trzy|cztero|pięcio|sześcio|dwunasto|\d{1,2}\s?-?)krotność"
    r"\s+(?:miesięcznej |mies\. )?(?:opłaty|wynagrodzenia|abonamentu)(?:\s+miesięczn\w+)?",
    re.IGNORECASE,
)
FOLDS = {"dwu": 2, "trzy": 3, "cztero": 4, "pięcio": 5, "sześcio": 6, "dwunasto": 12}
PARTS = re.compile(r"\s*;\s*|,\s+|\s+(?=(?:potem|dalej|powyżej|then|above)\b)", re.IGNORECASE)
AFTER = re.compile(r"(?:potem|dalej|powyżej|then|above(?: that)?)[:,]?\s+", re.IGNORECASE)
UP_TO = re.compile(r"(?P<rate>.+?)\s+(?:do|up to)\s+(?P<edge>\d.*)", re.IGNORECASE)


def _unreadable(sentence: str) -> ValidationError:
    return ValidationError(sentence, code=UNREADABLE)


@dataclass(frozen=True, slots=True)
class Edge:
    """Up to where a rate counts: so many units, or so many minutes of delay."""

    value: Decimal
    in_minutes: bool = False

    def units(self, unit: Unit) -> Decimal:
        """In units of the row; the rest of a division is exact to four places or refused."""
        if not self.in_minutes:
            return self.value
        units = self.value * 60 / unit.width
        if round(units, 4) != units:
            raise ValidationError(_("Write the steps in whole units of the row, like 1 % up to 4, then 2 %."))
        return units


@dataclass(frozen=True, slots=True)
class Rates:
    """A rate for every unit of delay; with steps, for those above the last of them."""

    kind: RateType
    rate: Decimal
    steps: tuple[tuple[Edge, Decimal], ...] = ()

    def tiers(self, unit: Unit) -> tuple[Tier, ...]:
        """The steps below the last rate, in units."""
        if self.steps and unit.rounding is Rounding.ONCE:
            raise ValidationError(_("A penalty once per breach has one rate."))
        tiers = tuple(Tier(edge.units(unit), rate) for edge, rate in self.steps)
        edges = [Decimal(0), *(tier.up_to or Decimal(0) for tier in tiers)]
        if edges != sorted(set(edges)):
            raise ValidationError(_("The steps must rise: 1 % up to 4, then 2 %."))
        return tiers


def rate_value(kind: str, rate: Decimal, currency: str) -> str:
    """A rate as its field shows it."""
    if kind != RateType.PERCENT:
        return f"{amount_words(rate)} {currency}"
    if rate > HUNDRED:
        return _("%(times)s × the fee") % {"times": figure(rate / HUNDRED)}
    return f"{figure(rate)} %"


def cap_value(kind: str, cap: Decimal, currency: str) -> str:
    """A limit as its field shows it: of what a share is stands beside it."""
    if kind == OF_VALUE:
        return _("%(percent)s %% of the contract") % {"percent": figure(cap)}
    value = rate_value(kind, cap, currency)
    return pgettext("typed", "%(rate)s of the fee") % {"rate": value} if value.endswith("%") else value


def rates_value(kind: str, rate: Decimal, tiers: tuple[Tier, ...], currency: str) -> str:
    """The rates of a row as its field shows them."""
    steps = [
        _("%(rate)s up to %(units)s") % {"rate": rate_value(kind, tier.rate, currency), "units": figure(tier.up_to)}
        for tier in tiers
        if tier.up_to is not None
    ]
    last = rate_value(kind, rate, currency)
    return ", ".join([*steps, _("then %(rate)s") % {"rate": last} if steps else last])


def read_rate(text: str, *, places: int = 4) -> tuple[RateType, Decimal]:
    """`2 %` of the fee, `3 × opłata`, or `50,00 zł`: the kind of rate and its figure; a bare number says neither."""
    plain = tidy(text)
    fees = _fees(plain)
    if fees is not None:
        if not 0 < fees <= MOST_FEES:
            raise ValidationError(_("Write at most %(most)s × the fee.") % {"most": MOST_FEES}, code="limit")
        return RateType.PERCENT, fees * HUNDRED
    parts = PERCENT.fullmatch(plain)
    if parts and parts["unit"] and percent_in(plain, FEE, places) is not None:
        return RateType.PERCENT, read_percent(plain, places=places)
    if plain_number(plain, places=4) is not None:
        raise ValidationError(_("Say of what: 2 % of the fee, or an amount such as 50.00 PLN."), code="of_what")
    if not currency_in(plain) or plain_amount(plain) is None:
        raise _unreadable(_("Write the rate like 2 % of the fee or 50.00 PLN."))
    return RateType.AMOUNT, read_number(plain, at_most=LARGEST_RATE)


def _fees(plain: str) -> Decimal | None:
    """How many monthly fees; None where the text says no such thing."""
    if fold := FOLD.fullmatch(plain):
        word = fold["fold"].strip(" -").lower()
        return Decimal(FOLDS[word] if word in FOLDS else int(word))
    times = TIMES_FEE.fullmatch(plain)
    return plain_number(times["times"], places=2) if times else None


def read_cap(text: str) -> tuple[RateType, Decimal]:
    """As a rate, of at most three places."""
    return read_rate(text, places=3)


def read_contract_cap(text: str) -> tuple[str, Decimal]:
    """As a limit, but a bare share is one of the contract's value: `20 %`, `20 % wartości umowy`; `20 % opłaty`.

    A bare number that is no share, `50 000,-`, is an amount.
    """
    plain = tidy(text)
    parts = PERCENT.fullmatch(plain)
    if parts and parts["unit"] and (not parts["words"].strip() or OF_CONTRACT.fullmatch(parts["words"].strip())):
        return OF_VALUE, read_percent(plain, of=OF_CONTRACT, places=3)
    amount = plain_amount(plain)
    if amount is not None and amount > HUNDRED:
        return RateType.AMOUNT.value, read_number(plain)
    kind, cap = read_cap(text)
    return kind.value, cap


def read_rates(text: str) -> Rates:
    """One rate, or rates by steps of the delay: `1 % do 4, potem 2 %`, `50 zł do 2 h; 100 zł do 8 h; potem 0 zł`."""
    *steps, last = PARTS.split(tidy(text))
    kind, rate = read_rate(AFTER.sub("", last, count=1) if steps else last)
    read = [_step(part) for part in steps]
    if {step[0] for step in read} - {kind} or len({currency_in(part) for part in (*steps, last)}) > 1:
        raise ValidationError(_("All steps are shares of the fee, or all are amounts."), code="kinds")
    return Rates(kind, rate, tuple((edge, step_rate) for _kind, edge, step_rate in read))


def _step(text: str) -> tuple[RateType, Edge, Decimal]:
    parts = UP_TO.fullmatch(AFTER.sub("", text, count=1))
    if parts is None:
        raise _unreadable(_("Write steps like 1 % up to 4 h, then 2 %."))
    kind, rate = read_rate(parts["rate"])
    return kind, _edge(parts["edge"]), rate


def _edge(text: str) -> Edge:
    number = plain_number(text, places=4)
    return Edge(Decimal(read_minutes(text)), in_minutes=True) if number is None else Edge(number)
