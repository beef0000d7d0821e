"""Embedded servers: start, stop, recovery after a kill, and what they leave alone."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis
from django.db import connection

from sla_portal import embedded


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sla_portal-embedded-")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres(home: Path) -> Iterator[embedded.Postgres]:
    server = embedded.Postgres(home, embedded.FAST)
    server.start()
    yield server
    server.stop()


@pytest.mark.django_db
def test_the_tests_run_on_postgresql_that_knows_polish_letters() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'ŻÓŁĆ' ILIKE 'żółć'")
        assert cursor.fetchone() == (True,)


def test_postgres_starts_makes_a_database_once_and_ends(home: Path) -> None:
    server = embedded.Postgres(home, embedded.FAST)
    server.start()
    server.make_database("shop")
    server.make_database("shop")
    assert server.answers()
    server.stop()
    assert not server.answers()
    server.stop()
