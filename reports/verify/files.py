"""A file of cases, whatever its kind: read, answered by the product's own functions, compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

from reports.verify.availability import availability_outcomes
from reports.verify.clocks import clock_outcomes
from reports.verify.deadlines import deadline_outcomes
from reports.verify.outcome import Outcome, UnknownWordError
from reports.verify.penalties import penalty_outcomes

# The first key that a file has tells its kind; a file of availability or clocks may bring calendars of its own.
KINDS: dict[str, Callable[[Mapping[str, object]], list[Outcome]]] = {
    "month_lengths": availability_outcomes,
    "bands": penalty_outcomes,
    "terms": clock_outcomes,
    "calendars": deadline_outcomes,
}


def outcomes(path: Path) -> list[Outcome]:
    """Every case of a file. UnknownWordError names a file or a word in it that can't be read."""
    data = _read(path)
    for key, answer in KINDS.items():
        if key in data:
            try:
                return answer(data)
            except UnknownWordError as wrong:
                raise UnknownWordError(f"{path}: {wrong}") from wrong
    raise UnknownWordError(f"{path}: an unknown kind of file, with {', '.join(map(str, data)) or 'nothing'} in it")


def _read(path: Path) -> Mapping[str, object]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as wrong:
        raise UnknownWordError(f"{path}: {wrong}") from wrong
    if not isinstance(data, Mapping):
        raise UnknownWordError(f"{path}: no object with cases")
    return data
