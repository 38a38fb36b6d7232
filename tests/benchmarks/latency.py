"""How quick a question is inside a running process: `python -m tests.benchmarks.latency [--nodes N …]`.

The whole of `Searcher.search` is timed with the embedded model: the question's vectors, both search legs,
fusion, re-ranking by word vectors, folding and joining. Passages are made of English words by Zipf's law
with vectors in clusters; every question is asked once, so that nothing is remembered.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from kb import maxsim
from kb.embedding import Embedder, open_embedder
from kb.minilm.tokens import open_tokenizer
from kb.nodes import Embedding, StoredNode
from kb.retriever import Searcher
from kb.settings import EmbeddingSettings, RetrievalSettings
from kb.store import NodeStore
from tests.benchmarks import store as stored

QUESTIONS = 200
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


async def measure(nodes: int, cache: Path) -> None:
    """Fill a store and print the quantiles of a search and of its parts."""
    embedder = await open_embedder(EmbeddingSettings(), cache, None)
    with tempfile.TemporaryDirectory() as folder:
        store = await NodeStore.open(folder, model=embedder.identity, dimension=embedder.dimension)
        corpus = EnglishCorpus()
        await stored.fill(store, corpus, nodes)
        await ask(store, embedder, corpus, nodes)
        await store.close()
    await embedder.close()


async def ask(store: NodeStore, embedder: Embedder, corpus: EnglishCorpus, nodes: int) -> None:
    """Ask different questions one after the other."""
    searcher = Searcher(store, embedder, RetrievalSettings())
    questions = [f"How does the {text} work?" for text in corpus.texts(2 * QUESTIONS + 10, 6)]
    for question in questions[: QUESTIONS + 10]:  # also brings the index's files into memory
        await searcher.search(question)
    embedding, whole = [], []
    for question in questions[-QUESTIONS:]:
        started = time.perf_counter()
        await embedder.embed_question(question + " ")
        between = time.perf_counter()
        await searcher.search(question)
        embedding.append(1000 * (between - started))
        whole.append(1000 * (time.perf_counter() - between))
    show(f"{nodes} nodes, question's vectors", embedding)
    show(f"{nodes} nodes, search with them", whole)


def show(name: str, taken: list[float]) -> None:
    """Print the median and the 95th percentile, in milliseconds."""
    print(f"{name:36} p50 {statistics.median(taken):6.1f} ms  p95 {np.percentile(taken, 95):6.1f} ms")


def main() -> None:
    """Measure each size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", nargs="+", type=int, default=[10_000, 100_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        for nodes in options.nodes:
            asyncio.run(measure(nodes, Path(cache)))


if __name__ == "__main__":
    main()
