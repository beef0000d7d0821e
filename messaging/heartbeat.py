"""When each sweep last ran, so that people see when nobody is watching."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.models import Heartbeat

SILENT_AFTER = timedelta(seconds=60)  # the clocks' sweep comes each second, the longest run of a lane takes 50 s


@dataclass(frozen=True, slots=True)
class Stalled:
    """A sweep that should run has not run `since`, or never at all."""

    since: datetime | None


def beat(name: str, *, at: datetime, took_ms: int = 0) -> None:
    row = Heartbeat(name=name, at=at, took_ms=took_ms)
    Heartbeat.objects.bulk_create([row], update_conflicts=True, unique_fields=["name"], update_fields=["at", "took_ms"])


def stalled(name: str, *, at: datetime) -> Stalled | None:
    """None while the sweep runs."""
    return silent(Heartbeat.objects.filter(name=name).values_list("at", flat=True).first(), at=at)


def silent(last: datetime | None, *, at: datetime) -> Stalled | None:
    """The same of a sweep that was last seen at `last`, for whoever has read that already."""
    return Stalled(last) if last is None or at - last > SILENT_AFTER else None
