"""The clocks of an incident: a pure function of terms, events and now (reaction, restore, final fix)."""

from __future__ import annotations

from collections.abc import Sequence

from incidents.clock.facts import (
    CHANGES,
    KINDS,
    MOVING,
    REASONS,
    REOPEN,
    REPAIR_STARTS,
    TARGETS,
    Clock,
    Event,
    State,
    TargetTerms,
    Terms,
    TraceLine,
)
from incidents.clock.replay import Replay
from incidents.clock.trace import judge

__all__ = [
    "CHANGES",
    "KINDS",
    "MOVING",
    "REASONS",
    "REOPEN",
    "REPAIR_STARTS",
    "TARGETS",
    "Clock",
    "Event",
    "State",
    "TargetTerms",
    "Terms",
    "TraceLine",
    "clocks",
]


def clocks(terms: Terms, events: Sequence[Event], now: int) -> dict[str, Clock]:
    """The three clocks at `now`. Events after `now` don't exist yet; ValueError names an unknown word."""
    replay = Replay(terms, events, now)
    return {target: judge(replay, target) for target in TARGETS}
