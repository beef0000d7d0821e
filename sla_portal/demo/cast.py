"""Who plays in the demo: one provider, four clients with nine shops, their contracts and monitors."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from accounts import people
from accounts.models import ADMIN, AGENT, MANAGER, OWNER, REPORTER, Client, User
from contracts import agreements, shops
from contracts.agreements import PenaltySpec, TargetSpec, VersionSpec
from contracts.models import Calendar, Shop
from contracts.severities import What
from monitoring import watch
from monitoring.models import Monitor

CLIENTS = {
    "MAK": ("Makowy Dom sp. z o.o.", "ul. Ogrodowa 14, 61-821 Poznań", ("mak", "hurt-mak")),
    "TUR": ("Turnia Sport sp. z o.o.", "ul. Kościeliska 7, 34-500 Zakopane", ("tur", "lis")),
    "SOW": ("Sowa i Synowie s.c.", "ul. Piotrkowska 118, 90-006 Łódź", ("sowa", "wisla-foto", "bukszpan")),
    "JOD": ("Jodłowa Manufaktura", "ul. Leśna 3, 38-600 Lesko", ("jodlowa", "filcownia")),
}
DOMAINS = {
    "mak": "mak.pl",
    "hurt-mak": "hurt.mak.pl",
    "tur": "tur.pl",
    "lis": "lis.pl",
    "sowa": "sowa.pl",
    "wisla-foto": "wisla-foto.pl",
    "bukszpan": "bukszpan.pl",
    "jodlowa": "jodlowa.pl",
    "filcownia": "filcownia.pl",
}
# e-mail, name, phone, language, then for a client's person (client, role)…
STAFF = (
    ("admin@studiopolnoc.example", "Krzysztof Bąk", "600 200 305", ADMIN, False),
    ("anna@studiopolnoc.example", "Anna Kowalska", "600 200 301", AGENT, True),
    ("piotr@studiopolnoc.example", "Piotr Maj", "600 200 302", AGENT, False),
    ("tomasz@studiopolnoc.example", "Tomasz Wrona", "600 200 303", MANAGER, False),
    ("halina@studiopolnoc.example", "Halina Zięba", "600 200 304", MANAGER, False),
)
CONTACTS = (
    ("marta@makowydom.example", "Marta Zielińska", "600 100 200", (("MAK", REPORTER),)),
    ("ewa@makowydom.example", "Ewa Nowak", "600 100 201", (("MAK", OWNER),)),
    ("jan@turniasport.example", "Jan Turski", "601 330 118", (("TUR", OWNER), ("JOD", REPORTER))),
    ("kinga@turniasport.example", "Kinga Lis", "601 330 119", (("TUR", REPORTER),)),
    ("ola@sowa.example", "Aleksandra Sowa", "602 440 551", (("SOW", OWNER),)),
    ("iza@sowa.example", "Izabela Wolska", "602 440 552", (("SOW", REPORTER),)),
    ("marek@jodlowa.example", "Marek Jodłowski", "603 770 210", (("JOD", OWNER),)),
)


@dataclass
class Cast:
    people: dict[str, User]
    clients: dict[str, Client]
    shops: dict[str, Shop]
    monitors: dict[tuple[str, str], Monitor]

    def __getattr__(self, name: str) -> User:
        """`cast.anna`: a person by first name."""
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None


def enter(today: date, now: datetime) -> Cast:
    """Everybody and everything that stands before the first incident."""
    cast = Cast({}, {}, {}, {})
    _people(cast, now)
    _shops(cast, now)
    calendars = _calendars(now)
    _contracts(cast, calendars, today, now)
    _monitors(cast, now)
    return cast


def _people(cast: Cast, at: datetime) -> None:
    """The administrator comes first and invites the rest; only the passwords are chosen for them."""
    logins, by = _logins(), None
    for email, name, phone, role, on_call in STAFF:
        person = people.invite_staff(email=email, name=name, phone=phone, role=role, on_call=on_call, by=by, at=at)
        by = by or person
        _enter(cast, person, logins)
    assert by is not None
    for code, (name, address, _slugs) in CLIENTS.items():
        cast.clients[code] = people.create_client(code=code, name=name, address=address, by=by, at=at)
    for email, name, phone, roles in CONTACTS:
        for code, role in roles:
            client = cast.clients[code]
            person = people.invite_contact(client=client, email=email, name=name, phone=phone, role=role, by=by, at=at)
        _enter(cast, person, logins)


def _enter(cast: Cast, person: User, logins: dict[str, str]) -> None:
    person.set_password(logins.get(person.email, secrets.token_urlsafe(12)))
    person.save(update_fields=["password"])
    cast.people[person.email.split("@")[0]] = person


def _logins() -> dict[str, str]:
    path = Path(settings.DEMO_LOGINS_FILE)
    logins: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return logins


def _shops(cast: Cast, at: datetime) -> None:
    for code, (_name, _address, slugs) in CLIENTS.items():
        for slug in slugs:
            url = f"{settings.DEMO_SHOPS_URL}/{slug}/"
            cast.shops[slug] = shops.add_shop(
                client=cast.clients[code], name=DOMAINS[slug], url=url, by=cast.tomasz, at=at
            )


def _calendars(at: datetime) -> dict[str, Calendar]:
    return {
        "always": agreements.create_calendar(
            name="Całą dobę", weekly={"mon-sun": [["00:00", "24:00"]]}, statutory_holidays=False, at=at
        ),
        "office": agreements.create_calendar(
            name="Biuro pn–pt 8–16", weekly={"mon-fri": [["08:00", "16:00"]]}, is_office=True, at=at
        ),
        "long": agreements.create_calendar(
            name="Pn–pt 8–20, sb 9–14", weekly={"mon-fri": [["08:00", "20:00"]], "sat": [["09:00", "14:00"]]}, at=at
        ),
    }


def _contracts(cast: Cast, calendars: dict[str, Calendar], today: date, now: datetime) -> None:
    by = cast.people["tomasz"]
    first, annex = (today - timedelta(days=420)).replace(day=1), (today - timedelta(days=50)).replace(day=1)
    round_clock = VersionSpec(first, Decimal(4000), _round_the_clock(calendars, Decimal(2)), terms=_caps(first))
    mak = agreements.create_contract(
        client=cast.clients["MAK"], number="7/2026", shops=_of(cast, "MAK"), version=round_clock, by=by, at=now
    )
    stricter = VersionSpec(annex, Decimal(4600), _round_the_clock(calendars, Decimal("2.5")), terms=_caps(annex))
    agreements.add_version(contract=mak, version=stricter, by=by, at=now)
    agreements.create_contract(
        client=cast.clients["TUR"],
        number="3/2026",
        shops=_of(cast, "TUR"),
        by=by,
        at=now,
        version=VersionSpec(
            first,
            Decimal(2900),
            _round_the_clock(calendars, Decimal(1)),
            terms=_signed(first)
            | {"third_party_pause": True, "availability_target": Decimal("99.5"), "month_cap_percent": Decimal(20)},
        ),
    )
    agreements.create_contract(
        client=cast.clients["SOW"],
        number="12/2025",
        shops=_of(cast, "SOW"),
        by=by,
        at=now,
        ends_on=today + timedelta(days=200),
        version=VersionSpec(
            first,
            Decimal(1800),
            _office(calendars),
            terms=_signed(first) | {"contract_cap_amount": Decimal(9000), "availability_target": Decimal("99.0")},
        ),
    )
    agreements.create_contract(
        client=cast.clients["JOD"],
        number="4/2026",
        shops=_of(cast, "JOD"),
        by=by,
        at=now,
        version=VersionSpec(
            first,
            Decimal(900),
            (),
            steps=(),
            terms=_signed(first) | {"availability_target": Decimal("99.5"), "minimum_outage_minutes": 5},
        ),
    )


def _of(cast: Cast, code: str) -> list[Shop]:
    return [cast.shops[slug] for slug in CLIENTS[code][2]]


def _signed(on: date) -> dict[str, object]:
    return {"signed_on": on - timedelta(days=9), "signatories": "Tomasz Wrona, za klienta właściciel"}


def _caps(on: date) -> dict[str, object]:
    return _signed(on) | {
        "incident_cap_amount": Decimal(500),
        "month_cap_percent": Decimal(30),
        "contract_cap_amount": Decimal(24000),
        "availability_target": Decimal("99.95"),
        "second_person_above": Decimal(300),
        "third_party_pause": True,
    }


def _round_the_clock(calendars: dict[str, Calendar], rate: Decimal) -> list[TargetSpec]:
    always, office = calendars["always"], calendars["office"]
    late, fix = PenaltySpec(rate), PenaltySpec(Decimal("0.5"), unit="started_day_24h")
    slow = PenaltySpec(rate / 4, grace_minutes=15)
    return [
        TargetSpec("P1", "reaction", 30, always, PenaltySpec(Decimal(50), rate_type="amount", unit="once")),
        TargetSpec("P1", "restore", 240, always, late),
        TargetSpec("P1", "final_fix", 2400, office, fix),
        TargetSpec("P2", "reaction", 120, calendars["long"], PenaltySpec(Decimal(30), rate_type="amount", unit="once")),
        TargetSpec("P2", "restore", 480, calendars["long"], slow),
        TargetSpec("P2", "final_fix", 2400, office, fix),
        TargetSpec("P3", "reaction", 480, office),
        TargetSpec("P3", "restore", 1440, office, slow),
        TargetSpec("P4", "reaction", 480, office),
        TargetSpec("P4", "restore", 4800, office),
    ]


def _office(calendars: dict[str, Calendar]) -> list[TargetSpec]:
    office = calendars["office"]
    hour = PenaltySpec(Decimal(50), rate_type="amount")
    return [
        TargetSpec("P1", "reaction", 60, office, PenaltySpec(Decimal(50), rate_type="amount", unit="once")),
        TargetSpec("P1", "restore", 240, office, hour),
        TargetSpec("P2", "reaction", 120, office, PenaltySpec(Decimal(50), rate_type="amount", unit="once")),
        TargetSpec("P2", "restore", 480, office, hour),
        TargetSpec("P2", "final_fix", 2400, office),
        TargetSpec("P3", "reaction", 480, office),
        TargetSpec("P3", "restore", 1440, office),
        TargetSpec("P4", "reaction", 480, office),
        TargetSpec("P4", "restore", 4800, office),
    ]


def _monitors(cast: Cast, at: datetime) -> None:
    for slug, shop in cast.shops.items():
        base = f"{settings.DEMO_SHOPS_URL}/{slug}"
        home = {"name": "Strona główna", "url": f"{base}/", "what": What.CLOSED}
        pay = {"name": "Koszyk i płatność", "url": f"{base}/platnosc", "what": What.NO_PAYMENT}
        for part, terms in (("home", home), ("pay", pay)):
            cast.monitors[slug, part] = watch.add(shop=shop, by=cast.tomasz, at=at, **terms)
