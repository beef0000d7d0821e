"""The forms of the editor: a new contract with its first version, and the values that its fields begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from contracts.agreements import (
    DEFAULT_LADDER,
    DEFAULT_RHYTHMS,
    NameSpec,
    PenaltySpec,
    RhythmSpec,
    StepSpec,
    TargetSpec,
    VersionSpec,
)
from contracts.alternatives import OtherTimeSpec
from contracts.calendar_text import ALL_DAY
from contracts.forms import parse as typed
from contracts.forms.fields import ZONES, ReadField, choice_field, date_field
from contracts.forms.rates import cap_value, rate_value
from contracts.forms.row_values import manner_values, other_values, penalty_values, rung_values, target_values
from contracts.forms.rows import key
from contracts.forms.terms import CAP_COLUMNS, TERMS, TermsForm, silence_column
from contracts.models import (
    Calendar,
    ContractVersion,
    ExclusionReason,
    PenaltyRule,
    RateType,
    Severity,
    Shop,
    TargetKind,
)
from contracts.notice import Notice, notice
from contracts.severities import FAILURES, USUAL_SEVERITY
from contracts.terms import calendar_terms
from wording.fields import LineField

# P1 to P4, minutes of reaction, repair and final fix; None: no such promise
USUAL_TIMES = {
    "P1": (30, 240, 2400),
    "P2": (120, 480, 2400),
    "P3": (480, 1440, 2400),
    "P4": (480, 4800, None),
}
USUAL_SILENCE = {"P1": 3, "P2": 3, "P3": 5, "P4": 5}
USUAL_DAYS_OFF_NOTICE = 5
TERM_COLUMNS = (
    *TERMS.values(),
    *(column for columns in CAP_COLUMNS.values() for column in columns.values()),
    *(silence_column(severity) for severity in Severity.values),
    "fee_parts",
)
FRIDAY, ASKED_AT = 4, time(15, 30)


class PeriodForm(forms.Form):
    """How long a contract lasts, and how it is ended."""

    ends_on = date_field(_("Until, the last day"), required=False)
    notice_months = ReadField(typed.read_months, label=_("Notice in months"), css="tiny")
    zone = choice_field(_("Time zone"), [(zone, zone) for zone in ZONES])

    def notice(self, now: datetime) -> Notice | None:
        """What notice would do, by what is typed so far; None where it can't be read yet."""
        self.is_valid()
        data = self.cleaned_data
        if data.get("notice_months") is None or "ends_on" not in data or "zone" not in data:
            return None
        return notice(data["notice_months"], data["ends_on"], now.astimezone(ZoneInfo(data["zone"])).date())

    @property
    def last_day(self) -> date | None:
        """As far as it can be read."""
        self.is_valid()
        day: date | None = self.cleaned_data.get("ends_on")
        return day


class ContractForm(PeriodForm, TermsForm):
    """A contract with its version 1."""

    number = LineField(label=_("Contract number"), max_length=40)
    shops = forms.MultipleChoiceField(label=_("Shops"), widget=forms.CheckboxSelectMultiple)
    field_order = ["number", "shops", "valid_from", "ends_on", "notice_months", "zone"]
    HOMES: ClassVar = {"starts_on": "valid_from", "fee_parts": "monthly_fee", "": "number"}

    def __init__(self, *args: Any, shops: Sequence[Shop], **options: Any) -> None:
        super().__init__(*args, **options)
        self.shops_by_key = {str(shop.pk): shop for shop in shops}
        self.fields["shops"].choices = [(pk, shop.name) for pk, shop in self.shops_by_key.items()]  # type: ignore[attr-defined]

    @property
    def facts(self) -> dict[str, Any]:
        """What the verb `create_contract` takes."""
        data = self.cleaned_data
        return {
            "number": data["number"],
            "shops": [self.shops_by_key[pk] for pk in data["shops"]],
            "version": self.spec,
            "ends_on": data["ends_on"],
            "zone": data["zone"],
            "notice_months": data["notice_months"],
        }


class VersionForm(TermsForm):
    """The next version of a contract."""

    HOMES: ClassVar = {"fee_parts": "monthly_fee", "": "valid_from"}


def usual(calendars: Sequence[Calendar], today: date) -> dict[str, Any]:
    """What a new contract begins with: the usual times, in round-the-clock hours for P1 and our office hours else."""
    values: dict[str, Any] = {
        "valid_from": (today.replace(day=1) + timedelta(days=32)).replace(day=1),
        "currency": "PLN",
        "exclusion_reasons": ExclusionReason.values,
        "days_off_notice": USUAL_DAYS_OFF_NOTICE,
        "notice_months": 3,
        "zone": "Europe/Warsaw",
        "monitoring_starts_clock": True,
    }
    values["meanings"] = meaning_values({})
    return values | _tables(_usual_targets(calendars), DEFAULT_RHYTHMS, DEFAULT_LADDER, USUAL_SILENCE, "PLN")


def meaning_values(meanings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The severity of every sentence: the contract's own, else the usual one."""
    return {f"means_{symptom}": {"severity": meanings.get(symptom, USUAL_SEVERITY[symptom])} for symptom in FAILURES}


def name_values(names: Sequence[NameSpec]) -> dict[str, dict[str, str]]:
    return {spec.severity: {"name": spec.name, "description": spec.description} for spec in names}


def _tables(
    targets: Sequence[TargetSpec],
    rhythms: Sequence[RhythmSpec],
    steps: Sequence[StepSpec],
    silence: Mapping[str, int],
    currency: str,
) -> dict[str, dict[str, Any]]:
    """What the rows of each table begin with, by the row's name."""
    by_name = {key(target.severity, target.kind): target for target in targets}
    return {
        "times": {name: target_values(target) for name, target in by_name.items()},
        "others": other_values(targets),
        "penalties": {
            name: penalty_values(target.penalty, currency) for name, target in by_name.items() if target.penalty
        },
        "manners": manner_values(rhythms, silence),
        "ladder": {f"step{place}": rung_values(step) for place, step in enumerate(steps)},
    }


def _usual_targets(calendars: Sequence[Calendar]) -> list[TargetSpec]:
    if not calendars:
        return []
    always = next((calendar for calendar in calendars if _never_closes(calendar)), calendars[0])
    office = next((calendar for calendar in calendars if calendar.is_office), calendars[0])
    return [
        TargetSpec(severity, kind, minutes, always if severity == "P1" and kind != TargetKind.FINAL_FIX else office)
        for severity, times in USUAL_TIMES.items()
        for kind, minutes in zip(TargetKind.values, times, strict=True)
        if minutes is not None
    ]


def _never_closes(calendar: Calendar) -> bool:
    return all(windows == ALL_DAY for windows in calendar_terms(calendar).weekly)


def values_of(version: ContractVersion, targets: Sequence[TargetSpec], steps: Sequence[StepSpec]) -> dict[str, Any]:
    """The terms of a version as the fields of the next one begin with; what is signed is signed anew."""
    values: dict[str, Any] = {name: getattr(version, column) for name, column in TERMS.items()}
    values |= {"monthly_fee": version.monthly_fee, "signed_on": None, "signatories": ""}
    values |= {name: _cap(version, columns) for name, columns in CAP_COLUMNS.items()}
    values["parts"] = {
        f"part_{shop}": {"part": rate_value(RateType.AMOUNT, Decimal(part), version.currency)}
        for shop, part in version.fee_parts.items()
    }
    silence = {severity: version.silence_days(severity) for severity in Severity.values}
    values |= {"names": name_values(name_specs(version)), "meanings": meaning_values(meanings_of(version))}
    return values | _tables(targets, rhythm_specs(version), steps, silence, version.currency)


def _cap(version: ContractVersion, columns: Mapping[str, str]) -> str:
    """The limit as its field begins with it; "" where none is agreed."""
    stored = {kind: getattr(version, column) for kind, column in columns.items()}
    return next((cap_value(kind, cap, version.currency) for kind, cap in stored.items() if cap is not None), "")


def target_specs(version: ContractVersion) -> list[TargetSpec]:
    """The stored targets as they would be entered (read `targets` with their penalty and calendar)."""
    return [
        TargetSpec(
            target.severity,
            target.kind,
            target.minutes,
            target.calendar,
            penalty_spec(rule) if rule else None,
            target.days,
            target.reading,
            [
                OtherTimeSpec(time.outside, time.minutes, time.calendar, time.days, time.reading)
                for time in target.otherwise
            ],
        )
        for target in version.targets.all()
        for rule in [getattr(target, "penalty", None)]
    ]


def penalty_spec(rule: PenaltyRule) -> PenaltySpec:
    tiers = tuple((up_to, rate) for up_to, rate in rule.tiers)
    return PenaltySpec(rule.rate, rule.rate_type, rule.unit, rule.grace_minutes, rule.grace_mode, tiers)


def rhythm_specs(version: ContractVersion) -> list[RhythmSpec]:
    rhythms = version.rhythms.select_related("calendar")
    return [RhythmSpec(rhythm.severity, rhythm.minutes, rhythm.calendar) for rhythm in rhythms]


def spec_of(version: ContractVersion) -> VersionSpec:
    """A stored version as it would be entered."""
    terms = {name: getattr(version, name) for name in TERM_COLUMNS}
    return VersionSpec(
        version.valid_from,
        version.monthly_fee,
        target_specs(version),
        step_specs(version),
        rhythm_specs(version),
        terms,
        name_specs(version),
        meanings_of(version),
    )


def name_specs(version: ContractVersion) -> list[NameSpec]:
    return [NameSpec(row.severity, row.name, row.description) for row in version.severity_names.all()]


def meanings_of(version: ContractVersion) -> dict[str, str]:
    """The severity of each sentence that isn't the usual one."""
    return {row.symptom: row.severity for row in version.meanings.all()}


def step_specs(version: ContractVersion) -> list[StepSpec]:
    order = TargetKind.values.index
    steps = sorted(
        version.steps.select_related("person"), key=lambda step: (order(step.target), step.mark.order, step.pk)
    )
    return [
        StepSpec(step.target, step.share, step.whom, step.channel, step.person, step.offset_minutes) for step in steps
    ]


def as_typed(form: TermsForm, data: QueryDict) -> dict[str, Any]:
    """What was posted, to be shown again before anything is judged."""
    tables = {name: {row.row_name: _typed(row, data) for row in table} for name, table in form.tables.items()}
    return _typed(form, data) | tables


def _typed(form: forms.Form, data: QueryDict) -> dict[str, Any]:
    return {
        name: field.widget.value_from_datadict(data, MultiValueDict(), form.add_prefix(name))
        for name, field in form.fields.items()
    }


class AskedForm(forms.Form):
    """For which moment the preview counts: by default the next Friday, 15:30."""

    asked_on = date_field(_("Day"), required=False)
    asked_at = forms.TimeField(
        label=_("Hour, for example 15:30"),
        required=False,
        input_formats=["%H:%M", "%H.%M", "%H"],
        error_messages={"invalid": _("Write the hour like 15:30.")},
        widget=forms.TextInput(attrs={"class": "tiny", "autocomplete": "off"}),
    )

    def moment(self, zone: str, now: datetime) -> datetime:
        """The instant asked about; what can't be read falls back to the default."""
        read = self.cleaned_data if self.is_valid() else {}
        day = read.get("asked_on") or _friday(now.astimezone(ZoneInfo(zone)).date())
        return datetime.combine(day, read.get("asked_at") or ASKED_AT, ZoneInfo(zone))


def _friday(today: date) -> date:
    return today + timedelta(days=(FRIDAY - today.weekday() - 1) % 7 + 1)


def asked_values(zone: str, now: datetime) -> dict[str, Any]:
    return {"asked_on": _friday(now.astimezone(ZoneInfo(zone)).date()), "asked_at": "15:30"}
