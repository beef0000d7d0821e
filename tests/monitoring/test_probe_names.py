"""Names that don't resolve, and faults that are our own."""

import asyncio
import errno
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitoring import connecting
from monitoring.connecting import Resolver
from monitoring.probe import check
from monitoring.specification import CheckSpec, Result
from monitoring.verdict import judge
from tests.monitoring.badserver import answer, closed_port, says, serving


def verdict(resolve: Resolver, timeout_ms: int = 1_000) -> Result:
    spec = CheckSpec(id="1", url="http://sklep.example/", timeout_ms=timeout_ms)
    return judge(spec, asyncio.run(check(spec, resolve=resolve)))


def failing(number: int) -> Resolver:
    async def resolve(host: str) -> Sequence[str]:
        raise socket.gaierror(number, "as the system says it")

    return resolve


@pytest.mark.parametrize(
    ("number", "detail"),
    [(socket.EAI_NONAME, "nxdomain"), (socket.EAI_AGAIN, "servfail"), (socket.EAI_FAIL, "servfail")],
)
def test_a_name_that_does_not_resolve_is_down_dns(number: int, detail: str) -> None:
    result = verdict(failing(number))
    assert (result.state, result.reason, result.phase, result.detail) == ("down", "dns", "dns", detail)
    assert result.subject == "sklep.example"


def test_a_name_without_addresses_is_down_dns() -> None:
    async def resolve(host: str) -> Sequence[str]:
        return []

    assert verdict(resolve).detail == "nxdomain"


def test_a_name_server_that_never_answers_is_down_dns() -> None:
    async def resolve(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    result = verdict(resolve, timeout_ms=200)
    assert (result.state, result.reason, result.phase, result.detail) == ("down", "dns", "dns", "timeout")


def test_a_look_up_that_never_got_a_thread_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(release.wait)
        monkeypatch.setattr(connecting, "_LOOK_UPS", pool)
        spec = CheckSpec(id="1", url="http://sklep.example/", timeout_ms=200)
        result = judge(spec, asyncio.run(check(spec)))
        release.set()
    assert (result.state, result.reason, result.detail) == ("unknown", "egress", "resolver_busy")


def test_the_systems_own_resolver_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *args: object, **options: object) -> list[tuple[object, ...]]:
        assert host == "sklep.example"
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert verdict(connecting.resolve_by_system).detail == "nxdomain"


def test_sockets_that_run_out_here_are_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*args: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    spec = CheckSpec(id="1", url="http://127.0.0.1/", networks=("127.0.0.0/8",))

    async def run() -> Result:
        monkeypatch.setattr(socket, "socket", no_socket)
        return judge(spec, await check(spec))

    loop = asyncio.new_event_loop()
    result = loop.run_until_complete(run())
    monkeypatch.undo()
    loop.close()
    assert (result.state, result.reason, result.detail) == ("unknown", "egress", "local")


def test_the_next_address_of_a_name_is_tried() -> None:
    async def resolve(host: str) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async def run() -> Result:
        async with serving(says(answer())) as bad:
            url = f"http://sklep.example:{bad.port}/"
            spec = CheckSpec(id="1", url=url, networks=("127.0.0.0/8",))
            return judge(spec, await check(spec, resolve=resolve))

    result = asyncio.run(run())
    assert (result.state, result.address) == ("up", "127.0.0.1")


def test_the_last_address_decides_when_none_answers() -> None:
    async def resolve(host: str) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    spec = CheckSpec(id="1", url=f"http://sklep.example:{closed_port()}/", networks=("127.0.0.0/8",))
    result = judge(spec, asyncio.run(check(spec, resolve=resolve)))
    assert (result.reason, result.detail, result.subject) == ("connect", "refused", "127.0.0.1")
