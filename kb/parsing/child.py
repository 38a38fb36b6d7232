"""One parsing process, seen from the parent: start it, ask it, end it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Self, cast

from kb.errors import KnowledgeBaseError
from kb.parsing.frames import PREFIX, REPLY_LIMIT, frame, frame_length

_START_SECONDS = 60.0
_ERROR_CHARACTERS = 4_000
# One thread and one heap: each further one reserves address space that the limit counts.
_SINGLE = {
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TEMP", "TMPDIR", "TZ", "VIRTUAL_ENV")


class ChildGone(Exception):
    """The process ended before it answered. `how` is the signal's name, or an exit code."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Child:
    """A running process that answers one request at a time."""

    def __init__(self, transport: asyncio.SubprocessTransport, wire: _Wire) -> None:
        self._transport = transport
        self._wire = wire
        self.served = 0

    @classmethod
    async def start(cls, memory_mb: int) -> Self:
        """Start a process; raise KnowledgeBaseError when it does not come up."""
        command = (sys.executable, "-P", "-m", "kb.parsing.worker", str(memory_mb))
        transport, wire = await asyncio.get_running_loop().subprocess_exec(
            _Wire,
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
        child = cls(transport, wire)
        ready = False
        try:
            async with asyncio.timeout(_START_SECONDS):
                await wire.next_frame()
            ready = True
        except (ChildGone, TimeoutError) as exc:
            told = wire.last_error() or str(exc) or "no answer"
            raise KnowledgeBaseError(
                f"The parsing process does not start ({told}). Run `lorekeeper doctor`."
            ) from exc
        finally:
            if not ready:
                await child.stop()
        return child

    async def ask(self, document: bytes, name: str, media_type: str, seconds: float) -> bytes:
        """Send a document and return the reply; raise ChildGone or TimeoutError."""
        header = {"name": name, "media_type": media_type, "seconds": seconds}
        pipe = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        pipe.write(frame(json.dumps(header).encode()))
        pipe.write(frame(document))
        async with asyncio.timeout(seconds):
            reply = await self._wire.next_frame()
        self.served += 1
        return reply

    def kill(self) -> None:
        """End the process at once."""
        if not self._wire.gone.is_set() and self._transport.get_returncode() is None:
            self._transport.kill()

    async def stop(self) -> None:
        """End the process and wait until nothing of it is left."""
        self.kill()
        await self._wire.gone.wait()
        self._transport.close()


class _Wire(asyncio.SubprocessProtocol):
    """Gathers the frames that the process sends, and the end of what it complains."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._buffer = bytearray()
        self._errors = bytearray()
        self._transport: asyncio.SubprocessTransport | None = None

    async def next_frame(self) -> bytes:
        """Return the next frame; raise ChildGone when there will be none."""
        payload = await self._frames.get()
        if payload is None:
            raise ChildGone(self._how())
        return payload

    def last_error(self) -> str:
        """Return the last line of the error stream."""
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the process."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take what the process wrote to a pipe."""
        if fd == 2:
            self._errors += data
            del self._errors[:-_ERROR_CHARACTERS]
            return
        self._buffer += data
        while (length := frame_length(self._buffer)) is not None and len(self._buffer) >= PREFIX + length:
            self._frames.put_nowait(bytes(self._buffer[PREFIX : PREFIX + length]))
            del self._buffer[: PREFIX + length]
        if length is not None and length > REPLY_LIMIT and self._transport is not None:
            self._transport.kill()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that the process and its pipes are gone."""
        self._frames.put_nowait(None)
        self.gone.set()

    def _how(self) -> str:
        code = self._transport.get_returncode() if self._transport is not None else None
        if code is None or code >= 0:
            return f"exit code {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"


def _environment() -> dict[str, str]:
    """Return the environment of a child: no secrets, and the path on which this package lies."""
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH", "")
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, **_SINGLE, "PYTHONPATH": os.pathsep.join(part for part in (root, inherited) if part)}
