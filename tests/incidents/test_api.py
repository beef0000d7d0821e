"""The API: tokens, reporting, reading, acting, with the pages' own verbs, permissions and sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from knox.models import AuthToken

from accounts import tokens
from accounts.models import TokenFacts, User
from incidents import lifecycle
from incidents.models import Incident, JournalEntry
from incidents.verbs import VERBS
from messaging.models import Notification
from tests import build
from tests.pages import MANY, counted, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
KEY = "6f1c2a44-0000-4000-8000-000000000002"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


class Caller:
    """A program with one person's token."""

    def __init__(self, user: User) -> None:
        _row, secret = AuthToken.objects.create(user=user)
        self.client = Client(headers={"authorization": f"Token {secret}"})

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"/api/{path}", query)

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(f"/api/{path}", body, content_type="application/json")


@pytest.fixture
def reporter(world: build.World) -> Caller:
    return Caller(world.reporter)


@pytest.fixture
def agent(world: build.World) -> Caller:
    return Caller(world.agent)


def report(caller: Caller, **changed: Any) -> Any:
    known = {"shop": "mak-example", "what": "no_payment", "sentence": "Klienci nie mogą zapłacić."}
    return caller.post("incidents/", **known | changed)


def sign_in(email: str, password: str) -> Any:
    return Client().post("/api/tokens/", {"email": email, "password": password}, content_type="application/json")


@pytest.mark.parametrize(
    "when",
    ["0001-01-01", "0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1999-12-31T12:00"],
)
def test_a_time_beyond_the_calendar_is_refused_beside_its_field(reporter: Caller, agent: Caller, when: str) -> None:
    answer = report(reporter, occurred_at=when)
    assert (answer.status_code, list(answer.json())) == (400, ["occurred_at"])
    assert not Incident.objects.exists()
    report(reporter)
    for verb, field in (("say", "next_update_at"), ("resolve", "restored_at")):
        answer = agent.post(f"incidents/MAK-0001/{verb}/", text="Działamy.", **{field: when})
        assert (verb, answer.status_code, list(answer.json())) == (verb, 400, [field])


# Tokens


def test_a_token_is_given_for_the_password_and_works(world: build.World) -> None:
    answer = sign_in("Ola.Mak@mak.example", build.PASSWORD)
    assert answer.status_code == 201
    secret = answer.json()["token"]
    assert secret.startswith("sla_")
    assert Client().get("/api/incidents/", headers={"authorization": f"Token {secret}"}).status_code == 200


def test_the_token_is_kept_only_as_a_hash(world: build.World) -> None:
    secret = sign_in(world.reporter.email, build.PASSWORD).json()["token"]
    assert secret not in str(list(AuthToken.objects.values()))


@pytest.mark.parametrize(("email", "password"), [("ola.mak@mak.example", "x"), ("nikt@mak.example", build.PASSWORD)])
def test_a_wrong_password_and_an_unknown_e_mail_get_the_same_words(
    world: build.World, email: str, password: str
) -> None:
    answer = sign_in(email, password)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "E-mail albo hasło się nie zgadza."}
    assert not AuthToken.objects.exists()


def test_a_person_who_is_switched_off_gets_no_token(world: build.World) -> None:
    User.objects.filter(pk=world.reporter.pk).update(is_active=False)
    assert sign_in(world.reporter.email, build.PASSWORD).status_code == 400


def test_the_tenth_wrong_password_locks_even_the_right_one() -> None:
    world = build.world()
    assert [sign_in(world.reporter.email, "x").status_code for _ in range(11)] == [400] * 10 + [429]
    locked = sign_in(world.reporter.email, build.PASSWORD)
    assert locked.status_code == 429
    assert 170 <= int(locked.headers["Retry-After"]) <= 180
    assert locked.json() == {"detail": "Spróbuj ponownie za 3 minuty."}
    assert not AuthToken.objects.exists()


def test_a_token_given_up_is_dead_and_others_live(world: build.World) -> None:
    first, second = Caller(world.reporter), Caller(world.reporter)
    assert first.client.delete("/api/tokens/current/").status_code == 204
    assert (first.get("incidents/").status_code, second.get("incidents/").status_code) == (401, 200)


def test_nobody_without_a_token_learns_anything(world: build.World) -> None:
    answer = Client().get("/api/incidents/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"


# Reporting


def test_a_report_answers_with_the_number_and_both_promised_times(reporter: Caller, world: build.World) -> None:
    answer = report(reporter)
    assert answer.status_code == 201
    found = answer.json()
    clocks = {one["target"]: one for one in found.pop("clocks")}
    assert found.pop("lead") == {
        "kind": "clock", "sentence": clocks["reaction"]["sentence"], "at": clocks["reaction"]["deadline"],
        "target": "reaction", "left": clocks["reaction"]["left"],
    }  # fmt: skip
    assert found == {
        "nr": "MAK-0001", "shop": "mak-example", "what": "no_payment", "title": "Żadna płatność nie przechodzi",
        "delivered_at": None, "rejected_at": None, "ended_at": None, "waits_for_client": False,
        "sentence": "Klienci nie mogą zapłacić.", "severity": "P1", "status": "new", "origin": "api",
        "received_at": "2026-03-02T10:00:00+01:00", "reported_at": "2026-03-02T10:00:00+01:00", "occurred_at": None,
        "claimed_at": None, "client_wrote_at": None,
        "first_contact_at": None, "next_update_at": None, "assignee": None,
        "journal_head": Incident.objects.get().journal_head, "masked": [], "notice": "",
    }  # fmt: skip
    assert clocks["reaction"]["deadline"] == "2026-03-02T10:30:00+01:00"
    assert clocks["restore"]["deadline"] == "2026-03-02T14:00:00+01:00"
    assert (clocks["restore"]["state"], clocks["restore"]["left"]) == ("running", 14400)
    assert "14:00" in clocks["restore"]["sentence"]


def test_the_optional_facts_of_a_report_are_kept(reporter: Caller) -> None:
    report(
        reporter, occurred_at="2026-03-02T08:10:00+01:00", affected="wszyscy", page="mak.example/koszyk",
        order_number="77", phone="600 100 200",
    )  # fmt: skip
    kept = Incident.objects.get()
    assert kept.occurred_at == build.at("2026-03-02 08:10")
    assert (kept.affected, kept.page, kept.order_number, kept.phone) == (
        "wszyscy", "mak.example/koszyk", "77", "600 100 200",
    )  # fmt: skip


def test_the_same_form_key_again_returns_the_same_incident(reporter: Caller) -> None:
    first, second = report(reporter, form_key=KEY), report(reporter, form_key=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert JournalEntry.objects.filter(kind="received").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shop", "nie-ma-takiego"),
        ("what", "burza"),
        ("sentence", ""),
        ("phone", "600\n100"),
        ("order_number", "77\t78"),
        ("form_key", "77"),
        ("occurred_at", "rano"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_filed(reporter: Caller, field: str, value: str) -> None:
    answer = report(reporter, **{field: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not Incident.objects.exists()
    assert not Notification.objects.exists()


def test_another_client_s_shop_is_answered_as_one_that_does_not_exist(reporter: Caller) -> None:
    build.world("TUR")
    foreign, unknown = report(reporter, shop="tur-example"), report(reporter, shop="nie-ma-takiego")
    assert foreign.status_code == unknown.status_code == 400
    assert foreign.json()["shop"][0].replace("tur-example", "…") == unknown.json()["shop"][0].replace(
        "nie-ma-takiego", "…"
    )


def test_a_shop_that_left_is_refused_with_the_page_s_sentence(reporter: Caller, world: build.World) -> None:
    build.shop(world.client, "stary.example", is_active=False)
    answer = report(reporter, shop="stary-example")
    assert answer.status_code == 409
    assert answer.json() == {"detail": "Nie opiekujemy się już tym sklepem. Zadzwoń do nas.", "field": "shop"}


def test_staff_do_not_report_for_others(agent: Caller) -> None:
    assert report(agent).status_code == 403
    assert not Incident.objects.exists()


# Reading


def test_the_list_is_newest_first_with_a_count_and_pages(reporter: Caller, world: build.World) -> None:
    for minutes in range(3):
        build.incident(world.shop, by=world.reporter, at=build.MONDAY + timedelta(minutes=minutes))
    answer = reporter.get("incidents/", limit="2").json()
    assert answer["count"] == 3
    assert [one["nr"] for one in answer["results"]] == ["MAK-0003", "MAK-0002"]
    assert [one["nr"] for one in reporter.client.get(answer["next"]).json()["results"]] == ["MAK-0001"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "literówka"}, ["MAK-0002"]),
        ({"q": "mak-0001"}, ["MAK-0001"]),
        ({"severity": "P4"}, ["MAK-0002"]),
        ({"status": "open"}, ["MAK-0001"]),
        ({"shop": "mak-example"}, ["MAK-0002", "MAK-0001"]),
        ({"shop": "tur-example"}, []),
    ],
)
def test_the_list_is_narrowed(reporter: Caller, world: build.World, query: dict[str, str], found: list[str]) -> None:
    lifecycle.acknowledge(incident=build.incident(world.shop, by=world.reporter), by=world.agent, at=build.MONDAY)
    build.incident(world.shop, by=world.reporter, what="typo", sentence="Literówka w menu.")
    assert [one["nr"] for one in reporter.get("incidents/", **query).json()["results"]] == found


def test_clients_read_their_own_and_staff_read_all(reporter: Caller, agent: Caller, world: build.World) -> None:
    other = build.world("TUR")
    build.incident(world.shop, by=world.reporter)
    build.incident(other.shop, by=other.reporter)
    assert [one["nr"] for one in reporter.get("incidents/").json()["results"]] == ["MAK-0001"]
    assert {one["nr"] for one in agent.get("incidents/").json()["results"]} == {"MAK-0001", "TUR-0001"}


def test_another_client_s_incident_is_answered_as_one_that_does_not_exist(reporter: Caller, world: build.World) -> None:
    other = build.world("TUR")
    build.incident(other.shop, by=other.reporter)
    for path in ("", "journal/"):
        foreign, unknown = reporter.get(f"incidents/TUR-0001/{path}"), reporter.get(f"incidents/TUR-0099/{path}")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() == unknown.json()


def test_internal_notes_never_reach_a_client(reporter: Caller, agent: Caller, world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY)
    assert agent.post("incidents/MAK-0001/note/", text="Wtyczka z 2023 roku.").status_code == 200
    seen = reporter.get("incidents/MAK-0001/journal/").json()["results"]
    assert [entry["kind"] for entry in seen] == ["received", "contact"]
    assert all(entry["public"] for entry in seen)
    answers = [reporter.get(path).content.decode() for path in ("incidents/", "incidents/MAK-0001/")]
    assert not any("Wtyczka" in answer for answer in (*answers, str(seen)))
    assert "Wtyczka z 2023 roku." in agent.get("incidents/MAK-0001/journal/").json()["results"][-1]["text"]


def test_the_list_asks_the_database_as_often_with_many_incidents(reporter: Caller, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    with counted("api list"):
        assert reporter.get("incidents/").json()["count"] == 1
    for number in range(MANY):
        made = build.incident(world.shop, by=world.reporter, what="slower")
        if number % 2:
            lifecycle.acknowledge(incident=made, by=world.agent, at=build.MONDAY)
    with counted("api list"):
        assert len(reporter.get("incidents/").json()["results"]) == 1 + MANY


# Acting


def test_both_sides_walk_an_incident_to_its_end(reporter: Caller, agent: Caller, world: build.World) -> None:
    report(reporter)
    steps: tuple[tuple[Caller, str, dict[str, str], str], ...] = (
        (agent, "react", {}, "open"),
        (agent, "pause", {"reason": "client_answer", "text": "Od kiedy?"}, "open"),
        (reporter, "answer", {"text": "Od 9:50."}, "open"),
        (agent, "say", {"text": "Mamy przyczynę."}, "open"),
        (agent, "backup", {"where": "S3 Frankfurt", "size": "4 GB"}, "open"),
        (agent, "workaround", {"text": "BLIK działa, karty wyłączone."}, "workaround"),
        (agent, "resolve", {"text": "Karty wróciły."}, "resolved"),
        (reporter, "reject", {"text": "Karty nadal nie."}, "workaround"),
        (agent, "resolve", {"text": "Teraz wróciły."}, "resolved"),
        (reporter, "accept", {}, "closed"),
    )
    for caller, verb, body, status in steps:
        answer = caller.post(f"incidents/MAK-0001/{verb}/", **body)
        assert (verb, answer.status_code, answer.json().get("status")) == (verb, 200, status)
    kinds = [entry["kind"] for entry in agent.get("incidents/MAK-0001/journal/").json()["results"]]
    assert kinds == [
        "received", "contact", "paused", "client_message", "resumed", "contact", "backup", "workaround", "resolved",
        "rejected", "resolved", "accepted",
    ]  # fmt: skip


def test_a_reaction_is_told_in_the_client_s_language_and_again_changes_nothing(
    agent: Caller, world: build.World
) -> None:
    User.objects.filter(pk=world.agent.pk).update(language="en")
    build.incident(world.shop, by=world.reporter)
    first, second = agent.post("incidents/MAK-0001/react/"), agent.post("incidents/MAK-0001/react/")
    assert first.json()["first_contact_at"] == "2026-03-02T10:00:00+01:00"
    assert first.json()["assignee"] == "Anna Lis"
    assert first.json() == second.json()
    assert JournalEntry.objects.get(kind="contact").text == "Tu Anna Lis. Pracuję nad tym zgłoszeniem."


@pytest.mark.parametrize(
    ("language", "detail"),
    [
        ("pl", "Najpierw kopia bezpieczeństwa: napisz, gdzie jest, albo dlaczego jej nie ma."),
        ("en", "First the backup: say where it is, or why there is none."),
    ],
)
def test_a_refusal_is_the_verb_s_sentence_in_the_caller_s_language(
    agent: Caller, world: build.World, language: str, detail: str
) -> None:
    User.objects.filter(pk=world.agent.pk).update(language=language)
    build.incident(world.shop, by=world.reporter)
    before = Notification.objects.count()
    answer = agent.post("incidents/MAK-0001/resolve/", text="Naprawione.")
    assert answer.status_code == 409
    assert answer.json() == {"detail": detail, "field": "where"}
    assert Incident.objects.get().status == "new"
    assert Notification.objects.count() == before


def test_a_missing_text_is_named(agent: Caller, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    answer = agent.post("incidents/MAK-0001/say/", text=" ")
    assert (answer.status_code, list(answer.json())) == (400, ["text"])
    assert not JournalEntry.objects.filter(kind="contact").exists()


def test_an_answer_carries_the_client_s_own_words_as_text(reporter: Caller, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    reporter.post("incidents/MAK-0001/answer/", text="<b>Nie działa</b>")
    assert reporter.get("incidents/MAK-0001/journal/").json()["results"][-1]["text"] == "<b>Nie działa</b>"


def test_staff_hand_an_incident_over_by_the_colleague_s_e_mail(agent: Caller, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    answer = agent.post("incidents/MAK-0001/assign/", to=world.manager.email.upper())
    assert (answer.status_code, answer.json()["assignee"]) == (200, "Marek Dyr")
    head = answer.json()["journal_head"]
    assert agent.post("incidents/MAK-0001/assign/", to=world.manager.email).json()["journal_head"] == head
    assert JournalEntry.objects.filter(kind="assigned").count() == 1


def test_nobody_but_our_own_people_at_work_is_handed_an_incident(agent: Caller, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    gone = build.staff("Jan Byl", on_call=False)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    boss = build.staff("Ada Min", role="admin", on_call=False)
    for email in (world.owner.email, boss.email, gone.email, "nikt@korba.example", "x\0", "", None, 7):
        answer = agent.post("incidents/MAK-0001/assign/", to=email)
        assert (email, answer.status_code, list(answer.json())) == (email, 400, ["to"])
    assert not JournalEntry.objects.filter(kind="assigned").exists()


def test_the_client_adds_details_and_what_is_left_out_stays(reporter: Caller, world: build.World) -> None:
    report(reporter, affected="wszyscy", order_number="77")
    sent = {"page": "mak.example/koszyk", "occurred_at": "2026-03-02T08:10:00+01:00", "affected": ""}
    answer = reporter.post("incidents/MAK-0001/details/", **sent)
    assert (answer.status_code, answer.json()["occurred_at"]) == (200, "2026-03-02T08:10:00+01:00")
    incident = Incident.objects.get()
    assert (incident.affected, incident.page, incident.order_number) == ("wszyscy", "mak.example/koszyk", "77")
    head = incident.journal_head
    assert reporter.post("incidents/MAK-0001/details/", **sent).json()["journal_head"] == head
    assert reporter.post("incidents/MAK-0001/details/").json()["journal_head"] == head


def test_neither_verb_reaches_another_client_s_incident(reporter: Caller, world: build.World) -> None:
    other = build.world("TUR")
    incident = build.incident(other.shop, by=other.reporter)
    for verb, body in (("details", {"page": "tur.example"}), ("assign", {"to": world.agent.email})):
        foreign, unknown = (reporter.post(f"incidents/{nr}/{verb}/", **body) for nr in ("TUR-0001", "TUR-0099"))
        assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json()) == (404, foreign.json())
    head = incident.journal_head
    incident.refresh_from_db()
    assert incident.journal_head == head


def test_what_one_sees_but_may_not_change_is_403(reporter: Caller, agent: Caller, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    head = Incident.objects.get().journal_head
    for name, verb in VERBS.items():
        caller = agent if "reporter" in verb.roles else reporter
        assert (name, caller.post(f"incidents/MAK-0001/{name}/").status_code) == (name, 403)
    assert Incident.objects.get().journal_head == head


# Its description


def described() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def test_the_description_is_valid_openapi_and_names_every_verb() -> None:
    schema = described()
    validate_schema(schema)  # type: ignore[no-untyped-call]
    found = {path for path in schema["paths"] if path.startswith("/api/incidents/{nr}/")}
    verbs = {f"/api/incidents/{{nr}}/{verb}/" for verb in VERBS}
    assert found == verbs | {f"/api/incidents/{{nr}}/{rest}" for rest in ("", "journal/", "anchor/")}


def test_the_description_s_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/").content.decode()
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page


def test_an_answer_has_exactly_the_fields_that_the_description_promises(reporter: Caller) -> None:
    described_as = described()["components"]["schemas"]
    answer = report(reporter).json()
    assert set(answer) == set(described_as["TakenAnswer"]["properties"])
    assert set(reporter.get("incidents/MAK-0001/").json()) == set(described_as["IncidentAnswer"]["properties"])
    assert set(answer) - set(described_as["IncidentAnswer"]["properties"]) == {"masked", "notice"}


# The person sees whose programs act in the own name


def test_a_person_sees_the_own_tokens_and_ends_one(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"email": world.reporter.email, "password": build.PASSWORD, "name": "Sklep <b>"}
    made = Client().post("/api/tokens/", body, content_type="application/json").json()
    key = made["token"][:15]
    caller, nameless, foreign = (
        Client(headers={"authorization": f"Token {made['token']}"}), Caller(world.reporter), Caller(world.owner),
    )  # fmt: skip
    page = visitor(world.reporter)
    assert f"Sklep <b> {key}… dziś 10:00 — " in text_of(page.get("/account/"))
    for minutes in (3, 4):
        stop_clock(monkeypatch, build.MONDAY + timedelta(minutes=minutes))
        assert caller.get("/api/incidents/").status_code == 200
        nameless.get("incidents/")
    said = text_of(page.get("/account/"))
    assert f"Sklep <b> {key}… dziś 10:00 dziś 10:03 wt. 2 mar 2027" in said
    assert said.count("dziś 10:03") == 2
    assert "&lt;b&gt;" in page.get("/account/").content.decode()
    assert visitor(world.owner).post(f"/account/tokens/{key}/end/").status_code == 404
    assert caller.get("/api/incidents/").status_code == 200
    assert page.post(f"/account/tokens/{key}/end/")["Location"] == "/account/"
    assert caller.get("/api/incidents/").status_code == 401
    assert [nameless.get("incidents/").status_code, foreign.get("incidents/").status_code] == [200, 200]


def test_a_token_that_ends_while_it_is_used_leaves_no_note(world: build.World) -> None:
    row, _secret = tokens.make(world.reporter, name="Sklep")
    assert tokens.end(world.reporter, row.token_key)
    tokens.note_use(row, at=build.MONDAY)
    assert not TokenFacts.objects.exists()
