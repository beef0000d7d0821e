"""The measures of `make bench`; each returns rows (what, figure, what is wanted)."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from statistics import median
from unittest import mock
from urllib.parse import urlencode

import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from accounts import limits
from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.worktime import WorkCalendar, parse_calendar, work_calendar
from incidents import journal, lifecycle, reporting
from incidents.anchors import Anchor, AnchorLeaf
from incidents.events import Kind
from incidents.models import Breach, Incident
from incidents.sweeps import sweep_clocks
from messaging import heartbeat
from reports.anchor import make as anchor
from reports.anchor import proof as anchor_proof
from sla_portal import database
from tests import bench_money, build
from tests.bench import checks, phone, rendering
from tests.bench.rows import copy_in, talk

Figure = tuple[str, str, str]


def per_call(act: Callable[[], object], calls: int) -> float:
    """Microseconds a call, the best of five rounds: what the code costs when nothing else runs."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(calls):
            act()
        rounds.append(time.perf_counter() - started)
    return min(rounds) / calls * 1e6


def office() -> WorkCalendar:
    week = {"weekly": {"mon-fri": [["08:00", "16:00"]]}, "statutory_holidays_closed": True}
    return work_calendar(parse_calendar(week, zone="Europe/Warsaw", holidays=POLISH_HOLIDAYS))


def deadlines() -> list[Figure]:
    calendar, start = office(), int(datetime(2026, 3, 10, 9, tzinfo=UTC).timestamp())
    spans = {"an hour": 3600, "40 hours": 144_000, "a year of work": 250 * 8 * 3600}
    calendar.add(start, 300 * 8 * 3600)
    return [_deadline(name, calendar, start, span) for name, span in spans.items()]


def _deadline(name: str, calendar: WorkCalendar, start: int, span: int) -> Figure:
    took = per_call(lambda: calendar.add(start, span), 20_000)
    return f"deadline, {name}, warm calendar", f"{took:.2f} µs", "≤ 5 µs"


def money() -> list[Figure]:
    """A penalty with its account, and a month of availability."""
    return [(name, f"{took} µs", f"≤ {limit} µs") for name, (took, limit) in bench_money.figures().items()]


def allowances() -> list[Figure]:
    """One question to the limiter, on one connection that nothing else uses."""
    empty_database()
    at, hour = timezone.now(), timedelta(hours=1)
    through = per_call(lambda: limits.take("bench through", allowed=10**6, per=hour, at=at), 300)
    limits.take("bench refused", allowed=1, per=hour, at=at)
    refused = per_call(lambda: limits.take("bench refused", allowed=1, per=hour, at=at), 300)
    return [
        ("the limiter, let through", f"{through / 1000:.2f} ms", "≤ 1 ms"),
        ("the limiter, refused", f"{refused / 1000:.2f} ms", "≤ 2 ms"),
    ]


def shop_checks() -> list[Figure]:
    """One page of 20 KiB over a fresh connection, judged."""
    loop, judge = checks.figures()
    return [
        ("a check, CPU of the event loop", f"{loop} µs", "≤ 1500 µs"),
        ("a check, CPU of the judge process", f"{judge} µs", "≤ 1500 µs"),
    ]


def empty_database() -> None:
    """By the owner; what is measured afterwards works as the product's role."""
    call_command("roles", stdout=StringIO())
    call_command("migrate", verbosity=0, interactive=False)
    with database.as_owner():
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # else history refuses to be emptied
        call_command("flush", verbosity=0, interactive=False)


def analyze() -> None:
    with database.as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def sweep() -> list[Figure]:
    """10,000 reaction times end within a minute; the sweep runs each second, as beat has it."""
    empty_database()
    world = build.world()
    begin = timezone.now().replace(microsecond=0) + timedelta(seconds=90)
    copy_in(world, 10_000, lambda n: begin - timedelta(minutes=30) + timedelta(milliseconds=n * 6), contact=False)
    process, worked = psutil.Process(), 0.0
    while timezone.now() < begin:
        time.sleep(0.05)
    used = process.cpu_times().user
    while timezone.now() < begin + timedelta(seconds=70):
        started = time.perf_counter()
        sweep_clocks(at=timezone.now())
        worked += time.perf_counter() - started
        time.sleep(max(0.0, 1 - (time.perf_counter() - started)))
    used = process.cpu_times().user - used
    late = sorted((one.noticed_at - one.deadline).total_seconds() for one in Breach.objects.filter(target="reaction"))
    assert len(late) == 10_000, f"{len(late)} breaches of 10,000"
    return [
        ("10,000 clocks in a minute: lateness p50", f"{median(late):.1f} s", ""),
        ("10,000 clocks in a minute: lateness p99", f"{late[9_900]:.1f} s", "≤ 2 s"),
        ("10,000 clocks in a minute: lateness max", f"{late[-1]:.1f} s", ""),
        ("10,000 clocks in a minute: CPU of the worker", f"{used:.1f} s of 70", ""),
    ]


@override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False)
def pages() -> list[Figure]:
    """The queue, its live look and the list with 60 open incidents and with 5,000 of 100,000; one incident's page."""
    empty_database()
    world = build.world()
    now = timezone.now().replace(microsecond=0)
    copy_in(world, 60, lambda n: now - timedelta(seconds=n * 400), contact=True)
    browser = Browser()
    browser.force_login(world.agent, backend=settings.AUTHENTICATION_BACKENDS[-1])
    few = queue_figures(browser, "60 open", now, "≤ 20 ms")
    copy_in(world, 4_940, lambda n: now - timedelta(seconds=n * 7), contact=True)
    copy_in(world, 95_000, lambda n: now - timedelta(days=2, seconds=n * 60), contact=True, closed=True)
    analyze()
    first = Incident.objects.active().order_by("due_at").first()
    assert first is not None
    return [
        *few,
        *queue_figures(browser, "5,000 open", now, "≤ 40 ms"),
        *page(browser, "incident page", f"/incidents/{first.nr}/"),
        *page(browser, "list, 100,000 incidents", "/incidents/", queries="≤ 8", cpu="≤ 16 ms"),
    ]


def queue_figures(browser: Browser, name: str, now: datetime, wanted: str) -> list[Figure]:
    """The page and the look that finds nothing new, at one instant: a deadline that passes between them is news."""
    with mock.patch("django.utils.timezone.now", return_value=now):
        heartbeat.beat("clocks", at=now)
        shown = browser.get("/queue/").content.decode()
        state = dict(re.findall(r'name="(mark|rows|groups)"\s+value="([^"]*)"', shown))
        address = f"/queue/live/?{urlencode(state)}"
        return [
            *page(browser, f"queue, {name}", "/queue/", queries="≤ 12", cpu=wanted),
            (f"queue, {name}: elements", str(len(re.findall(r"<[a-z]", shown))), "≤ 1500"),
            (f"queue, {name}: compressed", f"{len(gzip.compress(shown.encode())) / 1000:.1f} kB", "≤ 40 kB"),
            *page(browser, f"queue, {name}, nothing new", address, queries="≤ 3", cpu="≤ 4 ms", status=204),
        ]


def rendered() -> list[Figure]:
    """The queue's template alone."""
    empty_database()
    world = build.world()
    now = timezone.now().replace(microsecond=0)
    copy_in(world, 300, lambda n: now - timedelta(seconds=n * 7), contact=True)
    rows, took = rendering.figures(world)
    return [(f"rendering the queue, {rows} rows: CPU", f"{took:.1f} ms", "")]


def page(
    browser: Browser, name: str, address: str, *, queries: str = "", cpu: str = "", status: int = 200
) -> list[Figure]:
    """Time, CPU of the thread that serves it, and queries, with what is wanted of them."""
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(address)
    asked = len(captured)  # the next request empties the log
    assert answer.status_code == status, f"{address}: {answer.status_code}"
    times, used = [], []
    for _ in range(10):
        started, worked = time.perf_counter(), time.thread_time()
        browser.get(address)
        times.append(time.perf_counter() - started)
        used.append(time.thread_time() - worked)
    return [
        (f"{name}: server time, median", f"{median(times) * 1000:.0f} ms", ""),
        (f"{name}: CPU of the web process", f"{median(used) * 1000:.1f} ms", cpu),
        (f"{name}: queries", str(asked), queries),
    ]


ANSWERS = 50_000


@override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False)
def flood() -> list[Figure]:
    """One incident with 50,000 answers beside one with none: its pages, and what a verb costs on it."""
    empty_database()
    world = build.world()
    now = timezone.now().replace(microsecond=0)
    copy_in(world, 2, lambda n: now - timedelta(minutes=20), contact=True)
    quiet, loud = Incident.objects.select_related("client").order_by("pk")
    talk(world, loud, ANSWERS)
    analyze()
    found = []
    for incident, name in ((quiet, "no answers"), (loud, f"{ANSWERS:,} answers")):
        for user, half in ((world.reporter, "client"), (world.agent, "staff")):
            browser = Browser()
            browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
            for part in ("", "journal/", "why/restore/"):
                found += page(browser, f"{name}: {half}, /{part}", f"/incidents/{incident.nr}/{part}")[::2]
            found += page(browser, f"{name}: {half}, API journal", f"/api/incidents/{incident.nr}/journal/")[::2]
        found += [
            (f"{name}: the verb answer", f"{timed(partial(answered, incident, world)):.0f} ms", ""),
            (f"{name}: the verb say", f"{timed(partial(said, incident, world)):.0f} ms", ""),
        ]
    return found


def answered(incident: Incident, world: build.World) -> None:
    lifecycle.answer(incident=incident, by=world.reporter, at=timezone.now(), text="Nadal nie.")


def said(incident: Incident, world: build.World) -> None:
    lifecycle.say(incident=incident, by=world.agent, at=timezone.now(), text="Szukamy dalej.")


def timed(act: Callable[[], object]) -> float:
    """Milliseconds, the median of five."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return median(times) * 1000


def reports() -> list[Figure]:
    empty_database()
    world = build.world()
    now, started, count = timezone.now(), time.perf_counter(), 200
    for _ in range(count):
        reporting.report(
            shop=world.shop,
            what="no_payment",
            by=world.reporter,
            at=now,
            sentence="Nie działa.",
            form_key=build.form_key(),
        )
    took = time.perf_counter() - started
    return [("reports filed by one process", f"{count / took:.0f} a second", "")]


def anchors() -> list[Figure]:
    """The daily anchor over 100,000 incidents of which 1,000 have changed, as after a busy day."""
    empty_database()
    world = build.world()
    now = timezone.now().replace(microsecond=0)
    copy_in(world, 100_000, lambda n: now - timedelta(days=2, seconds=n * 60), contact=True, closed=True)
    first = took(lambda: anchor.make(at=now))
    for row in Incident.objects.order_by("pk")[::100]:
        row.last_entry = journal.append(row, Kind.INTERNAL_NOTE, by=world.agent, at=now, text="Słowo.")
        row.save(update_fields=["journal_length", "journal_head", "changed_at", "last_entry"])
    second = took(lambda: anchor.make(at=now + timedelta(days=1)))
    assert Anchor.objects.count() == 2
    assert AnchorLeaf.objects.count() >= 101_000
    proof = took(lambda: list(anchor_proof.differences(Anchor.objects.latest("day"))))
    way = took(lambda: anchor.proof_of(Incident.objects.latest("pk")))
    return [
        ("daily anchor, 100,000 incidents, the first", f"{first:.1f} s", ""),
        ("daily anchor, 100,000 incidents, 1,000 changed", f"{second:.1f} s", "≤ 5 s"),
        ("proof against that anchor", f"{proof:.1f} s", ""),
        ("path from a journal to it", f"{way * 1000:.0f} ms", ""),
    ]


def took(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


MEASURES: dict[str, Callable[[], list[Figure]]] = {
    "deadlines": deadlines,
    "money": money,
    "checks": shop_checks,
    "limits": allowances,
    "reports": reports,
    "rendering": rendered,
    "pages": pages,
    "flood": flood,
    "anchors": anchors,
    "sweep": sweep,
    "phone": phone.figures,
}
