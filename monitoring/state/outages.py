"""Outages as rows, and what incidents hear of them. Called by `monitoring.watch` with the monitor's row locked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db.models import Max, Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from contracts.terms import to_second
from incidents import reporting
from incidents.models import Incident
from monitoring import acts
from monitoring.models import ActKind, Monitor, Outage, OutageQuerySet, Reopening
from monitoring.probe.specification import Result
from monitoring.sentences import sentence

LANGUAGES = ("pl", "en")
JOURNAL_LANGUAGE = "pl"
GOOD_CHECKS = 3  # those that end an outage, as evidence


def failure_of(monitor: Monitor) -> str:
    """What counts as one failure of a shop: all that means "down" is one, whatever address shows it."""
    return "down" if monitor.means_down else f"monitor-{monitor.pk}"


def confirm(monitor: Monitor, result: Result, *, started_at: datetime, at: datetime, flapping: bool = False) -> Outage:
    """The failure is confirmed: the outage exists since its first failed check, the incident since now.

    Repeated while an outage is open, it changes nothing.
    """
    open_outage = Outage.objects.filter(monitor=monitor, ended_at=None).first()
    if open_outage:
        return open_outage
    outage = Outage.objects.create(
        monitor=monitor,
        reason=result.reason,
        evidence=_shown(result),
        flapping=flapping,
        started_at=started_at,
        confirmed_at=max(to_second(at), started_at),
    )
    outage.incident = _tell_incident(outage, result, at)
    outage.save(update_fields=["incident"])
    acts.write(monitor, ActKind.CONFIRMED, [outage], at=at)
    return outage


def reopen(monitor: Monitor, result: Result, *, at: datetime) -> Outage:
    """Down again before the shop was calm: the last outage goes on, and its time of repair was none.

    Where its incident was closed meanwhile another one opens; the first keeps the outage and its evidence.
    """
    last = Outage.objects.filter(monitor=monitor).order_by("-started_at").select_for_update()[0]
    last.ended_at, last.flapping = None, True
    last.save(update_fields=["ended_at", "flapping"])
    incident = _tell_incident(last, result, at)
    reopening: list[Reopening] = []
    if incident not in last.incidents:
        facts = {"reopened_at": to_second(at), "reason": result.reason, "evidence": _shown(result)}
        reopening = [last.reopenings.create(incident=incident, **facts)]
    acts.write(monitor, ActKind.REOPENED, [last, *reopening], at=at)
    return last


def _tell_incident(outage: Outage, result: Result, at: datetime) -> Incident:
    """The incident of this failure that is open now."""
    monitor = outage.monitor
    return reporting.open_from_monitor(
        shop=monitor.shop,
        failure=failure_of(monitor),
        what=monitor.what,
        severity=monitor.severity,
        first_failed_at=outage.started_at,
        at=at,
        evidence=evidence(outage, result),
        words=_words(monitor, result),
    )


def evidence(outage: Outage, result: Result) -> dict[str, Any]:
    """Facts for the journal, which the client reads too: never the body of an answer nor the query of an address."""
    monitor = outage.monitor
    return {
        "monitor": monitor.pk,
        "monitor_url": reverse("monitor", args=[monitor.pk]),
        "outage": outage.pk,
        "name": monitor.name,
        "url": _bare(monitor.url),
        "reason": result.reason,
        "phase": result.phase,
        "status": result.status,
        "total_ms": result.timings.total,
        "address": result.address,
        "place": result.place,
        "sentence": {language: sentence(result, language) for language in LANGUAGES},
    }


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _shown(result: Result) -> dict[str, Any]:
    return {**result.to_json(), "excerpt": ""}


def _words(monitor: Monitor, result: Result) -> str:
    return f"{monitor.name}: {sentence(result, JOURNAL_LANGUAGE)}"


def end(monitor: Monitor, *, ended_at: datetime, at: datetime) -> Outage | None:
    """The shop works since the first of three good checks; once nothing else of the incident is down, it hears so."""
    outage = Outage.objects.filter(monitor=monitor, ended_at=None).select_for_update().first()
    if outage is None:
        return None
    outage.ended_at = ended_at
    outage.save(update_fields=["ended_at"])
    acts.write(monitor, ActKind.ENDED, [outage], at=at)
    incident = next(reversed(outage.incidents), None)
    if incident and not outages_of(incident).filter(ended_at=None).exists():
        _tell_recovery(incident, monitor, at)
    return outage


def outages_of(incident: Incident) -> OutageQuerySet:
    """Those that opened or joined it, and those that went on under it."""
    return Outage.objects.filter(Q(incident=incident) | Q(reopenings__incident=incident))


def _tell_recovery(incident: Incident, monitor: Monitor, at: datetime) -> None:
    """Works again since the last of its outages ended."""
    last = outages_of(incident).aggregate(Max("ended_at"))["ended_at__max"]
    sentences = {language: _recovered(monitor, language) for language in LANGUAGES}
    good = monitor.checks.filter(at__gte=last, at__lte=at).order_by("at")
    checks = [
        {"at": check.at.isoformat(), "status": check.status, "total_ms": check.total_ms, "place": check.place}
        for check in good[:GOOD_CHECKS]
    ]
    reporting.note_recovery(
        incident=incident,
        restored_at=last,
        at=at,
        words=sentences[JOURNAL_LANGUAGE],
        evidence={"sentence": sentences, "checks": checks, "monitor": monitor.pk},
    )


def _recovered(monitor: Monitor, language: str) -> str:
    with translation.override(language):
        return _("%(name)s works again.") % {"name": monitor.name}
