"""What every form of a verb has in common: its incident, and the facts that it hands to the verb."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from incidents.models import Incident
from wording.refusals import NO_HOMES


class VerbForm(forms.Form):
    """`HOMES`: its fields for the verb's fields of other names, as `attempt` takes them."""

    HOMES: ClassVar[Mapping[str, str]] = NO_HOMES

    def __init__(self, *args: Any, incident: Incident, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.incident, self.now = incident, now

    def facts(self, at: datetime) -> dict[str, Any]:
        """What the verb takes beside the incident, the person and the time `at` of the act."""
        return dict(self.cleaned_data)
