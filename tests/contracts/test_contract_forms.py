"""What is typed into a contract: read as people write it, refused with the right way to write it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from contracts.agreements import DEFAULT_LADDER, PenaltySpec, StepSpec, TargetSpec
from contracts.forms import parse as typed
from contracts.forms import rows, terms
from contracts.forms.contract import VersionForm, usual
from contracts.forms.rates import read_rate
from contracts.forms.rows import FormChoices
from contracts.models import Calendar
from tests import build
from tests.contracts.test_contract_pages import sent_of
from tests.contracts.test_typed import SHARE

TODAY = date(2026, 3, 2)


def refusal(read: Callable[[str], object], text: str) -> str:
    with translation.override("en"), pytest.raises(ValidationError) as caught:
        read(text)
    return str(caught.value.messages[0])


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("30 min", 30), ("4 h", 240), ("1 h 30 min", 90), ("1h30m", 90), ("40 godz.", 2400), ("0 min", 0), ("90min", 90)],
)
def test_a_time_is_read_in_hours_and_minutes(text: str, minutes: int) -> None:
    assert typed.read_minutes(text) == minutes


@pytest.mark.parametrize("text", ["4", "h", "dwie godziny", "-5 min", "4 h 5"])
def test_a_time_without_a_unit_is_no_time(text: str) -> None:
    assert refusal(typed.read_minutes, text) == "Write the time like 30 min, 4 h or 1 h 30 min."


@pytest.mark.parametrize("minutes", [0, 5, 60, 90, 2400])
def test_a_time_comes_back_as_it_would_be_typed(minutes: int) -> None:
    assert typed.read_minutes(typed.minutes_words(minutes)) == minutes


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4000", "4000"), ("4 000,00", "4000"), ("4\u00a0000,50 zł", "4000.5"), ("4,000.50", "4000.5"),
        ("1.160,05", "1160.05"), ("0,5", "0.5"), ("1 234 567", "1234567"),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_either_language(text: str, amount: str) -> None:
    assert typed.read_number(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "4,000", "4.0000", "12 34", "-5", "1e5", "NaN", "dużo", "٣"])
def test_an_amount_that_could_mean_two_things_is_refused(text: str) -> None:
    assert refusal(typed.read_number, text) == "Write the amount like 4000.00."


def test_a_rate_says_of_what_it_is() -> None:
    assert read_rate("2,5 %") == ("percent", Decimal("2.5"))
    assert read_rate("0.125%") == ("percent", Decimal("0.125"))
    assert read_rate("50,00 zł") == ("amount", Decimal(50))
    assert refusal(read_rate, "50") == "Say of what: 2 % of the fee, or an amount such as 50.00 PLN."
    assert refusal(read_rate, "101 %") == "A share is at most 100 %."


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("8:00-16:00, 17:00-20:00", [["08:00", "16:00"], ["17:00", "20:00"]]),
        ("8–16", [["08:00", "16:00"]]),
        ("22:00-6:00", [["22:00", "30:00"]]),
        ("0:00-24:00", [["00:00", "24:00"]]),
        ("", []),
        ("-", []),
        ("zamknięte", []),
    ],
)
def test_hours_are_read_as_windows(text: str, windows: list[list[str]]) -> None:
    assert typed.read_windows(text) == windows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("od 8", "Write the hours like 8:00-16:00, several with a comma; over midnight 22:00-6:00."),
        ("8:00-25:00", "An hour lies between 0:00 and 24:00."),
        ("8:75-9:00", "An hour lies between 0:00 and 24:00."),
        ("8-8", "These hours begin and end at once; the whole day is 0:00-24:00."),
    ],
)
def test_hours_that_are_none_are_refused(text: str, sentence: str) -> None:
    assert refusal(typed.read_windows, text) == sentence


@pytest.fixture
def calendars(db: None) -> list[Calendar]:
    office = build.office_hours()
    office.is_office = True
    return [build.round_the_clock(), office]


def form(calendars: list[Calendar], **typed_in: Any) -> VersionForm:
    """The usual contract, signed, with something else typed in."""
    ready = {"monthly_fee": "4 000,00", "signed_on": "2026-02-20", "signatories": "Ewa Mak",
             "repair_starts": "report", "reopen": "continue", "liability": "zwloka", "delay_time": "calendar",
             "cumulation": "cumulative"}  # fmt: skip
    people = [build.staff("Anna Lis")]
    options: dict[str, Any] = {"choices": FormChoices(calendars, people), "today": TODAY}
    begun = sent_of(VersionForm(initial=usual(calendars, TODAY), **options))
    return VersionForm(begun | ready | typed_in, **options)


def errors(bad: VersionForm) -> dict[str, list[str]]:
    with translation.override("en"):
        return {name: [str(one) for one in said] for name, said in bad.errors.items()}


def test_the_usual_contract_counts_p1_round_the_clock_and_the_rest_in_office_hours(calendars: list[Calendar]) -> None:
    always, office = calendars
    good = form(calendars)
    assert good.is_valid(), good.errors
    assert [(one.severity, one.kind, one.minutes, one.calendar) for one in good.spec.targets] == [
        ("P1", "reaction", 30, always), ("P1", "restore", 240, always), ("P1", "final_fix", 2400, office),
        ("P2", "reaction", 120, office), ("P2", "restore", 480, office), ("P2", "final_fix", 2400, office),
        ("P3", "reaction", 480, office), ("P3", "restore", 1440, office), ("P3", "final_fix", 2400, office),
        ("P4", "reaction", 480, office), ("P4", "restore", 4800, office),
    ]  # fmt: skip
    assert good.spec.steps == list(DEFAULT_LADDER)
    assert (good.spec.monthly_fee, good.spec.valid_from) == (Decimal(4000), date(2026, 4, 1))


def test_a_penalty_is_read_with_its_unit_and_grace(calendars: list[Calendar]) -> None:
    good = form(
        calendars, P2_restore_rate="0,625 %", P2_restore_unit="started_30min", P2_restore_grace="15 min",
        P2_restore_grace_mode="threshold", P1_reaction_rate="50,00 zł", P1_reaction_unit="once",
    )  # fmt: skip
    assert good.is_valid(), good.errors
    penalties = {(one.severity, one.kind): one.penalty for one in good.targets if one.penalty}
    assert penalties == {
        ("P1", "reaction"): PenaltySpec(Decimal(50), "amount", "once"),
        ("P2", "restore"): PenaltySpec(Decimal("0.625"), "percent", "started_30min", 15, "threshold"),
    }


def test_an_empty_time_is_no_promise(calendars: list[Calendar]) -> None:
    good = form(calendars, P4_restore="", P4_restore_hours="")
    assert good.is_valid(), good.errors
    assert ("P4", "restore") not in {(one.severity, one.kind) for one in good.targets}


@pytest.mark.parametrize(
    ("typed_in", "field", "sentence"),
    [
        ({"P1_restore": "cztery"}, "P1_restore", "Write the time like 30 min, 4 h or 1 h 30 min."),
        ({"P1_restore_hours": ""}, "P1_restore_hours", "Choose the hours in which this time counts."),
        (
            {"P4_final_fix_rate": "1 %"}, "P4_final_fix_rate",
            "A penalty needs a time to be late for: there is none.",
        ),
        ({"P1_restore_grace": "15 min"}, "P1_restore_grace", "Grace needs a penalty: there is none."),
        ({"P1_restore_rate": "50 EUR"}, "P1_restore_rate", "The contract is in PLN."),
        ({"contract_cap": "900 €"}, "contract_cap", "The contract is in PLN."),
        ({"signed_on": "2026-03-03"}, "signed_on", "A document that is signed has a date that has come."),
        ({"signed_on": "wczoraj"}, "signed_on", "Write the day like 2027-01-31."),
        ({"step0_share": "połowa"}, "step0_share", SHARE),
        ({"step0_share": "0"}, "step0_share", SHARE),
        ({"step0_whom": "person"}, "step0_person", "Choose the person to tell."),
        ({"step1_share": "50", "step1_whom": "duty", "step1_channel": "sms"}, "step1_share",
         "The same rung stands above."),
        ({"month_cap": "130 %"}, "month_cap", "A share is at most 100 %."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_at_its_field(
    calendars: list[Calendar], typed_in: dict[str, str], field: str, sentence: str
) -> None:
    with translation.override("en"):
        bad = form(calendars, **typed_in)
        assert errors(bad) == {field: [sentence]}


def test_a_named_person_is_told_only_where_one_is_chosen(calendars: list[Calendar]) -> None:
    known = form(calendars)
    person, data = known.choices.people[0], dict(known.data)
    told = VersionForm(
        data | {"step0_whom": "person", "step0_person": str(person.pk)}, choices=known.choices, today=TODAY
    )
    assert told.is_valid(), told.errors
    assert told.steps[0] == StepSpec("reaction", 50, "person", "sms", person)
    astray = VersionForm(data | {"step0_person": str(person.pk)}, choices=known.choices, today=TODAY)
    assert errors(astray) == {"step0_person": ["This rung tells somebody else. Choose “named person”, or nobody."]}


def test_a_severity_more_is_two_rows_more(calendars: list[Calendar], monkeypatch: pytest.MonkeyPatch) -> None:
    own = rows.Row("P0_restore", "P0, naprawa", "P0", "restore")
    monkeypatch.setattr(terms, "target_rows", lambda: [*rows.target_rows(), own])
    good = form(calendars, P0_restore="1 h", P0_restore_hours=str(calendars[0].pk), P0_restore_rate="5 %")
    assert good.is_valid(), good.errors
    assert good.targets[-1] == TargetSpec("P0", "restore", 60, calendars[0], PenaltySpec(Decimal(5)))
    bad = VersionForm(dict(good.data) | {"P0_restore": "godzina"}, choices=good.choices, today=TODAY)
    assert [str(field.label) for field in bad if field.errors] == ["P0, naprawa"]


def test_every_rung_that_is_sent_is_read_and_a_flood_is_not(calendars: list[Calendar]) -> None:
    rung = {"target": "restore", "whom": "manager", "channel": "email"}
    many = {f"step{place}_{part}": value for place in range(70) for part, value in rung.items()}
    good = form(calendars, **many, **{f"step{place}_share": str(place + 1) for place in range(70)})
    assert good.is_valid(), good.errors
    assert [step.share for step in good.steps] == list(range(1, 61))


def test_a_ladder_without_shares_is_empty(calendars: list[Calendar]) -> None:
    bare = form(calendars, **{f"step{place}_share": "" for place in range(len(DEFAULT_LADDER))})
    assert bare.is_valid(), bare.errors
    assert bare.spec.steps == []


def test_a_target_knows_its_calendar_only_from_the_offered_ones(calendars: list[Calendar]) -> None:
    bad = form(calendars, P1_restore_hours="999999")
    assert set(bad.errors) == {"P1_restore_hours"}
    assert TargetSpec("P1", "restore", 240, calendars[0]) not in bad.targets
