"""The proof that contracts, versions, calendars and announced work are as they were entered.

Each row is compared with its seal, and the list of seals with itself. What stands at the list's end can be cut off
together with its rows: journals name the terms they were counted by, and only the daily anchor sees the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from contracts import seal
from contracts.models import Calendar, CalendarDay, Contract, ContractVersion
from contracts.planned import MaintenanceWindow
from contracts.seal_rows import Seal, SealKind

GONE, NEVER, CHANGED, AS_SEALED = "gone", "never sealed", "changed", "as it was sealed"


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside is as it was at one moment, whoever writes meanwhile; in a transaction, as that reads."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@dataclass(frozen=True, slots=True)
class Difference:
    """`stored` stands in the row, `follows` is what `source` says."""

    nr: str
    fact: str
    stored: object
    follows: object
    source: str = "the journal"

    def __str__(self) -> str:
        return f"{self.nr} {self.fact}: stored {self.stored}, follows from {self.source} {self.follows}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """One kind of seal: the rows that have one, and what it says of a row."""

    kind: SealKind
    rows: Callable[[], Iterable[Any]]
    digest: Callable[[Any], str]


KINDS = (
    Sealed(SealKind.CALENDAR, Calendar.objects.all, seal.calendar_digest),
    Sealed(SealKind.DAY, lambda: CalendarDay.objects.select_related("calendar"), seal.day_digest),
    Sealed(
        SealKind.DAY_REMOVED,
        lambda: CalendarDay.objects.exclude(removed_at=None, removed_by=None).select_related("calendar"),
        seal.removal_digest,
    ),
    Sealed(
        SealKind.CONTRACT,
        lambda: Contract.objects.select_related("client").prefetch_related("shops"),
        seal.contract_digest,
    ),
    Sealed(
        SealKind.VERSION,
        lambda: seal.with_terms(ContractVersion.objects.select_related("contract__client")),
        seal.version_digest,
    ),
    Sealed(SealKind.MAINTENANCE, lambda: MaintenanceWindow.objects.select_related("shop"), seal.maintenance_digest),
    Sealed(
        SealKind.CALLED_OFF,
        lambda: MaintenanceWindow.objects.exclude(called_off_at=None, called_off_by=None).select_related("shop"),
        seal.called_off_digest,
    ),
)


@dataclass(slots=True)
class Proof:
    """What was looked at, for the page and the command: versions and calendars."""

    versions: int
    calendars: int
    differences: list[Difference]


def prove() -> Proof:
    return Proof(ContractVersion.objects.count(), Calendar.objects.count(), list(differences()))


def differences() -> Iterator[Difference]:
    """Everything that is not as its seal says, rows without a seal, and seals without their row."""
    seals = list(Seal.objects.order_by("seq"))
    yield from _chain(seals)
    newest = {(line.kind, line.row): line.digest for line in seals}
    for sealed in KINDS:
        yield from _rows(sealed, newest)
    yield from _periods()
    yield from _owners()
    yield from _addresses()


def _chain(seals: Iterable[Seal]) -> Iterator[Difference]:
    previous = ""
    for place, line in enumerate(seals, 1):
        follows = seal.link(previous, place, line.kind, line.row, line.digest, line.at)
        if (line.seq, line.previous, line.hash) != (place, previous, follows):
            yield Difference("contracts", f"seal {line.seq}", CHANGED, "a whole list", "the list of seals")
            return
        previous = line.hash


def _rows(sealed: Sealed, newest: dict[tuple[str, int], str]) -> Iterator[Difference]:
    """Of a row with several seals the last one counts."""
    kind = sealed.kind.value
    missing = {row for of, row in newest if of == kind}
    for row in sealed.rows():
        missing.discard(row.pk)
        digest = newest.get((kind, row.pk))
        if digest is None:
            yield Difference(_name(row), kind, NEVER, "a seal", "the list of seals")
        elif digest != sealed.digest(row):
            yield Difference(_name(row), kind, CHANGED, AS_SEALED, "its seal")
    for row in sorted(missing):
        yield Difference("contracts", f"{kind} {row}", GONE, AS_SEALED, "its seal")


def _name(row: Model) -> str:
    """How the row is named to people; a contract with its client, since numbers are the client's own."""
    contract = row if isinstance(row, Contract) else row.contract if isinstance(row, ContractVersion) else None
    return f"{contract.client.code} {row}" if contract else str(row)


def _periods() -> Iterator[Difference]:
    """A version ends on the day on which the next begins, the last one with its contract."""
    rows = ContractVersion.objects.select_related("contract__client").order_by("contract", "-number")
    later: ContractVersion | None = None
    for version in rows:
        contract = version.contract
        follows = contract.ends_on and contract.ends_on + timedelta(days=1)
        if later is not None and later.contract_id == contract.pk:
            follows = later.valid_from
        if version.valid_to != follows:
            yield Difference(_name(version), "valid_to", version.valid_to, follows, "the next version")
        later = version


def _owners() -> Iterator[Difference]:
    """A contract covers its own client's shops."""
    for contract in Contract.objects.select_related("client").prefetch_related("shops"):
        for shop in contract.shops.all():
            if shop.client_id != contract.client_id:
                yield Difference(_name(contract), f"shop {shop}", shop.client_id, contract.client_id, "its contract")


def _addresses() -> Iterator[Difference]:
    """The contracts of a client are numbered from 1 without gaps, in the order in which they were entered."""
    rows = Contract.objects.select_related("client").order_by("client", "pk")
    for _client, contracts in groupby(rows, key=lambda contract: contract.client_id):
        for place, contract in enumerate(contracts, 1):
            follows = f"{contract.client.code}-{place}"
            if (contract.serial, contract.address) != (place, follows):
                source = "its place among the client's contracts"
                yield Difference(_name(contract), "address", contract.address, follows, source)
