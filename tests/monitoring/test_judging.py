"""The judge process: what a shop answers costs the shop its verdict, never its neighbours theirs."""

import asyncio
import gzip
import json
import os
import random
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from monitoring.probe import judging
from monitoring.probe.canaries import Canaries
from monitoring.probe.check import tls_context
from monitoring.probe.judge_process import COSTLY, UNREADABLE, answer, question
from monitoring.probe.judging import Judge, checked
from monitoring.probe.specification import CheckSpec, Observation, Result
from monitoring.probe.verdict import Opinion
from monitoring.probe.worker import Bounds, Engine
from tests.monitoring.badserver import answer as http_answer
from tests.monitoring.badserver import says, serving

SPEC = CheckSpec(id="1", url="https://sklep.example/")
BOMB = gzip.compress(b"a" * 100_000 + b"-" + b"9" * 400_000, mtime=0)


def seen(body: bytes = b"Koszyk", **headers: str) -> Observation:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Observation(method="GET", url=SPEC.url, status=200, headers=named, body=body)


def verdict(result: Result) -> tuple[str, str, str]:
    return result.state, result.reason, result.detail


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "unicode_escape", "utf-7", "rot13", "zlib"])
def test_a_codec_that_only_python_knows_is_read_as_utf_8_in_no_time(charset: str) -> None:
    began = time.thread_time()
    hostile = seen(BOMB, content_encoding="gzip", content_type=f"text/html; charset={charset}")
    about = question(SPEC, hostile)
    text_length = int.from_bytes(about[:4], "big")
    opinion = answer(json.loads(about[8 : 8 + text_length]), hostile.body)
    assert (opinion.state, opinion.reason, opinion.size) == ("up", "ok", 500_001)
    assert time.thread_time() - began < 0.5


def test_one_judge_serves_all_knows_no_secret_and_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", "redis://:secret@127.0.0.1/0")

    async def run() -> tuple[list[tuple[str, str, str]], set[int | None], str, list[str]]:
        judge = Judge()
        verdicts, pids = [], set()
        for body in (b"Koszyk", b"SQLSTATE[", b"", b"\xc5\x82"):
            verdicts.append(verdict(await judge.judge(SPEC, seen(body))))
            pids.add(judge.pid)
        process = psutil.Process(judge.pid)
        environment = str(process.environ())
        loaded = [Path(file.path).name for file in process.memory_maps()]
        assert judge._process is not None
        assert judge._process.stdin is not None
        judge._process.stdin.close()  # as the system does it, however the parent ends
        await asyncio.wait_for(judge._process.wait(), 20)
        return verdicts, pids, environment, loaded

    verdicts, pids, environment, loaded = asyncio.run(run())
    up, content = ("up", "ok", ""), "content"
    assert verdicts == [up, ("down", content, "forbidden"), ("down", content, "empty"), up]
    assert len(pids) == 1
    assert "secret" not in environment
    assert not [name for name in loaded if "psycopg" in name or "_ssl" in name]


def test_an_answer_at_the_limit_is_down_and_its_neighbours_are_asked_again() -> None:
    """A pattern that outgrows its engine's tables costs about two seconds a branch; the kernel ends the judge there."""
    heavy = CheckSpec(id="7", url=SPEC.url, regexes=("(?:[ab]*a[ab]{900}c|[ab]*b[ab]{900}d|[ab]*b[ab]{800}e)",))
    letters = "".join(random.Random(1).choices("ab", k=524_288)).encode()

    async def run() -> tuple[list[tuple[str, str, str]], set[int | None]]:
        judge = Judge(wall_seconds=60)
        await judge.judge(SPEC, seen())
        pids = {judge.pid}
        endless = judge.judge(heavy, seen(letters))
        results = await asyncio.gather(endless, *(judge.judge(SPEC, seen()) for _ in range(5)))
        pids.add(judge.pid)
        await judge.close()
        return [verdict(result) for result in results], pids

    verdicts, pids = asyncio.run(run())
    assert verdicts == [("down", "content", "costly")] + [("up", "ok", "")] * 5
    assert len(pids) == 2


def test_the_loop_ticks_while_the_judge_is_stopped_and_nobody_is_blamed() -> None:
    async def run() -> tuple[list[tuple[str, str, str]], float]:
        judge = Judge()
        await judge.judge(SPEC, seen())
        assert judge.pid is not None
        judge._wall_seconds = 0.5
        os.kill(judge.pid, signal.SIGSTOP)
        waiting = asyncio.gather(*(judge.judge(SPEC, seen()) for _ in range(5)))
        ticks, latest, last = 0, 0.0, time.monotonic()
        while not waiting.done():
            await asyncio.sleep(0.01)
            latest, last = max(latest, time.monotonic() - last), time.monotonic()
            ticks += 1
        await judge.close()
        assert ticks >= 10
        return [verdict(result) for result in await waiting], latest

    judging_wall = judging.WALL_SECONDS
    assert judging_wall > 2 * 2  # the kernel's limit comes first
    verdicts, latest = asyncio.run(run())
    assert {state for state, _, _ in verdicts} <= {"up", "unknown"}
    assert latest < 0.5


def test_a_judge_that_somebody_kills_is_renewed_and_asked_again() -> None:
    async def run() -> Result:
        judge = Judge()
        await judge.judge(SPEC, seen())
        assert judge.pid is not None
        os.kill(judge.pid, signal.SIGKILL)
        result = await judge.judge(SPEC, seen())
        await judge.close()
        return result

    assert verdict(asyncio.run(run())) == ("up", "ok", "")


def test_who_comes_when_too_many_wait_learns_that_we_cannot() -> None:
    async def run() -> list[str]:
        judge = Judge(max_waiting=2)
        results = await asyncio.gather(*(judge.judge(SPEC, seen()) for _ in range(4)))
        await judge.close()
        return sorted(result.state for result in results)

    assert asyncio.run(run()) == ["unknown", "unknown", "up", "up"]


def test_an_exception_that_the_answer_causes_is_down_and_one_of_ours_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from_content: list[type[Exception]] = [UnicodeError, RecursionError, OverflowError, AssertionError]

    def opinion_with(error: BaseException) -> Opinion:
        def breaks(*_: object) -> Opinion:
            raise error

        monkeypatch.setattr("monitoring.probe.judge_process.opinion_of", breaks)
        about = question(SPEC, seen())
        return answer(json.loads(about[8 : 8 + int.from_bytes(about[:4], "big")]), b"x")

    assert [opinion_with(error()) for error in from_content] == [UNREADABLE] * 4
    assert opinion_with(MemoryError()) == COSTLY
    monkeypatch.undo()
    bad_pattern = CheckSpec(id="1", url=SPEC.url, regexes=("(",))
    about = question(bad_pattern, seen())
    opinion = answer(json.loads(about[8 : 8 + int.from_bytes(about[:4], "big")]), b"x")
    assert (opinion.state, opinion.reason) == ("unknown", "egress")


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"state": "up"},
        {"state": "fine", "reason": "ok"},
        {"state": "up", "reason": "ok", "size": True},
        {"state": "up", "reason": "ok", "size": -1},
        {"state": "up", "reason": "ok", "phase": ["dns"]},
        {"state": "up", "reason": "ok", "detail": "x" * 41},
        {"state": "up", "reason": "ok", "timings": {}},
    ],
)
def test_what_the_judge_says_is_checked_too(said: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        checked(said)


def test_an_opinion_comes_back_as_it_was_given() -> None:
    opinion = Opinion("down", "content", "", "missing", "Koszyk", 5, True, "tekst")
    assert checked(json.loads(json.dumps(asdict(opinion)))) == opinion


def test_an_engine_that_stops_ends_its_judge() -> None:
    async def page() -> tuple[list[dict[str, Any]], int | None]:
        sent: list[dict[str, Any]] = []
        async with serving(says(http_answer())) as shop:
            engine = Engine(sent.extend, Canaries(()), tls_context, Bounds(("127.0.0.0/8",)))
            engine.start(CheckSpec(id="7", url=shop.url()).to_json(), "pl")
            while engine.judge.pid is None:
                await asyncio.sleep(0.01)
            pid = engine.judge.pid
            await asyncio.to_thread(engine.stop, 20)
        return sent, pid

    sent, pid = asyncio.run(page())
    assert [(result["state"], result["bytes"]) for result in sent] == [("up", 52)]
    assert not psutil.pid_exists(pid or 0)
