"""Every page in both languages: no word of the other one shows through."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.languages import shows_through
from tests.sla_portal.story import Visit, browse, story, visits

__all__ = ["story"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("story")]
# A language is called by its own name
OWN_NAMES = {"English", "Polski"}


def shown(seen: Iterable[Visit], language: str) -> dict[str, list[str]]:
    """Each page with the words of the other language on it."""
    found = {}
    browsers = {who: browse(who, language=language) for who in {visit.who for visit in seen}}
    for visit in seen:
        response = browsers[visit.who].get(visit.path, follow=True)
        page = response.content.decode()
        assert f'<html lang="{language}"' in page, f"{visit} is in another language"
        if words := set(shows_through(page, language)) - OWN_NAMES:
            found[str(visit)] = sorted(words)
    return found


BY_TURNS = [("pl", 0), ("en", 1)]
THE_OTHER = [pytest.param(*row, marks=pytest.mark.full) for row in (("pl", 1), ("en", 0))]


@pytest.mark.parametrize(("language", "turn"), [*BY_TURNS, *THE_OTHER])
def test_no_page_shows_words_of_the_other_language(language: str, turn: int) -> None:
    """By day each page in one language, Polish and English by turns; the full run takes the other one as well."""
    assert shown(visits()[turn::2], language) == {}
