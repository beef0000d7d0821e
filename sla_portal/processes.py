"""The product's processes, the same commands for `make run` and for docker-compose.yml (a test compares them)."""

from __future__ import annotations

from collections.abc import Mapping

from sla_portal.environment import VARIABLES

# Solo: the task runs in the worker's one process. A pool of processes costs twice the memory for a lane that does one
# thing at a time anyway (figures in docs/decisions/lanes.md)
WORKER = ["--pool", "solo", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
# Worker → its queue
LANES = {"clock": "clock", "mail": "mail", "calls": "calls", "checks": "monitor", "worker": "report"}


def commands(*, bind: str, beat_file: str, place: str) -> dict[str, list[str]]:
    """Process name → command line.

    `bind`: address of the web server; `beat_file`: where beat keeps its times; `place`: where the probe stands.
    Each lane has one queue and one worker, so what hangs in one holds up no other: deadlines, letters, text messages
    and calls, checks, and `worker` for the rest.
    """
    celery = ["celery", "-A", "sla_portal"]
    return {
        "web": [
            "gunicorn",
            "sla_portal.wsgi",
            "--bind",
            bind,
            "--workers",
            "2",
            "--threads",
            "4",
            "--no-control-socket",
            # It would believe `X-Forwarded-Proto` of 127.0.0.1; whom to believe is for TRUST_PROXY alone to say
            "--forwarded-allow-ips",
            "",
        ],
        **{name: [*celery, "worker", "-n", f"{name}@%h", "-Q", queue, *WORKER] for name, queue in LANES.items()},
        "beat": [*celery, "beat", "--pidfile=", "-s", beat_file, "--loglevel", "WARNING"],
        "probe": [
            *["celery", "-A", "monitoring.probe.worker", "worker", "-n", f"probe.{place}@%h"],
            # Nothing but its queue: heartbeats would go over a channel, which its broker user cannot reach
            *["-Q", f"probe.{place}", *WORKER, "--without-heartbeat"],
        ],
    }


def environment_of(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """What a process gets of the variables: the probe, a stranger, no other of ours than it reads in production.

    The others do without the probe's own ones: Celery's command takes BROKER_URL for its `--broker`.
    """
    if name == "probe":
        return {key: value for key, value in given.items() if key not in VARIABLES or _is_the_probes(key)}
    return {key: value for key, value in given.items() if key not in VARIABLES or VARIABLES[key].read_by != {"probe"}}


def _is_the_probes(name: str) -> bool:
    return "probe" in VARIABLES[name].read_by or name == "PROBE_CA_FILE"
