"""Every page of every role in all eight looks, folds closed and open: what `test_axe` sees by turns, whole.

Two or three roles a file: the test run hands out whole files, and one with all of them kept a core busy for 28 minutes
while the other stood still for twelve.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from tests.sla_portal.story import story, visits
from tests.sla_portal.test_axe import SIZES, Look, Shown, barriers, resize, show, shown, unfold

__all__ = ["matrix", "page", "story"]
MARKS = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.full]
SERVED = list(itertools.product(("light", "dark"), ("pl", "en")))
"""What the product is asked for. Width and folds are the browser's own: each answer is loaded once for all of them."""


@pytest.fixture(scope="module")
def matrix(story: None, request: pytest.FixtureRequest) -> dict[str, list[Shown]]:
    """The answers by the file's `ROLES`, all fetched before the browser starts."""
    roles: Sequence[str] = request.module.ROLES
    seen = [visit for visit in visits() if visit.who in roles]
    return {
        role: [shown(Look(one, 360, *look)) for one in seen if one.who == role for look in SERVED] for role in roles
    }


@pytest.fixture(scope="module")
def page(matrix: dict[str, list[Shown]], request: pytest.FixtureRequest) -> Iterator[Page]:
    browser: Browser = request.getfixturevalue("browser")
    context = browser.new_context()
    yield context.new_page()
    context.close()


def assert_no_barrier(page: Page, answers: list[Shown]) -> None:
    assert answers, "The role has no page"
    found = {look: texts for answer in answers for look, texts in every_look(page, answer) if texts}
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


def every_look(page: Page, answer: Shown) -> Iterator[tuple[str, list[str]]]:
    """Each width with the folds as they come, then with all of them open where one was closed."""
    show(page, answer)
    for opened in (False, True):
        if opened and not unfold(page):
            return
        for width in SIZES:
            resize(page, width)
            yield str(replace(answer.look, width=width, opened=opened)), barriers(page)
