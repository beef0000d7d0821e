"""Small builders for tests: people, a client with shops, calendars, a contract, an incident. The times never change.

    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)

The standard contract: P1 30 min / 4 h around the clock; P2 2 h / 8 h, P3 8 h / 24 h, P4 8 h / 80 h in office hours
(Mon–Fri 8–16, Warsaw); each repair is followed by a final fix of 40 office hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts import letters
from accounts.models import Client, Membership, User
from contracts import proof, seal
from contracts.models import (
    Calendar,
    Contract,
    ContractVersion,
    EscalationStep,
    PenaltyRule,
    Shop,
    Target,
    UpdateRhythm,
)
from incidents import reporting
from incidents.anchors import Tally
from incidents.models import Incident, Notice
from incidents.notices import sending
from messaging.models import Notification
from tests.owner import as_owner

WARSAW = ZoneInfo("Europe/Warsaw")
PASSWORD = "korba-motyl-grusza-71"
# (severity, reaction minutes, repair minutes, final fix minutes or 0)
TARGETS = (("P1", 30, 240, 2400), ("P2", 120, 480, 2400), ("P3", 480, 1440, 2400), ("P4", 480, 4800, 0))
# (target, share, whom, channel)
LADDER = (
    ("reaction", 50, "duty", "email"),
    ("reaction", 100, "manager", "email"),
    ("restore", 50, "assignee", "email"),
    ("restore", 75, "manager", "sms"),
    ("restore", 100, "manager", "email"),
    ("restore", 100, "owner", "email"),
)
_keys = count(1)


def at(text: str) -> datetime:
    """A Warsaw wall time, "2026-03-02 10:00" or with seconds, as an aware UTC datetime."""
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW).astimezone(UTC)


MONDAY = at("2026-03-02 10:00")
"""An ordinary working Monday, 10:00 in Warsaw, no holiday near it."""


def form_key() -> UUID:
    """Another one at each call."""
    return UUID(int=next(_keys))


def staff(
    name: str = "Anna Lis", *, role: str = "agent", on_call: bool = True, language: str = "pl", phone: str = ""
) -> User:
    return User.objects.create_user(
        f"{_mailbox(name)}@korba.example", PASSWORD, name=name, provider_role=role, on_call=on_call,
        language=language, phone=phone, created_at=MONDAY,
    )  # fmt: skip


def gone(person: User, **facts: Any) -> None:
    """Switched off, or changed to `facts`, past every rule: as a database of before may hold it."""
    with as_owner(triggers=False):
        User.objects.filter(pk=person.pk).update(**facts or {"is_active": False})


def client(code: str = "MAK", *, name: str = "") -> Client:
    return Client.objects.create(code=code, name=name or f"{code.title()} sp. z o.o.", created_at=MONDAY)


def contact(
    client: Client,
    name: str = "Ola Mak",
    *,
    role: str = "reporter",
    language: str = "pl",
    valid_until: date | None = None,
) -> User:
    """A person of the client: role `reporter` or `owner`. The same name again gets another membership."""
    email = f"{_mailbox(name)}@{client.code.lower()}.example"
    user = User.objects.filter(email=email).first()
    user = user or User.objects.create_user(email, PASSWORD, name=name, language=language, created_at=MONDAY)
    Membership.objects.create(user=user, client=client, role=role, valid_until=valid_until)
    return user


def _mailbox(name: str) -> str:
    return name.lower().replace(" ", ".").translate(str.maketrans("ąćęłńóśźż", "acelnoszz"))


def shop(client: Client, name: str = "mak.example", *, is_active: bool = True) -> Shop:
    slug = name.replace(".", "-")
    return Shop.objects.create(client=client, name=name, slug=slug, url=f"https://{name}/", is_active=is_active)


def round_the_clock() -> Calendar:
    weekly = {"mon-sun": [["00:00", "24:00"]]}
    return Calendar.objects.get_or_create(name="24/7", defaults={"weekly": weekly, "statutory_holidays": False})[0]


def office_hours() -> Calendar:
    weekly = {"mon-fri": [["08:00", "16:00"]]}
    return Calendar.objects.get_or_create(name="Pn–pt 8–16", defaults={"weekly": weekly})[0]


def long_hours() -> Calendar:
    weekly = {"mon-sun": [["07:00", "22:00"]]}
    return Calendar.objects.get_or_create(name="7–22", defaults={"weekly": weekly, "statutory_holidays": False})[0]


def contract(
    client: Client,
    shops: Iterable[Shop],
    *,
    by: User | None = None,
    number: str = "SLA/1",
    starts_on: date = date(2025, 1, 1),
    ends_on: date | None = None,
    fee: str = "10000.00",
    targets: Sequence[tuple[str, int, int, int]] = TARGETS,
    ladder: Sequence[tuple[str, int, str, str]] = LADDER,
    penalty: str = "1.0",
    everywhere: Calendar | None = None,
    rhythms: Sequence[tuple[str, int]] = (("P1", 60), ("P2", 240)),
    **terms: Any,
) -> ContractVersion:
    """Version 1 of a contract in force. `terms`: other columns of the version, e.g. `reopen="restart"`.

    `penalty`: percent of the fee per started hour of a late repair, "" for none. `everywhere`: one calendar for all
    targets instead of 24/7 for P1 and office hours for the rest.
    """
    by = by or User.objects.filter(provider_role="manager").first() or staff("Marek Dyr", role="manager")
    serial = client.contracts.count() + 1
    made = Contract.objects.create(
        client=client, serial=serial, address=f"{client.code}-{serial}", number=number, starts_on=starts_on,
        ends_on=ends_on,
    )  # fmt: skip
    made.shops.set(shops)
    version = ContractVersion.objects.create(
        contract=made,
        number=1,
        valid_from=starts_on,
        monthly_fee=Decimal(fee),
        created_by=by,
        created_at=datetime.combine(starts_on, time.min, WARSAW),
        **terms,
    )
    add_targets(version, targets, penalty=penalty, everywhere=everywhere)
    UpdateRhythm.objects.bulk_create(
        UpdateRhythm(version=version, severity=severity, minutes=minutes) for severity, minutes in rhythms
    )
    EscalationStep.objects.bulk_create(
        EscalationStep(version=version, target=target, share=share, whom=whom, channel=channel)
        for target, share, whom, channel in ladder
    )
    return version


def add_targets(
    version: ContractVersion,
    targets: Sequence[tuple[str, int, int, int]],
    *,
    penalty: str = "",
    everywhere: Calendar | None = None,
) -> None:
    always, office = everywhere or round_the_clock(), everywhere or office_hours()
    rows: list[Target] = []
    for severity, reaction, restore, final_fix in targets:
        calendar = always if severity == "P1" else office
        promises = ("reaction", reaction, calendar), ("restore", restore, calendar), ("final_fix", final_fix, office)
        rows += [
            Target(version=version, severity=severity, kind=kind, minutes=minutes, calendar=hours)
            for kind, minutes, hours in promises
            if minutes
        ]
    made = Target.objects.bulk_create(rows)
    repairs = [target for target in made if penalty and target.kind == "restore"]
    PenaltyRule.objects.bulk_create(PenaltyRule(target=target, rate=Decimal(penalty)) for target in repairs)


def incident(
    shop: Shop,
    *,
    by: User,
    at: datetime = MONDAY,
    what: str = "no_payment",
    sentence: str = "Klienci nie mogą zapłacić.",
    form_key: UUID | None = None,
) -> Incident:
    """Reported by the product's verb: `no_payment` P1, `some_payments` P2, `slower` P3, `typo` P4, `question` none."""
    return reporting.report(shop=shop, what=what, by=by, at=at, sentence=sentence, form_key=form_key)


def seal_all() -> None:
    """Seal what was written past the verbs, as an installation of before is sealed at its upgrade."""
    for kind in proof.KINDS:
        for row in kind.rows():
            seal.add(kind.kind, row.pk, kind.digest(row), at=MONDAY)


def send_letters(at: datetime | None = None) -> int:
    """What the two tasks of letters do at `at` (empty: now): into the outbox, then out; how many left."""
    at = at or timezone.now()
    letters.hand_over(at=at)
    return sending.send_due(at=at)


def clear_outbox() -> None:
    """Forget the notices written so far, so that a test counts its own."""
    with as_owner():
        Notice.objects.all().delete()
        Notification.objects.filter(letter=None).delete()
        Tally.objects.update(notices=0)


@dataclass(frozen=True, slots=True)
class World:
    """One provider and one client with a shop under the standard contract."""

    client: Client
    shop: Shop
    reporter: User
    owner: User
    agent: User
    manager: User
    version: ContractVersion


def world(code: str = "MAK", **terms: Any) -> World:
    """A whole small world; a second code makes a second client with the same staff. `terms` as for `contract`."""
    made = client(code)
    low = code.lower()
    agent = User.objects.filter(provider_role="agent").first() or staff("Anna Lis")
    manager = User.objects.filter(provider_role="manager").first()
    manager = manager or staff("Marek Dyr", role="manager", on_call=False, phone="+48600100200")
    owned = shop(made, f"{low}.example")
    return World(
        client=made, shop=owned, agent=agent, manager=manager,
        reporter=contact(made, f"Ola {code.title()}"), owner=contact(made, f"Ewa {code.title()}", role="owner"),
        version=contract(made, [owned], by=manager, **terms),
    )  # fmt: skip
