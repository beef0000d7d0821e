"""A contract's own severities: their names, and which sentence of a report is which of them, from form to letter."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from contracts import seal
from contracts.models import Contract, ContractVersion
from contracts.severities import Meaning, SeverityName, What, severity_of
from incidents import reporting
from incidents.models import Incident
from messaging.models import Notification
from tests import build
from tests.contracts.test_contract_pages import errors_of, sent_of, typed_in
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db

OWN = {
    "P1_name": "Awaria",
    "P1_description": "sklep nie sprzedaje",
    "P3_name": "Drobna usterka",
    "means_typo": "P3",
    "means_some_payments": "P1",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


def entered(world: build.World, **typed: str) -> ContractVersion:
    """A contract with its own severities, in force from today and younger than the world's."""
    browser = visitor(world.manager)
    data = typed_in(browser) | {"valid_from": "2026-03-02", "signed_on": "2026-02-20"} | typed
    response = browser.post("/contracts/new/?client=MAK", data)
    assert response.status_code == 302, errors_of(response)
    return Contract.objects.get(number="7/2026").versions.get()


def test_own_severities_are_read_wherever_a_report_goes(world: build.World) -> None:
    version = entered(world, **OWN)
    assert [(row.severity, row.name) for row in version.severity_names.all()] == [
        ("P1", "Awaria"),
        ("P3", "Drobna usterka"),
    ]
    assert {row.symptom: row.severity for row in version.meanings.all()} == {"typo": "P3", "some_payments": "P1"}

    shown = text_of(visitor(world.owner).get(f"/contracts/{version.contract.address}/"))
    assert "P1 Awaria sklep nie sprzedaje" in shown
    assert "Które zgłoszenie to która kategoria P1 Awaria Sklep się nie otwiera" in shown
    assert "Wolniej niż zwykle · Literówka, wygląd, drobiazg" in shown
    assert "P4 Literówka" not in shown

    visitor(world.reporter).post(
        "/report/mak-example/", {"what": "some_payments", "sentence": "BLIK nie działa.", "key": str(build.form_key())}
    )
    incident = Incident.objects.get()
    assert (incident.severity, incident.version, incident.journal.get().severity) == ("P1", version, "P1")
    assert incident.clocks.get(target="restore").total == 4 * 3600
    assert "P1 Awaria" in text_of(visitor(world.reporter).get(f"/incidents/{incident.nr}/"))
    assert "P1 Awaria" in text_of(visitor(world.reporter).get(f"/incidents/{incident.nr}/receipt/"))
    letter = Notification.objects.get(recipient=world.reporter, notice__incident=incident)
    assert "Kategoria P1, Awaria." in plain(letter.body)


def test_the_contract_s_reading_goes_before_a_monitor_s_own_severity(world: build.World) -> None:
    entered(world, means_no_payment="P2")
    incident = reporting.open_from_monitor(
        shop=world.shop, failure="pay", what=What.NO_PAYMENT, severity="P1",
        first_failed_at=build.MONDAY, at=build.MONDAY, evidence={}, words="Płatność nie działa",
    )  # fmt: skip
    assert (incident.severity, incident.journal.get().severity) == ("P2", "P2")


def test_a_contract_that_says_nothing_reads_as_usual_and_keeps_its_seal(world: build.World) -> None:
    version = entered(world)
    assert not version.severity_names.exists()
    assert not version.meanings.exists()
    assert [severity_of(version, what) for what in (What.CLOSED, What.TYPO, What.QUESTION)] == ["P1", "P4", ""]
    stored = seal.with_terms(ContractVersion.objects.filter(pk=version.pk)).get()
    assert seal.version_digest(stored) == seal.terms_of(version.pk)
    assert {"severity_names", "meanings"}.isdisjoint(seal.terms_below(stored))


def test_the_next_version_begins_with_them_and_says_what_changes(world: build.World) -> None:
    version = entered(world, **OWN)
    browser = visitor(world.manager)
    page = browser.get(f"/contracts/{version.contract.address}/edit/")
    data = sent_of(page.context["form"]) | {"valid_from": "2026-04-01", "before": str(version.pk)}
    assert (data["P1_name"], data["means_typo"], data["means_closed"]) == ("Awaria", "P3", "P1")
    said = text_of(browser.post("/contracts/preview/", data | {"P1_name": "Krytyczna", "means_typo": "P4"}))
    assert "P1, własna nazwa Awaria: sklep nie sprzedaje Krytyczna: sklep nie sprzedaje" in said
    assert "Literówka, wygląd, drobiazg P3 P4" in said


def test_a_description_without_a_name_is_said_at_the_field(world: build.World) -> None:
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser) | {"P2_description": "coś działa źle"})
    assert errors_of(response) == {"P2_name": ["Opis wymaga nazwy obok."]}
    assert "coś działa źle" in response.content.decode()
    assert not Contract.objects.filter(number="7/2026").exists()


@pytest.mark.parametrize("row", [SeverityName(severity="P1", name="Inna"), Meaning(symptom="typo", severity="P1")])
def test_what_was_entered_is_sealed(world: build.World, row: SeverityName | Meaning) -> None:
    row.version = version = entered(world)
    with transaction.atomic():
        row.save()
    stored = seal.with_terms(ContractVersion.objects.filter(pk=version.pk)).get()
    assert seal.version_digest(stored) != seal.terms_of(version.pk)


def test_a_question_is_no_failure_whatever_a_contract_says(world: build.World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Meaning.objects.create(version=world.version, symptom=What.QUESTION, severity="P1")
