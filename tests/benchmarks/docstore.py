"""A sync of many documents beside LlamaIndex's IngestionPipeline: `python -m tests.benchmarks.docstore`.

Both keep `--documents` small files (100,000) in step, with stand-ins for model and parser, each in a
process of its own: first everything, then in a new process no change, then ten changed. LlamaIndex has
its docstore with upserts and an in-memory vector store; opening its stores and reading the files are told
apart from its run, while ours lists the folder and reads what changed within the time that is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

CHANGED = 10
Figures = dict[str, float]


def write(folder: Path, documents: int) -> None:
    """Write short Markdown files, a thousand a folder."""
    for number in range(documents):
        path = folder / f"{number // 1000:03}" / f"{number}.md"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_text(f"# Document {number}\n\nThis is what document {number} says.")


def change(folder: Path) -> None:
    """Add a paragraph to ten files."""
    for number in range(CHANGED):
        path = folder / "000" / f"{number}.md"
        path.write_text(f"{path.read_text()}\n\nOne more paragraph of document {number}.")


async def ours(work: Path) -> Figures:
    """Sync with Lorekeeper."""
    from kb.sources import FolderSource
    from tests.benchmarks.sync import open_sync
    from tests.kb.fakes import HashEmbedder, LineParser

    source = FolderSource(name="bench", location=str(work / "source-ours"))
    figures: Figures = {}
    async with AsyncExitStack() as stack:
        opening = time.perf_counter()
        sync = await open_sync(stack, work / "ours", HashEmbedder(), LineParser())
        figures["opening"] = time.perf_counter() - opening
        began = time.perf_counter()
        report = await sync.run(source)
        figures["run"] = time.perf_counter() - began
        if report.added == 0:
            figures["memory"] = peak()
            change(work / "source-ours")
            began = time.perf_counter()
            report = await sync.run(source)
            figures["ten changed"] = time.perf_counter() - began
            assert report.updated == CHANGED
    return figures | {"memory at the end": peak()}


def theirs(work: Path) -> Figures:
    """Run LlamaIndex's pipeline."""
    from llama_index.core import Document, MockEmbedding
    from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
    from llama_index.core.schema import TransformComponent
    from llama_index.core.storage.docstore import SimpleDocumentStore
    from llama_index.core.vector_stores import SimpleVectorStore

    class Whole(TransformComponent):
        """Leaves each document one node, as the stand-in of ours does for the same text."""

        def __call__(self, nodes: Any, **_: Any) -> Any:  # noqa: ANN401 - the base's types
            return nodes

    def read() -> list[Document]:
        return [
            Document(text=path.read_text(), id_=str(path.relative_to(work / "source-theirs")))
            for path in sorted((work / "source-theirs").rglob("*.md"))
        ]

    store = work / "theirs"
    known = store.exists()
    figures: Figures = {}
    began = time.perf_counter()
    docstore = SimpleDocumentStore.from_persist_dir(str(store)) if known else SimpleDocumentStore()
    vectors = SimpleVectorStore.from_persist_dir(str(store)) if known else SimpleVectorStore()
    figures["opening"] = time.perf_counter() - began
    pipeline = IngestionPipeline(
        transformations=[Whole(), MockEmbedding(embed_dim=16)],
        docstore=docstore,
        docstore_strategy=DocstoreStrategy.UPSERTS,
        vector_store=vectors,
        disable_cache=True,
    )
    began = time.perf_counter()
    documents = read()
    figures["reading"] = time.perf_counter() - began
    began = time.perf_counter()
    pipeline.run(documents=documents)
    figures["run"] = time.perf_counter() - began
    if known:
        figures["memory"] = peak()
        change(work / "source-theirs")
        documents = read()
        began = time.perf_counter()
        pipeline.run(documents=documents)
        figures["ten changed"] = time.perf_counter() - began
    else:
        docstore.persist(str(store / "docstore.json"))
        vectors.persist(str(store / "default__vector_store.json"))
    return figures | {"memory at the end": peak()}


def peak() -> float:
    """Return the peak of this process's resident memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_child(who: str, work: Path) -> Figures:
    """Run one system in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks.docstore", "--child", who, "--work", str(work)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(documents: int) -> None:
    """Run both and print them side by side."""
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        for who in ("ours", "theirs"):
            write(work / f"source-{who}", documents)
        print(f"{documents} documents")
        for who in ("ours", "theirs"):
            print(f"{who:8} first       {_told(in_a_child(who, work))}", flush=True)
        again = {who: in_a_child(who, work) for who in ("ours", "theirs")}
        for who, figures in again.items():
            print(f"{who:8} no change   {_told(figures)}")
        for what in ("run", "ten changed"):
            print(f"{what}: x {again['theirs'][what] / again['ours'][what]:.1f} (to reach: 10)")


def _told(figures: Figures) -> str:
    return ", ".join(
        f"{name} {value:.0f} MB" if name.startswith("memory") else f"{name} {value:.2f} s"
        for name, value in figures.items()
    )


def main() -> None:
    """Compare, or be one of the children."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=100_000)
    arguments.add_argument("--child", choices=["ours", "theirs"])
    arguments.add_argument("--work", type=Path)
    options = arguments.parse_args()
    if options.child:
        work: Path = options.work
        print(json.dumps(asyncio.run(ours(work)) if options.child == "ours" else theirs(work)))
    else:
        compare(options.documents)


if __name__ == "__main__":
    main()
