"""When notice ends a contract. Pure.

A term of months ends on the day that bears the date of its first day; where the last month has no such day, on its last
(Polish Civil Code, article 112). So notice of one month given on 31 January ends the contract on 28 February.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Notice:
    """What notice can still do, read on some day.

    `ends`: the contract's last day if notice is given that day; None where it runs out no later by itself.
    `last_day`: the last day on which notice still ends it no later than its own end; None without an end.
    """

    ends: date | None
    last_day: date | None


def months_after(day: date, months: int) -> date:
    """The last day of a term of so many months that begins on `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day_of_notice(ends_on: date, months: int) -> date:
    """The last day whose notice ends the contract on `ends_on` at the latest."""
    year, month = divmod(ends_on.year * 12 + ends_on.month - 1 - months, 12)
    first = date(year, month + 1, 1)
    days = [first + timedelta(days=number) for number in range(monthrange(first.year, first.month)[1])]
    return max(day for day in days if months_after(day, months) <= ends_on)


def notice(months: int, ends_on: date | None, today: date) -> Notice:
    ends = months_after(today, months)
    if ends_on is None:
        return Notice(ends, None)
    last = last_day_of_notice(ends_on, months)
    return Notice(ends if today <= last else None, last)
