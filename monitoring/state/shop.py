"""What a shop is said to be, by what its monitors see and what is reported: the one rule that every page reads. Pure.

Only monitors that mean "down" count, and of the open incidents those that keep customers from buying. Times are aware
datetimes, `now` is the moment of which is spoken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitoring.probe.specification import State

# By how bad it may be for the shop's customers, the worst first. Where one part isn't seen the shop may be down, so
# `unknown` stands before all that is known to sell, and after `down` only: as the figures of availability count it.
WORST_FIRST = (State.DOWN, State.UNKNOWN, State.MAINTENANCE, State.DEGRADED, State.UP, State.PAUSED)


def is_stale(checked_at: datetime | None, patience: timedelta, now: datetime) -> bool:
    """Whether a result is missing, so that the state says nothing any more."""
    return checked_at is not None and now - checked_at > patience


@dataclass(frozen=True, slots=True)
class Part:
    """One watched address as the last check left it.

    `since`: in this state since then; `out_since`: the first failed check of an outage that lasts. A result is missing
    once the last check is older than `patience`; it should have come `interval` after it.
    """

    name: str
    state: str
    since: datetime | None
    checked_at: datetime | None
    interval: timedelta
    patience: timedelta
    out_since: datetime | None = None

    def is_stale(self, now: datetime) -> bool:
        return is_stale(self.checked_at, self.patience, now)

    def state_at(self, now: datetime) -> str:
        return State.UNKNOWN if self.is_stale(now) else self.state

    def since_at(self, now: datetime) -> datetime | None:
        """Since when it is in its state: what is stale is unknown since the check that didn't come."""
        return self.checked_at + self.interval if self.checked_at and self.is_stale(now) else self.since


@dataclass(frozen=True, slots=True)
class Trouble:
    """An open incident that keeps customers from buying: down or degraded, `eased` where a workaround stands."""

    nr: str
    words: str
    state: str
    since: datetime
    eased: bool = False


@dataclass(frozen=True, slots=True)
class ShopState:
    """The state of a shop's worst part: its name, since when, and since when every part has been looked at.

    `trouble` is the open incident that makes it so or that tells of it; `measured` what the monitors alone say, where
    that is better than what is reported.
    """

    state: str = State.PAUSED
    part: str = ""
    since: datetime | None = None
    checked_at: datetime | None = None
    trouble: Trouble | None = None
    measured: ShopState | None = None

    @property
    def is_watched(self) -> bool:
        return self.state != State.PAUSED

    @property
    def is_known(self) -> bool:
        return self.state not in (State.UNKNOWN, State.PAUSED)

    @property
    def is_reported(self) -> bool:
        """Whether it is worse by what people reported than by what the monitors see."""
        return self.measured is not None


def shop_state(parts: Iterable[Part], now: datetime, troubles: Iterable[Trouble] = ()) -> ShopState:
    """The worst of what the monitors see and of what is reported; `paused` where there is neither."""
    measured = measured_state(parts, now)
    trouble = min(troubles, key=lambda trouble: (WORST_FIRST.index(trouble.state), trouble.since), default=None)
    if trouble is None or WORST_FIRST.index(measured.state) < WORST_FIRST.index(trouble.state):
        return measured
    if measured.state == trouble.state:
        return replace(measured, trouble=trouble)
    return ShopState(trouble.state, trouble.words, trouble.since, measured.checked_at, trouble, measured)


def measured_state(parts: Iterable[Part], now: datetime) -> ShopState:
    """The worst of the parts; `paused` where nothing is watched. Several that are equally bad: since the earliest."""
    parts = tuple(parts)
    if not parts:
        return ShopState()
    worst = min(parts, key=lambda part: WORST_FIRST.index(part.state_at(now)))
    state = worst.state_at(now)
    since = [part.since_at(now) for part in parts if part.state_at(now) == state]
    if state == State.DOWN:
        since = [part.out_since for part in parts if part.out_since] or since
    checked = [part.checked_at for part in parts if part.checked_at]
    return ShopState(state, worst.name, min(filter(None, since), default=None), min(checked, default=None))
