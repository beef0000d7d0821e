"""The project as an application of Django: each connection to the database is judged when it is opened."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from sla_portal.database import refuse_too_much


def judge(connection: BaseDatabaseWrapper, **_: Any) -> None:
    refuse_too_much(connection)


class PortalConfig(AppConfig):
    name = "sla_portal"

    def ready(self) -> None:
        connection_created.connect(judge, dispatch_uid="sla_portal.judge")
