"""By which ways messages leave: whether each works, and a trial of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import ADMIN
from accounts.permissions import SignedRequest, open_to
from messaging.models import BY_PHONE, Channel, Notification
from messaging.trial import channel_states, send_trial
from wording.instants import this_second


@require_GET
@open_to(ADMIN)
def show(request: SignedRequest) -> HttpResponse:
    states = channel_states(Notification.objects.visible_to(request.user))
    rows = [{"state": state, "address": _address(request, state.channel)} for state in states]
    return render(request, "reports/channels.html", {"rows": rows, "now": this_second()})


@require_POST
@open_to(ADMIN)
def attempt(request: SignedRequest, channel: str) -> HttpResponse:
    """Sends a trial message to whoever asks."""
    if channel not in Channel.values:
        raise Http404
    address = _address(request, Channel(channel))
    if not address:
        messages.error(request, _("Your account has no phone: enter one under %(page)s") % {"page": _("Your account")})
    elif send_trial(recipient=request.user.pk, channel=Channel(channel), address=address, at=this_second()):
        messages.success(request, _("A trial message leaves for %(address)s now") % {"address": address})
    else:
        messages.error(request, _("A trial message left a moment ago: wait half a minute"))
    return redirect("settings-channels")


def _address(request: SignedRequest, channel: Channel) -> str:
    """Where the person who asks is reached by it."""
    return request.user.phone if channel in BY_PHONE else request.user.email
