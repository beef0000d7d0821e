"""Hosts that tell whether our own way out works, asked at the time of a failure."""

import asyncio
import time
from dataclasses import dataclass, field
from ipaddress import ip_network

from monitoring.addresses import Policy
from monitoring.connecting import CheckError, Resolver, addresses_of, connect, resolve_by_system
from monitoring.verdict import judge_egress

TIMEOUT_SECONDS = 3.0
# Many shops that fail at once are one question.
FRESH_SECONDS = 5.0
# The operator names them, no client does: any address is allowed.
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))

Canary = tuple[str, int]


def parse_canaries(text: str) -> tuple[Canary, ...]:
    """`host:port` by commas; ValueError names what isn't one."""
    canaries = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        host, _, port = word.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"PROBE_CANARIES: expected host:port, got {word!r}")
        canaries.append((host.strip("[]"), int(port)))
    return tuple(canaries)


@dataclass
class Canaries:
    """3 of 4 must answer; with none named the way out counts as working."""

    canaries: tuple[Canary, ...]
    resolve: Resolver = resolve_by_system
    _asked_at: float = field(default=float("-inf"), init=False)
    _works: bool = field(default=True, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def answer(self) -> bool:
        """Whether our own way out works, as of at most `FRESH_SECONDS` ago."""
        async with self._lock:
            if self.canaries and time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._works = judge_egress(await asyncio.gather(*map(self._ask, self.canaries)))
                self._asked_at = time.monotonic()
            return self._works

    async def _ask(self, canary: Canary) -> bool:
        host, port = canary
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                addresses = await addresses_of(host, self.resolve)
                sock, _ = await connect(addresses, port, Policy(_ANYWHERE), TIMEOUT_SECONDS)
        except (CheckError, TimeoutError):
            return False
        sock.close()
        return True
