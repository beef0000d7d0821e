"""The web server's entry point."""

import os
from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from sla_portal.database import judge_at_start
from sla_portal.odd_requests import without_charset

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sla_portal.settings")

django_application: WSGIHandler = get_wsgi_application()
judge_at_start()


def application(request: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    return django_application(without_charset(request), start_response)
