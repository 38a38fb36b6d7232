"""Running a reader in a process of its own and keeping what it sends, within limits."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from kb.connectors.reader_documents import Naming, RawDocument, read_document
from kb.connectors.reader_spool import Spool
from kb.errors import SourceInvalid, SourceUnavailable
from kb.settings import ReadersSettings

_DOCUMENTS = 1_000_000
_SPOOL_BYTES = 8 << 30
_LINE_SPARE = 1 << 20
_SHORTEST_SECRET = 4
_REASON_CHARACTERS = 400
# A child's environment is handed on, not read: none of these is a setting of this program.
_PASSED_ON = (
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
)
# One thread and one heap: each further one reserves address space that the limit counts.
_SINGLE = {"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class _Reply(BaseModel):
    """A line of the child; it runs code of others, so nothing about it is taken for granted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: RawDocument | None = None
    error: str = ""
    reason: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is asked of a reader. `label` begins every message; `secrets` are shown in none."""

    label: str
    reader: str
    arguments: dict[str, Any] = field(repr=False)
    load: dict[str, Any] = field(repr=False)
    secrets: tuple[SecretStr, ...] = field(default=(), repr=False)
    private_hosts: bool
    allowed_hosts: tuple[str, ...]
    limits: ReadersSettings
    max_bytes: int

    def request(self) -> bytes:
        """Return the line that the child reads. Secrets go this way: arguments and environment are seen."""
        asked = {
            "reader": self.reader,
            "arguments": self.arguments,
            "load": self.load,
            "private_hosts": self.private_hosts,
            "allowed_hosts": self.allowed_hosts,
            "max_bytes": self.max_bytes,
        }
        return json.dumps(asked).encode() + b"\n"

    def failure(self, kind: str, reason: str) -> SourceInvalid | SourceUnavailable:
        """Return the error for what the child says, in one line and without secrets."""
        for secret in self.secrets:
            value = secret.get_secret_value()
            if len(value) >= _SHORTEST_SECRET:
                reason = reason.replace(value, "***")
        plain = "".join(character for character in reason if character.isprintable())
        text = f"{self.label} {plain[:_REASON_CHARACTERS]}"
        if kind == "invalid":
            return SourceInvalid(f"{text}. Correct the source.")
        return SourceUnavailable(f"{text}. See that it works, then sync again.")


async def run_reader(job: Job, spool: Spool) -> None:
    """Run a reader and spool all its documents.

    Raise SourceInvalid when it cannot work as it is set up, SourceUnavailable when it fails, dies or goes
    over a limit. Nothing of the process is left in any case.
    """
    try:
        process = _start(job, spool.scratch)
    except OSError as exc:
        raise job.failure("failed", f"does not start ({exc.strerror})") from exc
    receiving = asyncio.ensure_future(asyncio.to_thread(_receive, process, job, spool))
    try:
        async with asyncio.timeout(job.limits.seconds):
            await asyncio.shield(receiving)
    except TimeoutError:
        raise job.failure(
            "failed", f"takes longer than {job.limits.seconds:g} s ([readers] seconds)"
        ) from None
    finally:
        _kill(process)
        await asyncio.wait({receiving})
        if not receiving.cancelled():
            receiving.exception()  # what it raised after its end is of no use


def _start(job: Job, folder: Path) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-P", "-m", "kb.connectors.reader_child")
    return subprocess.Popen(
        [*command, str(job.limits.memory_mb), str(int(job.limits.seconds) + 1)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        cwd=folder,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Return the environment of a child: no secrets, no proxies, and the path on which this package lies."""
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH", "")
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, **_SINGLE, "PYTHONPATH": os.pathsep.join(part for part in (root, inherited) if part)}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, unless it has been waited for: its number may be another's by then."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _receive(process: subprocess.Popen[bytes], job: Job, spool: Spool) -> None:
    """Take what the child sends to its end; raise what it means."""
    assert process.stdin is not None
    last = None
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(job.request())
            process.stdin.flush()
        last = _take(process, job, spool)
    except OSError as exc:
        raise SourceUnavailable(
            f"{job.label} gave documents that cannot be kept on disk ({exc.strerror}). Make room."
        ) from exc
    finally:
        _kill(process)
        with contextlib.suppress(BrokenPipeError):
            process.__exit__(None, None, None)
    if last is None:
        raise job.failure("failed", f"died ({_how(process.returncode)})")
    if not last.done:
        raise job.failure(last.error, last.reason)


def _take(process: subprocess.Popen[bytes], job: Job, spool: Spool) -> _Reply | None:
    """Spool the documents and return the child's last word; None when it died before."""
    assert process.stdout is not None
    naming = Naming()
    limit = 6 * job.max_bytes + _LINE_SPARE  # JSON may take six bytes for one
    while line := process.stdout.readline(limit):
        if not line.endswith(b"\n"):
            return None
        try:
            reply = _Reply.model_validate_json(line)
        except ValidationError:
            return _Reply(error="failed", reason="sent what cannot be read")
        if reply.document is None:
            return reply
        spool.add(read_document(naming.name(reply.document), reply.document))
        if spool.documents >= _DOCUMENTS or spool.bytes >= _SPOOL_BYTES:
            return _Reply(
                error="failed", reason=f"gives more than {spool.documents:,} documents can be kept of"
            )
    return None


def _how(code: int) -> str:
    """Say how a process ended; the kill that follows its end does not change that."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
