"""What a shop is said to be when its monitors disagree, and once nobody looks. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from monitoring.models import State
from monitoring.state.shop import WORST_FIRST, Part, ShopState, Trouble, shop_state

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def part(state: str, *, minutes: int = 1, name: str = "", since: int = 60, out: int | None = None) -> Part:
    """Checked `minutes` ago, in its state for `since` minutes, out for `out`."""
    out_since = None if out is None else NOW - out * MINUTE
    return Part(name or state, state, NOW - since * MINUTE, NOW - minutes * MINUTE, MINUTE, 2 * MINUTE, out_since)


def test_every_state_has_its_place_in_the_order() -> None:
    assert sorted(WORST_FIRST) == sorted(State.values)


@pytest.mark.parametrize(("worse", "better"), [*combinations(WORST_FIRST, 2)])
def test_the_worse_of_two_is_what_the_shop_is(worse: str, better: str) -> None:
    for parts in ((part(worse), part(better)), (part(better), part(worse))):
        assert shop_state(parts, NOW) == ShopState(worse, worse, NOW - 60 * MINUTE, NOW - MINUTE)


@pytest.mark.parametrize("state", ["up", "degraded", "down", "maintenance", "unknown"])
def test_a_part_that_nobody_looks_at_is_unknown_since_the_check_that_did_not_come(state: str) -> None:
    said = shop_state((part("up", name="Koszyk"), part(state, minutes=300, name="Strona")), NOW)
    assert said == ShopState("unknown", "Strona", NOW - 299 * MINUTE, NOW - 300 * MINUTE)
    assert not said.is_known


def test_patience_ends_after_its_last_second() -> None:
    assert shop_state([part("up", minutes=2)], NOW).state == "up"
    assert shop_state([part("up", minutes=2)], NOW + timedelta(seconds=1)).state == "unknown"


def test_a_part_that_was_never_checked_is_what_it_says() -> None:
    never = Part("Koszyk", "unknown", None, None, MINUTE, 2 * MINUTE)
    assert shop_state([never, part("up")], NOW) == ShopState("unknown", "Koszyk", None, NOW - MINUTE)


def test_a_shop_is_down_since_the_first_failed_check_of_what_still_fails() -> None:
    parts = (part("down", since=5, out=30), part("unknown", since=10, out=45), part("up"))
    assert shop_state(parts, NOW).since == NOW - 45 * MINUTE


def test_a_shop_that_nobody_watches_is_neither_well_nor_unknown() -> None:
    assert (shop_state((), NOW), shop_state((), NOW).is_watched) == (ShopState(), False)


def trouble(state: str, *, since: int = 20) -> Trouble:
    return Trouble("MAK-0001", "Klienci nie mogą zamówić", state, NOW - since * MINUTE)


def test_what_is_reported_makes_a_shop_worse_than_its_monitors_see() -> None:
    said = shop_state([part("up")], NOW, [trouble("down")])
    assert (said.state, said.part, said.since) == ("down", "Klienci nie mogą zamówić", NOW - 20 * MINUTE)
    assert said.measured == ShopState("up", "up", NOW - 60 * MINUTE, NOW - MINUTE)
    assert shop_state((), NOW, [trouble("degraded")]).state == "degraded"


def test_what_both_see_is_said_as_it_was_measured_with_its_incident() -> None:
    said = shop_state([part("down")], NOW, [trouble("down")])
    assert (said.part, said.since, said.is_reported) == ("down", NOW - 60 * MINUTE, False)
    assert said.trouble == trouble("down")


def test_a_smaller_failure_does_not_hide_that_nobody_knows() -> None:
    assert shop_state([part("unknown")], NOW, [trouble("degraded")]).state == "unknown"


def test_of_two_reports_the_worse_speaks() -> None:
    assert shop_state((), NOW, [trouble("degraded", since=90), trouble("down")]).since == NOW - 20 * MINUTE
