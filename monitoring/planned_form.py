"""The form of planned work: days and hours as people write them, in the zone of the shop's contract."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.worktime import FIRST_YEAR, LAST_YEAR
from wording.fields import LineField

WHOLE = ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M")
HOUR = "%H:%M"


class PlannedWorkForm(forms.Form):
    """`ahead`: only to see what the contract says of the time; what is done may come later."""

    starts_at = LineField(label=_("From"), max_length=20, help_text=_("For example 2026-11-30 22:00"))
    ends_at = LineField(label=_("Until"), max_length=20, help_text=_("An hour like 23:30, or with its date"))
    note = LineField(
        label=_("What is done"),
        max_length=200,
        hides_cards=True,
        help_text=_("The client reads it: “Update of the shop's engine; the shop may stop for a moment”"),
    )

    def __init__(self, *args: Any, zone: str, ahead: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)
        self.fields["note"].required = not ahead

    def clean_starts_at(self) -> datetime:
        return self._whole(self.cleaned_data["starts_at"])

    def clean_ends_at(self) -> datetime | None:
        """An hour alone is the first one after the start, over midnight too."""
        text, start = self.cleaned_data["ends_at"], self.cleaned_data.get("starts_at")
        if (hour := _parsed(text, HOUR)) is None:
            return self._whole(text)
        if start is None:
            return None  # what is wrong stands at the start
        end: datetime = start.replace(hour=hour.hour, minute=hour.minute)
        return end if end > start else end + timedelta(days=1)

    def _whole(self, text: str) -> datetime:
        for shape in WHOLE:
            moment = _parsed(text, shape)
            if moment and FIRST_YEAR < moment.year < LAST_YEAR:  # outside no working time is counted
                return moment.replace(tzinfo=self.zone)
        raise forms.ValidationError(_("Write day and hour like 2026-11-30 22:00 or 30.11.2026 22:00."))


def _parsed(text: str, shape: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), shape)  # noqa: DTZ007 the zone is the contract's
    except ValueError:
        return None
