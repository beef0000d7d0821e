"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter

from contracts.views import calendars, clients, editor, promises


class AddressConverter(StringConverter):
    """The address of a contract, such as MAK-2."""

    regex = r"[A-Z]{3,4}-[1-9]\d{0,8}"


register_converter(AddressConverter, "address")

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", promises.listing, name="contracts"),
    path("contracts/new/", editor.new, name="contract-new"),
    path("contracts/preview/", editor.look_ahead, name="contract-preview"),
    path("contracts/<address:address>/", promises.show, name="contract"),
    path("contracts/<address:address>/edit/", editor.new_version, name="contract-version-new"),
    path("contracts/<int:pk>/", promises.before, name="contract-before"),
    path("contracts/<int:pk>/edit/", editor.before, name="contract-version-new-before"),
    path("settings/clients/", clients.listing, name="settings-clients"),
    path("settings/clients/<str:code>/", clients.show, name="settings-client"),
    path("settings/clients/<str:code>/contacts/", clients.contact, name="settings-contact"),
    path("settings/clients/<str:code>/shops/", clients.shop, name="settings-shop"),
    path("settings/shops/<slug:slug>/close/", clients.close, name="settings-shop-close"),
    path("settings/shops/<slug:slug>/open/", clients.reopen, name="settings-shop-open"),
    path("settings/calendars/", calendars.listing, name="calendars"),
]
