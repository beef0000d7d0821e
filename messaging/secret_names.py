"""Names of messages and threads that tell nothing: a row's number would tell one client how much the others report."""

from __future__ import annotations

from django.utils.crypto import salted_hmac


def secret_name(text: str) -> str:
    """A stable name for a message or a thread, 32 hex digits; the same text has the same one as long as SECRET_KEY."""
    # The salt keeps the name of an earlier place: a letter is answered in the thread of those sent before
    return salted_hmac("incidents.letters", text, algorithm="sha256").hexdigest()[:32]
