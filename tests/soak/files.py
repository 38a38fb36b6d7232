"""P8, one bad document does not stop the rest and is not silent: every bad file at hand in one folder.

    python -m tests.soak files

Each bad file has a good neighbour. Parsing is the real one, in its children; the model is a stand-in. The
files are those of ../shared/data/trust.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.manifest import Manifest
from kb.parsing.parsed import ParsedDocument
from kb.parsing.pool import Parser
from kb.settings import SyncSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.kb.fakes import DIMENSION, HashEmbedder
from tests.soak.rows import Row

TRUST = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust"
KINDS = ("pdf", "office", "html5lib", "pathological", "sitemaps")
SECONDS, MEMORY_MB = 30.0, 512


def missing() -> str:
    """Return why this cannot be run here, empty when it can."""
    return "" if TRUST.is_dir() else "../shared/data/trust is not beside this checkout"


class Timed(Parser):
    """Notes how long the slowest document took."""

    slowest = 0.0

    async def parse(self, data: bytes, name: str, media_type: str) -> ParsedDocument:
        """Parse and note the time."""
        began = time.monotonic()
        try:
            return await super().parse(data, name, media_type)
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)


async def measure(scale: float) -> list[Row]:
    """Sync a share of the bad files, each with a neighbour."""
    files = sorted(path for kind in KINDS for path in (TRUST / kind).rglob("*") if path.is_file())
    chosen = random.Random(7).sample(files, max(10, round(len(files) * min(scale, 1.0))))
    with tempfile.TemporaryDirectory() as place:
        return await _sync(Path(place), chosen)


async def _sync(work: Path, files: Iterable[Path]) -> list[Row]:
    folder = work / "source"
    number = 0
    for number, file in enumerate(files, start=1):
        (folder / str(number)).mkdir(parents=True)
        shutil.copyfile(file, folder / str(number) / file.name)
        (folder / str(number) / "neighbour-of-it.md").write_text(f"# Good\n\nNeighbour {number}.")
    async with AsyncExitStack() as stack:
        engine = await open_database("", work / "data")
        stack.push_async_callback(engine.dispose)
        store = await NodeStore.open(work / "data" / "store", model="hash-16", dimension=DIMENSION)
        stack.push_async_callback(store.close)
        parser = Timed(seconds=SECONDS, memory_mb=MEMORY_MB)
        stack.push_async_callback(parser.close)
        manifest, connectors = Manifest(engine), Connectors(engine, work / "data")
        sync = Synchroniser(store, manifest, HashEmbedder(), parser, SyncSettings(), connectors)
        report = await sync.run(FolderSource(name="s", location=str(folder)))
        known = await manifest.known("s")
        failures = await manifest.failures("s")
    neighbours = sum(row.nodes > 0 for row in known.values() if row.uri.endswith("neighbour-of-it.md"))
    silent = [row.uri for row in known.values() if not row.nodes and row.uri not in {f.uri for f in failures}]
    silent += [failure.uri for failure in failures if not failure.reason]
    return [
        Row(
            promise="P8 One bad document does not stop the rest and is not silent",
            done=f"{number} bad files, {len(failures)} of them without text, {report.seconds:.0f} s",
            figure=f"{number - neighbours} neighbours lost, {len(silent)} silent, {len(known)} recorded",
            reach=f"0, 0, {2 * number}",
            kept=neighbours == number and not silent and len(known) == 2 * number,
        ),
        Row(
            promise="P8 No document takes long",
            done="the slowest of them, waiting for a child included",
            figure=f"{parser.slowest:.1f} s",
            reach=f"{2 * SECONDS:.0f} s",
            kept=parser.slowest <= 2 * SECONDS,
        ),
    ]
