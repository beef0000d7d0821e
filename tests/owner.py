"""The owner of the database, for tests: whoever makes and empties it, and the attacker with the server's password.

All product code of a test process runs as the product's role: its connection is the owner's, and the first thing done
on it is SET ROLE. So a test can put the role off and on inside its own transaction. Processes that a test starts
connect with the role's own password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2.extensions import TRANSACTION_STATUS_INERROR


@contextmanager
def as_owner(*, triggers: bool = True) -> Iterator[None]:
    """This test's connection plays the owner, in the same transaction. `triggers=False`: nothing protects any row.

    A statement that fails belongs in a savepoint, inside of it or around it: that one's end puts the role on again.
    """
    role = connection.settings_dict.get("OPTIONS", {}).get("assume_role")
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        if not triggers:
            cursor.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        if connection.connection.info.transaction_status != TRANSACTION_STATUS_INERROR:
            put_on(role)


def put_on(role: str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET session_replication_role")
        if role:
            cursor.execute(f'SET ROLE "{role}"')


@contextmanager
def owner_cursor(*, triggers: bool = True) -> Iterator[CursorWrapper]:
    """A cursor of the owner on the test's database."""
    with as_owner(triggers=triggers), connection.cursor() as cursor:
        yield cursor
