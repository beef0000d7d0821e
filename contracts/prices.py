"""What a late or missing promise costs by a version, in plain words, with worked examples by the same arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _

from contracts.models import ContractVersion, PenaltyBase, TargetKind
from contracts.penalty.breach import Lateness, breach_penalty
from contracts.penalty.rules import Cap, FeeBase, Rounding, Scheme, rounded
from contracts.penalty.text import rule, worked_example
from contracts.terms import caps_of, covered_days, scheme_of, value_of
from contracts.terms_text import fee_words, parts_words
from contracts.vocabulary import RateType
from wording.words import money, share

EXAMPLE = 3 * 3600 + 20 * 60
"""The delay of the worked examples: 3 h 20 min, in seconds; longer where a rule's unit, steps or grace need it."""


class Promised(Protocol):
    """A target, stored or only typed so far; one without a penalty may have no such attribute."""

    @property
    def severity(self) -> str: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Price:
    """The penalty of one target: its rule, and what a delay would cost ("" where any delay costs that)."""

    severity: str
    kind: str
    rule: str
    example: str


def prices(version: ContractVersion, targets: Iterable[Promised]) -> list[Price]:
    """Targets with a penalty, the repair of each severity first: it is what people ask about.

    The version may be one that is only typed so far, with the fee and the limits that can be read.
    """
    order = [TargetKind.RESTORE, TargetKind.REACTION, TargetKind.FINAL_FIX]
    priced = [(target, penalty) for target in targets if (penalty := getattr(target, "penalty", None))]
    priced.sort(key=lambda pair: (order.index(TargetKind(pair[0].kind)), pair[0].severity))
    return [_price(version, target, scheme_of(penalty)) for target, penalty in priced]


def _price(version: ContractVersion, target: Promised, scheme: Scheme) -> Price:
    sentence = rule(scheme, version.currency)
    if scheme.kind is RateType.AMOUNT and scheme.unit.rounding is Rounding.ONCE:
        return Price(target.severity, target.kind, sentence, "")
    late = Lateness(0, example_delay(scheme))
    breakdown = breach_penalty(scheme, late, _example_base(version), caps=caps_of(version), fee=version.monthly_fee)
    return Price(target.severity, target.kind, sentence, worked_example(breakdown, target.severity, version.currency))


def example_delay(scheme: Scheme) -> int:
    """A delay that shows the rule: of more than one unit, above the last step, and longer than the grace."""
    edge = max((tier.up_to for tier in scheme.tiers if tier.up_to is not None), default=1)
    shown = int(edge * scheme.unit.width) + scheme.unit.width // 2
    return max(EXAMPLE, shown) + (scheme.grace.seconds if scheme.grace else 0) // EXAMPLE * EXAMPLE


def _example_base(version: ContractVersion) -> Decimal:
    """The whole fee, or the greatest part of a shop."""
    return max(map(Decimal, version.fee_parts.values()), default=version.monthly_fee)


def base(version: ContractVersion) -> list[str]:
    """Of what a percentage is where it isn't simply the fee of the month, a sentence a term, with its sum."""
    sentences = []
    if version.fee_parts:
        parts = {"parts": parts_words(version.fee_parts, version.currency)}
        sentences.append(_("A percentage is of the shop's part of the fee: %(parts)s.") % parts)
    if version.penalty_base == PenaltyBase.MONTH_BEFORE:
        sentences.append(_("A percentage is of the fee of the month before; in the first month, of that month's own."))
    if version.part_months:
        days, of_days = covered_days(version.contract, version.contract.starts_on) or (15, 30)
        facts = {"days": days, "of": of_days, "sum": money(part_of(version, days, of_days), version.currency)}
        text = _("In a month covered in part it is of the fee for its days: for %(days)s of %(of)s days of %(sum)s.")
        sentences.append(text % facts)
    return sentences


def part_of(version: ContractVersion, days: int, of_days: int) -> Decimal:
    return rounded(FeeBase(_example_base(version), days=days, of_days=of_days).exact)


def caps(version: ContractVersion) -> list[str]:
    """Each limit as a sentence with its sum, in the order in which they hold; of what it is where it is a share."""
    limits = caps_of(version)
    sentences = {
        "reaction": (_("At most %(sum)s in a month for late reactions."), limits.of_kind("reaction")),
        "restore": (_("At most %(sum)s in a month for late repairs."), limits.of_kind("restore")),
        "final_fix": (_("At most %(sum)s in a month for late final fixes."), limits.of_kind("final_fix")),
        "incident": (_("At most %(sum)s for one incident."), limits.incident),
        "month": (_("At most %(sum)s in a month."), limits.month),
        "quarter": (_("At most %(sum)s in a calendar quarter."), limits.quarter),
        "contract": (_("At most %(sum)s from the whole contract."), limits.contract),
    }
    return [sentence % {"sum": _sum(version, level, cap)} for level, (sentence, cap) in sentences.items() if cap]


def _sum(version: ContractVersion, level: str, cap: Cap) -> str:
    amount = money(cap.limit(version.monthly_fee), version.currency)
    if cap.kind is RateType.PERCENT:
        return f"{amount} ({fee_words(cap.value)})"
    value = value_of(version) if level == "contract" and version.contract_cap_share is not None else None
    if value is None or version.contract_cap_share is None:
        return amount
    facts = {"percent": share(version.contract_cap_share), "value": money(value, version.currency)}
    return f"{amount} (" + _("%(percent)s of the contract's value of %(value)s") % facts + ")"
