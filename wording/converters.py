"""Parts of addresses that every room reads alike."""

from __future__ import annotations

from datetime import date


class MonthConverter:
    """A month of this century, such as 2026-03, as its first day; no arithmetic of days leaves the calendar there."""

    regex = r"20[0-9]{2}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date | str) -> str:
        return value if isinstance(value, str) else f"{value:%Y-%m}"
