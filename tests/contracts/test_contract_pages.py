"""What was promised, on a page: by when now, for how much if not; and the editor that enters it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django import forms

from contracts import agreements
from contracts.agreements import TargetSpec, VersionSpec
from contracts.models import Contract, ContractVersion, PenaltyRule
from tests import build, languages
from tests.pages import counted, markup, stop_clock, text_of, title_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db


def errors_of(response: Any) -> dict[str, list[str]]:
    """The sentences at the fields of the page's form."""
    return {name: [plain(said) for said in errors] for name, errors in response.context["form"].errors.items()}


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, build.MONDAY)


@pytest.fixture
def world() -> build.World:
    return build.world()


def path(version: ContractVersion) -> str:
    return f"/contracts/{version.contract.address}/"


def rows_of(response: Any) -> list[str]:
    """The numbers of the listed contracts."""
    return re.findall(r'<th role="rowheader" scope="row"><a href="/contracts/[A-Z]+-\d+/">([^<]+)', markup(response))


def test_a_manager_sees_every_contract_and_an_owner_own_ones(world: build.World) -> None:
    other = build.world("TUR", number="TUR/9")
    assert rows_of(visitor(world.manager).get("/contracts/")) == ["SLA/1", "TUR/9"]
    assert rows_of(visitor(world.owner).get("/contracts/")) == ["SLA/1"]
    assert rows_of(visitor(other.owner).get("/contracts/")) == ["TUR/9"]


def test_reporters_agents_and_strangers_find_no_contract(world: build.World) -> None:
    stranger = build.world("TUR").owner
    admin = build.staff("Iga Adm", role="admin")
    for person in (world.reporter, world.agent, stranger, admin):
        assert visitor(person).get(path(world.version)).status_code == 404, person
    for person in (world.reporter, world.agent, admin):
        assert visitor(person).get("/contracts/").status_code == 404


def test_a_person_of_two_clients_opens_the_other_s_contract_and_the_header_follows(world: build.World) -> None:
    other = build.world("TUR")
    both = build.contact(world.client, "Jan Dwa", role="owner")
    both.memberships.create(client=other.client, role="owner")
    browser = visitor(both)
    assert "Switch to Tur" not in text_of(browser.get(path(other.version)))
    assert browser.session["active_client"] == other.client.pk


def test_each_promise_says_by_when_it_would_be_kept_now(world: build.World) -> None:
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert (
        "P1 Awaria krytyczna 30 min zgłoszenie teraz: do 10:30 4 h zgłoszenie teraz: do 14:00 40 h pracy "
        "Reakcja: całą dobę Naprawa: całą dobę Usunięcie błędu: pon.–pt. 8–16" in said
    )
    assert (
        "2 h pracy zgłoszenie teraz: do 12:00 8 h pracy zgłoszenie teraz: do jutra 10:00 40 h pracy pon.–pt. 8–16"
        in said
    )
    assert "8 h pracy zgłoszenie teraz: do jutra 10:00 24 h pracy zgłoszenie teraz: do czwartku 5 mar, 10:00" in said
    assert "80 h pracy zgłoszenie teraz: do poniedziałku 16 mar, 10:00 brak" in said
    assert "Naprawę liczymy od zgłoszenia." in said


def test_a_contract_that_is_over_or_has_not_begun_promises_nothing() -> None:
    over = build.world(starts_on=date(2025, 1, 1), ends_on=date(2026, 3, 1))
    said = text_of(visitor(over.owner).get(path(over.version)))
    assert "Wersja 1, obowiązywała od 1 stycznia 2025 do 1 marca 2026." in said
    assert "Umowa się skończyła: dzisiejsze zgłoszenie nie ma z niej terminu." in said
    assert "zgłoszenie teraz" not in said
    ahead = build.world("TUR", number="TUR/1", starts_on=date(2026, 3, 3))
    said = text_of(visitor(ahead.owner).get(path(ahead.version)))
    assert "Wersja 1, obowiązuje dopiero od 3 marca 2026." in said
    assert "Umowa się jeszcze nie zaczęła: dzisiejsze zgłoszenie nie ma z niej terminu." in said
    assert "zgłoszenie teraz" not in said


@pytest.mark.parametrize(
    ("starts", "p1", "sentence"),
    [
        ("contact_or_reaction_deadline", "4 h zgłoszenie teraz: do 14:30", "najpóźniej od końca czasu reakcji"),
        ("first_contact", "4 h 40 h pracy", "Naprawę liczymy od naszego pierwszego kontaktu."),
        (
            "work_started",
            "4 h 40 h pracy",
            "Naprawę liczymy od rozpoczęcia prac, a dopóki ich nie zaczniemy, od pierwszego kontaktu.",
        ),
    ],
)
def test_a_repair_that_hangs_on_an_act_promises_no_hour_before_it(starts: str, p1: str, sentence: str) -> None:
    world = build.world(repair_starts=starts)
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert f"do 10:30 {p1}" in said
    assert sentence in said


def test_penalties_stand_in_plain_words_with_an_example_of_the_same_arithmetic() -> None:
    world = build.world(
        incident_cap_amount=Decimal(300), month_cap_percent=Decimal(20), contract_cap_amount=Decimal(9000)
    )
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert (
        "Naprawa P1 1 % opłaty miesięcznej za każdą rozpoczętą godzinę Spóźnienie 3 h 20 min w kategorii P1: "
        "4 rozpoczęte godziny × 1 % z 10 000,00 zł = 400,00 zł. Limit zgłoszenia 300,00 zł: "
        "z 400,00 zł zostaje 300,00 zł" in said
    )
    assert "Najwyżej 300,00 zł za jedno zgłoszenie." in said
    assert "Najwyżej 2 000,00 zł (20 % opłaty miesięcznej) w miesiącu." in said
    assert "Razem nie więcej niż 9 000,00 zł z całej umowy." in said


def test_a_penalty_that_any_delay_costs_needs_no_example(world: build.World) -> None:
    target = world.version.targets.get(severity="P1", kind="reaction")
    PenaltyRule.objects.create(target=target, rate=50, rate_type="amount", unit="once")
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert "Reakcja P1 50,00 zł raz za naruszenie, bez względu na spóźnienie" in said
    assert "50,00 zł = 50,00 zł" not in said


def test_a_contract_without_penalties_or_times_says_so(world: build.World) -> None:
    bare = build.world("TUR", targets=(), ladder=(), availability_target=Decimal("99.5"), minimum_outage_minutes=5)
    said = text_of(visitor(bare.owner).get(path(bare.version)))
    assert "Co najmniej 99,5 % każdego miesiąca. Przerwy krótsze niż 5 min się nie liczą." in said
    assert "Ta umowa nie ma kar za przekroczone terminy." in said
    assert "Co obiecaliśmy" not in said
    unlimited = text_of(visitor(world.owner).get(path(world.version)))
    assert "Kary nie mają limitu." in unlimited


def test_the_ladder_is_told_in_sentences(world: build.World) -> None:
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert "Reakcja Po 50 % czasu: osoba na dyżurze (e-mail) Po 100 % czasu: kierownik (e-mail)" in said
    assert "Po 100 % czasu: kierownik (e-mail), właściciel u klienta (e-mail)" in said


def test_hours_name_the_next_holiday_and_the_entered_days(world: build.World) -> None:
    office = build.office_hours()
    for day, windows in (("2026-03-13", []), ("2026-03-14", [["08:00", "12:00"]])):
        agreements.add_day(
            calendar=office, on=date.fromisoformat(day), windows=windows, by=world.manager, at=build.MONDAY
        )
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert "Zamknięte w święta, najbliższe to 6 kwietnia 2026." in said
    assert "13 marca 2026: dzień wolny 14 marca 2026: 8–12" in said


def annexed(world: build.World) -> Contract:
    spec = VersionSpec(
        date(2026, 4, 1), Decimal(12000), [TargetSpec("P1", "restore", 120, build.round_the_clock())],
        terms={"signed_on": date(2026, 2, 20), "signatories": "Ewa Mak"},
    )  # fmt: skip
    agreements.add_version(contract=world.version.contract, version=spec, by=world.manager, at=build.MONDAY)
    return world.version.contract


def test_versions_stand_with_their_periods_and_each_can_be_read(world: build.World) -> None:
    contract = annexed(world)
    browser = visitor(world.owner)
    said = text_of(browser.get(f"/contracts/{contract.address}/"))
    assert "Wersja 1, obowiązuje od 1 stycznia 2025 do 31 marca 2026." in said
    assert "2 od 1 kwietnia 2026 podpisana 20 lutego 2026: Ewa Mak 1 od 1 stycznia 2025 do 31 marca 2026" in said
    ahead = text_of(browser.get(f"/contracts/{contract.address}/?version=2"))
    assert "Wersja 2, obowiązuje dopiero od 1 kwietnia 2026." in ahead
    assert "To nie jest wersja, która dziś obowiązuje." in ahead
    assert "Opłata 12 000,00 zł netto miesięcznie." in ahead
    assert ("zgłoszenie teraz" in said, "zgłoszenie teraz" in ahead) == (True, False)
    for number in ("3", "x", "1 or 1=1"):
        assert browser.get(f"/contracts/{contract.address}/", {"version": number}).status_code == 404


def test_on_its_first_day_the_new_version_counts(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = annexed(world)
    stop_clock(monkeypatch, build.at("2026-03-31 23:59:59"))
    assert "Wersja 1, obowiązuje" in text_of(visitor(world.owner).get(f"/contracts/{contract.address}/"))
    stop_clock(monkeypatch, build.at("2026-04-01 00:00:00"))
    assert "Wersja 2, obowiązuje od 1 kwietnia 2026." in text_of(
        visitor(world.owner).get(f"/contracts/{contract.address}/")
    )
    old = text_of(visitor(world.owner).get(f"/contracts/{contract.address}/?version=1"))
    assert "Wersja 1, obowiązywała od 1 stycznia 2025 do 31 marca 2026." in old
    assert "To nie jest wersja, która dziś obowiązuje. Pokaż obowiązującą" in old
    assert "zgłoszenie teraz" not in old


def test_lists_ask_the_same_number_of_queries_for_one_and_for_many(world: build.World) -> None:
    browser = visitor(world.manager)
    browser.get("/contracts/")
    with counted("contract list"):
        browser.get("/contracts/")
    for number in range(3):
        build.contract(world.client, [world.shop], by=world.manager, number=f"SLA/{number + 2}")
    with counted("contract list"):
        assert len(rows_of(browser.get("/contracts/"))) == 4


def test_a_contract_asks_the_same_number_of_queries_however_much_it_promises(world: build.World) -> None:
    small = build.contract(world.client, [world.shop], number="S", targets=(("P1", 30, 0, 0),), ladder=(), penalty="")
    browser = visitor(world.manager)
    browser.get(path(small))
    for version in (small, world.version):
        with counted("contract"):
            assert browser.get(path(version)).status_code == 200


def sent_of(form: forms.Form) -> dict[str, Any]:
    """What a browser sends of a form that it was shown."""
    values = {field.html_name: field.value() for field in form}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
        if value not in (None, False)
    }


def typed_in(browser: Any, client: str = "MAK", **changes: str) -> dict[str, Any]:
    """The editor's own values, as a browser would send them back, with something else typed in."""
    form = browser.get(f"/contracts/new/?client={client}").context["form"]
    ready = {"number": "7/2026", "shops": list(form.shops_by_key), "monthly_fee": "4 000,00", "signed_on": "2026-02-20",
             "signatories": "Ewa Mak", "P1_restore_rate": "2 %", "repair_starts": "report", "reopen": "continue",
             "liability": "zwloka", "delay_time": "calendar", "cumulation": "cumulative"}  # fmt: skip
    return sent_of(form) | ready | changes


def test_a_manager_picks_the_client_and_enters_the_contract(world: build.World) -> None:
    browser = visitor(world.manager)
    assert "Z którym klientem? Mak sp. z o.o." in text_of(browser.get("/contracts/new/"))
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser))
    made = Contract.objects.get(number="7/2026")
    assert response.headers["Location"] == f"/contracts/{made.address}/"
    first = made.versions.get()
    assert (made.client, list(made.shops.all()), made.starts_on) == (world.client, [world.shop], date(2026, 4, 1))
    assert (first.monthly_fee, first.signed_on, first.signatories) == (Decimal(4000), date(2026, 2, 20), "Ewa Mak")
    assert first.targets.count() == 11
    assert first.targets.get(severity="P1", kind="restore").penalty.rate == 2
    assert first.steps.count() == 10
    assert "Wprowadzono umowę 7/2026" in text_of(browser.get(f"/contracts/{made.address}/"))


def test_wrong_input_is_a_sentence_at_the_field_and_nothing_typed_is_lost(world: build.World) -> None:
    browser = visitor(world.manager)
    data = typed_in(browser, number="7/2026", P2_restore="osiem", step1_share="połowa")
    response = browser.post("/contracts/new/?client=MAK", data)
    said, page = text_of(response), response.content.decode()
    assert response.status_code == 422
    assert title_of(response).startswith("Błąd:")
    assert "Popraw 2 pola P2, naprawa: Wpisz czas tak: 30 min, 4 h albo 1 h 30 min." in said
    assert "Eskalacja, wiersz 2, kiedy: Napisz np. 75 % (od 1 do 1000)" in said
    for value in ("7/2026", "osiem", "połowa", "4 000,00"):
        assert f'value="{value}"' in page
    assert 'href="#id_P2_restore"' in page
    assert not Contract.objects.filter(number="7/2026").exists()


def test_what_is_missing_is_named(world: build.World) -> None:
    response = visitor(world.manager).post("/contracts/new/?client=MAK", {"valid_from": "2026-04-01"})
    assert "Uzupełnij: Numer umowy. Uzupełnij: Sklepy." in text_of(response)
    assert response.status_code == 422


def test_a_number_that_the_client_has_already_is_said_at_its_field(world: build.World) -> None:
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser, number="SLA/1"))
    assert errors_of(response) == {"number": ["Ten klient ma już umowę o tym numerze."]}
    assert Contract.objects.count() == 1


def test_a_period_that_ends_before_it_starts_is_said_at_its_field(world: build.World) -> None:
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser, ends_on="2026-03-31"))
    assert errors_of(response) == {"ends_on": ["Umowa kończy się, zanim się zacznie."]}
    assert Contract.objects.count() == 1


def test_another_client_s_shop_cannot_be_covered(world: build.World) -> None:
    other, browser = build.world("TUR"), visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser) | {"shops": [str(other.shop.pk)]})
    assert set(errors_of(response)) == {"shops"}
    assert Contract.objects.count() == 2


def test_the_preview_says_when_a_report_of_friday_afternoon_falls_due(world: build.World) -> None:
    said = text_of(visitor(world.manager).get("/contracts/new/?client=MAK"))
    assert (
        "Zgłoszenie: piątek 6 mar, 15:30 P1 awaria krytyczna reakcja do piątku 6 mar, 16:00 "
        "naprawa do piątku 6 mar, 19:30" in said
    )


def test_the_preview_counts_in_each_target_s_own_hours_for_any_moment(world: build.World) -> None:
    office = str(build.office_hours().pk)
    data = {"P2_reaction": "2 h", "P2_reaction_hours": office, "P2_restore": "8 h", "P2_restore_hours": office}
    browser = visitor(world.manager)
    said = text_of(browser.post("/contracts/preview/", data))
    assert "reakcja do poniedziałku 9 mar, 9:30 naprawa do poniedziałku 9 mar, 15:30" in said
    easter = text_of(browser.post("/contracts/preview/", data | {"asked_on": "2026-04-03", "asked_at": "15:30"}))
    assert "Zgłoszenie: piątek 3 kwi, 15:30" in easter
    assert "reakcja do wtorku 7 kwi, 9:30 naprawa do wtorku 7 kwi, 15:30" in easter


def test_the_preview_warns_of_what_is_missing_and_names_what_it_cannot_read(world: build.World) -> None:
    browser = visitor(world.manager)
    said = text_of(browser.post("/contracts/preview/", typed_in(browser, P4_restore="", P2_restore="osiem")))
    assert "P4 bez celu naprawy. Takie zgłoszenia nie będą miały terminu naprawy ani kary." in said
    assert "Pominięte, bo jeszcze nieczytelne: P2, naprawa" in said
    assert "P2 bez celu naprawy" not in said
    nobody = {f"step{number}_share": "" for number in range(13)}
    assert "Nie ma eskalacji. Nikt się nie dowie" in text_of(
        browser.post("/contracts/preview/", typed_in(browser, **nobody))
    )
    assert "Nie da się jeszcze policzyć żadnego terminu." in text_of(browser.post("/contracts/preview/", {}))


def test_without_scripts_the_button_recalculates_judges_nothing_and_keeps_everything(world: build.World) -> None:
    browser = visitor(world.manager)
    data = typed_in(browser, number="", P1_restore="2 h", P2_restore="osiem", preview="1")
    response = browser.post("/contracts/new/?client=MAK", data)
    page = response.content.decode()
    assert response.status_code == 200
    assert "naprawa do piątku 6 mar, 17:30" in text_of(response)
    assert 'value="osiem"' in page
    assert 'class="errors"' not in page
    assert not Contract.objects.filter(number="").exists()


def test_a_new_version_begins_with_the_terms_of_the_last_and_shows_what_changes(world: build.World) -> None:
    browser, contract = visitor(world.manager), world.version.contract
    shown = browser.get(f"/contracts/{contract.address}/edit/")
    form = shown.context["form"]
    assert "Różnice wobec wersji 1 Na razie bez różnic." in text_of(shown)
    data = sent_of(form) | {
        "valid_from": "2026-04-01", "signed_on": "2026-02-20", "signatories": "Ewa Mak", "P2_restore": "6 h",
        "monthly_fee": "12 000", "before": str(world.version.pk),
    }  # fmt: skip
    said = text_of(browser.post("/contracts/preview/", data))
    hours = "pon.–pt. 8–16 (kalendarz „Pn–pt 8–16”), 1 % opłaty"
    assert f"Opłata miesięczna netto 10 000,00 zł 12 000,00 zł P2 Naprawa 8 h, {hours}" in said
    assert f"6 h, {hours}" in said
    assert (
        browser.post(f"/contracts/{contract.address}/edit/", data).headers["Location"]
        == f"/contracts/{contract.address}/"
    )
    first, second = contract.versions.order_by("number")
    assert (first.valid_to, second.number, second.monthly_fee) == (date(2026, 4, 1), 2, Decimal(12000))
    assert second.targets.get(severity="P2", kind="restore").minutes == 360
    assert first.targets.get(severity="P2", kind="restore").minutes == 480
    assert [(s.target, s.share, s.whom, s.channel) for s in second.steps.all()] == [
        (s.target, s.share, s.whom, s.channel) for s in first.steps.all()
    ]


def test_a_version_that_begins_too_early_is_said_at_its_field(world: build.World) -> None:
    browser, contract = visitor(world.manager), world.version.contract
    form = browser.get(f"/contracts/{contract.address}/edit/").context["form"]
    data = sent_of(form) | {"valid_from": "2025-01-01", "signed_on": "2024-12-20", "signatories": "Ewa Mak"}
    response = browser.post(f"/contracts/{contract.address}/edit/", data)
    assert errors_of(response) == {"valid_from": ["Nowa wersja zaczyna się po poprzedniej."]}
    assert contract.versions.count() == 1


def test_only_managers_enter_contracts(world: build.World) -> None:
    for person in (world.owner, world.reporter, world.agent, build.staff("Iga Adm", role="admin")):
        browser = visitor(person)
        for address in ("/contracts/new/", f"/contracts/{world.version.contract.address}/edit/"):
            assert browser.get(address).status_code == 404
            assert browser.post(address, {}).status_code == 404
        assert browser.post("/contracts/preview/", {}).status_code == 404


@pytest.mark.parametrize("language", ["pl", "en"])
def test_no_word_of_the_other_language_shows_through(language: str) -> None:
    world = build.world(incident_cap_amount=Decimal(300), month_cap_percent=Decimal(20))
    for person in (world.manager, world.owner):
        person.language = language
        person.save()
    pages = ["/contracts/", path(world.version)]
    staff = ["/contracts/new/", "/contracts/new/?client=MAK", f"{path(world.version)}edit/"]
    for person, addresses in ((world.owner, pages), (world.manager, pages + staff)):
        browser = visitor(person)
        for address in addresses:
            assert languages.shows_through(browser.get(address).content.decode(), language) == [], address
