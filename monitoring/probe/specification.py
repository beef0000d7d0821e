"""What a probe is asked, what it saw and what that means: plain values that travel between processes as JSON."""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Literal, Self, get_args


class State(StrEnum):
    """What was seen of an address or a shop. `paused` is time in which nobody looked: as unknown."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"


# The same as a message between processes has it
StateWord = Literal["up", "degraded", "down", "unknown", "maintenance", "paused"]
Reason = Literal[
    "ok",
    "slow",
    "timeout",
    "connect",
    "dns",
    "tls",
    "protocol",
    "redirects",
    "truncated",
    "encoding",
    "content",
    "cut",
    "status",
    "walled",
    "blocked",
    "egress",
    "missed",
]
# Whether the canaries vouched for our own way out: "" where nobody had to be asked, "none" where none are named.
Vouch = Literal["", "answered", "failed", "none"]
Phase = Literal["", "dns", "connect", "tls", "headers", "body"]

STATES: tuple[StateWord, ...] = get_args(StateWord)
REASONS: tuple[Reason, ...] = get_args(Reason)
PHASES: tuple[Phase, ...] = get_args(Phase)


def _frozen(value: Any) -> Any:
    """Lists of JSON as tuples, so that a value that came by JSON equals the one that was sent."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


class Plain:
    """JSON in and out for a flat dataclass; an unknown or missing field raises TypeError."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{name: _frozen(value) for name, value in data.items()})


@dataclass(frozen=True, slots=True)
class CheckSpec(Plain):
    """One check of one address. Times in milliseconds, sizes in bytes.

    `header` is a name and the text its value must contain; `json_path` is like `status` or `items[0].name`, with
    `json_value` the text it must have ("" = it must only exist). `hosts` are the hosts at which a redirect may end;
    empty means the host of `url`, with or without `www.`. Of networks that aren't public only `networks` may
    be connected to, on any port; elsewhere only `ports`.
    `request_headers` may hold secrets and never appear in a result. `slot` (UTC epoch seconds) is when it was asked;
    the result says it again. Networks and ports are the probe's own business: what a message says is ignored.
    """

    id: str
    url: str
    method: str = "GET"
    request_headers: tuple[tuple[str, str], ...] = ()
    timeout_ms: int = 10_000
    slow_ms: int = 3_000
    statuses: tuple[int, ...] = (200,)
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    min_bytes: int = 1
    json_path: str = ""
    json_value: str = ""
    header: tuple[str, str] | None = None
    hosts: tuple[str, ...] = ()
    body_cap: int = 512 * 1024
    header_cap: int = 64 * 1024
    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Timings(Plain):
    """Milliseconds of each phase of the last hop; `total` from the start of the check to its end, all hops included."""

    dns: int = 0
    connect: int = 0
    tls: int = 0
    first_byte: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, order=True)
class CertificateEnd:
    """`ends_at` in epoch seconds; of `host` its own certificate, or the intermediate one that it sends by this name."""

    ends_at: int
    host: str = ""
    intermediate: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What happened, not yet judged. `fault` is "" when a whole answer (or one cut by our cap) was read."""

    method: str
    url: str
    fault: Literal[
        "", "timeout", "connect", "dns", "tls", "protocol", "redirects", "truncated", "encoding", "blocked", "egress"
    ] = ""
    phase: Phase = ""
    detail: str = ""
    subject: str = ""
    timings: Timings = Timings()
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: bool = False
    hops: tuple[str, ...] = ()
    address: str = ""
    certificate: CertificateEnd | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Result(Plain):
    """The verdict on one check. `at` is the start in UTC epoch seconds, `place` where it was made, `slot` when asked.

    `certificate_…`: the first to end of all hops, whose it is, and its name where it is an intermediate one.
    `detail` is a closed sub-reason (see monitoring/sentences.py), `subject` the text, host, header or address meant.
    `excerpt` (redacted, at most 2 KiB) is evidence for staff only.
    """

    id: str
    state: StateWord
    reason: Reason
    phase: Phase = ""
    detail: str = ""
    subject: str = ""
    timings: Timings = Timings()
    status: int | None = None
    address: str = ""
    bytes: int = 0
    cut: bool = False
    retry_after: bool = False
    certificate_ends_at: int | None = None
    certificate_host: str = ""
    certificate_intermediate: str = ""
    excerpt: str = ""
    attempts: int = 1
    at: int = 0
    place: str = ""
    canaries: Vouch = ""
    slot: int = 0

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        names = {field.name for field in fields(cls)}
        plain = {name: _frozen(value) for name, value in data.items() if name in names}
        return cls(**(plain | {"timings": Timings(**data["timings"])}))
