"""The store: what is written is what is read, in one commit, by every process."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from kb import store as store_module
from kb.documents import EVERYONE, Audience, document_id
from kb.errors import StoreError, StoreFull
from kb.store import NodeStore
from tests.kb.stored import (
    DIMENSION,
    disk_files,
    documents_of,
    nearest,
    nodes_of,
    open_store,
    texts,
    vector_of,
    without_embedding,
)

STAFF = Audience(frozenset({"staff"}))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[NodeStore]:
    opened = await open_store(tmp_path / "store")
    yield opened
    await opened.close()


async def test_a_node_comes_back_as_it_was_written(store: NodeStore) -> None:
    """All fields of a node, its vector and its word vectors survive the store."""
    [node] = nodes_of("a.md", "Text", url="https://x.test/a", page=3, metadata={"b": [1, None, "é"]})
    await store.replace({node.document_id: [node]})
    [found] = await store.nodes_of(node.document_id)
    assert without_embedding(found) == without_embedding(node)
    assert found.embedding is not None
    assert node.embedding is not None
    assert found.embedding.tokens == node.embedding.tokens
    np.testing.assert_array_equal(found.embedding.vector, node.embedding.vector)


@pytest.mark.parametrize(
    "text",
    [
        "null \x00 byte",
        "中文分词 العربية हिन्दी 🦉",
        "x" * 1_000_000,
        "",
        'it\'s "so" \\ {0} %s -- ;',
        "\u202e\ufeff",
    ],
    ids=["nul", "scripts", "megabyte", "empty", "signs", "marks"],
)
async def test_odd_text_survives(store: NodeStore, text: str) -> None:
    """A node's text comes back to the letter, whatever it is."""
    nodes = nodes_of("o'd\"d/päth\x00.md", text, "after")
    await store.replace(documents_of(nodes))
    assert [node.text for node in await store.nodes_of(nodes[0].document_id)] == [text, "after"]


async def test_a_lone_surrogate_becomes_a_question_mark(store: NodeStore) -> None:
    """Text that UTF-8 cannot hold is stored with `?` in its place."""
    nodes = nodes_of("a\udcff.md", "b\ud800")
    await store.replace(documents_of(nodes))
    [found] = await store.nodes_of(nodes[0].document_id)
    assert (found.uri, found.text) == ("a?.md", "b?")


async def test_replacing_removes_adds_and_keeps(store: NodeStore) -> None:
    """After a replace a document has exactly the given nodes, in one commit."""
    other = nodes_of("other.md", "other one", "other two")
    await store.replace(documents_of(nodes_of("a.md", "one", "two", "three"), other))
    before = await store.version()
    await store.replace(documents_of(nodes_of("a.md", "three", "one", "four")))
    assert await store.version() == before + 1
    assert [node.text for node in await store.nodes_of(document_id("docs", "a.md"))] == [
        "three",
        "one",
        "four",
    ]
    assert [node.text for node in await store.nodes_of(other[0].document_id)] == ["other one", "other two"]


async def test_replacing_before_any_index_update_makes_no_duplicates(store: NodeStore) -> None:
    """Rows that no index covers yet are updated, not doubled."""
    for text in ("one", "two", "one", "three"):
        await store.replace(documents_of(nodes_of("a.md", "same", text, updated_text(text))))
    await store.replace(documents_of(nodes_of("a.md", "same", "three", updated_text("three"), title="B")))
    assert (await store.counts()).nodes == 3


def updated_text(text: str) -> str:
    return f"about {text}"


async def test_replacing_with_the_same_nodes_commits_nothing(store: NodeStore) -> None:
    """A replace that changes nothing creates no version."""
    documents = documents_of(nodes_of("a.md", "one", "two"), nodes_of("b.md", "three"))
    await store.replace(documents)
    before = await store.version()
    await store.replace(documents)
    assert await store.version() == before


async def test_one_commit_may_change_and_remove_documents(store: NodeStore) -> None:
    """An empty list removes a document, in the same commit that changes others."""
    a, b = nodes_of("a.md", "one"), nodes_of("b.md", "two")
    await store.replace(documents_of(a, b))
    before = await store.version()
    await store.replace({a[0].document_id: [], **documents_of(nodes_of("b.md", "two", "three"))})
    assert await store.version() == before + 1
    assert await store.document_ids("docs") == {b[0].document_id}


async def test_facts_change_without_a_new_embedding(store: NodeStore) -> None:
    """A node whose audience, page or position changed is found as changed."""
    await store.replace(documents_of(nodes_of("a.md", "secret plan")))
    await store.replace(documents_of(nodes_of("a.md", "secret plan", audience=("staff",))))
    assert await texts(store, "plan") == []
    assert await texts(store, "plan", STAFF) == ["secret plan"]


async def test_big_batches_are_cut_between_documents(
    store: NodeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch beyond the bound becomes several commits, none of which cuts a document."""
    monkeypatch.setattr(store_module, "COMMIT_NODES", 5)
    before = await store.version()
    groups = [nodes_of(f"{name}.md", *(f"{name} {n}" for n in range(3))) for name in "abc"]
    await store.replace(documents_of(*groups))
    assert await store.version() == before + 3
    assert (await store.counts()).documents == 3


async def test_a_replace_that_fails_leaves_the_old_state(store: NodeStore) -> None:
    """A document whose new nodes cannot be written keeps its old ones."""
    await store.replace(documents_of(nodes_of("a.md", "old one", "old two")))
    before = await store.state_hash()
    wrong = nodes_of("a.md", "new one", dimension=DIMENSION + 1)
    with pytest.raises(StoreError, match="has a vector of shape"):
        await store.replace(documents_of(wrong))
    bare = [without_embedding(node) for node in nodes_of("a.md", "new one")]
    with pytest.raises(StoreError, match="has no embedding"):
        await store.replace(documents_of(bare))
    with pytest.raises(StoreError, match="belongs to"):
        await store.replace({"other": nodes_of("a.md", "new one")})
    assert await store.state_hash() == before


async def test_deleting_spares_the_rest(store: NodeStore) -> None:
    """Deleting documents or a source removes theirs alone; deleting nothing commits nothing."""
    kept, gone = nodes_of("a.md", "kept"), nodes_of("b.md", "gone")
    await store.replace(documents_of(kept, gone, nodes_of("a.md", "wiki", source="wiki")))
    await store.delete_documents([gone[0].document_id, "unknown"])
    await store.delete_source("wiki")
    assert await store.document_ids("docs") == {kept[0].document_id}
    assert await store.document_ids("wiki") == set()
    before = await store.version()
    await store.delete_documents([])
    await store.delete_documents(["unknown"])
    await store.delete_source("x' OR 'a' = 'a")
    assert await store.version() == before


async def test_known_hashes_give_their_embeddings(store: NodeStore) -> None:
    """Stored embeddings are found by node hash; unknown hashes are left out."""
    nodes = nodes_of("a.md", "one", "two")
    await store.replace(documents_of(nodes, nodes_of("copy.md", "one")))
    found = await store.embeddings([nodes[0].hash, "unknown", nodes[0].hash])
    assert list(found) == [nodes[0].hash]
    np.testing.assert_array_equal(found[nodes[0].hash].vector, vector_of("one"))
    assert found[nodes[0].hash].tokens == b"one"
    assert await store.embeddings([]) == {}


async def test_the_nearest_come_first_with_their_cosine(store: NodeStore) -> None:
    """The vector leg orders by cosine similarity, brings word vectors and keeps to its limit."""
    words = ["one", "two", "three", "four"]
    await store.replace(documents_of(nodes_of("a.md", *words)))
    hits = await nearest(store, vector_of("three"), limit=3, audience=EVERYONE)
    cosines = {word: float(vector_of(word) @ vector_of("three")) for word in words}
    assert [hit.node.text for hit in hits] == sorted(words, key=lambda word: -cosines[word])[:3]
    assert [hit.score for hit in hits] == pytest.approx(sorted(cosines.values(), reverse=True)[:3], abs=1e-5)
    assert hits[0].node.embedding is not None
    assert hits[0].node.embedding.tokens == b"three"


async def test_an_empty_store_finds_nothing(store: NodeStore) -> None:
    """Every read of an empty store is empty."""
    assert await nearest(store, vector_of("x"), limit=3, audience=EVERYONE) == []
    assert await texts(store, "x") == []
    assert await store.nodes_of("x") == []
    assert await store.around([("x", 1)]) == []
    assert await store.around([]) == []
    assert (await store.counts()).nodes == 0


@pytest.mark.parametrize("indexed", [False, True], ids=["at once", "after maintenance"])
@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("refused connections", "It says ERR_CONNECTION_REFUSED then."),
        ("run", "Running the tests"),
        ("分词", "中文分词测试"),
        ("CAFE", "un café noir"),
        ("who", "The Who"),
        ("рука", "моя рука болит"),
    ],
)
async def test_words_are_found(store: NodeStore, question: str, text: str, *, indexed: bool) -> None:
    """Full text finds parts of identifiers, word forms, CJK words and accents, indexed or not."""
    await store.replace(documents_of(nodes_of("a.md", text, "quite unlike all others")))
    if indexed:
        assert (await store.maintain(force=True)).error == ""
    assert await texts(store, question) == [text]


async def test_title_heading_and_path_are_found(store: NodeStore) -> None:
    """Full text sees the title, the heading path and the words of the uri."""
    await store.replace(documents_of(nodes_of("ops/onCall_rota.md", "Text", title="Lighthouse")))
    for question in ("lighthouse", "part", "rota", "ops", "call"):
        assert await texts(store, question) == ["Text"]


@pytest.mark.parametrize(
    "question", ["", "  ", "?!", "\x00", "\ud800", "a" * 100_000, '"(unclosed AND [x^2 ~', "' OR 1=1 --"]
)
async def test_any_question_is_searchable(store: NodeStore, question: str) -> None:
    """No question breaks full-text search, and signs of a query language mean nothing."""
    await store.replace(documents_of(nodes_of("a.md", "plain words")))
    assert await texts(store, question) == []


@pytest.mark.parametrize("indexed", [False, True], ids=["at once", "after maintenance"])
async def test_the_audience_limits_both_legs(store: NodeStore, *, indexed: bool) -> None:
    """Limited documents and other sources are not found by either leg."""
    await store.replace(
        documents_of(
            nodes_of("open.md", "common open"),
            nodes_of("staff.md", "common staff", audience=("staff", "boss")),
            nodes_of("open.md", "common wiki", source="wiki"),
        )
    )
    if indexed:
        await store.maintain(force=True)
    cases = [
        (EVERYONE, (), {"common open", "common wiki"}),
        (STAFF, (), {"common open", "common wiki", "common staff"}),
        (Audience(frozenset({"other"})), (), {"common open", "common wiki"}),
        (STAFF, ("docs",), {"common open", "common staff"}),
        (EVERYONE, ("nowhere",), set()),
    ]
    for audience, sources, expected in cases:
        assert set(await texts(store, "common", audience, *sources)) == expected
        near = await nearest(store, vector_of("common"), limit=9, audience=audience, sources=sources)
        assert {hit.node.text for hit in near} == expected


async def test_neighbours_keep_to_their_document(store: NodeStore) -> None:
    """Neighbours come in order, once each, from the same document."""
    a, b = nodes_of("a.md", *"01234"), nodes_of("b.md", *"xyz")
    await store.replace(documents_of(a, b))
    found = await store.around([(a[0].document_id, 1), (a[0].document_id, 2)], before=1, after=1)
    assert [node.text for node in found] == list("0123")
    assert {node.text for node in await store.around([(b[0].document_id, 0)], before=0, after=1)} == {
        "x",
        "y",
    }


async def test_the_state_hash_knows_content_alone(tmp_path: Path) -> None:
    """Order, history and vectors do not change the state hash; text and audience do."""
    one, two = await open_store(tmp_path / "one"), await open_store(tmp_path / "two")
    a, b = nodes_of("a.md", "one", "two"), nodes_of("b.md", "three")
    await one.replace(documents_of(a, b))
    await two.replace(documents_of(nodes_of("b.md", "draft"), nodes_of("c.md", "gone")))
    await two.replace({**documents_of(b), document_id("docs", "c.md"): []})
    await two.replace(documents_of(a))
    await two.maintain(force=True)
    assert await one.state_hash() == await two.state_hash()
    await two.replace(documents_of(nodes_of("b.md", "three", audience=("staff",))))
    assert await one.state_hash() != await two.state_hash()
    await one.close()
    await two.close()


async def test_counts_measure_nodes_documents_and_disk(store: NodeStore) -> None:
    """Counts tell nodes, documents, bytes on disk and the version."""
    await store.replace(documents_of(nodes_of("a.md", "one", "two"), nodes_of("b.md", "three")))
    counts = await store.counts()
    assert (counts.nodes, counts.documents, counts.version) == (3, 2, await store.version())
    assert counts.bytes == sum(path.stat().st_size for path in disk_files(store.path))


async def test_maintenance_with_nothing_to_do_writes_nothing(store: NodeStore) -> None:
    """Without enough changes maintenance creates no version."""
    await store.replace(documents_of(nodes_of("a.md", "one")))
    before = await store.version()
    report = await store.maintain()
    assert (report.optimized, report.error, await store.version()) == (False, "", before)


async def test_maintenance_compacts_many_fragments(store: NodeStore) -> None:
    """Past fifty fragments maintenance compacts, indexes every row and removes old versions."""
    for number in range(52):
        await store.replace(documents_of(nodes_of(f"{number}.md", f"text {number}")))
    report = await store.maintain(keep=timedelta(milliseconds=1))
    assert (report.optimized, report.fragments, report.unindexed, report.error) == (True, 52, 52, "")
    counts = await store.counts()
    assert (counts.fragments, counts.unindexed, counts.nodes) == (1, 0, 52)
    assert report.versions_removed > 50
    assert not (await store.maintain()).optimized


async def test_many_versions_are_cleaned_up(store: NodeStore) -> None:
    """A document that changes over and over leaves few fragments; its old versions go all the same."""
    for number in range(20):
        await store.replace(documents_of(nodes_of("a.md", f"text {number}")))
    live = (await store.counts()).bytes
    report = await store.maintain(keep=timedelta(milliseconds=1))
    assert (report.optimized, report.fragments) == (False, 1)
    assert (await store.counts()).bytes < live / 3


async def test_old_files_go_after_a_flush(store: NodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maintenance that cannot flush what it wrote removes no old file."""
    await store.replace(documents_of(nodes_of("a.md", "one")))
    await store.replace(documents_of(nodes_of("a.md", "two")))
    before = disk_files(store.path, "data/*.lance")

    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(store_module, "flush_folder", fail)
    assert "Input/output error" in (await store.maintain(force=True, keep=timedelta(milliseconds=1))).error
    assert set(before) <= set(disk_files(store.path, "data/*.lance"))


async def test_many_unindexed_rows_are_indexed(store: NodeStore) -> None:
    """More unindexed rows than full-text search should read for each question are indexed."""
    await store.replace(documents_of(nodes_of("a.md", *(f"text {n}" for n in range(201)))))
    assert (await store.maintain()).optimized
    assert (await store.counts()).unindexed == 0


async def test_maintenance_failure_is_reported(store: NodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing maintenance is a line in its report; the store goes on."""

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("lance error: No space left on device (os error 28)\nmore")

    monkeypatch.setattr("kb.store_upkeep.workload", fail)
    await store.replace(documents_of(nodes_of("a.md", "one")))
    assert (await store.maintain(force=True)).error.startswith("The disk is full.")
    assert await texts(store, "one") == ["one"]


async def test_writing_and_maintaining_at_once_loses_nothing(store: NodeStore) -> None:
    """Commits of several tasks beside maintenance are all there afterwards."""
    writes = [store.replace(documents_of(nodes_of(f"{n}.md", f"text {n}"))) for n in range(12)]
    done = await asyncio.gather(*writes, store.maintain(force=True), store.maintain(force=True))
    assert [report.error for report in done[12:] if report] == ["", ""]
    assert (await store.counts()).documents == 12


async def test_two_processes_see_each_others_commits(tmp_path: Path) -> None:
    """A reader in this process sees what another process commits."""
    reader = await open_store(tmp_path)
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.kb.stored import documents_of, nearest, nodes_of, open_store\n"
        "async def main():\n"
        "    store = await open_store(Path(sys.argv[1]))\n"
        "    await store.replace(documents_of(nodes_of('a.md', 'from afar')))\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert await texts(reader, "afar") == ["from afar"]
    await reader.close()


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("IO: No space left on device (os error 28)"),
    ],
)
async def test_a_full_disk_has_its_own_error(
    store: NodeStore, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """A full disk raises StoreFull, one line that says what to do; the old state stays."""

    def full(_: Path) -> None:
        raise fault

    monkeypatch.setattr(store_module, "flush_folder", full)
    with pytest.raises(
        StoreFull, match=r"^The disk that holds .* is full .* Free some space and run it again\.$"
    ):
        await store.flush()


async def test_a_flush_reaches_the_disk(store: NodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush works through syncfs, and file by file where there is none."""
    await store.replace(documents_of(nodes_of("a.md", "one")))
    await store.flush()
    monkeypatch.setattr(sys, "platform", "other")
    await store.flush()


async def test_what_lancedb_raises_is_a_store_error(store: NodeStore) -> None:
    """What LanceDB raises becomes one line that names the store and keeps its cause."""
    await store.replace(documents_of(nodes_of("a.md", "one")))
    for path in disk_files(store.path, "data/*.lance"):
        path.unlink()
    with pytest.raises(StoreError, match=r"^The store '.*' failed while it was searched: .*$") as caught:
        await texts(store, "one")
    assert caught.value.__cause__ is not None


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Using a closed store is an error of its own; closing twice is none."""
    store = await open_store(tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match=r"is closed\. Open it again\."):
        await texts(store, "x")
