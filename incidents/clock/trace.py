"""One clock judged at an instant, with the explanation of its figures. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.worktime import WorkCalendar, elapsed, work_calendar
from incidents.clock.facts import Clock, ClockState, TraceLine
from incidents.clock.replay import Replay
from incidents.clock.rules import DueBase, closed
from incidents.clock.track import Track

STARTS = frozenset({"start", "provisional", "work_started"})
JUDGED = frozenset({ClockState.MET, ClockState.BREACHED})
STANDING = frozenset({ClockState.PAUSED, ClockState.SEEN_WORKING})
Held = tuple[int, int, str, str]
"""A span that isn't counted: from, to, kind (pause, handover), reason."""


def judge(replay: Replay, target: str) -> Clock:
    """The target's clock, with its former laps and runs that came to a verdict."""
    past = (_verdict(replay, track) for track in replay.past[target])
    earlier = tuple(clock for clock in past if clock.state in JUDGED)
    track = replay.tracks.get(target)
    if track is None:
        return Clock(target, ClockState.NOT_RUNNING, earlier=earlier)
    return replace(_verdict(replay, track), earlier=earlier)


def _verdict(replay: Replay, track: Track) -> Clock:
    if track.cancelled_at is not None:
        return _cancelled(replay, track, track.cancelled_at)
    return _counted(replay, track, replay.now)


def _cancelled(replay: Replay, track: Track, at: int) -> Clock:
    """Nothing of it counts any more; the account says how far it had come. A former run's verdict has its own."""
    ends = (track, *reversed(replay.past[track.target]))
    ran = next((run for run in ends if run.cancelled_at == at and run.cancelled_by), None)
    trace: tuple[TraceLine, ...] = ()
    if ran is not None and ran.rule[0].base.start <= at:
        counted = _counted(replay, ran, at)
        before = [line for line in counted.trace[:-1] if line.kind != "deadline"]
        end = TraceLine(at, None, "clock_cancelled", 0, ran.cancelled_by)
        trace = (*before, end, TraceLine(at, None, ClockState.NOT_RUNNING, counted.left))
    state, where = ClockState.NOT_RUNNING, at if trace else None
    return Clock(track.target, state, lap=track.lap, round=track.round, run=track.run, cancelled_at=where, trace=trace)


def _counted(replay: Replay, track: Track, now: int) -> Clock:
    at = now if track.held_at is None else track.held_at
    due, base = track.decided(at)
    state = _state(track, at, due)
    work = work_calendar(base.calendar)
    left = work.between(at, due)
    late = elapsed(work, due, at, track.gaps) if due < at else 0
    clock = Clock(
        target=track.target,
        state=state,
        severity=base.severity,
        calendar=base.calendar,
        calendar_at=replay.calendar_at(base.start),
        choice=base.choice,
        started_at=track.rule[0].base.start,
        deadline=None if state in STANDING else due,
        stopped_at=track.stopped_at,
        seen_at=track.seen_at,
        noticed_at=max(due, track.known_at or due) if state is ClockState.BREACHED else None,
        lap=track.lap,
        round=track.round,
        run=track.run,
        used=base.seconds - left + late,
        left=left,
        late=late,
        total=base.seconds,
    )
    return replace(clock, trace=tuple(_account(replay, track, clock, base, at)))


def _state(track: Track, at: int, due: int) -> ClockState:
    if due < at:
        return ClockState.BREACHED
    if track.stopped_at is not None:
        return ClockState.MET
    if track.seen_at is not None:
        return ClockState.SEEN_WORKING
    return ClockState.PAUSED if track.due(at) is None else ClockState.RUNNING


def _account(replay: Replay, track: Track, clock: Clock, base: DueBase, at: int) -> Iterator[TraceLine]:
    due, _ = track.decided(at)
    pauses = closed(track.pauses, at)
    if track.moved_from is not None and track.moved_from < base.start:
        yield TraceLine(track.moved_from, track.rule[0].base.start, "before_work", 0)
    for change in track.rule:
        until = change.base.due(pauses, track.gaps)
        begin = change.base.start if change.kind in STARTS else change.at
        yield TraceLine(begin, until, change.kind, change.base.seconds, change.base.severity, change.base.choice)
    if len(track.rule) > 1:
        yield TraceLine(base.start, due, "decides", base.seconds, base.severity, base.choice)
    work = work_calendar(base.calendar)
    held = sorted(_held(replay, track, at))
    yield from _before(work, base, held, min(at, due))
    if clock.deadline is not None:
        yield TraceLine(due, None, "deadline", base.seconds, base.severity)
    yield from _after(work, held, due, at)
    if clock.seen_at is not None:
        yield TraceLine(clock.seen_at, None, "stands", 0)
    if clock.stopped_at is not None:
        yield TraceLine(clock.stopped_at, None, "stop", clock.used)
    yield TraceLine(at, clock.deadline, clock.state, clock.late if clock.state is ClockState.BREACHED else clock.left)


def _held(replay: Replay, track: Track, at: int) -> Iterator[Held]:
    for begin, end in track.gaps:
        yield begin, end, "seen" if (begin, end) in track.seen_gaps else "handover", ""
    if track.target != "reaction":
        for reason, (begin, until) in zip(replay.reasons, replay.pauses, strict=True):
            if begin < at:
                yield begin, at if until is None else min(until, at), "pause", reason


def _before(work: WorkCalendar, base: DueBase, held: list[Held], end: int) -> Iterator[TraceLine]:
    """From the start to `end`: waiting for the opening, worked time, and what is given back (a union)."""
    cursor = base.start
    opening = work.opening(cursor)
    if cursor < opening and cursor < end:
        yield TraceLine(cursor, min(opening, end), "wait", 0)
        cursor = min(opening, end)
    for since, until, kind, reason in held:
        begin, finish = max(since, cursor), min(until, end)
        if finish <= begin:
            continue
        if begin > cursor:
            yield TraceLine(cursor, begin, "worked", work.between(cursor, begin))
        yield TraceLine(begin, finish, kind, work.between(begin, finish), reason)
        cursor = finish
    if cursor < end:
        yield TraceLine(cursor, end, "worked", work.between(cursor, end))


def _after(work: WorkCalendar, held: list[Held], due: int, at: int) -> Iterator[TraceLine]:
    """From the deadline on: the delay, without deliveries that waited; a pause shortens nothing."""
    cursor = due
    for since, until, kind, reason in held:
        begin, finish = max(since, cursor), min(until, at)
        if finish <= begin:
            continue
        if kind == "pause":
            yield TraceLine(begin, finish, "pause_late", 0, reason)
            continue
        if begin > cursor:
            yield TraceLine(cursor, begin, "late", work.between(cursor, begin))
        yield TraceLine(begin, finish, kind, work.between(begin, finish), reason)
        cursor = finish
    if cursor < at:
        yield TraceLine(cursor, at, "late", work.between(cursor, at))
