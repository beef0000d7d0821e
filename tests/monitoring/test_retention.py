"""Raw checks go after 90 days; what figures and people rest on stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contracts.models import Shop
from messaging.models import Heartbeat
from monitoring import tasks
from monitoring.models import Check, Interval, Monitor, Outage
from monitoring.state import retention
from tests import build
from tests.monitoring.played import DOWN, UP, after, monitor, play
from tests.pages import stop_clock

pytestmark = pytest.mark.django_db
LATER = after(0) + timedelta(days=90)


@pytest.fixture
def shop() -> Shop:
    return build.world().shop


@pytest.fixture
def home(shop: Shop) -> Monitor:
    """Down from the 60th to the 180th second."""
    seen = ((0, UP), (60, DOWN), (67, DOWN), (180, UP), (240, UP), (300, UP))
    return play(monitor(shop), *seen)


def seconds_kept() -> list[int]:
    return [int((check.at - after(0)).total_seconds()) for check in Check.objects.order_by("at")]


def test_a_check_is_kept_ninety_days_and_not_a_second_less(home: Monitor) -> None:
    assert retention.forget_checks(at=LATER) == 0
    assert retention.forget_checks(at=LATER + timedelta(seconds=67)) == 2
    assert seconds_kept() == [67, 180, 240, 300]


def test_intervals_outages_and_their_evidence_stay_for_ever(home: Monitor) -> None:
    before = list(Interval.objects.values()), list(Outage.objects.values()), Monitor.objects.values().get()
    assert retention.forget_checks(at=LATER + timedelta(days=3650)) == 6
    assert not Check.objects.exists()
    assert before == (list(Interval.objects.values()), list(Outage.objects.values()), Monitor.objects.values().get())
    assert Outage.objects.get().evidence["reason"] == "timeout"


def test_checks_of_every_monitor_go_in_batches(home: Monitor, shop: Shop) -> None:
    play(monitor(shop, "Koszyk"), (0, UP), (60, UP))
    with CaptureQueriesContext(connection) as queries:
        assert retention.forget_checks(at=LATER + timedelta(days=1), batch=4) == 8
    deletes = [query for query in queries.captured_queries if query["sql"].startswith("DELETE")]
    # six checks: 4, 2 and none; two checks: 2 and none
    assert len(deletes) == 5
    assert all("LIMIT 4" in query["sql"] for query in deletes)


def test_repeated_it_drops_nothing_more_and_leaves_its_heartbeat(home: Monitor) -> None:
    assert retention.forget_checks(at=LATER + timedelta(days=1)) == 6
    assert retention.forget_checks(at=LATER + timedelta(days=2)) == 0
    assert Heartbeat.objects.get(name="retention").at == LATER + timedelta(days=2)


def test_the_task_reads_the_clock_and_beat_calls_it_daily(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, LATER + timedelta(seconds=61))
    assert tasks.forget_checks() == 2
    entry = settings.CELERY_BEAT_SCHEDULE["retention"]
    assert (entry["task"], entry["schedule"]) == (tasks.forget_checks.name, crontab(hour="2", minute="20"))
