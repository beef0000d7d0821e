"""What a contract says of announced work and of time without data: typed, stored by version, and told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from contracts.forms.contract import VersionForm, values_of
from contracts.forms.rows import FormChoices
from contracts.models import Calendar, ContractVersion
from contracts.vocabulary import MaintenanceMode
from monitoring.availability.maintenance import terms_of
from monitoring.availability.measure import Terms
from tests import build
from tests.contracts.test_contract_forms import errors, form
from tests.pages import text_of, visitor

pytestmark = pytest.mark.django_db
NAMES = ("maintenance", "maintenance_notice_hours", "maintenance_limit_minutes", "unknown_limit_minutes")
TYPED = {
    "maintenance": "in_total", "maintenance_notice": "48 h", "maintenance_limit": "7 h 30 min",
    "unknown_limit": "120 min",
}  # fmt: skip


@pytest.fixture
def calendars() -> list[Calendar]:
    return [build.round_the_clock(), build.office_hours()]


def terms_typed(calendars: list[Calendar], **typed_in: str) -> list[Any]:
    good = form(calendars, **typed_in)
    assert good.is_valid(), good.errors
    return [good.spec.terms[name] for name in NAMES]


def test_what_is_typed_becomes_the_terms_of_the_version(calendars: list[Calendar]) -> None:
    assert terms_typed(calendars, **TYPED) == ["in_total", 48, 450, 120]


def test_left_empty_nothing_is_limited_and_work_leaves_the_time_that_counts(calendars: list[Calendar]) -> None:
    assert terms_typed(calendars) == ["out_of_total", 0, None, None]


def test_a_limit_of_nothing_is_a_limit(calendars: list[Calendar]) -> None:
    assert terms_typed(calendars, maintenance_limit="0 min", unknown_limit="0 min")[2:] == [0, 0]


def test_a_notice_is_of_whole_hours(calendars: list[Calendar]) -> None:
    assert errors(form(calendars, maintenance_notice="90 min")) == {
        "maintenance_notice": ["Write whole hours, like 48 h."]
    }  # fmt: skip


def test_the_next_version_begins_with_the_same_terms() -> None:
    version = build.world(
        maintenance="in_total", maintenance_notice_hours=48, maintenance_limit_minutes=450, unknown_limit_minutes=0
    ).version
    begun = VersionForm(initial=values_of(version, [], []), choices=FormChoices([], []), today=build.MONDAY.date())
    assert {name: begun[name].value() for name in TYPED} == TYPED | {"unknown_limit": "0 min"}


def test_the_arithmetic_takes_every_term_in_seconds() -> None:
    version = ContractVersion(
        availability_target=Decimal("99.5"), minimum_outage_minutes=5, maintenance="in_total",
        maintenance_notice_hours=48, maintenance_limit_minutes=450, unknown_limit_minutes=120,
    )  # fmt: skip
    assert terms_of(version) == Terms(
        target=Decimal("99.5"), minimum_outage=300, mode=MaintenanceMode.IN_TOTAL, notice=172_800,
        maintenance_limit=27_000, unknown_limit=7200,
    )  # fmt: skip


def test_the_contracts_page_says_them_in_words() -> None:
    world = build.world(
        availability_target=Decimal("99.5"), maintenance_notice_hours=48, maintenance_limit_minutes=450,
        unknown_limit_minutes=120,
    )  # fmt: skip
    text = text_of(visitor(world.owner).get(f"/contracts/{world.version.contract.address}/"))
    assert (
        "Zapowiedziane okno serwisowe nie wchodzi do liczonego czasu. Zapowiadamy je najpóźniej 48 h wcześniej, "
        "inaczej niczego nie usprawiedliwia. W miesiącu najwyżej 7 h 30 min. Gdy w miesiącu jest więcej niż 2 h bez "
        "danych, nie ma oceny, póki obie strony jej nie uzgodnią."
    ) in text
