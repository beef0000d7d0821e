"""Addresses of the API, below /api/."""

from django.urls import URLPattern, path

from incidents.api import views as api
from incidents.verbs import VERBS

urlpatterns: list[URLPattern] = [
    path("tokens/", api.token, name="api-token"),
    path("tokens/current/", api.token_end, name="api-token-end"),
    path("incidents/", api.incidents, name="api-incidents"),
    path("incidents/<nr:nr>/", api.incident, name="api-incident"),
    path("incidents/<nr:nr>/journal/", api.journal, name="api-journal"),
    # Their names, such as api-answer, are written out in the registry
    *[path(f"incidents/<nr:nr>/{verb.name}/", api.acting(verb), name=verb.api) for verb in VERBS.values()],
]
