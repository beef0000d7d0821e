"""The form of a version's terms: fee, three times for each severity, penalties, limits, the ladder, the signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from contracts.agreements import DEFAULT_LADDER, PenaltySpec, RhythmSpec, StepSpec, TargetSpec, VersionSpec
from contracts.forms import parse as typed
from contracts.forms.fields import CURRENCIES, OneOf, ReadField, choice_field, date_field, name_the_missing
from contracts.models import (
    Calendar,
    Cumulation,
    DelayTime,
    ExclusionReason,
    GraceMode,
    Liability,
    Maintenance,
    RateType,
    Reopen,
    RepairStart,
    Severity,
    TargetKind,
    Whom,
)
from contracts.penalty.rules import Unit
from contracts.penalty.text import each
from messaging.models import Channel
from wording.fields import LineField
from wording.words import figure

UNITS = (
    "started_hour",
    "started_30min",
    "started_minute",
    "started_4h",
    "started_day_24h",
    "full_hour",
    "exact_hour",
    "once",
)
SPARE_RUNGS = 3  # empty rows of a ladder: without a script none can be added
SIGNED = ("number", "shops", "valid_from", "signed_on", "signatories")
"""What a look ahead says nothing of."""
# field → its column and what an empty field means; a limit of 0 min is a limit
COLUMNS: dict[str, tuple[str, Any]] = {
    "minimum_outage": ("minimum_outage_minutes", 0),
    "maintenance": ("maintenance", Maintenance.OUT_OF_TOTAL),
    "maintenance_notice": ("maintenance_notice_hours", 0),
    "maintenance_limit": ("maintenance_limit_minutes", None),
    "unknown_limit": ("unknown_limit_minutes", None),
    **{f"{severity}_silence": (f"silence_days_{severity.lower()}", None) for severity in Severity.values},
}
KINDS = TargetKind.values
AMOUNTS = ("monthly_fee", "incident_cap", "contract_cap_amount", "second_person_above")
CHOSEN = ("repair_starts", "reopen", "liability", "delay_time", "cumulation", "currency")
PLAIN = (
    "month_cap_percent",
    "contract_cap_amount",
    "availability_target",
    "second_person_above",
    "signed_on",
    "signatories",
    "monitoring_starts_clock",
    "third_party_pause",
    "exclusion_reasons",
    "days_off_notice",
)
SHORT = partial(typed.read_minutes, at_most=500 * 60)
"""A time whose column holds no more than some 546 h."""


def key(severity: str, kind: str) -> str:
    """The name of a target's fields: `P1_restore`."""
    return f"{severity}_{kind}"


@dataclass(frozen=True, slots=True)
class FormChoices:
    """What the form's lists offer, read once."""

    calendars: Sequence[Calendar]
    people: Sequence[User]


class TermsForm(forms.Form):
    """Everything that a version holds. A target without a time is none; a rung without a share is none."""

    valid_from = date_field(_("In force from"))
    monthly_fee = ReadField(typed.read_fee, label=_("Monthly fee, net"), attrs={"inputmode": "decimal"})
    currency = choice_field(_("Currency"), [(code, code) for code in CURRENCIES], css="short")
    repair_starts = choice_field(_("The repair's time counts"), RepairStart.choices)
    reopen = choice_field(_("After a rejected repair the time"), Reopen.choices)
    liability = choice_field(_("The provider answers for"), Liability.choices)
    delay_time = choice_field(_("A delay counts"), DelayTime.choices)
    cumulation = choice_field(_("Penalties of one incident are"), Cumulation.choices)
    incident_cap = ReadField(
        typed.read_cap,
        label=_("Limit of an incident"),
        required=False,
        help_text=_("For example 500.00 PLN or 10 % of the fee; empty: no limit"),
        wrong=_("Write the limit like 500.00 PLN or 10 % of the fee."),
    )
    month_cap_percent = ReadField(
        partial(typed.read_percent, places=3),
        label=_("Limit of a month, % of the fee"),
        required=False,
        wrong=_("Write the share of the fee like 20 %."),
    )
    contract_cap_amount = ReadField(
        typed.read_number,
        label=_("Limit of the whole contract"),
        required=False,
        wrong=_("Write the amount like 50000.00."),
    )
    second_person_above = ReadField(
        typed.read_number,
        label=_("A second person decides above"),
        required=False,
        wrong=_("Write the amount like 1000.00."),
    )
    availability_target = ReadField(
        typed.read_availability,
        label=_("Availability of a month, %"),
        required=False,
        help_text=_("For example 99.5 %"),
    )
    minimum_outage = ReadField(
        SHORT,
        label=_("Shorter outages don't count"),
        required=False,
        help_text=_("For example 5 min"),
        wrong=_("Write the time like 5 min."),
    )
    maintenance = choice_field(_("Announced work"), Maintenance.choices, required=False)
    maintenance_notice = ReadField(
        typed.read_hours,
        label=_("Work is announced ahead by"),
        required=False,
        help_text=_("For example 48 h; announced later it excuses nothing"),
        wrong=_("Write whole hours, like 48 h."),
    )
    maintenance_limit = ReadField(
        typed.read_minutes,
        label=_("Announced work, at most in a month"),
        required=False,
        help_text=_("For example 8 h; empty: no limit"),
        wrong=_("Write the time like 8 h."),
    )
    unknown_limit = ReadField(
        typed.read_minutes,
        label=_("Time without data, at most in a month"),
        required=False,
        help_text=_("For example 2 h; above it both sides settle the month. Empty: no limit"),
        wrong=_("Write the time like 2 h."),
    )
    exclusion_reasons = forms.MultipleChoiceField(
        label=_("What may be left out of a delay"),
        choices=ExclusionReason.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With any delay (opóźnienie) only what is ticked. With default (zwłoka) all of it, ticked or not."),
    )
    days_off_notice = ReadField(typed.read_days, label=_("We tell of days off ahead by, working days"), css="tiny")
    monitoring_starts_clock = forms.BooleanField(label=_("A monitor's alarm starts the clocks"), required=False)
    third_party_pause = forms.BooleanField(label=_("A third party's delay stops the clock"), required=False)
    signed_on = date_field(_("Signed on"))
    signatories = LineField(label=_("Signed by"), max_length=200)

    rate_help = _("Rate like 2 % of the fee or 50.00 PLN. Empty: no penalty. Grace like 15 min.")
    ladder_help = _("A row without a share is left out. Over 100 % counts on from the deadline.")

    def __init__(
        self, *args: Any, choices: FormChoices, today: date, rungs: int = len(DEFAULT_LADDER), **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.choices, self.today, self.rungs = choices, today, rungs + SPARE_RUNGS
        for severity in Severity.values:
            for kind in TargetKind.values:
                self._add_target(severity, kind)
            self._add_manners(severity)
        for number in range(self.rungs):
            self._add_rung(f"step{number}")
        name_the_missing(self)

    def _add_target(self, severity: str, kind: str) -> None:
        name, label = key(severity, kind), f"{severity}, {TargetKind(kind).label}: "
        units = [(unit, each(Unit.named(unit))) for unit in UNITS]
        self.fields |= {
            name: ReadField(typed.read_minutes, label=label + _("time"), required=False, css="tiny"),
            f"{name}_hours": OneOf(self.choices.calendars, label=label + _("hours"), empty="–"),
            f"{name}_rate": ReadField(typed.read_rate, label=label + _("penalty"), required=False, css="tiny"),
            f"{name}_unit": choice_field(label + _("unit"), units, required=False),
            f"{name}_grace": ReadField(
                SHORT, label=label + _("grace"), required=False, css="tiny", wrong=_("Write the time like 15 min.")
            ),
            f"{name}_grace_mode": choice_field(label + _("how the grace counts"), GraceMode.choices, required=False),
        }

    def _add_manners(self, severity: str) -> None:
        """How often the client hears, and how long silence lasts that accepts a repair."""
        self.fields |= {
            f"{severity}_update": ReadField(
                partial(typed.read_minutes, at_least=1),
                label=f"{severity}: " + _("a message every"),
                required=False,
                css="tiny",
                wrong=_("Write the time like 60 min."),
            ),
            f"{severity}_update_hours": OneOf(
                self.choices.calendars, label=f"{severity}: " + _("hours of the messages"), empty=_("round the clock")
            ),
            f"{severity}_silence": ReadField(
                partial(typed.read_days, at_least=1), label=f"{severity}: " + _("working days of silence"), css="tiny"
            ),
        }

    def _add_rung(self, name: str) -> None:
        self.fields |= {
            f"{name}_share": ReadField(typed.read_share, label=_("share of the time"), required=False, css="tiny"),
            f"{name}_target": choice_field(_("of the"), TargetKind.choices, required=False),
            f"{name}_whom": choice_field(_("whom"), Whom.choices, required=False),
            f"{name}_channel": choice_field(_("by"), Channel.choices, required=False),
            f"{name}_person": OneOf(self.choices.people, label=_("named person"), empty="–"),
        }

    def clean_signed_on(self) -> date:
        signed: date = self.cleaned_data["signed_on"]
        if signed > self.today:
            raise ValidationError(_("A document that is signed has a date that has come."))
        return signed

    def clean(self) -> dict[str, Any]:
        for name in (key(severity, kind) for severity in Severity.values for kind in TargetKind.values):
            self._check_target(name)
        self._check_currency()
        self._check_ladder()
        return self.cleaned_data

    def _check_currency(self) -> None:
        """An amount that names another currency than the contract's would be taken for the contract's."""
        code = self.cleaned_data.get("currency")
        for name in [name for name in self.cleaned_data if name.endswith(("_rate", *AMOUNTS)) and code]:
            named = typed.currency_in(str(self[name].value() or ""))
            if named and named != code:
                self.add_error(name, _("The contract is in %(code)s.") % {"code": code})

    def _check_target(self, name: str) -> None:
        data = self.cleaned_data
        if name not in data:
            return
        if data[name] is not None and data.get(f"{name}_hours") is None:
            self.add_error(f"{name}_hours", _("Choose the hours in which this time counts."))
        if data[name] is None and data.get(f"{name}_rate") is not None:
            self.add_error(f"{name}_rate", _("A penalty needs a time to be late for: there is none."))
        if data.get(f"{name}_grace") and f"{name}_rate" in data and data[f"{name}_rate"] is None:
            self.add_error(f"{name}_grace", _("Grace needs a penalty: there is none."))

    def _check_ladder(self) -> None:
        above: set[StepSpec] = set()
        for name, step in self._rungs():
            if step.whom == Whom.PERSON and step.person is None:
                self.add_error(f"{name}_person", _("Choose the person to tell."))
            elif step.whom != Whom.PERSON and step.person is not None:
                self.add_error(f"{name}_person", _("This rung tells somebody else. Choose “named person”, or nobody."))
            elif step in above:
                self.add_error(f"{name}_share", _("The same rung stands above."))
            above.add(step)

    def _rungs(self) -> Iterable[tuple[str, StepSpec]]:
        data = self.cleaned_data
        for name in (f"step{number}" for number in range(self.rungs)):
            if data.get(f"{name}_share") is not None:
                target, whom = data.get(f"{name}_target", ""), data.get(f"{name}_whom", "")
                channel, person = data.get(f"{name}_channel", ""), data.get(f"{name}_person")
                yield name, StepSpec(target, data[f"{name}_share"], whom, channel, person)

    @property
    def time_rows(self) -> list[tuple[str, list[tuple[str, forms.BoundField, forms.BoundField]]]]:
        """(severity, its (target, time, hours)) for the table of times."""
        return [
            (severity, [(kind, self[key(severity, kind)], self[f"{key(severity, kind)}_hours"]) for kind in KINDS])
            for severity in Severity.values
        ]

    @property
    def manner_rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField, forms.BoundField]]:
        """(severity, message every, in which hours, days of silence) for the table of messages."""
        parts = ("update", "update_hours", "silence")
        return [(severity, *(self[f"{severity}_{part}"] for part in parts)) for severity in Severity.values]  # type: ignore[misc]

    @property
    def penalty_groups(self) -> list[tuple[str, list[tuple[str, list[forms.BoundField]]], bool]]:
        """(target, its rows by severity, whether a row is filled in) for the tables of penalties."""
        return [self._penalty_group(kind) for kind in (TargetKind.RESTORE, TargetKind.REACTION, TargetKind.FINAL_FIX)]

    def _penalty_group(self, kind: TargetKind) -> tuple[str, list[tuple[str, list[forms.BoundField]]], bool]:
        parts = ("rate", "unit", "grace", "grace_mode")
        rows = [(severity, [self[f"{key(severity, kind)}_{part}"] for part in parts]) for severity in Severity.values]
        filled = any(fields[0].value() or any(field.errors for field in fields) for _severity, fields in rows)
        return kind.value, rows, filled or kind == TargetKind.RESTORE

    @property
    def ladder_rows(self) -> list[list[forms.BoundField]]:
        parts = ("share", "target", "whom", "channel", "person")
        return [[self[f"step{number}_{part}"] for part in parts] for number in range(self.rungs)]

    @property
    def steps(self) -> list[StepSpec]:
        return [step for _name, step in self._rungs()]

    @property
    def targets(self) -> list[TargetSpec]:
        """Those that can be read so far: a time, and hours to count it in."""
        targets = (self._target(severity, kind) for severity in Severity.values for kind in TargetKind.values)
        return [target for target in targets if target]

    def _target(self, severity: str, kind: str) -> TargetSpec | None:
        name, data = key(severity, kind), self.cleaned_data
        if data.get(name) is None or data.get(f"{name}_hours") is None:
            return None
        return TargetSpec(severity, kind, data[name], data[f"{name}_hours"], self._penalty(name))

    def _penalty(self, name: str) -> PenaltySpec | None:
        data = self.cleaned_data
        if data.get(f"{name}_rate") is None:
            return None
        rate_type, rate = data[f"{name}_rate"]
        unit, mode = data.get(f"{name}_unit") or UNITS[0], data.get(f"{name}_grace_mode") or GraceMode.DEDUCTIBLE
        return PenaltySpec(rate, rate_type, unit, data.get(f"{name}_grace") or 0, mode)

    @property
    def spec(self) -> VersionSpec:
        """The whole version; only of a form that is valid."""
        data = self.cleaned_data
        return VersionSpec(
            data["valid_from"],
            data["monthly_fee"],
            self.targets,
            self.steps,
            self.rhythms,
            self.terms,
        )

    @property
    def rhythms(self) -> list[RhythmSpec]:
        data = self.cleaned_data
        return [
            RhythmSpec(severity, data[f"{severity}_update"], data.get(f"{severity}_update_hours"))
            for severity in Severity.values
            if data.get(f"{severity}_update")
        ]

    @property
    def terms(self) -> dict[str, Any]:
        """The columns that can be read so far, by name; all of them where the form is valid."""
        data = self.cleaned_data
        terms: dict[str, Any] = {}
        for name in (*CHOSEN, *PLAIN):
            terms |= {name: data[name]} if name in data else {}
        for name, (column, otherwise) in COLUMNS.items():
            if name in data:
                terms[column] = otherwise if data[name] in (None, "") else data[name]
        if "incident_cap" in data:
            kind, cap = data["incident_cap"] or ("", None)
            terms["incident_cap_percent"] = cap if kind == RateType.PERCENT else None
            terms["incident_cap_amount"] = cap if kind == RateType.AMOUNT else None
        return terms

    @property
    def labels(self) -> dict[str, str]:
        """What each column of a version is called in this form."""
        fields = {column: name for name, (column, _otherwise) in COLUMNS.items()}
        fields |= {"incident_cap_percent": "incident_cap", "incident_cap_amount": "incident_cap"}
        names = ("monthly_fee", *CHOSEN, *PLAIN, *fields)
        return {column: str(self.fields[fields.get(column, column)].label) for column in names}

    @property
    def unreadable(self) -> list[forms.BoundField]:
        """What the preview leaves out, because it can't be read yet."""
        names = [name for name in self.errors if name in self.fields and name not in SIGNED]
        return [self[name] for name in names if self[name].value() or name[:2] in Severity.values]


def target_values(target: TargetSpec, currency: str) -> dict[str, Any]:
    """A target as its fields show it."""
    name, rule = key(target.severity, target.kind), target.penalty
    values: dict[str, Any] = {
        name: typed.minutes_words(target.minutes),
        f"{name}_hours": str(target.calendar.pk),
    }
    if rule is None:
        return values
    values |= {f"{name}_rate": rate_value(rule.rate_type, rule.rate, currency), f"{name}_unit": rule.unit}
    if rule.grace_minutes:
        values |= {f"{name}_grace": typed.minutes_words(rule.grace_minutes), f"{name}_grace_mode": rule.grace_mode}
    return values


def rate_value(kind: str, rate: Decimal, currency: str) -> str:
    """A rate as its field shows it."""
    return f"{figure(rate)} %" if kind == RateType.PERCENT else f"{typed.amount_words(rate)} {currency}"


def rhythm_values(rhythms: Iterable[RhythmSpec]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for rhythm in rhythms:
        values[f"{rhythm.severity}_update"] = typed.minutes_words(rhythm.minutes)
        values[f"{rhythm.severity}_update_hours"] = str(rhythm.calendar.pk) if rhythm.calendar else ""
    return values


def ladder_values(steps: Iterable[StepSpec]) -> dict[str, Any]:
    return {
        f"step{number}_{part}": value for number, step in enumerate(steps) for part, value in _rung_values(step).items()
    }


def _rung_values(step: StepSpec) -> Mapping[str, Any]:
    person = str(step.person.pk) if step.person else ""
    return {
        "share": f"{step.share} %",
        "target": step.target,
        "whom": step.whom,
        "channel": step.channel,
        "person": person,
    }
