"""From results to outages, as short stories: F a failed check, G a good one, ? an unknown one, each a minute apart."""

import pytest

from monitoring.probe.specification import Result, StateWord
from monitoring.state.confirmation import Change, Reading, Rule, Track, step, step_reading

RULE = Rule()
STATES: dict[str, StateWord] = {
    "F": "down", "G": "up", "D": "degraded", "?": "unknown", "M": "maintenance", "P": "paused",
}  # fmt: skip


def story(signs: str, rule: Rule = RULE, every: int = 60) -> tuple[Track, list[Change]]:
    track, changes = Track(), list[Change]()
    for number, sign in enumerate(signs):
        track, changed = step(track, Result("1", STATES[sign], "ok", at=number * every), rule)
        assert Track.from_json(track.to_json()) == track
        changes += changed
    return track, changes


def told(signs: str, rule: Rule = RULE, every: int = 60) -> list[tuple[str, int]]:
    """Kinds of change and their times as numbers of checks."""
    return [(change.kind, change.at // every) for change in story(signs, rule, every)[1]]


@pytest.mark.parametrize(
    ("signs", "changes"),
    [
        ("GGG", []),
        ("GF", [("suspected", 1)]),
        ("GFG", [("suspected", 1), ("blip", 1)]),
        ("GFF", [("suspected", 1), ("confirmed", 1)]),
        ("GFFGG", [("suspected", 1), ("confirmed", 1)]),
        ("GFFGGG", [("suspected", 1), ("confirmed", 1), ("ended", 3)]),
        ("GFFGGFGGG", [("suspected", 1), ("confirmed", 1), ("ended", 6)]),
        ("GFFDDD", [("suspected", 1), ("confirmed", 1), ("ended", 3)]),
        ("GDDD", []),
    ],
)
def test_two_failures_confirm_and_three_good_checks_end(signs: str, changes: list[tuple[str, int]]) -> None:
    assert told(signs) == changes


@pytest.mark.parametrize("nothing", ["?", "M", "P"])
def test_what_says_nothing_of_the_shop_neither_confirms_nor_heals_nor_interrupts(nothing: str) -> None:
    assert told(f"F{nothing}F") == [("suspected", 0), ("confirmed", 0)]
    assert told(f"FF{nothing * 5}") == [("suspected", 0), ("confirmed", 0)]
    assert told(f"FFG{nothing}GG") == [("suspected", 0), ("confirmed", 0), ("ended", 2)]


def test_two_of_three_forgive_one_good_check_between() -> None:
    rule = Rule(failures=2, window=3)
    assert told("FGF", rule) == [("suspected", 0), ("confirmed", 0)]
    assert told("FGG", rule) == [("suspected", 0), ("blip", 0)]


def test_one_of_one_confirms_at_once() -> None:
    assert told("F", Rule(failures=1, window=1)) == [("confirmed", 0)]


def test_a_second_place_must_agree_where_one_is_configured() -> None:
    rule = Rule(places=2)
    track, first = step_reading(Track(), Reading(0, failed=True, place="pl"), rule)
    same, _ = step_reading(track, Reading(7, failed=True, place="pl"), rule)
    _, agreed = step_reading(track, Reading(7, failed=True, place="de"), rule)
    assert ([one.kind for one in first], same.started_at) == (["suspected"], None)
    assert agreed == (Change("confirmed", 0),)


def test_an_outage_that_comes_back_at_once_goes_on() -> None:
    assert told("FFGGGFF") == [("suspected", 0), ("confirmed", 0), ("ended", 2), ("suspected", 5), ("reopened", 0)]


def test_an_outage_long_after_the_last_is_a_new_one() -> None:
    changes = told("FF" + "G" * 20 + "FF")
    assert changes[-2:] == [("suspected", 22), ("confirmed", 22)]


@pytest.mark.parametrize("turn", ["FG", "FFGGG", "FFFGGGG"])
def test_up_and_down_in_turns_for_an_hour_is_one_outage(turn: str) -> None:
    track, changes = story((turn * 60)[:60])
    kinds = [change.kind for change in changes]
    assert kinds.count("confirmed") == 1
    assert track.flapping
    starts = {change.at for change in changes if change.kind in ("confirmed", "reopened")}
    assert starts == {0}


def test_a_flapping_outage_ends_only_after_a_calm_and_at_its_first_good_check() -> None:
    signs = "FG" * 4 + "G" * 20
    _, changes = story(signs)
    assert changes[-1] == Change("ended", 7 * 60, flapping=True)
    assert [change.kind for change in changes].count("ended") == 1


def test_blips_that_are_far_apart_are_no_flapping() -> None:
    track, changes = story(("F" + "G" * 29) * 6)
    assert {change.kind for change in changes} == {"suspected", "blip"}
    assert not track.flapping
