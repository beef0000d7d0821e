"""Penalty files: every case passes, a wrong figure is seen, and what the format lacks is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from contracts.penalty import rules as penalties
from reports.verify.outcome import UnknownWordError
from reports.verify.penalties import penalty_outcomes
from reports.verify.read import agreed

FILE = json.loads((Path(__file__).parent.parent / "cases" / "penalty_cases.json").read_text())

Change = Callable[[Any], None]


@pytest.fixture
def cases() -> Any:
    return copy.deepcopy(FILE)


def case(data: Any, name: str) -> Any:
    return next(one for one in data["cases"] if one["id"] == name)


def test_every_penalty_case_passes(cases: Any) -> None:
    outcomes = penalty_outcomes(cases)
    assert len(outcomes) == sum(one["group"] != "other" for one in FILE["cases"]) == 33
    assert [outcome for outcome in outcomes if not outcome.passed] == []


def test_a_rule_that_is_broken_in_the_product_is_seen_in_the_cases(cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(penalties.Unit, "count", lambda unit, seconds: Fraction(seconds // (unit.width or 1)))
    failed = {outcome.case_id for outcome in penalty_outcomes(cases) if not outcome.passed}
    assert {"P005", "P013", "P023"} <= failed


def test_a_differing_case_shows_what_was_expected_and_what_came_out(cases: Any) -> None:
    case(cases, "P005")["expected"]["raw_pln"] = "150.00"
    wrong = [outcome for outcome in penalty_outcomes(cases) if not outcome.passed]
    assert [(one.case_id, one.expected["raw_pln"], one.got["raw_pln"]) for one in wrong] == [
        ("P005", "150.00", "200.00")
    ]


def test_only_the_figures_that_a_case_carries_are_compared(cases: Any) -> None:
    case(cases, "P005")["expected"] = {"units": 4}
    outcome = next(one for one in penalty_outcomes(cases) if one.case_id == "P005")
    assert (outcome.expected, outcome.got) == ({"units": 4}, {"units": 4})


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        (
            "P005",
            lambda c: c["input"]["scheme"].update(unit="started_fortnight"),
            "P005: unknown unit: 'started_fortnight'",
        ),
        ("P005", lambda c: c["input"]["scheme"].update(rate_type="shells"), "P005: unknown rate_type: 'shells'"),
        ("P025", lambda c: c["input"]["scheme"]["grace"].update(mode="kind"), "P025: unknown grace mode: 'kind'"),
        ("P019", lambda c: c["input"]["incident_cap"].update(type="sky"), "P019: unknown cap type: 'sky'"),
        ("P050", lambda c: c["input"].update(rule="lottery"), "P050: unknown rule: 'lottery'"),
        (
            "P050",
            lambda c: c["input"]["incidents"][0]["targets"][0].update(target="charm"),
            "P050: unknown target: 'charm'",
        ),
        ("P070", lambda c: c["input"].update(bands="NOBODY"), "P070: unknown bands: 'NOBODY'"),
        ("P005", lambda c: c.update(group="quarterly"), "P005: unknown group: 'quarterly'"),
        ("P005", lambda c: c["input"].update(discount="5"), "P005: unknown field 'discount'"),
        ("P005", lambda c: c["expected"].update(glory="5"), "P005, expected: unknown field 'glory'"),
        ("P005", lambda c: c["input"].update(base_amount_pln="much"), "P005: not a number: 'much'"),
        ("P005", lambda c: c["input"].pop("delay_seconds"), "P005: the field 'delay_seconds' is missing"),
        ("P017", lambda c: c["input"]["scheme"].update(rate="1"), "P017: a penalty rule has either a rate or tiers"),
    ],
)
def test_what_the_format_does_not_know_is_named(
    cases: Any, name: str, change: Callable[[Any], None], named: str
) -> None:
    change(case(cases, name))
    with pytest.raises(UnknownWordError) as error:
        penalty_outcomes(cases)
    assert str(error.value) == named


def test_the_highest_rule_and_exact_units_are_read(cases: Any) -> None:
    monthly = case(cases, "P050")
    monthly["input"]["rule"] = "highest"
    monthly["expected"] = {"per_incident_pln": ["200.00"], "final_pln": "200.00"}
    single = case(cases, "P005")
    single["input"]["scheme"]["unit"] = "exact_hour"
    single["expected"] = {"units": "3.3333", "raw_pln": "166.67"}
    cases["cases"] = [monthly, single]
    assert [outcome.passed for outcome in penalty_outcomes(cases)] == [True, True]


def test_units_that_a_scheme_says_are_the_number_itself(cases: Any) -> None:
    """No delay is needed, none is counted, and no grace comes off them; a half unit is half."""
    said = case(cases, "P017")
    said["input"] |= {"scheme": {"rate_type": "percent", "rate": "2", "units": "3"}, "base_amount_pln": "5000.00"}
    said["input"].pop("delay_seconds")
    said["expected"] = {"units": 3, "raw_pln": "300.00", "final_pln": "300.00"}
    half = case(cases, "P005")
    half["input"]["scheme"] |= {"units": "2.5", "grace": {"minutes": 600, "mode": "threshold"}}
    half["expected"] = {"units": "2.5", "raw_pln": "125.00", "final_pln": "125.00"}
    stepped = case(cases, "P019")
    stepped["input"]["scheme"] = {
        "rate_type": "amount", "units": 6, "tiers": [{"up_to": 4, "rate": "10"}, {"up_to": None, "rate": "25"}],
    }  # fmt: skip
    stepped["input"]["incident_cap"] = {"type": "amount", "value": "80"}
    stepped["expected"] = {"units": 6, "raw_pln": "90.00", "final_pln": "80.00"}
    cases["cases"] = [said, half, stepped]
    assert [outcome.got for outcome in penalty_outcomes(cases) if not outcome.passed] == []
    said["input"]["scheme"]["units"] = "-1"
    with pytest.raises(UnknownWordError, match=r"P017: units can't be negative: -1"):
        penalty_outcomes(cases)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("200.00", Decimal("200.0"), True),
        (4, Fraction(4), True),
        (4, Fraction(4001, 1000), False),
        ("3.3333", Fraction(10, 3), True),
        ("3.33", Fraction(1001, 300), True),
        ("3.34", Fraction(10, 3), False),
        ("6.67", Fraction(20, 3), True),
        ("6.66", Fraction(20, 3), True),
        (3, Fraction(10, 3), False),
        ("3.3332", Fraction(10, 3), False),
        ("none", Decimal(1), False),
        ([1, 2], [Decimal(1), Decimal(2)], True),
        ([1, 2], [Decimal(1)], False),
        ([], [], True),
        (None, None, True),
    ],
)
def test_figures_are_compared_as_figures(expected: object, got: object, same: bool) -> None:
    assert (agreed(expected, got) == expected) is same
