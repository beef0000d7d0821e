"""The judge: a process that reads what shops answer, one answer at a time, within a limit of time and of memory.

    python -m monitoring.probe.judge_process        (`monitoring.probe.judging` starts it; nobody else needs to)

Reads frames from its standard input and writes one for each to its standard output, until the input ends, as it does
however the parent ends. A frame is the length of a JSON text and that of the bytes behind it (4 bytes each,
big-endian), then both. In: specification and observation, the body as the bytes. Out: an opinion, no bytes. What costs
more than the limit ends the process by the kernel's hand. Knows no Django, no network and no secret but the
headers it must hide.
"""

import json
import math
import resource
import signal
import struct
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO

import re2

from monitoring.probe.specification import CheckSpec, Observation, Timings
from monitoring.probe.verdict import Opinion, opinion_of

FRAME = struct.Struct(">II")
CPU_SECONDS = 2  # an answer; one of ours takes milliseconds, a hostile one took 18 s (docs/decisions/judge-process.md)
# Address space: the modules take some 60 MiB, the costliest answer of 512 KiB below 40 MiB.
MEMORY_BYTES = 512 * 1024 * 1024
COSTLY = Opinion("down", "content", detail="costly")
UNREADABLE = Opinion("down", "content", detail="unreadable")
# What only the specification can cause is ours.
OURS = Opinion("unknown", "egress", detail="probe")


def frame(data: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(data, ensure_ascii=True).encode()
    return FRAME.pack(len(text), len(body)) + text + body


def question(spec: CheckSpec, observation: Observation) -> bytes:
    """What the judge needs of an observation: neither address nor certificate."""
    names = ("method", "url", "fault", "phase", "detail", "subject", "status", "headers", "cut", "hops")
    about = {name: getattr(observation, name) for name in names}
    return frame({"spec": spec.to_json(), "seen": about, "total": observation.timings.total}, observation.body)


def answer(parts: dict[str, Any], body: bytes) -> Opinion:
    """The opinion on a question's two parts."""
    spec = CheckSpec.from_json(parts["spec"])
    about = parts["seen"]
    about |= {"headers": tuple(map(tuple, about["headers"])), "hops": tuple(about["hops"])}
    return opinion_whatever(spec, Observation(**about, timings=Timings(total=parts["total"]), body=body))


def opinion_whatever(spec: CheckSpec, observation: Observation) -> Opinion:
    """An opinion whatever the answer does; an exception that it causes is one about the shop."""
    try:
        return opinion_of(spec, observation)
    except re2.error:
        return OURS
    except MemoryError:
        return COSTLY
    except Exception as error:  # noqa: BLE001 - the shop chose what broke it; the traceback would show the page
        sys.stderr.write(f"check {spec.id}: its answer broke the judge: {type(error).__name__}\n")
        return UNREADABLE


def main() -> None:
    """Answers until the input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the parent still needs its judge
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    given, taken = sys.stdin.buffer, sys.stdout.buffer
    while head := given.read(FRAME.size):
        text_length, body_length = FRAME.unpack(head)
        parts, body = json.loads(given.read(text_length)), given.read(body_length)
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + CPU_SECONDS)
        _put(taken, frame(asdict(answer(parts, body))))


def _put(taken: BinaryIO, data: bytes) -> None:
    taken.write(data)
    taken.flush()


def _limit(which: int, soft: int) -> None:
    """Best effort: macOS has no limit of address space; the parent's limit of time holds everywhere."""
    _, hard = resource.getrlimit(which)
    with suppress(ValueError, OSError):
        resource.setrlimit(which, (soft, hard))


if __name__ == "__main__":
    main()
