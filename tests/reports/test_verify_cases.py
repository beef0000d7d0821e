"""`verify_cases`: the files pass, a broken rule is seen, and a word that isn't known is named."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.plugin import DjangoDbBlocker

from incidents.clock import rules as bases
from reports.verify.files import outcomes
from reports.verify.outcome import Outcome

CASES = Path(__file__).parents[1] / "cases"
DEADLINES, CLOCKS = CASES / "deadline_cases.json", CASES / "clock_cases.json"
CLOCK_TERMS = CASES / "clock_terms_cases.json"
MONEY, AVAILABILITY = CASES / "penalty_cases.json", CASES / "availability_cases.json"
Data = dict[str, Any]


def named(path: Path) -> list[Any]:
    return [pytest.param(outcome, id=outcome.case_id) for outcome in outcomes(path)]


@pytest.mark.parametrize("outcome", named(DEADLINES) + named(CLOCKS) + named(CLOCK_TERMS))
def test_the_case_holds(outcome: Outcome) -> None:
    assert outcome.got == outcome.expected
    assert outcome.expected


def run(capsys: pytest.CaptureFixture[str], *paths: Path) -> tuple[int, list[str]]:
    """The exit status, and the lines printed: as on the command line."""
    try:
        call_command("verify_cases", *map(str, paths))
    except CommandError as refused:
        return refused.returncode, [str(refused)]
    except SystemExit as ended:
        return int(str(ended.code)), capsys.readouterr().out.splitlines()
    return 0, capsys.readouterr().out.splitlines()


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    def change(path: Path, edit: Callable[[Data], object]) -> Path:
        data = json.loads(path.read_text())
        edit(data)
        written = tmp_path / path.name
        written.write_text(json.dumps(data))
        return written

    return change


def test_all_pass_without_a_database(capsys: pytest.CaptureFixture[str], django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.block():
        status, lines = run(capsys, DEADLINES, CLOCKS, CLOCK_TERMS, MONEY, AVAILABILITY)
    assert status == 0
    assert len(lines) == 1
    assert int(lines[0].removesuffix(" passed, 0 failed")) > 123


@pytest.mark.parametrize(
    ("given", "status", "last"),
    [(CLOCKS, 0, "49 passed, 0 failed\n"), pytest.param(CASES / "none.json", 2, "none.json", marks=pytest.mark.full)],
)
def test_the_command_runs_where_no_database_is(given: Path, status: int, last: str) -> None:
    command = [sys.executable, "manage.py", "verify_cases", str(given)]
    nowhere = {
        **os.environ,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    ended = subprocess.run(command, cwd=CASES.parents[1], env=nowhere, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, last in ended.stdout + ended.stderr) == (status, True)


def test_a_differing_case_is_told_in_one_line(capsys: pytest.CaptureFixture[str], changed: Callable[..., Path]) -> None:
    def edit(data: Data) -> None:
        data["cases"][0]["deadline"] = "2026-03-10T10:16:00+01:00"
        data["cases"] = data["cases"][:2]

    assert run(capsys, changed(DEADLINES, edit)) == (
        1,
        [
            "D001: expected deadline 2026-03-10T10:16:00+01:00; got deadline 2026-03-10T10:15:00+01:00",
            "1 passed, 1 failed",
        ],
    )


def test_a_differing_clock_tells_the_differing_figures_only(
    capsys: pytest.CaptureFixture[str], changed: Callable[..., Path]
) -> None:
    def edit(data: Data) -> None:
        data["cases"] = [case for case in data["cases"] if case["id"] == "C063"]
        data["cases"][0]["expected"]["reaction"]["late_minutes"] = 59.5
        data["cases"][0]["expected"]["fired"].pop()

    status, lines = run(capsys, changed(CLOCKS, edit))
    assert status == 1
    assert lines[0].startswith("C063: expected reaction late_minutes=59.5, fired [target=reaction share=50 at=")
    assert "; got reaction late_minutes=60, fired [target=reaction share=50 at=2026-03-10T08:15:00+00:00, " in lines[0]
    assert lines[1:] == ["0 passed, 1 failed"]


def test_instants_are_compared_not_their_texts(
    capsys: pytest.CaptureFixture[str], changed: Callable[..., Path]
) -> None:
    def edit(data: Data) -> None:
        data["cases"] = data["cases"][:1]
        data["cases"][0].update(deadline="2026-03-10T14:45:00+05:30", target_minutes=60.0)

    assert run(capsys, changed(DEADLINES, edit)) == (0, ["1 passed, 0 failed"])


def test_a_file_brings_its_own_calendars_zone_and_seconds(
    capsys: pytest.CaptureFixture[str], changed: Callable[..., Path]
) -> None:
    def edit(data: Data) -> None:
        data["meta"]["timezone"] = "Asia/Kathmandu"
        data["calendars"] = {"MORNING": {"weekly": {"sun-thu": [["06:00", "07:00"]]}}}
        data["cases"] = [
            {
                "id": "K1",
                "group": "working_minutes",
                "calendar": "MORNING",
                "report_at": "2026-03-10T06:59:45.900+05:45",
                "target_minutes": 0.75,
                "pauses": [],
                "deadline": "2026-03-11T06:00:30+05:45",
            },
            {
                "id": "K2",
                "group": "day_terms",
                "mode": "business_days_close",
                "report_at": "2026-03-13T10:00:00+01:00",
                "days": 1,
                "last_day": "2026-03-16",
                "deadline": "2026-03-16T15:00:00Z",
            },
        ]

    assert run(capsys, changed(DEADLINES, edit)) == (0, ["2 passed, 0 failed"])


def test_clock_terms_may_bring_a_calendar_of_their_own(
    capsys: pytest.CaptureFixture[str], changed: Callable[..., Path]
) -> None:
    def edit(data: Data) -> None:
        data["calendars"] = {
            "MF_8_16": {"weekly": {"mon-fri": [["08:00", "17:00"]]}, "statutory_holidays_closed": True}
        }
        data["cases"] = [case for case in data["cases"] if case["id"] == "C009"]

    status, lines = run(capsys, changed(CLOCKS, edit))
    assert (status, lines[-1]) == (1, "0 passed, 1 failed")


def ignore_pauses(base: bases.DueBase, pauses: object, gaps: object) -> int | None:
    return base.reached(base.seconds, (), ())


def test_the_pages_clock_is_what_is_verified(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases.DueBase, "due", ignore_pauses)
    status, lines = run(capsys, CLOCKS)
    assert status == 1
    assert {line.split(":")[0] for line in lines} >= {"C013", "C015", "C051"}
    assert lines[-1].endswith(" failed")


def test_the_deadlines_go_through_the_clock_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases.DueBase, "due", lambda base, pauses, gaps: base.start)
    status, lines = run(capsys, DEADLINES)
    assert status == 1
    assert {line.split(":")[0] for line in lines} >= {"D120", "D122", "D130", "D140", "D142"}


def clock_case(**fields: object) -> Callable[[Data], object]:
    return lambda data: data["cases"][0].update(fields)


def first_term(data: Data) -> Data:
    found: Data = data["terms"]["standard"]
    return found


def days(data: Data) -> Data:
    found: Data = data["terms"]["in_days"]["severities"]["P1"]["restore"]
    return found


def times(data: Data) -> list[Data]:
    found: list[Data] = data["terms"]["in_and_out"]["severities"]["P1"]["restore"]["alternatives"]
    return found


@pytest.mark.parametrize(
    ("path", "edit", "word"),
    [
        (DEADLINES, lambda data: data["cases"][0].update(group="guesses"), "D001: unknown group: 'guesses'"),
        (DEADLINES, lambda data: data["cases"][0].update(calendar="MOON"), "D001: unknown calendar: 'MOON'"),
        (DEADLINES, lambda data: data["cases"][0].update(report_at="soon"), "not an instant: 'soon'"),
        (DEADLINES, lambda data: data["cases"][0].update(report_at="2026-03-10T09:15"), "without an offset"),
        (DEADLINES, lambda data: data["cases"][0].update(target_minutes="long"), "not a number: 'long'"),
        (DEADLINES, lambda data: data["cases"][0].pop("target_minutes"), "'target_minutes' is missing"),
        (DEADLINES, lambda data: data["calendars"]["24_7"].update(weekly={"mox": []}), "unknown day of the week: mox"),
        (DEADLINES, lambda data: data["meta"].update(timezone="Mars/Base"), "unknown time zone: Mars/Base"),
        (DEADLINES, lambda data: [case.update(mode="lunar") for case in data["cases"]], "lunar"),
        (DEADLINES, lambda data: [case.update(kind="louder") for case in data["cases"]], "unknown kind: 'louder'"),
        (DEADLINES, lambda data: data.pop("calendars"), "an unknown kind of file, with meta, holidays, dst, cases"),
        (DEADLINES, lambda data: data["calendars"]["24_7"].update(weekly={}, special_days={}), "no working hours"),
        (CLOCKS, clock_case(terms="gold"), "C001: unknown terms: 'gold'"),
        (CLOCKS, clock_case(events=[{"at": "2026-03-10T09:00Z", "event": "phoned"}]), "unknown event: phoned"),
        (CLOCKS, clock_case(ladder=[{"target": "coffee", "share": 50}]), "unknown target: 'coffee'"),
        (CLOCKS, clock_case(expected={"coffee": {}}), "unknown target: 'coffee'"),
        (CLOCKS, clock_case(expected={"restore": {"mood": 1}}), "unknown result: 'mood'"),
        (CLOCKS, lambda data: first_term(data).update(reopen="maybe"), "unknown reopen rule: maybe"),
        (CLOCKS, lambda data: first_term(data).update(repair_starts="noon"), "unknown start of the repair: noon"),
        (CLOCKS, lambda data: first_term(data)["severities"]["P1"].update(coffee={}), "unknown target: 'coffee'"),
        (CLOCKS, lambda data: first_term(data)["severities"]["P1"]["restore"].update(calendar="MOON"), "'MOON'"),
        (CLOCKS, lambda data: data.update(cases={}), "cases: a list is expected"),
        (CLOCK_TERMS, lambda data: days(data).update(mode="lunar"), "in_days, P1, restore: unknown mode: 'lunar'"),
        (CLOCK_TERMS, lambda data: days(data).update(days=-1), "a term of -1 days"),
        (CLOCK_TERMS, lambda data: days(data).update(days=1.5), "not a whole number"),
        (CLOCK_TERMS, lambda data: days(data).update(minutes=5), "minutes or days, not both"),
        (CLOCK_TERMS, lambda data: days(data).update(reported_in="24_7"), "the last of its times has no reported_in"),
        (CLOCK_TERMS, lambda data: times(data).clear(), "no alternatives"),
        (CLOCK_TERMS, lambda data: times(data)[0].update(reported_in="MOON"), "unknown calendar: 'MOON'"),
        (CLOCK_TERMS, lambda data: times(data)[0].pop("reported_in"), "'reported_in' is missing"),
    ],
)
def test_an_unknown_word_ends_with_status_2_and_its_name(
    capsys: pytest.CaptureFixture[str],
    changed: Callable[..., Path],
    path: Path,
    edit: Callable[[Data], object],
    word: str,
) -> None:
    status, lines = run(capsys, changed(path, edit))
    assert status == 2
    assert word in lines[0]
    assert path.name in lines[0]


@pytest.mark.parametrize(
    ("text", "said"), [(None, "No such file"), ("[1]", "no object with cases"), ("{", "Expecting")]
)
def test_a_file_that_cannot_be_read_ends_with_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "mine.json"
    if text is not None:
        path.write_text(text)
    status, lines = run(capsys, path)
    assert (status, str(path) in lines[0], said in lines[0]) == (2, True, True)
