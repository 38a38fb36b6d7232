"""One side of the benchmark `rival`: `python -m tests.benchmarks.pipeline {ours,theirs} FOLDER DOCUMENTS`.

Both sides get the same documents in memory and stand-ins for the model, store them, end, and in a new process
sync them again without change and with ten changed. Ours opens store and database, theirs loads its docstore
and vector store; opening and loading count, imports do not.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from kb.documents import Content, DocumentRef
from kb.sources import AnySource, FolderSource
from tests.benchmarks.sync import open_sync, peak, timed
from tests.kb.fakes import DIMENSION, HashEmbedder, LineParser, vector_of


def texts(number: int, *, changed: int = 0) -> dict[str, str]:
    """Return documents of a few words, the first of them changed."""
    return {
        f"{place % 100:02}/{place}.md": f"Document {place} of many."
        + (" Changed." if place < changed else "")
        for place in range(number)
    }


class Held:
    """A source in memory whose version tokens are lengths: computing them costs nothing."""

    def __init__(self, documents: dict[str, str]) -> None:
        self._documents = documents

    def __call__(self, settings: AnySource, *, max_bytes: int, dry: bool) -> Held:
        return self

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for each document."""
        for uri, text in self._documents.items():
            yield DocumentRef(source="bench", uri=uri, version=f"v{len(text)}")

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the text."""
        return Content(data=self._documents[ref.uri].encode())


async def ours(work: Path, number: int, step: str) -> None:
    """Sync once, or time three syncs without change and one with ten."""
    source = FolderSource(name="bench", location="/nowhere")
    runs = [0] if step == "build" else [0, 0, 0, 10]
    for changed in runs:
        documents = texts(number, changed=changed)
        async with AsyncExitStack() as stack:
            began = time.monotonic()
            sync = await open_sync(
                stack, work / "ours", HashEmbedder(), LineParser(), connect=Held(documents)
            )
            print(f"ours: opened in {time.monotonic() - began:.2f} s")
            await timed("ten changed" if changed else step, sync, source, number)


def theirs(work: Path, number: int, step: str) -> None:
    """Run the pipeline once and keep it, or time it without change and with ten."""
    from llama_index.core import Document
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
    from llama_index.core.storage.docstore import SimpleDocumentStore
    from llama_index.core.vector_stores import SimpleVectorStore

    class Hashing(BaseEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return [float(value) for value in vector_of(text)]

        _get_query_embedding = _get_text_embedding

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

    assert len(vector_of("")) == DIMENSION
    folder = work / "theirs"
    for changed in [0] if step == "build" else [0, 10]:
        documents = [Document(text=text, id_=uri) for uri, text in texts(number, changed=changed).items()]
        began, used = time.monotonic(), time.process_time()
        vectors = (
            SimpleVectorStore.from_persist_path(str(folder / "vectors.json"))
            if folder.exists()
            else SimpleVectorStore()
        )
        pipeline = IngestionPipeline(
            transformations=[Hashing()],
            docstore=SimpleDocumentStore(),
            vector_store=vectors,
            docstore_strategy=DocstoreStrategy.UPSERTS_AND_DELETE,
            disable_cache=True,
        )
        if folder.exists():
            pipeline.load(str(folder))
        loaded = time.monotonic()
        nodes = pipeline.run(documents=documents)
        ran = time.monotonic()
        pipeline.persist(str(folder))
        vectors.persist(str(folder / "vectors.json"))
        wait, work_done = time.monotonic() - began, time.process_time() - used
        name = "ten changed" if changed else step
        print(
            f"theirs: {name} {wait:.2f} s (run {ran - loaded:.2f} s), {work_done:.2f} s of processor, "
            f"{len(nodes)} nodes, peak {peak():.0f} MB"
        )


def main() -> None:
    """Build in a process of its own, then time."""
    who, work, number, *rest = sys.argv[1:]
    step = rest[0] if rest else "no change"
    if not rest:
        subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.pipeline", who, work, number, "build"], check=True
        )
    if who == "ours":
        asyncio.run(ours(Path(work), int(number), step))
    else:
        theirs(Path(work), int(number), step)


if __name__ == "__main__":
    main()
