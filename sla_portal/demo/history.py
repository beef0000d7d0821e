"""Three months of the demo: times met and missed, pauses, workarounds, a rejected repair, an exclusion, outages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from contracts.severities import What
from incidents import lifecycle
from incidents.models import Incident
from monitoring.models import Monitor
from monitoring.probe.specification import Reason
from sla_portal.demo.cast import Cast
from sla_portal.demo.player import Player, checked

WARSAW = ZoneInfo("Europe/Warsaw")


@dataclass(frozen=True)
class Calendar:
    """Days of the story, counted back from now: `day(weeks, weekday, "9:12")`."""

    now: datetime

    def day(self, weeks: int, weekday: int, hour: str) -> datetime:
        local = self.now.astimezone(WARSAW)
        monday = local.date() - timedelta(days=local.weekday(), weeks=weeks)
        hours, minutes = map(int, hour.split(":"))
        return datetime.combine(monday + timedelta(days=weekday), time(hours, minutes, 5), WARSAW)


def after(start: datetime, minutes: int, seconds: int = 0) -> datetime:
    return start + timedelta(minutes=minutes, seconds=seconds)


def tell(player: Player, cast: Cast, when: Calendar) -> None:
    """Every scene of the past."""
    watched(player, cast, when)
    autumn_payments(player, cast, when)
    night_failure(player, cast, when)
    broken_import(player, cast, when)
    rejected_repair(player, cast, when)
    foreign_content(player, cast, when)
    excluded_breach(player, cast, when)
    small_things(player, cast, when)
    slow_october(player, cast, when)
    book_fair(player, cast, when)
    waiting_for_decision(player, cast, when)
    outages(player, cast, when)


def watched(player: Player, cast: Cast, when: Calendar) -> None:
    """Every monitor starts with a good check, thirteen weeks ago."""
    for number, monitor in enumerate(cast.monitors.values()):
        start = when.day(13, 0, "6:00") + timedelta(seconds=number)
        player.at(start, partial(_good, monitor))


def _good(monitor: Monitor, at: datetime) -> None:
    checked(monitor, "up", "ok", at=at)


def autumn_payments(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(12, 1, "9:14")
    scene = player.report(
        "payments",
        t,
        cast.shops["mak"],
        What.NO_PAYMENT,
        cast.marta,
        "Po wyborze BLIK-a klient wraca do koszyka, od rana zero opłaconych.",
        phone="600 100 200",
    )
    scene.react(after(t, 8), cast.anna).backup(after(t, 21), cast.anna, "S3 Frankfurt", "4,2 GB", "sha256 9f2c41d708be")
    scene.say(
        after(t, 34), cast.anna, "Operator zmienił w nocy adres powiadomień. Ustawiamy nowy i sprawdzamy na teście."
    )
    scene.resolve(after(t, 95), cast.anna, "Adres powiadomień poprawiony, trzy płatności testowe przeszły.")
    scene.accept(after(t, 140), cast.marta, "Działa, dziękujemy.")
    t = when.day(11, 3, "13:40")
    scene = player.report(
        "lost",
        t,
        cast.shops["hurt-mak"],
        What.ORDERS_LOST,
        cast.marta,
        "Zamówienia nie wpadają do Subiekta od południa.",
    )
    scene.react(after(t, 31), cast.piotr).pause(after(t, 50), cast.piotr, "Czy ktoś dziś zmieniał hasło do Subiekta?")
    scene.answer(after(t, 92), cast.marta, "Tak, księgowa o 12:05. Nowe hasło wysłałam SMS-em na dyżur.")
    scene.backup(after(t, 100), cast.piotr, "serwer kopii, Poznań", "1,1 GB")
    scene.resolve(after(t, 118), cast.piotr, "Nowe hasło wpisane, 14 zaległych zamówień poszło do Subiekta.")
    scene.accept(after(t, 150), cast.marta)


def night_failure(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(10, 5, "23:05")
    scene = player.report(
        "night", t, cast.shops["tur"], What.NO_ORDERS, cast.kinga, "Koszyk pokazuje błąd 500 przy wyborze dostawy."
    )
    scene.react(after(t, 44), cast.anna, "Tu Anna Kowalska, przepraszam za zwłokę. Sprawdzam logi dostaw.")
    scene.backup(after(t, 60), cast.anna, "S3 Frankfurt", "2,8 GB")
    scene.workaround(
        after(t, 170), cast.anna, "Wyłączyłam paczkomaty, kurier i odbiór działają. Klienci mogą zamawiać."
    )
    scene.resolve(after(t, 60 * 39), cast.piotr, "Moduł paczkomatów zaktualizowany, wszystkie dostawy wróciły.")
    scene.accept(after(t, 60 * 41), cast.kinga)
    scene.confirm(after(t, 60 * 60), cast.tomasz, "reaction")


def broken_import(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(9, 0, "10:20")
    scene = player.report(
        "import", t, cast.shops["sowa"], What.WRONG_DATA, cast.iza, "Ceny hurtowe pokazują się klientom detalicznym."
    )
    scene.react(after(t, 25), cast.piotr).backup(after(t, 40), cast.piotr, "serwer kopii, Łódź", "900 MB")
    scene.resolve(after(t, 175), cast.piotr, "Import mylił kolumny po zmianie pliku. Poprawiony, ceny przeliczone.")
    scene.accept(after(t, 200), cast.iza)
    t = when.day(9, 3, "9:05")
    scene = player.report(
        "slowly",
        t,
        cast.shops["lis"],
        What.SLOWER,
        cast.kinga,
        "Lista kurtek otwiera się kilka sekund dłużej niż zwykle.",
    )
    scene.react(after(t, 70), cast.anna).worse(
        after(t, 120), cast.anna, "P2", "Koszyk też już czeka po kilkanaście sekund."
    )
    scene.backup(after(t, 130), cast.anna, "S3 Frankfurt", "2,9 GB")
    scene.resolve(after(t, 260), cast.anna, "Brakowało indeksu po aktualizacji, dodany. Lista wraca w pół sekundy.")
    scene.accept(after(t, 300), cast.kinga)


def rejected_repair(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(7, 2, "11:30")
    scene = player.report(
        "rejected",
        t,
        cast.shops["mak"],
        What.NO_ORDERS,
        cast.marta,
        "Przycisk „Zamawiam i płacę” nic nie robi w Safari.",
    )
    scene.react(after(t, 12), cast.anna).backup(after(t, 20), cast.anna, "S3 Frankfurt", "4,3 GB")
    scene.resolve(after(t, 110), cast.anna, "Skrypt koszyka poprawiony i wgrany.")
    scene.reject(after(t, 135), cast.marta, "Na iPhonie 12 nadal nic, sprawdziłam na dwóch telefonach.")
    scene.say(after(t, 150), cast.anna, "Mamy ten model, odtwarzam u siebie.")
    scene.resolve(
        after(t, 330), cast.anna, "Starsze Safari dostawało skrypt bez tłumaczenia. Teraz działa też na iOS 15."
    )
    scene.accept(after(t, 360), cast.ewa, "Potwierdzam, zamówienie przeszło.")
    scene.confirm(after(t, 60 * 50), cast.tomasz, "restore")


def foreign_content(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(5, 3, "8:12")
    scene = player.report(
        "foreign", t, cast.shops["mak"], What.BREAK_IN, cast.marta, "Na stronie głównej obce reklamy kasyna."
    )
    scene.react(after(t, 10), cast.anna).pause(
        after(t, 48), cast.anna, "Kto ma dostęp FTP i kto go używał w tym tygodniu?"
    )
    scene.note(after(t, 55), cast.anna, "Wtyczka galerii z 2023 roku, znana luka. Blokada na mak.pl i hurt.mak.pl.")
    scene.answer(after(t, 78), cast.marta, "Tylko grafik, od poniedziałku nie zaglądał.")
    scene.backup(after(t, 90), cast.anna, "kopia przed naprawą, S3 Frankfurt", "4,4 GB", "sha256 c41a77e09b3d")
    scene.resolve(after(t, 338), cast.anna, "Wtyczka usunięta, pliki odtworzone z czystej kopii, hasła zmienione.")
    scene.accept(after(t, 380), cast.ewa)


def excluded_breach(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(6, 4, "16:45")
    scene = player.report(
        "courier", t, cast.shops["tur"], What.NO_PAYMENT, cast.jan, "Żadna płatność kartą nie przechodzi, BLIK też nie."
    )
    scene.react(after(t, 15), cast.piotr).no_backup(
        after(t, 30), cast.piotr, "Zmiana tylko po stronie operatora płatności."
    )
    scene.say(after(t, 60), cast.piotr, "Awaria u operatora płatności, zgłoszenie 48213. Sprawdzamy co kwadrans.")
    scene.resolve(after(t, 330), cast.piotr, "Operator przywrócił usługę, płatności testowe przechodzą.")
    scene.accept(after(t, 360), cast.jan)
    scene.exclude(
        after(t, 60 * 70),
        cast.tomasz,
        "restore",
        "third_party",
        after(t, 240, 1),
        after(t, 330),
        "Awaria operatora płatności od 16:38 do 22:12, jego komunikat 48213; w umowie wymieniony jako podmiot trzeci.",
    )


def small_things(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(8, 1, "12:10")
    scene = player.report(
        "typo", t, cast.shops["wisla-foto"], What.TYPO, cast.iza, "„Odbitiki” zamiast „Odbitki” w menu."
    )
    scene.react(after(t, 60), cast.piotr).resolve(after(t, 90), cast.piotr, "Poprawione.").accept(
        after(t, 120), cast.iza
    )
    t = when.day(6, 0, "10:02")
    scene = player.report("question", t, cast.shops["filcownia"], What.QUESTION, cast.marek, "Jak dodać drugi magazyn?")
    scene.say(after(t, 55), cast.piotr, "Panel, Ustawienia, Magazyny. Wysyłam krótki opis na e-mail.")
    scene.resolve(after(t, 80), cast.piotr, "Opis wysłany.").accept(after(t, 200), cast.marek, "Dziękuję, działa.")
    t = when.day(4, 2, "15:20")
    scene = player.report("withdrawn", t, cast.shops["sowa"], What.TOO_SLOW, cast.iza, "Sklep strasznie wolno działa.")
    scene.react(after(t, 20), cast.anna).cancel(after(t, 33), cast.iza, "To u nas w biurze padł internet, przepraszam.")


def slow_october(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(4, 0, "8:40")
    scene = player.report(
        "office", t, cast.shops["bukszpan"], What.SOME_PAYMENTS, cast.iza, "Przelewy24 odrzuca co trzecią płatność."
    )
    scene.react(after(t, 150), cast.piotr, "Tu Piotr Maj. Zaczynam od logów operatora.")
    scene.backup(after(t, 170), cast.piotr, "serwer kopii, Łódź", "650 MB")
    scene.resolve(after(t, 330), cast.piotr, "Podpis transakcji liczony w złej walucie, poprawione.")
    scene.accept(after(t, 380), cast.iza)
    scene.confirm(after(t, 60 * 26), cast.halina, "reaction")


def book_fair(player: Player, cast: Cast, when: Calendar) -> None:
    t = when.day(3, 2, "9:30")
    scene = player.report(
        "fair", t, cast.shops["sowa"], What.CLOSED, cast.ola, "Strona nie wstaje od rana, a mamy stoisko na targach."
    )
    scene.react(after(t, 5), cast.anna).backup(after(t, 15), cast.anna, "serwer kopii, Łódź", "910 MB")
    scene.workaround(after(t, 75), cast.anna, "Wróciliśmy do wczorajszej wersji sklepu. Zamówienia działają.")
    scene.resolve(after(t, 60 * 26), cast.anna, "Aktualizacja wgrana poprawnie, wersja bieżąca wróciła.")
    t = when.day(2, 1, "10:15")
    scene = player.report(
        "silence", t, cast.shops["lis"], What.WRONG_DATA, cast.kinga, "E-maile z potwierdzeniem przychodzą podwójnie."
    )
    scene.react(after(t, 40), cast.piotr).backup(after(t, 55), cast.piotr, "S3 Frankfurt", "3,0 GB")
    scene.resolve(after(t, 130), cast.piotr, "Dwie wtyczki wysyłały to samo, jedna wyłączona.")


def waiting_for_decision(player: Player, cast: Cast, when: Calendar) -> None:
    """Missed times that the manager has not decided yet, one of them above one person's amount."""
    t = when.day(2, 3, "8:12")
    scene = player.report(
        "checkout",
        t,
        cast.shops["mak"],
        What.NO_ORDERS,
        cast.marta,
        "Kod rabatowy kasuje cały koszyk, klienci odchodzą.",
    )
    scene.react(after(t, 11), cast.anna).pause(after(t, 48), cast.anna, "Który kod i kto go założył?")
    scene.answer(after(t, 78), cast.marta, "JESIEN15, ja wczoraj wieczorem.")
    scene.backup(after(t, 85), cast.anna, "S3 Frankfurt", "4,4 GB")
    scene.resolve(after(t, 338), cast.anna, "Promocja liczona ponownie, koszyk nie znika.").accept(
        after(t, 350), cast.marta
    )
    t = when.day(1, 5, "19:20")
    scene = player.report(
        "saturday", t, cast.shops["hurt-mak"], What.CLOSED, cast.marta, "hurt.mak.pl pokazuje białą stronę."
    )
    scene.react(after(t, 52), cast.piotr).backup(after(t, 70), cast.piotr, "S3 Frankfurt", "1,2 GB")
    scene.resolve(after(t, 500), cast.piotr, "Zabrakło miejsca na dysku, dołożone i wyczyszczone.")
    scene.accept(after(t, 560), cast.ewa, "Działa, ale długo to trwało.")
    scene.confirm(after(t, 60 * 40), cast.tomasz, "restore")


def outages(player: Player, cast: Cast, when: Calendar) -> None:
    """Seen by monitors: short and long ones, one with a slow tail, some hours that nobody watched."""
    down(player, cast, "jodlowa", "home", when.day(9, 6, "3:10"), 26, "connect")
    down(player, cast, "filcownia", "pay", when.day(7, 1, "12:40"), 3, "timeout")
    down(player, cast, "wisla-foto", "home", when.day(5, 5, "14:02"), 41, "status", 502)
    down(player, cast, "tur", "home", when.day(3, 6, "21:15"), 12, "content", 200)
    down(player, cast, "jodlowa", "pay", when.day(1, 1, "7:30"), 68, "status", 500)


def down(
    player: Player, cast: Cast, slug: str, part: str, start: datetime, minutes: int, reason: Reason, status: int = 200
) -> None:
    """An outage of so many minutes; the incident it opens is reacted to, fixed and accepted by those on call."""
    monitor = cast.monitors[slug, part]
    for second in (0, 8):
        at = start + timedelta(seconds=second)
        player.at(at, lambda at: checked(monitor, "down", reason, at=at, status=status))
    back = start + timedelta(minutes=minutes)
    for second in (0, 60, 120):
        player.at(back + timedelta(seconds=second), partial(_good, monitor))
    player.at(after(start, 6), lambda at: _work(monitor.shop_id, cast, at, "react"))
    player.at(after(back, 9), lambda at: _work(monitor.shop_id, cast, at, "resolve"))


def _work(shop_id: int, cast: Cast, at: datetime, act: str) -> None:
    from_monitor = Incident.objects.active().filter(shop=shop_id).exclude(failure="").first()
    if from_monitor is None:
        return
    if act == "react":
        lifecycle.acknowledge(incident=from_monitor, by=cast.anna, at=at)
        return
    if from_monitor.needs_backup:
        lifecycle.skip_backup(
            incident=from_monitor, by=cast.anna, at=at, text="Sklep wrócił sam, nic nie zmienialiśmy."
        )
    lifecycle.resolve(incident=from_monitor, by=cast.anna, at=at, text="Przyczyna usunięta u dostawcy, sklep działa.")
