"""Poland's statutory holidays 2015–2060, as the law of each year has them (24 December from 2025)."""

from __future__ import annotations

from datetime import date

import holidays

# From before any contract of ours to longer than one lasts; the 46 years cost 75 ms at the start
FIRST_YEAR, LAST_YEAR = 2015, 2060


def _statutory() -> frozenset[date]:
    listed = holidays.country_holidays("PL", years=range(FIRST_YEAR, LAST_YEAR + 1))
    return frozenset(day for day in listed if (day.month, day.day) != (12, 24) or day.year >= 2025)


POLISH_HOLIDAYS: frozenset[date] = _statutory()
