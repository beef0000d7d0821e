"""What a late or missing promise costs by a version, in plain words, with worked examples by the same arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from contracts.models import ContractVersion, Target, TargetKind
from contracts.penalty.breach import Lateness, breach_penalty
from contracts.penalty.rules import Rounding
from contracts.penalty.text import rule, worked_example
from contracts.terms import caps_of, scheme_of
from contracts.vocabulary import RateType
from wording.words import money, share

EXAMPLE = 3 * 3600 + 20 * 60
"""The delay of the worked examples: 3 h 20 min, in seconds."""


@dataclass(frozen=True, slots=True)
class Price:
    """The penalty of one target: its rule, and what 3 h 20 min too late would cost ("" where any delay costs that)."""

    severity: str
    kind: str
    rule: str
    example: str


def prices(version: ContractVersion, targets: Iterable[Target]) -> list[Price]:
    """Targets with a penalty, the repair of each severity first: it is what people ask about."""
    priced = [target for target in targets if hasattr(target, "penalty")]
    order = [TargetKind.RESTORE, TargetKind.REACTION, TargetKind.FINAL_FIX]
    priced.sort(key=lambda target: (order.index(TargetKind(target.kind)), target.severity))
    return [_price(version, target) for target in priced]


def _price(version: ContractVersion, target: Target) -> Price:
    scheme = scheme_of(target.penalty)
    sentence = rule(scheme, version.currency)
    if scheme.kind is RateType.AMOUNT and scheme.unit.rounding is Rounding.ONCE:
        return Price(target.severity, target.kind, sentence, "")
    breakdown = breach_penalty(scheme, Lateness(0, EXAMPLE), version.monthly_fee, caps=caps_of(version))
    return Price(target.severity, target.kind, sentence, worked_example(breakdown, target.severity, version.currency))


def caps(version: ContractVersion) -> list[str]:
    """Each limit as a sentence; a percentage with its sum."""
    fee, limits = version.monthly_fee, caps_of(version)
    sentences = {
        _("At most %(sum)s for one incident."): limits.incident,
        _("At most %(sum)s in a month."): limits.month,
        _("At most %(sum)s from the whole contract."): limits.contract,
    }
    percents = (version.incident_cap_percent, version.month_cap_percent, None)
    lines = []
    for (sentence, cap), percent in zip(sentences.items(), percents, strict=True):
        if cap is None:
            continue
        amount = money(cap.limit(fee), version.currency)
        lines.append(sentence % {"sum": amount if percent is None else _of_fee(amount, share(percent))})
    return lines


def _of_fee(amount: str, percent: str) -> str:
    return _("%(sum)s (%(percent)s of the monthly fee)") % {"sum": amount, "percent": percent}
