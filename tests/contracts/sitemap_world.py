from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from kb.connectors.base import Connector
from kb.connectors.sitemap import SitemapConnector
from kb.sources import SitemapSource
from tests.contracts.web_world import FakeTime, WebWorld


def sitemap(locations: Mapping[str, str]) -> str:
    """Return a sitemap of addresses and the times that they changed; an empty time is left out."""
    urls = "".join(
        f"<url><loc>{escape(address)}</loc>" + (f"<lastmod>{time}</lastmod>" if time else "") + "</url>"
        for address, time in locations.items()
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{space}">{urls}</urlset>'


class SitemapWorld(WebWorld):
    """A sitemap that says when each page changed; every change is a minute after the last."""

    keeps_listed = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.changes = 0
        self.changed: dict[str, str] = {}

    @property
    def outside(self) -> tuple[str, ...]:
        return (
            f"{self.site.url}/root/a.md#part",
            self.site.url.replace("127.0.0.1", "localhost") + "/root/a.md",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
        )

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = SitemapSource(
            name="world",
            location=f"{self.site.url}/sitemap.xml",
            include=tuple(f"root/{glob}" if glob[0] == "d" else glob for glob in include),
            exclude=exclude,
            private_hosts=True,
            delay=0,
        )
        return SitemapConnector(source, self.resources(max_bytes), clock=FakeTime().clock())

    def invalid(self) -> Connector:
        source = SitemapSource(name="world", location="ftp://127.0.0.1/sitemap.xml")
        return SitemapConnector(source, self.resources())

    def write(self, files: Mapping[str, bytes]) -> None:
        for path in files:
            self.changes += 1
            self.changed[path] = f"2024-05-01T{self.changes // 60:02}:{self.changes % 60:02}:00+00:00"
        super().write(files)

    def _index(self) -> None:
        entries = {self.uri(name): self.changed[name] for name in sorted(self.names)}
        self.site.put("/sitemap.xml", sitemap(entries), media_type="application/xml")


class UndatedSitemapWorld(SitemapWorld):
    """A sitemap that does not say when a page changed."""

    keeps_listed = True

    def _index(self) -> None:
        entries = dict.fromkeys((self.uri(name) for name in sorted(self.names)), "")
        self.site.put("/sitemap.xml", sitemap(entries), media_type="application/xml")
