"""What a notice says: its subject, its facts and its two renderings, in the active language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.escalation_text import mark_words
from contracts.models import EscalationStep, TargetKind
from contracts.severities import severity_words
from incidents.anchors import Anchor
from incidents.choices import Actor, PauseReason
from incidents.events import ASKING_CLIENT, EVENTS, RECEIPT, Kind, Words
from incidents.models import ClockRow, Incident, JournalEntry
from incidents.text.clock_sentences import ClockSentence, Reading, SentenceKind, promise_of_contact, repair_to_come
from incidents.text.lead import standing_of
from incidents.text.ongoing_work import ongoing_work
from messaging.models import Channel, Notification
from wording import words
from wording.links import page_link
from wording.texts import one_line

FINGERPRINT = 32  # hex digits, 128 bits: what a person can compare and nobody can forge
ORDER = {"reaction": 0, "restore": 1, "final_fix": 2}


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One clock as a letter says it; `why` is the address of its account while a deadline counts."""

    sentence: str
    question: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader can say to a letter; `link` opens the form that says it, and says nothing by itself."""

    label: str
    link: str


def fingerprint(head: str) -> str:
    """The journal's head as people compare it: groups of four."""
    shown = head[:FINGERPRINT]
    return " ".join(shown[start : start + 4] for start in range(0, len(shown), 4))


def words_for(entry: JournalEntry, person: User) -> Words:
    """Subject and request of a letter about the line, msgids: questions, calls, silence and verdicts have their own."""
    event = EVENTS[Kind(entry.kind)]
    if entry.kind == Kind.RECEIVED and entry.actor == Actor.MONITOR:
        return EVENTS[Kind.ALARM].words
    question = entry.kind == Kind.PAUSED and entry.reason == PauseReason.CLIENT_ANSWER
    ours = entry.kind == Kind.VERDICT_ASKED and person.is_provider
    return event.other if question or ours or entry.is_call or entry.facts.get("silence") else event.words


def about_entry(
    incident: Incident, entry: JournalEntry, person: User, template: str, at: datetime, clocks: Iterable[ClockRow]
) -> tuple[str, dict[str, Any]]:
    """Subject and facts of a letter about one line of the journal, in the active language."""
    texts = Words(subject=RECEIPT) if template == "receipt" else words_for(entry, person)
    by = entry.by.name if entry.by else entry.get_actor_display()
    severity = incident.severity or _("question")
    subject = _(texts.subject) % {"nr": incident.nr, "by": by, "severity": severity}
    # A delivery that counts from an earlier instant is said now
    when = words.when(entry.recorded_at, at, incident.zone, today=False)
    facts = {
        "entry": entry,
        "joined": entry.kind == Kind.JOINED,
        "happened": f"{_sentence(by)}, {when}.",
        "received": f"{words.full_time(entry.at, incident.zone)}.",
        "words_of": _words(incident, entry),
        "asks": _(texts.asks) if texts.asks else "",
        "answers": _answers(incident, entry, person),
    }
    if template == "receipt":
        facts["ongoing_work"] = ongoing_work(incident, at, today=False)
    return subject, base(incident, person, at, clocks, receipt=template == "receipt") | facts | {"subject": subject}


def _words(incident: Incident, entry: JournalEntry) -> str:
    """The person's words; a report's own sentence stands in the letter already."""
    if entry.kind == Kind.SEVERITY:
        old = entry.facts.get("old") or _("question")
        change = _("Severity changed from %(old)s to %(new)s.") % {"old": old, "new": entry.severity}
        return f"{change}\n\n{entry.text}".strip()
    return "" if entry.text == incident.sentence else entry.text


def _answers(incident: Incident, entry: JournalEntry, person: User) -> list[Answer]:
    """Yes and no, where the client is asked whether it works."""
    if entry.kind not in ASKING_CLIENT or person.is_provider:
        return []
    return [
        Answer(_("It works"), f"{page_link('incident-accept', nr=incident.nr)}#check"),
        Answer(_("Still broken"), f"{page_link('incident-reject', nr=incident.nr)}#reject"),
    ]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def base(
    incident: Incident, person: User, at: datetime, clocks: Iterable[ClockRow], *, receipt: bool = False
) -> dict[str, Any]:
    """What every letter carries: the incident, its clocks, the way in, the on-call phone and the journal's head."""
    link = page_link("incident", nr=incident.nr)
    local = at.astimezone(words.as_zone(incident.zone))
    label = _("Severity %(severity)s, %(words)s.") % {
        "severity": incident.severity,
        "words": severity_words(incident.version, incident.severity) if incident.severity else "",
    }
    symptom = f"{incident.get_what_display()}."
    return {
        "incident": incident,
        "person": person,
        "now": at,
        "zone": incident.zone,
        "zone_words": f"{incident.zone} ({local.tzname()})",
        "said": f"{symptom} {incident.sentence}".strip(),
        "severity_words": label if incident.severity else _("Question or change, without an SLA clock."),
        "promises": _promises(incident, list(clocks), person, at, link, receipt=receipt),
        "duty_phone": settings.DUTY_PHONE,
        "provider": settings.PROVIDER_NAME,
        "link": link,
        "account": page_link("account"),
        "fingerprint": fingerprint(incident.journal_head),
    }


def _promises(
    incident: Incident, clocks: list[ClockRow], person: User, at: datetime, link: str, *, receipt: bool
) -> list[ClockLine]:
    """How it stands, the other clocks, and the repair whose clock waits for an act of ours, in the pages' sentences.

    A receipt promises in the order in which it will happen.
    """
    # A letter is read some other day
    reading = Reading(at, incident.zone, for_client=not person.is_provider, today=False)
    rows = {row.target: row for row in clocks}
    stands = standing_of(incident, clocks, reading)
    sentences = [stands.lead, *stands.clocks]
    if receipt and stands.lead.kind == SentenceKind.CLOCK:
        sentences = [
            promise_of_contact(clock, rows[clock.target], reading) if clock.target == TargetKind.REACTION else clock
            for clock in sorted(sentences, key=lambda clock: ORDER[clock.target])
        ]
    to_come = repair_to_come(incident, clocks)
    lines = [_clock_line(sentence, rows.get(sentence.target), reading, link) for sentence in sentences]
    return [*lines, *([ClockLine(to_come)] if to_come else [])]


def _clock_line(sentence: ClockSentence, row: ClockRow | None, reading: Reading, link: str) -> ClockLine:
    """`Repair by 12:12, left 3 h 59 min`, with the way to its explanation while a deadline counts."""
    if row is None or row.deadline is None or row.stopped_at or row.seen_at:
        return ClockLine(sentence.plain)
    question = _("Why %(hour)s?") % {"hour": words.clock_time(row.deadline, reading.zone)}
    return ClockLine(sentence.plain, question, f"{link}why/{row.target}/")


def about_step(
    incident: Incident, step: EscalationStep, person: User, sentence: str, at: datetime, clocks: Iterable[ClockRow]
) -> tuple[str, dict[str, Any]]:
    words = _("%(nr)s: %(share)s %% of the %(target)s time used")
    if step.share is None:
        words = _("%(nr)s: %(mark)s, %(target)s")
    facts = {"share": step.share, "mark": mark_words(step.mark), "target": step.get_target_display()}
    subject = words % {"nr": incident.nr, **facts}
    return subject, base(incident, person, at, clocks) | {"subject": subject, "sentence": sentence, "step": step}


def to_administrator(
    incident: Incident, person: User, since: datetime, staff: Iterable[User], at: datetime
) -> tuple[str, dict[str, Any]]:
    """Number, time and whom to call: an administrator reads no word of the client, not even the shop's name."""
    subject = _("%(nr)s: nobody could be told, please call") % {"nr": incident.nr}
    calls = [f"{user.name} {user.phone}" for user in _callable(incident, staff)]
    local = since.astimezone(words.as_zone(incident.zone))
    facts = {
        "person": person,
        "since": words.full_time(since, incident.zone),
        "zone_words": f"{incident.zone} ({local.tzname()})",
        "calls": calls or [_("the on-call phone %(phone)s") % {"phone": settings.DUTY_PHONE}],
        "provider": settings.PROVIDER_NAME,
        "link": page_link("settings-health"),
        "subject": subject,
    }
    return subject, facts


def _callable(incident: Incident, staff: Iterable[User]) -> list[User]:
    """Who works incidents and has a number: the assignee, those on call, the rest."""
    reachable = [user for user in staff if user.works_incidents and user.phone]
    return sorted(reachable, key=lambda user: (user.pk != incident.assignee_id, not user.on_call, user.pk))


def where(channel: str, link: str) -> str:
    """Where a phone says to look: a text by its link, a call in words."""
    return _("Please look into the portal.") if channel == Channel.VOICE else link


def fill(row: Notification, template: str, letter: tuple[str, dict[str, Any]], anchor: Anchor | None = None) -> None:
    """Give a row of the outbox its words, which take the newest anchor along as its witness.

    A phone gets no names and no details: the subject, and whom to call, else the link, which a call can't read out.
    """
    row.subject, facts = one_line(letter[0]), letter[1]
    context = facts | {"anchor": anchor, "anchor_fingerprint": fingerprint(anchor.hash) if anchor else ""}
    if row.channel != Channel.EMAIL:
        calls = ", ".join(context.get("calls", ()))
        row.body = f"{row.subject}. {calls or where(row.channel, context['link'])}"
        return
    row.body = render_to_string(f"incidents/mail/{template}.txt", context)
    row.html = render_to_string(f"incidents/mail/{template}.html", context)
