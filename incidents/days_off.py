"""Days off as an act: entered or removed by the verb of the contracts, and told to the clients concerned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import OWNER, Membership, User
from contracts import agreements
from contracts.calendar_text import entry_words, week_words
from contracts.models import Calendar, CalendarDay, ContractVersion
from contracts.terms import calendar_week
from incidents.models import Notice
from incidents.notices import write as notices
from incidents.notices.reach import Audience
from incidents.text import letters
from messaging.models import Channel, Notification
from wording import words
from wording.links import page_link


@transaction.atomic
def enter(*, calendar: Calendar, on: date, windows: Sequence[Sequence[str]], by: User, at: datetime) -> CalendarDay:
    """Raises Refused as `agreements.add_day` does; then nothing is entered and nobody is told."""
    day = agreements.add_day(calendar=calendar, on=on, windows=windows, by=by, at=at)
    _tell(day, at)
    return day


@transaction.atomic
def remove(*, day: CalendarDay, by: User, at: datetime) -> bool:
    """False where the day was removed before. Raises Refused as `agreements.remove_day` does."""
    removed = agreements.remove_day(day=day, by=by, at=at)
    if removed:
        _tell(day, at)
    return removed


def _tell(day: CalendarDay, at: datetime) -> None:
    notices.store(_letter(day, person, at) for person in concerned(day, at))


def concerned(day: CalendarDay, at: datetime) -> list[User]:
    """People of the clients whose contracts, in force up to the day, count by its calendar.

    Owners always: it is their contract; reporters unless they turned notices off.
    """
    today = at.astimezone(ZoneInfo(day.calendar.zone)).date()
    versions = ContractVersion.objects.counting_by(day.calendar).filter(valid_from__lte=day.date)
    versions = versions.filter(Q(valid_to=None) | Q(valid_to__gt=today))
    return readers(Membership.objects.valid(today).filter(client__contracts__versions__in=versions))


def readers(members: QuerySet[Membership]) -> list[User]:
    """Of a client's people those whom news of the contract reaches."""
    addressees = members.filter(Q(role=OWNER) | Q(user__notices=True), user__is_active=True)
    return list(User.objects.filter(pk__in=addressees.values("user")).order_by("pk"))


def _letter(day: CalendarDay, person: User, at: datetime) -> Notice:
    """One notice a person, however many contracts and clients they speak for; it names none of them."""
    act = "removed" if day.removed_at else "entered"
    with translation.override(person.language):
        letter = _subject(day) % {"day": words.full_date(day.date)}, _facts(day, person, at)
        letter[1]["subject"] = letter[0]
        row = Notification(
            key=f"day-{day.pk}-{act}-{person.pk}",
            recipient=person,
            channel=Channel.EMAIL,
            address=person.email,
            created_at=at,
            next_attempt_at=at,
        )
        letters.fill(row, "day_off", letter)
    return Notice(notification=row, audience=Audience.CLIENT)


def _subject(day: CalendarDay) -> str:
    if day.removed_at:
        return _("%(day)s: hours as usual after all")
    return _("%(day)s: other hours") if day.windows else _("%(day)s: day off")


def _facts(day: CalendarDay, person: User, at: datetime) -> dict[str, Any]:
    calendar = day.calendar
    on, local = words.full_date(day.date), at.astimezone(ZoneInfo(calendar.zone))
    by = day.removed_by or day.entered_by
    return {
        "person": person,
        "now": at,
        "happened": _sentence(day)
        % {"day": on, "week": week_words(calendar_week(calendar)), "hours": entry_words(day)},
        "by": f"{by.name}, {words.when(at, at, calendar.zone, today=False)}.",
        "promises": [],
        "duty_phone": settings.DUTY_PHONE,
        "provider": settings.PROVIDER_NAME,
        "zone_words": f"{calendar.zone} ({local.tzname()})",
        "link": settings.BASE_URL,
        "account": page_link("account"),
    }


def _sentence(day: CalendarDay) -> str:
    if day.removed_at:
        return _("On %(day)s we work as usual after all (%(week)s): the entry was removed.")
    if day.windows:
        return _("On %(day)s we work %(hours)s (in place of %(week)s).")
    return _("On %(day)s we don't work (in place of %(week)s).")
