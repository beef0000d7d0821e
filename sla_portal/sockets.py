"""Where the embedded servers of a data folder listen, and how their addresses are spelled.

Apart from `embedded.py`, which starts them: settings need the addresses in production too, without its packages.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from monitoring.probe_link import celery_address
from sla_portal import broker_users

SOCKET_PATH_MAX = 100  # bytes; the kernel's limit is 107


def home_of(data_dir: Path) -> Path:
    """Where the servers of this data folder live: in it, or under the temporary folder where that cannot work."""
    wanted = data_dir / "servers"
    if len(os.fsencode(wanted / "postgres" / ".s.PGSQL.5432")) <= SOCKET_PATH_MAX and reachable(data_dir):
        return wanted
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sla_portal-{os.getuid()}-{mark}"


def reachable(folder: Path) -> bool:
    """Whether user 65534 may pass through every folder of the path that exists; asked only when we are root."""
    steps = [step for step in (folder, *folder.parents) if step.exists()]
    return os.getuid() != 0 or all(step.stat().st_mode & stat.S_IXOTH for step in steps)


def postgres_url(data_dir: Path, database: str = "sla_portal") -> str:
    return f"postgresql://postgres@/{database}?host={home_of(data_dir) / 'postgres'}"


def valkey_url(data_dir: Path, user: str = broker_users.PORTAL, number: int = 0) -> str:
    """`number`: one of the server's 16 databases. Without a password before the first `make run` has made one."""
    password = broker_users.kept(data_dir).get(user, "")
    return socket_url(home_of(data_dir) / "valkey.sock", user, password, number)


def socket_url(socket: Path, user: str, password: str, number: int = 0) -> str:
    who = f"{user}:{password}@" if password else ""
    return f"unix://{who}{socket}?db={number}"


def broker_url(redis_url: str) -> str:
    """Celery's spelling of a Redis address."""
    return celery_address(redis_url)
