"""`/`: each role's first page. For a client: is anything wrong, what waits for me, and who is on it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.active import active_client
from accounts.models import ADMIN, AGENT, MANAGER, Client, User
from contracts.models import Contract, Shop
from contracts.planned import MaintenanceWindow
from incidents.models import Incident
from incidents.text.clock_sentences import ClockSentence
from incidents.text.lead import standing
from reports.money.client_month import LateIncident, client_month
from reports.money.month_table import running
from reports.standing import home_state, shop_lines
from reports.waiting import Waiting, open_incidents
from wording import words
from wording.etag import etag_of, not_modified
from wording.instants import this_second

HOMES = {AGENT: "queue", MANAGER: "breaches", ADMIN: "settings-health"}
LATE_SHOWN = 5  # late incidents of the month with their amounts


@dataclass(frozen=True, slots=True)
class Row:
    """An open incident as home shows it: how it stands, the money of its delay, and what waits for the client."""

    incident: Incident
    clock: ClockSentence
    late: LateIncident | None
    waiting: Waiting | None

    @property
    def facts(self) -> tuple[object, ...]:
        """What a change of is news to a page that shows it already."""
        clock = self.clock.style, str(self.clock.lead)
        late = self.late and (self.late.amount_words, self.late.verdict)
        return self.incident.pk, self.incident.journal_length, self.incident.status, clock, late


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    if request.user.is_provider:
        return redirect(HOMES[request.user.provider_role])
    client = active_client(request)
    return client_home(request, request.user, client) if client else render(request, "reports/home_nobody.html")


def client_home(request: HttpRequest, user: User, client: Client) -> HttpResponse:
    now = this_second()
    contracts = running([client], now)
    zone = zone_of(contracts)
    incidents = open_incidents(user, client)
    shops = shop_lines(user, client, now)
    month = client_month(user, client, contracts, now)
    late = month.late if month else {}
    waiting = [_row(row.incident, now, late, row) for row in incidents.waiting]
    others = [_row(incident, now, late) for incident in incidents.others]
    context: dict[str, Any] = {
        "now": now,
        "zone": zone,
        "waiting": waiting,
        "others": others,
        "hidden": incidents.hidden,
        "shops": shops,
        "state": home_state(shops, [row.incident for row in incidents.waiting], incidents.others),
        "checked_at": min((line.shop_state.checked_at for line in shops if line.shop_state.checked_at), default=None),
        "planned": _planned(user, client, now),
        "month": month,
        "late": list(late.values())[:LATE_SHOWN],
    }
    facts = [row.facts for row in (*waiting, *others)]
    states = [(line.shop.pk, line.sentence, line.since, bool(line.seen_up_at)) for line in shops]
    checked = context["checked_at"] and words.clock_time(context["checked_at"], zone)
    context["mark"] = etag_of(facts, states, incidents.total, checked, words.local_day(now, zone))
    if request.GET.get("part") == "live":
        return not_modified(request, context["mark"]) or render(request, "reports/_home_live.html", context)
    return render(request, "reports/home.html", context)


def zone_of(contracts: Sequence[Contract]) -> str:
    """The zone of the client's contracts; the portal's own where there is none, or more than one."""
    zones = {contract.zone for contract in contracts}
    return zones.pop() if len(zones) == 1 else settings.DISPLAY_TIME_ZONE


def _row(incident: Incident, now: datetime, late: Mapping[int, LateIncident], waiting: Waiting | None = None) -> Row:
    return Row(incident, standing(incident, now=now, for_client=True).lead, late.get(incident.pk), waiting)


def _planned(user: User, client: Client, now: datetime) -> list[MaintenanceWindow]:
    shops = Shop.objects.visible_to(user).filter(client=client)
    windows = MaintenanceWindow.objects.not_over(now).filter(shop__in=shops).select_related("shop")
    return list(windows.order_by("starts_at")[:3])
