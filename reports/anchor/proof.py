"""The proof against an anchor: what the rows of today say of that day, computed anew and compared with its hash.

Nothing that is stored is trusted: each leaf is made again from the row that it stands for, at the stage of that day,
and all trees from the leaves. So what somebody changes in the rows, in the leaves or in the kept nodes is seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from incidents.anchors import Anchor, AnchorLeaf, AnchorTree
from reports.anchor import hash_tree
from reports.anchor.leaves import KINDS, Kind
from reports.anchor.make import anchor_hash, day_root

SHORTEST = 32
"""Hex digits that a letter carries: 128 bits, which nobody finds a second time."""


class UnknownAnchorError(Exception):
    """There is no such anchor; the sentence says so."""


def find(typed: str) -> Anchor:
    """The anchor with this hash, whole or by the part that letters carry, with or without spaces."""
    digits = "".join(typed.split()).lower()
    if len(digits) < SHORTEST or digits.strip("0123456789abcdef"):
        raise UnknownAnchorError(f"{typed!r} is no anchor: expected {SHORTEST} to 64 hex digits, as in a letter.")
    anchor = Anchor.objects.filter(hash__startswith=digits).first()
    if anchor is None:
        raise UnknownAnchorError(f"The portal has no anchor {digits}: it was forged, removed, or is another portal's.")
    return anchor


def broken_chain() -> Iterator[str]:
    """Every day whose hash doesn't follow from its root and the day before, and leaves whose day is gone."""
    previous = ""
    for anchor in Anchor.objects.order_by("day"):
        if anchor.previous != previous:
            yield f"anchor of {anchor.day}: names another one before it than there is"
        if anchor.hash != anchor_hash(anchor.day, anchor.root, anchor.previous):
            yield f"anchor of {anchor.day}: its hash does not follow from its root"
        previous = anchor.hash
    if gone := AnchorLeaf.objects.exclude(anchor__in=Anchor.objects.values("pk")).count():
        yield f"anchors: one is gone, {gone} of its leaves are left"


CHANGED = """
    SELECT name, kind, day FROM (
        SELECT leaf.name, leaf.kind, anchor.day, leaf.stage,
               lag(leaf.stage) OVER (PARTITION BY leaf.kind, leaf.row ORDER BY anchor.day) AS before
        FROM incidents_anchorleaf leaf JOIN incidents_anchor anchor ON anchor.id = leaf.anchor_id
    ) leaves WHERE stage <= before ORDER BY kind, name, day
"""
EARLIER = """
    SELECT incident.nr, anchor.day
    FROM incidents_anchorleaf leaf
    JOIN incidents_anchor anchor ON anchor.id = leaf.anchor_id
    JOIN incidents_incident incident ON incident.id = leaf.row
    LEFT JOIN incidents_journalentry entry ON entry.incident_id = leaf.row AND entry.seq = leaf.stage
    WHERE leaf.kind = 'journal' AND CASE WHEN leaf.salt ~ '^([0-9a-f]{2})+$' THEN leaf.hash <> encode(sha256(
        '\\x00'::bytea || decode(leaf.salt, 'hex')
        || convert_to(concat_ws(' ', 'journal', incident.nr, leaf.stage, coalesce(entry.hash, '')), 'UTF8')), 'hex')
        ELSE true END
    ORDER BY incident.nr, anchor.day
"""
EARLIER_LISTS = """
    SELECT leaf.name, anchor.day
    FROM incidents_anchorleaf leaf
    JOIN incidents_anchor anchor ON anchor.id = leaf.anchor_id
    LEFT JOIN monitoring_act act ON act.monitor_id = leaf.row AND act.seq = leaf.stage
    WHERE leaf.kind = 'monitor' AND CASE WHEN leaf.salt ~ '^([0-9a-f]{2})+$' THEN leaf.hash <> encode(sha256(
        '\\x00'::bytea || decode(leaf.salt, 'hex')
        || convert_to(concat_ws(' ', 'monitor', leaf.row, leaf.stage, coalesce(act.hash, '')), 'UTF8')), 'hex')
        ELSE true END
    ORDER BY leaf.row, anchor.day
"""


def changed_between() -> Iterator[str]:
    """What was not as an earlier anchor says when a later one was made: things only grow, by a stage or more."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGED)
        words = {kind.name: kind.words for kind in KINDS}
        for name, kind, day in cursor.fetchall():
            yield f"{words[kind]} {name}: was changed before the anchor of {day}, after an earlier one"
        cursor.execute(EARLIER)
        for nr, day in cursor.fetchall():
            yield f"journal {nr}: is not as it was, says the anchor of {day}"
        cursor.execute(EARLIER_LISTS)
        for name, day in cursor.fetchall():
            yield f"monitor {name}: is not as it was, says the anchor of {day}"


def differences(anchor: Anchor) -> Iterator[str]:
    """What is no longer as the anchor says, in sentences; nothing where its root follows from the rows of today.

    What nobody but a forger writes may be unreadable: that is a difference too.
    """
    try:
        yield from _differences(anchor)
    except ValueError as error:
        yield f"anchor of {anchor.day}: what is kept of it can't be read, {error}"


def _differences(anchor: Anchor) -> Iterator[str]:
    leaves = _leaves_of(anchor)
    trees: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
    is_clean = True
    for kind in KINDS:
        for leaf, digest in _again(kind, leaves[kind.name]):
            if digest is None or digest.hex() != leaf.digest:
                is_clean = False
                fault = "is gone" if digest is None else "is not as it was"
                yield f"{kind.words} {leaf.name}: {fault}, says the anchor of {anchor.day}"
            trees[leaf.tree].append((leaf.place, digest or bytes(32)))
    if is_clean and _root(anchor, trees) != anchor.root:
        yield f"anchor of {anchor.day}: its leaves do not add up to its root; leaves were added, changed or removed"


@dataclass(frozen=True, slots=True)
class Stored:
    tree: int
    kind: str
    row: int
    stage: int
    name: str
    salt: str
    place: int
    digest: str


def _leaves_of(anchor: Anchor) -> defaultdict[str, list[Stored]]:
    """The leaves that stood that day, by kind: of each thing the last one up to it."""
    rows = AnchorLeaf.objects.filter(anchor__day__lte=anchor.day)
    rows = rows.order_by("kind", "row", "-anchor__day").distinct("kind", "row")
    columns = rows.values_list("tree", "kind", "row", "stage", "name", "salt", "place", "hash")
    leaves: defaultdict[str, list[Stored]] = defaultdict(list)
    for values in columns.iterator(chunk_size=20_000):
        leaves[values[1]].append(Stored(*values))
    return leaves


def _again(kind: Kind, leaves: list[Stored]) -> Iterator[tuple[Stored, bytes | None]]:
    """Each leaf with the hash that its row gives today; None where the row is gone."""
    heads = {head.row: head for head in kind.then({leaf.row: leaf.stage for leaf in leaves})} if leaves else {}
    for leaf in leaves:
        head = heads.get(leaf.row)
        yield leaf, hash_tree.leaf(bytes.fromhex(leaf.salt), head.content(kind.name)) if head else None


def _root(anchor: Anchor, trees: dict[int, list[tuple[int, bytes]]]) -> str:
    rows = {row.pk: row for row in AnchorTree.objects.filter(pk__in=trees).only("pk", "client", "secret")}
    roots = {}
    for key, leaves in trees.items():
        secret = bytes.fromhex(rows[key].secret) if key in rows else b""
        roots[(rows[key].client_id or 0) if key in rows else -key] = hash_tree.root(secret, leaves)
    return day_root(bytes.fromhex(anchor.secret), roots)
