"""The demo's mailbox: real SMTP, the gateway's receiver, and pages that keep what arrived."""

from __future__ import annotations

import json
import smtplib
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from sla_portal.environment import BASE_DIR
from sla_portal.local import embedded
from sla_portal.local.run import answers


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def mailbox(folder: Path) -> Iterator[tuple[str, int]]:
    """A running mailbox: address of its pages, and its SMTP port."""
    port, smtp_port = free_port(), free_port()
    command = [sys.executable, "-m", "sla_portal.local.mailbox", "--port", str(port), "--smtp-port", str(smtp_port)]
    with subprocess.Popen([*command, "--folder", str(folder)], cwd=BASE_DIR) as process:
        address = f"http://127.0.0.1:{port}"
        embedded.wait_until(lambda: answers(address), 20, "the mailbox does not start")
        try:
            yield address, smtp_port
        finally:
            process.terminate()
            assert process.wait(10) == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with mailbox(tmp_path_factory.mktemp("mailbox")) as where:
        yield where


def send(smtp_port: int, **headers: str) -> None:
    mail = EmailMessage()
    for name, value in {"From": "Studio <sla@studio.example>", "To": "marta@mak.example", **headers}.items():
        mail[name] = value
    mail.set_content("Naprawa do 12:12.\nhttp://127.0.0.1:8000/incidents/MAK-0142/?a=1&b=2\n")
    mail.add_alternative("<p>Naprawa do <b>12:12</b><script>alert(1)</script></p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", smtp_port) as server:
        server.send_message(mail)


def get(address: str) -> tuple[str, Any]:
    with urllib.request.urlopen(address) as answer:
        return answer.read().decode(), answer.headers


def call(address: str, body: bytes) -> tuple[int, str]:
    request = urllib.request.Request(f"{address}/gateway", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def stored(address: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads(get(f"{address}/messages.json")[0])
    return kept


def test_a_mail_is_kept_with_text_and_html_and_shown_in_polish(running: tuple[str, int]) -> None:
    address, smtp_port = running
    send(smtp_port, Subject="Zgłoszenie MAK-0142: przyjęliśmy je")
    mail = stored(address)[-1]
    assert mail["channel"] == "mail"
    assert mail["to"] == "marta@mak.example"
    assert mail["subject"] == "Zgłoszenie MAK-0142: przyjęliśmy je"
    assert "Zgłoszenie MAK-0142: przyjęliśmy je" in get(address)[0]
    page = get(f"{address}/messages/{mail['id']}")[0]
    link = "http://127.0.0.1:8000/incidents/MAK-0142/?a=1&amp;b=2"
    assert f'<a href="{link}">{link}</a>' in page
    assert "<dt>Od</dt><dd>Studio &lt;sla@studio.example&gt;</dd>" in page


def test_the_html_of_a_mail_is_shown_without_its_scripts(running: tuple[str, int]) -> None:
    address, smtp_port = running
    send(smtp_port, Subject="HTML")
    html, headers = get(f"{address}/messages/{stored(address)[-1]['id']}/html")
    assert "<b>12:12</b>" in html
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_subject_with_markup_is_only_text(running: tuple[str, int]) -> None:
    address, smtp_port = running
    send(smtp_port, Subject="<script>x</script>")
    page, headers = get(address)
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_gateway_call_is_kept_once_for_each_key(running: tuple[str, int]) -> None:
    address, _ = running
    before = len(stored(address))
    body = json.dumps({"channel": "voice", "to": "600100200", "text": "Awaria w MAK-0142", "key": "k1"}).encode()
    first, again = call(address, body), call(address, body)
    assert (first[0], again[0]) == (202, 200)
    assert json.loads(first[1]) == json.loads(again[1])
    assert len(stored(address)) == before + 1
    assert "Połączenie głosowe do 600100200" in get(address)[0]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"to=1", "expected JSON"),
        (b"[]", "expected an object with `to` and `text`"),
        (b'{"to": "1"}', "expected an object with `to` and `text`"),
        (b'{"to": "1", "text": "x", "channel": "fax"}', "channel: expected sms or voice"),
    ],
)
def test_a_wrong_call_is_refused_and_nothing_is_kept(running: tuple[str, int], body: bytes, why: str) -> None:
    before = stored(running[0])
    assert call(running[0], body) == (400, why)
    assert stored(running[0]) == before


def test_a_second_run_shows_what_the_first_received(tmp_path: Path) -> None:
    with mailbox(tmp_path) as (address, smtp_port):
        assert "Nic jeszcze nie przyszło" in get(address)[0]
        send(smtp_port, Subject="pierwsza")
        first = stored(address)
    with mailbox(tmp_path) as (address, smtp_port):
        send(smtp_port, Subject="druga")
        assert stored(address)[0] == first[0]
        assert [mail["id"] for mail in stored(address)] == [1, 2]
