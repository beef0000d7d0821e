"""The administrator's home: does the portal do its work, and what failed?"""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts import allowances
from accounts.models import ADMIN
from accounts.permissions import SignedRequest, open_to
from incidents.anchors import newest
from messaging import outbox
from messaging.models import Notification
from monitoring import way_out
from reports import health
from wording.instants import this_second
from wording.texts import number_in

NEWEST = ((100, "100"), (500, "500"), (2000, "2000"))


class ProofForm(forms.Form):
    newest = forms.TypedChoiceField(
        label=gettext_lazy("How many of the newest incidents"),
        choices=NEWEST,
        coerce=int,
        widget=forms.Select({"class": "short"}),
    )


@require_GET
@open_to(ADMIN)
def show(request: SignedRequest) -> HttpResponse:
    return _page(request)


def _page(request: SignedRequest, form: ProofForm | None = None) -> HttpResponse:
    now = this_second()
    broker = health.broker()
    sweeps, outgoing = health.sweeps(now), health.outbox_state(request.user, now)
    proof = health.last_proof(request.user)
    ways_out = way_out.ways_out(settings.PROBE_PLACES)
    limits = allowances.reached(now)
    blind = [place for place in ways_out if place.fails(now)]
    context = {
        "now": now,
        "sweeps": sweeps,
        "verdict": health.verdict(request.user, sweeps, blind, outgoing.given_up, broker.error, proof, limits),
        "outbox": outgoing,
        "database": health.database(),
        "broker": broker,
        "ways_out": ways_out,
        "limits": limits,
        "blind": blind,
        "no_canaries": not settings.PROBE_CANARIES or any(place.has_none for place in ways_out),
        "proof": proof,
        "broker_guard": health.broker_guard(),
        "strange_places": health.strange_places(now),
        "form": form or ProofForm(),
        "anchor": newest(),
    }
    return render(request, "reports/health.html", context, status=422 if form else 200)


@require_POST
@open_to(ADMIN)
def prove(request: SignedRequest) -> HttpResponse:
    """Runs the proof now; the page then shows its result."""
    form = ProofForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    result = health.prove(form.cleaned_data["newest"], this_second)
    if result.wrong:
        sentence = ngettext("%(n)s difference found", "%(n)s differences found", result.wrong)
        messages.error(request, sentence % {"n": result.wrong})
    else:
        messages.success(request, _("Every clock follows from its journal"))
    return redirect("settings-health")


@require_POST
@open_to(ADMIN)
def again(request: SignedRequest) -> HttpResponse:
    """Tries a notice that was given up anew, or all of them."""
    notice = request.POST.get("notice", "")
    if notice == "all":
        count = health.send_all_again(request.user, at=this_second())
    elif (pk := number_in(notice)) is not None:
        row = get_object_or_404(Notification.objects.visible_to(request.user), pk=pk)
        count = int(outbox.send_again(row, at=this_second()))
    else:
        raise Http404
    sentence = ngettext("%(n)s notice will be tried again", "%(n)s notices will be tried again", count)
    messages.success(request, sentence % {"n": count})
    return redirect("settings-health")
