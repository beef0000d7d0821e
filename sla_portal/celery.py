"""The Celery application; tasks live in the rooms' `tasks.py`."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import task_postrun
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sla_portal.settings")

app = Celery("sla_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="sla_portal.tick")
def tick() -> int:
    """Nothing, taken by a lane whose own work is rare."""
    return 0


@task_postrun.connect
def note_work(**_: object) -> None:
    """Touches WORKED_FILE: a worker that answers a ping may still consume nothing, one that has just worked does."""
    if settings.WORKED_FILE:
        Path(settings.WORKED_FILE).touch()
