"""The HTTP gateway for text messages and calls: POST of JSON {channel, to, text, key} with a bearer token.

`key` is the same at a second try, so a gateway that knows it delivers once; it is also sent as `Idempotency-Key`.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

TIMEOUT = 10  # seconds of one step of the conversation; the outbox ends the whole of it (ATTEMPT_SECONDS)
SAID = 200  # characters of the gateway's answer that an error keeps


class GatewayError(Exception):
    """The gateway did not take the message; the text says why."""


class GatewayUnreachableError(GatewayError):
    """Nobody answered, so the next message would fare no better."""


def send(*, url: str, token: str, channel: str, to: str, text: str, key: str) -> None:
    """Hand one message over. Follows no redirect, so the token goes to this address only. Raises GatewayError."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    body = json.dumps({"channel": channel, "to": to, "text": text, "key": key})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Idempotency-Key": key}
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("POST", path, body.encode(), headers)
        answer = connection.getresponse()
        reason = answer.read(SAID).decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        raise GatewayUnreachableError(f"{parts.hostname}: {error or type(error).__name__}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise GatewayError(f"{parts.hostname}: {answer.status} {answer.reason} {reason}".strip())
