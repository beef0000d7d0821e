"""The daily anchor: what changed since the last one becomes leaves, and one hash is made of all.

Each client has a tree of its own (`reports.anchor.hash_tree`). Over their roots stands another tree that is made anew
each day with a secret of that day, so two days' paths don't tell which of the others had a failure, or how many there
are.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from contracts.terms import to_second
from incidents.anchors import Anchor, AnchorLeaf, AnchorTree, LeafKind
from incidents.models import Incident
from messaging.heartbeat import beat
from messaging.models import Channel, Notification
from reports.anchor import hash_tree
from reports.anchor import leaves as anchor_leaves
from reports.anchor.leaves import KINDS, Head, Kind

LOCK = 7_268_001  # one maker at a time, also from two workers
JOB = "anchor"
SALT = 16  # bytes
TURNS = 16  # days in which every kept node is computed anew


def day_of(at: datetime) -> date:
    return at.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE)).date()


def is_due(at: datetime) -> bool:
    return not Anchor.objects.filter(day__gte=day_of(at)).exists()


@transaction.atomic
def make(*, at: datetime) -> Anchor | None:
    """The anchor of the local day of `at`; None where there is one. A day on which nothing ran has none."""
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if not is_due(at):
        return None
    ledger = Ledger.load()
    counts = {kind.name: ledger.take(kind) for kind in KINDS}
    ledger.look_again(day_of(at))
    roots = ledger.renew()
    anchor = _anchor(roots, counts, at)
    ledger.store(anchor, ways(bytes.fromhex(anchor.secret), roots))
    _send(anchor)
    beat(JOB, at=anchor.created_at, took_ms=int((time.monotonic() - started) * 1000))
    return anchor


def _send(anchor: Anchor) -> None:
    """To each address outside: the hash and nothing else."""
    facts = {"channel": Channel.EMAIL, "subject": f"{anchor.day}", "body": f"{anchor.hash}\n"}
    times = {"created_at": anchor.created_at, "next_attempt_at": anchor.created_at}
    for number, address in enumerate(settings.ANCHOR_ADDRESS):
        Notification.objects.create(key=f"anchor-{anchor.day}-{number}", address=address, **facts, **times)


def _anchor(roots: Mapping[int, bytes], counts: Mapping[str, int], at: datetime) -> Anchor:
    previous = Anchor.objects.order_by("-day").values_list("hash", flat=True).first() or ""
    secret = secrets.token_bytes(32)
    root, day = day_root(secret, roots), day_of(at)
    return Anchor.objects.create(
        day=day,
        root=root,
        previous=previous,
        hash=anchor_hash(day, root, previous),
        secret=secret.hex(),
        counts=counts,
        created_at=to_second(at),
    )


def day_root(secret: bytes, roots: Mapping[int, bytes]) -> str:
    """The root over the clients' trees, by client; 64 hex digits."""
    return hash_tree.root(secret, ((place, digest) for _, place, digest in over_clients(secret, roots))).hex()


def anchor_hash(day: date, root: str, previous: str) -> str:
    """What is sent out: the day's root, chained to the anchor before."""
    return sha256(f"sla_portal anchor 1\n{day.isoformat()}\n{root}\n{previous}".encode()).hexdigest()


Placed = tuple[bytes, int, bytes]
"""A client's salt of the day, its place in the day's tree, and the hash that stands there."""


def over_clients(secret: bytes, roots: Mapping[int, bytes]) -> list[Placed]:
    """The leaves of the day's tree, in the order of `roots` by key; places and salts follow from the day's secret."""
    taken: set[int] = set()
    placed = []
    for client, root in sorted(roots.items()):
        turn = 0
        salt = _salt(secret, client, turn)
        while hash_tree.place_of(salt) in taken:
            turn += 1
            salt = _salt(secret, client, turn)
        place = hash_tree.place_of(salt)
        taken.add(place)
        placed.append((salt, place, hash_tree.node(salt, root)))
    return placed


def _salt(secret: bytes, client: int, turn: int) -> bytes:
    return sha256(secret + f"client {client} {turn}".encode()).digest()


@dataclass(slots=True)
class Grown:
    """A client's tree while the day's leaves are added. `near`: the leaves under the nodes that have changed."""

    row: AnchorTree
    places: set[int] = field(default_factory=set)
    near: defaultdict[int, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def secret(self) -> bytes:
        return bytes.fromhex(self.row.secret)

    @property
    def nodes(self) -> list[bytes]:
        kept = bytes(self.row.nodes)
        return [kept[start : start + 32] for start in range(0, len(kept), 32)]

    def free_place(self) -> tuple[int, bytes]:
        """A place that nobody has, with the salt that leads to it."""
        while True:
            salt = secrets.token_bytes(SALT)
            place = hash_tree.place_of(salt)
            if place not in self.places:
                self.places.add(place)
                return place, salt

    def renew(self) -> None:
        if not self.near:
            return
        nodes = self.nodes
        for number, leaves in self.near.items():
            nodes[number] = hash_tree.bucket(self.secret, number, sorted(leaves.items()))
        self.row.nodes = b"".join(nodes)


StoredLeaf = tuple[int, int, str, bytes]
"""Of a stored leaf: its client (0 for our own), its place, its salt and its hash."""


@dataclass(slots=True)
class Ledger:
    """Every leaf that stands, by kind and row; and what the day adds."""

    leaves: dict[tuple[str, int], StoredLeaf]
    trees: dict[int, Grown]
    """By client, 0 for our own."""
    added: list[AnchorLeaf] = field(default_factory=list)
    changed: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def load(cls) -> Ledger:
        trees = {row.client_id or 0: Grown(row) for row in AnchorTree.objects.order_by("pk")}
        rows = AnchorLeaf.objects.order_by("kind", "row", "-anchor__day").distinct("kind", "row")
        columns = rows.values_list("kind", "row", "tree__client", "place", "salt", "hash")
        leaves: dict[tuple[str, int], StoredLeaf] = {}
        for kind, row, client, place, salt, digest in columns.iterator(chunk_size=20_000):
            leaves[kind, row] = (client or 0, place, salt, bytes.fromhex(digest))
            trees[client or 0].places.add(place)
        return cls(leaves, trees)

    def take(self, kind: Kind) -> int:
        """Compare every thing of a kind with its leaf; how many there are."""
        count = 0
        for head in kind.now():
            count += 1
            self._compare(kind.name, head)
        return count

    def _compare(self, kind: str, head: Head) -> None:
        leaf_before = self.leaves.get((kind, head.row))
        grown = self._tree(leaf_before[0] if leaf_before else head.client or 0)
        place, salt = (leaf_before[1], bytes.fromhex(leaf_before[2])) if leaf_before else grown.free_place()
        digest = hash_tree.leaf(salt, head.content(kind))
        if leaf_before and leaf_before[3] == digest:
            return
        self.changed.add((kind, head.row))
        grown.near[hash_tree.bucket_of(place)][place] = digest
        leaf = AnchorLeaf(tree=grown.row, kind=kind, row=head.row, stage=head.stage, name=head.name)
        leaf.salt, leaf.place, leaf.hash = salt.hex(), place, digest.hex()
        self.added.append(leaf)

    def _tree(self, client: int) -> Grown:
        grown = self.trees.get(client)
        if grown is None:
            secret = secrets.token_bytes(32)
            nodes = b"".join(hash_tree.buckets(secret, ()))
            grown = Grown(AnchorTree(client_id=client or None, secret=secret.hex(), nodes=nodes))
            self.trees[client] = grown
        return grown

    def look_again(self, day: date) -> None:
        """A sixteenth of the kept nodes is computed anew each day, so one that was damaged heals in sixteen."""
        for grown in self.trees.values():
            for number in range(day.toordinal() % TURNS, 2**hash_tree.LEVEL, TURNS):
                grown.near[number].update({})

    def renew(self) -> dict[int, bytes]:
        """Compute anew what stands above the day's leaves, from the leaves beside them; the roots by client."""
        for key, (client, place, _salt, digest) in self.leaves.items():
            near = self.trees[client].near.get(hash_tree.bucket_of(place))
            if near is not None and key not in self.changed:
                near[place] = digest
        for grown in self.trees.values():
            grown.renew()
        return {client: hash_tree.top(grown.nodes) for client, grown in self.trees.items()}

    def store(self, anchor: Anchor, steps: Mapping[int, list[list[str]]]) -> None:
        for client, grown in self.trees.items():
            grown.row.anchor, grown.row.way = anchor, steps[client]
        rows = [grown.row for grown in self.trees.values()]
        AnchorTree.objects.bulk_create([row for row in rows if row.pk is None])
        AnchorTree.objects.bulk_update(rows, ["nodes", "way", "anchor"], batch_size=200)
        for leaf in self.added:
            leaf.anchor, leaf.tree = anchor, leaf.tree  # a new tree has its key only now
        AnchorLeaf.objects.bulk_create(self.added, batch_size=5_000)


def ways(secret: bytes, roots: Mapping[int, bytes]) -> dict[int, list[list[str]]]:
    """Client → the steps from its root to the day's, as they are stored: its salt of the day, then the day's tree."""
    placed = dict(zip(sorted(roots), over_clients(secret, roots), strict=True))
    leaves = {place: digest for _, place, digest in placed.values()}
    nodes = hash_tree.buckets(secret, sorted(leaves.items()))
    near: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
    for place, digest in leaves.items():
        near[hash_tree.bucket_of(place)][place] = digest
    return {
        client: written(
            [
                hash_tree.Step(salt, True),
                *hash_tree.path(secret, near[hash_tree.bucket_of(place)], nodes, place),
            ]
        )
        for client, (salt, place, _) in placed.items()
    }


def written(steps: Iterable[hash_tree.Step]) -> list[list[str]]:
    """Steps as JSON: the side on which the neighbour stands, and its hash."""
    return [["left" if step.is_left else "right", step.neighbour.hex()] for step in steps]


class DamagedPathError(Exception):
    """What is kept of the tree doesn't lead to the day's root: `verify_clocks` says what is wrong."""


def proof_of(incident: Incident) -> dict[str, object] | None:
    """The way from the incident's journal to the newest anchor, as `docs/proof.md` reads it; None before the first one.

    Raises DamagedPathError.
    """
    mine = AnchorLeaf.objects.filter(kind=LeafKind.JOURNAL, row=incident.pk).order_by("-anchor__day")
    leaf = mine.select_related("tree__anchor").first()
    if leaf is None:
        return None
    anchor, steps = leaf.tree.anchor, [*_steps(leaf), *leaf.tree.way]
    content = _content(incident, leaf)
    start = hash_tree.leaf(bytes.fromhex(leaf.salt), content.encode())
    if hash_tree.climb(start, map(read, steps)).hex() != anchor.root:
        raise DamagedPathError
    return {
        "day": anchor.day.isoformat(),
        "leaf": content,
        "salt": leaf.salt,
        "path": steps,
        "previous": anchor.previous,
        "anchor": anchor.hash,
    }


def _content(incident: Incident, leaf: AnchorLeaf) -> str:
    entry = incident.journal.filter(seq=leaf.stage).first()
    return anchor_leaves.content(leaf.kind, leaf.name, leaf.stage, entry.hash if entry else "").decode()


def _steps(leaf: AnchorLeaf) -> list[list[str]]:
    """From the leaf to its client's root; reads the leaves under one kept node only."""
    width = hash_tree.DEPTH - hash_tree.LEVEL
    first = hash_tree.bucket_of(leaf.place) << width
    rows = AnchorLeaf.objects.filter(tree=leaf.tree_id, place__gte=first, place__lt=first + (1 << width))
    rows = rows.order_by("place", "-anchor__day").distinct("place")
    near = {place: bytes.fromhex(digest) for place, digest in rows.values_list("place", "hash")}
    grown = Grown(leaf.tree)
    return written(hash_tree.path(grown.secret, near, grown.nodes, leaf.place))


def read(step: Sequence[str]) -> hash_tree.Step:
    """The opposite of `written`, for one step."""
    side, neighbour = step
    return hash_tree.Step(bytes.fromhex(neighbour), side == "left")
