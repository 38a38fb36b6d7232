"""Which watched folders change: told soon after an edit, so that it is synced before its interval is over."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

log = logging.getLogger(__name__)

_QUIET_MS = 300
_LONGEST_MS = 1_000
_SHOWN_DOT_FOLDERS = frozenset({".github", ".gitlab"})
_MACHINE_FOLDERS = frozenset({"node_modules", "__pycache__"})
_PASSING = re.compile(r"~$|\.sw[a-z]$|^\.#|^\.~lock|^~\$|^4913$|^\.DS_Store$|^Thumbs\.db$")

Identity = tuple[int, int] | None


async def changes(
    folders: Mapping[str, Path], *, look_seconds: float = 2.0
) -> AsyncGenerator[set[str], None]:
    """Yield the names of folders that have changed, some each time, for ever.

    Edits come together when they follow each other within 0.3 s, for a second at most. Every `look_seconds`
    it is looked whether a folder has come, gone or been replaced, which are changes too. What tools write
    beside the documents, in hidden folders or for a moment, is none.
    """
    roots = await asyncio.to_thread(_roots, folders)
    known = await asyncio.to_thread(_identities, roots)
    replaced: set[str] = set()
    while True:
        there = sorted({roots[name] for name, identity in known.items() if identity})
        async with aclosing(_wakes(there, look_seconds)) as wakes:
            async for paths in wakes:
                # Those replaced before are told now that they are watched again: nothing is missed between.
                changed = replaced | _changed(roots, paths)
                now = await asyncio.to_thread(_identities, roots)
                replaced = {name for name in roots if now[name] != known[name]}
                if changed:
                    yield changed
                if replaced:
                    known = now
                    break


async def _wakes(paths: Sequence[str], look_seconds: float) -> AsyncGenerator[list[str], None]:
    """Yield the paths of files that changed, or none when it is time to look at the folders."""
    watched = awatch(
        *paths,
        watch_filter=None,
        debounce=_LONGEST_MS,
        step=_QUIET_MS,
        rust_timeout=max(1, int(look_seconds * 1000)),
        yield_on_timeout=True,
        recursive=True,
        ignore_permission_denied=True,
    )
    try:
        if paths:
            async with aclosing(watched):
                async for found in watched:
                    yield [path for _, path in found]
    except (OSError, RuntimeError) as exc:  # no room for more watches, or the kernel's queue ran over
        log.warning("folders cannot be watched, they are synced by their intervals alone: %s", exc)
    while True:
        await asyncio.sleep(look_seconds)
        yield []


def _roots(folders: Mapping[str, Path]) -> dict[str, str]:
    return {name: os.path.realpath(path.expanduser()) for name, path in folders.items()}


def _identities(roots: Mapping[str, str]) -> dict[str, Identity]:
    return {name: _identity(path) for name, path in roots.items()}


def _identity(path: str) -> Identity:
    try:
        status = os.stat(path)  # noqa: PTH116 - a path object adds nothing to a text
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _changed(roots: Mapping[str, str], paths: Sequence[str]) -> set[str]:
    return {name for name, root in roots.items() if any(_is_edit(root, path) for path in paths)}


def _is_edit(root: str, path: str) -> bool:
    """Say whether a path is one of the folder's, and one that may be a document."""
    prefix = root.rstrip("/") + "/"
    if not path.startswith(prefix):
        return False
    *folders, name = path[len(prefix) :].split("/")
    if any(folder in _MACHINE_FOLDERS for folder in folders) or _PASSING.search(name):
        return False
    return all(not folder.startswith(".") or folder in _SHOWN_DOT_FOLDERS for folder in folders)
