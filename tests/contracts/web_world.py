from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kb.connectors.base import Connector, Resources
from kb.connectors.web import WebConnector
from kb.connectors.web_manners import Clock
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.sources import WebSource
from tests.contracts.world import World
from tests.emulators.site import Site, html


class FakeTime:
    """A clock that waits in no time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(now=self.now, sleep=self.sleep)


class WebWorld(World):
    """A site whose start page links to all others and asks not to be indexed."""

    paths = False
    keeps_listed = True
    refusals = (401, 403, 404, 429, 500, 503)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.site = Site()
        self.fetcher = Fetcher()
        self.memory = BorrowedMemory()
        self.names: set[str] = set()

    @property
    def outside(self) -> tuple[str, ...]:
        return (
            f"{self.site.url}/elsewhere.md",
            f"{self.site.url}/root/../elsewhere.md",
            f"{self.site.url}/root/a.md#part",
            self.site.url.replace("127.0.0.1", "localhost") + "/root/a.md",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
        )

    async def open(self) -> None:
        await self.site.start()
        self.site.put("/elsewhere.md", "outside", media_type="text/markdown")
        self._index()

    async def close(self) -> None:
        await self.fetcher.close()
        await self.site.stop()

    def resources(self, max_bytes: int = 1 << 20) -> Resources:
        return Resources(
            data=self.folder / "data",
            fetcher=self.fetcher,
            memory=self.memory,
            secret=lambda _variable: None,
            max_bytes=max_bytes,
        )

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = WebSource(
            name="world",
            location=f"{self.site.url}/root/",
            include=include,
            exclude=exclude,
            private_hosts=True,
            delay=0,
        )
        return WebConnector(source, self.resources(max_bytes), clock=FakeTime().clock())

    def invalid(self) -> Connector:
        return WebConnector(WebSource(name="world", location="ftp://127.0.0.1/"), self.resources())

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            self.names.add(path)
            self.site.put(f"/root/{path}", data, media_type="text/plain; charset=utf-8")
        self._index()

    def remove(self, path: str) -> None:
        self.names.remove(path)
        del self.site.pages[f"/root/{path}"]
        self._index()

    def uri(self, path: str) -> str:
        return f"{self.site.url}/root/{path}"

    def forget(self) -> None:
        self.memory = BorrowedMemory()

    def refuse(self, status: int) -> None:
        self.site.put("/refused", "no", status=status, etag=False, modified="")
        self.site.override = self.site.pages.pop("/refused")

    def break_source(self) -> None:
        self.refuse(502)

    def _index(self) -> None:
        links = html(*sorted(self.names), "../elsewhere.md", head='<meta name="robots" content="noindex">')
        self.site.put("/root/", links)
