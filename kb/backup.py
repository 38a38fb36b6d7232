"""One file with the whole knowledge base: every row of the database, and the nodes of one version.

The file is a tar archive: `sql/TABLE.jsonl.gz` (one JSON list a row), `nodes.arrow` (an Arrow IPC stream,
zstd), `files/` with folders that were named, and `manifest.json`, which says what is in it. The rows are
read first, from one state of the database, then the nodes: documents that were written in between are noted
as to be read again, so a backup may be taken while syncs run.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import shutil
import tarfile
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb.backup_files import copy_folders
from kb.database import reading
from kb.errors import StoreError
from kb.store import NodeStore
from kb.store_failures import store_errors
from kb.store_flush import flush_folder
from kb.store_opening import absolute
from kb.store_rows import table_facts
from kb.store_snapshots import Snapshot
from kb.tables import leases, pending

FORMAT = 2
MANIFEST = "manifest.json"
NODES = "nodes.arrow"
VERSION_COLUMN = "version_num"

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupManifest:
    """What a backup holds.

    `schemas` are the revisions of the database, by version table; `data` is where the data folder was.
    """

    format: int = FORMAT
    made: float
    schemas: dict[str, str]
    tables: dict[str, int]
    nodes: int
    state_hash: str
    store: dict[str, Any]
    columns: dict[str, list[str]]
    members: dict[str, str] = field(default_factory=dict)
    data: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as `manifest.json` holds it."""
        return asdict(self)


def default_name(now: float | None = None) -> str:
    """Return a file name that says when the backup was made."""
    return time.strftime("lorekeeper-%Y%m%d-%H%M%S.tar", time.gmtime(now))


async def back_up(
    store: NodeStore,
    engine: AsyncEngine,
    file: Path,
    *,
    data: Path | None = None,
    folders: Sequence[str] = (),
) -> BackupManifest:
    """Write a backup to `file`, which appears when it is whole, and return what it holds.

    `folders` are those of the data folder `data` whose files it holds too. Raise `StoreError` when the file
    exists, cannot be written, or the knowledge base cannot be read.
    """
    scratch = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    with store_errors(str(file), "while the backup was written"):
        await asyncio.to_thread(_prepare, file, scratch)
        try:
            manifest = await _gather(store, engine, scratch)
            if data is not None:
                await asyncio.to_thread(copy_folders, data, folders, scratch)
                manifest = replace(manifest, data=absolute(data))
            await asyncio.to_thread(_pack, scratch, manifest, file)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch)
    return manifest


def _prepare(file: Path, scratch: Path) -> None:
    if file.exists():
        raise StoreError(f"The file {str(file)!r} exists already. Choose another name, or remove it.")
    (scratch / "sql").mkdir(parents=True)


async def _gather(store: NodeStore, engine: AsyncEngine, folder: Path) -> BackupManifest:
    async with AsyncExitStack() as stack:
        before = await stack.enter_async_context(store.at(await store.version()))
        schemas, tables, columns = await _dump_database(engine, folder / "sql")
        after = await stack.enter_async_context(store.at(await store.version()))
        if after.version != before.version:
            tables[pending.name] += await _doubt(before, after, folder / "sql", columns[pending.name])
        nodes = await _dump_nodes(after, folder / NODES)
        return BackupManifest(
            made=time.time(),
            schemas=schemas,
            tables=tables,
            columns=columns,
            nodes=nodes,
            state_hash=await after.state_hash(),
            store=table_facts(await after.schema()),
        )


async def _dump_database(
    engine: AsyncEngine, folder: Path
) -> tuple[dict[str, str], dict[str, int], dict[str, list[str]]]:
    """Write every table's rows; return the revisions, and the number of rows and the columns by table."""
    schemas: dict[str, str] = {}
    counts: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    async with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            await connection.execution_options(isolation_level="REPEATABLE READ")
        for table in (await connection.run_sync(reflect)).sorted_tables:
            if VERSION_COLUMN in table.c:
                schemas[table.name] = str((await connection.execute(select(table.c[0]))).scalar())
            elif table.name != leases.name:  # they belong to processes, not to the knowledge
                columns[table.name] = [column.name for column in table.c]
                counts[table.name] = await _dump_table(connection, table, folder)
    return schemas, counts, columns


def reflect(connection: Any) -> MetaData:  # noqa: ANN401 - SQLAlchemy's own connection, inside run_sync
    """Return all tables of the database as they are."""
    metadata = MetaData()
    metadata.reflect(connection, only=inspect(connection).get_table_names())
    return metadata


async def _dump_table(connection: AsyncConnection, table: Table, folder: Path) -> int:
    number = 0
    with gzip.open(folder / f"{table.name}.jsonl.gz", "wt", encoding="utf-8", compresslevel=6) as file:
        rows = await connection.stream(select(table))
        async for part in rows.partitions(_ROWS_AT_ONCE):
            lines = "".join(f"{json.dumps(list(row))}\n" for row in part)
            await asyncio.to_thread(file.write, lines)
            number += len(part)
    return number


async def _doubt(before: Snapshot, after: Snapshot, folder: Path, columns: Sequence[str]) -> int:
    """Note the documents that were written between two versions as to be read again; count them."""
    was, now = await before.prints(), await after.prints()
    changed = [key for key in was.keys() | now.keys() if was.get(key) != now.get(key)]
    rows = [{"document_id": key, "source": (now.get(key) or was[key]).source} for key in sorted(changed)]
    with gzip.open(folder / f"{pending.name}.jsonl.gz", "at", encoding="utf-8") as file:
        file.writelines(f"{json.dumps([row[column] for column in columns])}\n" for row in rows)
    return len(rows)


async def _dump_nodes(snapshot: Snapshot, path: Path) -> int:
    schema = await snapshot.schema()
    number = 0
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema, options=options) as writer:
        async for rows in snapshot.rows(None, schema.names):
            await asyncio.to_thread(writer.write_table, rows.select(schema.names).cast(schema))
            number += len(rows)
    return number


def _pack(folder: Path, manifest: BackupManifest, file: Path) -> None:
    """Put the parts into one archive, flush it, and give it its name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    members = {path.relative_to(folder).as_posix(): file_hash(path) for path in paths}
    (folder / MANIFEST).write_text(json.dumps(manifest.as_json() | {"members": members}, indent=2))
    part = folder / "backup.part"
    with tarfile.open(part, "w") as archive:
        for name in [MANIFEST, *members]:
            archive.add(folder / name, name)
            (folder / name).unlink()
    flush_folder(folder)
    part.rename(file)
    flush_folder(file.parent)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
