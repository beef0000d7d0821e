"""The Celery application; tasks live in the rooms' `tasks.py`."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, task_postrun, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from sla_portal.database import judge_at_start

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


@beat_init.connect
@worker_init.connect
def refuse_an_owner(**_: object) -> None:
    """Celery logs what a signal raises and goes on; only an exit ends the process."""
    try:
        judge_at_start()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
