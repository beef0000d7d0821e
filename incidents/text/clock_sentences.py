"""A clock is one sentence, absolute time first, the same in lists, pages, mails and the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contracts.models import TargetKind
from contracts.terms import calendar_terms, moment, seconds
from contracts.time_text import other_words, within_words
from contracts.worktime import work_calendar
from incidents.choices import ClockState, PauseReason
from incidents.models import ClockRow, Incident, Pause
from incidents.projection.rows import hours_of
from wording import words

WARN_SHARE = 75  # per cent; the usual ladder tells the manager then (`DEFAULT_LADDER`)
SPAN = "%(span)s"  # in a sentence's tail, where the page counts
BY = {
    "reaction": gettext_noop("Reaction by %(time)s"),
    "restore": gettext_noop("Repair by %(time)s"),
    "final_fix": gettext_noop("Final fix by %(time)s"),
}
DONE = {
    "reaction": gettext_noop("Reaction %(time)s"),
    "restore": gettext_noop("Repair %(time)s"),
    "final_fix": gettext_noop("Final fix %(time)s"),
}
WAITS = {
    PauseReason.CLIENT_ANSWER: gettext_noop("Waits for the client since %(time)s"),
    PauseReason.THIRD_PARTY: gettext_noop("Waits for a third party since %(time)s"),
    PauseReason.CLIENT_WAIT: gettext_noop("The client asked to wait, since %(time)s"),
    PauseReason.FORCE_MAJEURE: gettext_noop("Force majeure since %(time)s"),
    PauseReason.MAINTENANCE: gettext_noop("Maintenance window since %(time)s"),
}
SEEN_WORKING = gettext_noop("Works since %(time)s, seen by our monitor")
CONTACT_BY = gettext_noop("We will contact you by %(time)s")
WAITS_FOR_YOU = gettext_noop("Paused: waiting for your answer")


REPAIR_WITHIN = {
    "first_contact": gettext_noop("Repair within %(span)s of our first contact"),
    "contact_or_reaction_deadline": gettext_noop(
        "Repair within %(span)s of our first contact, at the latest of the end of the reaction time"
    ),
    "work_started": gettext_noop(
        "Repair within %(span)s of the start of work, until somebody starts it of our first contact"
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """When and where a sentence is read. `today`: whether a time may be called "today", which no letter may.

    `dated`: every time with its whole date, as evidence is read years later.
    """

    now: datetime
    zone: str
    for_client: bool
    today: bool = True
    dated: bool = False

    def when(self, instant: datetime, case: words.Case = "genitive") -> str:
        if self.dated:
            return words.full_time(instant, self.zone, seconds=False)
        return words.when(instant, self.now, self.zone, case, today=self.today)


@dataclass(frozen=True, slots=True)
class Lead:
    """The bold part of a sentence: words, an instant as it is read in its zone, words. No instant: `before` is all."""

    before: str
    instant: datetime | None = None
    shown: str = ""
    after: str = ""
    zone: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.shown}{self.after}"


class SentenceKind(StrEnum):
    """What a sentence tells of: a clock, or how its incident stands (`incidents.text.lead`)."""

    CLOCK = "clock"
    PAUSED = "paused"
    SEEN_WORKING = "seen_working"
    WORKAROUND = "workaround"
    FIXED = "fixed"
    REJECTED = "rejected"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    QUESTION = "question"
    UNCOVERED = "uncovered"
    NOT_STARTED = "not_started"
    NO_CLOCK = "no_clock"


@dataclass(frozen=True, slots=True)
class ClockSentence:
    """`lead` is the bold part with its time, `tail` what follows; `left` seconds are counted on by the page.

    Where they are counted `tail` holds SPAN in their place: English says it before "left", Polish after "zostało".
    `left` is negative when late, None where nothing is counted; it runs until `until` (None: without a stop).
    `target` is the clock that it tells of, "" for none.
    """

    target: str
    style: str
    icon: str
    lead: Lead
    tail: str
    left: int | None = None
    until: datetime | None = None
    working: bool = False
    used: int = 0
    due: datetime | None = None
    kind: SentenceKind = SentenceKind.CLOCK

    @property
    def is_open(self) -> bool:
        return self.style in {"run", "warn", "off", "hold"} or (self.style == "late" and self.left is not None)

    @property
    def plain(self) -> str:
        """The sentence in one line, for letters and the API."""
        span = "" if self.left is None else words.span(abs(self.left), working=self.working)
        return f"{self.lead}, {self.tail.replace(SPAN, span)}" if self.tail else str(self.lead)

    @property
    def around(self) -> tuple[str, str]:
        """What stands before the counted span, and what after it."""
        before, _span, after = self.tail.partition(SPAN)
        return before, after


def incident_sentences(incident: Incident, *, now: datetime, for_client: bool) -> list[ClockSentence]:
    """The sentences of an incident's clocks, the nearest deadline first, then what waits, then what is done."""
    return clock_sentences(incident, incident.clocks.all(), Reading(now, incident.zone, for_client))


def clock_sentences(incident: Incident, rows: Iterable[ClockRow], reading: Reading) -> list[ClockSentence]:
    """The same of rows in hand, for whom and where `reading` says."""
    clocks = [clock_sentence(row, incident, reading) for row in rows]
    sentences = [sentence for sentence in clocks if sentence]
    return sorted(sentences, key=lambda clock: (not clock.is_open, clock.due is None, clock.due or reading.now))


def clock_sentence(row: ClockRow, incident: Incident, reading: Reading) -> ClockSentence | None:
    """None where the clock doesn't run: never started, cancelled, no such target."""
    if row.state == ClockState.NOT_RUNNING:
        return None
    if row.state == ClockState.PAUSED:
        return _paused(row, incident.pauses.all(), reading)
    if row.stopped_at is None and row.seen_at is not None:
        return _seen(row, row.seen_at, reading)
    if row.deadline is None:
        return None
    if row.stopped_at is not None:
        return _stopped(row, reading)
    return _late(row, reading) if reading.now > row.deadline else _running(row, reading)


def promise_of_contact(sentence: ClockSentence, row: ClockRow, reading: Reading) -> ClockSentence:
    """A reaction that is still to come, in the words of a receipt."""
    if row.deadline is None or row.stopped_at is not None:
        return sentence
    return replace(sentence, lead=timed(CONTACT_BY, row.deadline, reading))


def repair_to_come(incident: Incident, rows: Iterable[ClockRow]) -> str:
    """What is promised of a repair whose clock waits for an act of ours; "" where it runs, or nothing is promised."""
    version = incident.version
    if version is None or incident.is_request or version.repair_starts not in REPAIR_WITHIN or incident.is_ended:
        return ""
    if any(row.target == TargetKind.RESTORE and row.state != ClockState.NOT_RUNNING for row in rows):
        return ""
    target = version.targets.filter(severity=incident.severity, kind=TargetKind.RESTORE).first()
    if target is None:
        return ""
    hours = work_calendar(calendar_terms(target.calendar))
    working = hours.next_change(seconds(incident.received_at)) is not None
    promise = _(REPAIR_WITHIN[version.repair_starts]) % {"span": within_words(target, working=working)}
    return "; ".join([promise, *(other_words(time) for time in target.otherwise)])


def _between(row: ClockRow, start: datetime, end: datetime) -> int:
    calendar = hours_of(row)
    return calendar.between(seconds(start), seconds(end)) if calendar else max(0, seconds(end) - seconds(start))


def _working(row: ClockRow) -> bool:
    """Whether hours are hours of work: a calendar that ever closes."""
    calendar = hours_of(row)
    return calendar is not None and calendar.next_change(seconds(row.computed_at)) is not None


def _running(row: ClockRow, reading: Reading) -> ClockSentence:
    assert row.deadline is not None
    now, calendar = reading.now, hours_of(row)
    at, left = seconds(now), _between(row, now, row.deadline)
    used = _share(row.total - left, row.total)
    lead = timed(BY[row.target], row.deadline, reading)
    if calendar and not calendar.is_open(at) and calendar.opening(at) <= seconds(row.deadline):
        opens = reading.when(moment(calendar.opening(at)))
        tail = _("clock stands until %(time)s (out of hours), %(span)s left") % {"time": opens, "span": SPAN}
        return ClockSentence(row.target, "off", "off", lead, tail, left, now, True, used, row.deadline)
    change = calendar.next_change(at) if calendar else None
    warn = used >= WARN_SHARE
    return ClockSentence(
        row.target,
        "warn" if warn else "run",
        "warn" if warn else "run",
        lead,
        _("%(span)s left"),
        left,
        moment(change) if change else None,
        change is not None,
        used,
        row.deadline,
    )


def _late(row: ClockRow, reading: Reading) -> ClockSentence:
    assert row.deadline is not None
    now = reading.now
    late = _between(row, row.deadline, now)
    calendar, at = hours_of(row), seconds(now)
    change = calendar.next_change(at) if calendar else None
    stands = calendar is not None and not calendar.is_open(at)
    return ClockSentence(
        row.target,
        "late",
        "late",
        timed(BY[row.target], row.deadline, reading),
        _("overdue by %(span)s"),
        -late,
        now if stands else (moment(change) if change else None),
        change is not None,
        _share(row.total + late, row.total),
        row.deadline,
    )


def _stopped(row: ClockRow, reading: Reading) -> ClockSentence:
    assert row.deadline is not None
    assert row.stopped_at is not None
    lead = timed(DONE[row.target], row.stopped_at, reading, "nominative")
    working = _working(row)
    if row.state == ClockState.BREACHED:
        tail = _("overdue by %(span)s") % {"span": words.span(row.late or 0, working=working)}
        return ClockSentence(row.target, "late", "late", lead, tail, due=row.deadline)
    early = words.span(_between(row, row.stopped_at, row.deadline), working=working)
    return ClockSentence(row.target, "met", "met", lead, _("met, %(span)s early") % {"span": early}, due=row.deadline)


def _seen(row: ClockRow, since: datetime, reading: Reading) -> ClockSentence:
    """It stands where the monitor first saw it work; a delay stands too."""
    now, lead, working = reading.now, timed(SEEN_WORKING, since, reading), _working(row)
    if row.deadline is None:
        used = _share(row.total - (row.left or 0), row.total)
        left, style, tail = row.left or 0, "hold", _("%(span)s left")
    else:
        used = _share(row.total + (row.late or 0), row.total)
        left, style, tail = -(row.late or 0), "late", _("overdue by %(span)s")
    kind = SentenceKind.SEEN_WORKING
    return ClockSentence(row.target, style, style, lead, tail, left, now, working, used, row.deadline, kind)


def _paused(row: ClockRow, pauses: Iterable[Pause], reading: Reading) -> ClockSentence:
    open_pauses = [pause for pause in pauses if pause.ended_at is None]
    first = min(open_pauses, key=lambda pause: pause.started_at, default=None)
    used = _share(row.total - (row.left or 0), row.total)
    if first is None or (reading.for_client and first.reason == PauseReason.CLIENT_ANSWER):
        lead = Lead(_(WAITS_FOR_YOU))
    else:
        lead = timed(WAITS[PauseReason(first.reason)], first.started_at, reading)
    left, tail, working, kind = row.left or 0, _("%(span)s left"), _working(row), SentenceKind.PAUSED
    return ClockSentence(row.target, "hold", "hold", lead, tail, left, reading.now, working, used, None, kind)


def timed(sentence: str, instant: datetime, reading: Reading, case: words.Case = "genitive") -> Lead:
    """The msgid's translation with its time as the reader is told it."""
    before, _time, after = _(sentence).partition("%(time)s")
    return Lead(words.typographic(before), instant, reading.when(instant, case), after, reading.zone)


def _share(used: int, total: int) -> int:
    return max(0, used * 100 // total) if total else 0
