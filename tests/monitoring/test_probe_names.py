"""Names that don't resolve, and faults that are our own."""

import asyncio
import errno
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from monitoring.probe import connecting
from monitoring.probe.check import check
from monitoring.probe.connecting import Resolver
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge
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


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EAGAIN])
def test_a_look_up_that_our_own_system_refuses_is_our_fault(number: int) -> None:
    """Python raises EAI_SYSTEM as the plain OSError behind it."""

    async def resolve(host: str) -> Sequence[str]:
        raise OSError(number, "as the system says it")

    result = verdict(resolve)
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


@contextmanager
def swallowing(address: str, port: int) -> Iterator[None]:
    """An address that takes packets and never answers: its queue is full, so the kernel drops what comes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server, ExitStack() as waiting:
        server.bind((address, port))
        server.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket(family))
            client.setblocking(False)
            client.connect_ex((address, port))
        yield


def test_one_family_that_swallows_packets_holds_up_no_other() -> None:
    """Four IPv6 addresses and one IPv4 say nothing, the sixth address answers, as browsers find out too."""

    async def resolve(host: str) -> Sequence[str]:
        return ["::1", "::1", "::1", "::1", "127.0.0.2", "127.0.0.1"]

    async def run() -> Result:
        async with serving(says(answer())) as bad:
            with swallowing("::1", bad.port), swallowing("127.0.0.2", bad.port):
                url = f"http://sklep.example:{bad.port}/"
                spec = CheckSpec(id="1", url=url, networks=("127.0.0.0/8", "::1/128"), timeout_ms=4_000)
                return judge(spec, await check(spec, resolve=resolve))

    result = asyncio.run(run())
    assert (result.state, result.address) == ("up", "127.0.0.1")
    assert 700 <= result.timings.connect < 1_500  # ::1, 127.0.0.2 and ::1 have a head start of 250 ms each


def test_an_address_that_our_rules_refuse_is_passed_over_in_the_race_too() -> None:
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        return ["10.0.0.1", "127.0.0.2", "169.254.169.254", "127.0.0.1"]

    async def run() -> Result:
        async with serving(says(answer())) as bad:
            url = f"http://sklep.example:{bad.port}/"
            spec = CheckSpec(id="1", url=url, networks=("127.0.0.0/8",))
            return judge(spec, await check(spec, resolve=resolve))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "_open_socket", _noting(connecting._open_socket, asked))
        result = asyncio.run(run())
    assert (result.state, result.address, asked) == ("up", "127.0.0.1", ["127.0.0.2", "127.0.0.1"])


def _noting(original: Any, asked: list[str]) -> Any:
    async def open_socket(address: str, *args: Any) -> socket.socket:
        asked.append(address)
        sock: socket.socket = await original(address, *args)
        return sock

    return open_socket


def test_the_last_address_decides_when_none_answers() -> None:
    async def resolve(host: str) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    spec = CheckSpec(id="1", url=f"http://sklep.example:{closed_port()}/", networks=("127.0.0.0/8",))
    result = judge(spec, asyncio.run(check(spec, resolve=resolve)))
    assert (result.reason, result.detail, result.subject) == ("connect", "refused", "127.0.0.1")
