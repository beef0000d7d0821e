"""What one person, token and client may do at once; a refused report says whom to call and keeps what was typed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from accounts import allowances
from accounts.models import LimitReached
from incidents import reporting
from incidents.models import Incident, JournalEntry
from messaging.models import Notification
from sla_portal import environment
from tests import build
from tests.incidents.test_api import Caller, report
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REFUSED = "Za dużo zgłoszeń naraz: tego NIE przyjęliśmy. Zadzwoń teraz: 22 100 20 30. Spróbuj ponownie za 20 minut."


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    settings.LIMIT_REPORTS = (3, HOUR)
    settings.LIMIT_ACTS = settings.LIMIT_READS = (2, MINUTE)
    return build.world()


def counts() -> tuple[int, int, int]:
    return Incident.objects.count(), JournalEntry.objects.count(), Notification.objects.count()


def typed(**changed: Any) -> dict[str, Any]:
    known = {"what": "no_payment", "sentence": "Nikt nie zapłaci.", "phone": "600 100 200", "key": build.form_key()}
    return known | changed


# Reports


def test_a_report_too_many_keeps_what_was_typed_and_says_whom_to_call(world: build.World) -> None:
    browser = visitor(world.reporter)
    assert [browser.post("/report/", typed()).status_code for _ in range(3)] == [302] * 3
    before = counts()
    page = browser.post("/report/", typed(sentence="Strona nie działa."))
    assert (page.status_code, page["Retry-After"]) == (429, "1200")
    assert REFUSED in text_of(page)
    assert ">Strona nie działa." in (body := page.content.decode()).replace("\n", "").replace("\r", "")
    assert 'value="600 100 200"' in body
    assert re.search(r'value="no_payment"[^>]* checked', body)
    assert counts() == before
    assert visitor(world.owner).post("/report/", typed()).status_code == 302


def test_a_repeat_counts_nowhere_and_is_answered_past_the_limit(world: build.World) -> None:
    caller, key = Caller(world.reporter), str(build.form_key())
    assert [report(caller, form_key=key).json()["nr"] for _ in range(9)] == ["MAK-0001"] * 9
    assert [report(caller).status_code for _ in range(3)] == [201, 201, 429]
    assert report(caller, form_key=key).json()["nr"] == "MAK-0001"
    assert report(caller, form_key=key, what="closed").status_code == 409
    browser, form = visitor(world.owner), typed()
    assert [browser.post("/report/", form).status_code for _ in range(9)] == [302] * 9
    assert [browser.post("/report/", typed()).status_code for _ in range(3)] == [302, 302, 429]


def test_the_api_s_refusal_names_the_phone_in_the_caller_s_language(world: build.World) -> None:
    caller = Caller(world.reporter)
    assert [report(caller).status_code for _ in range(3)] == [201] * 3
    before = counts()
    answer = report(caller)
    assert (answer.status_code, answer["Retry-After"]) == (429, "1200")
    assert answer.json() == {"detail": plain(answer.json()["detail"]), "call": "22 100 20 30"}
    assert answer.json()["detail"] == REFUSED
    world.reporter.language = "en"
    world.reporter.save()
    assert report(caller).json()["detail"] == (
        "Too many reports at once: this one was NOT received. Call 22 100 20 30 now. Try again in 20 minutes."
    )
    assert counts() == before


def join(incident: Incident, key: UUID) -> dict[str, str]:
    return {"join": incident.nr, "key": str(key), "sentence": "U nas też."}


def test_a_join_and_a_call_taken_by_staff_count_as_reports(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.owner, what="closed")
    browser = visitor(world.reporter)
    joins = [browser.post("/report/", join(incident, build.form_key())) for _ in range(4)]
    assert [page.status_code for page in joins] == [302, 302, 302, 429]
    assert REFUSED in text_of(joins[3])
    staff, call = visitor(world.agent), {"caller": world.reporter.pk}
    pages = [staff.post("/incidents/new/?shop=mak-example", typed() | call) for _ in range(4)]
    assert [page.status_code for page in pages] == [302, 302, 302, 429]
    assert REFUSED in text_of(pages[3])
    assert ">Nikt nie zapłaci." in pages[3].content.decode().replace("\n", "").replace("\r", "")


def test_who_wrote_too_much_can_still_report_and_the_program_stops_nobody_s_pages(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.owner)
    caller, browser = Caller(world.reporter), visitor(world.reporter)
    answers = [caller.post(f"incidents/{incident.nr}/answer/", text=f"{n}") for n in range(9)]
    assert [one.status_code for one in answers] == [200, 200] + [429] * 7
    assert answers[8].json()["call"] == "22 100 20 30"
    assert JournalEntry.objects.filter(kind="client_message").count() == 2
    assert report(caller).status_code == 201
    assert browser.post(f"/incidents/{incident.nr}/answer/", {"text": "Tak."}).status_code == 302
    assert Caller(world.owner).post(f"incidents/{incident.nr}/answer/", text="Nie.").status_code == 200


def test_one_wild_token_leaves_the_person_s_others_and_all_together_have_an_end(world: build.World) -> None:
    first, second = Caller(world.reporter), Caller(world.reporter)
    assert [report(first).status_code for _ in range(4)] == [201, 201, 201, 429]
    assert report(second).status_code == 201
    tokens = [Caller(world.reporter) for _ in range(3)]
    filed = [report(caller).status_code for caller in tokens for _ in range(3)]
    assert filed.count(201) == 9 - 4


def test_a_client_s_people_together_have_an_end_and_a_stranger_uses_none_of_it(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "CLIENT", 2)
    incident, stranger = build.incident(world.shop, by=world.owner), visitor(build.world("TUR").reporter)
    path = f"/incidents/{incident.nr}/answer/"
    assert [stranger.post(path, {"text": "x"}).status_code for _ in range(3)] == [404, 404, 429]
    people = [visitor(build.contact(world.client, f"Osoba {n}")) for n in range(3)]
    sent = [browser.post(path, {"text": f"{n}"}).status_code for n, browser in enumerate(people * 2)]
    assert sent == [302, 302, 302, 302, 429, 429]


def test_a_storm_of_a_hundred_reports_of_fifty_people_is_never_refused(settings: Settings, world: build.World) -> None:
    allowed, _per = settings.LIMIT_REPORTS = environment.rate("LIMIT_REPORTS")
    assert allowed * allowances.CLIENT >= 100
    people = [build.contact(world.client, f"Osoba {n}") for n in range(50)]
    waits = [allowances.take(allowances.Kind.REPORTS, one, client=world.client.pk) for one in people * 2]
    assert waits == [None] * 100


def test_what_a_monitor_opens_is_never_counted(world: build.World) -> None:
    for n in range(9):
        reporting.open_from_monitor(
            shop=world.shop, failure=f"proba-{n}", what="closed", severity="P1", first_failed_at=build.MONDAY,
            at=build.MONDAY, evidence={}, words="Nie odpowiada.",
        )  # fmt: skip
    assert Incident.objects.filter(origin="monitor").count() == 9
    assert not LimitReached.objects.exists()


# Everything else that is sent, and heavy reads


def test_a_page_that_is_one_too_many_holds_what_was_typed_and_sends_it_again(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = build.incident(world.shop, by=world.owner)
    browser, path = visitor(world.agent), f"/incidents/{incident.nr}/note/"
    text = 'Pierwszy "wiersz" <b>\r\ndrugi'
    for _ in range(2):
        assert browser.post(path, {"text": text, "seen": "99"}).status_code == 302
    before = counts()
    page = browser.post(path + "?a=1", {"text": text, "seen": "99"})
    body = page.content.decode()
    assert (page.status_code, page["Retry-After"]) == (429, "30")
    assert "Dlatego tego NIE zapisaliśmy. Spróbuj ponownie za 1 minutę." in text_of(page)
    assert f'action="{path}?a=1"' in body
    assert '<input type="hidden" name="seen" value="99">' in body
    assert 'name="text" rows="6">\nPierwszy &quot;wiersz&quot; &lt;b&gt;\r\ndrugi</textarea>' in body
    assert counts() == before
    stop_clock(monkeypatch, build.MONDAY + MINUTE)
    assert browser.post(path, {"text": text, "seen": "99"}).status_code == 302


def test_no_password_is_shown_again_and_signing_out_is_never_refused(world: build.World) -> None:
    browser = visitor(world.reporter)
    form = {"old_password": "korba-motyl", "new_password1": "x", "new_password2": "x"}
    assert [browser.post("/account/password/", form).status_code for _ in range(2)] == [200, 200]
    page = browser.post("/account/password/", form)
    assert page.status_code == 429
    assert "korba" not in page.content.decode()
    assert browser.post("/logout/").status_code == 302
    caller = Caller(world.owner)
    assert [caller.post("incidents/XXX-0001/answer/", text="x").status_code for _ in range(3)] == [404, 404, 429]
    assert caller.client.delete("/api/tokens/current/").status_code == 204


@pytest.mark.parametrize(
    "path", ["incidents/?q=mak", "incidents/?format=csv", "incidents/MAK-0001/journal/?head=abcdef12"]
)
def test_heavy_reads_have_an_allowance_and_the_live_pages_go_on(world: build.World, path: str) -> None:
    build.incident(world.shop, by=world.owner)
    browser = visitor(world.reporter)
    assert [browser.get(f"/{path}").status_code for _ in range(3)] == [200, 200, 429]
    assert [browser.get("/incidents/MAK-0001/?part=live").status_code for _ in range(9)] == [200] * 9
    assert browser.post("/incidents/MAK-0001/answer/", {"text": "Tak."}).status_code == 302


def test_reads_of_the_api_are_counted_by_token_and_the_description_by_source(world: build.World) -> None:
    caller = Caller(world.reporter)
    assert [caller.get("incidents/").status_code for _ in range(3)] == [200, 200, 429]
    assert report(caller).status_code == 201
    assert Caller(world.reporter).get("incidents/").status_code == 200
    answers = [Browser().get("/api/schema/", REMOTE_ADDR="192.0.2.9").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert Browser().get("/api/schema/", REMOTE_ADDR="192.0.2.10").status_code == 200


# The administrators see it


def test_the_health_page_says_who_ran_into_which_limit(
    world: build.World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller = Caller(world.reporter)
    for _ in range(5):
        report(caller)
    admin = visitor(build.staff("Ada Min", role="admin"))
    said = text_of(admin.get("/settings/health/"))
    assert "Limit odrzucił 2 zgłoszenia awarii." in said
    assert (
        f"Ola Mak przez API {caller.client.defaults['HTTP_AUTHORIZATION'][6:21]} zgłoszenia awarii 2 dziś 10:00" in said
    )
    assert [record.message for record in caplog.records if "limit of" in record.message] == [
        f"limit of reports: person {world.reporter.pk} {LimitReached.objects.get().token} refused, 1 times by now"
    ]
    stop_clock(monkeypatch, build.MONDAY + timedelta(days=1, seconds=1))
    assert "Limit" not in text_of(admin.get("/settings/health/"))
    for _ in range(4):
        report(caller)
    row = LimitReached.objects.get()
    assert (row.times, row.first_at) == (1, build.MONDAY + timedelta(days=1, seconds=1))
