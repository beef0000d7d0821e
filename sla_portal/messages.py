"""Catalogues of people's words, one per room, kept with Babel so that no system gettext is needed.

    python -m sla_portal.messages [ROOM…]      extract, update, compile
    python -m sla_portal.messages --compile    only compile what is stale
    python -m sla_portal.messages --drop       also forget translations that nothing uses
    python -m sla_portal.messages --check      change nothing; exit 1 if anything is missing, fuzzy, unused or stale

Source strings are English, so only Polish has catalogues. Translators type plain spaces; compiling makes some no-break.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from wording.words import typographic

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("wording", "messaging", "accounts", "contracts", "incidents", "monitoring", "reports", "sla_portal")
LANGUAGE = "pl"
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "gettext_noop": None,
}
FIELDS = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")


def sources(room: str, root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Files whose words belong to the room, each with Babel's way of reading it."""
    for path in sorted((root / room).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, "python"
    yield from ((path, "enmerkar.extract:extract_django") for path in _templates(room, root))


def _templates(room: str, root: Path) -> list[Path]:
    folder = root / "templates"
    paths = [path for path in (folder / room).rglob("*") if path.suffix in {".html", ".txt"}]
    if room == "sla_portal":
        paths += [path for path in folder.glob("*") if path.suffix in {".html", ".txt"}]
    return sorted(paths)


def extract(room: str, root: Path = ROOT) -> Catalog:
    """Every source string of the room, with the files (no line numbers: they only make noise in diffs)."""
    catalog = Catalog(locale=LANGUAGE, project="sla_portal", domain="django", fuzzy=False)
    for path, method in sources(room, root):
        where = path.relative_to(root).as_posix()
        for _line, text, comments, context in extract_from_file(method, path, KEYWORDS, ("Translators:",)):
            catalog.add(text, locations=[(where, 0)], auto_comments=comments, context=context)
    return catalog


def po_path(room: str, root: Path = ROOT) -> Path:
    return root / room / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def read(room: str, root: Path = ROOT) -> Catalog:
    path = po_path(room, root)
    if not path.exists():
        return Catalog(locale=LANGUAGE, domain="django", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE, domain="django")


def updated(room: str, root: Path = ROOT) -> Catalog:
    """The room's catalogue with the strings of today; nothing is guessed from a similar string."""
    catalog = read(room, root)
    catalog.update(extract(room, root), no_fuzzy_matching=True, update_creation_date=False)
    return catalog


def as_po(catalog: Catalog, *, drop_unused: bool = False) -> str:
    """The catalogue as text. The header has no dates, so that an unchanged room is an unchanged file."""
    buffer = io.BytesIO()
    write_po(
        buffer, catalog, omit_header=True, include_lineno=False, ignore_obsolete=drop_unused, sort_output=True, width=0
    )
    header = (
        'msgid ""\nmsgstr ""\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Language: {LANGUAGE}\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    return header + buffer.getvalue().decode().strip() + "\n"


def update(room: str, *, drop_unused: bool = False, root: Path = ROOT) -> bool:
    """Writes the room's catalogue if it changed; answers whether it did."""
    catalog, path = updated(room, root), po_path(room, root)
    if not len(catalog) and not path.exists():
        return False
    text = as_po(catalog, drop_unused=drop_unused)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def compiled(catalog: Catalog) -> bytes:
    """The binary catalogue, with no-break spaces where Polish type wants them."""
    polished = Catalog(locale=LANGUAGE, domain="django", fuzzy=False)
    for message in catalog:
        if message.id:
            polished.add(message.id, _joined(message), context=message.context, flags=message.flags)
    buffer = io.BytesIO()
    write_mo(buffer, polished)
    return buffer.getvalue()


def _strings(message: Message) -> tuple[str, ...]:
    """One string, or one per plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def _joined(message: Message) -> str | tuple[str, ...]:
    joined = tuple(typographic(part) for part in _strings(message))
    return joined[0] if isinstance(message.string, str) else joined


def compile_room(room: str, root: Path = ROOT) -> bool:
    """Writes the .mo beside the .po if it differs; answers whether it did."""
    path = po_path(room, root)
    if not path.exists():
        return False
    binary, target = compiled(read(room, root)), path.with_suffix(".mo")
    if target.exists() and target.read_bytes() == binary:
        return False
    spare = target.with_suffix(".mo.new")
    spare.write_bytes(binary)
    spare.replace(target)
    return True


def faults(room: str, root: Path = ROOT) -> Iterator[str]:
    """What keeps the room from being wholly Polish, a sentence each."""
    catalog = updated(room, root)
    for message in catalog:
        if message.id:
            yield from (f"{room}: {fault}: {_label(message)}" for fault in _message_faults(message))
    yield from (f"{room}: translated but unused: {_label(message)}" for message in catalog.obsolete.values())
    path = po_path(room, root)
    if len(catalog) and (not path.exists() or path.read_text(encoding="utf-8") != as_po(catalog)):
        yield f"{room}: the catalogue is older than the code: run python -m sla_portal.messages {room}"


def _label(message: Message) -> str:
    text = message.id if isinstance(message.id, str) else message.id[0]
    where = message.locations[0][0] if message.locations else ""
    return f"{text!r} {where}".strip()


def _message_faults(message: Message) -> Iterator[str]:
    strings = _strings(message)
    if not all(strings):
        yield "not translated"
    if message.fuzzy:
        yield "fuzzy"
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    fields = set(FIELDS.findall(" ".join(ids)))
    if any(text and not set(FIELDS.findall(text)) <= fields for text in strings):
        yield "fields that the source lacks"
    if isinstance(message.id, str) and strings[0] and set(FIELDS.findall(strings[0])) != fields:
        yield "fields differ from the source"


def contradictions(rooms: tuple[str, ...] = ROOMS, root: Path = ROOT) -> Iterator[str]:
    """Django merges the rooms' catalogues, so one string may not be said in two ways."""
    translations: dict[tuple[str, str], tuple[str, str]] = {}
    for room in rooms:
        for message in read(room, root):
            if not isinstance(message.id, str) or not message.id or not message.string:
                continue
            first = translations.setdefault((message.id, message.context or ""), (room, str(message.string)))
            if first[1] != message.string:
                yield f"{room}: {message.id!r} is {message.string!r} here and {first[1]!r} in {first[0]}"


def check(rooms: tuple[str, ...]) -> int:
    lines = [fault for room in rooms for fault in faults(room)] + list(contradictions())
    sys.stdout.write("\n".join(lines or ["every string is translated"]) + "\n")
    return 1 if lines else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sla_portal.messages", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], metavar="ROOM", help="default: all")
    parser.add_argument("--compile", action="store_true", dest="only_compile")
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    rooms = tuple(options.rooms) or ROOMS
    if options.check:
        return check(rooms)
    changed = [] if options.only_compile else [room for room in rooms if update(room, drop_unused=options.drop)]
    built = [room for room in rooms if compile_room(room)]
    sys.stdout.write(f"updated: {', '.join(changed) or 'none'}; compiled: {', '.join(built) or 'none'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
