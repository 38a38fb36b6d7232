"""Running git so that neither a repository, its server nor this machine's settings can make it do more.

No prompts, hooks, helpers, submodules, redirects or large-file filters; one protocol; no settings but those
given here. What a user sets up for git reaches it in three ways only: ssh keys and `~/.ssh/config` (or
`GIT_SSH_COMMAND`), `~/.netrc` for https, and the proxy and certificate variables.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.errors import SourceUnavailable

# A child's environment is handed on, not read: none of these is a setting of this program.
# fmt: off
_INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "GIT_SSL_CAINFO", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
    "NO_PROXY",
)
# fmt: on
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_SSH_VARIANT": "ssh",
    "LC_ALL": "C",
}
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "gc.autoDetach=false",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "maintenance.autoDetach=false",
    "protocol.version=2",
    "transfer.bundleURI=false",
)
_NOT_INSTALLED = "git is not installed, so git sources cannot be read. Install git."
_ERRORS_KEPT = 16_384


@dataclass(frozen=True, slots=True)
class Finished:
    """What a git command ended with."""

    code: int
    output: bytes
    errors: str


def _environment(protocol: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    ssh = f"{inherited.pop('GIT_SSH_COMMAND', 'ssh')} -oBatchMode=yes -oConnectTimeout=30"
    return {**inherited, **_FIXED, "GIT_SSH_COMMAND": ssh, "GIT_ALLOW_PROTOCOL": protocol}


def uses_proxy() -> bool:
    """Say whether git reaches https hosts through a proxy, which then resolves their names."""
    return any(os.environ.get(name) for name in _PROXIES)


def _command(arguments: Sequence[str], settings: Sequence[str] = ()) -> list[str]:
    options = [part for setting in (*_SETTINGS, *settings) for part in ("-c", setting)]
    return ["git", *options, *arguments]


async def run_git(
    *arguments: str, protocol: str = "", settings: Sequence[str] = (), hold: Sequence[int] = ()
) -> Finished:
    """Run git to its end; a cancelled call kills it and everything it started.

    `protocol` is the one it may speak to another repository. The descriptors of `hold` stay open in git and
    its children, so that a lock on one of them lasts as long as any of these lives.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(arguments, settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(protocol),
            cwd="/",
            start_new_session=True,
            pass_fds=hold,
        )
    except FileNotFoundError as exc:
        raise SourceUnavailable(_NOT_INSTALLED) from exc
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Finished(process.returncode or 0, output, errors[-_ERRORS_KEPT:].decode("utf-8", "replace"))


class MirrorDamaged(Exception):
    """An object that the mirror should hold cannot be read from it."""


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


class _Child:
    """A git process that answers as long as its owner lives. Blocking: for use in threads."""

    def __init__(self, repository: Path, *arguments: str) -> None:
        command = _command(["--git-dir", os.fspath(repository), *arguments])
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(""),
                cwd="/",
                start_new_session=True,
            )
        except FileNotFoundError as exc:
            raise SourceUnavailable(_NOT_INSTALLED) from exc
        assert process.stdin is not None
        assert process.stdout is not None
        self.input, self.output = process.stdin, process.stdout
        self.stop = weakref.finalize(self, _stop, process)


class BlobReader:
    """Reads blobs of a mirror through one `git cat-file`. Blocking and thread-safe."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def read(self, blob: str) -> bytes:
        """Return a blob's bytes; raise MirrorDamaged when the mirror does not give them."""
        with self._lock:
            if self._child is None:
                self._child = _Child(self._repository, "cat-file", "--batch")
            try:
                return self._ask(self._child, blob)
            except (OSError, ValueError) as exc:
                self._child.stop()
                self._child = None
                raise MirrorDamaged(f"{blob}: {exc}") from exc

    @staticmethod
    def _ask(child: _Child, blob: str) -> bytes:
        child.input.write(f"{blob}\n".encode("ascii"))
        child.input.flush()
        header = child.output.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            raise ValueError(b" ".join(header).decode("utf-8", "replace") or "no answer")
        size = int(header[2])
        data = child.output.read(size + 1)
        if len(data) != size + 1:
            raise ValueError("cut short")
        return data[:size]


_TIME_MARK = b"\x01"
_TOKEN_CHUNK = 65_536


class ChangeTimes:
    """When each path of a commit last changed, read from the log only as far back as asked for.

    Blocking and thread-safe. Reading stops for good after `seconds` in all; times not found by then are
    unknown.
    """

    def __init__(self, repository: Path, commit: str, *, seconds: float = 60.0) -> None:
        self._repository = repository
        self._commit = commit
        self._left = seconds
        self._lock = threading.Lock()
        self._times: dict[bytes, int] = {}
        self._log: Iterator[tuple[bytes, int]] | None = None

    def of(self, path: bytes) -> int | None:
        """Return the time (seconds since 1970) of the last commit that changed this path."""
        with self._lock:
            if path not in self._times:
                self._read_until(path)
            return self._times.get(path)

    def _read_until(self, path: bytes) -> None:
        if self._log is None:
            self._log = self._changes()
        started = time.monotonic()
        for count, (changed, when) in enumerate(self._log):
            self._times.setdefault(changed, when)
            if changed == path:
                break
            if count % 256 == 0 and time.monotonic() - started > self._left:
                self._log = iter(())
                break
        self._left -= time.monotonic() - started

    def _changes(self) -> Iterator[tuple[bytes, int]]:
        child = _Child(
            self._repository,
            "log",
            "-z",
            "--format=%x01%ct",
            "--raw",
            "--abbrev=4",
            "--no-renames",
            self._commit,
        )
        when = 0
        tokens = _tokens(child)
        for token in tokens:
            if token.startswith(_TIME_MARK):
                when = int(token[1:] or 0)
            elif token.lstrip(b"\n").startswith(b":"):
                yield next(tokens, b""), when
        child.stop()


def _tokens(child: _Child) -> Iterator[bytes]:
    rest = b""
    while chunk := os.read(child.output.fileno(), _TOKEN_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole


_NO_DETAIL = re.compile(r"^(?:fatal|error|warning|remote|hint): *", re.IGNORECASE)


def last_error(errors: str) -> str:
    """Return the line of git's complaint that says most, printable and without credentials."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("fatal:")] or lines or ["no reason given"]
    line = re.sub(r"(?<=://)\S*@", "***@", _NO_DETAIL.sub("", fatal[0]))
    return "".join(character for character in line if character.isprintable())[:200]
