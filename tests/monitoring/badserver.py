"""Servers that misbehave in every way of the verdict table, by raw sockets on loopback."""

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Play = Callable[[bytes, Writer], Awaitable[None]]

PAGE = b"<html><title>Sklep</title><body>Koszyk</body></html>"


@dataclass
class BadServer:
    """Counts connections and keeps the request heads it read; `play` replaces what it was begun with."""

    port: int = 0
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    play: Play | None = None

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def serving(play: Play, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[BadServer]:
    """A server whose every connection is given to `play` with the request's head."""
    bad = BadServer()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        bad.connections += 1
        try:
            bad.heads.append(await reader.readuntil(b"\r\n\r\n"))
            await (bad.play or play)(bad.heads[-1], writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the probe has seen enough and hung up
        finally:
            tasks.discard(task)
            writer.close()

    async with await listen(handle, bad, tls, host):
        try:
            yield bad
        finally:
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def listen(
    handle: Callable[[Reader, Writer], Awaitable[None]],
    bad: BadServer,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> asyncio.Server:
    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    bad.port = server.sockets[0].getsockname()[1]
    return server


def closed_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def answer(body: bytes = PAGE, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def says(*parts: bytes) -> Play:
    """Sends the bytes and closes."""

    async def play(head: bytes, writer: Writer) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return play


def redirects_to(location: str, status: str = "302 Found") -> Play:
    return says(answer(b"", status, f"Location: {location}"))


async def hangs(head: bytes, writer: Writer) -> None:
    await asyncio.Event().wait()


def says_and_hangs(data: bytes) -> Play:
    async def play(head: bytes, writer: Writer) -> None:
        writer.write(data)
        await asyncio.Event().wait()

    return play


def drips(start: bytes, drop: bytes, seconds: float = 0.01) -> Play:
    """One drop at a time for ever: no single read ever waits long."""

    async def play(head: bytes, writer: Writer) -> None:
        writer.write(start)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(seconds)

    return play


def pours(start: bytes, block: bytes) -> Play:
    """Endlessly, as fast as it is taken."""

    async def play(head: bytes, writer: Writer) -> None:
        writer.write(start)
        while True:
            writer.write(block)
            await writer.drain()

    return play


def resets(data: bytes = b"") -> Play:
    async def play(head: bytes, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()
        # Let the bytes reach the other side first: a reset throws away what it hasn't read yet.
        await asyncio.sleep(0.05 if data else 0)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return play


def bomb(size: int) -> bytes:
    """A gzip of `size` zero bytes, about a thousandth of that."""
    return gzip.compress(bytes(size), 9, mtime=0)
