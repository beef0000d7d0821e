"""How an incident comes to be: reported by a person, or opened by a monitor; two reports of one failure become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Client, User
from contracts import seal
from contracts.models import ContractVersion, Shop
from contracts.severities import USUAL_SEVERITY, What, agreed_severity, severity_of
from contracts.terms import to_second
from incidents import journal, repeats, updates
from incidents.choices import JOINS_MONITOR, Actor, Origin, Status
from incidents.events import Kind
from incidents.models import Incident, JoinedReport
from incidents.notices import write as notices
from incidents.projection import rows as projection
from incidents.projection.record import history, record
from incidents.silence import end_silence
from incidents.state import ENDED
from wording.refusals import Refused
from wording.texts import clean_line, clean_text, masked_phone, one_line

ROW = (
    "client_id",
    "shop_id",
    "version_id",
    "number",
    "nr",
    "what",
    "origin",
    "reporter_id",
    "occurred_at",
    "reported_at",
    "received_at",
    "possible_leak",
    "failure",
    "contested",
    "assignee_id",
)
"""The incident's columns that its first line holds; a later act that sets one of them says so in its own line."""


@dataclass(frozen=True, slots=True)
class Details:
    """What the form's fold asks; every field may be missing."""

    occurred_at: datetime | None = None
    affected: str = ""
    page: str = ""
    order_number: str = ""

    @property
    def clean(self) -> Details:
        """As it is stored, whatever way it came: each in one line, card numbers masked."""
        return Details(self.occurred_at, *map(clean_line, (self.affected, self.page, self.order_number)))


@dataclass(frozen=True, slots=True)
class Claim:
    """When the client says that it reported, why it is entered only now, and which of staff wrote it down."""

    at: datetime
    why: str
    by: User


@transaction.atomic
def report(
    *,
    shop: Shop,
    what: str,
    by: User,
    at: datetime,
    sentence: str = "",
    phone: str = "",
    form_key: UUID | None = None,
    origin: str = Origin.PORTAL,
    claim: Claim | None = None,
    details: Details = Details(),
    join: Incident | None = None,
    caller: User | None = None,
    note: str = "",
) -> Incident:
    """File a failure, or join the open incident of the same one; the same `form_key` again returns what it made.

    `claim` is when the client says that it reported (by phone), `caller` who told staff; the clock runs from `at`,
    the receipt. `note` is an internal one.
    Raises Refused where the shop is not watched any more or the incident to join has ended, AlreadyFiled where the key
    came with another body.
    """
    at, phone, details = to_second(at), masked_phone(one_line(phone)), details.clean
    sentence, note = clean_text(sentence), clean_text(note)
    if claim is not None and claim.at > at:
        raise Refused(_("They can't have reported later than now."), "told")
    key = None
    if form_key:
        body = _body(
            shop=shop.pk,
            what=what,
            sentence=sentence,
            phone=phone,
            details=details,
            claim=claim,
            note=note,
            caller=caller and caller.pk,
            join=join and join.nr,
        )
        key = repeats.claim(form_key, by=by, shop=shop, at=at, body=body)
        if key.incident:
            return key.incident
    shop = Shop.objects.select_for_update().select_related("client").get(pk=shop.pk)
    if not shop.is_active:
        raise Refused(_("This shop is no longer looked after. Call us."), "shop")
    same = _to_join(shop, what, join)
    if same:
        person = caller or by
        incident = _join(same, what=what, by=person, at=at, sentence=sentence, claim=claim)
    else:
        incident = _file(
            shop,
            what,
            at,
            by=by,
            sentence=sentence,
            phone=phone,
            origin=origin,
            claim=claim,
            details=details,
            caller=caller,
        )
    if note:
        journal.append(incident, Kind.INTERNAL_NOTE, by=by, at=at, text=note)
        incident.save()
    return repeats.keep(key, incident)


def _body(*, details: Details, claim: Claim | None, **facts: object) -> dict[str, object]:
    """What the key belongs to, as JSON holds it."""
    since = details.occurred_at and to_second(details.occurred_at).astimezone(UTC).isoformat()
    claimed = claim and (to_second(claim.at).astimezone(UTC).isoformat(), claim.why)
    return facts | {
        "since": since,
        "affected": details.affected,
        "page": details.page,
        "order_number": details.order_number,
        "claim": claimed,
    }


def _file(
    shop: Shop,
    what: str,
    at: datetime,
    *,
    by: User,
    sentence: str,
    phone: str,
    origin: str,
    claim: Claim | None,
    details: Details,
    caller: User | None,
) -> Incident:
    """A new incident with its receipt."""
    incident = _create(
        shop,
        what,
        at,
        sentence=sentence,
        phone=phone,
        origin=origin,
        reporter=caller or by,
        reported_at=to_second(claim.at if claim else at),
        details=details,
    )
    facts = {"what": what, "reported_at": incident.reported_at.isoformat(), "origin": origin, **_terms(incident, at)}
    entry = record(
        incident,
        Kind.RECEIVED,
        by=by,
        at=at,
        text=sentence,
        severity=incident.severity,
        channel=origin,
        facts=facts,
        row=ROW,
    )
    _note_claim(incident, claim, at)
    projection.project(incident, at=at)
    notices.tell_of_report(incident, entry, to=caller or by, at=at)
    return incident


def _terms(incident: Incident, at: datetime) -> dict[str, str]:
    """By what the clocks count, for the first line: the terms as they were sealed, the calendars as they stand."""
    terms = seal.terms_of(incident.version_id)
    return {**({"terms": terms} if terms else {}), **projection.stood(incident, at)}


def _note_claim(incident: Incident, claim: Claim | None, at: datetime) -> None:
    """The claimed time on record for both sides, not approved: the clocks run by the server's."""
    if claim is not None:
        facts = {"claimed_at": to_second(claim.at).isoformat(), "zone": incident.zone}
        journal.append(incident, Kind.REPORTED_CLAIM, by=claim.by, at=at, text=clean_line(claim.why), facts=facts)


def _to_join(shop: Shop, what: str, chosen: Incident | None) -> Incident | None:
    active = Incident.objects.active().filter(shop=shop).select_for_update()
    if chosen:
        incident = active.filter(pk=chosen.pk).first()
        if not incident:
            raise Refused(_("That incident has ended; file a new report."), "join")
        return incident
    if what not in JOINS_MONITOR:
        return None
    return active.exclude(failure="").order_by("received_at").first()


def _join(
    incident: Incident,
    *,
    what: str,
    by: User,
    at: datetime,
    sentence: str,
    claim: Claim | None = None,
) -> Incident:
    """The earliest receipt stands; the stricter severity wins; the author gets a receipt and hears the rest."""
    JoinedReport.objects.create(incident=incident, by=by, at=at)
    # Where the contract doesn't let an alarm start the clocks, the first person's report does
    kind = Kind.JOINED if history(incident).state.is_received else Kind.RECEIVED
    is_first_word = incident.reporter_id is None
    if is_first_word:
        incident.reporter = by
    entry = record(
        incident,
        kind,
        by=by,
        at=at,
        text=sentence,
        severity=incident.severity,
        facts={"what": what, **projection.stood(incident, at)},
        row=["reporter_id"] if is_first_word else (),
    )
    _make_stricter(incident, severity_of(incident.version, what), at)
    _note_claim(incident, claim, at)
    question = end_silence(incident, at=at)
    projection.project(incident, at=at)
    notices.tell_of_report(incident, entry, to=by, at=at)
    notices.ask_for_verdict(incident, question, at=at)
    return incident


def _make_stricter(incident: Incident, severity: str, at: datetime) -> None:
    if not severity or (incident.severity and severity >= incident.severity):
        return
    record(
        incident,
        Kind.SEVERITY,
        by=None,
        at=at,
        severity=severity,
        change="worse",
        reason="joined",
        facts=projection.stood(incident, at),
        promise=updates.plan_sooner,
    )


def _create(
    shop: Shop,
    what: str,
    at: datetime,
    *,
    origin: str,
    reported_at: datetime,
    severity: str = "",
    sentence: str = "",
    phone: str = "",
    reporter: User | None = None,
    details: Details = Details(),
    failure: str = "",
) -> Incident:
    """`severity`: what a monitor calls it; the contract's own reading of the sentence goes before it."""
    client = Client.objects.select_for_update().get(pk=shop.client_id)
    client.last_number += 1
    client.save(update_fields=["last_number"])
    version = ContractVersion.objects.in_force(shop, at)
    return Incident.objects.create(
        client=client,
        shop=shop,
        version=version,
        number=client.last_number,
        nr=f"{client.code}-{client.last_number:04d}",
        what=what,
        sentence=sentence,
        severity=agreed_severity(version, what) or severity or USUAL_SEVERITY[what],
        origin=origin,
        reporter=reporter,
        phone=phone,
        occurred_at=details.occurred_at and to_second(details.occurred_at),
        reported_at=reported_at,
        received_at=at,
        affected=details.affected,
        page=details.page,
        order_number=details.order_number,
        possible_leak=what == What.BREAK_IN,
        failure=failure,
        changed_at=at,
    )


@transaction.atomic
def add_details(*, incident: Incident, by: User, at: datetime, details: Details, sentence: str = "") -> Incident:
    """The rest of a report, asked on the receipt. Fills and changes fields; moves no clock."""
    incident, details, sentence = lock(incident), details.clean, clean_text(sentence)
    changed = {
        name: value
        for name in ("occurred_at", "affected", "page", "order_number")
        if (value := getattr(details, name)) and value != getattr(incident, name)
    }
    if sentence and sentence != incident.sentence:
        changed["sentence"] = sentence
    if not changed:
        return incident
    for name, value in changed.items():
        setattr(incident, name, value)
    words = "; ".join(str(value) for value in changed.values())
    at = to_second(at)
    entry = journal.append(
        incident,
        Kind.DETAILS,
        by=by,
        at=at,
        text=words,
        facts={"fields": sorted(changed)},
        row=[name for name in changed if name == "occurred_at"],
    )
    question = None if by.is_provider else end_silence(incident, at=at)
    if question is None:
        incident.save()
        return incident
    projection.project(incident, at=at)
    notices.tell_staff(incident, entry, at=at)
    notices.ask_for_verdict(incident, question, at=at)
    return incident


@transaction.atomic
def open_from_monitor(
    *,
    shop: Shop,
    failure: str,
    what: str,
    severity: str,
    first_failed_at: datetime,
    at: datetime,
    evidence: Mapping[str, Any],
    words: str,
) -> Incident:
    """A confirmed outage: opens an incident, or adds its evidence to the open one of the same failure.

    The clock runs from `at`, the confirmation, where the contract lets monitoring start it; else from a person's
    report. `words` describe the failure in Polish, for staff.
    """
    at = to_second(at)
    shop = Shop.objects.select_for_update().get(pk=shop.pk)
    incident = _known_failure(shop, failure)
    facts: dict[str, Any] = {**evidence, "first_failed_at": to_second(first_failed_at).isoformat(), "failure": failure}
    if incident:
        severity = agreed_severity(incident.version, what) or severity
        return _add_evidence(incident, failure=failure, severity=severity, at=at, facts=facts, words=words)
    incident = _create(
        shop,
        what,
        at,
        severity=severity,
        origin=Origin.MONITOR,
        reported_at=at,
        details=Details(occurred_at=first_failed_at),
        failure=failure,
    )
    runs = incident.version is None or incident.version.monitoring_starts_clock
    kind = Kind.RECEIVED if runs else Kind.ALARM
    entry = record(
        incident,
        kind,
        by=None,
        actor=Actor.MONITOR,
        at=at,
        severity=incident.severity,
        channel="monitor",
        text=words,
        facts={**facts, **_terms(incident, at)},
        row=ROW,
    )
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    notices.tell_staff(incident, entry, at=at)
    return incident


def _known_failure(shop: Shop, failure: str) -> Incident | None:
    """The open incident of this failure, else a client's open report of a shop that does not sell."""
    active = Incident.objects.active().filter(shop=shop).select_for_update().order_by("received_at")
    same = active.filter(failure=failure).first()
    return same or active.filter(failure="", what__in=JOINS_MONITOR).exclude(status=Status.RESOLVED).first()


def _add_evidence(
    incident: Incident, *, failure: str, severity: str, at: datetime, facts: Mapping[str, Any], words: str
) -> Incident:
    stood = incident.is_seen_working
    incident.failure = incident.failure or failure
    entry = record(
        incident,
        Kind.MONITOR_FAILED,
        by=None,
        actor=Actor.MONITOR,
        at=at,
        channel="monitor",
        text=words,
        facts={**facts, **projection.stood(incident, at)},
        row=["failure"],
    )
    _make_stricter(incident, severity, at)
    projection.project(incident, at=at)
    if stood:
        notices.tell_staff(incident, entry, at=at)
    return incident


@transaction.atomic
def note_recovery(
    *, incident: Incident, restored_at: datetime, at: datetime, words: str, evidence: Mapping[str, Any] | None = None
) -> Incident:
    """The monitor sees the shop work again, since the first good check; `evidence` holds the checks.

    While nobody has delivered, the repair's clock stands there and staff are asked to take that time.
    """
    incident, at = lock(incident), to_second(at)
    if incident.status in ENDED:
        return incident
    restored_at = to_second(restored_at)
    stands = incident.status in {Status.NEW, Status.OPEN} and restored_at < at
    ask_at = projection.ask_after(updates.rhythm_for(incident), at) if stands else None
    entry = record(
        incident,
        Kind.MONITOR_RECOVERED,
        by=None,
        actor=Actor.MONITOR,
        at=at,
        effective=restored_at,
        channel="monitor",
        text=words,
        facts={
            **(evidence or {}),
            "restored_at": restored_at.isoformat(),
            "ask_at": ask_at and ask_at.isoformat(),
        },
    )
    projection.project(incident, at=at)
    if stands:
        notices.tell_staff(incident, entry, at=at)
    return incident


def lock(incident: Incident) -> Incident:
    """The row, locked; `of` leaves the joined rows to others."""
    rows = Incident.objects.select_for_update(of=("self",))
    return rows.select_related("client", "shop", "version__contract").get(pk=incident.pk)
