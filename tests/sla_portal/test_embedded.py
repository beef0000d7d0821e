"""Embedded servers: start, stop, recovery after a kill, and what they leave alone."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis
from django.db import connection

from sla_portal import broker_users, sockets
from sla_portal.local import embedded, run

WORDS = {"portal": "p" * 32, "keeper": "k" * 32, "probe.pl": "q" * 32}

PASSWORD = "hasło"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sla_portal-embedded-")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres(home: Path) -> Iterator[embedded.Postgres]:
    server = embedded.Postgres(home, PASSWORD, embedded.FAST)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(home: Path) -> Iterator[embedded.Valkey]:
    server = embedded.Valkey(home, WORDS)
    server.start()
    yield server
    server.stop()


def number_of(server: embedded.Server) -> int:
    assert server.process is not None
    return server.process.pid


def end(server: embedded.Server) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()


def kill(server: embedded.Server) -> None:
    end(server)
    server.process = None


def one(postgres: embedded.Postgres, statement: str) -> object:
    link = postgres.connect("kept")
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
    finally:
        link.close()
    return row[0] if row else None


@pytest.mark.django_db
def test_the_tests_run_on_postgresql_that_knows_polish_letters() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'ŻÓŁĆ' ILIKE 'żółć'")
        assert cursor.fetchone() == (True,)


def test_data_outlive_a_stop_and_a_kill(postgres: embedded.Postgres) -> None:
    postgres.make_database("kept")
    postgres.make_database("kept")
    one(postgres, "CREATE TABLE shop AS SELECT 'mak.pl' AS name")
    postgres.stop()
    assert not postgres.lives()
    postgres.start()
    kill(postgres)
    postgres.start()
    assert one(postgres, "SELECT name FROM shop") == "mak.pl"


def test_killed_servers_come_back_while_somebody_is_at_work(
    postgres: embedded.Postgres, valkey: embedded.Valkey, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.make_database("kept")
    busy = postgres.connect("kept")
    busy.cursor().execute("SELECT 1")  # a transaction is open: its process outlives the server for a moment
    for server in (postgres, valkey):
        kept = run.KeptServer(server)
        kept.watch()
        end(server)
        kept.watch()
        assert server.answers()
    assert capsys.readouterr().out == (
        "PostgreSQL ended with status -9 and is started again.\nValkey ended with status -9 and is started again.\n"
    )
    assert one(postgres, "SELECT 1") == 1


def test_a_server_that_keeps_ending_is_given_up_with_its_last_words(valkey: embedded.Valkey) -> None:
    kept = run.KeptServer(valkey)
    for _ in range(2):
        end(valkey)
        kept.watch()
    end(valkey)
    with pytest.raises(run.RunError, match=r"(?s)^Valkey ended 3 times in a row \(status -9\)\. Its log .*"):
        kept.watch()


def test_a_server_that_outlived_its_starter_is_ended_and_replaced(postgres: embedded.Postgres) -> None:
    first = number_of(postgres)
    second = embedded.Postgres(postgres.home, PASSWORD, embedded.FAST)
    second.start()
    try:
        assert number_of(second) != first
        assert postgres.process is not None
        assert postgres.process.wait(10) == 0
    finally:
        second.stop()


def test_the_number_of_a_killed_server_in_use_by_another_program_does_not_hinder(postgres: embedded.Postgres) -> None:
    kill(postgres)
    note = postgres.data / "postmaster.pid"
    note.write_text(str(os.getpid()) + note.read_text()[note.read_text().index("\n") :])
    postgres.start()
    assert postgres.answers()
    assert psutil.pid_exists(os.getpid())


def test_an_interrupted_initdb_is_begun_anew(home: Path) -> None:
    server = embedded.Postgres(home / "half", PASSWORD, embedded.FAST)
    embedded.private_folder(server.home)
    embedded.private_folder(server.folder, for_nobody=True)
    server.data.mkdir()
    (server.data / "base").mkdir()
    os.chown(server.data, server.folder.stat().st_uid, -1)
    server.start()
    assert server.answers()
    server.stop()


def test_a_broken_data_folder_is_said_with_the_way_out(postgres: embedded.Postgres) -> None:
    postgres.stop()
    version = postgres.data / "PG_VERSION"
    before = version.read_text()
    version.write_text("9.6\n")
    with pytest.raises(embedded.EmbeddedError, match=r"(?s)PostgreSQL ended at once\..*make reset"):
        postgres.start()
    version.write_text(before)


def test_valkey_starts_after_a_kill_and_keeps_what_it_had_saved(valkey: embedded.Valkey) -> None:
    client = valkey.client(broker_users.PORTAL)
    client.set("clock", "12:12")
    valkey.stop()
    assert not valkey.lives()
    valkey.start()
    kill(valkey)
    valkey.start()
    assert client.get("clock") == b"12:12"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_the_servers_end_when_the_process_that_started_them_is_killed(home: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from sla_portal.local import embedded; home = Path(sys.argv[1])\n"
        f"for server in (embedded.Postgres(home, {PASSWORD!r}, embedded.FAST), embedded.Valkey(home, {WORDS})):\n"
        "    server.start()\n"
        "print('up', flush=True); time.sleep(60)"
    )
    servers = (embedded.Postgres(home, PASSWORD), embedded.Valkey(home, WORDS))
    with subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        assert all(server.lives() for server in servers)
        starter.send_signal(signal.SIGKILL)
    for server in servers:
        embedded.wait_until(lambda server=server: not server.lives(), 20, f"{server.name} outlives its starter")  # type: ignore[misc]


def test_only_the_own_folders_get_a_mode_and_an_owner(tmp_path: Path, postgres: embedded.Postgres) -> None:
    tmp_path.chmod(0o750)
    embedded.private_folder(tmp_path / "own")
    embedded.private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == (0o711 if os.getuid() == 0 else 0o700)
    assert postgres.home.stat().st_uid == os.getuid()
    assert postgres.folder.stat().st_uid == (embedded.NOBODY if os.getuid() == 0 else os.getuid())


def test_nobody_else_may_connect(postgres: embedded.Postgres, valkey: embedded.Valkey) -> None:
    assert stat.S_IMODE(postgres.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(valkey.socket.stat().st_mode) == 0o700


def test_a_data_folder_of_before_that_let_everybody_in_asks_passwords_and_keeps_its_data(
    postgres: embedded.Postgres,
) -> None:
    """Its owner was called postgres; here a first attempt to take it over was interrupted, too."""
    postgres.make_database("before")
    postgres._say(sockets.OWNER, f"CREATE ROLE {embedded.RENAMER} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
    postgres._say(
        embedded.RENAMER, f"ALTER ROLE {sockets.OWNER} RENAME TO postgres", "ALTER ROLE postgres PASSWORD NULL"
    )
    (postgres.data / "pg_hba.conf").write_text("local all all trust\n", encoding="utf-8")
    postgres.stop()
    postgres.start()
    with postgres.connect("before") as link, link.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1")
        assert cursor.fetchall() == [(sockets.OWNER, True)]
    link.close()
    stranger = embedded.Postgres(postgres.home, "guessed")
    for role in (sockets.OWNER, "postgres"):
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            stranger.connect(role=role)


def test_a_path_too_long_for_a_socket_moves_the_servers_to_the_temporary_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert sockets.home_of(deep).parent == Path(tempfile.gettempdir())
    assert sockets.home_of(deep) == sockets.home_of(deep) != sockets.home_of(tmp_path / ("e" * 120))


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts PostgreSQL as another user")
def test_a_folder_that_user_65534_cannot_reach_moves_them_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert sockets.home_of(tmp_path / "var").parent == Path(tempfile.gettempdir())
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_foreign_folder_in_the_temporary_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(embedded.EmbeddedError, match="belongs to somebody else"):
        embedded.private_folder(tmp_path / "home")


@pytest.mark.full
def test_a_data_folder_of_before_without_passwords_starts_and_gets_them(tmp_path: Path, home: Path) -> None:
    """Whether the old server was ended in order or was left over by a killed run."""
    old = embedded.Valkey(home / "old", WORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            embedded.Valkey, "_write_users", lambda self: self.users.write_text("user default on nopass ~* &* +@all\n")
        )
        patch.setattr(embedded.Valkey, "answers", embedded.Valkey.lives)
        old.start()
    with redis.Redis(unix_socket_path=str(old.socket)) as anybody:
        anybody.set("clock", "12:12")
    (tmp_path / "run").mkdir()
    assert broker_users.kept(tmp_path) == {}
    words = broker_users.make(tmp_path, ["pl"])
    assert stat.S_IMODE(broker_users.file_of(tmp_path).stat().st_mode) == 0o600
    assert set(words) == {"portal", "keeper", "probe.pl"}
    again = broker_users.make(tmp_path, ["pl", "de"])
    assert {user: again[user] for user in words} == words
    new = embedded.Valkey(home / "old", again)
    new.start()
    try:
        assert new.client("portal").get("clock") == b"12:12"
        with pytest.raises(redis.AuthenticationError), redis.Redis(unix_socket_path=str(new.socket)) as anybody:
            anybody.ping()
        assert stat.S_IMODE(new.users.stat().st_mode) == 0o600
    finally:
        new.stop()


def test_a_redis_address_is_spelled_for_celery() -> None:
    assert sockets.broker_url("unix:///a/b.sock?db=4") == "redis+socket:///a/b.sock?virtual_host=4"
    assert sockets.broker_url("unix:///a/b.sock") == "redis+socket:///a/b.sock?virtual_host=0"
    assert sockets.broker_url("redis://h:6379/2") == "redis://h:6379/2"


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts PostgreSQL as another user")
def test_programs_that_user_65534_cannot_reach_are_copied_whatever_the_umask(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "reachable", lambda path: False)
    server = embedded.Postgres(home / "copied", PASSWORD, embedded.FAST)
    before = os.umask(0o077)
    try:
        server.start()
    finally:
        os.umask(before)
        server.stop()
    assert (server.folder / "programs" / "complete").stat().st_uid == embedded.NOBODY
    assert (server.data / "PG_VERSION").read_text() == "18\n"
