"""A target's times in words: `1 h, Mon–Fri 8–16; outside Mon–Fri 8–16: 4 h, round the clock`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from contracts.calendar_text import week_words
from contracts.models import Calendar
from contracts.terms import OtherTime, Time, calendar_week
from contracts.vocabulary import DayReading
from wording.words import span


class Times(Time, Protocol):
    """A target, stored or only typed so far."""

    @property
    def otherwise(self) -> Sequence[OtherTime]: ...


def working_days(days: int) -> str:
    """`3 working days`."""
    return ngettext("%(days)s working day", "%(days)s working days", days) % {"days": days}


def days_words(days: int, reading: str) -> str:
    """`3 working days`, `14 calendar days`."""
    if reading == DayReading.CALENDAR_DAYS:
        return ngettext("%(days)s calendar day", "%(days)s calendar days", days) % {"days": days}
    return working_days(days)


def length_words(time: Time, *, working: bool = False) -> str:
    """How long, as it stands in a sentence: `4 h`, `3 working days`."""
    return days_words(time.days, time.reading) if time.reading else span(time.minutes * 60, working=working)


def within_words(time: Time, *, working: bool = False) -> str:
    """How long, after "within": days in another case than they are counted in."""
    if not time.reading:
        return span(time.minutes * 60, working=working)
    facts = {"days": time.days}
    if time.reading == DayReading.CALENDAR_DAYS:
        return npgettext("within", "%(days)s calendar day", "%(days)s calendar days", time.days) % facts
    return npgettext("within", "%(days)s working day", "%(days)s working days", time.days) % facts


def ending_words(reading: str) -> str:
    """Where the last of some days ends; "" for a time of hours, and for calendar days, which end as the law says."""
    if reading == DayReading.CLOSE:
        return _("to the close")
    return _("to 24:00") if reading == DayReading.END_OF_DAY else ""


def exact_words(time: Time, *, working: bool = False) -> str:
    """The same with its end: `3 working days to the close`, as the form shows it too."""
    return f"{length_words(time, working=working)} {ending_words(time.reading)}".strip()


def week_of(calendar: Calendar) -> str:
    return week_words(calendar_week(calendar))


def time_words(time: Time, hours: Callable[[Calendar], str] = week_of) -> str:
    """With the hours in which it counts; calendar days count in all."""
    if time.reading == DayReading.CALENDAR_DAYS:
        return exact_words(time)
    return f"{exact_words(time)}, {hours(time.calendar)}"


def other_words(time: OtherTime, hours: Callable[[Calendar], str] = week_of) -> str:
    """The time of what begins outside some hours: `outside Mon–Fri 8–16: 4 h, round the clock`."""
    return _("outside %(hours)s: %(time)s") % {"hours": hours(time.outside), "time": time_words(time, hours)}


def target_words(target: Times) -> str:
    """All times of a target in one line."""
    return "; ".join([time_words(target), *(other_words(time) for time in target.otherwise)])
