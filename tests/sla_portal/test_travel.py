"""What travels to a browser: only the style that pages use, compressed, and asked for once a year by its name."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

from sla_portal.management.commands.prepare import UNUSED
from sla_portal.npm_files import FILES, NODE_MODULES
from tests import build
from tests.pages import stop_clock, visitor

ROOT = NODE_MODULES.parent
WHOLE = (NODE_MODULES / "@tabler/core/dist/css/tabler.min.css").read_text()
BUILT = (NODE_MODULES / FILES["npm/tabler.min.css"]).read_text()
THEME = (ROOT / "sla_portal/static/sla_portal/theme.css").read_text()
GZIP = {"Accept-Encoding": "gzip, deflate"}
NOON = build.at("2026-03-02 12:00")


def classes_of(css: str) -> set[str]:
    return set(re.findall(r"\.(-?[a-z_][\w-]*)", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL), re.IGNORECASE))


def named() -> Iterator[str]:
    """The words of every class attribute in a template, and of every quoted text of a script."""
    for path in (ROOT / "templates").rglob("*.html"):
        for value in re.findall(r'class="([^"]*)"', re.sub(r"{[{%].*?[%}]}", " ", path.read_text())):
            yield from value.split()
    for path in (ROOT / "sla_portal/static/sla_portal").glob("*.js"):
        for value in re.findall(r"""["'`]([^"'`]*)["'`]""", path.read_text()):
            yield from re.findall(r"[\w-]+", value)


def test_every_class_that_a_template_or_a_script_names_keeps_its_rules() -> None:
    """Red where the sheet is older than a template: `make env` makes it anew."""
    assert sorted((set(named()) & classes_of(WHOLE)) - classes_of(BUILT)) == []


def test_the_stylesheet_lost_no_variable_that_it_or_our_theme_reads() -> None:
    read = set(re.findall(r"var\((--tblr-[\w-]+)\)", BUILT + THEME))  # one with a fallback may be set nowhere
    made = {css: set(re.findall(r"(--tblr-[\w-]+)\s*:", css)) for css in (WHOLE, BUILT, THEME)}
    assert sorted((read & made[WHOLE]) - made[BUILT] - made[THEME]) == []


def test_the_stylesheet_is_a_tenth_of_the_whole() -> None:
    assert len(BUILT) < len(WHOLE) / 10


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = tmp_path, False
    backend = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}
    # Neither is Swagger's needed here, nor the other versions of htmx: they take two seconds
    others = [*UNUSED, "drf_spectacular_sidecar", "django_htmx"]
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=others)


@pytest.mark.parametrize("name", ["npm/tabler.min.css", "sla_portal/theme.css", "sla_portal/live.js"])
def test_a_static_file_is_asked_for_once_a_year_and_travels_compressed(collected: None, name: str) -> None:
    address = staticfiles_storage.url(name)
    assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", address)
    files = WhiteNoiseMiddleware(lambda request: HttpResponse("not found", status=404))
    answer: Any = files(RequestFactory().get(address, headers=GZIP))
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOON)
    return build.world()


def test_a_page_travels_compressed_to_who_can_read_that(world: build.World) -> None:
    page = visitor(world.reporter)
    plain, packed = page.get("/report/"), page.get("/report/", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    body = gzip.decompress(packed.content).decode()
    assert body.endswith("</html>\n")
    assert len(packed.content) < len(plain.content) / 2


def test_a_live_fragment_knows_its_mark_again_after_compression(world: build.World) -> None:
    """Compression weakens the ETag; 204 has no body to compress."""
    incident = build.incident(world.shop, by=world.reporter, what="no_orders", at=NOON)
    page = visitor(world.reporter)
    shown = page.get(f"/incidents/{incident.nr}/").content.decode()
    mark = re.search(r'name="mark"\s+id="mark"\s+value="([0-9a-f]{16})"', shown)
    assert mark
    headers = {**GZIP, "HX-Request": "true", "If-None-Match": f'W/"{mark[1]}"'}
    answer = page.get(f"/incidents/{incident.nr}/?part=live", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Encoding" not in answer.headers


def test_a_table_in_parts_arrives_whole_when_it_is_compressed(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, what="no_orders", at=NOON)
    page = visitor(world.reporter)
    plain = b"".join(page.get("/incidents/?format=csv").streaming_content)  # type: ignore[attr-defined]
    answer = page.get("/incidents/?format=csv", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(answer.streaming_content)) == plain  # type: ignore[attr-defined]
