"""The repair's clock against a walk in steps of five minutes that keeps two counters and knows no intervals."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.worktime import work_calendar
from incidents.clock.clocks import REASONS, Event, clocks
from tests.incidents.clock_world import STANDARD, at

STEP = 300
START = at("26 06:00")  # a Thursday; the clocks change on the Sunday after


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Event], int]:
    moment = START + draw(st.integers(0, 500)) * STEP
    found = [Event(moment, "received", severity=draw(st.sampled_from(("P1", "P2", "P3"))))]
    for _ in range(draw(st.integers(0, 10))):
        moment += draw(st.integers(0, 150)) * STEP
        kind = draw(st.sampled_from(("paused", "resumed", "resolved", "rejected")))
        reason = draw(st.sampled_from(REASONS[:2])) if kind in {"paused", "resumed"} else ""
        found.append(Event(moment, kind, reason=reason))
    return found, moment + draw(st.integers(0, 2000)) * STEP


class Walk:
    def __init__(self, events: list[Event], now: int) -> None:
        promised = STANDARD.target(events[0].severity, "restore")
        assert promised is not None
        self.total, self.used, self.late = promised.seconds, 0, 0
        self.paused: set[str] = set()
        self.delivered = False
        work = work_calendar(promised.hours.calendar)
        for moment in range(events[0].at, now, STEP):
            for event in events:
                if event.at == moment:
                    self.take(event)
            if work.is_open(moment) and not self.delivered:
                self.count()
        for event in events:
            if event.at == now:
                self.take(event)

    def take(self, event: Event) -> None:
        if event.kind == "paused":
            self.paused.add(event.reason)
        if event.kind == "resumed":
            self.paused.discard(event.reason)
        if event.kind == "rejected":
            self.paused.discard("client_answer")
            self.delivered = False
        if event.kind == "resolved" and not self.delivered:
            self.paused.clear()
            self.delivered = True

    def count(self) -> None:
        if self.used == self.total:
            self.late += STEP
        elif not self.paused:
            self.used += STEP


@settings(max_examples=250, deadline=None)
@given(stories())
def test_used_and_late_are_what_a_walk_counts(story: tuple[list[Event], int]) -> None:
    walk, clock = Walk(*story), clocks(STANDARD, *story)["restore"]
    assert (clock.used, clock.late, clock.left) == (walk.used + walk.late, walk.late, walk.total - walk.used)
    assert (clock.stopped_at is not None) == walk.delivered
    assert clock.state != "paused" or walk.paused
