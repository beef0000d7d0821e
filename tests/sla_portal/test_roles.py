"""The database's two roles: what the product's may do, what is refused to an attacker who has it, and to the owner."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from psycopg2.extensions import connection as Link  # noqa: N812

from incidents import journal
from incidents.events import Kind
from incidents.models import Breach, JournalEntry
from reports.models import BreachDecision
from reports.money import review
from sla_portal import database, privileges, roles
from sla_portal.environment import BASE_DIR
from tests import build
from tests.owner import owner_cursor
from tests.reports.missed import late_repair

GRANTED = """
SELECT c.relname, p FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND has_table_privilege(%s, c.oid, p)
"""
COLUMNS = """
SELECT table_name, column_name FROM information_schema.column_privileges
WHERE grantee = %s AND table_schema = 'public' AND privilege_type = 'UPDATE'
"""


def role() -> str:
    return str(environ.Env.db_url_config(os.environ["DATABASE_URL"])["USER"])


@pytest.mark.django_db
def test_every_table_has_the_rights_that_are_declared_and_no_others() -> None:
    with owner_cursor() as cursor:
        cursor.execute(roles.TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(GRANTED, [role()])
        granted: dict[str, set[str]] = {name: set() for name in tables}
        for name, right in cursor.fetchall():
            granted[name].add(right)
        cursor.execute(COLUMNS, [role()])
        completed: dict[str, set[str]] = {name: set() for name in tables}
        for name, column in cursor.fetchall():
            completed[name].add(column)
        columns: dict[str, list[str]] = {}
        for name in tables:
            cursor.execute(roles.COLUMNS, [name])
            columns[name] = [column for (column,) in cursor.fetchall()]
    assert set(privileges.HISTORY | privileges.OTHERS) <= set(tables)
    for name in tables:
        rights = privileges.rights(name)
        assert {*(rights.update or ()), *rights.kept} <= set(columns[name]), name
        assert granted[name] == {word for word in rights.grants(columns[name]) if " " not in word}, name
        assert completed[name] == set(rights.changeable(columns[name])), name
    assert [name for name, rights in privileges.HISTORY.items() if rights.delete or rights.update is None] == []
    assert privileges.HISTORY["incidents_journalentry"].grants(["text"]) == ["SELECT", "INSERT"]


@pytest.mark.django_db
def test_this_process_works_as_the_product_s_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (role(),)


@pytest.fixture
def decided(transactional_db: None) -> BreachDecision:
    """A breach with its decision, committed."""
    world = build.world()
    late = timedelta(hours=2, minutes=30)
    breach = late_repair(world, late)
    return review.confirm(breach=breach, by=world.manager, at=breach.deadline + timedelta(days=9))


@pytest.fixture
def attacker(process_environment: dict[str, str]) -> Iterator[Link]:
    """Whoever has the product's password, on a connection of their own."""
    link = psycopg2.connect(process_environment["DATABASE_URL"])
    link.autocommit = True
    yield link
    link.close()


NO_RIGHT, NOT_OWNER = "permission denied for table", "must be owner of"
ATTACKS = (
    ("UPDATE incidents_journalentry SET text = ''", NO_RIGHT),
    ("DELETE FROM incidents_journalentry", NO_RIGHT),
    ("TRUNCATE incidents_journalentry CASCADE", NO_RIGHT),
    ("DELETE FROM incidents_incident", NO_RIGHT),
    ("DELETE FROM incidents_breach", NO_RIGHT),
    ("UPDATE incidents_breach SET deadline = deadline + interval '1 day'", NO_RIGHT),
    ("UPDATE incidents_breach SET stopped_at = deadline, version_id = 1", NO_RIGHT),
    ("UPDATE incidents_breach SET voided_at = now()", "this breach has a decision"),
    ("UPDATE reports_breachdecision SET amount_after = 0", NO_RIGHT),
    ("DELETE FROM reports_breachdecision", NO_RIGHT),
    ("UPDATE incidents_anchor SET root = ''", NO_RIGHT),
    ("DELETE FROM incidents_anchorleaf", NO_RIGHT),
    ("DELETE FROM contracts_seal", NO_RIGHT),
    ("UPDATE messaging_notification SET recipient_id = 1", NO_RIGHT),
    ("DELETE FROM messaging_notification", NO_RIGHT),
    ("UPDATE incidents_notice SET incident_id = 1", NO_RIGHT),
    ("DELETE FROM incidents_notice", NO_RIGHT),
    ("UPDATE contracts_contractversion SET monthly_fee = 1", NO_RIGHT),
    ("UPDATE contracts_calendar SET weekly = '{{}}'", NO_RIGHT),
    ("UPDATE contracts_target SET minutes = 1", NO_RIGHT),
    ("DELETE FROM monitoring_outage", NO_RIGHT),
    ("UPDATE django_migrations SET name = ''", NO_RIGHT),
    ("SELECT setval('incidents_incident_id_seq', 1)", "permission denied for sequence"),
    ("SELECT incidents_forget_words(id) FROM incidents_journalentry", "no line of the journal says"),
    ("ALTER TABLE incidents_journalentry DISABLE TRIGGER ALL", NOT_OWNER),
    ("ALTER TABLE incidents_breach ADD COLUMN mine int", NOT_OWNER),
    ("DROP TRIGGER incidents_journal_is_append_only ON incidents_journalentry", NOT_OWNER),
    ("CREATE TRIGGER mine BEFORE INSERT ON incidents_breach EXECUTE FUNCTION history_is_not_truncated()", NO_RIGHT),
    ("CREATE RULE mine AS ON DELETE TO incidents_breach DO INSTEAD NOTHING", NOT_OWNER),
    ("DROP TABLE incidents_journalentry", NOT_OWNER),
    ("ALTER FUNCTION incidents_forget_words(bigint) SET search_path = mine", NOT_OWNER),
    ("CREATE OR REPLACE FUNCTION public.history_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS ''",
     "permission denied for schema public"),
    ("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "permission denied for schema public"),
    ("CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "permission denied to create temporary"),
    ("CREATE TABLE mine (x int)", "permission denied for schema public"),
    ("CREATE TEMPORARY TABLE mine (x int)", "permission denied to create temporary tables"),
    ("CREATE SCHEMA mine", "permission denied for database"),
    ("CREATE EXTENSION dblink", "permission denied to create extension"),
    ("CREATE DATABASE mine", "permission denied to create database"),
    ("CREATE ROLE mine", "permission denied to create role"),
    ("SET session_replication_role = replica", "permission denied to set parameter"),
    ("DO $$ BEGIN PERFORM set_config('session_replication_role', 'replica', true); END $$", "permission denied to set"),
    ("ALTER ROLE {role} SET session_replication_role = replica", "permission denied to set parameter"),
    ("ALTER SYSTEM SET fsync = off", "permission denied to set parameter"),
    ("SET ROLE {owner}", "permission denied to set role"),
    ("SET SESSION AUTHORIZATION {owner}", "permission denied to set session authorization"),
    ("GRANT {owner} TO {role}", "permission denied to grant role"),
    ("ALTER ROLE {role} SUPERUSER", "permission denied to alter role"),
    ("ALTER ROLE {owner} PASSWORD 'mine'", "permission denied to alter role"),
    ("GRANT DELETE ON incidents_breach TO {role}; DELETE FROM incidents_breach", NO_RIGHT),
    ("COPY accounts_user TO PROGRAM 'cat'", "permission denied to COPY to or from an external program"),
    ("COPY accounts_user FROM PROGRAM 'id'", "permission denied to COPY to or from an external program"),
    ("COPY accounts_user TO '/tmp/mine'", "permission denied to COPY to a file"),
    ("SELECT pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"),
    ("SELECT lo_export(1, '/tmp/mine')", "permission denied for function lo_export"),
    ("SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid"),
    ("SELECT passwd FROM pg_shadow", "permission denied for view pg_shadow"),
)  # fmt: skip


def test_an_attacker_with_the_product_s_password_is_refused_by_the_database(
    decided: BreachDecision, attacker: Link
) -> None:
    owner = environ.Env.db_url_config(os.environ["MIGRATE_DATABASE_URL"])["USER"]

    def rows() -> tuple[list[Any], ...]:
        return tuple(list(model.objects.order_by("pk").values()) for model in (JournalEntry, Breach, BreachDecision))

    before = rows()
    answers = {attack: answer(attacker, attack.format(owner=owner, role=role())) for attack, _refusal in ATTACKS}
    assert {attack: answers[attack] for attack, refusal in ATTACKS if refusal not in answers[attack]} == {}
    assert rows() == before


def answer(link: Link, statement: str) -> str:
    """What the database says to it."""
    try:
        with link.cursor() as cursor:
            cursor.execute(statement)
    except psycopg2.Error as error:
        return str(error)
    return "done"


def test_forgetting_empties_the_words_that_a_line_names_and_nothing_else(
    decided: BreachDecision, attacker: Link
) -> None:
    incident = decided.breach.incident
    incident.refresh_from_db()
    journal.append(incident, Kind.FORGOTTEN, by=None, at=decided.at, public=False, facts={"forgotten": [1]})
    incident.save()
    lines = list(JournalEntry.objects.order_by("pk").values())
    with attacker.cursor() as cursor:
        for other in (lines[1]["id"], lines[-1]["id"], 0):
            with pytest.raises(psycopg2.Error, match="no line of the journal says"):
                cursor.execute("SELECT incidents_forget_words(%s)", [other])
        assert list(JournalEntry.objects.order_by("pk").values()) == lines
        for emptied in (True, False):
            cursor.execute("SELECT incidents_forget_words(%s)", [lines[0]["id"]])
            assert cursor.fetchone() == (emptied,)
    forgotten = {**lines[0], "text": "", "personal": {}, "old_facts": None, "salt": ""}
    assert list(JournalEntry.objects.order_by("pk").values()) == [forgotten, *lines[1:]]


@pytest.mark.django_db
def test_tables_whose_rows_are_never_deleted_are_emptied_by_nobody() -> None:
    proven = {name for name, rights in (privileges.HISTORY | privileges.OTHERS).items() if rights.never_emptied}
    assert {*privileges.HISTORY, "incidents_incident", "incidents_notice", "accounts_client"} <= proven
    with owner_cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in sorted(proven):
            with pytest.raises(DatabaseError, match="history is never emptied"), transaction.atomic():
                cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.django_db
def test_a_connection_of_the_owner_is_refused_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_judged", set())
    database.refuse_too_much(connection)
    monkeypatch.setattr(database, "_judged", set())
    monkeypatch.setattr(connection, "close", lambda: None)
    refused = pytest.raises(ImproperlyConfigured, match=r"a superuser, owns the database .* `manage.py roles`")
    with owner_cursor(), refused:
        database.refuse_too_much(connection)
    with owner_cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON incidents_journalentry TO {role()}")
    with refused:
        database.refuse_too_much(connection)
    with owner_cursor():
        roles.grant(role())
    database.refuse_too_much(connection)


CELERY = [sys.executable, "-m", "celery", "-A", "sla_portal"]
STARTS = {
    "web": [sys.executable, "-c", "import sla_portal.wsgi"],
    "worker": [*CELERY, "worker", "-Q", "none", "--pool", "solo"],
    "beat": [*CELERY, "beat", "--pidfile=", "-s", "{beat_file}"],
    "command": [sys.executable, "manage.py", "verify_clocks"],
}


@pytest.mark.parametrize("names", [["web"], pytest.param(["worker", "beat", "command"], marks=pytest.mark.full)])
def test_every_process_refuses_to_start_as_the_owner(
    process_environment: dict[str, str], tmp_path: Path, names: list[str]
) -> None:
    """But for the probe, which has no database at all (`test_run.py`). The daily run starts one of them."""
    address = process_environment["DATABASE_URL"]
    owner = environ.Env.db_url_config(os.environ["MIGRATE_DATABASE_URL"])
    given = environ.Env.db_url_config(address)
    as_owner = address.replace(f"{given['USER']}:{given['PASSWORD']}@", f"{owner['USER']}:{owner['PASSWORD']}@", 1)
    variables = {**process_environment, "DATABASE_URL": as_owner}
    running = {
        name: subprocess.Popen(
            [word.format(beat_file=tmp_path / "beat") for word in command],
            cwd=BASE_DIR, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for name, command in STARTS.items()
        if name in names
    }  # fmt: skip
    for name, process in running.items():
        words, _ = process.communicate(timeout=120)
        assert (process.returncode != 0, "`manage.py roles`" in words) == (True, True), (name, words)


@pytest.mark.django_db
def test_roles_refuses_the_owner_s_own_name_and_an_empty_password() -> None:
    with owner_cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
        with pytest.raises(CommandError, match="name the same role"):
            roles.make(owner, "x")
        with pytest.raises(CommandError, match="needs the name and the password"):
            roles.make(role(), "")
        roles.grant(role())
        assert (roles.exists(role()), roles.exists(owner)) == (True, False)


def test_migrate_without_the_owner_s_address_says_so(settings: Any) -> None:
    settings.OWNER_DATABASE = {}
    with pytest.raises(ImproperlyConfigured, match="MIGRATE_DATABASE_URL is empty"):
        call_command("migrate")
