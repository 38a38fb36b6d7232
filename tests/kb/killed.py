"""A knowledge base whose sync is killed: what runs in the child, and how the parent judges the rest."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import warnings
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.documents import document_id
from kb.faults import VARIABLE
from kb.manifest import Manifest
from kb.reports import SyncReport
from kb.settings import SyncSettings
from kb.sources import FolderSource, GitSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.kb.fakes import DIMENSION, HashEmbedder, LineParser
from tests.kb.hosted import FileHost, Hosts, write_host

# LanceDB warns of forks after its import. The fork server imports it and does nothing else with it.
warnings.filterwarnings("ignore", message="lancedb fork support", category=RuntimeWarning)

_HANGS = 120.0

# The steps at which a sync from `before` to `after` may be killed, and how often it comes by at least.
STEPS = {
    "list": 1,
    "plan": 1,
    "fetch": 16,
    "parse": 16,
    "split": 16,
    "embed": 4,
    "commit": 4,
    "flush": 4,
    "record": 4,
    "recorded": 4,
    "hide": 1,
    "delete": 1,
    "deleted": 1,
    "forget": 1,
    "optimise": 1,
}

Source = FolderSource | GitSource
Files = Mapping[str, str]


async def sync(data: Path, source: Source) -> tuple[SyncReport, str]:
    """Sync as a process of its own would; return the report and the state of the store."""
    async with AsyncExitStack() as stack:
        engine = await open_database("", data)
        stack.push_async_callback(engine.dispose)
        store = await NodeStore.open(data / "store", model="hash-16", dimension=DIMENSION)
        stack.push_async_callback(store.close)
        synchroniser = Synchroniser(
            store,
            Manifest(engine),
            HashEmbedder(),
            LineParser(),
            SyncSettings(batch_documents=4, guard_documents=100),
            Hosts(engine) if isinstance(source, FileHost) else Connectors(engine, data),
        )
        return await synchroniser.run(source), await store.state_hash()


def run_killed(data: Path, source: Source, *, fault: str = "", after: float | None = None) -> int | None:
    """Sync in a child that dies at a fault point or `after` seconds.

    Return its exit code, or None when it hangs.
    """
    # A fork server has the modules loaded already: a start takes milliseconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.kb.killed"])
    child = context.Process(target=_child, args=(data, source, fault))
    child.start()
    child.join(_HANGS if after is None else after)
    hangs = after is None and child.is_alive()
    child.kill()
    child.join()
    return None if hangs else child.exitcode


def midway(step: str) -> str:
    """Return the fault that kills when about half of a step's work is done."""
    return f"{step}:{(STEPS[step] + 1) // 2}"


def _child(data: Path, source: Source, fault: str) -> None:
    os.environ[VARIABLE] = fault
    asyncio.run(sync(data, source))


def put(source: Source, files: Files) -> None:
    """Make a source hold exactly these documents."""
    if isinstance(source, FileHost):
        write_host(Path(source.location), files)
        return
    folder = Path(source.location.removeprefix("file://"))
    folder.mkdir(exist_ok=True)
    write_folder(folder, files)
    if isinstance(source, GitSource):
        commit(folder)


def write_folder(folder: Path, files: Files) -> None:
    """Make the folder hold exactly these files; those that stay as they are are not touched."""
    for path in [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]:
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for uri, text in files.items():
        path = folder / uri
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def commit(folder: Path) -> None:
    """Commit all of a folder, which becomes a git repository if it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "m")


def git(folder: Path, *arguments: str) -> None:
    """Run a git command in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S607 - the git of the machine


def first() -> dict[str, str]:
    """Return the documents of the first sync: some of them are hidden when the killed sync begins."""
    return before() | {f"gone/{place}.md": text_of(place, "gone") for place in range(4)}


def before() -> dict[str, str]:
    """Return the documents that are there to be found when the killed sync begins."""
    return {f"{place}.md": text_of(place, "old") for place in range(24)}


def after() -> dict[str, str]:
    """Return the documents of the killed sync: some stay, change, move, go and come."""
    files = before()
    files |= {f"{place}.md": text_of(place, "new") for place in range(8)}
    files |= {f"moved/{place}.md": files.pop(f"{place}.md") for place in range(8, 12)}
    for place in range(12, 16):
        del files[f"{place}.md"]
    return files | {f"added/{place}.md": text_of(place, "added") for place in range(8)}


def text_of(place: int, state: str) -> str:
    """Return a document of several paragraphs, each of which tells its state."""
    return "\n\n".join(f"Part {part} of {place}, {state}." for part in range(5))


async def hidden(data: Path, source: str) -> int:
    """Return how many documents the store holds that nobody sees."""
    store = await NodeStore.open(data / "store", model="hash-16", dimension=DIMENSION)
    try:
        everything = await store.document_ids(source, hidden=True)
        return len(everything - await store.document_ids(source))
    finally:
        await store.close()


async def misfits(data: Path, source: str, old: Files, new: Files) -> list[str]:
    """Return what is wrong in the store after a kill: documents neither old nor new, and strangers."""
    store = await NodeStore.open(data / "store", model="hash-16", dimension=DIMENSION)
    try:
        wrong = []
        stored = await store.document_ids(source)
        for uri in sorted({*old, *new}):
            identity = document_id(source, uri)
            stored.discard(identity)
            texts = [node.text for node in await store.nodes_of(identity)]
            allowed = [files[uri].split("\n\n") if uri in files else [] for files in (old, new)]
            if texts not in allowed:
                wrong.append(f"{uri}: {texts}")
        return wrong + [f"stranger {identity}" for identity in sorted(stored)]
    finally:
        await store.close()
