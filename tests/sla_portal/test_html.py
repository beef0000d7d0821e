"""Every page is valid HTML, by npm's html-validate."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.sla_portal.story import browse, story, visits

__all__ = ["story"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("story"), pytest.mark.full]

RULES = {
    "heading-level": ["error", {"minInitialRank": "h2"}],  # the list beside a breach stands before its h1
    "form-dup-name": ["error", {"shared": ["radio", "checkbox", "submit"]}],
    "no-implicit-button-type": "off",  # "submit" is what we mean
    "no-redundant-for": "off",  # label and control bear each other's name, also where one holds the other
    "no-redundant-role": "off",  # tables that a phone shows as cards would lose their roles
    "require-sri": "off",  # all is of our own host
    "wcag/h32": "off",  # a search of one field is sent by Enter
}
CONFIG = {"root": True, "extends": ["html-validate:standard", "html-validate:a11y"], "rules": RULES}


def complaints(folder: Path) -> list[str]:
    (folder / ".htmlvalidate.json").write_text(json.dumps(CONFIG))
    program = settings.BASE_DIR / "node_modules" / ".bin" / "html-validate"
    done = subprocess.run([program, "--formatter", "json", "*.html"], cwd=folder, capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stderr
    return [
        f"{Path(page['filePath']).stem}:{message['line']}: {message['ruleId']}: {message['message']}"
        for page in json.loads(done.stdout)
        for message in page["messages"]
    ]


def test_what_is_no_html_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<!DOCTYPE html><p id="a">a</p><p id="a"><span><form></form></span></p>')
    rules = {complaint.split(": ")[1] for complaint in complaints(tmp_path)}
    assert rules >= {"no-dup-id", "element-permitted-content"}


def test_no_page_of_anybody_has_a_complaint(tmp_path: Path) -> None:
    browsers: dict[str, Client] = {}
    for number, visit in enumerate(visits()):
        browser = browsers.setdefault(visit.who, browse(visit.who, language="pl"))
        response = browser.get(visit.path, follow=True)
        if response["Content-Type"].startswith("text/html"):
            name = re.sub(r"\W+", "-", f"{number} {visit}")
            (tmp_path / f"{name[:120]}.html").write_bytes(response.content)
    assert len(list(tmp_path.glob("*.html"))) > 150
    assert complaints(tmp_path) == []
