"""The events of an incident played in order: what starts, stops, pauses, changes and is sent on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from contracts.target_times import TargetTerms
from contracts.worktime import Pause
from incidents.clock.facts import REPAIR_STARTS, TARGETS, Event, Terms, check_event, check_terms
from incidents.clock.rules import DueBase, DueChange, closed, decide
from incidents.clock.track import Track
from incidents.events import DELIVERIES, Kind


class Replay:
    """An incident at `now`. Events after `now` don't exist yet; equal instants keep their given order."""

    def __init__(self, terms: Terms, events: Sequence[Event], now: int) -> None:
        check_terms(terms)
        for event in events:
            check_event(terms, event)
        self.terms, self.now = terms, now
        self.tracks: dict[str, Track] = {}
        self.past: dict[str, list[Track]] = {target: [] for target in TARGETS}
        self.pauses: list[Pause] = []
        self.reasons: list[str] = []
        self.origins: dict[str, int] = {}
        self.waiting: dict[str, list[Event]] = {target: [] for target in TARGETS}
        self.contact_at: int | None = None
        self.workaround_at: int | None = None
        self.repair_at: int | None = None
        self.work_at: int | None = None
        self.working_since: int | None = None
        self.closed = False
        self.over = False
        self.calendar_kept_at = max((event.at for event in events if event.kind == Kind.CALENDAR_KEPT), default=0)
        known_now = [event for event in events if max(event.at, event.told_at or event.at) <= now]
        words = [
            Event(event.told_at, "told")
            for event in known_now
            if event.told_at is not None and event.kind in DELIVERIES
        ]
        self._play(sorted([*known_now, *words], key=lambda event: event.at))

    def _play(self, events: list[Event]) -> None:
        if not any(event.kind == Kind.RECEIVED for event in events):
            return
        receipts = [event for event in events if event.kind in {Kind.RECEIVED, Kind.RECEIVED_EARLIER}]
        self._receive(receipts)
        first = receipts[0].at
        for event in events:
            if event.kind == Kind.MONITOR_RECOVERED and (event.told_at or event.at) < first:
                continue  # a report that comes after it says that it doesn't work
            counted = replace(event, at=max(event.at, first))
            self._reaction_ran_out(counted.at)
            if not self.over and event.kind in HANDLERS:
                HANDLERS[event.kind](self, counted)
        self._reaction_ran_out(self.now)

    def _receive(self, receipts: list[Event]) -> None:
        """Of joined reports the earliest receipt and the strictest severity count."""
        self.severity = min((event.severity for event in receipts if event.severity), key=self.terms.rank)
        at = receipts[0].at
        self._begin("reaction", at)
        if self.terms.repair_starts == "report":
            self._begin("restore", at)

    # Starting

    def _target(self, name: str) -> TargetTerms | None:
        return self.terms.target(self.severity, name)

    def _begin(self, name: str, at: int) -> None:
        """The moment from which a target counts, where the severity has it."""
        self.origins[name] = at
        if self._target(name) is not None:
            provisional = name == "restore" and self.terms.repair_starts == "work_started" and self.work_at is None
            self._start(name, self._base(name, at), Event(at, "provisional" if provisional else "start"))

    def _base(self, name: str, start: int, severity: str = "") -> DueBase:
        target = self.terms.target(severity or self.severity, name)
        if target is None:
            raise ValueError(f"{severity or self.severity} has no {name}")
        read_at = self.calendar_at(start)
        time, choice = target.of(start, read_at)
        return DueBase(start, *time.counted(start, read_at), severity or self.severity, choice)

    def calendar_at(self, start: int) -> int:
        """The instant at which a base that starts at `start` reads its calendar: its start, or later where kept."""
        return max(start, self.calendar_kept_at)

    def _start(self, name: str, base: DueBase, event: Event, *, lap: int = 1) -> None:
        rule = (DueChange("first", base, event.at, event.change or event.kind),)
        track = Track(name, rule, lap=lap, pauses=[] if name == "reaction" else self.pauses)
        before = self.tracks.get(name)
        if before is not None:
            self.past[name].append(before)
            track.round = before.round + 1
            track.run = before.run + (lap == 1)
        self.tracks[name] = track
        track.open(event.at, altered=base.start < event.at)
        if name == "restore":
            self._stand()

    def _begin_restore(self, at: int, *modes: str) -> None:
        if self.terms.repair_starts in modes and "restore" not in self.origins:
            self._begin("restore", at)

    def _reaction_ran_out(self, at: int) -> None:
        reaction = self.tracks.get("reaction")
        if reaction is None or not reaction.runs or self.over:
            return
        due, _ = reaction.decided(at)
        if due <= at:
            self._begin_restore(due, "contact_or_reaction_deadline")

    # Stopping

    def _stop(self, name: str, at: int) -> None:
        if name in self.tracks:
            self.tracks[name].stop(at)

    def contact(self, event: Event) -> None:
        if self.contact_at is None:
            self.contact_at = event.at
            self._stop("reaction", event.at)
            self._begin_restore(event.at, "first_contact", "contact_or_reaction_deadline", "work_started")

    def work_started(self, event: Event) -> None:
        """The first start of work, before any delivery, is where the repair counts from; a breach stays."""
        if self.terms.repair_starts != "work_started" or self.work_at is not None:
            return
        self.work_at = event.at
        track = self.tracks.get("restore")
        if "restore" not in self.origins:
            self._begin("restore", event.at)
        elif track is None or track.cancelled_at is not None:
            self.origins["restore"] = event.at
        elif track.runs and not track.late(event.at) and self._target("restore") is not None:
            self._move_start(track, event.at)

    def _move_start(self, track: Track, at: int) -> None:
        """A clock that starts takes the severity in force; the rungs of the former start are another round."""
        self.origins[track.target] = at
        track.moved_from = track.rule[0].base.start
        track.rebase((DueChange("first", self._base(track.target, at), at, "work_started"),), at)
        if track.seen_at is not None:
            track.seen_at = max(track.seen_at, at)

    def told(self, event: Event) -> None:
        """A back-dated delivery is said: a contact, and the end of the pauses that were begun meanwhile."""
        self.contact(event)
        self._resume(event.at)

    # What the monitor sees

    def monitor_recovered(self, event: Event) -> None:
        """It works since the first good check, and nobody has delivered: the repair stands there."""
        if self._delivered() is None and not self.closed:
            self.working_since = event.at
            self._stand()

    def _stand(self) -> None:
        track = self.tracks.get("restore")
        if track is not None and self.working_since is not None:
            track.stand(max(self.working_since, track.rule[0].base.start))

    def monitor_failed(self, event: Event) -> None:
        self._go_on(event, counted=False)

    def recovery_denied(self, event: Event) -> None:
        """A person says that it doesn't work: as if the clock had never stood."""
        self._go_on(event, counted=True)

    def _go_on(self, event: Event, *, counted: bool) -> None:
        if self.working_since is None:
            return
        self.working_since = None
        waiting, self.waiting["restore"] = self.waiting["restore"], []
        if "restore" in self.tracks:
            self.tracks["restore"].go_on(event.at, counted=counted)
        for change in waiting:
            self._change("restore", change, event.at)

    def pause(self, event: Event) -> None:
        self.contact(event)
        if (event.reason, None) not in self._open_pauses():
            self.pauses.append((event.at, None))
            self.reasons.append(event.reason)

    def _open_pauses(self) -> list[tuple[str, int | None]]:
        return [(reason, end) for reason, (_, end) in zip(self.reasons, self.pauses, strict=True) if end is None]

    def _resume(self, at: int, *reasons: str) -> None:
        """Ends the open pauses of the named reasons; with none named, all."""
        for i, (begin, end) in enumerate(self.pauses):
            if end is None and (not reasons or self.reasons[i] in reasons):
                self.pauses[i] = (begin, at)

    def resume(self, event: Event) -> None:
        self._resume(event.at, event.reason)

    def _deliver(self, event: Event) -> bool:
        """True where this delivery is one: while another stands, it is a message."""
        if event.told_at is None:
            self.contact(event)
        if self.repair_at is not None or (event.kind == Kind.WORKAROUND and self.workaround_at is not None):
            return False
        self.work_at = event.at if self.work_at is None else self.work_at
        self._begin_restore(event.at, *REPAIR_STARTS)
        self._resume(event.at)
        self.working_since = None
        return True

    def workaround(self, event: Event) -> None:
        if self._deliver(event):
            self._stop("restore", event.at)
            self.workaround_at = event.at
            self._begin("final_fix", event.at)

    def resolve(self, event: Event) -> None:
        if self._deliver(event):
            self._stop("restore", event.at)
            self._stop("final_fix", event.at)
            self.repair_at = event.at

    def reject(self, event: Event) -> None:
        """Concerns the last delivery that still stands."""
        self._resume(event.at, "client_answer")
        if self.closed:
            return
        delivered, self.repair_at = self.repair_at, None
        if delivered is not None:
            self._send_on("restore" if self.workaround_at is None else "final_fix", delivered, event)
            return
        delivered, self.workaround_at = self.workaround_at, None
        if delivered is not None:
            self._withdraw_final_fix(event)
            self._send_on("restore", delivered, event)

    def _withdraw_final_fix(self, event: Event) -> None:
        self.origins.pop("final_fix", None)
        self.waiting["final_fix"].clear()
        if "final_fix" in self.tracks:
            self._retire(self.tracks["final_fix"], event)

    def _retire(self, track: Track, event: Event) -> None:
        """Nothing runs from now on; a verdict that was reached stays on record among the earlier ones."""
        track.cancel(event.at, event.kind)
        self.past[track.target].append(track)
        self.tracks[track.target] = Track(
            track.target, track.rule, run=track.run, lap=track.lap, round=track.round, cancelled_at=event.at
        )

    def _send_on(self, name: str, delivered: int, event: Event) -> None:
        """The clock of a rejected delivery goes on with what is left, or starts anew after one in time."""
        waiting, self.waiting[name] = self.waiting[name], []
        track = self.tracks.get(name)
        if track is not None and track.stopped_at is not None:
            # Where the monitor saw it work before the delivery, the clock had stopped there
            stopped = min(delivered, track.stopped_at)
            if self.terms.reopen == "restart" and not track.late(stopped):
                self._restart(track, event)
                return
            track.gaps.append((stopped, event.at))
            track.stopped_at = None
            track.reopen(event.at)
        for change in waiting:
            self._change(name, change, event.at)
            if name in self.tracks and self.tracks[name] is not track:
                track = self.tracks[name]
                track.gaps.append((delivered, event.at))

    def _restart(self, track: Track, event: Event) -> None:
        if self._target(track.target) is None:
            self._retire(track, event)
        else:
            self.origins[track.target] = event.at
            self._start(track.target, self._base(track.target, event.at), event, lap=track.lap + 1)

    def accept(self, event: Event) -> None:
        """Closes what is repaired, or what a workaround ended because nothing else runs."""
        self._resume(event.at, "client_answer")
        final_fix = self.tracks.get("final_fix")
        if self.repair_at is not None or (self.workaround_at is not None and (final_fix is None or not final_fix.runs)):
            self.closed = True
            for waiting in self.waiting.values():
                waiting.clear()

    def cancel(self, event: Event) -> None:
        self._resume(event.at)
        for track in self.tracks.values():
            track.cancel(event.at, event.kind)
        self.over = True

    # Severity

    def change_severity(self, event: Event) -> None:
        stricter = self.terms.rank(event.severity) < self.terms.rank(self.severity)
        self.severity = event.severity
        for name in TARGETS:
            track = self.tracks.get(name)
            judged_again = event.change == "correction" and stricter
            if judged_again and name == "restore":
                self._earlier_start(event)
            if (track is not None and track.runs and track.seen_at is None) or judged_again:
                self._change(name, event, event.at, again=judged_again)
            elif not self.closed:
                self._change_later(name, event)

    def _earlier_start(self, event: Event) -> None:
        """A reaction whose deadline turns out to have been earlier lets the repair start earlier."""
        reaction = self.tracks.get("reaction")
        restore = self.tracks.get("restore")
        if self.terms.repair_starts != "contact_or_reaction_deadline" or reaction is None:
            return
        if restore is not None and restore.lap > 1:
            return
        due, _ = reaction.decided(event.at)
        if due <= event.at:
            self.origins["restore"] = min(due, self.origins.get("restore", due))

    def _change_later(self, name: str, event: Event) -> None:
        """Worse and milder touch what a delivery stopped, or the monitor sees work, only if it goes on.

        What never ran starts now.
        """
        delivered = self.repair_at if name == "final_fix" else self._delivered()
        track = self.tracks.get(name)
        if delivered is not None or (track is not None and track.runs and track.seen_at is not None):
            self.waiting[name].append(event)
        else:
            self._change(name, event, event.at)

    def _delivered(self) -> int | None:
        return self.repair_at if self.workaround_at is None else self.workaround_at

    def _change(self, name: str, event: Event, since: int, *, again: bool = False) -> None:
        track = self.tracks.get(name)
        if track is None or track.cancelled_at is not None:
            self._start_by_change(name, event, since)
        elif self.terms.target(event.severity, name) is None:
            if track.runs and not track.late(event.at):
                track.give_up(since, event.kind)
        elif track.runs or again:
            self._apply(track, self._base(name, event.at, event.severity), event, since)

    def _start_by_change(self, name: str, event: Event, since: int) -> None:
        """Only the new severity has the target: from the change, by a correction from the target's own start."""
        origin = self.origins.get(name)
        if origin is None or self.terms.target(event.severity, name) is None:
            return
        corrected = event.change == "correction"
        stopped = self._stopped_by(name)
        if (self.closed and stopped is None) or (stopped is not None and not corrected):
            return
        base = self._base(name, origin if corrected else event.at, event.severity)
        self._start(name, base, Event(since, "severity", change=event.change))
        if corrected:
            self.tracks[name].known_at = event.at
        if stopped is not None:
            self.tracks[name].stretches.clear()
            self.tracks[name].stop(stopped)

    def _stopped_by(self, name: str) -> int | None:
        if name == "reaction":
            return self.contact_at
        return self.repair_at if name == "final_fix" else self._delivered()

    def _apply(self, track: Track, base: DueBase, event: Event, since: int) -> None:
        judged_at = track.held_at if track.held_at is not None else event.at
        due, _ = track.decided(judged_at)
        late = due < judged_at
        if event.change == "worse":
            track.rebase((*track.rule, DueChange("lesser", base, event.at, "worse")), since)
            return
        if event.change == "downgrade":
            own = self._base(track.target, track.rule[0].base.start, event.severity)
            if not late:
                track.rebase((*track.rule, DueChange("greater", own, event.at, "downgrade")), since)
            return
        own = self._base(track.target, self.origins[track.target], event.severity)
        rule = (DueChange("first", own, event.at, "correction"),)
        if not late or decide(rule, closed(track.pauses, judged_at), track.gaps)[0] <= due:
            noticed = max(due, track.known_at or due) if late else event.at
            track.rebase(rule, since)
            track.known_at = noticed


HANDLED: tuple[tuple[str, Callable[[Replay, Event], None]], ...] = (
    (Kind.CONTACT, Replay.contact),
    ("told", Replay.told),
    (Kind.WORK_STARTED, Replay.work_started),
    (Kind.MONITOR_RECOVERED, Replay.monitor_recovered),
    (Kind.MONITOR_FAILED, Replay.monitor_failed),
    (Kind.RECOVERY_DENIED, Replay.recovery_denied),
    (Kind.PAUSED, Replay.pause),
    (Kind.RESUMED, Replay.resume),
    (Kind.WORKAROUND, Replay.workaround),
    (Kind.RESOLVED, Replay.resolve),
    (Kind.REJECTED, Replay.reject),
    (Kind.ACCEPTED, Replay.accept),
    (Kind.CLOSED, Replay.accept),
    (Kind.CANCELLED, Replay.cancel),
    (Kind.MERGED_INTO, Replay.cancel),
    (Kind.SEVERITY, Replay.change_severity),
)
HANDLERS = dict(HANDLED)
