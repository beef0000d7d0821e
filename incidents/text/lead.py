"""How an incident stands, in one sentence: the same in the queue, in lists, on pages, in letters and in the API.

A clock that runs or waits leads with its time; what was delivered, sent back or ended says so, with its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contracts.models import TargetKind
from incidents.choices import Origin, Status
from incidents.models import ClockRow, Incident
from incidents.text.clock_sentences import ClockSentence, Lead, Reading, SentenceKind, clock_sentences, timed

FIXED = gettext_noop("Fixed %(time)s, waits for confirmation")
ANSWERED = gettext_noop("Done %(time)s, waits for confirmation")
WORKAROUND_GIVEN = gettext_noop("Workaround since %(time)s, waits for confirmation")
FINAL_FIX_BY = gettext_noop("Workaround stands, final fix by %(time)s")
REJECTED = gettext_noop("Rejected %(time)s, back in repair")
BACK_BY = gettext_noop("Rejected, back in repair: by %(time)s")
IN_WORK = gettext_noop("In work since %(time)s")
RECEIVED = gettext_noop("Received %(time)s")
ENDED = {
    Status.CLOSED: (SentenceKind.CLOSED, gettext_noop("Closed %(time)s")),
    Status.CANCELLED: (SentenceKind.WITHDRAWN, gettext_noop("Withdrawn %(time)s")),
    Status.MERGED: (SentenceKind.MERGED, gettext_noop("Merged into another incident %(time)s")),
}
VERDICTS = {
    "reaction": gettext_noop("reaction %(verdict)s"),
    "restore": gettext_noop("repair %(verdict)s"),
    "final_fix": gettext_noop("final fix %(verdict)s"),
}
REPAIRS = (TargetKind.FINAL_FIX, TargetKind.RESTORE)


@dataclass(frozen=True, slots=True)
class Standing:
    """`lead` says how the incident stands; `clocks` are the sentences of the other clocks, the nearest first."""

    lead: ClockSentence
    clocks: list[ClockSentence]


def standing(incident: Incident, *, now: datetime, for_client: bool) -> Standing:
    return standing_of(incident, incident.clocks.all(), Reading(now, incident.zone, for_client))


def standing_of(incident: Incident, rows: Iterable[ClockRow], reading: Reading) -> Standing:
    """The same of clocks in hand, for whom and where `reading` says."""
    clocks = clock_sentences(incident, rows, reading)
    lead = _lead(incident, clocks, reading)
    return Standing(lead, [clock for clock in clocks if clock.target != lead.target])


def _lead(incident: Incident, clocks: Sequence[ClockSentence], reading: Reading) -> ClockSentence:
    if incident.is_ended:
        return _ended(incident, clocks, reading)
    if incident.status == Status.RESOLVED:
        return _fixed(incident, clocks, reading)
    clock = next((clock for clock in clocks if clock.is_open), None)
    if clock is None:
        return _without_clock(incident, reading)
    if clock.kind != SentenceKind.CLOCK or clock.due is None:
        return clock
    if incident.rejected_at:
        return replace(clock, kind=SentenceKind.REJECTED, lead=timed(BACK_BY, clock.due, reading))
    if clock.target == TargetKind.FINAL_FIX:
        return replace(clock, kind=SentenceKind.WORKAROUND, lead=timed(FINAL_FIX_BY, clock.due, reading))
    return clock


def _fixed(incident: Incident, clocks: Sequence[ClockSentence], reading: Reading) -> ClockSentence:
    """With the verdict on the clock that the repair stopped."""
    sentence = ANSWERED if incident.is_request else FIXED
    lead = timed(sentence, incident.delivered_at or incident.changed_at, reading, "nominative")
    stopped = _last_stopped(clocks)
    if stopped is None:
        return ClockSentence("", "met", "met", lead, "", kind=SentenceKind.FIXED)
    return replace(stopped, lead=lead, kind=SentenceKind.FIXED)


def _ended(incident: Incident, clocks: Sequence[ClockSentence], reading: Reading) -> ClockSentence:
    """With the verdict on the first clock that was missed, else on the repair's last one."""
    kind, sentence = ENDED[Status(incident.status)]
    lead = timed(sentence, incident.ended_at or incident.changed_at, reading, "nominative")
    missed = next((clock for clock in reversed(clocks) if clock.style == "late"), None)
    judged = missed or _last_stopped(clocks)
    if judged is None:
        style = "met" if kind == SentenceKind.CLOSED else "off"
        return ClockSentence("", style, style, lead, "", kind=kind)
    tail = _(VERDICTS[judged.target]) % {"verdict": judged.tail}
    return replace(judged, lead=lead, tail=tail, left=None, until=None, kind=kind)


def _last_stopped(clocks: Sequence[ClockSentence]) -> ClockSentence | None:
    """What the repair was judged by: the final fix after a workaround, else the repair itself."""
    stopped = {clock.target: clock for clock in clocks if not clock.is_open}
    return next((stopped[target] for target in REPAIRS if target in stopped), None)


def _without_clock(incident: Incident, reading: Reading) -> ClockSentence:
    """Nothing runs: what was sent back or given says so, and else why nothing runs."""
    if incident.rejected_at:
        tail = "" if incident.is_request else _("no deadline runs")
        return _plain(SentenceKind.REJECTED, timed(REJECTED, incident.rejected_at, reading, "nominative"), tail)
    if incident.status == Status.WORKAROUND:
        given = timed(WORKAROUND_GIVEN, incident.delivered_at or incident.changed_at, reading)
        return ClockSentence("", "met", "met", given, "", kind=SentenceKind.WORKAROUND)
    if incident.is_request:
        return _plain(SentenceKind.QUESTION, Lead(_("A question or a change: no SLA clock")))
    if incident.version is None:
        return _plain(SentenceKind.UNCOVERED, Lead(_("No contract covers this shop: no clock runs")))
    if incident.status == Status.NEW and incident.origin == Origin.MONITOR:
        return _plain(SentenceKind.NOT_STARTED, Lead(_("The clocks start with a person's report")))
    since = incident.first_contact_at
    lead = timed(IN_WORK, since, reading) if since else timed(RECEIVED, incident.received_at, reading, "nominative")
    return _plain(SentenceKind.NO_CLOCK, lead, _("no deadline runs"))


def _plain(kind: SentenceKind, lead: Lead, tail: str = "") -> ClockSentence:
    return ClockSentence("", "next", "", lead, tail, kind=kind)
