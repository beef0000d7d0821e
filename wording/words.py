"""Times, spans, money and shares as people read them, in the active language; a figure never breaks from its unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from django.conf import settings
from django.utils.translation import get_language, gettext_lazy

Case = Literal["nominative", "genitive", "long"]
MonthCase = Literal["nominative", "genitive", "locative", "short"]
NBSP = "\u00a0"
SECONDS_BELOW = 600  # a span below ten minutes shows its seconds: they decide there
PLACES = 4  # decimals of a figure at most
SEVERITIES = {
    "P1": gettext_lazy("critical failure"),
    "P2": gettext_lazy("serious fault"),
    "P3": gettext_lazy("ordinary fault"),
    "P4": gettext_lazy("blemish"),
}


@dataclass(frozen=True)
class LanguageForms:
    """A language's words of time and signs of numbers: Babel's, and what it lacks ("wtorek", not "do wtorku")."""

    near: dict[int, dict[str, str]]
    near_first: bool
    weekdays: dict[str, tuple[str, ...]]
    months: dict[str, tuple[str, ...]]
    of_work: str
    decimal: str
    thousands: str
    signs: dict[str, str]


def _weekdays(locale: Locale, width: str) -> tuple[str, ...]:
    """Monday first."""
    return tuple(name for _number, name in sorted(locale.days["format"][width].items()))


def _months(locale: Locale, context: str, width: str) -> tuple[str, ...]:
    return tuple(name for _number, name in sorted(locale.months[context][width].items()))


_PL, _EN = Locale("pl"), Locale("en")
_PL_SIGNS, _EN_SIGNS = _PL.number_symbols["latn"], _EN.number_symbols["latn"]
_EN_MONTHS, _EN_DAYS = _months(_EN, "format", "wide"), _weekdays(_EN, "abbreviated")
POLISH = LanguageForms(
    near={
        -1: {"nominative": "wczoraj", "genitive": "wczoraj", "long": "wczoraj"},
        0: {"nominative": "dziś", "genitive": "dziś", "long": "dziś"},
        1: {"nominative": "jutro", "genitive": "jutra", "long": "jutro"},
    },
    near_first=True,
    weekdays={
        "nominative": _weekdays(_PL, "abbreviated"),
        "genitive": ("poniedziałku", "wtorku", "środy", "czwartku", "piątku", "soboty", "niedzieli"),
        "long": _weekdays(_PL, "wide"),
    },
    months={
        "short": _months(_PL, "format", "abbreviated"),
        "nominative": _months(_PL, "stand-alone", "wide"),
        "genitive": _months(_PL, "format", "wide"),
        "locative": (
            "styczniu",
            "lutym",
            "marcu",
            "kwietniu",
            "maju",
            "czerwcu",
            "lipcu",
            "sierpniu",
            "wrześniu",
            "październiku",
            "listopadzie",
            "grudniu",
        ),
    },
    of_work="pracy",
    decimal=_PL_SIGNS["decimal"],
    thousands=_PL_SIGNS["group"],
    signs={"PLN": _PL.currency_symbols["PLN"]},
)
ENGLISH = LanguageForms(
    near={n: dict.fromkeys(POLISH.near[n], word) for n, word in ((-1, "yesterday"), (0, "today"), (1, "tomorrow"))},
    near_first=False,
    weekdays={"nominative": _EN_DAYS, "genitive": _EN_DAYS, "long": _weekdays(_EN, "wide")},
    months={
        "short": _months(_EN, "format", "abbreviated"),
        **dict.fromkeys(("nominative", "genitive", "locative"), _EN_MONTHS),
    },
    of_work="of work",
    decimal=_EN_SIGNS["decimal"],
    thousands=_EN_SIGNS["group"],
    signs={},
)


def language_forms() -> LanguageForms:
    return ENGLISH if (get_language() or "pl").startswith("en") else POLISH


def as_zone(zone: tzinfo | str) -> tzinfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def _local(instant: datetime, zone: tzinfo | str) -> datetime:
    return instant.astimezone(as_zone(zone))


def local_day(instant: datetime, zone: tzinfo | str = "") -> date:
    """The day of an instant by the wall clock of a zone; without one, of the portal's own. Never UTC's."""
    return _local(instant, zone or settings.DISPLAY_TIME_ZONE).date()


def _repeated(local: datetime) -> bool:
    """Whether this wall time comes twice that day (clocks go back)."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def clock_time(instant: datetime, zone: tzinfo | str, *, seconds: bool = False) -> str:
    """`8:40`, `8:12:05`; in the repeated hour with the zone's name, `2:30 CEST`. Floored to what is shown."""
    local = _local(instant, zone)
    text = f"{local.hour}:{local:%M:%S}" if seconds else f"{local.hour}:{local:%M}"
    return f"{text}{NBSP}{local.tzname()}" if _repeated(local) else text


def when(
    instant: datetime,
    now: datetime,
    zone: tzinfo | str,
    case: Case = "nominative",
    *,
    seconds: bool = False,
    today: bool = True,
) -> str:
    """`dziś 12:12`, genitive after "do": `jutra 8:40`, `wtorku 24 lis, 12:00`; the year where it isn't this one.

    `today=False` leaves the word "dziś" out: `9:10`.
    """
    words, local = language_forms(), _local(instant, zone)
    hour = clock_time(instant, zone, seconds=seconds)
    distance = (local.date() - _local(now, zone).date()).days
    if distance == 0 and not today:
        return hour
    if distance in words.near:
        near = words.near[distance][case]
        return NBSP.join((near, hour) if words.near_first else (hour, near))
    return f"{day(local.date(), _local(now, zone).date(), case)}, {hour}"


def day(value: date, today: date, case: Case = "nominative") -> str:
    """`wt. 24 lis`, `wtorku 24 lis`, `wtorek 24 lis`; with the year where it isn't this one."""
    words = language_forms()
    parts = [str(value.day), words.months["short"][value.month - 1]]
    if value.year != today.year:
        parts.append(str(value.year))
    return f"{words.weekdays[case][value.weekday()]} {NBSP.join(parts)}"


def last_day(term: datetime, now: datetime, zone: tzinfo | str) -> str:
    """The last day before a term that ends at 24:00, as it stands after "by the end of": `środy 25 lis`."""
    return day(_local(term - timedelta(seconds=1), zone).date(), _local(now, zone).date(), "genitive")


def capitalised(text: str) -> str:
    """The first letter large, the others as they are: `Naprawa`."""
    return text[:1].upper() + text[1:]


def full_date(value: date) -> str:
    """`24 listopada 2026`, `24 November 2026`."""
    return NBSP.join((str(value.day), language_forms().months["genitive"][value.month - 1], str(value.year)))


def short_date(value: date) -> str:
    """`24 lis 2026`, for columns."""
    return NBSP.join((str(value.day), language_forms().months["short"][value.month - 1], str(value.year)))


def month(value: date, case: MonthCase = "nominative", *, year: bool = True) -> str:
    """`listopad 2026`; locative after "w": `listopadzie 2026`."""
    name = language_forms().months[case][value.month - 1]
    return f"{name}{NBSP}{value.year}" if year else name


def full_time(instant: datetime, zone: tzinfo | str, *, seconds: bool = True) -> str:
    """`24 listopada 2026, 12:12:05`, for titles, accounts of a figure and whatever else is evidence."""
    return f"{full_date(_local(instant, zone).date())}, {clock_time(instant, zone, seconds=seconds)}"


def span(seconds: int, *, working: bool = False, seconds_shown: bool | None = None) -> str:
    """`3 h 32 min`, `3 h 32 min pracy`; seconds only under 10 minutes unless told. Floored, never days.

    Raises ValueError for a negative span: "late by" and "left" are different sentences.
    """
    text = bare_span(seconds, seconds_shown=seconds_shown)
    return f"{text}{NBSP}{language_forms().of_work.replace(' ', NBSP)}" if working else text


def bare_span(seconds: int, *, seconds_shown: bool | None = None) -> str:
    if seconds < 0:
        raise ValueError(f"a span of {seconds} s: say how late it is instead")
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    precise = seconds < SECONDS_BELOW if seconds_shown is None else seconds_shown
    parts = [f"{hours} h"] if hours else []
    if minutes:
        parts.append(f"{minutes:02d} min" if hours else f"{minutes} min")
    if precise and (left or not parts):
        parts.append(f"{left:02d} s" if parts else f"{left} s")
    return " ".join(parts or ["0 min"]).replace(" ", NBSP)


def number(value: Decimal | int, places: int = 0) -> str:
    """`1 160,00`, `1,160.00`: grouped, with the language's own decimal sign."""
    words = language_forms()
    text = f"{value:,.{places}f}"
    return text.replace(",", "\0").replace(".", words.decimal).replace("\0", words.thousands)


def money(amount: Decimal | int, currency: str = "PLN") -> str:
    """`160,00 zł`, `PLN 160.00`. A float is refused: money is Decimal.

    Raises TypeError for a float.
    """
    if isinstance(amount, float):
        raise TypeError("money is Decimal, not float")
    words = language_forms()
    sign = words.signs.get(currency, currency)
    text = number(amount, 2)
    return f"{sign}{NBSP}{text}" if words is ENGLISH else f"{text}{NBSP}{sign}"


def percent(value: Decimal | int, places: int = 0) -> str:
    """`75 %`, `99,89 %`, floored to the places shown, so that 99.999 never reads as 100."""
    step = Decimal(1).scaleb(-places)
    return f"{number(Decimal(value).quantize(step, ROUND_FLOOR), places)}{NBSP}%"


_JOIN = re.compile(
    r"(?<=\b[wzoiauWZOIAU]) (?=\S)"
    r"|(?<=\b(?:do|od|po|by|at)) (?=\d{1,2}:\d\d)"
    r"|(?<=\d) (?=(?:h|min|s|zł|kB|MB|GB|PLN|EUR)\b|%)"
    r"|(?<=\d) (?=\d{3}\b)"
)


def typographic(text: str) -> str:
    """No line ends with a lone w z o i a u, nor parts a figure from its unit or "do" from its hour."""
    return _JOIN.sub(NBSP, text)


def plain(text: str) -> str:
    """The same text with ordinary spaces: for searches, file names and comparisons."""
    return text.replace(NBSP, " ")


def figure(value: Decimal | Fraction | int) -> str:
    """`4`, `0,125`, `3,3333`: no more places than it has, at most four."""
    exact = Fraction(value)
    scaled = round(exact * 10**PLACES)
    text = Decimal(scaled).scaleb(-PLACES)
    places = next(n for n in range(PLACES + 1) if text == round(text, n))
    return number(text, places)


def share(percent: Decimal | Fraction) -> str:
    """`1 %`, `0,125 %`."""
    return f"{figure(percent)}{NBSP}%"


def ranges(numbers: Sequence[int]) -> str:
    """`4, 7–9`: growing numbers, those in a row by their ends."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
