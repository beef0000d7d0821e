"""Escalation by share of a target's time: which steps have fired, and which is next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from incidents.clock import Event, Terms


@dataclass(frozen=True, slots=True)
class Step:
    """`share` in percent of the target, or `offset` in real seconds from the deadline (negative = before)."""

    target: str
    share: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """(target, share or offset, run, lap, round) is unique: each step fires once per lap and round."""

    target: str
    share: int | None
    lap: int
    round: int
    at: int
    run: int = 1
    offset: int | None = None


def steps(terms: Terms, events: Sequence[Event], now: int, ladder: Sequence[Step]) -> list[Fired]:
    """The steps that have fired by `now`, in order of time."""
    raise NotImplementedError


def next_fire(terms: Terms, events: Sequence[Event], now: int, ladder: Sequence[Step]) -> Fired | None:
    """The first step to fire after `now` if nothing happens till then; None while paused or stopped."""
    raise NotImplementedError
