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


@pytest.mark.parametrize("language", ["pl", "en"])
def test_no_page_shows_words_of_the_other_language(language: str) -> None:
    assert shown(visits(), language) == {}
