"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter

from incidents.verbs import CLIENT_PAGES, STAFF_PAGES
from incidents.views import (
    calendars,
    client,
    incident,
    journal,
    listing,
    people,
    phone,
    queue,
    report,
    unheard,
    why,
    workspace,
)


class NumberConverter(StringConverter):
    """An incident's number, such as MAK-0142."""

    regex = r"[A-Z]{3,4}-[0-9]{4,9}"


register_converter(NumberConverter, "nr")

urlpatterns: list[URLPattern | URLResolver] = [
    path("report/", report.report, name="report"),
    path("report/<slug:slug>/", report.report_shop, name="report-shop"),
    path("settings/calendars/<int:pk>/", calendars.show, name="calendar"),
    path("settings/calendars/<int:pk>/days/<int:day>/remove/", calendars.remove, name="calendar-day-remove"),
    path("queue/", queue.show, name="queue"),
    path("queue/live/", queue.live, name="queue-live"),
    path("unheard/", unheard.bar, name="unheard"),
    path("incidents/new/", phone.new, name="incident-new"),
    path("incidents/", listing.incidents, name="incidents"),
    path("incidents/<nr:nr>/", incident.show, name="incident"),
    path("incidents/<nr:nr>/receipt/", report.receipt, name="incident-receipt"),
    path("incidents/<nr:nr>/why/<str:target>/", why.why, name="incident-why"),
    path("incidents/<nr:nr>/journal/", journal.whole, name="incident-journal"),
    path("settings/users/<int:pk>/", people.show, name="user"),
    path("settings/users/<int:pk>/rights/", people.rights, name="user-rights"),
    path("settings/users/<int:pk>/off/", people.off, name="user-off"),
    # Their names, such as incident-answer, are written out in the registry
    *[path(f"incidents/<nr:nr>/{verb.name}/", client.act, {"verb": verb}, name=verb.page) for verb in CLIENT_PAGES],
    *[path(f"incidents/<nr:nr>/{verb.name}/", workspace.act, {"verb": verb}, name=verb.page) for verb in STAFF_PAGES],
]
