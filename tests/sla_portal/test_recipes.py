"""`docs/architecture.md` is true: what the documents name exists; its recipes work, carried out on copies of files."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

import pytest
from django import urls
from django.db import models
from django.utils import translation
from django.utils.translation import gettext

from contracts import seal
from contracts.forms.rows import FormChoices
from contracts.models import ContractVersion
from incidents.choices import Actor
from incidents.models import Incident, JournalEntry
from incidents.state import IncidentState
from sla_portal.environment import BASE_DIR
from tests import build

Copy = Callable[..., Any]
PATH = re.compile(r"`([\w.-]+(?:/[\w.-]*)*)(?::[^`\s]*)?`")
KINDS = ("py", "html", "md", "json", "toml", "txt", "css", "js", "yml", "lock")


def tracked() -> set[str]:
    """Files and folders of the repository, folders with a slash at the end."""
    listed = subprocess.run(["git", "ls-files"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    files = listed.stdout.splitlines()
    return {*files, *(f"{folder}/" for file in files for folder in PurePosixPath(file).parents if folder.name)}


def named(text: str, rooms: set[str]) -> Iterator[str]:
    """Paths that a document names: they begin with a folder of ours, or end as files do."""
    for path in PATH.findall(text):
        if (path.partition("/")[0] in rooms and "/" in path) or path.rpartition(".")[2] in KINDS:
            yield path


def test_every_path_that_a_document_names_exists() -> None:
    """A name without its folder counts where a file of that name exists: the folder stands just before it."""
    paths = tracked()
    rooms = {path.partition("/")[0] for path in paths if "/" in path}
    ends = {"/".join(PurePosixPath(path).parts[-n:]) for path in paths for n in range(1, path.count("/") + 2)}
    documents = [path for path in paths if path.endswith(".md")]
    texts = {path: (BASE_DIR / path).read_text(encoding="utf-8") for path in documents}
    gone = {(path, name) for path, text in texts.items() for name in named(text, rooms) if name.rstrip("/") not in ends}
    assert gone == set()
    assert len(list(named(texts["docs/architecture.md"], rooms))) > 60
    assert set(named("`incidents/gone.py`, `state.py`, `Kind.PAUSED`", rooms)) == {"incidents/gone.py", "state.py"}


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch) -> Copy:
    """Loads a copy of a module in its place for the test, with a line put in behind each of the given ones."""

    import_module("sla_portal.urls")  # whatever is first loaded beside a copy would keep it

    def load(name: str, **lines: str) -> ModuleType:
        path = BASE_DIR.joinpath(*name.split(".")).with_suffix(".py")
        source = path.read_text(encoding="utf-8")
        for anchor, line in lines.items():
            start = ANCHORS[anchor]
            assert source.count(start) == 1, start
            source = source.replace(start, f"{start}\n{line}")
        module = ModuleType(name)
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, name, module)
        package, _, leaf = name.rpartition(".")
        monkeypatch.setattr(import_module(package), leaf, module)
        exec(compile(source, str(path), "exec"), module.__dict__)
        return module

    return load


ANCHORS = {
    "kind": '    SEALED = "sealed"',
    "event": "EVENTS: dict[Kind, Meaning] = {",
    "reason": '    MAINTENANCE = "maintenance_window"',
    "reason_word": '    MAINTENANCE = clock.PauseReason.MAINTENANCE, _("maintenance window")',
    "wait": "WAITS = {",
    "verb": "_STAFF = (",
    "term": 'third_party_pause = forms.BooleanField(label=_("A third party\'s delay stops the clock"), required=False)',
    "section": "SECTIONS: dict[str, tuple[tuple[str, ...], ...]] = {",
    "change": "COLUMN_WORDS: dict[str, Callable[[Any, str], str]] = {",
}


@dataclass(frozen=True)
class Line:
    """What the reducer reads of a line."""

    kind: str
    at: datetime = build.MONDAY
    recorded_at: datetime = build.MONDAY
    reason: str = ""
    severity: str = "P1"
    channel: str = "portal"
    facts: dict[str, Any] = field(default_factory=dict)


def test_an_event_is_one_member_and_one_row(copy: Copy) -> None:
    row = 'Kind.VISIT: Meaning(Words(note=gettext_noop("on the spot")), contact=True, moves=True, speech=True),'
    events = copy("incidents.events", kind='    VISIT = "visit"', event=row)
    assert {events.Kind.VISIT} <= events.CONTACTS & events.COUNTED & events.SPEECH
    # Only the database is left: its constraint lists the kinds, so a migration is asked for
    rules = {rule.name: str(rule.condition) for rule in JournalEntry._meta.constraints if hasattr(rule, "condition")}
    assert "'sealed'" in rules["journal_knows_its_kinds"]
    assert "'visit'" not in rules["journal_knows_its_kinds"]
    copy("incidents.clock.facts")
    stands = copy("incidents.state").state_of([Line("received"), Line("visit")])
    assert (stands.status, stands.first_contact_at) == ("open", build.MONDAY)
    entry = JournalEntry(kind="visit", seq=2, text="Jestem u was.", actor=Actor.STAFF, at=build.MONDAY)
    entry.recorded_at = build.MONDAY
    (line,) = copy("incidents.text.journal_lines").lines([entry])
    assert (line.style, line.note, line.text) == ("said", "on the spot", "Jestem u was.")


def test_a_reason_of_a_pause_is_a_value_its_words_and_its_sentence(copy: Copy) -> None:
    copy("incidents.clock.facts", reason='    STRIKE = "strike"')
    copy("incidents.choices", reason_word='    STRIKE = clock.PauseReason.STRIKE, _("a strike")')
    sentences = copy("incidents.text.clock_sentences", wait='PauseReason.STRIKE: "A strike since %(time)s",')
    assert {str(reason) for reason in sentences.WAITS} == set(sentences.PauseReason.values) > {"strike"}
    requests, staff = copy("incidents.api.requests"), copy("incidents.forms.staff")
    assert requests.PauseRequest().fields["reason"].choices["strike"] == "a strike"
    assert dict(staff.PauseForm.base_fields["reason"].choices)["strike"] == "a strike"


@pytest.fixture
def column() -> Iterator[str]:
    """A column more of a version, as its migration would leave it."""
    spare = models.PositiveSmallIntegerField(default=2)
    spare.contribute_to_class(ContractVersion, "spare_days")
    seal.later.cache_clear()
    yield spare.attname
    ContractVersion._meta.local_fields.remove(spare)
    ContractVersion._meta._expire_cache()  # type: ignore[attr-defined]
    delattr(ContractVersion, spare.attname)
    seal.later.cache_clear()


def test_a_term_of_a_contract_is_a_column_a_field_in_its_section_and_its_words(copy: Copy, column: str) -> None:
    """The page of the contract is left, which says each term in a sentence of its own, and who reads it."""
    term = '    spare_days = ReadField(typed.read_days, label="Spare days", required=False)'
    terms = copy("contracts.forms.terms", term=term, section='    "spare": (("spare_days",),),')
    options = {"choices": FormChoices([], []), "today": build.MONDAY.date()}
    form = terms.TermsForm({"spare_days": "3 dni"}, **options)
    assert [field.html_name for field in form.sections["spare"][0]] == ["spare_days"]
    form.full_clean()
    empty = terms.TermsForm({}, **options)
    empty.full_clean()
    assert (form.terms[column], empty.terms[column], form.labels[column]) == (3, 2, "Spare days")
    assert column in copy("contracts.forms.contract").TERM_COLUMNS
    words = copy("contracts.terms_text", change='    "spare_days": _days,')
    old, new = (words.Compared({column: days}, [], [], []) for days in (2, 3))
    with translation.override("en"):
        (change,) = words.differences(old, new, form.labels, lambda _: False)
    assert (change.label, change.old, change.new) == ("Spare days", "2 working days", "3 working days")
    before, after = (seal.columns(ContractVersion(created_at=build.MONDAY, **{column: days})) for days in (2, 3))
    assert column not in before
    assert after == before | {column: 3}


def test_a_verb_is_one_row(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    row = """Verb(name="visit", page="incident-visit", api="api-visit", roles=INCIDENT_STAFF, act=lifecycle.say,
        form=staff.NoteForm, request=requests.TextRequest, label=_("On the spot"), in_row=True),"""
    verbs = copy("incidents.verbs", verb=row)
    button, *others = verbs.row(Incident(status="resolved", severity="P1"), IncidentState(status="resolved"))
    assert [verb.name for verb in others] == ["assign"]
    assert (button.page, str(button.label), button.heading, button.sentence) == (
        "incident-visit", "On the spot", "On the spot", gettext("On the spot")
    )  # fmt: skip
    monkeypatch.setattr(urls, "register_converter", lambda *_: None)  # stands already
    pages = {page.name: page for page in copy("incidents.urls").urlpatterns}
    assert pages["incident-visit"].resolve("incidents/MAK-0142/visit/").kwargs == {
        "nr": "MAK-0142", "verb": verbs.VERBS["visit"]
    }  # fmt: skip
    actions = {page.name: page for page in copy("incidents.api.urls").urlpatterns}
    assert actions["api-visit"].resolve("incidents/MAK-0142/visit/").kwargs == {"nr": "MAK-0142"}
