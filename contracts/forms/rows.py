"""The tables of a version's terms, each a formset of one plain form: times, messages, penalties, the ladder.

A row is named by what it is of, and its name begins those of its fields: `P1_restore_rate`, `step3_share`. So what a
page sends says by itself which rows it has, and no hidden count has to agree with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT, BaseFormSet, ManagementForm, formset_factory
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from contracts.agreements import NameSpec, PenaltySpec, RhythmSpec, StepSpec, TargetSpec
from contracts.alternatives import OtherTimeSpec, never_outside
from contracts.calendar_text import never_closes
from contracts.escalation_text import mark_words
from contracts.forms import parse as typed
from contracts.forms.fields import OneOf, ReadField, choice_field, name_the_missing
from contracts.forms.rates import read_rate, read_rates
from contracts.models import Calendar, GraceMode, Severity, Shop, TargetKind, Whom
from contracts.penalty.rules import Cap, Unit
from contracts.penalty.text import each
from contracts.severities import FAILURES, USUAL_SEVERITY
from contracts.terms import calendar_week, tier_columns
from contracts.vocabulary import Mark, RateType
from messaging.models import Channel
from wording.fields import LineField

USUAL_UNIT = ("started", "hour")
WIDTHS = ("minute", "10min", "30min", "hour", "4h", "day_24h")
UNITS = (
    "started_hour",
    "once",
    *(f"{how}_{width}" for how in ("started", "full", "exact") for width in WIDTHS if (how, width) != USUAL_UNIT),
)
SPARE_RUNGS = 3  # empty rows of a ladder: without a script none can be added
MOST_RUNGS = 60  # each is five fields, and a request may hold 1,000 (DATA_UPLOAD_MAX_NUMBER_FIELDS)
SPARE_OTHERS = 2
MOST_OTHERS = 40  # more than each of the twelve times has with three; four fields each
OTHER = re.compile(r"other\d+_time")
RUNG = re.compile(r"step\d+_share")
SHORT = partial(typed.read_minutes, at_most=500 * 60)
"""A time whose column holds no more than some 546 h."""


@dataclass(frozen=True, slots=True)
class FormChoices:
    """What the form's lists offer, read once."""

    calendars: Sequence[Calendar]
    people: Sequence[User]
    shops: Sequence[Shop] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """`name` begins the names of the row's fields, `label` their labels; a rung is of no severity and no kind."""

    name: str
    label: str
    severity: str = ""
    kind: str = ""


def key(severity: str, kind: str) -> str:
    """The name of a target's row: `P1_restore`."""
    return f"{severity}_{kind}"


def target_rows() -> list[Row]:
    return [
        Row(key(severity, kind), f"{severity}, {TargetKind(kind).label}", severity, kind)
        for severity in Severity.values
        for kind in TargetKind.values
    ]


def _target_names() -> list[tuple[str, str]]:
    return [(row.name, row.label) for row in target_rows()]


def other_rows(times: int, sent: Iterable[str]) -> list[Row]:
    """Some more than there are; at least as many as were sent."""
    posted = sum(OTHER.fullmatch(name) is not None for name in sent)
    count = max(times + SPARE_OTHERS, min(posted, MOST_OTHERS))
    return [Row(f"other{place}", _("Other time, row %(number)s") % {"number": place + 1}) for place in range(count)]


def sentence_rows() -> list[Row]:
    return [Row(f"means_{symptom}", str(symptom.label), kind=symptom) for symptom in FAILURES]


def part_rows(shops: Iterable[Shop]) -> list[Row]:
    """A row for each shop that may have a part of the fee; none where there is only one."""
    rows = [Row(f"part_{shop.pk}", shop.name, kind=str(shop.pk)) for shop in shops]
    return rows if len(rows) > 1 else []


def severity_rows() -> list[Row]:
    return [Row(severity, severity, severity) for severity in Severity.values]


def rung_rows(rungs: int, sent: Iterable[str]) -> list[Row]:
    """Some more than there are rungs; at least as many as were sent, for an annex may have a longer ladder."""
    posted = sum(RUNG.fullmatch(name) is not None for name in sent)
    count = max(rungs + SPARE_RUNGS, min(posted, MOST_RUNGS))
    return [Row(f"step{place}", _("Ladder, row %(number)s") % {"number": place + 1}) for place in range(count)]


class RowForm(forms.Form):
    """One row of a table. The field `named_as_row` bears the row's own name: `P1_restore` is that target's time."""

    named_as_row = ""

    def __init__(self, *args: Any, row: Row, choices: FormChoices, **options: Any) -> None:
        super().__init__(*args, **options)
        self.row = row
        for name, field in self.fields.items():
            if isinstance(field, OneOf):
                field.offer(choices.people if name == "person" else choices.calendars)
            field.label = f"{row.label}, {field.label}" if field.label else row.label
        name_the_missing(self)

    def add_prefix(self, field_name: str) -> str:
        return self.row_name if field_name == self.named_as_row else f"{self.row_name}_{field_name}"

    @property
    def row_name(self) -> str:
        return str(self.prefix)


class NameForm(RowForm):
    """What a severity is called; without a name it keeps the usual one."""

    name = LineField(label=gettext_lazy("own name"), max_length=60, required=False)
    description = LineField(label=gettext_lazy("what it is"), max_length=300, required=False)

    def clean(self) -> None:
        if self.cleaned_data.get("description") and not self.cleaned_data.get("name"):
            self.add_error("name", _("A description needs a name above it."))

    @property
    def spec(self) -> NameSpec | None:
        name = self.cleaned_data.get("name")
        return NameSpec(self.row.severity, name, self.cleaned_data.get("description", "")) if name else None


class MeaningForm(RowForm):
    """Which severity a sentence of the report form is."""

    named_as_row = "severity"

    severity = choice_field("", [(severity, severity) for severity in Severity.values], required=False)

    @property
    def meaning(self) -> tuple[str, str]:
        """The sentence and its severity; the usual one where none was chosen or it can't be read."""
        return self.row.kind, self.cleaned_data.get("severity") or USUAL_SEVERITY[self.row.kind]


class TimeForm(RowForm):
    """A target; without a time there is none."""

    named_as_row = "time"

    time = ReadField(typed.read_time, show=typed.time_as_typed, label="", required=False, css="short")
    hours = OneOf(label=gettext_lazy("hours"), empty="–")

    def clean(self) -> None:
        if self.cleaned_data.get("time") is not None and self.cleaned_data.get("hours") is None:
            self.add_error("hours", _("Choose the hours in which this time counts."))

    def target(self, penalty: PenaltySpec | None, otherwise: Sequence[OtherTimeSpec]) -> TargetSpec | None:
        """What can be read so far: a time, and hours to count it in."""
        time, calendar = self.cleaned_data.get("time"), self.cleaned_data.get("hours")
        if time is None or calendar is None:
            return None
        row = self.row
        return TargetSpec(
            row.severity, row.kind, time.minutes, calendar, penalty, time.days, time.reading, tuple(otherwise)
        )


class OtherTimeForm(RowForm):
    """The time of a target for what begins outside some hours; an empty row is left out."""

    of = choice_field(gettext_lazy("of which time"), [("", "–"), *_target_names()], required=False)
    outside = OneOf(label=gettext_lazy("outside the hours"), empty="–")
    time = ReadField(typed.read_time, show=typed.time_as_typed, label=gettext_lazy("time"), required=False, css="short")
    hours = OneOf(label=gettext_lazy("hours"), empty="–")

    def clean(self) -> None:
        missing = {
            "of": _("Choose which time this is."),
            "outside": _("Choose the hours outside which this time counts."),
            "time": _("Write the time like 30 min, 4 h or 1 h 30 min."),
            "hours": _("Choose the hours in which this time counts."),
        }
        data = self.cleaned_data
        if data.get("time") is None and not data.get("outside") and "time" in data:
            return
        for name, sentence in missing.items():
            if name in data and not data[name] and data[name] != 0:
                self.add_error(name, sentence)
        outside = data.get("outside")
        if outside and never_closes(calendar_week(outside)):
            self.add_error("outside", never_outside(outside))

    @property
    def spec(self) -> tuple[str, OtherTimeSpec] | None:
        """The target's row, and its other time; None where the row is empty or can't be read yet."""
        data = self.cleaned_data
        if any(not data.get(name) for name in ("of", "outside", "time", "hours")):
            return None
        time = data["time"]
        return data["of"], OtherTimeSpec(data["outside"], time.minutes, data["hours"], time.days, time.reading)


class MannerForm(RowForm):
    """How often the client hears, and how long silence lasts that accepts a repair."""

    update = ReadField(
        partial(typed.read_minutes, at_least=1),
        show=typed.minutes_words,
        label=gettext_lazy("a message every"),
        required=False,
        css="tiny",
        wrong=gettext_lazy("Write the time like 60 min."),
    )
    update_hours = OneOf(label=gettext_lazy("hours of the messages"), empty=gettext_lazy("round the clock"))
    silence = ReadField(partial(typed.read_days, at_least=1), label=gettext_lazy("working days of silence"), css="tiny")

    @property
    def rhythm(self) -> RhythmSpec | None:
        data = self.cleaned_data
        return RhythmSpec(self.row.severity, data["update"], data.get("update_hours")) if data.get("update") else None


def _units() -> list[tuple[str, str]]:
    return [(unit, each(Unit.named(unit))) for unit in UNITS]


class PenaltyForm(RowForm):
    """What a missed target costs; without a rate, nothing."""

    rate = ReadField(read_rates, label=gettext_lazy("penalty"), required=False)
    unit = forms.ChoiceField(label=gettext_lazy("unit"), choices=_units, required=False)
    grace = ReadField(
        SHORT,
        show=typed.minutes_words,
        label=gettext_lazy("grace"),
        required=False,
        css="tiny",
        wrong=gettext_lazy("Write the time like 15 min."),
    )
    grace_mode = choice_field(gettext_lazy("how the grace counts"), GraceMode.choices, required=False)

    def clean(self) -> None:
        data = self.cleaned_data
        if data.get("grace") and "rate" in data and data["rate"] is None:
            self.add_error("grace", _("Grace needs a penalty: there is none."))
        if data.get("rate") is not None and "unit" in data:
            try:
                data["rate"].tiers(self.counted_by)
            except ValidationError as error:
                self.add_error("rate", error)

    @property
    def counted_by(self) -> Unit:
        return Unit.named(self.cleaned_data.get("unit") or UNITS[0])

    @property
    def spec(self) -> PenaltySpec | None:
        data = self.cleaned_data
        if data.get("rate") is None:
            return None
        rates, mode = data["rate"], data.get("grace_mode") or GraceMode.DEDUCTIBLE
        tiers = tier_columns(rates.tiers(self.counted_by))
        return PenaltySpec(rates.rate, rates.kind, self.counted_by.name, data.get("grace") or 0, mode, tiers)


class PartForm(RowForm):
    """A shop's part of the fee; left empty everywhere, the fee isn't split."""

    named_as_row = "part"

    part = ReadField(
        read_rate,
        label="",
        required=False,
        wrong=gettext_lazy("Write the part of the fee like 2000.00 PLN or 40 %."),
    )

    def amount(self, fee: Decimal) -> Decimal | None:
        """In money; a share of the fee is rounded once."""
        kind, part = self.cleaned_data.get("part") or ("", None)
        return Cap(RateType.PERCENT, part).limit(fee) if part is not None and kind == RateType.PERCENT else part


class RungForm(RowForm):
    """Whom to tell, at which share of a target's time or how long from its deadline; without either it is left out."""

    share = ReadField(
        typed.read_mark,
        show=mark_words,
        label=gettext_lazy("when"),
        required=False,
        css="tiny",
    )
    target = choice_field(gettext_lazy("of the"), TargetKind.choices, required=False)
    whom = choice_field(gettext_lazy("whom"), Whom.choices, required=False)
    channel = choice_field(gettext_lazy("by"), Channel.choices, required=False)
    person = OneOf(label=gettext_lazy("named person"), empty="–")

    def clean(self) -> None:
        step = self.spec
        if step and step.whom == Whom.PERSON and step.person is None:
            self.add_error("person", _("Choose the person to tell."))
        elif step and step.whom != Whom.PERSON and step.person is not None:
            self.add_error("person", _("This rung tells somebody else. Choose “named person”, or nobody."))

    @property
    def spec(self) -> StepSpec | None:
        data = self.cleaned_data
        mark: Mark | None = data.get("share")
        if mark is None:
            return None
        target, whom, channel = (data.get(name, "") for name in ("target", "whom", "channel"))
        return StepSpec(target, mark.share, whom, channel, data.get("person"), mark.offset)


class Rows(BaseFormSet):  # type: ignore[type-arg]
    """A table: which rows it has, the caller says; `initial` by the row's name."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        rows: Sequence[Row],
        choices: FormChoices,
        initial: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.rows = rows
        values = [(initial or {}).get(row.name, {}) for row in rows]
        super().__init__(data, initial=values, form_kwargs={"choices": choices})

    def total_form_count(self) -> int:
        return len(self.rows)

    def initial_form_count(self) -> int:
        """All: Django skips the check of a row that is none of these and was left empty."""
        return len(self.rows)

    def add_prefix(self, index: int | str) -> str:
        return self.rows[int(index)].name

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "row": self.rows[index or 0]}

    @property
    def management_form(self) -> ManagementForm:
        """Django's count of the rows: ours, not what a page sends."""
        counts = {self.prefix_of(name): len(self.rows) for name in (TOTAL_FORM_COUNT, INITIAL_FORM_COUNT)}
        counted = ManagementForm(counts, prefix=self.prefix)
        counted.full_clean()
        return counted

    def prefix_of(self, name: str) -> str:
        return f"{self.prefix}-{name}"


class Ladder(Rows):
    def clean(self) -> None:
        above: set[StepSpec] = set()
        for rung in self.forms:
            if rung.errors or rung.spec is None:
                continue
            if rung.spec in above:
                rung.add_error("share", ValidationError(_("The same rung stands above.")))
            else:
                above.add(rung.spec)


class OtherTimes(Rows):
    def clean(self) -> None:
        above = set()
        for row in self.forms:
            if row.errors or row.spec is None:
                continue
            of, other = row.spec
            if (of, other.outside.pk) in above:
                row.add_error("outside", ValidationError(_("Another time outside these hours stands above.")))
            above.add((of, other.outside.pk))


NameRows = formset_factory(NameForm, Rows, extra=0)
MeaningRows = formset_factory(MeaningForm, Rows, extra=0)
TimeRows = formset_factory(TimeForm, Rows, extra=0)
OtherRows = formset_factory(OtherTimeForm, OtherTimes, extra=0)
MannerRows = formset_factory(MannerForm, Rows, extra=0)
PartRows = formset_factory(PartForm, Rows, extra=0)
PenaltyRows = formset_factory(PenaltyForm, Rows, extra=0)
LadderRows = formset_factory(RungForm, Ladder, extra=0)
