"""Planned work from its announcement on: what the contract says, who is told, what the watch makes of it, its ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from contracts import proof
from contracts.planned import MaintenanceWindow
from incidents import planned_work
from incidents.models import Incident
from messaging.models import Notification
from monitoring.availability.maintenance import prospect
from monitoring.models import Check, Outage
from tests import build
from tests.monitoring.played import DOWN, UP, after, monitor, play, spans
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, visitor
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
TYPED = {"starts_at": "2026-03-02 11:00", "ends_at": "12:00", "note": "Nowa wersja koszyka"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


def promise(world: build.World, **terms: int) -> None:
    for name, value in terms.items():
        setattr(world.version, name, value)
    with as_owner():
        world.version.save(update_fields=list(terms))


def announced(world: build.World, start: datetime, length: timedelta = HOUR, note: str = "Baza") -> MaintenanceWindow:
    return planned_work.announce(
        shop=world.shop, starts_at=start, ends_at=start + length, note=note, by=world.agent, at=build.MONDAY
    )


def letters(world: build.World) -> list[str]:
    rows = Notification.objects.filter(recipient=world.owner, key__startswith="work-")
    return [plain(subject) for subject in rows.order_by("pk").values_list("subject", flat=True)]


def test_work_is_announced_from_the_shop_s_page_and_everybody_concerned_knows(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, address = visitor(world.agent), f"/shops/{world.shop.slug}/"
    assert f"{address}planned-work/new/" in staff.get(address).content.decode()
    said = text_of(staff.post(f"{address}planned-work/new/", TYPED, follow=True))
    assert "Prace zapowiedziane. Klient dostanie wiadomość." in said
    assert letters(world) == ["mak.example: planowe prace, 2 marca 2026, 11:00"]
    letter = Notification.objects.get(recipient=world.reporter, key__startswith="work-")
    assert "Nowa wersja koszyka" in letter.body
    assert "2 marca 2026, 11:00 – 2 marca 2026, 12:00" in " ".join(plain(letter.body).split())
    for page in ("/", address):
        assert "Nowa wersja koszyka" in text_of(visitor(world.owner).get(page))
    # In the window a failure is recorded and opens nothing; a person's report counts, and its receipt says what goes on
    home = play(monitor(world.shop), (3540, UP), (3660, DOWN), (3667, DOWN), (3720, DOWN))
    assert (Outage.objects.count(), Incident.objects.count(), Check.objects.filter(state="maintenance").count()) == (
        0, 0, 3,
    )  # fmt: skip
    stop_clock(monkeypatch, after(3700))
    incident = build.incident(world.shop, by=world.reporter, at=after(3700), what="slower")
    goes_on = "W tym sklepie trwają planowe prace, koniec dziś 12:00: Nowa wersja koszyka."
    assert goes_on in text_of(visitor(world.reporter).get(f"/incidents/{incident.nr}/receipt/"))
    assert goes_on in text_of(staff.get(f"/incidents/{incident.nr}/"))
    receipt = plain(Notification.objects.get(recipient=world.reporter, notice__incident=incident).body)
    assert goes_on.replace("dziś ", "") in " ".join(receipt.split())
    # And a shop that is down when the time is over is a failure as ever
    home = play(home, (7260, DOWN), (7267, DOWN))
    assert Outage.objects.get().started_at == after(7260)
    assert Incident.objects.filter(severity="P1").count() == 1
    assert [span for span in spans(home) if span[0] in {"maintenance", "down"}] == [
        ("maintenance", 3660, 3780), ("down", 7260, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "length", "found", "said"),
    [
        ({}, 60, (None, 60, False), "Umowa usprawiedliwia całe 1 h"),
        ({"maintenance_notice_hours": 72}, 60, (None, 0, True), "Za późno jak na umowę"),
        ({"maintenance_limit_minutes": 240}, 60, (240 - 120, 60, False), "w miesiącu, zostało 2 h"),
        ({"maintenance_limit_minutes": 150}, 60, (30, 30, False), "z 1 h umowa usprawiedliwia 30 min"),
        ({"maintenance_limit_minutes": 90}, 60, (0, 0, False), "Limit miesiąca jest wyczerpany: całe prace"),
    ],
)
def test_the_contract_s_notice_and_limit_are_said_before_anything_is_announced(
    world: build.World, terms: dict[str, int], length: int, found: tuple[int | None, int, bool], said: str
) -> None:
    announced(world, build.MONDAY + timedelta(minutes=1), 2 * HOUR)
    promise(world, **terms)
    start = build.MONDAY + 5 * HOUR
    window = MaintenanceWindow(
        shop=world.shop, starts_at=start, ends_at=start + timedelta(minutes=length), announced_at=build.MONDAY
    )
    outlook = prospect(window)
    left = None if outlook.left is None else outlook.left // 60
    assert (left, outlook.counts // 60, outlook.is_late) == found
    before = MaintenanceWindow.objects.count()
    address, typed = (
        f"/shops/{world.shop.slug}/planned-work/new/",
        {"starts_at": "2026-03-02 15:00", "ends_at": "16:00"},
    )
    whole = visitor(world.manager).post(address, typed | {"preview": "1"})
    live = visitor(world.manager).post(f"{address}?preview=1", typed, headers={"HX-Request": "true"})
    assert (said in text_of(whole), said in text_of(live), MaintenanceWindow.objects.count()) == (True, True, before)


def test_work_is_cancelled_before_it_begins_and_ended_within_it(world: build.World) -> None:
    first, second = (announced(world, build.MONDAY + hours * HOUR) for hours in (1, 3))
    late = build.MONDAY + 1.5 * HOUR
    assert planned_work.call_off(window=first, by=world.manager, at=late)
    assert planned_work.call_off(window=second, by=world.manager, at=late)
    assert not planned_work.call_off(window=second, by=world.agent, at=late)
    assert (first.until, first.is_cancelled, second.is_cancelled) == (late, False, True)
    assert letters(world)[2:] == [
        "mak.example: koniec planowych prac", "mak.example: odwołujemy planowe prace (2 marca 2026, 13:00)",
    ]  # fmt: skip
    assert list(MaintenanceWindow.objects.standing()) == [first]
    assert not MaintenanceWindow.objects.not_over(late).exists()
    assert [line for line in proof.differences() if "Baza" in str(line) or "called_off" in str(line)] == []
    play(monitor(world.shop), (3540, UP), (3660, DOWN), (5460, DOWN), (5467, DOWN), (5520, DOWN))
    assert Outage.objects.get().started_at == after(5460)
    with pytest.raises(Refused, match="już się skończyły"):
        planned_work.call_off(window=announced(world, build.MONDAY + 5 * HOUR), by=world.agent, at=after(6 * 3600))


def test_the_shop_s_page_cancels_by_one_button(world: build.World) -> None:
    window = announced(world, build.MONDAY + HOUR)
    page = visitor(world.agent)
    address = f"/planned-work/{window.pk}/off/"
    assert address in page.get(f"/shops/{world.shop.slug}/").content.decode()
    assert address not in visitor(world.owner).get(f"/shops/{world.shop.slug}/").content.decode()
    assert "Prace odwołane. Klient dostanie wiadomość." in text_of(page.post(address, follow=True))
    for reader, where in ((world.owner, "/"), (world.owner, f"/shops/{world.shop.slug}/")):
        assert "Baza" not in text_of(visitor(reader).get(where))


def test_what_can_not_be_announced_is_refused_and_nobody_is_told(world: build.World) -> None:
    announced(world, build.MONDAY + 2 * HOUR)
    told = Notification.objects.count()
    for start, length, sentence in (
        (timedelta(0), HOUR, "zanim się zaczną"),
        (5 * HOUR, 73 * HOUR, "Najwyżej 72 godziny"),
        (5 * HOUR, -HOUR, "zanim się zaczną"),
        (1.5 * HOUR, HOUR, "zapowiedziano już inne prace: Baza"),
    ):
        with pytest.raises(Refused, match=sentence):
            announced(world, build.MONDAY + start, length, "Inne")
    assert (MaintenanceWindow.objects.count(), Notification.objects.count()) == (1, told)
    again = partial(announced, world, build.MONDAY + 2 * HOUR)
    assert again() == MaintenanceWindow.objects.get()
    assert Notification.objects.count() == told


def test_a_year_in_which_nothing_is_counted_is_asked_for_again(world: build.World) -> None:
    address = f"/shops/{world.shop.slug}/planned-work/new/"
    for start in ("9999-12-31 23:59", "0001-01-01 00:00"):
        answer = visitor(world.agent).post(address, {**TYPED, "starts_at": start})
        assert answer.status_code == 422
        assert "Wpisz dzień i godzinę jak 2026-11-30 22:00" in text_of(answer)
    assert not MaintenanceWindow.objects.exists()
