"""A client's month so far, for its owner: times kept, and of each late incident the amount and how far its decision is.

The amounts are the ledger's (`pricing`), the months those of the contracts (`month_table`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _

from accounts.models import OWNER, Client, User
from contracts.models import Contract
from contracts.penalty.rules import ZERO
from incidents.models import Breach, Incident
from incidents.state import ENDED
from reports.models import BreachDecision, Verdict
from reports.money.month_table import ContractMonth, contract_months, month_start
from reports.money.pricing import BreachPricer
from wording.words import money


@dataclass(frozen=True, slots=True)
class LateIncident:
    """An incident with a missed deadline. `amount` of all its breaches; `is_settled` once nothing of it can change."""

    incident: Incident
    amount: Decimal
    currency: str
    verdict: str
    is_settled: bool

    @property
    def amount_words(self) -> str:
        """`wstępnie 230,00 zł` until it is decided."""
        amount = money(self.amount, self.currency)
        return amount if self.is_settled else _("so far %(amount)s") % {"amount": amount}


@dataclass(frozen=True, slots=True)
class ClientMonth:
    """`late` by incident: those that are open, or whose deadline was missed this month; the newest first."""

    rows: list[ContractMonth]
    late: dict[int, LateIncident]


def client_month(user: User, client: Client, contracts: Sequence[Contract], now: datetime) -> ClientMonth | None:
    """None for who sees no money of this client."""
    if user.role_for(client.pk) != OWNER:
        return None
    late: dict[int, list[Breach]] = {}
    for breach in _breaches(user, contracts, now):
        late.setdefault(breach.incident_id, []).append(breach)
    if not late:
        return ClientMonth(contract_months(contracts, None, now), {})
    pricer = BreachPricer((), now, [contract.pk for contract in contracts])
    rows = contract_months(contracts, pricer, now)
    return ClientMonth(rows, {key: _late(breaches, pricer) for key, breaches in late.items()})


def _breaches(user: User, contracts: Sequence[Contract], now: datetime) -> list[Breach]:
    start = min((month_start(contract, now) for contract in contracts), default=now)
    recent = Q(deadline__gte=start) | Q(stopped_at__gte=start) | ~Q(incident__status__in=ENDED)
    breaches = Breach.objects.visible_to(user).filter(recent, version__contract__in=contracts)
    standing = BreachDecision.objects.visible_to(user).standing()
    decisions = Prefetch("decisions", standing.select_related("breach__version"))
    return list(breaches.select_related("incident__shop", "version").prefetch_related(decisions))


def _late(breaches: Sequence[Breach], pricer: BreachPricer) -> LateIncident:
    verdict, is_settled = _verdict(breaches)
    amount = sum((pricer.counted(breach) for breach in breaches), ZERO)
    return LateIncident(breaches[0].incident, amount, breaches[0].version.currency, verdict, is_settled)


def _verdict(breaches: Sequence[Breach]) -> tuple[str, bool]:
    """How far the least decided of them is, and whether that is the end."""
    decisions = [next(iter(breach.decisions.all()), None) for breach in breaches]
    if any(breach.stopped_at is None for breach in breaches):
        return _("still growing"), False
    if not all(decisions):
        return _("waits for a decision"), False
    if any(decision.awaits_second for decision in decisions if decision):
        return _("waits for a second person's agreement"), False
    excluded = any(decision.verdict == Verdict.EXCLUDED for decision in decisions if decision)
    return (_("decided, part of the delay excluded") if excluded else _("confirmed")), True
