"""What terms of penalties can't be entered, with the sentence that says why."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from contracts.models import ContractVersion
from contracts.penalty.rules import PenaltyError
from contracts.terms import Penalty, scheme_of, value_of
from wording.refusals import Refused
from wording.words import money


def check(version: ContractVersion) -> None:
    """Raises Refused for terms of the version that its contract leaves without a figure."""
    if version.contract_cap_share is not None and value_of(version) is None:
        raise Refused(
            _("A contract without an end has no value of its own: write the value that the limit is a share of."),
            "contract_value",
        )
    _check_parts(version)


def _check_parts(version: ContractVersion) -> None:
    """Raises Refused for a fee that is split by shop otherwise than whole, over the contract's shops."""
    if not version.fee_parts:
        return
    if {str(shop.pk) for shop in version.contract.shops.all()} != set(version.fee_parts):
        raise Refused(_("A fee that is split by shop has a part for each shop of the contract."), "fee_parts")
    total = sum(map(Decimal, version.fee_parts.values()), Decimal(0))
    if total != version.monthly_fee:
        facts = {"sum": money(total, version.currency), "fee": money(version.monthly_fee, version.currency)}
        raise Refused(_("The shops' parts come to %(sum)s, the fee is %(fee)s.") % facts, "fee_parts")


def check_scheme(rule: Penalty) -> None:
    """Raises Refused for a unit that nobody counts by, or tiers that don't rise."""
    try:
        scheme_of(rule)
    except PenaltyError as error:
        raise Refused(_("This penalty can't be counted: its steps must rise.")) from error
