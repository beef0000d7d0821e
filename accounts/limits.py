"""How often something may be done: one row a key in PostgreSQL, one statement a question, no cache.

The rule is GCRA, a bucket that refills evenly. Of a bucket only the instant is kept at which it is full again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils.crypto import salted_hmac

from accounts.models import Limit

# A refused act changes nothing, so no try prolongs a lock. The row's lock puts simultaneous acts one after the other
TAKE = """
INSERT INTO accounts_limit AS kept (key, full_at) VALUES (%(key)s, %(at)s + make_interval(secs => %(interval)s))
ON CONFLICT (key) DO UPDATE SET full_at = GREATEST(kept.full_at, %(at)s) + make_interval(secs => %(interval)s)
WHERE GREATEST(kept.full_at, %(at)s) + make_interval(secs => %(interval)s) <= %(at)s + make_interval(secs => %(per)s)
"""
GIVE_BACK = "UPDATE accounts_limit SET full_at = full_at - make_interval(secs => %(interval)s) WHERE key = %(key)s"
SECOND = timedelta(seconds=1)


def take(key: str, *, allowed: int, per: timedelta, at: datetime) -> timedelta | None:
    """Count one act under `key`: None where it may be done, else how long to wait (for `Retry-After`).

    A full bucket allows `allowed` acts at once and refills evenly within `per`. `key` may hold addresses and names:
    only its keyed hash is stored. Call it outside of a transaction: an act that is rolled back isn't counted, and the
    row stays locked until the end. `make bench` says what a call costs, let through and refused.
    """
    interval = per / allowed
    with connection.cursor() as cursor:
        seconds = {"interval": interval.total_seconds(), "per": per.total_seconds()}
        cursor.execute(TAKE, {"key": stored(key), "at": at, **seconds})
        if cursor.rowcount:
            return None
    # Asked anew: one that waited for the row's lock could not see in the same statement what it waited for
    full_at = Limit.objects.filter(key=stored(key)).values_list("full_at", flat=True).first() or at
    return max(full_at + interval - per - at, SECOND)


def give_back(key: str, *, allowed: int, per: timedelta) -> None:
    """Undo one `take`: the act turned out to be none that counts."""
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, {"key": stored(key), "interval": (per / allowed).total_seconds()})


def forget(key: str) -> None:
    """The bucket is full at once."""
    Limit.objects.filter(key=stored(key)).delete()


def stored(key: str) -> str:
    """The key as the table has it: nobody reads names or addresses out of it without `SECRET_KEY`."""
    return salted_hmac("accounts.limits", key, algorithm="sha256").hexdigest()
