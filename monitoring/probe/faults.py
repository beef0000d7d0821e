"""Whose fault an error of the system is: the shop is blamed for what only the shop can cause. Pure.

`down` needs a shop's own refusal. What our own kernel says before a packet has left is `egress`. What a router or a
name server on the way may have caused as well is a doubt: `monitoring.probe.verdict.blame` asks whether the way out
works.
"""

import errno
import socket
from dataclasses import dataclass
from typing import Literal

from monitoring.probe.specification import Phase

Fault = Literal["connect", "dns", "tls", "protocol", "redirects", "truncated", "encoding", "blocked", "egress"]

# RST, or an ICMP message from the shop's own address that its port is closed.
_REFUSALS = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.ECONNABORTED: "reset"}
# What ICMP messages of any router become (Linux: net/ipv4/icmp.c and net/ipv6/icmp.c), once the packet is on its way;
# a neighbour that doesn't answer ARP, our own gateway as well, comes like this too.
_UNREACHABLE = frozenset(
    {
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENONET, errno.ENOPROTOOPT, errno.EPROTO),
        *(errno.EACCES, errno.EMSGSIZE, errno.EOPNOTSUPP),
    }
)
# The authority says that there is no such name, or that it has no address.
_NO_NAME = frozenset(
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
)
# No answer of use: glibc says so for SERVFAIL and REFUSED, for a time-out, and where no resolver can be reached.
_NO_ANSWER = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})


@dataclass(eq=False)
class CheckError(Exception):
    """A check that ends here: its reason, sub-reason and what it speaks of."""

    fault: Fault
    detail: str = ""
    phase: Phase = ""
    subject: str = ""


def connect_fault(number: int | None, address: str, *, was_sent: bool) -> CheckError:
    """What a failed connection means; `was_sent`: the error came after the first packet had left, by the network."""
    if number in _REFUSALS:
        return CheckError("connect", _REFUSALS[number], "connect", address)
    if was_sent and (number in _UNREACHABLE or number == errno.ETIMEDOUT):
        return CheckError("connect", "unreachable", "connect", address)
    return CheckError("egress", "local", "connect", errno.errorcode.get(number or 0, ""))


def is_from_peer(number: int | None) -> bool:
    """Whether a connection broke off as its other end breaks it (no number: it was closed)."""
    return not number or number in _REFUSALS or number == errno.EPIPE


def name_fault(error: OSError, host: str) -> CheckError:
    """What a failed look-up means; a plain OSError is one of our own system (no sockets, no memory)."""
    number = error.errno if isinstance(error, socket.gaierror) else None
    if number in _NO_NAME:
        return CheckError("dns", "nxdomain", "dns", host)
    if number in _NO_ANSWER:
        return CheckError("dns", "servfail", "dns", host)
    return CheckError("egress", "local", "dns")


def most_telling(failures: list[CheckError]) -> CheckError:
    """Of several addresses' failures the one that tells most of the shop: refused, unreachable, then our own."""
    return min(reversed(failures), key=lambda failure: (failure.fault == "egress", failure.detail == "unreachable"))
