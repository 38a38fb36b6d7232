"""Replay a real history of documents: `python -m tests.benchmarks.trace [--steps N] [--model] [--trace DIR]`.

Each step is applied to a folder and synced. After it the store must equal a clean build of that tree, and
no search may name a path outside it. Counted are the nodes that were embedded, beside the nodes whose
text the step before did not have. A few trees are also built anew, to compare the time. Without `--model`
vectors are stand-ins, which changes the times and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib.util
import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.documents import EVERYONE, Content, DocumentRef
from kb.embedding import Embedder, open_embedder
from kb.errors import DocumentUnreadable
from kb.manifest import Manifest
from kb.minilm.tokens import WordPieces
from kb.nodes import StoredNode
from kb.parsing.parsed import ParsedDocument
from kb.parsing.reading import parse
from kb.preparing import make_nodes
from kb.settings import EmbeddingSettings, SyncSettings
from kb.sources import FolderSource
from kb.splitting import split_markdown
from kb.store import NodeStore
from kb.store_rows import STATE_COLUMNS, state_digests
from kb.sync import Synchroniser
from tests.kb.fakes import HashEmbedder
from tests.kb.stored import matching, nearest

EVAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "trace-discord-docs"
SEARCHED = 12
REBUILT_EVERY = 125


class ReadInPlace:
    """Parses in this process and remembers each file's pieces: a clean build of every step needs them."""

    def __init__(self) -> None:
        self._count = WordPieces.load().count
        self._known: dict[tuple[str, str], ParsedDocument] = {}

    async def parse(self, data: bytes, name: str, media_type: str) -> ParsedDocument:
        """Return the document's pieces; raise what the reader raises."""
        return self.read(data, name, media_type)

    def read(self, data: bytes, name: str, media_type: str = "") -> ParsedDocument:
        """Return the document's pieces."""
        key = (hashlib.sha256(data).hexdigest(), name)
        if key not in self._known:
            parsed = parse(data, name, media_type)
            pieces = tuple(split_markdown(parsed.markdown, title=parsed.title, count=self._count))
            self._known[key] = ParsedDocument(
                title=parsed.title, pieces=pieces, updated=parsed.updated, metadata=parsed.metadata
            )
        return self._known[key]

    async def close(self) -> None:
        """Do nothing: there is no child."""


@dataclass(slots=True)
class Totals:
    """What was counted over the steps."""

    steps: int = 0
    embedded: int = 0
    new: int = 0
    renames: int = 0
    embedded_by_renames: int = 0
    differing: list[int] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    seconds: float = 0.0
    rebuilds: list[float] = field(default_factory=list)
    rebuilt_nodes: int = 0


class Replay:
    """The folder, the base that follows it, and what a clean build would hold."""

    def __init__(self, trace: Any, work: Path, embedder: Embedder, questions: Sequence[str]) -> None:  # noqa: ANN401 - replay.py has no types
        self.trace = trace
        self.work = work
        self.embedder = embedder
        self.reader = ReadInPlace()
        self.questions = questions
        self.root = work / "source"
        self.root.mkdir()
        self.source = FolderSource(name="trace", location=str(self.root))
        self.totals = Totals()
        self._before: set[str] = set()
        self._nodes: dict[str, tuple[str, list[StoredNode]]] = {}

    async def base(self, stack: AsyncExitStack, data: Path) -> tuple[Synchroniser, NodeStore]:
        """Open a base."""
        engine = await open_database("", data)
        stack.push_async_callback(engine.dispose)
        store = await NodeStore.open(
            data / "store", model=self.embedder.identity, dimension=self.embedder.dimension
        )
        stack.push_async_callback(store.close)
        settings = SyncSettings(guard_documents=10_000)
        connectors = Connectors(engine, data)
        reader: Any = self.reader
        return Synchroniser(store, Manifest(engine), self.embedder, reader, settings, connectors), store

    async def run(self, steps: int) -> None:
        """Follow the history and judge every step."""
        async with AsyncExitStack() as stack:
            sync, store = await self.base(stack, self.work / "data")
            for number, step in list(enumerate(self.trace))[:steps]:
                self.trace.apply(number, self.root)
                await self.step(sync, store, number, step["changes"])
                if number and number % REBUILT_EVERY == 0:
                    await self.rebuild(number)

    async def step(
        self, sync: Synchroniser, store: NodeStore, number: int, changes: Sequence[Mapping[str, Any]]
    ) -> None:
        """Sync one step and compare."""
        began = time.perf_counter()
        report = await sync.run(self.source)
        totals = self.totals
        totals.seconds += time.perf_counter() - began
        totals.steps += 1
        totals.embedded += report.embedded_nodes
        only_moved = bool(changes) and all(self._is_move(number, change) for change in changes)
        totals.renames += sum(change["op"] == "R" for change in changes)
        totals.embedded_by_renames += report.embedded_nodes if only_moved else 0
        nodes = self.clean()
        hashes = {node.hash for node in nodes}
        totals.new += len(hashes - self._before)
        totals.rebuilt_nodes += len(nodes)
        self._before = hashes
        if await store.state_hash() != state_of(nodes):
            totals.differing.append(number)
        totals.strangers += await self.strangers(store, {node.uri for node in nodes})

    def _is_move(self, number: int, change: Mapping[str, Any]) -> bool:
        before = self.trace.tree(number - 1) if number else {}
        return change["op"] == "R" and before.get(change["from"]) == change["blob"]

    async def strangers(self, store: NodeStore, tree: set[str]) -> list[str]:
        """Return the paths that searches name and the tree does not have."""
        named: set[str] = set()
        for question in self.questions[: SEARCHED // 2]:
            named |= {hit.node.uri for hit in await matching(store, question, limit=30, audience=EVERYONE)}
            vector = (await self.embedder.embed_question(question)).vector
            named |= {hit.node.uri for hit in await nearest(store, vector, limit=30, audience=EVERYONE)}
        self.questions = [*self.questions[SEARCHED // 2 :], *self.questions[: SEARCHED // 2]]
        return sorted(named - tree)

    def clean(self) -> list[StoredNode]:
        """Return the nodes of a clean build of the folder as it is."""
        nodes: dict[str, tuple[str, list[StoredNode]]] = {}
        for path in sorted(path for path in self.root.rglob("*") if path.is_file()):
            uri, data = path.relative_to(self.root).as_posix(), path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            known = self._nodes.get(uri)
            nodes[uri] = known if known and known[0] == digest else (digest, self._made(uri, data))
        self._nodes = nodes
        return [node for _, made in nodes.values() for node in made]

    def _made(self, uri: str, data: bytes) -> list[StoredNode]:
        try:
            parsed = self.reader.read(data, uri)
        except DocumentUnreadable:
            return []
        return list(
            make_nodes(DocumentRef(source="trace", uri=uri, version=""), Content(data=data), parsed, ("*",))
        )

    async def rebuild(self, number: int) -> None:
        """Build the tree anew beside the base, and time it."""
        reader, self.reader = self.reader, ReadInPlace()
        async with AsyncExitStack() as stack:
            sync, store = await self.base(stack, self.work / f"clean-{number}")
            began = time.perf_counter()
            await sync.run(self.source)
            self.totals.rebuilds.append(time.perf_counter() - began)
            if await store.state_hash() != state_of(self.clean()):
                self.totals.differing.append(number)
        self.reader = reader


def state_of(nodes: Iterable[StoredNode]) -> str:
    """Return what `NodeStore.state_hash` says of a store with these nodes."""
    rows = [{name: getattr(node, name) for name in STATE_COLUMNS} for node in nodes]
    rows = [{**row, "audience": list(row["audience"])} for row in rows]
    digests = state_digests(pa.Table.from_pylist(rows)) if rows else ()
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def tell(totals: Totals) -> None:
    """Print the figures."""
    ratio = totals.embedded / max(totals.new, 1)
    print(f"{totals.steps} steps, {totals.renames} renames, {totals.seconds:.0f} s of syncs")
    print(f"embedded {totals.embedded}, nodes with new text {totals.new}: x {ratio:.2f} (to reach: 1.2)")
    print(f"embedded by steps that only rename: {totals.embedded_by_renames} (to reach: 0)")
    print(f"rebuilding at each step would embed {totals.rebuilt_nodes}")
    print(f"steps that differ from a clean build: {len(totals.differing)} {totals.differing[:5]}")
    print(f"paths outside the tree that searches named: {len(totals.strangers)}")
    if totals.rebuilds:
        mean = sum(totals.rebuilds) / len(totals.rebuilds)
        whole = mean * totals.steps
        print(
            f"a rebuild takes {mean:.1f} s ({len(totals.rebuilds)} measured), all of them {whole:.0f} s: "
            f"x {whole / totals.seconds:.0f} (to reach: 20)"
        )


def load_trace(folder: Path) -> Any:  # noqa: ANN401 - replay.py has no types
    """Return the trace of a folder, by its own script."""
    spec = importlib.util.spec_from_file_location("replay", folder / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Trace(folder)


async def measure(options: argparse.Namespace) -> Totals:
    """Replay with the embedded model or a stand-in."""
    lines = (options.trace / "temporal.dev.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as work:
        embedder: Embedder = HashEmbedder()
        if options.model:
            embedder = await open_embedder(EmbeddingSettings(), Path(work) / "cache", None)
        replay = Replay(load_trace(options.trace), Path(work), embedder, questions)
        await replay.run(options.steps)
        await embedder.close()
        return replay.totals


def main() -> int:
    """Replay and print; the exit code tells whether a step went wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=1_000_000)
    arguments.add_argument("--model", action="store_true")
    arguments.add_argument("--trace", type=Path, default=EVAL)
    totals = asyncio.run(measure(arguments.parse_args()))
    tell(totals)
    return int(bool(totals.differing or totals.strangers))


if __name__ == "__main__":
    raise SystemExit(main())
