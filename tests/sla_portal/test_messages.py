"""The catalogues: what is extracted, what counts as a fault, and that ours have none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from sla_portal import messages
from wording.words import NBSP

PAGE = """{% load i18n %}{% trans "In a shop" %}
{% blocktrans trimmed count n=days %}{{ n }} day{% plural %}{{ n }} days{% endblocktrans %}"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "incidents").mkdir()
    (tmp_path / "templates" / "incidents").mkdir(parents=True)
    (tmp_path / "incidents" / "words.py").write_text('from x import gettext_lazy as _\nSAID = _("Fixed at %(hour)s")\n')
    (tmp_path / "templates" / "incidents" / "page.html").write_text(PAGE)
    messages.update("incidents", root=tmp_path)
    return tmp_path


def translate(root: Path, table: dict[str, str | tuple[str, ...]]) -> None:
    catalog = messages.read("incidents", root)
    for message in catalog:
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key in table:
            message.string = table[key]
    messages.po_path("incidents", root).write_text(messages.as_po(catalog))


WHOLE: dict[str, str | tuple[str, ...]] = {
    "In a shop": "W sklepie i w domu",
    "Fixed at %(hour)s": "Naprawione o %(hour)s",
    "%(n)s day": ("%(n)s dzień", "%(n)s dni", "%(n)s dni"),
}


def test_strings_of_code_and_of_templates_are_found_with_their_plurals(tree: Path) -> None:
    found = {message.id for message in messages.extract("incidents", tree) if message.id}
    assert found == {"In a shop", "Fixed at %(hour)s", ("%(n)s day", "%(n)s days")}


def test_a_whole_catalogue_has_no_fault(tree: Path) -> None:
    translate(tree, dict(WHOLE))
    assert list(messages.faults("incidents", tree)) == []


def test_each_missing_translation_is_named_with_its_file(tree: Path) -> None:
    assert "incidents: not translated: 'In a shop' templates/incidents/page.html" in messages.faults("incidents", tree)


def test_a_plural_with_an_empty_form_is_missing(tree: Path) -> None:
    translate(tree, {**WHOLE, "%(n)s day": ("%(n)s dzień", "", "%(n)s dni")})
    assert [fault[:26] for fault in messages.faults("incidents", tree)] == ["incidents: not translated:"]


def test_a_lost_field_is_a_fault(tree: Path) -> None:
    translate(tree, {**WHOLE, "Fixed at %(hour)s": "Naprawione"})
    assert list(messages.faults("incidents", tree)) == [
        "incidents: fields differ from the source: 'Fixed at %(hour)s' incidents/words.py"
    ]


def test_what_nothing_uses_any_more_is_a_fault_until_dropped(tree: Path) -> None:
    translate(tree, dict(WHOLE))
    (tree / "incidents" / "words.py").write_text("")
    messages.update("incidents", root=tree)
    assert "incidents: translated but unused: 'Fixed at %(hour)s'" in messages.faults("incidents", tree)
    messages.update("incidents", drop_unused=True, root=tree)
    assert list(messages.faults("incidents", tree)) == []


def test_a_catalogue_older_than_the_code_is_a_fault(tree: Path) -> None:
    translate(tree, dict(WHOLE))
    (tree / "incidents" / "more.py").write_text('_("New words")')
    assert "incidents: the catalogue is older than the code: run python -m sla_portal.messages incidents" in list(
        messages.faults("incidents", tree)
    )


def test_updating_an_unchanged_room_writes_nothing(tree: Path) -> None:
    assert messages.update("incidents", root=tree) is False


def test_compiling_puts_no_break_spaces_in_and_only_once(tree: Path) -> None:
    translate(tree, dict(WHOLE))
    assert messages.compile_room("incidents", tree) is True
    assert messages.compile_room("incidents", tree) is False
    binary = messages.po_path("incidents", tree).with_suffix(".mo").read_bytes()
    assert f"W{NBSP}sklepie i{NBSP}w{NBSP}domu".encode() in binary


def test_two_rooms_may_not_translate_one_string_differently(tree: Path) -> None:
    translate(tree, dict(WHOLE))
    (tree / "reports").mkdir()
    (tree / "reports" / "words.py").write_text('_("In a shop")')
    messages.update("reports", root=tree)
    po = messages.po_path("reports", tree)
    po.write_text(
        po.read_text()
        .replace('msgstr ""\n', 'msgstr "Sklepik"\n')
        .replace('msgstr "Sklepik"\n"MIME', 'msgstr ""\n"MIME')
    )
    assert list(messages.contradictions(("incidents", "reports"), tree)) == [
        "reports: 'In a shop' is 'Sklepik' here and 'W sklepie i w domu' in incidents"
    ]


def test_an_unknown_room_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        messages.main(["kitchen"])
    assert "kitchen" in capsys.readouterr().err


@pytest.mark.parametrize("room", messages.ROOMS)
def test_every_word_of_the_product_is_translated(room: str) -> None:
    assert list(messages.faults(room)) == []


def test_no_two_rooms_of_the_product_contradict_each_other() -> None:
    assert list(messages.contradictions()) == []


def test_the_rooms_are_all_that_django_reads() -> None:
    with translation.override("pl"):
        assert translation.gettext("Queue") == "Kolejka"
        assert translation.ngettext("Correct %(n)s field", "Correct %(n)s fields", 5) == "Popraw %(n)s pól"


# One word for one thing; what stands behind it, and where else the word may be
FORBIDDEN = {
    r"os(?:oba|oby|obę|obą|obie) trzeci": "podmiot trzeci",
    r"opóźnieni": "spóźnienie: what a clock measures; opóźnienie is a term of liability",
    r"\bzwłok": "spóźnienie: zwłoka is a term of liability",
    r"incydent": "zgłoszenie",
    r"odnośnik": "link",
    r"\blist(?:ów|u|em)?\b": "wiadomość, e-mail",
    r"\bPaństw": "Ty",
}
LIABILITY = ("(opóźnienie)", "(zwłoka)")


@pytest.mark.parametrize("room", messages.ROOMS)
def test_one_thing_has_one_word(room: str) -> None:
    texts = [
        (str(message.id), text)
        for message in messages.read(room)
        if message.id
        for text in ([message.string] if isinstance(message.string, str) else message.string or ())
    ]
    wrong = [
        f"{text}: say {instead}"
        for source, text in texts
        for word, instead in FORBIDDEN.items()
        if re.search(word, text) and not any(mark in source for mark in LIABILITY)
    ]
    assert wrong == []
