"""What an exclusion would give, before it is sent: the same arithmetic as the decision's, nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.penalty.breach import Exclusion
from contracts.penalty.rules import ExcludedLine, LateLine
from contracts.terms import seconds
from incidents.models import Breach
from reports.money.pricing import BreachPricer, PricedBreach
from reports.money.review import check_span
from reports.money.rows import MoneyRow, money_rows


@dataclass(frozen=True, slots=True)
class Outlook:
    """A breach as it stands and with an exclusion; the month is that of its stop, with everything undecided in it."""

    before: PricedBreach
    after: PricedBreach
    month: date
    month_before: Decimal
    month_after: Decimal

    @property
    def rows(self) -> list[MoneyRow]:
        breakdown = self.after.breakdown
        return money_rows(breakdown, self.after.breach.version.currency) if breakdown else []

    @property
    def takes_nothing(self) -> bool:
        """Whether the excluded time lies where the delay doesn't count anyway."""
        lines = self.after.breakdown.lines if self.after.breakdown else ()
        return not any(line.taken for line in lines if isinstance(line, ExcludedLine))

    @property
    def delay(self) -> int:
        """The delay that is left, in seconds of the calendar that the penalty counts by."""
        lines = self.after.breakdown.lines if self.after.breakdown else ()
        return sum(line.seconds for line in lines if isinstance(line, LateLine | ExcludedLine))


def outlook_of(pricer: BreachPricer, breach: Breach, *, start: datetime, end: datetime, reason: str) -> Outlook:
    """Raises Refused for time that isn't part of the delay."""
    check_span(breach, start, end)
    exclusions = [Exclusion(seconds(start), seconds(end), reason)]
    month, before = pricer.month_with(breach)
    _month, after = pricer.month_with(breach, exclusions)
    return Outlook(pricer.priced(breach), pricer.priced(breach, exclusions), month, before, after)
