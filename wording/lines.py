"""One line of text: what has no place in it, as the database reads it, and the sentence that refuses it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

NOT_IN_A_LINE = r"[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]"
"""As PostgreSQL reads it: control characters, and those that turn the direction of what follows (see `texts`)."""
NOT_A_LINE = _("Write it in one line, without tabs and control characters.")
