"""The vocabulary of the journal: every kind of event, with what it does and what people read of it. Pure.

A new kind is one member of `Kind`, one row of EVENTS and a migration of the journal's constraint. Sentences are English
msgids for the catalogue; only `incidents.text` translates them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a line of the journal tells of; the database allows no other."""

    RECEIVED = "received"
    RECEIVED_EARLIER = "received_earlier"
    ALARM = "alarm"
    JOINED = "joined"
    DETAILS = "details"
    REPORTED_CLAIM = "reported_claim"
    CONTACT = "contact"
    AUTO_REPLY = "auto_reply"
    INTERNAL_NOTE = "internal_note"
    CLIENT_MESSAGE = "client_message"
    ESCALATION_ASKED = "escalation_asked"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    READER_LEFT = "reader_left"
    PAUSED = "paused"
    RESUMED = "resumed"
    WORK_STARTED = "work_started"
    BACKUP = "backup"
    BACKUP_SKIPPED = "backup_skipped"
    WORKAROUND = "workaround"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    VERDICT_ASKED = "verdict_asked"
    SEVERITY = "severity"
    WITHDRAWAL_AGREED = "withdrawal_agreed"
    CANCELLED = "cancelled"
    MERGED_INTO = "merged_into"
    MONITOR_FAILED = "monitor_failed"
    MONITOR_RECOVERED = "monitor_recovered"
    RECOVERY_ASKED = "recovery_asked"
    RECOVERY_DENIED = "recovery_denied"
    UPDATE_MISSED = "update_missed"
    ESCALATED = "escalated"
    UNHEARD = "unheard"
    BREACH = "breach"
    BREACH_VOID = "breach_void"
    BREACH_CONFIRMED = "breach_confirmed"
    BREACH_EXCLUDED = "breach_excluded"
    BREACH_SECONDED = "breach_seconded"
    BREACH_REOPENED = "breach_reopened"
    SWEEP_FAILED = "sweep_failed"
    CALENDAR_KEPT = "calendar_kept"
    VOUCHED = "vouched"
    FORGOTTEN = "forgotten"
    SEALED = "sealed"


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for the catalogue, as Django's function of that name does."""
    return sentence


@dataclass(frozen=True, slots=True)
class Words:
    """What people read of one case of a kind. `line`: an event in one line of the journal.

    `note`: beside the name of a person whose words the entry holds, `client_note` the same for the client, to whom
    "to the client" is no news. `subject` and `asks`: of its letter, and what the letter asks for.
    """

    line: str = ""
    note: str = ""
    client_note: str = ""
    subject: str = ""
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind. What it does to the incident is `incidents.state`'s, of these columns:

    `contact`: a person's substantive word to the client. `delivery`: it works again, which the client accepts or
    rejects. `backup`: answers whether there is one before the repair. `ends_as`: the status after it, and every pause
    ends. `moves`: can move a clock; `passes`: the clocks know it and pass over it. `dated_back`: may count from an
    instant before it was said.
    `public`: the client reads it. `informs`: staff are told and need not act. `asks_client`: the client has to act.
    `speech`: a person's words, else an event. `mark`: a page reads it of however long a journal, to tell what was
    asked, delivered and seen. `evidence`: of what made a clock what it is. `overtakes`: done by another person, it
    changes what a form in hand is about. `failure`: our monitor may say by it that it saw the failure. `decision`: of
    a manager on a breach, with amounts. `forgets`: words of earlier lines went by it. `seal`: only whole journals show
    it.
    `words`, and `other` in its other case: accepted by silence, handed over by somebody who leaves, told to nobody,
    said on the phone, a question to the client, the verdict as staff hear of it.
    """

    words: Words
    other: Words = Words()
    contact: bool = False
    delivery: bool = False
    backup: bool = False
    ends_as: str = ""
    moves: bool = False
    passes: bool = False
    dated_back: bool = False
    public: bool = True
    informs: bool = False
    asks_client: bool = False
    speech: bool = False
    mark: bool = False
    evidence: bool = False
    overtakes: bool = False
    failure: bool = False
    decision: bool = False
    forgets: bool = False
    seal: bool = False


TAKE_OR_DENY = gettext_noop("Take the time that the monitor saw, or say that it does not work.")
EVENTS: dict[Kind, Meaning] = {
    Kind.RECEIVED: Meaning(
        Words(
            line=gettext_noop("Report received (%(channel)s)"),
            subject=gettext_noop("%(nr)s: new report, %(severity)s"),
        ),
        moves=True,
        mark=True,
        evidence=True,
        failure=True,
    ),
    Kind.RECEIVED_EARLIER: Meaning(
        Words(line=gettext_noop("The report had been received earlier (%(channel)s)")), moves=True
    ),
    Kind.ALARM: Meaning(
        Words(
            line=gettext_noop("Our monitor sees a failure"),
            subject=gettext_noop("%(nr)s: our monitor sees a failure"),
        ),
        mark=True,
        failure=True,
    ),
    Kind.JOINED: Meaning(
        Words(
            line=gettext_noop("%(by)s reported the same failure"),
            subject=gettext_noop("%(nr)s: the client reports it too"),
        ),
    ),
    Kind.DETAILS: Meaning(
        Words(
            line=gettext_noop("%(by)s added details"),
            subject=gettext_noop("%(nr)s: the client added details"),
        )
    ),
    Kind.REPORTED_CLAIM: Meaning(
        Words(line=gettext_noop("%(by)s: the client says that it reported %(claimed)s (not approved)")), mark=True
    ),
    Kind.CONTACT: Meaning(
        Words(note=gettext_noop("to the client"), subject=gettext_noop("%(nr)s: message from %(by)s")),
        other=Words(
            note=gettext_noop("on the phone with the client"),
            client_note=gettext_noop("on the phone"),
            subject=gettext_noop("%(nr)s: what %(by)s said on the phone"),
        ),
        contact=True,
        moves=True,
        speech=True,
        overtakes=True,
    ),
    Kind.AUTO_REPLY: Meaning(Words(line=gettext_noop("Receipt sent")), passes=True),
    Kind.INTERNAL_NOTE: Meaning(Words(note=gettext_noop("internal note")), passes=True, public=False, speech=True),
    Kind.CLIENT_MESSAGE: Meaning(
        Words(note=gettext_noop("client"), subject=gettext_noop("%(nr)s: the client answered")),
        passes=True,
        speech=True,
        overtakes=True,
    ),
    Kind.ESCALATION_ASKED: Meaning(
        Words(
            line=gettext_noop("%(by)s asked for a manager"),
            subject=gettext_noop("%(nr)s: the client asks for a manager"),
        )
    ),
    Kind.ASSIGNED: Meaning(
        Words(line=gettext_noop("Handed to %(name)s"), subject=gettext_noop("%(nr)s is yours now")),
        other=Words(line=gettext_noop("Handed to %(name)s: whoever had it works on no incidents any more")),
        public=False,
    ),
    Kind.UNASSIGNED: Meaning(
        Words(
            line=gettext_noop("Whoever had it works on no incidents any more: waits for the people on call"),
            subject=gettext_noop("%(nr)s: nobody has it any more, please take it"),
        ),
        public=False,
    ),
    Kind.READER_LEFT: Meaning(
        Words(line=gettext_noop("A reader's rights have ended, letters go to: %(people)s")),
        other=Words(line=gettext_noop("A reader's rights have ended, nobody of the client gets letters now")),
    ),
    Kind.PAUSED: Meaning(
        Words(
            note=gettext_noop("stops the clock: %(reason)s"),
            client_note=gettext_noop("the clock stands: %(reason)s"),
            subject=gettext_noop("%(nr)s: the clock stands"),
        ),
        other=Words(
            subject=gettext_noop("%(nr)s: we need your answer"), asks=gettext_noop("The clock stands until you answer.")
        ),
        contact=True,
        moves=True,
        speech=True,
        mark=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.RESUMED: Meaning(
        Words(line=gettext_noop("The clock runs again (it stood: %(reason)s)")),
        moves=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.WORK_STARTED: Meaning(
        Words(
            line=gettext_noop("%(by)s started work"),
            subject=gettext_noop("%(nr)s: work has started"),
            asks=gettext_noop("By your contract the repair's time counts from now."),
        ),
        moves=True,
        mark=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.BACKUP: Meaning(Words(line=gettext_noop("Backup ready: %(where)s")), backup=True),
    Kind.BACKUP_SKIPPED: Meaning(Words(line=gettext_noop("No backup before the repair")), backup=True, mark=True),
    Kind.WORKAROUND: Meaning(
        Words(
            note=gettext_noop("workaround"),
            client_note=gettext_noop("workaround"),
            subject=gettext_noop("%(nr)s: the shop sells again, by a workaround"),
            asks=gettext_noop("If it doesn't work like this, say so: the repair time goes on."),
        ),
        contact=True,
        delivery=True,
        ends_as="workaround",
        moves=True,
        dated_back=True,
        asks_client=True,
        speech=True,
        mark=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.RESOLVED: Meaning(
        Words(
            note=gettext_noop("fixed"),
            client_note=gettext_noop("fixed"),
            subject=gettext_noop("%(nr)s: fixed, please check"),
            asks=gettext_noop("Does it work now? Confirm, or say what is still broken."),
        ),
        contact=True,
        delivery=True,
        ends_as="resolved",
        moves=True,
        dated_back=True,
        asks_client=True,
        speech=True,
        mark=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.REJECTED: Meaning(
        Words(
            note=gettext_noop("still broken"),
            client_note=gettext_noop("still broken"),
            subject=gettext_noop("%(nr)s: the client says it is still broken"),
        ),
        moves=True,
        speech=True,
        mark=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.ACCEPTED: Meaning(
        Words(line=gettext_noop("%(by)s confirmed"), subject=gettext_noop("%(nr)s: the client confirmed")),
        other=Words(line=gettext_noop("Accepted by silence"), subject=gettext_noop("%(nr)s: closed, nobody objected")),
        moves=True,
        informs=True,
        mark=True,
    ),
    Kind.CLOSED: Meaning(Words(line=gettext_noop("The incident was closed")), moves=True),
    Kind.VERDICT_ASKED: Meaning(
        Words(
            line=gettext_noop("We asked the client: does it work? Silence no longer closes it"),
            subject=gettext_noop("%(nr)s: does it work? We need your yes or no"),
            asks=gettext_noop(
                "You wrote after the repair, so silence no longer closes the incident. "
                "Say that it works, or send it back."
            ),
        ),
        other=Words(subject=gettext_noop("%(nr)s: the client wrote after the repair")),
        asks_client=True,
    ),
    Kind.SEVERITY: Meaning(
        Words(
            line=gettext_noop("Severity: %(severity)s"),
            subject=gettext_noop("%(nr)s: severity %(severity)s"),
        ),
        moves=True,
        evidence=True,
        overtakes=True,
    ),
    Kind.WITHDRAWAL_AGREED: Meaning(Words(line=gettext_noop("%(by)s: the report may be withdrawn")), mark=True),
    Kind.CANCELLED: Meaning(
        Words(
            line=gettext_noop("%(by)s withdrew the report"),
            subject=gettext_noop("%(nr)s: the client withdrew the report"),
        ),
        ends_as="cancelled",
        moves=True,
        informs=True,
    ),
    Kind.MERGED_INTO: Meaning(Words(line=gettext_noop("Merged into another incident")), ends_as="merged", moves=True),
    Kind.MONITOR_FAILED: Meaning(
        Words(
            line=gettext_noop("Our monitor sees the failure too"),
            subject=gettext_noop("%(nr)s: it fails again, the repair's time runs"),
        ),
        moves=True,
        mark=True,
        evidence=True,
        failure=True,
    ),
    Kind.MONITOR_RECOVERED: Meaning(
        Words(
            line=gettext_noop("Our monitor sees the shop work again"),
            subject=gettext_noop("%(nr)s: our monitor sees it work, please say whether it does"),
            asks=TAKE_OR_DENY,
        ),
        moves=True,
        dated_back=True,
        evidence=True,
    ),
    Kind.RECOVERY_ASKED: Meaning(
        Words(
            line=gettext_noop("Staff were asked whether it works, as the monitor sees it"),
            subject=gettext_noop("%(nr)s: does it work? The repair's clock stands until you say"),
            asks=TAKE_OR_DENY,
        ),
        public=False,
    ),
    Kind.RECOVERY_DENIED: Meaning(
        Words(
            line=gettext_noop("%(by)s: it does not work yet, the repair's time counts as if it had never stood"),
            subject=gettext_noop("%(nr)s: it does not work yet, the repair's time runs"),
        ),
        moves=True,
        evidence=True,
    ),
    Kind.UPDATE_MISSED: Meaning(
        Words(
            line=gettext_noop("The promised update was not sent in time"),
            subject=gettext_noop("%(nr)s: the promised update is late"),
        )
    ),
    Kind.ESCALATED: Meaning(
        Words(line=gettext_noop("%(mark)s: told %(people)s")),
        other=Words(line=gettext_noop("%(mark)s: nobody could be told")),
    ),
    Kind.UNHEARD: Meaning(Words(line=gettext_noop("Nobody could be told")), public=False),
    Kind.BREACH: Meaning(Words(line=gettext_noop("Deadline missed: %(target)s"))),
    Kind.BREACH_VOID: Meaning(
        Words(line=gettext_noop("The deadline was kept after all: %(target)s. The monitor's checks came later"))
    ),
    Kind.BREACH_CONFIRMED: Meaning(
        Words(line=gettext_noop("Breach confirmed: %(target)s")), public=False, decision=True
    ),
    Kind.BREACH_EXCLUDED: Meaning(
        Words(line=gettext_noop("Part of the delay excluded: %(target)s, %(reason)s")), public=False, decision=True
    ),
    Kind.BREACH_SECONDED: Meaning(
        Words(line=gettext_noop("The second person agrees with the decision: %(target)s")), public=False, decision=True
    ),
    Kind.BREACH_REOPENED: Meaning(
        Words(line=gettext_noop("%(by)s took the decision back: %(target)s")), public=False, decision=True
    ),
    Kind.SWEEP_FAILED: Meaning(Words(line=gettext_noop("The clocks could not be counted")), public=False),
    Kind.CALENDAR_KEPT: Meaning(
        Words(line=gettext_noop("The deadlines keep the days by which they were counted: %(dates)s")), moves=True
    ),
    Kind.VOUCHED: Meaning(
        Words(
            line=gettext_noop("Put on record at the upgrade: what the report's row and the contract's terms were then")
        ),
        forgets=True,
        seal=True,
    ),
    Kind.FORGOTTEN: Meaning(
        Words(line=gettext_noop("Words and data of people were removed for good from entries %(entries)s")),
        public=False,
        forgets=True,
    ),
    Kind.SEALED: Meaning(
        Words(line=gettext_noop("Journal sealed: names left the fingerprints of %(entries)s entries before it")),
        seal=True,
    ),
}
RECEIPT = gettext_noop("%(nr)s: we received your report")
"""The subject of the author's copy of a report, whichever kind of line it made."""


def _where(column: Callable[[Meaning], object]) -> frozenset[Kind]:
    return frozenset(kind for kind, meaning in EVENTS.items() if column(meaning))


CONTACTS = _where(lambda meaning: meaning.contact)
DELIVERIES = _where(lambda meaning: meaning.delivery)
BACKUPS = _where(lambda meaning: meaning.backup)
MOVING = _where(lambda meaning: meaning.moves)
"""The kinds that can move a clock: whoever counts reads these, and passes over words however many there are."""
COUNTED = _where(lambda meaning: meaning.moves or meaning.passes)
DATED_BACK = _where(lambda meaning: meaning.dated_back)
INFORMING = _where(lambda meaning: meaning.informs)
ASKING_CLIENT = _where(lambda meaning: meaning.asks_client)
SPEECH = _where(lambda meaning: meaning.speech)
MARKS = _where(lambda meaning: meaning.mark)
EVIDENCE = _where(lambda meaning: meaning.evidence)
OVERTAKING = _where(lambda meaning: meaning.overtakes)
FAILURES = _where(lambda meaning: meaning.failure)
DECISIONS = _where(lambda meaning: meaning.decision)
FORGETTING = _where(lambda meaning: meaning.forgets)
SEALS = _where(lambda meaning: meaning.seal)
