"""The demo's mailbox: a real SMTP server, the receiver of the HTTP gateway, and a page that shows what arrived.

    python -m sla_portal.local.mailbox --port 8001 --smtp-port 8002 --folder var/mailbox

Nothing leaves this machine. Messages are kept as files, one each, so a second run still shows them. Addresses:
`GET /` the list in Polish, `GET /messages/<id>` one message, `GET /messages.json` all of them for programs (newest
last), `POST /gateway` a text message or call: JSON with `to`, `text`, `channel` (`sms` or `voice`) and, against a
second delivery, `key` (or the header `Idempotency-Key`); answers 202 with the id, 200 for a repeated key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

CALLS = {"sms": "SMS", "voice": "Połączenie głosowe"}
CHANNELS = {"mail": "E-mail", **CALLS}
WARSAW = ZoneInfo("Europe/Warsaw")
SAFE = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'"
STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#14181f, #e9edf2); --ink-2: light-dark(#4b5563, #b6bfcb);
  --page: light-dark(#fff, #10151c); --line: light-dark(#dce1e7, #2b3541); --accent: light-dark(#0a58a6, #6cb6ff); }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; margin: 0 0 .5rem; } a { color: var(--accent); } .note { color: var(--ink-2); }
ul { list-style: none; padding: 0; } li { border-top: 1px solid var(--line); padding: .75rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--ink-2); } dd { margin: 0; }
pre { white-space: pre-wrap; font: inherit; border-left: 3px solid var(--line); padding-left: 1rem; }
iframe { width: 100%; height: 40rem; border: 1px solid var(--line); background: #fff; }
"""


@dataclass(frozen=True)
class Message:
    """A received mail or gateway call. `at`: UTC epoch seconds."""

    id: int
    channel: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    at: int
    key: str = ""

    @property
    def title(self) -> str:
        return self.subject or self.text

    @property
    def when(self) -> str:
        return f"{datetime.fromtimestamp(self.at, WARSAW):%d.%m.%Y, %H:%M:%S}"


class Box:
    """The messages of one folder, in the order of their arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.messages = sorted(self._read(), key=lambda message: message.id)

    def _read(self) -> Iterator[Message]:
        names = {field.name for field in fields(Message)}
        for path in self.folder.glob("*.json"):
            stored = json.loads(path.read_text(encoding="utf-8"))
            yield Message(**{name: value for name, value in stored.items() if name in names})

    def add(self, **values: Any) -> Message:
        """Keeps a message; it is written whole or not at all."""
        number = self.messages[-1].id + 1 if self.messages else 1
        message = Message(id=number, at=int(datetime.now(UTC).timestamp()), **values)
        draft = self.folder / f"{number:06d}.part"
        draft.write_text(json.dumps(asdict(message), ensure_ascii=False), encoding="utf-8")
        draft.rename(self.folder / f"{number:06d}.json")
        self.messages.append(message)
        return message

    def find(self, number: int) -> Message | None:
        return next((message for message in self.messages if message.id == number), None)

    def with_key(self, key: str) -> Message | None:
        return next((message for message in self.messages if key and message.key == key), None)


class Receiver:
    """aiosmtpd's handler: takes every mail for every address."""

    def __init__(self, box: Box) -> None:
        self.box = box

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=policy.default)
        self.box.add(
            channel="mail",
            sender=str(mail.get("From", envelope.mail_from or "")),
            to=", ".join(envelope.rcpt_tos),
            subject=str(mail.get("Subject", "")),
            text=_body(mail, "plain"),
            html=_body(mail, "html"),
        )
        return "250 OK"


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _linked(text: str) -> str:
    return re.sub(
        r"https?://[^\s<>&]+(?:&amp;[^\s<>&]+)*", lambda link: f'<a href="{link[0]}">{link[0]}</a>', escape(text)
    )


def _page(title: str, body: str, *, refresh: bool = False) -> web.Response:
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">{again}'
    head += f'<title>{escape(title)}</title><link rel="stylesheet" href="/style.css">'
    text = f'<!doctype html><html lang="pl"><head>{head}</head><body>{body}</body></html>'
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": SAFE})


def _list(messages: list[Message]) -> str:
    rows = "".join(
        f'<li><a href="/messages/{message.id}">{escape(message.title)}</a><br>'
        f'<span class="note">{CHANNELS[message.channel]} do {escape(message.to)}, {message.when}</span></li>'
        for message in reversed(messages)
    )
    empty = "<p>Nic jeszcze nie przyszło. Wiadomości i połączenia pojawią się tu same.</p>"
    note = '<p class="note">Wiadomości z tego pokazu nie opuszczają komputera. Strona odświeża się co 5 sekund.</p>'
    return f"<h1>Skrzynka pokazowa</h1>{note}{f'<ul>{rows}</ul>' if rows else empty}"


def _message(message: Message) -> str:
    facts = {"Kanał": CHANNELS[message.channel], "Od": message.sender, "Do": message.to, "Przyszło": message.when}
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    html = f'<h2>Wersja HTML</h2><iframe sandbox src="/messages/{message.id}/html" title="Wersja HTML"></iframe>'
    text = f"<h2>Treść</h2><pre>{_linked(message.text)}</pre>" if message.text else ""
    head = f'<p><a href="/">Wszystkie wiadomości</a></p><h1>{escape(message.subject or CHANNELS[message.channel])}</h1>'
    return f"{head}<dl>{rows}</dl>{text}{html if message.html else ''}"


class Pages:
    def __init__(self, box: Box) -> None:
        self.box = box

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1024 * 1024)
        application.add_routes(
            [
                web.get("/", self.index),
                web.get("/style.css", self.style),
                web.get("/messages.json", self.all),
                web.get(r"/messages/{id:\d{1,9}}", self.one),
                web.get(r"/messages/{id:\d{1,9}}/html", self.html),
                web.post("/gateway", self.gateway),
            ]
        )
        return application

    async def index(self, request: web.Request) -> web.Response:
        return _page("Skrzynka pokazowa", _list(self.box.messages), refresh=True)

    async def style(self, request: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    async def all(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(message) for message in self.box.messages])

    def _asked(self, request: web.Request) -> Message:
        message = self.box.find(int(request.match_info["id"]))
        if message is None:
            raise web.HTTPNotFound(text="Nie ma takiej wiadomości.")
        return message

    async def one(self, request: web.Request) -> web.Response:
        message = self._asked(request)
        return _page(message.title, _message(message))

    async def html(self, request: web.Request) -> web.Response:
        """A mail's HTML as it came; the sandbox keeps its scripts and forms dead, wherever it is opened."""
        policy_of_mail = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        headers = {"Content-Security-Policy": policy_of_mail}
        return web.Response(text=self._asked(request).html, content_type="text/html", headers=headers)

    async def gateway(self, request: web.Request) -> web.Response:
        call = await _call(request)
        before = self.box.with_key(call["key"])
        message = before or self.box.add(sender="", subject="", html="", **call)
        return web.json_response({"id": message.id}, status=200 if before else 202)


async def _call(request: web.Request) -> dict[str, str]:
    """The call's fields, or a 400 that says what was expected."""
    try:
        sent = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="expected JSON") from error
    if not isinstance(sent, dict) or not sent.get("to") or not sent.get("text"):
        raise web.HTTPBadRequest(text="expected an object with `to` and `text`")
    channel = sent.get("channel", "sms")
    if channel not in CALLS:
        raise web.HTTPBadRequest(text=f"channel: expected {' or '.join(CALLS)}")
    key = str(sent.get("key") or request.headers.get("Idempotency-Key", ""))
    return {"channel": channel, "to": str(sent["to"]), "text": str(sent["text"]), "key": key}


async def serve(box: Box, port: int, smtp_port: int) -> None:
    """Serves both until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    receiver = Receiver(box)
    smtp = await loop.create_server(
        lambda: SMTP(receiver, hostname="localhost", ident="sla_portal mailbox", enable_SMTPUTF8=True, loop=loop),
        "127.0.0.1",
        smtp_port,
    )
    runner = web.AppRunner(Pages(box).application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await ended.wait()
    smtp.close()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description="The demo's mailbox: SMTP, gateway and a page that shows both.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(serve(Box(given.folder), given.port, given.smtp_port))


if __name__ == "__main__":
    main()
