"""How quick a question is inside a running process: `python -m tests.benchmarks.latency [--nodes N …]`.

The whole of `Searcher.search` is timed with the embedded model: the question's vectors, both search legs,
fusion, re-ranking by word vectors, folding and joining. Passages are made of English words by Zipf's law
with vectors in clusters; every question is asked once, so that nothing is remembered.

In turns with it, over the same table, goes the bare prototype that the targets were set with, on a machine
where it took 4.5 ms at 10,000 passages and 9.2 ms at 100,000: the question's vector, LanceDB's thirty
nearest and thirty best matches at once, their weighted sum, no re-ranking. Our time as a multiple of the
prototype's depends far less on the machine than milliseconds do. LlamaIndex answers each tenth question from
the same passages with the same model: over the store that it makes by itself (up to 20,000 passages, all in
memory), and over its LanceDB store where `llama-index-vector-stores-lancedb` and pandas are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import importlib.util
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kb import maxsim
from kb.embedding import Embedder, open_embedder
from kb.lance import AsyncTable, connect_async
from kb.minilm.tokens import open_tokenizer
from kb.nodes import Embedding, StoredNode
from kb.retriever import Searcher
from kb.settings import EmbeddingSettings, RetrievalSettings
from kb.store import NodeStore
from kb.store_maintenance import EXACT_ROWS
from kb.store_search import PROBES, REFINE
from tests.benchmarks import store as stored

QUESTIONS = 200
LEG = 30  # passages that each of the prototype's legs finds
RETURNED = 10
RIVAL_EVERY = 10
TARGETS = {10_000: 8 / 4.5, 100_000: 15 / 9.2}  # of the prototype's time
PIECES = 150  # word pieces a passage, about what 240 tokens with context hold


class EnglishCorpus(stored.Corpus):
    """Random documents of English words with word vectors in the shape the model gives."""

    def __post_init__(self) -> None:
        super().__post_init__()
        vocabulary = open_tokenizer(truncate=False).get_vocab()
        ranked = sorted(vocabulary, key=lambda word: vocabulary[word])
        self.words = [word for word in ranked if word.isalpha() and len(word) > 2]
        self.packed = [self._packed() for _ in range(64)]

    def _packed(self) -> bytes:
        ids = self.random.integers(2_000, 30_000, PIECES).astype(np.int32)
        return maxsim.pack(ids, self.vectors(PIECES))

    def texts(self, count: int, words: int) -> list[str]:
        drawn = self.random.choice(len(self.chances), (count, words), p=self.chances)
        return [" ".join(self.words[word % len(self.words)] for word in row) for row in drawn]

    def document(self, number: int) -> list[StoredNode]:
        return [self._with_words(node) for node in super().document(number)]

    def _with_words(self, node: StoredNode) -> StoredNode:
        assert node.embedding is not None
        tokens = self.packed[int(self.random.integers(len(self.packed)))]
        return replace(node, embedding=Embedding(vector=node.embedding.vector, tokens=tokens))


Ask = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Something that answers questions, and what each took: (seconds, seconds of processor time)."""

    name: str
    ask: Ask
    every: int = 1
    taken: list[tuple[float, float]] = field(default_factory=list)

    async def time(self, question: str) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        await self.ask(question)
        self.taken.append((time.perf_counter() - wall, time.process_time() - processor))

    def median(self) -> tuple[float, float]:
        wall, processor = np.median(np.array(self.taken), axis=0)
        return float(wall), float(processor)


def prototype(table: AsyncTable, embedder: Embedder, *, indexed: bool) -> Ask:
    """Return the prototype: a fused search in LanceDB's own words that gives the best ten texts."""

    async def ask(question: str) -> list[str]:
        vector = (await embedder.embed_question(question)).vector
        near = table.query().nearest_to(vector).distance_type("cosine")
        near = near.nprobes(PROBES).refine_factor(REFINE) if indexed else near
        words = table.query().nearest_to_text(question, columns="search")
        nearest, matching = await asyncio.gather(
            near.select(["id", "text", "_distance"]).limit(LEG).to_arrow(),
            words.select(["id", "text", "_score"]).limit(LEG).to_arrow(),
        )
        return fused(nearest, matching)

    return ask


def fused(nearest: pa.Table, matching: pa.Table) -> list[str]:
    """Return the texts of the best ten by half the scaled cosine and half the scaled BM25."""
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    cosines = 1 - nearest["_distance"].to_numpy()
    for rows, values, least in (
        (nearest, cosines, cosines.min(initial=1.0)),
        (matching, matching["_score"].to_numpy(), 0.0),
    ):
        span = (values.max(initial=least) - least) or 1.0
        for key, text, value in zip(rows["id"].to_pylist(), rows["text"].to_pylist(), values, strict=True):
            scores[key] = scores.get(key, 0.0) + 0.5 * (value - least) / span
            texts[key] = text
    return [texts[key] for key in sorted(scores, key=lambda key: -scores[key])[:RETURNED]]


async def llamaindex(table: AsyncTable, embedder: Embedder, folder: Path) -> list[System]:
    """Return LlamaIndex over the passages of a table, on those of its stores that can hold them."""
    stores: dict[str, Any] = {}
    if await table.count_rows() <= EXACT_ROWS:
        stores["LlamaIndex, its own store"] = None
    package = "llama_index.vector_stores.lancedb"
    if all(importlib.util.find_spec(name) for name in ("llama_index.vector_stores", package, "pandas")):
        lance = importlib.import_module(package)
        stores["LlamaIndex, its LanceDB store"] = lance.LanceDBVectorStore(uri=str(folder))
    if not stores:
        return []
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.schema import TextNode

    rows = await table.query().select(["id", "text", "vector"]).to_arrow()
    columns = (rows[name].to_pylist() for name in ("id", "text", "vector"))
    nodes = [
        TextNode(id_=key, text=text, embedding=vector) for key, text, vector in zip(*columns, strict=True)
    ]
    systems = []
    for name, store in stores.items():
        context = StorageContext.from_defaults(vector_store=store) if store is not None else None
        index = VectorStoreIndex(nodes, embed_model=embedder.llama, storage_context=context)
        retriever = index.as_retriever(similarity_top_k=RETURNED)
        systems.append(System(name=name, ask=retriever.aretrieve, every=RIVAL_EVERY))
    return systems


@asynccontextmanager
async def filled(folder: Path, embedder: Embedder, nodes: int) -> AsyncIterator[NodeStore]:
    """Open a store of so many passages, made the first time."""
    store = await NodeStore.open(folder, model=embedder.identity, dimension=embedder.dimension)
    if (await store.counts()).nodes < nodes:
        await stored.fill(store, EnglishCorpus(), nodes)
    yield store
    await store.close()


async def measure(nodes: int, data: Path) -> None:
    """Fill a store and print what each system takes, and ours as a multiple of the others."""
    embedder = await open_embedder(EmbeddingSettings(), data, None)
    async with filled(data / f"store-{nodes}", embedder, nodes) as store:
        searcher = Searcher(store, embedder, RetrievalSettings())
        connection = await connect_async(store.path)
        table = await connection.open_table(store.name)
        bare = prototype(table, embedder, indexed=nodes >= EXACT_ROWS)
        ours = System(name="search", ask=searcher.search)
        systems = [
            System(name="the question's vectors", ask=embedder.embed_question),
            ours,
            System(name="bare prototype", ask=bare),
            *await llamaindex(table, embedder, data / f"llamaindex-{nodes}"),
        ]
        questions = EnglishCorpus().texts(2 * QUESTIONS + 10, 6)
        await in_turns(systems, [f"How does the {text} work?" for text in questions])
        show(nodes, systems, ours)
    await embedder.close()


async def in_turns(systems: Sequence[System], questions: Sequence[str]) -> None:
    """Ask every system each question, another first each time; only the last `QUESTIONS` count."""
    gc.freeze()  # LlamaIndex's millions of numbers, which every collection would else look through
    for number, question in enumerate(questions):
        first = number % len(systems)
        for system in (*systems[first:], *systems[:first]):
            if number % system.every == 0:
                await system.time(question)
    for system in systems:
        del system.taken[: -(QUESTIONS // system.every)]


def show(nodes: int, systems: Sequence[System], ours: System) -> None:
    """Print medians and 95th percentiles in milliseconds, then our median as a multiple of each other one."""
    for system in systems:
        walls, processors = zip(*system.taken, strict=True)
        wall, processor = system.median()
        wall, wall95 = 1000 * wall, 1000 * np.percentile(walls, 95)
        processor, least = 1000 * processor, 1000 * min(processors)
        print(
            f"{nodes} nodes, {system.name:28} p50 {wall:6.1f} ms  p95 {wall95:6.1f} ms"
            f"  processor p50 {processor:6.1f} ms, least {least:6.1f} ms"
        )
    wall, processor = ours.median()
    for system in systems[2:]:
        their_wall, their_processor = system.median()
        reach = f", to reach {TARGETS[nodes]:.2f}" if nodes in TARGETS and system is systems[2] else ""
        print(
            f"{nodes} nodes, search / {system.name}: {wall / their_wall:.2f},"
            f" processor time {processor / their_processor:.2f}{reach}"
        )


def main() -> None:
    """Measure each size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--data", type=Path, help="folder that keeps the stores between runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for nodes in options.nodes:
            asyncio.run(measure(nodes, options.data or Path(scratch)))


if __name__ == "__main__":
    main()
