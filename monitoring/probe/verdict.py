"""From what a probe saw to a verdict. Pure: a specification and an observation in, a result out.

A fault on our side is `unknown`, never `down`.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import re2
from yarl import URL

from monitoring.probe.faults import CheckError
from monitoring.probe.inflation import inflate
from monitoring.probe.page_text import decode, excerpt, line
from monitoring.probe.specification import (
    CertificateEnd,
    CheckSpec,
    Observation,
    Phase,
    Reason,
    Result,
    StateWord,
    Vouch,
)

# Pages that servers show with status 200 although the shop behind them doesn't work.
BUILT_IN_FORBIDDEN = (
    "Error establishing a database connection",
    "Błąd podczas łączenia się z bazą danych",
    "Błąd nawiązywania połączenia z bazą danych",
    "<b>Fatal error</b>:",
    "PHP Fatal error:",
    "PHP Parse error:",
    "<b>Parse error</b>:",
    "SQLSTATE[",
    "There has been a critical error on this website",
    "W witrynie wystąpił błąd krytyczny",
    "Welcome to nginx!",
    "Apache2 Debian Default Page",
    "Apache2 Ubuntu Default Page",
    "<h1>It works!</h1>",
    "IIS Windows Server",
    "Index of /</title>",
)

MAX_NAME = 100  # characters of a certificate's name that are kept
MAX_HOST = 255  # of a name in DNS (RFC 1035)
MAX_SUBJECT = 300
WALLED = (403, 429)  # a wall against robots says nothing about customers: degraded, not down
# What a broken way out of ours looks like from here; an answer with a wrong status or text is the shop's own.
NETWORK_REASONS: frozenset[Reason] = frozenset({"dns", "connect", "timeout", "tls", "protocol", "truncated"})
# No name server gave an answer of use; a router said that there is no way.
DOUBTS = frozenset({("dns", "servfail"), ("dns", "timeout"), ("connect", "unreachable")})

_JSON_STEP = re.compile(r"\[(\d{1,6})\]|([^.\[\]]+)")
_Finding = tuple[StateWord, Reason, str, str]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What judging an answer came to: all that depends on what stands in it. `size` in bytes, inflated."""

    state: StateWord
    reason: Reason
    phase: Phase = ""
    detail: str = ""
    subject: str = ""
    size: int = 0
    cut: bool = False
    excerpt: str = ""


def judge(spec: CheckSpec, observation: Observation) -> Result:
    """The verdict of monitoring on one observation; `at` and `place` are left to the caller."""
    return result_of(spec, observation, opinion_of(spec, observation))


def opinion_of(spec: CheckSpec, observation: Observation) -> Opinion:
    """Reads the answer: inflates, decodes and searches it, at a cost that the other side chooses within the caps."""
    observation = _inflated(spec, observation)
    text = decode(observation.body, dict(observation.headers))
    state, reason, detail, subject = (
        _fault(observation)
        or _status(spec, observation)
        or _content(spec, observation, text)
        or _grade(spec, observation)
    )
    shown = "" if state == "up" else excerpt(text, (value for _, value in spec.request_headers))
    phase = observation.phase if observation.fault else ""
    return Opinion(
        state, reason, phase, detail, line(subject, MAX_SUBJECT), len(observation.body), observation.cut, shown
    )


def result_of(spec: CheckSpec, observation: Observation, opinion: Opinion) -> Result:
    """An opinion with what the probe itself measured."""
    certificate = observation.certificate or CertificateEnd(0)
    return Result(
        id=spec.id,
        state=opinion.state,
        reason=opinion.reason,
        phase=opinion.phase,
        detail=opinion.detail,
        subject=opinion.subject,
        timings=observation.timings,
        status=observation.status,
        address=observation.address,
        bytes=opinion.size,
        cut=opinion.cut,
        retry_after=any(name == "retry-after" for name, _ in observation.headers),
        certificate_ends_at=certificate.ends_at if observation.certificate else None,
        certificate_host=line(certificate.host, MAX_HOST),
        certificate_intermediate=line(certificate.intermediate, MAX_NAME),
        excerpt=opinion.excerpt,
        attempts=observation.attempts,
    )


def _inflated(spec: CheckSpec, observation: Observation) -> Observation:
    """The same with its body inflated; of a body that broke off, what can be read of it stays as evidence."""
    encoding = dict(observation.headers).get("content-encoding", "")
    try:
        body, has_more = inflate(
            observation.body, encoding, spec.body_cap, is_whole=not (observation.cut or observation.fault)
        )
    except CheckError as failure:
        if observation.fault:
            return replace(observation, body=b"")
        fault = {"fault": failure.fault, "phase": failure.phase, "detail": failure.detail, "subject": failure.subject}
        return replace(observation, body=b"", **fault)  # type: ignore[arg-type]
    return replace(observation, body=body, cut=observation.cut or has_more)


def _fault(observation: Observation) -> _Finding | None:
    if not observation.fault:
        return None
    ours = observation.fault in ("blocked", "egress")
    return ("unknown" if ours else "down", observation.fault, observation.detail, observation.subject)


def _status(spec: CheckSpec, observation: Observation) -> _Finding | None:
    if observation.status in spec.statuses:
        return None
    if observation.status in WALLED:
        return ("degraded", "walled", "", "")
    return ("down", "status", observation.detail, "")


def _content(spec: CheckSpec, observation: Observation, text: str) -> _Finding | None:
    host = URL(observation.url).host or ""
    if host not in allowed_hosts(spec):
        return ("down", "content", "host", host)
    if (wrong := _header(spec, observation)) or observation.method == "HEAD":
        return wrong
    return _presence(spec, observation, text) or _absence(spec, observation, text) or _json(spec, observation, text)


def allowed_hosts(spec: CheckSpec) -> tuple[str, ...]:
    """Hosts at which the check may end; a shop's name with and without `www.` counts as one where none are given."""
    if spec.hosts:
        return spec.hosts
    host = URL(spec.url).host or ""
    bare = host.removeprefix("www.")
    return (bare, f"www.{bare}")


def _header(spec: CheckSpec, observation: Observation) -> _Finding | None:
    if spec.header is None:
        return None
    name, part = spec.header
    is_there = any(key == name.lower() and part.lower() in value.lower() for key, value in observation.headers)
    return None if is_there else ("down", "content", "header", name)


def _presence(spec: CheckSpec, observation: Observation, text: str) -> _Finding | None:
    """What must not be there: an empty or too small page, a forbidden text."""
    if spec.min_bytes and not text.strip():
        return ("down", "content", "empty", "")
    if len(observation.body) < spec.min_bytes and not observation.cut:
        return ("down", "content", "small", str(len(observation.body)))
    for forbidden in (*spec.forbidden, *BUILT_IN_FORBIDDEN):
        if forbidden in text:
            return ("down", "content", "forbidden", forbidden)
    return None


def _absence(spec: CheckSpec, observation: Observation, text: str) -> _Finding | None:
    """What must be there and isn't; in a body that we cut ourselves that proves nothing."""
    state, reason = ("unknown", "cut") if observation.cut else ("down", "content")
    for required in spec.required:
        if required not in text:
            return (state, reason, "missing", required)  # type: ignore[return-value]
    for pattern in spec.regexes:
        if not matches(pattern, text):
            return (state, reason, "pattern", pattern)  # type: ignore[return-value]
    return None


def matches(pattern: str, text: str) -> bool:
    """Linear in the length of the text whatever the pattern; re2.error for a pattern that isn't one."""
    return re2.search(pattern, text) is not None


def _json(spec: CheckSpec, observation: Observation, text: str) -> _Finding | None:
    if not spec.json_path:
        return None
    if observation.cut:
        return ("unknown", "cut", "json", spec.json_path)
    try:
        value = _as_text(at_path(json.loads(text), spec.json_path))
    except (ValueError, LookupError, TypeError, RecursionError):
        return ("down", "content", "json", spec.json_path)
    if spec.json_value and value != spec.json_value:
        return ("down", "content", "json", spec.json_path)
    return None


def at_path(value: Any, path: str) -> Any:
    """The value at `items[0].name` (a leading `$.` is allowed); LookupError or TypeError where there is none."""
    for index, name in _JSON_STEP.findall(path.removeprefix("$")):
        value = value[int(index)] if index else value[name]
    return value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _grade(spec: CheckSpec, observation: Observation) -> _Finding:
    addresses = (spec.url, *observation.hops, observation.url)
    schemes = [URL(address).scheme for address in addresses]
    if ("https", "http") in pairwise(schemes):
        return ("degraded", "redirects", "downgrade", "")
    if observation.timings.total > spec.slow_ms:
        return ("degraded", "slow", "", "")
    return ("up", "ok", "", "")


def judge_egress(answered: Sequence[bool]) -> bool:
    """Whether our own way out works: 3 of 4 canaries must answer, of another number three quarters, rounded up."""
    return sum(answered) >= math.ceil(len(answered) * 3 / 4)


@dataclass(frozen=True, slots=True)
class WayOut:
    """What the canaries said. `works`: enough of them answered; `names`: name servers did. None: nobody was asked."""

    works: bool | None = None
    names: bool | None = None

    @property
    def said(self) -> Vouch:
        return "none" if self.works is None else "answered" if self.works else "failed"


def is_doubtful(result: Result) -> bool:
    """What our own network or name server may have caused as well as the shop's: somebody must vouch for ours."""
    return (result.reason, result.detail) in DOUBTS


def blame(result: Result, way_out: WayOut) -> Result:
    """The same result, or `unknown: egress` where the fault was ours, or nobody vouches that it wasn't."""
    if result.state != "down" or result.reason not in NETWORK_REASONS:
        return result
    if way_out.works is False:
        return _ours(result, "canaries")
    if is_doubtful(result) and not (way_out.names if result.reason == "dns" else way_out.works):
        return _ours(result, "names" if result.reason == "dns" else "unreachable")
    return result


def _ours(result: Result, detail: str) -> Result:
    return replace(result, state="unknown", reason="egress", detail=detail, subject="")


def with_second_place(result: Result, others: Iterable[Result]) -> Result:
    """A wall (403, 429) is the shop's own failure once a second place runs into it as well."""
    if result.reason == "walled" and any(other.reason == "walled" for other in others):
        return replace(result, state="down", reason="status")
    return result


def during_maintenance(result: Result) -> Result:
    """The result of a check made inside an announced window: what fails or says Retry-After there is maintenance."""
    if result.state in ("down", "degraded") or (result.retry_after and result.status == 503):
        return replace(result, state="maintenance")
    return result


def missed(check_id: str, *, at: int) -> Result:
    """A check that should have been made and wasn't: our fault, so unknown."""
    return Result(id=check_id, state="unknown", reason="missed", at=at)


def warns_of_certificate(ends_at: int | None, *, at: int) -> int | None:
    """The warning that a certificate's end calls for: 30, 14 or 7 (days), 0 once it has ended, None for none."""
    if ends_at is None:
        return None
    if ends_at <= at:
        return 0
    return next((days for days in (7, 14, 30) if ends_at - at <= days * 86_400), None)
