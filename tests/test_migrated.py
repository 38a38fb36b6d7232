from __future__ import annotations

from pathlib import Path

import pytest

from bot.ledger import Ledger
from kb.database import DATABASE_FILE, open_database
from tests.migrated import quick_new_databases


async def schema(folder: Path) -> list[tuple[str, ...]]:
    """Make a new database with a ledger; return all that SQLite knows of it, and its revisions."""
    engine = await open_database("", folder)
    await Ledger.open(engine)
    async with engine.connect() as connection:
        made = (await connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")).all()
        versions = [name for kind, name, *_ in made if kind == "table" and "version" in name]
        revisions = [
            (name, *row)
            for name in versions
            for row in await connection.exec_driver_sql(f'SELECT * FROM "{name}"')  # noqa: S608
        ]
    await engine.dispose()
    assert len(revisions) > 1
    return [*(tuple(map(str, row)) for row in made), *revisions]


async def test_a_quick_database_is_one_of_alembic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SQL of an earlier database makes one like Alembic's, without Alembic."""
    with quick_new_databases():
        by_alembic = await schema(tmp_path / "first")
        monkeypatch.setattr("alembic.command.upgrade", None)
        assert await schema(tmp_path / "second") == by_alembic
    assert (tmp_path / "second" / DATABASE_FILE).is_file()
