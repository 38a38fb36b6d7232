"""Makes what was written to a folder survive a power cut: LanceDB itself calls no fsync."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def flush_folder(folder: Path) -> None:
    """Write everything of the folder's file system to disk (blocking); raise OSError if that fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _syncfs(descriptor):
            _fsync_tree(folder)
    finally:
        os.close(descriptor)


def _syncfs(descriptor: int) -> bool:
    """Call Linux' syncfs; return False where there is none."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return False
    if call(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return True


def _fsync_tree(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for path in [Path(place), *(Path(place) / name for name in names)]:
            _fsync(path)


def _fsync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # cleaned up meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def folder_bytes(folder: Path) -> int:
    """Return how many bytes the files of a folder hold (blocking)."""
    return sum(_size(Path(place) / name) for place, _, names in os.walk(folder) for name in names)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # cleaned up meanwhile
