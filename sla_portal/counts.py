"""The two numbers in the staff's menu. Lazy: one counting query each, and only on pages that show the menu."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.active import person_of
from accounts.models import MANAGER
from incidents.models import Breach
from incidents.queue import waiting
from reports.models import undecided


def menu_counts(request: HttpRequest) -> dict[str, Any]:
    """Template context: incidents that wait, and for managers the breaches that nobody has decided."""
    user = person_of(request)
    if user is None or not user.works_incidents:
        return {}
    counts: dict[str, Any] = {"queue_count": SimpleLazyObject(lambda: waiting().count())}
    if user.provider_role == MANAGER:
        counts["breach_count"] = SimpleLazyObject(undecided(Breach.objects.visible_to(user)).count)
    return counts
