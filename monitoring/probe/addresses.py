"""Which addresses a probe may connect to: only globally routable unicast, whatever form it is written in.

Sources: the special-purpose registries of IANA (RFC 6890 and its updates), RFC 4291 (v4-mapped), RFC 3056 (6to4),
RFC 4380 (Teredo), RFC 6052 (NAT64), RFC 5214 (ISATAP).
"""

import socket
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Refusal = Literal["", "scheme", "userinfo", "host", "port", "address"]

PORTS = frozenset({80, 443})

_REFUSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # a public address by its looks, the metadata service of one cloud by its use
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_NAT64 = IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = IPv6Network("::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True, slots=True)
class Policy:
    """`networks` may be connected to although they aren't public, on any port; elsewhere only `ports`."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS


def parse_networks(texts: tuple[str, ...] | list[str]) -> tuple[Network, ...]:
    """Networks such as `127.0.0.0/8`; ValueError names a wrong one."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def unwrap(address: Address) -> tuple[Address, ...]:
    """The addresses that a packet to `address` may reach: itself, or those that it carries inside."""
    if not isinstance(address, IPv6Address):
        return (address,)
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped or address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 1):
        return (last,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return (address, last)
    return (address,)


def is_public(address: Address) -> bool:
    """Globally routable unicast, by lists of our own: `is_global` differs between patch versions of Python."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)


def socket_refusal(host: str, port: int, policy: Policy) -> Refusal:
    """Why a socket may not be connected to this numeric address and port; "" if it may."""
    try:
        reached = unwrap(ip_address(host.partition("%")[0]))
    except ValueError:
        return "address"
    if all(_inside(address, policy.networks) for address in reached):
        return ""
    if not all(is_public(address) or _inside(address, policy.networks) for address in reached):
        return "address"
    return "" if port in policy.ports else "port"


def _inside(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def url_refusal(url: URL) -> Refusal:
    """Why this address may not be fetched, as far as its text tells; "" where only connecting will show."""
    if url.scheme not in ("http", "https"):
        return "scheme"
    if url.user is not None or url.password is not None or "@" in url.raw_authority:
        return "userinfo"
    if not url.host:
        return "host"
    return ""


def typed_refusal(text: str, policy: Policy) -> tuple[Refusal, str]:
    """Why no check of this address will ever be allowed, and what that speaks of; ("", "") where only a check can tell.

    No name is looked up: what it leads to is judged at the moment of connecting.
    """
    try:
        url = URL(text)
        port = url.port or 0
    except ValueError:
        return "host", ""
    if refused := url_refusal(url):
        return refused, url.scheme if refused == "scheme" else ""
    address = _numeric((url.host or "").rstrip("."))
    if address:
        refused = socket_refusal(address, port, policy)
        return refused, {"port": str(port), "address": address}.get(refused, "")
    # A name may lead into the permitted networks, where every port is open
    closed = port not in policy.ports and not policy.networks
    return ("port", str(port)) if closed else ("", "")


def _numeric(host: str) -> str:
    """The address that a host is already, in any form the system reads (`127.1`, `0x7f.1`); "" for a name."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0][4][0])
    except (OSError, UnicodeError):
        return ""
