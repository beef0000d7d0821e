"""A manager's decision on a breach as a line of its incident's journal, and the proof that the two say the same.

Who, when, which breach, the reason and the excluded time are hashed for ever. Amounts and evidence stand in the salted
part, which pages show to money rights only; no client sees such a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from contracts.proof import Difference
from incidents import journal
from incidents.events import DECISIONS, Kind
from incidents.models import Incident, JournalEntry
from reports.models import BreachDecision, Verdict

KINDS: dict[str, Kind] = {Verdict.CONFIRMED: Kind.BREACH_CONFIRMED, Verdict.EXCLUDED: Kind.BREACH_EXCLUDED}
SPAN = ("excluded_from", "excluded_to")
SALTED = ("amount_before", "amount_after", "evidence")
WHY = "taken_back_why"
HIDDEN = {*SALTED, WHY}


def enter(incident: Incident, decision: BreachDecision) -> JournalEntry:
    """The line of a new decision; `incident` is its breach's, locked."""
    span = {name: _plain(value) for name in SPAN if (value := getattr(decision, name))}
    salted = {name: _plain(getattr(decision, name)) for name in SALTED}
    return _enter(
        incident,
        decision,
        KINDS[decision.verdict],
        by=decision.by,
        at=decision.at,
        reason=decision.reason,
        facts=span,
        personal={**salted, "currency": decision.breach.version.currency},
    )


def enter_second(incident: Incident, decision: BreachDecision, *, by: User, at: datetime) -> JournalEntry:
    """The line of the second person's word, at `at`."""
    return _enter(incident, decision, Kind.BREACH_SECONDED, by=by, at=at)


def enter_taken_back(incident: Incident, decision: BreachDecision) -> JournalEntry:
    """The line of a decision that is taken back; why stands in the salted part, as the evidence does."""
    assert decision.taken_back_by is not None
    assert decision.taken_back_at is not None
    return _enter(
        incident,
        decision,
        Kind.BREACH_REOPENED,
        by=decision.taken_back_by,
        at=decision.taken_back_at,
        personal={WHY: decision.taken_back_why},
    )


def _enter(
    incident: Incident,
    decision: BreachDecision,
    kind: Kind,
    *,
    by: User,
    at: datetime,
    reason: str = "",
    facts: Mapping[str, object] | None = None,
    personal: Mapping[str, object] | None = None,
) -> JournalEntry:
    breach = decision.breach
    which = {
        "decision": decision.pk,
        "breach": breach.pk,
        "target": breach.target,
        "run": breach.run,
        "lap": breach.lap,
    }
    entry = journal.append(
        incident, kind, by=by, at=at, reason=reason, facts={**which, **(facts or {})}, personal=personal
    )
    incident.save(update_fields=["journal_length", "journal_head", "changed_at", "last_entry"])
    return entry


def _plain(value: object) -> object:
    """As a line's JSON holds it."""
    return f"{value:.2f}" if isinstance(value, Decimal) else journal.plain(value)


def differences() -> Iterator[Difference]:
    """Decisions that aren't as their lines say, decisions without a line, and lines whose decision is gone."""
    lines, seconds, ends = _lines()
    for decision in BreachDecision.objects.select_related("breach__incident").order_by("pk"):
        entry, second, end = (entries.pop(decision.pk, None) for entries in (lines, seconds, ends))
        nr, fact = decision.breach.incident.nr, f"decision on {decision.breach.target}"
        if entry is None:
            yield Difference(nr, fact, decision.verdict, "no entry")
            continue
        for name, follows in {**_says(entry), **_second_says(second), **_end_says(end)}.items():
            stored = _plain(getattr(decision, name))
            if stored != follows:
                yield _difference(nr, f"{fact}, {name.removesuffix('_id')}", stored, follows, hides=name in HIDDEN)
    for entry in (*lines.values(), *seconds.values(), *ends.values()):
        fact = f"decision on {entry.facts.get('target')}"
        yield Difference(entry.incident.nr, fact, "gone", entry.kind.removeprefix("breach_"))


def _difference(nr: str, fact: str, stored: object, follows: object, *, hides: bool) -> Difference:
    """Administrators read the proof's lines too, and have no money rights."""
    return Difference(nr, fact, "changed", "as it was decided") if hides else Difference(nr, fact, stored, follows)


def _lines() -> tuple[dict[object, JournalEntry], ...]:
    """Decision's key → its line, the second person's, and the one that took it back; of several the first counts."""
    lines: dict[object, JournalEntry] = {}
    seconds: dict[object, JournalEntry] = {}
    ends: dict[object, JournalEntry] = {}
    of_kind = {Kind.BREACH_SECONDED: seconds, Kind.BREACH_REOPENED: ends}
    for entry in JournalEntry.objects.filter(kind__in=DECISIONS).select_related("incident").order_by("-pk"):
        of_kind.get(Kind(entry.kind), lines)[entry.facts.get("decision")] = entry
    return lines, seconds, ends


def _says(entry: JournalEntry) -> dict[str, object]:
    """What the line says of the decision's columns; of forgotten words nothing."""
    verdicts = {kind: verdict for verdict, kind in KINDS.items()}
    says = {
        "breach_id": entry.facts.get("breach"),
        "verdict": verdicts[Kind(entry.kind)],
        "reason": entry.reason,
        "by_id": entry.by_id,
        "at": _plain(entry.at),
        **{name: entry.facts.get(name) for name in SPAN},
    }
    return says | ({name: entry.personal.get(name) for name in SALTED} if entry.salt else {})


def _second_says(entry: JournalEntry | None) -> dict[str, object]:
    return {"second_by_id": entry and entry.by_id, "second_at": entry and _plain(entry.at)}


def _end_says(entry: JournalEntry | None) -> dict[str, object]:
    says = {"taken_back_by_id": entry and entry.by_id, "taken_back_at": entry and _plain(entry.at)}
    if entry is None:
        return says | {WHY: ""}
    return says | ({WHY: entry.personal.get(WHY)} if entry.salt else {})
