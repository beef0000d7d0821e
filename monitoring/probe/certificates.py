"""When the first certificate of a connection ends: the server's own and the intermediate ones that it sends."""

import asyncio
import ssl
from functools import lru_cache
from typing import Any

from monitoring.probe.specification import CertificateEnd

LAST_END = 253_370_764_800  # 9999-01-01


def certificate_end(transport: asyncio.BaseTransport, host: str) -> CertificateEnd | None:
    """The earliest end of what the server sent; None without TLS.

    A root that it sends as well doesn't count: whoever trusts it has it already.
    """
    spoken = transport.get_extra_info("ssl_object")
    if spoken is None:
        return None
    # Python 3.13 has a public way to the chain's bytes, but none to what stands in them
    chain = spoken._sslobj.get_unverified_chain() or []
    ends = enumerate(map(_readable_end_of, chain))
    counted = [(end[0], "" if place == 0 else end[1]) for place, end in ends if end and not end[2]]
    return min((CertificateEnd(end, host, name) for end, name in counted), default=None)


def _readable_end_of(certificate: Any) -> tuple[int, str, bool] | None:
    """None for a certificate whose fields cannot be read: it warns of nothing, the check itself goes on."""
    try:
        return _end_of(certificate)
    except (ValueError, LookupError, TypeError, ArithmeticError, ssl.SSLError):
        return None


@lru_cache(maxsize=1024)
def _end_of(certificate: Any) -> tuple[int, str, bool]:
    """End, name and whether it vouches for itself. Kept: many shops send the same few intermediate certificates."""
    facts = certificate.get_info()
    names = dict(pair for part in facts["subject"] for pair in part)
    name = names.get("commonName") or names.get("organizationName") or ""
    # A year that no calendar page can show is as good as the last that it can.
    end = min(max(int(ssl.cert_time_to_seconds(facts["notAfter"])), 0), LAST_END)
    return end, str(name), facts["subject"] == facts["issuer"]
