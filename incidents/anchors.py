"""The daily anchor as rows: one hash a day that stands for the whole portal, and the leaves that it was made of.

`reports.anchor.make` makes them and `reports.anchor.proof` proves them; they stand here because every letter carries
the newest one. Days and leaves are only ever added (a trigger refuses anything else); a tree's kept nodes are a store
of what can be computed, which the proof doesn't read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Client, User

if TYPE_CHECKING:
    from incidents.models import Incident


class Anchor(models.Model):
    """The portal as it stood at `created_at`, in one hash: SHA-256 of the day, the tree's root and the anchor before.

    `secret` makes what is empty in the day's tree over the clients look like anything else; it never leaves the portal,
    nor do the `counts` of leaves by kind, which are for staff.
    """

    day = models.DateField(unique=True)
    format = models.PositiveSmallIntegerField(default=1)
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)
    secret = models.CharField(max_length=64)
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day} {self.hash[:16]}"

    @property
    def counted(self) -> list[tuple[str, int]]:
        """How many leaves of each kind there are, by its name for people."""
        return [(str(LeafKind(kind).label), count) for kind, count in self.counts.items()]


class AnchorTree(models.Model):
    """One client's own part of the anchor's tree, so that a path tells nothing of the others; `client` None: our own.

    `nodes` are the kept level of the tree, `way` the steps from its root to that of `anchor`.
    """

    client = models.OneToOneField(Client, on_delete=models.PROTECT, null=True, related_name="+")
    secret = models.CharField(max_length=64)
    nodes = models.BinaryField()
    way = models.JSONField(default=list)
    anchor = models.ForeignKey(Anchor, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.client_id}"


class LeafKind(models.TextChoices):
    JOURNAL = "journal", _("journals")
    VERSION = "version", _("contract versions")
    SEALS = "seals", _("list of what was entered")
    DECISION = "decision", _("decisions on breaches")
    MONITOR = "monitor", _("monitors")


class LeafQuerySet(models.QuerySet["AnchorLeaf"]):
    def visible_to(self, user: User) -> Self:
        """A client sees the leaves of its own journals; the rest stands for rows that not everybody of it may see."""
        if user.works_incidents:
            return self
        return self.filter(kind=LeafKind.JOURNAL, tree__client_id__in=user.memberships_now)


class AnchorLeaf(models.Model):
    """What a thing was from `anchor` on, until a later leaf of the same thing: its hash at `stage`.

    Things grow by stages: the stage of a journal or a monitor is the length of its list, a decision's 2 once a second
    person has agreed. So a thing that has grown since can still be compared as it was.
    """

    anchor = models.ForeignKey(Anchor, on_delete=models.PROTECT, related_name="leaves")
    tree = models.ForeignKey(AnchorTree, on_delete=models.PROTECT, related_name="leaves")
    kind = models.CharField(max_length=8, choices=LeafKind)
    row = models.BigIntegerField()
    stage = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    salt = models.CharField(max_length=32)
    place = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)

    objects = LeafQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "row", "anchor__day"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "row", "anchor"], name="one_leaf_per_thing_and_anchor"),
            models.UniqueConstraint(fields=["tree", "place", "anchor"], name="one_leaf_per_place_and_anchor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.stage}"


def newest() -> Anchor | None:
    return Anchor.objects.order_by("-day").first()


@dataclass(frozen=True, slots=True)
class Vouched:
    """How far a journal stands in the anchors: its `stage` in the newest one, and the day of the `first`."""

    stage: int
    anchor: Anchor
    first: Anchor

    @property
    def is_older(self) -> bool:
        """Whether it began before the portal's first anchor: then nothing witnesses what it was until that day."""
        return not self.first.previous


def vouched(incident: Incident) -> Vouched | None:
    """None before the first anchor after the report."""
    leaves = AnchorLeaf.objects.filter(kind=LeafKind.JOURNAL, row=incident.pk).order_by("anchor__day")
    first, last, anchor = leaves.select_related("anchor").first(), leaves.last(), newest()
    return Vouched(last.stage, anchor, first.anchor) if first and last and anchor else None


class Tally(models.Model):
    """What the database itself has counted of an incident, by triggers: lines, the newest head, notices.

    It stands apart, without foreign keys: it stays when the incident is gone and isn't set back with it.
    """

    incident = models.BigIntegerField(primary_key=True)
    client = models.BigIntegerField()
    number = models.PositiveIntegerField()
    entries = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)
    notices = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.incident} {self.entries}"
