"""How long a penalty with its account takes, and a month of one monitor with 500 intervals: the best of many runs.

python -m tests.bench_money
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.penalty.breach import Exclusion, Lateness, breach_penalty
from contracts.penalty.rules import Cap, Caps, FeeBase, Grace, Scheme, Tier, Unit
from contracts.vocabulary import GraceMode, RateType
from contracts.worktime import parse_calendar, work_calendar
from monitoring.availability.measure import Interval, Terms, measure
from monitoring.availability.periods import local_months
from monitoring.probe.specification import State

HOUR = 3600
OFFICE = work_calendar(
    parse_calendar(
        {"weekly": {"mon-fri": [["08:00", "16:00"]]}, "statutory_holidays_closed": True},
        zone="Europe/Warsaw",
        holidays=POLISH_HOLIDAYS,
    )
)
MONTH = local_months(2026, 11, 1, "Europe/Warsaw")
STEP = (MONTH.end - MONTH.start) // 500
STATES = (State.DOWN, State.DOWN, State.UNKNOWN, State.DOWN, State.MAINTENANCE)


def penalty_of_a_breach() -> object:
    """Tiers, grace, two exclusions, three caps, in office hours."""
    tiers = (Tier(Decimal(4), Decimal(1)), Tier(None, Decimal("1.5")))
    scheme = Scheme(RateType.PERCENT, Unit.named("started_hour"), tiers=tiers, grace=Grace(900, GraceMode.DEDUCTIBLE))
    late = Lateness(MONTH.start + 8 * HOUR, MONTH.start + 80 * HOUR, OFFICE)
    out = [Exclusion(MONTH.start + start * HOUR, MONTH.start + (start + 2) * HOUR, "third_party") for start in (33, 34)]
    cap = Cap(RateType.PERCENT, Decimal(20))
    base = FeeBase(Decimal("5000.00"), Fraction(1, 2), month="2026-11")
    return breach_penalty(scheme, late, base, exclusions=out, caps=Caps(cap, cap, cap))


def month_of_500_intervals() -> object:
    return measure(MONTH, INTERVALS, Terms(Decimal("99.9"), minimum_outage=60), OFFICE)


INTERVALS = [
    Interval(MONTH.start + n * STEP, MONTH.start + n * STEP + 400, STATES[n % 5], Fraction(1, 1 + n % 2))
    for n in range(500)
]
LIMITS: tuple[tuple[str, Callable[[], object], int], ...] = (
    ("a penalty with its account", penalty_of_a_breach, 100),
    ("a month of one monitor with 500 intervals", month_of_500_intervals, 2000),
)


def figures() -> dict[str, tuple[int, int]]:
    """What was measured → microseconds, and the limit for them."""
    return {name: (best(call), limit) for name, call, limit in LIMITS}


def best(call: Callable[[], object], runs: int = 20) -> int:
    return int(min(timeit.repeat(call, number=runs, repeat=20)) / runs * 1_000_000)


if __name__ == "__main__":
    for name, (taken, limit) in figures().items():
        sys.stdout.write(f"{name}: {taken} µs (limit {limit} µs)\n")
