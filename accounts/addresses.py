"""From where a request comes: the peer, or what our own proxies say of it."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> str:
    """The client's address, "" where even the peer's is unknown.

    Each of our `TRUST_PROXY` proxies adds the address it sees on the right of `X-Forwarded-For`, so the client's is
    that many from the right and what stands left of it is the client's own invention. A header that is too short or
    holds no address there was not made by our proxies: then it is the peer's.
    """
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.TRUST_PROXY
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < proxies <= len(entries):
        return str(_address(entries[-proxies]) or peer or "")
    return str(peer or "")


def source(request: HttpRequest) -> str:
    """What limits count by: an IPv4 address, or the /64 that one connection with IPv6 gets."""
    text = client_address(request)
    if ":" not in text:
        return text or "unknown"
    return str(ipaddress.ip_network(f"{text}/64", strict=False))


def _address(text: str) -> Address | None:
    """`192.0.2.1`, `2001:db8::1`, and with the port that some proxies add; a mapped IPv4 address is the IPv4 one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
