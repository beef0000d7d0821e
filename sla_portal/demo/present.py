"""The demo's today: incidents whose clocks run now, in every state that a page can show."""

from __future__ import annotations

import json
import urllib.request
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings

from contracts import agreements
from contracts.severities import What
from monitoring import watch
from monitoring.models import Monitor
from sla_portal.demo.cast import Cast
from sla_portal.demo.history import Calendar
from sla_portal.demo.player import Player, checked
from sla_portal.demo.shops import Street

# The first is for the monitor to find, the others are what people reported: their monitors saw it fail too
BROKEN_SHOPS = ("wisla-foto", "mak", "hurt-mak")
BROKEN_BY = "payment"


def tell(player: Player, cast: Cast, now: datetime) -> None:
    """Counted back from now in minutes, so that the clocks are in these states whenever the demo starts."""
    soon_late(player, cast, now)
    seen_failing(player, cast, now)
    in_work(player, cast, now)
    overdue(player, cast, now)
    standing(player, cast, now)
    delivered(player, cast, now)
    announced(player, cast, now)


def ago(now: datetime, minutes: int) -> datetime:
    return now - timedelta(minutes=minutes)


def soon_late(player: Player, cast: Cast, now: datetime) -> None:
    """Nobody has answered: its reaction time ends within five minutes."""
    player.report(
        "soon",
        ago(now, 26),
        cast.shops["tur"],
        What.NO_PAYMENT,
        cast.kinga,
        "Klienci dzwonią, że po BLIK-u wraca ich do koszyka.",
        phone="601 330 119",
    )


def seen_failing(player: Player, cast: Cast, now: datetime) -> None:
    """A minute after the reports of `in_work` and `overdue` the monitors see these two shops take no payment."""
    for slug, minutes in (("mak", 69), ("hurt-mak", 307)):
        for second in (0, 8):
            player.at(ago(now, minutes) + timedelta(seconds=second), partial(_fail, cast.monitors[slug, "pay"]))


def _fail(monitor: Monitor, at: datetime) -> None:
    checked(monitor, "down", "status", at=at, status=502)


def in_work(player: Player, cast: Cast, now: datetime) -> None:
    scene = player.report(
        "work",
        ago(now, 70),
        cast.shops["mak"],
        What.NO_ORDERS,
        cast.marta,
        "Od rana nikt nie może dokończyć zamówienia, kręci się kółko.",
        phone="600 100 200",
    )
    scene.react(ago(now, 62), cast.anna)
    scene.backup(ago(now, 50), cast.anna, "S3 Frankfurt", "4,2 GB", "sha256 9f2c41d708be")
    scene.note(
        ago(now, 45), cast.anna, "Wtyczka paynow 2.4.1 weszła z automatu o 3:00. Blokada aktualizacji na mak.pl."
    )
    scene.say(
        ago(now, 20),
        cast.anna,
        "Zamówienia blokuje wtyczka płatności po nocnej aktualizacji. Cofamy ją na kopii, potem w sklepie.",
    )
    scene = player.report(
        "second", ago(now, 95), cast.shops["hurt-mak"], What.SOME_PAYMENTS, cast.marta, "Karty firmowe są odrzucane."
    )
    scene.react(ago(now, 80), cast.piotr).hand_over(ago(now, 75), cast.piotr, cast.anna)
    player.report(
        "fresh", ago(now, 35), cast.shops["sowa"], What.WRONG_DATA, cast.iza, "Dostawa za 0 zł przy odbiorze."
    )
    player.report(
        "small", ago(now, 200), cast.shops["lis"], What.TYPO, cast.kinga, "Literówka w nazwie „Kurtka Słota”."
    )


def overdue(player: Player, cast: Cast, now: datetime) -> None:
    """The repair time has passed and the clock still runs; the client has contested and rejected nothing."""
    scene = player.report(
        "late",
        ago(now, 308),
        cast.shops["hurt-mak"],
        What.NO_PAYMENT,
        cast.ewa,
        "Sklepy dzwonią, że bank odrzuca im każdą płatność.",
    )
    scene.react(ago(now, 297), cast.piotr).backup(ago(now, 280), cast.piotr, "S3 Frankfurt", "1,2 GB")
    scene.say(ago(now, 150), cast.piotr, "Operator potwierdził błąd certyfikatu, czekamy na nowy do godziny.")
    scene = player.report(
        "again", ago(now, 230), cast.shops["lis"], What.TOO_SLOW, cast.kinga, "Kasa wczytuje się pół minuty."
    )
    scene.react(ago(now, 215), cast.anna).backup(ago(now, 205), cast.anna, "S3 Frankfurt", "3,0 GB")
    scene.resolve(ago(now, 120), cast.anna, "Wyczyszczona pamięć podręczna, kasa wczytuje się w sekundę.")
    scene.reject(ago(now, 90), cast.kinga, "U nas nadal pół minuty, także w trybie prywatnym.")


def standing(player: Player, cast: Cast, now: datetime) -> None:
    """Paused for the client, and for a third party: early enough that time is left whenever the demo starts."""
    scene = player.report(
        "asks",
        ago(now, 60 * 30),
        cast.shops["bukszpan"],
        What.ORDERS_LOST,
        cast.ola,
        "Zamówienia nie dochodzą do magazynu.",
    )
    scene.react(ago(now, 60 * 29), cast.anna)
    scene.pause(ago(now, 60 * 28), cast.anna, "Czy magazyn zmieniał wczoraj adres skrzynki? Proszę o nowy.")
    scene = player.report(
        "third", ago(now, 60 * 50), cast.shops["tur"], What.WRONG_DATA, cast.jan, "Paczkomaty znikają z koszyka."
    )
    scene.react(ago(now, 60 * 49), cast.piotr)
    scene.pause(
        ago(now, 60 * 47), cast.piotr, "Kurier potwierdził usterkę u siebie, czekamy na naprawę.", "third_party"
    )


def delivered(player: Player, cast: Cast, now: datetime) -> None:
    """A workaround stands and the final fix runs; a repair waits for the client; a question; a contested category."""
    scene = player.report(
        "detour", ago(now, 60 * 26), cast.shops["mak"], What.SOME_PAYMENTS, cast.marta, "Google Pay przestał działać."
    )
    scene.react(ago(now, 60 * 25), cast.anna).backup(ago(now, 60 * 25 - 10), cast.anna, "S3 Frankfurt", "4,2 GB")
    scene.workaround(ago(now, 60 * 24), cast.anna, "Google Pay wyłączony, BLIK i karty działają bez zmian.")
    scene = player.report(
        "fixed", ago(now, 190), cast.shops["mak"], What.TOO_SLOW, cast.marta, "Na telefonach koszyk ładuje się minutę."
    )
    scene.react(ago(now, 181), cast.piotr).backup(ago(now, 170), cast.piotr, "S3 Frankfurt", "4,2 GB")
    scene.resolve(ago(now, 25), cast.piotr, "Zdjęcia w koszyku ważyły po 8 MB, zmniejszone. Proszę sprawdzić.")
    player.report(
        "ask", ago(now, 130), cast.shops["filcownia"], What.QUESTION, cast.marek, "Czy da się wystawić fakturę w euro?"
    )
    scene = player.report(
        "urgent",
        ago(now, 160),
        cast.shops["lis"],
        What.SLOWER,
        cast.jan,
        "Wyszukiwarka gubi wyniki po wpisaniu rozmiaru.",
    )
    scene.react(ago(now, 140), cast.piotr)
    scene.contest(ago(now, 100), cast.jan, "W szczycie sezonu połowa klientów szuka po rozmiarze.")


def announced(player: Player, cast: Cast, now: datetime) -> None:
    """Work announced for the coming night, a day off ahead; every monitor has looked until now."""
    night = Calendar(now).day(-1, 1, "2:00")
    player.at(ago(now, 60 * 30), lambda at: _announce(cast, night, at))
    player.at(now, _look_until)


def _announce(cast: Cast, night: datetime, at: datetime) -> None:
    agreements.announce_maintenance(
        shop=cast.shops["sowa"],
        starts_at=night,
        ends_at=night + timedelta(hours=2),
        by=cast.tomasz,
        at=at,
        note="Aktualizacja bazy i wersji PHP",
    )


def _look_until(at: datetime) -> None:
    for monitor in Monitor.objects.all():
        watch.extend_last_check(monitor, at=at)


def break_shops() -> None:
    """Shops that really fail: one for the monitor to find within two minutes, two that are in the story.

    The shops' server is told if it runs already, else it finds the faults in its folder when it starts.
    """
    for slug in BROKEN_SHOPS:
        _break(slug)


def _break(slug: str) -> None:
    request = urllib.request.Request(  # noqa: S310 settings allow http only
        f"{settings.DEMO_SHOPS_URL}/api/shops/{slug}",
        json.dumps({"fault": BROKEN_BY}).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 the same
    except OSError:
        street = Street(Path(settings.DATA_DIR) / "shops")
        street.load()
        street.set(slug, BROKEN_BY)
