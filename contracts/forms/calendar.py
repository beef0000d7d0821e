"""Forms of working hours: a new calendar, and a day ahead that has other hours."""

from __future__ import annotations

from itertools import groupby
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.forms.fields import ZONES, WindowsField, choice_field, date_field, name_the_missing
from contracts.worktime import WEEK
from wording.fields import LineField

WORKDAYS = WEEK[:5]
Windows = list[list[str]]
# Only Poland's holidays are known, so another country's hours get them by a choice and never unasked
CLOSED = {
    "": _("closed on Polish ones where the time zone is Poland's"),
    "polish": _("closed on Polish ones in any time zone"),
    "none": _("open on public holidays too"),
}
CLOSED_WHERE = {"": None, "polish": True, "none": False}


class CalendarForm(forms.Form):
    """The week is typed by groups of days; a single day may differ from its group."""

    HOMES: ClassVar = {"weekly": "mon_fri", "": "is_office"}

    name = LineField(label=_("Name, for example Office Mon–Fri 8–16"), max_length=80)
    mon_fri = WindowsField(label=_("Monday to Friday"), help_text=_("For example 8:00-16:00, 17:00-20:00"))
    sat = WindowsField(label=_("Saturday"), help_text=_("Empty: closed. The whole day: 0:00-24:00"))
    sun = WindowsField(label=_("Sunday"), help_text=_("Over midnight: 22:00-6:00"))
    mon = WindowsField(label=_("Monday"), closed_when_empty=False)
    tue = WindowsField(label=_("Tuesday"), closed_when_empty=False)
    wed = WindowsField(label=_("Wednesday"), closed_when_empty=False)
    thu = WindowsField(label=_("Thursday"), closed_when_empty=False)
    fri = WindowsField(label=_("Friday"), closed_when_empty=False)
    zone = choice_field(_("Time zone"), [(zone, zone) for zone in ZONES])
    statutory_holidays = choice_field(_("Public holidays"), CLOSED.items(), required=False)
    is_office = forms.BooleanField(label=_("These are our own office hours"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_the_missing(self)

    @property
    def single_days(self) -> list[forms.BoundField]:
        return [self[day] for day in WORKDAYS]

    @property
    def opened(self) -> bool:
        """Whether the fold of single days has something to show."""
        return any(field.value() or field.errors for field in self.single_days)

    def clean(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        days = {"mon_fri", "sat", "sun", *WORKDAYS}
        if days <= set(data) and not any(data[day] for day in days):
            self.add_error("mon_fri", _("A calendar is open at some hour."))
        return data

    @property
    def weekly(self) -> dict[str, Windows]:
        """The week as it is stored: neighbours with the same hours under one name, closed days left out."""
        hours = [self._of(day) for day in WEEK]
        weekly: dict[str, Windows] = {}
        for windows, run in groupby(range(len(WEEK)), lambda day: hours[day]):
            days = list(run)
            if windows:
                weekly[WEEK[days[0]] if len(days) == 1 else f"{WEEK[days[0]]}-{WEEK[days[-1]]}"] = windows
        return weekly

    def _of(self, day: str) -> Windows:
        own: Windows | None = self.cleaned_data[day]
        return list(self.cleaned_data["mon_fri"]) if own is None else own

    @property
    def facts(self) -> dict[str, Any]:
        """What the verb `create_calendar` takes."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "weekly": self.weekly,
            "zone": data["zone"],
            "statutory_holidays": CLOSED_WHERE[data["statutory_holidays"]],
            "is_office": data["is_office"],
        }


class DayForm(forms.Form):
    """A day off or a special day, ahead."""

    HOMES: ClassVar = {"weekly": "windows", "": "date"}

    date = date_field(_("Day"))
    windows = WindowsField(
        label=_("Hours"), help_text=_("Empty: a day off. Or the hours of a special day, like 8:00-12:00")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_the_missing(self)
