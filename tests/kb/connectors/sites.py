"""What the tests of web sources share: a site, and connectors that ask it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.connectors.base import Connector, Resources
from kb.connectors.feed import FeedConnector
from kb.connectors.sitemap import SitemapConnector
from kb.connectors.web import WebConnector
from kb.documents import DocumentRef
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.settings import FetchSettings
from kb.sources import FeedSource, SitemapSource, WebSource
from tests.contracts.web_world import FakeTime
from tests.emulators.site import Site


class Bench:
    """A site, and what all runs of one source share."""

    def __init__(self, site: Site, folder: Path, **fetch: Any) -> None:  # noqa: ANN401 - settings
        self.site = site
        self.memory = BorrowedMemory()
        self.time = FakeTime()
        self.fetcher = Fetcher(FetchSettings(**fetch))
        self.folder = folder

    def resources(self) -> Resources:
        return Resources(
            data=self.folder / "data",
            fetcher=self.fetcher,
            memory=self.memory,
            secret=lambda _variable: None,
            max_bytes=1 << 20,
        )

    def web(self, path: str = "/docs/", **settings: Any) -> WebConnector:  # noqa: ANN401 - settings
        return WebConnector(
            WebSource(**self._settings(path, settings)), self.resources(), clock=self.time.clock()
        )

    def sitemap(self, path: str = "/sitemap.xml", **settings: Any) -> SitemapConnector:  # noqa: ANN401
        return SitemapConnector(
            SitemapSource(**self._settings(path, settings)), self.resources(), clock=self.time.clock()
        )

    def feed(self, path: str = "/feed.xml", **settings: Any) -> FeedConnector:  # noqa: ANN401 - settings
        found = self._settings(path, settings)
        del found["delay"]
        return FeedConnector(FeedSource(**found), self.resources(), clock=self.time.clock())

    def _settings(self, path: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        location = path if "://" in path else self.site.url + path
        return {"name": "site", "location": location, "private_hosts": True, "delay": 0, **settings}

    def paths(self, refs: Mapping[str, DocumentRef]) -> set[str]:
        return {uri.removeprefix(self.site.url) for uri in refs}


async def listed(connector: Connector) -> dict[str, DocumentRef]:
    refs = [ref async for ref in connector.list_documents()]
    found = {ref.uri: ref for ref in refs}
    assert len(found) == len(refs)
    return found
