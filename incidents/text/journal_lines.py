"""What a line of the journal says to people: a person's words in a block, an event in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import get_language, gettext_noop, ngettext
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.escalation_text import mark_reached
from contracts.models import ExclusionReason, Severity, TargetKind
from contracts.severities import What
from contracts.vocabulary import Mark
from incidents.choices import Actor, Origin, PauseReason
from incidents.events import DECISIONS, EVENTS, SEALS, SPEECH, Kind, Meaning, Words
from incidents.models import JournalEntry
from incidents.notices.reach import Bar
from messaging.models import Channel
from wording import words

EMPTY = {
    "duty": gettext_noop("nobody is on call"),
    "manager": gettext_noop("there is no manager"),
    "owner": gettext_noop("the client has no owner"),
}
WAITS_FOR_YOU = gettext_noop("waiting for your answer")
Names = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Line:
    """`style` is the list item's class; `title` the bold name, `note` what kind of word it is, `text` the words."""

    entry: JournalEntry
    style: str
    title: str
    note: str
    text: str

    @property
    def at(self) -> datetime:
        """What a person said, when it was said; an event, when it happened."""
        return self.entry.recorded_at if self.entry.kind in SPEECH else self.entry.at


def names_of(entries: Iterable[JournalEntry]) -> dict[int, str]:
    """User id → name, of the people that entries' facts name by id; no query where they name none."""
    ids = {pk for entry in entries for pk in _ids(entry) if pk}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def _ids(entry: JournalEntry) -> Iterator[int | None]:
    yield entry.facts.get("to")
    yield from entry.facts.get("people", ())
    yield from (pk for pk, _channel, _bar in entry.facts.get("missed", ()))


def lines(
    entries: Iterable[JournalEntry],
    *,
    for_client: bool = False,
    whole: bool = False,
    contact_at: datetime | None = None,
    money: bool = False,
) -> list[Line]:
    """The newest first, as pages show a journal; pass only what the reader may see. `whole`: seals too.

    `contact_at` is the first contact, which is marked as the reaction. `money`: the reader may see amounts.
    """
    ordered = sorted((entry for entry in entries if whole or entry.kind not in SEALS), key=lambda entry: -entry.seq)
    names = names_of(ordered)
    if for_client:
        return [_client_line(entry, names) for entry in ordered]
    reactions = (entry.seq for entry in ordered if entry.kind == Kind.CONTACT and entry.recorded_at == contact_at)
    first = min(reactions, default=0)
    return [_line(entry, names, is_reaction=entry.seq == first, money=money) for entry in ordered]


def _client_line(entry: JournalEntry, names: Names) -> Line:
    """A monitor's words are evidence for staff; the client reads the event."""
    if entry.kind in SPEECH:
        facts = _facts(entry, names)
        if entry.reason == PauseReason.CLIENT_ANSWER:
            facts["reason"] = _(WAITS_FOR_YOU)
        note = _words(entry).client_note
        return Line(entry, _style(entry), str(entry.by or _("monitor")), _(note) % facts if note else "", entry.text)
    return Line(entry, "event", "", _event(entry, names), "" if entry.actor == Actor.MONITOR else entry.text)


def _line(entry: JournalEntry, names: Names, *, is_reaction: bool, money: bool) -> Line:
    if entry.kind in SPEECH:
        note = _(_words(entry).note) % _facts(entry, names)
        note = f"{note}, {_('reaction')}" if is_reaction else note
        return Line(entry, _style(entry), str(entry.by or _("monitor")), note, entry.text)
    if money and entry.kind in DECISIONS:
        return Line(entry, "event", "", _priced(entry, names), decided_why(entry))
    return Line(entry, "event", "", _event(entry, names), said(entry))


def decided_why(entry: JournalEntry) -> str:
    """What a manager's act on a breach rests on, for those with money rights."""
    return str(entry.personal.get("evidence") or entry.personal.get("taken_back_why") or "")


def said(entry: JournalEntry) -> str:
    """The words of the entry; a monitor's in the reader's language, where it left them in both."""
    sentence = entry.facts.get("sentence")
    if entry.actor != Actor.MONITOR or not isinstance(sentence, dict):
        return entry.text
    words = sentence.get((get_language() or "")[:2], "")
    name = entry.facts.get("name")
    return (f"{name}: {words}" if name else words) if words else entry.text


def _style(entry: JournalEntry) -> str:
    if not entry.public:
        return "inside"
    return "said from-client" if entry.actor == Actor.CLIENT else "said"


def _of(entry: JournalEntry) -> Meaning:
    return EVENTS[Kind(entry.kind)]


def _event(entry: JournalEntry, names: Names) -> str:
    event = _(_words(entry).line) % _facts(entry, names)
    return "; ".join((event, *_missed(entry, names)))


def _words(entry: JournalEntry) -> Words:
    """What the journal's line says, in its other case too: by silence, by somebody who leaves, to nobody, by phone."""
    if entry.kind == Kind.RECEIVED and entry.actor == Actor.MONITOR:
        return EVENTS[Kind.ALARM].words
    silent = entry.kind == Kind.ACCEPTED and entry.by_id is None
    leaves = entry.kind == Kind.ASSIGNED and bool(entry.reason)
    alone = entry.kind in {Kind.ESCALATED, Kind.READER_LEFT} and not entry.every_fact.get("people")
    return _of(entry).other if silent or leaves or alone or entry.is_call else _of(entry).words


def _priced(entry: JournalEntry, names: Names) -> str:
    """A manager's decision with its amounts, for those with money rights; without them where they were forgotten."""
    event, amounts = _event(entry, names), entry.personal
    if "amount_before" not in amounts:
        return event
    before, after = (
        words.money(Decimal(amounts[name]), amounts["currency"]) for name in ("amount_before", "amount_after")
    )
    kept = _("%(after)s of %(before)s is left") % {"before": before, "after": after} if before != after else before
    return f"{event}; {kept}"


def _missed(entry: JournalEntry, names: Names) -> Iterator[str]:
    """Who was not reached and why, and which places in the chain nobody held."""
    missed = entry.facts.get("missed", ())
    if missed:
        people = [f"{names.get(pk, pk)} ({_channel(channel)}: {Bar(bar).label})" for pk, channel, bar in missed]
        yield _("not reached: %(people)s") % {"people": ", ".join(people)}
    yield from (_(EMPTY[level]) for level in entry.facts.get("empty", ()) if level in EMPTY)


def _facts(entry: JournalEntry, names: Names) -> dict[str, object]:
    """Every word that a sentence may need, from the entry's typed fields; entries before the seal hold names."""
    facts = entry.every_fact
    return {
        "by": entry.by or _("system"),
        "channel": _channel(entry.channel),
        "reason": _reason(entry),
        "severity": f"{entry.severity} {Severity(entry.severity).label}" if entry.severity else "",
        "where": ", ".join(str(facts[key]) for key in ("where", "size", "checksum") if facts.get(key)),
        "name": names.get(facts.get("to", 0)) or facts.get("name", ""),
        "claimed": claimed(entry),
        "entries": ", ".join(map(str, facts.get("forgotten", ()))) or facts.get("entries", ""),
        "dates": ", ".join(words.full_date(date.fromisoformat(day)) for day in facts.get("dates", ())),
        "mark": mark_reached(Mark(facts.get("share"), facts.get("offset"))) if "share" in facts else "",
        "people": ", ".join(str(names.get(person, person)) for person in facts.get("people", [])),
        "target": TargetKind(facts["target"]).label if facts.get("target") in TargetKind.values else "",
        "what": What(facts["what"]).label if facts.get("what") in What.values else "",
    }


def _reason(entry: JournalEntry) -> str:
    """Why a clock stands, or why a part of a delay was excluded; "" for other entries."""
    reasons = ExclusionReason if entry.kind in DECISIONS else PauseReason
    return str(reasons(entry.reason).label) if entry.reason in reasons.values else ""


def claimed(entry: JournalEntry) -> str:
    """The time that a claim names, with its whole date: it is read for years; "" for other entries."""
    facts = entry.facts
    if "claimed_at" not in facts:
        return ""
    return words.full_time(datetime.fromisoformat(facts["claimed_at"]), facts["zone"])


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A time that the client claims to have reported at, and why it was entered only later."""

    time: str
    why: str


def claims(entries: Iterable[JournalEntry]) -> list[ClaimLine]:
    return [ClaimLine(claimed(entry), entry.text) for entry in entries if entry.kind == Kind.REPORTED_CLAIM]


def _channel(channel: str) -> str:
    if channel in Origin.values:
        return str(Origin(channel).label)
    return str(Channel(channel).label) if channel in Channel.values else channel


def brief(entry: JournalEntry, names: Names, *, money: bool = False) -> str:
    """One line for a list: who, and the words or the event; `names` as from `names_of`; `money` as in `lines`."""
    text = " ".join(entry.text.split())
    if entry.kind in SPEECH and text:
        return f"{entry.by.first_name if entry.by else _('monitor')}: {text}"
    event = _priced(entry, names) if money and entry.kind in DECISIONS else _event(entry, names)
    return f"{event}, {entry.by}" if entry.kind == Kind.RECEIVED and entry.by else event


def hidden_words(numbers: Sequence[int]) -> str:
    """For the client: whose the entries are whose numbers are missing, and that they prove as much; "" for none."""
    sentence = ngettext(
        "Entry %(numbers)s is our internal record and isn't shown. It is part of the chain like every other.",
        "Entries %(numbers)s are our internal records and aren't shown. They are part of the chain like every other.",
        len(numbers),
    )
    return sentence % {"numbers": words.ranges(numbers)} if numbers else ""
