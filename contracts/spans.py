"""Spans of time: their union, what is left without others, their common part, their sum. Pure.

A span is a start and an end in whole seconds (UTC epoch), half-open; an open one (None) has no end yet. What comes
out is sorted and without overlaps; touching spans become one and empty ones vanish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

Span = tuple[int, int]
OpenSpan = tuple[int, int | None]
# Later than any instant of ours: an open span is sorted and joined as one that ends here.
NEVER = 1 << 60


class Hours(Protocol):
    """A calendar that knows the seconds it is open between two instants."""

    def between(self, start: int, end: int, /) -> int: ...


WorkingSeconds = Callable[[int, int], int]


def seconds_by(hours: Hours | WorkingSeconds | None) -> WorkingSeconds:
    """How to count the seconds of a span: by a calendar's hours, by a function, or (None) all of them."""
    if hours is None:
        return real_seconds
    return hours if callable(hours) else hours.between


def real_seconds(start: int, end: int) -> int:
    return end - start


def union(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    first, reached = 0, None
    for start, end in sorted(spans):
        if reached is not None and start <= reached:
            if end > reached:
                joined[-1] = (first, end)
                reached = end
        elif end > start:
            joined.append((start, end))
            first, reached = start, end
    return joined


def union_open(spans: Iterable[OpenSpan]) -> list[OpenSpan]:
    """The same of spans of which some have no end yet; the last one out has none then."""
    joined = union((start, NEVER if end is None else end) for start, end in spans)
    return [(start, None if end == NEVER else end) for start, end in joined]


def subtract(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """What sorted disjoint spans have outside sorted disjoint holes."""
    left: list[Span] = []
    for start, end in spans:
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                left.append((start, hole_start))
            start = hole_end  # noqa: PLW2901 the rest of the span
        if start < end:
            left.append((start, end))
    return left


def intersect(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The time that lies in both of two sorted disjoint rows of spans."""
    return subtract(spans, subtract(spans, others))


def clip(span: Span, window: Span) -> Span:
    """The part of a span inside a window; one that lies outside is empty, at the window's nearer edge."""
    first, last = window
    start = min(max(span[0], first), last)
    return start, max(start, min(span[1], last))


def total(spans: Iterable[Span], seconds: WorkingSeconds = real_seconds) -> int:
    """The seconds of disjoint spans, counted as told."""
    return sum(seconds(start, end) for start, end in spans)
