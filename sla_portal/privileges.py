"""What the product's database role may do with each table: the one place that says it, applied by `sla_portal.roles`.

A table that is not named here may be read, written, changed and deleted from. A new table of history (what a clock, a
breach or money rests on) gets its line in HISTORY; a column that is completed later is named there, no other can be
changed. Tables whose rows may not be deleted are emptied by nobody: a trigger refuses TRUNCATE, to the owner too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rights:
    """`update`: the columns that may be changed, None for all but `kept`, () for none."""

    insert: bool = True
    update: tuple[str, ...] | None = None
    kept: tuple[str, ...] = ()
    delete: bool = True

    def changeable(self, columns: Sequence[str]) -> list[str]:
        """Of the table's columns those that may be changed; a database half migrated may lack some that are named."""
        if self.update is None:
            return [name for name in columns if name not in self.kept]
        return [name for name in columns if name in self.update]

    def grants(self, columns: Sequence[str]) -> list[str]:
        """What stands after GRANT; reading is always among them."""
        words = ["SELECT"]
        if self.insert:
            words.append("INSERT")
        changeable = self.changeable(columns)
        if len(changeable) == len(columns):
            words.append("UPDATE")
        elif changeable:
            words.append(f"UPDATE ({', '.join(changeable)})")
        return [*words, "DELETE"] if self.delete else words

    @property
    def never_emptied(self) -> bool:
        return not self.delete


EVERYTHING = Rights()
READ = Rights(insert=False, update=(), delete=False)


def written_once(*completed: str) -> Rights:
    """Rows that stay as they were entered, but for the columns that are completed later."""
    return Rights(update=completed, delete=False)


HISTORY: dict[str, Rights] = {
    "incidents_journalentry": written_once(),
    "incidents_anchor": written_once(),
    "incidents_anchorleaf": written_once(),
    "incidents_breach": written_once("stopped_at", "delay", "voided_at"),
    "incidents_firing": written_once("entry_id"),
    "incidents_joinedreport": written_once(),
    "reports_breachdecision": written_once(
        "second_by_id", "second_at", "taken_back_by_id", "taken_back_at", "taken_back_why"
    ),
    "contracts_contractversion": written_once("valid_to"),
    "contracts_seal": written_once(),
    "contracts_target": written_once(),
    "contracts_targetalternative": written_once(),
    "contracts_severityname": written_once(),
    "contracts_meaning": written_once(),
    "contracts_updaterhythm": written_once(),
    "contracts_penaltyrule": written_once(),
    "contracts_escalationstep": written_once(),
    "contracts_calendarday": written_once("removed_by_id", "removed_at"),
    "contracts_maintenancewindow": written_once("called_off_at", "called_off_by_id"),
    # Counting holds its calendars by a lock, and PostgreSQL asks for the right to change a column before it locks
    "contracts_calendar": written_once("name", "is_office"),
    # Counted by the database itself, with the owner's rights
    "incidents_tally": READ,
    "monitoring_interval": written_once("state", "reason", "ended_at"),
    "monitoring_outage": written_once("incident_id", "ended_at", "flapping"),
    "monitoring_reopening": written_once(),
    "monitoring_act": written_once(),
    "monitoring_acttally": READ,
}
OTHERS: dict[str, Rights] = {
    "accounts_user": Rights(delete=False),
    "accounts_client": Rights(delete=False),
    "contracts_shop": Rights(delete=False),
    "contracts_contract": Rights(delete=False),
    "contracts_contract_shops": written_once(),
    "incidents_incident": Rights(delete=False),
    # Nodes of the hash tree, a cache that the leaves prove
    "incidents_anchortree": Rights(delete=False),
    # What was sent to whom stays; the words of an old letter may go
    "messaging_notification": Rights(
        kept=("key", "thread", "recipient_id", "channel", "created_at", "content"), delete=False
    ),
    "incidents_notice": Rights(
        kept=(
            "notification_id",
            "incident_id",
            "entry_id",
            "firing_id",
            "topic",
            "audience",
            "head",
            "hash",
        ),
        delete=False,
    ),
    "incidents_unheardalarm": Rights(delete=False),
    "monitoring_monitor": Rights(delete=False),
    "monitoring_check": Rights(update=()),
    "django_migrations": READ,
    "django_content_type": READ,
    "auth_permission": READ,
    "auth_group": READ,
    "auth_group_permissions": READ,
}
FUNCTIONS = ("incidents_forget_words(bigint)",)
"""What the role may call beside PostgreSQL's own functions; triggers need no right."""


def rights(table: str) -> Rights:
    return (HISTORY | OTHERS).get(table, EVERYTHING)
