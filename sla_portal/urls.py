"""Addresses: each room's own, and the API's description."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from sla_portal.health import health

urlpatterns = [
    path("healthz", health, name="healthz"),
    path("health/", health, name="health"),  # as it was called before, for one release
    path("", include("accounts.urls")),
    path("", include("contracts.urls")),
    path("", include("incidents.urls")),
    path("", include("monitoring.urls")),
    path("", include("reports.urls")),
    path("api/", include("incidents.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
