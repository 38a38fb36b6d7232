"""What a listing has read of documents already, kept on disk for the fetches that follow it."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple


class Spooled(NamedTuple):
    """Text kept for a document in one version."""

    uri: str
    version: str
    text: str


class Spool:
    """Texts by document and version in a file without a name: nothing of it outlives the process."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "cache"
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        self._file: IO[bytes] | None = None

    async def clear(self) -> None:
        """Drop everything."""
        await asyncio.to_thread(self._clear)

    async def keep(self, texts: Iterable[Spooled]) -> None:
        """Add texts; without room on the disk they are not kept, and fetched again."""
        await asyncio.to_thread(self._keep, list(texts))

    async def take(self, uri: str, version: str) -> str | None:
        """Return the text that was kept for a document in a version."""
        return await asyncio.to_thread(self._take, uri, version)

    def _clear(self) -> None:
        with self._lock:
            self._places.clear()
            if self._file is not None:
                self._file.truncate(0)

    def _keep(self, texts: list[Spooled]) -> None:
        with self._lock:
            try:
                file = self._opened()
                for each in texts:
                    text = each.text.encode("utf-8", "surrogatepass")
                    start = file.seek(0, 2)
                    file.write(text)
                    self._places[each.uri, each.version] = (start, len(text))
            except OSError:
                self._places.clear()

    def _take(self, uri: str, version: str) -> str | None:
        with self._lock:
            place = self._places.get((uri, version))
            if place is None or self._file is None:
                return None
            try:
                self._file.seek(place[0])
                text = self._file.read(place[1])
            except OSError:
                return None
        return text.decode("utf-8", "surrogatepass") if len(text) == place[1] else None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a write that fails for want of room fails here and not at the next read.
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - the spool's own
            weakref.finalize(self, self._file.close)
        return self._file
