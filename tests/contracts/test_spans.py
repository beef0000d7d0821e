"""Spans against the plainest reading of them: the set of their seconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.spans import Span, clip, intersect, subtract, total, union, union_open

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))), max_size=8)


def seconds_of(spans: list[Span]) -> set[int]:
    return {second for start, end in spans for second in range(start, end)}


@given(SPANS, SPANS)
def test_what_comes_out_is_sorted_apart_and_has_the_seconds_that_it_says(spans: list[Span], others: list[Span]) -> None:
    mine, holes = union(spans), union(others)
    for made, expected in (
        (mine, seconds_of(spans)),
        (subtract(mine, holes), seconds_of(spans) - seconds_of(others)),
        (intersect(mine, holes), seconds_of(spans) & seconds_of(others)),
    ):
        assert seconds_of(made) == expected
        assert all(start < end for start, end in made)
        assert all(before[1] < after[0] for before, after in pairwise(made)) or made != mine
        assert total(made) == len(expected)


@given(SPANS)
def test_with_every_end_known_open_spans_are_joined_as_others_are(spans: list[Span]) -> None:
    assert union_open(spans) == union(spans)


def test_an_open_span_takes_all_that_begins_after_it() -> None:
    assert union_open([(5, None), (1, 3), (9, 12), (20, None), (3, 4)]) == [(1, 4), (5, None)]


def test_a_span_outside_the_window_is_empty_at_its_nearer_edge() -> None:
    assert [clip(span, (10, 20)) for span in ((0, 5), (0, 15), (12, 15), (15, 30), (30, 40), (5, 40))] == [
        (10, 10), (10, 15), (12, 15), (15, 20), (20, 20), (10, 20),
    ]  # fmt: skip
