"""Pictures of a story's stops, in both themes, kept for people to look at; and a phone that counts taps."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Locator, Page

THEMES = ("light", "dark")


class Album:
    """Numbered pictures in `story` in the folder that ARTEFACTS names; without one none is taken, they cost 15 s."""

    def __init__(self) -> None:
        wanted = os.environ.get("ARTEFACTS", "")
        self.folder = Path(wanted) / "story" if wanted else None
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
        self.taken = 0

    def take(self, page: Page, name: str) -> None:
        """The whole page, light and dark."""
        if not self.folder:
            return
        self.taken += 1
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            path = self.folder / f"{self.taken:02d}-{name}-{theme}.png"
            page.screenshot(path=path, full_page=True, animations="disabled")

    def note(self, name: str, words: str) -> None:
        if self.folder:
            (self.folder / f"{name}.txt").write_text(f"{words}\n", encoding="utf-8")


class Thumb:
    """A person with a phone: every touch is counted, typing is not."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    def tap(self, target: Locator) -> None:
        self.taps += 1
        target.tap()

    def write(self, field: Locator, words: str) -> None:
        self.tap(field)
        self.page.keyboard.insert_text(words)
