"""When the first certificate of a connection ends: the server's own and the intermediate ones that it sends."""

import asyncio
import ssl
from functools import lru_cache
from typing import Any

from monitoring.specification import CertificateEnd


def certificate_end(transport: asyncio.BaseTransport, host: str) -> CertificateEnd | None:
    """The earliest end of what the server sent; None without TLS.

    A root that it sends as well doesn't count: whoever trusts it has it already.
    """
    spoken = transport.get_extra_info("ssl_object")
    if spoken is None:
        return None
    # Python 3.13 has a public way to the chain's bytes, but none to what stands in them
    chain = spoken._sslobj.get_unverified_chain() or []
    ends = [_end_of(certificate) for certificate in chain]
    counted = [(end, "" if place == 0 else name) for place, (end, name, is_root) in enumerate(ends) if not is_root]
    return min((CertificateEnd(end, host, name) for end, name in counted), default=None)


@lru_cache(maxsize=1024)
def _end_of(certificate: Any) -> tuple[int, str, bool]:
    """End, name and whether it vouches for itself. Kept: many shops send the same few intermediate certificates."""
    facts = certificate.get_info()
    names = dict(pair for part in facts["subject"] for pair in part)
    name = names.get("commonName") or names.get("organizationName") or ""
    return int(ssl.cert_time_to_seconds(facts["notAfter"])), str(name), facts["subject"] == facts["issuer"]
