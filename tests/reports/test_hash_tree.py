"""The tree under the daily anchor: what is in it can be shown, what isn't can't, and a path tells of nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.anchor import hash_tree as tree

SECRET = b"s" * 32
CONTENTS = st.dictionaries(st.binary(min_size=1, max_size=12), st.binary(max_size=20), min_size=1, max_size=40)


def planted(contents: dict[bytes, bytes]) -> dict[int, bytes]:
    """Leaves by place; the keys serve as salts (a place that is taken twice keeps its last)."""
    return {tree.place_of(salt): tree.leaf(salt, content) for salt, content in contents.items()}


def way(leaves: dict[int, bytes], place: int, secret: bytes = SECRET) -> tree.Path:
    """From the leaves under the one kept node, as the portal does it."""
    near = {other: digest for other, digest in leaves.items() if tree.bucket_of(other) == tree.bucket_of(place)}
    return tree.path(secret, near, tree.buckets(secret, sorted(leaves.items())), place)


@given(CONTENTS)
def test_every_leaf_has_a_path_of_the_one_length_that_leads_to_the_root(contents: dict[bytes, bytes]) -> None:
    leaves = planted(contents)
    root = tree.root(SECRET, leaves.items())
    for place, digest in leaves.items():
        steps = way(leaves, place)
        assert (len(steps), tree.climb(digest, steps)) == (tree.DEPTH, root)
        # The way of another place doesn't lead there, nor does this way from anything else
        assert tree.climb(tree.leaf(b"other", b"content"), steps) != root
        flipped = [tree.Step(step.neighbour, not step.is_left) for step in steps]
        assert tree.climb(digest, flipped) != root


@given(CONTENTS, st.data())
def test_any_changed_leaf_changes_the_root(contents: dict[bytes, bytes], data: st.DataObject) -> None:
    leaves = planted(contents)
    place = data.draw(st.sampled_from(sorted(leaves)))
    root = tree.root(SECRET, leaves.items())
    without = {other: digest for other, digest in leaves.items() if other != place}
    assert tree.root(SECRET, (leaves | {place: tree.leaf(b"x", b"forged")}).items()) != root
    assert tree.root(SECRET, without.items()) != root
    if without:
        with pytest.raises(KeyError):
            way(without, place)


@given(CONTENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_leaves_come_changes_nothing(contents: dict[bytes, bytes], random: object) -> None:
    leaves = planted(contents)
    shuffled = list(leaves.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tree.root(SECRET, shuffled) == tree.root(SECRET, leaves.items())


@given(CONTENTS)
def test_a_kept_node_follows_from_the_leaves_under_it_alone(contents: dict[bytes, bytes]) -> None:
    leaves = planted(contents)
    nodes = tree.buckets(SECRET, sorted(leaves.items()))
    for number in {tree.bucket_of(place) for place in leaves}:
        near = sorted((place, digest) for place, digest in leaves.items() if tree.bucket_of(place) == number)
        assert tree.bucket(SECRET, number, near) == nodes[number]
    assert tree.top(nodes) == tree.root(SECRET, leaves.items())


def test_what_is_empty_looks_like_anything_else() -> None:
    """One leaf alone: none of its 24 neighbours is known to who has another tree's secret, and no two are alike."""
    place, digest = tree.place_of(b"salt"), tree.leaf(b"salt", b"content")
    steps, others = way({place: digest}, place), way({place: digest}, place, b"t" * 32)
    assert len({step.neighbour for step in (*steps, *others)}) == 2 * tree.DEPTH
    assert [step.is_left for step in steps] == [step.is_left for step in others]


def test_leaf_node_and_place_are_apart() -> None:
    """A node's two halves given as a leaf's salt and content make another hash."""
    left, right = tree.leaf(b"a", b"b"), tree.leaf(b"c", b"d")
    assert len({tree.node(left, right), tree.leaf(left, right), tree.node(right, left)}) == 3
    assert tree.leaf(b"salt-1", b"x") != tree.leaf(b"salt-2", b"x")


def test_two_leaves_side_by_side_at_the_lowest_level() -> None:
    leaves = {6: tree.leaf(b"a", b"1"), 7: tree.leaf(b"b", b"2")}
    first, second = way(leaves, 6), way(leaves, 7)
    assert (first[0], second[0]) == (tree.Step(leaves[7], False), tree.Step(leaves[6], True))
    assert first[1:] == second[1:]
