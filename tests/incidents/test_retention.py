"""What isn't kept for ever: sessions, attempts, tokens, keys and the words of letters; the letters' rows stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from celery.schedules import crontab
from django.conf import settings
from django.contrib.sessions.models import Session
from knox.models import AuthToken

from accounts import letters
from accounts import retention as of_people
from accounts.models import Letter, Limit, LimitReached
from incidents import retention
from incidents.keys import RepeatKey
from incidents.models import Incident, Notice
from incidents.projection.proof import differences
from messaging import outbox
from messaging.models import Notification
from reports import health
from tests import build

pytestmark = pytest.mark.django_db
NOW = build.MONDAY + timedelta(days=400)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def session(at: datetime) -> None:
    Session.objects.create(session_key=f"{at.timestamp():.0f}", session_data="x", expire_date=at)


def token(at: datetime) -> None:
    made, _secret = AuthToken.objects.create(user=build.contact(build.client(f"A{chr(65 + at.second)}B")))
    AuthToken.objects.filter(pk=made.pk).update(expiry=at)


def dated(model: Any, **facts: Any) -> Any:
    def make(at: datetime) -> None:
        row = model.objects.create(user_agent=str(at), path_info="/login/", http_accept="x", **facts)
        model.objects.filter(pk=row.pk).update(attempt_time=at)

    return make


def letter(at: datetime) -> None:
    Letter.objects.create(kind="password", email="ola@mak.example", asked_at=at)


def refusal(at: datetime) -> None:
    person = build.staff(f"Osoba {at.second}")
    LimitReached.objects.create(person=person, kind="acts", first_at=at, last_at=at, times=1)


def bucket(at: datetime) -> None:
    Limit.objects.create(key=str(at), full_at=at)


@pytest.mark.parametrize(
    ("model", "make", "kept"),
    [
        (Session, session, 0 * DAY),
        (AuthToken, token, 0 * DAY),
        (Limit, bucket, 0 * DAY),
        (Letter, letter, 30 * DAY),
        (LimitReached, refusal, 30 * DAY),
        (AccessAttempt, dated(AccessAttempt, get_data="", post_data="", failures_since_start=1), 30 * DAY),
        (AccessLog, dated(AccessLog), 30 * DAY),
        (AccessFailureLog, dated(AccessFailureLog), 30 * DAY),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_sign_in_leaves_behind_goes_by_age(model: Any, make: Any, kept: timedelta) -> None:
    for age in (kept - SECOND, kept, kept + SECOND, kept + 2 * SECOND):
        make(NOW - age)
    assert of_people.forget(at=NOW, batch=1) == 2
    assert model.objects.count() == 2
    assert of_people.forget(at=NOW) == 0


def test_a_token_without_an_end_stays() -> None:
    made, _secret = AuthToken.objects.create(user=build.staff())
    AuthToken.objects.filter(pk=made.pk).update(expiry=None)
    assert (of_people.forget(at=NOW), AuthToken.objects.count()) == (0, 1)


def test_a_repeat_key_goes_after_thirty_days_and_what_it_made_stays() -> None:
    world = build.world()
    for age in (30 * DAY, 30 * DAY + SECOND, 31 * DAY):
        build.incident(world.shop, by=world.reporter, what="typo", at=NOW - age, form_key=build.form_key())
    assert retention.forget_keys(at=NOW, batch=1) == 2
    assert (RepeatKey.objects.count(), Incident.objects.count()) == (1, 3)


def test_of_a_letter_of_sign_in_whom_and_when_stay_and_words_and_address_go_with_it() -> None:
    ola = build.contact(build.client(), "Ola Mak")
    for at in (NOW - 30 * DAY - SECOND, NOW - 30 * DAY):
        letters.ask(ola.email, "password", at=at)
        build.send_letters(at)
    of_people.forget(at=NOW)
    facts = Notification.objects.order_by("pk").values_list("recipient", "address", "status", "sent_at")
    assert list(facts) == [
        (ola.pk, "", "sent", NOW - 30 * DAY - SECOND),
        (ola.pk, ola.email, "sent", NOW - 30 * DAY),
    ]
    assert [bool(row.body) for row in Notification.objects.order_by("pk")] == [False, True]


def test_of_old_letters_the_words_and_addresses_go_and_the_rows_stay_and_count(settings: Any) -> None:
    settings.KEEP_LETTERS_DAYS = 365
    world = build.world()
    old = build.incident(world.shop, by=world.reporter, at=NOW - 365 * DAY - SECOND)
    build.incident(world.shop, by=world.reporter, what="typo", at=NOW - 366 * DAY)
    new = build.incident(world.shop, by=world.reporter, at=NOW - 365 * DAY)
    waiting = Notification.objects.filter(notice__incident=old).latest("pk")
    Notification.objects.exclude(pk=waiting.pk).update(status="failed", error="550 ola@mak.example")
    Notice.objects.exclude(pk=waiting.pk).update(settle_at=None)
    columns = ["pk", "key", "recipient", "channel", "created_at", "status", "content"]
    columns += [f"notice__{name}" for name in ("hash", "head", "topic", "entry")]
    before = list(Notification.objects.order_by("pk").values_list(*columns))
    given_up = health.outbox_state(world.agent, NOW).given_up
    emptied = Notification.objects.exclude(notice__incident=new).exclude(pk=waiting.pk)
    assert emptied.count() > 1
    assert retention.empty_letters(at=NOW, batch=1) == emptied.count()
    assert list(Notification.objects.order_by("pk").values_list(*columns)) == before
    words = set(emptied.values_list("subject", "body", "html", "address", "error"))
    assert words == {("", "", "", "", "")}
    kept = Notification.objects.filter(notice__incident=new) | Notification.objects.filter(pk=waiting.pk)
    assert not kept.filter(body="").exists()
    assert retention.empty_letters(at=NOW) == 0
    assert [str(row) for row in differences(at=NOW)] == []
    # What has no words left can't be tried again and asks nobody to
    assert not outbox.send_again(emptied[0], at=NOW)
    assert health.outbox_state(world.agent, NOW).given_up == given_up - emptied.count()


def test_each_room_forgets_its_own_rows_each_night_in_the_lane_of_the_rare_work() -> None:
    for name in ("accounts.tasks.forget", "incidents.tasks.forget", "monitoring.tasks.forget_checks"):
        [entry] = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == name]
        routes = settings.CELERY_TASK_ROUTES
        assert routes[name]["queue"] == "report"
        assert list(routes).index(name) < list(routes).index(f"{name.split('.')[0]}.tasks.*")
        if name != "accounts.tasks.forget":
            assert isinstance(entry["schedule"], crontab)
