"""What people type, read as text: whether it is empty, whether it is one line, its number, its card numbers hidden.

Pure: strings in, strings out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LARGEST_ID = 2**63 - 1  # PostgreSQL's bigint: a larger number in an address is no row, not an error
# Line and paragraph separators; embeddings, overrides and isolates that turn the letters after them round
BREAKS = "\u2028\u2029"
TURNS = "\u202a-\u202e\u2066-\u2069"
NOT_IN_A_LINE = re.compile(rf"[\x00-\x1f\x7f-\x9f{BREAKS}{TURNS}\ud800-\udfff]")
# Of a longer text line breaks, all written as \n, and tabs stay
NEW_LINE = re.compile(rf"\r\n|[\r\x0b\x0c\x85{BREAKS}]")
NOT_IN_A_TEXT = re.compile(rf"[\x00-\x08\x0e-\x1f\x7f-\x9f{TURNS}\ud800-\udfff]")
# Letters and signs by their category, and yet nothing is drawn: Hangul fillers, the empty braille cell
DRAWN_EMPTY = frozenset("\u115f\u1160\u3164\uffa0\u2800")
EMPTY_KINDS = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
# Not given out yet and drawn as nothing whenever they are; else a sign unknown to us is one that is newer than we are
IGNORED = re.compile("[\u2065\ufff0-\ufff8\ufffe\uffff\U000e0000-\U000e0fff]")


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: spaces, joiners, fillers, marks without a letter."""
    return all(
        letter in DRAWN_EMPTY or unicodedata.category(letter) in EMPTY_KINDS or IGNORED.match(letter) for letter in text
    )


def is_one_line(text: str) -> bool:
    """Without control characters and without those that turn the direction of what follows."""
    return NOT_IN_A_LINE.search(text) is None


def one_line(text: str) -> str:
    """The text as a header can carry it: every run of spaces and of what is not in a line is one space."""
    return " ".join(NOT_IN_A_LINE.sub(" ", text).split())


def tidy_text(text: str) -> str:
    """A text of several lines without invisible controls; every line break is one \\n, tabs stay."""
    return NOT_IN_A_TEXT.sub("", NEW_LINE.sub("\n", text))


def clean_text(text: str) -> str:
    """A person's sentences as they are stored: tidy, without card numbers, "" where nothing can be seen of them."""
    text = tidy_text(text).strip()
    return "" if is_blank(text) else masked(text)


def clean_line(text: str) -> str:
    """A person's words of one line as they are stored, whatever way they came: one line, without card numbers."""
    text = one_line(text)
    return "" if is_blank(text) else masked(text)


def number_in(text: str, most: int = LARGEST_ID) -> int | None:
    """The number that is written with the digits 0 to 9, up to `most`; None for anything else.

    `isdigit` accepts `²`, which int() refuses, and int() accepts `١`, and refuses 5,000 digits.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None


# Lengths and first digits that the card schemes have given out (ISO/IEC 7812): Visa, Mastercard, American Express,
# Diners, Discover, JCB, UnionPay, Maestro, Mir
SCHEMES = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|(?:30[0-5]\d|309\d|36\d\d|3[89]\d\d)\d{10,15}"
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|(?:62\d\d|81[0-7]\d)\d{12,15}"
    r"|(?:5018|5020|5038|5612|5893|6304|6390|6759|676[1-37])\d{9,15}"
    r"|220[0-4]\d{12,15}"
)
# A checksum in hexadecimal digits is no place of a card number
CHECKSUM = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])")
COUNTRY = re.compile(r"(?<![A-Za-z])([A-Za-z]{2}) ?$")
BETWEEN = re.compile(r"[ \t\u00a0\u2000-\u200d\u202f\u2060\ufeff.\-_\u2010-\u2015\u2212]{1,3}")
DIGITS = re.compile(r"\d+")
SHORTEST, LONGEST = 13, 19  # digits of a card number (ISO/IEC 7812)
LONGEST_PHONE = 15  # with its country's digits (ITU-T E.164)
SHOWN = 4  # last digits, as PCI DSS lets anybody see them
HIDDEN = "\u2022"


def masked(text: str, shortest: int = SHORTEST) -> str:
    """The text with every card number hidden but for its last four digits; as long as before.

    A card number: `shortest` to 19 digits of any script, with spaces, dots or dashes between them, by the schemes'
    first digits and lengths, with a right check digit. Account numbers, phones, bar codes and checksums stay.
    """
    plain = _plain_digits(text)
    if sum(map(str.isdigit, plain)) < shortest:
        return text
    letters = list(text)
    for start, end in _cards(CHECKSUM.sub(lambda checksum: "x" * len(checksum[0]), plain)):
        places = [place for place in range(start, end) if plain[place].isdigit()]
        for place in places[:-SHOWN] if len(places) >= shortest else ():
            letters[place] = HIDDEN
    return "".join(letters)


def masked_phone(text: str) -> str:
    """The same in a field for a phone: 13 digits, as long as a Visa card once was, are a German phone there."""
    return masked(text, SHORTEST + 1)


def _plain_digits(text: str) -> str:
    """Letter for letter the same, each digit of another script or shape as 0 to 9."""
    if text.isascii():
        return text
    return "".join(_plain_digit(letter) for letter in text)


def _plain_digit(letter: str) -> str:
    digit = unicodedata.digit(letter, None)
    return letter if digit is None else str(digit)


def _cards(plain: str) -> Iterator[tuple[int, int]]:
    """Where card numbers begin and end, from left to right; the groups of an account number are passed over."""
    for groups in _rows_of_digits(plain):
        first = 0
        while first < len(groups):
            last = _end_of_account(plain, groups, first)
            if last is None and (last := _end_of_card(plain, groups, first)) is not None:
                yield groups[first][0], groups[last][1]
            first = first + 1 if last is None else last + 1


def _rows_of_digits(plain: str) -> Iterator[list[tuple[int, int]]]:
    """Groups of digits with nothing but short separators between them."""
    row: list[tuple[int, int]] = []
    for group in DIGITS.finditer(plain):
        if row and BETWEEN.fullmatch(plain, row[-1][1], group.start()) is None:
            yield row
            row = []
        row.append(group.span())
    if row:
        yield row


def _end_of_card(plain: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card number that begins with this one."""
    end, digits = None, ""
    is_phone = plain[: groups[first][0]].endswith("+")
    for last in range(first, len(groups)):
        digits += plain[slice(*groups[last])]
        if len(digits) > LONGEST:
            break
        sizes = [stop - start for start, stop in groups[first : last + 1]]
        if _is_written_like_a_card(sizes) and _is_card(digits) and not (is_phone and len(digits) <= LONGEST_PHONE):
            end = last
    return end


def _is_written_like_a_card(sizes: list[int]) -> bool:
    """In one piece, in fours, as American Express does, or evenly; not as phones are, in threes."""
    even = len({*sizes[:-1]}) == 1 and sizes[0] != 3 and sizes[-1] <= max(sizes[0], 3)
    return len(sizes) == 1 or sizes[0] >= 4 or even


def _is_card(digits: str) -> bool:
    if len(digits) < SHORTEST or SCHEMES.fullmatch(digits) is None or not _luhn(digits):
        return False
    return not (len(digits) == 13 and _is_bar_code(digits))


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(number - 9 * (number > 9) for number in doubled)) % 10 == 0


def _is_bar_code(digits: str) -> bool:
    """EAN-13: the weights are 1 and 3 in turn."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _end_of_account(plain: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of an account number: with the letters of its country before it, or 26 digits of Poland."""
    country = COUNTRY.search(plain, max(0, groups[first][0] - 4), groups[first][0])
    digits = ""
    for last in range(first, len(groups)):
        digits += plain[slice(*groups[last])]
        if country and 13 <= len(digits) <= 32 and _iban_fits(country[1], digits):
            return last
        if len(digits) == 26 and _iban_fits("PL", digits):
            return last
        if len(digits) > 32:
            break
    return None


def _iban_fits(country: str, digits: str) -> bool:
    if len(digits) < 5:
        return False
    turned = digits[2:] + "".join(str(int(letter, 36)) for letter in country) + digits[:2]
    return int(turned) % 97 == 1
