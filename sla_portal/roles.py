"""The product's role in PostgreSQL: made, and given what `privileges.py` says. Run on the owner's connection.

Both steps may be repeated as often as one likes: each takes back what was given too much before.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from sla_portal import privileges

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"
COLUMNS = """
SELECT attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
MEMBERSHIPS = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole"
ATTRIBUTES = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relowner = r.oid)
    OR EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND d.datdba = r.oid)
FROM pg_roles r WHERE rolname = %s
"""
LOCK = 8_140_911  # any number: two runs at once wait for each other
NO_TRUNCATE = """
CREATE OR REPLACE FUNCTION history_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history is never emptied: %', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
TRIGGER = """
CREATE OR REPLACE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_not_truncated()
"""
FOR_ALL = (
    "REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC, {role}",
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC, {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    # Revoked from a table, its columns' rights go too
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role}",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)


def make(role: str, password: str) -> None:
    """The role with this password; one that exists gets it. Raises CommandError for one that may be too much."""
    if not role or not password:
        raise CommandError("DATABASE_URL needs the name and the password of the product's role.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] == role:
            raise CommandError(
                f"DATABASE_URL and MIGRATE_DATABASE_URL name the same role {role!r}. Give DATABASE_URL another name, "
                "portal_app for example, and a password of its own; this command makes that role."
            )
        cursor.execute(ATTRIBUTES, [role])
        attributes = cursor.fetchone()
        if attributes and attributes[0]:
            raise CommandError(
                f"The role {role!r} owns tables or may more than the product may. Give DATABASE_URL another name; "
                "this command makes that role."
            )
        _give_password(cursor, role, password, is_there=attributes is not None)
        cursor.execute(MEMBERSHIPS, [role])
        for (other,) in cursor.fetchall():
            cursor.execute(sql.SQL("REVOKE {} FROM {}").format(sql.SQL(other), sql.Identifier(role)))


def _give_password(cursor: CursorWrapper, role: str, password: str, *, is_there: bool) -> None:
    """A role of before that another administrator has made keeps the password which that one gave it."""
    # Hashed here, so that no log of the server holds the password
    hashed = encrypt_password(password, role, scope=connection.connection, algorithm="scram-sha-256")
    statement = f"{'ALTER' if is_there else 'CREATE'} ROLE {{role}} LOGIN PASSWORD {{hashed}}"
    try:
        with transaction.atomic():
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role), hashed=sql.Literal(hashed)))
    except ProgrammingError as error:
        if not is_there:
            raise CommandError(
                f"MIGRATE_DATABASE_URL's role may not make the role {role!r} ({str(error).strip()}). Somebody who may "
                f'should run CREATE ROLE "{role}" LOGIN with the password of DATABASE_URL; then run this command again.'
            ) from error


def exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role])
        return cursor.fetchone() is not None


def grant(role: str) -> int:
    """Give the role what each table allows and take the rest back; how many tables there are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        run = _runner(cursor, role)
        run(NO_TRUNCATE)
        for statement in FOR_ALL:
            run(statement)
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            rights = privileges.rights(table)
            cursor.execute(COLUMNS, [table])
            columns = [name for (name,) in cursor.fetchall()]
            run(f"GRANT {', '.join(rights.grants(columns))} ON {{table}} TO {{role}}", table)
            if rights.never_emptied:
                run(TRIGGER, table)
        for function in privileges.FUNCTIONS:
            cursor.execute("SELECT to_regprocedure(%s)", [function])
            if cursor.fetchone()[0]:
                run(f"GRANT EXECUTE ON FUNCTION {function} TO {{role}}")
    return len(tables)


def _runner(cursor: CursorWrapper, role: str) -> Callable[..., None]:
    """Runs a statement in which {role}, {database} and {table} stand for quoted names."""
    database = sql.Identifier(connection.settings_dict["NAME"])

    def run(statement: str, table: str = "") -> None:
        names = {"role": sql.Identifier(role), "database": database, "table": sql.Identifier(table or "none")}
        cursor.execute(sql.SQL(statement).format(**names))

    return run
