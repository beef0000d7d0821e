"""Managers add and change monitors on pages: what they type is read, refused at its field, and checked at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client as Browser

from monitoring import forms, watch
from monitoring.models import Monitor
from monitoring.probe.addresses import Policy, parse_networks, typed_refusal
from monitoring.state import schedule
from tests import build
from tests.build import World
from tests.languages import shows_through
from tests.monitoring.played import DOWN, EGRESS, UP, after, monitor, play, result, spans
from tests.pages import stop_clock, text_of, visitor
from wording.refusals import Refused

NOW = after(100)
TYPED = {
    "name": "Koszyk", "url": "https://mak.example/koszyk", "interval": "30 s", "timeout_ms": "8", "slow_ms": "2,5",
    "required_text": "Do kasy", "forbidden_text": "Błąd", "statuses": "301, 200", "what": "no_orders",
    "means_down": "on",
}  # fmt: skip


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    stop_clock(monkeypatch, NOW)
    return build.world()


@pytest.fixture
def home(world: World) -> Monitor:
    return monitor(world.shop)


@pytest.fixture
def manager(world: World) -> Browser:
    return visitor(world.manager)


def post(browser: Browser, path: str, *, status: int = 302, **changes: Any) -> Any:
    answer = browser.post(path, {key: value for key, value in (TYPED | changes).items() if value is not None})
    assert answer.status_code == status
    return answer


def new(world: World) -> str:
    return f"/shops/{world.shop.slug}/monitors/new/"


def errors(answer: Any) -> dict[str, str]:
    return {name: str(found[0]).replace("\u00a0", " ") for name, found in answer.context["form"].errors.items()}


# Adding


def test_what_is_typed_becomes_a_monitor_that_the_next_sweep_asks_for(
    world: World, manager: Browser, django_capture_on_commit_callbacks: Any
) -> None:
    answer = post(manager, new(world))
    row = Monitor.objects.get()
    assert answer["Location"] == f"/monitors/{row.pk}/"
    assert (row.shop, row.name, row.url) == (world.shop, "Koszyk", "https://mak.example/koszyk")
    assert (row.interval, row.timeout_ms, row.slow_ms, row.statuses) == (30, 8000, 2500, [200, 301])
    assert (row.required_text, row.forbidden_text) == ("Do kasy", "Błąd")
    assert (row.what, row.severity, row.means_down, row.next_check_at) == ("no_orders", "P1", True, NOW)
    asked: list[str] = []
    with django_capture_on_commit_callbacks(execute=True):
        schedule.sweep(at=NOW, send=lambda place, specs, patience: asked.extend(spec.url for spec in specs))
    assert asked == ["https://mak.example/koszyk"]


def test_a_sentence_of_the_report_form_brings_its_category(world: World, manager: Browser) -> None:
    post(manager, new(world), what="slower", means_down=None)
    row = Monitor.objects.get()
    assert (row.what, row.severity, row.means_down) == ("slower", "P3", False)


def test_a_question_is_no_failure(world: World, manager: Browser) -> None:
    assert list(errors(post(manager, new(world), what="question", status=422))) == ["what"]
    assert Monitor.objects.count() == 0


def test_a_new_monitor_begins_with_the_shops_address_and_the_usual_limits(world: World, manager: Browser) -> None:
    values = manager.get(new(world)).context["form"].initial
    assert values["url"] == "https://mak.example/"
    assert (values["interval"], values["timeout_ms"], values["slow_ms"], values["statuses"]) == ("60", "10", "3", "200")


def test_an_address_without_a_scheme_is_taken_for_https(world: World, manager: Browser) -> None:
    post(manager, new(world), url="mak.example/kasa")
    assert Monitor.objects.get().url == "https://mak.example/kasa"


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "To pole jest wymagane."),
        ("name", "\u200b\u2800", "To pole jest wymagane."),
        ("name", "Strona\ngłówna", "Wpisz to w jednej linii, bez tabulatorów i znaków sterujących."),
        ("required_text", "Do\tkasy", "Wpisz to w jednej linii, bez tabulatorów i znaków sterujących."),
        ("url", "ftp://mak.example/", "Sprawdzamy tylko adresy, które zaczynają się od http lub https."),
        ("url", "https://jan:tajne@mak.example/", "Adres nie może zawierać loginu ani hasła."),
        ("url", "https://mak.example:22/", "Nasze zasady nie pozwalają łączyć się z portem 22."),
        ("url", "http://127.1/", "Nasze zasady nie pozwalają łączyć się z 127.0.0.1, bo to nie jest adres publiczny."),
        (
            "url",
            "http://localhost/",
            "Nasze zasady nie pozwalają łączyć się z 127.0.0.1, bo to nie jest adres publiczny.",
        ),
        ("url", "https://mak example/", "Wprowadź poprawny adres URL."),
        ("interval", "co minutę", "Wpisz pełne sekundy od 5 do 3600, na przykład 60."),
        ("interval", "4", "Wpisz pełne sekundy od 5 do 3600, na przykład 60."),
        ("interval", "3601", "Wpisz pełne sekundy od 5 do 3600, na przykład 60."),
        ("timeout_ms", "61", "Wpisz sekundy od 0,1 do 60, na przykład 3 albo 2,5."),
        ("slow_ms", "0", "Wpisz sekundy od 0,1 do 60, na przykład 3 albo 2,5."),
        ("slow_ms", "8", "Próg „wolno” musi być krótszy niż czas, po którym brak odpowiedzi to awaria."),
        ("statuses", "2xx", "Wpisz statusy, na przykład 200 albo 200, 301."),
        ("what", "", "To pole jest wymagane."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_lost(
    world: World, manager: Browser, field: str, typed: str, words: str
) -> None:
    answer = post(manager, new(world), status=422, **{field: typed})
    assert errors(answer) == {field: words}
    assert "Błąd:" in answer.content.decode()
    assert [answer.context["form"][name].value() for name in TYPED if name != field] == [
        True if name == "means_down" else value for name, value in TYPED.items() if name != field
    ]
    assert Monitor.objects.count() == 0


def test_a_name_that_the_shop_has_is_refused_at_the_name(world: World, home: Monitor, manager: Browser) -> None:
    answer = post(manager, new(world), name=home.name, status=422)
    assert errors(answer) == {"name": "Ten sklep ma już monitor o tej nazwie."}
    assert Monitor.objects.count() == 1


# Reading


@pytest.mark.parametrize(("text", "span"), [("3", 3000), ("2,5", 2500), ("2.75 s", 2750), ("0.1", 100), ("60", 60_000)])
def test_a_limit_is_read_to_the_millisecond(text: str, span: int) -> None:
    assert forms.read_limit(text) == span
    assert forms.read_limit(forms.limit_words(span)) == span


@pytest.mark.parametrize("text", ["", "-1", "1e3", "3 min", "٣", "60.001", "0,09"])
def test_what_is_no_limit_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        forms.read_limit(text)


def test_statuses_are_sorted_and_stand_there_once() -> None:
    assert forms.read_statuses("301,200 200; 404") == [200, 301, 404]


def test_permitted_networks_open_their_ports_and_no_other(settings: Any) -> None:
    policy = Policy(parse_networks(["127.0.0.0/8"]))
    assert typed_refusal("http://127.0.0.1:8003/", policy) == ("", "")
    assert typed_refusal("http://localhost:8003/", policy) == ("", "")
    assert typed_refusal("http://10.0.0.1/", policy) == ("address", "10.0.0.1")
    assert typed_refusal("http://8.8.8.8:8003/", policy) == ("port", "8003")


# Changing


def test_a_change_is_kept_and_checked_at_once(home: Monitor, manager: Browser) -> None:
    post(manager, f"/monitors/{home.pk}/edit/")
    row = Monitor.objects.get()
    assert (row.pk, row.name, row.interval, row.next_check_at) == (home.pk, "Koszyk", 30, NOW)


def test_a_form_that_is_sent_back_as_it_came_changes_nothing(world: World, manager: Browser) -> None:
    row = monitor(world.shop, slow_ms=2750, severity="P2")
    came = {name: value for name, value in forms.values_of(row).items() if value is not False}
    before = Monitor.objects.values().get()
    manager.post(f"/monitors/{row.pk}/edit/", came)
    assert Monitor.objects.values().get() == before


def test_a_category_of_its_own_stays_as_long_as_the_sentence(world: World, manager: Browser) -> None:
    row = monitor(world.shop, what="closed", severity="P2")
    post(manager, f"/monitors/{row.pk}/edit/", what="closed")
    assert Monitor.objects.get().severity == "P2"
    post(manager, f"/monitors/{row.pk}/edit/", what="slower")
    assert Monitor.objects.get().severity == "P3"


def test_a_shorter_interval_makes_no_gap_of_the_time_before(world: World) -> None:
    row = monitor(world.shop, interval=3600)
    row = play(row, (0, UP))
    row = watch.change(monitor=row, by=world.manager, at=after(1800), interval=10)
    assert not row.is_stale(after(1801))
    assert spans(play(row, (1801, UP))) == [("up", 0, None)]


def test_a_change_makes_no_silence_good(world: World) -> None:
    row = play(monitor(world.shop), (0, UP))
    row = watch.change(monitor=row, by=world.manager, at=after(1800), url="https://mak.example/nowa")
    assert spans(play(row, (1801, UP))) == [("up", 0, 60), ("unknown", 60, 1801), ("up", 1801, None)]


def test_an_answer_to_the_old_question_and_a_failure_before_it_count_no_more(world: World, home: Monitor) -> None:
    home = play(home, (0, UP), (60, DOWN))
    assert home.is_suspected
    changed = watch.change(monitor=home, by=world.manager, at=after(65), url="https://mak.example/nowa")
    late = result(home, after(62), DOWN)
    assert watch.record(home, late, at=after(66)) is False
    assert not changed.is_suspected
    assert not play(home, (70, DOWN)).outages.exists()


def test_repeated_a_change_moves_nothing(world: World, home: Monitor) -> None:
    first = watch.change(monitor=home, by=world.manager, at=after(10), interval=30)
    again = watch.change(monitor=home, by=world.manager, at=after(20), interval=30)
    assert (first.next_check_at, again.next_check_at) == (after(10), after(10))


def test_a_new_name_alone_asks_for_no_check(world: World, home: Monitor) -> None:
    row = watch.change(monitor=home, by=world.manager, at=after(10), name="Sklep")
    assert (row.name, row.next_check_at) == ("Sklep", home.next_check_at)


def test_a_stopped_monitor_stays_stopped_when_it_is_changed(world: World, home: Monitor) -> None:
    watch.stop(monitor=play(home, (0, UP)), by=world.manager, at=after(5))
    row = watch.change(monitor=home, by=world.manager, at=after(10), interval=30)
    assert (row.is_active, row.next_check_at) == (False, None)


@pytest.mark.parametrize("seen", [(DOWN, DOWN), (EGRESS,)])
def test_what_counts_is_not_turned_round_once_figures_count_by_it(
    world: World, home: Monitor, manager: Browser, seen: tuple[dict[str, Any], ...]
) -> None:
    play(home, (0, UP), *((60 + 7 * place, kind) for place, kind in enumerate(seen)))
    answer = post(manager, f"/monitors/{home.pk}/edit/", means_down=None, status=422)
    assert errors(answer) == {
        "means_down": "Od tego zależą już policzone wyniki. Zatrzymaj ten monitor i dodaj nowy."
    }  # fmt: skip
    row = Monitor.objects.get()
    assert (row.means_down, row.name) == (True, "Strona główna")


def test_what_counts_may_be_put_right_while_all_was_well(world: World, home: Monitor, manager: Browser) -> None:
    play(home, (0, UP))
    post(manager, f"/monitors/{home.pk}/edit/", means_down=None)
    assert Monitor.objects.get().means_down is False


def test_what_the_checks_say_is_not_for_people_to_change(world: World, home: Monitor) -> None:
    with pytest.raises(TypeError, match="not to be changed: state"):
        watch.change(monitor=home, by=world.manager, at=after(10), state="up")


def test_the_verbs_refuse_an_address_that_the_probe_would_never_ask(world: World, home: Monitor) -> None:
    metadata = "http://169.254.169.254/latest/"
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        watch.add(shop=world.shop, name="Chmura", url=metadata, by=world.manager, at=after(0))
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        watch.change(monitor=home, by=world.manager, at=after(0), url=metadata)
    assert [row.url for row in Monitor.objects.all()] == [home.url]


# Who


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("owner", 404), ("reporter", 404)])
def test_agents_see_monitors_and_change_none_and_clients_find_no_form(
    world: World, home: Monitor, who: str, status: int
) -> None:
    browser = visitor(getattr(world, who))
    for path in (new(world), f"/monitors/{home.pk}/edit/"):
        assert browser.get(path).status_code == status
        post(browser, path, status=status)
    assert [row.name for row in Monitor.objects.all()] == [home.name]


def test_only_a_manager_is_shown_the_way(world: World, home: Monitor, manager: Browser) -> None:
    agent = visitor(world.agent)
    for path, words in ((f"/shops/{world.shop.slug}/", "Dodaj monitor"), (f"/monitors/{home.pk}/", "Zmień")):
        assert words in text_of(manager.get(path))
        assert words not in text_of(agent.get(path))


@pytest.mark.parametrize("language", ["pl", "en"])
def test_the_forms_speak_the_managers_language(world: World, home: Monitor, language: str) -> None:
    world.manager.language = language
    world.manager.save()
    browser = visitor(world.manager)
    for path in (new(world), f"/monitors/{home.pk}/edit/"):
        wrong = post(browser, path, status=422, interval="x", slow_ms="9", statuses="x", url="ftp://x")
        for answer in (browser.get(path), wrong):
            assert shows_through(answer.content.decode(), language) == []
