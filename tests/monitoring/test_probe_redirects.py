"""What goes along with a redirect and what stays behind: cookies as in a browser, secrets on their own origin only."""

import asyncio

import pytest
from yarl import URL

from monitoring.probe.check import check
from monitoring.probe.cookies import ShopCookies
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge
from tests.monitoring.badserver import answer, says, serving
from tests.monitoring.test_probe_verdicts import LOOPBACK, probe, spec_of, verdict


def test_a_shop_that_sets_a_cookie_and_redirects_to_itself_is_up() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        has_cookie = b"Cookie: sid=1" in head
        writer.write(answer() if has_cookie else answer(b"", "302 Found", "Location: /", "Set-Cookie: sid=1"))

    assert verdict(play)[0] == "up"


def test_secret_headers_are_dropped_when_the_port_changes() -> None:
    async def run() -> tuple[list[bytes], list[bytes]]:
        async with serving(says(answer())) as other:
            play = says(answer(b"", "302 Found", f"Location: {other.url()}", "Set-Cookie: sid=1"))
            async with serving(play) as bad:
                secrets = (("Authorization", "Bearer x"), ("X-Key", "k"), ("Cookie", "staff=yes"))
                await check(spec_of(bad, request_headers=secrets))
                return bad.heads, other.heads

    first, second = asyncio.run(run())
    assert b"Authorization: Bearer x" in first[0]
    assert b"Cookie: staff=yes" in first[0]
    assert not any(word in second[0] for word in (b"Authorization", b"X-Key", b"staff"))
    assert b"Cookie: sid=1" in second[0]  # the shop's own cookie, which knows no port (RFC 6265, 8.5)


async def everything_is_here(host: str) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize(("domain", "state"), [("; Domain=sklep.example", "up"), ("", "down")])
def test_a_cookie_of_the_whole_domain_set_on_the_bare_host_is_sent_to_www(domain: str, state: str) -> None:
    """The bare host sets it and redirects, www redirects back whoever comes without it."""

    async def run() -> Result:
        async with serving(says(b"")) as bad:
            bare, www = (f"http://{host}:{bad.port}/" for host in ("sklep.example", "www.sklep.example"))

            async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
                if b"Host: www." not in head:
                    writer.write(answer(b"", "302 Found", f"Location: {www}", f"Set-Cookie: sid=1{domain}"))
                elif b"Cookie: sid=1" in head:
                    writer.write(answer())
                else:
                    writer.write(answer(b"", "302 Found", f"Location: {bare}"))

            bad.play = play
            spec = CheckSpec(id="1", url=bare, timeout_ms=3_000, networks=LOOPBACK)
            return judge(spec, await check(spec, resolve=everything_is_here))

    assert asyncio.run(run()).state == state


def cookies_sent(header: str, frm: str, to: str) -> list[str]:
    async def run() -> list[str]:
        jar = ShopCookies()
        jar.update_cookies_from_headers([header], URL(frm))
        return sorted(jar.filter_cookies(URL(to)))

    return asyncio.run(run())


SHOP, WWW = "https://sklep.example.pl/", "https://www.sklep.example.pl/"


@pytest.mark.parametrize(
    ("header", "frm", "to", "sent"),
    [
        ("sid=1; Domain=sklep.example.pl", SHOP, WWW, True),
        ("sid=1; Domain=.example.pl", SHOP, "https://sso.example.pl/", True),
        ("sid=1", SHOP, WWW, False),
        ("sid=1; Domain=inny.pl", SHOP, "https://inny.pl/", False),
        ("sid=1; Domain=pl", SHOP, "https://inny.pl/", False),
        ("sid=1; Domain=com.pl", "https://sklep.com.pl/", "https://inny.com.pl/", False),
        ("sid=1; Domain=sklep.com.pl", "https://sklep.com.pl/", "https://www.sklep.com.pl/", True),
        ("sid=1; Domain=WAW.PL", "https://sklep.waw.pl/", "https://inny.waw.pl/", False),
        ("sid=1; Domain=shop.de", "https://www.shop.de/", "https://shop.de/", True),
        ("sid=1; Domain=co.uk", "https://shop.co.uk/", "https://other.co.uk/", False),
        ("sid=1; Domain=sklep.example.pl; Secure", SHOP, "http://www.sklep.example.pl/", False),
        ("sid=1; Domain=sklep.example.pl; Secure", SHOP, WWW, True),
        ("sid=1; Domain=sklep.example.pl; Secure", "http://sklep.example.pl/", WWW, False),
    ],
)
def test_cookies_go_where_a_browser_sends_them(header: str, frm: str, to: str, sent: bool) -> None:
    assert cookies_sent(header, frm, to) == (["sid"] if sent else [])


def test_secret_headers_stay_on_the_same_origin() -> None:
    async def play(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"", "302 Found", "Location: /b") if b"GET / " in head else answer())

    _, bad = probe(play, request_headers=(("X-Key", "k"),))
    assert [b"X-Key: k" in head for head in bad.heads] == [True, True]
