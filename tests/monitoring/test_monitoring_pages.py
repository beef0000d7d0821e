"""The availability pages: what they say, who may open them, and that a longer list asks no more of the database."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts.models import Shop
from contracts.planned import MaintenanceWindow
from contracts.spans import subtract
from incidents import lifecycle
from incidents.models import Incident
from monitoring import acts, watch
from monitoring.availability import page as shop_page
from monitoring.availability import shops as figures
from monitoring.availability.measure import Period
from monitoring.models import ActKind, Monitor, Outage
from tests import build
from tests.build import World
from tests.monitoring.played import BROKEN, DOWN, EGRESS, UP, monitor, result
from tests.owner import as_owner
from tests.pages import visitor

pytestmark = pytest.mark.django_db
NOW = build.at("2026-03-24 12:00")
START = build.at("2026-01-10 00:00")


@pytest.fixture
def world() -> World:
    return build.world(availability_target=Decimal("99.9"))


@pytest.fixture
def home(world: World) -> Monitor:
    """Watched since 10 January; down 4 March 8:00–9:30, blind on 20 February for an hour, good until now."""
    home = monitor(world.shop)
    say(home, "2026-01-10 00:00", UP)
    blind(home, "2026-02-20 03:00", "2026-02-20 04:00")
    break_down(home, "2026-03-04 08:00", "2026-03-04 09:30")
    return Monitor.objects.get(pk=home.pk)


def see_all_through() -> None:
    for row in Monitor.objects.all():
        watch.extend_last_check(row, at=NOW)


def say(monitor: Monitor, when: str | datetime, kind: dict[str, Any]) -> None:
    at = build.at(when) if isinstance(when, str) else when
    watch.record(monitor, result(monitor, at, kind), at=at)


def break_down(home: Monitor, start: str, end: str = "", kind: dict[str, Any] = DOWN) -> None:
    first = build.at(start)
    watch.extend_last_check(home, at=first - timedelta(seconds=60))
    say(home, first, kind)
    say(home, first + timedelta(seconds=7), kind)
    if not end:
        return
    good = build.at(end)
    watch.extend_last_check(home, at=good - timedelta(seconds=60))
    for minutes in range(3):
        say(home, good + timedelta(minutes=minutes), UP)


def blind(home: Monitor, start: str, end: str) -> None:
    first, last = build.at(start), build.at(end)
    watch.extend_last_check(home, at=first - timedelta(seconds=60))
    say(home, first, EGRESS)
    watch.extend_last_check(home, at=last - timedelta(seconds=60))
    say(home, last, UP)


def page(who: User, path: str, *, status: int = 200, now: datetime = NOW) -> str:
    """The page's words as a person sees them, one space between them; until NOW nothing more happened."""
    see_all_through()
    browser = Browser()
    browser.force_login(who)
    with time_machine.travel(now, tick=False):
        answer = browser.get(path)
    assert answer.status_code == status
    text = unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r" ([,.])", r"\1", re.sub(r"\s+", " ", text))


def test_a_shop_that_works_says_so_first_with_the_figure_floored(world: World, home: Monitor) -> None:
    text = page(world.reporter, f"/shops/{world.shop.slug}/")
    assert "mak.example działa" in text
    # March until the 24th, noon: 33 840 min, of them 90 down: 99.7340…
    assert "Marzec 99,73 %, poniżej celu 99,9 %. Sprawdzono o 12:00." in text


def test_a_shop_that_is_down_says_since_when_and_which_incident(world: World, home: Monitor) -> None:
    break_down(home, "2026-03-24 11:30", kind=BROKEN)
    text = page(world.reporter, f"/shops/{world.shop.slug}/")
    assert "mak.example nie działa od 11:30" in text
    assert "dziś 11:30 trwa 30 min tak MAK-0001, Na stronie jest komunikat" in text


def test_the_budget_is_the_whole_months_and_says_by_how_much_it_is_exceeded(world: World, home: Monitor) -> None:
    # 0.1 % of 44 580 min (March has the change of clocks) is 44 min 34.8 s
    text = page(world.owner, f"/shops/{world.shop.slug}/")
    assert "1 h 30 min z 44 min 34 s przekroczony o 45 min 26 s" in text


def test_unknown_time_makes_the_figure_an_honest_range(world: World, home: Monitor) -> None:
    # February: 40 320 min, 60 of them without data
    assert "Luty 99,85–100 %" in page(world.reporter, f"/shops/{world.shop.slug}/")
    account = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-02/")
    assert "1 h bez danych: 99,8511 %, jeśli sklep wtedy nie działał, 100,0000 %, jeśli działał." in account


def test_the_account_adds_up_line_by_line(world: World, home: Monitor) -> None:
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    assert "Dlaczego 99,73 % w marcu?" in text
    assert "Czas, który się liczy 564:00:00" in text
    assert "Niedostępność razem 1:30:00" in text
    assert "99,7340 %" in text


def test_a_month_before_the_shop_was_watched_has_no_figure(world: World, home: Monitor) -> None:
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2025-12/")
    assert "W tym miesiącu jeszcze nie sprawdzaliśmy tego sklepu." in text


@pytest.mark.parametrize("month", ["2026-04", "2026-13", "marzec"])
def test_a_month_to_come_and_a_month_that_is_none_are_no_pages(world: World, home: Monitor, month: str) -> None:
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/{month}/", status=404)
    assert "99,9 %" not in text


def test_a_shop_that_is_never_watched_says_so(world: World) -> None:
    text = page(world.reporter, f"/shops/{world.shop.slug}/")
    assert "mak.example: nie sprawdzamy tego sklepu" in text
    assert "jeszcze nie sprawdzaliśmy" in text


def test_a_monitor_whose_probe_died_is_not_green(world: World, home: Monitor) -> None:
    text = page(world.reporter, f"/shops/{world.shop.slug}/", now=NOW + timedelta(hours=2))
    assert "mak.example: nie wiemy od 12:01, sprawdzenie nie dało wyniku" in text
    # until 14:00, of 33 960 min 119 are unknown
    assert "Marzec 99,38–99,73 %" in text


def test_the_bars_are_ninety_days_the_longest_downtime_the_highest(world: World, home: Monitor) -> None:
    break_down(home, "2026-03-10 08:00", "2026-03-10 08:10")
    see_all_through()
    seen = figures.histories([world.shop], since=build.at("2025-12-01 00:00"), now=NOW)[world.shop.pk]
    days = {day.date: day for day in shop_page.days(seen)}
    assert len(days) == 90
    assert days[date(2026, 3, 4)].height == 66
    assert (days[date(2026, 3, 10)].kind, days[date(2026, 3, 10)].height) == ("down", 34)
    assert [days[date(2026, *day)].kind for day in ((1, 9), (1, 10), (2, 20), (3, 24))] == ["none", "up", "gap", "up"]
    said = shop_page.caption(list(days.values())).replace("\u00a0", " ")
    assert said == "Ostatnie 90 dni: 2 dni z niedostępnością, 1 dzień bez pełnych danych."


def test_an_outage_shorter_than_the_contract_counts_is_shown_and_does_not_count(world: World, home: Monitor) -> None:
    world.version.minimum_outage_minutes = 15
    with as_owner():
        world.version.save()
    break_down(home, "2026-03-10 08:00", "2026-03-10 08:10")
    text = page(world.reporter, f"/shops/{world.shop.slug}/")
    assert "wt. 10 mar, 8:00 8:10 10 min nie, krótsza niż w umowie" in text
    assert "Marzec 99,73 %" in text


def test_planned_work_is_in_the_table_and_leaves_the_time_that_counts(world: World, home: Monitor) -> None:
    MaintenanceWindow.objects.create(
        shop=world.shop, starts_at=build.at("2026-03-05 02:00"), ends_at=build.at("2026-03-05 03:00"),
        announced_at=build.at("2026-02-27 10:00"), note="Aktualizacja sklepu", entered_by=world.agent,
    )  # fmt: skip
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    assert "czw. 5 mar, 2:00 3:00 1 h nie, okno serwisowe Aktualizacja sklepu" in text
    assert "Czas, który się liczy 563:00:00" in text


def plan(world: World, start: str, end: str, announced: str = "2026-02-27 10:00") -> None:
    MaintenanceWindow.objects.create(
        shop=world.shop, starts_at=build.at(start), ends_at=build.at(end), announced_at=build.at(announced),
        note="Aktualizacja sklepu", entered_by=world.agent,
    )  # fmt: skip


def promise(world: World, **terms: Any) -> None:
    for name, value in terms.items():
        setattr(world.version, name, value)
    with as_owner():
        world.version.save(update_fields=list(terms))


def test_planned_work_in_the_time_that_counts_is_time_that_was_up(world: World, home: Monitor) -> None:
    promise(world, maintenance="in_total")
    plan(world, "2026-03-05 02:00", "2026-03-05 03:00")
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    assert "Czas, który się liczy 564:00:00" in text
    assert "Okno serwisowe liczy się jako czas działania" in text


def test_work_announced_later_than_promised_is_ordinary_time(world: World, home: Monitor) -> None:
    promise(world, maintenance_notice_hours=48)
    plan(world, "2026-03-05 02:00", "2026-03-05 03:00", announced="2026-03-03 02:00:01")
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    assert "1 h tak, zapowiedziane za późno Aktualizacja sklepu" in text
    assert "Czas, który się liczy 564:00:00" in text
    assert "nie wchodzi do liczonego czasu, zapowiedziane 48 h wcześniej" in text


def test_work_beyond_the_months_limit_is_ordinary_time(world: World, home: Monitor) -> None:
    promise(world, maintenance_limit_minutes=90)
    for day in (5, 6, 9):
        plan(world, f"2026-03-{day:02d} 02:00", f"2026-03-{day:02d} 03:00")
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    assert "pt. 6 mar, 2:00 3:00 1 h częściowo, ponad limit miesiąca" in text
    assert "pon. 9 mar, 2:00 3:00 1 h tak, ponad limit miesiąca" in text
    # 564 h less one and a half
    assert "Czas, który się liczy 562:30:00" in text
    assert "najwyżej 1 h 30 min w miesiącu" in text


def test_a_days_bar_knows_what_the_days_before_took_of_the_limit(world: World, home: Monitor) -> None:
    promise(world, maintenance_limit_minutes=90)
    for day in (5, 6, 9):
        plan(world, f"2026-03-{day:02d} 02:00", f"2026-03-{day:02d} 03:00")
    see_all_through()
    seen = figures.histories([world.shop], since=build.at("2025-12-01 00:00"), now=NOW)[world.shop.pk]
    days = {day.date: (day.kind, day.planned) for day in shop_page.days(seen)}
    found = [days[date(2026, 3, day)] for day in (5, 6, 9)]
    assert [(kind, span.replace("\u00a0", " ")) for kind, span in found] == [
        ("plan", "1 h"), ("plan", "30 min"), ("up", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(("limit", "undecided"), [(60, False), (59, True)])
def test_above_the_limit_of_unknown_time_there_is_no_verdict_without_both_sides(
    world: World, home: Monitor, limit: int, undecided: bool
) -> None:
    """February: 60 minutes without data, and a target that is kept."""
    promise(world, unknown_limit_minutes=limit)
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-02/")
    assert ("Luty: zgodnie z celem 99,9 %." in text) is not undecided
    assert (
        "Luty: bez oceny, dopóki obie strony nie uzgodnią czasu bez danych, cel 99,9 %." in text
        and "1 h bez danych to więcej niż 59 min, które umowa dopuszcza w miesiącu." in text
    ) is undecided
    assert (f"najwyżej {'1 h' if limit == 60 else '59 min'} w miesiącu") in text


def test_a_month_without_a_verdict_is_not_below_the_target(world: World) -> None:
    promise(world, unknown_limit_minutes=59, availability_target=Decimal("99.99"))
    home = monitor(world.shop)
    say(home, "2026-01-10 00:00", UP)
    break_down(home, "2026-02-10 08:00", "2026-02-10 09:30")
    blind(home, "2026-02-20 03:00", "2026-02-20 04:00")
    text = page(world.manager, "/availability/2026-02/")
    assert "99,62–99,77 %" in text
    assert "poniżej celu" not in text


def test_two_addresses_down_at_once_are_down_once(world: World, home: Monitor) -> None:
    checkout = monitor(world.shop, "Koszyk")
    say(checkout, START, UP)
    break_down(checkout, "2026-03-04 09:00", "2026-03-04 10:00")
    text = page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    assert "Niedostępność razem 2:00:00" in text


def test_an_address_that_does_not_mean_down_is_shown_and_not_counted(world: World, home: Monitor) -> None:
    blog = monitor(world.shop, "Blog", means_down=False, what="other", severity="P3")
    say(blog, START, UP)
    break_down(blog, "2026-03-20 08:00")
    text = page(world.reporter, f"/shops/{world.shop.slug}/")
    assert "mak.example działa" in text
    assert "Blog: nie działa (nie liczy się jako niedostępność)" in text
    assert "Marzec 99,73 %" in text


def test_what_is_down_in_one_address_is_not_unknown_because_another_was_not_seen() -> None:
    down, unknown = [Period(100, 200)], [Period(150, 300)]
    assert subtract(unknown, down) == [Period(200, 300)]
    assert subtract([Period(0, 10), Period(20, 30)], [Period(5, 25)]) == [Period(0, 5), Period(25, 30)]


# Who


def test_a_stranger_finds_neither_the_shop_nor_its_account(world: World, home: Monitor) -> None:
    stranger = build.world("SOW").owner
    page(stranger, f"/shops/{world.shop.slug}/", status=404)
    page(stranger, f"/shops/{world.shop.slug}/availability/2026-03/", status=404)
    assert "mak.example" not in page(stranger, "/shops/")


@pytest.mark.parametrize("path", ["/monitors/{pk}/", "/availability/", "/availability/2026-03/"])
def test_clients_find_no_monitor_page_and_no_table_of_all(world: World, home: Monitor, path: str) -> None:
    assert home.url not in page(world.owner, path.format(pk=home.pk), status=404)


def test_an_agent_sees_every_shop_and_a_manager_the_months_table(world: World, home: Monitor) -> None:
    build.world("SOW")
    assert "mak.example" in (text := page(world.agent, "/shops/"))
    assert "sow.example" in text
    assert "Dostępność w lutym" in page(world.manager, "/availability/2026-02/")
    page(world.agent, "/availability/2026-02/", status=404)


def test_who_is_not_signed_in_is_sent_to_the_login(world: World, home: Monitor) -> None:
    answer = Browser().get(f"/monitors/{home.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next=/monitors/{home.pk}/")


# One monitor


def test_staff_read_the_checks_with_phases_and_evidence(world: World, home: Monitor) -> None:
    seen = result(home, NOW, BROKEN, excerpt="<b>SQLSTATE[HY000]</b>")
    watch.record(home, seen, at=NOW)
    text = page(world.agent, f"/monitors/{home.pk}/")
    assert "Strona główna: działa" in text
    assert "dziś 12:00:00 nie działa Na stronie jest komunikat „SQLSTATE[”. Dowód <b>SQLSTATE[HY000]</b>" in text
    assert "</b> 200 2 11 0 120 140 pl" in text


def test_a_fault_of_ours_and_a_certificate_that_ends_are_said(world: World, home: Monitor) -> None:
    Monitor.objects.filter(pk=home.pk).update(fault="RuntimeError: x", certificate_ends_at=NOW + timedelta(days=6))
    text = page(world.agent, f"/monitors/{home.pk}/")
    assert "to błąd po naszej stronie. RuntimeError: x" in text
    assert "Certyfikat hosta mak.example wygasa pon. 30 mar, 13:00." in text
    Monitor.objects.filter(pk=home.pk).update(certificate_host="www.mak.example", certificate_intermediate="R3")
    text = page(world.agent, f"/monitors/{home.pk}/")
    assert "Certyfikat pośredni „R3”, który wysyła www.mak.example, wygasa pon. 30 mar, 13:00." in text


def test_a_check_may_be_asked_for_and_watching_stopped_and_started(world: World, home: Monitor) -> None:
    browser = Browser()
    browser.force_login(world.agent)
    with time_machine.travel(NOW, tick=False):
        browser.post(f"/monitors/{home.pk}/check/")
        assert Monitor.objects.get().next_check_at == NOW
        browser.post(f"/monitors/{home.pk}/watch/", {"watch": "stop"})
        assert Monitor.objects.get().state == "paused"
        browser.post(f"/monitors/{home.pk}/watch/", {"watch": "start"})
    assert Monitor.objects.get().is_active


def test_a_client_can_ask_for_nothing_and_stop_nothing(world: World, home: Monitor) -> None:
    browser = Browser()
    browser.force_login(world.owner)
    for path in ("check", "watch"):
        assert browser.post(f"/monitors/{home.pk}/{path}/", {"watch": "stop"}).status_code == 404
    row = Monitor.objects.get()
    assert (row.is_active, row.next_check_at) == (True, home.next_check_at)


def test_what_was_seen_before_the_list_is_vouched_for_and_both_sides_read_so(world: World, home: Monitor) -> None:
    path = f"/shops/{world.shop.slug}/availability/2026-02/"
    sentence = "To, co widziano do środy 18 lut, 10:00, jest poświadczone w stanie zastanym."
    assert "poświadczone" not in page(world.reporter, path)
    old = monitor(world.shop, "Koszyk")
    acts.write(old, ActKind.VOUCHED, [old], at=build.at("2026-02-18 10:00"))
    assert sentence in page(world.reporter, path)
    assert "poświadczone" not in page(world.reporter, f"/shops/{world.shop.slug}/availability/2026-03/")
    seen = page(world.manager, f"/monitors/{old.pk}/")
    act = old.acts.latest("seq")
    assert sentence in seen
    assert f"poświadczony stan zastany Wiersz 2, skrót {act.hash[:32]}" in seen


# The same number of queries


def queries(who: User, path: str) -> int:
    browser = Browser()
    browser.force_login(who)
    with time_machine.travel(NOW, tick=False):
        browser.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(path).status_code == 200
    return len(seen)


def grow(world: World, home: Monitor) -> None:
    """Five outages, five monitors, three shops and three months of checks more."""
    for day in range(1, 6):
        break_down(home, f"2026-02-{day:02d} 10:00", f"2026-02-{day:02d} 10:30")
    for number in range(5):
        say(monitor(world.shop, f"Strona {number}"), START, UP)
    for number in range(3):
        shop = build.shop(world.client, f"mak{number}.example")
        say(monitor(shop), START, UP)
        world.version.contract.shops.add(shop)


def test_each_page_needs_the_same_number_of_queries_however_much_was_seen(world: World) -> None:
    home = monitor(world.shop)
    say(home, START, UP)
    break_down(home, "2026-01-31 10:00", "2026-01-31 10:30")
    clients = "/shops/mak-example/", "/shops/mak-example/availability/2026-02/", "/shops/"
    pages = [*((world.reporter, path) for path in clients), (world.agent, f"/monitors/{home.pk}/")]
    before = [queries(*page) for page in pages]
    grow(world, home)
    assert [queries(*page) for page in pages] == before


def test_a_contract_of_two_shops_judges_each_by_its_own_outages(world: World, home: Monitor) -> None:
    second = build.shop(world.client, "drugi.example")
    world.version.contract.shops.add(second)
    say(monitor(second), START, UP)
    see_all_through()
    shops = list(Shop.objects.order_by("pk"))
    seen = figures.histories(shops, since=build.at("2026-02-01 00:00"), now=NOW)
    months = [shop_page.month_figure(seen[shop.pk], date(2026, 3, 1)) for shop in shops]
    assert [(month.text.replace("\u00a0", " "), month.is_below) for month in months] == [
        ("99,73 %", True), ("100 %", False),
    ]  # fmt: skip
    assert (Outage.objects.count(), Incident.objects.count()) == (1, 1)


def test_reports_that_no_monitor_saw_stand_beneath_the_figure(home: Monitor, world: World) -> None:
    """Those of P1 and P2 in the month, on the shop's page and in the figure's account; a withdrawn one is none."""
    whats = ("some_payments", "typo", "orders_lost")
    unseen, small, withdrawn = [
        build.incident(world.shop, by=world.reporter, what=what, at=build.at("2026-03-24 11:40")) for what in whats
    ]
    lifecycle.cancel(incident=withdrawn, by=world.reporter, at=build.at("2026-03-24 11:45"), text="Pomyłka.")
    for path in ("/shops/mak-example/", "/shops/mak-example/availability/2026-03/"):
        said = page(world.owner, path)
        after = said[said.index("Zgłoszone, niepotwierdzone pomiarem dziś 11:40") :]
        assert unseen.nr in after
        assert small.nr not in said
        assert withdrawn.nr not in said
    assert "niepotwierdzone" not in page(world.owner, "/shops/mak-example/availability/2026-02/")


def test_a_client_s_name_leads_those_to_its_page_who_may_open_it(home: Monitor, world: World) -> None:
    link, contract = '<a href="/settings/clients/MAK/">', f"/contracts/{world.version.contract.address}/"
    for path in ("/shops/mak-example/", "/availability/", contract):
        assert link in visitor(world.manager).get(path).content.decode()
    assert '<a href="/shops/mak-example/">' in visitor(world.manager).get("/settings/clients/MAK/").content.decode()
    assert link not in visitor(world.agent).get("/shops/").content.decode()
