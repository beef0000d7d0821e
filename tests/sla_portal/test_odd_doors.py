"""Odd values at every door: each address gets them in its path, its query, its form, its JSON and its headers.

The addresses are the resolver's, the people those whom the permission table lets in, and the names of the parameters
are those that the product read in an ordinary request: a new address, and a new field, are walked by themselves.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponseBase, QueryDict
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.parsers import JSONParser

from sla_portal.odd_requests import without_charset
from tests.pages import stop_clock
from tests.sla_portal import test_permissions
from tests.sla_portal.permission_table import PEOPLE
from tests.sla_portal.test_permissions import FORMS, LATE, ROWS, TEXT, Stage, routes, written

TEXTS = {
    "empty": "",
    "spaces": "  \t ",
    "invisible": "\u200b\u2060\u3164\u2800",
    "nul": "a\0b",
    "square": "²",
    "arabic digits": "١٢",
    "minus": "-1",
    "zero": "0",
    "over int": str(2**31),
    "over bigint": str(2**63),
    "huge": "1" + "0" * 30,
    "5000 digits": "9" * 5000,
    "exponent": "1e400",
    "nan": "NaN",
    "first month": "0001-01",
    "month 2000-01": "2000-01",
    "last month": "9999-12",
    "month 13": "2026-13",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "29 February": "2026-02-29",
    "first instant": "0001-01-01T00:00:00+14:00",
    "last instant": "9999-12-31T23:59:59-14:00",
    "first hour": "0001-01-01 00:00",
    "last hour": "9999-12-31 23:59",
    "hour 24": "24:00",
    "line break": "Ola\r\nBcc: x@y.example",
    "backwards": "Ola\u202egpj.exe",
    "brackets": "[" * 1000,
    "quotes": "'\"><b>%s{{x}}\\",
    "dots": "../../etc/passwd",
    "unassigned": "\U000e0001\ufffe\uffff",
}
BYTES = {"surrogate": "%ED%A0%80", "not utf-8": "%FF%FE%80", "half a percent": "%", "overlong": "%C0%AF"}
QUOTED = {**{says: quote(text, safe="") for says, text in TEXTS.items()}, **BYTES}
MEGABYTE = "x" * 2**20
VALUES: dict[str, Any] = {
    **TEXTS,
    "null": None,
    "true": True,
    "a number": 10**30,
    "half": -0.5,
    "a list": ["a", []],
    "an object": {"a": {}},
    "nested": json.loads("[" * 50 + "]" * 50),
    "lone surrogate": "\ud800",
    "not a number": float("nan"),
    "endless": float("inf"),
    "megabyte": MEGABYTE,
}
BODIES = {
    "nothing": b"",
    "brackets": b"[" * 1000 + b"]" * 1000,
    "objects": b'{"a":' * 100_000,
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "5000 digits": b"1" * 5000,
    "endless": b'{"text": Infinity}',
    "not utf-8": b'{"text": "\xff\xfe"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "twice": b'{"text": "a", "text": "b"}',
    "a form": b"text=a",
    "nul": b"\0",
    "four megabytes": b'"' + b"x" * 2**22 + b'"',
}
CHARSETS = ("utf-16", "punycode", "idna", "undefined", "base64", "rot13", "nonsense", '"')
HEADERS: dict[str, tuple[str, ...]] = {
    "HTTP_HOST": ("evil.example", "", "a b", "[::1", "127.0.0.1:99999999", "ą.example", "127.0.0.1, evil.example"),
    "HTTP_ACCEPT_LANGUAGE": ("xx", "pl;q=²", "," * 9000, "\xff"),
    "HTTP_IF_NONE_MATCH": ('"', "W/", "\xff", "," * 9000),
    "HTTP_IF_MODIFIED_SINCE": ("x", "Mon, 99 Foo 0000 99:99:99 GMT", "Thu, 01 Jan 0001 00:00:00 GMT"),
    "HTTP_COOKIE": ("sessionid=\xff; language=\0; theme='", "=;;=", "csrftoken=x; sessionid=" + "y" * 9000),
    "HTTP_AUTHORIZATION": ("Token", "Token a b", "Token \xff", "Basic \xff", "Token " + "x" * 9000),
    "HTTP_REFERER": ("http://[", "\xff"),
    "HTTP_ORIGIN": ("http://[", "null", "\xff"),
    "HTTP_ACCEPT": ("x", "a/b;q=²", "*/*;" * 2000, "\xff"),
    "HTTP_HX_REQUEST": ("true", "\xff"),
    "HTTP_HX_CURRENT_URL": ("http://[", "%ff"),
    "HTTP_X_FORWARDED_FOR": ("x", "1.2.3.4, " * 999, "::ffff:999", "\xff"),
    "HTTP_X_CSRFTOKEN": ("\xff", "x" * 9000),
    "HTTP_RANGE": ("bytes=²-", "bytes=9-1"),
    "CONTENT_LENGTH": ("-1", "99999999999999999999"),
    "CONTENT_TYPE": ("multipart/form-data", "multipart/form-data; boundary=\xff", "x", "/"),
}
FORM = "application/x-www-form-urlencoded"
# Of fields that differ by category, target or number only, one is walked
SHAPE = re.compile(r"P[1-4]|\d+|reaction|restore|final_fix|mon|tue|wed|thu|fri|sat|sun")
NOWHERE = ("in", "401", "403", "404", "405")
LET_IN = {row for row, answers in ROWS.items() if set(answers.values()) - set(NOWHERE)} | {("invitation", "GET")}
AT_MOST = 1
"""Doors at which a parameter of one name is walked with every value; then the others get a tenth of them."""


@dataclass(frozen=True, slots=True)
class Door:
    """An address with a method and somebody who is let in there; `names` are read from the query, form or JSON."""

    name: str
    method: str
    who: str
    path: str
    form: dict[str, Any]
    names: tuple[str, ...]
    arguments: dict[str, str]

    @property
    def is_json(self) -> bool:
        return self.name.startswith("api-") and self.method != "GET"

    def send(self, client: Client, path: str = "", body: bytes = b"", **options: Any) -> HttpResponseBase:
        return client.generic(self.method, path or self.path, body, **options)


@dataclass(frozen=True, slots=True)
class Oddity:
    """One odd request: which parameter is odd, with what, and how it is sent by a client."""

    door: Door
    name: str
    says: str
    send: Callable[[Client], HttpResponseBase]

    def __str__(self) -> str:
        return f"{self.door.method} {self.door.name}, {self.name}: {self.says}"


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        stop_clock(patch, LATE)
        yield test_permissions.built()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def doors(stage: Stage) -> list[Door]:
    patterns = {str(route.name): route for route in routes(get_resolver().url_patterns)}
    with pytest.MonkeyPatch.context() as patch:
        heard = listen(patch)
        return [_door(stage, heard, patterns[name], name, method) for name, method in ROWS if (name, method) in LET_IN]


def listen(patch: pytest.MonkeyPatch) -> set[str]:
    """The names that the product reads from queries, forms and JSON from now on."""
    heard: set[str] = set()

    def noting(read: Callable[..., Any]) -> Callable[..., Any]:
        def note(data: Any, key: str, *args: Any, **options: Any) -> Any:
            heard.add(key)
            return read(data, key, *args, **options)

        return note

    for method in ("__getitem__", "getlist", "__contains__"):
        patch.setattr(QueryDict, method, noting(getattr(QueryDict, method)))
    noted = type("Noted", (dict,), {"get": noting(dict.get)})
    parse = JSONParser.parse
    patch.setattr(JSONParser, "parse", lambda *args, **options: noted(parse(*args, **options)))
    return heard


def _door(stage: Stage, heard: set[str], pattern: URLPattern, name: str, method: str) -> Door:
    """Whoever gets furthest, and what is read there: in a query by the view's source, else in an ordinary request."""
    who = max(PEOPLE, key=lambda person: ROWS[name, method][person] not in NOWHERE)
    heard.clear()
    if method == "GET":
        source = inspect.getsource(sys.modules[pattern.callback.__module__])
        heard |= set(re.findall(r"""(?:GET|asked)\.get(?:list)?\("(\w+)""", source))
    else:
        with transaction.atomic():
            stage.ask(who, method, name)
            transaction.set_rollback(True)
    names = {SHAPE.sub("*", read): read for read in sorted(heard - {"csrfmiddlewaretoken"})}
    values = stage.places.get(name, stage.usual)
    arguments = {key: str(values[key]) for key in pattern.pattern.converters}
    return Door(name, method, who, stage.path(name), FORMS.get(name, TEXT), tuple(names.values()), arguments)


def oddities(door: Door) -> Iterator[Oddity]:
    """Every odd request that the door can get, one odd value each."""
    if door.method == "GET" or (door.name, "GET") not in LET_IN:
        yield from _in_the_path(door)
    if door.method == "GET":
        yield from _in_a_query(door)
    elif door.is_json:
        yield from _in_json(door)
    elif door.method == "POST":
        yield from _in_a_form(door)


def _in_the_path(door: Door) -> Iterator[Oddity]:
    for key, usual in door.arguments.items():
        for says, value in QUOTED.items():
            path = door.path.replace(f"/{usual}/", f"/{value}/", 1)
            yield Oddity(door, f"<{key}>", says, partial(door.send, path=path))


def _in_a_query(door: Door) -> Iterator[Oddity]:
    for name in door.names:
        for says, value in QUOTED.items():
            yield Oddity(door, f"?{name}", says, partial(door.send, path=f"{door.path}?{name}={value}"))
        thrice = f"{door.path}?{name}=a&{name}=b&{name}[]=c"
        yield Oddity(door, f"?{name}", "three times", partial(door.send, path=thrice))


def _in_a_form(door: Door) -> Iterator[Oddity]:
    for name in door.names:
        rest = urlencode({key: value for key, value in door.form.items() if key != name})
        for says, value in {**QUOTED, "megabyte": MEGABYTE}.items():
            yield _form(door, name, says, f"{rest}&{name}={value}")
        yield _form(door, name, "missing", rest)
        yield _form(door, name, "three times", f"{rest}&{name}=a&{name}=b&{name}[]=c")
        file = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a\\0.txt"\r\n\r\nx\r\n--b--\r\n'
        kind = "multipart/form-data; boundary=b"
        yield Oddity(door, name, "a file", partial(door.send, body=file.encode(), content_type=kind))


def _form(door: Door, name: str, says: str, body: str) -> Oddity:
    return Oddity(door, name, says, partial(door.send, body=body.encode(), content_type=FORM))


def _in_json(door: Door) -> Iterator[Oddity]:
    send = partial(door.send, content_type="application/json")
    for name in door.names:
        for says, value in VALUES.items():
            yield Oddity(door, name, says, partial(send, body=json.dumps({**door.form, name: value}).encode()))
    for says, raw in BODIES.items():
        yield Oddity(door, "the body", says, partial(send, body=raw))


def all_at_once(door: Door) -> Iterator[Oddity]:
    """One request of each kind, in which everything is odd, at each door with other values."""
    chosen = partial(_chosen, door)
    for key, usual in door.arguments.items():
        says, value = chosen(key, QUOTED)
        path = door.path.replace(f"/{usual}/", f"/{value}/", 1)
        yield Oddity(door, f"<{key}>", says, partial(door.send, path=path))
    query = "&".join(f"{name}={chosen(name, QUOTED)[1]}" for name in door.names)
    if door.method == "GET" and query:
        yield Oddity(door, "the query", query, partial(door.send, path=f"{door.path}?{query}"))
    elif door.is_json:
        body = {name: chosen(name, VALUES)[1] for name in door.names}
        send = partial(door.send, content_type="application/json")
        yield Oddity(door, "every field", str(body)[:300], partial(send, body=json.dumps(body).encode()))
        says, raw = chosen("", BODIES)
        yield Oddity(door, "the body", says, partial(send, body=raw))
    elif door.method == "POST":
        yield _form(door, "every field", query[:300], query)
        says, value = chosen("", QUOTED)
        whole = urlencode(door.form) + "".join(f"&{name}={value}" for name in set(door.names) - set(door.form))
        yield _form(door, "what may be left out", says, whole)


def _chosen(door: Door, name: str, values: dict[str, Any]) -> tuple[str, Any]:
    place = zlib.crc32(f"{door.method} {door.name} {name}".encode()) % len(values)
    return list(values.items())[place]


def with_headers(door: Door) -> Iterator[Oddity]:
    body = json.dumps(door.form) if door.is_json else urlencode(door.form)
    kind = "application/json" if door.is_json else FORM
    send = partial(door.send, body=body.encode() if door.method != "GET" else b"")
    for header, values in HEADERS.items():
        for value in values:
            options: dict[str, Any] = {"content_type": kind, header: value.encode().decode("latin-1")}
            yield Oddity(door, header, repr(value[:40]), partial(send, **options))
    for charset in CHARSETS:
        query = f"{door.path}?q=a%61"
        yield Oddity(door, "charset", charset, partial(send, path=query, content_type=f"{kind}; charset={charset}"))


class Visitor(Client):
    """Comes in by the web server's entry point, as far as that changes a request."""

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        return without_charset(super()._base_environ(**request))  # type: ignore[misc]


def faults(stage: Stage, odd: Oddity) -> list[str]:
    """Nothing for an answer below 500 that, where it refuses, has changed nothing."""
    client = Visitor(raise_request_exception=False)
    if odd.door.who != "anonymous":
        client.cookies[settings.SESSION_COOKIE_NAME] = stage.cookies[odd.door.who]
    with transaction.atomic():
        response = odd.send(client)
        body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
        left = response.status_code >= 400 and odd.door.method != "GET" and written() != stage.before
        transaction.set_rollback(True)
    if response.status_code >= 500:
        return [f"{odd}: {response.status_code} {getattr(response, 'exc_info', body[:80])}"]
    return [f"{odd}: refused, and yet something has changed"] if left else []


@pytest.mark.django_db
def test_a_door_refuses_odd_values_and_stays_whole(stage: Stage, doors: list[Door]) -> None:
    """Every third door; the full run tries each value at each parameter of all of them."""
    assert [fault for door in doors[::3] for odd in all_at_once(door) for fault in faults(stage, odd)] == []


@pytest.mark.django_db
def test_odd_headers_are_no_fault_of_ours(stage: Stage, doors: list[Door]) -> None:
    picked = [door for door in doors if (door.name, door.method) == ("login", "POST")]
    assert [fault for door in picked for odd in with_headers(door) for fault in faults(stage, odd)] == []


@pytest.mark.django_db
def test_an_unknown_host_is_told_so_and_gets_no_page_of_ours() -> None:
    response = Client().get("/login/", HTTP_HOST="evil.example")
    assert response.status_code == 400
    assert "Nie zrozumieliśmy" in response.content.decode()


@pytest.mark.django_db  # the entry point judges its role at the database when it is first imported
@pytest.mark.parametrize("charset", CHARSETS)
def test_the_entry_point_decodes_no_query_by_a_codec_that_the_request_names(charset: str) -> None:
    """Django would do so before any middleware: a megabyte of punycode took minutes."""
    environ = RequestFactory()._base_environ(  # type: ignore[attr-defined]
        PATH_INFO="/health/", QUERY_STRING="q=" + "a" * 200_000 + "-\xff", CONTENT_TYPE=f"text/plain; charset={charset}"
    )
    answers: list[str] = []
    application = import_module("sla_portal.wsgi").application
    b"".join(application(environ, lambda status, _headers: answers.append(status)))
    assert answers == ["400 Bad Request"]


@pytest.mark.full
@pytest.mark.django_db
def test_every_odd_value_at_every_parameter(stage: Stage, doors: list[Door]) -> None:
    walked: Counter[str] = Counter()
    wrong: list[str] = []
    for door in doors:
        names = set()
        for number, odd in enumerate(oddities(door)):
            names.add(odd.name)
            if walked[odd.name] < AT_MOST or number % 10 == 0:
                wrong += faults(stage, odd)
        walked.update(names)
    assert wrong == []


@pytest.mark.full
@pytest.mark.django_db
@pytest.mark.parametrize("name", ["home", "incidents", "api-incidents", "api-token", "choose_theme"])
def test_every_odd_header_at_other_doors(stage: Stage, doors: list[Door], name: str) -> None:
    picked = [door for door in doors if door.name == name]
    assert [fault for door in picked for odd in with_headers(door) for fault in faults(stage, odd)] == []
