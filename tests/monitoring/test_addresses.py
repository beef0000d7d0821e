"""Which addresses may be connected to, and proof by a socket that must never be."""

import asyncio
import select
import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest
from yarl import URL

from monitoring.probe.addresses import Policy, is_public, parse_networks, socket_refusal, unwrap, url_refusal
from monitoring.probe.check import check
from monitoring.probe.connecting import resolve_by_system
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge
from tests.monitoring.badserver import redirects_to, serving

PUBLIC = Policy()
LOOPBACK = Policy(parse_networks(["127.0.0.0/8"]))

FORBIDDEN = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%lo",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:a9fe:a9fe::",
    "2001:0:7f00:1::1",
    "2001:0:808:808:0:0:80ff:fffe",
    "2606:4700::5efe:7f00:1",
    "5f00::1",
    "fec0::1",
    "4000::1",
]

ALLOWED = [
    "8.8.8.8",
    "1.1.1.1",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "192.167.0.1",
    "11.0.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_globally_routable_is_refused(address: str) -> None:
    assert socket_refusal(address, 443, PUBLIC) == "address"


@pytest.mark.parametrize("address", ALLOWED)
def test_what_is_globally_routable_is_allowed(address: str) -> None:
    assert socket_refusal(address, 443, PUBLIC) == ""


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "0x7f.1", "127.1", "sklep.example"])
def test_what_is_no_numeric_address_is_refused(text: str) -> None:
    assert socket_refusal(text, 443, PUBLIC) == "address"


@pytest.mark.parametrize("port", [0, 22, 25, 3306, 5432, 6379, 9200, 11211, 65535])
def test_ports_outside_the_list_are_refused(port: int) -> None:
    assert socket_refusal("8.8.8.8", port, PUBLIC) == "port"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1"])
def test_inside_an_allowed_network_every_port_is_allowed(address: str) -> None:
    assert socket_refusal(address, 6379, LOOPBACK) == ""


@pytest.mark.parametrize("address", ["10.0.0.1", "::1", "169.254.169.254"])
def test_an_allowed_network_allows_no_other(address: str) -> None:
    assert socket_refusal(address, 80, LOOPBACK) == "address"


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1/8"):
        parse_networks(["127.0.0.1/8"])


def test_teredo_is_judged_by_its_server_and_by_its_client() -> None:
    address = ip_address("2001:0:808:808:0:0:80ff:fffe")
    assert [str(inner) for inner in unwrap(address)] == ["8.8.8.8", "127.0.0.1"]


def test_our_list_refuses_all_that_python_calls_private() -> None:
    for text in FORBIDDEN + ALLOWED:
        address = ip_address(text.partition("%")[0])
        assert not (is_public(address) and not address.is_global), text


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("https://sklep.example/", ""),
        ("http://sklep.example:8080/koszyk", ""),
        ("ftp://sklep.example/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:6379/_INFO", "scheme"),
        ("//sklep.example/", "scheme"),
        ("https://anna@sklep.example/", "userinfo"),
        ("https://anna:haslo@sklep.example/", "userinfo"),
        ("https://:haslo@sklep.example/", "userinfo"),
        ("http:///", "host"),
    ],
)
def test_an_address_is_refused_by_its_text(address: str, refused: str) -> None:
    assert url_refusal(URL(address)) == refused


class ForbiddenSocket:
    """Listens on loopback; whoever connects is counted by the queue of the kernel."""

    def __init__(self, host: str) -> None:
        self.sock = socket.create_server((host, 0), backlog=64)
        self.sock.setblocking(False)
        self.port: int = self.sock.getsockname()[1]

    def count(self) -> int:
        number = 0
        while select.select([self.sock], [], [], 0)[0]:
            self.sock.accept()[0].close()
            number += 1
        return number


@pytest.fixture
def forbidden() -> Iterator[ForbiddenSocket]:
    listening = ForbiddenSocket("127.0.0.1")
    yield listening
    listening.sock.close()


def verdict(url: str, *answers: list[str], networks: tuple[str, ...] = ()) -> Result:
    """The verdict where the name server gives these answers, one after the other."""
    given = iter(answers)

    async def resolve(host: str) -> Sequence[str]:
        return next(given)

    spec = CheckSpec(id="1", url=url, timeout_ms=2_000, networks=networks)
    return judge(spec, asyncio.run(check(spec, resolve=resolve if answers else resolve_by_system)))


BLOCKED = ("unknown", "blocked", "address")
WAYS = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "0x7f.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::]",
    "①②⑦.⓪.⓪.①",
]


@pytest.mark.parametrize("host", WAYS)
def test_the_forbidden_socket_counts_nobody_by_any_way_of_writing_it(forbidden: ForbiddenSocket, host: str) -> None:
    result = verdict(f"http://{host}:{forbidden.port}/")
    assert ((result.state, result.reason, result.detail), forbidden.count()) == (BLOCKED, 0)


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["::ffff:127.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["::1", "127.0.0.1"], ["localhost"]]
)
def test_the_forbidden_socket_counts_nobody_by_a_name(forbidden: ForbiddenSocket, answer: list[str]) -> None:
    result = verdict(f"http://sklep.example:{forbidden.port}/", answer)
    assert ((result.state, result.reason, result.detail), forbidden.count()) == (BLOCKED, 0)


def test_the_forbidden_socket_does_count_who_may_connect(forbidden: ForbiddenSocket) -> None:
    verdict(f"http://sklep.example:{forbidden.port}/", ["127.0.0.1"], networks=("127.0.0.1/32",))
    assert forbidden.count() == 1


@pytest.mark.parametrize("host", ["127.0.0.2", "2130706434", "0x7f.2", "[::ffff:127.0.0.2]", "intranet.example"])
def test_the_forbidden_socket_counts_nobody_by_a_redirect(host: str) -> None:
    async def resolve(name: str) -> Sequence[str]:
        return ["127.0.0.2"] if name == "intranet.example" else await resolve_by_system(name)

    async def run() -> Result:
        # The shop itself is inside an allowed network, what it points to isn't.
        async with serving(redirects_to(f"http://{host}:{intranet.port}/")) as shop:
            spec = CheckSpec(id="1", url=shop.url(), networks=("127.0.0.1/32",))
            return judge(spec, await check(spec, resolve=resolve))

    intranet = ForbiddenSocket("127.0.0.2")
    with intranet.sock:
        result = asyncio.run(run())
        assert ((result.state, result.reason, result.detail), intranet.count()) == (BLOCKED, 0)


def test_a_name_that_points_inside_on_the_second_look_up_is_refused_too() -> None:
    async def run() -> Result:
        async with serving(redirects_to("/again")) as shop:
            url = f"http://sklep.example:{shop.port}/"
            spec = CheckSpec(id="1", url=url, networks=("127.0.0.1/32",))
            return judge(spec, await check(spec, resolve=rebinding))

    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    async def rebinding(host: str) -> Sequence[str]:
        return next(answers)

    result = asyncio.run(run())
    assert (result.state, result.reason, result.detail) == BLOCKED


def test_an_unlisted_port_of_a_public_address_is_unknown() -> None:
    result = verdict("http://sklep.example:6379/", ["8.8.8.8"])
    assert (result.state, result.reason, result.detail, result.subject) == ("unknown", "blocked", "port", "6379")
