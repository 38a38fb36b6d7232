"""A small knowledge base of one scripted source, for tests of what happens around syncs."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from kb.database import open_database
from kb.documents import Audience, document_id
from kb.lookback import marked_versions
from kb.manifest import Manifest, Run
from kb.reports import SyncReport
from kb.settings import SyncSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.kb.fakes import DIMENSION, HashEmbedder, LineParser, ScriptedConnector
from tests.kb.stored import AT_ONCE


class SmallBase:
    """The parts of a knowledge base whose documents are in memory."""

    def __init__(self, store: NodeStore, manifest: Manifest, folder: Path) -> None:
        self.store = store
        self.manifest = manifest
        self.folder = folder
        self.embedder = HashEmbedder()
        self.files: dict[str, str] = {}
        self.connector = ScriptedConnector("s", self.files)
        self.source = FolderSource(name="s", location="/nowhere")

    @property
    def tags(self) -> list[str]:
        return Audience(self.source.seen_by).stored()

    async def sync(self, *, allow_deletes: bool = False) -> SyncReport:
        synchroniser = Synchroniser(
            self.store, self.manifest, self.embedder, LineParser(), SyncSettings(), self.connector
        )
        return await synchroniser.run(self.source, allow_deletes=allow_deletes)

    async def last_run(self) -> Run:
        [run] = await self.manifest.last_runs("s", 1)
        return run

    async def texts(self, uri: str) -> list[str]:
        return [node.text for node in await self.store.nodes_of(document_id("s", uri))]


async def open_small(stack: AsyncExitStack, folder: Path) -> SmallBase:
    engine = await open_database("", folder)
    stack.push_async_callback(engine.dispose)
    store = await NodeStore.open(
        folder / "store",
        model="hash-16",
        dimension=DIMENSION,
        refresh=AT_ONCE,
        marked=marked_versions(engine),
    )
    stack.push_async_callback(store.close)
    return SmallBase(store, Manifest(engine), folder)


def sample(number: int = 5) -> dict[str, str]:
    return {f"{place}.md": f"# Title {place}\n\nFirst of {place}.\n\nSecond." for place in range(number)}
