"""A knowledge base from a backup: built beside what is there, verified, and put in place at the end.

Until the last step nothing of the present knowledge base is touched; that step is a handful of renames
in the data folder, and for a database elsewhere the end of one transaction.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import MetaData, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb import lance
from kb.backup import FORMAT, MANIFEST, NODES, BackupManifest, file_hash, reflect
from kb.backup_files import moved_definition, places
from kb.database import DATABASE_FILE, connect, migrate, reading, transaction
from kb.errors import StoreError, StoreNewer, SyncRefused
from kb.leases import is_held
from kb.store import NodeStore
from kb.store_failures import first_line, store_errors
from kb.store_flush import flush_folder
from kb.store_maintenance import create_indexes
from kb.store_opening import absolute, close
from kb.store_rows import SCHEMA_VERSION, table_schema
from kb.tables import leases, runs, sources

STORE = "store"
_DATABASE = (DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm")
_ROWS_AT_ONCE = 1_000
Moves = Callable[[dict[str, Any]], dict[str, Any]]
# The restored table counts its versions anew: those that runs name would be others.
_FORGOTTEN = {"store": "", "version_before": None, "version_after": None, "listing": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A layer's part of the database: its migrations, and the table that notes which have run."""

    scripts: Path
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored. `aside` is where the former knowledge base lies now, if there was one."""

    manifest: BackupManifest
    aside: Path | None = None


async def restore(
    file: Path,
    data: Path,
    *,
    url: str = "",
    schemas: Sequence[Schema],
    folders: Sequence[str] = (),
    force: bool = False,
) -> Restored:
    """Restore the backup `file` into the data folder `data` and the database at `url`.

    Of the files it holds, those of `folders` are brought back into the data folder. With `force`, a knowledge
    base that is there is moved aside, in the data folder; the rows of a database elsewhere are replaced.
    Raise `SyncRefused` when there is one and no `force`, or a sync is running; `StoreNewer` when a newer
    release wrote the backup; `StoreError` when it is damaged.
    """
    manifest = await asyncio.to_thread(read_manifest, file)
    _check_readable(file, manifest, schemas)
    await _check_target(data, url, force=force)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    stage = Path(absolute(data)) / f"restoring-{stamp}"
    with store_errors(str(data), "while the backup was restored"):
        stage.mkdir(parents=True)
        try:
            held = await asyncio.to_thread(_unpack, file, manifest, stage, folders)
            await _build_store(stage, manifest)
            aside = data / f"replaced-{stamp}"
            moves = partial(moved_definition, old=manifest.data, new=Path(absolute(data)), folders=folders)
            async with _filled_database(url, stage, manifest, schemas, moves, force=force):
                names = (STORE, "rebuilding", *held, *(() if url else _DATABASE))
                await asyncio.to_thread(_put_in_place, data, stage, aside, names)
        finally:
            await asyncio.to_thread(shutil.rmtree, stage)
    return Restored(manifest=manifest, aside=aside if aside.exists() else None)


def read_manifest(file: Path) -> BackupManifest:
    """Return what a backup says it holds; raise `StoreError` when it is none."""
    try:
        with tarfile.open(file) as archive:
            member = archive.extractfile(MANIFEST)
            content = json.load(member) if member else {}
        if content.get("format", 0) > FORMAT:
            raise StoreNewer(f"The backup {str(file)!r} was made by a newer release. Upgrade Lorekeeper.")
        return BackupManifest(**content)
    except FileNotFoundError as exc:
        raise StoreError(f"There is no file {str(file)!r}.") from exc
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise StoreError(
            f"{str(file)!r} is not a backup of Lorekeeper, or damaged: {first_line(exc)}"
        ) from exc


def _check_readable(file: Path, manifest: BackupManifest, schemas: Sequence[Schema]) -> None:
    known = {
        schema.table: {path.stem for path in (schema.scripts / "versions").glob("*.py")} for schema in schemas
    }
    newer = [table for table, revision in manifest.schemas.items() if revision not in known.get(table, ())]
    if newer or manifest.store.get("schema", 0) > SCHEMA_VERSION:
        raise StoreNewer(f"The backup {str(file)!r} was made by a newer release. Upgrade Lorekeeper.")


async def _check_target(data: Path, url: str, *, force: bool) -> None:
    """Refuse to restore over a knowledge base without `force`, or while it is being synced."""
    there = (data / STORE).exists() or (not url and (data / DATABASE_FILE).exists())
    engine = connect(url, data) if url or (data / DATABASE_FILE).exists() else None
    if engine is not None:
        try:
            there = await _is_in_use(engine) or there
        except StoreError:
            there = True  # it may be what is to be repaired by the backup
        finally:
            await engine.dispose()
    if there and not force:
        raise SyncRefused(
            f"There is a knowledge base in {str(data)!r} already. Restore into another folder with --data, "
            "or give --force: what is there is moved aside."
        )


async def _is_in_use(engine: AsyncEngine) -> bool:
    """Tell whether the database knows any source; raise `SyncRefused` while one is being synced."""
    async with reading(engine) as connection:
        tables = (await connection.run_sync(reflect)).tables
        if leases.name not in tables:
            return False
        for row in await connection.execute(select(leases)):
            if is_held(row.owner, row.until, time.time()):
                raise SyncRefused(f"Source {row.source!r} is being synced. Stop lorekeeper first.")
        counted = [select(func.count()).select_from(table) for table in (sources, runs)]
        return any([(await connection.execute(one)).scalar() for one in counted])


def _unpack(file: Path, manifest: BackupManifest, stage: Path, folders: Sequence[str]) -> Sequence[str]:
    """Take the parts out of the archive, by the names that are expected, and check each.

    Return the folders of files that it knows of; a backup of an earlier release knows of none.
    """
    files = places(manifest.members, folders, stage)
    expected = {NODES, *(f"sql/{table}.jsonl.gz" for table in manifest.tables), *files}
    (stage / "sql").mkdir()
    with tarfile.open(file) as archive:
        for name in sorted(expected):
            try:
                member = archive.extractfile(name)
            except KeyError:
                member = None
            if member is None:
                raise StoreError(f"The backup {str(file)!r} is damaged: {name!r} is missing.")
            target = files.get(name, stage / name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with member, target.open("wb") as part:
                shutil.copyfileobj(member, part)
            if file_hash(target) != manifest.members.get(name):
                raise StoreError(f"The backup {str(file)!r} is damaged: {name!r} is not what was written.")
    return folders if manifest.data else ()


async def _build_store(stage: Path, manifest: BackupManifest) -> None:
    """Make a table of the nodes and verify that its state is the one that was backed up."""
    model, dimension = manifest.store["model"], manifest.store["dimension"]
    path = stage / STORE
    await _fill_table(path, stage / NODES, table_schema(model=model, dimension=dimension, ready=True))
    (stage / NODES).unlink()
    store = await NodeStore.open(path, model=model, dimension=dimension, create=False)
    try:
        failed = (await store.maintain(force=True)).error
        state = await store.state_hash()
    finally:
        await store.close()
    if failed or state != manifest.state_hash:
        raise StoreError(
            f"The backup could not be restored: {failed or 'its nodes are not those that were saved'}."
        )


async def _fill_table(path: Path, nodes: Path, schema: pa.Schema) -> None:
    connection = await lance.connect_async(str(path))
    try:
        table = await connection.create_table("nodes-0001", schema=schema)
        with pa.OSFile(str(nodes)) as source, pa.ipc.open_stream(source) as reader:
            for batch in reader:
                rows = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
                await table.add(rows)
        await create_indexes(table)
        close(table)
    finally:
        close(connection)


@asynccontextmanager
async def _filled_database(
    url: str, stage: Path, manifest: BackupManifest, schemas: Sequence[Schema], moves: Moves, *, force: bool
) -> AsyncIterator[None]:
    """Fill the database; one that lies elsewhere is changed for good when the block ends well."""
    engine = connect(url, stage)
    try:
        for schema in schemas:
            if schema.table in manifest.schemas:
                await _migrate_once(engine, schema, manifest.schemas[schema.table])
        if url:
            async with transaction(engine) as connection:
                await _fill(connection, stage, manifest, moves, force=force)
                yield
            await _upgrade(engine, schemas)
            return
        async with transaction(engine) as connection:
            await _fill(connection, stage, manifest, moves, force=force)
        await _upgrade(engine, schemas)
        await engine.dispose()
        yield
    finally:
        await engine.dispose()


async def _migrate_once(engine: AsyncEngine, schema: Schema, revision: str) -> None:
    """Bring an empty database to the revision that was backed up; one that has a revision keeps it."""
    async with reading(engine) as connection:
        if schema.table in (await connection.run_sync(reflect)).tables:
            return
    await migrate(engine, schema.scripts, schema.table, target=revision)


async def _upgrade(engine: AsyncEngine, schemas: Sequence[Schema]) -> None:
    for schema in schemas:
        await migrate(engine, schema.scripts, schema.table)


async def _fill(
    connection: AsyncConnection, stage: Path, manifest: BackupManifest, moves: Moves, *, force: bool
) -> None:
    metadata: MetaData = await connection.run_sync(reflect)
    ours = [table for table in metadata.sorted_tables if table.name in manifest.tables]
    if force:
        for table in reversed(ours):
            await connection.execute(table.delete())
    for table in ours:
        number = 0
        path = stage / "sql" / f"{table.name}.jsonl.gz"
        forgotten = _FORGOTTEN if table.name == runs.name else {}
        for rows in _read_rows(path, manifest.columns[table.name], forgotten):
            moved = [moves(row) for row in rows] if table.name == sources.name else rows
            await connection.execute(insert(table), moved)
            number += len(rows)
        if number != manifest.tables[table.name]:
            raise StoreError(f"The backup is damaged: {number} rows of {table.name!r} are left.")


def _read_rows(
    path: Path, columns: Sequence[str], forgotten: Mapping[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    changed = {column: value for column, value in forgotten.items() if column in columns}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = (dict(zip(columns, json.loads(line), strict=True)) | changed for line in file)
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            yield part


def _put_in_place(data: Path, stage: Path, aside: Path, names: Sequence[str]) -> None:
    """Exchange what is in the data folder for what was built; after a failure all is as before (blocking)."""
    flush_folder(stage)
    moved: list[tuple[Path, Path]] = []
    try:
        for origin, target in [(data, aside), (stage, data)]:
            for name in names:
                if (origin / name).exists():
                    target.mkdir(exist_ok=True)
                    (origin / name).rename(target / name)
                    moved.append((origin / name, target / name))
    except OSError:
        for old, new in reversed(moved):
            new.rename(old)
        with suppress(OSError):
            aside.rmdir()
        raise
    flush_folder(data)
