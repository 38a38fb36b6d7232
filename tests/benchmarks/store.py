"""How quick the store is: both search legs, commits, fragments.

Run: `python -m tests.benchmarks.store [--nodes 10000] [--folder DIR]`. The nodes are random: vectors in
clusters, words by Zipf's law, 3 kB of word vectors each.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from kb.documents import EVERYONE, Audience
from kb.nodes import Embedding, StoredNode, Vector
from kb.store import NodeStore
from tests.kb.stored import matching, nearest

DIMENSION = 384
NODES_A_DOCUMENT = 10
DOCUMENTS_A_COMMIT = 128
QUESTIONS = 100
LIMIT = 30


@dataclass(slots=True)
class Corpus:
    """Random documents that look like text to both indexes."""

    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    scales: Vector = field(init=False)
    centres: Vector = field(init=False)
    chances: Vector = field(init=False)

    def __post_init__(self) -> None:
        # Sentence vectors fill few directions: their variance falls off like this.
        self.scales = (1 / np.sqrt(1 + np.arange(DIMENSION) / 8)).astype(np.float32)
        self.centres = self._gaussian(500)
        chances = 1 / np.arange(1, 30_001)
        self.chances = chances / chances.sum()

    def _gaussian(self, count: int) -> Vector:
        return self.random.standard_normal((count, DIMENSION)).astype(np.float32) * self.scales

    def vectors(self, count: int) -> Vector:
        chosen = self.centres[self.random.integers(0, len(self.centres), count)]
        noisy = chosen + self._gaussian(count)
        unit: Vector = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
        return unit

    def texts(self, count: int, words: int) -> list[str]:
        drawn = self.random.choice(len(self.chances), (count, words), p=self.chances)
        return [" ".join(f"w{word}" for word in row) for row in drawn]

    def document(self, number: int) -> list[StoredNode]:
        vectors = self.vectors(NODES_A_DOCUMENT)
        texts = self.texts(NODES_A_DOCUMENT, 120)
        tokens = self.random.bytes(3_000)
        return [
            StoredNode(
                id=f"{number}-{place}",
                document_id=f"d{number}",
                source=f"source-{number % 5}",
                uri=f"docs/part-{number % 40}/page-{number}.md",
                title=f"Page {number}",
                heading=("Guide", f"Part {place}"),
                position=place,
                text=texts[place],
                hash=f"h{number}-{place}",
                updated=1_700_000_000.0,
                audience=("staff",) if number % 100 == 0 else ("*",),
                embedding=Embedding(vector=vectors[place], tokens=tokens),
            )
            for place in range(NODES_A_DOCUMENT)
        ]


async def main() -> None:
    """Fill a store and print what it does in how many milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = await NodeStore.open(chosen.folder or temporary, model="random", dimension=DIMENSION)
        corpus = Corpus()
        if (await store.counts()).nodes < chosen.nodes:
            await fill(store, corpus, chosen.nodes)
        await queries(store, corpus)
        await edits(store, corpus)
        await store.close()


async def fill(store: NodeStore, corpus: Corpus, nodes: int) -> None:
    """Store the documents in commits of 128, then maintain."""
    spent = 0.0
    for batch in batches(nodes // NODES_A_DOCUMENT):
        documents = {f"d{number}": corpus.document(number) for number in batch}
        started = time.perf_counter()
        await store.replace(documents)
        await store.flush()
        spent += time.perf_counter() - started
    print(f"commits of {DOCUMENTS_A_COMMIT} documents: {nodes / spent:.0f} nodes/s")
    started = time.perf_counter()
    report = await store.maintain(force=True, keep=timedelta(milliseconds=1))
    print(f"maintain: {time.perf_counter() - started:.2f} s {report}")
    print(await store.counts())


def batches(documents: int) -> Iterator[range]:
    """Cut the numbers of the documents into commits."""
    for start in range(0, documents, DOCUMENTS_A_COMMIT):
        yield range(start, min(start + DOCUMENTS_A_COMMIT, documents))


async def queries(store: NodeStore, corpus: Corpus) -> None:
    """Time each leg alone and both together, and the recall of the vector leg."""
    vectors = list(corpus.vectors(QUESTIONS))
    texts = corpus.texts(QUESTIONS, 8)

    async def both(number: int, audience: Audience = EVERYONE) -> None:
        await asyncio.gather(
            nearest(store, vectors[number], limit=LIMIT, audience=audience),
            matching(store, texts[number], limit=LIMIT, audience=audience),
        )

    await timed("nearest", lambda number: nearest(store, vectors[number], limit=LIMIT, audience=EVERYONE))
    await timed("matching", lambda number: matching(store, texts[number], limit=LIMIT, audience=EVERYONE))
    await timed("both", both)
    await timed(
        "nearest, one source",
        lambda number: nearest(store, vectors[number], limit=LIMIT, audience=EVERYONE, sources=["source-1"]),
    )


async def edits(store: NodeStore, corpus: Corpus) -> None:
    """Time commits of one small edit each, the search they leave behind, and the mending."""
    changed = [(number, corpus.document(number)) for number in range(60)]
    started = time.perf_counter()
    for number, nodes in changed:
        await store.replace({f"d{number}": nodes})
    print(f"commits of one document: {60 / (time.perf_counter() - started):.1f}/s")
    await queries(store, corpus)
    started = time.perf_counter()
    report = await store.maintain(keep=timedelta(milliseconds=1))
    print(f"maintain: {time.perf_counter() - started:.2f} s {report}")
    await queries(store, corpus)
    started = time.perf_counter()
    await store.maintain()
    print(f"maintain with nothing to do: {1000 * (time.perf_counter() - started):.1f} ms")


async def timed(name: str, ask: Callable[[int], Awaitable[object]]) -> None:
    """Print the median and the 95th percentile of a call, in milliseconds."""
    for number in range(5):
        await ask(number)
    taken = []
    for number in range(QUESTIONS):
        started = time.perf_counter()
        await ask(number)
        taken.append(1000 * (time.perf_counter() - started))
    print(f"{name:24} p50 {np.percentile(taken, 50):6.2f} ms  p95 {np.percentile(taken, 95):6.2f} ms")


if __name__ == "__main__":
    asyncio.run(main())
