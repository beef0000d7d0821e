"""The anchor leaves the house, and each journal's way to it is shown, given as a file and checked by 20 lines."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from contracts.models import Shop
from incidents import lifecycle
from incidents.anchors import Anchor, AnchorTree
from incidents.models import Incident
from incidents.notices import sending
from incidents.text import letters
from messaging.models import Notification
from reports.anchor import hash_tree
from reports.anchor import make as anchor
from reports.tasks import make_anchor
from sla_portal.environment import BASE_DIR
from tests import build
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
MIDNIGHT = build.at("2026-03-03 00:01")
FILE = "/incidents/MAK-0001/journal/anchor.json"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, MIDNIGHT)
    return build.world()


def made() -> Anchor:
    assert make_anchor() == 1
    assert make_anchor() == 0
    return Anchor.objects.latest("day")


def downloaded(page: Browser) -> dict[str, Any]:
    answer = page.get(FILE)
    assert answer["Content-Disposition"] == 'attachment; filename="MAK-0001-2026-03-03.json"'
    loaded: dict[str, Any] = json.loads(answer.content)
    return loaded


def program() -> str:
    """The one of the docs, as it is printed there."""
    printed = re.search(r"```python\n(.*?)```", (BASE_DIR / "docs" / "proof.md").read_text(encoding="utf-8"), re.DOTALL)
    assert printed
    return printed[1]


def check(folder: Path, proof: dict[str, Any], *typed: str) -> tuple[int, str]:
    """Run it with the file, as a client would, with nothing but the standard library."""
    (folder / "check.py").write_text(program(), encoding="utf-8")
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "check.py", "proof.json", *typed]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_twenty_lines_of_the_docs_check_a_path_against_the_anchor_of_a_letter(
    world: build.World, tmp_path: Path
) -> None:
    assert len(program().splitlines()) <= 20
    assert (settings.BASE_DIR / "templates/incidents/anchor_check.txt").read_text(encoding="utf-8") == program()
    incident = build.incident(world.shop, by=world.reporter)
    witness = made()
    proof = downloaded(visitor(world.reporter))
    assert proof["leaf"] == f"journal MAK-0001 1 {incident.journal_head}"
    letter = letters.fingerprint(witness.hash).split()
    assert check(tmp_path, proof, *letter)[0] == 0
    assert check(tmp_path, proof, witness.hash)[0] == 0
    for lie in (
        proof | {"leaf": f"journal MAK-0001 2 {'0' * 64}"}, proof | {"salt": "0" * 32}, proof | {"day": "2026-03-02"},
        proof | {"path": proof["path"][1:]}, proof | {"previous": "0" * 64},
    ):  # fmt: skip
        code, words = check(tmp_path, lie, *letter)
        assert (code, "NOT the anchor" in words) == (1, True)
    assert check(tmp_path, proof, letter[0])[0] == 1


def bare(shop: Shop, number: int) -> Incident:
    """Only a row, to be one more."""
    day = build.MONDAY
    return Incident(
        client=shop.client, shop=shop, number=number, nr=f"{shop.client.code}-{number:04d}", what="typo",
        reported_at=day, received_at=day, changed_at=day,
    )  # fmt: skip


def test_a_path_tells_nothing_of_how_many_others_there_are(world: build.World) -> None:
    """Alone, and among 60 other clients and 300 own incidents: as many steps, nothing that repeats from day to day."""
    build.incident(world.shop, by=world.reporter)
    made()
    alone = downloaded(visitor(world.reporter))
    rows = [bare(world.shop, number) for number in range(2, 302)]
    for number in range(60):
        client = build.client("".join(chr(65 + number // 10**place % 10) for place in (1, 0)) + "XX")
        shop = build.shop(client, f"{client.code.lower()}.example")
        rows.append(bare(shop, 1))
    Incident.objects.bulk_create(rows)
    anchor.make(at=MIDNIGHT + timedelta(days=1))
    crowd = anchor.proof_of(Incident.objects.get(nr="MAK-0001"))
    anchor.make(at=MIDNIGHT + timedelta(days=2))
    quiet = anchor.proof_of(Incident.objects.get(nr="MAK-0001"))
    assert crowd is not None
    assert quiet is not None
    ways: list[Any] = [alone["path"], crowd["path"], quiet["path"]]
    assert [len(way) for way in ways] == [2 * hash_tree.DEPTH + 1] * 3
    assert {key: len(str(value)) for key, value in crowd.items() if key not in {"path", "previous"}} == {
        key: len(str(value)) for key, value in alone.items() if key not in {"path", "previous"}
    }
    others = [{neighbour for _, neighbour in way[hash_tree.DEPTH :]} for way in ways]
    assert (others[0] & others[1], others[1] & others[2]) == (set(), set())
    # On a day on which nothing of the client changed, its own part is the same; the rest is new
    assert crowd["path"][: hash_tree.DEPTH] == quiet["path"][: hash_tree.DEPTH]  # type: ignore[index]


def test_the_journal_s_page_says_how_far_the_anchor_vouches_and_since_when(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    page, address = visitor(world.reporter), "/incidents/MAK-0001/journal/"
    assert "Po tym zgłoszeniu nie było jeszcze kotwicy." in text_of(page.get(address))
    assert page.get(FILE).status_code == 404
    witness = made()
    for reader in (world.reporter, world.owner, world.agent):
        said = text_of(visitor(reader).get(address))
        assert f"1 wpis jest w kotwicy z 3 marca 2026: {witness.hash}" in said
        assert "Zgłoszenie jest starsze niż pierwsza kotwica. Ręczy ona za nie od 3 marca 2026, nie wcześniej." in said
        assert FILE in visitor(reader).get(address).content.decode()
    newer = build.incident(world.shop, by=world.reporter, what="typo", at=MIDNIGHT + timedelta(hours=9))
    anchor.make(at=MIDNIGHT + timedelta(days=1))
    said = text_of(page.get(f"/incidents/{newer.nr}/journal/"))
    assert ("1 wpis jest w kotwicy z 4 marca 2026" in said, "starsze" in said) == (True, False)


def test_a_damaged_way_is_not_given_out(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    made()
    AnchorTree.objects.update(nodes=b"\1" * 32 * 256)
    page = visitor(world.reporter)
    said = text_of(page.get(FILE, follow=True))
    assert "Zapis drogi do kotwicy w portalu jest uszkodzony. Zadzwoń do nas." in said
    assert page.get("/api/incidents/MAK-0001/anchor/").status_code == 409


def test_every_later_letter_to_a_client_carries_the_newest_anchor(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    assert "Kotwica" not in "".join(Notification.objects.values_list("body", flat=True))
    words = f"Kotwica całego portalu, 3 marca 2026: {letters.fingerprint(made().hash)}"
    build.clear_outbox()
    lifecycle.acknowledge(
        incident=incident, by=world.agent, at=MIDNIGHT + timedelta(minutes=1), text="Pracuję nad tym."
    )
    letter = Notification.objects.get(recipient=world.reporter)
    assert words in letter.body.replace("\u00a0", " ")
    assert words in re.sub(r"[\s\u00a0]+", " ", re.sub(r"<[^>]+>", "", letter.html).replace("&nbsp;", " "))


def test_an_address_outside_gets_the_hash_and_nothing_else(
    world: build.World, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.ANCHOR_ADDRESS = ["notariusz@poza.example", "skrzynka@inna.example"]
    build.clear_outbox()
    witness = made()
    assert sending.send_due(at=MIDNIGHT) == 2
    assert [(mail.to, mail.subject, mail.body) for mail in mailoutbox] == [
        ([address], "2026-03-03", f"{witness.hash}\n") for address in settings.ANCHOR_ADDRESS
    ]
    assert not any(mail.alternatives for mail in mailoutbox)


def test_verify_clocks_proves_the_portal_up_to_a_day(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        out, wrong = io.StringIO(), io.StringIO()
        try:
            call_command("verify_clocks", *arguments, stdout=out, stderr=wrong)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue() + wrong.getvalue()
        return 0, out.getvalue()

    incident = build.incident(world.shop, by=world.reporter, what="question")
    build.seal_all()
    witness = made()
    lifecycle.say(incident=incident, by=world.agent, at=timezone.now(), text="Już patrzymy.")
    assert run() == (0, f"1 incidents, 0 wait for the sweep, 0 differences\n{said(witness)}")
    assert run("--anchor", letters.fingerprint(witness.hash))[0] == 0
    assert run("--anchor", "0" * 64) == (
        2, f"The portal has no anchor {'0' * 64}: it was forged, removed, or is another portal's.\n",
    )  # fmt: skip
    world.version.monthly_fee += 1
    with as_owner():
        world.version.save()
    for arguments in ((), ("--anchor", witness.hash)):
        code, words = run(*arguments)
        assert code == 1
        assert "contract version SLA/1, 1: is not as it was, says the anchor of 2026-03-03" in words
    assert run("MAK-0001")[0] == 0


def said(witness: Anchor) -> str:
    return f"all is as the anchor of 2026-03-03 says: {witness.hash}\n"
