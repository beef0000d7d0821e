"""The proof that what the monitors saw is as their lists of acts say, column by column, and that no list was touched.

Whoever sets back rows, lists and counts alike is seen only from outside, by the daily anchor.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db.models import Max, Model

from contracts.proof import CHANGED, GONE, NEVER, Difference
from monitoring import acts
from monitoring.models import Act, ActTally, Interval, Monitor, Outage, Reopening, State

logger = logging.getLogger(__name__)
CHUNK = 100  # monitors whose lists are in memory at once
TURNS = 3  # readings of a list that grows while it is read
LIST, COUNTED = "its acts", "the database's own count"

Rows = dict[str, dict[str, dict[str, Any]]]
"""Table → key → columns, as the list says."""


@dataclass(slots=True)
class Watch:
    """One monitor with its list and all the rows that the list speaks of."""

    monitor: Monitor
    acts: list[Act] = field(default_factory=list)
    rows: list[Model] = field(default_factory=list)
    tally: ActTally | None = None

    @property
    def last(self) -> tuple[int, str]:
        return (self.acts[-1].seq, self.acts[-1].hash) if self.acts else (0, "")

    def of(self, model: type[Model]) -> list[Any]:
        return [row for row in self.rows if type(row) is model]


def differences(monitors: Collection[int] | None = None) -> Iterator[Difference]:
    """Everything of these monitors, or of all, that doesn't follow from their lists; and what is gone from the room."""
    rows = Monitor.objects.all() if monitors is None else Monitor.objects.filter(pk__in=monitors)
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        for watch in _settled(keys[start : start + CHUNK]):
            yield from _whole(watch)
            yield from _whatever_is_stored(watch)
    yield from _missing()


def newest(limit: int) -> list[int]:
    """Monitors whose lists grew last, and those without a list."""
    lists = Monitor.objects.annotate(newest=Max("acts__pk")).order_by("-newest", "-pk")
    return list(lists.values_list("pk", flat=True)[:limit])


def _settled(keys: Sequence[int]) -> Iterator[Watch]:
    """Those whose list grew while their rows were read are read again: each change of a row comes with an act."""
    waiting = list(keys)
    for turn in range(TURNS):
        before, watches, after = _lengths(waiting), _load(waiting), _lengths(waiting)
        grown = {key for key in waiting if before.get(key) != after.get(key)} if turn < TURNS - 1 else set()
        yield from (watch for watch in watches if watch.monitor.pk not in grown)
        if not grown:
            return
        waiting = sorted(grown)


def _lengths(keys: Collection[int]) -> dict[int, int]:
    rows = Act.objects.filter(monitor__in=keys).order_by().values("monitor").annotate(last=Max("seq"))
    return {row["monitor"]: row["last"] for row in rows}


def _load(keys: Collection[int]) -> list[Watch]:
    watches = {row.pk: Watch(row, rows=[row]) for row in Monitor.objects.filter(pk__in=keys).order_by("pk")}
    lines = Act.objects.filter(monitor__in=keys).order_by("monitor_id", "seq")
    for key, listed in groupby(lines.iterator(chunk_size=5_000), key=lambda act: act.monitor_id):
        watches[key].acts = list(listed)
    for row in Interval.objects.filter(monitor__in=keys).order_by("pk").iterator(chunk_size=5_000):
        watches[row.monitor_id].rows.append(row)
    owners: dict[int, int] = {}
    for outage in Outage.objects.filter(monitor__in=keys).order_by("pk"):
        owners[outage.pk] = outage.monitor_id
        watches[outage.monitor_id].rows.append(outage)
    for reopening in Reopening.objects.filter(outage__in=owners).order_by("pk"):
        watches[owners[reopening.outage_id]].rows.append(reopening)
    for tally in ActTally.objects.filter(monitor__in=keys):
        watches[tally.monitor].tally = tally
    return list(watches.values())


def _name(watch: Watch) -> str:
    return f"monitor {watch.monitor.pk}"


def _whole(watch: Watch) -> Iterator[Difference]:
    """The list is without gaps, each line follows from the one before, and they are as many as were counted."""
    previous = ""
    for place, act in enumerate(watch.acts, 1):
        if (act.seq, act.previous, act.hash) != (place, previous, acts.link(act)):
            yield Difference(_name(watch), f"act {act.seq}", CHANGED, "a whole list", LIST)
            break
        previous = act.hash
    counted = (watch.tally.acts, watch.tally.head) if watch.tally else (0, "")
    if watch.last != counted:
        stored, follows = (f"{length} {head[:8]}".strip() for length, head in (watch.last, counted))
        yield Difference(_name(watch), "acts", stored, follows, COUNTED)


def _whatever_is_stored(watch: Watch) -> Iterator[Difference]:
    """What nobody but a forger writes may be unreadable: that is a difference and stops no other monitor's proof."""
    try:
        yield from _rows(watch)
        yield from _standing(watch)
    except Exception as error:
        logger.exception("%s cannot be proven", _name(watch))
        yield Difference(_name(watch), "acts", f"{type(error).__name__}: {error}", "facts that can be read", LIST)


def _rows(watch: Watch) -> Iterator[Difference]:
    """Every row is as the last act that names it says; none is missing, none was added."""
    listed = _listed(watch.acts)
    for row in watch.rows:
        table, key = str(row._meta.model_name), str(row.pk)
        place = "" if table == "monitor" else f"{table} {key} "
        follows = listed.get(table, {}).pop(key, None)
        if follows is None:
            yield Difference(_name(watch), place.strip() or "terms", NEVER, "an act", LIST)
            continue
        for name, stored in acts.columns(row).items():
            value = follows.get(name, acts.LATER.get((type(row), name)))
            if stored != value:
                yield Difference(_name(watch), f"{place}{name.removesuffix('_id')}", stored, value, LIST)
    for table, rows in listed.items():
        for key in rows:
            yield Difference(_name(watch), f"{table} {key}", GONE, "as its act says", LIST)


def _listed(lines: Iterable[Act]) -> Rows:
    listed: Rows = {}
    for act in lines:
        for table, rows in act.facts.items():
            listed.setdefault(table, {}).update(rows)
    return listed


def _standing(watch: Watch) -> Iterator[Difference]:
    """What a monitor's row repeats of its intervals and outages: its state, and the outage that lasts."""
    monitor = watch.monitor
    last = next((row for row in watch.of(Interval) if row.ended_at is None), None)
    state = (last.state, last.started_at) if last else (State.UNKNOWN, None)
    if (monitor.state, monitor.state_since) != state:
        stored, follows = (f"{name} since {since}" for name, since in ((monitor.state, monitor.state_since), state))
        yield Difference(_name(watch), "state", stored, follows, "its intervals")
    lasting = next((row.started_at for row in watch.of(Outage) if row.ended_at is None), None)
    if monitor.out_since != lasting:
        yield Difference(_name(watch), "down since", monitor.out_since, lasting, "its outages")


def _missing() -> Iterator[Difference]:
    """Monitors that the database has counted acts of and that are gone, and rows that belong to none."""
    there = Monitor.objects.order_by().values("pk")
    for tally in ActTally.objects.exclude(monitor__in=there).order_by("monitor"):
        yield Difference(f"monitor {tally.monitor}", "monitor", GONE, f"{tally.acts} acts", COUNTED)
    for model in (Interval, Outage, Act):
        for row in model.objects.exclude(monitor__in=there).order_by("pk"):
            yield Difference(f"monitor {row.monitor_id}", f"{row._meta.model_name} {row.pk}", NEVER, "a monitor", LIST)
