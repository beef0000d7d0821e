"""Reading an answer within bounds: a cap on the head, one on the body after decompression."""

import asyncio
import zlib
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from monitoring.faults import CheckError

MAX_HEADERS = 4096
# Compressed bytes that inflate to nothing would never fill the cap on the body.
_WIRE_SHARE = 4


class CappedProtocol(ResponseHandler):
    """aiohttp's reader of answers, which counts what arrives before the head is complete."""

    def __init__(self, loop: asyncio.AbstractEventLoop, head_cap: int) -> None:
        super().__init__(loop)
        self.head_cap = head_cap
        self.head_bytes = 0
        self.has_head = False

    def feed_data(self, data: Any, size: int = 0) -> None:
        # Interim answers (1xx) count as part of the head, so that an endless row of them ends at the cap.
        self.has_head = self.has_head or data[0].code >= 200
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.has_head:
            return
        self.head_bytes += len(data)
        if self.head_bytes > self.head_cap and self.transport is not None:
            self.set_exception(CheckError("protocol", "header_cap", "headers"))
            self.transport.abort()


async def read_body(response: aiohttp.ClientResponse, body: bytearray, cap: int) -> bool:
    """Fills `body` with at most `cap` bytes after decompression; True if there was more, which is left unread.

    CheckError `encoding` for bytes that aren't what Content-Encoding says, or for an encoding that wasn't asked for.
    """
    inflate = _inflater(response.headers.get("Content-Encoding", ""))
    wire = 0
    async for chunk in response.content.iter_any():
        wire += len(chunk)
        body += inflate.feed(chunk, cap + 1 - len(body))
        if len(body) > cap or wire > _WIRE_SHARE * cap:
            del body[cap:]
            return True
    if wire:
        inflate.finish()
    return False


class _Plain:
    def feed(self, data: bytes, room: int) -> bytes:
        return data[:room]

    def finish(self) -> None:
        """Nothing is owed by bytes that aren't compressed."""


class _Inflate:
    """gzip (also several members), zlib and raw deflate, never more than `room` bytes at a time."""

    def __init__(self, window_bits: Callable[[bytes], int]) -> None:
        self._window_bits = window_bits
        self._inflater: Any = None

    def feed(self, data: bytes, room: int) -> bytes:
        out = bytearray()
        try:
            while data and len(out) < room:
                if self._inflater is None:
                    self._inflater = zlib.decompressobj(self._window_bits(data))
                out += self._inflater.decompress(data, room - len(out))
                data = self._rest()
        except zlib.error as error:
            raise CheckError("encoding", "undecodable", "body") from error
        return bytes(out)

    def _rest(self) -> bytes:
        """What follows the end of a member if it begins another one; other bytes there are ignored as browsers do."""
        if not self._inflater.eof:
            return b""
        rest: bytes = self._inflater.unused_data
        if rest.startswith(b"\x1f\x8b"):
            self._inflater = None
            return rest
        return b""

    def finish(self) -> None:
        if self._inflater is not None and not self._inflater.eof:
            raise CheckError("encoding", "undecodable", "body")


def _inflater(encoding: str) -> _Plain | _Inflate:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Inflate(_gzip_bits)
        case "deflate":
            return _Inflate(_deflate_bits)
    raise CheckError("encoding", "unknown", "body", encoding[:40])


def _gzip_bits(_: bytes) -> int:
    return 16 + zlib.MAX_WBITS


def _deflate_bits(data: bytes) -> int:
    """Some servers send raw deflate where RFC 9110 says zlib; the first two bytes tell them apart."""
    is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
