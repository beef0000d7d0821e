"""The way from an incident's journal to the day's anchor, as a file to keep and to check without us."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.active import show_client
from accounts.models import AGENT, MANAGER, OWNER, REPORTER
from accounts.permissions import SignedRequest, open_to
from incidents.api.views import person
from incidents.models import Incident
from reports.anchor import make as anchor

DAMAGED = _("What the portal keeps of the way to the anchor is damaged. Call us.")


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
def path(request: SignedRequest, nr: str) -> HttpResponse:
    """A file to download; back to the journal, with a sentence, where what is kept doesn't lead to the anchor."""
    incident = get_object_or_404(Incident.objects.visible_to(request.user), nr=nr)
    show_client(request, incident.client_id)
    try:
        proof = anchor.proof_of(incident)
    except anchor.DamagedPathError:
        messages.error(request, DAMAGED)
        return redirect("incident-journal", nr)
    if proof is None:
        raise Http404
    answer = JsonResponse(proof, json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="{incident.nr}-{proof["day"]}.json"'
    return answer


@extend_schema(responses=OpenApiTypes.OBJECT, summary="The way from the journal to the daily anchor")
@api_view(["GET"])
def api(request: Request, nr: str) -> Response:
    """What `docs/proof.md` checks; 404 until the first anchor after the report."""
    incident = Incident.objects.visible_to(person(request)).filter(nr=nr).first()
    try:
        proof = anchor.proof_of(incident) if incident else None
    except anchor.DamagedPathError:
        return Response({"detail": str(DAMAGED)}, status.HTTP_409_CONFLICT)
    if proof is None:
        raise NotFound
    return Response(proof)
