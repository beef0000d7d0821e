"""Times in days, and another time outside hours, on the whole way: typed, kept, shown, counted, missed, told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from contracts import seal
from contracts.agreements import TargetSpec
from contracts.alternatives import OtherTimeSpec
from contracts.forms.contract import spec_of
from contracts.models import Contract, ContractVersion, Target
from contracts.time_text import target_words
from contracts.timed import TargetAlternative
from incidents import lifecycle, sweeps
from incidents.models import Breach, Incident
from incidents.projection import proof
from messaging.models import Notification
from tests import build
from tests.contracts.test_contract_pages import errors_of, sent_of, typed_in
from tests.incidents.test_api import Caller
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
EVENING = build.at("2026-03-02 20:00")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


def typed() -> dict[str, str]:
    """P1 answered in 30 min, outside office hours in 2 h; repaired in two working days; P2 fixed in two weeks."""
    office, always = str(build.office_hours().pk), str(build.round_the_clock().pk)
    return {
        "valid_from": "2026-03-02",
        "P1_reaction": "30 min", "P1_reaction_hours": always,
        "P1_restore": "2 dni robocze do końca pracy", "P1_restore_hours": office,
        "P2_final_fix": "2 tygodnie", "P2_final_fix_hours": office,
        "other0_of": "P1_reaction", "other0_outside": office, "other0_time": "2 godziny", "other0_hours": always,
    }  # fmt: skip


def entered(world: build.World, **changes: str) -> ContractVersion:
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser) | typed() | changes)
    assert response.status_code == 302, errors_of(response)
    return Contract.objects.get(number="7/2026").versions.get()


def target(version: ContractVersion, name: str) -> TargetSpec:
    return next(one for one in spec_of(version).targets if f"{one.severity}_{one.kind}" == name)


def test_what_is_typed_is_kept_shown_counted_missed_and_told(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = entered(world)
    office, always = build.office_hours(), build.round_the_clock()
    assert target(version, "P1_reaction").otherwise == [OtherTimeSpec(office, 120, always)]
    assert (target(version, "P1_restore").days, target(version, "P1_restore").reading) == (2, "business_days_close")
    assert (target(version, "P2_final_fix").days, target(version, "P2_final_fix").reading) == (14, "calendar_days_kc")

    shown = text_of(visitor(world.owner).get(f"/contracts/{version.contract.address}/"))
    assert "30 min poza pon.–pt. 8–16: 2 h, całą dobę" in shown
    assert "2 dni robocze do końca pracy" in shown
    assert "14 dni kalendarzowych" in shown

    stop_clock(monkeypatch, EVENING)
    sent = {"what": "no_payment", "sentence": "Nikt nie zapłaci.", "key": str(build.form_key())}
    visitor(world.reporter).post("/report/mak-example/", sent)
    incident = Incident.objects.get()
    deadlines = dict(incident.clocks.values_list("target", "deadline"))
    assert deadlines["reaction"] == build.at("2026-03-02 22:00")
    assert deadlines["restore"] == build.at("2026-03-04 16:00")
    receipt = text_of(visitor(world.reporter).get(f"/incidents/{incident.nr}/receipt/"))
    assert "Odezwiemy się do 2 marca 2026, 22:00" in receipt
    assert "Naprawa do 4 marca 2026, 16:00" in receipt
    letter = plain(Notification.objects.get(recipient=world.reporter, notice__incident=incident).body)
    assert "22:00" in letter
    page = text_of(visitor(world.agent).get(f"/incidents/{incident.nr}/"))
    assert "reakcja 30 min, całą dobę; poza pon.–pt. 8–16: 2 h, całą dobę" in page
    assert "naprawa 2 dni robocze do końca pracy, pon.–pt. 8–16" in page

    why = text_of(visitor(world.reporter).get(f"/incidents/{incident.nr}/why/reaction/"))
    assert "reakcja w 2:00:00" in why
    assert "Zaczyna się poza godzinami pon.–pt. 8–16: obowiązuje inny czas" in why
    why = text_of(visitor(world.reporter).get(f"/incidents/{incident.nr}/why/restore/"))
    assert "naprawa w 2 dni robocze do końca pracy (16:00:00)" in why
    assert "umowa daje 2 dni robocze dla P1" in why
    answer = Caller(world.reporter).get(f"incidents/{incident.nr}/").json()
    assert "2026-03-02T22:00:00" in str(answer)

    sweeps.sweep_clocks(at=EVENING + timedelta(days=2))
    assert dict(Breach.objects.values_list("target", "deadline")) == {
        name: due for name, due in deadlines.items() if due
    }
    stop_clock(monkeypatch, build.at("2026-03-05 20:00"))
    act: dict[str, Any] = {"incident": incident, "by": world.agent, "at": build.at("2026-03-05 20:00")}
    lifecycle.skip_backup(text="Odczyt.", **act)
    lifecycle.resolve(text="Działa.", **act)
    assert Breach.objects.get(target="restore").delay == 8 * 3600
    assert list(proof.differences(at=act["at"])) == []


def test_an_annex_begins_with_them_and_says_what_changes(world: build.World) -> None:
    version = entered(world)
    browser = visitor(world.manager)
    page = browser.get(f"/contracts/{version.contract.address}/edit/")
    data = sent_of(page.context["form"]) | {"valid_from": "2026-04-01", "before": str(version.pk)}
    assert (data["P1_restore"], data["P2_final_fix"]) == ("2 dni robocze do końca pracy", "14 dni kalendarzowych")
    assert (data["other0_of"], data["other0_time"]) == ("P1_reaction", "2 h")
    said = text_of(browser.post("/contracts/preview/", data | {"P1_restore": "3 dni robocze", "other0_time": "NBD"}))
    assert (
        "P1 Naprawa 2 dni robocze do końca pracy, pon.–pt. 8–16 (kalendarz „Pn–pt 8–16”), "
        "2 % opłaty miesięcznej za każdą rozpoczętą godzinę 3 dni robocze do 24:00," in said
    )
    assert (
        "P1 Reakcja, poza godzinami poza pon.–pt. 8–16 (kalendarz „Pn–pt 8–16”): 2 h, całą dobę "
        "poza pon.–pt. 8–16 (kalendarz „Pn–pt 8–16”): 1 dzień roboczy do 24:00, całą dobę" in said
    )


def test_a_contract_without_them_keeps_its_seal(world: build.World) -> None:
    build.seal_all()
    stored = seal.with_terms(ContractVersion.objects.filter(pk=world.version.pk)).get()
    below = seal.terms_below(stored)["targets"]
    assert all({"days", "reading", "alternatives"}.isdisjoint(row) for row in below)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"other0_hours": ""}, {"other0_hours": "Wybierz godziny, w których ten czas się liczy."}),
        ({"other0_of": ""}, {"other0_of": "Wybierz, który to czas."}),
        ({"P1_reaction": ""}, {"other0_of": "Wyżej nie ma takiego czasu."}),
        ({"other0_time": "2 dni"}, {"other0_time": "Napisz, które dni: 2 dni robocze albo 2 dni kalendarzowe."}),
    ],
)
def test_a_row_that_says_half_is_answered_at_its_field(
    world: build.World, changes: dict[str, str], errors: dict[str, str]
) -> None:
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser) | typed() | changes)
    assert {name: found[0] for name, found in errors_of(response).items()} == errors
    assert not Contract.objects.filter(number="7/2026").exists()


def test_hours_that_never_close_have_no_outside(world: build.World) -> None:
    always = str(build.round_the_clock().pk)
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser) | typed() | {"other0_outside": always})
    assert errors_of(response) == {"other0_outside": ["„24/7” nigdy się nie zamyka: nic nie zaczyna się poza nimi."]}


def test_a_time_is_minutes_or_days_in_the_database_too(world: build.World) -> None:
    row = world.version.targets.get(severity="P1", kind="restore")
    with as_owner(), pytest.raises(IntegrityError), transaction.atomic():
        Target.objects.filter(pk=row.pk).update(days=2)
    other = TargetAlternative(
        target=row, place=1, outside=build.office_hours(), minutes=5, days=1, reading="business_days_close",
        calendar=build.office_hours(),
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()


def test_the_words_of_a_target_in_both_languages(world: build.World) -> None:
    office, always = build.office_hours(), build.round_the_clock()
    times = TargetSpec("P1", "restore", 60, office, otherwise=[OtherTimeSpec(office, 240, always)])
    with translation.override("en"):
        assert plain(target_words(times)) == "1 h, Mon–Fri 8–16; outside Mon–Fri 8–16: 4 h, round the clock"
    with translation.override("pl"):
        assert plain(target_words(times)) == "1 h, pon.–pt. 8–16; poza pon.–pt. 8–16: 4 h, całą dobę"
