"""Real PostgreSQL and Valkey for the tests: one pair for a run, a database of each for every worker."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import environ
import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from playwright.sync_api import Browser, sync_playwright
from pytest_django.plugin import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from monitoring.probe.link import redis_address
from sla_portal import broker_users, roles, sockets
from sla_portal.database import AS_OWNER
from sla_portal.local import embedded
from tests import chromium, loopback_canaries
from tests.owner import owner_cursor

# A busy machine is no failure of a property
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")
PLACES = ("pl", "de")
SERVERS = pytest.StashKey[list[embedded.Server]]()


def worker_number(config: pytest.Config) -> int:
    """0 for the only or leading process, 1… for xdist's workers."""
    worker: str = getattr(config, "workerinput", {}).get("workerid", "")
    return int(worker.removeprefix("gw")) + 1 if worker else 0


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if worker_number(config) == 0 and not os.environ.get("DATABASE_URL"):
        start_servers(config)
    use_servers(worker_number(config))
    settings.PROBE_CANARIES = loopback_canaries.start()
    look_once_at_static_files()


def look_once_at_static_files() -> None:
    """WhiteNoise looks at every static file when a server starts: 6 ms, and each `Client` of a test is such a start."""
    look: Callable[[WhiteNoiseMiddleware], None] = WhiteNoiseMiddleware.add_files_from_finders
    seen: dict[str, Any] = {}

    def once(started: WhiteNoiseMiddleware) -> None:
        if not seen:
            look(started)
            seen.update(started.files)
        started.files.update(seen)

    WhiteNoiseMiddleware.add_files_from_finders = once


# Files that take half a minute or more begin first, so that no worker ends alone with the longest
LONG = (
    "tests/story/", "test_axe", "test_faults", "test_watch_live", "test_languages", "test_demo", "test_client_browser",
    "test_run", "test_permissions", "test_static_scripts",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((n for n, part in enumerate(LONG) if part in item.nodeid), len(LONG)))


def start_servers(config: pytest.Config) -> None:
    home = Path(tempfile.mkdtemp(prefix="sla_portal-test-")).resolve()
    if os.getuid() == 0:
        home.chmod(0o711)  # PostgreSQL runs as another user inside it
    (home / "run").mkdir(mode=0o700)
    passwords = broker_users.make(home, PLACES)
    owner, product = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    postgres, valkey = embedded.Postgres(home, owner, embedded.FAST), embedded.Valkey(home, passwords)
    config.stash[SERVERS] = [postgres, valkey]
    for server in config.stash[SERVERS]:
        server.start()
    postgres.make_role(sockets.PRODUCT, product)
    os.environ["MIGRATE_DATABASE_URL"] = sockets.address_of(sockets.OWNER, owner, postgres.folder)
    os.environ["DATABASE_URL"] = sockets.address_of(sockets.PRODUCT, product, postgres.folder)
    os.environ["REDIS_URL"], os.environ["BROKER_URL"] = valkey.url(broker_users.PORTAL), valkey.url("probe.pl")
    os.environ["BROKER_PASSWORDS"] = str(broker_users.file_of(home))
    os.environ["SECRET_KEY"] = settings.SECRET_KEY.ljust(50, "-")


def use_servers(number: int) -> None:
    """Django's settings were read before the servers ran, so their addresses are put in here.

    The owner makes the databases; `django_db_setup` puts the product's role on the connection afterwards.
    """
    settings.OWNER_DATABASE = environ.Env.db_url_config(os.environ["MIGRATE_DATABASE_URL"])
    settings.DATABASES["default"].update(settings.OWNER_DATABASE, **{AS_OWNER: True})
    settings.DATABASES["default"]["OPTIONS"] = dict(settings.OWNER_DATABASE.get("OPTIONS") or {})
    for name in ("REDIS_URL", "BROKER_URL"):
        address = os.environ.get(name, os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
        address = redis_address(address)
        if address.startswith("unix://"):
            address = f"{address.partition('?')[0]}?db={number}"
        os.environ[name] = address if name == "REDIS_URL" else sockets.broker_url(address)
    redis_url = settings.REDIS_URL = os.environ["REDIS_URL"]
    settings.CELERY_BROKER_URL = sockets.broker_url(redis_url)


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(SERVERS, [])
    for server in servers:
        server.stop()
    if servers:
        shutil.rmtree(servers[0].home)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Nothing is dropped at the end: the servers go, and PostgreSQL waits five seconds for whoever is still there."""
    return True


@pytest.fixture(scope="session")
def django_db_createdb() -> bool:
    """Nothing of an earlier run is used, where the tests were given a server that lives on."""
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """From here on whatever runs in this process is the product's role; the databases are made and removed before."""
    role = environ.Env.db_url_config(os.environ["DATABASE_URL"])["USER"]
    own = connection.settings_dict
    with django_db_blocker.unblock():
        roles.grant(role)
        connection.close()
    own["OPTIONS"]["assume_role"] = role
    own[AS_OWNER] = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", emptied_by_the_owner)
        yield
    with django_db_blocker.unblock():
        connection.close()
    del own["OPTIONS"]["assume_role"]
    own[AS_OWNER] = True


def emptied_by_the_owner(case: TransactionTestCase) -> None:
    """After a test with transactions of its own every table is emptied, which the product may not.

    Deleting few rows takes 20 ms where Django's TRUNCATE of each table took 0.4 s; the content types and permissions
    that it would write anew each time are read by nothing of ours.
    """
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with owner_cursor(triggers=False) as cursor:
        cursor.execute("; ".join(f'DELETE FROM "{table}"' for table in tables))


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """Environment for processes that a test starts: the test's own database and broker."""
    given = environ.Env.db_url_config(os.environ["DATABASE_URL"])["NAME"]
    url = os.environ["DATABASE_URL"].replace(f"/{given}", f"/{connection.settings_dict['NAME']}", 1)
    inherited = {name: value for name, value in os.environ.items() if name != "MIGRATE_DATABASE_URL"}
    return {**inherited, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "sla_portal.settings"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of one file; each opens a context of its own. No browser is a failure, never a skip.

    Not for the whole run: while Playwright lives, an event loop runs in this thread, and `asyncio.run` refuses.
    """
    path = chromium.installed()
    if path is None:
        pytest.fail("There is no Chromium for the browser tests: `make browser` installs one or says why it cannot.")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Django would take Playwright's loop for our own code
        started = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield started
        started.close()
