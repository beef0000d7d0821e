"""The manager's month so far, a row a contract: times kept, penalties not yet settled, share of the contract's cap.

A month is the contract's, in its zone: where it isn't the month of the page's head, the row says which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from accounts.models import Client
from contracts.models import Contract, ContractVersion
from contracts.penalty.rules import ZERO
from contracts.terms import caps_of
from incidents.choices import ClockState
from incidents.models import Breach, ClockRow
from reports.money.pricing import BreachPricer


@dataclass(frozen=True, slots=True)
class ContractMonth:
    """`due` counts the clocks whose time came this month, `missed` the breaches among them; `cap_used` in per cent.

    `named`: the client has another contract, so the row says which it is.
    """

    client: Client
    contract: Contract
    named: bool
    month: date
    due: int
    missed: int
    penalty: Decimal
    currency: str
    cap_used: int | None

    @property
    def kept(self) -> int:
        return max(0, self.due - self.missed)


def running(clients: Iterable[Client], now: datetime) -> list[Contract]:
    """The clients' contracts that have begun and not ended before this month, each by its own days."""
    contracts = Contract.objects.filter(client__in=list(clients)).select_related("client").order_by("client", "number")
    return [
        contract
        for contract in contracts
        if contract.starts_on <= contract.local_day(now)
        and (contract.ends_on is None or contract.ends_on >= month_of(contract, now))
    ]


def month_of(contract: Contract, now: datetime) -> date:
    """The first day of the month that it is where the contract is."""
    return contract.local_day(now).replace(day=1)


def month_start(contract: Contract, now: datetime) -> datetime:
    """The instant at which that month began."""
    return datetime.combine(month_of(contract, now), time.min, ZoneInfo(contract.zone))


def worst_first(contracts: Sequence[Contract], now: datetime) -> list[Contract]:
    """Those that missed most this month first; of equals in the order of the clients' names."""
    missed = _missed(_versions(contracts, now), now)
    return sorted(contracts, key=lambda row: (-missed.get(row.pk, 0), row.client.name, row.number))


def contract_months(
    contracts: Sequence[Contract], pricer: BreachPricer | None, now: datetime, among: Sequence[Contract] = ()
) -> list[ContractMonth]:
    """A row a contract, in the order of the clients' names. `pricer` knows these contracts; None: nothing missed.

    `among`: all that there are, where only some of them are shown.
    """
    versions = _versions(contracts, now)
    due, missed = _due(versions, now), _missed(versions, now)
    # Contract → the version of today, or the last one of a contract that ended this month
    in_force = {row.contract_id: row for row in versions if row.has_started(now)}
    clients = Counter(contract.client_id for contract in among or contracts)
    rows = [
        ContractMonth(
            client=contract.client,
            contract=contract,
            named=clients[contract.client_id] > 1,
            month=month_of(contract, now),
            due=due.get(contract.pk, 0),
            missed=missed.get(contract.pk, 0),
            penalty=pricer.months(contract.pk).get(month_of(contract, now), ZERO) if pricer else ZERO,
            currency=version.currency,
            cap_used=_share(pricer.charged(contract.pk), version) if pricer else None,
        )
        for contract in contracts
        if (version := in_force.get(contract.pk))
    ]
    return sorted(rows, key=lambda row: (row.client.name, row.contract.number))


def _share(charged: Decimal, version: ContractVersion) -> int | None:
    """Whole per cent of the contract's cap, floored: 100 means that nothing is left."""
    cap = caps_of(version).contract
    limit = cap.limit(version.monthly_fee) if cap else None
    return int(charged * 100 / limit) if limit else None


def _versions(contracts: Sequence[Contract], now: datetime) -> list[ContractVersion]:
    rows = ContractVersion.objects.filter(contract__in=contracts, created_at__lte=now)
    return list(rows.select_related("contract").order_by("number"))


def _in_month(versions: Iterable[ContractVersion], now: datetime, column: str) -> Q:
    """Rows whose deadline lies in the month of their own contract; contracts of one zone share a condition."""
    zones: dict[str, list[int]] = {}
    for version in versions:
        zones.setdefault(version.contract.zone, []).append(version.pk)
    inside = Q(pk__in=[])
    for zone, of_zone in zones.items():
        first = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
        start = datetime.combine(first, time.min, ZoneInfo(zone))
        inside |= Q(**{f"{column}__in": of_zone}, deadline__gte=start)
    return inside


def _due(versions: Sequence[ContractVersion], now: datetime) -> dict[int, int]:
    """Clocks that have come to a verdict or whose deadline has passed, by the month of the deadline."""
    came = ClockRow.objects.filter(_in_month(versions, now, "incident__version"))
    came = came.exclude(state=ClockState.NOT_RUNNING).filter(Q(stopped_at__isnull=False) | Q(deadline__lte=now))
    return _by_contract(came, "incident__version", versions)


def _missed(versions: Sequence[ContractVersion], now: datetime) -> dict[int, int]:
    breaches = Breach.objects.filter(_in_month(versions, now, "version"), deadline__lte=now)
    return _by_contract(breaches, "version", versions)


def _by_contract(
    rows: QuerySet[Breach] | QuerySet[ClockRow], column: str, versions: Iterable[ContractVersion]
) -> dict[int, int]:
    """Contract → how many; the versions are known here, so the database needn't join them."""
    contracts = {version.pk: version.contract_id for version in versions}
    counts = Counter[int]()
    for version, number in rows.order_by().values_list(column).annotate(number=Count("pk")):
        counts[contracts[version]] += number
    return counts
