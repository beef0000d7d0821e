"""TLS as shops get it wrong: each with its sub-reason."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization

from monitoring.probe.check import check
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge
from sla_portal.demo.certificates import Authority, self_signed
from tests.monitoring.badserver import BadServer, answer, listen, redirects_to, resets, says, serving

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


class Shop(NamedTuple):
    authority: Authority
    trusting: ssl.SSLContext
    folder: Path

    def context(self, host: str, starts: datetime, ends: datetime) -> ssl.SSLContext:
        return server_context(self.authority.issue(host, self.folder / "pair.pem", starts=starts, ends=ends))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    authority = Authority.create("Urząd testowy", at=NOW, deputies=1)
    trusting = ssl.create_default_context(cafile=str(authority.write(tmp_path / "ca.pem")))
    return Shop(authority, trusting, tmp_path)


def server_context(pair: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


def spec_of(url: str, timeout_ms: int = 3_000) -> CheckSpec:
    return CheckSpec(id="1", url=url, networks=("127.0.0.0/8",), timeout_ms=timeout_ms)


def probe(server: ssl.SSLContext, trusting: ssl.SSLContext) -> Result:
    async def run() -> Result:
        async with serving(says(answer()), server) as bad:
            spec = spec_of(bad.url(scheme="https"))
            return judge(spec, await check(spec, tls=trusting))

    return asyncio.run(run())


def test_a_good_certificate_is_up_and_its_end_is_known(shop: Shop) -> None:
    result = probe(shop.context("127.0.0.1", NOW - DAY, NOW + 20 * DAY), shop.trusting)
    assert (result.state, result.certificate_ends_at) == ("up", int((NOW + 20 * DAY).timestamp()))


@pytest.mark.parametrize(
    ("host", "starts", "ends", "detail"),
    [
        ("127.0.0.1", NOW - 90 * DAY, NOW - DAY, "expired"),
        ("127.0.0.1", NOW + DAY, NOW + 90 * DAY, "not_yet_valid"),
        ("127.0.0.9", NOW - DAY, NOW + 90 * DAY, "wrong_host"),
        ("sklep.example", NOW - DAY, NOW + 90 * DAY, "wrong_host"),
    ],
)
def test_a_bad_certificate_is_down_with_its_sub_reason(
    shop: Shop, host: str, starts: datetime, ends: datetime, detail: str
) -> None:
    result = probe(shop.context(host, starts, ends), shop.trusting)
    assert (result.state, result.reason, result.phase, result.detail) == ("down", "tls", "tls", detail)


def test_a_self_signed_certificate_is_down(shop: Shop) -> None:
    pair = self_signed("127.0.0.1", shop.folder / "self.pem", starts=NOW - DAY, ends=NOW + DAY)
    result = probe(server_context(pair), shop.trusting)
    assert (result.state, result.reason, result.detail) == ("down", "tls", "self_signed")


def test_a_certificate_of_an_unknown_authority_is_down(shop: Shop) -> None:
    result = probe(shop.context("127.0.0.1", NOW - DAY, NOW + DAY), ssl.create_default_context())
    assert (result.state, result.reason, result.detail) == ("down", "tls", "untrusted")


def raw(data: bytes | None) -> tuple[Result, BadServer]:
    """The verdict on an https address whose server reads a byte of TLS, says this and hangs up; None: just hangs."""

    async def run() -> tuple[Result, BadServer]:
        bad = BadServer()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            bad.connections += 1
            await reader.read(1)
            if data is None:
                await reader.read(-1)
            else:
                writer.write(data)
            writer.close()

        async with await listen(handle, bad):
            spec = spec_of(bad.url(scheme="https"), 500)
            return judge(spec, await check(spec)), bad

    return asyncio.run(run())


def test_plain_text_on_the_tls_port_is_down() -> None:
    result, bad = raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert (result.state, result.reason, result.detail, bad.connections) == ("down", "tls", "plain_text", 1)


def test_a_handshake_that_hangs_is_a_timeout_in_the_tls_phase() -> None:
    result, _ = raw(None)
    assert (result.state, result.reason, result.phase) == ("down", "timeout", "tls")


def test_hanging_up_within_the_handshake_is_down_after_one_retry() -> None:
    result, bad = raw(b"")
    assert (result.state, result.reason, result.phase, bad.connections) == ("down", "connect", "tls", 2)


def chain(shop: Shop, *, leaf: datetime, intermediate: datetime) -> ssl.SSLContext:
    """A server on 127.0.0.1 that sends its own certificate, the intermediate one and, as many do, the root."""
    issued = shop.authority.deputy("Urząd pośredni", starts=NOW - DAY, ends=intermediate)
    pair = issued.issue("127.0.0.1", shop.folder / "chain.pem", starts=NOW - DAY, ends=leaf)
    with pair.open("ab") as file:
        for authority in (issued, shop.authority):
            file.write(authority.certificate.public_bytes(serialization.Encoding.PEM))
    return server_context(pair)


@pytest.mark.parametrize(
    ("leaf", "intermediate", "first", "name"), [(60, 9, 9, "Urząd pośredni"), (6, 9, 6, ""), (60, 3000, 60, "")]
)
def test_the_first_certificate_of_the_chain_to_end_is_known(
    shop: Shop, leaf: int, intermediate: int, first: int, name: str
) -> None:
    result = probe(chain(shop, leaf=NOW + leaf * DAY, intermediate=NOW + intermediate * DAY), shop.trusting)
    assert (result.state, result.certificate_ends_at) == ("up", int((NOW + first * DAY).timestamp()))
    assert (result.certificate_host, result.certificate_intermediate) == ("127.0.0.1", name)


@pytest.mark.parametrize(("first", "last", "host"), [(5, 60, "127.0.0.1"), (60, 5, "127.0.0.2")])
def test_the_certificate_of_every_hop_is_watched(shop: Shop, first: int, last: int, host: str) -> None:
    async def run() -> Result:
        end = shop.context("127.0.0.2", NOW - DAY, NOW + last * DAY)
        async with serving(says(answer()), end, "127.0.0.2") as good:
            start = shop.context("127.0.0.1", NOW - DAY, NOW + first * DAY)
            async with serving(redirects_to(f"https://127.0.0.2:{good.port}/"), start) as bad:
                spec = replace(spec_of(bad.url(scheme="https")), hosts=("127.0.0.2",))
                return judge(spec, await check(spec, tls=shop.trusting))

    result = asyncio.run(run())
    assert (result.state, result.certificate_host) == ("up", host)
    assert result.certificate_ends_at == int((NOW + 5 * DAY).timestamp())


def test_a_redirect_from_https_down_to_http_is_degraded(shop: Shop) -> None:
    async def run() -> Result:
        async with serving(says(answer())) as plain:
            context = shop.context("127.0.0.1", NOW - DAY, NOW + DAY)
            async with serving(redirects_to(plain.url()), context) as bad:
                spec = spec_of(bad.url(scheme="https"))
                return judge(spec, await check(spec, tls=shop.trusting))

    result = asyncio.run(run())
    assert (result.state, result.reason, result.detail) == ("degraded", "redirects", "downgrade")


def test_a_reset_over_tls_is_down_connect(shop: Shop) -> None:
    async def run() -> Result:
        async with serving(resets(), shop.context("127.0.0.1", NOW - DAY, NOW + DAY)) as bad:
            spec = spec_of(bad.url(scheme="https"))
            return judge(spec, await check(spec, tls=shop.trusting))

    result = asyncio.run(run())
    assert (result.state, result.reason, result.attempts) == ("down", "connect", 2)
