"""A repeat key names one report of one person for one client: sent again it files nothing, changed it is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import Shop
from incidents.events import Kind
from incidents.keys import RepeatKey
from incidents.models import Incident
from wording.refusals import Refused


class AlreadyFiled(Refused):
    """The key has made `incident` from another body; what came with it now was not taken."""

    def __init__(self, incident: Incident) -> None:
        sentence = _(
            "This key has been used: that report was received as %(nr)s. What came with it now is different and was "
            "NOT received; send it with a new key."
        )
        super().__init__(sentence % {"nr": incident.nr}, "form_key")
        self.incident = incident


def digest(key: UUID, body: Mapping[str, object]) -> str:
    """SHA-256 of what was asked, in a fixed order; the key is its salt, so equal bodies of two people don't look it."""
    return sha256(f"{key}:{json.dumps(body, sort_keys=True, ensure_ascii=False)}".encode()).hexdigest()


def claim(key: UUID, *, by: User, shop: Shop, at: datetime, body: Mapping[str, object]) -> RepeatKey:
    """The key's row: new where `incident` is empty, and then the caller sets it, else what was filed is in it.

    A second request with the key waits here until the first has committed or failed. Raises AlreadyFiled for another
    body.
    """
    facts = {"body": digest(key, body), "at": at}
    row, is_new = RepeatKey.objects.select_related("incident").get_or_create(
        by=by, client_id=shop.client_id, key=key, defaults=facts
    )
    if not is_new and row.incident and not _is_same(row, row.incident, shop, facts["body"], body):
        raise AlreadyFiled(row.incident)
    return row


def _is_same(row: RepeatKey, incident: Incident, shop: Shop, body: object, facts: Mapping[str, object]) -> bool:
    """Rows of before bodies were kept have none: the shop and the person's sentence tell."""
    if row.body:
        return row.body == body
    words = incident.journal.filter(kind__in=[Kind.RECEIVED, Kind.JOINED], text=facts["sentence"])
    return incident.shop_id == shop.pk and words.exists()


def keep(row: RepeatKey | None, incident: Incident) -> Incident:
    """What the key has made, for whoever sends it again."""
    if row is not None:
        row.incident = incident
        row.save(update_fields=["incident"])
    return incident
