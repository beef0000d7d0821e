"""Reading a case: fields that must be known, and figures compared as figures, not as texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TypeVar

from reports.verify.outcome import Outcome, UnknownWordError

T = TypeVar("T")
Answer = Mapping[str, object]


def fields(where: str, value: object, names: Iterable[str]) -> dict[str, object]:
    """An object of the file; a field that the format doesn't have is named, never passed over."""
    if not isinstance(value, Mapping):
        raise UnknownWordError(f"{where}: an object is expected, not {value!r}")
    unknown = set(value) - set(names)
    if unknown:
        raise UnknownWordError(f"{where}: unknown field {', '.join(sorted(map(repr, unknown)))}")
    return dict(value)


def needed(where: str, value: Mapping[str, object], field: str) -> object:
    if field not in value:
        raise UnknownWordError(f"{where}: the field {field!r} is missing")
    return value[field]


def items(where: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise UnknownWordError(f"{where}: a list is expected, not {value!r}")
    return value


def decimal(where: str, value: object) -> Decimal:
    """A figure written as a text or a JSON number. UnknownWordError for anything else."""
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        figure = Decimal(str(value))
    except InvalidOperation:
        raise UnknownWordError(f"{where}: not a number: {value!r}") from None
    if not figure.is_finite():
        raise UnknownWordError(f"{where}: not a number: {value!r}")
    return figure


def whole(where: str, value: object) -> int:
    figure = decimal(where, value)
    if figure != int(figure):
        raise UnknownWordError(f"{where}: not a whole number: {value!r}")
    return int(figure)


def word(where: str, field: str, value: object, meanings: Mapping[str, T]) -> T:
    """What a word of a closed list stands for."""
    if not isinstance(value, str) or value not in meanings:
        raise UnknownWordError(f"{where}: unknown {field}: {value!r}")
    return meanings[value]


def group_outcomes(data: Mapping[str, object], answers: Mapping[str, Callable[[str, object], Answer]]) -> list[Outcome]:
    """Answer every case by its group's function; the group `other` illustrates and isn't read."""
    outcomes = []
    for number, case in enumerate(items("cases", needed("the file", data, "cases")), 1):
        if not isinstance(case, Mapping):
            raise UnknownWordError(f"case {number}: an object is expected, not {case!r}")
        where = str(case.get("id", number))
        group = needed(where, case, "group")
        if group != "other":
            outcomes.append(_outcome(where, case, word(where, "group", group, answers)))
    return outcomes


def _outcome(where: str, case: Mapping[str, object], answer: Callable[[str, object], Answer]) -> Outcome:
    try:
        got = answer(where, needed(where, case, "input"))
    except UnknownWordError:
        raise
    except ValueError as wrong:
        raise UnknownWordError(f"{where}: {wrong}") from wrong
    return Outcome(where, *compared(where, needed(where, case, "expected"), got))


def compared(where: str, expected: object, got: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """What the case expects and what came out, in its own spelling where both are the same figure."""
    figures = fields(f"{where}, expected", expected, got)
    return figures, {field: agreed(value, got[field]) for field, value in figures.items()}


def agreed(expected: object, got: object) -> object:
    """The expected value where `got` equals it, else `got` as a reader would write it."""
    if isinstance(got, (list, tuple)):
        pairs = zip(expected, got, strict=True) if isinstance(expected, list) and len(expected) == len(got) else ()
        return [agreed(value, other) for value, other in pairs] or [written(value) for value in got]
    if isinstance(got, (bool, str)) or got is None:
        return got
    return expected if _same_figure(expected, got) else written(got)


def _same_figure(expected: object, got: object) -> bool:
    try:
        figure = Decimal(str(expected))
    except InvalidOperation:
        return False
    if isinstance(expected, bool) or not figure.is_finite() or not isinstance(got, (int, Decimal, Fraction)):
        return False
    exact = Fraction(got)
    if _terminates(exact):
        return exact == Fraction(figure)
    places = -int(figure.as_tuple().exponent)
    scaled = exact * 10**places
    return places >= 2 and figure.scaleb(places) in (scaled // 1, (scaled + Fraction(1, 2)) // 1)


def _terminates(value: Fraction) -> bool:
    """Whether a figure can be written out; one that can't is compared to the places written, two at least."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def written(value: object) -> object:
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else _decimal_text(value)
    return str(value) if isinstance(value, Decimal) else value


def _decimal_text(value: Fraction) -> str:
    """Exact where it ends within 12 places, else the fraction itself."""
    scaled = value * 10**12
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    return f"{Decimal(scaled.numerator).scaleb(-12).normalize():f}"
