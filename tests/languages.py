"""Finds words of the other language on a page."""

from __future__ import annotations

import html
import re
from functools import cache

from sla_portal import messages
from wording.words import plain

_HIDDEN = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_OTHER = re.compile(r"<(\w+)[^>]* lang=\"\w\w\"[^>]*>[^<]*</\1>")
_ATTRIBUTES = re.compile(r'\s(?:alt|title|placeholder|aria-label|data-th)="([^"]*)"')


def seen(page: str) -> list[str]:
    """The page's pieces of text, attributes that people read among them, with ordinary spaces.

    What says its own language (`lang` on a button or a link) is left out.
    """
    body = _OTHER.sub("", _HIDDEN.sub("", page).replace("<html lang", "<html data-lang"))
    pieces = _ATTRIBUTES.findall(body) + re.split(r"<[^>]*>", body)
    texts = (" ".join(plain(html.unescape(piece)).split()) for piece in pieces)
    return [text for text in texts if text]


@cache
def pairs() -> frozenset[tuple[str, str]]:
    """Every source string without fields and its Polish, where they differ."""
    found = ((message.id, message.string) for room in messages.ROOMS for message in messages.read(room))
    plain_ones = ((source, polish) for source, polish in found if isinstance(source, str) and isinstance(polish, str))
    return frozenset(
        (source, polish) for source, polish in plain_ones if source and polish != source and "%" not in source
    )


def shows_through(page: str, language: str) -> list[str]:
    """Strings of the other language that a piece of the page consists of, or, if longer, holds."""
    wrong = {source if language == "pl" else polish for source, polish in pairs()}
    right = {polish if language == "pl" else source for source, polish in pairs()}
    long = [text for text in wrong if text.count(" ") >= 2]
    pieces = [piece for piece in seen(page) if piece not in right]
    return sorted({p for p in pieces if p in wrong} | {t for t in long for p in pieces if t in p})
