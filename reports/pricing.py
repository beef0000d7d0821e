"""What breaches cost by their contracts, with the account of each: rows to the pure arithmetic and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.words import month as month_words
from contracts.models import ContractVersion, DelayTime, PenaltyRule
from contracts.penalties import ZERO, Account, Base, Used
from contracts.penalty_breach import Exclusion, Lateness, breach_penalty
from contracts.terms import caps_of, scheme_of, seconds
from contracts.worktime import WorkCalendar, work_calendar
from incidents import clock, projection
from incidents.models import Breach, JournalEntry
from reports.models import BreachDecision


@dataclass(frozen=True, slots=True)
class Case:
    """A breach with its clock and its account at an instant; `account` is None where the target costs nothing."""

    breach: Breach
    clock: clock.Clock
    account: Account | None
    working: bool

    @property
    def amount(self) -> Decimal:
        return self.account.amount if self.account else ZERO

    @property
    def delay(self) -> int:
        return self.clock.late


class Book:
    """Everything that pricing some breaches needs, read in a number of queries that doesn't depend on how many."""

    def __init__(self, breaches: Iterable[Breach], at: datetime) -> None:
        self.breaches = list(breaches)
        self.at = at

    def cases(self) -> list[Case]:
        return [self.case(breach) for breach in self.breaches]

    def case(self, breach: Breach, exclusions: Sequence[Exclusion] = ()) -> Case:
        found = self._clock(breach)
        hours = work_calendar(found.calendar) if found.calendar else None
        working = hours is not None and hours.next_change(seconds(self.at)) is not None
        return Case(breach, found, self._account(breach, found, hours, exclusions), working)

    def _clock(self, breach: Breach) -> clock.Clock:
        """The clock that was missed: this run and lap, from the incident's journal."""
        events = projection.events_of(self._journals[breach.incident_id])
        found = clock.clocks(self._terms[breach.version_id], events, seconds(self.at))[breach.target]
        return next(one for one in (found, *found.earlier) if (one.run, one.lap) == (breach.run, breach.lap))

    def _account(
        self, breach: Breach, found: clock.Clock, hours: WorkCalendar | None, exclusions: Sequence[Exclusion]
    ) -> Account | None:
        """Up to the stop, or up to now while the clock runs. The rate: the incident's version; the fee: the month's."""
        rule = self._rules.get((breach.version_id, breach.severity, breach.target))
        if rule is None:
            return None
        stop = breach.stopped_at or self.at
        calendar = None if breach.version.delay_time == DelayTime.REAL else hours
        waited = tuple((line.at, line.until) for line in found.trace if line.kind == "handover" and line.until)
        settled = self._settled_by(breach, stop)
        base = Base(settled.monthly_fee, month=month_words(_local(breach, stop)), version=_version_words(settled))
        return breach_penalty(
            scheme_of(rule), Lateness(seconds(breach.deadline), seconds(stop), calendar, waited), base,
            exclusions=exclusions, caps=caps_of(settled), used=self._used(breach, stop), fee=settled.monthly_fee,
        )  # fmt: skip

    def _settled_by(self, breach: Breach, stop: datetime) -> ContractVersion:
        """The version whose fee settles the month of the stop; the incident's own where none was in force."""
        on = _local(breach, stop)
        known = [
            one for one in self._versions if one.contract_id == breach.version.contract_id and one.valid_from <= on
        ]
        return max(known, key=lambda one: one.valid_from, default=breach.version)

    def _used(self, breach: Breach, stop: datetime) -> Used:
        """What other decisions have used of each limit: of the incident, of the month of the stop, of the contract."""
        contract = breach.version.contract_id
        others = [one for one in self._decisions if one.breach_id != breach.pk]
        same = [one for one in others if one.breach.version.contract_id == contract]
        month = _local(breach, stop).replace(day=1)
        return Used(
            incident=_sum(one for one in same if one.breach.incident_id == breach.incident_id),
            month=_sum(one for one in same if _month_of(one) == month),
            contract=_sum(same),
        )

    @cached_property
    def _journals(self) -> dict[int, list[JournalEntry]]:
        found: dict[int, list[JournalEntry]] = {breach.incident_id: [] for breach in self.breaches}
        for entry in JournalEntry.objects.filter(incident__in=found, kind__in=clock.KINDS).order_by("incident", "seq"):
            found[entry.incident_id].append(entry)
        return found

    @cached_property
    def _terms(self) -> dict[int, clock.Terms]:
        """A handful of versions, each read once."""
        versions = ContractVersion.objects.filter(pk__in={breach.version_id for breach in self.breaches})
        return {version.pk: projection.version_terms(version).terms for version in versions}

    @cached_property
    def _rules(self) -> dict[tuple[int, str, str], PenaltyRule]:
        found = PenaltyRule.objects.filter(target__version__in=self._terms).select_related("target")
        return {(rule.target.version_id, rule.target.severity, rule.target.kind): rule for rule in found}

    @cached_property
    def _versions(self) -> list[ContractVersion]:
        contracts = {breach.version.contract_id for breach in self.breaches}
        return list(ContractVersion.objects.filter(contract__in=contracts).select_related("contract"))

    @cached_property
    def _decisions(self) -> list[BreachDecision]:
        contracts = {breach.version.contract_id for breach in self.breaches}
        found = BreachDecision.objects.filter(breach__version__contract__in=contracts)
        return list(found.select_related("breach__version__contract"))


def _version_words(version: ContractVersion) -> str:
    facts = {"number": version.contract.number, "version": version.number}
    return _("contract %(number)s, version %(version)s") % facts


def _sum(decisions: Iterable[BreachDecision]) -> Decimal:
    return sum((one.amount_after for one in decisions), ZERO)


def _local(breach: Breach, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(breach.version.contract.zone)).date()


def _month_of(decision: BreachDecision) -> date | None:
    stop = decision.breach.stopped_at
    return _local(decision.breach, stop).replace(day=1) if stop else None
