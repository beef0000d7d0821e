"""`make run`: it comes up, recovers from a kill with its data, ends every process, and says what is missing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sla_portal import environment, processes, sockets
from sla_portal.environment import BASE_DIR, VARIABLES
from sla_portal.local import embedded, run

PATIENCE = 120


class Run:
    """A run of the product in a folder of its own; without demo data, whose history takes long to play."""

    def __init__(self, data_dir: Path, port: int, **variables: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", "sla_portal.local.run"],
            cwd=BASE_DIR,
            env=kept | {"DATA_DIR": str(data_dir), "PORT": str(port), "DEMO_DATA": "off", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []

    def until(self, word: str) -> str:
        assert self.process.stdout is not None
        line: str
        for line in self.process.stdout:
            self.said.append(line)
            if word in line:
                return line
        raise AssertionError(f"ended with {self.process.wait()} before {word!r}:\n{''.join(self.said)}")

    def rest(self) -> str:
        assert self.process.stdout is not None
        said: str = self.process.stdout.read()
        return said

    def family(self) -> list[psutil.Process]:
        family: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return family

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


ORPHANS = 5  # seconds; children of the killed clock worker notice within 4 s that it is gone


def free_ports() -> int:
    """A port from which on as many are free as a run needs."""
    for first in range(18000 + os.getpid() % 400 * 20, 40000, 20):
        try:
            run.check_ports(first)
        except run.RunError:
            continue
        return first
    raise AssertionError("no free ports")


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("run") / "var"
    yield folder
    place = run.Place(folder)
    if (folder / "run").is_dir():
        place.end_leftovers()
    subprocess.run(["rm", "-rf", str(place.home)], check=True)


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that has ended may wait a while for init to collect it."""
    return [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_a_run_comes_up_alone_starts_again_what_ends_and_ends_every_process(data_dir: Path) -> None:
    port = free_ports()
    first = Run(data_dir, port)
    assert first.until("Ready:") == f"Ready: http://127.0.0.1:{port}\n"
    assert "create_administrator" in first.until("Without demo data")
    assert run.answers(f"http://127.0.0.1:{port}/health/")
    logins = json.loads((data_dir / "run" / "demo_logins.json").read_text())
    assert set(logins) == set(run.LOGINS)
    second = Run(data_dir, port)
    assert second.process.wait(PATIENCE) == 1
    assert f"Another run (process {first.process.pid}) uses {data_dir}" in second.rest()

    noted = json.loads((data_dir / "run" / "processes.json").read_text())
    assert_each_process_has_the_database_that_it_needs(data_dir, [int(number) for number in noted])
    clock = next(process for process in map(psutil.Process, map(int, noted)) if "clock@%h" in process.cmdline())
    clock.kill()
    assert first.until("clock ended") == "clock ended with status -9 and is started again.\n"
    family = first.family()
    assert {"gunicorn", "celery"} <= {word for one in family for word in map(os.path.basename, one.cmdline()[:2])}
    assert first.end(signal.SIGINT) == 0
    psutil.wait_procs(family, timeout=ORPHANS)
    assert alive(family) == []
    run.check_ports(port)


WORKING_AS = """
SELECT application_name, usename FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def assert_each_process_has_the_database_that_it_needs(data_dir: Path, pids: list[int]) -> None:
    """Web and workers work as the product's role; beat and the probe connect to none, and the probe knows of none."""
    place = run.Place(data_dir)
    postgres = embedded.Postgres(place.home, place.password(sockets.OWNER))
    seen: set[tuple[str, str]] = set()

    def all_seen() -> bool:
        with postgres.connect(sockets.DATABASE) as link, link.cursor() as cursor:
            cursor.execute(WORKING_AS, [sockets.DATABASE])
            seen.update(cursor.fetchall())
        link.close()
        return {name for name, _role in seen} >= {"web", *processes.LANES} - {"worker"}

    embedded.wait_until(all_seen, PATIENCE, "A process has no connection.")
    assert {role for _name, role in seen} == {sockets.PRODUCT}
    assert {name for name, _role in seen} <= {"web", *processes.LANES}
    settings_of = {process.environ()["PGAPPNAME"]: set(process.environ()) for process in map(psutil.Process, pids)}
    elsewhere = {name for name, facts in VARIABLES.items() if facts.read_by and "probe" not in facts.read_by}
    assert settings_of["probe"] & elsewhere == set()
    assert [name for name, known in settings_of.items() if "MIGRATE_DATABASE_URL" in known] == []


@pytest.mark.full
def test_what_a_killed_run_left_behind_is_ended_and_its_data_are_used_again(data_dir: Path) -> None:
    port = free_ports()
    first = Run(data_dir, port)
    first.until("Ready:")
    logins = (data_dir / "run" / "demo_logins.json").read_text()
    family = first.family()
    first.end(signal.SIGKILL)
    second = Run(data_dir, port)
    second.until("Ready:")
    assert alive(family) == []
    assert (data_dir / "run" / "demo_logins.json").read_text() == logins
    assert second.end(signal.SIGINT) == 0


def test_a_taken_port_is_said_with_another_one(data_dir: Path) -> None:
    port = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        one = Run(data_dir, port)
        assert one.process.wait(PATIENCE) == 1
    said = one.rest()
    assert f"Port {port + 1} on 127.0.0.1 cannot be used (Address already in use)" in said
    assert f"PORT={port + 100} make run" in said
    assert "Traceback" not in said


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "var"
    one = Run(folder, free_ports())
    assert one.process.wait(PATIENCE) == 1
    assert one.rest() == f"{folder} cannot be made (Not a directory). Give a DATA_DIR you may write to.\n"


def test_a_wrong_setting_is_said(tmp_path: Path) -> None:
    one = Run(tmp_path / "var", 8000, PROBE_ALLOW_NETWORKS="loopback")
    assert one.process.wait(PATIENCE) == 1
    said = one.rest()
    assert said.startswith("PROBE_ALLOW_NETWORKS='loopback': expected networks such as 127.0.0.1/32")
    assert "Traceback" not in said


def test_reset_removes_what_a_run_keeps_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    place = run.Place(tmp_path / "var")
    place.make()
    (place.folder / "mine.txt").write_text("kept")
    (place.log / "web.log").write_text("gone")
    run.reset(place)
    assert [path.name for path in place.folder.iterdir()] == ["mine.txt"]


def test_secrets_are_random_for_each_data_folder_and_private(tmp_path: Path) -> None:
    first, second = run.Place(tmp_path / "a"), run.Place(tmp_path / "b")
    for place in (first, second):
        place.make()
    assert first.logins() == first.logins() != second.logins()
    assert {len(password) for password in first.logins().values()} == {12}
    assert (first.run / "demo_logins.json").stat().st_mode & 0o777 == 0o600


def test_a_number_that_another_program_has_by_now_is_not_ended(tmp_path: Path) -> None:
    place = run.Place(tmp_path / "var")
    place.make()
    (place.run / "processes.json").write_text(json.dumps({str(os.getpid()): 1.0}))
    place.end_leftovers()
    assert psutil.pid_exists(os.getpid())


def test_given_servers_are_used_instead_of_embedded_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@db.example/shop")
    monkeypatch.setenv("REDIS_URL", "redis://r.example:6379/0")
    monkeypatch.delenv("BROKER_URL", raising=False)
    place = run.Place(tmp_path / "var")
    place.make()
    runner = run.Runner(place, environment.port("PORT"))
    runner.start_servers()
    assert runner.servers == []
    assert runner.environment["BROKER_URL"] == "redis://r.example:6379/0"


@pytest.mark.parametrize("given", ["", "10.0.0.1:53"])
def test_a_run_on_loopback_has_its_canaries_there_unless_others_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("PROBE_CANARIES", given)
    place = run.Place(tmp_path / "var")
    place.make()
    canaries = run.Runner(place, 8100).environment["PROBE_CANARIES"]
    assert canaries == (given or "127.0.0.1:8100,127.0.0.1:8101,127.0.0.1:8102,127.0.0.1:8103")


def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, status: int, logged: str) -> run.Runner:
    """A runner whose `manage.py` shows its progress, logs a line and ends with the status."""
    lines = "import sys", "print('Demo data: 25 of 50 acts')", f"print({logged!r}, file=sys.stderr)"
    (tmp_path / "manage.py").write_text("\n".join([*lines, f"sys.exit({status})"]))
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    place = run.Place(tmp_path / "var")
    place.make()
    return run.Runner(place, 8000)


def test_the_demo_s_progress_is_shown_and_its_log_lines_go_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = 'timestamp=2026-11-26T10:00:00Z level=info logger=contracts.shops event="shop mak added"'
    runner = prepared(tmp_path, monkeypatch, status=0, logged=line)
    runner.prepare()
    assert capfd.readouterr() == ("Demo data: 25 of 50 acts\n", "")
    assert (runner.place.log / "prepare.log").read_text() == f"{line}\n"


def test_an_error_that_the_demo_logs_reaches_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = "timestamp=2026-11-26T10:00:00Z level=error logger=incidents.sweeps event=broken"
    prepared(tmp_path, monkeypatch, status=0, logged=line).prepare()
    assert capfd.readouterr().out == f"Demo data: 25 of 50 acts\n{line}\n"


def test_a_database_that_cannot_be_prepared_is_said_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = prepared(tmp_path, monkeypatch, status=1, logged="CommandError: The demo shops need a network.")
    with pytest.raises(run.RunError, match=r"(?s)`make reset` starts anew\..*CommandError: The demo shops need a net"):
        runner.prepare()


SIGNED_IN = """
from django.test import Client
from accounts.models import User
browser = Client()
browser.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
print("cookie", browser.cookies["sessionid"].value)
"""


class Stay:
    """A person who is signed in at a run, and what stands in its database."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/settings/health/"
        place = run.Place(data_dir)
        self.postgres = embedded.Postgres(place.home, place.password(sockets.OWNER))
        self.variables = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        self.variables |= {"DATA_DIR": str(data_dir), "PORT": str(port)}
        self.manage("create_administrator", "ada@studio.example", "--name", "Ada")
        self.cookie = self.manage("shell", "-v0", "-c", SIGNED_IN).split()[-1]

    def manage(self, *words: str) -> str:
        command = [sys.executable, "-W", "ignore", "manage.py", *words]
        return subprocess.run(
            command, env=self.variables, cwd=BASE_DIR, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE
        ).stdout

    def sees_the_health_page(self) -> bool:
        request = urllib.request.Request(self.address, headers={"Cookie": f"sessionid={self.cookie}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return "Wszystko działa." in answer.read().decode()
        except OSError:
            return False

    def sweeps(self) -> dict[str, float]:
        """When each sweep ran last, in seconds since 1970."""
        link = self.postgres.connect(sockets.DATABASE)
        try:
            with link.cursor() as cursor:
                cursor.execute("SELECT name, extract(epoch FROM at)::float FROM messaging_heartbeat")
                return dict(cursor.fetchall())
        finally:
            link.close()

    def works_anew(self, since: float) -> bool:
        lanes = {"clocks", "mail", "calls", "checks"}
        beaten = {name for name, at in self.sweeps().items() if at > since}
        return lanes <= beaten and self.sees_the_health_page()


@pytest.mark.full
def test_a_killed_postgresql_and_a_killed_valkey_come_back_and_the_product_works_on(data_dir: Path) -> None:
    port = free_ports()
    running = Run(data_dir, port)
    running.until("Ready:")
    stay = Stay(data_dir, port)
    embedded.wait_until(lambda: stay.works_anew(0), PATIENCE, "The product does not work.")
    for name, program in (("PostgreSQL", "postgres"), ("Valkey", "valkey-server")):
        servers = [one for one in psutil.Process(running.process.pid).children() if one.name() == program]
        assert len(servers) == 1
        killed = time.time()
        servers[0].kill()
        assert running.until(f"{name} ended") == f"{name} ended with status -9 and is started again.\n"
        embedded.wait_until(stay.postgres.answers, PATIENCE, "PostgreSQL does not answer.")
        embedded.wait_until(lambda: stay.works_anew(killed + 1), 60, f"The product stands after {name} was killed.")  # noqa: B023
        sys.stdout.write(f"the product works {time.time() - killed:.1f} s after {name} was killed\n")
    assert running.end(signal.SIGINT) == 0


def test_an_embedded_error_is_a_sentence() -> None:
    with pytest.raises(embedded.EmbeddedError, match="too late"):
        embedded.wait_until(lambda: False, 0, "too late")
