"""The demo that one file of a run has played, kept for the next: its rows by COPY and its folder. Playing takes seven
seconds of CPU, putting the rows back a third of one."""

from __future__ import annotations

import fcntl
import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.db.backends.utils import CursorWrapper

from tests.owner import owner_cursor

COLUMNS = """
    SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_name = ANY(%s) AND is_generated = 'NEVER' GROUP BY 1
"""
SEQUENCES = "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL"


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """The other worker waits until the story is kept, instead of playing it as well."""
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tell(place: Path, folder: Path, play: Callable[[], None]) -> None:
    """Fills the database and `folder` from `place`, which all workers share, or plays and keeps what came of it."""
    with alone(place):
        if (place / "whole").exists():
            put_back(place, folder)
            return
        play()
        keep(place, folder)
        (place / "whole").touch()


def keep(place: Path, folder: Path) -> None:
    shutil.copytree(folder, place / "folder")
    with owner_cursor() as cursor:
        for table, columns in columns_of(cursor):
            rows = io.BytesIO()
            cursor.cursor.copy_expert(f'COPY (SELECT {columns} FROM "{table}") TO STDOUT', rows)
            (place / table).write_bytes(rows.getvalue())
        cursor.execute(SEQUENCES)
        (place / "sequences").write_text("\n".join(f"{name} {value}" for name, value in cursor.fetchall()))


def put_back(place: Path, folder: Path) -> None:
    shutil.copytree(place / "folder", folder, dirs_exist_ok=True)
    with owner_cursor(triggers=False) as cursor:
        for table, columns in columns_of(cursor):
            cursor.execute(f'DELETE FROM "{table}"')
            cursor.cursor.copy_expert(
                f'COPY "{table}" ({columns}) FROM STDIN', io.BytesIO((place / table).read_bytes())
            )
        for line in (place / "sequences").read_text().splitlines():
            name, value = line.rsplit(" ", 1)
            cursor.execute(f"SELECT setval('{name}', greatest(%s, nextval('{name}')))", [int(value)])


def columns_of(cursor: CursorWrapper) -> list[tuple[str, str]]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    cursor.execute(COLUMNS, [tables])
    return list(cursor.fetchall())
