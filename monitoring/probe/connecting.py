"""From a host's name to a connected socket and TLS; every address is judged at the moment of connecting."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from itertools import zip_longest
from typing import TypeVar

from monitoring.probe.addresses import Policy, Refusal, socket_refusal
from monitoring.probe.faults import CheckError, connect_fault, most_telling, name_fault

Spoken = TypeVar("Spoken", bound=asyncio.Protocol)
Resolver = Callable[[str], Awaitable[Sequence[str]]]

# A look-up can't be interrupted, so its thread outlives the check: many, so that slow names never queue the others.
_LOOK_UPS = ThreadPoolExecutor(max_workers=256, thread_name_prefix="look-up")
# RFC 8305, section 5: "Connection Attempt Delay".
_HEAD_START_SECONDS = 0.25
# The deadline of the whole check ends a handshake; asyncio insists on a limit of its own.
_NEVER = 3600.0
# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CERTIFICATE_DETAILS = {9: "not_yet_valid", 10: "expired", 18: "self_signed", 62: "wrong_host", 64: "wrong_host"}
_PLAIN_TEXT_REASONS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")


async def resolve_by_system(host: str) -> Sequence[str]:
    """Numeric addresses by the system's resolver; CheckError `dns`, or `egress` if no thread was free."""
    begun = False

    def look_up() -> list[str]:
        nonlocal begun
        begun = True
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in entries))

    try:
        return await asyncio.get_running_loop().run_in_executor(_LOOK_UPS, look_up)
    except asyncio.CancelledError:
        if begun:
            raise
        raise CheckError("egress", "resolver_busy", "dns") from None


async def addresses_of(host: str, resolve: Resolver) -> Sequence[str]:
    """A literal as it is, a name as the resolver says."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    try:
        addresses = await resolve(host)
    except UnicodeError as error:
        raise CheckError("dns", "nxdomain", "dns", host) from error
    except OSError as error:
        raise name_fault(error, host) from error
    if not addresses:
        raise CheckError("dns", "nxdomain", "dns", host)
    return addresses


async def connect(addresses: Sequence[str], port: int, policy: Policy) -> tuple[socket.socket, str]:
    """A socket connected to the first permitted address that answers, and that address; the caller sets the deadline.

    Families take turns and each address has a head start before the next one, as browsers do it (RFC 8305), so that
    one that swallows packets holds up no other. Refused addresses are passed over; CheckError `blocked` where none is
    permitted, else the failure that tells most of the shop.
    """
    judged = [(address, socket_refusal(address, port, policy)) for address in addresses]
    permitted = interleaved([address for address, refused in judged if not refused])
    if not permitted:
        raise _blocked(*judged[0], port)
    if len(permitted) == 1:
        return await _open_socket(permitted[0], port, policy), permitted[0]
    return await _race(permitted, port, policy)


def interleaved(addresses: Sequence[str]) -> list[str]:
    """IPv6 and IPv4 in turns, each in its order, the family of the first address first."""
    families: dict[bool, list[str]] = {}
    for address in addresses:
        families.setdefault(":" in address, []).append(address)
    return [address for turn in zip_longest(*families.values()) for address in turn if address]


async def _race(addresses: Sequence[str], port: int, policy: Policy) -> tuple[socket.socket, str]:
    waiting = list(reversed(addresses))
    running: dict[asyncio.Task[socket.socket], str] = {}
    failures: list[CheckError] = []
    try:
        while waiting or running:
            if waiting:
                address = waiting.pop()
                running[asyncio.create_task(_open_socket(address, port, policy))] = address
            head_start = _HEAD_START_SECONDS if waiting else None
            done, _ = await asyncio.wait(running, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                address = running.pop(task)
                try:
                    return task.result(), address
                except CheckError as failure:
                    failures.append(failure)
    finally:
        for task in running:
            task.add_done_callback(_close_socket)
            task.cancel()
    raise most_telling(failures)


def _close_socket(task: asyncio.Task[socket.socket]) -> None:
    """The socket of an attempt that came second."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _blocked(address: str, refused: Refusal, port: int) -> CheckError:
    return CheckError("blocked", refused, "connect", str(port) if refused == "port" else address)


async def _open_socket(address: str, port: int, policy: Policy) -> socket.socket:
    if refused := socket_refusal(address, port, policy):
        raise _blocked(address, refused, port)
    sock: socket.socket | None = None
    was_sent = False
    try:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        # What is refused here and now never left this machine; what comes later, the network said.
        number = sock.connect_ex((address, port))
        was_sent = number == errno.EINPROGRESS
        if was_sent:
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        elif number:
            raise OSError(number, os.strerror(number))
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, OSError):
            raise connect_fault(error.errno, address, was_sent=was_sent) from error
        raise
    return sock


async def begin(
    sock: socket.socket, protocol: Callable[[], Spoken], context: ssl.SSLContext | None, host: str
) -> tuple[asyncio.Transport, Spoken]:
    """The protocol on a connected socket, over TLS where a context is given; the socket is closed on failure."""
    loop = asyncio.get_running_loop()
    if context is None:
        return await loop.create_connection(protocol, sock=sock)
    try:
        return await loop.create_connection(
            protocol, sock=sock, ssl=context, server_hostname=host, ssl_handshake_timeout=_NEVER, ssl_shutdown_timeout=1
        )
    except ssl.SSLCertVerificationError as error:
        raise CheckError("tls", _CERTIFICATE_DETAILS.get(error.verify_code, "untrusted"), "tls", host) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionAbortedError, BrokenPipeError) as error:
        raise CheckError("connect", "closed", "tls") from error
    except ssl.SSLError as error:
        plain = error.reason in _PLAIN_TEXT_REASONS
        raise CheckError("tls", "plain_text" if plain else "handshake", "tls") from error
    except ConnectionResetError as error:
        # asyncio reports an end of file within the handshake as a reset without a number.
        raise CheckError("connect", "reset" if error.errno else "closed", "tls") from error
    except OSError as error:
        raise connect_fault(error.errno, host, was_sent=True) from error
