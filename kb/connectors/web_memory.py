"""What is remembered of a page from one run to the next."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from kb.connectors.base import Memory

_PAGE = "page "
_SCOPE = "scope"
_FORM = "1"  # of what is remembered; a change of how pages are read changes it
_WRITTEN_AT_ONCE = 200
_UNPACKED = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """A page as it was when it was read last, or why it was not.

    `to` is where its address redirects; nothing else is then set. Without a `version` it has never been
    read. `packed` holds its links. `document` says that it may be indexed.
    """

    version: str = ""
    etag: str = ""
    modified: str = ""
    document: bool = True
    canonical: str = ""
    packed: str = ""
    to: str = ""

    @property
    def links(self) -> list[str]:
        """The addresses that the page links to."""
        if not self.packed:
            return []
        raw = zlib.decompressobj().decompress(base64.b64decode(self.packed), _UNPACKED)
        return raw.decode("ascii").split("\n")

    @property
    def validators(self) -> dict[str, str]:
        """The headers of a conditional request."""
        headers = {"if-none-match": self.etag, "if-modified-since": self.modified}
        return {name: value for name, value in headers.items() if value}


def pack_links(links: list[str]) -> str:
    """Return addresses as a short text: pages share most of theirs, so they take little."""
    return base64.b64encode(zlib.compress("\n".join(links).encode("ascii"))).decode("ascii") if links else ""


class PageMemory:
    """The pages of a source, by address: as the last run left them, and as this one finds them.

    What a run finds is written as it goes: each entry is true of its page by itself.
    """

    def __init__(self, memory: Memory, entries: Mapping[str, str], scope: str) -> None:
        self._memory = memory
        self._scope = f"{_FORM} {scope}"
        self._pages = {key.removeprefix(_PAGE) for key in entries if key.startswith(_PAGE)}
        self._is_same = entries.get(_SCOPE) == self._scope
        self.known = (
            {address: entry for address in self._pages if (entry := _read(entries[_PAGE + address]))}
            if self._is_same
            else {}
        )
        self._living: set[str] = set()
        self._unwritten: dict[str, str] = {}

    @classmethod
    async def recall(cls, memory: Memory, scope: str) -> PageMemory:
        """Return what is remembered; `scope` tells settings under which a page's entry would be another."""
        return cls(memory, await memory.recall(), scope)

    def target_of(self, address: str) -> tuple[str, PageEntry | None]:
        """Return where an address led when it was asked last, and what is known of the page there."""
        known = self.known.get(address)
        if known is None or not known.to:
            return address, known
        return known.to, self.known.get(known.to)

    async def put(self, address: str, entry: PageEntry) -> None:
        """Remember a page."""
        self._living.add(address)
        if self.known.get(address) == entry:
            return
        self._unwritten[_PAGE + address] = _written(entry)
        if len(self._unwritten) >= _WRITTEN_AT_ONCE:
            await self.flush()

    async def flush(self) -> None:
        """Write what was put."""
        if not self._is_same:
            # Nothing of another scope may be taken for what is of this one.
            gone = [_PAGE + address for address in self._pages]
            await self._memory.keep({_SCOPE: self._scope}, drop=gone)
            self._pages, self._is_same = set(), True
        entries, self._unwritten = self._unwritten, {}
        if entries:
            await self._memory.keep(entries)

    async def end(self) -> None:
        """Write the rest at the end of a whole listing, and drop the pages that it did not find."""
        await self.flush()
        gone = [_PAGE + address for address in self._pages - self._living]
        if gone:
            await self._memory.keep({}, drop=gone)


_KEYS = {
    "version": "v",
    "etag": "e",
    "modified": "m",
    "document": "d",
    "canonical": "c",
    "packed": "l",
    "to": "t",
}
_DEFAULTS = PageEntry()


def _written(entry: PageEntry) -> str:
    values = {short: getattr(entry, name) for name, short in _KEYS.items()}
    defaults = {short: getattr(_DEFAULTS, name) for name, short in _KEYS.items()}
    return json.dumps({key: value for key, value in values.items() if value != defaults[key]})


def _read(value: str) -> PageEntry | None:
    """Return the entry, None for what an earlier release wrote in another form."""
    try:
        found = json.loads(value)
        return PageEntry(**{name: found[short] for name, short in _KEYS.items() if short in found})
    except (ValueError, TypeError):
        return None
