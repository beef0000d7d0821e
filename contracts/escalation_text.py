"""The ladder of a version in sentences: at which share of the time, who is told, by what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contracts.models import EscalationStep, TargetKind, Whom
from messaging.models import Channel
from wording.words import percent

TOLD: dict[str, Promise] = {
    Whom.ASSIGNEE: _("the person who has the incident"),
    Whom.ON_CALL: _("the person on call"),
    Whom.MANAGER: _("the manager"),
    Whom.OWNER: _("the client's owner"),
}


@dataclass(frozen=True, slots=True)
class Rung:
    """`75 %`, then whom and by what, in order."""

    share: str
    whom: str


def ladder(steps: Iterable[EscalationStep]) -> list[tuple[str, list[Rung]]]:
    """(target, its rungs from the lowest share up), in the order reaction, repair, final fix."""
    ordered = sorted(steps, key=lambda step: (TargetKind.values.index(step.target), step.share, step.pk or 0))
    return [
        (target, [_rung(share, list(same)) for share, same in groupby(mine, lambda step: step.share)])
        for target, mine in groupby(ordered, lambda step: step.target)
    ]


def _rung(share: int, steps: list[EscalationStep]) -> Rung:
    return Rung(percent(share), ", ".join(f"{_whom(step)} ({Channel(step.channel).label})" for step in steps))


def _whom(step: EscalationStep) -> str:
    return step.person.name if step.person else str(TOLD[step.whom])
