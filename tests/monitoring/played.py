"""Results as a probe would send them, and a monitor to take them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from contracts.models import Shop
from contracts.terms import seconds
from monitoring import acts, watch
from monitoring.models import ActKind, Monitor
from monitoring.probe.specification import Result, Timings
from tests.build import MONDAY

UP = {"state": "up", "reason": "ok", "status": 200}
DOWN = {"state": "down", "reason": "timeout", "phase": "headers"}
BROKEN = {"state": "down", "reason": "content", "detail": "forbidden", "subject": "SQLSTATE[", "status": 200}
EGRESS = {"state": "unknown", "reason": "egress", "detail": "canaries"}
BLOCKED = {"state": "unknown", "reason": "blocked", "detail": "network"}
WALL = {"state": "degraded", "reason": "walled", "status": 403}
SLOW = {"state": "degraded", "reason": "slow", "status": 200}


def monitor(shop: Shop, name: str = "Strona główna", **columns: Any) -> Monitor:
    columns = {"url": shop.url, "interval": 60, "timeout_ms": 10_000} | columns
    made = Monitor.objects.create(shop=shop, name=name, **columns)
    acts.write(made, ActKind.ADDED, [made], at=MONDAY)
    return made


def after(seconds_: int) -> datetime:
    """So many seconds after Monday 10:00."""
    return MONDAY + timedelta(seconds=seconds_)


def result(monitor: Monitor, at: datetime, kind: dict[str, Any], place: str = "pl", **more: Any) -> Result:
    fields = kind | {"at": seconds(at), "place": place, "timings": Timings(2, 11, 0, 120, 140)} | more
    return Result(id=str(monitor.pk), **fields)


def play(monitor: Monitor, *seen: tuple[int, dict[str, Any]], place: str = "pl") -> Monitor:
    """Feed results, each (seconds after Monday 10:00, what was seen), through the product's own way in."""
    for second, kind in seen:
        at = after(second)
        watch.record(monitor, result(monitor, at, kind, place), at=at)
    return Monitor.objects.get(pk=monitor.pk)


def spans(monitor: Monitor) -> list[tuple[str, int, int | None]]:
    """The monitor's intervals as (state, from, until) in seconds after Monday 10:00."""
    return [
        (row.state, _second(row.started_at), _second(row.ended_at) if row.ended_at else None)
        for row in monitor.intervals.order_by("started_at", "pk")
    ]


def _second(moment: datetime) -> int:
    return int((moment - MONDAY).total_seconds())
