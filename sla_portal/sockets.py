"""Where the embedded servers of a data folder listen, and how their addresses are spelled.

Apart from `local/embedded.py`, which starts them: settings need the addresses in production too, without its packages.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from monitoring.probe.link import celery_address
from sla_portal import broker_users

OWNER, PRODUCT, DATABASE = "portal", "portal_app", "sla_portal"
"""Roles and database of the embedded server; in production they are named by the addresses that are given, and
docker-compose.yml gives the same two roles (a test compares them)."""
SOCKET_PATH_MAX = 100  # bytes; the kernel's limit is 107


def home_of(data_dir: Path) -> Path:
    """Where the servers of this data folder live: in it, or under the temporary folder where that cannot work."""
    home = data_dir / "servers"
    if len(os.fsencode(home / "postgres" / ".s.PGSQL.5432")) <= SOCKET_PATH_MAX and reachable(data_dir):
        return home
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sla_portal-{os.getuid()}-{mark}"


def reachable(folder: Path) -> bool:
    """Whether user 65534 may pass through every folder of the path that exists; asked only when we are root."""
    steps = [step for step in (folder, *folder.parents) if step.exists()]
    return os.getuid() != 0 or all(step.stat().st_mode & stat.S_IXOTH for step in steps)


def postgres_url(data_dir: Path) -> str:
    """The product's role on the embedded server, with the password that `make run` made for this data folder."""
    return address_of(PRODUCT, _password(data_dir, PRODUCT), home_of(data_dir) / "postgres")


def owner_url(data_dir: Path) -> str:
    """The owner there: for migrations and roles only."""
    return address_of(OWNER, _password(data_dir, OWNER), home_of(data_dir) / "postgres")


def address_of(role: str, password: str, folder: Path, database: str = DATABASE) -> str:
    return f"postgresql://{role}:{password}@/{database}?host={folder}"


def password_file(role: str) -> str:
    """Its name in DATA_DIR/run."""
    return f"{role}_password"


def _password(data_dir: Path, role: str) -> str:
    path = data_dir / "run" / password_file(role)
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


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
