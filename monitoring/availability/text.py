"""Availability in sentences of the active language: its explanation line by line, figure, budget and pace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from functools import singledispatch

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from contracts.penalty.text import floored_percent
from monitoring.availability.measure import (
    AvailabilityLine,
    MaintenanceLine,
    Measured,
    OutageLine,
    OutsideHoursLine,
    PeriodLine,
    Reason,
    Settled,
    TimeLine,
    UnknownLine,
    Verdict,
)
from monitoring.availability.periods import Pace, PartLine
from wording.words import bare_span, figure, full_time, share

VERDICTS: dict[Verdict, Promise] = {
    Verdict.KEPT: gettext_lazy("kept"),
    Verdict.BELOW: gettext_lazy("below"),
    Verdict.UNDECIDED: gettext_lazy("no verdict before both sides settle the time without data"),
}
SETTLED: dict[Settled, Promise] = {
    Settled.LEFT_OUT: gettext_lazy("No data from %(start)s: %(span)s is left out"),
    Settled.UP: gettext_lazy("No data from %(start)s: %(span)s, settled as up"),
    Settled.DOWN: gettext_lazy("No data from %(start)s: %(span)s, settled as down"),
}
MAINTENANCE: dict[Reason, Promise] = {
    Reason.COUNTS: gettext_lazy("Announced maintenance from %(start)s: %(span)s counts as up"),
    Reason.SHORT_NOTICE: gettext_lazy("Maintenance from %(start)s was announced too late and is ordinary time"),
    Reason.OVER_LIMIT: gettext_lazy("Maintenance from %(start)s exceeds the agreed limit and is ordinary time"),
}
OUTAGES: dict[Reason, Promise] = {
    Reason.COUNTS: gettext_lazy("Down from %(start)s to %(end)s: %(span)s"),
    Reason.TOO_SHORT: gettext_lazy("Down from %(start)s to %(end)s: too short to count"),
    Reason.NOT_COUNTED_TIME: gettext_lazy("Down from %(start)s to %(end)s: in time that doesn't count"),
}


def time_span(seconds: Fraction | int) -> str:
    """To the second; a part of one (weighted downtime) counts up, so that nothing down is hidden."""
    return bare_span(int(-(-seconds // 1)), seconds_shown=True)


def sentences(lines: Iterable[TimeLine], zone: str) -> list[str]:
    """Every line of an explanation as a sentence, in order, with its instants in the contract's zone."""
    return [sentence(line, zone) for line in lines]


def _ends(zone: str, start: int, end: int, seconds: Fraction | int) -> dict[str, str]:
    first, last = (full_time(datetime.fromtimestamp(instant, UTC), zone) for instant in (start, end))
    return {"start": first, "end": last, "span": time_span(seconds)}


@singledispatch
def sentence(line: TimeLine, zone: str) -> str:
    """One line in words. TypeError for a line that nobody has given words."""
    raise TypeError(f"no words for {type(line).__name__}")


@sentence.register
def _(line: PeriodLine, zone: str) -> str:
    return gettext("From %(start)s to %(end)s: %(span)s") % _ends(zone, line.start, line.end, line.seconds)


@sentence.register
def _(line: OutsideHoursLine, zone: str) -> str:
    return gettext("Outside the service hours: minus %(span)s") % {"span": time_span(line.taken)}


@sentence.register
def _(line: MaintenanceLine, zone: str) -> str:
    facts = _ends(zone, line.start, line.end, line.taken)
    if line.left_out:
        return gettext("Announced maintenance from %(start)s: minus %(span)s") % facts
    return str(MAINTENANCE[line.reason]) % facts


@sentence.register
def _(line: UnknownLine, zone: str) -> str:
    return str(SETTLED[line.settled]) % _ends(zone, line.start, line.end, line.taken)


@sentence.register
def _(line: OutageLine, zone: str) -> str:
    text = str(OUTAGES[line.reason]) % _ends(zone, line.start, line.end, line.counted)
    if line.reason is not Reason.COUNTS or line.weight == 1:
        return text
    weighted = {"weight": share(line.weight * 100), "down": time_span(line.down)}
    return text + " " + gettext("× %(weight)s = %(down)s") % weighted


@sentence.register
def _(line: PartLine, zone: str) -> str:
    facts = _ends(zone, line.start, line.end, line.known_time) | {"down": time_span(line.downtime)}
    return gettext("From %(start)s to %(end)s: %(span)s measured, %(down)s down") % facts


@sentence.register
def _(line: AvailabilityLine, zone: str) -> str:
    if line.availability is None:
        return gettext("No data: neither up nor down")
    facts = {
        "down": time_span(line.downtime),
        "known": time_span(line.known_time),
        "availability": floored_percent(line.availability),
    }
    text = gettext("%(down)s down of %(known)s: availability %(availability)s") % facts
    return text if line.target is None else f"{text}, {_judged(line)}"


def _judged(line: AvailabilityLine) -> str:
    goal = gettext("promised %(target)s") % {"target": share(line.target or Fraction(0))}
    return f"{goal}: {VERDICTS[line.verdict]}"


def availability(measured: Measured) -> str:
    """`99,9004 %`; an honest range where some time is unknown; `no data` where nothing was measured. Floored."""
    if measured.low is None or measured.high is None:
        return gettext("no data")
    if measured.unknown == 0:
        return floored_percent(measured.high)
    return gettext("%(low)s to %(high)s") % {
        "low": floored_percent(measured.low),
        "high": floored_percent(measured.high),
    }


def error_budget(measured: Measured) -> str:
    """What is left of the allowed downtime, or by how much it is exceeded. AvailabilityError without a target."""
    facts = {"allowed": _floored_span(measured.allowed)}
    if measured.budget_left < 0:
        facts["over"] = time_span(-measured.budget_left)
        return gettext("%(allowed)s of downtime is allowed, exceeded by %(over)s") % facts
    facts["left"] = _floored_span(measured.budget_left)
    return gettext("%(allowed)s of downtime is allowed, %(left)s left") % facts


def _floored_span(seconds: Fraction) -> str:
    return bare_span(int(seconds), seconds_shown=True)


def pace_words(pace: Pace) -> str:
    """How fast the budget of a month in progress goes."""
    if pace.burn_rate is None:
        return gettext("no data")
    rate = {"rate": figure(Fraction(int(pace.burn_rate * 100), 100))}
    if pace.lasts is None:
        return gettext("No downtime so far")
    if pace.burn_rate > 1:
        return gettext("The budget is used at %(rate)s × the allowed pace") % rate
    used = {"used": share(Fraction(int(pace.burn_rate * 100)))}
    return gettext("At this pace %(used)s of the budget is used by the end") % used
