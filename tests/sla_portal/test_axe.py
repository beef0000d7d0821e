"""Every page in a real browser: no barrier that axe knows, and nothing wider than the screen.

One look at each kind of page of each side, as the role that sees most of it, light and dark, phone and desk, Polish and
English by turns. `axe_matrix` takes every page, role and look.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, Page, Route

from tests.sla_portal.story import Visit, browse, story, visits
from tests.sla_portal.test_travel import BUILT, WHOLE, classes_of

__all__ = ["story"]
pytestmark = [pytest.mark.django_db, pytest.mark.browser]
AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
HOME = "http://portal.test"
SIZES = {360: 740, 1440: 900}
LOOKS = list(itertools.product((360, 1440), ("light", "dark"), ("pl", "en")))
# The last of a side sees most of its pages
SIDES = (("anonymous",), ("reporter", "owner"), ("agent", "admin", "manager"))
KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Look:
    """A page as somebody sees it; `opened` with every fold open."""

    visit: Visit
    width: int
    theme: str
    language: str
    opened: bool = False
    form: tuple[tuple[str, str], ...] | None = None

    def __str__(self) -> str:
        sent = " sent empty" if self.form is not None else ""
        return f"{self.visit}{sent}, {self.width}, {self.theme}, {self.language}{', opened' * self.opened}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A look with what the product answered."""

    look: Look
    body: bytes
    headers: dict[str, str]


def shown(look: Look) -> Shown:
    client = browse(look.visit.who, language=look.language, theme=look.theme)
    path, form = look.visit.path, look.form
    answer = client.get(path, follow=True) if form is None else client.post(path, dict(form))
    return Shown(look, answer.content, {name: value for name, value in answer.items() if name != "Set-Cookie"})


REFUSED = (
    Look(Visit("anonymous", "/login/"), 360, "light", "pl", form=(("username", "nikt@mak.pl"), ("password", "x"))),
    Look(Visit("reporter", "/report/"), 360, "dark", "en", form=()),
    Look(Visit("owner", "/account/"), 1440, "light", "pl", form=()),
    Look(Visit("agent", "/incidents/new/?shop=mak"), 360, "light", "pl", form=()),
    Look(Visit("manager", "/contracts/new/?client=MAK"), 1440, "dark", "en", form=()),
)


@pytest.fixture(scope="module")
def looks(story: None) -> list[Shown]:
    """Answered before the browser starts: beside its event loop Django would take another connection."""
    return [shown(look) for look in (*by_turns(), *REFUSED)]


@pytest.fixture(scope="module")
def page(looks: list[Shown], request: pytest.FixtureRequest) -> Iterator[Page]:
    browser: Browser = request.getfixturevalue("browser")
    context = browser.new_context()
    yield context.new_page()
    context.close()


def by_turns() -> list[Look]:
    """Each kind of page for each side, with the eight looks by turns and every third with its folds open.

    What a stranger sees is seen once: signed in, those pages are the same.
    """
    found: list[Look] = []
    public = {visit.path for visit in visits() if visit.who == "anonymous"}
    for side in SIDES:
        own = [visit for visit in visits() if side == ("anonymous",) or visit.path not in public or visit.path == "/"]
        pages = {visit.path: visit for role in side for visit in own if visit.who == role}
        turns = enumerate(zip(sample(pages), itertools.cycle(LOOKS), strict=False))
        found += [Look(visit, *look, opened=number % 3 == 0) for number, (visit, look) in turns]
    return found


def sample(pages: dict[str, Visit]) -> list[Visit]:
    """Every kind of page; of an incident's or a breach's many states and open forms every fifth."""
    several = [visit for path, visit in pages.items() if re.match(r"/(incidents/[A-Z]|breaches/\d)", path)]
    return [visit for visit in pages.values() if visit not in several or several.index(visit) % 5 == 0]


def show(page: Page, shown: Shown) -> None:
    """The answer of the product, with its headers, and its own style and scripts; nothing else is on this network."""

    def fulfil(route: Route) -> None:
        path = route.request.url.removeprefix(HOME)
        if route.request.is_navigation_request():
            route.fulfill(status=200, body=shown.body, headers=shown.headers)
        elif path.startswith("/static/") and (found := static(path)):
            route.fulfill(body=found.read_bytes(), content_type=KINDS.get(found.suffix[1:], "text/plain"))
        else:
            route.fulfill(status=204)

    look = shown.look
    page.unroute_all()
    page.route("**/*", fulfil)
    resize(page, look.width)
    page.goto(f"{HOME}{look.visit.path}")
    page.evaluate(AXE)
    if look.opened:
        unfold(page)


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": SIZES[width]})


def unfold(page: Page) -> bool:
    """Opens every fold; whether one was closed."""
    opened: bool = page.evaluate(
        """() => {
            const folds = document.querySelectorAll("details:not([open])");
            folds.forEach(fold => { fold.open = true; });
            return folds.length > 0;
        }"""
    )
    return opened


def static(path: str) -> Path | None:
    """A file of ours, whether or not its name carries a hash."""
    name = path.removeprefix("/static/").partition("?")[0]
    found = finders.find(name) or finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", name))
    return Path(found) if isinstance(found, str) else None


def barriers(page: Page) -> list[str]:
    """What axe objects to in the page that stands open, and what is wider than the screen."""
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    said = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]
    wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*said, "wider than the screen"] if wider else said


def walk(page: Page, looks: Iterable[Shown]) -> dict[str, list[str]]:
    found = {}
    for look in looks:
        show(page, look)
        found[str(look.look)] = barriers(page)
    return {look: texts for look, texts in found.items() if texts}


def test_no_page_and_no_refused_form_has_a_barrier(page: Page, looks: list[Shown]) -> None:
    found = walk(page, looks)
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


def test_every_class_that_a_page_shows_keeps_its_rules(looks: list[Shown]) -> None:
    """Those too that a template or a function puts together, so that no tool finds them in a file."""
    values = [value.decode() for look in looks for value in re.findall(rb'class="([^"]*)"', look.body)]
    names = {name for value in values for name in value.split()}
    assert sorted((names & classes_of(WHOLE)) - classes_of(BUILT)) == []


def test_a_phone_loads_the_report_in_120_kilobytes_and_the_next_page_in_8(looks: list[Shown]) -> None:
    body = next(look.body for look in looks if look.look.visit.path == "/report/" and look.look.form is None)
    page = len(gzip.compress(body))
    names = re.findall(rb'(?:src|href)="(/static/[^"]+)"', body)
    files = [path.read_bytes() for name in names if (path := static(name.decode()))]
    assert len(files) == len(names)
    assert page <= 8_000
    assert page + sum(len(gzip.compress(file)) for file in files) <= 120_000


def test_a_barrier_is_seen(page: Page) -> None:
    """The walk is not blind: a page with a grey word, a bare field and a wide box fails by name."""
    body = (
        '<!doctype html><html lang="pl"><title>x</title><main><h1 style="color:#bbb;background:#fff">Mało</h1>'
        '<input name="x"><div style="width:2000px">.</div></main>'
    )
    bad = Shown(Look(Visit("anonymous", "/"), 360, "light", "pl"), body.encode(), {"Content-Type": "text/html"})
    show(page, bad)
    found = [text.partition(":")[0] for text in barriers(page)]
    assert found == ["color-contrast", "label", "wider than the screen"]
