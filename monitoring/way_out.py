"""Whether each place's way out works, as its results tell: what the canaries said when a check failed last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.heartbeat import beat
from messaging.models import Heartbeat
from monitoring.probe.specification import Result

# A way out that failed longer ago and was not asked again has had no failing check since.
RECENT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WayOut:
    """One place: when its canaries last answered, last failed, and when it last said that it has none."""

    place: str
    answered_at: datetime | None
    failed_at: datetime | None
    none_at: datetime | None

    @property
    def has_none(self) -> bool:
        return self.none_at is not None and self.none_at == max(filter(None, self._times))

    def fails(self, now: datetime) -> bool:
        """Whether the canaries failed when they were last asked, a short while ago."""
        last = max(filter(None, self._times), default=None)
        return last is not None and last == self.failed_at and now - last <= RECENT

    @property
    def _times(self) -> tuple[datetime | None, ...]:
        return self.answered_at, self.failed_at, self.none_at


def note(results: Iterable[Result], *, at: datetime) -> None:
    """Remember what the canaries of each place said; a result of a good check says nothing."""
    for place, verdict in sorted({(result.place, result.canaries) for result in results if result.canaries}):
        beat(_name(verdict, place), at=at)


def ways_out(places: Sequence[str]) -> list[WayOut]:
    """Every place that looks; one query."""
    kinds = ("answered", "failed", "none")
    beats = Heartbeat.objects.in_bulk([_name(verdict, place) for place in places for verdict in kinds])
    times = {name: row.at for name, row in beats.items()}
    return [WayOut(place, *(times.get(_name(verdict, place)) for verdict in kinds)) for place in places]


def _name(verdict: str, place: str) -> str:
    return f"canaries-{verdict}-{place}"[:40]
