"""Availability files: month lengths and cases pass, a wrong figure is seen, and what the format lacks is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.verify.availability import availability_outcomes
from reports.verify.outcome import Outcome, UnknownWordError

FILE = json.loads((Path(__file__).parent.parent / "cases" / "availability_cases.json").read_text())
Change = Callable[[Any], None]


@pytest.fixture
def cases() -> Any:
    return copy.deepcopy(FILE)


def case(data: Any, name: str) -> Any:
    return next(one for one in data["cases"] if one["id"] == name)


def failed(data: Any) -> list[Outcome]:
    return [outcome for outcome in availability_outcomes(data) if not outcome.passed]


def test_every_month_length_and_availability_case_passes(cases: Any) -> None:
    assert failed(cases) == []
    assert len(availability_outcomes(cases)) == len(FILE["month_lengths"]) + 15


def test_a_wrong_length_or_allowance_is_seen(cases: Any) -> None:
    cases["month_lengths"][4]["minutes"] = 44640
    cases["month_lengths"][5]["allowed_minutes"]["99.9"] = "44.640"
    wrong = failed(cases)
    assert [(one.case_id, one.got["minutes"]) for one in wrong] == [("2025-3", "44580"), ("2026-3", 44580)]
    allowed = FILE["month_lengths"][5]["allowed_minutes"]
    assert wrong[1].got["allowed_minutes"] == {**allowed, "99.9": "44.58"}


def test_another_zone_has_other_months(cases: Any) -> None:
    for row in cases["month_lengths"]:
        row["timezone"] = "America/New_York"
    assert [one.case_id for one in failed(cases)] == ["2025-10", "2026-10", "2027-10", "2028-10"]


@pytest.mark.parametrize(
    "meta", [{"months": "calendar months in America/New_York, real minutes"}, {"timezone": "America/New_York"}]
)
def test_the_zone_of_the_months_is_the_files(cases: Any, meta: dict[str, str]) -> None:
    cases["meta"] = meta
    assert [one.case_id for one in failed(cases)] == ["2025-10", "2026-10", "2027-10", "2028-10"]


def test_maintenance_inside_the_total_keeps_the_denominator(cases: Any) -> None:
    told = case(cases, "A013")
    told["input"]["maintenance_mode"] = "keep_in_total"
    told["expected"] = {"measured_minutes": 43200, "downtime_minutes": "60", "availability_percent_floor4": "99.8611"}
    assert failed(cases) == []


def test_a_file_may_bring_its_own_calendars_and_unknown_time(cases: Any) -> None:
    told = case(cases, "A019")
    cases["calendars"] = {
        "SHORT": {"weekly": {"mon": [["08:00", "09:00"]]}},
        **{name: {"weekly": {"mon-sun": [["00:00", "24:00"]]}} for name in ("24_7", "DAILY_7_22")},
    }
    cases["cases"] = [told]
    told["input"] |= {
        "service_calendar": "SHORT", "unknown_limit_minutes": 59, "outages": [],
        "unknown": [{"from": "2026-04-13T07:00:00+02:00", "to": "2026-04-13T12:00:00+02:00"}],
    }  # fmt: skip
    told["expected"] = {"measured_minutes": 240, "unknown_minutes": 60, "downtime_minutes": 0, "target_met": None}
    assert failed(cases) == []


def test_a_differing_case_shows_both_figures(cases: Any) -> None:
    case(cases, "A001")["expected"]["downtime_minutes"] = "44"
    assert [(one.expected["downtime_minutes"], one.got["downtime_minutes"]) for one in failed(cases)] == [("44", "43")]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c["input"].update(maintenance_mode="forget"), "A001: unknown maintenance_mode: 'forget'"),
        (lambda c: c["input"].update(service_calendar="MOON"), "A001: unknown service_calendar: 'MOON'"),
        (lambda c: c["input"].update(timezone="Mars/Base"), "A001: unknown time zone: 'Mars/Base'"),
        (lambda c: c["input"].update(month=13), "A001: no such month: 2026-13: month must be in 1..12"),
        (lambda c: c["input"].update(luck=1), "A001: unknown field 'luck'"),
        (lambda c: c["input"]["outages"][0].update(weight="2"), "A001: a weight lies between 0 and 1: 2"),
        (lambda c: c["input"]["outages"][0].update(mood="x"), "A001, outages: unknown field 'mood'"),
        (lambda c: c["expected"].update(glory="1"), "A001, expected: unknown field 'glory'"),
        (lambda c: c.update(group="traffic"), "A001: unknown group: 'traffic'"),
    ],
)
def test_what_the_format_does_not_know_is_named(cases: Any, change: Change, named: str) -> None:
    change(case(cases, "A001"))
    with pytest.raises(UnknownWordError) as error:
        availability_outcomes(cases)
    assert str(error.value) == named
