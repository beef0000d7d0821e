"""What the clocks read and what they answer: terms, events, a clock with its explanation. Pure data.

Instants are int seconds since the epoch (UTC), spans int seconds of working time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.target_times import ONLY_TIME, TargetTerms, TimeChoice
from contracts.vocabulary import Reopen, RepairStart, TargetKind
from contracts.worktime import CalendarTerms
from incidents.events import COUNTED, Kind


class PauseReason(StrEnum):
    """Why a clock is paused."""

    CLIENT_ANSWER = "client_answer"
    THIRD_PARTY = "third_party"
    CLIENT_WAIT = "client_wait"
    FORCE_MAJEURE = "force_majeure"
    MAINTENANCE = "maintenance_window"


class ClockState(StrEnum):
    """Running, standing (paused; seen working by the monitor), judged (met, breached), or none."""

    RUNNING = "running"
    PAUSED = "paused"
    SEEN_WORKING = "seen_working"
    MET = "met"
    BREACHED = "breached"
    NOT_RUNNING = "not_running"


# The same lists as plain words, which is what events and terms hold
TARGETS = tuple(kind.value for kind in TargetKind)
REPAIR_STARTS = tuple(start.value for start in RepairStart)
REOPEN = tuple(rule.value for rule in Reopen)
REASONS = tuple(reason.value for reason in PauseReason)
CHANGES = ("worse", "downgrade", "correction")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contract's version promises. `severities`: the strictest first, each with its targets by name."""

    repair_starts: str
    reopen: str
    severities: tuple[tuple[str, tuple[tuple[str, TargetTerms], ...]], ...]

    def target(self, severity: str, name: str) -> TargetTerms | None:
        return dict(dict(self.severities)[severity]).get(name)

    def rank(self, severity: str) -> int:
        """0 is the strictest."""
        return [name for name, _ in self.severities].index(severity)


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of the journal; `at` is the instant from which it counts.

    `severity`: of received, received_earlier (optional) and severity (the new one). `change`: of severity.
    `reason`: of paused and resumed. `told_at`: when an event that counts from an earlier instant became known. Of a
    back-dated delivery it is when it was said: the word to the client, and so the first contact, is of that moment.
    Of `monitor_recovered`, whose `at` is the first good check, it is the check that confirmed it.
    """

    at: int
    kind: str
    severity: str = ""
    change: str = ""
    reason: str = ""
    told_at: int | None = None


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a clock's explanation; `detail` is data, not text.

    start (seconds: the target; until: its deadline; detail: severity; choice: which of its times) · provisional (the
    same, from the first contact while nobody has started work) · work_started (the same, from the start of work) ·
    before_work (from the provisional start to the start of work, not counted) · worse, downgrade, correction (the
    same, for the new base) · decides (detail: the severity whose base counts) · wait (till the opening) · worked ·
    pause (given back; detail: reason) · handover (delivery to rejection, not counted) · seen (works by the monitor,
    until it failed again; not counted) · stands (from here the monitor sees it work) · deadline · late · pause_late
    (shortens no delay) · stop · clock_cancelled (without a verdict; detail: the kind of the event) · last the state
    (seconds: left or late).
    """

    at: int
    until: int | None
    kind: str
    seconds: int
    detail: str = ""
    choice: TimeChoice = ONLY_TIME


@dataclass(frozen=True, slots=True)
class Clock:
    """One target's clock at `now`. `earlier`: its former laps and runs that were judged.

    used + left = total while nothing is late; used = total + late after the deadline. `severity`, `calendar` and
    `total` are those of the base that decides, `calendar_at` is the instant at which its calendar is read, `choice`
    which of the target's times it has. `run`
    counts the starts of a target (a new workaround starts the final fix anew), `lap` the restarts after a rejection,
    `round` the bases that decided. `noticed_at`: when a breach could first be known, later than its deadline where a
    correction found it. `seen_at`: since when the monitor sees it work while nobody has
    delivered: the clock stands there. `cancelled_at`: where it ended without a verdict; its account goes up to there.
    """

    target: str
    state: ClockState
    severity: str = ""
    calendar: CalendarTerms | None = None
    calendar_at: int | None = None
    choice: TimeChoice = ONLY_TIME
    started_at: int | None = None
    deadline: int | None = None
    stopped_at: int | None = None
    seen_at: int | None = None
    cancelled_at: int | None = None
    noticed_at: int | None = None
    lap: int = 1
    round: int = 1
    run: int = 1
    used: int = 0
    left: int = 0
    late: int = 0
    total: int = 0
    trace: tuple[TraceLine, ...] = ()
    earlier: tuple[Clock, ...] = ()


def check_terms(terms: Terms) -> None:
    """ValueError names a word that the terms' language doesn't have."""
    if terms.repair_starts not in REPAIR_STARTS:
        raise ValueError(f"unknown start of the repair: {terms.repair_starts}")
    if terms.reopen not in REOPEN:
        raise ValueError(f"unknown reopen rule: {terms.reopen}")
    for _, targets in terms.severities:
        for name, _ in targets:
            if name not in TARGETS:
                raise ValueError(f"unknown target: {name}")


def check_event(terms: Terms, event: Event) -> None:
    """ValueError names an unknown kind, severity, change or reason."""
    if event.kind not in COUNTED:
        raise ValueError(f"unknown event: {event.kind}")
    if event.kind in {Kind.PAUSED, Kind.RESUMED} and event.reason not in REASONS:
        raise ValueError(f"unknown reason of a pause: {event.reason or '(none)'}")
    if event.kind == Kind.SEVERITY and event.change not in CHANGES:
        raise ValueError(f"unknown kind of severity change: {event.change or '(none)'}")
    named = event.kind in {Kind.RECEIVED, Kind.SEVERITY} or event.severity
    if named and event.severity not in dict(terms.severities):
        raise ValueError(f"unknown severity: {event.severity or '(none)'}")
