from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from kb.connectors.base import Connector
from kb.connectors.feed import FeedConnector
from kb.documents import Content
from kb.sources import FeedSource
from tests.contracts.web_world import FakeTime, WebWorld


def rss(items: Mapping[str, str]) -> str:
    """Return a feed of items, text by id."""
    entries = "".join(
        f'<item><guid isPermaLink="false">{escape(key)}</guid><title>{escape(key)}</title>'
        f"<description>{escape(f'<p>{escape(text)}</p>')}</description></item>"
        for key, text in items.items()
    )
    return f'<rss version="2.0"><channel><title>World</title>{entries}</channel></rss>'


class FeedWorld(WebWorld):
    """A feed; an item's name is its id."""

    globs = False
    removes = False
    keeps_listed = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.items: dict[str, str] = {}

    @property
    def outside(self) -> tuple[str, ...]:
        return (f"{self.site.url}/elsewhere.md", "file:///etc/passwd")

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = FeedSource(name="world", location=f"{self.site.url}/feed.xml", private_hosts=True)
        return FeedConnector(source, self.resources(max_bytes), clock=FakeTime().clock())

    def invalid(self) -> Connector:
        return FeedConnector(FeedSource(name="world", location="ftp://127.0.0.1/"), self.resources())

    def write(self, files: Mapping[str, bytes]) -> None:
        self.items |= {path: data.decode() for path, data in files.items()}
        self._index()

    def remove(self, path: str) -> None:
        del self.items[path]
        self._index()

    def uri(self, path: str) -> str:
        return path

    def shows(self, content: Content, data: bytes) -> bool:
        return f"<p>{escape(data.decode())}</p>".encode() in content.data

    def _index(self) -> None:
        self.site.put("/feed.xml", rss(self.items), media_type="application/rss+xml")
