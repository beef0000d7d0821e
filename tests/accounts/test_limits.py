"""The limiter: how often, how long to wait, what is kept, and that two at the same instant share one bucket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.http import HttpRequest
from pytest_django import Settings

from accounts import limits, retention
from accounts.addresses import client_address, source
from accounts.models import Limit
from tests.build import MONDAY

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def take(key: str = "key", after: timedelta = timedelta()) -> timedelta | None:
    return limits.take(key, allowed=3, per=MINUTE, at=MONDAY + after)


@pytest.mark.django_db
def test_three_a_minute_are_three_at_once_and_then_one_each_twenty_seconds() -> None:
    assert [take() for _ in range(4)] == [None, None, None, 20 * SECOND]
    assert [take(after=5 * SECOND), take(after=19 * SECOND)] == [15 * SECOND, SECOND]
    assert [take(after=20 * SECOND), take(after=20 * SECOND)] == [None, 20 * SECOND]


@pytest.mark.django_db
def test_a_refused_act_prolongs_nothing() -> None:
    for _ in range(3):
        take()
    for _ in range(50):
        assert take(after=SECOND) == 19 * SECOND
    assert take(after=20 * SECOND) is None


@pytest.mark.django_db
def test_keys_don_t_share_and_hold_no_names() -> None:
    for _ in range(3):
        take("ola@mak.example")
    assert (take("ola@mak.example"), take("jan@mak.example")) == (20 * SECOND, None)
    assert sorted(len(row.key) for row in Limit.objects.all()) == [64, 64]
    assert not any("mak" in str(row) for row in Limit.objects.all())


@pytest.mark.django_db
def test_what_is_given_back_or_forgotten_may_be_done_again() -> None:
    for _ in range(3):
        take()
    limits.give_back("key", allowed=3, per=MINUTE)
    assert [take(), take()] == [None, 20 * SECOND]
    limits.forget("key")
    assert [take() for _ in range(4)] == [None, None, None, 20 * SECOND]


@pytest.mark.django_db
def test_a_bucket_that_is_full_again_leaves_the_table() -> None:
    take("old")
    take("new", after=MINUTE)
    assert retention.forget(at=MONDAY + MINUTE) == 1
    assert [row.key for row in Limit.objects.all()] == [limits.stored("new")]


@pytest.mark.django_db(transaction=True)
def test_eight_at_the_same_instant_get_three() -> None:
    barrier = Barrier(8)

    def act() -> timedelta | None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            return take()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = [running.result() for running in [pool.submit(act) for _ in range(8)]]
    assert waits.count(None) == 3
    assert {wait for wait in waits if wait} == {20 * SECOND}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.9"),
        (0, "203.0.113.5", "10.0.0.9"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (2, "198.51.100.1, 203.0.113.5, 10.0.0.8", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "203.0.113.5, unknown", "10.0.0.9"),
        (1, "<script>", "10.0.0.9"),
        (1, "203.0.113.5:51000", "203.0.113.5"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_client_s_address_is_what_our_own_proxies_say(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUST_PROXY = proxies
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": "10.0.0.9", **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})}
    assert client_address(request) == address


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_an_ipv6_connection_is_one_source(peer: str, counted: str) -> None:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": peer}
    assert source(request) == counted
