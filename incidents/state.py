"""The state of an incident: what its journal's lines, played in order, have made of it. The one reducer; pure.

Verbs append a line and write what this says into the incident's columns; the proof plays the whole journal through the
same and compares. Only the kinds of STATE change it, so nobody has to read fifty thousand messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from incidents.clock.facts import PauseReason
from incidents.events import BACKUPS, CONTACTS, DELIVERIES, EVENTS, FAILURES, Kind

CONTESTED = "contested"
"""The reason of a change of severity by which the client says that it is more urgent."""
DENYING = frozenset({Kind.MONITOR_FAILED, Kind.RECOVERY_DENIED})
ENDING = {kind: meaning.ends_as for kind, meaning in EVENTS.items() if meaning.ends_as}


class Stage(StrEnum):
    """How far an incident has come."""

    NEW = "new"
    OPEN = "open"
    WORKAROUND = "workaround"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"


Changes = dict[str, Any]
ENDED = frozenset({Stage.CLOSED, Stage.CANCELLED, Stage.MERGED})


class Line(Protocol):
    """What the reducer reads of a line of the journal: `at` is when it counts from, `recorded_at` when it was said."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def severity(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class PauseSpan:
    """The clocks stood from `started_at` to `ended_at`, None while they stand."""

    reason: str
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentState:
    """What stands now. `backup_at`: when it was said where the backup is, or why there is none (`backup_skipped`).

    `restored_at`: since when the monitor sees it work; `ask_at`: when staff are asked next whether to take that.
    `silence_at`: when silence accepts the repair that stands, which journals of the first landing don't say
    (`silence_is_known` False); `client_wrote_at`: when the client's message ended that term.
    `delivery`: the kind of the newest delivery. `delivered_at`: the one that stands; `workaround_at`: the workaround
    that no rejection has taken away. `accepted_at` and `rejected_at`: the client's word on what was delivered last,
    none once it is delivered anew. `ended_at`: when it was closed, withdrawn or merged. `needs_both`: our monitor saw
    the failure and nobody of ours has agreed to a withdrawal since; `may_withdraw`: somebody has.
    """

    status: str = Stage.NEW.value
    severity: str = ""
    contested: bool = False
    is_received: bool = False
    first_contact_at: datetime | None = None
    work_started_at: datetime | None = None
    backup_at: datetime | None = None
    backup_skipped: bool = False
    restored_at: datetime | None = None
    ask_at: datetime | None = None
    delivery: str = ""
    delivered_at: datetime | None = None
    repaired_at: datetime | None = None
    workaround_at: datetime | None = None
    accepted_at: datetime | None = None
    rejected_at: datetime | None = None
    ended_at: datetime | None = None
    silence_at: datetime | None = None
    silence_is_known: bool = True
    client_wrote_at: datetime | None = None
    needs_both: bool = False
    may_withdraw: bool = False
    pauses: tuple[PauseSpan, ...] = ()

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def accepted(self) -> bool:
        return self.accepted_at is not None

    @property
    def open_pauses(self) -> frozenset[str]:
        """The reasons for which the clocks stand."""
        return frozenset(pause.reason for pause in self.pauses if pause.ended_at is None)

    @property
    def asks_client(self) -> bool:
        """Whether a question waits for the client's answer."""
        return PauseReason.CLIENT_ANSWER in self.open_pauses


COLUMNS = (
    "status",
    "severity",
    "first_contact_at",
    "backup_at",
    "delivered_at",
    "accepted_at",
    "rejected_at",
    "ended_at",
    "restored_at",
    "client_wrote_at",
    "ask_at",
)
"""What of the state stands in the incident's columns of the same names; `silence_at` too, where it is known."""


def state_of(lines: Iterable[Line]) -> IncidentState:
    """Of a journal's lines, oldest first; those of other kinds than STATE may be left out."""
    state = IncidentState()
    for line in lines:
        state = apply(state, line)
    return state


def apply(state: IncidentState, line: Line) -> IncidentState:
    """The state after one more line."""
    parts = PARTS_OF.get(line.kind, ())
    changes = {name: value for part in parts for name, value in part(state, line).items()}
    return replace(state, **changes) if changes else state


def _reported(state: IncidentState, line: Line) -> Changes:
    """Receipt and severity; a failure that the monitor saw takes both sides to withdraw, till one of ours agrees."""
    saw = line.kind in FAILURES and line.channel == "monitor"
    return {
        "severity": line.severity or state.severity,
        "contested": state.contested or (line.kind == Kind.SEVERITY and line.reason == CONTESTED),
        "is_received": state.is_received or line.kind == Kind.RECEIVED,
        "needs_both": saw or (state.needs_both and line.kind != Kind.WITHDRAWAL_AGREED),
        "may_withdraw": line.kind == Kind.WITHDRAWAL_AGREED or (state.may_withdraw and not saw),
    }


def _contact(state: IncidentState, line: Line) -> Changes:
    return {} if state.first_contact_at else {"first_contact_at": line.recorded_at}


def _work(state: IncidentState, line: Line) -> Changes:
    return {} if state.work_started_at else {"work_started_at": line.at}


def _backup(state: IncidentState, line: Line) -> Changes:
    skipped = state.backup_skipped or line.kind == Kind.BACKUP_SKIPPED
    return {"backup_at": state.backup_at or line.at, "backup_skipped": skipped}


def _monitor(state: IncidentState, line: Line) -> Changes:
    """What the monitor sees, and when staff are asked; each line that asks says when the next will."""
    if line.kind == Kind.MONITOR_RECOVERED:
        return {"restored_at": _instant(line.facts["restored_at"]), "ask_at": _instant(line.facts.get("ask_at"))}
    if line.kind == Kind.RECOVERY_ASKED:
        return {"ask_at": _instant(line.facts.get("ask_at"))}
    return {"ask_at": None} if line.kind in ENDING else {"restored_at": None, "ask_at": None}


def _delivery(state: IncidentState, line: Line) -> Changes:
    """Which delivery stands: a rejection takes away the newest one that does, a withdrawal and a merger each."""
    if line.kind == Kind.ACCEPTED:
        return {"accepted_at": line.at, "rejected_at": None}
    if line.kind == Kind.REJECTED:
        stands = state.workaround_at if _falls_back(state) else None
        return {"accepted_at": None, "rejected_at": line.at, "delivered_at": stands, "workaround_at": stands}
    if line.kind not in DELIVERIES:
        return {"accepted_at": None, "rejected_at": None, "delivered_at": None}
    last = {"accepted_at": None, "rejected_at": None, "delivery": line.kind, "delivered_at": line.at}
    return last | ({"workaround_at": line.at} if line.kind == Kind.WORKAROUND else {"repaired_at": line.at})


def _falls_back(state: IncidentState) -> bool:
    """Whether a rejection leaves a workaround standing: it rejects the repair after it."""
    return state.workaround_at is not None and state.status == Stage.RESOLVED


def _silence(state: IncidentState, line: Line) -> Changes:
    """When silence accepts the repair that stands; once the client has written, it does not."""
    if line.kind == Kind.VERDICT_ASKED:
        return {"silence_at": None, "silence_is_known": True, "client_wrote_at": line.recorded_at}
    is_known = line.kind != Kind.RESOLVED or "silence_at" in line.facts
    return {"silence_at": _instant(line.facts.get("silence_at")), "silence_is_known": is_known, "client_wrote_at": None}


def _status(state: IncidentState, line: Line) -> Changes:
    if line.kind == Kind.REJECTED:
        return {"status": (Stage.WORKAROUND if _falls_back(state) else Stage.OPEN).value}
    if line.kind == Kind.ACCEPTED:
        return {"status": Stage.CLOSED.value if line.facts["closes"] else state.status}
    if line.kind in ENDING:
        return {"status": ENDING[Kind(line.kind)]}
    return {"status": Stage.OPEN.value} if state.status == Stage.NEW else {}


def _end(state: IncidentState, line: Line) -> Changes:
    """When it ended: by the client's word that closes it, a withdrawal, a merger."""
    ends = line.facts["closes"] if line.kind == Kind.ACCEPTED else ENDING.get(Kind(line.kind)) in ENDED
    return {"ended_at": line.at} if ends else {}


def _pauses(state: IncidentState, line: Line) -> Changes:
    """A delivery and the end of the incident end every pause; else `resumed` says which."""
    if line.kind == Kind.PAUSED:
        return {"pauses": (*state.pauses, PauseSpan(line.reason, line.at))}
    ended = state.open_pauses if line.kind in ENDING else state.open_pauses & {line.reason}
    return {
        "pauses": tuple(
            replace(pause, ended_at=line.recorded_at) if pause.ended_at is None and pause.reason in ended else pause
            for pause in state.pauses
        )
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


Part = Callable[[IncidentState, Line], Changes]
PARTS: tuple[tuple[Part, frozenset[Kind]], ...] = (
    (_reported, frozenset({*FAILURES, Kind.RECEIVED_EARLIER, Kind.JOINED, Kind.SEVERITY, Kind.WITHDRAWAL_AGREED})),
    (_contact, CONTACTS),
    (_work, frozenset({Kind.WORK_STARTED})),
    (_backup, BACKUPS),
    (_monitor, frozenset({Kind.MONITOR_RECOVERED, Kind.RECOVERY_ASKED, *DENYING, *ENDING})),
    (_delivery, frozenset({*ENDING, Kind.ACCEPTED, Kind.REJECTED})),
    (_end, frozenset({*ENDING, Kind.ACCEPTED})),
    (_silence, frozenset({Kind.VERDICT_ASKED, Kind.ACCEPTED, Kind.REJECTED, *ENDING})),
    (_status, frozenset({*CONTACTS, Kind.ACCEPTED, Kind.REJECTED, *ENDING})),
    (_pauses, frozenset({Kind.PAUSED, Kind.RESUMED, *ENDING})),
)
"""Which part of the state a kind changes. Each reads the state before the line, so their order says nothing."""
STATE = frozenset().union(*(kinds for _, kinds in PARTS))
"""The kinds that change the state."""
PARTS_OF: dict[str, tuple[Part, ...]] = {
    kind.value: tuple(part for part, kinds in PARTS if kind in kinds) for kind in Kind
}
