"""One reducer says what a journal has made of an incident. Pure: lines in, state out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.events import Kind
from incidents.state import STATE, IncidentState, PauseSpan, state_of

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


@dataclass(frozen=True)
class Entry:
    """A line of a journal, said `minute` minutes after the start."""

    minute: int
    kind: Kind
    reason: str = ""
    severity: str = ""
    channel: str = "portal"
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return minute(self.minute)

    recorded_at = at


def state(*lines: Entry) -> IncidentState:
    return state_of([Entry(0, Kind.RECEIVED, severity="P1"), *lines])


def test_a_report_is_new_until_a_person_speaks() -> None:
    assert (state().status, state().severity, state().is_received) == ("new", "P1", True)
    spoken = state(Entry(5, Kind.CLIENT_MESSAGE), Entry(7, Kind.CONTACT), Entry(9, Kind.CONTACT))
    assert (spoken.status, spoken.first_contact_at) == ("open", minute(7))


@pytest.mark.parametrize(
    ("kinds", "status", "workaround_at"),
    [
        ([Kind.WORKAROUND], "workaround", 1),
        ([Kind.WORKAROUND, Kind.REJECTED], "open", None),
        ([Kind.WORKAROUND, Kind.RESOLVED, Kind.REJECTED], "workaround", 1),
        ([Kind.WORKAROUND, Kind.RESOLVED, Kind.REJECTED, Kind.REJECTED], "open", None),
        ([Kind.RESOLVED, Kind.REJECTED], "open", None),
        ([Kind.WORKAROUND, Kind.REJECTED, Kind.RESOLVED, Kind.REJECTED], "open", None),
    ],
)
def test_a_rejection_takes_away_the_newest_delivery_that_stands(
    kinds: list[Kind], status: str, workaround_at: int | None
) -> None:
    stands = state(*(Entry(number, kind) for number, kind in enumerate(kinds, 1)))
    assert stands.status == status
    assert stands.workaround_at == (None if workaround_at is None else minute(workaround_at))


def test_the_clients_word_is_about_the_delivery_that_stands() -> None:
    taken = state(Entry(1, Kind.WORKAROUND), Entry(2, Kind.ACCEPTED, facts={"closes": False}))
    assert (taken.status, taken.accepted, taken.delivery) == ("workaround", True, "workaround")
    again = state_of(
        [Entry(1, Kind.WORKAROUND), Entry(2, Kind.ACCEPTED, facts={"closes": False}), Entry(3, Kind.RESOLVED)]
    )
    assert (again.status, again.accepted, again.delivery) == ("resolved", False, "resolved")


def test_silence_has_a_term_until_the_client_writes() -> None:
    term = {"silence_at": minute(900).isoformat()}
    assert state(Entry(1, Kind.RESOLVED, facts=term)).silence_at == minute(900)
    written = state(Entry(1, Kind.RESOLVED, facts=term), Entry(2, Kind.VERDICT_ASKED))
    assert (written.silence_at, written.client_wrote_at) == (None, minute(2))
    assert not state(Entry(1, Kind.RESOLVED)).silence_is_known


def test_a_pause_ends_by_its_reason_and_a_delivery_ends_all() -> None:
    asked, waits = Entry(1, Kind.PAUSED, "client_answer"), Entry(2, Kind.PAUSED, "third_party")
    both = state(asked, waits, Entry(3, Kind.RESUMED, "third_party"))
    assert both.pauses == (
        PauseSpan("client_answer", minute(1)),
        PauseSpan("third_party", minute(2), minute(3)),
    )
    assert both.asks_client
    assert state(asked, waits, Entry(4, Kind.WORKAROUND)).open_pauses == frozenset()


def test_staff_are_asked_about_what_the_monitor_saw_until_somebody_says() -> None:
    healed = Entry(
        1, Kind.MONITOR_RECOVERED, facts={"restored_at": minute(1).isoformat(), "ask_at": minute(61).isoformat()}
    )
    assert (state(healed).restored_at, state(healed).ask_at) == (minute(1), minute(61))
    assert state(healed, Entry(2, Kind.RECOVERY_DENIED)).restored_at is None
    assert (state(healed, Entry(2, Kind.RESOLVED)).restored_at, state(healed, Entry(2, Kind.RESOLVED)).ask_at) == (
        minute(1),
        None,
    )


def test_what_the_monitor_saw_takes_both_sides_until_we_agree() -> None:
    seen = Entry(1, Kind.MONITOR_FAILED, channel="monitor")
    assert not state().needs_both
    assert state(seen).needs_both
    assert not state(seen, Entry(2, Kind.WITHDRAWAL_AGREED)).needs_both
    assert state(seen, Entry(2, Kind.WITHDRAWAL_AGREED), seen).needs_both
    assert not state(seen).may_withdraw
    assert state(seen, Entry(2, Kind.WITHDRAWAL_AGREED)).may_withdraw
    assert not state(seen, Entry(2, Kind.WITHDRAWAL_AGREED), seen).may_withdraw


def test_words_and_records_of_machines_change_nothing() -> None:
    quiet = set(Kind) - STATE
    assert {Kind.CLIENT_MESSAGE, Kind.INTERNAL_NOTE, Kind.ESCALATED, Kind.BREACH, Kind.UPDATE_MISSED} <= quiet
    assert state(*(Entry(1, kind) for kind in sorted(quiet))) == state()
