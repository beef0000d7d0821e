"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path

from contracts.views import promises

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", promises.listing, name="contracts"),
    path("contracts/<int:pk>/", promises.show, name="contract"),
]
