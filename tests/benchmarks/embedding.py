"""Measures the embedded model: `python -m tests.benchmarks.embedding [FOLDER]`.

FOLDER holds Markdown files, by default the project's own documents. They are cut into windows of 240
word pieces, so that the figures do not depend on the splitter. Shared machines are noisy: compare ratios.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from kb.embedding import MiniLMEmbedder
from kb.minilm.model import MiniLM
from kb.minilm.tokens import WordPieces

WINDOW = 240
PASSAGES = 300
QUESTIONS = 200
COMPARED = 60
QUESTION = "How long is the audit log kept before it is deleted?"
ROOT = Path(__file__).resolve().parents[2]


def windows(folder: Path) -> list[str]:
    """Return passages of WINDOW pieces from the folder's Markdown files."""
    pieces = WordPieces.load()
    found: list[str] = []
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(errors="replace")
        spans = pieces.spans(text)
        found += [
            text[spans[first][0] : spans[min(first + WINDOW, len(spans)) - 1][1]]
            for first in range(0, len(spans), WINDOW)
        ]
        if len(found) >= PASSAGES:
            break
    if not found:
        raise SystemExit(f"No Markdown files in {str(folder)!r}. Name a folder that has some.")
    return list(itertools.islice(itertools.cycle(found), PASSAGES))


def load_seconds(cache: Path) -> float:
    """Load a model and drop it; return how long that took."""
    start = time.perf_counter()
    MiniLM.load(cache).close()
    return time.perf_counter() - start


async def throughput(embedder: MiniLMEmbedder, passages: list[str]) -> tuple[float, float]:
    """Return passages a second and seconds of CPU."""
    await embedder.embed_passages(passages[:4])
    wall, cpu = time.perf_counter(), time.process_time()
    await embedder.embed_passages(passages)
    return len(passages) / (time.perf_counter() - wall), time.process_time() - cpu


async def question_milliseconds(embedder: MiniLMEmbedder) -> list[float]:
    """Return how long each of many questions took."""
    taken = []
    for number in range(QUESTIONS):
        start = time.perf_counter()
        await embedder.embed_question(f"{QUESTION} {number}")
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)


def agreement(one: MiniLM, other: MiniLM, passages: list[str]) -> tuple[float, float]:
    """Return the smallest and the mean cosine between two models' vectors."""
    cosines = [float(one.encode(text).vector @ other.encode(text).vector) for text in passages]
    return min(cosines), statistics.fmean(cosines)


def megabytes() -> int:
    """Return the largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def measure(folder: Path, cache: Path) -> None:
    """Print the table."""
    passages = windows(folder)
    pieces = WordPieces.load()
    read = sum(min(pieces.count(text), 254) + 2 for text in passages)
    seconds = {name: load_seconds(cache) for name in ("first load, graph built", "load")}
    model = MiniLM.load(cache)
    embedder = MiniLMEmbedder(model)
    rate, cpu = await throughput(embedder, passages)
    memory = megabytes()
    taken = await question_milliseconds(embedder)
    lowest, mean = agreement(model, MiniLM.load(cache, quantised=False), passages[:COMPARED])
    for name, value in seconds.items():
        print(f"{name:28} {value:8.2f} s")
    print(f"{'nodes (packed)':28} {rate:8.1f} a second, {read / len(passages):.0f} pieces each")
    print(f"{'pieces':28} {read / cpu:8.0f} a CPU second")
    print(f"{'question':28} {np.median(taken):8.2f} ms p50, {taken[int(QUESTIONS * 0.95)]:.2f} ms p95")
    print(f"{'memory':28} {memory:8d} MB at most")
    print(f"{'cosine int8 against fp32':28} {mean:8.4f} mean, {lowest:.4f} lowest of {COMPARED}")
    await embedder.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        asyncio.run(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs", Path(cache)))
