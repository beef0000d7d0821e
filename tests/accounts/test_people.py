"""People invited, changed, switched off and on; clients founded; the first administrator by a command."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from knox.models import AuthToken

from accounts import people
from accounts.invitations import invitation_link, invited
from accounts.models import Client, Membership, User
from tests import build
from tests.pages import visitor
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db
AT = build.MONDAY


@pytest.fixture
def admin() -> User:
    return build.staff("Ada Min", role="admin", on_call=False)


def refusal(verb: Any, **given: Any) -> dict[str, list[str]]:
    with pytest.raises(Refused) as caught:
        verb(**given, at=AT)
    return {caught.value.field: [plain(str(caught.value))]}


def test_staff_are_invited_without_a_password(admin: User) -> None:
    made = people.invite_staff(
        email="Nowy@Korba.example", name="Nowy", role="agent", on_call=True, by=admin, at=AT
    )  # fmt: skip
    found = User.objects.get(email="nowy@korba.example")
    assert (found, found.provider_role, found.on_call, found.created_at) == (made, "agent", True, AT)
    assert not found.has_usable_password()
    assert invited(invitation_link(found).rstrip("/").rpartition("/")[2]) == found


def test_an_e_mail_that_somebody_has_is_refused_whatever_its_capitals(admin: User) -> None:
    said = refusal(people.invite_staff, email="ADA.MIN@korba.example", name="Druga", role="agent", by=admin)
    assert said == {"email": ["Ten e-mail ma już inna osoba."]}
    assert User.objects.count() == 1


@pytest.mark.parametrize("role", ["", "owner", "root"])
def test_staff_have_a_role_of_staff(admin: User, role: str) -> None:
    said = refusal(people.invite_staff, email="x@korba.example", name="X", role=role, by=admin)
    assert said == {"role": ["Wybierz rolę."]}
    assert User.objects.count() == 1


def test_a_contact_is_invited_for_one_client_until_a_day(admin: User) -> None:
    mak, until = build.client("MAK"), date(2026, 12, 31)
    made = people.invite_contact(
        client=mak, email="ola@mak.example", name="Ola", role="owner", valid_until=until, by=admin, at=AT
    )  # fmt: skip
    assert list(made.memberships.values_list("client", "role", "valid_until")) == [(mak.pk, "owner", until)]
    assert made.provider_role == ""


def test_a_contact_of_two_clients_keeps_one_account(admin: User) -> None:
    mak, tur = build.client("MAK"), build.client("TUR")
    ola = build.contact(mak, "Ola Mak", role="owner")
    again = people.invite_contact(
        client=tur, email=ola.email.upper(), name="Inna Nazwa", role="reporter", by=admin, at=AT
    )  # fmt: skip
    assert (again, again.name, again.has_usable_password()) == (ola, "Ola Mak", True)
    assert set(ola.memberships.values_list("client__code", "role")) == {("MAK", "owner"), ("TUR", "reporter")}


def test_a_contact_whose_rights_ended_is_invited_again_and_others_are_refused(admin: User) -> None:
    mak = build.client("MAK")
    ola = build.contact(mak, "Ola Mak", role="owner")
    given: dict[str, Any] = {"client": mak, "email": ola.email, "name": "Ola", "role": "reporter", "by": admin}
    assert refusal(people.invite_contact, **given) == {"email": ["Ta osoba już występuje w imieniu tego klienta."]}
    assert Membership.objects.get().role == "owner"
    Membership.objects.update(valid_until=AT.date() - timedelta(days=1))
    people.invite_contact(**given, at=AT)
    assert list(Membership.objects.values_list("role", "valid_until")) == [("reporter", None)]


def test_nobody_is_both_staff_and_a_contact(admin: User) -> None:
    mak = build.client("MAK")
    sentence = "To osoba z naszego zespołu, nie może występować w imieniu klienta."
    given = {"client": mak, "role": "owner", "by": admin}
    assert refusal(people.invite_contact, email=admin.email, name="Ada", **given) == {"email": [sentence]}
    assert refusal(people.give_rights, person=admin, **given) == {"client": [sentence]}
    ola = build.contact(mak)
    assert set(refusal(people.change, person=ola, name="Ola", phone="", role="agent", by=admin)) == {"role"}
    assert (Membership.objects.count(), User.objects.get(pk=ola.pk).provider_role) == (1, "")


def test_role_duty_and_rights_change(admin: User) -> None:
    anna, mak = build.staff("Anna Lis", on_call=False), build.client("MAK")
    people.change(person=anna, name="Anna Nowa", phone="600 100 200", role="manager", on_call=True, by=admin, at=AT)
    anna.refresh_from_db()
    assert (anna.name, anna.phone, anna.provider_role, anna.on_call) == ("Anna Nowa", "600 100 200", "manager", True)
    ola = build.contact(mak)
    people.give_rights(person=ola, client=mak, role="owner", valid_until=date(2026, 4, 1), by=admin, at=AT)
    assert list(ola.memberships.values_list("role", "valid_until")) == [("owner", date(2026, 4, 1))]


def test_nobody_takes_away_the_own_administrator_s_role(admin: User) -> None:
    build.staff("Drugi Admin", role="admin")
    said = refusal(people.change, person=admin, name="Ada", phone="", role="agent", by=admin)
    assert said == {"role": ["Nie możesz odebrać sobie roli administratora. Poproś innego administratora."]}
    said = refusal(people.switch_off, person=admin, by=admin)
    assert said == {"": ["Nie możesz wyłączyć własnego konta. Poproś innego administratora."]}
    admin.refresh_from_db()
    assert (admin.name, admin.provider_role, admin.is_active) == ("Ada Min", "admin", True)


def test_the_last_administrator_stays_whoever_asks(admin: User) -> None:
    """As where two take each other's role away at once: the second finds one administrator left."""
    second = build.staff("Drugi Admin", role="admin")
    people.change(person=second, name="Drugi", phone="", role="agent", by=admin, at=AT)
    said = {"role": ["To jedyny administrator. Najpierw zaproś drugiego."]}
    assert refusal(people.change, person=admin, name="Ada", phone="", role="agent", by=second) == said
    assert set(refusal(people.switch_off, person=admin, by=second)) == {""}
    assert User.objects.get(pk=admin.pk).provider_role == "admin"


def test_who_is_switched_off_is_out_at_once_and_keeps_what_was_written(admin: User) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    page = visitor(world.reporter)
    token = AuthToken.objects.create(user=world.reporter)[1]
    assert page.get("/").status_code == 200
    people.switch_off(person=world.reporter, by=admin, at=AT)
    assert page.get("/")["Location"] == "/login/?next=/"
    assert Browser().get("/api/incidents/", headers={"Authorization": f"Token {token}"}).status_code == 401
    form = {"username": world.reporter.email, "password": build.PASSWORD}
    assert Browser().post("/login/", form).status_code == 200
    incident.refresh_from_db()
    assert incident.reporter == world.reporter


def test_who_is_switched_on_again_chooses_a_new_password(admin: User) -> None:
    anna = build.staff("Anna Lis")
    people.switch_off(person=anna, by=admin, at=AT)
    off = people.switch_off(person=anna, by=admin, at=AT)
    assert (off.is_active, off.on_call) == (False, False)
    assert invited(invitation_link(off).rstrip("/").rpartition("/")[2]) is None
    on = people.switch_on(person=anna, by=admin, at=AT)
    assert (on.is_active, on.has_usable_password(), on.on_call) == (True, False, False)
    assert invited(invitation_link(on).rstrip("/").rpartition("/")[2]) == anna


def test_nobody_is_invited_into_an_account_that_is_off(admin: User) -> None:
    mak, tur = build.client("MAK"), build.client("TUR")
    ola = people.switch_off(person=build.contact(mak), by=admin, at=AT)
    said = refusal(people.invite_contact, client=tur, email=ola.email, name="Ola", role="owner", by=admin)
    assert said == {"email": ["To konto jest wyłączone."]}
    assert Membership.objects.count() == 1


def test_a_client_is_founded_and_keeps_its_code(admin: User) -> None:
    made = people.create_client(code="mak", name="Mak", tax_id="781-000-11-22", address="Poznań", by=admin, at=AT)
    people.change_client(client=made, name="Mak sp. z o.o.", address="Kraków", by=admin, at=AT)
    found = Client.objects.get()
    assert (found.code, found.name, found.tax_id, found.address, found.created_at) == (
        "MAK", "Mak sp. z o.o.", "", "Kraków", AT,
    )  # fmt: skip


@pytest.mark.parametrize(("code", "said"), [("MAK", "Inny klient ma już ten kod."), ("M1", "3 albo 4 wielkie litery")])
def test_a_code_is_letters_that_no_other_client_has(admin: User, code: str, said: str) -> None:
    build.client("MAK")
    assert refusal(people.create_client, code=code, name="Inny", by=admin) == {"code": [said]}
    assert Client.objects.count() == 1


def create_administrator(*given: str) -> str:
    out = StringIO()
    call_command("create_administrator", *given, stdout=out)
    return out.getvalue().strip()


def test_the_first_administrator_comes_by_a_command_and_chooses_a_password(client: Browser) -> None:
    link = create_administrator("Ada@korba.example", "--name", "Ada Min")
    assert link.startswith(f"{settings.BASE_URL}/invitation/")
    path = link.removeprefix(settings.BASE_URL)
    form = {"name": "Ada Min", "phone": "", "new_password1": build.PASSWORD, "new_password2": build.PASSWORD}
    assert client.post(path, form)["Location"] == "/"
    assert client.get("/")["Location"] == "/settings/health/"
    assert client.get(path).status_code == 404
    with pytest.raises(CommandError, match=r"ada@korba\.example"):
        create_administrator("ada@korba.example", "--name", "Ada Min")


def test_the_command_gives_a_new_link_until_the_password_is_chosen() -> None:
    create_administrator("ada@korba.example", "--name", "Ada Min")
    link = create_administrator("ada@korba.example", "--name", "Ada Min")
    assert invited(link.rstrip("/").rpartition("/")[2]) == User.objects.get()


@pytest.mark.parametrize("email", ["ada", "anna.lis@korba.example"])
def test_the_command_refuses_a_wrong_address_and_one_that_somebody_has(email: str) -> None:
    build.staff("Anna Lis")
    with pytest.raises(CommandError):
        create_administrator(email, "--name", "Ada")
    assert User.objects.count() == 1
