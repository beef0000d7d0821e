"""What results do to monitors: raw checks, states and their intervals, outages.

The one way in for a result, real or played: `record` for one, `record_all` for a batch. Most results change nothing
but a time and are written together; one that changes a state has a transaction of its own, so a bad row stops no other.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import Shop
from contracts.terms import moment, seconds, to_second
from messaging.heartbeat import beat
from monitoring import acts, way_out
from monitoring.availability import maintenance
from monitoring.availability.measure import Period
from monitoring.models import ActKind, Check, Monitor, State
from monitoring.probe.addresses import Policy, parse_networks, typed_refusal
from monitoring.probe.specification import Result
from monitoring.probe.verdict import during_maintenance, with_second_place
from monitoring.sentences import sentence
from monitoring.state import intervals, outages, schedule
from monitoring.state.confirmation import Change, Rule, Track, step
from wording.fields import lines
from wording.refusals import Refused, as_refusal
from wording.texts import masked

log = logging.getLogger(__name__)

# Changes that write more than the monitor's own row (an outage, an incident, a state of the past): each result that
# brings one is taken alone, in a transaction of its own; all others are written together.
LOUD = frozenset({"confirmed", "reopened", "ended"})
RESULT_COLUMNS = (
    "reason",
    "checked_at",
    "seen_from",
    "busy_until",
    "next_check_at",
    "track",
    "certificate_ends_at",
    "certificate_host",
    "certificate_intermediate",
    "fault",
    "asked",
)
STATE_COLUMNS = (*RESULT_COLUMNS, "state", "state_since")
# What the probe is asked, and what else people may change of a monitor.
ASKED = frozenset(
    {"url", "method", "interval", "timeout_ms", "slow_ms", "statuses", "required_text", "forbidden_text", "min_bytes"}
)
CHANGEABLE = ASKED | {"name", "what", "severity", "means_down"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one result means for one monitor: judged in its surroundings, before anything is written."""

    monitor: Monitor
    result: Result
    at: datetime
    track: Track
    changes: tuple[Change, ...]
    state: str
    after_gap: bool

    @property
    def is_quiet(self) -> bool:
        """Nothing changes but times: may be written together with others."""
        loud = any(change.kind in LOUD for change in self.changes)
        is_new = self.monitor.state_since is None or self.state != self.monitor.state
        return not (loud or self.after_gap or is_new)


def rule() -> Rule:
    """2 failures of 2 confirm, from two places where two look."""
    return Rule(places=min(2, len(settings.PROBE_PLACES)))


def find(monitor: Monitor, result: Result, *, at: datetime, in_maintenance: bool) -> Finding | None:
    """Judge a result that was received at `at`; None for one that is known already or older than what is known.

    A probe whose clock runs ahead of ours is not believed, and of a card number in the answer four digits stay.
    """
    result = replace(result, subject=masked(result.subject), excerpt=masked(result.excerpt))
    checked = min(moment(result.at), to_second(at))
    if monitor.checked_at and checked <= monitor.checked_at:
        return None
    after_gap = monitor.is_stale(checked)
    track = Track.from_json(monitor.track)
    if after_gap:
        track = replace(track, recent=())
    judged = replace(_with_other_place(monitor, result), at=seconds(checked))
    if in_maintenance:
        judged = during_maintenance(judged)
    track, changes = step(track, judged, rule())
    return Finding(monitor, judged, checked, track, changes, _state_after(monitor, judged, track), after_gap)


def _with_other_place(monitor: Monitor, result: Result) -> Result:
    """A wall that another place ran into just before is the shop's own failure."""
    if monitor.reason != "walled" or monitor.seen_from == result.place:
        return result
    return with_second_place(result, [replace(result, place=monitor.seen_from, reason="walled")])


def _state_after(monitor: Monitor, result: Result, track: Track) -> str:
    """A failure that isn't confirmed leaves the state; within an outage a good check doesn't end it yet."""
    is_out = track.started_at is not None and track.ended_at is None
    if result.state in intervals.BLIND:
        return result.state
    if is_out:
        return State.DOWN
    return monitor.state if result.state == "down" else result.state


def record_all(results: Iterable[Result], *, at: datetime) -> int:
    """Take the results of a second, in their order. Returns how many were new.

    Raises nothing for a single result that can't be taken: it is logged and stands on its monitor's page.
    """
    waiting = sorted((result for result in results if result.id.isdigit()), key=lambda result: result.at)
    way_out.note(waiting, at=at)
    numbers = Counter(result.id for result in waiting)
    single = [result for result in waiting if numbers[result.id] == 1]
    try:
        taken, loud = _record_quiet(single, at)
    except DatabaseError:
        log.exception("%d results could not be taken together; they are taken one by one", len(single))
        taken, loud = 0, single
    several = [result for result in waiting if numbers[result.id] > 1]
    return taken + sum(_record_one(result, at) for result in sorted([*loud, *several], key=lambda result: result.at))


@transaction.atomic
def _record_quiet(results: Sequence[Result], at: datetime) -> tuple[int, list[Result]]:
    """Write what changes no state, all at once; hand back the rest."""
    monitors = _locked([int(result.id) for result in results])
    maintained = _shops_in_maintenance(results, monitors.values())
    quiet, loud = [], []
    for result in results:
        if not (monitor := monitors.get(int(result.id))):
            continue
        finding = find(monitor, result, at=at, in_maintenance=_is_maintained(maintained, monitor, result))
        if finding and finding.is_quiet:
            quiet.append(finding)
        elif finding:
            loud.append(result)
    for finding in quiet:
        _take(finding, at)
    Check.objects.bulk_create(map(_check, quiet), ignore_conflicts=True)
    Monitor.objects.bulk_update([finding.monitor for finding in quiet], RESULT_COLUMNS, batch_size=200)
    return len(quiet), loud


def _locked(ids: Sequence[int]) -> dict[int, Monitor]:
    rows = Monitor.objects.select_for_update(of=("self",)).filter(pk__in=ids, is_active=True)
    return {row.pk: row for row in rows.select_related("shop").order_by("pk")}


def _record_one(result: Result, at: datetime) -> bool:
    """One result in its own transaction; a fault of ours is logged, shown on the monitor's page and stops no other."""
    try:
        return record(int(result.id), result, at=at)
    except Exception as error:
        log.exception("A result of monitor %s could not be taken", result.id)
        Monitor.objects.filter(pk=result.id).update(fault=f"{type(error).__name__}: {error}"[:300])
        return False


@transaction.atomic
def record(monitor: int | Monitor, result: Result, *, at: datetime) -> bool:
    """Take one result, received at `at`: check, state, intervals, outage, incident. False where it was known already.

    The monitor's row is locked, so two workers with two results of one monitor go one after the other.
    """
    key = monitor.pk if isinstance(monitor, Monitor) else monitor
    row = _locked([key]).get(key)
    if row is None:
        return False
    maintained = _shops_in_maintenance([result], [row])
    finding = find(row, result, at=at, in_maintenance=_is_maintained(maintained, row, result))
    if finding is None:
        return False
    if finding.after_gap and row.checked_at:
        intervals.change_state(row, State.UNKNOWN, "missed", row.checked_at + timedelta(seconds=row.interval), at=at)
    before = Track.from_json(row.track)
    _take(finding, at)
    Check.objects.bulk_create([_check(finding)], ignore_conflicts=True)
    for change in finding.changes:
        _apply(change, finding, before, at=at)
    intervals.change_state(row, finding.state, _reason(finding), finding.at, at=at)
    row.save(update_fields=STATE_COLUMNS)
    return True


def _take(finding: Finding, at: datetime) -> None:
    """The columns of a monitor that every result moves."""
    monitor, result = finding.monitor, finding.result
    monitor.reason, monitor.checked_at, monitor.seen_from = result.reason, finding.at, result.place
    monitor.track, monitor.busy_until, monitor.fault = finding.track.to_json(), None, ""
    monitor.asked = [question for question in monitor.asked if question[0] > result.slot]
    if result.certificate_ends_at is not None:
        monitor.certificate_ends_at = moment(result.certificate_ends_at)
        monitor.certificate_host = result.certificate_host
        monitor.certificate_intermediate = result.certificate_intermediate
    if finding.track.recent:
        monitor.next_check_at = schedule.recheck_at(monitor, at)


def _check(finding: Finding) -> Check:
    result, timings = finding.result, finding.result.timings
    return Check(
        monitor=finding.monitor,
        at=finding.at,
        state=result.state,
        reason=result.reason,
        phase=result.phase,
        place=result.place,
        status=result.status,
        dns_ms=timings.dns,
        connect_ms=timings.connect,
        tls_ms=timings.tls,
        first_byte_ms=timings.first_byte,
        total_ms=timings.total,
        evidence={} if result.state == "up" else result.to_json(),
    )


def _apply(change: Change, finding: Finding, before: Track, *, at: datetime) -> None:
    """Confirmed, reopened and ended also change the past: since when the shop was down, or up again."""
    monitor, since = finding.monitor, moment(change.at)
    if change.kind == "confirmed":
        intervals.overwrite_from(monitor, State.DOWN, finding.result.reason, since, at=at)
        outages.confirm(monitor, finding.result, started_at=since, at=at, flapping=change.flapping)
    elif change.kind == "reopened":
        went_on = moment(before.ended_at or change.at)
        intervals.overwrite_from(monitor, State.DOWN, finding.result.reason, went_on, at=at)
        outages.reopen(monitor, finding.result, at=at)
    elif change.kind == "ended":
        intervals.overwrite_from(monitor, State.UP, "", since, at=at)
        outages.end(monitor, ended_at=since, at=at)


def _reason(finding: Finding) -> str:
    return "" if finding.state == State.UP else finding.result.reason


Windows = Mapping[int, Sequence[Period]]


def _shops_in_maintenance(results: Sequence[Result], monitors: Iterable[Monitor]) -> Windows:
    """Shop → the spans of announced work that excuse these results; work announced too late or too long does not."""
    if not results:
        return {}
    shops = {monitor.shop_id for monitor in monitors}
    return maintenance.in_force(shops, min(result.at for result in results), max(result.at for result in results))


def _is_maintained(windows: Windows, monitor: Monitor, result: Result) -> bool:
    return any(start <= result.at < end for start, end in windows.get(monitor.shop_id, ()))


def sweep_missed(*, at: datetime) -> int:
    """Monitors whose result is overdue become unknown: nobody looked, so nobody knows. Returns how many did."""
    watched = Monitor.objects.filter(is_active=True, checked_at__isnull=False, shop__is_active=True)
    not_missed = watched.exclude(state=State.UNKNOWN, reason="missed")
    rows = not_missed.only("pk", "interval", "timeout_ms", "checked_at", "is_active")
    keys = [row.pk for row in rows if row.is_stale(at)]
    marked = sum(_mark_missed(pk, at) for pk in keys)
    beat("missed", at=at)
    return marked


@transaction.atomic
def _mark_missed(pk: int, at: datetime) -> bool:
    monitor = _locked([pk]).get(pk)
    if monitor is None or not monitor.checked_at or not monitor.is_stale(at):
        return False
    since = monitor.checked_at + timedelta(seconds=monitor.interval)
    intervals.change_state(monitor, State.UNKNOWN, "missed", since, at=at)
    monitor.reason = "missed"
    monitor.save(update_fields=["state", "state_since", "reason"])
    return True


@transaction.atomic
def extend_last_check(monitor: Monitor, *, at: datetime) -> None:
    """Every check up to `at` said what the last one did: for a played history, whose raw checks aren't kept."""
    Monitor.objects.filter(pk=monitor.pk, checked_at__lt=at).update(checked_at=to_second(at))


@transaction.atomic
def add(*, shop: Shop, name: str, url: str, by: User, at: datetime, **columns: Any) -> Monitor:
    """Watch one more address of a shop, from the next sweep on. `columns`: other fields of the monitor.

    Raises Refused where a field can't be right, the probe would never ask this address, or the name is taken.
    """
    _lock_names(shop.pk)
    monitor = Monitor(shop=shop, name=name, url=url, **columns)
    _refuse_wrong(monitor)
    monitor.next_check_at = to_second(at)
    monitor.save()
    acts.write(monitor, ActKind.ADDED, [monitor], at=at, by=by)
    log.info("monitor_added", extra={"monitor": monitor.pk, "by": by.pk})
    return monitor


@transaction.atomic
def change(*, monitor: Monitor, by: User, at: datetime, **columns: Any) -> Monitor:
    """What a monitor is called, asks and means from now on; it is checked at once. Repeated, it changes nothing.

    Raises Refused as `add` does, and for a new `means_down` where figures count by the old one. TypeError for a
    column that isn't one of `CHANGEABLE`.
    """
    if strange := columns.keys() - CHANGEABLE:
        raise TypeError(f"not to be changed: {', '.join(sorted(strange))}")
    _lock_names(monitor.shop_id)
    row = Monitor.objects.select_for_update(of=("self",)).get(pk=monitor.pk)
    changed = {name for name, value in columns.items() if getattr(row, name) != value}
    if not changed:
        return row
    was_stale = row.is_stale(at)
    for name in changed:
        setattr(row, name, columns[name])
    _refuse_wrong(row)
    if "means_down" in changed and row.intervals.exclude(state__in=(State.UP, State.DEGRADED)).exists():
        raise Refused(_("Past figures count by it. Stop this monitor and add another one."), "means_down")
    if changed & ASKED:
        _ask_anew(row, at, was_stale=was_stale)
    asking = ("track", "asked", "checked_at", "busy_until", "next_check_at", "certificate_ends_at")
    row.save(update_fields=[*changed, *asking])
    acts.write(row, ActKind.CHANGED, [row], at=at, by=by)
    log.info("monitor_changed", extra={"monitor": row.pk, "by": by.pk, "columns": sorted(changed)})
    return row


def _lock_names(shop: int) -> None:
    """Two people don't give one name at once. Not against the foreign keys of incidents that open meanwhile."""
    Shop.objects.select_for_update(of=("self",), no_key=True).get(pk=shop)


def _refuse_wrong(monitor: Monitor) -> None:
    policy = Policy(parse_networks(settings.PROBE_ALLOW_NETWORKS), frozenset(settings.PROBE_PORTS))
    refusal, subject = typed_refusal(monitor.url, policy)
    if refusal:
        blocked = Result(id="", state="unknown", reason="blocked", detail=refusal, subject=subject)
        raise Refused(sentence(blocked, (get_language() or "pl")[:2]), "url")
    lines(**{name: getattr(monitor, name) for name in ("name", "url", "required_text", "forbidden_text")})
    with as_refusal():
        monitor.full_clean(exclude=(*STATE_COLUMNS, "sent_to"))


def _ask_anew(row: Monitor, at: datetime, *, was_stale: bool) -> None:
    """The next sweep asks the new question; answers to the old one that are on their way come too late to count."""
    row.track = replace(Track.from_json(row.track), recent=()).to_json()
    row.certificate_ends_at = None
    row.asked = []
    if row.checked_at and not was_stale:
        row.checked_at = max(row.checked_at, to_second(at) - timedelta(seconds=1))
    if row.is_active:
        row.next_check_at, row.busy_until = to_second(at), None


@transaction.atomic
def stop(*, monitor: Monitor, by: User, at: datetime) -> Monitor:
    """Watch this address no more; repeated, it changes nothing. Refused while it is down: the outage would not end."""
    row = Monitor.objects.select_for_update(of=("self",)).get(pk=monitor.pk)
    if not row.is_active:
        return row
    if row.outages.filter(ended_at=None).exists():
        raise Refused(_("It is down now. Stop watching once it works again."))
    intervals.change_state(row, State.PAUSED, "", to_second(at), at=at)
    row.is_active, row.next_check_at, row.busy_until, row.track, row.asked = False, None, None, {}, []
    row.save()
    acts.write(row, ActKind.STOPPED, [row], at=at, by=by)
    log.info("monitor_stopped", extra={"monitor": row.pk, "by": by.pk})
    return row


@transaction.atomic
def start(*, monitor: Monitor, by: User, at: datetime) -> Monitor:
    """Watch this address again, from now on; what happened meanwhile stays unwatched."""
    row = Monitor.objects.select_for_update(of=("self",)).get(pk=monitor.pk)
    if row.is_active:
        return row
    row.is_active, row.checked_at, row.reason = True, None, ""
    intervals.change_state(row, State.UNKNOWN, "", to_second(at), at=at)
    row.save()
    acts.write(row, ActKind.STARTED, [row], at=at, by=by)
    log.info("monitor_started", extra={"monitor": row.pk, "by": by.pk})
    return row
