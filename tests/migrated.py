"""Quick new databases for tests: what Alembic made of the first one is made again by its SQL.

Alembic takes ten times as long as SQLite does, and most tests begin with a new database. An older database
is always migrated by Alembic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

import kb.database

_by_alembic = kb.database._upgrade
Schema = dict[str, str]  # the SQL that makes each table and index, in the order in which they were made
_LATEST = "head"


@contextmanager
def quick_new_databases() -> Iterator[None]:
    """Let Alembic make the first database of each schema alone, for as long as the block lasts."""
    made: dict[tuple[Path, frozenset[str]], tuple[list[str], str]] = {}

    def upgrade(connection: Connection, scripts: Path, version_table: str, target: str) -> None:
        if connection.dialect.name != "sqlite" or target != _LATEST:
            _by_alembic(connection, scripts, version_table, target)
            return
        before = _schema(connection)
        key = (scripts, frozenset(before.values()))
        if version_table not in before and key in made:
            statements, revision = made[key]
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f'INSERT INTO "{version_table}" VALUES (?)', (revision,))  # noqa: S608
            return
        _by_alembic(connection, scripts, version_table, target)
        after = _schema(connection)
        new = [name for name in after if name not in before]
        if version_table in new and _is_made_by(connection, before, after, {*new} - {version_table}):
            revision = connection.exec_driver_sql(f'SELECT * FROM "{version_table}"').scalar_one()  # noqa: S608
            made[key] = [after[name] for name in new], revision

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kb.database, "_upgrade", upgrade)
        yield


def _schema(connection: Connection) -> Schema:
    made = (
        "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    return {name: sql for name, sql in connection.exec_driver_sql(made)}  # noqa: C416 - a row is no pair


def _is_made_by(connection: Connection, before: Schema, after: Schema, new: set[str]) -> bool:
    """Say whether the new tables' SQL is all that a migration did: no old one changed, no row was written."""
    looks = [f'SELECT 1 FROM "{name}"' for name in new if after[name].startswith("CREATE TABLE")]  # noqa: S608
    same = {name: after.get(name) for name in before} == before
    return same and not any(connection.exec_driver_sql(look).first() for look in looks)
