"""What a reader gave, on disk until its documents are fetched. Blocking: for use in threads."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from kb.connectors.reader_documents import ReadDocument

_LOCK = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A document of the spool; `file` holds its data, None when it is too large."""

    name: str
    uri: str
    version: str
    size: int
    url: str | None
    updated: datetime | None
    file: Path | None

    def read(self) -> bytes:
        """Return the data."""
        return self.file.read_bytes() if self.file else b""


class Spool:
    """A folder of its own below `folder`, gone with this object. What dead processes left goes first."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        self._root = Path(tempfile.mkdtemp(dir=folder))
        lock = _locked(self._root / _LOCK)
        assert lock is not None
        self.remove = weakref.finalize(self, _remove, self._root, lock)
        self.bytes = 0
        self.documents = 0
        self.scratch = self._root / "scratch"
        self.scratch.mkdir()
        self._index = self._root / "index"
        self._index.touch()

    def add(self, document: ReadDocument) -> None:
        """Keep a document."""
        stem = _stem(document.uri)
        if document.data is not None:
            file = self._data(stem)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(document.data)
        entry = {
            "name": document.name,
            "uri": document.uri,
            "version": document.version,
            "size": document.size,
            "url": document.url,
            "updated": document.updated.isoformat() if document.updated else None,
            "held": document.data is not None,
        }
        line = json.dumps(entry)
        about = self._about(stem)
        about.parent.mkdir(exist_ok=True)
        about.write_text(line, "utf-8")
        with self._index.open("a", encoding="utf-8") as index:
            index.write(f"{line}\n")
        self.bytes += len(document.data or b"") + 2 * len(line)
        self.documents += 1

    def entries(self) -> Iterator[Spooled]:
        """Yield the documents in their order."""
        with self._index.open(encoding="utf-8") as index:
            for line in index:
                yield self._spooled(json.loads(line))

    def find(self, uri: str) -> Spooled | None:
        """Return the document of a uri."""
        try:
            return self._spooled(json.loads(self._about(_stem(uri)).read_text("utf-8")))
        except FileNotFoundError:
            return None

    def _spooled(self, entry: dict[str, Any]) -> Spooled:
        updated = entry["updated"]
        return Spooled(
            name=entry["name"],
            uri=entry["uri"],
            version=entry["version"],
            size=entry["size"],
            url=entry["url"],
            updated=datetime.fromisoformat(updated) if updated else None,
            file=self._data(_stem(entry["uri"])) if entry["held"] else None,
        )

    def _data(self, stem: str) -> Path:
        return self._root / stem[:2] / f"{stem[2:]}.md"

    def _about(self, stem: str) -> Path:
        return self._root / stem[:2] / f"{stem[2:]}.json"


def _stem(uri: str) -> str:
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()


def _locked(path: Path) -> IO[bytes] | None:
    """Return a file that is locked as long as it is open; None when another process holds it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            # One that is being made has no lock yet.
            lock = _locked(path / _LOCK) if (path / _LOCK).exists() else None
            if lock is not None:
                _remove(path, lock)


def _remove(path: Path, lock: IO[bytes]) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.close()
