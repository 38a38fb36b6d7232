"""A bare mirror of a repository in the data folder: one for each address, shared by its sources.

Only one process at a time changes a mirror; a file lock sees to it and outlives a killed process as long as
a git that it started still writes. Readers need no lock: git adds objects before it moves a ref to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.connectors.git_address import Address, is_repository
from kb.connectors.git_process import (
    BlobReader,
    ChangeTimes,
    Finished,
    MirrorDamaged,
    last_error,
    run_git,
    uses_proxy,
)
from kb.errors import SourceInvalid, SourceUnavailable
from kb.public_hosts import is_public, resolve

_LOCK_POLL = 0.05
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DAMAGE = re.compile(
    r"corrupt|bad (?:object|tree|config|ref|signature|revision)|missing (?:blob|tree|commit)|inflate|"
    r"did not send all necessary objects|unresolved delta|loose object|not a git repository: '/|"
    r"packfile .* cannot|index file|unable to (?:read|parse|resolve)|invalid (?:object|gitfile|sha1)|"
    r"unable to normalize object|non-commit object|could not parse|cannot lock ref|pack has",
    re.IGNORECASE,
)
# What git and its transports say, and what is wrong in the words of this program.
_COMPLAINTS = (
    (
        "could not read username|authentication failed|terminal prompts|permission denied|error: 40[13]",
        "needs a login. Give this user an ssh key for it, or put the credentials into ~/.netrc",
    ),
    ("host key verification", "is on a host whose ssh key is unknown. Connect to it with ssh once"),
    ("could not resolve host", "is on a host that cannot be found. Check the address and the network"),
    ("dubious ownership", "belongs to another user. Run as its owner, or make a clone that is yours"),
    (
        "redirect|error: 30[1278]",
        "is at another address now; redirects are not followed. Give the new address",
    ),
    (
        "not found|does not appear to be a git|not a git repository|does not exist",
        "is not there, or not for this user. Check the address",
    ),
    ("no space left|disk quota", "does not fit on the disk that holds the data folder. Make room"),
)


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file of a commit."""

    id: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A commit and its regular files by path."""

    commit: str
    branch: str
    blobs: dict[bytes, Blob]


@dataclass(frozen=True, slots=True)
class _Tip:
    """What the repository's ref pointed at when it was asked, and the git settings to reach it again."""

    ref: str
    id: str
    reach: tuple[str, ...]

    @property
    def branch(self) -> str:
        return self.ref.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("HEAD")

    @property
    def kept_as(self) -> str:
        # A fixed name a branch: `a` and `a/b` cannot both be refs, but both can be asked for in turn.
        return f"refs/lorekeeper/{hashlib.sha256(self.ref.encode()).hexdigest()[:16]}"


def _take(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Mirror:
    """The mirror of one repository."""

    def __init__(
        self, address: Address, *, label: str, data: Path, private_hosts: bool, seconds: float
    ) -> None:
        self._address = address
        self._label = label
        self._private_hosts = private_hosts
        self._seconds = seconds
        key = hashlib.sha256(address.url.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._folder = data.absolute() / "git"
        self._path = self._folder / f"{key}.git"
        self._lock = self._folder / f"{key}.lock"

    def blobs(self) -> BlobReader:
        """Return a reader of the mirror's blobs."""
        return BlobReader(self._path)

    def times(self, commit: str) -> ChangeTimes:
        """Return when the paths of a commit last changed."""
        return ChangeTimes(self._path, commit)

    @contextlib.asynccontextmanager
    async def _locked(self) -> AsyncIterator[int]:
        """Hold the mirror's lock; wait for it as long as the run's time limit lets."""
        held = self._open_lock()
        try:
            while not _take(held):  # noqa: ASYNC110 - its holder may be another process
                await asyncio.sleep(_LOCK_POLL)
            yield held
        finally:
            # Closing, not unlocking: a git process that got the descriptor keeps the lock until it ends.
            os.close(held)

    def _open_lock(self) -> int:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise SourceUnavailable(
                f"{self._label}: its mirror's lock {str(self._lock)!r} cannot be opened ({exc.strerror}). "
                f"Check the data folder."
            ) from exc

    async def snapshot(self, branch: str, folder: str, *, anew: bool = False) -> Snapshot:
        """Bring the mirror up to date and return the files of a branch or tag.

        A mirror that turns out to be damaged, or any mirror with `anew`, is dropped and made again, once.
        """
        try:
            async with asyncio.timeout(self._seconds):
                tip = await self._tip(branch)
                if anew:
                    return await self._make_again(tip, folder)
                try:
                    return await self._update(tip, folder)
                except MirrorDamaged:
                    return await self._make_again(tip, folder)
        except TimeoutError as exc:
            raise SourceUnavailable(
                f"{self._label} took longer than {self._seconds:g} s. Check the network, then sync again."
            ) from exc
        except MirrorDamaged as exc:
            raise SourceUnavailable(
                f"{self._label} cannot be read, even with a new mirror ({exc}). Check the repository."
            ) from exc

    async def _make_again(self, tip: _Tip, folder: str) -> Snapshot:
        async with self._locked():
            await asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True)
        return await self._update(tip, folder)

    async def _update(self, tip: _Tip, folder: str) -> Snapshot:
        async with self._locked() as held:
            await self._ensure(held)
            if await self._stored(tip.kept_as) != tip.id:
                await self._fetch(tip, held)
        commit = await self._stored(f"{tip.kept_as}^{{commit}}")
        if not commit:
            raise MirrorDamaged(f"{tip.kept_as} is no commit")
        listing = await self._git("ls-tree", "-r", "-l", "-z", "--full-tree", commit, *_below(folder))
        if listing.code:
            raise MirrorDamaged(last_error(listing.errors))
        blobs, found = await asyncio.to_thread(_parse_tree, listing.output)
        if folder and not found:
            raise SourceUnavailable(
                f"{self._label} has no folder {folder!r} in {tip.branch or 'HEAD'!r}. "
                f"Correct folder or branch."
            )
        return Snapshot(commit=commit, branch=tip.branch, blobs=blobs)

    async def _tip(self, branch: str) -> _Tip:
        """Ask the repository where the branch or tag points; an empty name means its default branch."""
        reach = await self._admit()
        wanted = [f"refs/heads/{branch}", f"refs/tags/{branch}"] if branch else ["HEAD"]
        asked = await run_git(
            "ls-remote",
            "--symref",
            "--",
            self._address.url,
            *wanted,
            protocol=self._address.protocol,
            settings=reach,
        )
        if asked.code:
            raise self._complaint(asked)
        lines = asked.output.decode("utf-8", "replace").splitlines()
        pairs = [line.split("\t", 1) for line in lines if "\t" in line]
        ids = {name: value for value, name in pairs if _OBJECT_ID.fullmatch(value)}
        heads = {name: value[5:] for value, name in pairs if value.startswith("ref: ")}
        for ref in wanted:
            if ref in ids:
                return _Tip(heads.get(ref, ref), ids[ref], reach)
        if branch:
            raise SourceUnavailable(f"{self._label} has no branch or tag {branch!r}. Correct branch.")
        raise SourceUnavailable(
            f"{self._label} has no commit on its default branch. Push one, or set another branch."
        )

    async def _admit(self) -> tuple[str, ...]:
        """Check where the address leads; return git settings that hold it there."""
        address = self._address
        if address.protocol == "file" and not is_repository(Path(address.path)):
            raise SourceUnavailable(
                f"{self._label} is not there, or is none. Mount or create it, or correct its location."
            )
        if self._private_hosts:
            return ()
        if address.is_private:
            raise SourceInvalid(self._private())
        if address.protocol != "https" or uses_proxy():
            return ()
        try:
            found = await resolve(address.host, address.port)
        except (OSError, UnicodeError) as exc:
            raise SourceUnavailable(
                f"{self._label} is on a host that cannot be found. Check the address and the network."
            ) from exc
        if not all(is_public(ip) for ip in found):
            raise SourceUnavailable(self._private())
        # The address that was checked is the one that is used: the name is not looked up again.
        texts = ",".join(f"[{ip}]" if ip.version == 6 else str(ip) for ip in found)
        return (f"http.curloptResolve={address.host}:{address.port}:{texts}",)

    def _private(self) -> str:
        return (
            f"{self._label} is on a host of this machine or of a private network. "
            f"Set private_hosts = true for this source if that is meant."
        )

    async def _ensure(self, held: int) -> None:
        """Make the mirror if there is none, and clear away what a killed git left in it."""
        if is_repository(self._path):
            await asyncio.to_thread(_clear_leftovers, self._path)
            return
        await asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True)
        made = await run_git("init", "--bare", "--quiet", "--template=", "--", str(self._path), hold=[held])
        if made.code:
            raise SourceUnavailable(
                f"{self._label}: its mirror {str(self._path)!r} cannot be made ({last_error(made.errors)}). "
                f"Check the data folder."
            )

    async def _stored(self, revision: str) -> str:
        found = await self._git("rev-parse", "--quiet", "--verify", revision)
        return found.output.decode("ascii", "replace").strip() if not found.code else ""

    async def _fetch(self, tip: _Tip, held: int) -> None:
        fetched = await self._git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--update-shallow",
            "--",
            self._address.url,
            f"+{tip.ref}:{tip.kept_as}",
            settings=tip.reach,
            hold=[held],
        )
        if fetched.code and _DAMAGE.search(re.sub(r"(?m)^remote:.*$", "", fetched.errors)):
            raise MirrorDamaged(last_error(fetched.errors))
        if fetched.code:
            raise self._complaint(fetched)

    async def _git(self, *arguments: str, settings: Sequence[str] = (), hold: Sequence[int] = ()) -> Finished:
        return await run_git(
            "--git-dir",
            str(self._path),
            *arguments,
            protocol=self._address.protocol,
            settings=settings,
            hold=hold,
        )

    def _complaint(self, finished: Finished) -> SourceUnavailable:
        for pattern, meaning in _COMPLAINTS:
            if re.search(pattern, finished.errors, re.IGNORECASE):
                return SourceUnavailable(f"{self._label} {meaning}.")
        return SourceUnavailable(
            f"{self._label} cannot be read ({last_error(finished.errors)}). Sync again later, or check it."
        )


def _below(folder: str) -> list[str]:
    return ["--", f"{folder}/"] if folder else []


def _parse_tree(output: bytes) -> tuple[dict[bytes, Blob], bool]:
    """Return the regular files of `ls-tree -r -l -z`, and whether it listed anything at all."""
    blobs = {}
    for line in output.split(b"\0"):
        entry, _, path = line.partition(b"\t")
        if not entry.startswith(b"100"):
            continue
        _, _, name, size = entry.split()
        if not size.isdigit():
            raise MirrorDamaged(f"{name.decode()} is missing")
        blobs[path] = Blob(name.decode(), int(size))
    return blobs, bool(output)


def _clear_leftovers(mirror: Path) -> None:
    """Remove lock files and half packs; the caller holds the mirror's lock, so nobody uses them."""
    for pattern in (
        "*.lock",
        "refs/**/*.lock",
        "objects/info/**/*.lock",
        "objects/pack/tmp_*",
        "objects/tmp_*",
    ):
        for left in mirror.glob(pattern):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
