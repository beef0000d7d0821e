"""Escalation by share of a target's time: which steps have fired, and which is next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.spans import Span, union_open
from contracts.worktime import Pause, deadline, work_calendar
from incidents.clock.facts import TARGETS
from incidents.clock.replay import Replay
from incidents.clock.rules import DueBase, closed, decide, known
from incidents.clock.track import Stretch, Track


@dataclass(frozen=True, slots=True)
class Step:
    """`share` in percent of the target, or `offset` from the deadline in seconds of working time (− = before)."""

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

    @property
    def key(self) -> tuple[str, int | None, int | None, int, int, int]:
        return self.target, self.share, self.offset, self.run, self.lap, self.round


def check_steps(ladder: Sequence[Step]) -> None:
    """ValueError names a target that there isn't."""
    for step in ladder:
        if step.target not in TARGETS:
            raise ValueError(f"unknown target: {step.target}")


def firings(replay: Replay, ladder: Sequence[Step]) -> list[Fired]:
    """Every step that has fired, or would if nothing else happened, target by target."""
    return [fired for target in TARGETS for fired in _of_target(replay, target, ladder)]


def _of_target(replay: Replay, target: str, ladder: Sequence[Step]) -> Iterator[Fired]:
    mine = [step for step in ladder if step.target == target]
    tracks = [*replay.past[target], *([replay.tracks[target]] if target in replay.tracks else [])]
    keys = set()
    for track in tracks:
        for stretch in track.stretches:
            for fired in _of_stretch(track, stretch, mine, replay.now):
                if fired.key not in keys:
                    keys.add(fired.key)
                    yield fired


def _of_stretch(track: Track, stretch: Stretch, ladder: Sequence[Step], now: int) -> Iterator[Fired]:
    """A step due in the second in which the clock stops fires, whichever of the two was seen first."""
    at = now if stretch.until is None else stretch.until
    gaps = [gap for gap in track.gaps if gap[0] < at]
    _, base = decide(stretch.rule, closed(track.pauses, at), gaps)
    reached = [(_mark(base, step), _moment(base, step, known(track.pauses, at), gaps), step) for step in ladder]
    due = [(mark, moment, step) for mark, moment, step in reached if moment is not None]
    past = [row for row in due if row[1] <= stretch.since] if stretch.altered else []
    if past:
        mark, _, step = max(past, key=lambda row: row[0])
        notice = _notice(track, base, stretch.since, at)
        due = [row for row in due if row not in past] + ([(mark, notice, step)] if notice is not None else [])
    for _, moment, step in due:
        fired_at = max(moment, stretch.since)
        if stretch.until is None or fired_at <= stretch.until:
            yield Fired(
                track.target, step.share, stretch.lap, stretch.round, fired_at, run=track.run, offset=step.offset
            )


def _mark(base: DueBase, step: Step) -> int:
    """Seconds of the target's working time at which the step fires, rounded up to whole ones."""
    if step.share is not None:
        return -(-base.seconds * step.share // 100)
    return max(0, base.seconds + (step.offset or 0))


def _moment(base: DueBase, step: Step, pauses: Sequence[Pause], gaps: Sequence[Span]) -> int | None:
    """When the step's mark is reached; over the target it counts on from the deadline, as the delay does."""
    mark = _mark(base, step)
    if mark <= base.seconds:
        return base.reached(mark, pauses, gaps)
    due = base.due(pauses, gaps)
    if due is None:
        return None
    return deadline(work_calendar(base.calendar), due, mark - base.seconds, gaps)


def _notice(track: Track, base: DueBase, since: int, at: int) -> int | None:
    """Silent while paused: a notice about the past waits for the end of the pause (None: still open)."""
    if base.due(known(track.pauses, since), track.gaps) is not None:
        return since
    for begin, end in union_open(known(track.pauses, at)):
        if begin <= since and (end is None or end > since):
            return end
    return since
