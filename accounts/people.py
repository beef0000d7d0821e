"""The verbs about people and clients: invited, changed, switched off and on. Nobody is ever deleted.

A refusal is `Refused` with the field it is about.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from knox.models import AuthToken

from accounts.models import ADMIN, Client, Language, Membership, ProviderRole, User
from wording.fields import lines
from wording.refusals import Refused, as_refusal
from wording.words import local_day

logger = logging.getLogger(__name__)

KEEPS_OWN_ROLE = gettext_lazy("You can't take the administrator's role from yourself. Ask another administrator.")
LAST_ONE = gettext_lazy("This is the only administrator. Invite another one first.")
HAS_INCIDENTS = "nobody_leaves_open_incidents"  # the rule's name in the database, kept by the room of incidents


@contextmanager
def _unique(field: str, sentence: str | Promise) -> Iterator[None]:
    """What the database refuses, said at the field; inside a savepoint, so that the transaction lives on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Refused(sentence, field)


@contextmanager
def _leaving_nothing(person: User, field: str = "") -> Iterator[None]:
    """The database refuses that somebody leaves who has open incidents: another room hands those over first."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if broken_rule(error) != HAS_INCIDENTS:
            raise
        sentence = _("%(name)s still has open incidents. Hand them over first.") % {"name": person.name}
        raise Refused(sentence, field)


def broken_rule(error: IntegrityError) -> str:
    """The name of the constraint or trigger that refused."""
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or "")


def hold(*persons: User) -> None:
    """Lock the administrators, then these people, in the order of every verb here, for an act that changes more."""
    _administrators()
    list(User.objects.select_for_update().filter(pk__in=[person.pk for person in persons]).order_by("pk"))


def end_access(person: User) -> None:
    """Every session and API token of the locked person is dead once the transaction is committed."""
    User.objects.filter(pk=person.pk).update(session_number=F("session_number") + 1)
    AuthToken.objects.filter(user=person).delete()


def _note(event: str, about: object, by: User | None, at: datetime) -> None:
    """Who did what to whom: the log is the only history of people."""
    logger.info("%s: %s by %s at %s", event, getattr(about, "pk", about), by.pk if by else "command line", at)


@transaction.atomic
def invite_staff(
    *,
    email: str,
    name: str,
    role: str,
    by: User | None,
    at: datetime,
    phone: str = "",
    on_call: bool = False,
    language: str = Language.POLISH,
) -> User:
    """One of our own people, without a password yet. `by` is None only for the command of the first administrator."""
    if role not in set(ProviderRole.values) - {""}:
        raise Refused(_("Choose a role."), "role")
    lines(name=name, phone=phone)
    with _unique("email", _("Somebody has this e-mail.")):
        person = User.objects.create_user(
            email, None, name=name, phone=phone, provider_role=role, on_call=on_call, language=language, created_at=at
        )
    _note("staff invited", person, by, at)
    return person


@transaction.atomic
def invite_contact(
    *,
    client: Client,
    email: str,
    name: str,
    role: str,
    by: User,
    at: datetime,
    valid_until: date | None = None,
    phone: str = "",
    language: str = Language.POLISH,
) -> User:
    """A person who speaks for the client. Somebody who speaks for another client already keeps the account."""
    lines(name=name, phone=phone)
    person = User.objects.select_for_update().filter(email=email.lower()).first()
    if person is None:
        with _unique("email", _("Somebody has this e-mail.")):
            person = User.objects.create_user(email, None, name=name, phone=phone, language=language, created_at=at)
    elif person.is_provider:
        raise Refused(_("This is one of our own people, who can't speak for a client."), "email")
    elif not person.is_active:
        raise Refused(_("This account is switched off."), "email")
    elif Membership.objects.valid(local_day(at)).filter(user=person, client=client).exists():
        raise Refused(_("This person speaks for the client already."), "email")
    Membership.objects.update_or_create(user=person, client=client, defaults={"role": role, "valid_until": valid_until})
    _note(f"contact of {client.code} invited", person, by, at)
    return person


@transaction.atomic
def change(
    *, person: User, name: str, phone: str, by: User, at: datetime, role: str = "", on_call: bool = False
) -> User:
    """Name and phone of anybody; role and duty of our own people, whose role is never empty."""
    lines(name=name, phone=phone)
    admins = _administrators()
    locked = User.objects.select_for_update().get(pk=person.pk)
    if bool(role) != locked.is_provider:
        raise Refused(_("Our own people have a role, a client's people have rights."), "role")
    if locked.provider_role == ADMIN != role:
        _refuse_losing(locked, admins, by, field="role")
    role_before = locked.provider_role
    locked.name, locked.phone, locked.provider_role, locked.on_call = name, phone, role, on_call
    with _leaving_nothing(locked, "role"):
        locked.save(update_fields=["name", "phone", "provider_role", "on_call"])
    if role_before != role:
        end_access(locked)
    _note(f"person changed, role {role or 'contact'}", locked, by, at)
    return locked


def _administrators() -> list[User]:
    """Locked in one order, so that two who take each other's role away do it one after the other."""
    administrators = User.objects.select_for_update().filter(provider_role=ADMIN, is_active=True)
    return list(administrators.order_by("pk"))


def _refuse_losing(person: User, admins: list[User], by: User, *, field: str = "") -> None:
    sentence = KEEPS_OWN_ROLE if by.pk == person.pk else LAST_ONE if admins == [person] else None
    if sentence:
        raise Refused(sentence, field)


@transaction.atomic
def give_rights(
    *, person: User, client: Client, role: str, by: User, at: datetime, valid_until: date | None = None
) -> Membership:
    """What the person may do for this client and until which day, that day included; None: without an end."""
    locked = User.objects.select_for_update().get(pk=person.pk)
    if locked.is_provider:
        raise Refused(_("This is one of our own people, who can't speak for a client."), "client")
    before = Membership.objects.valid(local_day(at)).filter(user=locked, client=client).first()
    membership, _made = Membership.objects.update_or_create(
        user=person, client=client, defaults={"role": role, "valid_until": valid_until}
    )
    ended = valid_until is not None and valid_until < local_day(at)
    if before and (ended or before.role != role):
        end_access(locked)
    _note(f"rights for {client.code}: {role} until {valid_until}", person, by, at)
    return membership


@transaction.atomic
def switch_off(*, person: User, by: User, at: datetime) -> User:
    """Ends every session and token at once; what the person wrote stays. Repeating it changes nothing."""
    admins = _administrators()
    locked = User.objects.select_for_update().get(pk=person.pk)
    if not locked.is_active:
        return locked
    if by.pk == locked.pk:
        raise Refused(_("You can't switch off your own account. Ask another administrator."))
    if locked.provider_role == ADMIN:
        _refuse_losing(locked, admins, by)
    locked.is_active, locked.on_call = False, False
    locked.set_unusable_password()
    with _leaving_nothing(locked):
        locked.save(update_fields=["is_active", "on_call", "password"])
    end_access(locked)
    _note("switched off", locked, by, at)
    return locked


@transaction.atomic
def switch_on(*, person: User, by: User, at: datetime) -> User:
    """Back again, with a password to be chosen anew by an invitation."""
    locked = User.objects.select_for_update().get(pk=person.pk)
    if not locked.is_active:
        locked.is_active = True
        locked.save(update_fields=["is_active"])
        _note("switched on", locked, by, at)
    return locked


@transaction.atomic
def create_client(*, code: str, name: str, by: User, at: datetime, tax_id: str = "", address: str = "") -> Client:
    """A company that the provider looks after. The code begins its incidents' numbers, so it never changes."""
    lines(name=name, tax_id=tax_id, address=address)
    client = Client(code=code.upper(), name=name, tax_id=tax_id, address=address, created_at=at)
    with as_refusal():
        client.clean_fields()
    with _unique("code", _("Another client has this code.")):
        client.save(force_insert=True)
    _note(f"client {client.code} created", client, by, at)
    return client


@transaction.atomic
def change_client(*, client: Client, name: str, by: User, at: datetime, tax_id: str = "", address: str = "") -> Client:
    lines(name=name, tax_id=tax_id, address=address)
    locked = Client.objects.select_for_update().get(pk=client.pk)
    locked.name, locked.tax_id, locked.address = name, tax_id, address
    with as_refusal():
        locked.clean_fields()
    locked.save(update_fields=["name", "tax_id", "address"])
    _note("client changed", locked, by, at)
    return locked
