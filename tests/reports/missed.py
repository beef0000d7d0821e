"""Breaches for tests, made by the product's verbs and sweep: a P1 repair that is late by a given time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from incidents import lifecycle
from incidents.models import Breach, Incident
from incidents.sweeps import sweep_clocks
from tests import build

DEADLINE = build.MONDAY + timedelta(hours=4)
"""Of the repair of a P1 reported at `build.MONDAY`, 14:00 in Warsaw."""


def reacted(world: build.World, **more: Any) -> Incident:
    """A P1 in work since its fifth minute, with its backup."""
    incident = build.incident(world.shop, by=world.reporter, **more)
    at = incident.received_at + timedelta(minutes=5)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=at)
    lifecycle.back_up(incident=incident, by=world.agent, at=at, where="S3 Frankfurt")
    return incident


def late_repair(world: build.World, late: timedelta, *, stopped: bool = True, at: datetime = build.MONDAY) -> Breach:
    """The breach of a repair that came (or, unless `stopped`, has not come) so long after its deadline."""
    incident = reacted(world, at=at)
    end = at + timedelta(hours=4) + late
    sweep_clocks(at=end)
    if stopped:
        lifecycle.resolve(incident=incident, by=world.agent, at=end, text="Wtyczka cofnięta.")
    return Breach.objects.get(incident=incident, target="restore")
