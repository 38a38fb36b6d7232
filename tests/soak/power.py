"""P3: power cuts. An ext4 image is shut down in the midst of writing, with no last flush, and mounted again.

The shutdown is what the ext4 driver offers to test this (`EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`): whatever
was not flushed to the device is lost, as when the power goes. Needs root and loop devices.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.rows import Row

CUTS = 100
_IMAGE_BYTES = 256 << 20
_SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125
_NO_LOG_FLUSH = struct.pack("I", 2)
_LONGEST_LIFE = 2.0  # seconds
_TOOLS = ("mkfs.ext4", "mount", "umount")


def missing() -> str:
    """Say what this machine lacks for the test, or nothing."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "power cuts are simulated with a loop-mounted image, which needs root on Linux"
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if absent or not Path("/dev/loop-control").exists():
        return f"power cuts need loop devices and {', '.join(_TOOLS)}; missing: {', '.join(absent) or 'loop'}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with image(Path(folder)) as disk:
                disk.cut()
        except (OSError, subprocess.CalledProcessError) as exc:
            return f"an image cannot be mounted or shut down here: {exc}"
    return ""


@dataclass(slots=True)
class Disk:
    """An ext4 file system in a file, mounted at `folder`."""

    file: Path
    folder: Path

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.file), str(self.folder))

    def unmount(self) -> None:
        _run("umount", str(self.folder))

    def cut(self) -> None:
        """Lose whatever is not on the device yet; nothing can be written from now on."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(descriptor)


@contextmanager
def image(folder: Path) -> Iterator[Disk]:
    disk = Disk(folder / "disk.img", folder / "disk")
    disk.folder.mkdir()
    with disk.file.open("wb") as file:
        file.truncate(_IMAGE_BYTES)
    _run("mkfs.ext4", "-q", "-F", str(disk.file))
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


@dataclass(slots=True)
class Life:
    """What one process told between two cuts."""

    before: dict[str, str]
    opened: dict[str, list[str]] | None = None
    repairs: list[str] = field(default_factory=list)
    caught_up: bool = False
    written: list[dict[str, str]] = field(default_factory=list)
    recorded: dict[str, int] = field(default_factory=dict)  # uri → the round that it was recorded in
    writing: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, said: dict[str, Any]) -> None:
        if "opened" in said:
            self.opened, self.repairs = said["opened"], said["repairs"]
        if "state" in said:
            self.caught_up = said["state"] == said["clean"]
        if "writing" in said:
            self.written.append(said["writing"])
            self.writing.set()
        for uri in [*said.get("recorded", ()), *said.get("gone", ())]:
            self.recorded[uri] = len(self.written) - 1

    @property
    def files(self) -> dict[str, str]:
        """The source's files as they were last."""
        return self.written[-1] if self.written else self.before

    def allowed(self, uri: str) -> list[str | None]:
        """Return the contents that a document may have after the cut: that promised, and any later one."""
        first = self.recorded.get(uri, -1)
        rounds = [self.before, *self.written]
        return [one.get(uri) for one in rounds[first + 1 :]]


@dataclass(slots=True)
class Outcome:
    """The sums over all cuts."""

    cuts: int = 0
    opened: int = 0
    repaired: int = 0
    promised: int = 0
    lost: list[str] = field(default_factory=list)
    caught_up: int = 0


async def measure(scale: float) -> list[Row]:
    """Cut the power 100 times (times `scale`) and return what became of what was acknowledged."""
    cuts = max(2, round(CUTS * scale))
    with tempfile.TemporaryDirectory() as folder, image(Path(folder)) as disk:
        outcome = await _cut_again_and_again(disk, cuts)
    figure = (
        f"{outcome.opened} opened ({outcome.repaired} mended themselves), {len(outcome.lost)} of "
        f"{outcome.promised:,} acknowledged documents lost, {outcome.caught_up} equal to a clean build"
    )
    kept = outcome.opened == outcome.caught_up == cuts and not outcome.lost
    return [
        Row(
            promise="P3",
            done=f"{cuts} power cuts in the midst of syncs and maintenance",
            figure=figure,
            reach=f"{cuts} opened, 0 lost",
            kept=kept,
        )
    ]


async def _cut_again_and_again(disk: Disk, cuts: int) -> Outcome:
    outcome, chance = Outcome(), random.Random(7)
    before = Life(before={})
    for number in range(cuts + 1):
        life = Life(before=before.files)
        await _live(disk, life, seed=number, seconds=chance.uniform(0.05, _LONGEST_LIFE), last=number == cuts)
        if number:
            _judge(outcome, before, life)
        before = life
    return outcome


async def _live(disk: Disk, life: Life, *, seed: int, seconds: float, last: bool) -> None:
    """Let a process write until the cut; the last one only looks and catches up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.soak.power_writer",
        str(disk.folder / "data"),
        str(seed),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=16 << 20,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(life.before).encode() + b"\n")
    listening = asyncio.create_task(_listen(process, life, last=last))
    errors = asyncio.create_task(process.stderr.read() if process.stderr else asyncio.sleep(0, b""))
    await asyncio.wait_for(life.writing.wait(), 120)
    if not last:
        await asyncio.sleep(seconds)
        disk.cut()
    if process.returncode is None:
        process.kill()
    await process.wait()
    await listening
    said = (await errors).decode(errors="replace")
    if not life.written:
        raise AssertionError(f"The knowledge base did not come up after a cut:\n{said}")
    if not last:
        disk.unmount()
        disk.mount()


async def _listen(process: asyncio.subprocess.Process, life: Life, *, last: bool) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.endswith(b"\n"):
            life.hear(json.loads(line))
        if last and life.written:
            return
    life.writing.set()  # it ended before it wrote anything


def _judge(outcome: Outcome, before: Life, after: Life) -> None:
    """Compare what was promised before a cut with what was found after it."""
    outcome.cuts += 1
    outcome.opened += after.opened is not None
    outcome.repaired += bool(after.repairs)
    outcome.caught_up += after.caught_up
    stored = after.opened or {}
    for uri in {*before.before, *before.recorded}:
        outcome.promised += 1
        texts = stored.get(uri)
        if texts not in [_passages(content) for content in before.allowed(uri)]:
            outcome.lost.append(f"cut {outcome.cuts}: {uri} holds {texts}")


def _passages(content: str | None) -> list[str] | None:
    """Return what the tests' parser makes of a document: its paragraphs less the title."""
    return None if content is None else content.split("\n\n")[1:]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
