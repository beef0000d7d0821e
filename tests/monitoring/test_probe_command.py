"""`manage.py probe`: one check, explained, without a database."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from tests.monitoring.badserver import PAGE, closed_port


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    allowed = override_settings(PROBE_ALLOW_NETWORKS=["127.0.0.1/32"])
    with allowed, HTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def probe(*arguments: str) -> int:
    try:
        call_command("probe", *arguments)
    except SystemExit as ended:
        return int(str(ended.code))
    return 0


def test_a_shop_that_works_is_explained(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(shop, "--language", "en") == 0
    said = capsys.readouterr().out
    assert said.startswith("up: Works: answered in 0.")
    assert "Connected to 127.0.0.1.\nStatus 200, 52 bytes read." in said


def test_it_speaks_polish_by_default(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(shop, "--text", "Do kasy") == 1
    assert capsys.readouterr().out.startswith("down: Na stronie brakuje tekstu „Do kasy”.")


def test_json_carries_the_whole_result(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(shop, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["state"], result["status"], result["address"]) == ("up", 200, "127.0.0.1")
    assert set(result["sentence"]) == {"pl", "en"}


@override_settings(PROBE_ALLOW_NETWORKS=["127.0.0.1/32"])
@pytest.mark.parametrize(("works", "code", "state"), [(True, 1, "down"), (False, 2, "unknown")])
def test_a_failure_is_the_shops_only_where_the_canaries_answer(
    capsys: pytest.CaptureFixture[str], works: bool, code: int, state: str
) -> None:
    canaries = settings.PROBE_CANARIES if works else (("127.0.0.1", closed_port()),) * 4
    with override_settings(PROBE_CANARIES=canaries):
        assert probe(f"http://127.0.0.1:{closed_port()}/", "--json") == code
    assert json.loads(capsys.readouterr().out)["state"] == state


@override_settings(PROBE_ALLOW_NETWORKS=[])
def test_loopback_is_refused_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(f"http://127.0.0.1:{closed_port()}/", "--json") == 2
    assert json.loads(capsys.readouterr().out)["reason"] == "blocked"
