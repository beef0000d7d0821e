"""What a notice says: its subject, its facts and its two renderings, in the active language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from contracts.models import EscalationStep
from incidents.anchors import Anchor
from incidents.choices import Actor, ClockState, PauseReason, Status
from incidents.models import ClockRow, Incident, JournalEntry, Notification
from incidents.text.clock_sentences import repair_to_come
from messaging.models import Channel
from wording import words
from wording.texts import one_line

FINGERPRINT = 32  # hex digits, 128 bits: what a person can compare and nobody can forge
SUBJECTS: dict[str, str | Promise] = {
    "verdict_asked": gettext_lazy("%(nr)s: does it work? We need your yes or no"),
    "client_wrote": gettext_lazy("%(nr)s: the client wrote after the repair"),
    "details": gettext_lazy("%(nr)s: the client added details"),
    "receipt": gettext_lazy("%(nr)s: we received your report"),
    "received": gettext_lazy("%(nr)s: new report, %(severity)s"),
    "alarm": gettext_lazy("%(nr)s: our monitor sees a failure"),
    "joined": gettext_lazy("%(nr)s: the client reports it too"),
    "contact": gettext_lazy("%(nr)s: message from %(by)s"),
    "work_started": gettext_lazy("%(nr)s: work has started"),
    "monitor_recovered": gettext_lazy("%(nr)s: our monitor sees it work, please say whether it does"),
    "recovery_asked": gettext_lazy("%(nr)s: does it work? The repair's clock stands until you say"),
    "recovery_denied": gettext_lazy("%(nr)s: it does not work yet, the repair's time runs"),
    "monitor_failed": gettext_lazy("%(nr)s: it fails again, the repair's time runs"),
    "paused": gettext_lazy("%(nr)s: the clock stands"),
    "question": gettext_lazy("%(nr)s: we need your answer"),
    "workaround": gettext_lazy("%(nr)s: the shop sells again, by a workaround"),
    Status.RESOLVED.value: gettext_lazy("%(nr)s: fixed, please check"),
    "severity": gettext_lazy("%(nr)s: category %(severity)s"),
    "client_message": gettext_lazy("%(nr)s: the client answered"),
    "rejected": gettext_lazy("%(nr)s: the client says it is still broken"),
    "accepted": gettext_lazy("%(nr)s: the client confirmed"),
    "silence": gettext_lazy("%(nr)s: closed, nobody objected"),
    "cancelled": gettext_lazy("%(nr)s: the client withdrew the report"),
    "assigned": gettext_lazy("%(nr)s is yours now"),
    "unassigned": gettext_lazy("%(nr)s: nobody has it any more, please take it"),
    "escalation_asked": gettext_lazy("%(nr)s: the client asks for a manager"),
    "update_missed": gettext_lazy("%(nr)s: the promised update is late"),
}
TAKE_OR_DENY = gettext_lazy("Take the time that the monitor saw, or say that it does not work.")
ASKS: dict[str, str | Promise] = {
    "verdict_asked": gettext_lazy(
        "You wrote after the repair, so silence no longer closes the incident. Say that it works, or send it back."
    ),
    "question": gettext_lazy("The clock stands until you answer."),
    "monitor_recovered": TAKE_OR_DENY,
    "recovery_asked": TAKE_OR_DENY,
    "work_started": gettext_lazy("By your contract the repair's time counts from now."),
    Status.RESOLVED.value: gettext_lazy("Does it work now? Confirm, or say what is still broken."),
    "workaround": gettext_lazy("If it doesn't work like this, say so: the repair time goes on."),
}
RUNS: dict[str, str | Promise] = {
    "reaction": gettext_lazy("We answer by %(when)s"),
    "restore": gettext_lazy("Repair by %(when)s"),
    "final_fix": gettext_lazy("Final fix by %(when)s"),
}
STANDS: dict[str, str | Promise] = {
    "reaction": gettext_lazy("Answer: the clock stands, %(left)s left"),
    "restore": gettext_lazy("Repair: the clock stands, %(left)s left"),
    "final_fix": gettext_lazy("Final fix: the clock stands, %(left)s left"),
}
PASSED: dict[str, str | Promise] = {
    "reaction": gettext_lazy("Answer: the deadline passed, %(when)s"),
    "restore": gettext_lazy("Repair: the deadline passed, %(when)s"),
    "final_fix": gettext_lazy("Final fix: the deadline passed, %(when)s"),
}
IN_TIME: dict[str, str | Promise] = {
    "reaction": gettext_lazy("Answered in time, %(when)s"),
    "restore": gettext_lazy("Repaired in time, %(when)s"),
    "final_fix": gettext_lazy("Finally fixed in time, %(when)s"),
}
TOO_LATE: dict[str, str | Promise] = {
    "reaction": gettext_lazy("Answered %(when)s, %(late)s late"),
    "restore": gettext_lazy("Repaired %(when)s, %(late)s late"),
    "final_fix": gettext_lazy("Finally fixed %(when)s, %(late)s late"),
}
ORDER = {"reaction": 0, "restore": 1, "final_fix": 2}


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One clock as a letter says it; `why` is the address of its account while a deadline counts."""

    sentence: str
    question: str = ""
    why: str = ""


def fingerprint(head: str) -> str:
    """The journal's head as people compare it: groups of four."""
    shown = head[:FINGERPRINT]
    return " ".join(shown[start : start + 4] for start in range(0, len(shown), 4))


def subject_key(entry: JournalEntry, template: str) -> str:
    if template == "receipt":
        return "receipt"
    if entry.kind == "paused" and entry.reason == PauseReason.CLIENT_ANSWER:
        return "question"
    if entry.kind == "received" and entry.actor == Actor.MONITOR:
        return "alarm"
    return "silence" if entry.facts.get("silence") else entry.kind


def about_entry(
    incident: Incident, entry: JournalEntry, person: User, template: str, at: datetime, clocks: Iterable[ClockRow]
) -> tuple[str, dict[str, Any]]:
    """Subject and facts of a letter about one line of the journal, in the active language."""
    key = subject_key(entry, template)
    if key == "verdict_asked" and person.is_provider:
        key = "client_wrote"
    by = entry.by.name if entry.by else entry.get_actor_display()
    severity = incident.severity or _("question")
    subject = str(SUBJECTS[key]) % {"nr": incident.nr, "by": by, "severity": severity}
    # A delivery that counts from an earlier instant is said now
    when = words.when(entry.recorded_at, at, incident.zone, today=False)
    facts = {
        "entry": entry,
        "joined": entry.kind == "joined",
        "happened": f"{_sentence(by)}, {when}.",
        "received": f"{words.full_time(entry.at, incident.zone)}.",
        "words_of": _words(incident, entry),
        "asks": str(ASKS.get(key, "")),
    }
    return subject, base(incident, person, at, clocks) | facts | {"subject": subject}


def _words(incident: Incident, entry: JournalEntry) -> str:
    """The person's words; a report's own sentence stands in the letter already."""
    if entry.kind == "severity":
        old = entry.facts.get("old") or _("question")
        change = _("Category changed from %(old)s to %(new)s.") % {"old": old, "new": entry.severity}
        return f"{change}\n\n{entry.text}".strip()
    return "" if entry.text == incident.sentence else entry.text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def base(incident: Incident, person: User, at: datetime, clocks: Iterable[ClockRow]) -> dict[str, Any]:
    """What every letter carries: the incident, its clocks, the way in, the duty phone and the journal's head."""
    link = f"{settings.BASE_URL}/incidents/{incident.nr}/"
    local = at.astimezone(words.as_zone(incident.zone))
    label = _("Category %(severity)s, %(words)s.") % {
        "severity": incident.severity, "words": incident.get_severity_display(),
    }  # fmt: skip
    what = f"{incident.get_what_display()}."
    return {
        "incident": incident,
        "person": person,
        "now": at,
        "zone": incident.zone,
        "zone_words": f"{incident.zone} ({local.tzname()})",
        "said": f"{what} {incident.sentence}".strip(),
        "category": label if incident.severity else _("Question or change, without an SLA clock."),
        "promises": _promises(incident, list(clocks), at, link),
        "duty_phone": settings.DUTY_PHONE,
        "provider": settings.PROVIDER_NAME,
        "link": link,
        "account": f"{settings.BASE_URL}/account/",
        "fingerprint": fingerprint(incident.journal_head),
    }


def _promises(incident: Incident, clocks: list[ClockRow], at: datetime, link: str) -> list[ClockLine]:
    """The clocks that run or ran, and the repair whose clock waits for an act of ours."""
    lines = [clock_line(row, at, incident.zone, link) for row in _shown(clocks)]
    to_come = repair_to_come(incident, clocks)
    return [*lines, ClockLine(to_come)] if to_come else lines


def _shown(clocks: Iterable[ClockRow]) -> list[ClockRow]:
    live = [row for row in clocks if row.state != ClockState.NOT_RUNNING]
    return sorted(live, key=lambda row: ORDER[row.target])


def clock_line(row: ClockRow, now: datetime, zone: str, link: str) -> ClockLine:
    """`Repair by today 12:12`, with the way to its account."""
    if row.stopped_at:
        said, when = (
            (IN_TIME if row.state == ClockState.MET else TOO_LATE),
            words.when(row.stopped_at, now, zone, today=False),
        )
        return ClockLine(str(said[row.target]) % {"when": when, "late": words.span(row.late or 0)})
    if row.seen_at is not None:
        since = words.when(row.seen_at, now, zone, "genitive", today=False)
        return ClockLine(_("Repair: works since %(when)s, seen by our monitor") % {"when": since})
    if row.deadline is None:
        return ClockLine(str(STANDS[row.target]) % {"left": words.span(max(row.left or 0, 0))})
    said = PASSED if row.state == ClockState.BREACHED else RUNS
    case: words.Case = "nominative" if row.state == ClockState.BREACHED else "genitive"
    question = _("Why %(hour)s?") % {"hour": words.clock_time(row.deadline, zone)}
    sentence = str(said[row.target]) % {"when": words.when(row.deadline, now, zone, case, today=False)}
    return ClockLine(sentence, question, f"{link}why/{row.target}/")


def about_step(
    incident: Incident, step: EscalationStep, person: User, sentence: str, at: datetime, clocks: Iterable[ClockRow]
) -> tuple[str, dict[str, Any]]:
    subject = _("%(nr)s: %(share)s %% of the %(target)s time used") % {
        "nr": incident.nr, "share": step.share, "target": step.get_target_display(),
    }  # fmt: skip
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
        "calls": calls or [_("the duty phone %(phone)s") % {"phone": settings.DUTY_PHONE}],
        "provider": settings.PROVIDER_NAME,
        "link": f"{settings.BASE_URL}/settings/health/",
        "subject": subject,
    }
    return subject, facts


def _callable(incident: Incident, staff: Iterable[User]) -> list[User]:
    """Who works incidents and has a number: the assignee, those on duty, the rest."""
    known = [user for user in staff if user.works_incidents and user.phone]
    return sorted(known, key=lambda user: (user.pk != incident.assignee_id, not user.on_duty, user.pk))


def fill(
    row: Notification, template: str, letter: tuple[str, dict[str, Any]], anchor: Anchor | None = None
) -> Notification:
    """The words of a row of the outbox, which take the newest anchor along as its witness.

    A phone gets no names and no details: the subject, and the link or a number.
    """
    row.subject, facts = one_line(letter[0]), letter[1]
    context = facts | {"anchor": anchor, "anchor_fingerprint": fingerprint(anchor.hash) if anchor else ""}
    if row.channel != Channel.EMAIL:
        row.body = f"{row.subject}. {', '.join(context.get('calls', ())) or context['link']}"
        return row
    row.body = render_to_string(f"incidents/mail/{template}.txt", context)
    row.html = render_to_string(f"incidents/mail/{template}.html", context)
    return row
