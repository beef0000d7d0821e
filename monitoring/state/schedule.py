"""When each monitor is checked next, and who asks: due rows are claimed, so that two sweeps never ask for one check."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from contracts.terms import moment, seconds, to_second
from messaging.heartbeat import beat
from monitoring.models import Monitor
from monitoring.probe import link as probe_link
from monitoring.probe import questions
from monitoring.probe.specification import CheckSpec

log = logging.getLogger(__name__)

# Checks of one message: with long texts some 1.5 MB, and a client of the broker may send 4 MB (broker_users.py).
AT_ONCE = 300
# Messages that a place's queue holds at most: a probe drops old ones unread, but only one that runs does.
QUEUE_KEPT = 100
# Questions of one monitor that may still be answered: a slow probe's answer may come when the next one is out already.
OUT_AT_ONCE = 3
GREETING = timedelta(seconds=60)  # beat greets every 20 s; a greeting that nobody took in time is dropped
# What a queue and a busy probe may add to a check's own time before it is asked for again.
QUEUE_GRACE = timedelta(seconds=5)

Send = Callable[[str, Sequence[CheckSpec], timedelta], None]


def spread(monitor_id: int, span: int) -> int:
    """A stable whole number in [0, span) of a monitor, evenly spread over monitors whatever their ids."""
    return int.from_bytes(sha256(f"monitor-{monitor_id}".encode()).digest()[:8]) % span


def next_slot(monitor_id: int, interval: int, at: datetime) -> datetime:
    """The first instant after `at` of the monitor's slot, which lies at the same offset in every interval (seconds)."""
    now, offset = seconds(at), spread(monitor_id, interval)
    return moment(now + interval - (now - offset) % interval)


def recheck_at(monitor: Monitor, at: datetime) -> datetime:
    """A failure is looked at again after 5 to 10 s, or in the next slot where that comes first."""
    soon = to_second(at) + timedelta(seconds=5 + spread(monitor.pk, 6))
    return min(soon, next_slot(monitor.pk, monitor.interval, at + timedelta(seconds=4)))


def next_place(monitor: Monitor, places: Sequence[str]) -> str:
    """Places take turns, so a failure is confirmed from another one where there is one."""
    if monitor.sent_to not in places:
        return places[spread(monitor.pk, len(places))]
    return places[(places.index(monitor.sent_to) + 1) % len(places)]


def specification(monitor: Monitor, slot: int = 0) -> CheckSpec:
    """What the probe is asked; `slot`: epoch seconds of the question."""
    return CheckSpec(
        id=str(monitor.pk),
        url=monitor.url,
        method=monitor.method,
        timeout_ms=monitor.timeout_ms,
        slow_ms=monitor.slow_ms,
        statuses=tuple(monitor.statuses) or (200,),
        required=tuple(filter(None, [monitor.required_text])),
        forbidden=tuple(filter(None, [monitor.forbidden_text])),
        min_bytes=monitor.min_bytes or 1,
        slot=slot,
    )


def send(place: str, specs: Sequence[CheckSpec], patience: timedelta) -> None:
    """Ask the probe of a place; questions that wait longer than `patience` there are dropped, and asked again."""
    plain = [spec.to_json() for spec in specs]
    questions.ask(settings.REDIS_URL, settings.BROKER_CA_FILE, place, plain, patience.total_seconds())


def greet(*, send: Send = send) -> int:
    """Ask each place for nothing, so that a probe without due checks is seen to take messages. Returns the places.

    A place where nobody takes any keeps the newest only: what waited longer is of no use to anybody. The queue of the
    version before the prefixes goes, and is said: its questions were asked anew meanwhile.
    """
    with probe_link.client(settings.REDIS_URL, settings.BROKER_CA_FILE, seconds=5) as broker:
        for place in settings.PROBE_PLACES:
            send(place, [], GREETING)
            broker.ltrim(probe_link.queue_key(place), 0, QUEUE_KEPT - 1)
            if waiting := broker.llen(former := probe_link.queue_name(place)):
                broker.unlink(former)
                log.warning("%d messages in the queue %s of an earlier version went: asked anew", waiting, former)
    return len(settings.PROBE_PLACES)


def sweep(*, at: datetime, send: Send = send) -> int:
    """Ask for every check that is due, and say that the sweep lives. Returns how many were asked for."""
    sent = 0
    while batch := _claim(at, send):
        sent += batch
        if batch < AT_ONCE:
            break
    beat("checks", at=at)
    return sent


def ask_now(monitor: Monitor, *, at: datetime) -> None:
    """The next sweep asks for this monitor's check, unless one is on its way already."""
    Monitor.objects.filter(pk=monitor.pk, is_active=True).update(next_check_at=at)


@transaction.atomic
def _claim(at: datetime, send: Send) -> int:
    """Take due rows that no other sweep holds, move them to their next slot, and ask once that is committed."""
    due = Monitor.objects.filter(Q(next_check_at=None) | Q(next_check_at__lte=at), is_active=True, shop__is_active=True)
    free = due.filter(Q(busy_until=None) | Q(busy_until__lte=at)).order_by("next_check_at")
    monitors = list(free.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
    for monitor in monitors:
        monitor.sent_to = next_place(monitor, settings.PROBE_PLACES)
        monitor.asked = [*monitor.asked, [seconds(to_second(at)), monitor.sent_to]][-OUT_AT_ONCE:]
        monitor.busy_until = at + _time_of(monitor)
        monitor.next_check_at = next_slot(monitor.pk, monitor.interval, at)
    Monitor.objects.bulk_update(monitors, ["sent_to", "asked", "busy_until", "next_check_at"])
    for place in {monitor.sent_to for monitor in monitors}:
        of_place = [monitor for monitor in monitors if monitor.sent_to == place]
        patience = max(map(_time_of, of_place))
        transaction.on_commit(
            partial(send, place, [specification(monitor, seconds(to_second(at))) for monitor in of_place], patience),
            robust=True,
        )
    return len(monitors)


def _time_of(monitor: Monitor) -> timedelta:
    """From asking to the result, at most; after that the question is lost and asked again."""
    return timedelta(milliseconds=monitor.timeout_ms) + QUEUE_GRACE


def patience_of(timeout_ms: int) -> int:
    """Whole seconds from asking to the end of the check, at most: it may begin when the question is nearly dropped."""
    return int(2 * timeout_ms / 1000 + QUEUE_GRACE.total_seconds()) + 1
