"""The clocks of an incident and the steps of its ladder: pure functions of terms, events and now.

The targets are reaction, restore and final fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from incidents.clock.escalation import Fired, Step, check_steps, firings
from incidents.clock.facts import (
    CHANGES,
    REASONS,
    REOPEN,
    REPAIR_STARTS,
    TARGETS,
    Clock,
    ClockState,
    Event,
    PauseReason,
    Terms,
    TraceLine,
)
from incidents.clock.replay import Replay
from incidents.clock.trace import judge

__all__ = [
    "CHANGES",
    "REASONS",
    "REOPEN",
    "REPAIR_STARTS",
    "TARGETS",
    "Clock",
    "ClockState",
    "Event",
    "PauseReason",
    "Terms",
    "Timeline",
    "TraceLine",
    "clocks",
]


class Timeline:
    """An incident's events played once, up to `now`; everything that is asked of them afterwards is read from that.

    Events after `now` don't exist yet. ValueError names an unknown word of the terms, of an event or of the ladder.
    """

    def __init__(self, terms: Terms, events: Sequence[Event], now: int, ladder: Sequence[Step] = ()) -> None:
        check_steps(ladder)
        self.now, self.ladder = now, ladder
        self._replay = Replay(terms, events, now)

    @cached_property
    def clocks(self) -> dict[str, Clock]:
        """Every target with its clock at `now`."""
        return {target: judge(self._replay, target) for target in TARGETS}

    @cached_property
    def fired(self) -> list[Fired]:
        """The steps that have fired by `now`, in order of time."""
        return sorted((step for step in self._firings if step.at <= self.now), key=lambda step: step.at)

    @cached_property
    def next_step(self) -> Fired | None:
        """The first step to fire after `now` if nothing happens till then; None while paused or stopped."""
        return min((step for step in self._firings if step.at > self.now), key=lambda step: step.at, default=None)

    @cached_property
    def _firings(self) -> list[Fired]:
        return firings(self._replay, self.ladder)


def clocks(terms: Terms, events: Sequence[Event], now: int) -> dict[str, Clock]:
    """The three clocks at `now`, where nothing else of the incident is asked."""
    return Timeline(terms, events, now).clocks
