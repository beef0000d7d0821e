"""What breaches cost by their contracts, with the explanation of each: rows to the pure arithmetic and back.

One source for every page: the ledger of a contract, made of what the decisions recorded and of what is not decided yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from django.utils.translation import gettext as _

from contracts.models import ContractVersion, DelayTime, PenaltyBase, PenaltyRule
from contracts.penalty.breach import Exclusion, Lateness, breach_penalty
from contracts.penalty.ledger import Ledger, Limits, MissedTarget, RecordedLine, settle
from contracts.penalty.rules import ZERO, ExplainedAmount, FeeBase, Line, ResultLine
from contracts.penalty.text import nothing_because
from contracts.terms import caps_of, covered_days, scheme_of, seconds, shop_share
from contracts.vocabulary import Cumulation
from contracts.worktime import WorkCalendar, work_calendar
from incidents.clock import clocks as clock
from incidents.events import MOVING
from incidents.models import Breach, Incident, JournalEntry
from incidents.projection import rows as projection
from reports.models import BreachDecision, Verdict, needs_second, undecided
from wording.words import month as month_words


@dataclass(frozen=True, slots=True)
class PricedBreach:
    """A breach with its clock and its breakdown at an instant; `breakdown` is None where the target costs nothing.

    `own` is its penalty by its own rule, `amount` what of it counts beside the incident's others and under the limits.
    """

    breach: Breach
    clock: clock.Clock
    breakdown: ExplainedAmount | None
    working: bool
    own: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        return self.breakdown.amount if self.breakdown else ZERO

    @property
    def delay(self) -> int:
        return self.clock.late

    @property
    def why_nothing(self) -> str:
        """In a few words why nothing is owed; "" where something is."""
        return nothing_because(self.breakdown) if self.breakdown else _("no penalty agreed")


@dataclass(frozen=True, slots=True)
class DecidedBreach:
    """What the ledger needs of a breach that is decided. `is_settled`: no second person is waited for."""

    pk: int
    incident_id: int
    target: str
    deadline: datetime
    stopped_at: datetime | None
    version: ContractVersion
    standing: Decimal
    is_settled: bool


class BreachPricer:
    """Everything that pricing some breaches needs, read in a number of queries that doesn't depend on how many.

    `contracts`: contracts whose months are asked for, besides those of the breaches. What is decided is read as plain
    rows, without a journal: its amounts are on record.
    """

    def __init__(self, breaches: Iterable[Breach], at: datetime, contracts: Iterable[int] = ()) -> None:
        self.breaches = list(breaches)
        self.at = at
        self._contracts = {*contracts, *(breach.version.contract_id for breach in self.breaches)}
        self._own: dict[int, ExplainedAmount | None] = {}
        self._timelines: dict[tuple[int, int], clock.Timeline] = {}
        self._limits_of: dict[int, Limits] = {}
        self._rows: dict[int, MissedTarget] = {}

    def all_priced(self) -> list[PricedBreach]:
        return [self.priced(breach) for breach in self.breaches]

    def priced(self, breach: Breach, exclusions: Sequence[Exclusion] = ()) -> PricedBreach:
        track = self._clock(breach)
        hours = work_calendar(track.calendar) if track.calendar else None
        working = hours is not None and hours.next_change(seconds(self.at)) is not None
        own = self._breakdown(breach, exclusions) if exclusions else self._own_breakdown(breach)
        if own is None:
            return PricedBreach(breach, track, None, working)
        breakdown = self._explained(breach, own, exclusions)
        return PricedBreach(breach, track, breakdown, working, own.amount)

    def own(self, breach: Breach, exclusions: Sequence[Exclusion] = ()) -> Decimal:
        """The penalty by the breach's own rule, before cumulation and every limit: what is at stake in its decision."""
        breakdown = self._breakdown(breach, exclusions)
        return breakdown.amount if breakdown else ZERO

    def counted(self, breach: Breach) -> Decimal:
        """What of the breach counts, beside the incident's others and under the limits."""
        return self._ledgers[breach.version.contract_id].shares[breach.pk].amount

    def why_nothing(self, breach: Breach) -> str:
        """In a few words why nothing of it counts; "" where something does. One worth 0 must be a given breach."""
        share, standing = self._ledgers[breach.version.contract_id].shares[breach.pk], self._standing(breach)
        if share.amount:
            return ""
        if not standing:
            return self.priced(breach).why_nothing
        return nothing_because(ExplainedAmount(share.amount, standing, Fraction(0), 0, share.lines))

    def months(self, contract: int) -> dict[date, Decimal]:
        """Month → what it would owe if everything undecided were confirmed as it stands now."""
        return dict(self._ledgers[contract].months)

    def month_with(self, breach: Breach, exclusions: Sequence[Exclusion] = ()) -> tuple[date, Decimal]:
        """The month of the breach's stop, and what it would owe with these exclusions, if all else is confirmed."""
        contract, month = breach.version.contract_id, self._row(breach).month
        ledger = self._ledger(contract, {breach.pk: self.own(breach, exclusions)}) if exclusions else None
        return month, (ledger or self._ledgers[contract]).months.get(month, ZERO)

    def charged(self, contract: int) -> Decimal:
        """What decisions have charged so far, in all months; those that wait for a second person charge nothing."""
        return settle(self._row(breach) for breach in self._of(contract) if self._is_settled(breach)).total

    def _explained(self, breach: Breach, own: ExplainedAmount, exclusions: Sequence[Exclusion]) -> ExplainedAmount:
        """The breakdown from the delay to what counts: its own rule, what was recorded, the incident, the limits."""
        ledger = self._ledgers[breach.version.contract_id]
        standing = own.amount if exclusions else self._standing(breach)
        if exclusions:
            ledger = self._ledger(breach.version.contract_id, {breach.pk: standing})
        recorded: list[Line] = [] if standing == own.amount else [RecordedLine(own.amount, standing)]
        share = ledger.shares[breach.pk]
        lines = (*own.lines[:-1], *recorded, *share.lines, ResultLine(share.amount))
        return ExplainedAmount(share.amount, own.amount, own.units, own.seconds, lines)

    def _clock(self, breach: Breach) -> clock.Clock:
        """The clock that was missed: this run and lap, from the incident's journal."""
        newest = self._timeline(breach).clocks[breach.target]
        laps = (newest, *newest.earlier)
        return next(lap for lap in laps if (lap.run, lap.lap) == (breach.run, breach.lap))

    def _timeline(self, breach: Breach) -> clock.Timeline:
        """An incident is replayed once, however many of its targets were missed."""
        key = breach.incident_id, breach.version_id
        if key not in self._timelines:
            events = projection.events_of(self._journals[breach.incident_id])
            self._timelines[key] = clock.Timeline(self._terms[breach.version_id], events, seconds(self.at))
        return self._timelines[key]

    def _own_breakdown(self, breach: Breach) -> ExplainedAmount | None:
        """By the rule alone, with what a decision that stands has excluded."""
        if breach.pk not in self._own:
            self._own[breach.pk] = self._breakdown(breach, exclusions_of(self._decisions.get(breach.pk)))
        return self._own[breach.pk]

    def _breakdown(self, breach: Breach, exclusions: Sequence[Exclusion]) -> ExplainedAmount | None:
        """Up to the stop, or up to now while the clock runs. The rate: the incident's version; the fee: the month's."""
        rule = self._rules.get((breach.version_id, breach.severity, breach.target))
        if rule is None:
            return None
        track = self._clock(breach)
        stop = breach.stopped_at or self.at
        hours: WorkCalendar | None = work_calendar(track.calendar) if track.calendar else None
        calendar = None if breach.version.delay_time == DelayTime.REAL else hours
        waited = tuple((line.at, line.until) for line in track.trace if line.kind == "handover" and line.until)
        base = self._base(breach, stop)
        late = Lateness(seconds(breach.deadline), seconds(stop), calendar, waited)
        return breach_penalty(scheme_of(rule), late, base, exclusions=exclusions)

    def _base(self, breach: Breach, stop: datetime) -> FeeBase:
        """The fee that the rate is of, by the terms of the version that settles the stop."""
        contract, settled = breach.version.contract, self._settled_by(breach, stop)
        month, paid = contract.local_day(stop).replace(day=1), settled
        day_before = month - timedelta(days=1)
        if settled.penalty_base == PenaltyBase.MONTH_BEFORE and contract.starts_on <= day_before:
            month, paid = day_before.replace(day=1), self._version_on(breach, day_before)
        share = shop_share(paid, self._shops[breach.incident_id]) if paid.fee_parts else Fraction(1)
        days, of_days = (settled.part_months and covered_days(contract, month)) or (None, None)
        return FeeBase(paid.monthly_fee, share, days, of_days, month_words(month), _version_words(paid))

    def _settled_by(self, breach: Breach | DecidedBreach, stop: datetime) -> ContractVersion:
        """The version whose fee and limits settle the stop."""
        return self._version_on(breach, breach.version.contract.local_day(stop))

    def _version_on(self, breach: Breach | DecidedBreach, day: date) -> ContractVersion:
        """The version of a day, of those entered before the deadline was missed.

        What is entered after a deadline has passed takes nothing from its breach and adds nothing to it.
        """
        entered = [
            version
            for version in self._versions_of[breach.version.contract_id]
            if version.valid_from <= day and version.created_at <= breach.deadline
        ]
        return max(entered, key=lambda version: version.valid_from, default=breach.version)

    @cached_property
    def _shops(self) -> dict[int, int]:
        """Incident → its shop, of what is computed; asked for only where a fee is split by shop."""
        rows = Incident.objects.filter(pk__in={breach.incident_id for breach in self._priced})
        return dict(rows.values_list("pk", "shop_id"))

    @cached_property
    def _ledgers(self) -> dict[int, Ledger]:
        return {contract: self._ledger(contract, {}) for contract in self._contracts}

    def _ledger(self, contract: int, instead: dict[int, Decimal]) -> Ledger:
        """Of all breaches of a contract, decided or not; `instead`: breach → another amount, to look ahead."""
        rows = (self._row(breach) for breach in self._of(contract))
        return settle(replace(row, amount=instead.get(row.key, row.amount)) if instead else row for row in rows)

    def _row(self, breach: Breach | DecidedBreach) -> MissedTarget:
        if breach.pk not in self._rows:
            self._rows[breach.pk] = self._made(breach)
        return self._rows[breach.pk]

    def _made(self, breach: Breach | DecidedBreach) -> MissedTarget:
        stop = breach.stopped_at or self.at
        return MissedTarget(
            key=breach.pk,
            incident=str(breach.incident_id),
            target=breach.target,
            stop=seconds(stop),
            month=breach.version.contract.local_day(stop).replace(day=1),
            amount=self._standing(breach),
            limits=self._limits(self._settled_by(breach, stop)),
            cumulation=Cumulation(breach.version.cumulation),
        )

    def _limits(self, version: ContractVersion) -> Limits:
        if version.pk not in self._limits_of:
            self._limits_of[version.pk] = Limits(version.pk, version.monthly_fee, caps_of(version))
        return self._limits_of[version.pk]

    def _standing(self, breach: Breach | DecidedBreach) -> Decimal:
        """What the decision recorded; without one, the amount of now."""
        if decided := self._decided.get(breach.pk):
            return decided.standing
        breakdown = self._own_breakdown(breach) if isinstance(breach, Breach) else None
        return breakdown.amount if breakdown else ZERO

    def _is_settled(self, breach: Breach | DecidedBreach) -> bool:
        decided = self._decided.get(breach.pk)
        return decided is not None and decided.is_settled

    def _of(self, contract: int) -> list[Breach | DecidedBreach]:
        return self._by_contract.get(contract, [])

    @cached_property
    def _by_contract(self) -> dict[int, list[Breach | DecidedBreach]]:
        breaches: dict[int, list[Breach | DecidedBreach]] = {}
        for breach in self._all:
            breaches.setdefault(breach.version.contract_id, []).append(breach)
        return breaches

    @cached_property
    def _all(self) -> list[Breach | DecidedBreach]:
        """Every breach of the contracts: those that were given, those that wait, and the rest as plain rows."""
        given = {breach.pk for breach in self.breaches}
        decided = [row for row in self._decided.values() if row.pk not in given]
        return [*self._priced, *decided]

    @cached_property
    def _priced(self) -> list[Breach]:
        """What is computed from its journal: the given ones, and whatever nobody has decided."""
        given = {breach.pk for breach in self.breaches}
        rows = Breach.objects.filter(version__contract__in=self._contracts)
        waiting = [breach for breach in undecided(rows) if breach.pk not in given]
        for breach in waiting:
            breach.version = self._versions[breach.version_id]
        return [*self.breaches, *waiting]

    @cached_property
    def _decided(self) -> dict[int, DecidedBreach]:
        """Breach → what its decision left of it.

        Read as tuples: with 3,000 decided breaches the manager's page took 260 ms of CPU by Django's rows, 190 so.
        """
        rows = BreachDecision.objects.standing().filter(
            breach__version__contract__in=self._contracts, breach__voided_at=None
        )
        of_breach = (f"breach__{name}" for name in ("incident", "target", "deadline", "stopped_at", "version"))
        read = rows.order_by().values_list("breach", *of_breach, "amount_before", "amount_after", "second_by")
        return {row[0]: self._decided_row(*row) for row in read}

    def _decided_row(
        self,
        pk: int,
        incident: int,
        target: str,
        deadline: datetime,
        stopped_at: datetime | None,
        version: int,
        before: Decimal,
        after: Decimal,
        second: int | None,
    ) -> DecidedBreach:
        terms = self._versions[version]
        awaits = needs_second(before, terms.second_person_above) and second is None
        return DecidedBreach(pk, incident, target, deadline, stopped_at, terms, before if awaits else after, not awaits)

    @cached_property
    def _journals(self) -> dict[int, list[JournalEntry]]:
        journals: dict[int, list[JournalEntry]] = {breach.incident_id: [] for breach in self._priced}
        entries = JournalEntry.objects.filter(incident__in=journals, kind__in=MOVING)
        for entry in entries.order_by("incident", "seq"):
            journals[entry.incident_id].append(entry)
        return journals

    @cached_property
    def _terms(self) -> dict[int, clock.Terms]:
        """Of the versions of what is priced, read together."""
        return projection.clock_terms(self._versions[pk] for pk in {breach.version_id for breach in self._priced})

    @cached_property
    def _rules(self) -> dict[tuple[int, str, str], PenaltyRule]:
        rules = PenaltyRule.objects.filter(target__version__in=self._terms).select_related("target")
        return {(rule.target.version_id, rule.target.severity, rule.target.kind): rule for rule in rules}

    @cached_property
    def _versions(self) -> dict[int, ContractVersion]:
        rows = ContractVersion.objects.filter(contract__in=self._contracts).select_related("contract")
        return {version.pk: version for version in rows}

    @cached_property
    def _versions_of(self) -> dict[int, list[ContractVersion]]:
        """Contract → its versions."""
        versions: dict[int, list[ContractVersion]] = {contract: [] for contract in self._contracts}
        for version in self._versions.values():
            versions[version.contract_id].append(version)
        return versions

    @cached_property
    def _decisions(self) -> dict[int, BreachDecision]:
        """Of the given breaches, each tied to the breach that is here already."""
        breaches = {breach.pk: breach for breach in self.breaches}
        decisions = BreachDecision.objects.standing().filter(breach__in=breaches)
        by_breach = {decision.breach_id: decision for decision in decisions}
        for key, decision in by_breach.items():
            decision.breach = breaches[key]
        return by_breach


def sums_by_currency(breaches: Iterable[PricedBreach]) -> dict[str, Decimal]:
    """Currency → what the breaches cost together: amounts of two currencies are never added up."""
    sums: dict[str, Decimal] = {}
    for priced in breaches:
        currency = priced.breach.version.currency
        sums[currency] = sums.get(currency, ZERO) + priced.amount
    return sums


def exclusions_of(decision: BreachDecision | None) -> tuple[Exclusion, ...]:
    """What a decision that stands has taken off the delay."""
    if decision is None or decision.verdict != Verdict.EXCLUDED or decision.awaits_second:
        return ()
    assert decision.excluded_from is not None
    assert decision.excluded_to is not None
    return (Exclusion(seconds(decision.excluded_from), seconds(decision.excluded_to), decision.reason),)


def _version_words(version: ContractVersion) -> str:
    facts = {"number": version.contract.number, "version": version.number}
    return _("contract %(number)s, version %(version)s") % facts
