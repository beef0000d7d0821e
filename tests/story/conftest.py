"""The running product, people with browsers of their own, and the album of the story's stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from tests import build
from tests.story.product import Product, clear_queues, free_ports
from tests.story.stops import Album

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
SLOWEST = 60_000
"""Milliseconds that a page may take on a slow and busy machine."""

SignIn = Callable[..., Page]


@pytest.fixture
def product(process_environment: dict[str, str], tmp_path: Path, settings: Any) -> Iterator[Product]:
    """Every process of the product, on this test's database."""
    # The pages run outside this process and don't know the tests' quick hash
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    clear_queues()
    started = Product(tmp_path, process_environment, free_ports())
    try:
        started.start()
        yield started
    finally:
        started.end()
        clear_queues()


@pytest.fixture
def album() -> Album:
    return Album()


@pytest.fixture
def contexts(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens contexts in Polish, and closes them at the end."""
    expect.set_options(timeout=SLOWEST)
    opened: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        context = browser.new_context(locale="pl-PL", timezone_id="Europe/Warsaw", reduced_motion="reduce", **options)
        context.set_default_timeout(SLOWEST)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def sign_in(contexts: Callable[..., BrowserContext], product: Product) -> SignIn:
    """A person's browser, signed in by the form: `sign_in(user, **PHONE)`."""

    def enter(user: User, **options: Any) -> Page:
        page = contexts(base_url=product.url, **options).new_page()
        page.goto("/")
        page.get_by_label("E-mail").fill(user.email)
        page.get_by_label("Hasło").fill(build.PASSWORD)
        page.get_by_role("button", name="Zaloguj się").click()
        page.wait_for_url(lambda address: "/login/" not in address)
        return page

    return enter
