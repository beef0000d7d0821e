"""Planned work as an act: announced, cancelled or ended early by the verbs of the contracts, and told to the client."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from contracts import agreements
from contracts.models import ContractVersion, Shop
from contracts.planned import MaintenanceWindow
from incidents.days_off import readers
from incidents.models import Notice
from incidents.notices import write as notices
from incidents.notices.reach import Audience
from incidents.text import letters
from messaging.models import Channel, Notification
from wording import words
from wording.links import page_link


@transaction.atomic
def announce(
    *, shop: Shop, starts_at: datetime, ends_at: datetime, note: str, by: User, at: datetime
) -> MaintenanceWindow:
    """Raises Refused as `agreements.announce_maintenance` does; then nobody is told."""
    window = agreements.announce_maintenance(shop=shop, starts_at=starts_at, ends_at=ends_at, note=note, by=by, at=at)
    _tell(window, by, at)
    return window


@transaction.atomic
def call_off(*, window: MaintenanceWindow, by: User, at: datetime) -> bool:
    """False where it was called off before. Raises Refused as `agreements.call_off_maintenance` does."""
    called_off = agreements.call_off_maintenance(window=window, by=by, at=at)
    if called_off:
        _tell(window, by, at)
    return called_off


def zone_of(shop: Shop, at: datetime) -> str:
    """The zone of the contract that covers the shop at an instant, else the portal's own."""
    version = ContractVersion.objects.in_force(shop, at)
    return version.contract.zone if version else settings.DISPLAY_TIME_ZONE


def _tell(window: MaintenanceWindow, by: User, at: datetime) -> None:
    zone = zone_of(window.shop, at)
    members = Membership.objects.valid(at.astimezone(ZoneInfo(zone)).date()).filter(client=window.shop.client_id)
    notices.store(_letter(window, person, by, at, zone) for person in readers(members))


def _letter(window: MaintenanceWindow, person: User, by: User, at: datetime, zone: str) -> Notice:
    act = "off" if window.called_off_at else "announced"
    with translation.override(person.language):
        facts = _facts(window, person, by, at, zone)
        row = Notification(
            key=f"work-{window.pk}-{act}-{person.pk}",
            recipient=person,
            channel=Channel.EMAIL,
            address=person.email,
            created_at=at,
            next_attempt_at=at,
        )
        letters.fill(row, "planned_work", (facts["subject"], facts))
    return Notice(notification=row, audience=Audience.CLIENT)


def _facts(window: MaintenanceWindow, person: User, by: User, at: datetime, zone: str) -> dict[str, Any]:
    local = at.astimezone(ZoneInfo(zone))
    start, end = _moment(window.starts_at, zone), _moment(window.until, zone)
    return {
        "subject": _subject(window) % {"shop": window.shop.name, "start": start, "end": end},
        "person": person,
        "now": at,
        "happened": _sentence(window) % {"start": start, "end": end},
        "work": window.note,
        "by": f"{by.name}, {_moment(at, zone)}.",
        "promises": [],
        "duty_phone": settings.DUTY_PHONE,
        "provider": settings.PROVIDER_NAME,
        "zone_words": f"{zone} ({local.tzname()})",
        "link": page_link("shop", slug=window.shop.slug),
        "account": page_link("account"),
    }


def _moment(instant: datetime, zone: str) -> str:
    """With the whole date: a letter is read on another day."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{words.full_date(local.date())}, {words.clock_time(instant, zone)}"


def _subject(window: MaintenanceWindow) -> str:
    if window.is_cancelled:
        return _("%(shop)s: planned work of %(start)s is cancelled")
    return _("%(shop)s: planned work has ended") if window.called_off_at else _("%(shop)s: planned work, %(start)s")


def _sentence(window: MaintenanceWindow) -> str:
    if window.is_cancelled:
        return _("The work will not take place. The shop is looked after as usual.")
    if window.called_off_at:
        return _("The work ended early, %(end)s. From now on the shop is watched as usual.")
    return _(
        "From %(start)s to %(end)s we work on the shop, and it may stop meanwhile. If something doesn't work after "
        "that, report it as usual."
    )
