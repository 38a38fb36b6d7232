"""Opening a store: which of its tables is the current one, whether it fits, and repair.

A store is a folder (or an object-storage prefix) of tables `nodes-0001`, `nodes-0002`, …; the current
one is the highest that is ready. A new one is built beside it and made ready in one commit, so that
re-embedding everything never leaves a gap. It works on object storage, where nothing can be renamed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from kb import lance
from kb.errors import ModelMismatch, StoreError, StoreNewer
from kb.lance import AsyncConnection, AsyncTable
from kb.store_failures import store_errors
from kb.store_maintenance import create_indexes
from kb.store_repair import broken_indexes, quarantine, repair_table
from kb.store_rows import SCHEMA_VERSION, table_facts, table_schema

log = logging.getLogger(__name__)

_NAME = re.compile(r"nodes-(\d{4,})")
_READY = "lorekeeper.ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open table and how it came to be open."""

    connection: AsyncConnection
    table: AsyncTable
    repairs: tuple[str, ...]


def is_remote(path: str) -> bool:
    """Tell whether a store lies in object storage."""
    return "://" in path


def absolute(path: Path | str) -> str:
    """Return where a store is, in full: LanceDB takes a relative name such as `db1` for its cloud."""
    return str(path) if is_remote(str(path)) else str(Path(path).absolute())


def close(thing: AsyncConnection | AsyncTable) -> None:
    """Close a connection or a table."""
    thing.close()  # type: ignore[no-untyped-call]  # lancedb leaves it without types


async def open_table(
    path: str, *, model: str, dimension: int, create: bool, fresh: bool, refresh: timedelta
) -> Opened:
    """Open the current table, repaired if need be, or make a new one."""
    if not is_remote(path):
        await asyncio.to_thread(_check_folder, Path(path), create=create)
    with store_errors(path, "while it was opened"):
        connection = await lance.connect_async(path, read_consistency_interval=refresh)
    try:
        return await _open(connection, path, model=model, dimension=dimension, create=create, fresh=fresh)
    except BaseException:
        close(connection)
        raise


async def make_ready(table: AsyncTable) -> None:
    """Make a table that was built beside the current one the current one, in one commit."""
    await table.update_field_metadata({"path": "id", "metadata": {_READY: str(int(time.time()))}})


async def drop_superseded(connection: AsyncConnection, table: AsyncTable, keep: timedelta) -> None:
    """Drop the tables that this one replaced longer ago than any reader may take."""
    names = await _table_names(connection)
    older = names[: names.index(table.name)] if table.name in names else []
    ready = await _ready_since(table) if older else None
    if ready is None or time.time() - ready <= keep.total_seconds():
        return
    for name in older:
        await connection.drop_table(name)


async def _open(
    connection: AsyncConnection, path: str, *, model: str, dimension: int, create: bool, fresh: bool
) -> Opened:
    repairs: list[str] = []
    table = None if fresh else await _current(connection, path, repairs)
    with store_errors(path, "while it was opened"):
        if fresh:
            await _drop_unfinished(connection)
        if table is None and create:
            table = await _create(connection, model=model, dimension=dimension, ready=not fresh)
        elif table is not None:
            _check_facts(path, table_facts(await table.schema()), model, dimension)
            repairs += await _mend_indexes(path, table)
    if table is None:
        raise StoreError(f"There is no store at {path!r} yet. Run `lorekeeper sync` first.")
    for repair in repairs:
        log.warning("store repaired path=%s %s", path, repair)
    return Opened(connection=connection, table=table, repairs=tuple(repairs))


async def _current(connection: AsyncConnection, path: str, repairs: list[str]) -> AsyncTable | None:
    """Open the highest table that is ready; one that cannot be opened at all is moved aside."""
    with store_errors(path, "while it was opened"):
        names = await _table_names(connection)
    for name in reversed(names):
        table = await _open_one(connection, path, name, repairs)
        if table is not None and await _ready_since(table) is not None:
            return table
        if table is not None:
            close(table)
    return None


async def _open_one(
    connection: AsyncConnection, path: str, name: str, repairs: list[str]
) -> AsyncTable | None:
    if is_remote(path):
        with store_errors(path, "while it was opened"):
            return await connection.open_table(name)
    folder = Path(path) / f"{name}.lance"
    repairs += await asyncio.to_thread(repair_table, folder)
    try:
        table = await connection.open_table(name)
        await table.count_rows()
    except (OSError, RuntimeError, ValueError) as exc:
        log.warning("table cannot be opened path=%s reason=%s", folder, exc)
        repairs.append(await asyncio.to_thread(quarantine, folder))
        return None
    return table


async def _ready_since(table: AsyncTable) -> float | None:
    """Return when a table became the current one (0: it was from the start), or None when it is not yet."""
    schema = await table.schema()
    if table_facts(schema).get("ready"):
        return 0.0
    noted = (schema.field("id").metadata or {}).get(_READY.encode())
    return float(noted) if noted else None


async def _create(connection: AsyncConnection, *, model: str, dimension: int, ready: bool) -> AsyncTable:
    names = await _table_names(connection)
    number = int(names[-1].removeprefix("nodes-")) + 1 if names else 1
    schema = table_schema(model=model, dimension=dimension, ready=ready)
    table = await connection.create_table(f"nodes-{number:04d}", schema=schema, exist_ok=ready)
    await create_indexes(table)
    return table


async def _drop_unfinished(connection: AsyncConnection) -> None:
    """Drop tables that were being built when a process ended."""
    for name in reversed(await _table_names(connection)):
        table = await connection.open_table(name)
        unfinished = await _ready_since(table) is None
        close(table)
        if not unfinished:
            return
        await connection.drop_table(name)


async def _mend_indexes(path: str, table: AsyncTable) -> list[str]:
    """Drop the indexes that are cut short, create those that are missing; return a line for each."""
    folder = Path(path) / f"{table.name}.lance"
    broken = [] if is_remote(path) else await asyncio.to_thread(broken_indexes, folder)
    for name in broken:
        await table.drop_index(name)
    built = await create_indexes(table)
    dropped = [f"index {name!r} was damaged and is dropped" for name in broken]
    return [*dropped, *(f"index on {column!r} was missing and is built again" for column in built)]


async def _table_names(connection: AsyncConnection) -> list[str]:
    names: list[str] = []
    token: str | None = None
    while True:
        page = await connection.list_tables(page_token=token)
        names += [name for name in page.tables if _NAME.fullmatch(name)]
        token = page.page_token
        if not token:
            return sorted(names, key=lambda name: (len(name), name))


def _check_folder(path: Path, *, create: bool) -> None:
    if path.exists() and not path.is_dir():
        raise StoreError(f"The store {str(path)!r} is a file. Name a folder in [data] path.")
    try:
        if create:
            path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"The store's folder {str(path)!r} cannot be made: {exc.strerror}. Name another in [data] path."
        ) from exc
    if create and not os.access(path, os.W_OK | os.X_OK):
        raise StoreError(
            f"The store's folder {str(path)!r} is not writable. Give this user the right to write there."
        )
    if not path.is_dir():
        raise StoreError(f"There is no store at {str(path)!r} yet. Run `lorekeeper sync` first.")


def _check_facts(path: str, facts: dict[str, Any], model: str, dimension: int) -> None:
    version = facts.get("schema", 0)
    if version > SCHEMA_VERSION:
        raise StoreNewer(
            f"The store {path!r} has format {version}; this release reads up to {SCHEMA_VERSION}. "
            "Upgrade Lorekeeper."
        )
    if (facts.get("model"), facts.get("dimension")) != (model, dimension):
        raise ModelMismatch(
            f"The store {path!r} was built with the embedding model {facts.get('model')!r}, not {model!r}. "
            "Run `lorekeeper sync --reembed`."
        )
