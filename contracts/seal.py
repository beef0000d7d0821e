"""What was promised, in a hash: each contract, version, calendar and day is sealed in the act that enters it.

A digest is SHA-256 over canonical JSON of columns by name. Those of `NAMES` are in every digest. Every other column of
these tables came later, and is left out while it holds its default, which older rows hold: digests of before stay, and
another value in it is seen. So the default of such a column stands for ever. Seals are chained in one list, no gaps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet

from contracts.models import (
    Calendar,
    CalendarDay,
    Contract,
    ContractVersion,
    EscalationStep,
    PenaltyRule,
    Target,
    UpdateRhythm,
)
from contracts.planned import MaintenanceWindow
from contracts.seal_rows import Seal, SealKind
from contracts.severities import Meaning, SeverityName
from contracts.timed import TargetAlternative

FORMAT = 1  # of what is hashed; another one would make every old seal look forged
LOCK = 0x5EA1  # held till the end of the transaction by whoever adds to the list; always the last lock taken
NAMES: dict[type[models.Model], tuple[str, ...]] = {
    Calendar: ("zone", "weekly", "statutory_holidays"),
    CalendarDay: ("calendar_id", "date", "windows", "entered_by_id", "entered_at"),
    Contract: ("client_id", "number", "zone", "starts_on", "ends_on", "notice_months"),
    ContractVersion: (
        "contract_id",
        "number",
        "valid_from",
        "monthly_fee",
        "currency",
        "repair_starts",
        "reopen",
        "liability",
        "delay_time",
        "cumulation",
        "incident_cap_percent",
        "incident_cap_amount",
        "month_cap_percent",
        "contract_cap_amount",
        "availability_target",
        "minimum_outage_minutes",
        "maintenance",
        "maintenance_notice_hours",
        "maintenance_limit_minutes",
        "unknown_limit_minutes",
        "monitoring_starts_clock",
        "third_party_pause",
        "second_person_above",
        "exclusion_reasons",
        "silence_days_p1",
        "silence_days_p2",
        "silence_days_p3",
        "silence_days_p4",
        "days_off_notice",
        "signed_on",
        "signatories",
        "created_by_id",
        "created_at",
    ),
    Target: ("severity", "kind", "minutes", "calendar_id"),
    TargetAlternative: ("place", "outside_id", "minutes", "days", "reading", "calendar_id"),
    PenaltyRule: ("rate_type", "rate", "unit", "grace_minutes", "grace_mode"),
    UpdateRhythm: ("severity", "minutes", "calendar_id"),
    EscalationStep: ("target", "share", "whom", "person_id", "channel"),
    SeverityName: ("severity", "name", "description"),
    Meaning: ("symptom", "severity"),
    MaintenanceWindow: ("shop_id", "starts_at", "ends_at", "announced_at", "note", "entered_by_id"),
}
BESIDE: dict[type[models.Model], tuple[str, ...]] = {
    Calendar: ("name", "is_office"),
    CalendarDay: ("removed_by_id", "removed_at"),
    Contract: ("serial", "address"),
    ContractVersion: ("valid_to",),
    Target: ("version_id",),
    TargetAlternative: ("target_id",),
    PenaltyRule: ("target_id",),
    UpdateRhythm: ("version_id",),
    EscalationStep: ("version_id",),
    SeverityName: ("version_id",),
    Meaning: ("version_id",),
    MaintenanceWindow: ("called_off_at", "called_off_by_id"),
}
"""What no digest of the row holds: names and addresses, its parent, and what later acts write and seal themselves."""


def digest(value: object) -> str:
    """SHA-256 of canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps([FORMAT, value], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def columns(row: models.Model) -> dict[str, Any]:
    """The row's named columns as JSON has them, stored or not yet stored."""
    model = type(row)
    filled = [name for name, default in later(model).items() if getattr(row, name) != default]
    return values(row, [*NAMES[model], *filled])


@cache
def later(model: type[models.Model]) -> dict[str, object]:
    """Columns that came after the first seals, with the default that rows of before hold."""
    names = {*NAMES[model], *BESIDE.get(model, ())}
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return {field.attname: field.get_default() for field in fields if field.attname not in names}


def values(row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """Columns of these names as JSON has them, of a row of any room."""
    return {name: _plain(type(row), name, getattr(row, name)) for name in names}


def _plain(model: type[models.Model], name: str, value: object) -> object:
    """Money as its column writes it, `10000.00`; an instant in UTC."""
    if isinstance(value, Decimal):
        places = getattr(model._meta.get_field(name), "decimal_places", 0)
        return f"{value:.{places}f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def calendar_digest(calendar: Calendar) -> str:
    """The calendar's week, without its days."""
    return digest(columns(calendar))


def stood_digest(calendars: Iterable[Calendar], at: datetime) -> str:
    """Calendars as they stood at an instant: week and days of each (prefetch `days`), whatever order they come in.

    A change counts from the second after it, as in every count of a clock.
    """
    stood = {
        str(calendar.pk): [
            columns(calendar),
            sorted([day.date.isoformat(), day.windows] for day in days_at(calendar, at)),
        ]
        for calendar in calendars
    }
    return digest(stood)


def days_at(calendar: Calendar, at: datetime) -> list[CalendarDay]:
    """The entered days that stood at an instant."""
    return [
        day for day in calendar.days.all() if day.entered_at < at and (day.removed_at is None or at <= day.removed_at)
    ]


def day_digest(day: CalendarDay) -> str:
    return digest(columns(day))


def removal_digest(day: CalendarDay) -> str:
    """An entered day with its removal."""
    removed_at = day.removed_at and day.removed_at.astimezone(UTC).isoformat()
    return digest({**columns(day), "removed_at": removed_at, "removed_by_id": day.removed_by_id})


def contract_digest(contract: Contract) -> str:
    return digest({**columns(contract), "shops": sorted(shop.pk for shop in contract.shops.all())})


def version_digest(version: ContractVersion) -> str:
    """The terms: the version and all below it, each target with the week of its calendar (see `with_terms`).

    `valid_to` follows from the next version and is no part of it.
    """
    below = terms_below(version)
    return digest({**columns(version), **{name: _ordered(rows) for name, rows in below.items()}})


def terms_below(version: ContractVersion) -> dict[str, list[dict[str, Any]]]:
    """The rows of a version's terms, by table; a table that came later is left out where it holds nothing."""
    below = {
        "targets": [_target(target) for target in version.targets.all()],
        "rhythms": _rows(version.rhythms.all()),
        "steps": _rows(version.steps.all()),
    }
    names, meanings = _rows(version.severity_names.all()), _rows(version.meanings.all())
    return below | {name: rows for name, rows in (("severity_names", names), ("meanings", meanings)) if rows}


def _target(target: Target) -> dict[str, Any]:
    row = {**columns(target), "week": _week(target, "calendar"), "penalty": _penalty(target)}
    others = [
        {**columns(time), "week": _week(time, "calendar"), "outside": _week(time, "outside")}
        for time in target.otherwise
    ]
    return {**row, "alternatives": others} if others else row


def _week(time: models.Model, calendar: str) -> str:
    """Of one of its calendars; "" where a database that was tampered with has none."""
    return calendar_digest(getattr(time, calendar)) if hasattr(time, calendar) else ""


def _penalty(target: Target) -> dict[str, Any] | None:
    return columns(target.penalty) if hasattr(target, "penalty") else None


def _rows(rows: Iterable[models.Model]) -> list[dict[str, Any]]:
    return [columns(row) for row in rows]


def _ordered(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def maintenance_digest(window: MaintenanceWindow) -> str:
    return digest(columns(window))


def called_off_digest(window: MaintenanceWindow) -> str:
    return digest(values(window, ("id", "called_off_at", "called_off_by_id")))


def with_terms(versions: QuerySet[ContractVersion]) -> QuerySet[ContractVersion]:
    """Versions with all that `version_digest` reads, in a number of queries that doesn't depend on how many."""
    return versions.prefetch_related(
        "targets__calendar",
        "targets__penalty",
        "targets__alternatives__calendar",
        "targets__alternatives__outside",
        "rhythms",
        "steps",
        "severity_names",
        "meanings",
    )


def link(previous: str, seq: int, kind: str, row: int, content: str, at: datetime) -> str:
    """The hash of one seal, over its columns and the hash before it."""
    return digest([previous, seq, kind, row, content, at.astimezone(UTC).isoformat()])


def add(kind: SealKind, row: int, content: str, *, at: datetime) -> Seal:
    """Put a seal at the end of the list, inside the act's transaction and as its last lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last = Seal.objects.order_by("-seq").first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, "")
    return Seal.objects.create(
        seq=seq,
        kind=kind,
        row=row,
        digest=content,
        at=at,
        previous=previous,
        hash=link(previous, seq, kind, row, content, at),
    )


def calendar(row: Calendar, *, at: datetime) -> Seal:
    return add(SealKind.CALENDAR, row.pk, calendar_digest(row), at=at)


def day(row: CalendarDay, *, at: datetime) -> Seal:
    """An entered day, or its removal."""
    if row.removed_at is None:
        return add(SealKind.DAY, row.pk, day_digest(row), at=at)
    return add(SealKind.DAY_REMOVED, row.pk, removal_digest(row), at=at)


def contract(row: Contract, *, at: datetime) -> Seal:
    return add(SealKind.CONTRACT, row.pk, contract_digest(row), at=at)


def version(row: ContractVersion, *, at: datetime) -> Seal:
    stored = with_terms(ContractVersion.objects.filter(pk=row.pk)).get()
    return add(SealKind.VERSION, row.pk, version_digest(stored), at=at)


def maintenance(row: MaintenanceWindow, *, at: datetime) -> Seal:
    return add(SealKind.MAINTENANCE, row.pk, maintenance_digest(row), at=at)


def called_off(row: MaintenanceWindow, *, at: datetime) -> Seal:
    return add(SealKind.CALLED_OFF, row.pk, called_off_digest(row), at=at)


def terms_of(version_id: int | None) -> str:
    """The digest by which a version's terms were sealed; "" where there is no version or it was never sealed."""
    seals = Seal.objects.filter(kind=SealKind.VERSION, row=version_id or 0).order_by("-seq")
    return seals.values_list("digest", flat=True).first() or ""
