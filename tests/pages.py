"""A page as a test reads it: a signed-in visitor with the clock stopped, the text without marks, counted queries."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from wording.words import plain

COUNTS = Path(__file__).with_name("query_counts.json")


def stop_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Views read this instant until another is set."""
    monkeypatch.setattr(timezone, "now", lambda: at)


def visitor(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def markup(response: Any) -> str:
    """The page's HTML without the line breaks and the indentation of its templates."""
    return re.sub(r"(?<=>) | (?=<)", "", re.sub(r"[ \t\n]+", " ", response.content.decode()))


def text_of(response: Any) -> str:
    """The words of a page, single spaces between them."""
    body = re.sub(r"<(script|style|title).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return (
        re.sub(r"\s+", " ", plain(html.unescape(re.sub(r"<[^>]+>", " ", body)))).replace(" ,", ",").replace(" .", ".")
    )


def title_of(response: Any) -> str:
    found = re.search(r"<title>(.*?)</title>", response.content.decode(), re.DOTALL)
    return " ".join(plain(html.unescape(found[1])).split()) if found else ""


MANY = 5  # rows of a full page: a query that each row costs shows with five as with fifty, and rows cost time


@contextmanager
def counted(name: str) -> Iterator[None]:
    """As many queries as `query_counts.json` says for this name: a change of it is seen in a review."""
    with CaptureQueriesContext(connection) as queries:
        yield
    expected = json.loads(COUNTS.read_text(encoding="utf-8")).get(name)
    assert len(queries) == expected, f"{name}: {len(queries)} queries, {COUNTS.name} says {expected}"
