"""A person's contracts, and one of them: what was promised, by when it would be kept now, what a miss costs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.active import show_client
from accounts.models import MANAGER, OWNER, Membership
from accounts.permissions import SignedRequest, open_to
from contracts import calendar_text, escalation_text, prices, promises, terms_text
from contracts.models import Calendar, Contract, ContractVersion, Target, UpdateRhythm
from contracts.moved import moved
from contracts.notice import notice
from contracts.unreached import unreached
from wording.instants import this_second
from wording.words import share


@require_GET
@open_to(MANAGER, OWNER)
def listing(request: SignedRequest) -> HttpResponse:
    now = this_second()
    contracts = _contracts(request).prefetch_related("shops")
    lines = [
        {"contract": contract, "version": current(contract, _today(contract, now)), "today": _today(contract, now)}
        for contract in contracts
    ]
    return render(request, "contracts/contracts.html", {"now": now, "lines": lines})


def _contracts(request: SignedRequest) -> QuerySet[Contract]:
    versions = Prefetch("versions", ContractVersion.objects.order_by("number"))
    return Contract.objects.visible_to(request.user).select_related("client").prefetch_related(versions)


def _today(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


def current(contract: Contract, today: date) -> ContractVersion | None:
    """The version in force today; before the first begins, that one; after the end, the last."""
    versions = list(contract.versions.all())
    begun = [version for version in versions if version.valid_from <= today]
    return begun[-1] if begun else next(iter(versions), None)


@require_GET
@open_to(MANAGER, OWNER)
def before(request: SignedRequest, pk: int) -> HttpResponse:
    """The address of before, which counted the contracts of all clients."""
    contract = get_object_or_404(Contract.objects.visible_to(request.user), pk=pk)
    return moved(request, "contract", address=contract.address)


@require_GET
@open_to(MANAGER, OWNER)
def show(request: SignedRequest, address: str) -> HttpResponse:
    contract = get_object_or_404(_contracts(request), address=address)
    show_client(request, contract.client_id)
    now = this_second()
    version = _asked(request, contract, _today(contract, now))
    return render(request, "contracts/contract.html", _context(contract, version, now))


def _asked(request: SignedRequest, contract: Contract, today: date) -> ContractVersion:
    """The version in force, or the one that the address names."""
    number = request.GET.get("version", "")
    versions = [row for row in contract.versions.all() if str(row.number) == number] if number else []
    version = versions[0] if versions else None if number else current(contract, today)
    if version is None:
        raise Http404
    return version


def _context(contract: Contract, version: ContractVersion, now: datetime) -> dict[str, Any]:
    today = _today(contract, now)
    calendars = Prefetch("calendar", Calendar.objects.prefetch_related("days"))
    others = ("alternatives__calendar__days", "alternatives__outside__days")
    targets = list(version.targets.select_related("penalty").prefetch_related(calendars, *others))
    rhythms = list(version.rhythms.prefetch_related(calendars))
    steps = list(version.steps.select_related("person"))
    names = list(version.severity_names.all())
    return {
        "now": now,
        "zone": contract.zone,
        "today": today,
        "contract": contract,
        "version": version,
        "in_force": promises.in_force(version, now),
        "has_ended": promises.is_over(version, now),
        "last_day": version.last_day or contract.ends_on,
        "ruling": next((row for row in contract.versions.all() if promises.in_force(row, now)), None),
        "rows": promises.named(_rows(version, targets, now), names),
        "availability": None if version.availability_target is None else share(version.availability_target),
        "meanings": terms_text.meanings(version, names),
        "manners": terms_text.manners(version, rhythms),
        "excluded": terms_text.excluded(version),
        "notice": notice(contract.notice_months, contract.ends_on, today),
        "prices": prices.prices(version, targets),
        "bases": prices.base(version),
        "caps": prices.caps(version),
        "ladder": escalation_text.ladder(steps),
        "unreached": unreached(steps, contract.client, today),
        "hours": [calendar_text.ahead(calendar, now) for calendar in _calendars(targets, rhythms)],
        "versions": list(contract.versions.all())[::-1],
        "shops": list(contract.shops.all()),
        "people": Membership.objects.valid(today)
        .filter(client=contract.client)
        .select_related("user")
        .order_by("role", "user__name", "pk"),
    }


def _rows(version: ContractVersion, targets: Iterable[Target], now: datetime) -> list[promises.Row]:
    rules = promises.in_force(version, now)
    return promises.rows(targets, now, version.repair_starts, rules=rules) if targets else []


def _calendars(targets: Iterable[Target], rhythms: Iterable[UpdateRhythm]) -> list[Calendar]:
    """Each calendar once, in the order in which the severities use them."""
    used = [target.calendar for target in targets] + [rhythm.calendar for rhythm in rhythms if rhythm.calendar]
    used += [calendar for target in targets for time in target.otherwise for calendar in (time.calendar, time.outside)]
    return list({calendar.pk: calendar for calendar in used}.values())
