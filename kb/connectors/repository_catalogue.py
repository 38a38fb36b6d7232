"""The numbered threads of a repository as they were last seen, brought up to date by what has changed since.

What changed is asked for by time of change. What was deleted or moved away is told by no such list, so all
is listed again when the counts part, once a day, and always where that takes one page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ValidationError

from kb.connectors.repository_api import PAGE
from kb.connectors.repository_threads import digest

# Hosts stamp changes to the second and write them to several machines.
_OVERLAP = timedelta(minutes=2)
_FULL_EVERY = 86_400.0
_FULL_ATTEMPTS = 2


class Item(NamedTuple):
    """A thread: of which kind (empty: not to be read), in which version, and a stamp of its comments."""

    kind: str
    version: str
    stamp: str = ""

    @property
    def token(self) -> str:
        """The version token of the whole thread."""
        return f"{self.version}+{self.stamp}" if self.stamp else self.version


class Kept(BaseModel):
    """What is remembered of the threads between runs.

    `cursor` is the host's time up to which changes are known, `full` ours of the last full listing (0 when
    the next one is to be full too).
    `excess` is by how much the items outnumber what the host counted then.
    """

    cursor: datetime
    full: float
    excess: int = 0
    items: dict[int, Item]

    @classmethod
    def read(cls, text: str) -> Kept | None:
        """Return what was kept, None when there is nothing or it cannot be understood."""
        try:
            return cls.model_validate_json(text) if text else None
        except ValidationError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How many threads there are, where the host tells it, and when the newest change was."""

    total: int | None
    newest: datetime | None


class Remark(NamedTuple):
    """A comment as a list of changes shows it."""

    number: int
    changed: datetime
    text: str


class Feed(Protocol):
    """Lists threads by number. All of it may raise `SourceUnavailable`."""

    async def probe(self) -> Probe:
        """Return count and newest change."""
        ...

    def everything(self) -> AsyncIterator[tuple[int, Item]]:
        """Yield every thread, oldest first."""
        ...

    def changed(self, since: datetime) -> AsyncIterator[tuple[int, Item]]:
        """Yield the threads that changed at this time or later, the newest change first."""
        ...

    def remarks(self, since: datetime) -> AsyncIterator[Remark]:
        """Yield the comments that changed at this time or later."""
        ...


async def bring_up_to_date(feed: Feed, kept: Kept | None, now: float) -> Kept | None:
    """Return the threads as they are now; None when there are none."""
    probe = await feed.probe()
    if probe.newest is None:
        return None
    fresh = await _follow(feed, kept, probe) if kept and 0 <= now - kept.full < _FULL_EVERY else None
    if fresh is None or _excess(fresh.items, probe) != fresh.excess:
        fresh = await _list_all(feed, kept, probe, now)
    return None if fresh is None else await _stamp(feed, fresh, kept)


async def _follow(feed: Feed, kept: Kept, probe: Probe) -> Kept:
    """Apply the changes since the cursor."""
    items = dict(kept.items)
    async for number, item in feed.changed(kept.cursor - _OVERLAP):
        items[number] = item._replace(stamp=items[number].stamp if number in items else "")
    return kept.model_copy(update={"cursor": max(kept.cursor, probe.newest or kept.cursor), "items": items})


async def _list_all(feed: Feed, kept: Kept | None, probe: Probe, now: float) -> Kept | None:
    """List everything, once more when something came or went meanwhile and pages shifted.

    The probe is of before the listing, and so is the cursor: what changes meanwhile is the next run's.
    """
    stamps = {number: item.stamp for number, item in kept.items.items()} if kept else {}
    for attempt in range(_FULL_ATTEMPTS):
        probe = await feed.probe() if attempt else probe
        if probe.newest is None:
            return None
        items = {
            number: item._replace(stamp=stamps.get(number, "")) async for number, item in feed.everything()
        }
        if not _excess(items, probe):
            break
    # What fits on one page is listed whole every time.
    full = 0.0 if probe.total is not None and probe.total <= PAGE else now
    return Kept(cursor=probe.newest, full=full, excess=_excess(items, probe), items=items)


def _excess(items: dict[int, Item], probe: Probe) -> int:
    return 0 if probe.total is None else len(items) - probe.total


async def _stamp(feed: Feed, fresh: Kept, kept: Kept | None) -> Kept:
    """Note the latest comments: an edited one need not change its thread's own time."""
    since = min(fresh.cursor, kept.cursor if kept else fresh.cursor) - _OVERLAP
    latest: dict[int, list[Remark]] = {}
    async for remark in feed.remarks(since):
        here = latest.setdefault(remark.number, [])
        if here and remark.changed > here[0].changed:
            here.clear()
        if not here or remark.changed == here[0].changed:
            here.append(remark)
    stamped = {
        number: fresh.items[number]._replace(stamp=_stamp_of(remarks))
        for number, remarks in latest.items()
        if number in fresh.items
    }
    return fresh.model_copy(update={"items": {**fresh.items, **stamped}}) if stamped else fresh


def _stamp_of(remarks: Iterable[Remark]) -> str:
    return digest(sorted((remark.changed.isoformat(), remark.text) for remark in remarks))[:10]


async def kept_text(kept: Kept | None) -> str:
    """Return what is to be remembered, as text."""
    return await asyncio.to_thread(kept.model_dump_json) if kept else ""
