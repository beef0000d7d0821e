"""As whom the product connects to its database, and the few commands that connect as the owner.

The product's role may not own what it writes: an owner or a superuser can switch the journal's triggers off. So each
process refuses to work as one, at its start where the database answers, else at its first connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

OWNER_KEYS = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
AS_OWNER = "AS_OWNER"
"""In a connection's settings: it is meant to be the owner's."""
TOO_MUCH = """
SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
    OR pg_has_role(d.datdba, 'MEMBER')
    OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('public')
        AND pg_has_role(c.relowner, 'MEMBER'))
    OR EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass('public.incidents_journalentry')
        AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'))
FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()
"""
_judged: set[tuple[object, object]] = set()


@contextmanager
def as_owner() -> Iterator[None]:
    """The default connection is the owner's meanwhile, in the same database. Raises ImproperlyConfigured for none."""
    owner = settings.OWNER_DATABASE
    if not owner:
        raise ImproperlyConfigured(
            "MIGRATE_DATABASE_URL is empty: expected the address of the database with its owner's name and password."
        )
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update({key: owner.get(key, "") for key in OWNER_KEYS}, **{AS_OWNER: True})
    connection.settings_dict["OPTIONS"] = owner.get("OPTIONS") or {}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.pop(AS_OWNER)
        connection.settings_dict.update(kept)


def product_role() -> str:
    """The role as which the product works: the one of DATABASE_URL, or in tests the one that is put on."""
    own = connection.settings_dict
    return str((own.get("OPTIONS") or {}).get("assume_role") or own["USER"])


def refuse_too_much(wrapper: BaseDatabaseWrapper) -> None:
    """Raises ImproperlyConfigured, and closes the connection, where its role may rewrite what was recorded: it is a
    superuser, owns the tables, can become their owner, or was given rights over the journal.

    Asked once in a process for each role and database.
    """
    own = wrapper.settings_dict
    key = (own["USER"], own["NAME"])
    if own.get(AS_OWNER) or key in _judged:
        return
    with wrapper.cursor() as cursor:
        cursor.execute(TOO_MUCH)
        (too_much,) = cursor.fetchone()
    if too_much:
        wrapper.close()
        raise ImproperlyConfigured(
            f"DATABASE_URL names the role {own['USER']!r}, which is a superuser, owns the database or was given too "
            "much: it could rewrite the journal. Give DATABASE_URL the name and password of another role, set "
            "MIGRATE_DATABASE_URL to the owner's address and run `manage.py roles`, which makes that role and takes "
            "back what it may not do."
        )
    _judged.add(key)


def judge_at_start() -> None:
    """For the start of a process: raises ImproperlyConfigured as above; a database that is away is judged later."""
    if connection.connection is not None:
        return
    try:
        connection.ensure_connection()
    except OperationalError:
        return
    connection.close()
