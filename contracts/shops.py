"""The verbs of a shop: added to a client, closed and opened again. A refusal is `Refused` with its field."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import count

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Client, User
from contracts.models import Shop
from wording.fields import lines
from wording.refusals import Refused

logger = logging.getLogger(__name__)

SLUG_LENGTH = 40  # leaves room for what makes it unique
POLISH = str.maketrans("łŁ", "lL")


def slugs(name: str, code: str) -> Iterator[str]:
    """`mak-pl`, `mak-sklep`, then numbered: each begins with the client's own code, so none tells of another's shop."""
    plain = slugify(name.translate(POLISH).replace(".", "-"))[:SLUG_LENGTH].strip("-") or "shop"
    own = code.lower()
    stem = plain if plain.split("-")[0] == own else f"{own}-{plain}"
    yield stem
    yield from (f"{stem}-{number}" for number in count(2))


@transaction.atomic
def add_shop(*, client: Client, name: str, url: str, by: User, at: datetime) -> Shop:
    """A shop is added before its contract names it. The same name twice in one client is refused."""
    lines(name=name, url=url)
    Client.objects.select_for_update().get(pk=client.pk)
    if client.shops.filter(name__iexact=name).exists():
        raise Refused(_("This client has a shop with this name."), "name")
    shop = next(filter(None, (_try(client, name, url, slug) for slug in slugs(name, client.code))))
    logger.info("shop %s added by %s at %s", shop.slug, by.pk, at)
    return shop


def _try(client: Client, name: str, url: str, slug: str) -> Shop | None:
    """None where another shop of the client has this slug: the database says so, nobody asks before."""
    try:
        with transaction.atomic():
            return Shop.objects.create(client=client, name=name, slug=slug, url=url)
    except IntegrityError:
        return None


def close_shop(*, shop: Shop, by: User, at: datetime) -> bool:
    """Nothing new is reported for it and nobody looks at it; what happened stays. False where it was closed before."""
    return _open(shop, False, by, at)


def reopen_shop(*, shop: Shop, by: User, at: datetime) -> bool:
    return _open(shop, True, by, at)


def _open(shop: Shop, active: bool, by: User, at: datetime) -> bool:
    changed = bool(Shop.objects.filter(pk=shop.pk, is_active=not active).update(is_active=active))
    if changed:
        logger.info("shop %s %s by %s at %s", shop.slug, "reopened" if active else "closed", by.pk, at)
    return changed
