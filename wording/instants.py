"""The present as every received time is: in whole seconds. Only views, tasks and commands ask for it."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def this_second() -> datetime:
    return timezone.now().replace(microsecond=0)
