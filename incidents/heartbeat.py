"""When each sweep last ran, so that people see when nobody is watching."""

from __future__ import annotations

from datetime import datetime

from incidents.models import Heartbeat


def beat(name: str, *, at: datetime, took_ms: int = 0) -> None:
    row = Heartbeat(name=name, at=at, took_ms=took_ms)
    Heartbeat.objects.bulk_create([row], update_conflicts=True, unique_fields=["name"], update_fields=["at", "took_ms"])
