"""The forms of the staff's incident page; `incidents.verbs` says which verb each is for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import INCIDENT_STAFF, User
from contracts.models import Severity
from incidents import updates
from incidents.choices import PauseReason
from incidents.forms.verb import VerbForm
from incidents.models import Incident
from wording import words
from wording.fields import LineField, WordsField

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class StaffForm(VerbForm):
    """`seen` is the journal's length when the page was made: somebody may have been faster."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, incident: Incident, now: datetime, **options: Any) -> None:
        super().__init__(*args, incident=incident, now=now, **options)
        self.initial.setdefault("seen", incident.journal_length)
        self.shape()

    def shape(self) -> None:
        """What the incident changes about the fields."""

    def facts(self, at: datetime) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


def words_field(label: _StrPromise, *, rows: int = 3, required: bool = True) -> WordsField:
    return WordsField(label=label, required=required, rows=rows)


class ReactForm(StaffForm):
    text = words_field(_("To the client"), required=False)


class StartWorkForm(StaffForm):
    text = words_field(_("To the client, if there is anything to add"), required=False)


UPDATES = (
    ("", _("as planned")),
    ("15", _("in 15 min")),
    ("30", _("in 30 min")),
    ("60", _("in 1 h")),
    ("120", _("in 2 h")),
    ("240", _("in 4 h")),
)


class SayForm(StaffForm):
    text = words_field(_("Message to the client"))
    next_update = forms.ChoiceField(label=_("Next update"), choices=UPDATES, required=False)

    def shape(self) -> None:
        """Only promises that the contract's rhythm allows."""
        field, longest = self.fields["next_update"], updates.longest(self.incident)
        field.choices = [(value, label) for value, label in UPDATES if timedelta(minutes=int(value or 0)) <= longest]  # type: ignore[attr-defined]
        span = words.span(int(longest.total_seconds()), seconds_shown=False)
        field.help_text = _("At most %(span)s ahead.") % {"span": span}

    def facts(self, at: datetime) -> dict[str, Any]:
        minutes = self.cleaned_data["next_update"]
        planned = at + timedelta(minutes=int(minutes)) if minutes else None
        return {"text": self.cleaned_data["text"], "next_update_at": planned}


class CallForm(SayForm):
    text = words_field(_("What was said, the client will read it"))


class NoteForm(StaffForm):
    text = words_field(_("Internal note"))


class PauseForm(StaffForm):
    reason = forms.ChoiceField(label=_("Reason"), choices=PauseReason.choices, widget=forms.RadioSelect)
    text = words_field(_("Question, the client will see it"))

    def shape(self) -> None:
        """Only reasons that the contract knows and for which the clock doesn't stand yet."""
        stands = {pause.reason for pause in self.incident.pauses.all() if pause.ended_at is None}
        if self.incident.version and not self.incident.version.third_party_pause:
            stands.add(PauseReason.THIRD_PARTY)
        field = self.fields["reason"]
        field.choices = [(value, label) for value, label in PauseReason.choices if value not in stands]  # type: ignore[attr-defined]
        field.initial = PauseReason.CLIENT_ANSWER


class ResumeForm(StaffForm):
    reason = forms.ChoiceField(label=_("Reason"), choices=PauseReason.choices, widget=forms.RadioSelect)

    def shape(self) -> None:
        stands = [pause.reason for pause in self.incident.pauses.all() if pause.ended_at is None]
        field = self.fields["reason"]
        field.choices = [(value, label) for value, label in PauseReason.choices if value in stands]  # type: ignore[attr-defined]
        field.initial = stands[0] if stands else None


IS, IS_NOT = "is", "is_not"
BACKUPS = ((IS, pgettext_lazy("backup", "There is one")), (IS_NOT, pgettext_lazy("backup", "There is none")))
BACKUP_FIELDS = ("backup", "where", "size", "checksum", "skip")


class BackupForm(StaffForm):
    """Whether there is a backup: where it is, or why there is none. Whoever wrote one of the two has answered."""

    backup = forms.ChoiceField(
        label=_("Is there a backup from before the repair?"),
        choices=BACKUPS,
        widget=forms.RadioSelect,
        required=False,
    )
    where = LineField(label=_("Where is it"), max_length=200, required=False, hides_cards=True)
    size = LineField(label=_("Size"), max_length=40, required=False)
    checksum = LineField(label=_("Checksum"), max_length=128, required=False)
    skip = LineField(label=_("Why is there none"), max_length=500, required=False, hides_cards=True)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        where, skip = data.get("where", "").strip(), data.get("skip", "").strip()
        answer = data.get("backup") or (IS if where else IS_NOT if skip else "")
        if not answer:
            self.add_error("backup", _("Say whether there is a backup."))
        elif answer == IS and not where:
            self.add_error("where", _("Say where the backup is."))
        elif answer == IS_NOT and not skip:
            self.add_error("skip", _("Say why there is no backup."))
        return data | {"where": where if answer == IS else "", "skip": skip if answer == IS_NOT else ""}

    def facts(self, at: datetime) -> dict[str, Any]:
        facts = super().facts(at)
        facts.pop("backup", None)
        return facts


class DeliveryForm(BackupForm):
    """A workaround or a repair; on P1 and P2 it asks first for a missing backup."""

    text = words_field(_("To the client"))
    field_order = [*BACKUP_FIELDS, "text"]

    def shape(self) -> None:
        if not self.incident.needs_backup:
            for name in BACKUP_FIELDS:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        return super().clean() if self.incident.needs_backup else self.cleaned_data


class TakeTimeForm(StaffForm):
    """One click takes the monitor's first good check as the end; words may be added."""

    text = words_field(_("To the client, instead of our sentence"), required=False)


class NotWorkingForm(StaffForm):
    text = words_field(_("To the client, if there is anything to add"), required=False)


class AgreeForm(StaffForm):
    text = words_field(_("To the client: why it may be withdrawn"))


CHANGES = (("worse", _("It got worse")), ("correction", _("We classified it wrongly")))


class SeverityForm(StaffForm):
    to = forms.ChoiceField(label=_("Severity"), widget=forms.RadioSelect)
    change = forms.ChoiceField(label=_("Why does it change"), choices=CHANGES, widget=forms.RadioSelect)
    text = words_field(_("Reason, the client will see it"), rows=2)

    def shape(self) -> None:
        """Only stricter ones: a milder severity needs the client."""
        field = self.fields["to"]
        field.choices = [(value, f"{value} {label}") for value, label in Severity.choices if self._is_stricter(value)]  # type: ignore[attr-defined]

    def _is_stricter(self, value: str) -> bool:
        return not self.incident.severity or value < self.incident.severity


class StaffField(forms.ModelChoiceField["User"]):
    def label_from_instance(self, obj: User) -> str:
        return obj.name


class AssignForm(StaffForm):
    to = StaffField(
        label=_("To whom"),
        queryset=User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True).order_by("name"),
        empty_label=None,
    )
