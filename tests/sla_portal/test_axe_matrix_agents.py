"""What agents and the administrator see, in every look (`axe_matrix`)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.sla_portal.axe_matrix import MARKS, assert_no_barrier, matrix, page, story
from tests.sla_portal.test_axe import Shown

__all__ = ["matrix", "page", "story"]
pytestmark = MARKS
ROLES = ("agent", "admin")


@pytest.mark.parametrize("role", ROLES)
def test_no_page_has_a_barrier_in_any_look(page: Page, matrix: dict[str, list[Shown]], role: str) -> None:
    assert_no_barrier(page, matrix[role])
