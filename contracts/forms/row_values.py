"""What the rows of the form begin with: a version's terms as their fields show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.agreements import PenaltySpec, RhythmSpec, StepSpec, TargetSpec
from contracts.forms import parse as typed
from contracts.forms.rates import rates_value
from contracts.forms.rows import key
from contracts.terms import scheme_of


def target_values(target: TargetSpec) -> dict[str, Any]:
    """A target as its row begins with it."""
    return {"time": typed.Length(target.minutes, target.days, target.reading), "hours": target.calendar}


def other_values(targets: Iterable[TargetSpec]) -> dict[str, dict[str, Any]]:
    """The other times as their rows begin with them."""
    rows = [(key(target.severity, target.kind), time) for target in targets for time in target.otherwise]
    return {
        f"other{place}": {
            "of": of,
            "outside": time.outside,
            "time": typed.Length(time.minutes, time.days, time.reading),
            "hours": time.calendar,
        }
        for place, (of, time) in enumerate(rows)
    }


def penalty_values(penalty: PenaltySpec, currency: str) -> dict[str, Any]:
    grace = {"grace": penalty.grace_minutes, "grace_mode": penalty.grace_mode} if penalty.grace_minutes else {}
    tiers = scheme_of(penalty).tiers[:-1]
    rate = rates_value(penalty.rate_type, penalty.rate, tiers, currency)
    return {"rate": rate, "unit": penalty.unit, **grace}


def manner_values(rhythms: Iterable[RhythmSpec], silence: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {severity: {"silence": days} for severity, days in silence.items()}
    for rhythm in rhythms:
        values[rhythm.severity] |= {"update": rhythm.minutes, "update_hours": rhythm.calendar}
    return values


def rung_values(step: StepSpec) -> dict[str, Any]:
    return {"share": step.mark, **{name: getattr(step, name) for name in ("target", "whom", "channel", "person")}}
