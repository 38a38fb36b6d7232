"""Measures retrieval, confidence, abstention and extractive answers, beside two common set-ups.

    python -m tests.benchmarks.retrieval [--sets squad2 aws-docs] [--data DIR] [--no-baselines] [--json FILE]

Everything runs in one process with one embedder: Lorekeeper through its own store, splitter, searcher and
composer; LlamaIndex's default (SentenceSplitter, vectors, top 10); BM25 over paragraphs. The metrics are
those of ../shared/data/eval/score.py. `--data` keeps the stores and run files between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import itertools
import json
import math
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bot.extractive import Composer
from kb.documents import Content, DocumentRef
from kb.embedding import MiniLMEmbedder
from kb.minilm.model import MiniLM
from kb.minilm.tokens import WordPieces
from kb.nodes import StoredNode, Vector, index_text
from kb.parsing.parsed import ParsedDocument
from kb.parsing.reading import parse
from kb.preparing import make_nodes
from kb.retriever import Searcher
from kb.settings import RetrievalSettings
from kb.splitting import split_markdown
from kb.store import NodeStore
from kb.words import words

EVAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval"
TOP = 10
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)

Run = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a document as a baseline stores it."""

    document: str
    text: str


# Lorekeeper


async def ingest(name: str, root: Path, data: Path, embedder: MiniLMEmbedder) -> NodeStore:
    """Open the set's store, filling it the first time."""
    folder = data / name
    known = folder.exists()
    store = await NodeStore.open(folder, model=embedder.identity, dimension=embedder.dimension)
    if known and (await store.counts()).nodes:
        return store
    began = time.perf_counter()
    documents = dict(_documents(name, root))
    texts = [text for nodes in documents.values() for _, text in nodes]
    embeddings = iter(await embedder.embed_passages(texts))
    await store.replace(
        {
            document: [replace(node, embedding=next(embeddings)) for node, _ in nodes]
            for document, nodes in documents.items()
        }
    )
    await store.maintain(force=True)
    print(f"{name}: {len(documents)} documents, {len(texts)} nodes, {time.perf_counter() - began:.0f} s")
    return store


def _documents(name: str, root: Path) -> Iterator[tuple[str, list[tuple[StoredNode, str]]]]:
    count = WordPieces.load().count
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        ref = DocumentRef(source=name, uri=path.relative_to(root).as_posix(), version="")
        content = Content(data=path.read_bytes())
        parsed = parse(content.data, ref.uri, "")
        pieces = tuple(split_markdown(parsed.markdown, title=parsed.title, count=count))
        nodes = make_nodes(ref, content, ParsedDocument(title=parsed.title, pieces=pieces), ("*",))
        yield (
            ref.document_id,
            [(node, index_text(parsed.title, node.heading, node.text)) for node in nodes],
        )


async def run_lorekeeper(questions: Sequence[dict[str, Any]], searcher: Searcher, threshold: float) -> Run:
    """Search and answer each question; `answer_always` is the answer whatever the confidence."""
    composer = Composer(searcher)
    run: Run = []
    for question in questions:
        began = time.perf_counter()
        found = await searcher.search(question["question"], limit=TOP)
        searched = time.perf_counter()
        composed = await composer.compose(question["question"], found)
        run.append(
            {
                "id": question["id"],
                "docs": [f"docs/{passage.node.uri}" for passage in found.passages],
                "chunks": [passage.text for passage in found.passages],
                "score": found.confidence,
                "answer": composed.text if found.confidence >= threshold else "",
                "answer_always": composed.text,
                "ms": (searched - began) * 1000,
                "answer_ms": (time.perf_counter() - began) * 1000,
            }
        )
    return run


# Baselines


async def run_llamaindex(
    questions: Sequence[dict[str, Any]], root: Path, embedder: MiniLMEmbedder, cache: Path
) -> Run:
    """LlamaIndex out of the box: SentenceSplitter's defaults, vectors alone, the ten nearest."""
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import Document

    splitter = SentenceSplitter()
    chunks = [
        Chunk(document=document, text=node.get_content())
        for document, text in _texts(root)
        for node in splitter.get_nodes_from_documents([Document(text=text)])
    ]
    vectors = await _cached_vectors(cache, [chunk.text for chunk in chunks], embedder)
    run: Run = []
    for question in questions:
        began = time.perf_counter()
        asked = await embedder.embed_question(question["question"])
        run.append(_ranked(question["id"], chunks, vectors @ asked.vector, began))
    return run


async def _cached_vectors(cache: Path, texts: Sequence[str], embedder: MiniLMEmbedder) -> Vector:
    known = await asyncio.to_thread(_loaded, cache)
    if known is not None and len(known) == len(texts):
        return known
    vectors = np.stack([item.vector for item in await embedder.embed_passages(texts)])
    np.save(cache, vectors)
    return vectors


def _loaded(cache: Path) -> Vector | None:
    return np.load(cache) if cache.exists() else None


def run_bm25(questions: Sequence[dict[str, Any]], root: Path) -> Run:
    """BM25 over whole paragraphs."""
    chunks = [
        Chunk(document=document, text=part)
        for document, text in _texts(root)
        for part in re.split(r"\n\s*\n", text)
        if part.strip()
    ]
    index = _Bm25([chunk.text for chunk in chunks])
    run: Run = []
    for question in questions:
        began = time.perf_counter()
        run.append(_ranked(question["id"], chunks, index.scores(question["question"]), began))
    return run


class _Bm25:
    def __init__(self, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> None:
        counts = [Counter(words(text)) for text in texts]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float32)
        self._norm = k1 * (1 - b + b * lengths / max(float(lengths.mean()), 1.0))
        self._k1 = k1
        self._posts: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, count in enumerate(counts):
            for word, times in count.items():
                self._posts[word].append((index, times))

    def scores(self, question: str) -> Vector:
        found = np.zeros(len(self._norm), dtype=np.float32)
        for word in set(words(question)):
            posts = self._posts.get(word, [])
            idf = math.log(1 + (len(found) - len(posts) + 0.5) / (len(posts) + 0.5))
            for index, times in posts:
                found[index] += idf * times * (self._k1 + 1) / (times + self._norm[index])
        return found


def _texts(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        yield f"docs/{path.relative_to(root).as_posix()}", path.read_text(encoding="utf-8", errors="replace")


def _ranked(key: str, chunks: Sequence[Chunk], scores: Vector, began: float) -> dict[str, Any]:
    best = np.argsort(-scores, kind="stable")[:TOP]
    return {
        "id": key,
        "docs": [chunks[index].document for index in best],
        "chunks": [chunks[index].text for index in best],
        "score": float(scores[best[0]]),
        "ms": (time.perf_counter() - began) * 1000,
    }


# Figures


def load_score() -> ModuleType:
    """Load the scoring script that belongs to the data."""
    spec = importlib.util.spec_from_file_location("score", EVAL / "score.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(EVAL / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(
    score: ModuleType, questions: Sequence[dict[str, Any]], run: Run, threshold: float | None
) -> dict[str, Any]:
    """Return the figures of a run; those of abstention only where there is a threshold."""
    rows = {row["id"]: row for row in run}
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for question in questions:
        kinds[question["kind"]].append(rows[question["id"]])
    general = score.evaluate(questions, [_without_answer(row) for row in run])
    result = {key: general.get(key) for key in ("hit@1", "hit@5", "MRR@10", "ctx@1", "ctx@5")}
    known = [row["score"] for row in kinds["answerable"]]
    for kind in sorted(set(kinds) - {"answerable"}):
        result[f"AUROC {kind}"] = score.auroc(known, [row["score"] for row in kinds[kind]])
    for name in ("ms", "answer_ms"):
        times = [row[name] for row in run if name in row]
        if times:
            result |= {f"{name} p50": np.percentile(times, 50), f"{name} p95": np.percentile(times, 95)}
    if threshold is not None:
        for kind, found in sorted(kinds.items()):
            result[f"answered {kind}"] = float(np.mean([row["score"] >= threshold for row in found]))
        result |= _answers(score, questions, rows)
    return result


def _without_answer(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.startswith("answer")}


def _answers(
    score: ModuleType, questions: Sequence[dict[str, Any]], rows: dict[str, dict[str, Any]]
) -> dict[str, float]:
    held: dict[str, list[bool]] = defaultdict(list)
    length: list[int] = []
    for question in questions:
        if not question["answerable"]:
            continue
        row = rows[question["id"]]
        for name in ("answer", "answer_always"):
            text = re.sub(r"\s*\[\d+\]", "", row[name])
            found = score.found([text], question.get("answers", []), question.get("exact"))
            if found is not None:
                held[name].append(found)
        length.append(len(row["answer_always"].split()))
    return {
        "gold in answer": float(np.mean(held["answer"])),
        "gold in answer, never declining": float(np.mean(held["answer_always"])),
        "words an answer": float(np.median(length)),
    }


def reliability(questions: Sequence[dict[str, Any]], run: Run) -> list[tuple[str, int, float, float]]:
    """Return (confidence bin, questions, mean confidence, share answerable), trick questions left out."""
    answerable = {
        question["id"]: question["answerable"] for question in questions if question["kind"] != "adversarial"
    }
    rows = [(row["score"], answerable[row["id"]]) for row in run if row["id"] in answerable]
    table = []
    for low, high in itertools.pairwise(BINS):
        found = [row for row in rows if low <= row[0] < high or (high == 1.0 == row[0])]
        if found:
            scores, truths = zip(*found, strict=True)
            table.append(
                (f"{low:.1f}-{high:.1f}", len(found), float(np.mean(scores)), float(np.mean(truths)))
            )
    return table


# Command


async def measure(
    name: str,
    data: Path,
    *,
    baselines: bool,
    others: Sequence[str],
    save: Callable[[str, Run], None],
    every: int = 1,
) -> dict[str, Any]:
    """Measure one set and return the figures a system."""
    score = load_score()
    root = EVAL / name / "docs"
    questions = score.quest(str(EVAL / name), "dev")
    questions += [_foreign(question) for other in others for question in _answerable(score, other)]
    questions = questions[::every]
    settings = RetrievalSettings()
    embedder = MiniLMEmbedder(await asyncio.to_thread(MiniLM.load, data))
    store = await ingest(name, root, data, embedder)
    searcher = Searcher(store, embedder, settings)
    await searcher.search("warm up")
    runs = {"lorekeeper": await run_lorekeeper(questions, searcher, settings.threshold)}
    if baselines:
        cache = data / f"{name}-llamaindex.npy"
        runs["llamaindex"] = await run_llamaindex(questions, root, embedder, cache)
        runs["bm25"] = await asyncio.to_thread(run_bm25, questions, root)
    for system, run in runs.items():
        save(f"{name}.{system}", run)
    found = {
        system: figures(score, questions, run, settings.threshold if system == "lorekeeper" else None)
        for system, run in runs.items()
    }
    found["reliability"] = {"table": reliability(questions, runs["lorekeeper"])}
    await store.close()
    await embedder.close()
    return found


def _answerable(score: ModuleType, name: str) -> list[dict[str, Any]]:
    return [question for question in score.quest(str(EVAL / name), "dev") if question["answerable"]]


def _foreign(question: dict[str, Any]) -> dict[str, Any]:
    return {**question, "answerable": False, "kind": "other base", "relevant": []}


def show(name: str, found: dict[str, Any]) -> None:
    """Print the figures as tables."""
    systems = [system for system in found if system != "reliability"]
    keys = list(dict.fromkeys(key for system in systems for key in found[system]))
    print(f"\n## {name}\n\n| figure | {' | '.join(systems)} |\n| --- |{' --- |' * len(systems)}")
    for key in keys:
        cells = (found[system].get(key) for system in systems)
        print(f"| {key} | {' | '.join('' if cell is None else f'{cell:.3f}' for cell in cells)} |")
    print("\n| confidence | questions | mean | answerable |\n| --- | --- | --- | --- |")
    for row in found["reliability"]["table"]:
        print(f"| {row[0]} | {row[1]} | {row[2]:.2f} | {row[3]:.2f} |")


async def main() -> int:
    """Measure the sets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sets", nargs="+", default=["squad2", "aws-docs"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take only each Nth question")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data or Path(scratch)
        data.mkdir(parents=True, exist_ok=True)
        every = {}
        for name in options.sets:
            others = [other for other in options.sets if other != name]
            every[name] = await measure(
                name,
                data,
                baselines=not options.no_baselines,
                others=others,
                save=_writer(data),
                every=options.every,
            )
            show(name, every[name])
        if options.json:
            options.json.write_text(json.dumps(every, indent=1), encoding="utf-8")
    return 0


def _writer(data: Path) -> Callable[[str, Run], None]:
    def write(name: str, run: Run) -> None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in run)
        (data / f"{name}.run.jsonl").write_text(lines, encoding="utf-8", errors="replace")

    return write


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
