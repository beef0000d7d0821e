"""The verbs of a contract: entered with its first version, its calendars, days ahead and announced work.

A version in force is never edited; what changes is a new version. Every verb takes `by` and `at`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import Client, User
from contracts import penalty_checks, seal
from contracts.alternatives import OtherTimeSpec, add_alternatives
from contracts.day_terms import day_term
from contracts.models import (
    Calendar,
    CalendarDay,
    Contract,
    ContractVersion,
    EscalationStep,
    GraceMode,
    PenaltyRule,
    RateType,
    Severity,
    Shop,
    Target,
    TargetKind,
    UpdateRhythm,
    Whom,
)
from contracts.planned import MaintenanceWindow
from contracts.severities import USUAL_SEVERITY, Meaning, SeverityName
from contracts.terms import seconds, to_second, working_days
from contracts.vocabulary import DayReading, Mark
from contracts.worktime import parse_calendar, work_calendar
from messaging.models import Channel
from wording.fields import lines
from wording.refusals import Refused, as_refusal
from wording.texts import clean_line
from wording.words import full_date

POLAND = "Europe/Warsaw"
# A weekend from Friday's evening to Monday's morning. Longer is a wrong date, and would silence a shop's watch for days
LONGEST_WORK = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class PenaltySpec:
    """What a missed target costs: `rate` in per cent of the fee or in money, for each `unit` of delay.

    `tiers`: [up to, rate] for the first units; `rate` is for those above the last of them.
    """

    rate: Decimal
    rate_type: str = RateType.PERCENT
    unit: str = "started_hour"
    grace_minutes: int = 0
    grace_mode: str = GraceMode.DEDUCTIBLE
    tiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """`minutes` of the calendar's hours or, with a `reading`, `days`; `otherwise`: for what begins outside hours."""

    severity: str
    kind: str
    minutes: int
    calendar: Calendar
    penalty: PenaltySpec | None = None
    days: int = 0
    reading: str = ""
    otherwise: Sequence[OtherTimeSpec] = ()


@dataclass(frozen=True, slots=True)
class RhythmSpec:
    """An update to the client every so many minutes of the calendar's hours; without one, of real time."""

    severity: str
    minutes: int
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One rung: at `share` per cent of a target's time, or `offset` minutes from its deadline, tell somebody."""

    target: str
    share: int | None
    whom: str
    channel: str = Channel.EMAIL
    person: User | None = None
    offset: int | None = None

    @property
    def mark(self) -> Mark:
        return Mark(self.share, self.offset)


# What a new contract proposes: whoever can still act is told in time, by the loudest way last (voice at 100 and 150 %)
DEFAULT_LADDER = (
    StepSpec(TargetKind.REACTION, 50, Whom.ON_CALL, Channel.SMS),
    StepSpec(TargetKind.REACTION, 80, Whom.MANAGER, Channel.EMAIL),
    StepSpec(TargetKind.REACTION, 100, Whom.MANAGER, Channel.VOICE),
    StepSpec(TargetKind.RESTORE, 50, Whom.ASSIGNEE, Channel.EMAIL),
    StepSpec(TargetKind.RESTORE, 75, Whom.MANAGER, Channel.EMAIL),
    StepSpec(TargetKind.RESTORE, 100, Whom.MANAGER, Channel.SMS),
    StepSpec(TargetKind.RESTORE, 100, Whom.OWNER, Channel.EMAIL),
    StepSpec(TargetKind.RESTORE, 150, Whom.MANAGER, Channel.VOICE),
    StepSpec(TargetKind.FINAL_FIX, 75, Whom.ASSIGNEE, Channel.EMAIL),
    StepSpec(TargetKind.FINAL_FIX, 100, Whom.MANAGER, Channel.EMAIL),
)


# Minutes between words to the client, where the contract says nothing else; P3 and P4 promise none
DEFAULT_RHYTHMS = (RhythmSpec(Severity.P1, 60), RhythmSpec(Severity.P2, 240))


@dataclass(frozen=True, slots=True)
class NameSpec:
    """What a severity is called in this contract."""

    severity: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """The terms of a version. `terms` are columns of ContractVersion by name, `meanings` severities by sentence."""

    valid_from: date
    monthly_fee: Decimal
    targets: Sequence[TargetSpec]
    steps: Sequence[StepSpec] = DEFAULT_LADDER
    rhythms: Sequence[RhythmSpec] = DEFAULT_RHYTHMS
    terms: Mapping[str, Any] = field(default_factory=dict)
    names: Sequence[NameSpec] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def create_contract(
    *,
    client: Client,
    number: str,
    shops: Iterable[Shop],
    version: VersionSpec,
    by: User,
    at: datetime,
    ends_on: date | None = None,
    zone: str = "Europe/Warsaw",
    notice_months: int = 3,
) -> Contract:
    """A contract with its version 1.

    Raises Refused, by field, for another client's shop, a number used twice, a period that ends before it
    starts, no targets.
    """
    lines(number=number)
    covered = list(shops)
    if not covered or any(shop.client_id != client.pk for shop in covered):
        raise Refused(_("Choose this client's shops."), "shops")
    if ends_on and ends_on < version.valid_from:
        raise Refused(_("The contract ends before it starts."), "ends_on")
    Client.objects.select_for_update().get(pk=client.pk)
    serial = client.contracts.aggregate(last=Coalesce(Max("serial"), 0))["last"] + 1
    contract = Contract(
        client=client,
        serial=serial,
        address=f"{client.code}-{serial}",
        number=number.strip(),
        zone=zone,
        starts_on=version.valid_from,
        ends_on=ends_on,
        notice_months=notice_months,
    )
    with as_refusal():
        contract.full_clean()
    contract.save()
    contract.shops.set(covered)
    seal.contract(contract, at=to_second(at))
    add_version(contract=contract, version=version, by=by, at=at)
    return contract


@transaction.atomic
def add_version(*, contract: Contract, version: VersionSpec, by: User, at: datetime) -> ContractVersion:
    """The next version; the one before ends on the day it begins.

    Raises Refused for terms without a target, a start before the day of its entry, before the version in
    force or after the contract's end, or a ladder that tells nobody. The first version of a contract may begin in the
    past: it rules what is received from its entry on.
    """
    if not version.targets and version.terms.get("availability_target") is None:
        raise Refused(_("A contract promises at least one time, or availability."))
    if contract.ends_on and version.valid_from > contract.ends_on:
        raise Refused(_("The contract ends before this version begins."), "valid_from")
    _check_ladder(version.steps)
    lines(signatories=version.terms.get("signatories", ""))
    Contract.objects.select_for_update().get(pk=contract.pk)
    last = contract.versions.order_by("-number").first()
    if last and version.valid_from <= last.valid_from:
        raise Refused(_("A new version begins after the one before."), "valid_from")
    if last and version.valid_from < contract.local_day(at):
        raise Refused(dated_back(contract, at), "valid_from")
    if last:
        last.valid_to = version.valid_from
        last.save(update_fields=["valid_to"])
    row = ContractVersion(
        contract=contract,
        number=last.number + 1 if last else 1,
        valid_from=version.valid_from,
        valid_to=contract.ends_on + timedelta(days=1) if contract.ends_on else None,
        monthly_fee=version.monthly_fee,
        created_by=by,
        created_at=to_second(at),
        **version.terms,
    )
    penalty_checks.check(row)
    with as_refusal():
        row.full_clean()
    row.save()
    for target in version.targets:
        _add_target(row, target)
    EscalationStep.objects.bulk_create(
        EscalationStep(
            version=row,
            target=step.target,
            share=step.share,
            offset_minutes=step.offset,
            whom=step.whom,
            channel=step.channel,
            person=step.person,
        )
        for step in version.steps
    )
    UpdateRhythm.objects.bulk_create(
        UpdateRhythm(version=row, severity=spec.severity, minutes=spec.minutes, calendar=spec.calendar)
        for spec in version.rhythms
    )
    _add_severities(row, version)
    seal.version(row, at=to_second(at))
    return row


def _add_severities(row: ContractVersion, version: VersionSpec) -> None:
    """Names, and the sentences that mean another severity than they usually do."""
    for spec in version.names:
        lines(name=spec.name, description=spec.description)
        SeverityName.objects.create(
            version=row, severity=spec.severity, name=spec.name.strip(), description=spec.description.strip()
        )
    Meaning.objects.bulk_create(
        Meaning(version=row, symptom=symptom, severity=severity)
        for symptom, severity in version.meanings.items()
        if severity != USUAL_SEVERITY[symptom]
    )


def dated_back(contract: Contract, at: datetime) -> str:
    """Why a later version can't begin before the day of its entry: what was promised by then stays promised."""
    today = full_date(contract.local_day(at))
    return _("A later version begins on the day of its entry (%(today)s) or after it.") % {"today": today}


def _check_ladder(steps: Iterable[StepSpec]) -> None:
    """Raises Refused for a rung that names nobody where a person is told, or stands there twice."""
    earlier = set()
    for step in steps:
        if (step.whom == Whom.PERSON) != (step.person is not None):
            raise Refused(_("A rung that tells a named person names one, no other rung does."), "steps")
        if step in earlier:
            raise Refused(_("Two rungs of the ladder are the same."), "steps")
        earlier.add(step)


def _add_target(version: ContractVersion, spec: TargetSpec) -> None:
    target = Target(
        version=version,
        severity=spec.severity,
        kind=spec.kind,
        minutes=spec.minutes,
        days=spec.days,
        reading=spec.reading,
        calendar=spec.calendar,
    )
    with as_refusal():
        target.full_clean()
    target.save()
    add_alternatives(target, spec.otherwise)
    if spec.penalty:
        rule = spec.penalty
        penalty_checks.check_scheme(rule)
        PenaltyRule.objects.create(
            target=target,
            rate=rule.rate,
            rate_type=rule.rate_type,
            unit=rule.unit,
            grace_minutes=rule.grace_minutes,
            grace_mode=rule.grace_mode,
            tiers=[list(tier) for tier in rule.tiers],
        )


@transaction.atomic
def create_calendar(
    *,
    name: str,
    weekly: Mapping[str, Any],
    at: datetime,
    zone: str = POLAND,
    statutory_holidays: bool | None = None,
    is_office: bool = False,
) -> Calendar:
    """Working hours, closed on Polish public holidays where that is said, else in Poland's time zone only.

    Raises Refused, by field, for a week that can't be read or a name that is taken.
    """
    lines(name=name)
    check_weekly(weekly, zone)
    if Calendar.objects.filter(name=name.strip()).exists():
        raise Refused(_("Another calendar has this name."), "name")
    closed = zone == POLAND if statutory_holidays is None else statutory_holidays
    calendar = Calendar(
        name=name.strip(), zone=zone, weekly=dict(weekly), statutory_holidays=closed, is_office=is_office
    )
    with as_refusal():
        calendar.full_clean()
    calendar.save()
    seal.calendar(calendar, at=to_second(at))
    return calendar


def check_weekly(weekly: Mapping[str, Any], zone: str) -> None:
    try:
        parse_calendar({"weekly": weekly}, zone=zone, holidays=frozenset())
    except ValueError as error:
        raise Refused(str(error), "weekly") from error


@transaction.atomic
def add_day(*, calendar: Calendar, on: date, windows: Sequence[Sequence[str]], by: User, at: datetime) -> CalendarDay:
    """A day off (no windows) or a special day, ahead only, with the notice of the contracts that count by it.

    Raises Refused for a day that is too near, one that has its hours already, or windows that can't be read.
    """
    hold(calendar)
    check_notice(calendar, on, at)
    if windows:
        check_weekly({"mon": [list(window) for window in windows]}, calendar.zone)
    day = CalendarDay(
        calendar=calendar,
        date=on,
        windows=[list(window) for window in windows],
        entered_by=by,
        entered_at=to_second(at),
    )
    with as_refusal():
        day.full_clean()
    day.save()
    seal.day(day, at=day.entered_at)
    return day


@transaction.atomic
def remove_day(*, day: CalendarDay, by: User, at: datetime) -> bool:
    """A day gets its usual hours back, with the same notice; False where it has them already.

    Raises Refused for a day that is too near.
    """
    hold(day.calendar)
    day.refresh_from_db(fields=["removed_at"])
    if day.removed_at is not None:
        return False
    check_notice(day.calendar, day.date, at)
    day.removed_by, day.removed_at = by, to_second(at)
    day.save(update_fields=["removed_by", "removed_at"])
    seal.day(day, at=day.removed_at)
    return True


def hold(calendar: Calendar) -> None:
    """Wait for the counts by this calendar that are under way; those to come wait for the end of the transaction."""
    Calendar.objects.select_for_update().get(pk=calendar.pk)


def check_notice(calendar: Calendar, on: date, at: datetime) -> None:
    first = first_day(calendar, at)
    if on < first:
        sentence = _("Days are entered and removed ahead: the first day possible is %(day)s.")
        raise Refused(sentence % {"day": full_date(first)}, "date")


def first_day(calendar: Calendar, at: datetime) -> date:
    """The first day that may be entered or removed at an instant: the one after the last working day of the notice."""
    tomorrow = at.astimezone(ZoneInfo(calendar.zone)).date() + timedelta(days=1)
    notice = notice_of(calendar, at)
    if not notice:
        return tomorrow
    law = work_calendar(working_days(calendar.zone))
    return day_term(law, seconds(at), notice, DayReading.END_OF_DAY).last_day + timedelta(days=1)


def notice_of(calendar: Calendar, at: datetime) -> int:
    """Working days of notice: the longest of the versions, in force or to come, that count by the calendar."""
    today = at.astimezone(ZoneInfo(calendar.zone)).date()
    versions = ContractVersion.objects.counting_by(calendar).filter(Q(valid_to=None) | Q(valid_to__gt=today))
    return versions.aggregate(longest=Max("days_off_notice"))["longest"] or 0


@transaction.atomic
def announce_maintenance(
    *, shop: Shop, starts_at: datetime, ends_at: datetime, note: str, by: User, at: datetime
) -> MaintenanceWindow:
    """Work on a shop, announced before it begins. The same again changes nothing.

    Raises Refused for the past, an end before the start, work too long to be believed, or within other work.
    """
    if starts_at <= at:
        raise Refused(_("Work is announced before it begins."), "starts_at")
    if ends_at - starts_at > LONGEST_WORK:
        raise Refused(
            _("At most 72 hours, a weekend with its nights: announce the rest as work of its own."), "ends_at"
        )
    Shop.objects.select_for_update(of=("self",), no_key=True).get(pk=shop.pk)
    window = MaintenanceWindow(
        shop=shop,
        starts_at=to_second(starts_at),
        ends_at=to_second(ends_at),
        announced_at=to_second(at),
        note=clean_line(note),
        entered_by=by,
    )
    if other := _at_the_same_time(window):
        if (other.starts_at, other.ends_at, other.note) == (window.starts_at, window.ends_at, window.note):
            return other
        raise Refused(_("Other work is announced for this time: %(note)s.") % {"note": other.note}, "starts_at")
    with as_refusal():
        window.full_clean()
    window.save()
    seal.maintenance(window, at=window.announced_at)
    return window


def _at_the_same_time(window: MaintenanceWindow) -> MaintenanceWindow | None:
    rows = MaintenanceWindow.objects.not_over(window.starts_at)
    return rows.filter(shop=window.shop, starts_at__lt=window.ends_at).first()


@transaction.atomic
def call_off_maintenance(*, window: MaintenanceWindow, by: User, at: datetime) -> bool:
    """Cancel announced work, or end it early once it has begun; False where that was done. Refused once it is over."""
    row = MaintenanceWindow.objects.select_for_update(of=("self",)).get(pk=window.pk)
    if row.called_off_at is not None:
        return False
    if row.ends_at <= to_second(at):
        raise Refused(_("This work is over already."))
    row.called_off_at, row.called_off_by = to_second(at), by
    row.save(update_fields=["called_off_at", "called_off_by"])
    seal.called_off(row, at=row.called_off_at)
    window.called_off_at, window.called_off_by = row.called_off_at, by
    return True


def severities_without(targets: Iterable[TargetSpec], kind: str) -> list[str]:
    """Severities that promise no time of a kind: shown as a warning, legal all the same."""
    promised = {target.severity for target in targets if target.kind == kind}
    return [severity for severity in Severity.values if severity not in promised]
