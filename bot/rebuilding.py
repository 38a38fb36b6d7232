"""A rebuild of the index: nothing else syncs meanwhile, and one that is not finished leaves a mark.

During a rebuild the manifest describes the new index, which nobody reads yet. If the old one stays in
use, every document is read again: it may have changed while the rebuild ran.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kb.errors import SyncRefused
from kb.leases import Leases
from kb.manifest import Manifest

# No source can have this name.
_LEASE = "(rebuild)"
_MARK = "rebuilding"
_BUILT = "rebuilt"


@asynccontextmanager
async def rebuilding(data: Path, manifest: Manifest) -> AsyncIterator[None]:
    """Keep other syncs away and leave the mark, before the first document is stored.

    Raise `SyncRefused` when another process is rebuilding.
    """
    async with Leases(manifest.engine).hold(_LEASE):
        _mark(data)
        yield


def _mark(data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True)
    (data / _MARK).touch()


def finish(data: Path) -> None:
    """Remove the mark; call when the new index has taken the old one's place."""
    (data / _BUILT).write_text(uuid.uuid4().hex)
    (data / _MARK).unlink(missing_ok=True)


def built(data: Path) -> str:
    """Return a text that is another one after every rebuild."""
    try:
        return (data / _BUILT).read_text()
    except FileNotFoundError:
        return ""


async def recover(data: Path, manifest: Manifest) -> bool:
    """Doubt every document if a rebuild was left unfinished; tell whether one was.

    Raise `SyncRefused` while a rebuild goes on.
    """
    if _LEASE in await Leases(manifest.engine).held():
        raise SyncRefused("The index is being built anew by another process. Wait until that is done.")
    if not (data / _MARK).exists():
        return False
    for source in await manifest.states():
        await manifest.doubt(source, set(await manifest.known(source)))
    (data / _MARK).unlink(missing_ok=True)
    return True
