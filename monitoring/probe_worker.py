"""The probe's application under the name that places elsewhere still start: `celery -A monitoring.probe_worker …`.

It stands here for one release, 0.1, so that a place may be set to `monitoring.probe.worker` when it suits, and goes
with the next one.
"""

from monitoring.probe.worker import app

__all__ = ["app"]
