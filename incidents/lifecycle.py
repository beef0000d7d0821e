"""The verbs of an incident: the only writers of its status. Each locks, refuses or acts, journals and projects.

Every verb is keyword-only, takes `by` (a person) and `at` (the server's time), is safe to repeat, and raises
`Refused` with a sentence where it can't be done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Language, User
from contracts.models import RepairStart, Severity, TargetKind
from contracts.terms import to_second
from incidents import both_sides, journal, updates
from incidents.choices import ClockState, Origin, PauseReason, Status
from incidents.events import Kind
from incidents.models import Incident
from incidents.notices import write as notices
from incidents.projection import rows as projection
from incidents.projection.record import Promise, history, record
from incidents.reporting import lock
from incidents.silence import end_silence
from incidents.state import CONTESTED
from wording.refusals import Refused
from wording.texts import clean_line, clean_text


def _open(incident: Incident) -> Incident:
    """The locked row of an incident that still lives."""
    incident = lock(incident)
    if incident.is_ended:
        raise Refused(_("%(nr)s is closed; report a new incident.") % {"nr": incident.nr})
    return incident


def _words(text: str, sentence: str) -> str:
    text = clean_text(text)
    if not text:
        raise Refused(sentence, "text")
    return text


def _take(incident: Incident, by: User) -> list[str]:
    """Whoever first speaks to the client has the incident; the columns that the line of it must name."""
    if incident.assignee is not None or not works_incidents(by):
        return []
    incident.assignee = by
    return ["assignee_id"]


def works_incidents(person: User) -> bool:
    """As the person's locked row says: somebody may be switching the person off at this moment."""
    locked = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    return locked.is_active and locked.works_incidents


def greeting(incident: Incident, by: User) -> str:
    """The sentence that `React` sends, a person's contact, in the client's language whatever the agent's is."""
    with translation.override(incident.reporter.language if incident.reporter else Language.POLISH):
        return _("This is %(name)s. I am working on this incident.") % {"name": by.name}


@transaction.atomic
def acknowledge(*, incident: Incident, by: User, at: datetime, text: str = "") -> Incident:
    """React: the person says that work has begun, and becomes the assignee. Repeated, it changes nothing."""
    incident, at = _open(incident), to_second(at)
    if incident.first_contact_at:
        return incident
    words = clean_text(text) or greeting(incident, by)
    row = _take(incident, by)
    facts = projection.stood(incident, at)
    entry = record(incident, Kind.CONTACT, by=by, at=at, text=words, facts=facts, row=row, promise=updates.plan)
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    return incident


def counts_from_work(incident: Incident) -> bool:
    """Whether the start of work is an act that moves the repair's clock: by the contract, for a failure."""
    starts = incident.version.repair_starts if incident.version else ""
    return starts == RepairStart.WORK_STARTED and not incident.is_request


@transaction.atomic
def start_work(*, incident: Incident, by: User, at: datetime, text: str = "") -> Incident:
    """Work starts: the repair counts from now. Before any word it is the contact too. Repeated, it changes nothing."""
    incident, at = _open(incident), to_second(at)
    if not counts_from_work(incident):
        raise Refused(_("In this contract the repair does not count from the start of work."))
    state = history(incident).state
    if state.work_started_at:
        return incident
    if state.delivery:
        raise Refused(_("Something was delivered already, so work had started."))
    promise: Promise | None = updates.plan
    if incident.first_contact_at is None:
        row, words = _take(incident, by), greeting(incident, by)
        record(incident, Kind.CONTACT, by=by, at=at, text=words, row=row, promise=promise)
        promise = None
    facts = projection.stood(incident, at)
    entry = record(incident, Kind.WORK_STARTED, by=by, at=at, text=text.strip(), facts=facts, promise=promise)
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    return incident


@transaction.atomic
def say(*, incident: Incident, by: User, at: datetime, text: str, next_update_at: datetime | None = None) -> Incident:
    """A message to the client; the first one is the reaction."""
    return _speak(incident, by, at, _words(text, _("Write a message to the client.")), next_update_at, Origin.PORTAL)


@transaction.atomic
def call(*, incident: Incident, by: User, at: datetime, text: str, next_update_at: datetime | None = None) -> Incident:
    """What was said to the client on the phone, which the client reads; a contact of the moment of its entry."""
    return _speak(incident, by, at, _words(text, _("Write what was said.")), next_update_at, Origin.PHONE)


def _speak(
    incident: Incident, by: User, at: datetime, text: str, next_update_at: datetime | None, channel: Origin
) -> Incident:
    incident, at = _open(incident), to_second(at)
    if next_update_at:
        updates.check(incident, at, next_update_at)
    row = _take(incident, by)
    facts = {"next_update": to_second(next_update_at).isoformat()} if next_update_at else {}
    facts |= projection.stood(incident, at)
    promise = partial(updates.plan, by_word=next_update_at)
    entry = record(
        incident, Kind.CONTACT, by=by, at=at, text=text, channel=channel, facts=facts, row=row, promise=promise
    )
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    return incident


@transaction.atomic
def note(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """An internal note: never reaches the client, moves no clock."""
    incident = lock(incident)
    text = _words(text, _("Write the note."))
    journal.append(incident, Kind.INTERNAL_NOTE, by=by, at=to_second(at), text=text)
    incident.save()
    return incident


@transaction.atomic
def assign(*, incident: Incident, by: User, at: datetime, to: User, reason: str = "") -> Incident:
    """Hand the incident to another member of staff; `reason` LEFT: whoever had it works on none any more."""
    incident = _open(incident)
    if not works_incidents(to):
        raise Refused(_("Only active staff can take an incident."), "to")
    if incident.assignee_id == to.pk:
        return incident
    incident.assignee = to
    facts, row = {"to": to.pk}, ["assignee_id"]
    entry = journal.append(incident, Kind.ASSIGNED, by=by, at=to_second(at), reason=reason, facts=facts, row=row)
    incident.save()
    notices.tell_person(incident, entry, to=to, at=at)
    return incident


@transaction.atomic
def pause(*, incident: Incident, by: User, at: datetime, reason: str, text: str) -> Incident:
    """Stop the clocks for a listed reason with a question or note that the client sees; also a contact."""
    incident, at = _open(incident), to_second(at)
    text = _words(text, _("Write the question or note that the client will see."))
    if incident.is_request:
        raise Refused(_("A question has no clock to stop."))
    if incident.status == Status.RESOLVED:
        raise Refused(_("It is fixed and waits for the client; no clock runs."))
    if reason not in PauseReason.values:
        raise Refused(_("Choose why the clock stops."), "reason")
    if reason == PauseReason.THIRD_PARTY and incident.version and not incident.version.third_party_pause:
        raise Refused(_("This contract doesn't stop the clock for a third party."), "reason")
    if reason in history(incident).state.open_pauses:
        raise Refused(_("The clock stands for this reason already."), "reason")
    row = _take(incident, by)
    facts = projection.stood(incident, at)
    entry = record(
        incident, Kind.PAUSED, by=by, at=at, text=text, reason=reason, facts=facts, row=row, promise=updates.plan
    )
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    return incident


@transaction.atomic
def resume(*, incident: Incident, by: User, at: datetime, reason: str) -> Incident:
    """The clock runs again; ending a pause that is not open changes nothing."""
    incident, at = _open(incident), to_second(at)
    if _end_pause(incident, reason, by=by, at=at):
        projection.project(incident, at=at)
    return incident


def _end_pause(incident: Incident, reason: str, *, by: User | None, at: datetime) -> bool:
    """End the open pause of this reason with its entry; False where none is open."""
    if reason not in history(incident).state.open_pauses:
        return False
    promise = updates.plan if reason in updates.FOR_THE_CLIENT else None
    record(incident, Kind.RESUMED, by=by, at=at, reason=reason, promise=promise)
    return True


@transaction.atomic
def answer(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """A client's message; ends the pause that waits for the client, no other."""
    incident, at = _open(incident), to_second(at)
    text = _words(text, _("Write your answer."))
    entry = journal.append(incident, Kind.CLIENT_MESSAGE, by=by, at=at, text=text)
    _end_pause(incident, PauseReason.CLIENT_ANSWER, by=by, at=at)
    question = end_silence(incident, at=at)
    projection.project(incident, at=at)
    notices.tell_staff(incident, entry, at=at)
    notices.ask_for_verdict(incident, question, at=at)
    return incident


@transaction.atomic
def ask_for_manager(*, incident: Incident, by: User, at: datetime, text: str = "") -> Incident:
    """The client's own escalation: managers hear at once. Once an hour is enough; sooner it changes nothing."""
    incident, at = _open(incident), to_second(at)
    hour_ago = at - timedelta(hours=1)
    if incident.journal.filter(kind=Kind.ESCALATION_ASKED, at__gt=hour_ago).exists():
        return incident
    entry = journal.append(incident, Kind.ESCALATION_ASKED, by=by, at=at, text=text.strip())
    question = end_silence(incident, at=at)
    projection.project(incident, at=at)
    notices.tell_managers(incident, entry, at=at)
    # Where whoever has it is gone, the managers' letter has found the next person already
    if question and incident.assignee and incident.assignee.is_active:
        notices.tell_staff(incident, question, at=at)
    notices.ask_for_verdict(incident, question, at=at)
    return incident


@transaction.atomic
def back_up(*, incident: Incident, by: User, at: datetime, where: str, size: str = "", checksum: str = "") -> Incident:
    """The backup before the repair: where, how large, its checksum. Part of the evidence, seen by the client."""
    incident, at = _open(incident), to_second(at)
    where = clean_line(where)
    if not where:
        raise Refused(_("Say where the backup is."), "where")
    typed = {"where": where, "size": clean_line(size), "checksum": clean_line(checksum)}
    record(incident, Kind.BACKUP, by=by, at=at, personal=typed)
    incident.save()
    return incident


@transaction.atomic
def skip_backup(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """Repair without a backup: only with a reason."""
    incident, at = _open(incident), to_second(at)
    text = _words(text, _("Say why there is no backup."))
    record(incident, Kind.BACKUP_SKIPPED, by=by, at=at, text=text)
    incident.save()
    return incident


def _ready_to_repair(incident: Incident) -> None:
    if incident.needs_backup:
        raise Refused(_("First the backup: say where it is, or why there is none."), "where")


@transaction.atomic
def work_around(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """The shop sells again by a detour: meets the repair time, starts the final fix. A second one is a message."""
    incident, at = _open(incident), to_second(at)
    text = _words(text, _("Tell the client how it works now."))
    if incident.status == Status.RESOLVED:
        raise Refused(_("It is fixed and waits for the client."))
    if incident.status == Status.WORKAROUND:
        return say(incident=incident, by=by, at=at, text=text)
    _ready_to_repair(incident)
    return _deliver(incident, Kind.WORKAROUND, by=by, at=at, text=text)


@transaction.atomic
def resolve(*, incident: Incident, by: User, at: datetime, text: str, restored_at: datetime | None = None) -> Incident:
    """Fixed: every clock stops, the client confirms. Repeated, it changes nothing unless the client wrote meanwhile.

    `restored_at`: when it worked again, taken where the monitor's checks confirm it: what healed by itself had no
    repair, so it needs no backup before one.
    """
    incident, at = _open(incident), to_second(at)
    if incident.status == Status.RESOLVED and incident.client_wrote_at is None:
        return incident
    text = _words(text, _("Tell the client what was wrong and what was done."))
    if restored_at is None:
        _ready_to_repair(incident)
    else:
        restored_at = to_second(restored_at)
        _refuse_unseen(incident, restored_at, at)
    return _deliver(incident, Kind.RESOLVED, by=by, at=at, text=text, restored_at=restored_at)


def _refuse_unseen(incident: Incident, restored_at: datetime, at: datetime) -> None:
    since = incident.restored_at if incident.is_seen_working else None
    if since is None or not since <= restored_at <= at:
        raise Refused(_("No check of our monitor confirms that time."), "restored_at")


def _deliver(
    incident: Incident,
    kind: Kind,
    *,
    by: User,
    at: datetime,
    text: str,
    restored_at: datetime | None = None,
) -> Incident:
    """A delivery ends every pause, is a contact, and is what the client accepts or rejects."""
    row = _take(incident, by)
    facts: dict[str, Any] = {}
    if kind == Kind.RESOLVED:
        silence_at = projection.silence_term(incident, at)
        facts = {"silence_at": silence_at and silence_at.isoformat()}
    if kind == Kind.RESOLVED and incident.failure:
        # What fails from now on is another incident with a clock of its own, not evidence in one whose clocks stand
        incident.failure = ""
        row = [*row, "failure"]
    facts |= projection.stood(incident, at)
    entry = record(
        incident, kind, by=by, at=at, effective=restored_at, text=text, facts=facts, row=row, promise=updates.plan
    )
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    return incident


@transaction.atomic
def accept(*, incident: Incident, by: User | None, at: datetime, text: str = "") -> Incident:
    """The client confirms (`by` None: by silence): a repair closes the incident, so does a workaround that is all
    the contract asks for; another workaround is taken note of.
    """
    incident, at = lock(incident), to_second(at)
    if incident.status == Status.CLOSED or history(incident).state.accepted:
        return incident
    if incident.status not in {Status.RESOLVED, Status.WORKAROUND}:
        raise Refused(_("Nothing has been delivered yet."))
    closes = incident.status == Status.RESOLVED or not _final_fix_runs(incident)
    facts = {"silence": by is None, "of": incident.status, "closes": closes}
    entry = record(incident, Kind.ACCEPTED, by=by, at=at, text=text.strip(), facts=facts)
    _end_pause(incident, PauseReason.CLIENT_ANSWER, by=by, at=at)
    if closes:
        incident.phone = ""
        updates.forget(incident, at, history(incident).state)
    projection.project(incident, at=at)
    notices.tell_staff(incident, entry, at=at)
    if by is None:
        notices.tell_client(incident, entry, at=at)
    return incident


def _final_fix_runs(incident: Incident) -> bool:
    open_clocks = incident.clocks.filter(target=TargetKind.FINAL_FIX, stopped_at=None)
    return open_clocks.exclude(state=ClockState.NOT_RUNNING).exists()


@transaction.atomic
def reject(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """Still broken: the last delivery falls and its clock goes on. Needs a reason."""
    incident, at = _open(incident), to_second(at)
    if incident.status not in {Status.RESOLVED, Status.WORKAROUND}:
        raise Refused(_("Nothing has been delivered yet."))
    text = _words(text, _("Say what still doesn't work."))
    facts = projection.stood(incident, at)
    entry = record(incident, Kind.REJECTED, by=by, at=at, text=text, facts=facts, promise=updates.plan)
    _end_pause(incident, PauseReason.CLIENT_ANSWER, by=by, at=at)
    projection.project(incident, at=at)
    notices.tell_staff(incident, entry, at=at)
    return incident


@transaction.atomic
def change_severity(*, incident: Incident, by: User, at: datetime, to: str, change: str, text: str) -> Incident:
    """Got worse, or was classified wrongly (correction). Milder needs the client: see `agree_milder`."""
    incident, at = _open(incident), to_second(at)
    text = _words(text, _("Say why the severity changes."))
    if to not in Severity.values:
        raise Refused(_("Choose a severity."), "to")
    if incident.severity == to:
        return incident
    if change not in {"worse", "correction"} or (incident.severity and to > incident.severity):
        raise Refused(_("A milder severity needs the client's consent."), "to")
    return _set_severity(incident, to, change, by=by, at=at, text=text)


@transaction.atomic
def agree_milder(*, incident: Incident, by: User, at: datetime, to: str, text: str) -> Incident:
    """The client itself agrees to a milder severity; a breach that has happened stays."""
    incident, at = _open(incident), to_second(at)
    if to not in Severity.values or to <= incident.severity:
        raise Refused(_("Choose a milder severity."), "to")
    return _set_severity(incident, to, "downgrade", by=by, at=at, text=text.strip())


@transaction.atomic
def contest(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """The client says that it is more urgent: the next stricter severity's clocks run until it is settled."""
    incident, at = _open(incident), to_second(at)
    text = _words(text, _("Say why it is more urgent."))
    if incident.contested:
        return incident
    stricter = max((value for value in Severity.values if value < (incident.severity or "P9")), default="")
    if not stricter:
        raise Refused(_("It has the most urgent severity already."))
    return _set_severity(incident, stricter, "worse", by=by, at=at, text=text, reason=CONTESTED)


def _set_severity(
    incident: Incident, to: str, change: str, *, by: User, at: datetime, text: str, reason: str = ""
) -> Incident:
    facts = {"old": incident.severity, **projection.stood(incident, at)}
    entry = record(
        incident,
        Kind.SEVERITY,
        by=by,
        at=at,
        text=text,
        severity=to,
        change=change,
        reason=reason,
        facts=facts,
        row=["contested"] if reason == CONTESTED else (),
        promise=updates.plan if by.is_provider else updates.plan_sooner,
    )
    question = None if by.is_provider else end_silence(incident, at=at)
    projection.project(incident, at=at)
    tell: Callable[..., None] = notices.tell_client if by.is_provider else notices.tell_staff
    tell(incident, entry, at=at)
    notices.ask_for_verdict(incident, question, at=at)
    return incident


@transaction.atomic
def cancel(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """The client withdraws the report, what our monitor saw only with us; a breach that was recorded stays."""
    incident, at = lock(incident), to_second(at)
    if incident.status == Status.CANCELLED:
        return incident
    if incident.is_ended:
        raise Refused(_("%(nr)s is closed already.") % {"nr": incident.nr})
    both_sides.refuse_alone(incident)
    text = _words(text, _("Say why it is withdrawn."))
    incident.phone = ""
    entry = record(incident, Kind.CANCELLED, by=by, at=at, text=text, promise=updates.forget)
    projection.project(incident, at=at)
    notices.tell_staff(incident, entry, at=at)
    return incident
