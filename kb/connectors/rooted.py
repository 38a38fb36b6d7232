"""Opening files below a root so that nothing leads out of it.

A path is opened from a descriptor of the root, one component at a time and never through a symbolic link, so
a link that is swapped in at any moment cannot lead elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

# File systems stamp changes with a clock that ticks every few milliseconds. Bytes read within the tick of
# their last change could change again under the same stamp.
_CLOCK_TICK_NS = 20_000_000
_READS = 3


class Reading(NamedTuple):
    """A file's bytes, the status they were read under, and whether that status held until the end."""

    data: bytes
    status: os.stat_result
    steady: bool


def kind_of(path: Path) -> Literal["folder", "file", ""]:
    """Say what is at a path, links followed: empty for nothing that can be seen."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return "folder" if stat.S_ISDIR(mode) else "file"


def version_of(status: os.stat_result) -> str:
    """Return a token that changes with the file's content, even when its modification time is set back."""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}-{status.st_ctime_ns:x}"


@contextmanager
def closing(opened: int) -> Iterator[int]:
    """Close a descriptor at the end."""
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def opened_below(root: int, path: str, flags: int) -> Iterator[int]:
    """Open a path below a root's descriptor; a link in any of its components raises OSError."""
    *folders, name = path.split("/")
    with closing(os.dup(root)) as held:
        for folder in folders:
            below = os.open(folder, FOLDER_FLAGS, dir_fd=held)
            os.dup2(below, held, inheritable=False)
            os.close(below)
        opened = os.open(name or ".", flags, dir_fd=held)
    with closing(opened):
        yield opened


def read_file(opened: int, max_bytes: int) -> Reading:
    """Read a regular file, at most as many bytes as it had when it was opened.

    Raises OSError when it is no regular file, and with EFBIG when it is larger than `max_bytes`.
    """
    before = os.fstat(opened)
    if not stat.S_ISREG(before.st_mode):
        raise PermissionError(errno.EPERM, "it is not a regular file")
    for _ in range(_READS):
        if before.st_size > max_bytes:
            raise OSError(errno.EFBIG, f"{before.st_size:,} bytes, the limit is {max_bytes:,}")
        _outwait_clock_tick(before)
        os.lseek(opened, 0, os.SEEK_SET)
        with os.fdopen(opened, "rb", closefd=False) as file:
            data = file.read(before.st_size)
        after = os.fstat(opened)
        if version_of(after) == version_of(before):
            return Reading(data, before, True)
        before = after
    return Reading(data, before, False)


def _outwait_clock_tick(status: os.stat_result) -> None:
    age = time.time_ns() - status.st_ctime_ns
    if 0 <= age < _CLOCK_TICK_NS:
        time.sleep((_CLOCK_TICK_NS - age) / 1e9)
