"""Asking the judge process: started when first needed, one answer at a time, killed and renewed at its limit."""

import asyncio
import json
import logging
import signal
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from monitoring.probe.judge_process import COSTLY, FRAME, OURS, UNREADABLE, opinion_whatever, question
from monitoring.probe.specification import PHASES, REASONS, STATES, CheckSpec, Observation, Result
from monitoring.probe.verdict import Opinion, result_of

# More than the judge's own limit of CPU time takes on a machine that others use as well.
WALL_SECONDS = 10.0
# As many as a probe has in flight; who comes later learns at once that we can't.
MAX_WAITING = 256
# An opinion is at most 2 KiB of evidence and a sentence's subject, each character at most 12 bytes of JSON.
_MAX_OPINION = 64 * 1024
_MAX_DETAIL = 40
_ROOT = Path(__file__).resolve().parents[2]
_TYPES = {"state": str, "reason": str, "phase": str, "detail": str, "subject": str, "size": int, "cut": bool}
_LIMIT_SIGNALS = (signal.SIGXCPU,)

log = logging.getLogger(__name__)


class _JudgeEndedError(Exception):
    """The judge ended or was ended; `number` is its exit status, None where it was too late."""

    def __init__(self, number: int | None) -> None:
        super().__init__(number)
        self.number = number


class Judge:
    """One judge process of one event loop; whoever waits is asked about in turn, also after the judge was renewed."""

    def __init__(self, wall_seconds: float = WALL_SECONDS, max_waiting: int = MAX_WAITING) -> None:
        self._wall_seconds, self._max_waiting = wall_seconds, max_waiting
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def judge(self, spec: CheckSpec, observation: Observation) -> Result:
        """The verdict on one observation. Raises what is our own fault: no process, no memory."""
        return result_of(spec, observation, await self._opinion(spec, observation))

    async def _opinion(self, spec: CheckSpec, observation: Observation) -> Opinion:
        if not observation.body:
            return opinion_whatever(spec, observation)
        if self._waiting >= self._max_waiting:
            return OURS
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask_twice(spec, observation)
        finally:
            self._waiting -= 1

    async def _ask_twice(self, spec: CheckSpec, observation: Observation) -> Opinion:
        """At the judge's own limit the answer is blamed at once; whatever else ended it may have been ours, so again.

        An answer that ends two judges is blamed as well; two that were only late had no time: our fault.
        """
        frame = question(spec, observation)
        for _ in range(2):
            try:
                return await self._ask(frame)
            except _JudgeEndedError as gone:
                number = gone.number
            log.warning("check %s: the judge ended (%s) and is renewed", spec.id, number)
            if number is not None and -number in _LIMIT_SIGNALS:
                return COSTLY
        return OURS if number is None else UNREADABLE

    async def _ask(self, frame: bytes) -> Opinion:
        process = self._process or await self._start()
        try:
            async with asyncio.timeout(self._wall_seconds):
                return await _exchange(process, frame)
        except TimeoutError:
            await self.close()
            raise _JudgeEndedError(None) from None
        except (ConnectionError, asyncio.IncompleteReadError, ValueError, TypeError, RecursionError):
            # It ended, or what it says is no opinion: nothing of it is believed any more.
            self._process = None
            raise _JudgeEndedError(await _end(process)) from None
        except BaseException:
            await self.close()
            raise

    async def _start(self) -> asyncio.subprocess.Process:
        """With an environment of its own: the broker's address and its password are nothing to the judge."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-m", "monitoring.probe.judge_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": str(_ROOT)},
            cwd="/",
        )
        return self._process

    async def close(self) -> None:
        """Ends the process; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)


async def _exchange(process: asyncio.subprocess.Process, frame: bytes) -> Opinion:
    given, taken = process.stdin, process.stdout
    assert given is not None
    assert taken is not None
    given.write(frame)
    await given.drain()
    text_length, body_length = FRAME.unpack(await taken.readexactly(FRAME.size))
    if text_length > _MAX_OPINION or body_length:
        raise ValueError("no opinion is as long")
    return checked(json.loads(await taken.readexactly(text_length)))


def checked(data: Any) -> Opinion:
    """An opinion of the closed lists; ValueError or TypeError for anything else: the judge has read hostile bytes."""
    opinion = Opinion(**data)
    for field in fields(Opinion):
        if type(getattr(opinion, field.name)) is not _TYPES.get(field.name, str):
            raise TypeError(field.name)
    if opinion.state not in STATES or opinion.reason not in REASONS or opinion.phase not in PHASES:
        raise ValueError("not of the closed lists")
    if len(opinion.detail) > _MAX_DETAIL or not 0 <= opinion.size < 2**31:
        raise ValueError("not what an opinion holds")
    return opinion


async def _end(process: asyncio.subprocess.Process) -> int:
    """Its exit status: of its own end, which a closed pipe may tell before the system does, else of ours."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            return await process.wait()
    with suppress(ProcessLookupError):
        process.kill()
    return await process.wait()
