"""A folder of this machine.

A link to a file of the same folder is a document under the link's own path; links to folders and links that
lead out of the root are not followed.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kb.connectors.base import MAX_BYTES
from kb.connectors.rooted import (
    FILE_FLAGS,
    FOLDER_FLAGS,
    GONE,
    Reading,
    closing,
    kind_of,
    opened_below,
    read_file,
    version_of,
)
from kb.connectors.selection import IgnoreRules, Selection
from kb.connectors.uris import link_path, path_of, uri_of
from kb.connectors.web_address import page_address
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.parsing.markdown import split_front_matter
from kb.sources import FolderSource

log = logging.getLogger(__name__)

_BATCH = 1000
_DEPTH = 200
_IGNORE_FILE_BYTES = 1 << 20
_FRONT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The folder, and what of it is read."""

    source: str
    label: str
    path: str
    url: str
    selection: Selection
    gitignore: bool

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Open the root; raise SourceUnavailable when it cannot be read now."""
        try:
            opened = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise self._error(exc) from exc
        with closing(opened):
            yield opened

    def _error(self, exc: OSError) -> SourceInvalid | SourceUnavailable:
        if exc.errno == errno.ENOTDIR and kind_of(Path(self.path)):
            return SourceInvalid(f"{self.label} is a file. Give the path of a folder.")
        if exc.errno in GONE:
            return SourceUnavailable(
                f"{self.label} does not exist. Create or mount it, or correct its location."
            )
        return SourceUnavailable(f"{self.label} cannot be read ({exc.strerror}). Allow reading it.")

    def ref(self, path: str, status: os.stat_result) -> DocumentRef:
        """Return the ref of the file at a path."""
        raw = os.fsencode(path)
        return DocumentRef(
            source=self.source,
            uri=uri_of(raw),
            version=version_of(status),
            size=status.st_size,
            url=self.url + link_path(raw),
        )

    def link_target(self, path: str) -> str | None:
        """Return the path that a link leads to, or None when that is none of the source's files."""
        try:
            root = os.path.realpath(self.path, strict=True)
            target = os.path.realpath(f"{self.path}/{path}", strict=True)
        except OSError:
            return None
        prefix = root.rstrip("/") + "/"
        inside = target.removeprefix(prefix)
        return inside if target.startswith(prefix) and self.selection.allows(inside) else None


def _locate(settings: FolderSource) -> _Place:
    label = f"Source {settings.name!r}: the folder {settings.location!r}"
    if not settings.location.strip() or "\0" in settings.location:
        raise SourceInvalid(f"{label} is not a path. Give the path of a folder.")
    try:
        path = os.fspath(Path(settings.location).expanduser().absolute())
    except RuntimeError as exc:
        raise SourceInvalid(f"{label} is in the home of a user that does not exist. Correct it.") from exc
    return _Place(
        source=settings.name,
        label=label,
        path=path,
        url=f"file://{link_path(os.fsencode(path.rstrip('/')))}/",
        selection=Selection(settings),
        gitignore=settings.gitignore,
    )


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is still to be walked, and the ignore rules that hold in it."""

    path: str
    depth: int
    rules: IgnoreRules

    @property
    def prefix(self) -> str:
        return f"{self.path}/" if self.path else ""


class _Walk:
    """A walk over a folder in steps; between two steps nothing is held open."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._pending = [_Folder("", 0, IgnoreRules())]
        self._identity: tuple[int, int] | None = None
        self._unreadable: list[str] = []

    def step(self) -> list[DocumentRef]:
        """Return the documents of the next folders; none when all were walked.

        Raises SourceUnavailable at the end when a part of the folder could not be read.
        """
        refs: list[DocumentRef] = []
        with self._place.opened() as root:
            self._check_identity(root)
            while self._pending and len(refs) < _BATCH:
                refs += self._read_folder(root, self._pending.pop())
        if not refs and self._unreadable:
            raise SourceUnavailable(
                f"{self._place.label}: {len(self._unreadable)} folders in it cannot be read, "
                f"first {self._unreadable[0]}. Allow reading them, or exclude them."
            )
        return refs

    def _check_identity(self, root: int) -> None:
        # An unmounted folder shows the empty one below it: the rest of the walk would list nothing.
        status = os.fstat(root)
        identity = (status.st_dev, status.st_ino)
        if self._identity not in {None, identity}:
            raise SourceUnavailable(f"{self._place.label} was replaced while it was listed. Sync again.")
        self._identity = identity

    def _read_folder(self, root: int, folder: _Folder) -> list[DocumentRef]:
        try:
            with opened_below(root, folder.path, FOLDER_FLAGS) as opened, os.scandir(opened) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
                rules = self._rules(opened, folder, found)
                refs = [self._visit(entry, folder, rules) for entry in found]
        except OSError as exc:
            if not (folder.path and exc.errno in GONE):
                self._unreadable.append(f"{uri_of(os.fsencode(folder.path))!r} ({exc.strerror})")
            return []
        return [ref for ref in refs if ref]

    def _rules(self, opened: int, folder: _Folder, found: Sequence[os.DirEntry[str]]) -> IgnoreRules:
        entry = next((entry for entry in found if entry.name == ".gitignore"), None)
        if entry is None or not self._place.gitignore or not entry.is_file(follow_symlinks=False):
            return folder.rules
        try:
            with opened_below(opened, ".gitignore", FILE_FLAGS) as file:
                text = os.read(file, _IGNORE_FILE_BYTES).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return folder.rules
        return folder.rules.below(folder.prefix, text)

    def _visit(self, entry: os.DirEntry[str], folder: _Folder, rules: IgnoreRules) -> DocumentRef | None:
        path = folder.prefix + entry.name
        selection = self._place.selection
        if entry.is_dir(follow_symlinks=False):
            if selection.enters(path, entry.name) and not rules.ignores(f"{path}/"):
                self._enter(_Folder(path, folder.depth + 1, rules))
            return None
        if not selection.takes(path, entry.name) or rules.ignores(path):
            return None
        status = self._status(entry, path)
        return self._place.ref(path, status) if status else None

    def _enter(self, folder: _Folder) -> None:
        if folder.depth > _DEPTH:
            log.warning("%s: folders more than %d deep are not read", self._place.label, _DEPTH)
        else:
            self._pending.append(folder)

    def _status(self, entry: os.DirEntry[str], path: str) -> os.stat_result | None:
        """Return the status of a regular file or of the one a link leads to, None for anything else."""
        try:
            if entry.is_symlink():
                target = self._place.link_target(path)
                status = os.lstat(f"{self._place.path}/{target}") if target else None
            else:
                status = entry.stat(follow_symlinks=False)
        except OSError as exc:
            if exc.errno in GONE:
                return None
            raise
        return status if status and stat.S_ISREG(status.st_mode) else None


class FolderConnector:
    """Reads the regular files below a folder."""

    def __init__(self, settings: FolderSource, *, max_bytes: int = MAX_BYTES) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._located: _Place | None = None

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document of the folder, walked in a thread."""
        walk = _Walk(self._place())
        while refs := await asyncio.to_thread(walk.step):
            for ref in refs:
                yield ref

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the file's bytes as they are now, at most as many as it had when it was opened."""
        return await asyncio.to_thread(self._fetch, ref)

    def _place(self) -> _Place:
        if self._located is None:
            self._located = _locate(self._settings)
        return self._located

    def _fetch(self, ref: DocumentRef) -> Content:
        place = self._place()
        name = f"{ref.uri!r} of source {place.source!r}"
        raw = path_of(ref.uri)
        path = os.fsdecode(raw) if raw and b"\0" not in raw else ""
        if not place.selection.allows(path):
            raise DocumentVanished(f"{name} is none of that source's documents.")
        with place.opened() as root:
            try:
                reading = self._read(place, root, path)
            except OSError as exc:
                raise _file_error(name, exc) from exc
        version = version_of(reading.status) if reading.steady else ""
        return Content(
            data=reading.data,
            updated=_moment(reading.status.st_mtime),
            url=self._written_link(reading.data) or place.url + link_path(os.fsencode(path)),
            version=None if version == ref.version else version,
        )

    def _written_link(self, data: bytes) -> str:
        """Return the web address that a page names as its own, where the settings believe it."""
        if not self._settings.links:
            return ""
        front = split_front_matter(data[:_FRONT_BYTES].decode("utf-8", "replace"))
        link = str(front.values.get("link") or "")
        return link if page_address(link) else ""

    def _read(self, place: _Place, root: int, path: str) -> Reading:
        try:
            with opened_below(root, path, FILE_FLAGS) as opened:
                return read_file(opened, self._max_bytes)
        except OSError as exc:
            if exc.errno != errno.ELOOP:
                raise
        target = place.link_target(path)
        if target is None:
            raise PermissionError(errno.EPERM, "it is a link that leads to none of the source's files")
        with opened_below(root, target, FILE_FLAGS) as opened:
            return read_file(opened, self._max_bytes)


def _file_error(name: str, exc: OSError) -> DocumentUnreadable:
    if exc.errno in GONE or exc.errno == errno.ENAMETOOLONG:
        return DocumentVanished(f"{name} is gone.")
    if exc.errno == errno.EFBIG:
        return DocumentUnreadable(f"{name} is too large: {exc.strerror}.", status="too-large")
    return DocumentUnreadable(f"{name} cannot be read: {exc.strerror}.")


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
