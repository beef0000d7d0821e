"""The main job from end to end: a report, a reaction, an outage, a deadline that passes, a manager who decides.

Nothing is played: PostgreSQL, Valkey, workers, beat, probe, SMTP server, gateway, shops and Chromium are real, and one
contract promises a repair within a minute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from accounts.models import User
from contracts.models import Shop
from incidents.models import Breach, Firing, Incident
from messaging.models import Heartbeat
from monitoring.models import Outage, State
from reports.models import BreachDecision
from tests import build
from tests.monitoring.played import monitor
from tests.story.conftest import DESK, PHONE, SignIn
from tests.story.product import Product
from tests.story.stops import Album, Thumb

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
ONE_MINUTE = (("P1", 30, 240, 2400), ("P2", 30, 1, 0))
"""A repair of P2 within one minute, so that its whole ladder is seen."""


@dataclass(frozen=True)
class Cast:
    """Two clients of one provider; the fox's contract is the hasty one."""

    marta: User
    olga: User
    ewa: User
    anna: User
    tomasz: User
    boss: User
    wholesale: Shop


@pytest.fixture
def cast(product: Product) -> Cast:
    """Their shops are the demo shops, each watched by a monitor."""
    anna = build.staff("Anna Kowalska")
    tomasz = build.staff("Tomasz Wrona", role="manager", on_call=False, phone="+48 600 700 800")
    mak, lis = build.client("MAK", name="Mak sp. z o.o."), build.client("LIS", name="Lis i synowie")
    shops = {
        name: build.shop(owner, name) for name, owner in {"mak.pl": mak, "hurt.mak.pl": mak, "lis.pl": lis}.items()
    }
    build.contract(mak, [shops["mak.pl"], shops["hurt.mak.pl"]], by=tomasz, number="7/2026")
    build.contract(
        lis, [shops["lis.pl"]], by=tomasz, number="12/2026", targets=ONE_MINUTE, fee="4000.00", penalty="2.0",
        everywhere=build.round_the_clock(),
    )  # fmt: skip
    build.seal_all()
    for shop, slug in zip(shops.values(), ("mak", "hurt-mak", "lis"), strict=True):
        monitor(shop, url=f"{product.shops}/{slug}/", interval=10, slow_ms=10_000)
    return Cast(
        marta=build.contact(mak, "Marta Maj"), olga=build.contact(lis, "Olga Lis"),
        ewa=build.contact(lis, "Ewa Lis", role="owner"), anna=anna, tomasz=tomasz,
        boss=build.staff("Adam Nowak", role="admin", on_call=False), wholesale=shops["hurt.mak.pl"],
    )  # fmt: skip


def test_from_a_report_to_a_confirmed_penalty(product: Product, cast: Cast, sign_in: SignIn, album: Album) -> None:
    hasty = a_minute_begins(sign_in(cast.olga, **PHONE), album)
    marta, anna = sign_in(cast.marta, **PHONE), sign_in(cast.anna, **DESK)
    the_shops_are_seen_to_work(product)
    a_failure_is_reported_from_a_phone(marta, album)
    staff_react_with_one_click(anna, album)
    the_client_hears_of_it(marta, product, cast, album)
    a_shop_is_switched_off(product, cast, anna, album)
    a_report_of_the_same_failure_joins(marta, cast, album)
    product.set_fault("hurt-mak", "")
    the_ladder_is_climbed(product, cast, hasty)
    breach = the_breach_is_recorded_once(product, hasty, album)
    the_repair_comes_late(anna, product, breach, album)
    the_manager_reads_the_account_and_confirms(sign_in(cast.tomasz, **DESK), breach, cast, album)
    the_outage_ends(product, cast, anna, album)
    its_time_is_taken_by_one_click(anna, cast, album)
    a_word_under_the_repair_ends_the_silence(marta, album)
    whoever_leaves_hands_over(sign_in(cast.boss, **DESK), cast, album)
    product.until(product.every_lane_works, "each lane has done something")
    call_command("verify_clocks")


def the_shops_are_seen_to_work(product: Product) -> None:
    from_monitors = Shop.objects.filter(monitors__state=State.UP)
    product.until(lambda: from_monitors.count() == 3, "the monitors' first good checks")


def a_failure_is_reported_from_a_phone(page: Page, album: Album) -> None:
    """From the home page: the shop, what, one sentence, send."""
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wszystko działa")
    album.take(page, "client-home")
    thumb = Thumb(page)
    thumb.tap(page.get_by_role("link", name="Zgłoś awarię mak.pl", exact=True))
    thumb.tap(page.get_by_text("Żadna płatność nie przechodzi"))
    thumb.write(page.get_by_label("Jednym zdaniem"), "Od rana każda płatność kartą kończy się błędem.")
    album.take(page, "report")
    thumb.tap(page.get_by_role("button", name="Wyślij zgłoszenie"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Przyjęliśmy zgłoszenie MAK-0001")
    assert thumb.taps <= 4
    incident = Incident.objects.get(nr="MAK-0001")
    for words, minutes in (("Odezwiemy się do", 30), ("Naprawa do", 240)):
        promise = page.locator("p.clock", has_text=words).locator("time").first
        due = incident.received_at + timedelta(minutes=minutes)
        expect(promise).to_have_attribute("datetime", f"{due:%Y-%m-%dT%H:%M:%SZ}")
    album.take(page, "receipt")


def staff_react_with_one_click(page: Page, album: Album) -> None:
    page.goto("/queue/")
    react = page.get_by_role("button", name="Reaguję MAK-0001")
    expect(react).to_be_visible()
    album.take(page, "queue")
    react.click()
    expect(page.get_by_text("MAK-0001: Reakcja wysłana.")).to_be_visible()
    album.take(page, "queue-after-the-reaction")
    incident = Incident.objects.get(nr="MAK-0001")
    assert incident.first_contact_at is not None
    assert incident.assignee is not None
    assert incident.assignee.name == "Anna Kowalska"


def the_client_hears_of_it(page: Page, product: Product, cast: Cast, album: Album) -> None:
    page.get_by_role("link", name="Pokaż zgłoszenie").tap()
    expect(page.get_by_text("Tu Anna Kowalska. Pracuję nad tym zgłoszeniem.")).to_be_visible()
    album.take(page, "incident-for-the-client")
    wanted = ["MAK-0001: przyjęliśmy zgłoszenie", "MAK-0001: wiadomość, Anna Kowalska"]
    product.until(
        lambda: [one["subject"] for one in product.messages("mail", cast.marta.email)] == wanted,
        "the receipt's copy and the reaction in Marta's mailbox",
    )


def a_minute_begins(page: Page, album: Album) -> Incident:
    """The hasty contract's client has one shop, so the form doesn't ask for it."""
    page.goto("/report/")
    page.get_by_text("Część płatności nie przechodzi").tap()
    page.get_by_label("Jednym zdaniem").fill("Płatności BLIK przechodzą co drugi raz.")
    page.get_by_role("button", name="Wyślij zgłoszenie").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Przyjęliśmy zgłoszenie LIS-0001")
    album.take(page, "receipt-of-the-minute")
    return Incident.objects.get(nr="LIS-0001")


def a_shop_is_switched_off(product: Product, cast: Cast, page: Page, album: Album) -> None:
    product.set_fault("hurt-mak", "down")
    product.until(Outage.objects.exists, "a confirmed outage")
    outage = Outage.objects.get()
    assert outage.started_at < outage.confirmed_at
    incident = Incident.objects.get(shop=cast.wholesale)
    assert (outage.incident, incident.origin, incident.what) == (incident, "monitor", "closed")
    assert (incident.received_at, incident.occurred_at) == (outage.confirmed_at, outage.started_at)
    page.goto(f"/incidents/{incident.nr}/")
    album.take(page, "incident-of-the-monitor")
    page.get_by_role("link", name="dowody").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    album.take(page, "evidence")


def a_report_of_the_same_failure_joins(page: Page, cast: Cast, album: Album) -> None:
    """The form says that it is known; who reports it all the same is told that the report joined."""
    page.goto("/")
    page.get_by_role("link", name="Zgłoś awarię hurt.mak.pl", exact=True).tap()
    expect(page.get_by_text(re.compile("Wiemy od .*MAK-0002"))).to_be_visible()
    page.get_by_text("Sklep się nie otwiera").last.tap()
    page.get_by_label("Jednym zdaniem").fill("Strona sklepu się nie otwiera.")
    album.take(page, "report-of-a-known-failure")
    page.get_by_role("button", name="Wyślij zgłoszenie").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Twoje zgłoszenie dołączyło do MAK-0002")
    album.take(page, "receipt-of-the-joined-report")
    assert Incident.objects.filter(shop=cast.wholesale).count() == 1
    assert Incident.objects.get(shop=cast.wholesale).joined.get().by == cast.marta


def the_ladder_is_climbed(product: Product, cast: Cast, incident: Incident) -> None:
    """Half the minute: who works on it. Three quarters: the manager's phone. The deadline: manager and owner."""
    reached = [
        ("mail", cast.anna.email, "LIS-0001: wykorzystano 50 % czasu (naprawa)"),
        ("sms", cast.tomasz.phone, "LIS-0001: wykorzystano 75 % czasu (naprawa)"),
        ("mail", cast.tomasz.email, "LIS-0001: wykorzystano 100 % czasu (naprawa)"),
        ("mail", cast.ewa.email, "LIS-0001: wykorzystano 100 % czasu (naprawa)"),
    ]
    for channel, to, words in reached:
        product.until(lambda: told(product, channel, to, words) == 1, f"{words} by {channel} to {to}")  # noqa: B023
    due = [(firing.step.share, firing.due_at) for firing in incident.firings.order_by("due_at", "step__share")]
    moments = [incident.received_at + timedelta(seconds=second) for second in (30, 45, 60, 60)]
    assert due == list(zip((50, 75, 100, 100), moments, strict=True))


def told(product: Product, channel: str, to: str, words: str) -> int:
    """How many messages began with these words."""
    received = product.messages(channel, to)
    return sum((one["subject"] or one["text"]).replace("\u00a0", " ").startswith(words) for one in received)


def the_breach_is_recorded_once(product: Product, incident: Incident, album: Album) -> Breach:
    """At the deadline itself it is not late yet. After more sweeps there is still one, and its time is the deadline."""
    product.until(Breach.objects.exists, "the breach")
    breach = Breach.objects.get()
    later = breach.noticed_at + timedelta(seconds=3)
    product.until(lambda: Heartbeat.objects.get(name="clocks").at > later, "sweeps after the breach")
    assert Breach.objects.get() == breach
    assert (breach.incident, breach.target, breach.stopped_at) == (incident, "restore", None)
    assert breach.deadline == incident.received_at + timedelta(minutes=1)
    assert breach.noticed_at >= breach.deadline
    assert Firing.objects.count() == 4
    late = (breach.noticed_at - breach.deadline).seconds
    album.note("lateness", f"{incident.nr}: due {breach.deadline}, recorded at {breach.noticed_at}, {late} s later")
    return breach


def the_repair_comes_late(page: Page, product: Product, breach: Breach, album: Album) -> None:
    page.goto("/queue/")
    album.take(page, "queue-with-a-late-one")
    page.get_by_role("link", name="LIS-0001", exact=True).click()
    page.get_by_role("link", name="Naprawione").click()
    page.get_by_label("Do klienta").last.fill("Operator BLIK miał przeciążenie. Zmieniliśmy trasę płatności.")
    page.get_by_label("Jest", exact=True).check()
    page.get_by_label("Gdzie jest").fill("kopie/lis/przed-naprawa.sql.gz")
    album.take(page, "repair")
    page.get_by_role("button", name="Naprawione").click()
    expect(page.get_by_text("Wysłano do klienta.")).to_be_visible()
    album.take(page, "repaired-late")
    breach.refresh_from_db()
    assert breach.stopped_at is not None


def the_manager_reads_the_account_and_confirms(page: Page, breach: Breach, cast: Cast, album: Album) -> None:
    """Less than an hour late is one started hour: 2 % of 4 000 zł."""
    expect(page.get_by_role("heading", level=1)).to_have_text("1 naruszenie czeka na Twoją decyzję")
    album.take(page, "breaches")
    page.get_by_role("link", name="Rozpatrz LIS-0001").click()
    account, deadline = page.locator("table.account"), breach.deadline.astimezone(build.WARSAW)
    for words in (f"{deadline.hour}:{deadline:%M:%S}", "2 % z 4 000,00 zł", "80,00 zł"):
        expect(account).to_contain_text(words)
    album.take(page, "breach")
    page.get_by_role("button", name="Potwierdź 80,00 zł").click()
    expect(page.get_by_text("LIS-0001: naruszenie potwierdzone")).to_be_visible()
    album.take(page, "breach-confirmed")
    decision = BreachDecision.objects.get()
    assert (decision.breach, decision.by, decision.verdict) == (breach, cast.tomasz, "confirmed")
    assert decision.amount_after == Decimal("80.00")


def the_outage_ends(product: Product, cast: Cast, page: Page, album: Album) -> None:
    """Its incident stays open: the monitor proposes the time of repair, a person says that it is repaired."""
    product.until(lambda: Outage.objects.filter(ended_at__isnull=False).exists(), "the end of the outage")
    incident = Incident.objects.get(shop=cast.wholesale)
    assert (incident.restored_at, incident.is_ended) == (Outage.objects.get().ended_at, False)
    page.goto(f"/incidents/{incident.nr}/")
    expect(page.get_by_text("Nasz monitor widzi, że działa od").first).to_be_visible()
    album.take(page, "works-again")


def its_time_is_taken_by_one_click(page: Page, cast: Cast, album: Album) -> None:
    """The repair ended at the first good check, whenever a person looked."""
    page.get_by_role("button", name=re.compile("^Przyjmij")).click()
    expect(page.get_by_text("Przyjęto czas z monitora jako koniec naprawy.")).to_be_visible()
    album.take(page, "time-taken")
    incident = Incident.objects.get(shop=cast.wholesale)
    restore = incident.clocks.get(target="restore")
    assert (incident.status, restore.state) == ("resolved", "met")
    assert restore.stopped_at == Outage.objects.get().ended_at


def a_word_under_the_repair_ends_the_silence(page: Page, album: Album) -> None:
    """The client writes instead of pressing a button: he is asked, and silence accepts nothing any more."""
    assert Incident.objects.get(nr="MAK-0002").silence_at is not None
    page.goto("/incidents/MAK-0002/answer/")
    page.get_by_label("Twoja odpowiedź").fill("Strona wstała, ale koszyk jest pusty.")
    page.get_by_role("button", name="Wyślij", exact=True).tap()
    for button in ("Działa", "Nadal nie działa"):
        expect(page.get_by_text(button, exact=True).first).to_be_visible()
    album.take(page, "asked-after-a-word")
    incident = Incident.objects.get(nr="MAK-0002")
    assert (incident.status, incident.silence_at) == ("resolved", None)


def whoever_leaves_hands_over(page: Page, cast: Cast, album: Album) -> None:
    page.goto(f"/settings/users/{cast.anna.pk}/off/")
    page.get_by_label("Kto przejmie otwarte zgłoszenia").last.select_option(label="Tomasz Wrona")
    album.take(page, "handing-over")
    page.get_by_role("button", name="Wyłącz: Anna Kowalska").click()
    expect(page.get_by_text("Konto wyłączone: Anna Kowalska")).to_be_visible()
    assert {one.assignee for one in Incident.objects.active()} == {cast.tomasz}
