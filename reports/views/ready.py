"""`/readyz`: whether the portal does its work, for whoever watches the machine. Not for strangers."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from accounts.addresses import client_address
from reports import health
from wording.instants import this_second


@require_GET
def show(request: HttpRequest) -> JsonResponse:
    """200, or 503 where something stands: `database` and `broker` in ms, of each job and of the outbox the age in
    seconds, null for none. Nobody's name, no number of an incident, no address.
    """
    if not (_is_here(request) or _has_token(request)):
        raise Http404
    now = this_second()
    broker, sweeps = health.broker(), health.sweeps(now)
    stalled = [sweep.job.name for sweep in sweeps if sweep.is_stalled]
    facts = {
        "ready": not (stalled or broker.error),
        "stalled": stalled,
        "database_ms": health.database().took_ms,
        "broker_ms": None if broker.error else broker.took_ms,
        "ages": {sweep.job.name: sweep.age for sweep in sweeps},
        "outbox_age": health.oldest_waiting(now),
    }
    return JsonResponse(facts, status=200 if facts["ready"] else 503)


def _is_here(request: HttpRequest) -> bool:
    """From the same machine, past every proxy: one that adds its header without being trusted stands for strangers."""
    if not settings.TRUST_PROXY and "HTTP_X_FORWARDED_FOR" in request.META:
        return False
    address = client_address(request)
    return bool(address) and ip_address(address).is_loopback


def _has_token(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.READY_TOKEN}"
    given = request.META.get("HTTP_AUTHORIZATION", "")
    return bool(settings.READY_TOKEN) and constant_time_compare(given.encode(), expected.encode())
