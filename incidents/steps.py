"""The procedure of a repair as far as it has come: reaction, backup, diagnosis, workaround, fix, check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incidents.choices import Status
from incidents.events import Kind
from incidents.models import Incident
from incidents.state import IncidentState

NAMES = {
    "reaction": _("Reaction"),
    "backup": pgettext_lazy("step", "Backup"),
    "diagnosis": _("Diagnosis"),
    "workaround": _("Workaround"),
    "fix": _("Repair"),
    "check": pgettext_lazy("step", "Check"),
}
DELIVERED = frozenset({Status.WORKAROUND, Status.RESOLVED, Status.CLOSED})
REPAIRED = frozenset({Status.RESOLVED, Status.CLOSED})


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is done, now, back or todo; `at` is when it was done, None where nobody needed it.

    back: the client rejected it at `rejected_at`, so it is to do again.
    """

    key: str
    name: str | Promise
    state: str
    at: datetime | None = None
    skipped: bool = False
    rejected_at: datetime | None = None

    @property
    def icon(self) -> str:
        return {"done": "met", "now": "run", "back": "late", "todo": "todo"}[self.state]


def repair_steps(incident: Incident, state: IncidentState) -> list[Step]:
    """The steps in their order; a rejected delivery is to do again. A question has none. `state`: of its marks."""
    if incident.is_request:
        return []
    done = {
        "reaction": incident.first_contact_at,
        "backup": incident.backup_at,
        "diagnosis": state.delivered_at if incident.status in DELIVERED else None,
        "workaround": state.workaround_at,
        "fix": state.repaired_at if incident.status in REPAIRED else None,
        "check": state.accepted_at if incident.status == Status.CLOSED else None,
    }
    keys = [key for key in NAMES if _is_wanted(key, incident, done)]
    current = next((key for key in keys if not done[key] and key != "backup"), "") if not incident.is_ended else ""
    back = _sent_back(incident, state)
    return [
        Step(
            key,
            NAMES[key],
            "back" if key == back else _state(key, done[key], current),
            done[key],
            state.backup_skipped and key == "backup",
            state.rejected_at if key == back else None,
        )
        for key in keys
    ]


def _state(key: str, at: datetime | None, current: str) -> str:
    return "done" if at else "now" if key == current else "todo"


def _sent_back(incident: Incident, state: IncidentState) -> str:
    """The step whose delivery the client rejected last, "" while none waits to be done again."""
    if state.rejected_at is None or incident.is_ended:
        return ""
    return "workaround" if state.delivery == Kind.WORKAROUND else "fix"


def _is_wanted(key: str, incident: Incident, done: dict[str, datetime | None]) -> bool:
    """A backup belongs to P1 and P2; a fix without a workaround needed none."""
    if key == "backup":
        return incident.severity in {"P1", "P2"} or done[key] is not None
    return key != "workaround" or done[key] is not None or done["fix"] is None
