"""Addresses of the room."""

from django.urls import URLPattern, URLResolver, path, register_converter

from monitoring import views, views_planned
from wording.converters import MonthConverter

register_converter(MonthConverter, "month")

urlpatterns: list[URLPattern | URLResolver] = [
    path("shops/", views.shops, name="shops"),
    path("shops/<slug:slug>/", views.shop, name="shop"),
    path("shops/<slug:slug>/availability/<month:month>/", views.explanation, name="availability-account"),
    path("shops/<slug:slug>/monitors/new/", views.new_monitor, name="monitor-new"),
    path("shops/<slug:slug>/planned-work/new/", views_planned.new, name="planned-work-new"),
    path("planned-work/<int:pk>/off/", views_planned.call_off, name="planned-work-off"),
    path("availability/", views.all_shops, name="availability"),
    path("availability/<month:month>/", views.all_shops, name="availability-month"),
    path("monitors/<int:pk>/", views.monitor, name="monitor"),
    path("monitors/<int:pk>/edit/", views.edit_monitor, name="monitor-edit"),
    path("monitors/<int:pk>/check/", views.check_now, name="monitor-check"),
    path("monitors/<int:pk>/watch/", views.switch, name="monitor-watch"),
]
