"""Penalty cases: a file of the format is translated into the product's own dataclasses and priced by its functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

from contracts.penalty.credit import Band, band_percent, credit
from contracts.penalty.month import IncidentPenalties, MonthRules, PenaltyDue, month
from contracts.penalty.rules import (
    UNUSED,
    Cap,
    Caps,
    ExcludedLine,
    ExplainedAmount,
    Grace,
    LateLine,
    Line,
    Scheme,
    Tier,
    Unit,
    floored,
    priced,
    units_penalty,
)
from contracts.vocabulary import Cumulation, GraceMode, RateType
from reports.verify.outcome import Outcome, UnknownWordError
from reports.verify.read import Answer, decimal, fields, group_outcomes, items, needed, whole, word

PEOPLE_READ = ("note", "title", "currency")
RULES = {
    "cumulative": Cumulation.CUMULATIVE,
    "highest": Cumulation.HIGHEST,
    "highest_only": Cumulation.HIGHEST,
    "higher": Cumulation.HIGHEST,
    "max": Cumulation.HIGHEST,
    "non_cumulative": Cumulation.HIGHEST,
}
CAP_TYPES = {"percent": RateType.PERCENT, "amount": RateType.AMOUNT, "pln": RateType.AMOUNT, "fixed": RateType.AMOUNT}
TARGETS = {
    "reaction": "reaction",
    "restore": "restore",
    "repair": "restore",
    "workaround": "restore",
    "final_fix": "final_fix",
    "fix": "final_fix",
    "availability": "availability",
    "update": "update",
    "status_update": "update",
    "next_update": "update",
}


def penalty_outcomes(data: Mapping[str, object]) -> list[Outcome]:
    """Every case of a penalty file but the group `other`. UnknownWordError names what the format doesn't know."""
    tables = needed("the file", data, "bands")
    if not isinstance(tables, Mapping):
        raise UnknownWordError(f"bands: an object is expected, not {tables!r}")
    bands = {str(name): _bands(str(name), table) for name, table in tables.items()}
    answers: dict[str, Callable[[str, object], Answer]] = {
        "single": _single,
        "monthly": _monthly,
        "availability_credit": lambda where, given: _credit(where, given, bands),
    }
    return group_outcomes(data, answers)


def _kind(where: str, field: str, value: object) -> RateType:
    return word(where, field, value, {kind.value: kind for kind in RateType})


def _single(where: str, given: object) -> Answer:
    names = ("scheme", "delay_seconds", "excluded_seconds", "late", "base_amount_pln", "incident_cap", *PEOPLE_READ)
    data = fields(where, given, names)
    rule = scheme(where, needed(where, data, "scheme"))
    caps = Caps(incident=_cap(where, data.get("incident_cap")))
    base = decimal(where, needed(where, data, "base_amount_pln"))
    if (units := _given_units(where, data["scheme"])) is not None:
        return _figures(units_penalty(rule, units if data.get("late", True) else Fraction(0), base, caps))
    delay = whole(where, needed(where, data, "delay_seconds"))
    lines: list[Line] = [LateLine(delay)]
    excluded = whole(where, data.get("excluded_seconds") or 0)
    if excluded:
        lines.append(ExcludedLine(min(delay, excluded), None, None, ""))
    late = bool(data.get("late", delay > 0))
    return _figures(priced(rule, tuple(lines), base, caps, UNUSED, None, late=late))


def _figures(breakdown: ExplainedAmount) -> Answer:
    return {"units": breakdown.units, "raw_pln": breakdown.raw, "final_pln": breakdown.amount}


def _given_units(where: str, given: object) -> Fraction | None:
    """The number of units, where a case's scheme says it and leaves nothing to count."""
    units = given.get("units") if isinstance(given, Mapping) else None
    return None if units is None else Fraction(decimal(where, units))


def scheme(where: str, given: object) -> Scheme:
    data = fields(where, given, ("rate_type", "rate", "unit", "units", "tiers", "grace"))
    counted = data.get("units") is not None and data.get("unit") is None
    return Scheme(
        kind=_kind(where, "rate_type", needed(where, data, "rate_type")),
        unit=Unit.named("once" if counted else str(needed(where, data, "unit"))),
        rate=None if data.get("rate") is None else decimal(where, data["rate"]),
        tiers=tuple(_tier(where, tier) for tier in items(where, data.get("tiers") or [])),
        grace=_grace(where, data.get("grace")),
    )


def _tier(where: str, given: object) -> Tier:
    data = fields(where, given, ("up_to", "rate"))
    up_to = data.get("up_to")
    return Tier(None if up_to is None else decimal(where, up_to), decimal(where, needed(where, data, "rate")))


def _grace(where: str, given: object) -> Grace | None:
    if given is None:
        return None
    data = fields(where, given, ("minutes", "mode"))
    mode = word(where, "grace mode", needed(where, data, "mode"), {mode.value: mode for mode in GraceMode})
    return Grace(whole(where, decimal(where, needed(where, data, "minutes")) * 60), mode)


def _cap(where: str, given: object) -> Cap | None:
    if given is None:
        return None
    data = fields(where, given, ("type", "value"))
    kind = word(where, "cap type", needed(where, data, "type"), CAP_TYPES)
    return Cap(kind, decimal(where, needed(where, data, "value")))


def _monthly(where: str, given: object) -> Answer:
    caps = (*(f"{level}_cap_{kind}" for level in ("incident", "month", "contract") for kind in ("percent", "pln")),)
    names = ("monthly_fee_net", "incidents", "rule", "contract_already_charged_pln", "waived_pln", *caps, *PEOPLE_READ)
    data = fields(where, given, names)
    rule = word(where, "rule", needed(where, data, "rule"), RULES)
    incident, of_month, contract = (_level(where, data, level) for level in ("incident", "month", "contract"))
    limits = Caps(incident, of_month, contract)
    settled = month(
        decimal(where, needed(where, data, "monthly_fee_net")),
        [_incident(where, n, incident) for n, incident in enumerate(items(where, needed(where, data, "incidents")), 1)],
        MonthRules(rule, limits),
        charged=decimal(where, data.get("contract_already_charged_pln") or 0),
        waived=decimal(where, data.get("waived_pln") or 0),
    )
    return {
        "per_incident_pln": list(settled.per_incident),
        "month_before_caps_pln": settled.before_caps,
        "after_month_cap_pln": settled.after_month_cap,
        "after_contract_cap_pln": settled.after_contract_cap,
        "final_pln": settled.final,
    }


def _level(where: str, data: Mapping[str, object], level: str) -> Cap | None:
    percent, amount = data.get(f"{level}_cap_percent"), data.get(f"{level}_cap_pln")
    if percent is not None and amount is not None:
        raise UnknownWordError(f"{where}: two limits of the {level}")
    if percent is not None:
        return Cap(RateType.PERCENT, decimal(where, percent))
    return None if amount is None else Cap(RateType.AMOUNT, decimal(where, amount))


def _incident(where: str, number: int, given: object) -> IncidentPenalties:
    data = fields(where, given, ("targets", "waived", "cap_used_pln", *PEOPLE_READ))
    owed = [_owed(where, target, data) for target in items(where, needed(where, data, "targets"))]
    return IncidentPenalties(str(number), tuple(owed), used=decimal(where, data.get("cap_used_pln") or 0))


def _owed(where: str, given: object, incident: Mapping[str, object]) -> PenaltyDue:
    data = fields(where, given, ("target", "raw_pln", "waived", *PEOPLE_READ))
    target = word(where, "target", needed(where, data, "target"), TARGETS)
    waived = bool(data.get("waived") or incident.get("waived"))
    return PenaltyDue(target, decimal(where, needed(where, data, "raw_pln")), waived)


def _bands(name: str, given: object) -> tuple[Decimal, tuple[Band, ...]]:
    data = fields(f"bands {name}", given, ("commit", "bands", *PEOPLE_READ))
    rows = items(f"bands {name}", needed(f"bands {name}", data, "bands"))
    commitment = decimal(f"bands {name}", needed(f"bands {name}", data, "commit"))
    return commitment, tuple(_band(f"bands {name}", row) for row in rows)


def _band(where: str, given: object) -> Band:
    row = items(where, given)
    if len(row) != 3:
        raise UnknownWordError(f"{where}: a band is [below, down to, credit], not {row!r}")
    below, down_to, percent = row
    lower = None if down_to is None else decimal(where, down_to)
    return Band(decimal(where, below), lower, decimal(where, percent))


def _credit(where: str, given: object, tables: Mapping[str, tuple[Decimal, tuple[Band, ...]]]) -> Answer:
    data = fields(where, given, ("bands", "downtime_minutes", "total_minutes", "monthly_fee", *PEOPLE_READ))
    commitment, bands = word(where, "bands", needed(where, data, "bands"), tables)
    total, down = (Fraction(decimal(where, needed(where, data, f))) for f in ("total_minutes", "downtime_minutes"))
    if total <= 0:
        raise UnknownWordError(f"{where}: total_minutes must be above 0, not {data['total_minutes']!r}")
    availability = (total - down) / total
    breakdown = credit(bands, commitment, availability, decimal(where, needed(where, data, "monthly_fee")))
    return {
        "uptime_percent_floor4": floored(availability),
        "credit_percent": band_percent(breakdown),
        "credit": breakdown.amount,
    }
