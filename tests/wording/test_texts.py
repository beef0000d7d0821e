"""What people type: empty or not, one line or not, and without card numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wording import texts

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize("text", [
    "", "  \t\n", "\u200b\u200d", "\u2060", "\u00ad", "\u3164\uffa0\u115f\u1160", "\u2800 \u2800", "\ufeff",
    "\u034f\ufe0f", "\U000e0041", "\u202e", "\0", "\u2065",
])  # fmt: skip
def test_a_text_of_which_nothing_can_be_seen_is_blank(text: str) -> None:
    assert texts.is_blank(text)


@pytest.mark.parametrize("text", [".", "0", "ż", "\u200bx\u200b", "👩\u200d💻", "漢", "한", "-", "²", "\U0001fae8"])
def test_a_letter_a_digit_or_a_sign_is_not(text: str) -> None:
    assert not texts.is_blank(text)


@pytest.mark.parametrize("text", [
    "Ola\nBcc: x", "Ola\r", "a\tb", "a\0b", "a\x85b", "a\u2028b", "Ola\u202egpj", "\u2066a\u2069", "\ud800",
])  # fmt: skip
def test_control_characters_and_turns_of_direction_are_no_part_of_a_line(text: str) -> None:
    assert not texts.is_one_line(text)
    assert texts.is_one_line(texts.one_line(text))


@pytest.mark.parametrize("text", ["Ola Mak", "Zoë d'Aubigné-Łęcka", "أحمد", "می‌خواهم", "नमस्ते", "👩\u200d💻"])
def test_names_of_every_script_are(text: str) -> None:
    assert texts.is_one_line(text)
    assert texts.one_line(text) == text


def test_of_a_longer_text_lines_and_tabs_stay() -> None:
    assert texts.tidy_text("a\r\n\tb\rc\u2028d\x85e\x0bf\x1b[31m\0\u202eg\ud800") == "a\n\tb\nc\nd\ne\nf[31mg"
    assert texts.clean_text(f" \r\n{CARD}\u200b\n ") == "•••• •••• •••• 1111\u200b"
    assert (texts.clean_text("\u3164\n\u200d"), texts.clean_line("\u2800 \u00ad")) == ("", "")
    assert texts.clean_line(f"a\r\nb {CARD}") == "a b •••• •••• •••• 1111"


def test_a_phone_stays_where_a_phone_is_asked_for() -> None:
    german, card = "4915112345678", "4111 1111 1111 1111"
    assert texts.masked(german) != german == texts.masked_phone(german)
    assert texts.masked(f"+{german}") == f"+{german}"
    assert (texts.masked_phone(card), texts.masked(f"+{card}")) == ("•••• •••• •••• 1111", "+•••• •••• •••• 1111")


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("0", 0), (str(2**63 - 1), 2**63 - 1), (str(2**63), None), ("9" * 5000, None), ("²", None),
     ("١", None), ("-1", None), ("", None), (" 7", None), ("7\0", None)],
)  # fmt: skip
def test_a_number_is_written_with_the_digits_0_to_9(text: str, number: int | None) -> None:
    assert texts.number_in(text) == number


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111111111111111", "••••••••••••1111"),
        ("karta 4111 1111 1111 1111, kod 123", "karta •••• •••• •••• 1111, kod 123"),
        ("5500-0000-0000-0004", "••••-••••-••••-0004"),
        ("2223 0031 2200 3222", "•••• •••• •••• 3222"),
        ("3782 822463 10005", "•••• •••••• •0005"),
        ("4111.1111.1111.1111", "••••.••••.••••.1111"),
        ("4111\u00a01111\u20091111\u20111111", "••••\u00a0••••\u2009••••\u20111111"),
        ("４１１１１１１１１１１１１１１１", "••••••••••••１１１１"),
        ("٤١١١ ١١١١ ١١١١ ١١١١", "•••• •••• •••• ١١١١"),
        ("4111\u200b1111\u200b1111\u200b1111", "••••\u200b••••\u200b••••\u200b1111"),
        ("4111 1111 1111 1111 12/27", "•••• •••• •••• 1111 12/27"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "• • • • • • • • • • • • 1 1 1 1"),
        ("41 11 11 11 11 11 11 11", "•• •• •• •• •• •• 11 11"),
        ("mak.pl/pay?card=4111111111111111&x=1", "mak.pl/pay?card=••••••••••••1111&x=1"),
        ("6304 0000 0000 0000", "•••• •••• •••• 0000"),
        ("4222222222222", "•••••••••2222"),
        (f"{CARD}; {CARD}", "•••• •••• •••• 1111; •••• •••• •••• 1111"),
        ("4000000000000000006", "•••••••••••••••0006"),
    ],
)
def test_of_a_card_number_the_last_four_digits_stay(text: str, shown: str) -> None:
    assert texts.masked(text) == shown
    assert texts.masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # its check digit is wrong
        "PL61 1090 1014 0000 0712 1981 2874",
        "61109010140000071219812874",
        "61 1090 1014 0000 0712 1981 2874 100,00",
        "BE68 5390 0754 7034",
        "NO93 8601 1117 947",
        "+48 600 100 200",
        "600 100 200, 600 100 201",
        "600 100 200 600 100 201",
        "zamówienie 2026112621153300",
        "1234 5678 9012 3452",  # no scheme begins with 1
        "356938035643809",  # the number of a phone's device
        "4006381333931",  # a bar code
        "620999650016240128520045",  # a parcel
        "4821\n4822\n4823\n4824",
        "2026-11-24 12:10:05",
        "1 234 567 890,00 zł",
        "192.168.100.200",
        "526-104-08-28, NIP 5261040828",
        "REGON 01234567800011, 012100784",
        "MAK-0142, FV/2026/11/4111",
        "4111111111111111a94a8fe5ccb19ba61c4c0873d391e987",  # a checksum
    ],
)
def test_other_long_numbers_stay_as_they_are(text: str) -> None:
    assert texts.masked(text) == text


@given(st.text(alphabet=st.one_of(st.sampled_from("0123456789 -.4５"), st.characters())))
def test_masking_keeps_the_length_and_repeats_nothing(text: str) -> None:
    shown = texts.masked(text)
    assert len(shown) == len(text)
    assert texts.masked(shown) == shown
    assert texts.is_one_line(texts.one_line(text))
    texts.is_blank(text)
