"""A month of penalties: incidents, their cumulation, the caps in order, and what the client waives. Pure.

Order (domain.md section 7): waived lines leave → cumulated or the highest → the incident's cap → the month's cap →
what is left of the quarter's cap and of the contract's → waived sums, never below zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from contracts.penalty.rules import (
    NO_CAPS,
    NOTHING,
    ZERO,
    Cap,
    CapLevel,
    CapLine,
    Caps,
    Line,
    PenaltyError,
    ResultLine,
    cap_line,
)
from contracts.vocabulary import Cumulation

AVAILABILITY = "availability"


class SameEvent(StrEnum):
    """An availability credit and a delay penalty for one event: both, or only the greater (the credit on a tie)."""

    BOTH = "both"
    GREATER = "greater"


class SameCause(StrEnum):
    """One cause at several shops: a penalty for each incident, or one: the greatest."""

    EACH = "each"
    ONE = "one"


class DropReason(StrEnum):
    """Why a whole amount doesn't count, though its deadline was missed."""

    WAIVED = "waived"
    NOT_THE_HIGHEST = "not_the_highest"
    SAME_CAUSE = "same_cause"
    SAME_EVENT = "same_event"


@dataclass(frozen=True, slots=True)
class AddedLine(Line):
    """An amount that comes into the month: one missed target of one incident, or an availability credit."""

    subject: str
    target: str
    amount: Decimal

    @property
    def change(self) -> Fraction:
        return Fraction(self.amount)


@dataclass(frozen=True, slots=True)
class DroppedLine(Line):
    """An amount that leaves whole, before any cap."""

    subject: str
    target: str
    amount: Decimal
    reason: DropReason

    @property
    def change(self) -> Fraction:
        return -Fraction(self.amount)


@dataclass(frozen=True, slots=True)
class WaivedLine(Line):
    """A sum that the client gives up, taken after the caps; never more than there was."""

    given_up: Decimal
    taken: Decimal

    @property
    def change(self) -> Fraction:
        return -Fraction(self.taken)


@dataclass(frozen=True, slots=True)
class EarlierLine(Line):
    """Where only the highest counts: what the incident was charged before, taken off the higher amount of now."""

    subject: str
    used: Decimal
    taken: Decimal

    @property
    def change(self) -> Fraction:
        return -Fraction(self.taken)


@dataclass(frozen=True, slots=True)
class PenaltyDue:
    """The rounded penalty of one missed target, or an availability credit; `events` name what it was for."""

    target: str
    raw: Decimal
    waived: bool = False
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class IncidentPenalties:
    """An incident's penalties of this month; `used`: what earlier months charged against its cap.

    An availability credit comes as an incident of its own, `capped=False`: no incident's cap can meet it.
    `cumulation` is that of the incident's own version, where it differs from the month's rules.
    """

    name: str
    owed: tuple[PenaltyDue, ...]
    used: Decimal = ZERO
    cause: str = ""
    capped: bool = True
    cumulation: Cumulation | None = None


@dataclass(frozen=True, slots=True)
class ExplainedMonth:
    """The amount at every stage; the lines add up to `final`."""

    per_incident: tuple[Decimal, ...]
    before_caps: Decimal
    after_month_cap: Decimal
    after_quarter_cap: Decimal
    after_contract_cap: Decimal
    final: Decimal
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class MonthRules:
    cumulation: Cumulation = Cumulation.CUMULATIVE
    caps: Caps = NO_CAPS
    same_event: SameEvent = SameEvent.BOTH
    same_cause: SameCause = SameCause.EACH


def month(
    fee: Decimal | Fraction,
    incidents: Sequence[IncidentPenalties],
    rules: MonthRules = MonthRules(),
    *,
    charged: Decimal = ZERO,
    waived: Decimal = ZERO,
    month_used: Decimal = ZERO,
    quarter_used: Decimal = ZERO,
) -> ExplainedMonth:
    """Settle a month: `charged` is what agreed and settled penalties used of the contract's cap.

    `month_used`: what an earlier part of the month, settled by another version, used of the month's cap;
    `quarter_used`: what earlier months, and that part, used of the quarter's. A limit of one kind of penalty spans
    incidents in time: the ledger has taken it off the amounts that come in here.
    `waived` is a sum given up; the fee is the settlement month's (whole or the shop's share).
    PenaltyError for negative sums.
    """
    _refuse_negative(
        [charged, waived, month_used, quarter_used, *(owed.raw for incident in incidents for owed in incident.owed)]
    )
    lines: list[Line] = []
    kept = [_standing(incident, lines) for incident in incidents]
    if rules.same_event is SameEvent.GREATER:
        kept = _greater_of_event(incidents, kept, lines)
    kept = [_cumulated(incident, owed, rules, lines) for incident, owed in zip(incidents, kept, strict=True)]
    amounts = [_incident(incident, owed, rules, fee, lines) for incident, owed in zip(incidents, kept, strict=True)]
    if rules.same_cause is SameCause.ONE:
        amounts = _one_per_cause(incidents, amounts, lines)
    before = sum(amounts, ZERO)
    caps = rules.caps
    after_month = _under(CapLevel.MONTH, caps.month, fee, month_used, before, lines)
    after_quarter = _under(CapLevel.QUARTER, caps.quarter, fee, quarter_used, after_month, lines)
    after_contract = _under(CapLevel.CONTRACT, caps.contract, fee, charged, after_quarter, lines)
    final = _less_waived(after_contract, waived, lines)
    return ExplainedMonth(
        tuple(amounts), before, after_month, after_quarter, after_contract, final, (*lines, ResultLine(final))
    )


def _refuse_negative(sums: Iterable[Decimal]) -> None:
    for amount in sums:
        if amount < 0:
            raise PenaltyError(f"an amount can't be negative: {amount}")


def _standing(incident: IncidentPenalties, lines: list[Line]) -> list[PenaltyDue]:
    """Everything comes in; a line that the client waived leaves before any cap."""
    for owed in incident.owed:
        lines.append(AddedLine(incident.name, owed.target, owed.raw))
        if owed.waived:
            lines.append(DroppedLine(incident.name, owed.target, owed.raw, DropReason.WAIVED))
    return [owed for owed in incident.owed if not owed.waived]


def highest(amounts: Sequence[Decimal]) -> int:
    """The place of the greatest amount, the first of equal ones; -1 where there is none."""
    return max(range(len(amounts)), key=amounts.__getitem__, default=-1)


def _cumulated(
    incident: IncidentPenalties, owed: list[PenaltyDue], rules: MonthRules, lines: list[Line]
) -> list[PenaltyDue]:
    if (incident.cumulation or rules.cumulation) is Cumulation.CUMULATIVE:
        return owed
    best = highest([due.raw for due in owed])
    _drop(incident, [due for i, due in enumerate(owed) if i != best], DropReason.NOT_THE_HIGHEST, lines)
    return [due for i, due in enumerate(owed) if i == best]


def _drop(incident: IncidentPenalties, owed: Iterable[PenaltyDue], reason: DropReason, lines: list[Line]) -> None:
    lines.extend(DroppedLine(incident.name, due.target, due.raw, reason) for due in owed)


def _greater_of_event(
    incidents: Sequence[IncidentPenalties], kept: list[list[PenaltyDue]], lines: list[Line]
) -> list[list[PenaltyDue]]:
    """No double: among all that was owed for the same events, the credits or the delay penalties stand, not both."""
    out: set[tuple[int, int]] = set()
    for group in _same_events(kept):
        credit = [(i, j) for i, j in group if kept[i][j].target == AVAILABILITY]
        delays = [key for key in group if key not in credit]
        if credit and delays:
            credited, delayed = (sum((kept[i][j].raw for i, j in side), ZERO) for side in (credit, delays))
            out |= set(delays if credited >= delayed else credit)
    for i, incident in enumerate(incidents):
        _drop(incident, [due for j, due in enumerate(kept[i]) if (i, j) in out], DropReason.SAME_EVENT, lines)
    return [[due for j, due in enumerate(owed) if (i, j) not in out] for i, owed in enumerate(kept)]


def _same_events(kept: list[list[PenaltyDue]]) -> list[list[tuple[int, int]]]:
    """Places of the amounts, grouped by the events that tie them to one another."""
    groups: list[tuple[set[str], list[tuple[int, int]]]] = []
    for key, events in (((i, j), set(due.events)) for i, owed in enumerate(kept) for j, due in enumerate(owed)):
        tied = [group for group in groups if group[0] & events]
        groups = [group for group in groups if not group[0] & events]
        groups.append((events.union(*(g[0] for g in tied)), [key, *(k for g in tied for k in g[1])]))
    return [members for _, members in groups]


def _incident(
    incident: IncidentPenalties, owed: list[PenaltyDue], rules: MonthRules, fee: Decimal | Fraction, lines: list[Line]
) -> Decimal:
    amount = sum((due.raw for due in owed), ZERO)
    if incident.used and (incident.cumulation or rules.cumulation) is Cumulation.HIGHEST:
        taken = min(amount, incident.used)
        lines.append(EarlierLine(incident.name, incident.used, taken))
        amount -= taken
    if rules.caps.incident is None or not incident.owed or not incident.capped:
        return amount
    line = cap_line(CapLevel.INCIDENT, rules.caps.incident.limit(fee), incident.used, amount, incident.name)
    lines.append(line)
    return line.after


def _one_per_cause(incidents: Sequence[IncidentPenalties], amounts: list[Decimal], lines: list[Line]) -> list[Decimal]:
    greatest: dict[str, int] = {}
    for i, incident in enumerate(incidents):
        if incident.cause and amounts[i] > amounts[greatest.setdefault(incident.cause, i)]:
            greatest[incident.cause] = i
    out = {i for i, incident in enumerate(incidents) if incident.cause and greatest[incident.cause] != i}
    lines.extend(DroppedLine(incidents[i].name, "", amounts[i], DropReason.SAME_CAUSE) for i in sorted(out))
    return [ZERO if i in out else amount for i, amount in enumerate(amounts)]


def _under(
    level: CapLevel, cap: Cap | None, fee: Decimal | Fraction, used: Decimal, amount: Decimal, lines: list[Line]
) -> Decimal:
    if cap is None:
        return amount
    line: CapLine = cap_line(level, cap.limit(fee), used, amount)
    lines.append(line)
    return line.after


def _less_waived(amount: Decimal, waived: Decimal, lines: list[Line]) -> Decimal:
    if waived == 0:
        return amount
    taken = min(amount, waived)
    lines.append(WaivedLine(waived, taken))
    return amount - taken


def total_of(lines: Iterable[Line]) -> Fraction:
    """What the lines add up to; equal to the result of every breakdown."""
    return sum((line.change for line in lines), NOTHING)
