"""Mends a table's folder after a power cut, before LanceDB reads it.

LanceDB calls no fsync: a power cut can leave manifests, data files and index files of the last commits
with no bytes or fewer than were written, or not at all. Whatever was flushed before is whole. So the
newest version whose files are all whole is the one to open; newer ones are moved aside, never deleted.
"""

from __future__ import annotations

import time
from pathlib import Path

from kb.store_manifest import MAGIC, ListedFile, read_manifest

_ENDINGS = {".lance": MAGIC, ".idx": MAGIC, ".arrow": b"ARROW1"}


def repair_table(folder: Path) -> list[str]:
    """Move aside the newest versions that are damaged; return a line for each.

    Older manifests that are cut short go too: LanceDB's clean-up would stop at them. When no version is
    whole nothing is moved: LanceDB is the judge then.
    """
    damaged: list[tuple[Path, str]] = []
    whole = False
    for manifest in _newest_first(folder):
        fault = _fault(folder, manifest, with_files=not whole)
        if fault:
            damaged.append((manifest, fault))
        whole = whole or not fault
    return [_set_aside(folder, path, fault) for path, fault in damaged] if whole else []


def broken_indexes(folder: Path) -> list[str]:
    """Return the names of the newest version's indexes that have files cut short or missing."""
    newest = next(iter(_newest_first(folder)), None)
    if newest is None:
        return []
    indexes = read_manifest(newest.read_bytes()).indexes
    return sorted({name for name, files in indexes if not all(_is_whole(folder, file) for file in files)})


def quarantine(folder: Path) -> str:
    """Move a table's folder aside, so that a new one can take its place; return a line about it."""
    aside = folder.with_name(f"damaged-{folder.stem}-{time.time_ns()}")
    folder.rename(aside)
    return (
        f"table {folder.stem!r} could not be opened and was moved to {str(aside)!r}; a sync builds it again"
    )


def _newest_first(folder: Path) -> list[Path]:
    return sorted((folder / "_versions").glob("*.manifest"), key=manifest_version, reverse=True)


def manifest_version(manifest: Path) -> int:
    """Return a manifest's version: its name counts down from 2**64 - 1, so that listings start new."""
    number = int(manifest.stem) if manifest.stem.isdigit() else 0
    return 2**64 - 1 - number if len(manifest.stem) == 20 else number


def _fault(folder: Path, manifest: Path, *, with_files: bool) -> str:
    """Say what is wrong with a version's manifest and, if asked for, its files; or return nothing."""
    try:
        files = read_manifest(manifest.read_bytes()).files
    except FileNotFoundError:
        return ""  # another process cleaned it up: there are newer ones
    except ValueError as exc:
        return f"its manifest is cut short: {exc}"
    broken = next((file for file in files if with_files and not _is_whole(folder, file)), None)
    return f"{str(broken.path)!r} is missing or cut short" if broken else ""


def _is_whole(folder: Path, listed: ListedFile) -> bool:
    """Tell whether a file is there, in full length and to its end: after a power cut it may be zeros."""
    path = folder / listed.path
    ending = _ENDINGS.get(path.suffix, b"")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - len(ending)))
            return size > 0 and listed.size in {None, 0, size} and file.read(len(ending)) == ending
    except FileNotFoundError:
        return False


def _set_aside(folder: Path, manifest: Path, fault: str) -> str:
    damaged = folder.with_name(f"damaged-{folder.stem}")
    damaged.mkdir(exist_ok=True)
    manifest.rename(damaged / f"{manifest.name}-{time.time_ns()}")
    (folder / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)
    version = manifest_version(manifest)
    return f"version {version} of table {folder.stem!r} was damaged and is dropped: {fault}"
