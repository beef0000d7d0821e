"""What the probes send back: lines of JSON on a list of each place, read in bulk, and checked before they count.

The probe is a stranger. A line that is no result, or fits nothing that was asked, is counted on the place's row and
dropped; none stops the others. A list that somebody floods is cut before it is read.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import F

from contracts.terms import seconds, to_second
from messaging.heartbeat import beat
from monitoring import watch
from monitoring.models import Monitor, ProbePlace
from monitoring.probe import link as probe_link
from monitoring.probe.result_lines import HARMLESS, Asked, Refusal, RefusedLineError, read, refusal, within
from monitoring.probe.specification import Result
from monitoring.state import schedule

log = logging.getLogger(__name__)

BATCH, ROUNDS = 500, 10  # lines of a reading, readings of a run: it ends though a probe never stops to write
KEPT = 20_000  # lines of a place
KEPT_BYTES = 48 * 1024 * 1024  # of all places' results, and of all their questions
LEASE = 60  # seconds that one worker has a place's list for itself
BROKER_SECONDS = 5.0  # a broker that hangs costs the sweep this and no more


@dataclass
class Unfit:
    """What did not count of one batch: how many by reason."""

    reasons: Counter[Refusal] = field(default_factory=Counter)
    last: Refusal = ""

    def note(self, reason: Refusal) -> None:
        self.reasons[reason] += 1
        if reason not in HARMLESS:
            self.last = reason

    def keep(self, place: str, dropped: int, at: datetime) -> None:
        """On the place's row, for people; known repeats are nobody's business."""
        late = self.reasons["late"]
        refused = self.reasons.total() - late - self.reasons["repeat"]
        if not (refused or late or dropped):
            return
        log.warning("place %s: %s did not count, %d dropped", place, dict(self.reasons), dropped)
        row, _ = ProbePlace.objects.get_or_create(name=place)
        changes = {"refused": F("refused") + refused, "late": F("late") + late, "dropped": F("dropped") + dropped}
        times = ({"refused_at": at, "refusal": self.last} if refused else {}) | ({"dropped_at": at} if dropped else {})
        ProbePlace.objects.filter(pk=row.pk).update(**changes, **times)


def sweep(*, at: datetime) -> int:
    """Take what all places have sent, and say that the sweep lives. Returns how many results were new.

    A place whose list cannot be read holds up no other. Raises its error where no place could be read.
    """
    taken, errors = 0, []
    with connect() as broker:
        for place in settings.PROBE_PLACES:
            try:
                taken += take(place, at=at, broker=broker)
            except (redis.RedisError, DatabaseError) as error:
                log.exception("the results of %s could not be taken", place)
                errors.append(error)
    if len(errors) == len(settings.PROBE_PLACES):
        raise errors[0]
    beat("results", at=at)
    return taken


def connect() -> redis.Redis:
    return probe_link.client(settings.REDIS_URL, settings.BROKER_CA_FILE, seconds=BROKER_SECONDS)


def cut_floods(*, at: datetime, broker: redis.Redis) -> int:
    """Keep what a probe can write within its size. Asks for no memory of the broker, which may be full.

    Returns how many lines and questions went.
    """
    dropped = 0
    for place in settings.PROBE_PLACES:
        went = _cut(broker, probe_link.results_key(place)) + _unlink_huge(broker, probe_link.queue_key(place))
        Unfit().keep(place, went, at)
        dropped += went
    return dropped


def take(place: str, *, at: datetime, broker: redis.Redis) -> int:
    """Take what one place has sent. One worker at a time; what it took goes from the list only once it is recorded."""
    key, claim, begun = probe_link.results_key(place), f"taking.{place}", time.monotonic()
    if not broker.exists(key) or not broker.set(claim, "1", nx=True, ex=LEASE):
        return 0
    taken = 0
    try:
        for _ in range(ROUNDS):
            Unfit().keep(place, _cut(broker, key), at)  # each time: it may be flooded while we read
            lines = cast("list[bytes]", broker.lrange(key, 0, BATCH - 1))
            taken += record_lines(place, lines, at=at)
            if time.monotonic() - begun > LEASE / 2:
                return taken  # another worker may have it soon; what it reads twice is known already
            broker.ltrim(key, len(lines), -1)
            if len(lines) < BATCH:
                break
    finally:
        if time.monotonic() - begun <= LEASE / 2:
            broker.delete(claim)
    return taken


def _cut(broker: redis.Redis, key: str) -> int:
    """Leaves the newest KEPT lines, none where they are huge. Returns how many went."""
    if dropped := _unlink_huge(broker, key):
        return dropped
    waiting = broker.llen(key)
    if waiting <= KEPT:
        return 0
    broker.ltrim(key, -KEPT, -1)
    return waiting - KEPT


def _unlink_huge(broker: redis.Redis, key: str) -> int:
    """Removes a list that has more than its share of the memory. Returns how many went."""
    if (broker.memory_usage(key, samples=0) or 0) <= KEPT_BYTES // len(settings.PROBE_PLACES):
        return 0
    waiting = broker.llen(key)
    broker.unlink(key)
    return waiting


def record_lines(place: str, lines: Sequence[bytes], *, at: datetime) -> int:
    """Record the lines that are answers to what was asked of this place. Returns how many were new."""
    unfit, results = Unfit(), []
    for line in lines:
        try:
            results.append(read(line))
        except RefusedLineError as error:
            unfit.note(error.reason)
    questions = _asked({result.id for result in results})
    fitting: dict[tuple[str, int], Result] = {}
    for result in results:
        answer = (result.id, result.slot)
        reason = refusal(result, place, questions.get(result.id), seconds(to_second(at))) or (
            "twice" if answer in fitting else ""
        )
        if reason:
            unfit.note(reason)
        else:
            fitting[answer] = within(result)
    taken = watch.record_all(fitting.values(), at=at)
    unfit.keep(place, 0, at)
    return taken


def refuse_unasked(place: str, count: int, *, at: datetime) -> None:
    """Results that came by a way on which nothing is asked any more: said to people, never counted."""
    Unfit(Counter({"slot": count}), "slot").keep(place, 0, at)


def _asked(ids: set[str]) -> Mapping[str, Asked]:
    columns = ("pk", "asked", "timeout_ms", "checked_at", "is_active")
    rows = Monitor.objects.filter(pk__in=[int(number) for number in ids]).values_list(*columns)
    return {
        str(pk): Asked(
            [(slot, place) for slot, place in questions],
            schedule.patience_of(timeout_ms),
            seconds(checked_at) if checked_at else None,
            is_active,
        )
        for pk, questions, timeout_ms, checked_at, is_active in rows
    }
