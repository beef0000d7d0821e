"""The list of acts of a monitor: what a month's availability rests on changes only together with a line of it.

    acts.write(monitor, ActKind.ENDED, [outage], at=at)

Written in the transaction of the change and with the monitor's row locked, so numbers have no gaps and two workers
write one line. A check that changes no state writes nothing. `reports.verify.monitors` compares the rows with the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from accounts.models import User
from contracts import seal
from contracts.terms import to_second
from monitoring.models import Act, ActKind, Interval, Monitor, Outage, Reopening

TERMS = (
    "shop_id",
    "name",
    "url",
    "method",
    "interval",
    "timeout_ms",
    "slow_ms",
    "statuses",
    "required_text",
    "forbidden_text",
    "min_bytes",
    "what",
    "severity",
    "means_down",
    "is_active",
)
NAMES: dict[type[models.Model], tuple[str, ...]] = {
    Monitor: TERMS,
    Interval: ("monitor_id", "state", "reason", "started_at", "ended_at"),
    Outage: (
        "monitor_id",
        "incident_id",
        "reason",
        "evidence",
        "flapping",
        "started_at",
        "confirmed_at",
        "ended_at",
    ),
    Reopening: ("outage_id", "incident_id", "reopened_at", "reason", "evidence"),
}
TABLES = {model._meta.model_name: model for model in NAMES}
DIGESTED = frozenset({"evidence"})
"""Columns of which the list holds a digest."""
LATER: dict[tuple[type[models.Model], str], object] = {}
"""(model, column) → what rows hold whose last act is from before the column."""


def columns(row: models.Model) -> dict[str, Any]:
    """The row as an act names it."""
    values = seal.values(row, NAMES[type(row)])
    return {name: seal.digest(value) if name in DIGESTED else value for name, value in values.items()}


def link(act: Act) -> str:
    """The hash of an act, over all its columns and the hash before it."""
    content = seal.digest([act.by_id, act.facts])
    return seal.link(act.previous, act.seq, act.kind, act.monitor_id, content, act.at)


def write(
    monitor: Monitor, kind: ActKind, rows: Iterable[models.Model], *, at: datetime, by: User | None = None
) -> Act:
    """Put an act at the end of the locked monitor's list: these rows, stored already, are like this from now on."""
    last = Act.objects.filter(monitor=monitor).order_by("-seq").only("seq", "hash").first()
    facts: dict[str, dict[str, Any]] = {}
    for row in rows:
        facts.setdefault(str(row._meta.model_name), {})[str(row.pk)] = columns(row)
    act = Act(monitor=monitor, kind=kind, at=to_second(at), by=by, facts=facts)
    act.seq, act.previous = (last.seq + 1, last.hash) if last else (1, "")
    act.hash = link(act)
    act.save(force_insert=True)
    return act
