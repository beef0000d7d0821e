"""The product's processes, the same commands for `make run` and for docker-compose.yml (a test compares them)."""

from __future__ import annotations

WORKER = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]


def commands(*, bind: str, beat_file: str, place: str) -> dict[str, list[str]]:
    """Process name → command line.

    `bind`: address of the web server; `beat_file`: where beat keeps its times; `place`: where the probe stands.
    The clock worker is alone with its queue and has one process, so nothing long can hold up a breach.
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
        ],
        "clock": [*celery, "worker", "-n", "clock@%h", "-Q", "clock", "--concurrency", "1", *WORKER],
        "worker": [*celery, "worker", "-n", "worker@%h", "-Q", "mail,monitor,report", "--concurrency", "2", *WORKER],
        "beat": [*celery, "beat", "--pidfile=", "-s", beat_file, "--loglevel", "WARNING"],
        "probe": [
            *["celery", "-A", "monitoring.probe_worker", "worker", "-n", f"probe.{place}@%h"],
            *["-Q", f"probe.{place}", "--pool", "solo", *WORKER],
        ],
    }
