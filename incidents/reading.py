"""What a page reads of a journal: however many answers there are, as many rows as fit on a page.

A short journal is read whole, by one query, and its chain checked with each page. Of a long one come the newest
entries, those few that say where the repair stands, and its chain is checked when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from incidents.clock import clocks as clock
from incidents.events import FORGETTING, MARKS, Kind
from incidents.journal import Before, ChainCheck, check_chain, forgotten_by
from incidents.models import Incident, JournalEntry, JournalQuerySet
from incidents.projection import rows as projection
from incidents.state import IncidentState, state_of

PAGE = 50  # entries of a page
WHOLE = 200  # entries that are read and checked with each page; 200 take 15 ms
CHECKED = 5000  # entries whose chain one request checks


@dataclass(frozen=True, slots=True)
class Reading:
    """Entries that the reader may see, oldest first: the newest PAGE, and `marks`, of MARKS the newest WHOLE.

    `whole` is every one of them, where the journal is short.
    """

    incident: Incident
    entries: list[JournalEntry]
    marks: list[JournalEntry]
    whole: list[JournalEntry] | None

    @property
    def older(self) -> int | None:
        """The number before which the older ones stand; None where these are all."""
        first = self.entries[0].seq if self.entries else 1
        return first if first > 1 else None

    @property
    def events(self) -> tuple[clock.Event, ...]:
        """For staff, who see every entry: what moves the clocks."""
        return projection.events_for(self.incident) if self.whole is None else projection.events_of(self.whole)

    @property
    def state(self) -> IncidentState:
        """What the marks tell: deliveries and the word on them, the start of work, whether both must withdraw.

        Everything else of the state stands in the incident's columns.
        """
        return state_of(self.marks)

    @property
    def check(self) -> ChainCheck | None:
        """For staff; None where the journal is too long to be checked with each page."""
        return None if self.whole is None else check_chain(self.whole)


def read(incident: Incident, readable: JournalQuerySet) -> Reading:
    """`readable`: the entries of the incident that the reader may see."""
    rows = readable.filter(incident=incident).select_related("by")
    if incident.journal_length <= WHOLE:
        whole = list(rows.order_by("seq"))
        return Reading(incident, whole[-PAGE:], [entry for entry in whole if entry.kind in MARKS], whole)
    newest = list(rows.order_by("-seq")[:PAGE])[::-1]
    return Reading(incident, newest, list(rows.filter(kind__in=MARKS).order_by("-seq")[:WHOLE])[::-1], None)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a long journal, newest first: `first` to `last` are the numbers that it covers, hidden ones too."""

    entries: list[JournalEntry]
    first: int
    last: int
    length: int

    @property
    def hidden_numbers(self) -> list[int]:
        """Of the entries within the page that the reader may not see."""
        shown = {entry.seq for entry in self.entries}
        return [seq for seq in range(max(1, self.first), self.last + 1) if seq not in shown]

    @property
    def newer(self) -> int | None:
        """What to ask before for the page above; None on the newest."""
        return min(self.last + PAGE, self.length) + 1 if self.last < self.length else None


def page(incident: Incident, readable: JournalQuerySet, before: int | None) -> Page:
    """The entries before number `before`, as many as fit; a short journal's all."""
    length = incident.journal_length
    size = WHOLE if length <= WHOLE else PAGE
    last = min(length, before - 1) if before and length > WHOLE else length
    rows = readable.filter(incident=incident, seq__lte=last).select_related("by").order_by("-seq")
    entries = list(rows[: size + 1])
    more, entries = len(entries) > size, entries[:size]
    return Page(entries, entries[-1].seq if more else min(1, last), last, length)


@dataclass(frozen=True, slots=True)
class Part:
    """The entries `first` to `last` and their check; `following` is where to go on, None after the last entry."""

    first: int
    last: int
    check: ChainCheck
    following: int | None

    @property
    def is_whole(self) -> bool:
        return self.first == 1 and self.following is None


def check(incident: Incident, first: int = 1, head: str = "") -> Part:
    """A journal of up to CHECKED entries at once; of a longer one those from `first`, or those up to `head`.

    Each part is checked against the hash before it, so parts that hold one after the other make the whole chain.
    """
    length = incident.journal_length
    if length <= CHECKED:
        return Part(1, length, check_chain(incident.journal.order_by("seq"), head), None)
    last = min(length, first + CHECKED - 1)
    if head:
        last = incident.journal.filter(hash__startswith=head).order_by("seq").values_list("seq", flat=True).first() or 0
        if not last:
            return Part(0, 0, ChainCheck(0, "", 0, knows_head=False), None)
        first = max(1, last - CHECKED + 1)
    seal = incident.journal.filter(kind=Kind.SEALED).order_by("seq").values_list("seq", flat=True).first() or 0
    if first <= seal <= last:
        first = 1  # the seal tells of all before it; they were written by an older version, so they don't get more
    lines = incident.journal.filter(seq__gte=first, seq__lte=last).order_by("seq")
    chain = check_chain(lines, head, _before(incident, first, seal))
    return Part(first, last, chain, last + 1 if last < length else None)


def _before(incident: Incident, first: int, seal: int) -> Before:
    entry = incident.journal.filter(seq=first - 1).first()
    forgotten = forgotten_by(incident.journal.filter(kind__in=FORGETTING))
    return Before(first - 1, entry.hash if entry else "", seal if seal > 1 else 0, forgotten)
