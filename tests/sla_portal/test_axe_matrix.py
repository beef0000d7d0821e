"""Every page of every role in all eight looks, folds closed and open: what `test_axe` sees by turns, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.sla_portal.story import ROLES, story, visits
from tests.sla_portal.test_axe import LOOKS, Look, Shown, shown, walk

__all__ = ["story"]
pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.full]


@pytest.fixture(scope="module")
def matrix(story: None) -> list[Shown]:
    looks = [Look(visit, *look, opened=opened) for visit in visits() for look in LOOKS for opened in (False, True)]
    return [shown(look) for look in looks]


@pytest.fixture(scope="module")
def page(matrix: list[Shown], request: pytest.FixtureRequest) -> Iterator[Page]:
    browser: Browser = request.getfixturevalue("browser")
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("role", ROLES)
def test_no_page_has_a_barrier_in_any_look(page: Page, matrix: list[Shown], role: str) -> None:
    found = walk(page, [one for one in matrix if one.look.visit.who == role])
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)
