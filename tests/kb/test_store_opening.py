"""Opening a store: the model it fits, the folder it lies in, and building a new one beside it."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from kb.errors import ModelMismatch, StoreError, StoreNewer
from kb.store import NodeStore
from tests.kb.stored import DIMENSION, documents_of, entries, nodes_of, open_store, texts


async def test_another_model_is_refused(tmp_path: Path) -> None:
    """A store of another embedding model or dimension is not opened; the line says what to run."""
    await (await open_store(tmp_path)).close()
    with pytest.raises(ModelMismatch, match=r"'m', not 'other'\. Run `lorekeeper sync --reembed`"):
        await open_store(tmp_path, model="other")
    with pytest.raises(ModelMismatch):
        await NodeStore.open(tmp_path, model="m", dimension=DIMENSION * 2)


async def test_a_newer_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of a later format is not opened."""
    monkeypatch.setattr("kb.store_rows.SCHEMA_VERSION", 99)
    await (await open_store(tmp_path)).close()
    with pytest.raises(StoreNewer, match="format 99"):
        await open_store(tmp_path)


async def test_a_fresh_store_takes_over_when_published(tmp_path: Path) -> None:
    """Re-embedding builds beside the store; readers keep the old one until it is published."""
    old = await open_store(tmp_path)
    await old.replace(documents_of(nodes_of("a.md", "old text")))
    fresh = await open_store(tmp_path, model="other", fresh=True)
    await fresh.replace(documents_of(nodes_of("a.md", "new text")))
    again = await open_store(tmp_path)
    assert await texts(again, "text") == ["old text"]
    await fresh.publish()
    assert await texts(old, "text") == ["old text"]
    taken = await open_store(tmp_path, model="other")
    assert await texts(taken, "text") == ["new text"]
    assert (await taken.maintain(keep=timedelta(seconds=-2))).error == ""
    assert entries(tmp_path) == ["nodes-0002.lance"]
    for opened in (old, fresh, again, taken):
        await opened.close()


async def test_an_unpublished_store_is_dropped_by_the_next(tmp_path: Path) -> None:
    """What a broken-off re-embedding left behind does not stay."""
    await (await open_store(tmp_path)).close()
    await (await open_store(tmp_path, model="a", fresh=True)).close()
    await (await open_store(tmp_path, model="b", fresh=True)).close()
    assert entries(tmp_path) == ["nodes-0001.lance", "nodes-0002.lance"]
    await (await open_store(tmp_path)).close()


async def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """A path that is a file, or inside one, is refused with its name."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"is a file\. Name a folder"):
        await open_store(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be made: Not a directory"):
        await open_store(tmp_path / "file" / "store")


async def test_a_reader_makes_no_store(tmp_path: Path) -> None:
    """Opening without leave to create leaves the disk alone."""
    with pytest.raises(StoreError, match="Run `lorekeeper sync` first"):
        await open_store(tmp_path / "none", create=False)
    with pytest.raises(StoreError, match="Run `lorekeeper sync` first"):
        await open_store(tmp_path, create=False)
    assert entries(tmp_path) == []


async def test_a_folder_that_is_not_writable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder this user may not write is refused with its name."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="is not writable"):
        await open_store(tmp_path)


async def test_two_open_stores_may_write(tmp_path: Path) -> None:
    """Two writers of different documents, one maintaining, lose nothing."""
    one, two = await open_store(tmp_path), await open_store(tmp_path)

    async def fill(store: NodeStore, name: str) -> None:
        for number in range(10):
            await store.replace(documents_of(nodes_of(f"{name}{number}.md", f"{name} {number}")))
            await store.replace(documents_of(nodes_of(f"{name}{number}.md", f"{name} {number} again")))

    await asyncio.gather(fill(one, "a"), fill(two, "b"), one.maintain(force=True))
    assert (await one.counts()).nodes == (await two.counts()).nodes == 20
    await one.close()
    await two.close()
