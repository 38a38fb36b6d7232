"""A git repository: the files of one branch or tag, read from a bare mirror.

A listing fixes a commit; what is fetched until the next listing is of that commit. The version token is the
blob's id, so a changed file that returns to its old text is known again.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kb.connectors.base import MAX_BYTES
from kb.connectors.git_address import Address, parse_address, shown
from kb.connectors.git_mirror import Blob, Mirror, Snapshot
from kb.connectors.git_process import BlobReader, ChangeTimes, MirrorDamaged
from kb.connectors.selection import Selection
from kb.connectors.uris import uri_of
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.sources import GitSource

SECONDS = 900.0

# What `git check-ref-format` refuses, and names that would read as options.
_BAD_BRANCH = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|/\.|\.lock(/|$)|[/.]$|^@$")
_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_LFS_POINTER_BYTES = 1024


@dataclass(slots=True)
class _Opened:
    """A listed snapshot and what reads it."""

    snapshot: Snapshot
    files: dict[str, tuple[bytes, Blob]]
    reader: BlobReader
    times: ChangeTimes


class GitConnector:
    """Reads the regular files of a branch or tag."""

    def __init__(
        self, settings: GitSource, *, data: Path, max_bytes: int = MAX_BYTES, seconds: float = SECONDS
    ) -> None:
        self._settings = settings
        self._data = data
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._label = f"Source {settings.name!r}: the repository {shown(settings.location)!r}"
        self._opened: _Opened | None = None
        self._opening = asyncio.Lock()

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Fetch what is new and yield a ref for every regular file."""
        async with self._opening:
            opened = await self._open()
        address = self._address()
        for uri, (path, blob) in opened.files.items():
            yield DocumentRef(
                source=self._settings.name,
                uri=uri,
                version=blob.id,
                size=blob.size,
                url=address.page(opened.snapshot.branch, path),
            )

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the file's bytes in the commit that was listed last."""
        async with self._opening:
            opened = self._opened or await self._open()
        try:
            return await asyncio.to_thread(self._read, opened, ref)
        except MirrorDamaged:
            async with self._opening:
                if self._opened is opened:
                    await self._open(anew=True)
                opened = self._opened or opened
        try:
            return await asyncio.to_thread(self._read, opened, ref)
        except MirrorDamaged as exc:
            raise SourceUnavailable(
                f"{self._label}: its mirror cannot be read ({exc}). Check the disk of the data folder."
            ) from exc

    def _address(self) -> Address:
        try:
            return parse_address(self._settings.location)
        except SourceInvalid as exc:
            raise SourceInvalid(f"Source {self._settings.name!r}: {exc}") from exc

    async def _open(self, *, anew: bool = False) -> _Opened:
        settings = self._settings
        selection = Selection(settings)
        mirror = Mirror(
            self._address(),
            label=self._label,
            data=self._data,
            private_hosts=settings.private_hosts,
            seconds=self._seconds,
        )
        if settings.branch and _BAD_BRANCH.search(settings.branch):
            raise SourceInvalid(f"{self._label}: {settings.branch!r} is no name of a branch. Correct branch.")
        snapshot = await mirror.snapshot(settings.branch, self._folder(), anew=anew)
        self._opened = _Opened(
            snapshot=snapshot,
            files=await asyncio.to_thread(_select, selection, snapshot),
            reader=mirror.blobs(),
            times=mirror.times(snapshot.commit),
        )
        return self._opened

    def _folder(self) -> str:
        parts = [part for part in self._settings.folder.split("/") if part not in {"", "."}]
        if ".." in parts or "\0" in self._settings.folder:
            raise SourceInvalid(
                f"{self._label}: {self._settings.folder!r} is no folder in it. Correct folder."
            )
        return "/".join(parts)

    def _read(self, opened: _Opened, ref: DocumentRef) -> Content:
        name = f"{ref.uri!r} of source {self._settings.name!r}"
        path, blob = opened.files.get(ref.uri, (b"", None))
        if blob is None:
            raise DocumentVanished(f"{name} is none of that source's documents.")
        if blob.size > self._max_bytes:
            raise DocumentUnreadable(
                f"{name} is too large: {blob.size:,} bytes, the limit is {self._max_bytes:,}.",
                status="too-large",
            )
        data = opened.reader.read(blob.id)
        if len(data) < _LFS_POINTER_BYTES and data.startswith(_LFS):
            raise DocumentUnreadable(
                f"{name} is kept in Git LFS, which is not read. Give a folder with its files instead.",
                status="unsupported",
            )
        when = opened.times.of(path)
        return Content(
            data=data,
            updated=None if when is None else _moment(when),
            url=self._address().page(opened.snapshot.branch, path),
            version=None if blob.id == ref.version else blob.id,
        )


def _select(selection: Selection, snapshot: Snapshot) -> dict[str, tuple[bytes, Blob]]:
    return {
        uri_of(path): (path, blob)
        for path, blob in snapshot.blobs.items()
        if selection.allows(os.fsdecode(path))
    }


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
