"""Pages that were read while they were listed, kept on disk until they are fetched."""

from __future__ import annotations

import shutil
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

_STALE_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A page as it was read; its bytes lie in a file."""

    path: Path
    media_type: str
    updated: datetime | None
    version: str


class Spool:
    """The spool of one connector. Its folder goes when the connector does; each page can be taken once.

    All methods but `take` block for the time of a file operation.
    """

    def __init__(self, data: Path, source: str) -> None:
        self._parent = data / "cache" / "spool" / source
        self._folder: Path | None = None
        self._pages: dict[str, Spooled] = {}

    def clear(self) -> None:
        """Drop everything, and what runs that were killed have left."""
        self._pages.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        with suppress(OSError):
            for folder in self._parent.iterdir():
                if folder.stat().st_mtime < time.time() - _STALE_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def put(self, uri: str, data: bytes, *, media_type: str, updated: datetime | None, version: str) -> None:
        """Keep a page; raise OSError when the disk does not take it."""
        if self._folder is None or not self._folder.is_dir():
            self._parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(mkdtemp(dir=self._parent))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / uuid4().hex
        path.write_bytes(data)
        self._pages[uri] = Spooled(path=path, media_type=media_type, updated=updated, version=version)

    def take(self, uri: str) -> Spooled | None:
        """Return a page, which is then no longer here; its file is the caller's to read and remove."""
        return self._pages.pop(uri, None)


def read_spooled(page: Spooled) -> bytes | None:
    """Return the bytes of a page that was taken and remove its file; None when they are gone."""
    try:
        data = page.path.read_bytes()
        page.path.unlink()
    except OSError:
        return None
    return data
