"""Intervals of state: what a monitor's state was, without gaps and overlaps. Written by `monitoring.watch` only.

Each change is an act of the monitor's list at `at`, the time when it was written.
"""

from __future__ import annotations

from datetime import datetime

from monitoring import acts
from monitoring.models import ActKind, Interval, Monitor, State

# What says nothing about the shop: a failure that is confirmed later does not overwrite it.
BLIND = frozenset({State.UNKNOWN, State.MAINTENANCE, State.PAUSED})


def change_state(monitor: Monitor, state: str, reason: str, since: datetime, *, at: datetime) -> None:
    """The monitor is in this state from `since` on. Sets the monitor's columns; the caller saves it."""
    if monitor.state == state and monitor.state_since is not None:
        return
    since = max(since, monitor.state_since or since)
    last = _open_one(monitor)
    rows = []
    if last and last.started_at < since:
        last.ended_at = since
        last.save(update_fields=["ended_at"])
        rows, last = [last], None
    row = last or Interval(monitor=monitor, started_at=since)
    _store(row, state, reason)
    acts.write(monitor, ActKind.STATE, [*rows, row], at=at)
    monitor.state, monitor.state_since = state, since


def overwrite_from(monitor: Monitor, state: str, reason: str, since: datetime, *, at: datetime) -> None:
    """What was seen turns out to have been `state` from `since` on; spans in which nothing was seen stay."""
    rows = Interval.objects.filter(monitor=monitor).exclude(ended_at__lte=since).order_by("started_at")
    overwritten = []
    for row in rows:
        if row.state == state or (row.state in BLIND and row.started_at > since):
            continue
        parts = [row, _split(row, since)] if row.started_at < since else [row]
        _store(parts[-1], state, reason)
        overwritten += parts
    if overwritten:
        acts.write(monitor, ActKind.REVISED, overwritten, at=at)
    _remember_last(monitor)


def _store(row: Interval, state: str, reason: str) -> None:
    """A new row, or another state of one that is stored."""
    row.state, row.reason = state, reason
    row.save(update_fields=["state", "reason"] if row.pk else None)


def _split(row: Interval, at: datetime) -> Interval:
    """End the row at `at`; what followed is a new row, not saved yet."""
    rest = Interval(monitor_id=row.monitor_id, started_at=at, ended_at=row.ended_at)
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    return rest


def _remember_last(monitor: Monitor) -> None:
    last = _open_one(monitor)
    if last:
        monitor.state, monitor.state_since = last.state, last.started_at


def _open_one(monitor: Monitor) -> Interval | None:
    return Interval.objects.filter(monitor=monitor, ended_at=None).first()
