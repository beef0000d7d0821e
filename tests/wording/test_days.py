"""A day is that of the wall clock: at half past midnight in Warsaw it is tomorrow already, whatever UTC says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from accounts.models import User
from contracts.models import Contract
from tests import build
from tests.pages import stop_clock, text_of, visitor
from wording.words import local_day

HALF_PAST = build.at("2026-04-01 00:30")
"""22:30 of 31 March in UTC, 23:30 in Lisbon."""


def test_a_day_is_the_zone_s_and_without_one_the_portal_s() -> None:
    assert (HALF_PAST.astimezone(UTC).date(), local_day(HALF_PAST)) == (date(2026, 3, 31), date(2026, 4, 1))
    assert local_day(HALF_PAST, "Europe/Lisbon") == date(2026, 3, 31)
    assert local_day(datetime(2026, 4, 1, 3, tzinfo=UTC), "America/New_York") == date(2026, 3, 31)


@pytest.mark.django_db
def test_a_right_ends_with_its_last_day_in_warsaw(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    person = build.contact(world.client, "Iga Mak", valid_until=date(2026, 3, 31))
    for text, rights in (("2026-03-31 23:59", {world.client.pk: "reporter"}), ("2026-04-01 00:01", {})):
        stop_clock(monkeypatch, build.at(text))
        assert User.objects.get(pk=person.pk).memberships_now == rights


@pytest.mark.django_db
def test_the_month_of_the_shops_table_begins_at_midnight_in_warsaw(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, HALF_PAST)
    world = build.world()
    assert visitor(world.manager).get("/availability/").context["first"] == date(2026, 4, 1)


@pytest.mark.django_db
def test_a_client_s_first_page_speaks_in_the_zone_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, HALF_PAST)
    world = build.world()
    Contract.objects.update(zone="Europe/Lisbon")
    assert "Czas: Europe/Lisbon (WEST)." in text_of(visitor(world.owner).get("/"))
    build.contract(world.client, [world.shop], by=world.manager, number="SLA/2")
    assert "Czas: Europe/Warsaw (CEST)." in text_of(visitor(world.owner).get("/"))
