"""Stylesheet and scripts: small, and nothing that a strict policy would block."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "sla_portal" / "static" / "sla_portal"
SCRIPTS = sorted(STATIC.glob("*.js"))
# Mails carry their style inside
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "mail" not in path.parts)


def markup(path: Path) -> str:
    """The template without its tags, whose arguments may look like attributes."""
    return re.sub(r"{%.*?%}", "", path.read_text())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_below_three_kilobytes_and_parses(script: Path) -> None:
    assert script.stat().st_size < 3000
    node = shutil.which("node") or ROOT / ".venv" / "bin" / "node"
    assert subprocess.run([node, "--check", script], capture_output=True, text=True).stderr == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_never_evaluates_text_nor_writes_markup(script: Path) -> None:
    assert re.findall(r"\beval\b|new Function|innerHTML|document\.write|\.style\b", script.read_text()) == []


def test_the_stylesheet_needs_nothing_from_elsewhere() -> None:
    assert re.findall(r"url\(|@import|@font-face", (STATIC / "theme.css").read_text()) == []


def test_no_template_has_inline_style_or_script() -> None:
    wrong = re.compile(r"\son[a-z]+=\"|\sstyle=\"|<style|<script(?![^>]*\ssrc=)|javascript:|hx-on")
    assert [path.name for path in TEMPLATES if wrong.search(markup(path))] == []


def test_every_live_fragment_has_an_address_that_works_without_a_script() -> None:
    tags = [tag for path in TEMPLATES for tag in re.findall(r"<(?:a|button)\s[^>]*hx-get[^>]*>", path.read_text())]
    assert [tag for tag in tags if "href=" not in tag and "formaction=" not in tag] == []
