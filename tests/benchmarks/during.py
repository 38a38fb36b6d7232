"""A question asked while a sync runs: `python -m tests.benchmarks.during [--documents 400]`.

A base of `--documents` is asked one question after another, first idle, then while a second source of as
many documents is synced for the first time in the same process. Embedding, parsing and storing are the
real ones. Told are the quantiles of both, and how long the event loop was held up at most.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from bot.extractive import Composer
from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.embedding import open_embedder
from kb.manifest import Manifest
from kb.parsing.pool import Parser
from kb.retriever import Searcher
from kb.settings import EmbeddingSettings, RetrievalSettings, SyncSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.benchmarks.sync import WORDS, write

QUESTIONS = 200
PAUSE = 0.05  # seconds between two questions, as people leave some
TICK = 0.01


async def ask(searcher: Searcher, more: Callable[[int], bool]) -> list[float]:
    """Ask different questions while `more` says so; return what each answer took in milliseconds."""
    composer, taken = Composer(searcher), []
    rng = np.random.default_rng(len(WORDS))
    while more(len(taken)):
        question = f"What is {' '.join(rng.choice(WORDS, 5))} {len(taken)}?"
        began = time.perf_counter()
        await composer.compose(question, await searcher.search(question))
        taken.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(PAUSE)
    return taken


async def lag(worst: list[float]) -> None:
    """Note how much later than asked the loop comes back, in milliseconds."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK)
        worst.append(1000 * (time.perf_counter() - began - TICK))


async def measure(work: Path, documents: int) -> None:
    """Ask idle and during a sync."""
    for seed, name in enumerate(("first", "second"), start=1):
        write(work / name, documents, seed=seed)
    sources = [FolderSource(name=name, location=str(work / name)) for name in ("first", "second")]
    async with AsyncExitStack() as stack:
        embedder = await open_embedder(EmbeddingSettings(), Path(".lorekeeper/cache"), None)
        stack.push_async_callback(embedder.close)
        engine = await open_database("", work / "data")
        stack.push_async_callback(engine.dispose)
        store = await NodeStore.open(
            work / "data" / "store", model=embedder.identity, dimension=embedder.dimension
        )
        stack.push_async_callback(store.close)
        parser = Parser(seconds=30, memory_mb=512)
        stack.push_async_callback(parser.close)
        connectors = Connectors(engine, work / "data")
        sync = Synchroniser(store, Manifest(engine), embedder, parser, SyncSettings(), connectors)
        await sync.run(sources[0])
        searcher = Searcher(store, embedder, RetrievalSettings())
        await ask(searcher, lambda asked: asked < 20)
        idle = await ask(searcher, lambda asked: asked < QUESTIONS)
        lags: list[float] = []
        watching = asyncio.create_task(lag(lags))
        running = asyncio.create_task(sync.run(sources[1]))
        during = await ask(searcher, lambda _asked: not running.done())
        watching.cancel()
        report = await running
    tell("idle", idle)
    tell("during a sync", during)
    ratio = np.percentile(during, 95) / np.percentile(idle, 95)
    print(f"p95 x {ratio:.2f} (to reach: 2); {report.embedded_nodes} nodes in {report.seconds:.0f} s")
    print(f"the loop came late by p99 {np.percentile(lags, 99):.0f} ms, at most {max(lags):.0f} ms")


def tell(name: str, taken: list[float]) -> None:
    """Print the quantiles."""
    print(
        f"{name:16} {len(taken)} questions, p50 {statistics.median(taken):.0f} ms, "
        f"p95 {np.percentile(taken, 95):.0f} ms"
    )


def main() -> None:
    """Measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=400)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        asyncio.run(measure(Path(work), options.documents))


if __name__ == "__main__":
    main()
