"""The whole product on this machine, from one command: `make run`, which is `python -m sla_portal.local.run`.

It starts embedded PostgreSQL and Valkey (or uses DATABASE_URL and REDIS_URL), prepares the database, and runs the
processes of `processes.py`, the mailbox and the demo shops. What ends by itself, a server too, is started again.
Ctrl-C or SIGTERM ends them all; a second run goes on with the same data; what a killed run left behind is ended first.
`--reset` removes the data folder's contents.

Ports: PORT web, PORT+1 mailbox page and gateway, PORT+2 SMTP, PORT+3 demo shops, PORT+4 their TLS.
In DATA_DIR: `servers/` (databases), `run/` (lock, process numbers, keys, passwords), `log/`, `mailbox/`, `shops/`;
`static/`: style and scripts, hashed and compressed as in production (STATIC_HASHED=off serves the sources).

Contract with `manage.py demo_seed`: before it is called, `DATA_DIR/run/demo_logins.json` (settings.DEMO_LOGINS_FILE)
holds {e-mail: password} for the addresses of LOGINS; the passwords are random for each data folder. The demo shops
answer at settings.DEMO_SHOPS_URL. The shops are started as
`python -m sla_portal.demo.shops --port PORT+3 --state-dir DATA_DIR/shops`; their authority is trusted (PROBE_CA_FILE).
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

import psutil
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monitoring.probe import questions
from sla_portal import broker_users, celery_app, environment, processes, sockets
from sla_portal.environment import VARIABLES
from sla_portal.local import embedded

LOGINS = {
    "marta@makowydom.example": "client's reporter",
    "ewa@makowydom.example": "client's owner",
    "anna@studiopolnoc.example": "support agent",
    "tomasz@studiopolnoc.example": "manager",
    "admin@studiopolnoc.example": "administrator",
}
PORTS_USED = 5  # from PORT on, as listed above
READY_SECONDS = 90.0  # a first start takes 30 s on two cores
END_SECONDS = 12.0  # a worker finishes its task; one that waits for a mail server waits 10 s (EMAIL_TIMEOUT)
SHORT_LIFE_SECONDS = 10.0  # an import error shows within two; who lives longer had started
LIVES = 3  # so many short lives in a row, and the run gives up
LOGGED_ERROR = re.compile(r" level=(error|critical) ")
KEPT_IN_DATA_DIR = ("servers", "run", "log", "static", "mailbox", "shops")


class RunError(Exception):
    """A sentence for the person at the terminal, with the way out."""


class EndRequestedError(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal."""


ENDING = threading.Event()


def request_end(number: int, frame: FrameType | None) -> NoReturn:
    """Ends what waits at once. Raised inside a finalizer the error would be lost, so it is noted too."""
    ENDING.set()
    raise EndRequestedError


def on_end_signals(action: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, action)


class Place:
    """The data folder of a run and the files in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run"
        self.log = folder / "log"
        self.home = sockets.home_of(folder)
        self._lock: TextIO | None = None

    def make(self) -> None:
        for folder in (self.folder, self.run, self.log):
            embedded.private_folder(folder)
        if not os.access(self.run, os.W_OK):
            raise RunError(f"{self.run} cannot be written to. Give another folder: DATA_DIR=… make run.")

    def take(self) -> None:
        """One run for a data folder: the kernel gives the lock back when its holder ends, however it ends."""
        lock = (self.run / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise RunError(
                f"Another run (process {lock.read().strip()}) uses {self.folder}. End it with Ctrl-C there, "
                "or run a second one beside it: DATA_DIR=var2 PORT=8100 make run."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def secret(self, name: str, value: str) -> str:
        """The content of a private file, made with the value where there is none."""
        path = self.run / name
        if not path.exists():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(value)
        return path.read_text(encoding="utf-8")

    def password(self, role: str) -> str:
        """Of a role of the embedded database."""
        return self.secret(sockets.password_file(role), secrets.token_urlsafe(32))

    def logins(self) -> dict[str, str]:
        made = {email: secrets.token_urlsafe(9) for email in LOGINS}
        kept: dict[str, str] = json.loads(self.secret("demo_logins.json", json.dumps(made, indent=1)))
        return kept

    def end_leftovers(self) -> None:
        """Ends what a killed run left: processes known by number and by the second of their start."""
        noted = self.run / "processes.json"
        started = json.loads(noted.read_text() or "{}") if noted.is_file() else {}
        there = [psutil.Process(int(number)) for number in started if psutil.pid_exists(int(number))]
        left = [process for process in there if process.create_time() == started[str(process.pid)]]
        if left:
            print(f"Ending {len(left)} processes that a killed run left behind.", flush=True)
        end_all(left)

    def note(self, pids: list[int]) -> None:
        started = {str(pid): psutil.Process(pid).create_time() for pid in pids if psutil.pid_exists(pid)}
        draft = self.run / "processes.part"
        draft.write_text(json.dumps(started))
        draft.replace(self.run / "processes.json")


def end_all(parents: list[psutil.Process]) -> None:
    """Asks the processes to end, waits, and kills what is left of them and of their children."""
    family = [child for parent in parents if parent.is_running() for child in parent.children(recursive=True)]
    for parent in parents:
        if parent.is_running():
            parent.terminate()
    _, alive = psutil.wait_procs([*parents, *family], timeout=END_SECONDS)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=END_SECONDS)


def check_ports(first: int) -> None:
    for number in range(first, first + PORTS_USED):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", number))
            except OSError as error:
                raise RunError(
                    f"Port {number} on 127.0.0.1 cannot be used ({error.strerror}). `make run` needs {PORTS_USED} "
                    f"ports from PORT on; give others: PORT={first + 100} make run."
                ) from error


def last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-5:]
    return "\n  ".join([f"Its log {log} ends with:", *lines])


class Lives:
    """What is started again when it ends by itself, until it has ended too often in a row."""

    name = ""

    def __init__(self) -> None:
        self.short_lives = 0
        self.started = time.monotonic()

    def count_end(self, status: int, log: Path) -> None:
        """Says that it ended. Raises RunError when it keeps ending."""
        short = time.monotonic() - self.started < SHORT_LIFE_SECONDS
        self.short_lives = self.short_lives + 1 if short else 0
        if self.short_lives >= LIVES:
            raise RunError(f"{self.name} ended {LIVES} times in a row (status {status}). {last_words(log)}")
        print(f"{self.name} ended with status {status} and is started again.", flush=True)
        self.started = time.monotonic()


class KeptServer(Lives):
    """An embedded server; whoever uses it connects again by itself."""

    def __init__(self, server: embedded.Server) -> None:
        super().__init__()
        self.server, self.name = server, server.name

    def watch(self) -> None:
        """Starts it again where it has ended. Raises RunError or EmbeddedError."""
        status = self.server.process.poll() if self.server.process else None
        if status is None:
            return
        self.count_end(status, self.server.log())
        self.server.restart()


class Child(Lives):
    """One process with its log."""

    def __init__(self, name: str, command: list[str], log: Path, environment_: dict[str, str]) -> None:
        super().__init__()
        self.name, self.command, self.log = name, command, log
        self.worked = log.with_suffix(".worked")
        self.environment = processes.environment_of(name, {**environment_, "WORKED_FILE": str(self.worked)})
        self.log.unlink(missing_ok=True)  # each run begins its logs anew
        self.worked.unlink(missing_ok=True)
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=environment.BASE_DIR,
                env=self.environment,
                start_new_session=True,  # Ctrl-C reaches the runner only, which ends them in order
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (it calls the kernel only)
            )

    def watch(self) -> bool:
        """True if it had ended and was started again. Raises RunError when it keeps ending."""
        code = self.process.poll()
        if code is None:
            return False
        self.count_end(code, self.log)
        self.start()
        return True


class Runner:
    def __init__(self, place: Place, port: int) -> None:
        self.place, self.port = place, port
        self.servers: list[KeptServer] = []
        self.children: list[Child] = []
        self.passwords = broker_users.make(place.folder, environment.places("PROBE_PLACES"))
        self.environment = self.child_environment()

    def child_environment(self) -> dict[str, str]:
        """What the processes get: the caller's variables, and for what is missing those of a run on loopback."""
        own = {
            "DATA_DIR": str(self.place.folder),
            "SECRET_KEY": environment.text("SECRET_KEY") or self.place.secret("secret_key", secrets.token_urlsafe(50)),
            "PROBE_ALLOW_NETWORKS": environment.text("PROBE_ALLOW_NETWORKS") or "127.0.0.1/32",
            "PROBE_CA_FILE": environment.text("PROBE_CA_FILE") or str(self.place.folder / "shops" / "ca.pem"),
            "PROBE_CANARIES": os.environ.get("PROBE_CANARIES") or self.canaries(),
            # Who tries the product out is asked for no backup
            "BACKUP_HOURS": os.environ.get("BACKUP_HOURS") or "0",
            "DEMO_SHOPS_URL": f"http://127.0.0.1:{self.port + 3}",
            "STATIC_ROOT": str(self.place.folder / "static"),
            "STATIC_HASHED": os.environ.get("STATIC_HASHED") or "on",
            "BROKER_URL": self.probe_url(),
            "PROBE_PLACE": self.probe_place(),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **own}

    def probe_url(self) -> str:
        """The broker for the probe, as Celery spells it; of a given server the given one, or the portal's own."""
        if given := environment.text("REDIS_URL"):
            return sockets.broker_url(environment.text("BROKER_URL") or given)
        return sockets.broker_url(sockets.valkey_url(self.place.folder, self.probe_user()))

    def probe_place(self) -> str:
        return environment.places("PROBE_PLACES")[0]

    def probe_user(self) -> str:
        return broker_users.probe_user(self.probe_place())

    def canaries(self) -> str:
        """Four servers of this run: what it watches is on loopback, so loopback is its way out."""
        return ",".join(f"127.0.0.1:{self.port + number}" for number in range(4))

    def run(self) -> None:
        self.place.end_leftovers()
        check_ports(self.port)
        self.start_servers()
        self.start_child("mailbox", [sys.executable, "-m", "sla_portal.local.mailbox", *self.mailbox_options()])
        if importlib.util.find_spec("sla_portal.demo.shops"):
            self.start_child("shops", [sys.executable, "-m", "sla_portal.demo.shops", *self.shop_options()])
        self.logins = self.place.logins()
        self.prepare()
        self.start_product()
        self.wait_ready()
        self.greet()
        self.supervise()

    def mailbox_options(self) -> list[str]:
        folder = str(self.place.folder / "mailbox")
        return ["--port", str(self.port + 1), "--smtp-port", str(self.port + 2), "--folder", folder]

    def shop_options(self) -> list[str]:
        return ["--port", str(self.port + 3), "--state-dir", str(self.place.folder / "shops")]

    def start_servers(self) -> None:
        if self.place.home.parent != self.place.folder:
            print(f"The embedded servers live in {self.place.home}: {self.place.folder} cannot hold their sockets.")
        if not environment.text("DATABASE_URL"):
            postgres = embedded.Postgres(self.place.home, self.place.password(sockets.OWNER))
            self.place.password(sockets.PRODUCT)
            self.serve(postgres)
            postgres.make_database(sockets.DATABASE)
        if not environment.text("REDIS_URL"):
            self.serve(embedded.Valkey(self.place.home, self.passwords))

    def serve(self, server: embedded.Server) -> None:
        self.servers.append(KeptServer(server))
        print(f"{server.name}: starting…", flush=True)
        server.start()

    def prepare(self) -> None:
        """Migrations and demo data. Progress is for the person, log lines are for the log; errors are for both."""
        log = self.place.log / "prepare.log"
        with log.open("wb") as lines:
            done = subprocess.run(
                [sys.executable, "manage.py", "prepare"],
                stderr=lines,
                cwd=environment.BASE_DIR,
                env=self.environment,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),
                check=False,
            )
        if done.returncode:
            raise RunError(f"The database could not be prepared; `make reset` starts anew. {last_words(log)}")
        errors = [line for line in log.read_text(errors="replace").splitlines() if LOGGED_ERROR.search(line)]
        print("".join(f"{line}\n" for line in errors), end="", flush=True)

    def start_product(self) -> None:
        place = self.probe_place()
        beat_file = str(self.place.run / "beat")
        table = processes.commands(bind=f"127.0.0.1:{self.port}", beat_file=beat_file, place=place)
        programs = Path(sys.executable).parent
        for name, (program, *options) in table.items():
            module = options[options.index("-A") + 1] if "-A" in options else "sla_portal"
            if importlib.util.find_spec(module):
                self.start_child(name, [str(programs / program), *options])

    def start_child(self, name: str, command: list[str]) -> None:
        """With the settings that its container gets and no others: no database for the probe, no owner for anybody.

        PostgreSQL shows each connection under the process's name (PGAPPNAME).
        """
        strange = {key for key, facts in VARIABLES.items() if facts.read_by and name not in facts.read_by}
        given = {key: value for key, value in self.environment.items() if key not in strange} | {"PGAPPNAME": name}
        self.children.append(Child(name, command, self.place.log / f"{name}.log", given))
        self.note()

    def note(self) -> None:
        self.place.note([child.process.pid for child in self.children])

    def wait_ready(self) -> None:
        """Until the web server and every worker answer."""
        end = time.monotonic() + READY_SECONDS
        while waiting := self.silent():
            self.watch()
            if time.monotonic() > end:
                log = next(child for child in self.children if child.name == waiting).log
                raise RunError(f"{waiting} does not answer within {READY_SECONDS:.0f} s. {last_words(log)}")
            time.sleep(0.1)

    def silent(self) -> str:
        """Name of a process that does not answer yet, or ""."""
        if not answers(f"http://127.0.0.1:{self.port}/health/"):
            return "web"
        workers = {child.name: child for child in self.children if "worker" in child.command}
        probe = workers.pop("probe", None)
        if probe and not probe.worked.exists():
            questions.ask(settings.REDIS_URL, settings.BROKER_CA_FILE, self.probe_place(), [], READY_SECONDS)
        heard = celery_app.control.inspect(timeout=1.0, limit=len(workers)).ping() or {}
        silent = workers.keys() - {node.partition("@")[0] for node in heard}
        return min(silent, default="probe" if probe and not probe.worked.exists() else "")

    def watch(self) -> None:
        """Whatever ended is started again: the servers first, for the processes need them."""
        if ENDING.is_set():
            raise EndRequestedError
        for server in self.servers:
            server.watch()
        if sum(child.watch() for child in self.children):  # sum: every child is looked at
            self.note()

    def greet(self) -> None:
        base = "http://127.0.0.1"
        print(f"\nReady: {base}:{self.port}")
        print(f"Mailbox (mails, SMS, calls): {base}:{self.port + 1}   Demo shops: {base}:{self.port + 3}")
        if settings.DEMO_DATA:
            for email, role in LOGINS.items():
                print(f"  {role:18} {email:28} {self.logins[email]}")
        else:
            print("Without demo data; the first person: python manage.py create_administrator E-MAIL --name NAME")
        print(f"Logs: {self.place.log}   Ctrl-C ends everything.", flush=True)

    def supervise(self) -> NoReturn:
        while True:
            time.sleep(0.5)
            self.watch()

    def end(self) -> None:
        """Beat first, the workers finish what they do, and the servers go last."""
        on_end_signals(signal.SIG_IGN)
        running = [psutil.Process(child.process.pid) for child in self.children if child.process.poll() is None]
        end_all(running[::-1])
        for kept in reversed(self.servers):
            kept.server.stop()
        (self.place.run / "processes.json").unlink(missing_ok=True)


def answers(address: str) -> bool:
    """Whether a web server answers there, with whatever page."""
    try:
        urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 (our own loopback address)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def run(place: Place) -> None:
    place.make()
    place.take()
    runner = Runner(place, environment.port("PORT"))
    os.environ.update(runner.environment)
    _ = settings.DATA_DIR  # reads them all: a wrong value is said before anything starts
    on_end_signals(request_end)
    try:
        runner.run()
    except EndRequestedError:
        print("\nEnding…", flush=True)
    finally:
        runner.end()


def reset(place: Place) -> None:
    """Removes what a run keeps; a database given by DATABASE_URL is not touched."""
    if not place.folder.exists():
        print("There is nothing to remove.")
        return
    place.make()
    place.take()
    place.end_leftovers()
    passwords = broker_users.make(place.folder, ())
    for server in (embedded.Postgres(place.home, ""), embedded.Valkey(place.home, passwords)):
        if server.lives():
            server.shut_down()
            embedded.wait_until(lambda: not server.lives(), END_SECONDS, f"{server.name} does not end.")  # noqa: B023
    for folder in (place.home, *(place.folder / name for name in KEPT_IN_DATA_DIR)):
        if folder.exists():
            shutil.rmtree(folder)
    note = " The database of DATABASE_URL was left as it is." if environment.text("DATABASE_URL") else ""
    print(f"Removed the demo's data in {place.folder}. `make run` starts anew.{note}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the whole product on this machine.")
    parser.add_argument("--reset", action="store_true", help="remove the data folder's contents instead")
    given = parser.parse_args()
    try:
        place = Place(environment.folder("DATA_DIR"))
        (reset if given.reset else run)(place)
    except (RunError, embedded.EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'The data folder'}: {error.strerror}. Give a DATA_DIR you may write to.")


if __name__ == "__main__":
    main()
