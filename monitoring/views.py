"""Pages of what was seen: a shop's availability and its explanation, all shops of a month, one monitor for staff."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.active import active_client, show_client
from accounts.models import AGENT, MANAGER, OWNER, REPORTER, User
from accounts.permissions import SignedRequest, open_to, require_role
from contracts.models import Shop
from contracts.moved import at_shop
from contracts.planned import MaintenanceWindow
from contracts.terms import seconds
from monitoring import watch
from monitoring.availability import page as shop_page
from monitoring.availability import shops as figures
from monitoring.availability.shops import ShopHistory
from monitoring.forms import MonitorForm, usual, values_of
from monitoring.models import Act, ActKind, Check, Interval, Monitor, Outage, State
from monitoring.probe.specification import Result
from monitoring.probe.verdict import warns_of_certificate
from monitoring.sentences import certificate_sentence, sentence, shop_sentence, shop_style
from monitoring.state import schedule
from wording import words
from wording.instants import this_second
from wording.refusals import attempt, attempt_button
from wording.words import local_day

CHECKS_SHOWN = 50  # at one a minute the last hour nearly
OUTAGES_SHOWN = 20
ACTS_SHOWN = 20
FIRST_MONTH = date(2000, 1, 1)  # before any shop of ours: "the month before" ends there


def _day_before(day: date) -> datetime:
    """Early enough for the day in any time zone."""
    return datetime.combine(day - timedelta(days=1), time(), UTC)


def _history(request: SignedRequest, shop: Shop, since: date, now: datetime) -> ShopHistory:
    show_client(request, shop.client_id)
    return figures.histories([shop], since=_day_before(since), now=now)[shop.pk]


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
@at_shop
def shop(request: SignedRequest, shop: Shop) -> HttpResponse:
    """Whether the shop works, its last 90 days, this month's figure with budget and outages, three months before."""
    now = this_second()
    today = local_day(now)
    since = min(shop_page.first_of_month(today, shop_page.EARLIER_MONTHS), today - timedelta(shop_page.DAYS))
    history = _history(request, shop, since, now)
    this = shop_page.first_of_month(history.today)
    month = shop_page.month_figure(history, this)
    earlier = [shop_page.first_of_month(this, back) for back in range(1, shop_page.EARLIER_MONTHS + 1)]
    days = shop_page.days(history)
    context = {
        "now": now,
        "zone": history.zone,
        "history": history,
        "shop": history.shop,
        "down_now": ", ".join(
            monitor.name for monitor in history.active if monitor.means_down and monitor.state_at(now) == State.DOWN
        ),
        "trouble": history.state.trouble,
        "headline": shop_page.headline(history, now),
        "month": month,
        "budget": shop_page.budget_of(history, month),
        "days": days,
        "marks": [days[0], days[len(days) // 2], days[-1]],
        "caption": shop_page.caption(days),
        "failures": shop_page.failures(history, month.measured),
        "unseen": figures.unseen_reports(history, history.month(this)),
        "earlier": [shop_page.month_figure(history, first) for first in earlier],
        "monitors": [_seen(monitor, now) for monitor in history.active],
        "planned": MaintenanceWindow.objects.not_over(now).filter(shop=shop).select_related("entered_by"),
    }
    return render(request, "monitoring/shop.html", context)


def _seen(monitor: Monitor, now: datetime) -> dict[str, Any]:
    return {"monitor": monitor, "state": State(monitor.state_at(now)).label, "key": monitor.state_at(now)}


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
@at_shop
def explanation(request: SignedRequest, shop: Shop, month: date) -> HttpResponse:
    """The month's figure line by line."""
    now, first = this_second(), month
    history = _history(request, shop, first, now)
    if first > history.today:
        raise Http404
    figure = shop_page.month_figure(history, first)
    measured, vouched_at = figure.measured, figures.vouched_at(history)
    context = {
        "vouched_at": vouched_at if vouched_at and seconds(vouched_at) > measured.period.start else None,
        "now": now,
        "zone": history.zone,
        "history": history,
        "shop": history.shop,
        "month": figure,
        "rows": shop_page.explanation(measured, history.zone),
        "note": shop_page.unknown_note(measured),
        "version": history.version_on(min(history.today, shop_page.first_of_month(first, -1) - timedelta(days=1))),
        "failures": shop_page.failures(history, measured),
        "unseen": figures.unseen_reports(history, history.month(first)),
        "monitors": [monitor for monitor in history.monitors if monitor.means_down],
    }
    return render(request, "monitoring/explanation.html", context)


@require_GET
@open_to(REPORTER, OWNER, AGENT)
def shops(request: SignedRequest) -> HttpResponse:
    """Every shop that the person may see, with this month's figure; a person of two clients sees the active one's."""
    return _table(request, shop_page.first_of_month(local_day(timezone.now())))


@require_GET
@open_to(MANAGER)
def all_shops(request: SignedRequest, month: date | None = None) -> HttpResponse:
    """The month's table of all shops."""
    now = this_second()
    first = month or shop_page.first_of_month(local_day(now))
    if first > local_day(now):
        raise Http404
    return _table(request, first)


def _table(request: SignedRequest, first: date) -> HttpResponse:
    now = this_second()
    mine = list(_mine(request).filter(is_active=True).select_related("client"))
    histories = figures.histories(mine, since=_day_before(first), now=now)
    rows = [_line(histories[shop.pk], first, now) for shop in mine]
    context = {
        "now": now,
        "first": first,
        "rows": sorted(rows, key=lambda row: not row["is_bad"]),
        "before": shop_page.first_of_month(first, 1) if first > FIRST_MONTH else None,
        "after": shop_page.first_of_month(first, -1),
        "is_current": first == shop_page.first_of_month(local_day(now)),
    }
    return render(request, "monitoring/shops.html", context)


def _mine(request: SignedRequest) -> QuerySet[Shop]:
    mine = Shop.objects.visible_to(request.user)
    return mine if request.user.is_provider else mine.filter(client=active_client(request))


def _line(history: ShopHistory, first: date, now: datetime) -> dict[str, Any]:
    month, state = shop_page.month_figure(history, first), history.state
    return {
        "shop": history.shop,
        "state": shop_sentence(state),
        "style": "" if state.state == State.UP else shop_style(state),
        "month": month,
        "budget": shop_page.budget_of(history, month),
        "trouble": state.trouble,
        "checked_at": None if state.is_reported else state.checked_at,
        "is_bad": state.state in (State.DOWN, State.UNKNOWN) or month.is_below,
    }


@require_GET
@open_to(AGENT, MANAGER)
def monitor(request: SignedRequest, pk: int) -> HttpResponse:
    """What one monitor saw: its last checks with phases and evidence, outages, states."""
    now = this_second()
    row = _monitor(request, pk)
    checks = Check.objects.visible_to(request.user).filter(monitor=row).order_by("-at")[:CHECKS_SHOWN]
    outages = Outage.objects.visible_to(request.user).filter(monitor=row).select_related("incident")
    outages = outages.prefetch_related("reopenings__incident")
    context = {
        "now": now,
        "monitor": row,
        "shop": row.shop,
        "state": State(row.state_at(now)).label,
        "key": row.state_at(now),
        "is_stale": row.is_stale(now),
        "checks": [{"check": check, "words": _said(check)} for check in checks],
        "outages": [{"outage": outage, "words": shop_page.cause(outage)} for outage in outages[:OUTAGES_SHOWN]],
        "states": _states(request, row),
        "acts": _acts(request, row).select_related("by").order_by("-seq")[:ACTS_SHOWN],
        "vouched": _acts(request, row).filter(kind=ActKind.VOUCHED).first(),
        "certificate": _certificate(row, now),
    }
    return render(request, "monitoring/monitor.html", context)


@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
@at_shop
def new_monitor(request: SignedRequest, shop: Shop) -> HttpResponse:
    """Watch one more address of a shop."""
    return _edit(request, shop, None)


@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
def edit_monitor(request: SignedRequest, pk: int) -> HttpResponse:
    row = _monitor(request, pk)
    return _edit(request, row.shop, row)


def _edit(request: SignedRequest, shop: Shop, monitor: Monitor | None) -> HttpResponse:
    """The form for managers; agents see monitors and change none."""
    require_role(request.user, shop.client_id, MANAGER)
    initial = values_of(monitor) if monitor else usual(shop)
    form = MonitorForm(request.POST if request.method == "POST" else None, initial=initial)
    saved = _save(form, shop, monitor, request.user) if form.is_valid() else None
    if saved:
        messages.success(request, _("Saved. The check is on its way; refresh in a moment."))
        return redirect("monitor", saved.pk)
    context = {"now": this_second(), "shop": shop, "monitor": monitor, "form": form}
    return render(request, "monitoring/monitor_form.html", context, status=422 if form.errors else 200)


def _save(form: MonitorForm, shop: Shop, monitor: Monitor | None, by: User) -> Monitor | None:
    if monitor is None:
        return attempt(form, watch.add, form.HOMES, shop=shop, by=by, at=this_second(), **form.columns)
    columns = form.columns_kept(monitor)
    return attempt(form, watch.change, form.HOMES, monitor=monitor, by=by, at=this_second(), **columns)


def _certificate(monitor: Monitor, now: datetime) -> str:
    """The warning of a certificate that ends within 30 days; "" for none."""
    ends = monitor.certificate_ends_at
    days = warns_of_certificate(int(ends.timestamp()) if ends else None, at=int(now.timestamp()))
    if ends is None or days is None:
        return ""
    host = monitor.certificate_host or urlsplit(monitor.url).hostname or ""
    when = words.when(ends, now, settings.DISPLAY_TIME_ZONE) if days else ""
    return certificate_sentence(host, monitor.certificate_intermediate, when)


def _monitor(request: SignedRequest, pk: int) -> Monitor:
    return get_object_or_404(Monitor.objects.visible_to(request.user).select_related("shop__client"), pk=pk)


def _states(request: SignedRequest, monitor: Monitor) -> QuerySet[Interval]:
    return Interval.objects.visible_to(request.user).filter(monitor=monitor).order_by("-started_at")[:OUTAGES_SHOWN]


def _acts(request: SignedRequest, monitor: Monitor) -> QuerySet[Act]:
    return Act.objects.visible_to(request.user).filter(monitor=monitor)


def _said(check: Check) -> str:
    """The sentence of a check that was not plainly good."""
    if not check.evidence:
        return ""
    return sentence(Result.from_json(check.evidence), (get_language() or "pl")[:2])


@require_POST
@open_to(AGENT, MANAGER)
def check_now(request: SignedRequest, pk: int) -> HttpResponseRedirect:
    schedule.ask_now(_monitor(request, pk), at=this_second())
    messages.success(request, _("The check is on its way; refresh in a moment."))
    return redirect("monitor", pk)


@require_POST
@open_to(AGENT, MANAGER)
def switch(request: SignedRequest, pk: int) -> HttpResponseRedirect:
    """Stop or start watching; refused with the reason where it may not be."""
    verb = watch.stop if request.POST.get("watch") == "stop" else watch.start
    attempt_button(request, verb, monitor=_monitor(request, pk), by=request.user, at=this_second())
    return redirect("monitor", pk)
