"""Keys of forms and of programs' calls: each report is filed once."""

from __future__ import annotations

from typing import Self

from django.db import models

from accounts.models import Client, User


class RepeatKeyQuerySet(models.QuerySet["RepeatKey"]):
    def visible_to(self, user: User) -> Self:
        """Whoever used a key; it is nobody else's business."""
        return self.filter(by=user)


class RepeatKey(models.Model):
    """The key of a form or a program's call, for one person and client: what it has made and a digest of its body.

    `incident` is empty only while the transaction that files it runs. `body` is empty for keys of before it was kept.
    """

    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField()
    body = models.CharField(max_length=64, blank=True)
    incident = models.ForeignKey("incidents.Incident", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects = RepeatKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["by", "client", "key"], name="one_report_per_person_client_and_key")
        ]

    def __str__(self) -> str:
        return f"{self.by} {self.key}"
