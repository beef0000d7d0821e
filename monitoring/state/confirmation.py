"""From single results to outages: a pure state machine, one track per monitor.

    track, changes = step(track, result)

An outage begins at its first failure and ends at the first of 3 good checks in a row. A failure that isn't confirmed is
a blip. Up and down in turns is one flapping outage: it goes on until the shop has been calm for a while.
`unknown`, `maintenance` and `paused` say nothing about the shop: they neither confirm, nor heal, nor interrupt a row.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from monitoring.probe.specification import Result

Kind = Literal["suspected", "blip", "confirmed", "reopened", "ended"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Spans in seconds. `failures` of `window` results confirm, seen from at least `places` places."""

    failures: int = 2
    window: int = 2
    places: int = 1
    good: int = 3
    reopen_within: int = 600
    turns: int = 4
    turns_within: int = 3600
    calm: int = 900


@dataclass(frozen=True, slots=True)
class Reading:
    """A result as far as confirmation needs it; `at` in epoch seconds."""

    at: int
    failed: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of one monitor between two results; plain values, storable as JSON."""

    recent: tuple[Reading, ...] = ()
    started_at: int | None = None
    ended_at: int | None = None
    flapping: bool = False
    good: tuple[int, ...] = ()
    turns: tuple[int, ...] = ()
    last_failed: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From `to_json`, or from {} for a monitor that was never checked."""
        recent = tuple(Reading(**reading) for reading in data.get("recent", ()))
        turns = {name: tuple(data.get(name, ())) for name in ("good", "turns")}
        return cls(**(data | turns | {"recent": recent}))


@dataclass(frozen=True, slots=True)
class Change:
    """`at` is the end for `ended`, else the start; for `reopened` that of the outage that goes on."""

    kind: Kind
    at: int
    flapping: bool = False


Step = tuple[Track, tuple[Change, ...]]


def step(track: Track, result: Result, rule: Rule = Rule()) -> Step:
    """The track after one more result, and what changed by it, in order."""
    if result.state not in ("up", "degraded", "down"):
        return track, ()
    reading = Reading(result.at, result.state == "down", result.place)
    return step_reading(track, reading, rule)


def step_reading(track: Track, reading: Reading, rule: Rule = Rule()) -> Step:
    track = _count_turn(track, reading, rule)
    is_open = track.started_at is not None and track.ended_at is None
    return _while_open(track, reading, rule) if is_open else _while_up(track, reading, rule)


def _count_turn(track: Track, reading: Reading, rule: Rule) -> Track:
    turns = tuple(at for at in track.turns if at > reading.at - rule.turns_within)
    if reading.failed and not track.last_failed:
        turns = (*turns, reading.at)
    return replace(track, turns=turns, last_failed=reading.failed)


def _while_up(track: Track, reading: Reading, rule: Rule) -> Step:
    if not reading.failed and not track.recent:
        return track, ()
    recent = (*track.recent, reading)
    failures = [failure for failure in recent[-rule.window :] if failure.failed]
    flapping = reading.failed and len(track.turns) >= rule.turns
    enough = len(failures) >= rule.failures and len({failure.place for failure in failures}) >= rule.places
    if flapping or (reading.failed and enough):
        return _open(track, failures[0].at, flapping=flapping, rule=rule)
    suspected = (Change("suspected", reading.at),) if reading.failed and not track.recent else ()
    rest, blips = _drop_blips(recent, rule)
    return replace(track, recent=rest), (*suspected, *blips)


def _drop_blips(recent: tuple[Reading, ...], rule: Rule) -> tuple[tuple[Reading, ...], tuple[Change, ...]]:
    """Results without the leading failures that no later one can confirm any more."""
    blips: tuple[Change, ...] = ()
    while recent and not _may_confirm(recent, rule):
        if recent[0].failed:
            blips = (*blips, Change("blip", recent[0].at))
        recent = recent[1:]
    return recent, blips


def _may_confirm(recent: tuple[Reading, ...], rule: Rule) -> bool:
    to_come = rule.window - len(recent)
    return recent[0].failed and to_come > 0 and sum(reading.failed for reading in recent) + to_come >= rule.failures


def _open(track: Track, first: int, *, flapping: bool, rule: Rule) -> Step:
    """A new outage, or the last one again when it ended only just now or the shop goes up and down in turns."""
    start = track.turns[0] if flapping else first
    again = track.ended_at is not None and (flapping or first - track.ended_at <= rule.reopen_within)
    if again and track.started_at is not None and (not flapping or track.ended_at >= start):  # type: ignore[operator]
        start = track.started_at
        change = Change("reopened", start, flapping=True)
    else:
        again = False
        change = Change("confirmed", start, flapping=flapping)
    opened = replace(track, recent=(), started_at=start, ended_at=None, flapping=flapping or again, good=())
    return opened, (change,)


def _while_open(track: Track, reading: Reading, rule: Rule) -> Step:
    if reading.failed:
        return replace(track, good=()), ()
    good = (*track.good[: rule.good - 1], reading.at)
    calm = reading.at - good[0] >= rule.calm
    if len(good) < rule.good or (track.flapping and not calm):
        return replace(track, good=good), ()
    ended = Change("ended", good[0], flapping=track.flapping)
    return replace(track, good=(), ended_at=good[0], flapping=False), (ended,)
