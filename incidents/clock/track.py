"""One start of one target's clock while the events are played: its rule, what stops it, what isn't counted. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.spans import Span
from contracts.worktime import Pause
from incidents.clock.rules import DueBase, DueRule, closed, decide, known


@dataclass(slots=True)
class Stretch:
    """A time in which a clock ran by one rule. `altered`: a severity change gave it another deciding base."""

    rule: DueRule
    lap: int
    round: int
    since: int
    until: int | None = None
    altered: bool = False


@dataclass(slots=True)
class Track:
    """One start of one target's clock. `known_at`: before it nobody could know this deadline.

    `moved_from`: where it began until the start of work moved its start. `seen_at`: since when the monitor sees it work
    while nobody has delivered; `seen_gaps`: the gaps that such times left. `cancelled_by`: the kind of the event that
    ended it without a verdict.
    """

    target: str
    rule: DueRule
    run: int = 1
    lap: int = 1
    round: int = 1
    stopped_at: int | None = None
    cancelled_at: int | None = None
    cancelled_by: str = ""
    known_at: int | None = None
    pauses: list[Pause] = field(default_factory=list)
    gaps: list[Span] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    rebased: bool = False
    moved_from: int | None = None
    seen_at: int | None = None
    seen_gaps: list[Span] = field(default_factory=list)

    @property
    def held_at(self) -> int | None:
        """Where it stopped, or stands because the monitor sees it work."""
        return self.seen_at if self.stopped_at is None else self.stopped_at

    @property
    def runs(self) -> bool:
        return self.stopped_at is None and self.cancelled_at is None

    def decided(self, at: int) -> tuple[int, DueBase]:
        """The deadline and its base if every open pause ended at `at`."""
        return decide(self.rule, closed(self.pauses, at), self.gaps)

    def due(self, at: int) -> int | None:
        """The deadline as it stands at `at`: None while paused."""
        _, base = self.decided(at)
        return base.due(known(self.pauses, at), self.gaps)

    def late(self, at: int) -> bool:
        return self.decided(at)[0] < at

    def open(self, since: int, *, altered: bool = False) -> None:
        self.stretches.append(Stretch(self.rule, self.lap, self.round, since, altered=altered))

    def shut(self, at: int) -> None:
        if self.stretches and self.stretches[-1].until is None:
            self.stretches[-1].until = at

    def stop(self, at: int) -> None:
        """Where the monitor saw it work before, that was the end."""
        if self.runs:
            self.stopped_at, self.seen_at = at if self.seen_at is None else min(at, self.seen_at), None
            self.shut(at)

    def stand(self, at: int) -> None:
        """The monitor sees it work: from here no step fires and nothing runs out."""
        if self.runs and self.seen_at is None:
            self.seen_at = at
            self.shut(at)

    def go_on(self, at: int, *, counted: bool) -> None:
        """It fails again, or never worked (`counted`): then the time between counts after all."""
        if self.seen_at is None:
            return
        if not counted and self.seen_at < at:
            self.gaps.append((self.seen_at, at))
            self.seen_gaps.append((self.seen_at, at))
        self.seen_at = None
        self.reopen(at, altered=counted)

    def reopen(self, at: int, *, altered: bool = False) -> None:
        """Runs again; a severity that changed meanwhile opens a new round."""
        self.round += self.rebased
        self.open(at, altered=altered or self.rebased)
        self.rebased = False

    def cancel(self, at: int, by: str) -> None:
        """Ends without a verdict, but a breach stays and stops."""
        if not self.runs:
            return
        if self.late(at if self.seen_at is None else self.seen_at):
            self.stop(at)
        else:
            self.give_up(at, by)

    def give_up(self, at: int, by: str) -> None:
        self.cancelled_at, self.cancelled_by = at, by
        self.shut(at)

    def rebase(self, rule: DueRule, since: int) -> None:
        """Another rule: a new round where another base decides by it."""
        at = since if self.held_at is None else self.held_at
        _, before = self.decided(at)
        self.rule = rule
        if self.decided(at)[1].same(before):
            return
        if self.held_at is not None or not self.runs:
            self.rebased = True
            return
        self.shut(since)
        self.round += 1
        self.open(since, altered=True)
