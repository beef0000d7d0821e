"""The append-only, hash-chained journal: the only source of every clock."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from accounts.models import User
from incidents.models import Actor, Incident, JournalEntry


def actor_of(by: User | None) -> str:
    if by is None:
        return Actor.SYSTEM
    return Actor.STAFF if by.is_provider else Actor.CLIENT


def append(
    incident: Incident,
    kind: str,
    *,
    by: User | None,
    at: datetime,
    effective: datetime | None = None,
    actor: str = "",
    text: str = "",
    public: bool = True,
    channel: str = "portal",
    severity: str = "",
    change: str = "",
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> JournalEntry:
    """Add a line to a locked incident's journal and move its head; the caller saves the incident.

    `at` is the server's time of the entry, `effective` the time it is about where that differs.
    """
    entry = write(
        incident, kind, by=by, at=at, effective=effective, actor=actor, text=text, public=public, channel=channel,
        severity=severity, change=change, reason=reason, facts=facts,
    )  # fmt: skip
    entry.save(force_insert=True)
    incident.last_entry = entry
    return entry


def write(
    incident: Incident,
    kind: str,
    *,
    by: User | None,
    at: datetime,
    effective: datetime | None = None,
    actor: str = "",
    text: str = "",
    public: bool = True,
    channel: str = "portal",
    severity: str = "",
    change: str = "",
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> JournalEntry:
    """`append` for many at once: the line is chained but not stored; the caller stores it and sets `last_entry`."""
    entry = JournalEntry(
        incident=incident,
        seq=incident.journal_length + 1,
        kind=kind,
        at=effective or at,
        recorded_at=at,
        by=by,
        actor=actor or actor_of(by),
        channel=channel,
        public=public,
        severity=severity,
        change=change,
        reason=reason,
        facts=dict(facts or {}),
        text=text,
        salt=secrets.token_hex(16),
        previous=incident.journal_head,
    )
    entry.commitment = commitment(entry.salt, text)
    entry.hash = digest(entry)
    incident.journal_length, incident.journal_head = entry.seq, entry.hash
    incident.changed_at = at
    return entry


def commitment(salt: str, text: str) -> str:
    return sha256(f"{salt}:{text}".encode()).hexdigest()


def digest(entry: JournalEntry) -> str:
    """SHA-256 over the entry's hashed columns, in a fixed order, and the hash before it."""
    columns = [
        entry.previous, entry.incident_id, entry.seq, entry.kind, _utc(entry.at), _utc(entry.recorded_at), entry.by_id,
        entry.actor, entry.channel, entry.public, entry.severity, entry.change, entry.reason, entry.facts,
        entry.commitment,
    ]  # fmt: skip
    return sha256(json.dumps(columns, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _is_whole(entry: JournalEntry, seq: int, previous: str) -> bool:
    """An entry whose salt is gone was anonymised: its words can no longer be checked, its place in the chain can."""
    words = not entry.salt or entry.commitment == commitment(entry.salt, entry.text)
    return words and entry.seq == seq and entry.previous == previous and entry.hash == digest(entry)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """Whether a journal is whole: `broken_at` is the seq of the first entry that does not fit, 0 where all do."""

    length: int
    head: str
    broken_at: int
    knows_head: bool


def check_chain(entries: Iterable[JournalEntry], head: str = "") -> ChainCheck:
    """Recompute every hash in order; `head` (from a mail, say) must be among them."""
    previous, length, broken, seen = "", 0, 0, {""}
    for expected, entry in enumerate(entries, 1):
        broken = broken or (0 if _is_whole(entry, expected, previous) else expected)
        previous, length = entry.hash, expected
        seen.add(entry.hash)
    return ChainCheck(length, previous, broken, any(known.startswith(head) for known in seen) if head else True)
