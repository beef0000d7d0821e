"""The manager's month so far, a row a client: times kept, penalties not yet settled, share of the contract's cap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import Client
from contracts.models import ContractVersion
from contracts.penalties import ZERO
from incidents.models import Breach, ClockRow, ClockState
from reports.models import BreachDecision
from reports.pricing import Case


@dataclass(frozen=True, slots=True)
class ClientMonth:
    """`due` counts the clocks whose time came this month, `missed` the breaches among them; `cap_used` in per cent."""

    client: Client
    due: int
    missed: int
    penalty: Decimal
    cap_used: int | None

    @property
    def kept(self) -> int:
        return max(0, self.due - self.missed)


def month_start(now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def client_months(clients: Sequence[Client], undecided: Sequence[Case], now: datetime) -> list[ClientMonth]:
    """A row for each client that has a contract. `undecided` are the cases that wait for a decision."""
    start = month_start(now)
    due = _due(start, now)
    missed = _by_client(Breach.objects.filter(deadline__gte=start, deadline__lte=now), "incident__client")
    decided = _decided(start)
    caps, charged = _caps(now.date()), _charged()
    rows = []
    for client in clients:
        if client.pk not in caps:
            continue
        open_sum = sum((case.amount for case in undecided if _counts(case, client, start)), ZERO)
        cap = caps[client.pk]
        used = int(charged.get(client.pk, ZERO) * 100 / cap) if cap else None
        penalty = decided.get(client.pk, ZERO) + open_sum
        rows.append(ClientMonth(client, due.get(client.pk, 0), missed.get(client.pk, 0), penalty, used))
    return rows


def _counts(case: Case, client: Client, start: datetime) -> bool:
    stop = case.breach.stopped_at
    return case.breach.incident.client_id == client.pk and (stop is None or stop >= start)


def _due(start: datetime, now: datetime) -> dict[int, int]:
    """Clocks that have come to a verdict or whose deadline has passed, by the month of the deadline."""
    came = ClockRow.objects.filter(deadline__gte=start).exclude(state=ClockState.NOT_RUNNING)
    return _by_client(came.filter(Q(stopped_at__isnull=False) | Q(deadline__lte=now)), "incident__client")


def _by_client(rows: QuerySet[Any], column: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(column).annotate(number=Count("pk")))


def _decided(start: datetime) -> dict[int, Decimal]:
    found = BreachDecision.objects.filter(breach__stopped_at__gte=start)
    return dict(found.order_by().values_list("breach__incident__client").annotate(total=Sum("amount_after")))


def _charged() -> dict[int, Decimal]:
    found = BreachDecision.objects.order_by().values_list("breach__incident__client")
    return dict(found.annotate(total=Sum("amount_after")))


def _caps(today: date) -> dict[int, Decimal | None]:
    """Client → the cap of its contract in force, None for a contract without one."""
    inside = Q(valid_from__lte=today) & (Q(valid_to=None) | Q(valid_to__gt=today))
    return dict(ContractVersion.objects.filter(inside).values_list("contract__client", "contract_cap_amount"))
