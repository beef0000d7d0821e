"""The rules that need no server: whose fault, second places, maintenance, certificates, texts."""

from dataclasses import replace

import pytest
import re2

from monitoring.probe.page_text import charset, excerpt
from monitoring.probe.specification import CheckSpec, Observation, Reason, Result, StateWord, Timings
from monitoring.probe.verdict import (
    WayOut,
    allowed_hosts,
    at_path,
    blame,
    during_maintenance,
    judge,
    judge_egress,
    matches,
    missed,
    warns_of_certificate,
    with_second_place,
)

SPEC = CheckSpec(id="1", url="https://sklep.example/")
GOOD = Observation(method="GET", url="https://sklep.example/", status=200, body=b"Koszyk")
DAY = 86_400


def result(state: StateWord, reason: Reason, status: int | None = None) -> Result:
    return Result("1", state, reason, status=status)


@pytest.mark.parametrize(
    ("answered", "works"),
    [
        ([True] * 4, True),
        ([True, True, True, False], True),
        ([True, True, False, False], False),
        ([], True),
        ([True], True),
        ([False], False),
        ([True, True, False], False),
    ],
)
def test_three_of_four_canaries_must_answer(answered: list[bool], works: bool) -> None:
    assert judge_egress(answered) is works


WORKS, FAILS, NOBODY = WayOut(True, True), WayOut(False, False), WayOut()


@pytest.mark.parametrize("reason", ["dns", "connect", "timeout", "tls", "protocol", "truncated"])
def test_a_network_failure_is_ours_while_the_canaries_fail(reason: Reason) -> None:
    down = result("down", reason)
    assert blame(down, FAILS) == replace(down, state="unknown", reason="egress", detail="canaries")
    assert blame(down, WORKS) is down
    assert blame(down, NOBODY) is down


@pytest.mark.parametrize(
    ("reason", "detail", "way_out", "state", "ours"),
    [
        ("dns", "nxdomain", WORKS, "down", ""),
        ("dns", "nxdomain", NOBODY, "down", ""),
        ("dns", "nxdomain", FAILS, "unknown", "canaries"),
        ("dns", "servfail", WORKS, "down", ""),
        ("dns", "servfail", WayOut(True, False), "unknown", "names"),
        ("dns", "servfail", WayOut(True, None), "unknown", "names"),
        ("dns", "servfail", NOBODY, "unknown", "names"),
        ("dns", "timeout", WORKS, "down", ""),
        ("dns", "timeout", WayOut(True, None), "unknown", "names"),
        ("connect", "unreachable", WayOut(True, False), "down", ""),
        ("connect", "unreachable", FAILS, "unknown", "canaries"),
        ("connect", "unreachable", NOBODY, "unknown", "unreachable"),
        ("connect", "refused", NOBODY, "down", ""),
    ],
)
def test_what_may_be_our_own_network_is_the_shops_only_where_somebody_vouches(
    reason: Reason, detail: str, way_out: WayOut, state: StateWord, ours: str
) -> None:
    seen = blame(replace(result("down", reason), detail=detail), way_out)
    assert (seen.state, seen.reason, seen.detail) == (state, "egress" if ours else reason, ours or detail)


@pytest.mark.parametrize("reason", ["status", "content"])
def test_an_answer_that_came_is_the_shops_own(reason: Reason) -> None:
    down = result("down", reason)
    assert blame(down, FAILS) is down


def test_a_wall_is_down_once_a_second_place_meets_it() -> None:
    walled = result("degraded", "walled", 403)
    agreed = with_second_place(walled, [result("degraded", "walled", 429)])
    assert (agreed.state, agreed.reason) == ("down", "status")
    assert with_second_place(walled, [result("up", "ok")]) is walled
    assert with_second_place(walled, []) is walled


def test_what_fails_in_an_announced_window_is_maintenance() -> None:
    assert during_maintenance(result("down", "status", 503)).state == "maintenance"
    assert during_maintenance(result("up", "ok")).state == "up"
    assert during_maintenance(result("unknown", "egress")).state == "unknown"


def test_retry_after_in_an_announced_window_is_maintenance_even_where_503_is_allowed() -> None:
    seen = replace(GOOD, status=503, headers=(("retry-after", "120"),))
    judged = judge(replace(SPEC, statuses=(503,)), seen)
    assert (judged.state, during_maintenance(judged).state) == ("up", "maintenance")


def test_a_check_that_was_not_made_is_unknown() -> None:
    assert missed("9", at=1_795_525_200) == Result("9", "unknown", "missed", at=1_795_525_200)


@pytest.mark.parametrize(
    ("left", "warning"),
    [(31 * DAY, None), (30 * DAY, 30), (14 * DAY + 1, 30), (14 * DAY, 14), (7 * DAY, 7), (1, 7), (0, 0), (-5, 0)],
)
def test_a_certificate_warns_at_30_14_and_7_days(left: int, warning: int | None) -> None:
    assert warns_of_certificate(1_000_000 + left, at=1_000_000) == warning
    assert warns_of_certificate(None, at=1_000_000) is None


def test_slow_is_more_than_the_limit() -> None:
    spec = replace(SPEC, slow_ms=100)
    assert judge(spec, replace(GOOD, timings=Timings(total=100))).state == "up"
    assert judge(spec, replace(GOOD, timings=Timings(total=101))).reason == "slow"


@pytest.mark.parametrize(
    ("url", "hosts", "allowed"),
    [
        ("https://sklep.example/", (), ("sklep.example", "www.sklep.example")),
        ("https://www.sklep.example/", (), ("sklep.example", "www.sklep.example")),
        ("https://sklep.example/", ("kasa.example",), ("kasa.example",)),
    ],
)
def test_a_shop_ends_at_its_own_host(url: str, hosts: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    assert allowed_hosts(CheckSpec(id="1", url=url, hosts=hosts)) == allowed


def test_a_downgrade_is_seen_between_any_two_hops() -> None:
    hops = ("https://sklep.example/", "http://sklep.example/a")
    assert judge(SPEC, replace(GOOD, hops=hops)).detail == "downgrade"
    assert judge(SPEC, replace(GOOD, hops=("https://sklep.example/",))).state == "up"


def test_json_is_read_by_path() -> None:
    value = {"items": [{"name": "Mak"}], "ok": True}
    assert [at_path(value, path) for path in ("items[0].name", "$.ok", "$.items[0]")] == ["Mak", True, {"name": "Mak"}]
    spec = replace(SPEC, json_path="ok", json_value="true")
    assert judge(spec, replace(GOOD, body=b'{"ok": true}')).state == "up"
    assert judge(spec, replace(GOOD, body=b'{"ok": false}')).reason == "content"
    assert judge(spec, replace(GOOD, body=b"[" * 100_000)).reason == "content"


def test_a_pattern_that_ruins_others_is_linear_here() -> None:
    assert not matches("(a+)+$", "a" * 100_000 + "b")
    with pytest.raises(re2.error):
        matches("(", "text")


@pytest.mark.parametrize(
    ("body", "content_type", "name"),
    [
        (b"\xef\xbb\xbfa", "text/html; charset=iso-8859-2", "utf-8"),
        (b"a", 'text/html; charset="ISO-8859-2"', "iso8859-2"),
        (b'<meta charset="windows-1250">', "", "cp1250"),
        (b"a", "text/html; charset=latin1", "cp1252"),
        (b"a", "text/html; charset=base64", "utf-8"),
        (b"a", "", "utf-8"),
    ],
)
def test_the_charset_is_found_as_browsers_find_it(body: bytes, content_type: str, name: str) -> None:
    assert charset(body, content_type) == name


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("pisz: jan@sklep.pl", "pisz: [e-mail]"),
        ("DB_PASSWORD=tajne123;", "DB_PASSWORD=[…];"),
        ('{"api_key": "abcdef"}', '{"api_key": […]}'),
        ('<input name="t" value="sekret">', '<input name="t" value="[…]">'),
        ("karta 4111 1111 1111 1111 koniec", "karta […] koniec"),
        ("tel. +48 600 100 200", "tel. […]"),
        ("zwykły tekst, 120 zł", "zwykły tekst, 120 zł"),
    ],
)
def test_an_excerpt_keeps_no_secret(text: str, kept: str) -> None:
    assert excerpt(text) == kept


def test_an_excerpt_ends_at_2_kib_within_no_letter() -> None:
    assert excerpt("ż ó" * 3000).encode() == ("ż ó" * 3000).encode()[:2048].decode(errors="ignore").encode()
