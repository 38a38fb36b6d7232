"""Old versions of the store: which stay, and that the disk stays near what is live."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import pytest

from kb.documents import EVERYONE
from kb.errors import StoreError
from kb.store import NodeStore
from kb.store_cleanup import Cleaner, Rules, Version, pinned, pins, superfluous
from kb.store_flush import folder_bytes
from tests.kb.stored import (
    AT_ONCE,
    DIMENSION,
    disk_files,
    documents_of,
    nearest,
    nodes_of,
    open_store,
    texts,
    vector_of,
)

DAY = timedelta(days=1)
TABLE = "nodes-0001"
BIG = 100_000


def version(number: int, age: float, *files: str) -> Version:
    return Version(number=number, written=-age, files=frozenset(Path(file) for file in files))


def gone(
    versions: list[Version],
    *,
    marked: Collection[int] | None = None,
    pinned: Collection[int] = (),
    keep: timedelta = DAY,
    share: float = 3.0,
) -> list[int]:
    """Return the numbers of the versions that go; every file has the same size."""
    sizes = {file: BIG for each in versions for file in each.files}
    rules = Rules(now=0.0, keep=keep, share=share, marked=marked, pinned=pinned)
    return [each.number for each in superfluous(versions, sizes, rules)]


def test_versions_between_runs_go_after_minutes() -> None:
    """Versions that no run names go after ten minutes, those of runs after a day, the newest never."""
    ages = {1: 90_000, 2: 80_000, 3: 80_000, 4: 700, 5: 500, 6: 100_000}
    versions = [version(number, age, "same") for number, age in ages.items()]
    assert gone(versions, marked={1, 2}) == [1, 3, 4]
    assert gone(versions) == [1]


def test_versions_between_runs_go_first_when_the_disk_fills() -> None:
    """Above three times the live data copies between runs go before those of runs, then the oldest."""
    versions = [version(number, 1_000 - number, f"copy {number}") for number in range(1, 7)]
    young = [version(number, 60, f"copy {number}") for number in range(1, 7)]
    assert gone(versions, marked={1, 2, 3, 4, 5, 6}) == [1, 2, 3]
    assert gone(young, marked={1, 2, 5}) == [3, 4, 1]
    assert gone(young, marked={1, 2, 5}, pinned={3, 4}) == [1]


def test_the_last_run_can_be_rolled_back_for_minutes() -> None:
    """The two newest marked versions stay ten minutes whatever the disk holds."""
    copies = [[f"{name} {number}" for name in "abcd"] for number in range(3)]
    young = [version(number, 60, *files) for number, files in enumerate(copies)]
    aged = [version(number, 700, *files) for number, files in enumerate(copies)]
    newest = version(4, 30, "small")
    assert gone([*young, newest], marked={0, 1, 2}) == [0]
    assert gone([*aged, newest], marked={0, 1, 2}) == [0, 1, 2]


def test_deleted_rows_are_not_live() -> None:
    """What deleted rows take counts as disk and not as live data."""
    old = version(1, 1_000, "data/a")
    assert gone([old, version(2, 1_000, "data/b", "data/c")], share=1.6) == []
    half = Version(number=2, written=-1_000, files=frozenset({Path("data/b"), Path("data/c")}), alive=0.5)
    assert gone([old, half], share=2.5) == [1]


def test_nothing_goes_that_may_still_be_read() -> None:
    """Versions of the last seconds stay, even far above the limit."""
    assert gone([version(number, 5, f"copy {number}") for number in range(1, 9)]) == []


def test_shared_files_count_once() -> None:
    """Many versions of the same files need no space."""
    assert gone([version(number, 1_000, "same") for number in range(1, 200)]) == []
    assert len(gone([version(number, 1_000, "same") for number in range(1, 300)])) == 49


@pytest.fixture
async def store(tmp_path: Path) -> NodeStore:
    return await open_store(tmp_path / "store")


def age_versions(store: NodeStore, seconds: float) -> None:
    """Make every version older, as if time had passed."""
    for path in disk_files(store.path, "_versions/*.manifest"):
        written = path.stat().st_mtime - seconds
        os.utime(path, (written, written))


def live_bytes(store: NodeStore) -> int:
    _, cleaned = Cleaner(Path(store.path) / f"{store.name}.lance").choose(Rules(now=time.time(), keep=DAY))
    return cleaned.live


async def test_the_disk_stays_near_the_live_data(tmp_path: Path) -> None:
    """Over 70 runs, a minute apart, the disk never holds more than three times the live data."""
    marks: list[int] = []

    async def marked(_: str) -> Collection[int]:
        return marks

    store = await NodeStore.open(
        tmp_path, model="m", dimension=DIMENSION, refresh=AT_ONCE, keep=DAY, marked=marked
    )
    uris = [f"{number}.md" for number in range(60)]
    words = "long enough to weigh something " * 40
    await store.replace(documents_of(*(nodes_of(uri, f"{words} {uri}", f"{uri} {words}") for uri in uris)))
    await store.maintain(force=True)
    shares = []
    for run in range(70):
        marks.append(await store.version())
        for number in range(2):
            uri = uris[(run * 7 + number) % len(uris)]
            await store.replace(documents_of(nodes_of(uri, f"{words} {run} {number}", f"{uri} {words}")))
        marks.append(await store.version())
        assert (await store.maintain()).error == ""
        if run % 7 == 0 or run > 60:
            shares.append(folder_bytes(Path(store.path)) / live_bytes(store))
        age_versions(store, 60)
    assert max(shares) <= 3
    assert len(await texts(store, "69")) == 2
    async with store.at(marks[-2]) as before:
        assert len(await before.prints("docs")) == len(uris)
    with pytest.raises(StoreError, match=r"is kept no longer\. Only recent runs"):
        async with store.at(marks[0]):
            pass
    await store.close()


async def test_cleaning_keeps_all_that_is_named(store: NodeStore) -> None:
    """What is left opens version by version, and nothing lies about that no version names."""
    for number in range(12):
        await store.replace(documents_of(nodes_of(f"{number % 5}.md", f"text {number}")))
        if number % 4 == 3:
            await store.maintain(force=True, keep=DAY)
    before = await store.state_hash()
    age_versions(store, 3_600)
    report = await store.maintain(force=True, keep=timedelta(minutes=20))
    assert (report.versions_removed > 10, report.error) == (True, "")
    versions = Cleaner(Path(store.path) / f"{TABLE}.lance")._versions()
    assert (versions[-1].number, len(versions)) == (await store.version(), 2)
    async with store.at(versions[0].number) as earlier:
        assert await earlier.state_hash() == await store.state_hash() == before
    named = {file for each in versions for file in each.files}
    folder = Path(store.path) / f"{TABLE}.lance"
    left = {path.relative_to(folder) for path in disk_files(folder) if path.suffix != ".json"}
    assert {path for path in left - named if path.parts[0] != "_transactions"} == set()
    again = await open_store(Path(store.path))
    assert (again.repairs, await again.state_hash()) == ((), before)
    await again.close()
    await store.close()


async def test_a_version_that_is_read_stays(store: NodeStore) -> None:
    """A version stays while somebody reads it, and a reader of another process counts as well."""
    await store.replace(documents_of(nodes_of("a.md", "old words")))
    old = await store.version()
    await store.replace(documents_of(nodes_of("a.md", "new words")))
    age_versions(store, 3_600)
    other = await open_store(Path(store.path))
    async with store.at(old) as before:
        await other.maintain(force=True, keep=timedelta(0))
        [[node]] = (await before.nodes(await store.document_ids("docs"))).values()
        assert node.text == "old words"
    await other.maintain(force=True, keep=timedelta(0))
    with pytest.raises(StoreError, match="is kept no longer"):
        async with store.at(old):
            pass
    await other.close()
    await store.close()


def test_a_dead_readers_pin_wears_off(tmp_path: Path) -> None:
    """A pin that nobody removed counts for six hours."""
    with pinned(tmp_path, TABLE, 7):
        assert pins(tmp_path, TABLE, time.time()) == {7}
        assert pins(tmp_path, "nodes-0002", time.time()) == set()
        assert pins(tmp_path, TABLE, time.time() + 7 * 3_600) == set()
    assert disk_files(tmp_path) == []


async def test_questions_are_answered_during_maintenance(store: NodeStore) -> None:
    """While maintenance compacts, indexes and cleans up, questions find what they found before."""
    for number in range(60):
        await store.replace(documents_of(nodes_of(f"{number}.md", f"text {number}", "more of it")))
    maintaining = asyncio.create_task(store.maintain(force=True, keep=timedelta(0)))
    answered = 0
    while not maintaining.done():
        assert len(await texts(store, "text")) == 10
        assert len(await nearest(store, vector_of("x"), limit=5, audience=EVERYONE)) == 5
        answered += 1
    assert (await maintaining).error == ""
    assert answered > 3
    await store.close()
