"""The lines of the seals, as they are stored; who adds them: `contracts.seal`."""

from __future__ import annotations

from django.db import models


class SealKind(models.TextChoices):
    CALENDAR = "calendar"
    DAY = "day"
    DAY_REMOVED = "day_removed"
    CONTRACT = "contract"
    VERSION = "version"
    MAINTENANCE = "maintenance"
    CALLED_OFF = "called_off"


class Seal(models.Model):
    """One act on a promise: the digest of what it entered, in a chained list without gaps (`contracts.seal`).

    A trigger refuses to change or delete a line. `row` is no foreign key: the line stays when its row is gone.
    """

    seq = models.PositiveIntegerField(unique=True)
    kind = models.CharField(max_length=11, choices=SealKind)
    row = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["seq"]
        indexes = [models.Index(fields=["kind", "row"], name="seals_of_a_row")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.row}"
