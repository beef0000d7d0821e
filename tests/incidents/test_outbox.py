"""What leaves: by a real SMTP server and a real HTTP gateway on loopback; retries, caps, kept errors."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from incidents import lifecycle, sweeps
from incidents.journal import check_chain
from incidents.models import Incident, Notice
from incidents.notices import sending
from messaging import heartbeat, outbox
from messaging.models import Channel, Delivery, Heartbeat, Notification
from messaging.time_limit import within
from tests import build
from tests.owner import as_owner

pytestmark = pytest.mark.django_db


class Inbox:
    """Takes every mail; refuses with `refuse` where it is set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        parsed = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"


class Server(Controller):
    """On any free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    taken = Inbox()
    controller = Server(taken, hostname="127.0.0.1", port=0)
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    yield taken
    controller.stop()


class Calls(BaseHTTPRequestHandler):
    """Keeps each call on the server object and answers its `status`."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        said = b"no credit left"
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words: object) -> None:
        """Quiet."""


@pytest.fixture
def calls(settings: Any) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    server.calls, server.status = [], 202  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.GATEWAY_URL = f"http://127.0.0.1:{server.server_port}/gateway"
    settings.GATEWAY_TOKEN = "zeton-bramki"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def minutes(count: int) -> datetime:
    return build.MONDAY + timedelta(minutes=count)


def a_report(world: build.World) -> Incident:
    incident = build.incident(world.shop, by=world.reporter)
    return Incident.objects.get(pk=incident.pk)


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\u00a0", " ")


def test_a_receipt_arrives_with_both_promises_the_head_and_no_claim_of_a_reaction(inbox: Inbox) -> None:
    world = build.world()
    incident = a_report(world)
    assert sending.send_due(at=minutes(0)) == 2
    mail = next(one for one in inbox.mails if one["To"] == world.reporter.email)
    assert mail["Subject"] == "MAK-0001: przyjęliśmy zgłoszenie"
    assert mail["Auto-Submitted"] == "auto-generated"
    words = text_of(mail, "plain")
    assert "2 marca 2026, 10:00:00." in words
    assert "Odezwiemy się do 10:30, zostało 30 min" in words
    assert "Naprawa do 14:00, zostało 4 h" in words
    assert "ta wiadomość jest automatyczna" in words
    assert "/incidents/MAK-0001/why/restore/" in words
    html = text_of(mail, "html")
    assert "<b>Naprawa do 14:00, zostało 4 h</b>" in html
    assert html.count("<style>") == 1
    assert "style=" not in html

    head = next(line for line in words.splitlines() if line.startswith("Skrót dziennika")).split(":")[1].strip()
    check = check_chain(incident.journal.order_by("seq"), head.replace(" ", ""))
    assert (check.knows_head, check.broken_at, check.length) == (True, 0, 1)
    assert len(head.replace(" ", "")) == 32


def test_each_reader_gets_the_own_language(inbox: Inbox) -> None:
    world = build.world()
    world.reporter.language = "en"
    world.reporter.save()
    a_report(world)
    sending.send_due(at=minutes(0))
    subjects = {one["To"]: one["Subject"] for one in inbox.mails}
    assert subjects == {
        world.reporter.email: "MAK-0001: we received your report",
        world.agent.email: "MAK-0001: nowe zgłoszenie, P1",
    }
    mine = next(one for one in inbox.mails if one["To"] == world.reporter.email)
    assert "Repair by 14:00, 4 h left" in text_of(mine, "plain")


def test_mails_of_one_incident_are_a_thread_and_their_ids_tell_nothing(inbox: Inbox) -> None:
    world = build.world()
    incident = a_report(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    sending.send_due(at=minutes(1))
    mine = [one for one in inbox.mails if one["To"] == world.reporter.email]
    assert len(mine) == 2
    assert mine[0]["References"] == mine[1]["References"] == mine[1]["In-Reply-To"]
    assert mine[0]["Message-ID"] != mine[1]["Message-ID"]
    for one in mine:
        assert "entry-" not in one["Message-ID"]


def test_what_people_wrote_is_escaped_in_html_and_plain_in_text(inbox: Inbox) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter, sentence="Koszyk <b>& kasa</b>")
    sending.send_due(at=minutes(0))
    assert "Koszyk &lt;b&gt;&amp; kasa&lt;/b&gt;" in text_of(inbox.mails[0], "html").replace("&nbsp;", " ")
    assert "Koszyk <b>& kasa</b>" in text_of(inbox.mails[0], "plain")


def test_every_kind_of_notice_is_written_in_both_languages() -> None:
    for language in ("pl", "en"):
        world = build.world("MAK" if language == "pl" else "LIS")
        for person in (world.reporter, world.agent):
            person.language = language
            person.save()
        incident = a_report(world)
        lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
        lifecycle.pause(incident=incident, by=world.agent, at=minutes(2), reason="client_answer", text="Od kiedy?")
        lifecycle.answer(incident=incident, by=world.reporter, at=minutes(3), text="Od rana.")
        lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(4), text="Tylko odczyt.")
        lifecycle.work_around(incident=incident, by=world.agent, at=minutes(5), text="Płatność przelewem.")
        lifecycle.resolve(incident=incident, by=world.agent, at=minutes(6), text="Operator naprawił.")
        lifecycle.reject(incident=incident, by=world.reporter, at=minutes(7), text="Nadal nie działa.")
        lifecycle.assign(incident=incident, by=world.agent, at=minutes(8), to=world.manager)
        lifecycle.ask_for_manager(incident=incident, by=world.reporter, at=minutes(9))
        lifecycle.cancel(incident=incident, by=world.reporter, at=minutes(10), text="Pomyłka.")
    polish = set(Notification.objects.filter(subject__startswith="MAK").values_list("subject", flat=True))
    english = set(Notification.objects.filter(subject__startswith="LIS").values_list("subject", flat=True))
    assert "MAK-0001: potrzebujemy odpowiedzi" in polish
    assert "LIS-0001: we need your answer" in english
    assert "LIS-0001: fixed, please check" in english
    assert len(polish) == len(english)


def test_a_text_message_goes_by_the_gateway_without_names(calls: Any, inbox: Inbox) -> None:
    world = build.world()
    incident = a_report(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(180))
    row = Notification.objects.get(channel="sms")
    sending.send_due(at=minutes(180))
    path, headers, body = calls.calls[0]
    assert (path, headers["Authorization"]) == ("/gateway", "Bearer zeton-bramki")
    assert body["channel"] == "sms"
    assert body["to"] == "+48600100200"
    assert body["text"].startswith("MAK-0001: wykorzystano 75 % czasu (naprawa). http")
    assert world.shop.name not in body["text"]
    assert headers["Idempotency-Key"] == body["key"]
    row.refresh_from_db()
    assert (row.status, row.sent_at, row.attempts) == (Delivery.SENT, minutes(180), 1)


def test_a_refused_mail_is_tried_six_times_with_growing_waits_then_given_up_with_its_error(inbox: Inbox) -> None:
    world = build.world()
    a_report(world)
    with as_owner():
        Notice.objects.exclude(notification__recipient=world.reporter).delete()
        Notification.objects.exclude(recipient=world.reporter).delete()
    inbox.refuse = "554 5.7.1 mailbox is full"
    at, waits = minutes(0), []
    for _ in range(6):
        assert sending.send_due(at=at) == 0
        row = Notification.objects.get()
        waits.append((row.next_attempt_at - at) // timedelta(minutes=1) if row.next_attempt_at else None)
        at = row.next_attempt_at or at
    assert waits == [1, 5, 15, 60, 180, None]
    assert (row.status, row.attempts, row.sent_at) == (Delivery.FAILED, 6, None)
    assert "mailbox is full" in row.error
    inbox.refuse = ""
    assert sending.send_due(at=at + timedelta(days=1)) == 0
    assert inbox.mails == []

    assert outbox.send_again(row, at=at)
    assert sending.send_due(at=at) == 1
    row.refresh_from_db()
    assert (row.status, row.error) == (Delivery.SENT, "")


def test_a_gateway_that_says_no_keeps_its_words(calls: Any) -> None:
    world = build.world()
    row = Notification.objects.create(
        key="k", channel="voice", address="+48600", subject="s", body="b", created_at=minutes(0),
        next_attempt_at=minutes(0), recipient=world.manager,
    )  # fmt: skip
    calls.status = 402
    assert sending.send_due(at=minutes(0)) == 0
    row.refresh_from_db()
    assert row.error == "GatewayError: 127.0.0.1: 402 Payment Required no credit left"
    assert (row.status, row.next_attempt_at) == (Delivery.QUEUED, minutes(1))


def test_a_dead_mail_server_costs_one_row_an_attempt_and_stops_no_text_message(calls: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    world = build.world()
    a_report(world)
    a_text_message(world)
    assert sending.send_due(at=minutes(0)) == 1
    assert len(calls.calls) == 1
    mails = Notification.objects.filter(channel="email").order_by("pk").values_list("attempts", "status")
    assert list(mails) == [(1, "queued"), (0, "queued")]


def test_a_claimed_row_is_hidden_until_its_lease_ends() -> None:
    world = build.world()
    a_report(world)
    first, second = outbox.claim(at=minutes(0)), outbox.claim(at=minutes(0))
    assert first is not None
    assert second is not None
    assert first.pk != second.pk
    assert outbox.claim(at=minutes(0)) is None
    again = outbox.claim(at=minutes(3))
    assert again is not None
    assert (again.pk, again.attempts) == (first.pk, 2)


def test_history_that_is_played_sends_nothing(inbox: Inbox) -> None:
    world = build.world()
    a_report(world)
    assert sending.mark_sent(at=minutes(0)) == 2
    assert sending.send_due(at=minutes(60)) == 0
    assert inbox.mails == []
    assert set(Notification.objects.values_list("status", "sent_at")) == {("sent", minutes(0))}


def test_each_lane_leaves_its_own_heartbeat(inbox: Inbox) -> None:
    build.world()
    sending.send_now(lambda: minutes(5), outbox.MAIL)
    sending.send_now(lambda: minutes(6), outbox.CALLS)
    sending.send_now(lambda: minutes(7), outbox.MAIL)
    assert dict(Heartbeat.objects.values_list("name", "at")) == {"mail": minutes(7), "calls": minutes(6)}


def a_text_message(world: build.World) -> Notification:
    return Notification.objects.create(
        key="k", channel="sms", address="+48600", subject="s", body="b", created_at=minutes(0),
        next_attempt_at=minutes(0), recipient=world.manager,
    )  # fmt: skip


def test_a_lane_sends_what_is_its_own_and_every_channel_has_one_lane(inbox: Inbox, calls: Any) -> None:
    assert sorted(channel for lane in outbox.LANES.values() for channel in lane) == sorted(Channel)
    world = build.world()
    a_report(world)
    row = a_text_message(world)
    assert sending.send_now(lambda: minutes(1), outbox.CALLS) == 1
    assert (len(calls.calls), inbox.mails) == (1, [])
    row.refresh_from_db()
    assert row.status == Delivery.SENT
    assert sending.send_now(lambda: minutes(1), outbox.MAIL) == 2
    assert (len(calls.calls), len(inbox.mails)) == (1, 2)


@pytest.fixture
def silent_server(settings: Any) -> Iterator[socket.socket]:
    """Takes every connection and never says a word, as a mail server that hangs does."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        yield server


def test_a_server_that_never_answers_costs_one_wait_and_its_channel_rests(
    silent_server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ATTEMPT_SECONDS", 0.2)
    a_report(build.world())
    began = time.monotonic()
    assert sending.send_now(lambda: minutes(1), outbox.MAIL) == 0
    assert time.monotonic() - began < 2
    rows = Notification.objects.order_by("pk").values_list("attempts", "status", "error")
    assert list(rows) == [(1, "queued", "TimeoutError: no end after 0.2 s"), (0, "queued", "")]


def test_a_run_claims_nothing_more_when_its_time_is_up(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    a_report(build.world())
    monkeypatch.setattr(outbox, "RUN_SECONDS", 0.0)
    assert sending.send_now(lambda: minutes(1), outbox.MAIL) == 0
    assert set(Notification.objects.values_list("attempts", "status")) == {(0, "queued")}
    monkeypatch.setattr(outbox, "RUN_SECONDS", 20.0)
    assert sending.send_now(lambda: minutes(1), outbox.MAIL) == 2


def test_a_run_with_its_last_attempt_ends_before_its_lane_is_called_silent_and_before_the_lease() -> None:
    longest = timedelta(seconds=outbox.RUN_SECONDS + outbox.ATTEMPT_SECONDS + outbox.GOODBYE_SECONDS)
    assert longest < heartbeat.SILENT_AFTER < outbox.LEASE


def test_what_is_done_within_a_time_raises_its_own_error_or_that_it_did_not_end() -> None:
    done: list[int] = []
    within(5, lambda: done.append(1))
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)
    with pytest.raises(TimeoutError, match=r"^no end after 0\.05 s$"):
        within(0.05, threading.Event().wait)
    with pytest.raises(TimeoutError, match=r"^of its own$"):
        within(5, lambda: (_ for _ in ()).throw(TimeoutError("of its own")))
