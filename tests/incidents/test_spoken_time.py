"""Times as people type them are read kindly, and never lie in the future."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from incidents.forms.spoken_time import read_time
from tests import build

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("8:10", "2026-03-02 08:10"),
        ("8.10", "2026-03-02 08:10"),
        ("od 8", "2026-03-02 08:00"),
        ("ok. 9:05", "2026-03-02 09:05"),
        ("10:00", "2026-03-02 10:00"),
        ("17:30", "2026-03-01 17:30"),
        ("wczoraj 17:30", "2026-03-01 17:30"),
        ("17:30 yesterday", "2026-03-01 17:30"),
        ("przedwczoraj o 7", "2026-02-28 07:00"),
        ("piątek 16:00", "2026-02-27 16:00"),
        ("pon. 9:00", "2026-03-02 09:00"),
        ("w środę, 12:15", "2026-02-25 12:15"),
        ("28.02 22:00", "2026-02-28 22:00"),
        ("24.12.2025, 8:00", "2025-12-24 08:00"),
        ("31.12 23:59", "2025-12-31 23:59"),
        ("2026-03-01 08:10", "2026-03-01 08:10"),
    ],
)
def test_a_typed_time_is_understood(typed: str, meant: str) -> None:
    assert read_time(typed, build.MONDAY, WARSAW) == build.at(meant)


@pytest.mark.parametrize(
    "typed", ["rano", "25:00", "8:75", "dziś 17:30", "99.99 8:00", "2027-01-01 8:00", "", "jutro 9:00", "za 2 h"]
)
def test_what_is_no_time_of_the_past_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        read_time(typed, build.MONDAY, WARSAW)
