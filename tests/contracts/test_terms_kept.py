"""Every term on its whole way: typed, stored, told on the page, begun with in the annex, listed as a change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django import forms
from django.utils import translation

from contracts.forms.contract import VersionForm, spec_of, step_specs, target_specs, usual, values_of
from contracts.forms.rows import FormChoices
from contracts.forms.terms import SIGNED, TermsForm
from contracts.models import Calendar, Contract, ContractVersion
from contracts.preview import preview
from contracts.terms_text import COLUMN_WORDS
from tests import build
from tests.contracts.test_contract_pages import errors_of, path, sent_of, typed_in
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
TODAY = build.MONDAY.date()


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, build.MONDAY)


@pytest.fixture
def world() -> build.World:
    return build.world()


def unusual(calendar: Calendar) -> dict[str, Any]:
    """Something else than the usual in every term, as a person would type it."""
    return {
        "monthly_fee": "12 000 netto", "currency": "EUR", "repair_starts": "work_started", "reopen": "restart",
        "liability": "opoznienie", "exclusion_reasons": ["client_fault", "force_majeure"], "delay_time": "real",
        "cumulation": "highest", "incident_cap": "900 EUR", "month_cap": "20 % opłaty", "quarter_cap": "3 × opłata",
        "reaction_cap": "5 % opłaty", "restore_cap": "700 EUR", "final_fix_cap": "1,5 × opłata",
        "contract_value": "200 000", "penalty_base": "month_before", "part_months": "on",
        "contract_cap": "9 000,-", "second_person_above": "1 000", "availability_target": "99,5 procent",
        "minimum_outage": "0,1 h", "maintenance": "in_total", "maintenance_notice": "48 godzin",
        "maintenance_limit": "7,5 h", "unknown_limit": "2 godz.", "monitoring_starts_clock": "",
        "third_party_pause": "on",
        "days_off_notice": "7 dni roboczych", "P1_restore": "2 godziny", "P1_restore_rate": "1 500 EUR",
        "P1_restore_unit": "started_30min", "P1_restore_grace": "15 minut", "P1_restore_grace_mode": "threshold",
        "P1_update": "0,5 h", "P2_update": "", "P3_update": "2 h", "P3_update_hours": str(calendar.pk),
        "P1_silence": "1 dzień", "P2_silence": "2", "P3_silence": "8 dni roboczych", "P4_silence": "9",
        "step0_share": "40 % czasu", "step0_channel": "email", "P2_restore": "3 dni robocze do końca pracy",
        "P3_restore": "2 tygodnie", "other0_of": "P2_restore", "other0_outside": str(calendar.pk),
        "other0_time": "5 dni roboczych", "other0_hours": str(calendar.pk),
    }  # fmt: skip


def form_of(version: ContractVersion, **changes: Any) -> VersionForm:
    """The annex as the editor would send it back, with something else typed in."""
    calendars, people = list(Calendar.objects.prefetch_related("days")), [version.created_by]
    steps = step_specs(version)
    options: dict[str, Any] = {"choices": FormChoices(calendars, people), "today": TODAY, "rungs": len(steps)}
    begun = VersionForm(initial=values_of(version, target_specs(version), steps), **options)
    signed = {"valid_from": "2026-05-01", "signed_on": "2026-02-20", "signatories": "Ewa Mak"}
    sent = {name: value for name, value in (sent_of(begun) | signed | changes).items() if value is not False}
    return VersionForm(sent, **options)


def entered(world: build.World, **changes: Any) -> ContractVersion:
    browser = visitor(world.manager)
    data = typed_in(browser, **(unusual(build.office_hours()) | changes))
    response = browser.post("/contracts/new/?client=MAK", {name: value for name, value in data.items() if value != ""})
    assert response.status_code == 302, errors_of(response)
    return Contract.objects.get(number="7/2026").versions.get()


@pytest.mark.parametrize("language", ["pl", "en"])
def test_an_annex_that_changes_nothing_keeps_every_term(world: build.World, language: str) -> None:
    first = entered(world)
    world.manager.language = language
    world.manager.save()
    browser = visitor(world.manager)
    form = browser.get(f"/contracts/{first.contract.address}/edit/").context["form"]
    data = sent_of(form) | {"valid_from": "2026-05-01", "signed_on": "2026-02-20", "signatories": "Ewa Mak"}
    response = browser.post(f"/contracts/{first.contract.address}/edit/", data)
    assert response.status_code == 302, errors_of(response)
    old, new = map(spec_of, first.contract.versions.order_by("number"))
    assert (new.monthly_fee, new.targets, new.steps, new.rhythms) == (
        old.monthly_fee, old.targets, old.steps, old.rhythms
    )  # fmt: skip
    signed = {"signed_on": date(2026, 2, 20), "signatories": "Ewa Mak"}
    assert dict(new.terms) == {**old.terms, **signed}
    assert {name: getattr(first, name) for name in ("silence_days_p1", "silence_days_p4", "days_off_notice")} == {
        "silence_days_p1": 1, "silence_days_p4": 9, "days_off_notice": 7
    }  # fmt: skip
    assert first.exclusion_reasons == ["client_fault", "force_majeure"]


def other_value(bound: forms.BoundField) -> Any:
    """Another of the field's choices, else another figure of its kind."""
    now = bound.value()
    choices = [str(value) for value, _label in getattr(bound.field, "choices", ()) if value not in ("", now)]
    if bound.name == "exclusion_reasons":
        return choices[:1]
    if choices:
        return choices[-1]
    if isinstance(bound.field, forms.BooleanField):
        return not now
    kinds = {"_rate": "3 %", "_grace": "5 min", "_share": "33 %", "_silence": "6", "_update": "77 min",
             "_fee": "900 zł", "_amount": "900 zł", "_above": "900 zł", "_cap": "500 zł", "_value": "70 000 zł",
             "_target": "99,5 %", "days_off_notice": "6"}  # fmt: skip
    return next((value for ending, value in kinds.items() if bound.html_name.endswith(ending)), "77 h")


def test_each_term_that_differs_is_listed(world: build.World) -> None:
    """The fields of one severity and one rung stand for those of the others, which the same lines make."""
    version, before = world.version, spec_of(world.version)
    # A mode, a unit or hours differ in nothing without the thing that they belong to
    office = str(build.office_hours().pk)
    ready = {"P1_restore_rate": "1 %", "P1_restore_grace": "15 min", "step0_share": "44 %", "other0_of": "P1_restore",
             "other0_outside": office, "other0_time": "2 h", "other0_hours": office}  # fmt: skip
    form = form_of(version, **ready)
    base = preview(form, build.MONDAY, before).changes
    ours = ("P1_restore", "P1_update", "P1_silence", "step0_", "other0_")
    others = ("P2_", "P3_", "P4_", "P1_", "step", "other")
    fields = {field.html_name: field for field in form}
    names = [name for name in fields if name.startswith(ours) or not name.startswith(others)]
    other = {name: other_value(fields[name]) for name in names if name not in SIGNED} | {"step0_whom": "manager"}
    other["other0_outside"] = str(build.long_hours().pk)
    other["step0_person"] = str(version.created_by_id)
    assert len(other) > 30
    assert {name for name, value in other.items() if _changes(version, before, ready, name, value) == base} == set()


def _changes(version: ContractVersion, before: Any, ready: dict[str, str], name: str, value: Any) -> Any:
    whom = {"step0_whom": "person"} if name == "step0_person" else {}
    return preview(form_of(version, **(ready | whom | {name: value})), build.MONDAY, before).changes


def test_the_look_ahead_lists_the_new_terms_in_words(world: build.World) -> None:
    changes = {"P1_silence": "1", "P2_update": "", "P3_update": "2 h", "liability": "opoznienie",
               "exclusion_reasons": ["third_party"], "days_off_notice": "7", "step0_share": ""}  # fmt: skip
    form = form_of(world.version, **changes)
    with translation.override("pl"):
        listed = [
            (plain(change.label), plain(change.old), plain(change.new))
            for change in preview(form, build.MONDAY, spec_of(world.version)).changes
        ]
    assert listed == [
        ("Wykonawca odpowiada za", "zwłokę", "każde opóźnienie"),
        ("Co można wyłączyć ze spóźnienia", "brak", "podmiot trzeci"),
        ("P1, dni robocze milczenia", "3 dni robocze", "1 dzień roboczy"),
        ("O dniach wolnych uprzedzamy, dni roboczych wcześniej", "5 dni roboczych", "7 dni roboczych"),
        ("P2, wiadomość co", "4 h, całą dobę", "brak"),
        ("P3, wiadomość co", "brak", "2 h, całą dobę"),
        ("Reakcja 50 %", "osoba na dyżurze (e-mail)", "brak"),
    ]


def test_what_cannot_be_read_yet_is_named_and_no_difference(world: build.World) -> None:
    form = form_of(world.version, month_cap="80 %%", P1_silence="24 h", step0_share="pół")
    with translation.override("pl"):
        ahead = preview(form, build.MONDAY, spec_of(world.version))
    assert ahead.changes == []
    assert ahead.unreadable == [
        "P1, dni robocze milczenia",
        "Limit miesiąca",
        "Eskalacja, wiersz 1, kiedy",
    ]


def test_every_column_that_the_form_offers_has_its_words(world: build.World) -> None:
    form = form_of(world.version)
    assert form.is_valid(), form.errors
    offered = {*form.terms, "monthly_fee"} - {"signed_on", "signatories"}
    assert offered == set(COLUMN_WORDS)


def test_the_page_says_the_terms_to_both_sides_in_both_languages(world: build.World) -> None:
    version = entered(world)
    polish = (
        "P1 awaria krytyczna Wiadomość co 30 min, całą dobę. 1 dzień roboczy milczenia przyjmuje naprawę.",
        "P2 błąd istotny Bez obiecanych wiadomości. 2 dni robocze milczenia przyjmują naprawę.",
        "P3 błąd zwykły Wiadomość co 2 h, pon.–pt. 8–16. 8 dni roboczych milczenia przyjmuje naprawę.",
        "Odpowiadamy za każde opóźnienie. Ze spóźnienia można wyłączyć tylko: wina klienta, siła wyższa.",
        "O dniach wolnych uprzedzamy co najmniej 7 dni roboczych wcześniej.",
        "Zegary uruchamia tylko zgłoszenie od człowieka, alarm monitora nie.",
        "Gdy czekamy na podmiot trzeci, zegary stoją.",
        "Wypowiedzenie złożone dziś kończy umowę 2 czerwca 2026.",
    )
    english = (
        "A message every 30 min, round the clock. 1 working day of silence accepts a repair.",
        "Only this may be left out of a delay: client's fault, force majeure.",
        "We tell of days off at least 7 working days ahead.",
        "Notice given today ends the contract on 2 June 2026.",
    )
    for person in (world.owner, world.manager):
        said = text_of(visitor(person).get(path(version)))
        assert [sentence for sentence in polish if sentence not in said] == []
        assert ("decyduje druga osoba" in said) == person.is_provider
        person.language = "en"
        person.save()
        said = text_of(visitor(person).get(path(version)))
        assert [sentence for sentence in english if sentence not in said] == []


def test_with_default_only_all_that_we_do_not_answer_for_is_left_out(world: build.World) -> None:
    said = text_of(visitor(world.owner).get(path(world.version)))
    assert (
        "Odpowiadamy za zwłokę, czyli opóźnienie z naszej winy. Ze spóźnienia wyłączamy to, za co nie odpowiadamy: "
        "wina klienta, podmiot trzeci, siła wyższa, zapowiedziane okno serwisowe, zawyżona kategoria." in said
    )
    world.version.liability = "opoznienie"
    with as_owner():
        world.version.save()
    assert "Ze spóźnienia niczego nie wyłączamy." in text_of(visitor(world.owner).get(path(world.version)))


def test_the_last_day_for_notice_stands_on_the_page_and_in_the_editor_by_what_is_typed(world: build.World) -> None:
    contract = world.version.contract
    contract.ends_on = date(2026, 12, 31)
    contract.save()
    still = "Ostatni dzień, w którym wypowiedzenie kończy umowę przed czasem: 30 września 2026."
    for address in (path(world.version), f"{path(world.version)}edit/"):
        assert still in text_of(visitor(world.manager).get(address))
    browser = visitor(world.manager)
    typed_ends = {"ends_on": "31.12.2027", "notice_months": "1 miesiąc", "zone": "Europe/Warsaw"}
    said = text_of(browser.post("/contracts/preview/", typed_in(browser, **typed_ends)))
    assert "przed czasem: 30 listopada 2027. Złożone dziś kończy umowę 2 kwietnia 2026." in said
    assert "Wypowiedzenie" not in text_of(browser.post("/contracts/preview/", {"notice_months": "rok"}))
    contract.ends_on = date(2026, 5, 31)
    contract.save()
    assert "Ostatni dzień na wypowiedzenie minął 28 lutego 2026; późniejsze niczego już nie przyspieszy." in text_of(
        visitor(world.owner).get(path(world.version))
    )


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("month_cap", "80 h", "Wpisz limit tak: 500,00 zł, 20 % opłaty albo 3 × opłata."),
        ("contract_cap", "50 dni", "Wpisz limit tak: 50 000,00 zł, 12 × opłata albo 20 % umowy."),
        ("availability_target", "99,9 zł", "Wpisz dostępność tak: 99,5 %."),
        ("P1_restore_rate", "0,1 %%", "Wpisz stawkę tak: 2 % opłaty albo 50,00 zł."),
    ],
)
def test_a_unit_that_does_not_belong_is_refused_and_nothing_typed_is_lost(
    world: build.World, field: str, text: str, sentence: str
) -> None:
    browser = visitor(world.manager)
    response = browser.post("/contracts/new/?client=MAK", typed_in(browser, **{field: text}))
    assert response.status_code == 422
    assert errors_of(response) == {field: [sentence]}
    assert f'value="{text}"' in response.content.decode()
    assert not Contract.objects.filter(number="7/2026").exists()


def test_the_usual_contract_has_the_usual_messages_and_silence() -> None:
    values = sent_of(VersionForm(initial=usual([], TODAY), choices=FormChoices([], []), today=TODAY))
    assert {name: values[name] for name in values if name.endswith(("_update", "_silence", "_off_notice"))} == {
        "P1_update": "1 h", "P2_update": "4 h", "P1_silence": "3", "P2_silence": "3", "P3_silence": "5",
        "P4_silence": "5", "days_off_notice": "5",
    }  # fmt: skip
    assert issubclass(VersionForm, TermsForm)
