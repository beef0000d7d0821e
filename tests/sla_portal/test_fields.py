"""No text comes in past the base: every form and serializer of the project is looked at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from django import forms
from rest_framework import serializers

from sla_portal.environment import BASE_DIR
from wording.fields import TypedText
from wording.serializer_fields import TypedText as SentText

ROOMS = ("wording", "messaging", "accounts", "contracts", "incidents", "monitoring", "reports", "sla_portal")
BASE = {"wording/fields.py", "wording/serializer_fields.py"}
# Text fields of Django and of REST framework; a class of theirs that is missing here fails below as well
TEXT_FIELDS = {
    name
    for module in (forms, serializers)
    for name, field in vars(module).items()
    if isinstance(field, type) and issubclass(field, (forms.CharField, serializers.CharField))
} - {"UUIDField"} | {"JSONField", "DictField", "ListField", "FileField", "ImageField", "FilePathField"}  # fmt: skip
# Where and why a text field is not built on the base
NOT_ON_THE_BASE = {
    ("incidents/api/requests.py", "TokenRequest"): "a password: never stored nor shown, the hasher takes it as it is",
}
# What views read of a request themselves: keys and codes that are looked up in closed lists, nothing of it is kept
READ_BY_VIEWS = {
    "next": "an address of ours", "language": "a code", "theme": "a code", "client": "a code or an id",
    "before": "an id", "back": "one word", "seen": "a number", "watch": "one word", "notice": "an id",
    "username": "shown again on the page of too many attempts", "sentence": "shown again, ReportForm takes it",
}  # fmt: skip


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((BASE_DIR / room).rglob("*.py")):
            name = str(path.relative_to(BASE_DIR))
            if "/migrations/" not in name:
                yield name, ast.parse(path.read_text(encoding="utf-8"))


@cache
def trees() -> dict[str, ast.Module]:
    """Not read when the file is collected: each worker collects them all."""
    return dict(modules())


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the class of the module that it stands in."""
    for node in tree.body:
        within = node.name if isinstance(node, ast.ClassDef) else ""
        yield from ((within, call) for call in ast.walk(node) if isinstance(call, ast.Call))


def named(node: ast.expr) -> str:
    """`forms.CharField` of a plain name with dots; "" for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@cache
def all_calls() -> list[tuple[str, str, str, ast.Call]]:
    return [(file, within, named(call.func), call) for file, tree in trees().items() for within, call in calls(tree)]


def import_all() -> None:
    """So that every form is known: the modules with a class that is made from one."""
    for name, tree in trees().items():
        bases = [base for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases]
        if any("Form" in ast.unparse(base) or "Serializer" in ast.unparse(base) for base in bases):
            import_module(str(Path(name).with_suffix("")).replace("/", "."))


def below(base: type) -> Iterator[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from below(kind)


def ours(base: type) -> list[type[Any]]:
    import_all()
    return sorted({kind for kind in below(base) if kind.__module__.partition(".")[0] in ROOMS}, key=str)


def is_text(field: object) -> bool:
    return isinstance(field, forms.CharField) and not isinstance(field, forms.UUIDField)


def is_password(field: forms.Field) -> bool:
    """Never stored nor shown; its limit is `LONGEST_PASSWORD` (`tests/wording/test_fields.py`)."""
    return isinstance(field.widget, forms.PasswordInput)


def test_every_text_field_of_a_form_is_built_on_the_base_and_has_a_length() -> None:
    forms_of_ours = ours(forms.BaseForm)
    assert len(forms_of_ours) > 30
    texts = [
        (f"{form.__module__}.{form.__name__}.{name}", field)
        for form in forms_of_ours
        for name, field in form.base_fields.items()
        if is_text(field) and not is_password(field) and form.__name__ != "SignInForm"  # it makes its own
    ]
    assert [name for name, field in texts if not isinstance(field, TypedText)] == []
    assert [name for name, field in texts if field.max_length is None] == []


def is_answer(kind: type) -> bool:
    """Written by us and never filled from a request (see below)."""
    return kind.__name__.endswith(("Answer", "Page"))


def test_every_text_field_that_the_api_takes_is_built_on_the_base_and_has_a_length() -> None:
    taken = [kind for kind in ours(serializers.Serializer) if not is_answer(kind)]
    assert len(taken) > 8
    fields = [(kind, name, field) for kind in taken for name, field in kind().fields.items()]
    texts = [
        (f"{kind.__name__}.{name}", field) for kind, name, field in fields if isinstance(field, serializers.CharField)
    ]
    assert [name for name, field in texts if not isinstance(field, SentText)] == ["TokenRequest.password"]
    assert [name for name, field in texts if field.max_length is None] == []


def test_no_text_field_is_made_past_the_base_not_even_as_a_form_runs() -> None:
    made = {
        (file, within)
        for file, within, name, _call in all_calls()
        if name.startswith(("forms.", "serializers.")) and name.partition(".")[2] in TEXT_FIELDS
        if file not in BASE and not within.endswith(("Answer", "Page"))
    }
    assert made == set(NOT_ON_THE_BASE)


def test_an_answer_is_never_filled_from_a_request() -> None:
    answers = [call for _file, _within, name, call in all_calls() if name.endswith(("Answer", "Page"))]
    assert answers
    assert [ast.unparse(call) for call in answers if any(keyword.arg == "data" for keyword in call.keywords)] == []


def test_views_read_no_words_of_a_request_past_its_form() -> None:
    """`request.POST` whole goes to a form; a single name is one of the known ones."""
    subscripts = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    assert [
        ast.unparse(node) for node in subscripts if named(node.value).endswith(("request.POST", "request.data"))
    ] == []
    reads = [
        call.args[0] for _, _, name, call in all_calls() if name.endswith((".POST.get", ".POST.getlist", ".data.get"))
    ]
    assert {node.value for node in reads if isinstance(node, ast.Constant)} == set(READ_BY_VIEWS)
