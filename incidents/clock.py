"""The clocks of an incident: a pure function of terms, events and now (domain: reaction, restore, final fix).

Instants are int seconds since the epoch (UTC), spans int seconds of working time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.worktime import CalendarTerms

TARGETS = ("reaction", "restore", "final_fix")
REPAIR_STARTS = ("report", "first_contact", "contact_or_reaction_deadline", "work_started")
REOPEN = ("continue", "restart")
REASONS = ("client_answer", "third_party", "client_wait", "force_majeure", "maintenance_window")
CHANGES = ("worse", "downgrade", "correction")
KINDS = (
    "received",
    "received_earlier",
    "contact",
    "auto_reply",
    "internal_note",
    "client_message",
    "paused",
    "resumed",
    "work_started",
    "workaround",
    "resolved",
    "rejected",
    "accepted",
    "closed",
    "severity",
    "cancelled",
    "merged_into",
)
State = Literal["running", "paused", "met", "breached", "not_running"]


@dataclass(frozen=True, slots=True)
class TargetTerms:
    seconds: int
    calendar: CalendarTerms


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contract's version promises. `severities`: the strictest first, each with its targets by name."""

    repair_starts: str
    reopen: str
    severities: tuple[tuple[str, tuple[tuple[str, TargetTerms], ...]], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of the journal; `at` is the instant from which it counts.

    `severity`: of received, received_earlier (optional) and severity (the new one). `change`: of severity.
    `reason`: of paused and resumed.
    """

    at: int
    kind: str
    severity: str = ""
    change: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a clock's account. `until` and `seconds` where the kind has them; `detail` is data, not text."""

    at: int
    until: int | None
    kind: str
    seconds: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """One target's clock at `now`. `earlier`: its former laps and runs, judged.

    used + left = total while nothing is late; used = total + late after the deadline.
    """

    target: str
    state: State
    severity: str = ""
    calendar: CalendarTerms | None = None
    started_at: int | None = None
    deadline: int | None = None
    stopped_at: int | None = None
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


def clocks(terms: Terms, events: Sequence[Event], now: int) -> dict[str, Clock]:
    """The three clocks at `now`. Events after `now` don't exist yet; ValueError names an unknown word."""
    raise NotImplementedError
