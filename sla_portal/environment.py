"""Every variable that the product reads from the environment, with its default and what it means.

`settings.py` reads them through this file, the README's table is compared with it, and a wrong value stops the start
with a sentence that names the variable, the value and what was expected.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from monitoring.probe.canary_hosts import PUBLIC, Canary, parse_canaries
from monitoring.probe.link import PLACE_NAME, has_wrong_port, refused_options, without_password
from wording.texts import number_in

BASE_DIR = Path(__file__).resolve().parent.parent
YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
KEY_LETTERS = 50  # as Django's own check of SECRET_KEY asks (security.W009)
MOST_DAYS = 36_500  # a century
MOST_HOURS = 24 * 366  # a year
NEW_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'


# Lanes whose tasks act on incidents and write letters
LANES = frozenset({"clock", "mail", "calls", "checks", "worker"})
ACTING = LANES | {"web"}


@dataclass(frozen=True)
class Variable:
    """`read_by`: the processes of `processes.py`, and `migrate`, that read it in production; none: only elsewhere."""

    default: str
    says: str
    read_by: frozenset[str] = frozenset()


VARIABLES: dict[str, Variable] = {
    "DATABASE_URL": Variable(
        "",
        "`postgresql://user:password@host:5432/name`; empty: the embedded server of `make run`",
        ACTING | {"migrate", "backup"},
    ),
    "MIGRATE_DATABASE_URL": Variable(
        "",
        "the same database with its owner's name and password, for `manage.py migrate`, `roles`, `backup`, `restore`",
        frozenset({"migrate", "backup"}),
    ),
    "REDIS_URL": Variable(
        "",
        "`redis://user:password@host:6379/0`, `rediss://…` or `unix:///path`; empty: the embedded server",
        ACTING | {"beat"},
    ),
    "BROKER_CA_FILE": Variable(
        "",
        "certificates by which a `rediss://` broker is verified; empty: the system's authorities",
        ACTING | {"beat", "probe"},
    ),
    "SECRET_KEY": Variable(
        "",
        "signs sessions and links, 50 letters or more; must be given with `DATABASE_URL`",
        ACTING | {"migrate", "backup"},
    ),
    "DEBUG": Variable("off", "`on` shows error details to everybody: never in production"),
    "DATA_DIR": Variable("var", "folder of the embedded servers, logs and the demo's mailbox"),
    "PORT": Variable(
        "8000", "port of `make run`; the four after it serve the mailbox page, SMTP, the demo shops and their TLS"
    ),
    "BASE_URL": Variable("", "public address that links in mails begin with; empty: `http://127.0.0.1:PORT`", ACTING),
    "ALLOWED_HOSTS": Variable(
        "", "host names that are answered, by commas, beside the one of `BASE_URL`", frozenset({"web"})
    ),
    "TRUST_PROXY": Variable(
        "off",
        "how many proxies of yours stand before the portal, `on` is 1, `off` 0; the last so many entries of "
        "`X-Forwarded-For`, and `X-Forwarded-Proto`, are believed",
        frozenset({"web"}),
    ),
    "EMAIL_URL": Variable(
        "", "`smtp+tls://user:password@host:587`; empty: the demo's mailbox", frozenset({"web", "mail"})
    ),
    "EMAIL_FROM": Variable(
        "Studio Północ <sla@studiopolnoc.example>", "sender of every mail", frozenset({"web", "mail"})
    ),
    "GATEWAY_URL": Variable(
        "", "HTTP gateway for SMS and voice, called with POST; empty: the demo's mailbox", frozenset({"calls"})
    ),
    "GATEWAY_TOKEN": Variable("", "sent to the gateway as `Authorization: Bearer …`", frozenset({"calls"})),
    "ANCHOR_ADDRESS": Variable(
        "",
        "e-mail addresses outside, by commas, that get the day's anchor, one hash, each day; empty: none",
        frozenset({"worker"}),
    ),
    "KEEP_ATTEMPTS_DAYS": Variable(
        "30",
        "days for which letters of sign-in, refusals by a limit and tries to sign in are kept, 7 or more; sessions and "
        "tokens go when they end",
        frozenset({"worker"}),
    ),
    "KEEP_KEYS_DAYS": Variable(
        "30", "days for which a repeat key (`form_key`) files nothing twice, 7 or more", frozenset({"worker"})
    ),
    "KEEP_LETTERS_DAYS": Variable(
        "365",
        "days after which words and address of a notice go, 30 or more; whom, channel, when and hash stay",
        frozenset({"worker"}),
    ),
    "BACKUP_HOURS": Variable(
        "26",
        "age in hours from which the health page says that the last `manage.py backup` is too old; `0`: backups are "
        "made in another way and not watched",
        frozenset({"web"}),
    ),
    "READY_TOKEN": Variable(
        "",
        "who sends it as `Authorization: Bearer …` reads `/readyz` from anywhere; empty: only the same machine does",
        frozenset({"web"}),
    ),
    "PROVIDER_NAME": Variable("Studio Północ", "the provider's name on pages, in mails and documents", ACTING),
    "DUTY_PHONE": Variable("22 100 20 30", "on-call phone, shown on login, receipt and every error page", ACTING),
    "LIMIT_REPORTS": Variable(
        "120/1h",
        "failures that one person, or one token, may report at once, and the time in which that refills; a person's "
        "tokens have 3 times, a client 10 times as much together",
        frozenset({"web"}),
    ),
    "LIMIT_ACTS": Variable(
        "600/10min", "the same for everything else that is sent: answers, notes, edits, decisions", frozenset({"web"})
    ),
    "LIMIT_READS": Variable(
        "1200/10min", "the same for reads of the API, searches, files and checks of a journal", frozenset({"web"})
    ),
    "PROBE_PLACES": Variable(
        "pl",
        "places that look, by commas; each is a queue `probe.<place>` with a worker of its own",
        frozenset({"web", "checks"}),
    ),
    "PROBE_ALLOW_NETWORKS": Variable(
        "",
        "private networks that monitors may reach, by commas, like `127.0.0.1/32`; read by the form and by each probe",
        frozenset({"web", "probe"}),
    ),
    "PROBE_PORTS": Variable(
        "80,443", "ports that monitors may reach outside `PROBE_ALLOW_NETWORKS`", frozenset({"web", "probe"})
    ),
    "PROBE_CANARIES": Variable(
        PUBLIC,
        "`host:port` by commas that tell whether our own way out works, best of four parties; `none`: not asked",
        frozenset({"web", "probe"}),
    ),
    "PROBE_CA_FILE": Variable("", "certificates that the probe trusts beside the system's own; for tests"),
    "PROBE_PLACE": Variable("pl", "where this probe stands: one of `PROBE_PLACES`", frozenset({"probe"})),
    "BROKER_URL": Variable(
        "",
        "the probe's own and only address of the broker, with the user `probe.<place>`; the portal uses `REDIS_URL`",
        frozenset({"probe"}),
    ),
    "WORKED_FILE": Variable(
        "",
        "file that a worker touches after each task, for the health check of its container; empty: none",
        LANES | {"probe"},
    ),
    "DEMO_DATA": Variable("on", "`off`: `make run` begins with an empty database"),
    "DEMO_SHOPS_URL": Variable("", "address of the demo shops; set by `make run` only"),
    "STATIC_ROOT": Variable("staticfiles", "folder that `manage.py collectstatic` fills"),
    "STATIC_HASHED": Variable("off", "`on` after `collectstatic`: file names carry a hash and are cached for a year"),
}


def text(name: str) -> str:
    """The variable's value without outer spaces, or its default."""
    return os.environ.get(name, "").strip() or VARIABLES[name].default


def refuse(name: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={without_password(text(name))!r}: expected {expected}.")


def flag(name: str) -> bool:
    """on or off; anything else is refused, so that a typo never means `off`."""
    value = text(name).lower()
    if value not in YES | NO:
        raise refuse(name, "on or off")
    return value in YES


def port(name: str) -> int:
    value = text(name)
    if not 1 <= (number_in(value) or 0) <= 65531:
        raise refuse(name, "a port from 1 to 65531")
    return int(value)


def proxies(name: str) -> int:
    """How many proxies of ours a request passes."""
    value = text(name).lower()
    if value in {"on", "true", "yes"} | NO:
        return 0 if value in NO else 1
    if not re.fullmatch("[1-9]", value):
        raise refuse(name, "on, off or the number of your proxies, 0 to 9")
    return int(value)


RATE = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,3})(s|min|h)")
UNITS = {"s": 1, "min": 60, "h": 3600}


def rate(name: str) -> tuple[int, timedelta]:
    """How many at once, and in which time that refills."""
    match = RATE.fullmatch(text(name))
    if match is None:
        raise refuse(name, "a number and a time, like 600/10min; the units are s, min and h")
    return int(match[1]), timedelta(seconds=int(match[2]) * UNITS[match[3]])


def words(name: str) -> list[str]:
    """A list by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def addresses(name: str) -> list[str]:
    for word in words(name):
        try:
            validate_email(word)
        except ValidationError as error:
            raise refuse(name, "e-mail addresses, separated by commas") from error
    return words(name)


def days(name: str, least: int) -> int:
    value = number_in(text(name))
    if value is None or not least <= value <= MOST_DAYS:
        raise refuse(name, f"a number of days from {least} to {MOST_DAYS}")
    return value


def hours(name: str) -> int:
    value = number_in(text(name))
    if value is None or value > MOST_HOURS:
        raise refuse(name, f"a number of hours from 0 to {MOST_HOURS}")
    return value


def ports(name: str) -> list[int]:
    if not all(1 <= (number_in(word) or 0) <= 65535 for word in words(name)):
        raise refuse(name, "ports from 1 to 65535, separated by commas")
    return [int(word) for word in words(name)]


def places(name: str) -> list[str]:
    """Names that stand in keys and users of the broker."""
    if not all(PLACE_NAME.fullmatch(word) for word in words(name)):
        raise refuse(name, "names of letters, digits, - and _, separated by commas")
    return words(name)


def networks(name: str) -> list[str]:
    for word in words(name):
        try:
            ipaddress.ip_network(word)
        except ValueError as error:
            raise refuse(name, f"networks such as 127.0.0.1/32, separated by commas ({error})") from error
    return words(name)


def canaries(name: str) -> tuple[Canary, ...]:
    try:
        return parse_canaries(text(name))
    except ValueError as error:
        raise refuse(name, "host:port, separated by commas, or none") from error


def url(name: str, *schemes: str, default: str = "") -> str:
    """An address with one of the schemes, or the default where nothing is set."""
    value = text(name) or default
    if value and urlsplit(value).scheme not in schemes:
        raise refuse(name, f"an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if has_wrong_port(value):
        raise refuse(name, "an address with a port, and in its password %2F for /, %23 for #, %3F for ?")
    return value


def broker(name: str, default: str = "") -> str:
    """An address of Redis. The certificate of a `rediss://` one is always verified: nothing in it may say otherwise."""
    value = url(name, "redis", "rediss", "unix", default=default)
    if option := refused_options(value):
        raise refuse(name, f"an address without {option}: the certificate is verified, by BROKER_CA_FILE if given")
    return value


def folder(name: str) -> Path:
    """A folder; a relative one is inside the project."""
    return (BASE_DIR / text(name)).resolve()


def secret_key(key_file: Path, *, required: bool) -> str:
    """The given key; else, for local use, the one that `make run` made for its data folder."""
    value = text("SECRET_KEY")
    if value and len(value) < KEY_LETTERS:
        raise ImproperlyConfigured(
            f"SECRET_KEY has {len(value)} characters: expected {KEY_LETTERS} or more. {NEW_KEY} prints one; "
            "with a new key everybody signs in again and links in old letters are dead."
        )
    if not value and required:
        raise ImproperlyConfigured(
            f"SECRET_KEY is empty: expected 50 random characters, as DATABASE_URL is set. {NEW_KEY} prints one."
        )
    return value or (
        key_file.read_text().strip() if key_file.is_file() else "only-for-commands-before-the-first-make-run"
    )
