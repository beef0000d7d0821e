"""A hash tree of fixed depth: one hash that stands for many, and a path by which each of them can be shown to be in it.

Nothing about the others can be read from a path. Each leaf carries a salt, so its content can't be guessed from its
hash; where there is no leaf stands a number made with the tree's secret, which looks like any other; and a path has
`DEPTH` steps whether the tree holds one leaf or a million. Hashes are SHA-256, 32 bytes; a first byte says what is
hashed, so that no node can pass for a leaf.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

DEPTH = 24
"""Levels between the root and a leaf: places for 16.7 million leaves; one that is taken asks for another salt."""
LEVEL = 8
"""The level whose nodes are kept from one day to the next; under each lie `2 ** (DEPTH - LEVEL)` places."""
LEAF, NODE, EMPTY, PLACE = b"\0", b"\1", b"\2", b"\3"

Leaves = Sequence[tuple[int, bytes]]
"""Places with the hash of their leaf, sorted."""


@dataclass(frozen=True, slots=True)
class Step:
    """One level up: the neighbour's hash, and whether it stands to the left."""

    neighbour: bytes
    is_left: bool


Path = tuple[Step, ...]


def leaf(salt: bytes, content: bytes) -> bytes:
    return sha256(LEAF + salt + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(NODE + left + right).digest()


def place_of(salt: bytes) -> int:
    """Where the leaf with this salt stands, 0 … 2 ** DEPTH - 1."""
    return int.from_bytes(sha256(PLACE + salt).digest()[:4]) >> (32 - DEPTH)


def bucket_of(place: int) -> int:
    """The number of the kept node above a place."""
    return place >> (DEPTH - LEVEL)


def empty(secret: bytes, level: int, number: int) -> bytes:
    """The hash of a part of the tree without leaves: the `number`-th of its level, level 0 being the root."""
    return sha256(EMPTY + secret + level.to_bytes(1) + number.to_bytes(4)).digest()


def bucket(secret: bytes, number: int, leaves: Leaves) -> bytes:
    """The hash of the kept node with this number; `leaves` are those under it."""
    return _part(secret, leaves, LEVEL, number)


def buckets(secret: bytes, leaves: Leaves) -> list[bytes]:
    """Every kept node."""
    edges = [bisect_left(leaves, (number << (DEPTH - LEVEL),)) for number in range(2**LEVEL)]
    edges.append(len(leaves))
    return [bucket(secret, number, leaves[edges[number] : edges[number + 1]]) for number in range(2**LEVEL)]


def _part(secret: bytes, leaves: Leaves, level: int, number: int) -> bytes:
    if len(leaves) < 2:
        return _alone(secret, leaves[0], level) if leaves else empty(secret, level, number)
    left, right = _halves(leaves, level, number)
    return node(_part(secret, left, level + 1, 2 * number), _part(secret, right, level + 1, 2 * number + 1))


def _alone(secret: bytes, only: tuple[int, bytes], level: int) -> bytes:
    """A part with one leaf, which most of the lower levels are: straight up from it (twice as fast as by halves)."""
    number, here = only
    seed = EMPTY + secret
    for below in range(DEPTH, level, -1):
        other = sha256(seed + bytes((below,)) + (number ^ 1).to_bytes(4)).digest()
        here = sha256(NODE + other + here if number & 1 else NODE + here + other).digest()
        number >>= 1
    return here


def _halves(leaves: Leaves, level: int, number: int) -> tuple[Leaves, Leaves]:
    middle = bisect_left(leaves, ((2 * number + 1) << (DEPTH - level - 1),))
    return leaves[:middle], leaves[middle:]


def top(nodes: Sequence[bytes]) -> bytes:
    """The root over every kept node."""
    while len(nodes) > 1:
        nodes = _above(nodes)
    return nodes[0]


def _above(nodes: Sequence[bytes]) -> list[bytes]:
    return [node(nodes[n], nodes[n + 1]) for n in range(0, len(nodes), 2)]


def root(secret: bytes, leaves: Iterable[tuple[int, bytes]]) -> bytes:
    """The hash that stands for all leaves, in whatever order they come. No two may have one place."""
    return top(buckets(secret, sorted(leaves)))


def path(secret: bytes, near: Mapping[int, bytes], nodes: Sequence[bytes], place: int) -> Path:
    """The way from the leaf at `place` up to the root; `near`: the leaves under its kept node, `nodes`: all those.

    KeyError where no leaf stands at the place.
    """
    if place not in near:
        raise KeyError(place)
    number = bucket_of(place)
    steps: list[Step] = []
    leaves: Leaves = sorted(near.items())
    for level in range(LEVEL, DEPTH):
        above = place >> (DEPTH - level)
        left, right = _halves(leaves, level, above)
        goes_right = bool(place >> (DEPTH - level - 1) & 1)
        leaves, others = (right, left) if goes_right else (left, right)
        steps.append(Step(_part(secret, others, level + 1, 2 * above + (not goes_right)), goes_right))
    steps.reverse()
    while len(nodes) > 1:
        steps.append(Step(nodes[number ^ 1], bool(number & 1)))
        nodes, number = _above(nodes), number >> 1
    return tuple(steps)


def climb(start: bytes, steps: Iterable[Step]) -> bytes:
    """The root to which a path leads from a leaf's hash: equal to the tree's where the leaf is in it."""
    for step in steps:
        start = node(step.neighbour, start) if step.is_left else node(start, step.neighbour)
    return start
