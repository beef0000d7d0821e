"""The few files of npm packages that pages load, served as static files from `node_modules`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

from sla_portal.environment import BASE_DIR

NODE_MODULES = BASE_DIR / "node_modules"
# Address under /static/ → file under node_modules; `make env` leaves of Tabler's 635 kB the 36 that pages use
FILES = {"npm/tabler.min.css": ".built/tabler.min.css"}


class NpmStorage(FileSystemStorage):
    """Reads `npm/…` names from where npm has put them."""

    def path(self, name: str) -> str:
        return str(NODE_MODULES / FILES[name])


class NpmFinder(BaseFinder):
    def __init__(self) -> None:
        self.storage = NpmStorage(location=str(NODE_MODULES))

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        missing = [name for name in FILES.values() if not (NODE_MODULES / name).is_file()]
        return [Error(f"{name} is missing in node_modules", hint="Run `make env`.", id="npm.E001") for name in missing]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        paths = [str(NODE_MODULES / FILES[path])] if path in FILES else []
        return paths if find_all else (paths[0] if paths else None)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in FILES:
            yield name, self.storage
