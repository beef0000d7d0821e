"""Which entries each role's menu has, and which one is marked."""

from __future__ import annotations

import pytest
from django.urls import resolve

from accounts import navigation
from accounts.models import ADMIN, AGENT, MANAGER, OWNER, REPORTER


def paths(role: str) -> list[object]:
    return [entry["path"] for entry in navigation.menu(role, "/")]


def marked(role: str, path: str) -> list[tuple[object, object]]:
    return [(entry["path"], entry["current"]) for entry in navigation.menu(role, path) if entry["current"]]


def test_a_reporter_s_menu_has_no_money() -> None:
    assert paths(REPORTER) == ["/", "/incidents/", "/shops/"]


def test_an_owner_s_menu_adds_the_contract() -> None:
    assert paths(OWNER) == ["/", "/incidents/", "/shops/", "/contracts/"]


def test_an_agent_s_menu_has_no_money() -> None:
    assert {"/breaches/", "/contracts/"} & set(paths(AGENT)) == set()


def test_a_manager_starts_with_breaches_and_an_administrator_with_health() -> None:
    assert paths(MANAGER)[:2] == ["/breaches/", "/queue/"]
    assert paths(ADMIN)[0] == "/settings/health/"


def test_a_person_without_a_role_has_no_menu() -> None:
    assert navigation.menu("", "/") == []


def test_the_page_itself_and_the_pages_below_it_are_marked_differently() -> None:
    assert marked(REPORTER, "/") == [("/", "page")]
    assert marked(REPORTER, "/incidents/") == [("/incidents/", "page")]
    assert marked(REPORTER, "/incidents/MAK-0142/") == [("/incidents/", "true")]
    assert marked(REPORTER, "/account/") == []


@pytest.mark.parametrize("role", navigation.MENUS)
def test_a_page_stands_at_the_address_of_every_entry(role: str) -> None:
    assert [resolve(str(path)).url_name for path in paths(role)] == [entry.page for entry in navigation.MENUS[role]]
