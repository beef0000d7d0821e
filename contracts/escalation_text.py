"""The ladder of a version in sentences: at which share of the time, or how long from the deadline, who is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contracts.models import EscalationStep, TargetKind, Whom
from contracts.vocabulary import Mark
from messaging.models import Channel
from wording.words import percent, span

TOLD: dict[str, Promise] = {
    Whom.ASSIGNEE: _("the person who has the incident"),
    Whom.ON_CALL: _("the person on call"),
    Whom.MANAGER: _("the manager"),
    Whom.OWNER: _("the client's owner"),
}


@dataclass(frozen=True, slots=True)
class Rung:
    """`when 75 % of the time is used`, then whom and by what, in order."""

    mark: str
    whom: str


def ladder(steps: Iterable[EscalationStep]) -> list[tuple[str, list[Rung]]]:
    """(target, its rungs: shares from the lowest up, then offsets), in the order reaction, repair, final fix."""
    ordered = sorted(steps, key=lambda step: (TargetKind.values.index(step.target), step.mark.order, step.pk or 0))
    return [
        (target, [_rung(mark, list(same)) for mark, same in groupby(mine, lambda step: step.mark)])
        for target, mine in groupby(ordered, lambda step: step.target)
    ]


def mark_words(mark: Mark) -> str:
    """`75 %`, `30 min before the deadline`, `2 h after the deadline`."""
    if mark.share is not None:
        return percent(mark.share)
    length = span(abs(mark.offset or 0) * 60)
    if not mark.offset:
        return gettext("at the deadline")
    words = gettext("%(length)s after the deadline") if mark.offset > 0 else gettext("%(length)s before the deadline")
    return words % {"length": length}


def mark_sentence(mark: Mark) -> str:
    """`when 75 % of the time is used`, `30 min before the deadline`."""
    if mark.share is None:
        return mark_words(mark)
    return gettext("when %(share)s of the time is used") % {"share": percent(mark.share)}


def mark_reached(mark: Mark) -> str:
    """`75 % of the time used`, `30 min before the deadline`: how a line of the journal begins."""
    if mark.share is None:
        return mark_words(mark)
    return gettext("%(share)s of the time used") % {"share": percent(mark.share)}


def _rung(mark: Mark, steps: list[EscalationStep]) -> Rung:
    people = ", ".join(f"{_whom(step)} ({Channel(step.channel).label})" for step in steps)
    return Rung(mark_sentence(mark), people)


def _whom(step: EscalationStep) -> str:
    return step.person.name if step.person else str(TOLD[step.whom])
