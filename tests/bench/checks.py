"""What one check of a shop costs: of the event loop's one core, and of the judge's."""

import asyncio
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from monitoring.probe.check import check
from monitoring.probe.judging import Judge
from monitoring.probe.specification import CheckSpec
from tests.monitoring.badserver import answer, says, serving

PAGE = b"<p>Koszyk</p>" * 1_500  # 20 KiB
ROUNDS, CALLS = 5, 200


@contextmanager
def shop() -> Iterator[str]:
    """A page's address on loopback, served by a thread, so that its own work isn't counted."""
    ready, stop = threading.Event(), threading.Event()
    addresses: list[str] = []

    async def serve() -> None:
        async with serving(says(answer(PAGE))) as server:
            addresses.append(server.url())
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield addresses[0]
    finally:
        stop.set()
        thread.join()


async def _cost(address: str) -> float:
    """Microseconds of the loop's thread a check, the best of the rounds."""
    spec = CheckSpec(id="1", url=address, networks=("127.0.0.0/8",), required=("Koszyk",))
    judge, rounds = Judge(), []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(CALLS):
            await judge.judge(spec, await check(spec))
        rounds.append(time.thread_time() - began)
    await judge.close()
    return min(rounds) / CALLS * 1e6


def figures() -> tuple[int, int]:
    """Microseconds of CPU a check: the loop's thread, and the judge with its start shared out."""
    before = _children()
    with shop() as address:
        loop = asyncio.run(_cost(address))
    return round(loop), round((_children() - before) / (ROUNDS * CALLS) * 1e6)


def _children() -> float:
    """CPU seconds of the processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
