"""The manager's forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.models import ExclusionReason
from incidents.models import Breach
from wording.fields import LineField, WordsField

SHAPES = ("%H:%M", "%H:%M:%S")
LONG_SHAPES = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M")


class ExclusionForm(forms.Form):
    """Hours of the day of the deadline, or a date and an hour, in the contract's zone."""

    reason = forms.ChoiceField(label=_("Reason of the exclusion"), widget=forms.RadioSelect)
    start = LineField(label=_("From"), max_length=20, help_text=_("for instance 12:50"))
    end = LineField(label=_("Until"), max_length=20)
    evidence = WordsField(label=_("Evidence"), max_length=2000)

    def __init__(self, *args: Any, breach: Breach, ahead: bool = False, **kwargs: Any) -> None:
        """`ahead`: only to see what the time would give; reason and evidence may come later."""
        super().__init__(*args, **kwargs)
        self.breach = breach
        if ahead:
            self.fields["reason"].required = self.fields["evidence"].required = False
        allowed = breach.version.allowed_exclusions()
        reasons = [choice for choice in ExclusionReason.choices if choice[0] in allowed]
        self.fields["reason"].choices = reasons  # type: ignore[attr-defined]
        self.zone = ZoneInfo(breach.version.contract.zone)

    def clean_start(self) -> datetime:
        return self._instant(self.cleaned_data["start"])

    def clean_end(self) -> datetime:
        return self._instant(self.cleaned_data["end"])

    def _instant(self, text: str) -> datetime:
        local = self.breach.deadline.astimezone(self.zone)
        for shape in SHAPES:
            if (hour := _parsed(text, shape)) is not None:
                return local.replace(hour=hour.hour, minute=hour.minute, second=hour.second)
        for shape in LONG_SHAPES:
            if (moment := _parsed(text, shape)) is not None:
                return moment.replace(tzinfo=self.zone)
        raise forms.ValidationError(_("Write the hour as 12:50, or with the date as 2026-11-24 12:50."))


class TakeBackForm(forms.Form):
    why = WordsField(label=_("Why is it taken back?"), max_length=2000)


def _parsed(text: str, shape: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), shape)  # noqa: DTZ007 the zone is the contract's
    except ValueError:
        return None
