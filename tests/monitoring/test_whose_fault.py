"""Each error that connecting and a look-up can give, whose fault it is; then a probe that has no route."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from incidents.models import Incident
from messaging.models import Notification
from monitoring.incoming import record_lines
from monitoring.models import Monitor, Outage
from monitoring.probe.connecting import interleaved
from monitoring.probe.faults import CheckError, connect_fault, most_telling, name_fault
from monitoring.probe.result_lines import line_of
from monitoring.state.schedule import specification
from tests import build
from tests.monitoring.played import monitor

ROOT = Path(__file__).resolve().parents[2]
# errno → what it is where our kernel says it at once, and where it comes after the first packet has left
REFUSED, RESET, UNREACHABLE, OURS = "connect refused", "connect reset", "connect unreachable", "egress local"
CONNECT = {
    "ECONNREFUSED": (REFUSED, REFUSED),
    "ECONNRESET": (RESET, RESET),
    "ECONNABORTED": (RESET, RESET),
    "ENETUNREACH": (OURS, UNREACHABLE),
    "EHOSTUNREACH": (OURS, UNREACHABLE),
    "EHOSTDOWN": (OURS, UNREACHABLE),
    "ENONET": (OURS, UNREACHABLE),
    "ENOPROTOOPT": (OURS, UNREACHABLE),
    "EPROTO": (OURS, UNREACHABLE),
    "EMSGSIZE": (OURS, UNREACHABLE),
    "EOPNOTSUPP": (OURS, UNREACHABLE),
    "ETIMEDOUT": (OURS, UNREACHABLE),
    "EACCES": (OURS, UNREACHABLE),
    "EPERM": (OURS, OURS),
    "EADDRNOTAVAIL": (OURS, OURS),
    "EADDRINUSE": (OURS, OURS),
    "EAFNOSUPPORT": (OURS, OURS),
    "EPROTONOSUPPORT": (OURS, OURS),
    "EAGAIN": (OURS, OURS),
    "EALREADY": (OURS, OURS),
    "EBADF": (OURS, OURS),
    "EFAULT": (OURS, OURS),
    "EINTR": (OURS, OURS),
    "EINVAL": (OURS, OURS),
    "EIO": (OURS, OURS),
    "EISCONN": (OURS, OURS),
    "EMFILE": (OURS, OURS),
    "ENFILE": (OURS, OURS),
    "ENOBUFS": (OURS, OURS),
    "ENOMEM": (OURS, OURS),
    "ENETDOWN": (OURS, OURS),
    "ENODEV": (OURS, OURS),
    "ENOTSOCK": (OURS, OURS),
    "EPROTOTYPE": (OURS, OURS),
}
NAMES = {
    "EAI_NONAME": "dns nxdomain",
    "EAI_NODATA": "dns nxdomain",
    "EAI_ADDRFAMILY": "dns nxdomain",
    "EAI_AGAIN": "dns servfail",
    "EAI_FAIL": "dns servfail",
    "EAI_BADFLAGS": OURS,
    "EAI_FAMILY": OURS,
    "EAI_MEMORY": OURS,
    "EAI_OVERFLOW": OURS,
    "EAI_SERVICE": OURS,
    "EAI_SOCKTYPE": OURS,
    "EAI_SYSTEM": OURS,
}


def said(failure: CheckError) -> str:
    return f"{failure.fault} {failure.detail}"


@pytest.mark.parametrize("name", CONNECT)
def test_an_error_of_connecting_is_the_shops_only_where_the_shop_can_cause_it(name: str) -> None:
    number = getattr(errno, name)
    judged = [said(connect_fault(number, "203.0.113.7", was_sent=was_sent)) for was_sent in (False, True)]
    assert tuple(judged) == CONNECT[name]


def test_an_error_that_nobody_listed_is_ours() -> None:
    listed = {getattr(errno, name) for name in CONNECT}
    others = set(errno.errorcode) - listed
    assert {said(connect_fault(number, "", was_sent=True)) for number in others} == {OURS}


def test_every_error_of_a_look_up_is_judged() -> None:
    codes = {name for name in dir(socket) if name.startswith("EAI_") and name != "EAI_MAX"}
    assert codes == set(NAMES)
    judged = {name: said(name_fault(socket.gaierror(getattr(socket, name), ""), "sklep.example")) for name in NAMES}
    assert judged == NAMES


def test_of_several_addresses_the_one_that_tells_most_of_the_shop_decides() -> None:
    refused = connect_fault(errno.ECONNREFUSED, "203.0.113.7", was_sent=True)
    far = connect_fault(errno.EHOSTUNREACH, "203.0.113.8", was_sent=True)
    ours = connect_fault(errno.ENETUNREACH, "2001:db8::7", was_sent=False)
    assert most_telling([refused, far, ours]) is refused
    assert most_telling([ours, far, ours]) is far
    assert most_telling([ours]) is ours


def test_families_take_turns_and_none_is_left_out() -> None:
    six, four = [f"2001:db8::{number}" for number in range(4)], ["203.0.113.1", "203.0.113.2"]
    assert interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], six[2], six[3]]
    assert interleaved([*four, six[0]]) == [four[0], six[0], four[1]]


NO_ROUTE = """
import json, sys
from monitoring.probe import worker as probe_worker
sent = []
probe_worker._send = sent.extend
for spec in json.loads(sys.argv[1]):
    probe_worker.engine().start(spec, "pl")
probe_worker.engine().stop(seconds=20)
print(json.dumps(sent))
"""


@pytest.mark.django_db
def test_the_probe_with_its_defaults_and_no_route_blames_no_shop() -> None:
    """In a network of its own where nothing leads out: by literal address and by name, twice, so that it'd confirm."""
    if os.getuid() or not shutil.which("unshare"):
        pytest.skip("a network of its own needs root and unshare")
    world = build.world()
    shops = [
        monitor(world.shop, name, url=url)
        for name, url in [
            ("adres", "http://192.0.1.7/"),
            ("adres IPv6", "http://[2600::7]/"),
            ("nazwa", "http://sklep.example/"),
        ]
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PROBE_")}
    command = [
        "unshare",
        "-n",
        sys.executable,
        "-c",
        NO_ROUTE,
        json.dumps([specification(one).to_json() | {"slot": 0} for one in shops]),
    ]
    for second in range(2):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        results = [one | {"at": one["at"] + second} for one in json.loads(done.stdout)]
        assert {(one["state"], one["reason"]) for one in results} == {("unknown", "egress")}, results
        slots = {one["id"]: one["at"] for one in results}
        for shop in shops:
            Monitor.objects.filter(pk=shop.pk).update(asked=[[slots[str(shop.pk)], "pl"]])
        lines = [line_of(one | {"slot": slots[one["id"]]}) for one in results]
        assert record_lines("pl", lines, at=timezone.now()) in (3, 0 if second else 3)
    assert set(Monitor.objects.values_list("state", "reason")) == {("unknown", "egress")}
    assert (Outage.objects.count(), Incident.objects.count(), Notification.objects.count()) == (0, 0, 0)
    assert Monitor.objects.filter(checked_at__lte=timezone.now()).count() == 3
