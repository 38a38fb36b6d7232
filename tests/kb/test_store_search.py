from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kb.documents import EVERYONE, HIDDEN_TAG, Audience
from kb.lance import AsyncTable
from kb.nodes import StoredNode
from kb.store import NodeStore
from kb.store_recent import RecentRows
from kb.store_search import TableSearch
from kb.store_vectors import RowIds
from tests.kb import stored
from tests.kb.stored import documents_of, nodes_of, open_store, texts, vector_of

STAFF = Audience(frozenset({"staff"}))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the rows that are taken out of the table, a number each time."""
    counts: list[int] = []
    take = AsyncTable.take_row_ids

    def counted(self: AsyncTable, row_ids: list[int]) -> object:
        counts.append(len(row_ids))
        return take(self, row_ids)

    monkeypatch.setattr(AsyncTable, "take_row_ids", counted)
    return counts


async def filled(path: Path) -> NodeStore:
    store = await open_store(path)
    await store.replace(
        documents_of(nodes_of("a.md", "apples and pears"), nodes_of("b.md", "apples and figs"))
    )
    return store


async def test_rows_are_taken_once_a_version(tmp_path: Path, taken: list[int]) -> None:
    """What was read is not taken out of the table again until a commit; then it is."""
    store = await filled(tmp_path)
    found = await store.find_matching("apples", limit=5, audience=EVERYONE)
    first = await store.read(found, EVERYONE)
    assert await store.read(found[:1], EVERYONE) == {found[0].id: first[found[0].id]}
    assert taken == [2]
    await store.replace(documents_of(nodes_of("c.md", "apples alone")))
    await store.read(await store.find_matching("apples", limit=5, audience=EVERYONE), EVERYONE)
    assert taken == [2, 3]


@pytest.mark.parametrize(
    "text",
    [
        '"apples and pears"',
        '"pears apples"',
        '"apples"',
        '""apples""',
        '"',
        '" "',
        "'apples'",
        "apples AND (pears",
        "+apples -pears~*^",
    ],
)
async def test_marks_in_a_text_are_no_query_language(tmp_path: Path, text: str) -> None:
    """A text in quotation marks, or with marks of a search engine's language, is matched by its words."""
    store = await filled(tmp_path)
    found = await store.find_matching(text, limit=5, audience=EVERYONE)
    plain = await store.find_matching(
        "".join(c if c.isalnum() else " " for c in text), limit=5, audience=EVERYONE
    )
    assert [(one.id, one.score) for one in found] == [(one.id, one.score) for one in plain]
    assert bool(found) is ("apples" in text)


async def test_remembered_rows_keep_to_the_audience(tmp_path: Path) -> None:
    """A row that one asker read is not read by another who may not see it."""
    store = await open_store(tmp_path)
    await store.replace(documents_of(nodes_of("pay.md", "salaries", audience=("staff",))))
    found = await store.find_matching("salaries", limit=5, audience=STAFF)
    assert len(await store.read(found, STAFF)) == 1
    assert await store.read(found, EVERYONE) == {}


async def test_another_writer_is_seen_at_once(tmp_path: Path) -> None:
    """What another process removes, hides or adds is gone, hidden or found in the next search."""
    store = await filled(tmp_path)
    assert sorted(await texts(store, "apples")) == ["apples and figs", "apples and pears"]
    other = await open_store(tmp_path)
    gone, hidden = nodes_of("a.md", "apples and pears"), nodes_of("b.md", "apples and figs")
    await other.delete_documents([gone[0].document_id])
    assert await texts(store, "apples") == ["apples and figs"]
    await other.replace(documents_of([replace(hidden[0], audience=(HIDDEN_TAG,))]))
    assert await texts(store, "apples") == []
    await other.replace(documents_of(nodes_of("d.md", "apples again")))
    assert await texts(store, "apples") == ["apples again"]


async def test_a_commit_during_a_search_shows_nothing_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that began when everybody could see everything finds and shows nothing limited since."""
    store = await filled(tmp_path)
    search_filter = TableSearch._filter

    async def interrupted(self: TableSearch, *arguments: object) -> str | None:
        found = await search_filter(self, *arguments)  # type: ignore[arg-type]  # passed on
        limited = nodes_of("b.md", "apples and figs", audience=("staff",))
        await store.replace(documents_of(limited, nodes_of("e.md", "apples later")))
        return found

    monkeypatch.setattr(TableSearch, "_filter", interrupted)
    assert sorted(await texts(store, "apples")) == ["apples and pears", "apples later"]


@pytest.mark.parametrize("rows", [1, 2])
async def test_a_large_table_is_searched_as_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Without its vectors in memory a table gives the same nodes, those that may be seen."""
    store = await filled(tmp_path)
    await store.replace(documents_of(nodes_of("s.md", "apples of the staff", audience=("staff",))))
    small = [await nearest(store, audience) for audience in (EVERYONE, STAFF)]
    matching = [sorted(await texts(store, "apples", audience)) for audience in (EVERYONE, STAFF)]
    monkeypatch.setattr("kb.store_search.EXACT_ROWS", rows)
    store = await open_store(tmp_path)
    for _ in range(2):
        assert [await nearest(store, audience) for audience in (EVERYONE, STAFF)] == small
        assert [sorted(await texts(store, "apples", audience)) for audience in (EVERYONE, STAFF)] == matching
    assert [len(one) for one in matching] == [2, 3]


@pytest.mark.parametrize(("rows_a_leg", "most", "expected"), [(9, 9, [0, 3]), (1, 9, [2]), (9, 1, [])])
async def test_the_ids_of_a_large_table_are_read_once_that_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_a_leg: int, most: int, expected: list[int]
) -> None:
    """A version's ids are all read after so many legs, those of a huge table never; every node is found."""
    load, asked, loads = RowIds.load, [], []

    async def counted(table: AsyncTable, version: int) -> RowIds:
        loads.append(len(asked))
        return await load(table, version)

    monkeypatch.setattr(RowIds, "load", counted)
    for name, value in {"EXACT_ROWS": 1, "_ROWS_A_LEG": rows_a_leg, "_MOST_IDS": most}.items():
        monkeypatch.setattr(f"kb.store_search.{name}", value)
    store = await filled(tmp_path)
    for known in (
        ["apples and figs", "apples and pears"],
        ["apples alone", "apples and figs", "apples and pears"],
    ):
        for _ in range(3):
            assert sorted(await texts(store, "apples")) == known
            asked.append("apples")
        await store.replace(documents_of(nodes_of("c.md", "apples alone")))
    assert loads == expected


async def test_a_commit_between_the_version_and_the_search_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that came while a leg began is found in a large table, though its row is not yet known."""
    monkeypatch.setattr("kb.store_search.EXACT_ROWS", 1)
    store = await filled(tmp_path)
    await texts(store, "apples")
    known_ids = TableSearch._known_ids

    async def interrupted(self: TableSearch, version: int) -> RowIds | None:
        found = await known_ids(self, version)
        assert found is not None
        await store.replace(documents_of(nodes_of("e.md", "apples later")))
        return found

    monkeypatch.setattr(TableSearch, "_known_ids", interrupted)
    assert sorted(await texts(store, "apples")) == ["apples and figs", "apples and pears", "apples later"]
    assert "apples later" in await nearest(store, EVERYONE)


def test_the_rows_asked_for_longest_ago_go() -> None:
    """Rows are kept up to a number of bytes; one that was asked for again stays."""
    first, second, third = (nodes_of(f"{name}.md", name * 5_000)[0] for name in "abc")
    recent = RecentRows(16_000)
    recent.keep(1, [first, second])
    assert recent.of(1, [first.id]) == {first.id: first}
    recent.keep(1, [third])
    assert recent.of(1, ids(first, second, third)).keys() == {first.id, third.id}


def test_rows_of_another_version_are_not_known() -> None:
    """A newer version forgets the rows of an older one, and an older one brings none back."""
    node = nodes_of("a.md", "text")[0]
    recent = RecentRows()
    recent.keep(2, [node])
    recent.keep(1, [replace(node, id="old")])
    assert recent.of(1, ["old"]) == {}
    assert recent.of(3, [node.id]) == {}
    recent.keep(3, [])
    assert recent.of(2, [node.id]) == {}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="lancedb does not ask for it there")
def test_lancedb_leaves_nothing_false_behind() -> None:
    """Once lancedb is imported, `overrides` is the real package for everybody else."""
    code = "import kb.lance, sys; assert 'overrides' not in sys.modules; from overrides import final"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""


async def nearest(store: NodeStore, audience: Audience) -> list[str]:
    hits = await stored.nearest(store, vector_of("apples"), limit=5, audience=audience)
    return [hit.node.text for hit in hits]


def ids(*nodes: StoredNode) -> list[str]:
    return [node.id for node in nodes]
