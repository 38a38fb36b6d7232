"""Time syncs: `python -m tests.benchmarks.sync {unchanged,rival,ingest,memory} [--documents N]`.

`unchanged` times syncs of a folder without change and with ten changed documents, with stand-ins for model
and parser; `rival` the same of documents in memory, and LlamaIndex's `IngestionPipeline` with its docstore
on the same documents, each in a process of its own; `ingest` compares the rate of a whole first sync with
that of its model alone; `memory` tells the peak of a process that ingests, with a stand-in for the model.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.embedding import Embedder, open_embedder
from kb.manifest import Manifest
from kb.parsing.pool import Parser
from kb.reports import Progress, SyncReport
from kb.settings import EmbeddingSettings, SyncSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from kb.sync import Connect, Synchroniser
from tests.kb.fakes import HashEmbedder, LineParser

WORDS = [word for word in Path(__file__).read_text().split() if word.isalpha()]


async def open_sync(
    stack: AsyncExitStack, data: Path, embedder: Embedder, parser: object, connect: Connect | None = None
) -> Synchroniser:
    """Open everything a sync needs."""
    engine = await open_database("", data)
    stack.push_async_callback(engine.dispose)
    store = await NodeStore.open(data / "store", model=embedder.identity, dimension=embedder.dimension)
    stack.push_async_callback(store.close)
    connect = connect or Connectors(engine, data)
    return Synchroniser(store, Manifest(engine), embedder, parser, SyncSettings(), connect)  # type: ignore[arg-type] # a stand-in


def write(folder: Path, documents: int, *, sections: int = 2, words: int = 120, seed: int = 1) -> None:
    """Write Markdown documents of made-up prose."""
    rng = random.Random(seed)
    for number in range(documents):
        parts = [f"# Document {number}"]
        for section in range(sections):
            prose = " ".join(rng.choices(WORDS, k=words))
            parts.append(f"## Section {section} of {number}\n\n{prose}.")
        path = folder / f"{number % 100:02}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(parts))


def tell(name: str, report: SyncReport, documents: int) -> None:
    """Print one line about a sync."""
    rate = documents / report.seconds
    print(
        f"{name:24} {report.seconds:8.2f} s {rate:8.0f} documents/s  added {report.added} updated "
        f"{report.updated} unchanged {report.unchanged} embedded {report.embedded_nodes} {report.status}"
    )


async def unchanged(work: Path, documents: int) -> None:
    """Time a first sync, three without change, and one with ten changed documents."""
    folder = work / "source"
    write(folder, documents, sections=1, words=12)
    source = FolderSource(name="bench", location=str(folder))
    async with AsyncExitStack() as stack:
        sync = await open_sync(stack, work / "data", HashEmbedder(), LineParser())
        await timed("first", sync, source, documents)
    async with AsyncExitStack() as stack:
        sync = await open_sync(stack, work / "data", HashEmbedder(), LineParser())
        for _ in range(3):
            await timed("no change", sync, source, documents)
        for path in sorted(folder.rglob("*.md"))[:10]:
            path.write_text(path.read_text() + "\n\nOne more paragraph of this document.")
        await timed("ten changed", sync, source, documents)


async def timed(name: str, sync: Synchroniser, source: FolderSource, documents: int) -> None:
    """Sync; tell how long it took, until all is searchable and in processor time, and the peak of memory."""
    searchable: list[float] = []

    def progress(moment: Progress) -> None:
        if moment.phase in {"maintaining", "done"}:
            searchable.append(time.monotonic())

    began, used = time.monotonic(), time.process_time()
    tell(name, await sync.run(source, progress=progress), documents)
    wait, work = searchable[0] - began, time.process_time() - used
    print(f"{'':24} searchable after {wait:.2f} s, {work:.2f} s of processor, peak {peak():.0f} MB")


async def rival(work: Path, documents: int) -> None:
    """Compare syncs of documents in memory with IngestionPipeline's, each in a process of its own."""
    for who in ("ours", "theirs"):
        command = [sys.executable, "-m", "tests.benchmarks.pipeline", who, str(work), str(documents)]
        process = await asyncio.create_subprocess_exec(*command)
        if status := await process.wait():
            raise SystemExit(f"The pipeline of {who!r} ended with {status}. What it said stands above.")


async def ingest(work: Path, documents: int) -> None:
    """Compare the nodes a second of a first sync with those of the model alone on the same texts."""
    folder = work / "source"
    write(folder, documents)
    source = FolderSource(name="bench", location=str(folder))
    embedder = await open_embedder(EmbeddingSettings(), Path(".lorekeeper/cache"), None)
    parser = Parser(seconds=30, memory_mb=512)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parser.close)
        recording = Recording(embedder)
        sync = await open_sync(stack, work / "data", recording, parser)
        report = await sync.run(source)
        tell("first", report, documents)
        began = time.monotonic()
        for start in range(0, len(recording.texts), 128):
            await embedder.embed_passages(recording.texts[start : start + 128])
        alone = time.monotonic() - began
        nodes = len(recording.texts)
        print(f"sync {nodes / report.seconds:.1f} nodes/s, model alone {nodes / alone:.1f} nodes/s")
        print(f"the sync reaches {alone / report.seconds:.0%} of the model's own rate")


class Recording(HashEmbedder):
    """Passes texts on to a model and keeps them."""

    def __init__(self, inner: Embedder) -> None:
        super().__init__()
        self._inner = inner
        self.identity = inner.identity
        self.dimension = inner.dimension

    async def embed_passages(self, texts, *, urgent=False):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - as its base
        """Embed with the model."""
        self.texts += texts
        return await self._inner.embed_passages(texts, urgent=urgent)


async def memory(work: Path, documents: int) -> None:
    """Tell the peak of memory of this process and of the parser's over a first sync."""
    folder = work / "source"
    write(folder, documents)
    source = FolderSource(name="bench", location=str(folder))
    parser = Parser(seconds=30, memory_mb=512)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parser.close)
        sync = await open_sync(stack, work / "data", HashEmbedder(), parser)
        print(f"before {peak():.0f} MB")
        tell("first", await sync.run(source), documents)
        print(f"after the first sync {peak():.0f} MB")
        tell("no change", await sync.run(source), documents)
    print(f"at the end {peak():.0f} MB, parser {peak(resource.RUSAGE_CHILDREN):.0f} MB")


def peak(who: int = resource.RUSAGE_SELF) -> float:
    """Return the peak of resident memory in MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def main() -> None:
    """Run one of the benchmarks."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", choices=["unchanged", "rival", "ingest", "memory"])
    arguments.add_argument("--documents", type=int)
    options = arguments.parse_args()
    benchmark, default = {
        "unchanged": (unchanged, 5_000),
        "rival": (rival, 100_000),
        "ingest": (ingest, 300),
        "memory": (memory, 10_000),
    }[options.what]
    with tempfile.TemporaryDirectory() as work:
        asyncio.run(benchmark(Path(work), options.documents or default))


if __name__ == "__main__":
    main()
