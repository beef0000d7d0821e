"""What an act would do to the clocks, said before it is sent: the same clocks, played with one event more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from contracts.models import Severity, TargetKind
from contracts.terms import moment_or_none, seconds
from incidents.choices import PauseReason, Status
from incidents.clock import clocks as clock
from incidents.events import Kind
from incidents.models import ClockRow, Incident
from incidents.projection import rows as projection
from incidents.text.clock_sentences import Reading, clock_sentence
from wording import words

Clocks = Mapping[str, clock.Clock]
SAYS = {"react": Kind.CONTACT, "say": Kind.CONTACT, "call": Kind.CONTACT, "agree-withdrawal": Kind.CONTACT}
DELIVERS = {"workaround": Kind.WORKAROUND, "resolve": Kind.RESOLVED}
MOVES_NONE = frozenset({"assign", "backup", "note"})


def consequences(verb: str, incident: Incident, events: Sequence[clock.Event], now: datetime) -> list[str]:
    """A sentence for each clock that the act would change if it were sent now, and for what it does not change."""
    if verb in MOVES_NONE:
        return [_("No clock moves.")]
    if incident.version is None or not events or incident.is_ended:
        return []
    terms = projection.version_terms(incident.version)
    before = clock.clocks(terms.terms, events, seconds(now))
    acts = _acts(verb, incident, now)
    after = clock.clocks(terms.terms, (*events, *acts), seconds(now)) if acts else before
    changed = [name for name in clock.TARGETS if _face(before[name]) != _face(after[name])]
    if verb == "pause":
        return _pause(incident, before, after, changed, now)
    reading = Reading(now, incident.zone, for_client=False)
    rows = [
        ClockRow(incident=incident, target=name, computed_at=now, **projection.row_of(after[name], terms))
        for name in changed
    ]
    sentences = [clock_sentence(row, incident, reading) for row in rows]
    return [*[f"{sentence.plain}." for sentence in sentences if sentence], *_close(verb, incident, now)]


def _acts(verb: str, incident: Incident, now: datetime) -> list[clock.Event]:
    at = seconds(now)
    if verb in SAYS or verb in DELIVERS:
        return [clock.Event(at, (SAYS | DELIVERS)[verb])]
    if verb == "start-work":
        return [clock.Event(at, Kind.CONTACT), clock.Event(at, Kind.WORK_STARTED)]
    if verb == "pause":
        return [clock.Event(at, Kind.PAUSED, reason=PauseReason.CLIENT_ANSWER)]
    if verb == "resume":
        reasons = [pause.reason for pause in incident.pauses.all() if pause.ended_at is None]
        return [clock.Event(at, Kind.RESUMED, reason=reason) for reason in reasons[:1]]
    if verb == "take-time" and incident.restored_at:
        return [clock.Event(seconds(incident.restored_at), Kind.RESOLVED, told_at=at)]
    return [clock.Event(at, Kind.RECOVERY_DENIED)] if verb == "not-working" else []


def _face(row: clock.Clock) -> tuple[object, ...]:
    """What of a clock a person would see change."""
    return row.state, row.deadline, row.stopped_at, row.seen_at


def _pause(incident: Incident, before: Clocks, after: Clocks, changed: Sequence[str], now: datetime) -> list[str]:
    """A clock that is late runs on: nothing that a pause does undoes it."""
    sentences = []
    for name in clock.TARGETS:
        label = words.capitalised(str(TargetKind(name).label))
        if name in changed and after[name].state == clock.ClockState.PAUSED:
            time = words.clock_time(now, incident.zone)
            left = words.span(after[name].left)
            sentence = _("%(clock)s: the clock will stand from %(time)s, with %(left)s left.")
            sentences.append(sentence % {"clock": label, "time": time, "left": left})
        elif (
            name != TargetKind.REACTION
            and before[name].state == clock.ClockState.BREACHED
            and not before[name].stopped_at
        ):
            deadline = moment_or_none(before[name].deadline)
            time = words.when(deadline, now, incident.zone) if deadline else ""
            sentence = _("%(clock)s: the deadline passed, %(time)s. A pause undoes no breach and shortens no delay.")
            sentences.append(sentence % {"clock": label, "time": time})
    if incident.first_contact_at is None:
        sentences.append(_("The question is the reaction, too."))
    return sentences or [_("No clock runs now, so a pause stops none.")]


def _close(verb: str, incident: Incident, now: datetime) -> list[str]:
    """What follows a repair: the client's word, or the silence that stands for it."""
    if verb not in {"resolve", "take-time"} or incident.status == Status.RESOLVED:
        return []
    term = projection.silence_term(incident, now)
    if term is None:
        return []
    sentence = _("The client checks it; without an answer by the end of %(day)s the incident closes.")
    return [sentence % {"day": words.last_day(term, now, incident.zone)}]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a stricter severity would do to a deadline: if it got worse now, and if it had been classified wrongly.

    `late`: counted from its own start the corrected deadline is missed already.
    """

    severity: str
    target: str
    before: datetime | None
    worse: datetime | None
    corrected: datetime | None
    late: bool


def previews(incident: Incident, events: Sequence[clock.Event], now: datetime) -> list[Preview]:
    """Each deadline that a stricter severity would change, were it chosen now."""
    if incident.version is None or not events or incident.is_ended:
        return []
    terms = projection.version_terms(incident.version).terms
    before = clock.clocks(terms, events, seconds(now))
    rows = []
    for severity in Severity.values:
        if severity >= incident.severity:
            continue
        worse, corrected = (
            clock.clocks(terms, (*events, clock.Event(seconds(now), Kind.SEVERITY, severity, change)), seconds(now))
            for change in ("worse", "correction")
        )
        rows += [
            _preview(severity, name, before[name], worse[name], corrected[name])
            for name in clock.TARGETS
            if _is_open(worse[name]) or _found_late(before[name], corrected[name])
        ]
    return rows


def _preview(severity: str, name: str, before: clock.Clock, worse: clock.Clock, corrected: clock.Clock) -> Preview:
    return Preview(
        severity,
        name,
        moment_or_none(before.deadline),
        moment_or_none(worse.deadline) if _is_open(worse) else None,
        moment_or_none(corrected.deadline),
        _found_late(before, corrected),
    )


def _is_open(row: clock.Clock) -> bool:
    return row.stopped_at is None and row.deadline is not None


def _found_late(before: clock.Clock, corrected: clock.Clock) -> bool:
    return corrected.state == clock.ClockState.BREACHED and before.state != clock.ClockState.BREACHED
