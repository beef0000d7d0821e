"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path

from contracts.views import calendars, editor, promises

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", promises.listing, name="contracts"),
    path("contracts/new/", editor.new, name="contract-new"),
    path("contracts/preview/", editor.look_ahead, name="contract-preview"),
    path("contracts/<int:pk>/", promises.show, name="contract"),
    path("contracts/<int:pk>/edit/", editor.new_version, name="contract-version-new"),
    path("settings/calendars/", calendars.listing, name="calendars"),
    path("settings/calendars/<int:pk>/", calendars.show, name="calendar"),
]
