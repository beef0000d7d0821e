"""When notice ends a contract: months by the Civil Code, and the last day on which it still does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notice import Notice, last_day_of_notice, months_after, notice


@pytest.mark.parametrize(
    ("given_on", "months", "ends"),
    [
        ("2026-03-02", 3, "2026-06-02"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 12, "2027-12-31"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-03-02", 0, "2026-03-02"),
    ],
)
def test_a_term_of_months_ends_on_the_day_of_its_date_or_the_month_s_last(
    given_on: str, months: int, ends: str
) -> None:
    assert months_after(date.fromisoformat(given_on), months) == date.fromisoformat(ends)


@pytest.mark.parametrize(
    ("ends_on", "months", "last"),
    [
        ("2026-12-31", 3, "2026-09-30"),
        ("2026-12-15", 3, "2026-09-15"),
        ("2027-02-28", 3, "2026-11-30"),
        ("2028-02-29", 3, "2027-11-30"),
        ("2028-02-28", 3, "2027-11-28"),
        ("2026-05-31", 3, "2026-02-28"),
        ("2026-03-30", 1, "2026-02-28"),
        ("2026-12-31", 0, "2026-12-31"),
    ],
)
def test_the_last_day_for_notice_still_ends_the_contract_by_its_end(ends_on: str, months: int, last: str) -> None:
    assert last_day_of_notice(date.fromisoformat(ends_on), months) == date.fromisoformat(last)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 36))
def test_notice_a_day_after_the_last_day_would_end_the_contract_too_late(ends_on: date, months: int) -> None:
    last = last_day_of_notice(ends_on, months)
    assert months_after(last, months) <= ends_on < months_after(last + timedelta(days=1), months)


def test_without_an_end_notice_always_ends_it() -> None:
    assert notice(3, None, date(2026, 3, 2)) == Notice(ends=date(2026, 6, 2), last_day=None)


def test_after_the_last_day_notice_ends_nothing_sooner() -> None:
    end = date(2026, 12, 31)
    assert notice(3, end, date(2026, 9, 30)) == Notice(ends=date(2026, 12, 30), last_day=date(2026, 9, 30))
    assert notice(3, end, date(2026, 10, 1)) == Notice(ends=None, last_day=date(2026, 9, 30))
