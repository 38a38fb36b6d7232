"""Opening a store after a power cut: it opens by itself, and what was flushed is there."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.documents import EVERYONE
from kb.store import NodeStore
from kb.store_manifest import read_manifest
from kb.store_repair import broken_indexes, repair_table
from tests.kb.stored import disk_files, documents_of, entries, nearest, nodes_of, open_store, texts, vector_of

TABLE = "nodes-0001.lance"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Return a closed store with one indexed document, one later one, and one edit after that."""
    store = await open_store(tmp_path)
    await store.replace(documents_of(nodes_of("a.md", "first words", "more of it")))
    await store.maintain(force=True)
    await store.replace(documents_of(nodes_of("b.md", "second words")))
    await store.replace(documents_of(nodes_of("a.md", "third words", "more of it")))
    await store.close()
    return tmp_path


def manifests(folder: Path) -> list[Path]:
    """Return the manifests, newest first: their names count down."""
    return disk_files(folder / TABLE / "_versions", "*.manifest")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path: Path) -> None:
    path.unlink()


async def found(folder: Path) -> tuple[set[str], tuple[str, ...]]:
    store = await open_store(folder)
    words = set(await texts(store, "words"))
    near = await nearest(store, vector_of("x"), limit=9, audience=EVERYONE)
    assert words == {hit.node.text for hit in near if "words" in hit.node.text}
    await store.replace(documents_of(nodes_of("later.md", "later words")))
    assert set(await texts(store, "words")) == {*words, "later words"}
    assert (await store.maintain(force=True)).error == ""
    await store.close()
    return words, store.repairs


async def test_a_whole_store_needs_no_repair(folder: Path) -> None:
    """Opening a store that is whole repairs nothing and keeps its version."""
    store = await open_store(folder)
    version = await store.version()
    await store.close()
    again = await open_store(folder)
    assert (again.repairs, await again.version()) == ((), version)
    await again.close()


@pytest.mark.parametrize("damage", [empty, halve, zero])
@pytest.mark.parametrize(("count", "words"), [(1, {"first words", "second words"}), (2, {"first words"})])
async def test_damaged_manifests_are_dropped(
    folder: Path, damage: Callable[[Path], None], count: int, words: set[str]
) -> None:
    """With its newest manifests cut short a store opens at the newest whole version and says so."""
    for path in manifests(folder)[:count]:
        damage(path)
    left, repairs = await found(folder)
    assert left == words
    assert len(repairs) == count
    assert all("was damaged and is dropped" in line for line in repairs)
    assert len(disk_files(folder / "damaged-nodes-0001")) == count


@pytest.mark.parametrize("damage", [empty, halve, zero, remove])
async def test_versions_with_damaged_data_are_dropped(folder: Path, damage: Callable[[Path], None]) -> None:
    """A version whose data file is cut short or missing gives way to the one before."""
    newest, before = (set(read_manifest(path.read_bytes()).files) for path in manifests(folder)[:2])
    for file in newest - before:
        damage(folder / TABLE / file.path)
    left, repairs = await found(folder)
    assert left == {"first words", "second words"}
    assert len(repairs) == 1


@pytest.mark.parametrize("damage", [empty, remove])
async def test_a_damaged_version_hint_is_no_hindrance(folder: Path, damage: Callable[[Path], None]) -> None:
    """A version hint that is empty or missing changes nothing."""
    damage(folder / TABLE / "_versions" / "latest_version_hint.json")
    assert (await found(folder))[0] == {"second words", "third words"}


@pytest.mark.parametrize("damage", [empty, halve, zero, remove])
async def test_damaged_indexes_are_built_again(folder: Path, damage: Callable[[Path], None]) -> None:
    """Index files that are cut short or missing cost nothing but their rebuilding."""
    for path in disk_files(folder / TABLE / "_indices"):
        damage(path)
    left, repairs = await found(folder)
    assert left == {"second words", "third words"}
    assert len(repairs) == 12
    assert "index 'search_idx' was damaged and is dropped" in repairs
    assert "index on 'search' was missing and is built again" in repairs


async def test_a_missing_index_is_built_again(folder: Path) -> None:
    """A store that lost its full-text index gets it back when it is opened."""
    store = await open_store(folder)
    await store._table.drop_index("search_idx")
    await store.close()
    assert await found(folder) == (
        {"second words", "third words"},
        ("index on 'search' was missing and is built again",),
    )


async def test_a_hopeless_table_is_moved_aside(folder: Path) -> None:
    """A table that cannot be opened at all is moved, never deleted, and a new one starts empty."""
    kept = {path.name for path in disk_files(folder / TABLE)}
    for path in manifests(folder):
        empty(path)
    left, repairs = await found(folder)
    assert left == set()
    assert "could not be opened and was moved to" in repairs[0]
    [aside] = [name for name in entries(folder) if name.startswith("damaged-")]
    assert {path.name for path in disk_files(folder / aside)} == kept


async def test_a_folder_without_versions_is_moved_aside(folder: Path) -> None:
    """A table folder that holds no manifest is moved aside."""
    shutil.rmtree(folder / TABLE / "_versions")
    assert (await found(folder))[0] == set()


async def test_whatever_a_power_cut_takes_the_flushed_stays(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With any files after a flush emptied, halved or missing, the flushed documents are there."""
    store = await open_store(folder)
    await store.flush()
    flushed = {path: path.stat().st_mtime_ns for path in disk_files(folder)}
    for number in range(4):
        await store.replace(documents_of(nodes_of("c.md", "late words", f"detail {number}")))
    await store.maintain(force=True)
    await store.close()
    late = [path for path in disk_files(folder) if path not in flushed]
    chance = random.Random(5)
    for number in range(12):
        copy = tmp_path_factory.mktemp("cut") / "store"
        shutil.copytree(folder, copy)
        for path in chance.sample(late, chance.randint(1, len(late))):
            chance.choice([empty, halve, zero, remove])(copy / path.relative_to(folder))
        words, _ = await found(copy)
        assert words - {"late words"} == {"second words", "third words"}, number


async def test_repair_leaves_a_store_in_use_alone(folder: Path) -> None:
    """Files of a commit that is under way are no damage."""
    (folder / TABLE / "data" / "under-way.lance").write_bytes(b"half")
    (folder / TABLE / "_indices" / "under-way").mkdir()
    before = disk_files(folder)
    assert repair_table(folder / TABLE) == []
    assert broken_indexes(folder / TABLE) == []
    assert disk_files(folder) == before


async def test_the_manifest_reader_knows_every_file(folder: Path) -> None:
    """The files read from a manifest are there, and LanceDB names the same indexes."""
    manifest = read_manifest(manifests(folder)[0].read_bytes())
    assert {file.path.parts[0] for file in manifest.files} == {"data", "_deletions"}
    files = [*manifest.files, *(file for _, index in manifest.indexes for file in index)]
    assert len(files) > 12
    for file in files:
        size = (folder / TABLE / file.path).stat().st_size
        assert file.size == size or file.path.parts[0] == "_deletions"
    store = await open_store(folder)
    named = {(index.name, index.index_uuid) for index in await store._table.list_indices()}
    assert {(name, files[0].path.parent.name) for name, files in manifest.indexes} == named
    await store.close()


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 40])
async def test_a_cut_manifest_is_a_value_error(folder: Path, cut: int) -> None:
    """A manifest that lost its end or its middle is refused, whatever is left."""
    content = manifests(folder)[0].read_bytes()
    with pytest.raises(ValueError, match=r"bytes|missing|broken"):
        read_manifest(content[:cut])
    with pytest.raises(ValueError, match="broken"):
        read_manifest(content[:cut] + content[-16:])


async def test_repairs_are_told(folder: Path) -> None:
    """What was mended is an attribute of the open store."""
    empty(manifests(folder)[0])
    store = await open_store(folder)
    assert isinstance(store, NodeStore)
    assert [line.split(" ")[0] for line in store.repairs] == ["version"]
    await store.close()
