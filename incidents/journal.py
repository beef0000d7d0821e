"""The append-only, hash-chained journal: the only source of every clock."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import connection

from accounts.models import User
from incidents.choices import Actor
from incidents.events import EVENTS, FORGETTING, Kind
from incidents.models import Incident, JournalEntry
from wording.texts import clean_text

FORGET_WORDS = """
SELECT count(*) FILTER (WHERE incidents_forget_words(id)) FROM incidents_journalentry
WHERE incident_id = %s AND seq = ANY(%s)
"""
SEAL = 2
"""The number of the segment, part of each digest: entries before the seal have none."""


def actor_of(by: User | None) -> str:
    if by is None:
        return Actor.SYSTEM
    return Actor.STAFF if by.is_provider else Actor.CLIENT


def append(
    incident: Incident,
    kind: Kind,
    *,
    by: User | None,
    at: datetime,
    effective: datetime | None = None,
    actor: str = "",
    text: str = "",
    public: bool | None = None,
    channel: str = "portal",
    severity: str = "",
    change: str = "",
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    row: Iterable[str] = (),
) -> JournalEntry:
    """Add a line to a locked incident's journal and move its head; the caller saves the incident.

    `at` is the server's time of the entry, `effective` the time it is about where that differs. `facts` are hashed
    for ever, so they hold ids and codes; what names or describes a person goes into `text` or `personal`, where no
    card number stays whoever wrote it. `public` is said where the kind alone does not. `row` names the incident's
    columns that the act has set, before this call: the line holds their values, and the proof compares.
    """
    entry = write(
        incident,
        kind,
        by=by,
        at=at,
        effective=effective,
        actor=actor,
        text=text,
        public=public,
        channel=channel,
        severity=severity,
        change=change,
        reason=reason,
        facts=facts,
        personal=personal,
        row=row,
    )
    entry.save(force_insert=True)
    incident.last_entry = entry
    return entry


def write(
    incident: Incident,
    kind: Kind,
    *,
    by: User | None,
    at: datetime,
    effective: datetime | None = None,
    actor: str = "",
    text: str = "",
    public: bool | None = None,
    channel: str = "portal",
    severity: str = "",
    change: str = "",
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    row: Iterable[str] = (),
) -> JournalEntry:
    """`append` for many at once: the line is chained but not stored; the caller stores it and sets `last_entry`."""
    entry = JournalEntry(
        incident=incident,
        seq=incident.journal_length + 1,
        kind=kind.value,
        at=effective or at,
        recorded_at=at,
        by=by,
        actor=actor or actor_of(by),
        channel=channel,
        public=EVENTS[kind].public if public is None else public,
        severity=severity,
        change=change,
        reason=reason,
        facts={**(facts or {}), **_state(incident, row)},
        personal={
            name: clean_text(value) if isinstance(value, str) else value for name, value in (personal or {}).items()
        },
        text=clean_text(text),
        salt=secrets.token_hex(16),
        previous=incident.journal_head,
    )
    entry.commitment = commitment(entry.salt, entry.text, entry.personal)
    entry.hash = digest(entry)
    incident.journal_length, incident.journal_head = entry.seq, entry.hash
    incident.changed_at = at
    return entry


def _state(incident: Incident, names: Iterable[str]) -> dict[str, Any]:
    """What a line says of the incident's row: columns that the act has set, and the promise that stands, if any."""
    facts: dict[str, Any] = {"row": values} if (values := row_facts(incident, names)) else {}
    if incident.next_update_at is not None:
        facts["promise"] = [plain(incident.next_update_at), plain(incident.update_missed_at)]
    return facts


def row_facts(incident: Incident, names: Iterable[str]) -> dict[str, Any]:
    """Columns of the incident by name, as JSON has them."""
    return {name: plain(getattr(incident, name)) for name in names}


def plain(value: object) -> object:
    """As JSON has it; an instant in UTC, to the second."""
    return _utc(value) if isinstance(value, datetime) else value


def commitment(salt: str, text: str, personal: Mapping[str, Any] | None = None) -> str:
    """SHA-256 of what people typed, with a salt that goes with them; a zero byte, which no text has, parts the two."""
    words = f"{text}\0{_json(personal)}" if personal else text
    return sha256(f"{salt}:{words}".encode()).hexdigest()


def digest(entry: JournalEntry) -> str:
    """SHA-256 over the entry's hashed columns, in a fixed order, and the hash before it."""
    return sha256(_json([SEAL, *_columns(entry, entry.facts)]).encode()).hexdigest()


def old_digest(entry: JournalEntry, facts: Mapping[str, Any]) -> str:
    """The digest of the entries before the seal: without its number, over the facts of then."""
    return sha256(_json(_columns(entry, facts)).encode()).hexdigest()


def _columns(entry: JournalEntry, facts: Mapping[str, Any]) -> list[object]:
    return [
        entry.previous,
        entry.incident_id,
        entry.seq,
        entry.kind,
        _utc(entry.at),
        _utc(entry.recorded_at),
        entry.by_id,
        entry.actor,
        entry.channel,
        entry.public,
        entry.severity,
        entry.change,
        entry.reason,
        facts,
        entry.commitment,
    ]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def forget_words(incident: Incident, seqs: Iterable[int]) -> int:
    """Empty what people typed in these lines, for good; how many had words or a salt until now.

    By a function of the database's owner, for the product itself may change no line. It refuses a line that no later
    one, of the kind `forgotten`, names: that is written first.
    """
    with connection.cursor() as cursor:
        cursor.execute(FORGET_WORDS, [incident.pk, list(seqs)])
        (emptied,) = cursor.fetchone()
    return int(emptied)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """Whether a journal is whole: `broken_at` is the seq of the first entry that does not fit, 0 where all do.

    `attested`: entries before the seal whose people were forgotten; their hashes stand in the sealed list, but what
    they covered can't be computed any more.
    """

    length: int
    head: str
    broken_at: int
    knows_head: bool
    attested: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """What a part of a journal follows: the number and hash of the entry before it; and of the whole journal the
    number of its seal, 0 where none stands after an entry, and the numbers of those whose words went."""

    seq: int
    hash: str
    seal: int
    forgotten: frozenset[int]


def check_chain(entries: Iterable[JournalEntry], head: str = "", before: Before | None = None) -> ChainCheck:
    """Recompute every hash in order; `head` (from a mail, say) must be among them.

    With `before` the entries are a part of the journal. A part that holds the seal begins with the first entry.
    """
    lines = list(entries)
    if before is None:
        seal = next((number for number, entry in enumerate(lines, 1) if entry.kind == Kind.SEALED), 0)
        before = Before(0, "", seal if seal > 1 else 0, forgotten_by(lines))
    previous, broken, hashes = before.hash, 0, {""}
    for number, entry in enumerate(lines, before.seq + 1):
        fits = entry.seq == number and entry.previous == previous and _keeps_its_words(entry, before.forgotten)
        fits = fits and (_fits_the_list(entry) if number < before.seal else _fits_its_hash(entry))
        if number == before.seal:
            fits = fits and entry.facts == sealed_facts(lines[: number - 1])
        broken = broken or (0 if fits else number)
        previous = entry.hash
        hashes.add(entry.hash)
    attested = tuple(entry.seq for entry in lines if entry.seq < before.seal and entry.old_facts is None)
    knows = any(stored_hash.startswith(head) for stored_hash in hashes) if head else True
    return ChainCheck(len(lines), previous, broken, knows, attested)


def forgotten_by(entries: Iterable[JournalEntry]) -> frozenset[int]:
    """The seqs whose words went, as later lines of the same journal say."""
    return frozenset(
        seq
        for entry in entries
        if entry.kind in FORGETTING
        for seq in entry.facts.get("forgotten", ())
        if seq < entry.seq
    )


def _keeps_its_words(entry: JournalEntry, forgotten: Collection[int]) -> bool:
    """The words are those that were hashed. Where the salt is gone nothing can be checked any more, so there are no
    words either, and a line says that they were forgotten; the entry's place in the chain is checked as ever.
    """
    if entry.seq in forgotten or not entry.salt:
        return entry.seq in forgotten and not (entry.salt or entry.text or entry.personal)
    return entry.commitment == commitment(entry.salt, entry.text, entry.personal)


def _fits_its_hash(entry: JournalEntry) -> bool:
    """Facts that no hash covers stand only before a seal."""
    return entry.old_facts is None and entry.hash == digest(entry)


def _fits_the_list(entry: JournalEntry) -> bool:
    """An entry before the seal: its old hash follows from its old facts, or, forgotten, is held by the seal alone."""
    return entry.old_facts is None or entry.hash == old_digest(entry, entry.old_facts)


def sealed_facts(entries: Sequence[JournalEntry]) -> dict[str, Any]:
    """What the seal says of the entries before it: how many, their head, and digests of their hashes and of their rows.

    The rows are those without what may be forgotten, so a forgotten entry still can't be changed.
    """
    hashes = [entry.hash for entry in entries]
    rows = [[*_columns(entry, entry.facts), entry.hash] for entry in entries]
    return {
        "entries": len(entries),
        "head": hashes[-1],
        "hashes": sha256(_json(hashes).encode()).hexdigest(),
        "rows": sha256(_json(rows).encode()).hexdigest(),
    }
