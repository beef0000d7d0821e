"""Addresses of contracts and shops: kept for ever, and none tells that another client exists."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import DatabaseError, models, transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import invitations, letters
from accounts.models import Client, Letter, Membership, User
from contracts import proof, shops
from contracts.agreements import TargetSpec, VersionSpec, create_contract
from contracts.models import Contract, Shop
from tests import build, tamper
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db


def entered(shop: Shop, number: str) -> Contract:
    terms = VersionSpec(date(2026, 4, 1), Decimal(100), [TargetSpec("P1", "reaction", 30, build.round_the_clock())])
    by = User.objects.get(provider_role="manager")
    return create_contract(client=shop.client, number=number, shops=[shop], version=terms, by=by, at=build.MONDAY)


def test_a_contract_s_address_is_its_client_s_code_and_a_number_that_skips_nothing() -> None:
    build.staff("Marek Dyr", role="manager")
    mak, tur = (build.shop(build.client(code), f"{code.lower()}.example") for code in ("MAK", "TUR"))
    made = [entered(shop, number) for shop, number in ((mak, "7/2026"), (tur, "../1?x"), (mak, "8/2026"))]
    assert [contract.address for contract in made] == ["MAK-1", "TUR-1", "MAK-2"]


def test_an_address_of_before_leads_to_the_new_one_for_those_who_may_see_it_and_is_unknown_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch, build.MONDAY)
    world, other = build.world("MAK"), build.world("TUR")
    old, new = f"/contracts/{world.version.contract_id}/", "/contracts/MAK-1/"
    for who in (world.owner, world.manager):
        answer = visitor(who).get(f"{old}?version=1")
        assert (answer.status_code, answer["Location"]) == (301, f"{new}?version=1")
        assert visitor(who).get(new).status_code == 200
    edit = visitor(world.manager).post(f"{old}edit/", {"preview": "1"})
    assert (edit.status_code, edit["Location"]) == (308, f"{new}edit/")
    for who in (other.owner, world.reporter):
        pages = [visitor(who).get(path) for path in (old, new, "/contracts/123456/", "/contracts/MAK-9/")]
        assert {page.status_code for page in pages} == {404}
        assert len({text_of(page) for page in pages}) == 1
    assert visitor(world.owner).get("/contracts/MAK-01/").status_code == 404


def test_the_database_refuses_another_address_for_a_contract_a_shop_and_a_client() -> None:
    world, other = build.world("MAK"), build.client("TUR")
    contract = world.version.contract
    changes: list[tuple[models.Model, dict[str, object]]] = [
        (contract, {"serial": 7}), (contract, {"address": "MAK-7"}), (contract, {"client": other}),
        (world.shop, {"slug": "mak-inny"}), (world.shop, {"old_slug": "inny"}), (world.shop, {"client": other}),
        (world.client, {"code": "MAX"}),
    ]  # fmt: skip
    for row, change in changes:
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).update(**change)
    Contract.objects.filter(pk=contract.pk).update(notice_months=6)


def test_a_contract_under_another_s_address_is_seen_by_the_proof() -> None:
    world = build.world("MAK")
    build.contract(world.client, [world.shop], number="SLA/2")
    assert not [str(row) for row in proof.differences() if "address" in str(row)]
    tamper.change(world.version.contract, serial=3, address="MAK-3")
    assert [str(row) for row in proof.differences() if "address" in str(row)] == [
        "MAK SLA/1 address: stored MAK-3, follows from its place among the client's contracts MAK-1"
    ]


@pytest.mark.parametrize("order", [("MAK", "TUR"), ("TUR", "MAK")])
def test_a_shop_s_address_is_the_same_whoever_else_has_such_a_shop(order: tuple[str, str]) -> None:
    manager = build.staff("Marek Dyr", role="manager")
    for code in order:
        for name in ("sklep", "mak.pl", "Sklep!"):
            shops.add_shop(client=owner_of(code), name=name, url="https://x.example/", by=manager, at=build.MONDAY)
    slugs = {code: list(Shop.objects.filter(client__code=code).order_by("pk").values_list("slug", flat=True))
             for code in order}  # fmt: skip
    assert slugs == {
        "MAK": ["mak-sklep", "mak-pl", "mak-sklep-2"],
        "TUR": ["tur-sklep", "tur-mak-pl", "tur-sklep-2"],
    }


def owner_of(code: str) -> Client:
    return Client.objects.filter(code=code).first() or build.client(code)


def test_a_shop_s_address_of_before_leads_to_the_new_one_and_is_unknown_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch, build.MONDAY)
    world, other = build.world("MAK"), build.world("TUR")
    tamper.change(world.shop, slug="mak-example-1", old_slug="sklep-mak")
    tamper.change(other.shop, old_slug="mak-example-1")
    for path in ("/shops/{}/", "/shops/{}/availability/2026-02/", "/report/{}/"):
        answer = visitor(world.reporter).get(path.format("sklep-mak") + "?x=1")
        assert (answer.status_code, answer["Location"]) == (301, path.format("mak-example-1") + "?x=1")
        assert visitor(other.owner).get(path.format("sklep-mak")).status_code == 404
        # Another client's address of today, which was this one's own before
        answer = visitor(other.owner).get(path.format("mak-example-1"))
        assert answer["Location"] == path.format("tur-example")
    api = visitor(world.reporter)
    assert len(api.get("/api/incidents/?shop=sklep-mak").json()["results"]) == 0
    filed = api.post(
        "/api/incidents/", {"shop": "sklep-mak", "what": "typo", "sentence": "Literówka."}, "application/json"
    )
    assert (filed.status_code, filed.json()["shop"]) == (201, "mak-example-1")
    assert len(api.get("/api/incidents/?shop=sklep-mak").json()["results"]) == 1


def test_no_running_number_of_the_portal_stands_in_a_page_or_a_link_of_a_client_s_person() -> None:
    world, other = build.world("MAK"), build.world("TUR")
    person = User(pk=987_654_321, email="iga@mak.example", name="Iga Obie", provider_role="")
    person.set_password(build.PASSWORD)
    person.save()
    number = urlsafe_base64_encode(force_bytes(person.pk))
    for client in (world.client, other.client):
        Membership.objects.create(user=person, client=client, role="owner")
    page = visitor(person)
    for path in ("/", "/report/", "/contracts/", "/contracts/MAK-1/", "/shops/", "/account/", "/incidents/"):
        assert not re.search(r"987654321|name=.client. value=.\d", page.get(path).content.decode()), path
    assert page.post("/client/", {"client": str(other.client.pk)}).status_code == 404
    assert page.post("/client/", {"client": "TUR"}).status_code == 302
    assert "tur.example" in text_of(page.get("/"))
    links = [letters.link_to(person, kind) for kind in (Letter.Kind.PASSWORD, Letter.Kind.SIGN_IN)]
    for link in [*links, invitations.invitation_path(person)]:
        assert number not in link
        assert page.get(link.removeprefix(settings.BASE_URL), follow=True).status_code == 200
    # A letter of before the upgrade
    old = f"/password/{number}/{letters.PASSWORD.make_token(person)}/"
    assert page.get(old, follow=True).status_code == 200
    assert "Nowe hasło" in text_of(page.get(old, follow=True))
