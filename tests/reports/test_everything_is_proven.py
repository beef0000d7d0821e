"""Every table and column that money rests on is turned, one by one, as the database's superuser would, and is seen.

What no money rests on stands here by name, with its reason: a new table or column fails until somebody decides.
"""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Client
from contracts import agreements
from contracts.models import (
    Calendar,
    CalendarDay,
    Contract,
    ContractVersion,
    EscalationStep,
    PenaltyRule,
    Shop,
    Target,
    UpdateRhythm,
)
from contracts.planned import MaintenanceWindow
from contracts.seal_rows import Seal
from contracts.severities import Meaning, SeverityName
from contracts.timed import TargetAlternative
from incidents import lifecycle, sweeps
from incidents.anchors import Anchor, AnchorLeaf, Tally, newest
from incidents.models import Breach, ClockRow, Firing, Incident, JoinedReport, JournalEntry, Notice, Pause
from incidents.notices import sending
from messaging.models import Notification
from reports.anchor import make as anchor
from reports.management.commands import verify_clocks
from reports.models import BreachDecision
from reports.money import review
from tests import build, tamper
from tests.monitoring import test_acts
from tests.monitoring.played import monitor, play
from tests.pages import stop_clock

pytestmark = pytest.mark.django_db
MONDAY = build.MONDAY
OURS = ("messaging", "accounts", "contracts", "incidents", "monitoring", "reports")
STEP = 8  # of a table's columns the daily run turns every eighth, from the last one on
WORDS = "words of people, or how a letter travels: no money and no clock is counted by it"
SHOWN = "how it is shown or reached: no clock and no money is counted by it"
RIGHTS = "rights of today: whoever acted is named by the entry of the act"

# Tables that no money rests on, by name, each with its reason
BESIDE: dict[str, str] = {
    **dict.fromkeys(("User", "Membership"), RIGHTS),
    **dict.fromkeys(
        ("Limit", "LimitReached", "Letter", "TokenFacts"), "sign-in and limits; says nothing of what happened"
    ),
    "RepeatKey": "which report a key has made; the report itself is proven",
    "UnheardAlarm": "what a page shouts until somebody is told; the journal holds the line",
    "Heartbeat": "when a sweep last ran, for the health page",
    "ProofRun": "what a former proof has found",
    "AnchorTree": "kept nodes of what can be computed; the proof computes them anew and the root stands in the anchor",
    "Check": "raw checks, pruned after 90 days; the intervals that follow from them are proven",
    "ProbePlace": "our own connection and what of it did not count, not a shop",
}
WHOLE: tuple[type[models.Model], ...] = (
    Contract, Contract.shops.through, ContractVersion, Target, PenaltyRule, UpdateRhythm, EscalationStep, CalendarDay,
    SeverityName, Meaning, TargetAlternative,
    MaintenanceWindow, Seal, JournalEntry, Pause, Firing, Breach, JoinedReport, Tally, BreachDecision,
)  # fmt: skip
# Every table that money rests on, with the columns in which another value moves none: model → column → why
FREE: dict[type[models.Model], dict[str, str]] = {
    Client: dict.fromkeys(("code", "name", "tax_id", "address", "created_at"), SHOWN),
    **{model: {} for model in WHOLE},
    Shop: dict.fromkeys(("name", "slug", "old_slug", "url", "is_active"), SHOWN),
    Calendar: {"name": SHOWN, "is_office": "by which hours our own queue is sorted"},
    Incident: {
        "sentence": "the first line of the journal holds the words",
        **dict.fromkeys(("phone", "affected", "page", "order_number"), WORDS),
        "changed_at": "when pages are shown anew",
        "wake_at": "when the sweep comes; what it then misses is seen as a breach that is due and not there",
    },
    ClockRow: {"computed_at": "as of when the row is right; every later instant gives the same or is seen"},
    Notification: {
        **dict.fromkeys(("thread", "status", "attempts", "next_attempt_at", "sent_at", "error", "bundle"), WORDS),
        "address": "the person's of the attempt; goes with the words",
    },
    Notice: dict.fromkeys(("bar", "settle_at"), WORDS),
    **test_acts.FREE,
    Anchor: {
        "counts": "figures for staff",
        "created_at": "the day is hashed",
        "format": "by which rules the day was hashed; there is one",
    },
    AnchorLeaf: {"name": "how a difference names it; what is hashed comes from its row"},
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    """A row of every table, by the product's verbs: two incidents of a monitor's outage, the second one late, decided
    by two persons, in an anchor; a calendar with a day off and one that was taken back; announced work.
    """
    world = build.world(second_person_above="50.00")
    SeverityName.objects.create(version=world.version, severity="P1", name="Awaria", description="nie sprzedaje")
    Meaning.objects.create(version=world.version, symptom="typo", severity="P3")
    repair = world.version.targets.get(severity="P4", kind="restore")
    TargetAlternative.objects.create(
        target=repair, place=1, outside=build.office_hours(), minutes=0, days=5, reading="business_days_close",
        calendar=build.office_hours(),
    )  # fmt: skip
    build.seal_all()
    hours = build.round_the_clock()
    second = build.staff("Halina Nowak", role="manager", on_call=False)
    for on in (date(2026, 7, 1), date(2026, 7, 2)):
        day = agreements.add_day(calendar=hours, on=on, windows=[], by=world.manager, at=MONDAY)
    agreements.remove_day(day=day, by=world.manager, at=MONDAY + timedelta(seconds=1))
    agreements.announce_maintenance(
        shop=world.shop, starts_at=MONDAY + timedelta(days=9), ends_at=MONDAY + timedelta(days=10), note="Baza",
        by=world.manager, at=MONDAY,
    )  # fmt: skip
    home = play(monitor(world.shop), *test_acts.OUTAGE)
    first = Incident.objects.get()
    lifecycle.skip_backup(incident=first, by=world.agent, at=MONDAY + timedelta(seconds=301), text="Odczyt.")
    lifecycle.resolve(incident=first, by=world.agent, at=MONDAY + timedelta(seconds=302), text="Działa.")
    lifecycle.accept(incident=first, by=world.reporter, at=MONDAY + timedelta(seconds=303))
    play(home, *test_acts.AGAIN)
    for person in (world.reporter, world.owner):
        build.incident(world.shop, by=person, at=MONDAY + timedelta(minutes=8), what="closed")
    late = Incident.objects.latest("pk")
    act: dict[str, Any] = {"incident": late, "by": world.agent}
    sweeps.sweep_clocks(at=MONDAY + timedelta(minutes=45))
    sending.mark_sent(at=MONDAY + timedelta(minutes=46))
    lifecycle.say(text="Sprawdzamy.", at=MONDAY + timedelta(minutes=50), **act)
    lifecycle.pause(reason="client_wait", text="Na prośbę.", at=MONDAY + timedelta(minutes=51), **act)
    lifecycle.resume(reason="client_wait", at=MONDAY + timedelta(minutes=52), **act)
    sweeps.sweep_clocks(at=MONDAY + timedelta(hours=6))
    sending.mark_sent(at=MONDAY + timedelta(hours=6))
    lifecycle.skip_backup(text="Odczyt.", at=MONDAY + timedelta(hours=7), **act)
    lifecycle.resolve(text="Działa.", at=MONDAY + timedelta(hours=7), **act)
    decision = review.exclude(
        breach=Breach.objects.get(target="restore"), by=world.manager, at=MONDAY + timedelta(hours=8),
        reason="third_party", evidence="Komunikat", start=MONDAY + timedelta(hours=5), end=MONDAY + timedelta(hours=6),
    )  # fmt: skip
    review.second(decision=decision, by=second, at=MONDAY + timedelta(hours=8))
    sweeps.sweep_clocks(at=MONDAY + timedelta(hours=9))
    assert anchor.make(at=MONDAY + timedelta(hours=9))
    stop_clock(monkeypatch, MONDAY + timedelta(hours=9))
    return world


def rows() -> list[models.Model]:
    """One row of each table that money rests on."""
    late = Incident.objects.latest("pk")
    version = ContractVersion.objects.get()
    target = Target.objects.get(version=version, severity="P1", kind="restore")
    return [
        Client.objects.get(), Shop.objects.get(), version.contract, version, target, target.penalty,
        version.rhythms.all()[0], version.steps.all()[0],
        SeverityName.objects.get(), Meaning.objects.get(), TargetAlternative.objects.get(),
        Contract.shops.through.objects.get(), target.calendar,
        CalendarDay.objects.get(removed_at=None), CalendarDay.objects.get(removed_at__isnull=False),
        MaintenanceWindow.objects.get(), Seal.objects.latest("seq"), late, late.journal.latest("seq"),
        ClockRow.objects.get(incident=late, target="restore"), Pause.objects.get(), Firing.objects.order_by("pk")[0],
        Breach.objects.get(target="restore"), JoinedReport.objects.all()[0],
        *letter_and_notice(), Tally.objects.get(pk=late.pk), *test_acts.rows(),
        BreachDecision.objects.get(), Anchor.objects.get(), AnchorLeaf.objects.filter(kind="journal")[0],
    ]  # fmt: skip


def letter_and_notice() -> tuple[Notification, Notice]:
    letter = Notification.objects.exclude(body="").exclude(notice__entry=None)[0]
    return letter, Notice.objects.get(pk=letter.pk)


def is_seen() -> bool:
    """Whether `verify_clocks` has anything to say; it ends with 1 then."""
    lines = verify_clocks.differences([], newest(), timezone.now())
    return next(lines, None) is not None


def unseen(row: models.Model, column: str) -> bool:
    """Whether nobody sees another value in the column (no column: that the row is gone), which is undone."""
    with transaction.atomic():
        if column:
            tamper.change_column(row, column)
        else:
            tamper.delete(row)
        seen = is_seen()
        transaction.set_rollback(True)
    return not seen


def columns(model: type[models.Model]) -> list[str]:
    """Those that aren't named as free, without keys that are a number and no more."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return [field.name for field in fields if field.name not in FREE[model]]


def test_every_table_and_column_is_turned_below_or_named_with_its_reason() -> None:
    tables = {model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in OURS}
    assert {model.__name__ for model in tables - FREE.keys()} == BESIDE.keys()
    names = {model: {field.name for field in model._meta.concrete_fields} for model in FREE}
    assert [(model.__name__, name) for model, free in FREE.items() for name in free if name not in names[model]] == []


@pytest.mark.parametrize("step", [STEP, pytest.param(1, marks=pytest.mark.full)])
def test_another_value_in_any_column_and_a_row_that_is_gone_are_seen(world: build.World, step: int) -> None:
    """The daily run turns every eighth column of a table, its last one among them: a new column comes last."""
    call_command("verify_clocks", stdout=io.StringIO())  # ends with 1 where it sees anything
    assert {type(row) for row in rows()} == FREE.keys()
    turns = [(row, name) for row in rows() for name in ["", *columns(type(row))[::-1][::step]]]
    assert [f"{type(row).__name__} {name or 'gone'}" for row, name in turns if unseen(row, name)] == []
