"""Every field of the contract's forms × what people write into it: the value, or the one sentence that says how.

No database: a form without calendars, people and shops has all its fields.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from contracts.forms.calendar import CalendarForm, DayForm
from contracts.forms.contract import AskedForm, ContractForm
from contracts.forms.parse import Length
from contracts.forms.rates import Rates, cap_value, rates_value
from contracts.forms.rows import FormChoices
from contracts.penalty.rules import Unit
from contracts.terms import tier_columns
from contracts.vocabulary import DayReading, Mark

HOUR = Unit.named("started_hour")
TODAY = date(2026, 3, 2)
FORM = ContractForm(choices=FormChoices([], []), today=TODAY, shops=[])
FIELDS: dict[str, forms.Field] = {
    **CalendarForm().fields, **DayForm().fields, **AskedForm().fields,
    **{field.html_name: field.field for field in FORM},
}  # fmt: skip

TIME = "Write the time like 30 min, 4 h or 1 h 30 min."
DAYS = "A day of work isn't 24 h: write hours, for two days of 8 h write 16 h."
AMOUNT = "Write the amount like 4000.00."
RATE = "Write the rate like 2 % of the fee or 50.00 PLN."
CAP = "Write the limit like 500.00 PLN, 20 % of the fee or 3 × the fee."
OF_WHAT = "Say of what: 2 % of the fee, or an amount such as 50.00 PLN."
WHOLE_CAP = "Write the limit like 50000.00 PLN, 12 × the fee or 20 % of the contract."
UPTIME = "Write the availability like 99.5 %."
TIME_OF_A_RUNG = "Write the time like 30 min, 4 h or 1 h 30 min."
SHARE = "Write it like 75 % (from 1 to 1000), 30 min before or 2 h after the deadline."
WORKING = "Write the number of working days, like 5."
MONTHS = "Write the number of months, like 3, at most 36."
DAY = "Write the day like 2027-01-31."
WINDOWS = "Write the hours like 8:00-16:00, several with a comma; over midnight 22:00-6:00."
WHOLE, CLOSE, KC = DayReading.END_OF_DAY, DayReading.CLOSE, DayReading.CALENDAR_DAYS
MINUTES = {
    "30 min": 30, "4 h": 240, "1 h 30 min": 90, "0,5 h": 30, "1,5 h": 90, "1.5h": 90, "0.25 h": 15,
    "24 godziny": 1440, "1 godzina": 60, "8 godzin": 480, "2 godz.": 120, "2 godz": 120, "90 minut": 90,
    "1 minuta": 1, "30m": 30, "1h30m": 90, "1 h i 30 min": 90, "2 hours": 120, "1 hour and 5 minutes": 65,
    "1:30": 90, "0:45 h": 45, "\u00a04\u202fh\t": 240, "4 H": 240, "0 min": 0,
}  # fmt: skip
TABLE: dict[str, dict[str, Any]] = {
    "P1_restore": {
        **{text: Length(minutes) for text, minutes in MINUTES.items()},
        **dict.fromkeys(("1 dzień roboczy", "NBD", "next business day", "następny dzień roboczy"), Length(0, 1, WHOLE)),
        "3 dni robocze": Length(0, 3, WHOLE), "5 dni roboczych do 24:00": Length(0, 5, WHOLE),
        "5 dr": Length(0, 5, WHOLE), "2 working days": Length(0, 2, WHOLE), "3 business days": Length(0, 3, WHOLE),
        "3 dni robocze do końca pracy": Length(0, 3, CLOSE), "1 dzień roboczy, do zamknięcia": Length(0, 1, CLOSE),
        "2 working days to the close": Length(0, 2, CLOSE), "2 dni robocze do końca dnia": Length(0, 2, WHOLE),
        "14 dni kalendarzowych": Length(0, 14, KC), "1 dzień kalendarzowy": Length(0, 1, KC),
        "2 tygodnie": Length(0, 14, KC), "1 tydzień": Length(0, 7, KC), "2 weeks": Length(0, 14, KC),
        "2 dni": "Say which days: 2 working days or 2 calendar days.", "2 doby": "Write it in hours: 48 h.",
        "1 dzień": "Say which days: 1 working day or 1 calendar day.",
        "14 dni kalendarzowych do końca pracy": "Calendar days end at 24:00: write them like 14 calendar days.",
        "0 dni roboczych": "Write from 1 to 365 days.", "400 dni roboczych": "Write from 1 to 365 days.",
        "1 miesiąc": "Write the time like 4 h, 3 working days, 14 calendar days or 2 weeks.",
        "4": TIME, "h": TIME, "cztery godziny": TIME, "-4 h": TIME, "4 h 5": TIME, "80 zł": TIME, "75 %": TIME,
        "1,5 h 30 min": TIME, "30 s": TIME, "4 netto": TIME, "1:75": TIME, "٤ h": TIME,
        "0,33 h": "Write whole minutes, like 20 min.", "99999 h": "Write a time from 0 min to 9999 h.",
    },
    "P1_update": {
        "60 min": 60, "1 h": 60, "0,5 h": 30, "": None,
        "0 min": "Write a time from 1 min to 9999 h.", "60": "Write the time like 60 min.",
        "60 zł": "Write the time like 60 min.", "1 dzień": DAYS,
    },
    "P1_restore_grace": {
        "15 min": 15, "0,25 h": 15, "600 h": "Write a time from 0 min to 500 h.", "15 %": "Write the time like 15 min.",
    },
    "minimum_outage": {"5 min": 5, "5": "Write the time like 5 min.", "9000 h": "Write a time from 0 min to 500 h."},
    "maintenance_notice": {
        "48 h": 48, "48 godzin": 48, "2880 min": 48, "90 min": "Write whole hours, like 48 h.",
        "48": "Write whole hours, like 48 h.", "2 dni": DAYS,
    },
    "maintenance_limit": {"8 h": 480, "7,5 h": 450, "8 %": "Write the time like 8 h."},
    "unknown_limit": {"2 h": 120, "0 min": 0, "50 zł": "Write the time like 2 h."},
    "monthly_fee": {
        "4000": Decimal(4000), "4000 netto": Decimal(4000), "4 000,- zł": Decimal(4000), "4 000,– zł": Decimal(4000),
        "4.000,00 PLN": Decimal(4000), "PLN 4000": Decimal(4000), "4000 zł netto": Decimal(4000),
        "4 000,50 zł miesięcznie": Decimal("4000.5"), "4000 zł/mies.": Decimal(4000), "4000 zł + VAT": Decimal(4000),
        "4,000.50": Decimal("4000.5"), "1 234 567": Decimal(1234567), "€4000": Decimal(4000),
        "4000 złotych": Decimal(4000), "0,5": Decimal("0.5"),
        "4000 brutto": "The fee is net: write it without VAT, like 4000.00.",
        "4.000": AMOUNT, "4,000": AMOUNT, "4000,123": AMOUNT, "80 %": AMOUNT, "4 h": AMOUNT, "4 tys. zł": AMOUNT,
        "PLN 4000 EUR": AMOUNT, "-5": AMOUNT, "1e5": AMOUNT, "12 34": AMOUNT, "NaN": AMOUNT, "٣": AMOUNT,
        "4000 zł rocznie": AMOUNT, "10 000 000 000 zł": "Write an amount of at most 9,999,999,999.",
    },
    "P1_restore_rate": {
        "3 × opłata": ("percent", Decimal(300)), "3 x opłaty": ("percent", Decimal(300)),
        "1,5 × the fee": ("percent", Decimal(150)), "trzykrotność opłaty": ("percent", Decimal(300)),
        "2-krotność miesięcznego wynagrodzenia": RATE, "2 miesięczne opłaty": ("percent", Decimal(200)),
        "3 monthly fees": ("percent", Decimal(300)), "200 × opłata": "Write at most 100 × the fee.",
        "1 % do 4, potem 2 %": ("percent", Decimal(2), ("4", "1")),
        "1 % do 4 h; 2 % do 8 h; potem 3 % opłaty": ("percent", Decimal(3), ("4", "1"), ("8", "2")),
        "0,5 % up to 2,5, then 1 %": ("percent", Decimal(1), ("2.5", "0.5")),
        "50 zł do 1 h, potem 100 zł": ("amount", Decimal(100), ("1", "50")),
        "50 zł do 4, potem 2 %": "All steps are shares of the fee, or all are amounts.",
        "50 zł do 4, potem 2 EUR": "All steps are shares of the fee, or all are amounts.",
        "1 %, potem 2 %": "Write steps like 1 % up to 4 h, then 2 %.", "1 % do 4 dni, potem 2 %": DAYS,
        "1 % do 4": RATE,
        "2 %": ("percent", Decimal(2)), "0,125%": ("percent", Decimal("0.125")), "2 procent": ("percent", Decimal(2)),
        "2 % opłaty": ("percent", Decimal(2)), "2 % miesięcznej opłaty": ("percent", Decimal(2)),
        "2 % wynagrodzenia miesięcznego": ("percent", Decimal(2)), "2 % of the monthly fee": ("percent", Decimal(2)),
        "50,00 zł": ("amount", Decimal(50)), "PLN 50": ("amount", Decimal(50)), "50 EUR": ("amount", Decimal(50)),
        "50,- zł": ("amount", Decimal(50)),
        "50": OF_WHAT, "0,1 %%": RATE, "50 zł %": RATE, "2 % za godzinę": RATE, "50 zł/h": RATE, "2 h": RATE,
        "2 ‰": RATE, "2 % czasu": RATE, "0,12345 %": RATE, "dużo": RATE,
        "101 %": "A share is at most 100 %.", "100 000 000 zł": "Write an amount of at most 99,999,999.",
    },
    "incident_cap": {
        "500 zł": ("amount", Decimal(500)), "10 % opłaty": ("percent", Decimal(10)), "500": OF_WHAT, "0,1 %%": CAP,
        "8 h": CAP, "0,1234 %": CAP,
    },
    "month_cap": {
        "20 %": ("percent", Decimal(20)), "99,5 procent": ("percent", Decimal("99.5")),
        "3 × opłata": ("percent", Decimal(300)),
        "20 % opłaty": ("percent", Decimal(20)), "": None, "80 zł": ("amount", Decimal(80)), "20": OF_WHAT,
        "0,1 %%": CAP,
        "20 h": CAP, "20 % czasu": CAP, "130 %": "A share is at most 100 %.",
    },
    "contract_cap": {
        "9 000 zł": ("amount", Decimal(9000)), "20 %": ("share", Decimal(20)), "20 % umowy": ("share", Decimal(20)),
        "20 % wartości umowy": ("share", Decimal(20)), "20 % wynagrodzenia z umowy": ("share", Decimal(20)),
        "20 % of the contract": ("share", Decimal(20)), "20 % opłaty": ("percent", Decimal(20)),
        "12 × opłata": ("percent", Decimal(1200)), "9 000 zł netto": WHOLE_CAP, "50 dni": WHOLE_CAP,
        "9000": ("amount", Decimal(9000)),
        "9 000,-": ("amount", Decimal(9000)), "90": OF_WHAT,
    },
    "contract_value": {"48 000 zł": Decimal(48000), "20 %": "Write the amount like 50000.00."},
    "second_person_above": {"1000": Decimal(1000), "5 %": "Write the amount like 1000.00."},
    "availability_target": {
        "99,5%": Decimal("99.5"), "99,5 procent": Decimal("99.5"), "99.95": Decimal("99.95"),
        "99,5 % czasu": Decimal("99.5"), "99,5 % w miesiącu": Decimal("99.5"),
        "80 zł": UPTIME, "50 EUR": UPTIME, "99,9 zł": UPTIME, "0,1 %%": UPTIME, "99,5 % opłaty": UPTIME,
        "99,99999 %": UPTIME,
        "100 %": "Write it below 100 %, like 99.99 %: no shop is up without a break.",
    },
    "step0_share": {
        "75 %": Mark(75), "75": Mark(75), "75%": Mark(75), "75 % czasu": Mark(75), "75 procent": Mark(75),
        "150 %": Mark(150), "30 min przed terminem": Mark(None, -30), "2 h po terminie": Mark(None, 120),
        "1,5 h przed": Mark(None, -90), "30 min before the deadline": Mark(None, -30), "2 h after": Mark(None, 120),
        "0 min po terminie": "Write a time from 1 min to 1000 h.", "jutro przed terminem": TIME_OF_A_RUNG,
        "0": SHARE, "75,5 %": SHARE, "połowa": SHARE, "75 zł": SHARE, "1001 %": SHARE, "2 h": SHARE,
    },
    "P1_silence": {
        "3": 3, "3 dni": 3, "3 dni robocze": 3, "5 dni roboczych": 5, "1 dzień roboczy": 1, "3 working days": 3,
        "24 h": WORKING, "3 zł": WORKING, "5 dni kalendarzowych": WORKING, "trzy": WORKING, "-3": WORKING,
        "0": "Write from 1 to 99 working days.", "100": "Write from 1 to 99 working days.",
    },
    "days_off_notice": {"5 dni": 5, "0": 0, "5 %": WORKING},
    "notice_months": {
        "3": 3, "3 miesiące": 3, "1 miesiąc": 1, "6 mies.": 6, "3 months": 3, "0": 0,
        "30 dni": MONTHS, "37": MONTHS, "1 rok": MONTHS, "3 zł": MONTHS,
    },
    "valid_from": {
        "2027-01-31": date(2027, 1, 31), "31.01.2027": date(2027, 1, 31), "31.1.2027 r.": date(2027, 1, 31),
        "31 stycznia 2027": date(2027, 1, 31), "31 Jan 2027": date(2027, 1, 31), "31-01-2027": date(2027, 1, 31),
        "01/02/2027": DAY, "31.02.2027": DAY, "1.2.27": DAY, "9999-12-31": DAY, "jutro": DAY, "4 h": DAY,
    },
    "mon_fri": {
        "8:00-16:00, 17:00-20:00": [["08:00", "16:00"], ["17:00", "20:00"]], "8–16": [["08:00", "16:00"]],
        "od 8 do 16": [["08:00", "16:00"]], "8.30 - 12 i 13-16": [["08:30", "12:00"], ["13:00", "16:00"]],
        "22:00-6:00": [["22:00", "30:00"]], "całą dobę": [["00:00", "24:00"]], "nieczynne": [], "": [],
        "od 8": WINDOWS, "8 h": WINDOWS, "8-16 oraz": WINDOWS, "8:00-25:00": "An hour lies between 0:00 and 24:00.",
    },
}  # fmt: skip


def cleaned(field: str, text: str) -> Any:
    """The value, or the sentence of the refusal."""
    try:
        value = FIELDS[field].clean(text)
    except ValidationError as error:
        return error.messages[0]
    if isinstance(value, Rates):
        return (str(value.kind), value.rate, *tier_columns(value.tiers(HOUR)))
    return (str(value[0]), value[1]) if isinstance(value, tuple) else value


@pytest.mark.parametrize("field", list(TABLE))
def test_what_people_write_is_read_or_answered_with_the_field_s_own_example(field: str) -> None:
    with translation.override("en"):
        assert {text: cleaned(field, text) for text in TABLE[field]} == TABLE[field]


def test_each_field_of_text_stands_in_the_table_or_is_free() -> None:
    free = {"number", "name", "signatories"}  # words, not figures
    alike = {
        "_reaction": "P1_restore", "_restore": "P1_restore", "_final_fix": "P1_restore", "_rate": "P1_restore_rate",
        "_cap": "month_cap",
        "_time": "P1_restore", "_grace": "P1_restore_grace",
        "_share": "step0_share", "_update": "P1_update", "_silence": "P1_silence",
    }  # fmt: skip
    typed_into = {
        name: field for name, field in FIELDS.items()
        if isinstance(field, forms.CharField | forms.DateField) and name not in free
    }  # fmt: skip
    alike |= {"_name": "", "_description": ""}  # of a severity: words too
    days = {"valid_from", "ends_on", "signed_on", "date", "asked_on"}
    weeks = {"mon_fri", "sat", "sun", "mon", "tue", "wed", "thu", "fri", "windows"}
    left = {
        name
        for name in typed_into
        if name not in {*TABLE, *days, *weeks} and not any(name.endswith(ending) for ending in alike)
    }
    assert left == set()


def shown(field: str, value: Any) -> str:
    """A value as the next version's form begins with it."""
    if isinstance(value, tuple):
        return cap_value(value[0], value[1], "PLN")
    if isinstance(value, Rates):
        return rates_value(value.kind, value.rate, value.tiers(HOUR), "PLN")
    if isinstance(value, list):
        return ", ".join(f"{opened}-{closed}" for opened, closed in value) or "-"
    return str(FIELDS[field].prepare_value(value))


PIECES = st.sampled_from(
    ["× opłata", "potem", ", ",
     "0", "1", "5", "30", "90", "1440", "99", "100", "4 000", "4.000", "4,5", ",", ".", "-", "–", ":", "%", "‰", " ",
     "\u00a0", "zł", "PLN", "EUR", "€", "netto", "h", "godz.", "min", "m", "dni", "roboczych", "mies.", "opłaty",
     "czasu", "i", "od", "do", "2027", "stycznia", "²", "٣", "\x00", "e5"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=6).map("".join), st.lists(PIECES, max_size=6).map(" ".join), st.text())


@pytest.mark.parametrize("language", ["pl", "en"])
@given(field=st.sampled_from(list(TABLE)), text=TEXTS)
def test_no_text_does_worse_than_a_refusal_and_what_is_read_is_shown_back_the_same(
    language: str, field: str, text: str
) -> None:
    with translation.override(language):
        try:
            value = FIELDS[field].clean(text)
        except ValidationError:
            return
        if isinstance(value, Rates):
            with suppress(ValidationError):  # the steps of a row are judged with its unit
                assert FIELDS[field].clean(shown(field, value)).tiers(HOUR) == value.tiers(HOUR)
            return
        if value is None or value == [] or (field == "mon_fri" and any(close > "24:00" for _open, close in value)):
            return
        assert FIELDS[field].clean(shown(field, value)) == value
