"""What a person types into a contract, read: "1 h 30 min", "4 000,- zł", "2 % opłaty", "5 dni", "8:00-16:00".

Every function raises ValidationError, and nothing else, with a sentence that shows the right way to write it. A text
that isn't of the field's kind at all has the code UNREADABLE: there a field may put an example of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from contracts.time_text import days_words, ending_words
from contracts.vocabulary import DayReading, Mark
from wording.words import ENGLISH, POLISH, number

UNREADABLE = "unreadable"
FLAGS = re.IGNORECASE | re.ASCII
HOURS = r"(?:godzin[aęy]?|godz\.?|hours?|hrs?|h\.?)"
MINUTES = r"(?:minut[aęy]?|minutes?|mins?|min\.?|m)"
TIME = re.compile(
    rf"(\d{{1,5}}(?:[.,]\d{{1,4}})?)\s*{HOURS}(?:\s*(?:,|i\b|and\b)?\s*(\d{{1,6}})\s*{MINUTES})?"
    rf"|(\d{{1,6}})\s*{MINUTES}",
    FLAGS,
)
CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?:\s*h)?", FLAGS)
DAYS_AND_MORE = re.compile(
    r"\d\s*(?:d|dr|dni\w*|dzień|dnia|days?|dob[aęy]|dób|tydzień|tygod\w+|weeks?|miesi\w+|months?|(?:working|business)\s.*)\b"
    r".*",
    re.IGNORECASE,
)
WEEK = 7
TIME_IN_DAYS = re.compile(
    r"(?P<count>\d{1,3})\s*(?:(?P<working>dr|d\.?r\.|(?:dni|dzień)\s+robocz(?:e|ych|y)|(?:working|business)\s+days?)"
    r"|(?P<calendar>(?:dni|dzień)\s+kalendarzow(?:e|ych|y)|calendar\s+days?)"
    r"|(?P<weeks>tydzień|tygodnie|tygodni|weeks?))"
    r"(?:,?\s*(?:(?P<close>do\s+(?:zamknięcia|końca\s+(?:godzin\s+)?pracy)|to\s+the\s+close)"
    r"|(?P<whole>do\s+(?:24(?:[:.]00)?|końca\s+dnia)|to\s+24:00|to\s+the\s+end\s+of\s+the\s+day)))?",
    FLAGS,
)
NEXT_DAY = re.compile(
    r"nbd|next (?:business|working) day"
    r"|(?:do )?(?:następny|następnego|najbliższy|najbliższego) (?:dzień|dnia) robocz(?:y|ego)",
    re.IGNORECASE,
)
BARE_DAYS = re.compile(r"(\d{1,3})\s*(?:d|dni|dzień|days?)", FLAGS)
ROUND_THE_CLOCK_DAYS = re.compile(r"(\d{1,3})\s*(?:doba|doby|dób|dobę)", FLAGS)
# 4000,50 or 4.000,50: the same sign parts all groups, another one the fraction
NUMBER = re.compile(
    r"(?P<plain>\d{1,12})(?:[.,](?P<part>\d{1,4}))?"
    r"|(?P<groups>\d{1,3}(?P<sign>[. ,])\d{3}(?:(?P=sign)\d{3})*)(?:(?!(?P=sign))[.,](?P<rest>\d{1,4}))?",
    re.ASCII,
)
CURRENCY = r"(?:złotych|złote|złoty|zł\.?|zl|pln|euro|eur|€|usd|\$|gbp|£|czk|kč)"
SIGNS = re.compile(CURRENCY, re.IGNORECASE)
MONEY = re.compile(
    rf"(?P<before>{CURRENCY})?\s*(?P<number>[\d., ]*\d)(?:[.,]\s?[-–—]{{1,2}})?\s*(?P<after>{CURRENCY})?", FLAGS
)
CODES = {
    "z": "PLN",
    "p": "PLN",
    "e": "EUR",
    "€": "EUR",
    "u": "USD",
    "$": "USD",
    "g": "GBP",
    "£": "GBP",
    "c": "CZK",
    "k": "CZK",
}
NET = re.compile(r"\s*(?:netto|net|\+\s*vat)\b\.?", re.IGNORECASE)
MONTHLY = re.compile(
    r"\s*(?:miesięcznie|monthly|(?:/|na|za|a|per)\s*(?:miesiąc|mies\.?|m-c|mc|month)|mies\.?)$", re.IGNORECASE
)
GROSS = re.compile(r"\b(?:brutto|gross)\b", re.IGNORECASE)
PERCENT = re.compile(r"(?P<number>[\d., ]*\d)\s*(?P<unit>%|procent|proc\.?|percent|pct)?(?P<words>\D*)", FLAGS)
FEE = re.compile(
    r"(?:z )?(?:miesięcznej |mies\. )?(?:opłaty|wynagrodzenia|abonamentu)(?: miesięcznej| miesięcznego)?"
    r"|of (?:the )?(?:monthly )?fee",
    re.IGNORECASE,
)
OF_TIME = re.compile(r"czasu|of (?:the )?time", re.IGNORECASE)
BEFORE_IT = re.compile(
    r"(?P<length>.+?)\s*(?:przed(?:\s+(?:upływem\s+)?termin\w*)?|before(?:\s+the\s+deadline)?)", re.IGNORECASE
)
AFTER_IT = re.compile(
    r"(?P<length>.+?)\s*(?:po(?:\s+(?:upływie\s+)?termin\w*)?|after(?:\s+the\s+deadline)?)", re.IGNORECASE
)
MOST_OFFSET = 1000 * 60  # minutes from a deadline: six working weeks of round-the-clock hours
UPTIME = re.compile(
    r"(?:czasu|dostępności|of (?:the )?time|availability|uptime)?\s*(?:miesięcznie|w miesiącu|a month|monthly)?",
    re.IGNORECASE,
)
WORKING_DAYS = re.compile(
    r"(\d{1,4})\s*(?:dr|d\.?r\.|(?:dni|dzień)(?:\s+robocz(?:e|ych|y))?|(?:working\s+|business\s+)?days?)?",
    re.IGNORECASE,
)
MONTHS = re.compile(r"(\d{1,3})\s*(?:miesiące|miesięcy|miesiąc|mies\.?|m-c[ey]?|mc|months?)?", re.IGNORECASE)
WINDOW = re.compile(
    r"(?:od\s+|from\s+)?(\d{1,2})(?:[:.](\d{2}))?\s*(?:[-–—]|do\b|to\b)\s*(\d{1,2})(?:[:.](\d{2}))?", FLAGS
)
PARTS = re.compile(r"\s*(?:[,;]|\b(?:i|oraz|and)\b)\s*", re.IGNORECASE)
CLOSED = frozenset({"-", "–", "zamknięte", "nieczynne", "closed"})
OPEN_ALL_DAY = frozenset({"całą dobę", "cały dzień", "24 h", "24h", "24/7", "all day", "round the clock"})
DAY_BY_NUMBERS = re.compile(
    r"(\d{1,2})[.\-](\d{1,2})[.\-](\d{4})(?:\s*r\.?)?|(\d{4})[.\-](\d{1,2})[.\-](\d{1,2})", re.ASCII
)
DAY_BY_NAME = re.compile(r"(\d{1,2})\s+([^\W\d]{3,12})\.?\s+(\d{4})(?:\s*r\.?)?", re.IGNORECASE)
FIRST_YEAR, LAST_YEAR = 2000, 2100
DAY = 1440
LONGEST = 9999 * 60
"""The longest time of a target, in minutes: more than a year of all hours."""
MOST_DAYS = 365
"""The longest time of a target in days."""
LARGEST = Decimal(9_999_999_999)
LARGEST_RATE = Decimal(99_999_999)
"""What the columns of a sum and of a rate hold."""


def tidy(text: str) -> str:
    """Without spaces around it, every kind of space an ordinary one, a long minus a short one."""
    return " ".join(text.replace("\u2212", "-").split())


def _unreadable(sentence: str) -> ValidationError:
    return ValidationError(sentence, code=UNREADABLE)


def read_minutes(text: str, *, at_least: int = 0, at_most: int = LONGEST) -> int:
    """`30 min`, `4 h`, `1 h 30 min`, `1,5 h`, `1:30`, `24 godziny` in minutes."""
    plain = tidy(text)
    if DAYS_AND_MORE.fullmatch(plain) or DAYS_AND_MORE.search(plain):
        raise ValidationError(_("A day of work isn't 24 h: write hours, for two days of 8 h write 16 h."), code="days")
    minutes = _minutes(plain)
    if minutes is None:
        raise _unreadable(_("Write the time like 30 min, 4 h or 1 h 30 min."))
    if minutes % 1:
        raise ValidationError(_("Write whole minutes, like 20 min."), code="whole")
    if not at_least <= minutes <= at_most:
        limits = {"least": minutes_words(at_least), "most": minutes_words(at_most)}
        raise ValidationError(_("Write a time from %(least)s to %(most)s.") % limits, code="limit")
    return int(minutes)


def _minutes(plain: str) -> Decimal | None:
    if clock := CLOCK.fullmatch(plain):
        return Decimal(int(clock[1]) * 60 + int(clock[2]))
    parts = TIME.fullmatch(plain)
    if parts is None or (parts[2] and not parts[1].isdecimal()):
        return None
    return Decimal((parts[1] or "0").replace(",", ".")) * 60 + int(parts[2] or parts[3] or 0)


@dataclass(frozen=True, slots=True)
class Length:
    """How long a target is: minutes or, with a reading, days."""

    minutes: int
    days: int = 0
    reading: str = ""


def read_time(text: str) -> Length:
    """What `read_minutes` reads, and `3 working days`, `NBD`, `14 calendar days to 24:00`, `2 weeks`.

    A term in days ends with the last of them, at 24:00 (Kodeks cywilny art. 111), unless the text says at the close.
    """
    plain = tidy(text)
    if NEXT_DAY.fullmatch(plain):
        return Length(0, 1, DayReading.END_OF_DAY)
    if parts := TIME_IN_DAYS.fullmatch(plain):
        return _in_days(parts)
    if bare := BARE_DAYS.fullmatch(plain):
        readings = {"working": DayReading.END_OF_DAY, "calendar": DayReading.CALENDAR_DAYS}
        days = {name: days_words(int(bare[1]), reading) for name, reading in readings.items()}
        raise ValidationError(_("Say which days: %(working)s or %(calendar)s.") % days, code="days")
    if hours := ROUND_THE_CLOCK_DAYS.fullmatch(plain):
        raise ValidationError(_("Write it in hours: %(hours)s h.") % {"hours": int(hours[1]) * 24}, code="days")
    if DAYS_AND_MORE.search(plain):
        raise _unreadable(_("Write the time like 4 h, 3 working days, 14 calendar days or 2 weeks."))
    return Length(read_minutes(text))


def _in_days(parts: re.Match[str]) -> Length:
    count = int(parts["count"]) * (WEEK if parts["weeks"] else 1)
    if not 1 <= count <= MOST_DAYS:
        raise ValidationError(_("Write from 1 to %(most)s days.") % {"most": MOST_DAYS}, code="limit")
    if not parts["working"]:
        if parts["close"]:
            raise _unreadable(_("Calendar days end at 24:00: write them like 14 calendar days."))
        return Length(0, count, DayReading.CALENDAR_DAYS)
    return Length(0, count, DayReading.CLOSE if parts["close"] else DayReading.END_OF_DAY)


def time_as_typed(time: Length) -> str:
    """The same back, as the field shows it."""
    if not time.reading:
        return minutes_words(time.minutes)
    return f"{days_words(time.days, time.reading)} {ending_words(time.reading)}".strip()


def read_hours(text: str, *, at_most: int = LONGEST) -> int:
    """`48 h`: whole hours."""
    minutes = read_minutes(text, at_most=at_most)
    if minutes % 60:
        raise ValidationError(_("Write whole hours, like 48 h."), code="whole")
    return minutes // 60


def minutes_words(minutes: int) -> str:
    """The same back, as the field shows it."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])


def plain_number(text: str, places: int) -> Decimal | None:
    """None for what is no number, could be two (`4.000`), or has more places than asked for."""
    parts = NUMBER.fullmatch(text.strip())
    if parts is None:
        return None
    whole, fraction = parts["plain"] or re.sub(r"[. ,]", "", parts["groups"]), parts["part"] or parts["rest"] or ""
    return None if len(fraction) > places or len(whole) > 12 else Decimal(f"{whole}.{fraction or '0'}")


def read_number(text: str, *, at_most: Decimal = LARGEST) -> Decimal:
    """An amount, `4 000,00`, `4000.00 zł`, `PLN 1.160,50`, `4 000,-`; the currency is read by `currency_in`."""
    amount = plain_amount(tidy(text))
    if amount is None:
        raise _unreadable(_("Write the amount like 4000.00."))
    if amount > at_most:
        raise ValidationError(_("Write an amount of at most %(most)s.") % {"most": number(at_most)}, code="limit")
    return amount


def plain_amount(plain: str) -> Decimal | None:
    parts = MONEY.fullmatch(plain)
    if parts is None or (parts["before"] and parts["after"]):
        return None
    return plain_number(parts["number"], places=2)


def read_fee(text: str) -> Decimal:
    """The monthly fee: an amount, perhaps with the words `netto` and `miesięcznie`, for it is both."""
    plain = tidy(text)
    if GROSS.search(plain):
        raise ValidationError(_("The fee is net: write it without VAT, like 4000.00."), code="gross")
    return read_number(NET.sub("", MONTHLY.sub("", plain), count=1))


def amount_words(amount: Decimal) -> str:
    """The same back, always with two places: `12,000` in English could mean twelve."""
    return number(amount, 2)


def currency_in(text: str) -> str:
    """The code of the currency that a text names, "" where it names none."""
    sign = SIGNS.search(text)
    return CODES[sign[0][0].lower()] if sign else ""


def read_percent(text: str, *, of: re.Pattern[str] = FEE, places: int = 4) -> Decimal:
    """`99,95 %`, `99.95`, `20 procent opłaty`; `of` are the words that may follow."""
    value = percent_in(tidy(text), of, places)
    if value is None:
        raise _unreadable(_("Write the share like 20 %."))
    if value > 100:
        raise ValidationError(_("A share is at most 100 %."), code="limit")
    return value


def percent_in(plain: str, of: re.Pattern[str], places: int) -> Decimal | None:
    parts = PERCENT.fullmatch(plain)
    if parts is None:
        return None
    words = parts["words"].strip()
    return None if words and not of.fullmatch(words) else plain_number(parts["number"], places)


def read_availability(text: str) -> Decimal:
    """`99,5 %`, `99,5 % czasu`; the arithmetic needs some time in which a shop may be down."""
    value = percent_in(tidy(text), UPTIME, places=4)
    if value is None:
        raise _unreadable(_("Write the availability like 99.5 %."))
    if value >= 100:
        raise ValidationError(_("Write it below 100 %, like 99.99 %: no shop is up without a break."), code="limit")
    return value


def read_mark(text: str) -> Mark:
    """`75 %` of the time (over 100 it counts on from the deadline), `30 min przed terminem`, `2 h after`."""
    plain = tidy(text)
    for words, sign in ((BEFORE_IT, -1), (AFTER_IT, 1)):
        if parts := words.fullmatch(plain):
            return Mark(None, sign * read_minutes(parts["length"], at_least=1, at_most=MOST_OFFSET))
    value = percent_in(plain, OF_TIME, places=0)
    if value is None or not 1 <= value <= 1000:
        raise _unreadable(_("Write it like 75 % (from 1 to 1000), 30 min before or 2 h after the deadline."))
    return Mark(int(value))


def read_days(text: str, *, at_least: int = 0) -> int:
    """`5`, `5 dni`, `5 dni roboczych`: working days."""
    days = WORKING_DAYS.fullmatch(tidy(text))
    if days is None or not days[1].isascii():
        raise _unreadable(_("Write the number of working days, like 5."))
    if not at_least <= int(days[1]) <= 99:
        raise ValidationError(_("Write from %(least)s to 99 working days.") % {"least": at_least}, code="limit")
    return int(days[1])


def read_months(text: str) -> int:
    """`3`, `3 miesiące`: months of notice."""
    months = MONTHS.fullmatch(tidy(text))
    if months is None or not months[1].isascii() or int(months[1]) > 36:
        raise _unreadable(_("Write the number of months, like 3, at most 36."))
    return int(months[1])


def read_day(text: str) -> date:
    """`2027-01-31`, `31.1.2027 r.`, `31 stycznia 2027`; not `01/02/2027`, which is two days."""
    year, month, day = _day(tidy(text))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _no_day()
    try:
        return date(year, month, day)
    except ValueError as error:
        raise _no_day() from error


def _no_day() -> ValidationError:
    return _unreadable(_("Write the day like 2027-01-31."))


def _day(plain: str) -> tuple[int, int, int]:
    if parts := DAY_BY_NUMBERS.fullmatch(plain):
        first, second, third, *other = parts.groups()
        numbers = (third, second, first) if first else tuple(other)
        return int(numbers[0]), int(numbers[1]), int(numbers[2])
    named = DAY_BY_NAME.fullmatch(plain)
    if named is None or not named[0][:2].strip().isascii() or not named[3].isascii():
        raise _no_day()
    return int(named[3]), _month(named[2].lower()), int(named[1])


def _month(name: str) -> int:
    """`stycznia`, `sty`, `January`, `Jan`: its number; 0 for another word."""
    for months in (*POLISH.months.values(), *ENGLISH.months.values()):
        names = [month.lower() for month in months]
        if name in names:
            return names.index(name) + 1
    return 0


def read_windows(text: str) -> list[list[str]]:
    """`8:00-16:00, 17:00-20:00` as windows; `22:00-6:00` runs over midnight; nothing, or a dash, is closed."""
    plain = tidy(text).lower()
    if not plain or plain in CLOSED:
        return []
    if plain in OPEN_ALL_DAY:
        return [[_clock(0), _clock(DAY)]]
    return [_window(part) for part in PARTS.split(plain.rstrip(",;"))]


def _window(text: str) -> list[str]:
    parts = WINDOW.fullmatch(text.strip())
    if parts is None:
        raise _unreadable(_("Write the hours like 8:00-16:00, several with a comma; over midnight 22:00-6:00."))
    opened, closed = int(parts[1]) * 60 + int(parts[2] or 0), int(parts[3]) * 60 + int(parts[4] or 0)
    if opened >= DAY or closed > DAY or int(parts[2] or 0) > 59 or int(parts[4] or 0) > 59:
        raise ValidationError(_("An hour lies between 0:00 and 24:00."))
    if opened == closed:
        raise ValidationError(_("These hours begin and end at once; the whole day is 0:00-24:00."))
    return [_clock(opened), _clock(closed if closed > opened else closed + DAY)]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
