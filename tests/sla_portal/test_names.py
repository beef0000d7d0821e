"""A variable bears the noun of its type: names that say nothing are counted, and their number only goes down."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from sla_portal.environment import BASE_DIR

SILENT = {"asked", "found", "known", "one", "said", "seen", "thing", "things", "told", "wanted", "what"}
# Room → how many such names it still binds. A smaller number may be written here, a larger one never.
CEILINGS = {
    "reports": 2,
    "monitoring": 0,
    "incidents": 50,
    "contracts": 2,
    "accounts": 0,
    "messaging": 0,
    "wording": 0,
    "sla_portal": 0,
}
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
    "incidents/forms/staff.py VerbForm.seen",
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


def silent_names_of(room: str) -> list[str]:
    files = [path for path in sorted((BASE_DIR / room).rglob("*.py")) if "migrations" not in path.parts]
    trees = {path.relative_to(BASE_DIR).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}
    places = [place for file, tree in trees.items() for place in silent_names(tree, f"{file} ")]
    return [place for place in places if place not in ALLOWED]


@pytest.mark.parametrize("room", CEILINGS)
def test_no_room_gets_more_names_that_say_nothing(room: str) -> None:
    places = silent_names_of(room)
    counted = ", ".join(f"{place} ({times})" for place, times in sorted(Counter(places).items()))
    assert len(places) <= CEILINGS[room], counted


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
