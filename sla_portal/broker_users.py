"""The broker's users: the portal, one for the probe of each place, and one that only ends the server.

The embedded server and docker-compose.yml have the same ones (a test compares them). Their passwords are made once for
a data folder and kept in a private file in it, as the secret key is.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from monitoring.probe import link as probe_link

PORTAL, KEEPER = "portal", "keeper"
# Everything on data; nothing of the server itself. Scripts by their hash, as Kombu's locks send them: one reaches no
# key or command that its user does not.
PORTAL_RULES = (
    "~*",
    "&*",
    "+@all",
    "-@admin",
    "-@dangerous",
    "-@scripting",
    "+evalsha",
    "+script|load",
    "+script|exists",
)
# A probe's flood ends at these and not with the server. The largest message of ours, 300 questions with long texts, has
# about 1.5 MB; `monitoring.tasks.guard` makes room again.
LIMITS = "--maxmemory 160mb --maxmemory-clients 64mb --proto-max-bulk-len 4mb"
KEEPER_RULES = ("resetkeys", "resetchannels", "-@all", "+ping", "+shutdown")


def rules_of(user: str) -> list[str]:
    if user == PORTAL:
        return list(PORTAL_RULES)
    if user == KEEPER:
        return list(KEEPER_RULES)
    return probe_link.probe_rules(user.removeprefix("probe."))


def probe_user(place: str) -> str:
    return f"probe.{place}"


def acl(passwords: Mapping[str, str]) -> str:
    """The server's file of users; nobody else gets in."""
    users = [f"user {user} on >{word} {' '.join(rules_of(user))}" for user, word in passwords.items()]
    return "\n".join(["user default off", *users, ""])


def kept(data_dir: Path) -> dict[str, str]:
    """User → password of this data folder; empty before the first `make run`."""
    file = file_of(data_dir)
    words: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return words


def make(data_dir: Path, places: Iterable[str]) -> dict[str, str]:
    """The same, with a password made for each user that has none yet."""
    file, words = file_of(data_dir), kept(data_dir)
    users = [PORTAL, KEEPER, *map(probe_user, places)]
    if missing := [user for user in users if user not in words]:
        words |= {user: secrets.token_urlsafe(24) for user in missing}
        draft = file.with_suffix(".part")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as text:
            json.dump(words, text, indent=1)
        draft.replace(file)
    return words


def file_of(data_dir: Path) -> Path:
    return data_dir / "run" / "broker_passwords.json"
