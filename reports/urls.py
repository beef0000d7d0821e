"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path

from reports.views import anchors, breaches, channels, health, home, ready

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("readyz", ready.show, name="readyz"),
    path("settings/channels/", channels.show, name="settings-channels"),
    path("settings/channels/<slug:channel>/trial/", channels.attempt, name="settings-channel-trial"),
    path("settings/health/", health.show, name="settings-health"),
    path("settings/health/proof/", health.prove, name="settings-health-proof"),
    path("settings/health/again/", health.again, name="settings-health-again"),
    path("incidents/<nr:nr>/journal/anchor.json", anchors.path, name="incident-anchor"),
    path("api/incidents/<nr:nr>/anchor/", anchors.api, name="api-anchor"),
    path("breaches/", breaches.show, name="breaches"),
    path("breaches/<int:pk>/", breaches.case, name="breach"),
    path("breaches/<int:pk>/confirm/", breaches.confirm, name="breach-confirm"),
    path("breaches/<int:pk>/exclude/", breaches.exclude, name="breach-exclude"),
    path("breaches/<int:pk>/second/", breaches.second, name="breach-second"),
    path("breaches/<int:pk>/decisions/<int:decision>/take-back/", breaches.take_back, name="breach-take-back"),
]
