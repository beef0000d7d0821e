"""`make bench`: figures of what must be fast, as a table and as JSON with the machine's description. Not a test.

python -m tests.bench [NAME …]     all, or those whose name contains one of the words; JSON in var/bench.json
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import django
import psutil

from sla_portal import broker_users, sockets
from sla_portal.local import embedded

Figure = tuple[str, str, str]
"""What was measured, the figure with its unit, and what it should be ("" where nothing is promised)."""
WIDTH = 60  # of the longest name, nearly


@contextmanager
def servers() -> Iterator[None]:
    """Embedded servers of its own with the settings of production, in a temporary folder."""
    home = Path(tempfile.mkdtemp(prefix="sla_portal-bench-")).resolve()
    if os.getuid() == 0:
        home.chmod(0o711)
    (home / "run").mkdir(mode=0o700)
    valkey = embedded.Valkey(home, broker_users.make(home, ()))
    started: list[embedded.Server] = [embedded.Postgres(home, "bench"), valkey]
    try:
        for server in started:
            server.start()
        folder = home / "postgres"
        os.environ["MIGRATE_DATABASE_URL"] = sockets.address_of(sockets.OWNER, "bench", folder, "postgres")
        os.environ["DATABASE_URL"] = sockets.address_of(sockets.PRODUCT, "bench", folder, "postgres")
        os.environ["REDIS_URL"] = valkey.url(broker_users.PORTAL)
        os.environ["SECRET_KEY"] = "b" * 50
        yield
    finally:
        for server in started:
            server.stop()
        shutil.rmtree(home)


def machine() -> dict[str, str]:
    return {
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total // 2**30} GiB",
        "system": platform.platform(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main(words: list[str]) -> None:
    described = machine()
    sys.stdout.write(", ".join(f"{key} {value}" for key, value in described.items()) + "\n")
    found: list[Figure] = []
    with servers():
        os.environ["DJANGO_SETTINGS_MODULE"] = "sla_portal.settings"
        django.setup()
        # Django must be set up before the measures import its models
        from tests.bench.measures import MEASURES  # noqa: PLC0415

        for name, measure in MEASURES.items():
            if words and not any(word in name for word in words):
                continue
            found += part(name, measure)
            keep(described, found)


def part(name: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    """Printed as soon as it's there: whoever ends the run early has what was measured until then."""
    sys.stdout.write(f"\n{name}\n")
    sys.stdout.flush()
    began = time.perf_counter()
    figures = measure()
    sys.stdout.writelines(f"  {what:<{WIDTH}}  {figure:>16}  {wanted}\n" for what, figure, wanted in figures)
    sys.stdout.write(f"  ({time.perf_counter() - began:.0f} s)\n")
    return figures


def keep(described: dict[str, str], found: list[Figure]) -> None:
    path = Path("var") / "bench.json"
    path.parent.mkdir(exist_ok=True)
    rows = [{"what": what, "figure": figure, "wanted": wanted} for what, figure, wanted in found]
    path.write_text(json.dumps({"machine": described, "figures": rows}, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
