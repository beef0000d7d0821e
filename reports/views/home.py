"""`/`: each role's first page. For a client: is anything wrong, and who is on it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.active import active_client
from accounts.models import ADMIN, AGENT, MANAGER, Client, User
from contracts.models import Shop
from contracts.planned import MaintenanceWindow
from incidents.choices import Status
from incidents.models import Incident
from incidents.text.lead import standing
from monitoring.availability.shops import state_of as state_of_shop
from monitoring.models import Monitor, State
from monitoring.sentences import shop_sentence, shop_style
from monitoring.state.shop import ShopState
from reports.money.month_table import running
from wording import words
from wording.etag import etag_of, not_modified
from wording.instants import this_second

HOMES = {AGENT: "queue", MANAGER: "breaches", ADMIN: "settings-health"}


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A shop and what it is said to be; `style` is empty where nothing is watched."""

    shop: Shop
    shop_state: ShopState

    @property
    def style(self) -> str:
        return shop_style(self.shop_state)

    @property
    def sentence(self) -> str:
        return shop_sentence(self.shop_state)

    @property
    def since(self) -> datetime | None:
        return None if self.shop_state.state == State.UP else self.shop_state.since


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
    incidents = list(Incident.objects.visible_to(user).filter(client=client).active().with_row().order_by("due_at"))
    rows = [(incident, standing(incident, now=now, for_client=True).lead) for incident in incidents]
    zone = zone_of(client, now)
    shops = shop_lines(user, client, now)
    context: dict[str, Any] = {
        "now": now,
        "zone": zone,
        "rows": rows,
        "shops": shops,
        "yours": [incident for incident in incidents if incident.waits_for_client],
        "state": state_of(incidents, shops),
        "checked_at": min((line.shop_state.checked_at for line in shops if line.shop_state.checked_at), default=None),
        "planned": _planned(user, client, now),
    }
    facts = [
        (incident.pk, incident.journal_length, incident.status, clock.style, str(clock.lead))
        for incident, clock in rows
    ]
    states = [(line.shop.pk, line.shop_state.state, line.since) for line in shops]
    checked = context["checked_at"] and words.clock_time(context["checked_at"], zone)
    context["mark"] = etag_of(facts, states, checked, words.local_day(now, zone))
    if request.GET.get("part") == "live":
        return not_modified(request, context["mark"]) or render(request, "reports/_home_live.html", context)
    return render(request, "reports/home.html", context)


def zone_of(client: Client, now: datetime) -> str:
    """The zone of the client's contracts; the portal's own where there is none, or more than one."""
    zones = {contract.zone for contract in running([client], now)}
    return zones.pop() if len(zones) == 1 else settings.DISPLAY_TIME_ZONE


@dataclass(frozen=True, slots=True)
class HomeState:
    """The page's h1 and the sentence under it: the worst first, then what waits for the client."""

    title: str
    incident: Incident | None = None
    kind: str = ""


def state_of(incidents: Sequence[Incident], shops: Sequence[ShopLine]) -> HomeState:
    unfixed = [
        incident
        for incident in incidents
        if incident.status in {Status.NEW, Status.OPEN} and not incident.is_seen_working
    ]
    failing = [incident for incident in unfixed if incident.severity == "P1"]
    if failing:
        return HomeState(_("Failure at %(shop)s") % {"shop": failing[0].shop.name}, failing[0], "failure")
    down = [line.shop.name for line in shops if line.shop_state.state == State.DOWN]
    if down:
        return HomeState(_("%(shop)s does not work") % {"shop": ", ".join(down)}, kind="down")
    yours = [incident for incident in incidents if incident.waits_for_client]
    if yours:
        return HomeState(_("We are waiting for you"), yours[0], "yours")
    if incidents:
        return HomeState(_("We are working on it"), incidents[0], "work")
    unseen = [line.shop.name for line in shops if line.shop_state.state == State.UNKNOWN]
    if unseen:
        return HomeState(_("We don't know whether %(shop)s works") % {"shop": ", ".join(unseen)}, kind="unseen")
    states = {line.shop_state.state for line in shops if line.shop_state.is_watched}
    if states == {State.UP}:
        return HomeState(_("Everything works"), kind="well")
    return HomeState(_("No failure is open"), kind="unsure")


def shop_lines(user: User, client: Client, now: datetime) -> list[ShopLine]:
    """Every shop that is looked after, with what it is said to be now."""
    monitors: defaultdict[int, list[Monitor]] = defaultdict(list)
    for monitor in Monitor.objects.visible_to(user).filter(shop__client=client, is_active=True, means_down=True):
        monitors[monitor.shop_id].append(monitor)
    shops = Shop.objects.visible_to(user).filter(client=client, is_active=True)
    return [ShopLine(shop, state_of_shop(monitors[shop.pk], now)) for shop in shops]


def _planned(user: User, client: Client, now: datetime) -> list[MaintenanceWindow]:
    shops = Shop.objects.visible_to(user).filter(client=client)
    windows = MaintenanceWindow.objects.not_over(now).filter(shop__in=shops).select_related("shop")
    return list(windows.order_by("starts_at")[:3])
