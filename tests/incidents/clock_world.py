"""A short way to write clock stories: `play("received P1 @10 09:00", "contact @10 09:10", now="10 12:00")`.

Days are those of March 2026 (the 10th is a Tuesday, the clocks change on the 29th), hours those of Warsaw.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.target_times import Hours, TargetTerms
from contracts.worktime import CalendarTerms, parse_calendar
from incidents.clock import escalation
from incidents.clock.clocks import Clock, Event, Terms, Timeline, clocks
from reports.verify.calendars import NAMED_CALENDARS

WARSAW = ZoneInfo("Europe/Warsaw")
ALWAYS, OFFICE, LONG = (
    parse_calendar(NAMED_CALENDARS[name], zone="Europe/Warsaw", holidays=POLISH_HOLIDAYS)
    for name in ("24_7", "MF_8_16", "DAILY_7_22")
)
MINUTE = 60


def target(minutes: int, calendar: CalendarTerms = OFFICE) -> TargetTerms:
    return TargetTerms(minutes * MINUTE, Hours(calendar))


P1 = (("reaction", target(30, ALWAYS)), ("restore", target(240, ALWAYS)), ("final_fix", target(2400)))
P2 = (("reaction", target(120)), ("restore", target(480)), ("final_fix", target(2400)))
P3 = (("reaction", target(480)), ("restore", target(1440)))
P4 = (("reaction", target(480)), ("restore", target(4800)))
SEVERITIES = (("P1", P1), ("P2", P2), ("P3", P3), ("P4", P4))


def terms(repair_starts: str = "report", reopen: str = "continue", **severities: object) -> Terms:
    named = tuple(severities.items()) if severities else SEVERITIES
    return Terms(repair_starts, reopen, named)  # type: ignore[arg-type]


STANDARD = terms()


def at(text: str) -> int:
    """`10 09:00` or `10 09:00:30`."""
    day, hour = text.split()
    return int(datetime.fromisoformat(f"2026-03-{day}T{hour}").replace(tzinfo=WARSAW).timestamp())


def event(text: str) -> Event:
    """`resolved @10 09:00 known 10 10:00`, `received P1 @…`, `paused client_answer @…`, `severity worse P1 @…`."""
    words, _, moment = text.partition(" @")
    kind, *more = words.split()
    moment, _, known = moment.partition(" known ")
    if known:
        return Event(at(moment), kind, told_at=at(known))
    if kind in {"paused", "resumed"}:
        return Event(at(moment), kind, reason=more[0])
    if kind == "severity":
        return Event(at(moment), kind, change=more[0], severity=more[1])
    return Event(at(moment), kind, severity="".join(more))


def events(*texts: str) -> list[Event]:
    return [event(text) for text in texts]


def play(*texts: str, now: str, by: Terms = STANDARD) -> dict[str, Clock]:
    return clocks(by, events(*texts), at(now))


def told(clock: Clock) -> str:
    """`running till 10 13:00, 60 left`: a clock in one line, in minutes."""
    figures = {"breached": f"{_minutes(clock.late)} late", "not_running": ""}.get(
        clock.state, f"{_minutes(clock.left)} left"
    )
    due = "" if clock.deadline is None else f" till {_short(clock.deadline)}"
    stands = "" if clock.seen_at is None else f", stands {_short(clock.seen_at)}"
    stop = "" if clock.stopped_at is None else f", stopped {_short(clock.stopped_at)}"
    lap = "" if clock.lap == 1 else f", lap {clock.lap}"
    return f"{clock.state}{due}{stop}{stands}{', ' if figures else ''}{figures}{lap}"


def _minutes(seconds: int) -> str:
    whole, rest = divmod(seconds, MINUTE)
    return f"{whole}:{rest:02}" if rest else str(whole)


def _short(moment: int) -> str:
    return datetime.fromtimestamp(moment, WARSAW).strftime("%d %H:%M")


def fired(*texts: str, now: str, shares: tuple[int, ...], name: str = "restore", by: Terms = STANDARD) -> list[str]:
    """`50 at 10 11:00`; a lap or round above the first is told."""
    steps = [escalation.Step(name, share) for share in shares]
    return [fired_told(found) for found in Timeline(by, events(*texts), at(now), steps).fired]


def fired_told(found: escalation.Fired) -> str:
    lap = f" lap {found.lap}" if found.lap > 1 else ""
    turn = f" round {found.round}" if found.round > 1 else ""
    mark = found.share if found.offset is None else f"{found.offset:+}"
    return f"{mark} at {_short(found.at)}{lap}{turn}"
