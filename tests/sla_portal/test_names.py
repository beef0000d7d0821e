"""A variable bears the noun of its type: names that say nothing are bound nowhere but where a contract holds them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from sla_portal.environment import BASE_DIR

SILENT = {"asked", "found", "known", "one", "said", "seen", "thing", "things", "told", "wanted", "what"}
ROOMS = ("reports", "monitoring", "incidents", "contracts", "accounts", "messaging", "wording", "sla_portal")
# Words of the database, of the API and of forms that an open page still sends: a change is a migration or breaks them
ALLOWED = {
    "incidents/models.py Incident.what",
    "incidents/api/requests.py ReportRequest.what",
    "incidents/api/views.py IncidentAnswer.what",
    "incidents/forms/client.py ReportForm.what",  # the form's fields bear the columns' names
    *(
        f"incidents/reporting.py {verb}.what"
        for verb in ("report", "_file", "_to_join", "_join", "_create", "open_from_monitor")
    ),
    "incidents/forms/phone.py PhoneForm.told",
    "incidents/forms/staff.py StaffForm.seen",
    "monitoring/models.py Monitor.what",
    "monitoring/models.py Monitor.asked",
    "monitoring/forms.py MonitorForm.what",
}


def silent_names(node: ast.AST, place: str) -> Iterator[str]:
    """`file function.name` of each silent name that is bound below the node: by assignment, loop or argument."""
    for child in ast.iter_child_nodes(node):
        inner = place
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{place}{child.name}."
        name = child.arg if isinstance(child, ast.arg) else getattr(child, "id", "")
        if name in SILENT and (isinstance(child, ast.arg) or isinstance(getattr(child, "ctx", None), ast.Store)):
            yield f"{place}{name}"
        yield from silent_names(child, inner)


def places_of(room: str) -> list[str]:
    files = [path for path in sorted((BASE_DIR / room).rglob("*.py")) if "migrations" not in path.parts]
    trees = {path.relative_to(BASE_DIR).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}
    return [place for file, tree in trees.items() for place in silent_names(tree, f"{file} ")]


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_has_a_name_that_says_nothing(room: str) -> None:
    assert [place for place in places_of(room) if place not in ALLOWED] == []


def test_no_exception_outlives_its_name() -> None:
    assert {place for room in ROOMS for place in places_of(room)} == ALLOWED


def test_the_formatter_is_never_told_to_look_away() -> None:
    files = [path for room in ROOMS for path in (BASE_DIR / room).rglob("*.py") if "migrations" not in path.parts]
    assert [path.name for path in files if "# fmt: " in path.read_text(encoding="utf-8")] == []


def test_a_silent_name_is_seen_wherever_it_is_bound() -> None:
    code = (
        "def f(told, *, asked: int = 0):\n"
        "    one = [seen for seen in told]\n"
        "    if known := one: return lambda said: known\n"
        "class C:\n"
        "    what: str\n"
    )
    assert sorted(silent_names(ast.parse(code), "")) == [
        "C.what",
        "f.asked",
        "f.known",
        "f.one",
        "f.said",
        "f.seen",
        "f.told",
    ]
