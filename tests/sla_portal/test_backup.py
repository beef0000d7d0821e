"""A backup is whole or not there, and an empty server that gets it is the portal of that moment."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from incidents import lifecycle
from incidents.models import Incident
from messaging.models import Heartbeat
from sla_portal import backup
from tests import build
from tests.owner import owner_cursor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def incident() -> Incident:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    build.seal_all()
    return lifecycle.answer(incident=incident, by=world.agent, at=build.MONDAY, text="Patrzymy na to.")


@pytest.fixture
def elsewhere() -> Iterator[Callable[[], None]]:
    """Moves the default connection to an empty database on the same server, a new one each time."""
    own = connection.settings_dict["NAME"]

    def back() -> None:
        connection.close()
        connection.settings_dict["NAME"] = own

    def move() -> None:
        back()
        with owner_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{own}_restored"')
            cursor.execute(f'CREATE DATABASE "{own}_restored"')
        connection.close()
        connection.settings_dict["NAME"] = f"{own}_restored"

    yield move
    back()
    with owner_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{own}_restored"')


def said(command: str, *arguments: str | Path) -> str:
    output = io.StringIO()
    call_command(command, *map(str, arguments), stdout=output)
    return output.getvalue()


def changed(made: Path, folder: Path, **facts: Any) -> Path:
    """A copy of a backup whose manifest says something else."""
    shutil.copytree(made, folder)
    manifest = json.loads((folder / backup.MANIFEST).read_text())
    (folder / backup.MANIFEST).write_text(json.dumps({**manifest, **facts}))
    return folder


def test_a_backup_restored_into_an_empty_server_is_the_portal_of_that_moment(
    tmp_path: Path, incident: Incident, elsewhere: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = list(Incident.objects.values_list("nr", "journal_head"))
    made = Path(said("backup", tmp_path / "backups").partition(":")[0])
    assert {path.name for path in made.iterdir()} == {"database.dump", "manifest.json"}
    assert made.stat().st_mode & 0o077 == 0
    assert settings.SECRET_KEY not in (made / "manifest.json").read_text()
    assert Heartbeat.objects.get(name="backup").at.strftime("sla_portal-%Y-%m-%dT%H%M%SZ") == made.name
    build.client("TUR")
    with pytest.raises(CommandError, match="a backup goes into an empty one"):
        said("restore", made)

    elsewhere()
    fewer = changed(made, tmp_path / "fewer", rows={**backup.read(made).rows, "incidents_incident": 2})
    with pytest.raises(CommandError, match="Not all rows of the backup are there: incidents_incident"):
        said("restore", fewer)
    elsewhere()
    later = changed(made, tmp_path / "later", migrations=["incidents.9999_later"])
    with pytest.raises(CommandError, match=r"newer version of the portal \(incidents.9999_later\)"):
        said("restore", later)
    monkeypatch.setattr(settings, "SECRET_KEY", "another" * 8)
    words = said("restore", made)
    assert ", 0 differences\n" in words
    assert "SECRET_KEY is another one" in words
    written, restored = backup.read(made).rows, backup.count_rows()
    # Tests before this one emptied Django's own lists, which `migrate` writes anew
    ours = [name for name in restored if not name.startswith(("auth_", "django_"))]
    assert [name for name in ours if restored[name] != written[name]] == []
    assert list(Incident.objects.values_list("nr", "journal_head")) == heads
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM incidents_journalentry")


def test_a_backup_that_fails_leaves_nothing_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_path", lambda program: "/bin/false")
    with pytest.raises(CommandError, match="pg_dump: exit code 1"):
        said("backup", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not Heartbeat.objects.filter(name="backup").exists()
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"The backup can.t be written: .*Nothing of it is left"):
        said("backup", tmp_path / "file")


def test_only_old_backups_go_and_a_broken_one_is_told(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        folder = tmp_path / f"sla_portal-2026-03-0{day}T020000Z"
        folder.mkdir()
        (folder / backup.MANIFEST).touch()
    (tmp_path / "sla_portal-notes").mkdir()
    assert [path.name for path in backup.remove_old(tmp_path, 2)] == ["sla_portal-2026-03-01T020000Z"]
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(CommandError, match="is no backup of this portal"):
        said("restore", tmp_path / "sla_portal-2026-03-02T020000Z")
    with pytest.raises(CommandError, match="--keep: expected 1 or more"):
        said("backup", tmp_path, "--keep=0")
    manifest = backup.Manifest(backup.FORMAT, "", {}, [], "0" * 64, "")
    (folder / backup.MANIFEST).write_text(json.dumps(asdict(manifest)))
    (folder / backup.DUMP).touch()
    with pytest.raises(CommandError, match="its hash differs"):
        said("restore", folder)
