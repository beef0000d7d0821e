"""The forms of the staff's incident page; each knows the verb it sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import INCIDENT_STAFF, User
from contracts.models import Severity
from incidents import lifecycle, recovery, updates, withdrawal
from incidents.choices import PauseReason
from incidents.models import Incident
from wording import words
from wording.fields import LineField, WordsField

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_WORDS = 4000


class VerbForm(forms.Form):
    """`seen` is the journal's length when the page was made: somebody may have been faster."""

    button: ClassVar[str | Promise] = _("Save")
    title: ClassVar[str | Promise] = ""
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        self.initial.setdefault("seen", incident.journal_length)
        self.shape()

    def shape(self) -> None:
        """What the incident changes about the fields."""

    def send(self, *, by: User, at: datetime) -> Incident:
        raise NotImplementedError


def words_field(label: _StrPromise, *, rows: int = 3, required: bool = True) -> WordsField:
    return WordsField(label=label, max_length=MAX_WORDS, required=required, rows=rows)


class ReactForm(VerbForm):
    button = _("React")
    title = _("React")
    text = words_field(_("To the client"), required=False)

    def send(self, *, by: User, at: datetime) -> Incident:
        return lifecycle.acknowledge(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


class StartWorkForm(VerbForm):
    button = _("Start work")
    title = _("Start of work")
    text = words_field(_("To the client, if there is anything to add"), required=False)

    def send(self, *, by: User, at: datetime) -> Incident:
        return lifecycle.start_work(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


UPDATES = (
    ("", _("as planned")),
    ("15", _("in 15 min")),
    ("30", _("in 30 min")),
    ("60", _("in 1 h")),
    ("120", _("in 2 h")),
    ("240", _("in 4 h")),
)


class SayForm(VerbForm):
    button = _("Send to the client")
    text = words_field(_("Message to the client"))
    next_update = forms.ChoiceField(label=_("Next update"), choices=UPDATES, required=False)

    def shape(self) -> None:
        """Only promises that the contract's rhythm allows."""
        field, longest = self.fields["next_update"], updates.longest(self.incident)
        field.choices = [(value, label) for value, label in UPDATES if timedelta(minutes=int(value or 0)) <= longest]  # type: ignore[attr-defined]
        span = words.span(int(longest.total_seconds()), seconds_shown=False)
        field.help_text = _("At most %(span)s ahead.") % {"span": span}

    def send(self, *, by: User, at: datetime) -> Incident:
        minutes = self.cleaned_data["next_update"]
        planned = at + timedelta(minutes=int(minutes)) if minutes else None
        text = self.cleaned_data["text"]
        return lifecycle.say(incident=self.incident, by=by, at=at, text=text, next_update_at=planned)


class NoteForm(VerbForm):
    button = _("Save the note")
    text = words_field(_("Internal note"))

    def send(self, *, by: User, at: datetime) -> Incident:
        return lifecycle.note(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


class PauseForm(VerbForm):
    button = _("Ask and pause")
    title = _("Pause the repair clock")
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

    def send(self, *, by: User, at: datetime) -> Incident:
        data = self.cleaned_data
        return lifecycle.pause(incident=self.incident, by=by, at=at, reason=data["reason"], text=data["text"])


class ResumeForm(VerbForm):
    button = _("Let the clock run")
    title = _("Let the clock run")
    reason = forms.ChoiceField(label=_("Reason"), choices=PauseReason.choices, widget=forms.RadioSelect)

    def shape(self) -> None:
        stands = [pause.reason for pause in self.incident.pauses.all() if pause.ended_at is None]
        field = self.fields["reason"]
        field.choices = [(value, label) for value, label in PauseReason.choices if value in stands]  # type: ignore[attr-defined]
        field.initial = stands[0] if stands else None

    def send(self, *, by: User, at: datetime) -> Incident:
        return lifecycle.resume(incident=self.incident, by=by, at=at, reason=self.cleaned_data["reason"])


class BackupForm(VerbForm):
    """Where the backup is, or why there is none: one of the two."""

    button = _("Save the backup")
    title = _("Backup before the repair")
    where = LineField(label=_("Where is the backup"), max_length=200, required=False, hides_cards=True)
    size = LineField(label=_("Size"), max_length=40, required=False)
    checksum = LineField(label=_("Checksum"), max_length=128, required=False)
    skip = LineField(label=_("or why there is none"), max_length=500, required=False, hides_cards=True)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("where", "").strip() and not data.get("skip", "").strip():
            self.add_error("where", _("Say where the backup is, or why there is none."))
        return data

    def send(self, *, by: User, at: datetime) -> Incident:
        return self.save_backup(by=by, at=at)

    def save_backup(self, *, by: User, at: datetime) -> Incident:
        data = self.cleaned_data
        if not data["where"].strip():
            return lifecycle.skip_backup(incident=self.incident, by=by, at=at, text=data["skip"])
        return lifecycle.back_up(
            incident=self.incident, by=by, at=at, where=data["where"], size=data["size"], checksum=data["checksum"]
        )


class DeliveryForm(BackupForm):
    """A workaround or a repair; on P1 and P2 it asks for a missing backup in place."""

    text = words_field(_("To the client"))
    field_order = ["text", "where", "size", "checksum", "skip"]
    verb: ClassVar[Callable[..., Incident]]

    def shape(self) -> None:
        if not self.incident.needs_backup:
            for name in ("where", "size", "checksum", "skip"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        return super().clean() if self.incident.needs_backup else self.cleaned_data

    @transaction.atomic
    def send(self, *, by: User, at: datetime) -> Incident:
        if self.incident.needs_backup:
            self.save_backup(by=by, at=at)
        return type(self).verb(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


class WorkaroundForm(DeliveryForm):
    button = _("Workaround given")
    title = _("Workaround")
    verb = staticmethod(lifecycle.work_around)


class ResolveForm(DeliveryForm):
    button = _("Fixed")
    title = _("Fixed")
    verb = staticmethod(lifecycle.resolve)


class TakeTimeForm(VerbForm):
    """One click takes the monitor's first good check as the end; words may be added."""

    button = _("Take the monitor's time")
    title = _("It works, as the monitor sees it")
    text = words_field(_("To the client, instead of our sentence"), required=False)

    def send(self, *, by: User, at: datetime) -> Incident:
        return recovery.take_recovery(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


class NotWorkingForm(VerbForm):
    button = _("It does not work")
    title = _("It does not work")
    text = words_field(_("To the client, if there is anything to add"), required=False)

    def send(self, *, by: User, at: datetime) -> Incident:
        return recovery.deny_recovery(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


class AgreeForm(VerbForm):
    button = _("Agree to the withdrawal")
    title = _("The client may withdraw what our monitor saw")
    text = words_field(_("To the client: why it may be withdrawn"))

    def send(self, *, by: User, at: datetime) -> Incident:
        return withdrawal.agree(incident=self.incident, by=by, at=at, text=self.cleaned_data["text"])


CHANGES = (("worse", _("It got worse")), ("correction", _("We classified it wrongly")))


class SeverityForm(VerbForm):
    button = _("Change the category")
    title = _("Change the category")
    to = forms.ChoiceField(label=_("Category"), widget=forms.RadioSelect)
    change = forms.ChoiceField(label=_("Why does it change"), choices=CHANGES, widget=forms.RadioSelect)
    text = words_field(_("Reason, the client will see it"), rows=2)

    def shape(self) -> None:
        """Only stricter ones: a milder category needs the client."""
        field = self.fields["to"]
        field.choices = [(value, f"{value} {label}") for value, label in Severity.choices if self._is_stricter(value)]  # type: ignore[attr-defined]

    def _is_stricter(self, value: str) -> bool:
        return not self.incident.severity or value < self.incident.severity

    def send(self, *, by: User, at: datetime) -> Incident:
        data = self.cleaned_data
        return lifecycle.change_severity(
            incident=self.incident, by=by, at=at, to=data["to"], change=data["change"], text=data["text"]
        )


class StaffField(forms.ModelChoiceField["User"]):
    def label_from_instance(self, obj: User) -> str:
        return obj.name


class AssignForm(VerbForm):
    button = _("Hand over")
    title = _("Hand over")
    to = StaffField(
        label=_("To whom"),
        queryset=User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True).order_by("name"),
        empty_label=None,
    )

    def send(self, *, by: User, at: datetime) -> Incident:
        return lifecycle.assign(incident=self.incident, by=by, at=at, to=self.cleaned_data["to"])


FORMS: dict[str, type[VerbForm]] = {
    "react": ReactForm,
    "start-work": StartWorkForm,
    "say": SayForm,
    "note": NoteForm,
    "pause": PauseForm,
    "resume": ResumeForm,
    "backup": BackupForm,
    "workaround": WorkaroundForm,
    "resolve": ResolveForm,
    "take-time": TakeTimeForm,
    "not-working": NotWorkingForm,
    "agree-withdrawal": AgreeForm,
    "severity": SeverityForm,
    "assign": AssignForm,
}
