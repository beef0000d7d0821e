"""The line between the portal and the probe of a place: names, addresses and rules that both sides read. No Django.

Each place has a key prefix of its own, `probe.<place>.`, with two lists in it: a Celery queue that the portal fills,
and the results, a line of JSON each, that the portal takes. The place's broker user reaches these two lists by the
commands below and nothing else: no other key, no channel, no script.
"""

from __future__ import annotations

import re
import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import redis

CHECKS_TASK = "probe.run_checks"
# What a probe keeps there for a portal that is away: some ten minutes of a full worker, 50 MB.
RESULTS_KEPT = 100_000
# It stands in keys and in the broker's list of users, where a star or a blank would mean more.
PLACE_NAME = re.compile("[A-Za-z0-9_-]{1,40}")
PROBE_COMMANDS = (
    "ping",
    "hello",
    "select",
    "client|setinfo",
    "client|setname",
    "brpop",
    "lpush",
    "llen",  # the queue; a worker that ends puts back what it has not begun
    "rpush",
    "ltrim",  # the results
)


def prefix(place: str) -> str:
    return f"probe.{place}."


def queue_name(place: str) -> str:
    return f"probe.{place}"


def queue_key(place: str) -> str:
    return prefix(place) + queue_name(place)


def results_key(place: str) -> str:
    return f"{prefix(place)}results"


def probe_rules(place: str) -> list[str]:
    """What the broker user of a place may do, in the words of an ACL: its queue, and writing its results."""
    keys = [f"~{queue_key(place)}", f"%W~{results_key(place)}"]
    return [*keys, "resetchannels", "-@all", *(f"+{command}" for command in PROBE_COMMANDS)]


def celery_address(url: str) -> str:
    """Celery's spelling of a Redis address: its sockets are `redis+socket://…?virtual_host=N`."""
    if not url.startswith("unix://"):
        return url
    address, _, query = url.removeprefix("unix://").partition("?")
    return f"redis+socket://{address}?virtual_host={dict(parse_qsl(query)).get('db', '0')}"


def redis_address(url: str) -> str:
    """The other way round."""
    if not url.startswith("redis+socket://"):
        return url
    address, _, query = url.removeprefix("redis+socket://").partition("?")
    return f"unix://{address}?db={dict(parse_qsl(query)).get('virtual_host', '0')}"


def tls_options(url: str, ca_file: str) -> dict[str, Any]:
    """For `rediss://`: the certificate is verified, by `ca_file` or the system's authorities. Kombu alone would not."""
    if not url.startswith("rediss://"):
        return {}
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": ca_file or None}


def refused_options(url: str) -> str:
    """The part of an address that would loosen the verification, or ""."""
    return next((name for name, _ in parse_qsl(urlsplit(url).query) if name.startswith("ssl_")), "")


def celery_options(url: str, ca_file: str, place: str) -> dict[str, Any]:
    """How either side reaches the queue of a place. Without acknowledgements: a lost question is asked again anyway."""
    return {
        "broker_url": celery_address(url),
        "broker_use_ssl": tls_options(url, ca_file) or None,
        "broker_transport_options": {
            "global_keyprefix": prefix(place),
            "ack_emulation": False,
            "priority_steps": [0],
        },
        "accept_content": ["json"],
        "task_ignore_result": True,
    }


def has_wrong_port(url: str) -> bool:
    """Mostly a password with a letter that ends the host part; whoever reads the port next would say the letters."""
    try:
        urlsplit(url).port  # noqa: B018 (it is asked for its error)
    except ValueError:
        return True
    return False


def without_password(address: str) -> str:
    """An address as people may read it, also one that is wrong."""
    masked = re.sub(r":[^/\s]\S*@", ":…@", address)
    return re.sub(r"(password=)[^&\s]*", r"\1…", masked)


def client(url: str, ca_file: str, *, seconds: float) -> redis.Redis:
    """A connection of its own that waits no longer than `seconds` for an answer."""
    return redis.Redis.from_url(
        redis_address(url), socket_timeout=seconds, socket_connect_timeout=seconds, **tls_options(url, ca_file)
    )
