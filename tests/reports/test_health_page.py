"""The administrator's home: sweeps and their age, the outbox, the proof, the servers; and the queue's sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.test import override_settings

from incidents.models import ClockRow
from messaging import heartbeat
from messaging.models import Delivery, Notification
from monitoring import way_out
from monitoring.models import ProbePlace
from monitoring.probe.specification import Result
from reports import health
from reports.models import ProofRun
from tests import build, tamper
from tests.monitoring.played import DOWN, UP, monitor, play
from tests.pages import counted, stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
NOW = build.at("2026-03-02 10:10:00")
PAGE = "/settings/health/"
ROLES = ("agent", "manager", "admin")
NAMES = [job.name for job in health.JOBS]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Browser:
    stop_clock(monkeypatch, NOW)
    monkeypatch.setattr(health, "installed_at", lambda: NOW - timedelta(minutes=3))
    return visitor(build.staff("Ada Min", role="admin", on_call=False))


def beat(seconds_ago: int, *names: str) -> None:
    for name in names or NAMES:
        heartbeat.beat(name, at=NOW - timedelta(seconds=seconds_ago), took_ms=12)


def given_up(number: int = 1) -> Notification:
    return Notification.objects.create(
        key=f"proba-{number}", channel="sms", address=f"60010020{number}", subject="Próba", body="Próba",
        created_at=build.MONDAY, status=Delivery.FAILED, attempts=6, error="GatewayError: 503 busy",
    )  # fmt: skip


def test_an_administrator_s_home_is_this_page(page: Browser) -> None:
    assert page.get("/")["Location"] == PAGE


def test_everything_runs(page: Browser) -> None:
    beat(2)
    said = text_of(page.get(PAGE))
    assert "Stan systemu Wszystko działa." in said
    assert "Terminy i eskalacje dziś 10:09:58 2 s 12 ms" in said
    assert "stoi" not in said


def failed_check(said: str, place: str = "pl") -> Result:
    return Result(id="0", state="down", reason="connect", place=place, canaries=said)  # type: ignore[arg-type]


@override_settings(PROBE_CANARIES=(("127.0.0.1", 9),), PROBE_PLACES=["pl", "de"])
def test_a_place_without_a_way_out_is_said_until_its_canaries_answer(page: Browser) -> None:
    beat(2)
    way_out.note([failed_check("answered")], at=NOW - timedelta(minutes=9))
    assert "Wszystko działa. " in text_of(page.get(PAGE))
    way_out.note([failed_check("failed"), failed_check("answered", "de")], at=NOW - timedelta(minutes=5))
    said = text_of(page.get(PAGE))
    assert "Miejsce pl nie ma wyjścia do sieci." in said
    assert "Hosty kontrolne nie odpowiedziały: dziś 10:05:00." in said
    assert "Ostatnio odpowiedziały: dziś 10:01:00." in said
    assert "Łącze miejsca pl nie odpowiada Łącze miejsca de odpowiada, dziś 10:05" in said
    assert "Wszystko działa" not in said
    way_out.note([failed_check("answered")], at=NOW)
    assert "Miejsce pl" not in text_of(page.get(PAGE))


def test_that_no_canary_is_named_is_said(page: Browser) -> None:
    beat(2)
    with override_settings(PROBE_CANARIES=()):
        assert "Nikt nie potwierdza, że nasze łącze działa." in text_of(page.get(PAGE))
    with override_settings(PROBE_CANARIES=(("127.0.0.1", 9),)):
        assert "Nikt nie potwierdza" not in text_of(page.get(PAGE))
        way_out.note([failed_check("none")], at=NOW)  # the worker's own environment says otherwise
        assert "Nikt nie potwierdza" in text_of(page.get(PAGE))


@pytest.mark.parametrize(("name", "sentence"), [(job.name, job.stalled) for job in health.JOBS])
def test_a_sweep_that_stands_is_said_first_with_its_last_time(page: Browser, name: str, sentence: str) -> None:
    nights = dict.fromkeys(("anchor", "forget", "retention"), (36 * 3600, "sob. 28 lut, 22:09:59"))
    rare = {**nights, "backup": (26 * 3600, "wczoraj 8:09:59"), "missed": (120, "dziś 10:07:59")}
    patience, moment = rare.get(name, (60, "dziś 10:08:59"))
    beat(2)
    beat(patience, name)
    assert "stoi" not in text_of(page.get(PAGE))
    beat(patience + 1, name)
    said = text_of(page.get(PAGE))
    assert f"Stan systemu {plain(str(sentence))} Ostatnio: {moment}." in said
    assert "Wszystko działa" not in said
    assert said.count("stoi") == 1


def test_a_sweep_that_never_ran_is_told_too(page: Browser) -> None:
    beat(1, "mail", "calls", "checks", "results", "missed")
    assert "Nikt nie pilnuje terminów. Jeszcze nie ruszyło ani razu." in text_of(page.get(PAGE))


def test_a_new_installation_is_not_ill_before_its_first_minutes_have_passed(
    page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(1, "mail")
    monkeypatch.setattr(health, "installed_at", lambda: NOW - timedelta(minutes=2, seconds=59))
    said = text_of(page.get(PAGE))
    assert "Stan systemu Wszystko działa." in said
    assert "jeszcze nie, do dziś 10:10" in said
    beat(61, "mail")
    assert "Stan systemu Nikt nie wysyła e-maili." in text_of(page.get(PAGE))


def test_what_runs_once_a_night_is_not_missed_before_the_second_day(
    page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(1, *(name for name in NAMES if name != "retention"))
    monkeypatch.setattr(health, "installed_at", lambda: NOW - timedelta(hours=24, minutes=59))
    assert "Stan systemu Wszystko działa." in text_of(page.get(PAGE))
    monkeypatch.setattr(health, "installed_at", lambda: NOW)
    assert "jeszcze nie, do jutra 11:10" in text_of(page.get(PAGE))
    monkeypatch.setattr(health, "installed_at", lambda: NOW - timedelta(hours=25))
    assert "Stan systemu Stare sprawdzenia zostają dłużej, niż obiecano." in text_of(page.get(PAGE))


def test_the_outbox_tells_what_waits_and_what_was_given_up(page: Browser) -> None:
    beat(1)
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    waiting = Notification.objects.count()
    given_up()
    said = text_of(page.get(PAGE))
    assert "Stan systemu 1 powiadomienie nie doszło." in said
    assert "Wszystko działa" not in said
    assert f"Czeka {waiting} Najstarsze czeka 10 min Nie doszło 1" in said
    assert "600100201 SMS, 600100201" in said
    assert "GatewayError: 503 busy" in said


def test_one_notice_is_tried_again_and_then_all(page: Browser) -> None:
    first, second, third = (given_up(number) for number in (1, 2, 3))
    answer = page.post(f"{PAGE}again/", {"notice": str(first.pk)})
    assert "1 powiadomienie zostanie wysłane ponownie" in text_of(page.get(answer["Location"]))
    first.refresh_from_db()
    assert (first.status, first.attempts, first.next_attempt_at) == ("queued", 0, NOW)
    page.post(f"{PAGE}again/", {"notice": "all"})
    assert set(Notification.objects.values_list("status", flat=True)) == {"queued"}
    assert {row.pk for row in Notification.objects.all()} == {first.pk, second.pk, third.pk}


def test_a_notice_that_was_sent_is_not_sent_again(page: Browser) -> None:
    row = given_up()
    Notification.objects.update(status=Delivery.SENT, sent_at=build.MONDAY)
    page.post(f"{PAGE}again/", {"notice": str(row.pk)})
    page.post(f"{PAGE}again/", {"notice": "all"})
    assert Notification.objects.get().status == Delivery.SENT
    assert page.post(f"{PAGE}again/", {"notice": "9" * 9}).status_code == 404
    assert page.post(f"{PAGE}again/", {}).status_code == 404


def test_the_proof_runs_and_its_last_result_stays_on_the_page(page: Browser) -> None:
    world = build.world()
    for what in ("no_payment", "slower"):
        build.incident(world.shop, by=world.reporter, what=what)
    build.seal_all()
    assert "Jeszcze nie był liczony." in text_of(page.get(PAGE))
    page.post(f"{PAGE}proof/", {"newest": "100"})
    said = text_of(page.get(PAGE))
    assert "Każdy zegar wynika ze swojego dziennika" in said
    assert "Bez różnic, sprawdzono 2 zgłoszenia, dziś 10:10, w" in said
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):  # it stays with a new broker, and without one
        assert "Bez różnic" in text_of(page.get(PAGE))


def test_the_last_proof_is_for_administrators(page: Browser) -> None:
    health.prove(100, lambda: NOW)
    seen = {role: ProofRun.objects.visible_to(build.staff(f"Ktoś {role}", role=role)).count() for role in ROLES}
    assert seen == {"agent": 0, "manager": 0, "admin": 1}
    assert ProofRun.objects.visible_to(build.world().reporter).count() == 0


def test_a_deadline_that_does_not_follow_is_found_and_named(page: Browser) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    row = ClockRow.objects.get(incident=incident, target="restore")
    assert row.deadline is not None
    ClockRow.objects.filter(pk=row.pk).update(deadline=row.deadline + timedelta(minutes=1))
    page.post(f"{PAGE}proof/", {"newest": "100"})
    said = text_of(page.get(PAGE))
    assert "Bez różnic" not in said
    assert f"{incident.nr} restore.deadline when computed" in said


def test_the_proof_sees_what_is_changed_or_missing_beside_the_incidents_it_looks_at(page: Browser) -> None:
    world = build.world()
    build.seal_all()
    tamper.change(world.version, monthly_fee=1)
    tamper.change(world.client, last_number=1)
    page.post(f"{PAGE}proof/", {"newest": "100"})
    said = text_of(page.get(PAGE))
    assert "2 różnice" in said
    assert "MAK SLA/1, 1 version: stored changed" in said
    assert "MAK-0001 incident: stored gone" in said


def test_the_proof_sees_an_interval_that_was_turned_and_a_monitor_that_is_gone(page: Browser) -> None:
    world = build.world()
    build.seal_all()
    home, gone = (play(monitor(world.shop, name), (0, UP), (60, DOWN), (67, DOWN)) for name in ("Strona", "Koszyk"))
    tamper.change(home.intervals.get(state="down"), state="up")
    for table in ("act", "outage", "interval", "check"):
        tamper.as_superuser(f"DELETE FROM monitoring_{table} WHERE monitor_id = %s", [gone.pk])
    tamper.delete(gone)
    assert "Bez różnic" not in text_of(page.get(PAGE))
    page.post(f"{PAGE}proof/", {"newest": "100"})
    said = text_of(page.get(PAGE))
    turned = home.intervals.latest("pk").pk
    assert f"monitor {home.pk} interval {turned} state: stored up, follows from its acts down" in said
    assert f"monitor {gone.pk} monitor: stored gone, follows from the database's own count 4 acts" in said


def test_the_proof_looks_at_the_newest_only(page: Browser) -> None:
    world = build.world()
    old = build.incident(world.shop, by=world.reporter)
    build.incident(world.shop, by=world.reporter, what="slower", at=NOW)
    ClockRow.objects.filter(incident=old).delete()
    build.seal_all()
    assert (health.prove(1, lambda: NOW).wrong, health.prove(2, lambda: NOW).looked) == (0, 2)
    assert health.prove(2, lambda: NOW).wrong > 0


def test_a_number_that_is_not_offered_is_refused(page: Browser) -> None:
    assert page.post(f"{PAGE}proof/", {"newest": "1000000"}).status_code == 422
    assert not ProofRun.objects.exists()


def test_the_page_opens_without_a_broker_and_says_so(page: Browser) -> None:
    beat(1)
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        said = text_of(page.get(PAGE))
    assert "Broker nie odpowiada. ConnectionError:" in said
    assert "Baza danych odpowiada w" in said
    assert "Wszystko działa." not in said


def test_the_page_asks_the_database_as_often_with_many_notices(page: Browser) -> None:
    given_up()
    page.get(PAGE)
    with counted("health"):
        page.get(PAGE)
    for number in range(2, 10):
        given_up(number)
    with counted("health"):
        assert page.get(PAGE).content.count(b'name="notice"') == 10


@pytest.mark.parametrize(
    ("ago", "sentence"),
    [
        (60, None),
        (61, "Nikt nie pilnuje terminów od 10:08:59."),
        (None, "Nikt nie pilnuje terminów: ich przegląd"),
    ],
)
def test_the_queue_says_when_nobody_watches(page: Browser, ago: int | None, sentence: str | None) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    if ago is not None:
        beat(ago, "clocks")
    agent = visitor(world.agent)
    for path in ("/queue/", "/queue/live/"):
        said = text_of(agent.get(path))
        assert ("Nikt nie pilnuje" in said, (sentence or "") in said) == (sentence is not None, True)


def test_differences_of_the_last_proof_are_no_everything_runs(page: Browser) -> None:
    beat(1)
    assert "Wszystko działa." in text_of(page.get(PAGE))
    for minutes, wrong in ((2, 0), (1, 6)):
        at = NOW - timedelta(minutes=minutes)
        ProofRun.objects.create(at=at, looked=20, wrong=wrong, lines=["MAK-0001 due_at"], took_ms=5)
    said = text_of(page.get("/", follow=True))
    assert "Stan systemu Ostatni dowód zegarów znalazł 6 różnic." in said
    assert "Wszystko działa" not in said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("redis://portal:p@h/0", ""),
        ("redis://:p@h/0", "Sonda używa tego samego konta brokera co portal."),
        ("rediss://default:p@h/0", "Sonda używa tego samego konta brokera co portal."),
        ("redis://h/0", "Broker nie wymaga hasła."),
        ("redis://portal@h/0", "Broker nie wymaga hasła."),
    ],
)
def test_a_broker_whose_users_are_one_is_warned_of(
    page: Browser, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setattr(health, "broker", lambda: health.Answer(1))
    with override_settings(REDIS_URL=address):
        text = text_of(page.get(PAGE))
    assert ("brokera co portal" in text or "nie wymaga hasła" in text) is bool(said)
    assert said in text


def test_answers_that_were_refused_stand_on_the_page_for_a_day(page: Browser) -> None:
    refused = {"refused": 3, "refused_at": NOW, "refusal": "slot", "late": 5}
    place = ProbePlace.objects.create(name="de", dropped=40, dropped_at=NOW, **refused)
    said = text_of(page.get(PAGE))
    assert "Odrzucono odpowiedzi miejsca de. Dotąd: 3; ostatnia dziś 10:10:00 : nikt o to nie pytał." in said
    assert "Usunięto bez odczytania, bo było ich za dużo: 40." in said
    day = timedelta(days=1)
    ProbePlace.objects.filter(pk=place.pk).update(refused_at=NOW - day, dropped_at=NOW - day)
    assert "miejsca de" not in text_of(page.get(PAGE))


def ready(page: Browser, **headers: Any) -> tuple[int, dict[str, Any]]:
    response = page.get("/readyz", **headers)
    return response.status_code, response.json() if response["Content-Type"] == "application/json" else {}


def test_whoever_watches_the_machine_reads_what_stands(page: Browser) -> None:
    page.logout()
    beat(2)
    status, facts = ready(page)
    assert (status, facts["ready"], facts["stalled"], facts["outbox_age"]) == (200, True, [], None)
    assert facts["ages"] == dict.fromkeys(NAMES, 2)
    beat(61, "clocks")
    assert [ready(page)[0], ready(page)[1]["stalled"]] == [503, ["clocks"]]
    assert page.get("/healthz").content == page.get("/health/").content == b"ok\n"


def test_a_stranger_is_not_told_whether_the_portal_is_ready(page: Browser) -> None:
    """Nor is one who comes by a proxy of the same machine that nobody trusts, or by none with a header of the own."""
    stranger = {"REMOTE_ADDR": "192.0.2.7"}
    beat(2)
    assert ready(page, **stranger)[0] == 404
    assert ready(page, HTTP_X_FORWARDED_FOR="192.0.2.7")[0] == 404
    assert ready(page, HTTP_AUTHORIZATION="Bearer ", **stranger)[0] == 404
    with override_settings(TRUST_PROXY=1):
        assert ready(page, HTTP_X_FORWARDED_FOR="192.0.2.7")[0] == 404
        assert ready(page, HTTP_X_FORWARDED_FOR="127.0.0.1, 192.0.2.7")[0] == 404
    with override_settings(READY_TOKEN="proba-proba"):
        assert ready(page, HTTP_AUTHORIZATION="Bearer proba-proba", **stranger)[0] == 200
        assert ready(page, HTTP_AUTHORIZATION="Bearer próba", **stranger)[0] == 404
