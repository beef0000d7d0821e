"""The lines of JSON by which a probe answers, and whether an answer fits what was asked. Pure; the probe is a stranger.

A line is read strictly: closed lists, numbers within what a column holds, texts within their sizes. Then it must fit a
question: monitor, place, slot and time. `Refusal` is the closed list of what may be wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from monitoring.probe.specification import PHASES, REASONS, Result, Timings, Vouch

# `repeat`: what is known already, `late`: its question was put anew meanwhile; neither is anybody's ill will.
Refusal = Literal["", "form", "words", "size", "monitor", "place", "slot", "time", "twice", "repeat", "late"]
HARMLESS: frozenset[Refusal] = frozenset({"repeat", "late"})

LINE_MAX = 32 * 1024  # bytes
# Two machines' clocks differ by less, where somebody sets them.
CLOCKS_DIFFER = 5  # seconds
# From the end of a check to its result: canaries, sending, a busy sweep; a question asked together with slower ones
AFTER_CHECK = 90  # seconds
LONG_AGO = 3600  # seconds; an older slot was never asked within anybody's patience

# Letters of each text at most, as our own probe cuts them: a line from a stranger may hold anything
TEXTS = {
    "phase": 8,
    "detail": 40,
    "subject": 300,
    "address": 64,
    "certificate_host": 255,
    "certificate_intermediate": 100,
    "excerpt": 4096,
    "place": 40,
}
# Largest whole numbers: what the columns hold; 2**35 s is the year 3058
_WHOLE = {"bytes": 2**31 - 1, "attempts": 9, "at": 2**35, "slot": 2**35}
_MAYBE = {"status": 999, "certificate_ends_at": 2**37}
_TIMES = ("dns", "connect", "tls", "first_byte", "total")
_REASONS_OF = {
    "up": frozenset({"ok"}),
    "degraded": frozenset({"slow", "walled", "redirects"}),
    "down": frozenset(REASONS) - {"ok", "slow", "walled", "blocked", "egress", "missed", "cut"},
    "unknown": frozenset(REASONS) - {"ok", "slow", "walled", "missed"},
}
_ID = re.compile(r"[0-9]{1,18}")
_DETAIL = re.compile(r"[a-z0-9_]*")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RefusedLineError(ValueError):
    """A line that is no result; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


def line_of(result: Mapping[str, Any]) -> bytes:
    """A result as one line, its texts cut to what is taken."""
    cut = {name: result[name][:size] for name, size in TEXTS.items() if isinstance(result.get(name), str)}
    clean = {name: _UNSTORABLE.sub("\ufffd", text) for name, text in cut.items()}
    return json.dumps({**result, **clean}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read(line: bytes) -> Result:
    """The result that a line says. Raises RefusedLineError, and nothing else whatever the line is."""
    if len(line) > LINE_MAX:
        raise RefusedLineError("size")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RefusedLineError("form") from error
    if not isinstance(data, dict):
        raise RefusedLineError("form")
    return _result(data)


def _result(data: dict[str, Any]) -> Result:
    state, reason, canaries = data.get("state"), data.get("reason"), data.get("canaries", "")
    number = data.get("id")
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise RefusedLineError("monitor")
    if not isinstance(state, str) or not isinstance(reason, str) or canaries not in get_args(Vouch):
        raise RefusedLineError("words")
    if reason not in _REASONS_OF.get(state, ()):
        raise RefusedLineError("words")
    texts = {name: _text(data.get(name, ""), size) for name, size in TEXTS.items()}
    if texts["phase"] not in PHASES or not _DETAIL.fullmatch(texts["detail"]):
        raise RefusedLineError("words")
    whole = {name: _whole(data.get(name, 1 if name == "attempts" else 0), most) for name, most in _WHOLE.items()}
    maybe = {name: None if data.get(name) is None else _whole(data[name], most) for name, most in _MAYBE.items()}
    flags = {name: data.get(name, False) is True for name in ("cut", "retry_after")}
    values: dict[str, Any] = {**texts, **whole, **maybe, **flags, "timings": _timings(data.get("timings"))}
    return Result(id=number, state=state, reason=reason, canaries=canaries, **values)  # type: ignore[arg-type]


def _text(value: object, size: int) -> str:
    if not isinstance(value, str):
        raise RefusedLineError("form")
    if len(value) > size:
        raise RefusedLineError("size")
    return _UNSTORABLE.sub("\ufffd", value)


def _whole(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedLineError("form")
    if not 0 <= value <= most:
        raise RefusedLineError("size")
    return value


def _timings(value: object) -> Timings:
    if not isinstance(value, dict):
        raise RefusedLineError("form")
    return Timings(**{name: _whole(value.get(name, 0), 2**31 - 1) for name in _TIMES})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the portal knows of one monitor: the questions that are out, and the last result, all in epoch seconds.

    `questions`: slot and place of each; `patience`: seconds that a question may wait and a check may last together.
    """

    questions: Sequence[tuple[int, str]]
    patience: int
    checked_at: int | None
    is_active: bool = True


def refusal(result: Result, place: str, monitor: Asked | None, now: int) -> Refusal:
    """Why an answer that came from a place does not count, "" where it does. `now`: epoch seconds."""
    if monitor is None:
        return "monitor"
    if result.place != place:
        return "place"
    if monitor.checked_at is not None and result.at <= monitor.checked_at:
        return "repeat"
    places = dict(monitor.questions)
    if result.slot not in places:
        is_old = not monitor.is_active or now - LONG_AGO <= result.slot <= now
        return "late" if is_old else "slot"
    if places[result.slot] != place:
        return "place"
    last = min(now, result.slot + monitor.patience + AFTER_CHECK)
    if not result.slot - CLOCKS_DIFFER <= result.at <= last + CLOCKS_DIFFER:
        return "time"
    return ""


def within(result: Result) -> Result:
    """A check began no earlier than it was asked for, however the probe's clock goes."""
    return replace(result, at=max(result.at, result.slot))
