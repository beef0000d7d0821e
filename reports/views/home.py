"""`/`: each role's first page. For a client: is anything wrong, and who is on it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from accounts import words
from accounts.active import active_client
from accounts.live import mark_of, unchanged
from accounts.models import ADMIN, AGENT, MANAGER, Client, User
from accounts.navigation import answered
from contracts.models import MaintenanceWindow, Shop
from incidents.models import Incident, PauseReason, Status
from incidents.sentences import ClockSentence, incident_sentences
from monitoring.models import Monitor, State

HOMES = {AGENT: "/queue/", MANAGER: "/breaches/", ADMIN: "/settings/health/"}
ZONE = "Europe/Warsaw"
# The worst part of a shop is what the shop's line says
WORST = (State.DOWN, State.DEGRADED, State.MAINTENANCE, State.UNKNOWN, State.UP)
SAYS = {
    State.DOWN: ("late", gettext_noop("%(part)s: does not work")),
    State.DEGRADED: ("warn", gettext_noop("%(part)s: works badly")),
    State.MAINTENANCE: ("hold", gettext_noop("Planned work")),
    State.UNKNOWN: ("off", gettext_noop("We don't know: our check has no result")),
    State.UP: ("met", gettext_noop("Works")),
}


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A shop with the state of its worst part; `style` is empty where nothing is watched."""

    shop: Shop
    state: str
    style: str
    sentence: str
    since: datetime | None
    checked_at: datetime | None


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    if request.user.is_provider:
        path = HOMES[request.user.provider_role]
        return redirect(path if answered(path) else "account")
    client = active_client(request)
    return client_home(request, request.user, client) if client else render(request, "reports/home_nobody.html")


def client_home(request: HttpRequest, user: User, client: Client) -> HttpResponse:
    now = timezone.now().replace(microsecond=0)
    incidents = list(Incident.objects.visible_to(user).filter(client=client).active().with_row().order_by("due_at"))
    rows = [(one, _lead(one, now)) for one in incidents]
    shops = shop_lines(user, client)
    context: dict[str, Any] = {
        "now": now,
        "zone": ZONE,
        "rows": rows,
        "shops": shops,
        "yours": [one for one in incidents if waits_for_client(one)],
        "state": state_of(incidents, shops),
        "checked_at": max((line.checked_at for line in shops if line.checked_at), default=None),
        "planned": _planned(user, client, now),
    }
    facts = [(one.pk, one.journal_length, one.status, clock and (clock.style, str(clock.lead))) for one, clock in rows]
    states = [(line.shop.pk, line.state, line.since) for line in shops]
    checked = context["checked_at"] and words.clock_time(context["checked_at"], ZONE)
    context["mark"] = mark_of(facts, states, checked, words.day(now.date(), now.date()))
    if request.GET.get("part") == "live":
        return unchanged(request, context["mark"]) or render(request, "reports/_home_live.html", context)
    return render(request, "reports/home.html", context)


def _lead(incident: Incident, now: datetime) -> ClockSentence | None:
    found = incident_sentences(incident, now=now, for_client=True)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class HomeState:
    """The page's h1 and the sentence under it: the worst first, then what waits for the client."""

    title: str
    incident: Incident | None = None
    kind: str = ""


def state_of(incidents: Sequence[Incident], shops: Sequence[ShopLine]) -> HomeState:
    failing = [one for one in incidents if one.severity == "P1" and one.status in {Status.NEW, Status.OPEN}]
    if failing:
        return HomeState(_("Failure at %(shop)s") % {"shop": failing[0].shop.name}, failing[0], "failure")
    down = [line.shop.name for line in shops if line.state == State.DOWN]
    if down:
        return HomeState(_("%(shop)s does not work") % {"shop": ", ".join(down)}, kind="down")
    yours = [one for one in incidents if waits_for_client(one)]
    if yours:
        return HomeState(_("We are waiting for you"), yours[0], "yours")
    if incidents:
        return HomeState(_("We are working on it"), incidents[0], "work")
    unsure = [line for line in shops if line.state not in {State.UP, ""}]
    return HomeState(_("No failure is open"), kind="unsure") if unsure or not any(
        line.state for line in shops
    ) else HomeState(_("Everything works"), kind="well")  # fmt: skip


def waits_for_client(incident: Incident) -> bool:
    asked = any(one.reason == PauseReason.CLIENT_ANSWER and one.ended_at is None for one in incident.pauses.all())
    return asked or incident.status == Status.RESOLVED


def shop_lines(user: User, client: Client) -> list[ShopLine]:
    """Every shop that is looked after, with the state that our monitors last saw."""
    monitors = Monitor.objects.visible_to(user).filter(shop__client=client, is_active=True, means_down=True)
    of_shop: dict[int, list[Monitor]] = {}
    for monitor in monitors:
        of_shop.setdefault(monitor.shop_id, []).append(monitor)
    shops = Shop.objects.visible_to(user).filter(client=client, is_active=True)
    return [_line(shop, of_shop.get(shop.pk, [])) for shop in shops]


def _line(shop: Shop, monitors: Sequence[Monitor]) -> ShopLine:
    watched = [monitor for monitor in monitors if monitor.state in WORST]
    if not watched:
        return ShopLine(shop, "", "", "", None, None)
    worst = min(watched, key=lambda monitor: WORST.index(State(monitor.state)))
    style, says = SAYS[State(worst.state)]
    checked = min((one.checked_at for one in watched if one.checked_at), default=None)
    since = worst.state_since if worst.state != State.UP else None
    return ShopLine(shop, worst.state, style, _(says) % {"part": worst.name}, since, checked)


def _planned(user: User, client: Client, now: datetime) -> list[MaintenanceWindow]:
    shops = Shop.objects.visible_to(user).filter(client=client)
    found = MaintenanceWindow.objects.filter(shop__in=shops, ends_at__gt=now).select_related("shop")
    return list(found.order_by("starts_at")[:3])
