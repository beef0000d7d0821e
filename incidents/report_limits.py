"""One report counted by its person's, token's and client's allowance; a repeat files nothing and isn't counted."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from accounts.allowances import Kind, take
from accounts.models import User
from contracts.models import Shop
from incidents.keys import RepeatKey


def wait_for(person: User, shop: Shop, key: UUID | None, *, token: str = "") -> timedelta | None:
    """None where the report may be filed, else how long to wait. Call it outside of the verb's transaction."""
    if key and RepeatKey.objects.filter(by=person, client_id=shop.client_id, key=key).exists():
        return None
    return take(Kind.REPORTS, person, client=shop.client_id, token=token)
