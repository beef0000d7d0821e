"""Reading an answer within bounds: a cap on the head, one on the body."""

import asyncio
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from monitoring.probe.faults import CheckError

MAX_HEADERS = 4096
# What may come besides head and payload: 13,000 chunks of one byte. Each costs us a microsecond, 700,000 half a second.
MAX_FRAMING = 64 * 1024
_SLICE = 64 * 1024


class CappedProtocol(ResponseHandler):
    """aiohttp's reader of answers, which counts what arrives before the head is complete and besides the payload."""

    def __init__(self, loop: asyncio.AbstractEventLoop, head_cap: int) -> None:
        super().__init__(loop)
        self.head_cap = head_cap
        self.head_bytes = 0
        self.has_head = False
        self.raw_bytes = 0
        self.is_cut = False

    def feed_data(self, data: Any, size: int = 0) -> None:
        # Interim answers (1xx) count as part of the head, so that an endless row of them ends at the cap.
        self.has_head = self.has_head or data[0].code >= 200
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        # No bytes at all are aiohttp's own way to go on after a pause.
        for start in range(0, max(len(data), 1), _SLICE):
            if self.is_cut:
                return
            self._receive(data[start : start + _SLICE])
            self._cut_where_framing_is_all()

    def _cut_where_framing_is_all(self) -> None:
        """Ends a body whose chunks cost more than they bring, as the cap on the body would end it."""
        payload = self._payload
        if payload is None or payload.is_eof():
            return
        if self.raw_bytes - payload.total_bytes > self.head_cap + MAX_FRAMING:
            self.is_cut = True
            payload.feed_eof()

    def _receive(self, data: bytes) -> None:
        self.raw_bytes += len(data)
        super().data_received(data)
        if self.has_head:
            return
        self.head_bytes += len(data)
        if self.head_bytes > self.head_cap and self.transport is not None:
            self.set_exception(CheckError("protocol", "header_cap", "headers"))
            self.transport.abort()


async def read_body(response: aiohttp.ClientResponse, body: bytearray, cap: int) -> bool:
    """Fills `body` with at most `cap` bytes as they come, compressed or not; True if there was more, left unread.

    Nothing is inflated here: what that costs is the other side's choice (see `monitoring.probe.inflation`).
    """
    async for chunk in response.content.iter_any():
        body += chunk[: cap + 1 - len(body)]
        if len(body) > cap:
            del body[cap:]
            return True
    return False
