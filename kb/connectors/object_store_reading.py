"""Asking an object store: what lies below a prefix, what one object is now, and its bytes.

File systems of fsspec that are asynchronous run on fsspec's own loop, which closes their connections too;
others, which are not safe in threads, run in one thread at a time.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kb.connectors.object_store_opening import Place
from kb.errors import SourceInvalid, SourceUnavailable

_CALL_SECONDS = 300.0
_FOLDERS_AT_A_TIME = 8
# The first that a store gives is the version: tokens of the content before those of the moment.
_TOKENS = ("md5Hash", "generation", "ETag", "etag")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
_TYPES = ("ContentType", "contentType", "content_type")
_UNTOLD = frozenset({"application/octet-stream", "binary/octet-stream"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object: its path below the root, and what the store says of it."""

    path: str
    size: int
    version: str
    changed: datetime | None
    media_type: str = ""


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def entry_of(path: str, info: Mapping[str, Any]) -> Entry:
    """Return what a store's answer says of an object; no version where it tells neither token nor time."""
    size = int(info.get("size") or 0)
    changed = next((moment for key in _TIMES if (moment := _moment(info.get(key)))), None)
    token = next((str(info[key]).strip('"') for key in _TOKENS if info.get(key)), "")
    if not token and changed is not None:
        token = f"{changed.timestamp():.6f}"
    told = next((str(info[key]) for key in _TYPES if info.get(key)), "")
    return Entry(
        path=path,
        size=size,
        version=f"{token}-{size:x}" if token else "",
        changed=changed,
        media_type="" if told in _UNTOLD else told,
    )


class ObjectStore:
    """An opened store. Its methods raise SourceUnavailable when it cannot be read."""

    def __init__(self, place: Place, file_system: Any) -> None:  # noqa: ANN401 - fsspec has no types
        self.place = place
        self._file_system = file_system
        self._one_thread = asyncio.Lock()
        weakref.finalize(self, _close, file_system).atexit = False

    async def pages(self) -> AsyncIterator[list[Entry]]:
        """Yield all objects below the root, some at a time."""
        found = False
        pages = self._flat_pages() if self.place.protocol in {"s3", "s3a"} else self._walked_pages()
        try:
            async for page in pages:
                found = found or bool(page)
                yield page
        except FileNotFoundError as exc:
            raise self.place.missing() from exc
        except PermissionError as exc:
            raise self.place.denied(exc) from exc
        if not found and self.place.root != self.place.bucket:
            await self._refuse_object()

    async def check(self) -> None:
        """Raise SourceUnavailable unless the store can be listed."""
        async for _ in self.pages():
            break

    async def info(self, path: str) -> Entry:
        """Return what one object is now; raise FileNotFoundError or PermissionError."""
        info = await self._asked("info", self._full(path))
        if info.get("type") == "directory":
            raise FileNotFoundError(path)
        return entry_of(path, info)

    async def read(self, path: str, size: int) -> bytes:
        """Return the first `size` bytes of an object; raise FileNotFoundError or PermissionError."""
        if not size:
            return b""
        return bytes(await self._asked("cat_file", self._full(path), start=0, end=size))

    def _full(self, path: str) -> str:
        return f"{self.place.root}/{path}"

    async def _refuse_object(self) -> None:
        """Raise SourceInvalid when the location is no prefix but an object."""
        try:
            info = await self._asked("info", self.place.root)
        except (FileNotFoundError, PermissionError):
            return
        if info.get("type") == "file":
            raise SourceInvalid(f"{self.place.label} is one object. Give the prefix that it lies below.")

    async def _flat_pages(self) -> AsyncIterator[list[Entry]]:
        """List everything below the prefix in one row, a thousand keys a request, whatever their depth."""
        prefix = self.place.root[len(self.place.bucket) + 1 :]
        request = {"Bucket": self.place.bucket, "Prefix": f"{prefix}/" if prefix else ""}
        request |= self._file_system.req_kw
        while True:
            page = await self._asked("call_s3", "list_objects_v2", **request)
            keys = [{**each, "size": each["Size"]} for each in page.get("Contents", ())]
            yield [
                entry_of(each["Key"][len(request["Prefix"]) :], each)
                for each in keys
                if not each["Key"].endswith("/")
            ]
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    async def _walked_pages(self) -> AsyncIterator[list[Entry]]:
        """List folder by folder, some at a time."""
        pending = [self.place.root]
        while pending:
            folders, pending = pending[-_FOLDERS_AT_A_TIME:], pending[:-_FOLDERS_AT_A_TIME]
            listings = await asyncio.gather(*(self._folder(each) for each in folders))
            for folder, infos in zip(folders, listings, strict=True):
                inside = [info for info in infos if str(info["name"]).startswith(f"{folder}/")]
                below = {_name(info) for info in inside if info["type"] == "directory"}
                pending += below - {folder}
                yield self._entries(inside)

    def _entries(self, infos: list[dict[str, Any]]) -> list[Entry]:
        files = (info for info in infos if info["type"] == "file" and not info["name"].endswith("/"))
        return [entry_of(info["name"][len(self.place.root) + 1 :], info) for info in files]

    async def _folder(self, path: str) -> list[dict[str, Any]]:
        """Return what lies in a folder; nothing where it has gone, unless its bucket has."""
        try:
            return list(await self._asked("ls", path, detail=True))
        except FileNotFoundError:
            if path == self.place.root:
                await self._asked("info", self.place.bucket)
            return []

    async def _asked(self, method: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401
        """Call a method of the file system.

        What it raises besides FileNotFoundError and PermissionError becomes SourceUnavailable: each library
        below has errors of its own, and each means that the store does not answer as it should.
        """
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await self._called(method, arguments, named)
        except (FileNotFoundError, PermissionError):
            raise
        except TimeoutError as exc:
            raise SourceUnavailable(
                f"{self.place.label} does not answer in time. Check that it can be reached."
            ) from exc
        except Exception as exc:
            raise self.place.broken(exc) from exc

    async def _called(self, method: str, arguments: tuple[object, ...], named: dict[str, object]) -> Any:  # noqa: ANN401
        file_system = self._file_system
        if file_system.async_impl:
            call = getattr(file_system, f"_{method}")(*arguments, **named)
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, file_system.loop))
        async with self._one_thread:
            return await asyncio.to_thread(getattr(file_system, method), *arguments, **named)


def _name(info: Mapping[str, Any]) -> str:
    return str(info["name"]).rstrip("/")


def _close(file_system: Any) -> None:  # noqa: ANN401 - fsspec has no types
    """Close a file system's connections on the loop that they belong to.

    s3fs would do so on whichever loop is running when the garbage is collected; other file systems of
    fsspec see to it themselves.
    """

    async def close() -> None:
        file_system.close_session(file_system.loop, file_system._s3)

    if getattr(file_system, "_s3", None) is not None and file_system.loop.is_running():
        asyncio.run_coroutine_threadsafe(close(), file_system.loop)
