"""Canaries for tests: a server on loopback that takes every connection, named four times."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

from monitoring.probe.canary_hosts import Canary, parse_canaries


def start() -> tuple[Canary, ...]:
    """Sets PROBE_CANARIES for this process and its children, and returns them; the server ends with this process."""
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=_take_all, args=(server,), name="canaries", daemon=True).start()
    os.environ["PROBE_CANARIES"] = ",".join([f"127.0.0.1:{server.getsockname()[1]}"] * 4)
    return parse_canaries(os.environ["PROBE_CANARIES"])


def _take_all(server: socket.socket) -> None:
    while True:
        with contextlib.suppress(OSError):
            server.accept()[0].close()
