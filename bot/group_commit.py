"""Many small writes at once share a transaction, and so one wait for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb.database import transaction

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]

LARGEST_GROUP = 200


class GroupCommit:
    """Runs writes one after the other, those that came meanwhile in one transaction.

    A piece of work touches nothing but the database: it is run again by itself when another one of its group
    fails. What is cancelled before its turn is not run.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def run(self, work: Work[Result]) -> Result:
        """Return what `work` returned, once it is on disk. Raise what it raised, or `StoreError`."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        return await done

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                group = [one for one in self._waiting[:LARGEST_GROUP] if not one[1].cancelled()]
                del self._waiting[:LARGEST_GROUP]
                if group:
                    await self._commit(group)
        finally:
            self._committing = None

    async def _commit(self, group: list[tuple[Work[Any], asyncio.Future[Any]]]) -> None:
        try:
            async with transaction(self._engine) as connection:
                results = [await work(connection) for work, _ in group]
        except Exception as exc:  # noqa: BLE001 - handed to the caller that it belongs to
            await self._one_by_one(group, exc)
            return
        except BaseException:
            for _, done in group:
                done.cancel()
            raise
        for (_, done), result in zip(group, results, strict=True):
            if not done.done():
                done.set_result(result)

    async def _one_by_one(
        self, group: list[tuple[Work[Any], asyncio.Future[Any]]], failure: Exception
    ) -> None:
        if len(group) > 1:
            for one in group:
                await self._commit([one])
        elif not group[0][1].done():
            group[0][1].set_exception(failure)


def shared_commits(engine: AsyncEngine) -> GroupCommit:
    """Return the one group commit of a database: two of them would wait for each other's write lock."""
    found = _OF_ENGINE.get(id(engine))
    if found is None:
        found = _OF_ENGINE[id(engine)] = GroupCommit(engine)
    return found


# By the engine's id, which is no other's as long as its group commit lives and holds it.
_OF_ENGINE: WeakValueDictionary[int, GroupCommit] = WeakValueDictionary()
