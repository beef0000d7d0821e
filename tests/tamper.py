"""What a superuser of the database can do: change, delete and add rows past every trigger and foreign key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from psycopg2.extras import Json

from tests.owner import owner_cursor

LONE_UNIQUE_INDEXES = """
SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = %s::regclass AND i.indisunique
AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
"""Django writes a unique rule with a condition as an index, which is no constraint of PostgreSQL's."""


def as_superuser(statement: str, values: Sequence[Any] = ()) -> int:
    """Run it; how many rows it touched. The only door of the tests to the owner's rights."""
    with owner_cursor(triggers=False) as cursor:
        cursor.execute(statement, values)
        touched: int = cursor.rowcount
    return touched


def change(row: models.Model, /, **columns: object) -> None:
    """Other values in the row's columns, by the names that the database has for them."""
    names = ", ".join(f'"{name}" = %s' for name in columns)
    values = [Json(value) if isinstance(value, dict | list) else value for value in columns.values()]
    statement = f'UPDATE "{row._meta.db_table}" SET {names} WHERE "{row._meta.pk.column}" = %s'
    assert as_superuser(statement, [*values, row.pk]) == 1


def change_column(row: models.Model, name: str) -> None:
    """Some other value in one column."""
    field = row._meta.get_field(name)
    assert isinstance(field, models.Field)
    drop_checks(row)
    value = other(field, getattr(row, field.attname))
    if isinstance(field, ArrayField):
        statement = f'UPDATE "{row._meta.db_table}" SET "{field.column}" = %s WHERE id = %s'
        assert as_superuser(statement, [value, row.pk]) == 1
        return
    change(row, **{str(field.column): value})


def drop_checks(row: models.Model) -> None:
    """A superuser is not held by a table's rules about its values; roll the transaction back to have them again."""
    table = row._meta.db_table
    with owner_cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u')", [table]
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        cursor.execute(LONE_UNIQUE_INDEXES, [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")


def delete(row: models.Model) -> None:
    statement = f'DELETE FROM "{row._meta.db_table}" WHERE "{row._meta.pk.column}" = %s'
    assert as_superuser(statement, [row.pk]) == 1


def other(field: models.Field[Any, Any], value: Any) -> Any:
    """Another value that the column can hold: of a closed list another one, else a little more."""
    if isinstance(field, models.ForeignKey):
        return (value or 0) + 1_000_000
    if isinstance(field, ArrayField):
        return [*value, "client_fault"]
    if field.choices:
        return next(key for key, _label in field.flatchoices if key not in {value, ""})
    return _more(field, value)


def _more(field: models.Field[Any, Any], value: Any) -> Any:
    match field:
        case models.BooleanField():
            return not value
        case models.DateTimeField():
            return (value or datetime.fromisoformat("2026-03-02T08:00:00+00:00")) + timedelta(hours=3)
        case models.DateField():
            return (value or date(2026, 3, 2)) + timedelta(days=1)
        case models.DecimalField():
            return (value or Decimal(0)) + 1
        case models.IntegerField():
            return (value or 0) + 1
        case models.JSONField():
            return [["01:00", "02:00"]] if isinstance(value, list) else {**(value or {}), "x": 1}
        case models.UUIDField():
            return "00000000-0000-0000-0000-0000000fffff"
        case _:
            return f"{value}x"[-field.max_length :] if field.max_length else f"{value}x"
