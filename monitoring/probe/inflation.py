"""Compressed bodies, inflated within bounds. Pure: bytes in, bytes out.

Only called where the cost of hostile bytes is bounded (`monitoring.probe.judge_process`): empty gzip members inflate to
nothing and take long.
"""

import zlib
from collections.abc import Callable

from monitoring.probe.faults import CheckError

_PIECE = 16 * 1024


def inflate(data: bytes, encoding: str, cap: int, *, is_whole: bool) -> tuple[bytes, bool]:
    """At most `cap` bytes of what `data` inflates to, and whether there is more.

    CheckError `encoding` for bytes that aren't what Content-Encoding says, for an encoding that wasn't asked for, and
    for a body that ends within its compression although `is_whole`.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return data[:cap], len(data) > cap
        case "gzip" | "x-gzip":
            body, has_end = _members(data, cap + 1, _gzip_bits)
        case "deflate":
            body, has_end = _members(data, cap + 1, _deflate_bits)
        case _:
            raise CheckError("encoding", "unknown", "body", encoding[:40])
    if data and is_whole and not has_end and len(body) <= cap:
        raise CheckError("encoding", "undecodable", "body")
    return body[:cap], len(body) > cap


def _members(data: bytes, room: int, window_bits: Callable[[bytes], int]) -> tuple[bytes, bool]:
    """At most `room` bytes of gzip (also several members), zlib or raw deflate, and whether the last one has its end.

    Bytes after an end that begin no other member are ignored, as browsers do it.
    """
    out = bytearray()
    inflater, place = zlib.decompressobj(window_bits(data)), 0
    while place < len(data) and len(out) < room:
        # In pieces: what follows the end of a member is copied each time.
        piece = data[place : place + _PIECE]
        try:
            out += inflater.decompress(piece, room - len(out))
        except zlib.error as error:
            raise CheckError("encoding", "undecodable", "body") from error
        place += len(piece) - len(inflater.unused_data)
        if inflater.eof:
            if not data.startswith(b"\x1f\x8b", place):
                break
            inflater = zlib.decompressobj(window_bits(data[place : place + 2]))
    return bytes(out), inflater.eof


def _gzip_bits(_: bytes) -> int:
    return 16 + zlib.MAX_WBITS


def _deflate_bits(data: bytes) -> int:
    """Some servers send raw deflate where RFC 9110 says zlib; the first two bytes tell them apart."""
    is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
