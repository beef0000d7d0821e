"""What the availability pages say: sentences, bars, rows and the explanation, all from the same measured figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import isqrt

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from contracts.penalty.rules import floored
from contracts.penalty.text import floored_percent
from contracts.planned import MaintenanceWindow
from contracts.terms import moment, seconds
from incidents.text.explanation import ExplanationRow, hms
from monitoring.availability import text as availability_words
from monitoring.availability.measure import (
    AvailabilityLine,
    MaintenanceLine,
    Measured,
    OutageLine,
    Period,
    Reason,
    TimeLine,
    Verdict,
)
from monitoring.availability.shops import ShopHistory
from monitoring.models import Outage, State
from monitoring.probe.specification import Result
from monitoring.sentences import sentence
from wording import words

DAYS = 90  # of the chart; for as long raw checks are kept (state/retention.py), so each bar can be looked into
EARLIER_MONTHS = 3  # a quarter beside the month in progress
# In the units of the chart: its height; the bar of the least and of the longest downtime. Between them the height grows
# with the square root, so that an hour is still seen beside a whole day.
BAR_TOP, BAR_LOW, BAR_HIGH = 72, 18, 66
# Shorter blind time than this leaves a day's bar as it is; the figures count every second.
GAP_SECONDS = 60


def headline(history: ShopHistory, now: datetime) -> str:
    """The state as a sentence, with since when where something is wrong."""
    state = history.state
    since = words.when(state.since, now, history.zone, "genitive", today=False) if state.since else ""
    if state.state == State.DOWN and state.is_reported:
        return _("Failure at %(shop)s since %(since)s") % {"shop": history.shop.name, "since": since}
    return str(_headline(state.state, is_dated=bool(since))) % {"shop": history.shop.name, "since": since}


def _headline(state: str, *, is_dated: bool) -> str:
    """`%(since)s` is an hour, or a day and an hour."""
    if state == State.UNKNOWN and not is_dated:
        return _("%(shop)s: we don't know, our check has no result")
    return {
        State.UP: _("%(shop)s works"),
        State.DEGRADED: _("%(shop)s works badly since %(since)s"),
        State.DOWN: _("%(shop)s does not work since %(since)s"),
        State.MAINTENANCE: _("%(shop)s: planned work since %(since)s"),
        State.UNKNOWN: _("%(shop)s: we don't know since %(since)s, our check has no result"),
        State.PAUSED: _("%(shop)s is not watched"),
    }[State(state)]


def first_of_month(day: date, back: int = 0) -> date:
    """The first of the month that lies so many months back."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def figure(measured: Measured) -> str:
    """`99,89 %`, floored; an honest range, `99,97–100 %`, where unknown time leaves the second decimal open."""
    if measured.low is None or measured.high is None:
        return _("no data")
    low, high = _percent(measured.low), _percent(measured.high)
    return f"{high}{words.NBSP}%" if low == high else f"{low}–{high}{words.NBSP}%"


def _percent(value: Fraction) -> str:
    return "100" if value == 1 else words.number(floored(value, 2), 2)


def verdict(measured: Measured) -> str:
    """`poniżej celu 99,95 %`; "" where there is nothing to judge by."""
    texts = {
        Verdict.KEPT: _("within the target of %(target)s"),
        Verdict.BELOW: _("below the target of %(target)s"),
        Verdict.UNDECIDED: _("no verdict before both sides settle the time without data, target %(target)s"),
    }
    return texts[measured.verdict] % {"target": target(measured)} if measured.verdict in texts else ""


def target(measured: Measured) -> str:
    if measured.target is None:
        return ""
    places = max(0, -int(measured.target.normalize().as_tuple().exponent))
    return words.percent(measured.target, places)


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """A month's figure as lists show it; `path` is the month in addresses."""

    first: date
    measured: Measured
    watched: bool

    @property
    def path(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def text(self) -> str:
        return figure(self.measured) if self.watched else _("not watched yet")

    @property
    def verdict(self) -> str:
        return verdict(self.measured) if self.watched else ""

    @property
    def target(self) -> str:
        return target(self.measured)

    @property
    def is_below(self) -> bool:
        return self.measured.verdict is Verdict.BELOW

    @property
    def is_undecided(self) -> bool:
        """More time without data than the contract allows: only both sides can say what the month was."""
        return self.watched and self.measured.verdict is Verdict.UNDECIDED

    @property
    def unknown(self) -> str:
        """The time without data, "" where there was none."""
        return availability_words.time_span(self.measured.unknown) if self.measured.unknown else ""


def month_figure(history: ShopHistory, first: date) -> MonthFigure:
    period = history.month(first)
    return MonthFigure(first, history.measure(period), history.was_watched(period))


@dataclass(frozen=True, slots=True)
class Budget:
    """The downtime that the month allows, whole minutes and seconds; `share` in per cent, at most 100."""

    used: str
    allowed: str
    left: str
    over: str
    share: int


def budget_of(history: ShopHistory, month: MonthFigure) -> Budget | None:
    """Against the whole month's budget, as promised; None where nothing is promised or measured."""
    measured = month.measured
    if measured.target is None or not month.watched:
        return None
    period = history.month(month.first)
    allowed = (period.end - period.start) * (1 - Fraction(measured.target) / 100)
    left = allowed - measured.down
    share = int(min(Fraction(100), measured.down * 100 / allowed)) if allowed else 100 * bool(measured.down)
    span = availability_words.time_span
    shown = words.bare_span(int(allowed), seconds_shown=True)
    over = span(-left) if left < 0 else ""
    return Budget(
        span(measured.down), shown, "" if over else words.bare_span(int(left), seconds_shown=True), over, share
    )


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of the chart. `kind`: up, down, gap (no data), plan (planned work) or none (not watched)."""

    date: date
    kind: str
    x: int
    height: int
    measured: Measured | None

    @property
    def y(self) -> int:
        return BAR_TOP - self.height

    @property
    def text(self) -> str:
        return figure(self.measured) if self.measured else _("not watched yet")

    @property
    def down(self) -> str:
        return availability_words.time_span(self.measured.down) if self.measured and self.measured.down else ""

    @property
    def unknown(self) -> str:
        return availability_words.time_span(self.measured.unknown) if self.measured and self.measured.unknown else ""

    @property
    def planned(self) -> str:
        taken = (
            sum(line.taken for line in self.measured.lines if isinstance(line, MaintenanceLine)) if self.measured else 0
        )
        return availability_words.time_span(taken) if taken else ""


# Of days without downtime; a gap is higher than a good day, for nobody knows what happened in it
HEIGHTS = {"up": 10, "gap": 26, "plan": 18, "none": 0}


def days(history: ShopHistory) -> list[Day]:
    """The last 90 days, the oldest first; the longest downtime has the highest bar."""
    dates = [history.today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    measured = [_measured_day(history, day) for day in dates]
    longest = max((int(measured_day.down) for measured_day in measured if measured_day), default=0)
    return [
        _day(day, place, measured_day, longest)
        for place, (day, measured_day) in enumerate(zip(dates, measured, strict=True))
    ]


def _measured_day(history: ShopHistory, day: date) -> Measured | None:
    period = history.day(day)
    return history.measure(period) if history.was_watched(period) else None


def _day(day: date, place: int, measured: Measured | None, longest: int) -> Day:
    kind = _kind(measured)
    height = HEIGHTS.get(kind, 0)
    if kind == "down" and measured:
        height = BAR_LOW + isqrt((BAR_HIGH - BAR_LOW) ** 2 * int(measured.down) // max(longest, 1))
    return Day(day, kind, place * 10 + 1, height, measured)


def _kind(measured: Measured | None) -> str:
    if measured is None:
        return "none"
    if measured.down:
        return "down"
    if measured.unknown >= GAP_SECONDS:
        return "gap"
    planned = any(line.taken for line in measured.lines if isinstance(line, MaintenanceLine))
    return "plan" if planned else "up"


def caption(shown: Sequence[Day]) -> str:
    """The chart's finding: how many days were not whole."""
    down = sum(day.kind == "down" for day in shown)
    gaps = sum(day.kind == "gap" for day in shown)
    text = ngettext("Last 90 days: %(n)s day with downtime", "Last 90 days: %(n)s days with downtime", down) % {
        "n": down
    }
    text = text if down else _("Last 90 days: no downtime")
    if gaps:
        text += ", " + ngettext("%(n)s day with no data", "%(n)s days with no data", gaps) % {"n": gaps}
    return f"{text}."


@dataclass(frozen=True, slots=True)
class Failure:
    """A row of the table: an outage, or planned work."""

    start: datetime
    end: datetime | None
    length: str
    counts: str
    reason: str
    same_day: bool
    nrs: tuple[str, ...] = ()


def failures(history: ShopHistory, measured: Measured) -> list[Failure]:
    """The month's outages and planned work, the newest first, each with whether it counts and why not."""
    lines = [line for line in measured.lines if isinstance(line, OutageLine)]
    inside = [outage for outage in history.outages if _touches(history, outage, measured.period)]
    inside.sort(key=lambda outage: (seconds(outage.started_at), history.end_of(outage)))
    rows = [_outage(history, outage, line) for outage, line in zip(inside, lines, strict=True)]
    planned = [line for line in measured.lines if isinstance(line, MaintenanceLine)]
    rows += [
        _planned(window, planned, history.zone) for window in history.windows if _in_period(window, measured.period)
    ]
    return sorted(rows, key=lambda row: row.start, reverse=True)


def _touches(history: ShopHistory, outage: Outage, period: Period) -> bool:
    return seconds(outage.started_at) < period.end and history.end_of(outage) > period.start


def _in_period(window: MaintenanceWindow, period: Period) -> bool:
    return seconds(window.starts_at) < period.end and seconds(window.until) > period.start


def _outage(history: ShopHistory, outage: Outage, line: OutageLine) -> Failure:
    length = history.end_of(outage) - seconds(outage.started_at)
    return Failure(
        start=outage.started_at,
        end=outage.ended_at,
        length=words.bare_span(length),
        counts=_counts(line, length),
        reason=cause(outage),
        same_day=_same_day(outage.started_at, outage.ended_at, history.zone),
        nrs=tuple(incident.nr for incident in outage.incidents),
    )


def _counts(line: OutageLine, length: int) -> str:
    if line.reason is Reason.TOO_SHORT:
        return _("no, shorter than the contract counts")
    if not line.counted:
        return _("no, inside planned work or time without data")
    if line.counted < length:
        return _("partly, %(span)s") % {"span": words.bare_span(line.counted)}
    return pgettext("counts", "yes")


def cause(outage: Outage) -> str:
    """What the confirming check saw, in the reader's language."""
    return sentence(Result.from_json(outage.evidence), (get_language() or "pl")[:2])


def _same_day(start: datetime, end: datetime | None, zone: str) -> bool:
    local = words.as_zone(zone)
    return end is not None and start.astimezone(local).date() == end.astimezone(local).date()


def _planned(window: MaintenanceWindow, lines: Sequence[MaintenanceLine], zone: str) -> Failure:
    start, end = seconds(window.starts_at), seconds(window.until)
    reasons = {line.reason for line in lines if start <= line.start and line.end <= end}
    return Failure(
        start=window.starts_at,
        end=window.until,
        length=words.bare_span(end - start),
        counts=_excused(reasons),
        reason=window.note,
        same_day=_same_day(window.starts_at, window.until, zone),
    )


def _excused(reasons: set[Reason]) -> str:
    """Whether a failure inside planned work counts as downtime."""
    if Reason.SHORT_NOTICE in reasons:
        return _("yes, announced too late")
    if Reason.OVER_LIMIT not in reasons:
        return _("no, planned work")
    return _("partly, over the month's limit") if Reason.COUNTS in reasons else _("yes, over the month's limit")


def explanation(measured: Measured, zone: str) -> list[ExplanationRow]:
    """The figure line by line: what it adds to the time that counts, then what of it was down, then the result."""
    return list(_rows(measured, zone))


def _rows(measured: Measured, zone: str) -> Iterator[ExplanationRow]:
    *lines, last = measured.lines
    outages = [line for line in lines if isinstance(line, OutageLine)]
    for line in lines:
        if not isinstance(line, OutageLine):
            yield _row(line, zone, _signed(line.seconds), "" if line.seconds > 0 else "off")
    yield ExplanationRow("mid", "", _("Time that counts"), hms(measured.known_time))
    for line in outages:
        yield _row(line, zone, hms(_up(line.down)), "" if line.down else "off")
    yield ExplanationRow("mid", "", _("Down in all"), hms(_up(measured.down)))
    assert isinstance(last, AvailabilityLine)
    yield ExplanationRow("sum", "", availability_words.sentence(last, zone), _four(measured))


def _row(line: TimeLine, zone: str, amount: str, style: str) -> ExplanationRow:
    start = getattr(line, "start", None)
    local = words.day(moment(start).astimezone(words.as_zone(zone)).date(), moment(start).date()) if start else ""
    return ExplanationRow(style, local, availability_words.sentence(line, zone), amount)


def _up(down: Fraction) -> int:
    """Whole seconds; a part of one (weighted downtime) counts up, so that nothing down is hidden."""
    return int(-(-down // 1))


def _signed(span: int) -> str:
    return f"−{hms(span)}" if span < 0 else hms(span)


def _four(measured: Measured) -> str:
    value = measured.availability
    return _("no data") if value is None else floored_percent(value)


def unknown_note(measured: Measured) -> str:
    """Why the figure is a range: "" where every second is known."""
    if not measured.unknown or measured.low is None or measured.high is None:
        return ""
    facts = {
        "unknown": availability_words.time_span(measured.unknown),
        "low": floored_percent(measured.low),
        "high": floored_percent(measured.high),
    }
    return _("%(unknown)s without data: %(low)s if the shop was down then, %(high)s if it worked.") % facts
