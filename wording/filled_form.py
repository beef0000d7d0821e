"""Puts what somebody typed back into the form of a page, in the page's own HTML. Pure.

The page is ours and was just made; what was typed is not: every value goes back escaped, as an attribute or as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

Typed = Mapping[str, Sequence[str]]
NEVER = frozenset({"csrfmiddlewaretoken"})
NOT_FILLED = frozenset({"password", "file", "submit", "button", "image", "reset"})
TICKED = frozenset({"checkbox", "radio"})


@dataclass(slots=True)
class _Tag:
    """A start tag of the page: where its source stands, where the text after it ends, and which field it belongs to."""

    name: str
    attributes: dict[str, str | None]
    start: int
    end: int
    text_end: int = 0
    control: str = ""

    def get(self, attribute: str) -> str:
        return self.attributes.get(attribute) or ""

    def source(self, **changed: str | None) -> str:
        """The tag with attributes of other values; None: without it."""
        kept = {**self.attributes, **changed}
        without = {name for name, value in changed.items() if value is None}
        parts = [
            name if value is None else f'{name}="{escape(value)}"'
            for name, value in kept.items()
            if name not in without
        ]
        return f"<{' '.join([self.name, *parts])}>"


@dataclass(slots=True)
class _Form:
    tag: _Tag
    folds: list[_Tag]
    controls: list[_Tag] = field(default_factory=list)


class _Forms(HTMLParser):
    """Every form of a page with its controls, and the folds that it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self._inside: _Form | None = None
        self._folds: list[_Tag] = []
        self._text: _Tag | None = None
        self._select = ""
        self._lines = [0]
        for line in page.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.feed(page)

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start = self._here()
        made = _Tag(tag, dict(attrs), start, start + len(self.get_starttag_text() or ""))
        if tag == "details":
            self._folds.append(made)
        elif tag == "form":
            self._inside = _Form(made, list(self._folds))
            self.forms.append(self._inside)
        elif self._inside and tag in {"input", "textarea", "select", "option"}:
            self._take(self._inside, made)

    def _take(self, form: _Form, tag: _Tag) -> None:
        tag.control = self._select if tag.name == "option" else tag.get("name")
        self._select = tag.control if tag.name in {"select", "option"} else ""
        self._text = tag if tag.name == "textarea" else None
        form.controls.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "details" and self._folds:
            self._folds.pop()
        elif tag == "form":
            self._inside = None
        elif tag == "textarea" and self._text:
            self._text.text_end = self._here()


def filled(page: str, path: str, action: str, typed: Typed, notice: str) -> str | None:
    """The page at `path` with `typed` in its form that is sent to `action`, and `notice` above it.

    None where it has no such form. Passwords, files and the page's own token stay as the page has them; every form
    without an address gets the page's own, for the answer may stand under another one.
    """
    forms = _Forms(page).forms
    sent_there = [form for form in forms if _address(form, path) == urlsplit(action).path and _is_post(form)]
    if not sent_there:
        return None
    chosen = max(sent_there, key=lambda form: len(typed.keys() & {tag.control for tag in form.controls}))
    changes = {fold.start: (fold.end, fold.source(open="")) for fold in chosen.folds}
    for form in forms:
        if not form.tag.get("action"):
            changes[form.tag.start] = (form.tag.end, form.tag.source(action=path))
    head = changes.get(chosen.tag.start, (chosen.tag.end, page[chosen.tag.start : chosen.tag.end]))
    changes[chosen.tag.start] = (head[0], notice + head[1])
    left = {name: list(values) for name, values in typed.items() if name not in NEVER}
    for tag in chosen.controls:
        if change := _refilled(tag, left):
            changes[tag.start] = change
    return _with(page, changes)


def _address(form: _Form, path: str) -> str:
    return urlsplit(urljoin(path, form.tag.get("action"))).path


def _is_post(form: _Form) -> bool:
    return form.tag.get("method").lower() == "post"


def _refilled(tag: _Tag, left: dict[str, list[str]]) -> tuple[int, str] | None:
    """Where the tag's source ends and what stands there instead; None where it stays."""
    kind = tag.get("type").lower()
    if not tag.control or tag.control in NEVER or tag.name == "select" or (tag.name == "input" and kind in NOT_FILLED):
        return None
    values = left.get(tag.control, [])
    if tag.name == "option":
        return tag.end, tag.source(selected="" if tag.get("value") in values else None)
    if tag.name == "input" and kind in TICKED:
        return tag.end, tag.source(checked="" if (tag.get("value") or "on") in values else None)
    if not values:
        return None
    value = values.pop(0)
    return (
        (tag.text_end, f"{tag.source()}\n{escape(value)}")
        if tag.name == "textarea"
        else (tag.end, tag.source(value=value))
    )


def _with(page: str, changes: Mapping[int, tuple[int, str]]) -> str:
    parts, done = [], 0
    for start in sorted(changes):
        end, text = changes[start]
        parts += [page[done:start], text]
        done = end
    return "".join([*parts, page[done:]])
