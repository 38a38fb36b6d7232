"""Sync 1,000 unchanged web pages: `python -m tests.benchmarks.web [--pages N]`.

Requests, parsed documents and embedded nodes of a first sync and of two more, of a crawl and of a sitemap
with dates, against a server on loopback, with stand-ins for model and parser. The pause between two requests
is off: it is the host's to choose.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.fetch import Fetcher
from kb.manifest import Manifest
from kb.settings import SyncSettings
from kb.sources import SitemapSource, WebSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.contracts.sitemap_world import sitemap
from tests.emulators.site import Site, html
from tests.kb.fakes import HashEmbedder, LineParser

LINKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one sync cost."""

    source: str
    statuses: Counter[int]
    parsed: int
    embedded: int
    unchanged: int
    status: str
    seconds: float
    cpu: float

    def __str__(self) -> str:
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.source:8} {self.seconds:7.2f} s  {self.cpu:6.2f} s CPU  requests {self.statuses.total()} "
            f"({answers})  parsed {self.parsed}  embedded {self.embedded}  unchanged {self.unchanged}  "
            f"{self.status}"
        )


def put_pages(site: Site, pages: int) -> None:
    """Put pages that each link to twenty others."""
    for number in range(1, pages):
        links = [f"page-{(number * LINKS + link) % pages}.html" for link in range(LINKS)]
        site.put(f"/docs/page-{number}.html", html(*links, text=f"What page {number} says." * 20))
    site.put("/docs/page-0.html", html("./"))
    site.put("/docs/", html(*(f"page-{link}.html" for link in range(1, LINKS)), text="Start."))
    dated = {f"{site.url}/docs/page-{number}.html": "2024-05-01T10:00:00Z" for number in range(pages)}
    site.put("/sitemap.xml", sitemap(dated), media_type="application/xml")


async def measure(pages: int, work: Path) -> AsyncIterator[Run]:
    """Yield three syncs of a crawl, then three of a dated sitemap: only the first of each finds news."""
    async with AsyncExitStack() as stack:
        site = Site()
        await site.start()
        stack.push_async_callback(site.stop)
        put_pages(site, pages)
        embedder, parser = HashEmbedder(), LineParser()
        sync = await _open_sync(stack, work, embedder, parser)
        limits = {"private_hosts": True, "delay": 0, "pages": pages + 1}
        web = WebSource(name="crawl", location=f"{site.url}/docs/", depth=50, **limits)
        dated = SitemapSource(name="dated", location=f"{site.url}/sitemap.xml", **limits)
        for source in (web, web, web, dated, dated, dated):
            site.requests.clear()
            parser.parsed.clear()
            embedder.texts.clear()
            started, cpu = time.perf_counter(), time.process_time()
            report = await sync.run(source)
            yield Run(
                source=source.type,
                statuses=Counter(site.statuses()),
                parsed=len(parser.parsed),
                embedded=len(embedder.texts),
                unchanged=report.unchanged,
                status=report.status,
                seconds=time.perf_counter() - started,
                cpu=time.process_time() - cpu,
            )


async def _open_sync(
    stack: AsyncExitStack, data: Path, embedder: HashEmbedder, parser: LineParser
) -> Synchroniser:
    engine = await open_database("", data)
    stack.push_async_callback(engine.dispose)
    store = await NodeStore.open(data / "store", model=embedder.identity, dimension=embedder.dimension)
    stack.push_async_callback(store.close)
    fetcher = Fetcher()
    stack.push_async_callback(fetcher.close)
    connectors = Connectors(engine, data, fetcher=lambda: fetcher)
    return Synchroniser(store, Manifest(engine), embedder, parser, SyncSettings(), connectors)  # type: ignore[arg-type] # stand-ins


async def main(pages: int) -> None:
    """Print a line for each sync."""
    with tempfile.TemporaryDirectory() as work:
        async for run in measure(pages, Path(work)):
            print(run)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pages", type=int, default=1000)
    asyncio.run(main(arguments.parse_args().pages))
