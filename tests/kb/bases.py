"""A knowledge base for the tests of syncs: the real store and database, stand-ins for all else."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from kb.database import close_database, open_database
from kb.documents import document_id
from kb.manifest import Manifest
from kb.reports import Progress, SyncReport
from kb.settings import SyncSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.kb.fakes import DIMENSION, HashEmbedder, LineParser, ScriptedConnector


class Clock:
    """The time, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Base:
    """A knowledge base of one source whose parts a test can reach."""

    def __init__(self, store: NodeStore, manifest: Manifest, files: dict[str, str], folder: Path) -> None:
        self.store = store
        self.manifest = manifest
        self.clock = Clock()
        manifest.clock = self.clock
        self.embedder = HashEmbedder()
        self.parser = LineParser()
        self.connector = ScriptedConnector("s", files)
        self.source = FolderSource(name="s", location="/nowhere")
        self.settings = SyncSettings()
        self.folder = folder

    @property
    def files(self) -> dict[str, str]:
        return self.connector.files

    def synchroniser(self) -> Synchroniser:
        return Synchroniser(
            self.store,
            self.manifest,
            self.embedder,
            self.parser,
            self.settings,
            self.connector,
        )

    async def sync(
        self,
        *,
        allow_deletes: bool = False,
        dry_run: bool = False,
        reembed: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        return await self.synchroniser().run(
            self.source, allow_deletes=allow_deletes, dry_run=dry_run, reembed=reembed, progress=progress
        )

    async def texts(self, *uris: str) -> list[str]:
        found = [await self.store.nodes_of(document_id("s", uri)) for uri in uris or self.files]
        return [node.text for nodes in found for node in nodes]


async def open_base(
    stack: AsyncExitStack, folder: Path, files: dict[str, str] | None = None, *, store: str = "store"
) -> Base:
    engine = await open_database("", folder)
    stack.push_async_callback(close_database, engine)
    opened = await NodeStore.open(folder / store, model="hash-16", dimension=DIMENSION)
    stack.push_async_callback(opened.close)
    return Base(opened, Manifest(engine), files if files is not None else sample(), folder)


def sample(number: int = 5) -> dict[str, str]:
    return {f"{place}.md": f"# Title {place}\n\nFirst of {place}.\n\nSecond." for place in range(number)}


async def clean_state(base: Base) -> str:
    """Return the state hash of a store that is built from the source's files at once."""
    async with AsyncExitStack() as stack:
        other = await open_base(stack, base.folder / "clean", dict(base.files))
        other.source = base.source
        await other.sync()
        return await other.store.state_hash()
