"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path

from contracts.views import calendars, clients, editor, promises

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", promises.listing, name="contracts"),
    path("contracts/new/", editor.new, name="contract-new"),
    path("contracts/preview/", editor.look_ahead, name="contract-preview"),
    path("contracts/<int:pk>/", promises.show, name="contract"),
    path("contracts/<int:pk>/edit/", editor.new_version, name="contract-version-new"),
    path("settings/clients/", clients.listing, name="settings-clients"),
    path("settings/clients/<str:code>/", clients.show, name="settings-client"),
    path("settings/clients/<str:code>/contacts/", clients.contact, name="settings-contact"),
    path("settings/clients/<str:code>/shops/", clients.shop, name="settings-shop"),
    path("settings/shops/<slug:slug>/close/", clients.close, name="settings-shop-close"),
    path("settings/shops/<slug:slug>/open/", clients.reopen, name="settings-shop-open"),
    path("settings/calendars/", calendars.listing, name="calendars"),
]
