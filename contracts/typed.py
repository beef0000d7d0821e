"""What a person types into a contract, read: "1 h 30 min", "4 000,00", "2 %", "8:00-16:00, 17:00-20:00".

Every function raises ValidationError with a sentence that shows the right way to write it.
"""

from __future__ import annotations

import re
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from contracts.models import RateType

MINUTES = re.compile(r"(?:(\d{1,5})\s*(?:h|godz\.?))?\s*(?:(\d{1,6})\s*(?:min\.?|m))?", re.IGNORECASE | re.ASCII)
NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,4})?|\d{1,3}(?:[. ,]\d{3})+(?:[.,]\d{1,4})?", re.ASCII)
WINDOW = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?", re.ASCII)
SIGNS = re.compile(r"(zł|pln|eur|€|usd|\$|gbp|£|czk|kč)", re.IGNORECASE)
CODES = {"zł": "PLN", "€": "EUR", "$": "USD", "£": "GBP", "kč": "CZK"}
CLOSED = frozenset({"-", "–", "zamknięte", "closed"})
DAY = 1440


def read_minutes(text: str) -> int:
    """`30 min`, `4 h`, `1 h 30 min` in minutes."""
    found = MINUTES.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValidationError(_("Write the time like 30 min, 4 h or 1 h 30 min."))
    return int(found[1] or 0) * 60 + int(found[2] or 0)


def read_hours(text: str) -> int:
    """`48 h`: whole hours."""
    minutes = read_minutes(text)
    if minutes % 60:
        raise ValidationError(_("Write whole hours, like 48 h."))
    return minutes // 60


def minutes_words(minutes: int) -> str:
    """The same back, as the field shows it."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])


def read_number(text: str, places: int = 2) -> Decimal:
    """`4 000,00`, `4000.00`, `1.160,50`: the last comma or dot parts the fraction, of at most `places` digits."""
    plain = SIGNS.sub("", text).replace("\u00a0", " ").strip()
    if NUMBER.fullmatch(plain) is None:
        raise ValidationError(_("Write the amount like 4000.00."))
    whole, _sign, fraction = plain.replace(",", ".").rpartition(".")
    if not whole:
        whole, fraction = fraction, ""
    if len(fraction) > places:
        raise ValidationError(_("Write the amount like 4000.00."))
    return Decimal(f"{re.sub(r'[. ]', '', whole)}.{fraction or '0'}")


def currency_in(text: str) -> str:
    """The code of the currency that a text names, "" where it names none."""
    found = SIGNS.search(text)
    return CODES.get(found[0].lower(), found[0].upper()) if found else ""


def read_percent(text: str) -> Decimal:
    """`99,95 %` or `99.95`."""
    value = read_number(text.replace("%", ""), places=4)
    if value > 100:
        raise ValidationError(_("A share is at most 100 %."))
    return value


def read_rate(text: str) -> tuple[str, Decimal]:
    """`2 %` of the fee, or `50,00 zł`: the kind of rate and its figure; a bare number says neither."""
    if "%" in text:
        return RateType.PERCENT, read_percent(text)
    if SIGNS.search(text) is None:
        raise ValidationError(_("Say of what: 2 % of the fee, or an amount such as 50.00 PLN."))
    return RateType.AMOUNT, read_number(text)


def read_windows(text: str) -> list[list[str]]:
    """`8:00-16:00, 17:00-20:00` as windows; `22:00-6:00` runs over midnight; nothing, or a dash, is closed."""
    if not text.strip() or text.strip().lower() in CLOSED:
        return []
    return [_window(part) for part in re.split(r"\s*[,;]\s*", text.strip().rstrip(",;"))]


def _window(text: str) -> list[str]:
    found = WINDOW.fullmatch(text)
    if found is None:
        raise ValidationError(_("Write the hours like 8:00-16:00, several with a comma; over midnight 22:00-6:00."))
    opened, closed = int(found[1]) * 60 + int(found[2] or 0), int(found[3]) * 60 + int(found[4] or 0)
    if opened >= DAY or closed > DAY or int(found[2] or 0) > 59 or int(found[4] or 0) > 59:
        raise ValidationError(_("An hour lies between 0:00 and 24:00."))
    if opened == closed:
        raise ValidationError(_("These hours begin and end at once; the whole day is 0:00-24:00."))
    return [_clock(opened), _clock(closed if closed > opened else closed + DAY)]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
