"""Forms answer in the page's language: our sentences and not the browser's, in one summary that names the fields."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.template.loader import render_to_string
from django.utils import translation

from sla_portal.environment import BASE_DIR
from tests import build
from tests.pages import text_of, visitor
from wording.words import plain

FORM = re.compile(r"<form\b(?P<head>(?:\{%.*?%\}|[^>])*)>(?P<body>.*?)</form>", re.DOTALL)
TYPED = re.compile(r"_field\.html|<textarea|<select|\{% control|\{% include|<input(?![^>]*type=\"hidden\")")


class Letter(forms.Form):
    email = forms.EmailField(label="E-mail")
    since = forms.CharField(label="Od kiedy, na przykład 8:10")
    what = forms.ChoiceField(label="Co się dzieje?", error_messages={"required": "Wybierz, co się dzieje"})
    fee = forms.CharField(label="Opłata", error_messages={"required": "Uzupełnij: opłata."})


def test_no_browser_answers_for_us() -> None:
    """A form in which something is typed or picked is checked by the server alone."""
    pages = {path: path.read_text(encoding="utf-8") for path in (BASE_DIR / "templates").rglob("*.html")}
    found = [(path, form) for path, page in pages.items() for form in FORM.finditer(page)]
    assert len(found) > 50
    speaking = [path.name for path, form in found if TYPED.search(form["body"]) and "novalidate" not in form["head"]]
    assert speaking == []


def test_the_summary_takes_the_focus_and_names_each_field_once() -> None:
    with translation.override("pl"):
        page = render_to_string("_errors.html", {"form": Letter({})})
    assert 'tabindex="-1" autofocus>' in page
    assert re.findall(r'<a href="#id_(\w+)">(.*?)</a>', plain(page)) == [
        ("email", "E-mail: To pole jest wymagane."),
        ("since", "Od kiedy: To pole jest wymagane."),
        ("what", "Wybierz, co się dzieje"),
        ("fee", "Uzupełnij: opłata."),
    ]


@pytest.mark.django_db
def test_an_error_page_keeps_the_way_on_and_the_duty_phone() -> None:
    world = build.world()
    page = visitor(world.reporter).get("/incidents/MAK-0999/")
    assert page.status_code == 404
    assert '<nav aria-label="Główna">' in page.content.decode()
    assert "Zgłoszenia" in text_of(page)
    assert "Pilne? Dyżur 22 100 20 30" in text_of(page)
