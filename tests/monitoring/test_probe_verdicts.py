"""Every row of the verdict table, against a real server on loopback that misbehaves."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import pytest

from monitoring.probe.check import check, tls_context
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge
from tests.monitoring.badserver import (
    PAGE,
    BadServer,
    Play,
    answer,
    bomb,
    closed_port,
    drips,
    hangs,
    pours,
    redirects_to,
    resets,
    says,
    says_and_hangs,
    serving,
)

LOOPBACK = ("127.0.0.0/8",)
OK = b"HTTP/1.1 200 OK\r\n"


def spec_of(bad: BadServer, **wanted: Any) -> CheckSpec:
    given: dict[str, Any] = {"url": bad.url(), "timeout_ms": 3_000, "networks": LOOPBACK} | wanted
    return CheckSpec(id="1", **given)


def probe(play: Play, **wanted: Any) -> tuple[Result, BadServer]:
    async def run() -> tuple[Result, BadServer]:
        async with serving(play) as bad:
            spec = spec_of(bad, **wanted)
            return judge(spec, await check(spec)), bad

    return asyncio.run(run())


def verdict(play: Play, **wanted: Any) -> tuple[str, str, str, str]:
    result, _ = probe(play, **wanted)
    return result.state, result.reason, result.phase, result.detail


def test_a_good_shop_is_up_with_its_figures() -> None:
    result, bad = probe(says(answer()), required=("Koszyk",))
    assert (result.state, result.reason, result.status, result.bytes) == ("up", "ok", 200, len(PAGE))
    assert (result.address, result.excerpt, result.cut, bad.connections) == ("127.0.0.1", "", False, 1)


@pytest.mark.parametrize(
    ("play", "phase"),
    [
        (hangs, "headers"),
        (drips(OK, b"X-Drop: 1\r\n"), "headers"),
        (drips(OK + b"Content-Length: 100000\r\n\r\n", b"a"), "body"),
        (says_and_hangs(OK + b"Content-Length: 100000\r\n\r\nhalf"), "body"),
    ],
    ids=["never answers", "drips headers", "drips the body", "stops in the body"],
)
def test_what_never_ends_is_a_timeout_with_its_phase(play: Play, phase: str) -> None:
    result, _ = probe(play, timeout_ms=400)
    assert (result.state, result.reason, result.phase) == ("down", "timeout", phase)
    assert 400 <= result.timings.total < 1500


def test_an_endless_body_is_judged_on_its_first_512_kib_and_flagged() -> None:
    result, _ = probe(pours(OK + b"\r\n" + PAGE, b"x" * 65536), required=("Koszyk",))
    assert (result.state, result.reason, result.bytes, result.cut) == ("up", "ok", 512 * 1024, True)


def test_a_text_that_a_cut_body_does_not_show_is_unknown() -> None:
    assert verdict(pours(OK + b"\r\n", b"x" * 65536), required=("Koszyk",)) == ("unknown", "cut", "", "missing")


def test_a_forbidden_text_in_a_cut_body_is_still_down() -> None:
    play = pours(OK + b"\r\nError establishing a database connection", b"x" * 65536)
    assert verdict(play) == ("down", "content", "", "forbidden")


def test_a_body_of_exactly_the_cap_is_not_cut() -> None:
    result, _ = probe(says(answer(b"a" * 1000)), body_cap=1000)
    assert (result.bytes, result.cut) == (1000, False)


def test_a_compressed_bomb_is_cut_and_memory_stays_bounded() -> None:
    packed = bomb(300 * 1024 * 1024)
    play = says(answer(packed, "200 OK", "Content-Encoding: gzip"))
    tracemalloc.start()
    try:
        result, _ = probe(play, min_bytes=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (result.cut, result.bytes) == (True, 512 * 1024)
    assert peak < 16 * 1024 * 1024


def test_compressed_bytes_that_inflate_to_nothing_end_at_a_cap_too() -> None:
    play = pours(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"", mtime=0) * 3000)
    result, _ = probe(play, min_bytes=0, body_cap=65536)
    assert (result.cut, result.reason) == (True, "ok")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(PAGE, mtime=0), "gzip"),
        (gzip.compress(PAGE[:20], mtime=0) + gzip.compress(PAGE[20:], mtime=0), "gzip"),
        (zlib.compress(PAGE), "deflate"),
        (zlib.compress(PAGE)[2:-4], "deflate"),
        (PAGE, "identity"),
    ],
    ids=["gzip", "two members", "zlib", "raw deflate", "identity"],
)
def test_compressed_pages_are_read(body: bytes, encoding: str) -> None:
    play = says(answer(body, "200 OK", f"Content-Encoding: {encoding}"))
    assert verdict(play, required=("Koszyk",)) == ("up", "ok", "", "")


@pytest.mark.parametrize(
    ("body", "encoding", "detail"),
    [
        (b"this is not gzip", "gzip", "undecodable"),
        (gzip.compress(PAGE, mtime=0)[:-9], "gzip", "undecodable"),
        (b"\x00\x01\x02", "deflate", "undecodable"),
        (PAGE, "br", "unknown"),
    ],
)
def test_a_body_that_is_not_what_its_encoding_says_is_down(body: bytes, encoding: str, detail: str) -> None:
    play = says(answer(body, "200 OK", f"Content-Encoding: {encoding}"))
    assert verdict(play) == ("down", "encoding", "body", detail)


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 500\r\n\r\n" + PAGE,
        OK + b"Transfer-Encoding: chunked\r\n\r\n34\r\n" + PAGE,
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
    ids=["fewer bytes than Content-Length", "cut within a chunk", "no last chunk"],
)
def test_a_body_that_ends_early_is_truncated(data: bytes) -> None:
    result, bad = probe(says(data))
    assert (result.state, result.reason, result.phase, bad.connections) == ("down", "truncated", "body", 1)


def test_a_chunk_whose_size_is_no_number_is_down() -> None:
    data = OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"
    assert verdict(says(data))[:2] in {("down", "truncated"), ("down", "protocol")}


def test_a_reset_within_the_body_is_truncated() -> None:
    assert verdict(resets(OK + b"Content-Length: 500\r\n\r\n" + PAGE))[:3] == ("down", "truncated", "body")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        PAGE,
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        OK + b"Content-Length 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        OK + b"X-Big: " + b"a" * 70_000 + b"\r\n\r\n",
        OK + b"X-Many: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 2000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
        OK + b"X-Half: yes",
    ],
    ids=[
        "another protocol", "HTTP/0.9", "bad status", "bad version", "no colon", "two lengths", "two same lengths",
        "negative length", "length and chunks", "one huge header", "many headers", "endless interim answers",
        "half a head",
    ],
)  # fmt: skip
def test_what_is_not_http_is_down_protocol(data: bytes) -> None:
    result, bad = probe(says(data))
    assert (result.state, result.reason, result.phase, bad.connections) == ("down", "protocol", "headers", 1)


def test_an_endless_header_ends_at_the_cap_long_before_the_deadline() -> None:
    result, _ = probe(pours(OK + b"X-Endless: ", b"a" * 1000), timeout_ms=20_000)
    assert (result.state, result.reason) == ("down", "protocol")
    assert result.timings.total < 5_000


def test_endless_small_headers_end_at_the_cap() -> None:
    result, _ = probe(pours(OK, b"X-Endless: a\r\n" * 100), timeout_ms=20_000)
    assert (result.state, result.reason, result.phase) == ("down", "protocol", "headers")


def test_a_redirect_loop_is_down_after_five_hops() -> None:
    result, bad = probe(redirects_to("/again"))
    assert (result.state, result.reason, result.detail, bad.connections) == ("down", "redirects", "too_many", 6)


def test_five_redirects_are_followed() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        left = next(counter)
        writer.write(answer(b"", "302 Found", f"Location: /{left}") if left else answer())

    counter = iter([5, 4, 3, 2, 1, 0])
    result, bad = probe(play)
    assert (result.state, bad.connections) == ("up", 6)


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        ("ftp://127.0.0.1/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("http://anna:secret@127.0.0.1/", "userinfo"),
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("http://10.0.0.1/", "address"),
        ("http://[::1]/", "address"),
        ("http://", "host"),
        ("http://[", "host"),
    ],
)
def test_a_redirect_to_what_our_rules_refuse_is_unknown(location: str, detail: str) -> None:
    result, _ = probe(redirects_to(location))
    assert (result.state, result.reason, result.detail) == ("unknown", "blocked", detail)
    assert "secret" not in str(result.to_json())


def test_a_final_host_outside_the_monitors_hosts_is_down() -> None:
    async def run() -> Result:
        async with serving(says(answer())) as other, serving(redirects_to(f"http://localhost:{other.port}/")) as bad:
            spec = spec_of(bad, networks=(*LOOPBACK, "::1/128"))
            return judge(spec, await check(spec))

    result = asyncio.run(run())
    assert (result.state, result.reason, result.detail, result.subject) == ("down", "content", "host", "localhost")


def test_a_refused_connection_is_down() -> None:
    spec = CheckSpec(id="1", url=f"http://127.0.0.1:{closed_port()}/", networks=LOOPBACK)
    result = judge(spec, asyncio.run(check(spec)))
    assert (result.state, result.reason, result.phase, result.detail) == ("down", "connect", "connect", "refused")


@pytest.mark.parametrize(
    ("play", "detail"), [(says(), "closed"), (resets(), "reset")], ids=["closes without an answer", "resets"]
)
def test_hanging_up_is_down_after_exactly_one_retry_of_ours(play: Play, detail: str) -> None:
    result, bad = probe(play)
    assert (result.state, result.reason, result.detail, result.attempts) == ("down", "connect", detail, 2)
    assert bad.connections == 2


def test_a_shop_that_answers_the_retry_is_up() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers))

    answers = iter([b"", answer()])
    result, bad = probe(play)
    assert (result.state, result.attempts, bad.connections) == ("up", 2, 2)


@pytest.mark.parametrize(
    ("body", "wanted", "detail", "subject"),
    [
        (b"", {}, "empty", ""),
        (b" \n ", {}, "empty", ""),
        (PAGE, {"min_bytes": 1000}, "small", str(len(PAGE))),
        (PAGE, {"required": ("Do kasy",)}, "missing", "Do kasy"),
        (PAGE, {"forbidden": ("Koszyk",)}, "forbidden", "Koszyk"),
        (PAGE, {"regexes": (r"K\w+y\d",)}, "pattern", r"K\w+y\d"),
        (PAGE, {"header": ("X-Cache", "HIT")}, "header", "X-Cache"),
        (b'{"status": "zle"}', {"json_path": "status", "json_value": "ok"}, "json", "status"),
        (b"not json", {"json_path": "status"}, "json", "status"),
        (b"Error establishing a database connection", {}, "forbidden", "Error establishing a database connection"),
    ],
)
def test_a_page_without_what_it_must_have_is_down(
    body: bytes, wanted: dict[str, Any], detail: str, subject: str
) -> None:
    result, _ = probe(says(answer(body)), **wanted)
    assert (result.state, result.reason, result.detail, result.subject) == ("down", "content", detail, subject)


def test_a_shop_whose_head_answers_while_its_get_does_not_is_down() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(PAGE, "500 Oops") if head.startswith(b"GET") else answer(b""))

    assert verdict(play) == ("down", "status", "", "")


@pytest.mark.parametrize(
    ("on_head", "on_get", "state"),
    [("200 OK", "500 Oops", "up"), ("405 Method Not Allowed", "200 OK", "up"), ("500 Oops", "500 Oops", "down")],
)
def test_a_head_check_that_fails_is_asked_again_by_get(on_head: str, on_get: str, state: str) -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(PAGE, on_get) if head.startswith(b"GET") else answer(PAGE, on_head).removesuffix(PAGE))

    assert verdict(play, method="HEAD")[0] == state


def test_a_head_that_hangs_leaves_time_for_the_get_that_decides() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"HEAD"):
            await asyncio.Event().wait()
        writer.write(answer())

    assert verdict(play, method="HEAD", timeout_ms=1000)[0] == "up"


@pytest.mark.parametrize("status", ["403 Forbidden", "429 Too Many Requests"])
def test_a_wall_is_degraded_while_one_place_looks(status: str) -> None:
    assert verdict(says(answer(PAGE, status))) == ("degraded", "walled", "", "")


def test_right_but_slow_is_degraded() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(answer())

    result, _ = probe(play, slow_ms=100)
    assert (result.state, result.reason) == ("degraded", "slow")
    assert result.timings.first_byte >= 150


@pytest.mark.parametrize(
    ("codec", "headers", "meta"),
    [
        ("iso-8859-2", ["Content-Type: text/html; charset=ISO-8859-2"], ""),
        ("windows-1250", ["Content-Type: text/html; charset=windows-1250"], ""),
        ("windows-1250", ["Content-Type: text/html"], '<meta charset="windows-1250">'),
        ("iso-8859-2", [], '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">'),
        ("utf-8-sig", [], ""),
        ("utf-16", [], ""),
        ("utf-8", ["Content-Type: text/html; charset=no-such-thing"], ""),
    ],
)
def test_texts_are_found_in_polish_charsets(codec: str, headers: list[str], meta: str) -> None:
    body = f"<html>{meta}Zażółć gęślą jaźń: dodaj do koszyka".encode(codec)
    assert verdict(says(answer(body, "200 OK", *headers)), required=("Zażółć gęślą jaźń",))[0] == "up"


@pytest.mark.parametrize("status", ["500 Oops", "404 Not Found", "503 Unavailable", "206 Partial Content"])
def test_a_status_outside_the_set_is_down(status: str) -> None:
    assert verdict(says(answer(PAGE, status))) == ("down", "status", "", "")


def test_a_redirect_without_location_is_down_status() -> None:
    assert verdict(says(answer(b"", "302 Found"))) == ("down", "status", "", "no_location")


def test_a_redirect_status_that_is_wanted_is_not_followed() -> None:
    result, bad = probe(redirects_to("/elsewhere"), statuses=(302,), min_bytes=0)
    assert (result.state, bad.connections) == ("up", 1)


def test_retry_after_is_noted() -> None:
    result, _ = probe(says(answer(PAGE, "503 Unavailable", "Retry-After: 120")))
    assert (result.state, result.status, result.retry_after) == ("down", 503, True)


def test_the_excerpt_of_a_failed_check_is_short_and_without_secrets() -> None:
    body = b"SQLSTATE[HY000] password=hunter2 jan.kowalski@example.pl " + b"x " * 5000
    result, _ = probe(says(answer(body, "500 Oops")), request_headers=(("Authorization", "Bearer abc123xyz"),))
    assert len(result.excerpt.encode()) <= 2048
    assert result.excerpt.startswith("SQLSTATE[HY000] password=[…] [e-mail] x x")


def test_a_custom_header_echoed_by_the_shop_is_not_kept() -> None:
    result, bad = probe(says(answer(b"you sent s3cr3t!", "500 Oops")), request_headers=(("X-Key", "s3cr3t!"),))
    assert b"X-Key: s3cr3t!" in bad.heads[0]
    assert "s3cr3t!" not in str(result.to_json())


def test_every_check_opens_its_own_connection() -> None:
    async def run() -> int:
        async with serving(says(OK + b"Content-Length: 5\r\n\r\nhello")) as bad:
            for _ in range(3):
                await check(spec_of(bad))
            return bad.connections

    assert asyncio.run(run()) == 3


def test_a_result_survives_json() -> None:
    result, _ = probe(says(answer(PAGE, "500 Oops")))
    assert Result.from_json(result.to_json()) == result
    spec = CheckSpec(id="1", url="http://a/", statuses=(200, 201), header=("a", "b"), request_headers=(("x", "y"),))
    assert CheckSpec.from_json(replace(spec).to_json()) == spec


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert verdict(says(answer()))[0] == "up"


def test_two_hundred_checks_leave_no_task_behind() -> None:
    async def run() -> int:
        async with asyncio.timeout(20), serving(says(answer())) as bad:
            for _ in range(10):
                await asyncio.gather(*(check(spec_of(bad)) for _ in range(20)))
            while bad.connections < 200 or len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)
            return bad.connections

    assert asyncio.run(run()) == 200


def test_the_context_verifies_hosts_and_is_shared() -> None:
    assert (tls_context().check_hostname, tls_context().verify_mode) == (True, ssl.CERT_REQUIRED)
    assert tls_context() is tls_context()
