"""Two acts at once, on two connections with real commits, that meet at one point unless a lock keeps one outside."""

from __future__ import annotations

import threading
import time

from django.db import connection

MEET = 0.7
"""Seconds that one waits for the other inside its transaction, where nothing says that the other can't come."""
HELD = 0.1
"""Seconds for which the other waits for a lock before it counts as kept outside; a moment's wait ends by itself."""
# pg_stat_activity would show one frozen picture for the whole transaction; other tests' databases have waiters too
WAITING = """
    SELECT count(*) FROM pg_locks waiter WHERE NOT waiter.granted AND EXISTS (
        SELECT 1 FROM pg_locks held JOIN pg_database ON pg_database.oid = held.database
        WHERE held.pid = waiter.pid AND pg_database.datname = current_database())
"""


def waiting() -> int:
    """How many locks are waited for in this test's database."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return int(cursor.fetchone()[0])


class Meeting:
    """A point that both reach before either goes on, unless a lock holds one of them outside."""

    def __init__(self) -> None:
        self.lock, self.arrived, self.took_place = threading.Lock(), 0, True

    def reached(self) -> None:
        with self.lock:
            self.arrived += 1
        end, held_since = time.monotonic() + MEET, 0.0
        while self.took_place and self.arrived < 2:
            now = time.monotonic()
            held_since = (held_since or now) if waiting() else 0.0
            if now > end or (held_since and now - held_since > HELD):
                self.took_place = False
            time.sleep(0.01)
