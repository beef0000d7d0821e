"""The vocabulary of the journal is one table: every kind has its row, its words, and the database knows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils.translation import gettext, override

from incidents.events import EVENTS, RECEIPT, Kind, Words
from sla_portal.environment import BASE_DIR

ROOMS = ("wording", "messaging", "accounts", "contracts", "incidents", "monitoring", "reports", "sla_portal")
VALUES = {kind.value for kind in Kind}
LETTERS = {
    Kind.RECEIVED, Kind.ALARM, Kind.JOINED, Kind.DETAILS, Kind.CONTACT, Kind.CLIENT_MESSAGE, Kind.ESCALATION_ASKED,
    Kind.ASSIGNED, Kind.UNASSIGNED, Kind.PAUSED, Kind.WORK_STARTED, Kind.WORKAROUND, Kind.RESOLVED, Kind.REJECTED,
    Kind.ACCEPTED, Kind.VERDICT_ASKED, Kind.SEVERITY, Kind.CANCELLED, Kind.MONITOR_FAILED, Kind.MONITOR_RECOVERED,
    Kind.RECOVERY_ASKED, Kind.RECOVERY_DENIED, Kind.UPDATE_MISSED,
}  # fmt: skip
"""What somebody is written to about: of these a letter has a subject."""


def texts(words: Words) -> list[str]:
    return [text for text in (words.line, words.note, words.client_note, words.subject, words.asks) if text]


@pytest.mark.django_db
def test_every_kind_has_one_row_and_the_database_knows_the_same_ones() -> None:
    assert set(EVENTS) == set(Kind)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'journal_knows_its_kinds'")
        (rule,) = cursor.fetchone()
    assert set(re.findall(r"'(\w+)'", rule)) == VALUES


@pytest.mark.parametrize("kind", Kind)
def test_staff_and_the_client_read_every_kind_in_both_languages(kind: Kind) -> None:
    event = EVENTS[kind]
    assert bool(event.words.note) == event.speech
    assert bool(event.words.line) != event.speech
    assert bool(event.words.subject) == (kind in LETTERS)
    for text in (*texts(event.words), *texts(event.other)):
        with override("pl"):
            assert gettext(text) != text, text
        with override("en"):
            assert gettext(text) == text


def test_the_receipt_has_a_subject_in_both_languages() -> None:
    with override("pl"):
        assert gettext(RECEIPT) != RECEIPT


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for path in sorted((BASE_DIR / room).rglob("*.py")):
            if "migrations" not in path.parts and path.name != "events.py":
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def literals(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in VALUES:
            yield part.value


def bare_kinds(tree: ast.Module) -> Iterator[str]:
    """Kinds that stand as text where a line is written, compared or looked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in {"append", "write"} and len(node.args) > 1:
                yield from literals(node.args[1])
            yield from (text for word in node.keywords if word.arg in {"kind", "kind__in"} for text in literals(word))
        elif isinstance(node, ast.Compare) and any(
            isinstance(side, ast.Attribute) and side.attr == "kind" for side in (node.left, *node.comparators)
        ):
            yield from (text for side in (node.left, *node.comparators) for text in literals(side))


def test_no_code_names_a_kind_by_bare_text() -> None:
    assert {
        str(path.relative_to(BASE_DIR)): found for path, tree in sources() if (found := list(bare_kinds(tree)))
    } == {}
    shown = 'journal.append(row, "contact", by=None)\nif entry.kind in {"paused"} or "resumed" == entry.kind: pass\n'
    assert sorted(bare_kinds(ast.parse(shown))) == ["contact", "paused", "resumed"]
