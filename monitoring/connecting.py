"""From a host's name to a connected socket and TLS; every address is judged at the moment of connecting."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, TypeVar

from monitoring.addresses import Policy, Refusal, socket_refusal
from monitoring.specification import Phase

Fault = Literal["connect", "dns", "tls", "protocol", "redirects", "truncated", "encoding", "blocked", "egress"]
Spoken = TypeVar("Spoken", bound=asyncio.Protocol)
Resolver = Callable[[str], Awaitable[Sequence[str]]]

# A look-up can't be interrupted, so its thread outlives the check: many, so that slow names never queue the others.
_LOOK_UPS = ThreadPoolExecutor(max_workers=256, thread_name_prefix="look-up")
_TRIED_ADDRESSES = 4
# The deadline of the whole check ends a handshake; asyncio insists on a limit of its own.
_NEVER = 3600.0
_OUR_FAULTS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
)
_CONNECT_DETAILS = {
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ETIMEDOUT: "unreachable",
    errno.ECONNRESET: "reset",
}
# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CERTIFICATE_DETAILS = {9: "not_yet_valid", 10: "expired", 18: "self_signed", 62: "wrong_host", 64: "wrong_host"}
_PLAIN_TEXT_REASONS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")


@dataclass(eq=False)
class CheckError(Exception):
    """A check that ends here: its reason, sub-reason and what it speaks of."""

    fault: Fault
    detail: str = ""
    phase: Phase = ""
    subject: str = ""


async def resolve_by_system(host: str) -> Sequence[str]:
    """Numeric addresses by the system's resolver; CheckError `dns`, or `egress` if no thread was free."""
    begun = False

    def look_up() -> list[str]:
        nonlocal begun
        begun = True
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))

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
        found = await resolve(host)
    except socket.gaierror as error:
        raise CheckError("dns", _dns_detail(error), "dns", host) from error
    except UnicodeError as error:
        raise CheckError("dns", "nxdomain", "dns", host) from error
    if not found:
        raise CheckError("dns", "nxdomain", "dns", host)
    return found


def _dns_detail(error: socket.gaierror) -> str:
    missing = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    return "nxdomain" if error.errno in missing else "servfail"


async def connect(addresses: Sequence[str], port: int, policy: Policy, seconds: float) -> tuple[socket.socket, str]:
    """A socket connected to the first permitted address that answers, and that address.

    Refused addresses are passed over; CheckError `blocked` where none is permitted, else the last one's `connect`.
    """
    judged = [(address, socket_refusal(address, port, policy)) for address in addresses]
    permitted = [address for address, refused in judged if not refused][:_TRIED_ADDRESSES]
    if not permitted:
        raise _blocked(*judged[0], port)
    deadline = asyncio.get_running_loop().time() + seconds
    for place, address in enumerate(permitted, start=1):
        # An address that swallows packets must leave a fair share of the time to the next ones.
        left = deadline - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(left / (len(permitted) - place + 1) if place < len(permitted) else None):
                return await _open_socket(address, port, policy), address
        except (CheckError, TimeoutError):
            if place == len(permitted):
                raise
    raise CheckError("connect", "unreachable", "connect")


def _blocked(address: str, refused: Refusal, port: int) -> CheckError:
    return CheckError("blocked", refused, "connect", str(port) if refused == "port" else address)


async def _open_socket(address: str, port: int, policy: Policy) -> socket.socket:
    if refused := socket_refusal(address, port, policy):
        raise _blocked(address, refused, port)
    sock: socket.socket | None = None
    try:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, TimeoutError) or not isinstance(error, OSError):
            raise
        raise _connect_failure(error, address) from error
    return sock


def _connect_failure(error: OSError, address: str) -> CheckError:
    if error.errno in _OUR_FAULTS:
        return CheckError("egress", "local", "connect")
    return CheckError("connect", _CONNECT_DETAILS.get(error.errno or 0, "unreachable"), "connect", address)


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


def certificate_end(transport: asyncio.BaseTransport) -> int | None:
    """End of the server's certificate in epoch seconds; None without TLS."""
    spoken = transport.get_extra_info("ssl_object")
    certificate = spoken.getpeercert() if spoken else None
    return int(ssl.cert_time_to_seconds(str(certificate["notAfter"]))) if certificate else None
