"""One address of an incident for the client and for staff; each sees their own half."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from accounts.models import AGENT, MANAGER, OWNER, REPORTER
from accounts.permissions import SignedRequest, open_to
from incidents.models import Incident
from incidents.views import client, workspace


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
def show(request: SignedRequest, nr: str) -> HttpResponse:
    incident = get_object_or_404(Incident.objects.visible_to(request.user).with_row(), nr=nr)
    return workspace.show(request, incident) if request.user.works_incidents else client.show(request, incident)
