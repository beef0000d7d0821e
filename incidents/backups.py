"""The backup before a repair as the staff's page asks for it: where it is or why there is none, in one act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident


def back_up_or_skip(
    *, incident: Incident, by: User, at: datetime, where: str, size: str = "", checksum: str = "", skip: str = ""
) -> Incident:
    """The backup; without a place it is skipped, for the reason `skip`."""
    if where.strip():
        return lifecycle.back_up(incident=incident, by=by, at=at, where=where, size=size, checksum=checksum)
    return lifecycle.skip_backup(incident=incident, by=by, at=at, text=skip)


def after_backup(deliver: Callable[..., Incident]) -> Callable[..., Incident]:
    """The delivery with the backup before it, where the form asked for one: both are done or neither."""

    @transaction.atomic
    def act(*, incident: Incident, by: User, at: datetime, text: str, **backup: str) -> Incident:
        if backup:
            back_up_or_skip(incident=incident, by=by, at=at, **backup)
        return deliver(incident=incident, by=by, at=at, text=text)

    return act
