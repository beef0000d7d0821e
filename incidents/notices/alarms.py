"""What became of what somebody had to be told: who was reached, who comes next, or that nobody at all was.

Called after each attempt to send, and by the sweep for what stays silent. A topic is settled under the incident's lock
from its rows alone, so any number of senders and sweeps may ask at the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from contracts.models import EscalationStep
from incidents import journal
from incidents.choices import Actor
from incidents.events import Kind
from incidents.models import Firing, Incident, JournalEntry, Notice, UnheardAlarm
from incidents.notices import reach
from incidents.notices import write as notices
from incidents.notices.reach import Audience, Bar, State
from incidents.state import ENDED
from messaging import outbox
from messaging.models import Delivery

logger = logging.getLogger(__name__)

AT_ONCE = 200  # topics of one sweep
AHEAD = timedelta(minutes=5)  # when a topic that failed is looked at again


def address(notice: Notice, *, at: datetime) -> str | Bar:
    """Where the notice's person may be told at `at`, by the person's data of now; or why not."""
    row = notice.notification
    if row.recipient is None:
        return row.address or Bar.NO_ADDRESS
    if notice.incident is None:
        return row.address if row.recipient.is_active else Bar.OFF
    topic = notices.Topic(notice.incident, notice.audience, notice.entry)
    mutable = bool(notice.topic) and not topic.needs_act
    person = notices.People(at).person(row.recipient, notice.incident)
    return reach.address(person, notice.audience, row.channel, mutable=mutable)


def withhold(notice: Notice, bar: Bar) -> None:
    """The row ends unsent, with its reason."""
    if outbox.withhold(notice.notification):
        Notice.objects.filter(pk=notice.pk).update(bar=bar)


def settle_due(*, at: datetime) -> int:
    """Settle what nobody has answered for a minute, and look again at what nobody heard; how many topics."""
    ended = UnheardAlarm.objects.filter(mended_at=None, incident__status__in=ENDED)
    ended.update(mended_at=at)
    late = Notice.objects.filter(settle_at__lte=at).order_by("settle_at").values_list("topic", flat=True)
    again = UnheardAlarm.objects.filter(mended_at=None, look_at__lte=at).values_list("topic", flat=True)
    topics = list(dict.fromkeys([*late[:AT_ONCE], *again[:AT_ONCE]]))
    for name in topics:
        settle_safely(name, at=at)
    return len(topics)


def settle_safely(name: str, *, at: datetime) -> None:
    """`settle` that stops nothing else where it fails; it is tried again later."""
    try:
        settle(name, at=at)
    except Exception:
        logger.exception("who was told of %s cannot be settled", name)
        Notice.objects.filter(topic=name, settle_at__lte=at).update(settle_at=at + AHEAD)
        UnheardAlarm.objects.filter(topic=name, mended_at=None).update(look_at=at + AHEAD)


@transaction.atomic
def settle(name: str, *, at: datetime) -> None:
    """Tell the next person of a topic, or note that it was told, or that nobody could be. Repeating changes nothing."""
    incident = _lock(name)
    if incident is None:
        return
    about = Notice.objects.filter(topic=name).select_related("notification", "entry", "firing__step")
    rows = list(about.order_by("pk"))
    alarm = UnheardAlarm.objects.filter(topic=name).select_related("entry", "firing__step").first()
    if all(row.settle_at is None for row in rows) and (alarm is None or alarm.mended_at):
        return
    topic = _topic(incident, [*rows, *([alarm] if alarm else [])])
    people = notices.People(at)
    plans = topic.plans(people, _tried(topic, rows, at))
    if incident.is_ended:
        more = []
    else:
        more = notices.rows(topic, plans, people, list(incident.clocks.all()), at=at)
        notices.store(more)
    is_open = any(plan.is_open for plan in plans) and not incident.is_ended
    waiting = [row.pk for row in rows if is_open and row.notification.status == Delivery.QUEUED]
    Notice.objects.filter(topic=name).exclude(settle_at=None).update(settle_at=None)
    Notice.objects.filter(pk__in=[*waiting, *(row.pk for row in more)]).update(settle_at=at + reach.PATIENCE)
    if not is_open:
        _close(Closing(topic, rows + more, alarm, at), plans)
    elif alarm and alarm.mended_at is None:
        _look_again(alarm, rows, at)


def _lock(name: str) -> Incident | None:
    of_topic = Q(notices__topic=name) | Q(unheard__topic=name)
    pk = Incident.objects.filter(of_topic).values_list("pk", flat=True).first()
    if pk is None:
        return None
    rows = Incident.objects.select_for_update(of=("self",))
    return rows.select_related("client", "shop", "version__contract", "assignee", "reporter").get(pk=pk)


def _topic(incident: Incident, about: Sequence[Notice | UnheardAlarm]) -> notices.Topic:
    """The topic as it was begun; a withheld or unheard row knows as much of it as any other."""
    first = about[0]
    side = Audience.CLIENT if first.audience == Audience.CLIENT else Audience.STAFF
    if first.firing is None:
        return notices.Topic(incident, side, first.entry)
    rung = first.firing
    same = Firing.objects.filter(
        incident=incident,
        target=rung.target,
        run=rung.run,
        lap=rung.lap,
        round=rung.round,
        step__share=rung.step.share,
        step__offset_minutes=rung.step.offset_minutes,
    )
    firings = list(same.select_related("step__person").order_by("pk"))
    return next(topic for topic in notices.of_firings(incident, firings) if topic.side == side)


def _tried(topic: notices.Topic, rows: Iterable[Notice], at: datetime) -> dict[reach.Way, State | Bar]:
    written = [(row, row.notification) for row in rows]
    return {
        (sent.recipient_id, row.audience, sent.channel): _outcome(topic, row, at)
        for row, sent in written
        if sent.recipient_id
    }


def _outcome(topic: notices.Topic, row: Notice, at: datetime) -> State | Bar:
    sent = row.notification
    return reach.outcome(
        sent.status, row.bar, sent.error, sent.created_at, at, refusal=topic.needs_act, silence=topic.counts_silence
    )


@dataclass(frozen=True, slots=True)
class Closing:
    """A topic of which nothing is on its way any more."""

    topic: notices.Topic
    rows: Sequence[Notice]
    alarm: UnheardAlarm | None
    at: datetime

    @property
    def is_first(self) -> bool:
        """Whether the journal does not say yet what became of it."""
        if self.topic.firings:
            return self.topic.firings[0].entry_id is None
        return self.alarm is None or self.alarm.opened_at == self.alarm.look_at


def _close(closing: Closing, plans: Sequence[reach.Plan]) -> None:
    topic, alarm, at = closing.topic, closing.alarm, closing.at
    is_unheard = notices.is_unheard(topic, plans) and not topic.incident.is_ended
    if topic.firings and topic.firings[0].entry_id is None:
        _note_rung(closing, plans)
    elif is_unheard and closing.is_first:
        _note(closing, plans, Kind.UNHEARD, {"of": topic.entry.kind if topic.entry else ""})
    if is_unheard and alarm is None:
        alarm = notices.unheard(topic, at=at)
        alarm.look_at = at + reach.PATIENCE
        alarm.save(force_insert=True)
    elif alarm and alarm.mended_at is None:
        if is_unheard:
            _look_again(alarm, closing.rows, at)
        else:
            _mend(alarm, at)


def _look_again(alarm: UnheardAlarm, rows: Iterable[Notice], at: datetime) -> None:
    """Mended where somebody was told after all, or has acted by hand; else asked again in a minute."""
    arrived = any(sent_at and sent_at > alarm.opened_at for sent_at in (row.notification.sent_at for row in rows))
    actor = Actor.CLIENT if alarm.audience == Audience.CLIENT else Actor.STAFF
    acted = JournalEntry.objects.filter(incident=alarm.incident_id, actor=actor, recorded_at__gt=alarm.opened_at)
    if arrived or acted.exists():
        _mend(alarm, at)
    else:
        UnheardAlarm.objects.filter(pk=alarm.pk).update(look_at=at + reach.PATIENCE)


def _mend(alarm: UnheardAlarm, at: datetime) -> None:
    UnheardAlarm.objects.filter(pk=alarm.pk, mended_at=None).update(mended_at=at)


def _note_rung(closing: Closing, plans: Sequence[reach.Plan]) -> None:
    """The journal's line of a rung, once; the client reads it where its own people are concerned."""
    topic = closing.topic
    first = topic.firings[0]
    sent = [row.notification for row in closing.rows if row.notification.status == Delivery.SENT]
    channels = sorted({str(row.channel) for row in sent})
    facts = {"target": first.target, **_mark(first.step), "channels": channels, **_rungs(topic.firings)}
    is_theirs = topic.side == Audience.CLIENT
    entry = _note(closing, plans, Kind.ESCALATED, facts, public=is_theirs, effective=first.due_at)
    Firing.objects.filter(pk__in=[firing.pk for firing in topic.firings]).update(entry=entry)


def _mark(rung: EscalationStep) -> dict[str, int | None]:
    """When it tells; a share alone stands as in the lines of before there were offsets."""
    offset = {} if rung.offset_minutes is None else {"offset": rung.offset_minutes}
    return {"share": rung.share, **offset}


def _rungs(firings: Sequence[Firing]) -> dict[str, Any]:
    """Which firings the line tells of, so that none of them can be changed or taken away."""
    first = firings[0]
    return {
        "rungs": len(firings),
        "run": first.run,
        "lap": first.lap,
        "round": first.round,
        "fired_at": journal.plain(first.fired_at),
    }


def _note(
    closing: Closing,
    plans: Sequence[reach.Plan],
    kind: Kind,
    facts: Mapping[str, Any],
    *,
    public: bool | None = None,
    effective: datetime | None = None,
) -> JournalEntry:
    """Who was told, who was not, by what and why, and which places in the chain nobody holds: ids and codes only."""
    incident, at = closing.topic.incident, closing.at
    outcomes = [
        (row.notification, _outcome(closing.topic, row, at)) for row in closing.rows if row.notification.recipient_id
    ]
    reached = {row.recipient_id: None for row, state in outcomes if state == State.TOLD}
    missed = [[row.recipient_id, str(row.channel), str(state)] for row, state in outcomes if isinstance(state, Bar)]
    empty = list(dict.fromkeys(name for plan in plans for name in plan.empty))
    entry = journal.append(
        incident,
        kind,
        by=None,
        at=at,
        effective=effective,
        public=public,
        facts={**facts, "people": list(reached), "missed": missed, "empty": empty},
    )
    incident.save(update_fields=["journal_length", "journal_head", "changed_at", "last_entry"])
    return entry
