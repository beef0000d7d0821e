"""The times of a target for what begins outside some hours, as they are entered and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from contracts.calendar_text import never_closes
from contracts.models import Calendar, Target
from contracts.terms import calendar_week
from contracts.timed import TargetAlternative
from wording.refusals import Refused, as_refusal


@dataclass(frozen=True, slots=True)
class OtherTimeSpec:
    """The time of a target for what begins outside the hours of `outside`: minutes or, with a `reading`, days."""

    outside: Calendar
    minutes: int
    calendar: Calendar
    days: int = 0
    reading: str = ""


def add_alternatives(target: Target, times: Sequence[OtherTimeSpec]) -> None:
    """Raises Refused for hours that never close: nothing begins outside them."""
    for place, time in enumerate(times, 1):
        if never_closes(calendar_week(time.outside)):
            raise Refused(never_outside(time.outside), "outside")
        row = TargetAlternative(
            target=target,
            place=place,
            outside=time.outside,
            minutes=time.minutes,
            days=time.days,
            reading=time.reading,
            calendar=time.calendar,
        )
        with as_refusal():
            row.full_clean()
        row.save()


def never_outside(hours: Calendar) -> str:
    """Why another time can't be given for what begins outside these hours."""
    return _("“%(name)s” never closes: nothing begins outside it.") % {"name": hours.name}
