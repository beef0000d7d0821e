"""The explanation of a deadline as people read it: rows and an axis from the clock's own trace, nothing anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contracts.calendar_text import week_words
from contracts.models import Severity, TargetKind
from contracts.terms import moment, seconds
from contracts.time_text import days_words, ending_words
from incidents.choices import PauseReason
from incidents.clock.clocks import Clock, TraceLine
from wording import words

CHANGES = {
    "start": gettext_noop("The clock starts: %(severity)s, %(target)s within %(span)s"),
    "provisional": gettext_noop(
        "From the first contact, until somebody starts work: %(severity)s, %(target)s within %(span)s"
    ),
    "work_started": gettext_noop("Work starts, the clock counts from here: %(severity)s, %(target)s within %(span)s"),
    "worse": gettext_noop("It got worse: %(severity)s, %(span)s from here"),
    "downgrade": gettext_noop("Milder, agreed with the client: %(severity)s, %(span)s from the clock's start"),
    "correction": gettext_noop("Classified wrongly before: %(severity)s, %(span)s from the clock's start"),
}
CHOSEN = {
    True: gettext_noop("It starts within %(hours)s: the time for these hours counts"),
    False: gettext_noop("It starts outside %(hours)s: the other time counts"),
}
OTHERS = {
    "decides": gettext_noop("The deadline of %(severity)s decides"),
    "before_work": gettext_noop("From the first contact to the start of work: not counted"),
    "wait": gettext_noop("Out of hours, the clock waits for the opening"),
    "worked": gettext_noop("Time that counts"),
    "pause": gettext_noop("Paused, %(reason)s: not counted"),
    "handover": gettext_noop("Between the delivery and its rejection: not counted"),
    "seen": gettext_noop("Our monitor saw it work until it failed again: not counted"),
    "stands": gettext_noop("Our monitor sees it work, the clock stands"),
    "deadline": gettext_noop("Deadline"),
    "late": gettext_noop("After the deadline"),
    "pause_late": gettext_noop("A pause after the deadline shortens no delay by itself"),
    "stop": gettext_noop("The clock stops"),
}
CANCELLED = {
    "severity": gettext_noop("The clock is cancelled: the new severity has no such time"),
    "rejected": gettext_noop("The clock is cancelled: the workaround was sent back, the repair's time goes on"),
    "cancelled": gettext_noop("The clock is cancelled: the report was withdrawn"),
    "merged_into": gettext_noop("The clock is cancelled: merged into another incident"),
}
RESULTS = {
    "running": gettext_noop("Left"),
    "paused": gettext_noop("Left while paused"),
    "seen_working": gettext_noop("Left while the monitor sees it work"),
    "met": gettext_noop("Met, time to spare"),
    "breached": gettext_noop("Delay"),
    "not_running": gettext_noop("Left when it was cancelled"),
}
STYLES = {
    "clock_cancelled": "mid",
    "before_work": "off",
    "wait": "off",
    "pause": "off",
    "handover": "off",
    "seen": "off",
    "pause_late": "off",
    "deadline": "mid",
    "late": "late",
}
BARS = {
    "wait": "rest",
    "worked": "counts",
    "pause": "waits",
    "handover": "waits",
    "seen": "waits",
    "late": "over",
    "pause_late": "over",
}


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """`time` and `figure` may be empty; `style` is the row's class: off, mid, late, sum or none."""

    style: str
    time: str
    sentence: str
    figure: str


def hms(span: int) -> str:
    """`3:32:05`: how an explanation writes a span, to the second."""
    hours, rest = divmod(abs(span), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def explanation_rows(clock: Clock, *, zone: str, day: date | None = None) -> list[ExplanationRow]:
    """One row a trace line; the last, under a double rule, is the result. `day`: what the page says above, so that
    hours of that day stand without it.
    """
    if not clock.trace:
        return []
    *steps, result = clock.trace
    rows = [row for line in steps for row in (_row(line, clock, zone, day), *_chosen(line))]
    return [
        *rows,
        ExplanationRow("sum", _time(result.at, zone, day), _(RESULTS[result.kind]), hms(result.seconds)),
    ]


def _row(line: TraceLine, clock: Clock, zone: str, day: date | None) -> ExplanationRow:
    facts = {
        "severity": f"{line.detail} {Severity(line.detail).label}" if line.detail in Severity.values else "",
        "target": TargetKind(clock.target).label,
        "span": _length(line),
        "reason": PauseReason(line.detail).label if line.detail in PauseReason.values else "",
    }
    msgid = CANCELLED[line.detail] if line.kind == "clock_cancelled" else CHANGES.get(line.kind) or OTHERS[line.kind]
    sentence = _(msgid) % facts
    if line.kind in CHANGES and line.until is not None:
        until = _time(line.until, zone, day)
        sentence = _("%(what)s: by %(until)s") % {"what": sentence, "until": until}
    return ExplanationRow(STYLES.get(line.kind, ""), _hours(line, zone, day), sentence, _figure(line))


def _chosen(line: TraceLine) -> list[ExplanationRow]:
    """Which of several times of the target it is, and why; nothing where it has one."""
    if line.kind not in CHANGES or line.choice.decided_by is None:
        return []
    sentence = _(CHOSEN[line.choice.within]) % {"hours": week_words(line.choice.decided_by)}
    return [ExplanationRow("off", "", sentence, "")]


def _length(line: TraceLine) -> str:
    """The target's time; days with the working hours that they are from the start."""
    days = line.choice.days
    if line.kind not in CHANGES or days is None:
        return hms(line.seconds)
    words_of = (days_words(days.days, days.reading), ending_words(days.reading), f"({hms(line.seconds)})")
    return " ".join(word for word in words_of if word)


def _figure(line: TraceLine) -> str:
    """The target, less what was worked, is what is left; a span in brackets changes nothing."""
    if line.kind in {"before_work", "decides", "wait", "pause_late", "stands", "stop", "clock_cancelled"}:
        return ""
    span = hms(line.seconds)
    if line.kind in {"pause", "handover", "seen"}:
        return f"({span})"
    return f"− {span}" if line.kind == "worked" else span


def _hours(line: TraceLine, zone: str, day: date | None) -> str:
    if line.kind in CHANGES or line.until is None:
        return _time(line.at, zone, day)
    until = moment(line.until)
    same_day = moment(line.at).astimezone(words.as_zone(zone)).date() == until.astimezone(words.as_zone(zone)).date()
    end = words.clock_time(until, zone, seconds=True) if same_day else _time(line.until, zone, day)
    return f"{_time(line.at, zone, day)}–{end}"


def _time(instant: int, zone: str, day: date | None = None) -> str:
    """With its whole date, for it is evidence; a line breaks only between the date and the hour."""
    hour, own_day = words.clock_time(moment(instant), zone, seconds=True), words.local_day(moment(instant), zone)
    return hour if own_day == day else f"{words.short_date(own_day)}, {hour}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One span of the axis; `x` and `width` are per cent with two places."""

    style: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The clock on one line from its start to the last instant known: bars, the deadline, and now or the stop."""

    bars: list[Bar]
    start: str
    deadline: str
    deadline_x: str
    deadline_anchor: str
    last: str
    last_x: str
    last_anchor: str
    label: str


def axis(clock: Clock, *, zone: str, now: datetime, day: date | None = None) -> Axis | None:
    """`day` as above. None where there is nothing to draw: no deadline, or no length."""
    if clock.started_at is None or clock.deadline is None:
        return None
    at = seconds(now) if clock.stopped_at is None else clock.stopped_at
    first, last = clock.started_at, max(clock.deadline, at)
    if last <= first:
        return None
    spans = [line for line in clock.trace if line.kind in BARS and line.until is not None and line.until > first]
    bars = [_bar(BARS[line.kind], line.at, line.until or line.at, first, last) for line in spans]
    if at < clock.deadline:
        bars.append(_bar("rest", at, clock.deadline, first, last))
    name = _("stop") if clock.stopped_at is not None else _("now")
    start, due = (_time(instant, zone, day) for instant in (first, clock.deadline))
    shown = _time(at, zone, day)
    label = [_time(instant, zone) for instant in (first, clock.deadline, at)]
    facts = {"start": label[0], "deadline": label[1], "at": f"{name} {label[2]}"}
    return Axis(
        bars,
        _("%(time)s start") % {"time": start},
        _("%(time)s deadline") % {"time": due},
        _place(clock.deadline, first, last),
        _side(clock.deadline, first, last),
        f"{shown} {name}",
        _place(at, first, last),
        _anchor(at, first, last),
        _("Time axis: start %(start)s, deadline %(deadline)s, %(at)s") % facts,
    )


def _bar(style: str, begin: int, end: int, first: int, last: int) -> Bar:
    begin = max(begin, first)
    return Bar(style, _place(begin, first, last), _place(end - begin + first, first, last))


def _anchor(instant: int, first: int, last: int) -> str:
    """Which end of a label stands at its mark, so that it stays on the axis."""
    part = (instant - first) * 100 // (last - first)
    return "start" if part < 15 else "end" if part > 85 else "middle"


def _side(instant: int, first: int, last: int) -> str:
    """The half of the axis decides on which side of its mark a label stands."""
    return "end" if 2 * (instant - first) > last - first else "start"


def _place(instant: int, first: int, last: int) -> str:
    """Hundredths of a per cent by integers, as SVG reads them."""
    part = (instant - first) * 10_000 // (last - first)
    return f"{part // 100}.{part % 100:02d}%"
