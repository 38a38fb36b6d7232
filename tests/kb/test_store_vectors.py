from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from kb.documents import EVERYONE, Audience
from kb.store import NodeStore
from kb.store_vectors import VectorBoard
from tests.kb.stored import documents_of, nearest, nodes_of, open_store, vector_of

STAFF = Audience(frozenset({"staff"}))


async def filled(path: Path) -> NodeStore:
    store = await open_store(path)
    for number in range(30):
        tags = ("staff", "owners") if number % 3 == 0 else ("*",)
        source = "wiki" if number % 2 else "docs"
        nodes = nodes_of(f"{number}.md", f"text {number}", "shared", source=source, audience=tags)
        await store.replace(documents_of(nodes))
    return store


async def board_of(store: NodeStore) -> VectorBoard:
    return await VectorBoard.load(store._table, await store.version())


async def test_it_agrees_with_the_table(tmp_path: Path) -> None:
    """The nearest of the board are the nearest that LanceDB's exact search finds, at the same cosines."""
    store = await filled(tmp_path)
    board = await board_of(store)
    vector = vector_of("text 7")
    query = store._table.query().nearest_to(vector).distance_type("cosine").bypass_vector_index()
    rows = await query.select(["id", "_distance"]).limit(12).to_arrow()
    found = board.nearest(vector * 5, limit=12, audience=Audience(frozenset({"staff", "owners"})))
    np.testing.assert_allclose([one.score for one in found], 1 - rows["_distance"].to_numpy(), atol=1e-6)
    assert found[0].id == rows["id"][0].as_py()


async def test_only_what_may_be_seen_is_found(tmp_path: Path) -> None:
    """Audience and sources limit before the nearest are chosen; a name nobody has finds nothing."""
    store = await filled(tmp_path)
    board = await board_of(store)
    vector = vector_of("text 3")
    assert len(board.nearest(vector, limit=100, audience=EVERYONE)) == 40
    assert len(board.nearest(vector, limit=100, audience=STAFF)) == 60
    assert len(board.nearest(vector, limit=100, audience=STAFF, sources=["wiki"])) == 30
    assert board.nearest(vector, limit=5, audience=EVERYONE, sources=["elsewhere"]) == []


async def test_a_commit_is_found_at_once(tmp_path: Path) -> None:
    """What a commit adds is found by the next search, and what it removes is not."""
    store = await filled(tmp_path)
    assert "new words" not in await nearest_texts(store, "new words")
    new = nodes_of("new.md", "new words")
    await store.replace(documents_of(new))
    assert (await nearest_texts(store, "new words"))[0] == "new words"
    await store.delete_documents([new[0].document_id])
    assert "new words" not in await nearest_texts(store, "new words")


async def test_rows_that_moved_are_read_all_the_same(tmp_path: Path) -> None:
    """What was found before a compaction is read after it."""
    store = await filled(tmp_path)
    found = await store.find_nearest(vector_of("text 8"), limit=9, audience=EVERYONE)
    await store.maintain(force=True, keep=timedelta(milliseconds=1))
    nodes = await store.read(found, EVERYONE)
    assert list(nodes) == [one.id for one in found]
    assert nodes[found[0].id].text == "text 8"


async def test_what_was_limited_meanwhile_is_not_read(tmp_path: Path) -> None:
    """A node that was found and then limited to others, or deleted, is left out when it is read."""
    store = await filled(tmp_path)
    limited, gone = nodes_of("8.md", "text 8", "shared"), nodes_of("10.md", "text 10", "shared")
    found = await store.find_nearest(vector_of("text 8"), limit=40, audience=EVERYONE)
    assert {limited[0].id, gone[0].id} <= {one.id for one in found}
    await store.replace({limited[0].document_id: [replace(node, audience=("staff",)) for node in limited]})
    await store.delete_documents([gone[0].document_id])
    nodes = await store.read(found, EVERYONE)
    assert not {limited[0].id, gone[0].id} & nodes.keys()
    assert len(nodes) == len(found) - 4


async def nearest_texts(store: NodeStore, text: str) -> list[str]:
    hits = await nearest(store, vector_of(text), limit=3, audience=EVERYONE)
    return [hit.node.text for hit in hits]
