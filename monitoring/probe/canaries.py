"""Hosts that tell whether our own way out works, asked at the time of a failure."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network

from monitoring.probe.addresses import Policy
from monitoring.probe.canary_hosts import Canary
from monitoring.probe.connecting import Resolver, addresses_of, connect, resolve_by_system
from monitoring.probe.faults import CheckError
from monitoring.probe.specification import Result
from monitoring.probe.verdict import NETWORK_REASONS, WayOut, blame, judge_egress

# One lost packet is no broken way out: the kernel sends it again after 1 s (RFC 6298), which leaves 2 s for the answer
TIMEOUT_SECONDS = 3.0
# Shops that fail one after the other: the operator's canaries are other people's servers.
SPACING_SECONDS = 1.0
# The operator names them, no client does: any address is allowed.
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@dataclass
class Canaries:
    """3 of 4 must answer; with none named nobody knows whether the way out works."""

    canaries: tuple[Canary, ...]
    resolve: Resolver = resolve_by_system
    spacing: float = SPACING_SECONDS
    _asked_at: float = field(default=float("-inf"), init=False)
    _way_out: WayOut = field(default=WayOut(), init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def vouch(self, result: Result) -> Result:
        """The result, with what the canaries say of a failure that our own network could have caused."""
        if result.state != "down" or result.reason not in NETWORK_REASONS:
            return result
        way_out = await self.answer()
        return replace(blame(result, way_out), canaries=way_out.said)

    async def answer(self) -> WayOut:
        """Whether our own way out works, asked after this call: what was said before a failure proves nothing of it.

        Failures that wait at the same time share one answer.
        """
        failed_at = time.monotonic()
        async with self._lock:
            if self.canaries and self._asked_at < failed_at:
                await asyncio.sleep(self._asked_at + self.spacing - time.monotonic())
                self._asked_at = time.monotonic()
                self._way_out = await self._ask_all()
            return self._way_out

    async def _ask_all(self) -> WayOut:
        named = [host for host, _ in self.canaries if not _is_numeric(host)]
        answered, resolved = await asyncio.gather(
            asyncio.gather(*map(self._ask, self.canaries)), asyncio.gather(*map(self._ask_name_servers, named))
        )
        return WayOut(judge_egress(answered), judge_egress(resolved) if named else None)

    async def _ask(self, canary: Canary) -> bool:
        host, port = canary
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                sock, _ = await connect(await addresses_of(host, self.resolve), port, Policy(_ANYWHERE))
        except (CheckError, TimeoutError):
            return False
        sock.close()
        return True

    async def _ask_name_servers(self, host: str) -> bool:
        """Whether name servers answer for a name below the canary's that no cache knows; "no such name" will do."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await addresses_of(f"{secrets.token_hex(8)}.{host}.", self.resolve)
        except CheckError as failure:
            return failure.detail == "nxdomain"
        except TimeoutError:
            return False
        return True


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
