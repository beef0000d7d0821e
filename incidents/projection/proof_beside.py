"""The proof of what stands beside the clocks: an incident's row, its terms, notices, firings and what was counted.

A fact is compared where the journal says it. Journals of before this landing were given one line at the upgrade
(`vouched`) that says what their rows held then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db import connection

from accounts.models import Client
from contracts.models import ContractVersion
from contracts.proof import Difference
from contracts.seal import days_at, version_digest, with_terms
from contracts.vocabulary import Mark
from incidents import journal
from incidents.anchors import Tally
from incidents.events import Kind
from incidents.models import Breach, Firing, Incident, JoinedReport, JournalEntry, Notice
from incidents.projection import rows as projection

COUNTED = "the database's own count"
FIRING_FACTS = ("target", "run", "lap", "round")
# What a notice is, computed by PostgreSQL's own functions as the trigger wrote it (its migration); words may be gone
FORGED = """
    SELECT i.incident_id, coalesce(n.key, 'gone') FROM incidents_notice i
    LEFT JOIN messaging_notification n ON n.id = i.notification_id
    WHERE i.incident_id = ANY(%s) AND (
        n.id IS NULL
        OR i.hash <> encode(sha256(convert_to(json_build_array(
            1, n.key, i.incident_id, i.entry_id, i.firing_id, i.topic, i.audience, n.recipient_id, n.channel,
            to_char(n.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), i.head, n.content
        )::text, 'UTF8')), 'hex')
        OR (n.subject <> '' OR n.body <> '' OR n.html <> '') AND n.content <>
            encode(sha256(convert_to(json_build_array(n.subject, n.body, n.html)::text, 'UTF8')), 'hex')
    )
    ORDER BY i.notification_id
"""
Line = TypeVar("Line", Firing, JoinedReport)


@dataclass(slots=True)
class RowFacts:
    """What a journal says of its incident's row: each column as the last line that names it."""

    row: dict[str, object] = field(default_factory=dict)
    promise: tuple[object, object] = (None, None)
    is_whole: bool = False
    ended: bool = False

    @classmethod
    def of(cls, entries: Iterable[JournalEntry], *, ended: bool) -> RowFacts:
        """Of all entries, oldest first; `ended`: the incident has ended by them, so nothing is promised."""
        facts = cls(ended=ended)
        for entry in entries:
            facts.apply(entry)
        return facts

    def apply(self, entry: JournalEntry) -> None:
        values = entry.facts.get("row", {})
        self.is_whole = self.is_whole or "nr" in values
        self.row.update(values)
        first, missed = entry.facts.get("promise", (None, None))
        self.promise = (first, missed)

    def differences(self, incident: Incident) -> Iterator[Difference]:
        stored = journal.row_facts(incident, self.row)
        for name, value in self.row.items():
            if stored[name] != value:
                yield Difference(incident.nr, name.removesuffix("_id"), stored[name], value)
        if self.is_whole:
            names = ("next_update_at", "update_missed_at")
            promise = (None, None) if self.ended else self.promise
            for (name, value), follows in zip(journal.row_facts(incident, names).items(), promise, strict=True):
                if value != follows:
                    yield Difference(incident.nr, name, value, follows)


@dataclass(slots=True)
class Digests:
    """Terms and calendars as they are now, each computed once a proof."""

    versions: dict[int, str] = field(default_factory=dict)
    calendars: dict[tuple[int, tuple[int, ...]], str] = field(default_factory=dict)

    def terms(self, version: int) -> str:
        if version not in self.versions:
            version_row = with_terms(ContractVersion.objects.filter(pk=version)).first()
            self.versions[version] = version_digest(version_row) if version_row else ""
        return self.versions[version]

    def stood(self, version: int, held: projection.VersionTerms, at: datetime) -> str:
        days = (day.pk for calendar in held.calendars for day in days_at(calendar, at))
        key = (version, tuple(sorted(set(days))))
        if key not in self.calendars:
            self.calendars[key] = held.stood(at)
        return self.calendars[key]


def row(incident: Incident, entries: Sequence[JournalEntry], facts: RowFacts) -> Iterator[Difference]:
    yield from facts.differences(incident)
    first = entries[0] if entries else None
    if first and incident.received_at != first.recorded_at:
        yield Difference(incident.nr, "received_at", incident.received_at, first.recorded_at)
    if facts.is_whole and incident.last_entry_id and incident.last_entry_id not in {entry.pk for entry in entries}:
        yield Difference(incident.nr, "last_entry", incident.last_entry_id, None)


def terms(
    incident: Incident, entries: Iterable[JournalEntry], held: projection.VersionTerms | None, digests: Digests
) -> Iterator[Difference]:
    """The terms and the calendars by which the clocks count are those that the journal names."""
    for entry in entries:
        named, stood = entry.facts.get("terms"), entry.facts.get("calendars")
        if named and (incident.version_id is None or named != digests.terms(incident.version_id)):
            yield Difference(incident.nr, f"terms of entry {entry.seq}", "changed", named[:16])
        if stood and (
            held is None
            or incident.version_id is None
            or stood != digests.stood(incident.version_id, held, entry.recorded_at)
        ):
            yield Difference(incident.nr, f"calendars of entry {entry.seq}", "changed", stood[:16])


@dataclass(slots=True)
class Beside:
    """What stands beside the journals of some incidents, read for all of them at once."""

    tallies: Mapping[int, Tally]
    notices: Counter[int]
    forged: Mapping[int, Sequence[str]]
    heads: Mapping[int, set[str]]
    named: Mapping[int, set[int]]
    firings: Mapping[int, Sequence[Firing]]
    joined: Mapping[int, Sequence[JoinedReport]]

    @classmethod
    def load(cls, keys: Sequence[int]) -> Beside:
        notices: Counter[int] = Counter()
        heads: dict[int, set[str]] = defaultdict(set)
        named: dict[int, set[int]] = defaultdict(set)
        columns = Notice.objects.filter(incident__in=keys).values_list("incident", "head", "entry")
        for incident, head, entry in columns.order_by().iterator():
            notices[incident] += 1
            heads[incident].add(head)
            if entry:
                named[incident].add(entry)
        firings, joined = Firing.objects.filter(incident__in=keys), JoinedReport.objects.filter(incident__in=keys)
        return cls(
            Tally.objects.in_bulk(keys),
            notices,
            _forged(keys),
            heads,
            named,
            _grouped(firings.select_related("step")),
            _grouped(joined),
        )

    def differences(self, incident: Incident, entries: Sequence[JournalEntry]) -> Iterator[Difference]:
        yield from self._counted(incident, entries)
        yield from self._letters(incident, entries)
        yield from self._rungs(incident, entries)
        stored = sorted((line.by_id, line.at) for line in self.joined.get(incident.pk, ()))
        follows = sorted((entry.by_id or 0, entry.recorded_at) for entry in entries if _joins(entry))
        if stored != follows:
            yield Difference(incident.nr, "joined reports", len(stored), len(follows))

    def _counted(self, incident: Incident, entries: Sequence[JournalEntry]) -> Iterator[Difference]:
        tally = self.tallies.get(incident.pk)
        if tally is None:
            yield Difference(incident.nr, "count", None, len(entries), COUNTED)
            return
        head = entries[-1].hash if entries else ""
        if (len(entries), head) != (tally.entries, tally.head):
            yield Difference(
                incident.nr, "journal", f"{len(entries)} {head[:8]}", f"{tally.entries} {tally.head[:8]}", COUNTED
            )
        if (incident.client_id, incident.number) != (tally.client, tally.number):
            yield Difference(incident.nr, "number", incident.number, tally.number, COUNTED)
        if self.notices[incident.pk] != tally.notices:
            yield Difference(incident.nr, "notices", self.notices[incident.pk], tally.notices, COUNTED)

    def _letters(self, incident: Incident, entries: Sequence[JournalEntry]) -> Iterator[Difference]:
        """Each notice is as it was written, names a line that is there, and carries a head of the journal."""
        for key in self.forged.get(incident.pk, ()):
            yield Difference(incident.nr, f"notice {key}", "changed", "as it was written", "its hash")
        hashes = [entry.hash for entry in entries]
        for head in sorted(self.heads.get(incident.pk, set())):
            # Letters of before carry the first half of it
            if head and not any(digest.startswith(head) for digest in hashes):
                yield Difference(incident.nr, f"head {head[:16]} of a notice", None, "an entry", "the notice")
        gone = self.named.get(incident.pk, set()) - {entry.pk for entry in entries}
        if gone:
            yield Difference(incident.nr, "entries named by notices", None, len(gone), "the notices")

    def _rungs(self, incident: Incident, entries: Sequence[JournalEntry]) -> Iterator[Difference]:
        """A rung of which the journal says who was told is as the journal says, and none of them is gone."""
        lines = {entry.pk: entry for entry in entries if entry.kind == Kind.ESCALATED}
        rungs: Counter[int] = Counter()
        for firing in self.firings.get(incident.pk, ()):
            if firing.entry_id is None:
                continue
            rungs[firing.entry_id] += 1
            entry = lines.get(firing.entry_id)
            if entry is None or not _fires(firing, entry):
                yield Difference(incident.nr, f"rung {firing}", firing.due_at, entry and entry.at)
        for pk, entry in lines.items():
            if "rungs" in entry.facts and entry.facts["rungs"] != rungs[pk]:
                yield Difference(incident.nr, f"rungs of entry {entry.seq}", rungs[pk], entry.facts["rungs"])


def _fires(firing: Firing, entry: JournalEntry) -> bool:
    facts = entry.facts
    mark = Mark(facts["share"], facts.get("offset"))
    same = (firing.due_at, firing.target, firing.step.mark) == (entry.at, facts["target"], mark)
    named = all(facts.get(name, getattr(firing, name)) == getattr(firing, name) for name in FIRING_FACTS)
    return same and named and facts.get("fired_at", _iso(firing.fired_at)) == _iso(firing.fired_at)


def _iso(at: datetime) -> str:
    return str(journal.plain(at))


def _joins(entry: JournalEntry) -> bool:
    return entry.kind == Kind.JOINED or (entry.kind == Kind.RECEIVED and entry.seq > 1)


def _forged(keys: Sequence[int]) -> dict[int, list[str]]:
    forged: dict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(FORGED, [list(keys)])
        for incident, key in cursor.fetchall():
            forged[incident].append(key)
    return forged


def _grouped(rows: Iterable[Line]) -> dict[int, list[Line]]:
    grouped: dict[int, list[Line]] = defaultdict(list)
    for line in rows:
        grouped[line.incident_id].append(line)
    return grouped


def breaches(incident: Incident, entries: Iterable[JournalEntry], recorded: Iterable[Breach]) -> Iterator[Difference]:
    """A breach names the incident's version and was noticed when its line was written; each line has its breach."""
    lines: dict[tuple[object, ...], JournalEntry] = {}
    for entry in entries:
        key = tuple(entry.facts.get(name) for name in ("target", "run", "lap"))
        if entry.kind == Kind.BREACH:
            lines[key] = entry
        elif entry.kind == Kind.BREACH_VOID:
            lines.pop(key, None)
    for breach in recorded:
        noted = lines.pop((breach.target, breach.run, breach.lap), None)
        stored = (breach.version_id, breach.noticed_at)
        follows = (incident.version_id, noted and noted.recorded_at)
        if stored != follows:
            yield Difference(incident.nr, f"breach {breach.target} noticed_at", stored, follows)
    for key, entry in lines.items():
        yield Difference(incident.nr, f"breach {key} of entry {entry.seq}", None, entry.at)


def totals() -> Iterator[Difference]:
    """Of the whole portal: no number of a client is missing, and nothing that was counted is gone."""
    numbers: dict[int, set[int]] = defaultdict(set)
    for key, number in Incident.objects.order_by().values_list("client", "number"):
        numbers[key].add(number)
    for client in Client.objects.order_by("pk"):
        follows = set(range(1, client.last_number + 1))
        for number in sorted(follows ^ numbers.pop(client.pk, set())):
            is_there = number not in follows
            yield Difference(
                f"{client.code}-{number:04d}",
                "incident",
                "there" if is_there else "gone",
                f"numbers up to {client.last_number}",
                "the client's counter",
            )
    for key in sorted(numbers):
        yield Difference(f"client {key}", "client", "gone", f"{len(numbers[key])} incidents", "its incidents")
    for tally in Tally.objects.exclude(pk__in=Incident.objects.values("pk")).order_by("pk"):
        yield Difference(
            f"incident {tally.number} of client {tally.client}", "incident", "gone", f"{tally.entries} entries", COUNTED
        )
