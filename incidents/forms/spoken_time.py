"""When did it begin? Times as people type them: "8:10", "wczoraj 17:30", "pon. 9", "24.11 8:10"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOUR = re.compile(r"(?<![\d.:])(\d{1,2})(?:[:.h](\d{2}))?(?![\d.:])")
FULL_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
SHORT_DATE = re.compile(r"\b(\d{1,2})\.(\d{1,2})(?:\.(\d{4})?)?(?=\s|,|$)")
DAYS_AGO = {"dziś": 0, "dzisiaj": 0, "today": 0, "wczoraj": 1, "yesterday": 1, "przedwczoraj": 2}
FIRST_YEAR = 2000  # an earlier one is no failure of a shop, and the first of all has no hour before it in UTC
STILL_TO_COME = frozenset({"jutro", "pojutrze", "tomorrow", "zaraz", "za"})
# The first letters of a weekday in either language
WEEKDAYS = (
    ("pon", "mon"),
    ("wt", "tue"),
    ("śr", "sr", "wed"),
    ("czw", "thu"),
    ("pt", "pią", "pia", "fri"),
    ("sob", "sat"),
    ("niedz", "nd", "sun"),
)


def read_time(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The instant meant, in UTC, never after `now`: a bare hour that is still to come was yesterday's.

    Raises ValueError where no time of the past can be read.
    """
    words, today = text.strip().lower(), now.astimezone(zone).date()
    day, rest = _day(words, today)
    if day is not None and day.year < FIRST_YEAR:
        raise ValueError(text)
    at = _hour(rest)
    meant = _local(day or today, at, zone)
    if day is None and meant > now:
        meant = _local(today - timedelta(days=1), at, zone)
    if meant > now:
        raise ValueError(text)
    return meant


def _local(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _day(words: str, today: date) -> tuple[date | None, str]:
    """The day that is named, and the text without it."""
    if match := FULL_DATE.search(words):
        return date(*map(int, match.groups())), words.replace(match[0], " ")
    named = re.findall(r"[^\W\d]+", words)
    if STILL_TO_COME.intersection(named):
        raise ValueError(words)
    for word in named:
        if word in DAYS_AGO:
            return today - timedelta(days=DAYS_AGO[word]), words.replace(word, " ", 1)
        if (ago := _weekday(word, today)) is not None:
            return today - timedelta(days=ago), words.replace(word, " ", 1)
    return _short_date(words, today)


def _weekday(word: str, today: date) -> int | None:
    """How many days ago this weekday was; today's own name means today."""
    numbers = [number for number, starts in enumerate(WEEKDAYS) if word.startswith(starts)]
    return (today.weekday() - numbers[0]) % 7 if numbers else None


def _short_date(words: str, today: date) -> tuple[date | None, str]:
    """`24.11`, `24.11.2026`; where no hour would be left, `8.10` is an hour."""
    match = SHORT_DATE.search(words)
    rest = words.replace(match[0], " ", 1) if match else words
    if match is None or not HOUR.search(rest):
        return None, words
    day, month, year = int(match[1]), int(match[2]), int(match[3] or today.year)
    meant = date(year, month, day)
    return (meant if match[3] or meant <= today else date(year - 1, month, day)), rest


def _hour(words: str) -> time:
    match = HOUR.search(words)
    if match is None:
        raise ValueError(words)
    return time(int(match[1]), int(match[2] or 0))
