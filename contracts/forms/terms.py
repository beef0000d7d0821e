"""The form of a version's terms: the single ones with their columns, and around them the tables (`rows`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from contracts.agreements import DEFAULT_LADDER, NameSpec, PenaltySpec, RhythmSpec, StepSpec, TargetSpec, VersionSpec
from contracts.alternatives import OtherTimeSpec
from contracts.forms import parse as typed
from contracts.forms.fields import CURRENCIES, ReadField, choice_field, date_field, name_the_missing
from contracts.forms.rates import OF_VALUE, read_cap, read_contract_cap
from contracts.forms.rows import (
    SHORT,
    FormChoices,
    LadderRows,
    MannerForm,
    MannerRows,
    MeaningForm,
    MeaningRows,
    NameForm,
    NameRows,
    OtherRows,
    OtherTimeForm,
    PartForm,
    PartRows,
    PenaltyForm,
    PenaltyRows,
    RowForm,
    Rows,
    TimeForm,
    TimeRows,
    other_rows,
    part_rows,
    rung_rows,
    sentence_rows,
    severity_rows,
    target_rows,
)
from contracts.models import (
    ContractVersion,
    Cumulation,
    DelayTime,
    ExclusionReason,
    Liability,
    Maintenance,
    PenaltyBase,
    RateType,
    Reopen,
    RepairStart,
    TargetKind,
)
from contracts.severities import USUAL_SEVERITY
from wording.fields import LineField
from wording.words import figure

SIGNED = ("number", "shops", "valid_from", "signed_on", "signatories")
"""What a look ahead says nothing of."""
# Where the page has each single term, line by line: a term that stands here is kept, shown again and compared
SECTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "severities": (),
    "sentences": (),
    "times": (("repair_starts", "reopen"), ("monitoring_starts_clock",), ("third_party_pause",)),
    "others": (),
    "messages": (("days_off_notice",),),
    "base": (("penalty_base", "part_months"),),
    "penalties": (
        ("incident_cap", "month_cap", "quarter_cap"),
        ("reaction_cap", "restore_cap", "final_fix_cap"),
        ("contract_cap", "contract_value", "second_person_above"),
        ("cumulation", "delay_time", "liability"),
        ("exclusion_reasons",),
    ),
    "availability": (
        ("availability_target", "minimum_outage"),
        ("maintenance", "maintenance_notice", "maintenance_limit", "unknown_limit"),
    ),
    "signed": (("signed_on", "signatories"),),
}
TABLE_ABOVE = {
    "severities": "names",
    "sentences": "meanings",
    "times": "times",
    "others": "others",
    "messages": "manners",
    "base": "parts",
    "penalties": "penalties",
    "signed": "ladder",
}
"""Section → the table that stands above it on the page."""
# field → column, where the column's name has its unit; every other term bears its column's name
UNIT_COLUMNS = {
    "minimum_outage": "minimum_outage_minutes",
    "maintenance_notice": "maintenance_notice_hours",
    "maintenance_limit": "maintenance_limit_minutes",
    "unknown_limit": "unknown_limit_minutes",
}
CAPS = ("incident_cap", "month_cap", "quarter_cap", "reaction_cap", "restore_cap", "final_fix_cap", "contract_cap")
"""Fields of a limit: each has a column for every kind in which it may be written, and one of them is filled."""
CAP_KINDS = (RateType.PERCENT.value, RateType.AMOUNT.value)
CAP_COLUMNS = {name: {kind: f"{name}_{kind}" for kind in CAP_KINDS} for name in CAPS}
CAP_COLUMNS["contract_cap"][OF_VALUE] = "contract_cap_share"
TERMS = {
    name: UNIT_COLUMNS.get(name, name)
    for name in ("currency", *(name for lines in SECTIONS.values() for line in lines for name in line))
    if name not in CAPS
}
"""Field → column."""
AMOUNTS = ("monthly_fee", *CAPS, "contract_value", "second_person_above")


def silence_column(severity: str) -> str:
    return f"silence_days_{severity.lower()}"


def cap_field(label: Any) -> ReadField:
    return ReadField(
        read_cap,
        label=label,
        required=False,
        help_text=_("For example 500.00 PLN, 20 % of the fee or 3 × the fee; empty: no limit"),
        wrong=_("Write the limit like 500.00 PLN, 20 % of the fee or 3 × the fee."),
    )


class TermsForm(forms.Form):
    """Everything that a version holds. An empty term is its column's default; a limit of 0 min is a limit."""

    valid_from = date_field(_("In force from"))
    monthly_fee = ReadField(
        typed.read_fee, show=typed.amount_words, label=_("Monthly fee, net"), attrs={"inputmode": "decimal"}
    )
    currency = choice_field(_("Currency"), [(code, code) for code in CURRENCIES], css="short")
    repair_starts = choice_field(_("The repair's time counts"), RepairStart.choices)
    reopen = choice_field(_("After a rejected repair the time"), Reopen.choices)
    liability = choice_field(_("The provider answers for"), Liability.choices)
    penalty_base = choice_field(_("A percentage is of the fee"), PenaltyBase.choices, required=False)
    part_months = forms.BooleanField(label=_("A month covered in part counts by its days"), required=False)
    delay_time = choice_field(_("A delay counts"), DelayTime.choices)
    cumulation = choice_field(_("Penalties of one incident are"), Cumulation.choices)
    incident_cap = cap_field(_("Limit of an incident"))
    month_cap = cap_field(_("Limit of a month"))
    quarter_cap = cap_field(_("Limit of a quarter"))
    reaction_cap = cap_field(_("Limit of a month for reactions"))
    restore_cap = cap_field(_("Limit of a month for repairs"))
    final_fix_cap = cap_field(_("Limit of a month for final fixes"))
    contract_cap = ReadField(
        read_contract_cap,
        label=_("Limit of the whole contract"),
        required=False,
        help_text=_("For example 50000.00 PLN, 12 × the fee or 20 % of the contract"),
        wrong=_("Write the limit like 50000.00 PLN, 12 × the fee or 20 % of the contract."),
    )
    contract_value = ReadField(
        typed.read_number,
        show=typed.amount_words,
        label=_("Value of the contract, net"),
        required=False,
        help_text=_("Empty: the fee times the months. A contract without an end needs it for a limit in per cent."),
        wrong=_("Write the amount like 50000.00."),
    )
    second_person_above = ReadField(
        typed.read_number,
        show=typed.amount_words,
        label=_("A second person decides above"),
        required=False,
        wrong=_("Write the amount like 1000.00."),
    )
    availability_target = ReadField(
        typed.read_availability,
        show=figure,
        label=_("Availability of a month, %"),
        required=False,
        help_text=_("For example 99.5 %"),
    )
    minimum_outage = ReadField(
        SHORT,
        show=lambda minutes: typed.minutes_words(minutes) if minutes else "",
        label=_("Shorter outages don't count"),
        required=False,
        help_text=_("For example 5 min"),
        wrong=_("Write the time like 5 min."),
    )
    maintenance = choice_field(_("Announced work"), Maintenance.choices, required=False)
    maintenance_notice = ReadField(
        typed.read_hours,
        show=lambda hours: f"{hours} h" if hours else "",
        label=_("Work is announced ahead by"),
        required=False,
        help_text=_("For example 48 h; announced later it excuses nothing"),
        wrong=_("Write whole hours, like 48 h."),
    )
    maintenance_limit = ReadField(
        typed.read_minutes,
        show=typed.minutes_words,
        label=_("Announced work, at most in a month"),
        required=False,
        help_text=_("For example 8 h; empty: no limit"),
        wrong=_("Write the time like 8 h."),
    )
    unknown_limit = ReadField(
        typed.read_minutes,
        show=typed.minutes_words,
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

    rate_help = _(
        "Rate like 2 % of the fee, 50.00 PLN, 3 × the fee, or in steps: 1 % up to 4 h, then 2 %. Empty: no penalty. "
        "Grace like 15 min."
    )
    ladder_help = _("When: 75 % of the time, 30 min before or 2 h after the deadline. A row without it is left out.")

    def __init__(
        self, *args: Any, choices: FormChoices, today: date, rungs: int = len(DEFAULT_LADDER), **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.choices, self.today = choices, today
        sent = self.data if self.is_bound else None

        def table(kind: type[Any], name: str, rows: list[Any]) -> Rows:
            begun = self.initial.get(name)
            formset: Rows = kind(sent, rows=rows, choices=choices, initial=begun)
            return formset

        self.tables = {
            "names": table(NameRows, "names", severity_rows()),
            "meanings": table(MeaningRows, "meanings", sentence_rows()),
            "times": table(TimeRows, "times", target_rows()),
            "others": table(OtherRows, "others", other_rows(len(self.initial.get("others", ())), sent or ())),
            "manners": table(MannerRows, "manners", severity_rows()),
            "parts": table(PartRows, "parts", part_rows(choices.shops)),
            "penalties": table(PenaltyRows, "penalties", target_rows()),
            "ladder": table(LadderRows, "ladder", rung_rows(rungs, sent or ())),
        }
        name_the_missing(self)

    @property
    def rows(self) -> Iterator[RowForm]:
        """Every row of every table."""
        return (row for table in self.tables.values() for row in table)

    @property
    def names(self) -> list[NameForm]:
        return list(self.tables["names"])

    @property
    def meanings(self) -> list[MeaningForm]:
        return list(self.tables["meanings"])

    @property
    def times(self) -> list[TimeForm]:
        return list(self.tables["times"])

    @property
    def others(self) -> list[OtherTimeForm]:
        return list(self.tables["others"])

    @property
    def has_others(self) -> bool:
        """Whether the fold of the other times stands open."""
        return any(row["time"].value() or row["outside"].value() or row.errors for row in self.others)

    @property
    def manners(self) -> list[MannerForm]:
        return list(self.tables["manners"])

    @property
    def parts(self) -> list[PartForm]:
        return list(self.tables["parts"])

    @property
    def penalties(self) -> list[PenaltyForm]:
        return list(self.tables["penalties"])

    def __iter__(self) -> Iterator[forms.BoundField]:
        """The fields of the rows too, in the page's order, for whoever sums up the form: its errors, its values."""
        own = {field.name: field for field in super().__iter__()}
        placed = {section: [own.pop(name) for line in lines for name in line] for section, lines in SECTIONS.items()}
        yield from own.values()
        for section, fields in placed.items():
            for row in self.tables.get(TABLE_ABOVE.get(section, ""), ()):
                yield from row
            yield from fields

    def full_clean(self) -> None:
        """The errors of the rows are the form's, by the names that their fields have on the page."""
        super().full_clean()
        for row in self.rows if self.is_bound else ():
            for name, errors in row.errors.items():
                self.errors[row.add_prefix(name)] = errors

    def clean_signed_on(self) -> date:
        signed: date = self.cleaned_data["signed_on"]
        if signed > self.today:
            raise ValidationError(_("A document that is signed has a date that has come."))
        return signed

    def clean(self) -> None:
        for table in self.tables.values():
            table.full_clean()
        times = {time.row: time.cleaned_data for time in self.times}
        times_by_name = {row.name: data for row, data in times.items()}
        for penalty in self.penalties:
            time = times[penalty.row].get("time", "unreadable")
            if time is None and penalty.cleaned_data.get("rate") is not None:
                penalty.add_error("rate", _("A penalty needs a time to be late for: there is none."))
        for other in self.others:
            if other.spec and times_by_name.get(other.spec[0], {}).get("time", "unreadable") is None:
                other.add_error("of", _("There is no such time above."))
        self._check_currency()

    def _check_currency(self) -> None:
        """An amount that names another currency than the contract's would be taken for the contract's."""
        code = self.cleaned_data.get("currency")
        amounts: list[tuple[forms.Form, str]] = [(self, name) for name in AMOUNTS]
        amounts += [(penalty, "rate") for penalty in self.penalties]
        amounts += [(part, "part") for part in self.parts]
        for form, name in amounts if code else ():
            named = typed.currency_in(str(form[name].value() or "")) if name in form.cleaned_data else ""
            if named and named != code:
                form.add_error(name, _("The contract is in %(code)s.") % {"code": code})

    @property
    def sections(self) -> dict[str, list[list[forms.BoundField]]]:
        """The single terms, as the page has them."""
        return {section: [[self[name] for name in line] for line in lines] for section, lines in SECTIONS.items()}

    @property
    def time_rows(self) -> list[tuple[str, list[TimeForm]]]:
        """(severity, its targets) for the table of times."""
        by_severity: dict[str, list[TimeForm]] = {}
        for time in self.times:
            by_severity.setdefault(time.row.severity, []).append(time)
        return list(by_severity.items())

    @property
    def penalty_groups(self) -> list[tuple[str, list[PenaltyForm], bool]]:
        """(target, its penalties, whether one is filled in) for the tables of penalties."""
        return [self._penalty_group(kind) for kind in (TargetKind.RESTORE, TargetKind.REACTION, TargetKind.FINAL_FIX)]

    def _penalty_group(self, kind: TargetKind) -> tuple[str, list[PenaltyForm], bool]:
        penalties = [penalty for penalty in self.penalties if penalty.row.kind == kind]
        filled = any(penalty["rate"].value() or penalty.errors for penalty in penalties)
        return kind.value, penalties, filled or kind == TargetKind.RESTORE

    @property
    def steps(self) -> list[StepSpec]:
        return [rung.spec for rung in self.tables["ladder"] if rung.spec]

    @property
    def targets(self) -> list[TargetSpec]:
        """Those that can be read so far."""
        penalties: dict[Any, PenaltySpec | None] = {penalty.row: penalty.spec for penalty in self.penalties}
        others: dict[str, list[OtherTimeSpec]] = {}
        for name, spec in (other.spec for other in self.others if other.spec):
            others.setdefault(name, []).append(spec)
        targets = (time.target(penalties[time.row], others.get(time.row.name, ())) for time in self.times)
        return [target for target in targets if target]

    @property
    def rhythms(self) -> list[RhythmSpec]:
        return [manner.rhythm for manner in self.manners if manner.rhythm]

    @property
    def severity_names(self) -> list[NameSpec]:
        return [row.spec for row in self.names if row.spec]

    @property
    def severities_meant(self) -> dict[str, str]:
        """The severity of each sentence."""
        return dict(row.meaning for row in self.meanings)

    @property
    def has_names(self) -> bool:
        """Whether the fold of the names stands open: something is written in it."""
        return any(row["name"].value() or row["description"].value() for row in self.names)

    @property
    def has_parts(self) -> bool:
        return any(row["part"].value() or row.errors for row in self.parts)

    @property
    def has_meanings(self) -> bool:
        chosen = [(row["severity"].value(), USUAL_SEVERITY[row.row.kind]) for row in self.meanings]
        return any(severity not in {"", None, usual} for severity, usual in chosen)

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
            self.severity_names,
            self.severities_meant,
        )

    @property
    def terms(self) -> dict[str, Any]:
        """The columns that can be read so far, by name; all of them where the form is valid."""
        data = self.cleaned_data
        terms = {column: _stored(column, data[name]) for name, column in TERMS.items() if name in data}
        for manner in self.manners:
            if "silence" in manner.cleaned_data:
                terms[silence_column(manner.row.severity)] = manner.cleaned_data["silence"]
        if (parts := self.fee_parts) is not None:
            terms["fee_parts"] = parts
        for name, columns in CAP_COLUMNS.items():
            if name in data:
                measure, cap = data[name] or ("", None)
                terms |= {column: cap if kind == measure else None for kind, column in columns.items()}
        return terms

    @property
    def fee_parts(self) -> dict[str, str] | None:
        """Each shop's part of the fee, as far as it is written; None where the fee or a part can't be read yet."""
        fee = self.cleaned_data.get("monthly_fee")
        if fee is None or any(part.errors for part in self.parts):
            return None
        amounts = ((part.row.kind, part.amount(fee)) for part in self.parts)
        return {shop: f"{amount:.2f}" for shop, amount in amounts if amount is not None}

    @property
    def labels(self) -> dict[str, str]:
        """What each column of a version is called in this form."""
        fields = {"monthly_fee": "monthly_fee", **{column: name for name, column in TERMS.items()}}
        fields |= {column: name for name, columns in CAP_COLUMNS.items() for column in columns.values()}
        labels = {column: str(self.fields[name].label) for column, name in fields.items()}
        silences = {silence_column(manner.row.severity): str(manner["silence"].label) for manner in self.manners}
        return labels | silences | {"fee_parts": str(_("The shops' parts of the fee"))}

    @property
    def unreadable(self) -> list[forms.BoundField]:
        """What the preview leaves out, because it can't be read yet."""
        wrong = [field for field in self if field.errors and field.name not in SIGNED]
        return [field for field in wrong if field.value() or _is_of_a_severity(field)]


def _is_of_a_severity(field: forms.BoundField) -> bool:
    return isinstance(field.form, RowForm) and bool(field.form.row.severity)


def _stored(column: str, value: Any) -> Any:
    """What the column holds: of a field left empty its default."""
    return getattr(ContractVersion(), column) if value in (None, "") else value
