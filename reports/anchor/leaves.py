"""What the daily anchor stands for: each kind of thing, its stage and digest now, and its digest at an earlier stage.

One function a kind says what of a thing is hashed. A thing only grows: what it was at a stage can be computed later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Model, QuerySet

from contracts import seal
from contracts.models import ContractVersion
from contracts.seal_rows import Seal
from incidents.anchors import LeafKind
from incidents.models import Incident
from reports.models import BreachDecision

JOURNALS_AT = """
    SELECT wanted.incident, incident.nr, coalesce(entry.hash, '')
    FROM unnest(%s::bigint[], %s::int[]) AS wanted(incident, stage)
    JOIN incidents_incident incident ON incident.id = wanted.incident
    LEFT JOIN incidents_journalentry entry ON entry.incident_id = wanted.incident AND entry.seq = wanted.stage
"""


MONITORS = """
    SELECT monitor.id, shop.client_id, act.seq, act.hash
    FROM monitoring_monitor monitor
    JOIN contracts_shop shop ON shop.id = monitor.shop_id
    CROSS JOIN LATERAL (
        SELECT seq, hash FROM monitoring_act WHERE monitor_id = monitor.id ORDER BY seq DESC LIMIT 1
    ) act
"""
MONITORS_AT = """
    SELECT wanted.monitor, coalesce(act.hash, '')
    FROM unnest(%s::bigint[], %s::int[]) AS wanted(monitor, stage)
    JOIN monitoring_monitor monitor ON monitor.id = wanted.monitor
    LEFT JOIN monitoring_act act ON act.monitor_id = wanted.monitor AND act.seq = wanted.stage
"""


@dataclass(frozen=True, slots=True)
class Head:
    """A thing at a stage: `row` is its key, `client` whose tree it stands in, `name` is hashed with the digest."""

    row: int
    client: int | None
    stage: int
    name: str
    digest: str

    def content(self, kind: str) -> bytes:
        return content(kind, self.name, self.stage, self.digest)


def content(kind: str, name: str, stage: int, digest: str) -> bytes:
    """What a leaf hashes, with its salt: `journal MAK-0142 7 3f9a…`."""
    return f"{kind} {name} {stage} {digest}".encode()


@dataclass(frozen=True, slots=True)
class Kind:
    """`now` gives every thing; `then`, for key → stage, those that there are, as they were at that stage."""

    name: str
    now: Callable[[], Iterable[Head]]
    then: Callable[[Mapping[int, int]], Iterable[Head]]
    words: str


def _journals() -> Iterator[Head]:
    rows = Incident.objects.order_by().values_list("pk", "client_id", "journal_length", "nr", "journal_head")
    return (Head(*row) for row in rows.iterator(chunk_size=20_000))


def _journals_at(stages: Mapping[int, int]) -> Iterator[Head]:
    """A journal that is shorter today has no digest at the stage, so it differs."""
    with connection.cursor() as cursor:
        cursor.execute(JOURNALS_AT, [list(stages), list(stages.values())])
        for row, nr, digest in cursor.fetchall():
            yield Head(row, None, stages[row], nr, digest)


def _versions() -> Iterator[Head]:
    return _version_heads(ContractVersion.objects.all())


def _version_heads(versions: QuerySet[ContractVersion]) -> Iterator[Head]:
    """The terms, without the day on which the next version ends them, and the contract with its shops."""
    for row in seal.with_terms(versions.select_related("contract")).prefetch_related("contract__shops"):
        terms = seal.digest([seal.version_digest(row), seal.contract_digest(row.contract)])
        yield Head(row.pk, row.contract.client_id, 1, f"{row.contract.number}, {row.number}", terms)


def _versions_at(stages: Mapping[int, int]) -> Iterator[Head]:
    return _version_heads(ContractVersion.objects.filter(pk__in=stages))


def _seals() -> Iterator[Head]:
    """The list of all that was entered: contracts, versions, calendars and their days, announced work."""
    last = Seal.objects.order_by("-seq").first()
    return iter([_sealed(last)] if last else [])


def _sealed(last: Seal) -> Head:
    return Head(1, None, last.seq, "contracts", last.hash)


def _seals_at(stages: Mapping[int, int]) -> Iterator[Head]:
    return map(_sealed, Seal.objects.filter(seq__in=stages.values()))


SECOND = frozenset({"second_by", "second_at"})
TAKEN_BACK = frozenset({"taken_back_by", "taken_back_at", "taken_back_why"})
LEFT_OUT = {1: SECOND | TAKEN_BACK, 2: TAKEN_BACK, 3: frozenset[str]()}
"""Of a decision's columns, by its stage: one person's, with the second person's word, taken back."""


def _decisions() -> Iterator[Head]:
    for row in BreachDecision.objects.select_related("breach__incident"):
        yield _decision(row, 3 if row.taken_back_at else 2 if row.second_by_id else 1)


def _decision(row: BreachDecision, stage: int) -> Head:
    facts = columns(row, leave_out=LEFT_OUT[stage])
    incident = row.breach.incident
    return Head(row.pk, incident.client_id, stage, f"{incident.nr}, {row.breach.target}", digest(facts))


def _decisions_at(stages: Mapping[int, int]) -> Iterator[Head]:
    for row in BreachDecision.objects.filter(pk__in=stages).select_related("breach__incident"):
        yield _decision(row, stages[row.pk])


def _monitors() -> Iterator[Head]:
    """The head of each monitor's list of acts, which holds its terms, intervals and outages; named by its key."""
    with connection.cursor() as cursor:
        cursor.execute(MONITORS)
        for monitor, client, length, head in cursor.fetchall():
            yield Head(monitor, client, length, str(monitor), head)


def _monitors_at(stages: Mapping[int, int]) -> Iterator[Head]:
    """A list that is shorter today has no digest at the stage, so it differs."""
    with connection.cursor() as cursor:
        cursor.execute(MONITORS_AT, [list(stages), list(stages.values())])
        for monitor, head in cursor.fetchall():
            yield Head(monitor, None, stages[monitor], str(monitor), head)


def columns(row: Model, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """Every column of the row by name."""
    return {
        field.attname: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in leave_out
    }


def digest(value: object) -> str:
    """SHA-256 of the value as JSON with sorted keys."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, cls=DjangoJSONEncoder).encode()).hexdigest()


KINDS = (
    Kind(LeafKind.JOURNAL, _journals, _journals_at, "journal"),
    Kind(LeafKind.VERSION, _versions, _versions_at, "contract version"),
    Kind(LeafKind.SEALS, _seals, _seals_at, "list of seals"),
    Kind(LeafKind.DECISION, _decisions, _decisions_at, "decision"),
    Kind(LeafKind.MONITOR, _monitors, _monitors_at, "monitor"),
)
