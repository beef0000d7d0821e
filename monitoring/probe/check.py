"""One check of one address over a fresh connection. Knows no Django and no database.

aiohttp speaks HTTP; names, sockets and TLS are opened here, so that each address is judged at the moment of connecting
and each phase has its own time. Redirects are followed by hand, proxies of the environment are ignored.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from monitoring.probe.addresses import Policy, parse_networks, url_refusal
from monitoring.probe.body import MAX_HEADERS, CappedProtocol, read_body
from monitoring.probe.certificates import certificate_end
from monitoring.probe.connecting import Resolver, addresses_of, begin, connect, resolve_by_system
from monitoring.probe.cookies import ShopCookies
from monitoring.probe.faults import CheckError, connect_fault, is_from_peer
from monitoring.probe.specification import CertificateEnd, CheckSpec, Observation, Phase, Timings

MAX_REDIRECTS = 5  # to https, to www and to a language are three; browsers give up after 20
# Servers take no longer address; reading a host of 60,000 Polish letters costs us 80 ms.
MAX_LOCATION = 8192
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; sla-portal-probe/1.0)",
    "Accept": "*/*",
    "Accept-Language": "pl,en;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Cache-Control": "no-cache",
}

log = logging.getLogger(__name__)


@cache
def tls_context(extra_ca: str = "") -> ssl.SSLContext:
    """The one context of this process (building one costs some 20 ms); `extra_ca` is a file trusted as well."""
    context = ssl.create_default_context()
    if extra_ca:
        context.load_verify_locations(extra_ca)
    return context


async def check(
    spec: CheckSpec, *, resolve: Resolver = resolve_by_system, tls: ssl.SSLContext | None = None
) -> Observation:
    """One check within `spec.timeout_ms`, whatever the server does. Raises ValueError for a network that isn't one."""
    policy = Policy(parse_networks(spec.networks), frozenset(spec.ports))
    context = tls or tls_context()
    deadline = asyncio.get_running_loop().time() + spec.timeout_ms / 1000
    if spec.method != "HEAD" or _needs_body(spec):
        method = "GET" if spec.method == "HEAD" else spec.method
        return await _Visit(spec, method, policy, resolve, context).run(deadline)
    # A hanging HEAD must leave time for the GET that decides.
    half = deadline - spec.timeout_ms / 2000
    head = await _Visit(spec, "HEAD", policy, resolve, context).run(half)
    if not head.fault and head.status in spec.statuses:
        return head
    return await _Visit(spec, "GET", policy, resolve, context).run(deadline)


def _needs_body(spec: CheckSpec) -> bool:
    return bool(spec.required or spec.forbidden or spec.regexes or spec.json_path or spec.min_bytes > 1)


class _Connector(aiohttp.BaseConnector):
    """Opens what a visit tells it to, never keeps a connection."""

    def __init__(self, visit: "_Visit") -> None:
        super().__init__(force_close=True)
        self._visit = visit

    async def _create_connection(self, req: aiohttp.ClientRequest, traces: object, timeout: object) -> CappedProtocol:
        return await self._visit.open(req.url)


class _Visit:
    """One way through all hops: what is known so far, so that a deadline at any point still leaves evidence."""

    def __init__(
        self, spec: CheckSpec, method: str, policy: Policy, resolve: Resolver, context: ssl.SSLContext
    ) -> None:
        self.spec, self.policy, self.resolve, self.context = spec, policy, resolve, context
        self.headers = _HEADERS | dict(spec.request_headers)
        self.phase: Phase = "dns"
        self.timings = Timings()
        self.transport: asyncio.Transport | None = None
        self.protocol: CappedProtocol | None = None
        self.seen = Observation(method=method, url=spec.url)
        self.body = bytearray()
        self.asked_at = 0.0

    async def run(self, deadline: float) -> Observation:
        started = time.monotonic()
        try:
            async with asyncio.timeout_at(deadline):
                await self._visit_all()
        except CheckError as failure:
            self._note(fault=failure.fault, phase=failure.phase or self.phase, detail=failure.detail)
            self._note(subject=failure.subject)
        except TimeoutError:
            fault, detail = ("dns", "timeout") if self.phase == "dns" else ("timeout", "")
            self._note(fault=fault, phase=self.phase, detail=detail)
        except Exception as error:
            if (odd := self._odd(error)) is None:
                raise
            log.warning("check %s: what the server sent broke the reader: %s", self.spec.id, type(error).__name__)
            self._note(fault=odd.fault, phase=odd.phase, detail=odd.detail)
        finally:
            self._drop_connection()
        self.timings = replace(self.timings, total=_since(started))
        self._note(timings=self.timings, body=bytes(self.body))
        return self.seen

    def _odd(self, error: Exception) -> CheckError | None:
        """An error that only the bytes of the other side can cause; None for one that may be ours."""
        if isinstance(error, OSError | MemoryError):
            return None
        match self.phase:
            case "headers" | "body":
                return CheckError("protocol", "malformed", "headers")
            case "tls":
                return CheckError("tls", "handshake", "tls")
        # Before a connection only an address is read, and after a redirect the shop chose it.
        return CheckError("blocked", "host", "dns") if self.seen.hops and isinstance(error, ValueError) else None

    def _note(self, **facts: object) -> None:
        self.seen = replace(self.seen, **facts)  # type: ignore[arg-type]

    async def _visit_all(self) -> None:
        async with aiohttp.ClientSession(
            connector=_Connector(self),
            cookie_jar=ShopCookies(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
            max_line_size=self.spec.header_cap,
            max_field_size=self.spec.header_cap,
            max_headers=MAX_HEADERS,
        ) as session:
            # aiohttp asks again by itself when a server hangs up; one retry is ours to make and to count.
            session._retry_connection = False
            await self._follow(session)

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        url: URL | None = _parse(self.spec.url)
        while url is not None:
            if reason := url_refusal(url):
                raise CheckError("blocked", reason, subject=url.scheme if reason == "scheme" else "")
            self._note(url=str(url))
            target = await self._ask_twice(session, url)
            if target is not None:
                self._leave(url, target)
            url = target

    def _leave(self, url: URL, target: URL) -> None:
        if len(self.seen.hops) == MAX_REDIRECTS:
            raise CheckError("redirects", "too_many", phase="headers")
        self._note(hops=(*self.seen.hops, str(url)))
        if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
            self.headers = dict(_HEADERS)

    async def _ask_twice(self, session: aiohttp.ClientSession, url: URL) -> URL | None:
        """The next address, or None at the last; once per check a connection that was hung up on is tried again."""
        try:
            return await self._ask(session, url)
        except CheckError as failure:
            if failure.detail not in ("closed", "reset") or failure.fault != "connect" or self.seen.attempts > 1:
                raise
        self._note(attempts=2)
        return await self._ask(session, url)

    async def _ask(self, session: aiohttp.ClientSession, url: URL) -> URL | None:
        self._drop_connection()
        self._note(status=None, headers=())
        with _http_faults(self):
            async with session.request(self.seen.method, url, headers=self.headers, allow_redirects=False) as response:
                return await self._read(response, url)

    async def _read(self, response: aiohttp.ClientResponse, url: URL) -> URL | None:
        self.timings = replace(self.timings, first_byte=_since(self.asked_at))
        headers = tuple((name.lower(), value) for name, value in response.headers.items())
        self._note(status=response.status, headers=headers)
        if sum(len(name) + len(value) + 4 for name, value in response.raw_headers) > self.spec.header_cap:
            raise CheckError("protocol", "header_cap", phase="headers")
        if response.status in _REDIRECTS and response.status not in self.spec.statuses:
            return self._target(response, url)
        self.phase = "body"
        if self.seen.method != "HEAD":
            has_more = await read_body(response, self.body, self.spec.body_cap)
            self._note(cut=has_more or (self.protocol is not None and self.protocol.is_cut))
        return None

    def _target(self, response: aiohttp.ClientResponse, url: URL) -> URL | None:
        location = response.headers.get("Location")
        if not location:
            self._note(detail="no_location")
            return None
        if response.status == 303 or (response.status in (301, 302) and self.seen.method == "POST"):
            self._note(method="GET")
        if len(location) > MAX_LOCATION:
            raise CheckError("protocol", "header_cap", "headers")
        target = _parse(location)
        return target if target.scheme else url.join(target)

    async def open(self, url: URL) -> CappedProtocol:
        """A connection of its own for one request: name, socket, TLS, each timed, the address judged in between."""
        self.phase, started = "dns", time.monotonic()
        self.timings = Timings()
        host, port = (url.host or "").rstrip("."), url.port or 0
        addresses = await addresses_of(host, self.resolve)
        self.timings = replace(self.timings, dns=_since(started))
        self.phase, started = "connect", time.monotonic()
        sock, address = await connect(addresses, port, self.policy)
        self._note(address=address)
        self.timings = replace(self.timings, connect=_since(started))
        started = time.monotonic()
        if url.scheme == "https":
            self.phase = "tls"
        context = self.context if url.scheme == "https" else None
        self.transport, self.protocol = await begin(sock, self._new_protocol, context, host)
        if context:
            self.timings = replace(self.timings, tls=_since(started))
            self._note_certificate(certificate_end(self.transport, host))
        self.phase, self.asked_at = "headers", time.monotonic()
        return self.protocol

    def _note_certificate(self, end: CertificateEnd | None) -> None:
        """The earliest end of all hops is what the shop's people have to know."""
        if end and (self.seen.certificate is None or end < self.seen.certificate):
            self._note(certificate=end)

    def _new_protocol(self) -> CappedProtocol:
        return CappedProtocol(asyncio.get_running_loop(), self.spec.header_cap)

    def _drop_connection(self) -> None:
        """Aborted, not closed: a server that never answers the end of TLS would keep the socket."""
        if self.transport is not None:
            self.transport.abort()
        self.transport = self.protocol = None

    def hung_up(self, detail: str) -> CheckError:
        """The failure of a connection that ended before a whole head had come."""
        if self.protocol is not None and self.protocol.head_bytes:
            return CheckError("protocol", "cut_head", "headers")
        return CheckError("connect", detail, "headers")


@contextmanager
def _http_faults(visit: _Visit) -> Iterator[None]:
    """The client library's errors as reasons of the closed list."""
    try:
        yield
    except aiohttp.ClientPayloadError as error:
        raise CheckError("truncated", "short", "body") from error
    except (aiohttp.ClientResponseError, HttpProcessingError) as error:
        raise CheckError("protocol", "malformed", "headers") from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise CheckError("blocked", "host", "dns") from error
    except aiohttp.ServerDisconnectedError as error:
        raise visit.hung_up("closed") from error
    except (aiohttp.ClientOSError, ConnectionError) as error:
        if not is_from_peer(error.errno):
            raise connect_fault(error.errno, visit.seen.address, was_sent=True) from error
        if visit.phase == "body":
            raise CheckError("truncated", "reset", "body") from error
        raise visit.hung_up("reset") from error


def _parse(address: str) -> URL:
    try:
        url = URL(address)
        _ = url.host, url.port  # read late: a host whose xn-- letters are none breaks only here
    except ValueError as error:
        raise CheckError("blocked", "host") from error
    return url


def _since(started: float) -> int:
    """Whole milliseconds since a reading of the monotonic clock."""
    return round((time.monotonic() - started) * 1000)
