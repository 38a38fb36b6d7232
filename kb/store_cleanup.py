"""Which old versions of a table stay, and the removal of the others: disk stays near what is live.

LanceDB can only remove all versions older than some age. A run is rolled back to the version before it,
and the versions between, copies of the whole table made by compaction among them, serve nobody after a
few seconds. So versions are chosen here one by one. What goes is a version's manifest first and, after a
flush, the files that no other version names: a power cut may find neither half.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kb.store_manifest import read_manifest
from kb.store_repair import manifest_version

# A question reads for milliseconds and looks for newer versions each second; a process may be slow.
GRACE = timedelta(minutes=10)
LEAST = timedelta(seconds=30)
MOST_VERSIONS = 250
MOST_DISK = 2.8  # times the live data; the rest of 3 is for what is written until the next look
BEFORE_COPYING = 1.8  # the same before a compaction, which writes all live data once more
LEAST_ALIVE = 0.75  # a version of which a smaller share is live is compacted

_FILE_BYTES = 4_000  # what each data file takes beside its rows
_PINS = "reading"
_PIN_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version on disk: when it was written (seconds since the epoch) and the files it stands on.

    `alive` is the share of the rows in its data files that are not deleted.
    """

    number: int
    written: float
    files: frozenset[Path]
    alive: float = 1.0

    def live(self, sizes: Mapping[Path, int]) -> int:
        """Return the bytes that the version would take in one piece and without its deleted rows."""
        data = [sizes[file] for file in self.files if file.parts[0] == "data"]
        rest = sum(sizes[file] for file in self.files) - sum(data)
        return rest + max(round(sum(data) * self.alive) - _FILE_BYTES * (len(data) - 1), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a clean-up removed, and what is left: the bytes of all versions, and of what is live."""

    versions: int = 0
    freed: int = 0
    disk: int = 0
    live: int = 0

    @property
    def over(self) -> bool:
        """Whether too much is left, because it is too young to go."""
        return self.disk > MOST_DISK * self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What must stay. `marked` are the versions that runs name; None means that every one may be wanted."""

    now: float
    keep: timedelta
    share: float = MOST_DISK
    marked: Collection[int] | None = None
    pinned: Collection[int] = ()


def superfluous(versions: Sequence[Version], sizes: Mapping[Path, int], rules: Rules) -> list[Version]:
    """Choose the versions to remove, of all in order of their numbers; the newest always stays.

    First go those that nobody can want; then, while more than the share is on disk, those between runs,
    and then the oldest. The two newest marked versions are the last run's: they stay ten minutes. With a
    `keep` that is shorter than that, nothing stays longer.
    """
    grace, least = min(GRACE, rules.keep), min(LEAST, rules.keep)
    heap = _Heap(versions, sizes)
    marked = {version.number for version in versions} if rules.marked is None else {*rules.marked}
    last = sorted(marked & {version.number for version in versions[:-1]})[-2:]
    free = [version for version in versions[:-1] if version.number not in rules.pinned]
    age = {version.number: rules.now - version.written for version in free}
    for version in free:
        kept_for = rules.keep if version.number in marked else grace
        if age[version.number] > kept_for.total_seconds():
            heap.drop(version)
    for wanted in (False, True):
        for version in free:
            safe = age[version.number] > (grace if version.number in last else least).total_seconds()
            if (version.number in marked) is wanted and safe and heap.exceeds(rules.share):
                heap.drop(version)
    return heap.dropped


class _Heap:
    """The bytes that the remaining versions hold together."""

    def __init__(self, versions: Sequence[Version], sizes: Mapping[Path, int]) -> None:
        self.dropped: list[Version] = []
        self._sizes = sizes
        self._named = Counter(file for version in versions for file in version.files)
        self._left = len(versions)
        self.live = versions[-1].live(sizes)
        self.bytes = sum(sizes[file] for file in self._named)

    def exceeds(self, share: float) -> bool:
        return self.bytes > share * self.live or self._left > MOST_VERSIONS

    def drop(self, version: Version) -> None:
        if version in self.dropped:
            return
        self.dropped.append(version)
        self._left -= 1
        for file in version.files:
            self._named[file] -= 1
            if not self._named[file]:
                self.bytes -= self._sizes[file]


class Cleaner:
    """Cleans one table's folder on a local disk; it remembers what each manifest said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[frozenset[Path], float]] = {}

    def choose(self, rules: Rules) -> tuple[list[Version], Cleaned]:
        """Look at the disk and choose what goes (blocking)."""
        versions = self._versions()
        if not versions:
            return [], Cleaned()
        files = {file for version in versions for file in version.files}
        sizes = {file: _size(self._folder / file) for file in files}
        gone = superfluous(versions, sizes, rules)
        left = [version for version in versions if version not in gone]
        disk = sum(sizes[file] for file in {file for version in left for file in version.files})
        live = versions[-1].live(sizes)
        return gone, Cleaned(versions=len(gone), freed=sum(sizes.values()) - disk, disk=disk, live=live)

    def is_wasteful(self) -> bool:
        """Tell whether so little of the newest version is live that it should be compacted (blocking)."""
        newest = max(self._manifests(), key=manifest_version, default=None)
        version = None if newest is None else self._version(newest)
        if version is None:
            return False
        sizes = {file: _size(self._folder / file) for file in version.files}
        return version.live(sizes) < LEAST_ALIVE * sum(sizes.values())

    async def clean(self, rules: Rules, *, flush: Callable[[], Awaitable[None]]) -> Cleaned:
        """Remove what the rules let go and return what that was.

        `flush` makes what was done so far survive a power cut; it comes between manifests and files.
        """
        gone, cleaned = await asyncio.to_thread(self.choose, rules)
        if gone:
            await asyncio.to_thread(self.forget, gone)
            await flush()
            await asyncio.to_thread(self.sweep, gone)
        return cleaned

    def forget(self, gone: Iterable[Version]) -> None:
        """Remove the manifests of versions (blocking): nobody can open them any more."""
        numbers = {version.number for version in gone}
        for path in list(self._read):
            if manifest_version(path) in numbers:
                path.unlink(missing_ok=True)

    def sweep(self, gone: Iterable[Version]) -> None:
        """Remove the files of versions that no version on disk names (blocking)."""
        left = {file for version in self._versions() for file in version.files}
        for file in {file for version in gone for file in version.files} - left:
            (self._folder / file).unlink(missing_ok=True)
            if file.parent.parent.name == "_indices":
                with suppress(OSError):  # not empty yet, or gone
                    (self._folder / file).parent.rmdir()

    def _versions(self) -> list[Version]:
        """Return all versions on disk in order; raise ValueError when one cannot be read."""
        paths = self._manifests()
        self._read = {path: known for path, known in self._read.items() if path in paths}
        versions = [version for path in paths if (version := self._version(path)) is not None]
        return sorted(versions, key=lambda version: version.number)

    def _manifests(self) -> set[Path]:
        return set((self._folder / "_versions").glob("*.manifest"))

    def _version(self, path: Path) -> Version | None:
        """Return a version by its manifest; None when another process has just removed it."""
        try:
            files, alive = self._read[path] = self._read.get(path) or _contents(self._folder, path)
            written = path.stat().st_mtime
        except FileNotFoundError:
            return None
        return Version(number=manifest_version(path), written=written, files=files, alive=alive)


@contextmanager
def pinned(store: Path, table: str, version: int) -> Iterator[None]:
    """Keep a version from being removed, by any process, while the block reads it."""
    pin = store / _PINS / f"{table}@{version}@{uuid.uuid4().hex}"
    pin.parent.mkdir(exist_ok=True)
    pin.touch()
    try:
        yield
    finally:
        pin.unlink(missing_ok=True)


def pins(store: Path, table: str, now: float) -> set[int]:
    """Return the versions of a table that are being read; a pin that a dead process left wears off."""
    found = set()
    for pin in (store / _PINS).glob(f"{table}@*@*"):
        with suppress(FileNotFoundError):
            if now - pin.stat().st_mtime > _PIN_SECONDS:
                pin.unlink(missing_ok=True)
            else:
                found.add(int(pin.name.split("@")[1]))
    return found


def rules_for(
    store: Path, table: str, *, keep: timedelta, share: float, marked: Collection[int] | None
) -> Rules:
    """Return the rules as they are now (blocking)."""
    now = time.time()
    return Rules(now=now, keep=keep, share=share, marked=marked, pinned=pins(store, table, now))


def _contents(folder: Path, path: Path) -> tuple[frozenset[Path], float]:
    """Return the files that a version stands on, its manifest among them, and which share is alive."""
    manifest = read_manifest(path.read_bytes())
    listed = [*manifest.files, *(file for _, files in manifest.indexes for file in files)]
    told = () if manifest.transaction is None else (manifest.transaction,)
    alive = 1 - manifest.deleted / manifest.rows if manifest.rows else 1.0
    return frozenset([*(file.path for file in listed), *told, path.relative_to(folder)]), alive


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
