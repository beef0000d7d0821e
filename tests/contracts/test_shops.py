"""Clients' pages: founded, their people invited, their shops added and closed."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client as Browser

from accounts.models import Client, Membership
from contracts import shops
from contracts.models import Shop
from tests import build
from tests.pages import counted, stop_clock, text_of, visitor
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
AT = build.MONDAY
MAK = "/settings/clients/MAK/"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The manager's, with the clock stopped."""
    stop_clock(monkeypatch, AT)
    return visitor(build.staff("Marek Dyr", role="manager", on_call=False))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("mak.pl", "mak-pl"),
        ("hurt.mak.pl", "mak-hurt-mak-pl"),
        ("Makowo", "mak-makowo"),
        ("Łódź i Żółw", "mak-lodz-i-zolw"),
        ("商店", "mak-shop"),
        ("a" * 80, "mak-" + "a" * 40),
    ],
)
def test_the_slug_is_made_from_the_client_s_code_and_the_name(name: str, slug: str) -> None:
    by = build.staff("Marek Dyr", role="manager")
    made = shops.add_shop(client=build.client("MAK"), name=name, url="https://mak.example/", by=by, at=AT)
    assert made.slug == slug


def test_a_shop_of_a_name_that_another_client_s_shop_has_is_added_as_any_other() -> None:
    mak, tur = build.client("MAK"), build.client("TUR")
    build.shop(mak, "sklep")
    build.shop(tur, "inny")
    manager = build.staff("Marek Dyr", role="manager")
    found = shops.add_shop(client=tur, name="Sklep", url="https://tur.example/", by=manager, at=AT)
    assert (found.slug, found.client, found.is_active) == ("tur-sklep", tur, True)


def test_a_client_has_no_two_shops_of_one_name() -> None:
    mak, manager = build.client("MAK"), build.staff("Marek Dyr", role="manager")
    build.shop(mak, "mak.example")
    with pytest.raises(Refused) as caught:
        shops.add_shop(client=mak, name="MAK.example", url="https://x.example/", by=manager, at=AT)
    assert caught.value.field == "name"
    assert Shop.objects.count() == 1


@pytest.mark.parametrize("name", ["mak\n.example", "\u202emak", "\u3164"])
def test_a_shop_s_name_and_address_are_one_line_that_can_be_seen(page: Browser, name: str) -> None:
    mak, manager = build.client("MAK"), build.staff("Ida Dyr", role="manager")
    assert page.post(f"{MAK}shops/", {"name": name, "url": "https://mak.example/"}).status_code == 422
    assert page.post(f"{MAK}shops/", {"name": "mak", "url": "https://mak.example/\u202egpj"}).status_code == 422
    with pytest.raises(Refused) as caught:
        shops.add_shop(client=mak, name=name, url="https://mak.example/", by=manager, at=AT)
    assert caught.value.field == "name"
    assert not Shop.objects.exists()


def test_closing_twice_changes_nothing_and_a_closed_shop_opens_again() -> None:
    shop, manager = build.shop(build.client("MAK")), build.staff("Marek Dyr", role="manager")
    assert [shops.close_shop(shop=shop, by=manager, at=AT) for _ in range(2)] == [True, False]
    assert not Shop.objects.get().is_active
    assert [shops.reopen_shop(shop=shop, by=manager, at=AT) for _ in range(2)] == [True, False]
    assert Shop.objects.get().is_active


def test_a_client_is_entered_and_its_page_says_what_comes_next(page: Browser) -> None:
    assert "Nie ma jeszcze żadnego klienta. Wpisz pierwszego." in text_of(page.get("/settings/clients/"))
    answer = page.post("/settings/clients/", {"name": "Mak sp. z o.o.", "code": "mak", "tax_id": "", "address": ""})
    assert answer["Location"] == MAK
    said = text_of(page.get(MAK))
    assert "Klient wpisany: Mak sp. z o.o.. Teraz sklep i osoby." in said
    assert "Nikt jeszcze nie występuje w imieniu tego klienta: zaproś pierwszą osobę." in said
    assert "Nie ma jeszcze sklepu: dodaj pierwszy." in said


def test_a_code_that_another_client_has_is_refused_and_nothing_typed_is_lost(page: Browser) -> None:
    build.client("MAK")
    answer = page.post("/settings/clients/", {"name": "Druga firma", "code": "MAK"})
    assert answer.status_code == 422
    assert "Inny klient ma już ten kod." in text_of(answer)
    assert 'value="Druga firma"' in answer.content.decode()
    assert Client.objects.count() == 1


def test_a_contact_is_invited_from_the_client_s_page(page: Browser) -> None:
    build.client("MAK")
    form = {"name": "Ola Mak", "email": "ola@mak.example", "role": "owner", "valid_until": "", "language": "pl"}
    assert page.post(f"{MAK}contacts/", form)["Location"] == MAK
    assert build.send_letters() == 1
    [letter] = mail.outbox
    assert letter.to == ["ola@mak.example"]
    assert "w imieniu Mak sp. z o.o." in letter.body.replace("\u00a0", " ")
    assert "Ola Mak ola@mak.example właściciel bez końca zaproszenie wysłane, jeszcze bez hasła" in text_of(
        page.get(MAK)
    )


def test_a_person_of_another_client_is_told_by_a_letter_without_a_password_link(page: Browser) -> None:
    build.client("MAK")
    jan = build.contact(build.client("TUR"), "Jan Turski")
    form = {"name": "Jan Turski", "email": jan.email, "role": "reporter", "valid_until": "", "language": "pl"}
    page.post(f"{MAK}contacts/", form)
    assert Membership.objects.filter(user=jan).count() == 2
    assert build.send_letters() == 1
    [letter] = mail.outbox
    assert "/invitation/" not in letter.body
    assert "Zaloguj się swoim dotychczasowym hasłem:" in letter.body.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"name": "nowy", "url": "javascript:alert(1)"}, "Wpisz adres tak: https://mak.pl/."),
        ({"name": "nowy", "url": "ftp://mak.pl/"}, "Wpisz adres tak: https://mak.pl/."),
        ({"name": "mak.example", "url": "https://mak.example/"}, "Ten klient ma już sklep o tej nazwie."),
    ],
)
def test_a_shop_that_cannot_be_is_refused_at_its_field(page: Browser, sent: dict[str, str], said: str) -> None:
    build.shop(build.client("MAK"))
    answer = page.post(f"{MAK}shops/", sent)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert f'value="{sent["name"]}"' in answer.content.decode()
    assert Shop.objects.count() == 1


def test_a_shop_is_added_closed_and_opened_by_the_page(page: Browser) -> None:
    build.client("MAK")
    assert page.post(f"{MAK}shops/", {"name": "mak.pl", "url": "mak.pl"})["Location"] == MAK
    assert (Shop.objects.get().slug, Shop.objects.get().url) == ("mak-pl", "https://mak.pl")
    page.post("/settings/shops/mak-pl/close/")
    assert "mak.pl zamknięty" in text_of(page.get(MAK))
    page.post("/settings/shops/mak-pl/open/")
    assert Shop.objects.get().is_active


def test_the_company_s_facts_change_but_its_code_does_not(page: Browser) -> None:
    build.client("MAK")
    page.post(MAK, {"name": "Makowy Dom", "tax_id": "781-000-11-22", "address": "Poznań", "code": "XXX"})
    found = Client.objects.get()
    assert (found.code, found.name, found.tax_id, found.address) == ("MAK", "Makowy Dom", "781-000-11-22", "Poznań")
    assert page.post(MAK, {"name": ""}).status_code == 422
    assert Client.objects.get().name == "Makowy Dom"


def test_the_pages_ask_the_database_as_often_with_many_rows(page: Browser) -> None:
    mak = build.client("MAK")
    build.shop(mak)
    build.contact(mak)
    for name, path in (("settings clients", "/settings/clients/"), ("settings client", MAK)):
        page.get(path)
        with counted(name):
            page.get(path)
    for number in range(50):
        build.shop(mak, f"sklep-{number}")
        build.contact(mak, f"Osoba {number}")
        build.client(f"K{chr(65 + number // 26)}{chr(65 + number % 26)}")
    with counted("settings clients"):
        assert "Mak sp. z o.o. MAK 51 51" in text_of(page.get("/settings/clients/"))
    with counted("settings client"):
        assert page.get(MAK).content.count(b'role="rowheader"') == 102
