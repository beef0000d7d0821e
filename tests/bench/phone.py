"""Pages as a phone on slow 4G loads them, by Lighthouse, from the product as `make run` starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from sla_portal.environment import BASE_DIR, VARIABLES
from sla_portal.local.run import LOGINS
from tests import chromium
from tests.story.product import free_ports

LIGHTHOUSE = BASE_DIR / "var" / "lighthouse"
REPORTER = next(email for email, role in LOGINS.items() if role == "client's reporter")
PATIENCE = 300.0  # seconds for a start on a busy machine


@contextmanager
def product() -> Iterator[tuple[str, str]]:
    """The address of a running product with demo data, and the reporter's password."""
    with tempfile.TemporaryDirectory(prefix="sla_portal-phone-") as folder:
        port = free_ports()
        own = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        own |= {"PORT": str(port), "DATA_DIR": f"{folder}/data"}
        log = Path(folder) / "log"
        with log.open("w") as output:
            run = subprocess.Popen([sys.executable, "-m", "sla_portal.local.run"], env=own, stdout=output)
        try:
            until_ready(run, log)
            logins = json.loads((Path(folder) / "data" / "run" / "demo_logins.json").read_text())
            yield f"http://127.0.0.1:{port}", logins[REPORTER]
        finally:
            run.send_signal(signal.SIGINT)
            run.wait()


def until_ready(run: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while "Ready:" not in log.read_text():
        assert run.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.5)


def signed_in(base: str, password: str) -> tuple[str, str]:
    """The reporter's cookies and home page."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = browser.open(f"{base}/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "username": REPORTER, "password": password}
    home = browser.open(f"{base}/login/", urllib.parse.urlencode(fields).encode()).read().decode()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar), home


def figures() -> list[tuple[str, str, str]]:
    with product() as (base, password):
        cookies, home = signed_in(base, password)
        incident = re.search(r"/incidents/[A-Z]+-\d+/", home)
        assert incident
        paths = ["/report/", "/", incident[0]]
        command = ["node", "run.mjs", str(chromium.installed()), base, cookies, *paths]
        done = subprocess.run(command, cwd=LIGHTHOUSE, capture_output=True, text=True, check=True)
    pages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [page["path"] for page in pages] == paths
    names = ["report", "client's home", "incident"]
    return [row for name, page in zip(names, pages, strict=True) for row in rows(name, page)]


def rows(name: str, page: dict[str, float]) -> Iterator[tuple[str, str, str]]:
    yield f"phone, {name}: Lighthouse's performance", f"{page['score']:.0f}", "≥ 98"
    yield f"phone, {name}: largest paint", f"{page['largest'] / 1000:.1f} s", "≤ 1.8 s"
    yield f"phone, {name}: first visit, everything", f"{page['bytes'] / 1000:.0f} kB", "≤ 120 kB"
