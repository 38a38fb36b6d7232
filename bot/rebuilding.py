"""A rebuild of the index that does not come to its end leaves a mark, so that the next sync trusts nothing.

During a rebuild the manifest describes the new index, which nobody reads yet. If the old one stays in
use, every document is read again: it may have changed while the rebuild ran.
"""

from __future__ import annotations

from pathlib import Path

from kb.manifest import Manifest

_MARK = "rebuilding"


def begin(data: Path) -> None:
    """Leave the mark; call before the first document is stored."""
    data.mkdir(parents=True, exist_ok=True)
    (data / _MARK).touch()


def finish(data: Path) -> None:
    """Remove the mark; call when the new index has taken the old one's place."""
    (data / _MARK).unlink(missing_ok=True)


async def recover(data: Path, manifest: Manifest) -> bool:
    """Doubt every document if a rebuild was left unfinished; tell whether one was."""
    if not (data / _MARK).exists():
        return False
    for source in await manifest.states():
        await manifest.doubt(source, set(await manifest.known(source)))
    finish(data)
    return True
