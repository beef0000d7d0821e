"""Every page in both languages: no word of the other one shows through, and no template asks for what isn't there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pytest
from django.template import VariableDoesNotExist

from tests.languages import shows_through
from tests.sla_portal.story import Visit, browse, story, visits

__all__ = ["story"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("story")]
ROOMS = ("accounts", "contracts", "incidents", "monitoring", "reports", "messaging", "wording", "sla_portal")
# Fields that some people's form has and others' not
OPTIONAL = {"AccountForm.shortcuts", "ChangeForm.role", "ReportForm.shop", "VersionForm.number"}
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
        assert "%(" not in page, f"{visit} shows a place where a word should stand"
        if words := set(shows_through(page, language)) - OWN_NAMES:
            found[str(visit)] = sorted(words)
    return found


class Missing(logging.Handler):
    """What templates asked of objects of ours that don't have it: Django shows nothing there, and says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, VariableDoesNotExist) and len(error.params) == 2:
            name, owner = error.params
            if type(owner).__module__.partition(".")[0] in ROOMS:
                self.names.add(f"{type(owner).__name__}.{name}")


@pytest.fixture
def missing() -> Iterator[Missing]:
    logger, handler = logging.getLogger("django.template"), Missing()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logger, "handlers", [handler])
        patch.setattr(logger, "propagate", False)
        level = logger.level
        logger.setLevel(logging.DEBUG)
        yield handler
        logger.setLevel(level)


BY_TURNS = [("pl", 0), ("en", 1)]
THE_OTHER = [pytest.param(*row, marks=pytest.mark.full) for row in (("pl", 1), ("en", 0))]


@pytest.mark.parametrize(("language", "turn"), [*BY_TURNS, *THE_OTHER])
def test_no_page_shows_words_of_the_other_language(language: str, turn: int, missing: Missing) -> None:
    """By day each page in one language, Polish and English by turns; the full run takes the other one as well."""
    assert shown(visits()[turn::2], language) == {}
    assert missing.names <= OPTIONAL
