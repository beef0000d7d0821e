"""A time that a contract gives: minutes of some hours, or days; and the time of what begins outside other hours."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts import vocabulary


class DayReading(models.TextChoices):
    """How a time in days ends."""

    CLOSE = vocabulary.DayReading.CLOSE, _("working days, to the close of the last")
    END_OF_DAY = vocabulary.DayReading.END_OF_DAY, _("working days, to 24:00 of the last")
    CALENDAR_DAYS = vocabulary.DayReading.CALENDAR_DAYS, _("calendar days, by the Civil Code")


MINUTES_OR_DAYS = Q(days=0, reading="") | (Q(days__gt=0, minutes=0) & ~Q(reading=""))


class Timed(models.Model):
    """`minutes` of the calendar's hours, or, with a `reading`, so many `days`."""

    minutes = models.PositiveIntegerField()
    days = models.PositiveSmallIntegerField(default=0)
    reading = models.CharField(max_length=24, choices=DayReading, blank=True, default="")

    class Meta:
        abstract = True


class TargetAlternative(Timed):
    """The time of a target for what begins outside the hours of `outside`, and outside those of the ones before it."""

    target = models.ForeignKey("contracts.Target", on_delete=models.CASCADE, related_name="alternatives")
    place = models.PositiveSmallIntegerField()
    outside = models.ForeignKey("contracts.Calendar", on_delete=models.PROTECT, related_name="+")
    calendar = models.ForeignKey("contracts.Calendar", on_delete=models.PROTECT, related_name="alternatives")

    class Meta:
        ordering = ["target", "place"]
        constraints = [
            models.UniqueConstraint(fields=["target", "place"], name="one_time_of_a_target_per_place"),
            models.UniqueConstraint(fields=["target", "outside"], name="one_time_of_a_target_outside_hours"),
            models.CheckConstraint(condition=MINUTES_OR_DAYS, name="another_time_is_minutes_or_days"),
        ]

    def __str__(self) -> str:
        return f"{self.target}, outside {self.outside}"
