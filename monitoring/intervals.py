"""Intervals of state: what a monitor's state was, without gaps and overlaps. Written by `monitoring.watch` only."""

from __future__ import annotations

from datetime import datetime

from monitoring.models import Interval, Monitor, State

# What says nothing about the shop: a failure that is confirmed later does not overwrite it.
BLIND = frozenset({State.UNKNOWN, State.MAINTENANCE, State.PAUSED})


def enter(monitor: Monitor, state: str, reason: str, at: datetime) -> None:
    """The monitor is in this state from `at` on. Sets the monitor's columns; the caller saves it."""
    if monitor.state == state and monitor.state_since is not None:
        return
    at = max(at, monitor.state_since or at)
    Interval.objects.filter(monitor=monitor, ended_at=None, started_at=at).delete()
    Interval.objects.filter(monitor=monitor, ended_at=None).update(ended_at=at)
    Interval.objects.create(monitor=monitor, state=state, reason=reason, started_at=at)
    monitor.state, monitor.state_since = state, at


def paint(monitor: Monitor, state: str, reason: str, since: datetime) -> None:
    """What was seen turns out to have been `state` from `since` on; spans in which nothing was seen stay."""
    rows = Interval.objects.filter(monitor=monitor).exclude(ended_at__lte=since).order_by("started_at")
    for row in rows:
        if row.state == state or (row.state in BLIND and row.started_at > since):
            continue
        painted = _split(row, since) if row.started_at < since else row
        painted.state, painted.reason = state, reason
        painted.save()
    _remember_last(monitor)


def _split(row: Interval, at: datetime) -> Interval:
    """End the row at `at`; what followed is a new row, not saved yet."""
    rest = Interval(monitor_id=row.monitor_id, started_at=at, ended_at=row.ended_at)
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    return rest


def _remember_last(monitor: Monitor) -> None:
    last = Interval.objects.filter(monitor=monitor, ended_at=None).first()
    if last:
        monitor.state, monitor.state_since = last.state, last.started_at
