"""The project. The Celery application is loaded with it, so that `@shared_task` finds it in every process."""

from sla_portal.celery import app as celery_app

__all__ = ["celery_app"]
