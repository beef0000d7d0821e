"""What comes back from a probe counts only where it fits what was asked; the rest is counted, and stops nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms import seconds
from incidents.models import Incident
from messaging.models import Heartbeat
from monitoring import incoming, watch
from monitoring.models import Check, Monitor, Outage, ProbePlace, State
from monitoring.probe import link as probe_link
from monitoring.probe.result_lines import LINE_MAX, Asked, RefusedLineError, line_of, read, refusal
from monitoring.probe.specification import Result
from monitoring.state import schedule
from monitoring.tasks import record_results
from tests import build
from tests.monitoring.played import monitor

NOW = build.at("2026-03-02 10:10:00")
SLOT = seconds(NOW)
GOOD = Result(id="7", state="up", reason="ok", at=SLOT + 1, slot=SLOT, place="pl", status=200)
ASKED = Asked([(SLOT, "pl")], 26, None)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"id": 7}, "monitor"),
        ({"id": "7; DROP"}, "monitor"),
        ({"id": "9" * 19}, "monitor"),
        ({"state": "broken"}, "words"),
        ({"state": "maintenance"}, "words"),
        ({"state": ["up"]}, "words"),
        ({"reason": "missed", "state": "unknown"}, "words"),
        ({"state": "up", "reason": "content"}, "words"),
        ({"state": "down", "reason": "ok"}, "words"),
        ({"reason": {}}, "words"),
        ({"phase": "lunch"}, "words"),
        ({"detail": "<b>"}, "words"),
        ({"canaries": "yes"}, "words"),
        ({"canaries": []}, "words"),
        ({"subject": "x" * 301}, "size"),
        ({"excerpt": "x" * 4097}, "size"),
        ({"subject": 5}, "form"),
        ({"status": 1000}, "size"),
        ({"status": -1}, "size"),
        ({"status": True}, "form"),
        ({"at": 10**12}, "size"),
        ({"at": 1.5}, "form"),
        ({"certificate_ends_at": 10**15}, "size"),
        ({"timings": [1]}, "form"),
        ({"timings": {"dns": 2**31}}, "size"),
        ({"timings": None}, "form"),
    ],
)
def test_a_line_with_a_wrong_field_is_refused_with_its_reason(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedLineError) as refused:
        read(json.dumps(GOOD.to_json() | wrong).encode())
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "form"), (b"[]", "form"), (b"1", "form"), (b"{", "form"), (b"\xff\xfe", "form"), (b"nan", "form"),
        (b"[" * 20_000, "form"), (b'{"id": ' + b"9" * 5_000 + b"}", "form"), (b"{}", "monitor"),
        (b" " * (LINE_MAX + 1), "size"),
    ],
)  # fmt: skip
def test_what_is_no_result_at_all_is_refused_too(line: bytes, reason: str) -> None:
    with pytest.raises(RefusedLineError) as refused:
        read(line)
    assert refused.value.reason == reason


@given(st.binary(max_size=400) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
    lambda value: json.dumps({"id": "7", "state": value, "timings": value, "at": value}).encode()
))  # fmt: skip
def test_no_line_raises_anything_but_its_refusal(line: bytes) -> None:
    with suppress(RefusedLineError):
        assert isinstance(read(line), Result)


def test_a_good_line_is_read_as_it_was_sent_and_what_no_column_holds_is_replaced() -> None:
    assert read(line_of(GOOD.to_json())) == GOOD
    odd = GOOD.to_json() | {"subject": "a\x00b", "excerpt": "ż" * 5000, "surprise": [1]}
    result = read(line_of(odd))
    assert (result.subject, result.excerpt) == ("a\ufffdb", "ż" * 4096)
    assert read(json.dumps(GOOD.to_json() | {"subject": "\ud800"}).encode()).subject == "\ufffd"


@pytest.mark.parametrize(
    ("changes", "place", "asked", "reason"),
    [
        ({}, "pl", ASKED, ""),
        ({}, "pl", None, "monitor"),
        ({}, "de", ASKED, "place"),  # what the line says of its place is no proof
        ({"place": "de"}, "de", ASKED, "place"),  # asked of pl, answered by de
        ({"place": "de"}, "pl", ASKED, "place"),
        ({"slot": 0}, "pl", ASKED, "slot"),
        ({"slot": SLOT + 61}, "pl", ASKED, "slot"),
        ({"slot": SLOT - 60}, "pl", ASKED, "late"),
        ({}, "pl", Asked([], 26, None, False), "late"),
        ({"at": SLOT - 5}, "pl", ASKED, ""),
        ({"at": SLOT - 6}, "pl", ASKED, "time"),
        ({"at": SLOT + 65}, "pl", ASKED, ""),
        ({"at": SLOT + 66}, "pl", ASKED, "time"),  # ahead of our clock, at SLOT + 60
        ({"at": SLOT + 1}, "pl", Asked([], 26, SLOT + 1), "repeat"),
        ({"at": SLOT + 1}, "pl", Asked([(SLOT, "pl")], 26, SLOT), ""),
    ],
)
def test_an_answer_fits_a_question_by_monitor_place_slot_and_time(
    changes: dict[str, Any], place: str, asked: Asked | None, reason: str
) -> None:
    result = read(line_of(GOOD.to_json() | changes))
    assert refusal(result, place, asked, SLOT + 60) == reason


def test_an_answer_long_after_its_question_is_refused() -> None:
    assert refusal(read(line_of(GOOD.to_json() | {"at": SLOT + 200})), "pl", ASKED, SLOT + 300) == "time"


def asked_of(shop: Monitor, at: datetime) -> list[list[object]]:
    """The sweep asks; the questions that are out then."""
    schedule.sweep(at=at, send=lambda place, specs, patience: None)
    shop.refresh_from_db()
    return shop.asked  # type: ignore[no-any-return]


def answer(shop: Monitor, slot: int, **changes: Any) -> bytes:
    return line_of(GOOD.to_json() | {"id": str(shop.pk), "slot": slot, "at": slot + 1} | changes)


@pytest.fixture
def shop(db: None) -> Monitor:
    return monitor(build.world().shop, next_check_at=NOW)


def test_an_answer_counts_once_and_others_change_nothing(shop: Monitor) -> None:
    assert asked_of(shop, NOW) == [[SLOT, "pl"]]
    wrong = [
        answer(shop, SLOT, place="de", state="down", reason="content"), b"garbage", answer(shop, 0),
        answer(shop, SLOT, at=SLOT - 600), line_of(GOOD.to_json() | {"id": "999999"}),
    ]  # fmt: skip
    at = NOW + timedelta(seconds=3)
    assert incoming.record_lines("pl", wrong, at=at) == 0
    assert (Check.objects.count(), Outage.objects.count(), Incident.objects.count()) == (0, 0, 0)
    shop.refresh_from_db()
    assert (shop.state, shop.checked_at, shop.asked) == (State.UNKNOWN, None, [[SLOT, "pl"]])
    row = ProbePlace.objects.get()
    assert (row.name, row.refused, row.refusal, row.refused_at, row.late) == ("pl", 5, "monitor", at, 0)

    twice = [answer(shop, SLOT), answer(shop, SLOT, at=SLOT + 2, state="down", reason="content")]
    assert incoming.record_lines("pl", twice, at=at) == 1
    shop.refresh_from_db()
    assert (shop.state, shop.asked, Check.objects.count()) == (State.UP, [], 1)
    row.refresh_from_db()
    assert (row.refused, row.refusal) == (6, "twice")
    assert incoming.record_lines("pl", [answer(shop, SLOT)], at=at) == 0  # read again after a fall: nobody's ill will
    assert incoming.record_lines("pl", [answer(shop, SLOT, at=SLOT + 3, state="down", reason="content")], at=at) == 0
    row.refresh_from_db()
    assert (row.refused, row.late, Check.objects.count()) == (6, 1, 1)


def test_a_place_speaks_for_itself_only(shop: Monitor) -> None:
    """A probe in another place knows the monitor and the slot, and still cannot say that the shop is down."""
    asked_of(shop, NOW)
    lies = [answer(shop, SLOT, place=place, state="down", reason="content") for place in ("pl", "de")]
    assert incoming.record_lines("de", lies, at=NOW + timedelta(seconds=3)) == 0
    assert ProbePlace.objects.values_list("name", "refused", "refusal").get() == ("de", 2, "place")
    assert not Check.objects.exists()


def test_a_slow_answer_counts_while_the_next_question_is_out_but_not_after_its_answer(shop: Monitor) -> None:
    Monitor.objects.filter(pk=shop.pk).update(interval=5, timeout_ms=1000)
    asked_of(shop, NOW)
    later = NOW + timedelta(seconds=20)
    questions = asked_of(shop, later)
    assert questions == [[SLOT, "pl"], [SLOT + 20, "pl"]]
    assert incoming.record_lines("pl", [answer(shop, SLOT, at=SLOT + 2)], at=later) == 1
    shop.refresh_from_db()
    assert shop.asked == [[SLOT + 20, "pl"]]
    assert incoming.record_lines("pl", [answer(shop, SLOT + 20)], at=later + timedelta(seconds=3)) == 1


def test_a_question_that_is_changed_or_withdrawn_is_answered_too_late(shop: Monitor) -> None:
    asked_of(shop, NOW)
    staff = build.staff("Ada Min", role="admin", on_call=False)
    watch.change(monitor=shop, by=staff, at=NOW + timedelta(seconds=1), required_text="Kasa")
    assert incoming.record_lines("pl", [answer(shop, SLOT)], at=NOW + timedelta(seconds=3)) == 0
    assert ProbePlace.objects.values_list("late", "refused").get() == (1, 0)
    assert not Check.objects.exists()


def test_only_the_last_questions_are_kept(shop: Monitor) -> None:
    for round_ in range(5):
        Monitor.objects.filter(pk=shop.pk).update(busy_until=None, next_check_at=NOW)
        asked_of(shop, NOW + timedelta(seconds=round_))
    shop.refresh_from_db()
    assert [slot for slot, _ in shop.asked] == [SLOT + 2, SLOT + 3, SLOT + 4]


# The list itself


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    client = probe_link.client(settings.REDIS_URL, "", seconds=5)
    keys = [probe_link.results_key(place) for place in ("pl", "de")] + ["taking.pl", probe_link.queue_key("pl")]
    client.delete(*keys)
    yield client
    client.delete(*keys)
    client.close()


def test_the_sweep_takes_every_line_and_leaves_its_heartbeat(shop: Monitor, broker: redis.Redis) -> None:
    asked_of(shop, NOW)
    key = probe_link.results_key("pl")
    broker.rpush(key, *[b"{}"] * 1200, answer(shop, SLOT))
    assert incoming.sweep(at=NOW + timedelta(seconds=2)) == 1
    assert (broker.exists(key), broker.exists("taking.pl")) == (0, 0)
    assert ProbePlace.objects.get().refused == 1200
    assert Heartbeat.objects.filter(name="results").exists()
    assert incoming.sweep(at=NOW + timedelta(seconds=3)) == 0


def test_two_workers_never_take_one_list_and_what_was_not_recorded_stays(
    shop: Monitor, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_of(shop, NOW)
    key = probe_link.results_key("pl")
    broker.rpush(key, answer(shop, SLOT))
    broker.set("taking.pl", "1")
    assert incoming.take("pl", at=NOW, broker=broker) == 0
    broker.delete("taking.pl")
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "record_lines", _fails)
        with pytest.raises(OSError, match="database"):
            incoming.take("pl", at=NOW, broker=broker)
    assert broker.llen(key) == 1
    assert incoming.take("pl", at=NOW + timedelta(seconds=2), broker=broker) == 1


def _fails(*_: object, **__: object) -> int:
    raise OSError("the database went away")


def test_a_place_whose_list_cannot_be_read_holds_up_no_other(
    shop: Monitor, broker: redis.Redis, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked_of(shop, NOW)
    settings.PROBE_PLACES = ["de", "pl"]
    broker.set(probe_link.results_key("de"), "no list")
    broker.rpush(probe_link.results_key("pl"), answer(shop, SLOT))
    assert incoming.sweep(at=NOW + timedelta(seconds=3)) == 1
    assert "the results of de could not be taken" in caplog.text
    settings.PROBE_PLACES = ["de"]
    broker.delete("taking.de")
    with pytest.raises(redis.ResponseError):
        incoming.sweep(at=NOW + timedelta(seconds=4))


def test_a_flood_is_cut_before_it_is_read_and_said(
    shop: Monitor, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_of(shop, NOW)
    key = probe_link.results_key("pl")
    monkeypatch.setattr(incoming, "KEPT", 10)
    broker.rpush(key, *[b"{}"] * 50, answer(shop, SLOT))
    at = NOW + timedelta(seconds=2)
    assert incoming.take("pl", at=at, broker=broker) == 1
    assert ProbePlace.objects.values_list("dropped", "dropped_at", "refused").get() == (41, at, 9)
    monkeypatch.setattr(incoming, "KEPT_BYTES", 100_000)
    broker.rpush(key, b"x" * 200_000, b"y")
    assert incoming.take("pl", at=at, broker=broker) == 0
    assert (ProbePlace.objects.get().dropped, broker.exists(key)) == (43, 0)


def test_a_place_where_nobody_takes_questions_keeps_the_newest_only(
    shop: Monitor, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "QUEUE_KEPT", 3)
    for _ in range(6):
        assert schedule.greet() == 1
    assert broker.llen(probe_link.queue_key("pl")) == 3


def test_what_a_version_before_the_prefixes_left_behind_goes_and_is_said(
    shop: Monitor, broker: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    asked_of(shop, NOW)
    broker.rpush("probe.pl", "{}", "{}")
    schedule.greet(send=lambda place, specs, patience: None)
    assert broker.exists("probe.pl") == 0
    assert "2 messages in the queue probe.pl of an earlier version went" in caplog.text
    assert record_results([json.loads(answer(shop, SLOT)), json.loads(answer(shop, SLOT, place="pl, de"))]) == 0
    assert not Check.objects.exists()
    assert ProbePlace.objects.values_list("name", "refused", "refusal").get() == ("pl", 1, "slot")


def test_a_shop_of_which_only_lies_come_is_unknown_by_our_fault(shop: Monitor) -> None:
    asked_of(shop, NOW)
    assert incoming.record_lines("pl", [answer(shop, SLOT)], at=NOW + timedelta(seconds=3)) == 1
    later = NOW + timedelta(minutes=3)
    assert incoming.record_lines("pl", [answer(shop, SLOT + 60), answer(shop, SLOT + 61, place="de")], at=later) == 0
    assert watch.sweep_missed(at=later) == 1
    shop.refresh_from_db()
    assert (shop.state, shop.reason) == (State.UNKNOWN, "missed")
    assert (Outage.objects.count(), Incident.objects.count()) == (0, 0)
