"""Every incident of the demo follows from its journal, and can be emptied and rebuilt from it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from contracts.terms import to_second
from incidents import sweeps
from incidents.models import ClockRow, Incident, Pause
from incidents.projection import proof
from reports.verify.proof import beside_incidents

CLOCKS = [
    "incident", "target", "state", "severity", "calendar", "started_at", "deadline", "stopped_at", "lap", "round",
    "run", "total", "left", "late",
]  # fmt: skip


def stored() -> list[tuple[object, ...]]:
    return [
        *ClockRow.objects.order_by("incident", "target").values_list(*CLOCKS),
        *Pause.objects.order_by("incident", "reason", "started_at").values_list("reason", "started_at", "ended_at"),
        *Incident.objects.order_by("pk").values_list("status", "severity", "due_at", "wake_at", "first_contact_at"),
    ]


@pytest.mark.full
@pytest.mark.django_db
def test_the_whole_demo_is_proved_and_rebuilt_from_its_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sla_portal.demo.present.break_shops", lambda: None)
    monkeypatch.setattr(settings, "PROBE_ALLOW_NETWORKS", ["127.0.0.1/32"])
    call_command("demo_seed")
    at = to_second(timezone.now())
    sweeps.sweep_clocks(at=at)
    assert Incident.objects.count() >= 30
    assert [str(difference) for difference in [*beside_incidents(), *proof.differences(at=at)]] == []
    before = stored()
    assert proof.rebuild(at=at) == Incident.objects.count()
    assert stored() == before
