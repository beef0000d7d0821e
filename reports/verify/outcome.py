"""What became of one case."""

from __future__ import annotations

from dataclasses import dataclass


class UnknownWordError(ValueError):
    """A file, group, event, mode, unit or target that the formats don't know; the message names it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`expected` and `got` hold the compared fields only."""

    case_id: str
    expected: dict[str, object]
    got: dict[str, object]

    @property
    def passed(self) -> bool:
        return self.expected == self.got
