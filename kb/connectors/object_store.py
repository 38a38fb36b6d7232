"""The objects below a prefix of an object store: S3, Google Cloud Storage, Azure and others of fsspec."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator

from kb.connectors.base import Resources
from kb.connectors.object_store_opening import open_store
from kb.connectors.object_store_reading import Entry, ObjectStore
from kb.connectors.selection import Selection
from kb.connectors.uris import link_path, path_of, uri_of
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceUnavailable
from kb.sources import ObjectStoreSource

log = logging.getLogger(__name__)

_LONGEST_KEY = 1024  # of S3, Google Cloud Storage and Azure alike
_READS = 3


class ObjectStoreConnector:
    """Reads the objects below a prefix, chosen as the files of a folder are."""

    def __init__(self, settings: ObjectStoreSource, resources: Resources) -> None:
        self._settings = settings
        self._resources = resources
        self._opening = asyncio.Lock()
        self._opened: tuple[ObjectStore, Selection] | None = None

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every object; keys that are no path, such as `a//b`, are left out and logged."""
        store, selection = await self._store()
        left_out = 0
        async for page in store.pages():
            for entry in page:
                if not all(entry.path.split("/")):
                    left_out += 1
                elif selection.allows(entry.path):
                    yield self._ref(entry)
        if left_out:
            log.warning("%s: %d keys with empty parts are not read", store.place.label, left_out)

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the object's bytes as they are now."""
        store, selection = await self._store()
        name = f"{ref.uri!r} of source {self._settings.name!r}"
        path = _path(ref.uri)
        if not path or not selection.allows(path):
            raise DocumentVanished(f"{name} is none of that source's documents.")
        try:
            return await self._read(store, name, path, ref)
        except FileNotFoundError as exc:
            await store.check()
            raise DocumentVanished(f"{name} is gone.") from exc
        except PermissionError as exc:
            await store.check()
            raise DocumentUnreadable(f"{name} cannot be read: {store.place.reason(exc)}.") from exc

    async def _store(self) -> tuple[ObjectStore, Selection]:
        async with self._opening:
            if self._opened is None:
                selection = Selection(self._settings)
                self._opened = ObjectStore(*await open_store(self._settings, self._resources)), selection
            return self._opened

    def _ref(self, entry: Entry) -> DocumentRef:
        return DocumentRef(
            source=self._settings.name,
            uri=uri_of(os.fsencode(entry.path)),
            version=entry.version,
            size=entry.size,
            url=_link(self._settings, entry.path),
        )

    async def _read(self, store: ObjectStore, name: str, path: str, ref: DocumentRef) -> Content:
        """Read an object until the store says the same of it before and after, three times at most."""
        version, size = ref.version, ref.size
        if not version or size is None:
            before = await store.info(path)
            version, size = before.version, before.size
        for _ in range(_READS):
            self._check_size(name, size)
            data, after = await self._attempt(store, path, version, size)
            if data is not None and version and after.version == version:
                return self._content(data, after, None if version == ref.version else version)
            version, size = after.version, after.size
        self._check_size(name, size)
        return self._content(await store.read(path, size), after, "")

    async def _attempt(
        self, store: ObjectStore, path: str, version: str, size: int
    ) -> tuple[bytes | None, Entry]:
        """Return the bytes and what the object is after reading them; no bytes when it was replaced."""
        try:
            data = await store.read(path, size)
        except SourceUnavailable:
            # A store refuses to give the beginning of an object that has become empty.
            after = await store.info(path)
            if after.version == version:
                raise
            return None, after
        return data, await store.info(path)

    def _check_size(self, name: str, size: int) -> None:
        limit = self._resources.max_bytes
        if size > limit:
            raise DocumentUnreadable(
                f"{name} is too large: {size:,} bytes, the limit is {limit:,}.", status="too-large"
            )

    def _content(self, data: bytes, entry: Entry, version: str | None) -> Content:
        return Content(
            data=data,
            media_type=entry.media_type,
            updated=entry.changed,
            url=_link(self._settings, entry.path),
            version=version,
        )


def _path(uri: str) -> str | None:
    raw = path_of(uri)
    if not raw or len(raw) > _LONGEST_KEY or b"\0" in raw:
        return None
    return os.fsdecode(raw)


def _link(settings: ObjectStoreSource, path: str) -> str | None:
    """Return the address at which the store's owner shows an object to a person who may see it."""
    protocol, _, rest = settings.location.partition("://")
    bucket, _, prefix = rest.strip("/").partition("/")
    key = link_path(os.fsencode("/".join(part for part in (prefix.strip("/"), path) if part)))
    endpoint = settings.options.get("endpoint_url")
    if isinstance(endpoint, str) and endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}/{key}"
    if protocol.lower() in {"s3", "s3a"}:
        return f"https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={key}"
    if protocol.lower() in {"gs", "gcs"}:
        return f"https://storage.cloud.google.com/{bucket}/{key}"
    account = settings.options.get("account_name")
    if protocol.lower() == "az" and account:
        return f"https://{account}.blob.core.windows.net/{bucket}/{key}"
    return None
