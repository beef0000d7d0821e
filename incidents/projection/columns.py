"""Many incidents' columns by one statement: `UPDATE … FROM unnest`; for a chunk the ORM's own is ten times slower."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection

from incidents.models import Incident

PLANNED = {
    "due_at": "timestamptz",
    "wake_at": "timestamptz",
    "next_update_at": "timestamptz",
    "update_missed_at": "timestamptz",
    "ask_at": "timestamptz",
    "changed_at": "timestamptz",
    "journal_length": "int",
    "journal_head": "text",
    "last_entry_id": "bigint",
}
REBUILT = {
    "status": "text",
    "severity": "text",
    "first_contact_at": "timestamptz",
    "backup_at": "timestamptz",
    "delivered_at": "timestamptz",
    "accepted_at": "timestamptz",
    "rejected_at": "timestamptz",
    "ended_at": "timestamptz",
    "restored_at": "timestamptz",
    "silence_at": "timestamptz",
    "client_wrote_at": "timestamptz",
    "ask_at": "timestamptz",
    "due_at": "timestamptz",
    "wake_at": "timestamptz",
}


def write(incidents: Iterable[Incident], columns: Mapping[str, str]) -> None:
    """Store these columns (name → PostgreSQL type) of locked rows."""
    rows = list(incidents)
    names = ", ".join(f"{name} = new.{name}" for name in columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    statement = (
        f"UPDATE incidents_incident SET {names} "  # noqa: S608 our own names
        f"FROM unnest(%s::bigint[], {arrays}) AS new(id, {', '.join(columns)}) WHERE incidents_incident.id = new.id"
    )
    values = [[getattr(row, name) for row in rows] for name in columns]
    with connection.cursor() as cursor:
        cursor.execute(statement, [[row.pk for row in rows], *values])
