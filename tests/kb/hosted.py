"""A host in a file, and connectors that read it as real ones do: by versions, without, by a cursor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from kb.documents import Content, DocumentRef
from kb.errors import DocumentVanished
from kb.memory import SourceMemory
from kb.sources import AnySource, FolderSource

Style = Literal["versions", "plain", "cursor"]


class FileHost(FolderSource):
    """A source whose documents are the entries of a JSON file: uri to text and time of the last change."""

    style: Style = "versions"


def write_host(file: Path, files: Mapping[str, str]) -> None:
    """Make the host hold exactly these documents; those that stay as they are keep their time."""
    held = _held(file)
    time = max((changed for _, changed in held.values()), default=0) + 1
    entries = {
        uri: held[uri] if uri in held and held[uri][0] == text else (text, time)
        for uri, text in files.items()
    }
    file.write_text(json.dumps(entries))


class HostConnector:
    """Reads such a host.

    In the style `cursor` it asks for what changed since its cursor, and keeps that with all refs in its
    memory before anything is fetched, as the connectors of issue trackers do.
    """

    def __init__(self, source: FileHost, memory: SourceMemory) -> None:
        self._source = source
        self._memory = memory
        self._file = Path(source.location)

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document."""
        held = _held(self._file)
        versions = await self._changed(held) if self._source.style == "cursor" else {}
        for uri, (text, _) in held.items():
            version = {"versions": _version(text), "plain": ""}.get(self._source.style, versions.get(uri, ""))
            yield DocumentRef(source=self._source.name, uri=uri, version=version)

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the document's text."""
        held = _held(self._file)
        if ref.uri not in held:
            raise DocumentVanished(f"{ref.uri!r} is gone.")
        return Content(data=held[ref.uri][0].encode())

    async def _changed(self, held: Mapping[str, tuple[str, int]]) -> dict[str, str]:
        known = await self._memory.recall()
        cursor = int(known.pop("cursor", "0"))
        fresh = {uri: _version(text) for uri, (text, changed) in held.items() if changed > cursor}
        gone = known.keys() - held.keys()
        latest = max((changed for _, changed in held.values()), default=0)
        await self._memory.keep({**fresh, "cursor": str(latest)}, drop=gone)
        return {**known, **fresh}


class Hosts:
    """Opens their connectors."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def __call__(self, settings: AnySource, *, max_bytes: int, dry: bool) -> HostConnector:
        """Return the connector of a host."""
        assert isinstance(settings, FileHost)
        return HostConnector(settings, SourceMemory(self._engine, settings.name))


def _held(file: Path) -> dict[str, tuple[str, int]]:
    if not file.exists():
        return {}
    return {uri: (text, changed) for uri, (text, changed) in json.loads(file.read_text()).items()}


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
