"""Writes that share a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.group_commit import GroupCommit
from kb.database import close_database, open_database, reading, transaction


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    async with transaction(opened) as connection:
        await connection.execute(text("CREATE TABLE written (name TEXT PRIMARY KEY)"))
    yield opened
    await close_database(opened)


async def _write(connection: AsyncConnection, name: str) -> None:
    await connection.execute(text("INSERT INTO written VALUES (:name)"), {"name": name})


async def _written(engine: AsyncEngine) -> list[str]:
    async with reading(engine) as connection:
        return list((await connection.execute(text("SELECT name FROM written ORDER BY name"))).scalars())


async def test_what_is_cancelled_before_its_turn_is_not_written(engine: AsyncEngine) -> None:
    """Of writes that wait for their turn, those that are cancelled meanwhile are left out."""
    group, begun, goes_on = GroupCommit(engine), asyncio.Event(), asyncio.Event()

    async def first(connection: AsyncConnection) -> None:
        begun.set()
        await goes_on.wait()
        await _write(connection, "first")

    async def run(name: str) -> None:
        await group.run(lambda connection: _write(connection, name))

    running = asyncio.create_task(group.run(first))
    await begun.wait()
    cancelled, kept = asyncio.create_task(run("cancelled")), asyncio.create_task(run("kept"))
    await asyncio.sleep(0)
    cancelled.cancel()
    goes_on.set()
    await asyncio.gather(running, kept)
    assert cancelled.cancelled()
    assert await _written(engine) == ["first", "kept"]


async def test_a_write_that_fails_fails_alone(engine: AsyncEngine) -> None:
    """The others of its transaction are written all the same."""
    group = GroupCommit(engine)
    names = ["one", "two", "two", "three"]
    ended = await asyncio.gather(
        *(group.run(lambda connection, name=name: _write(connection, name)) for name in names),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [isinstance(one, Exception) for one in ended] == [False, False, True, False]
    assert await _written(engine) == ["one", "three", "two"]
