"""P24: a hostile server can neither hold nor fill the bot.

Each behaviour of `tests/emulators/hostile.py` is met with the limits of `[fetch]`, in a server of its own
process. Run it whole with `python -m tests.soak hostile`.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kb.errors import FetchError
from kb.fetch import Fetcher
from kb.settings import FetchSettings
from tests.soak.rows import Row

SLOW = ("silent", "slow_head", "slow_body", "stalled_body", "slow_chain")
ENDLESS = (
    "endless_body", "endless_chunks", "crumbs", "chunk_extensions", "endless_header", "endless_headers",
    "endless_trailers", "endless_interim", "huge_length",
)  # fmt: skip
PACKED = ("bomb/gzip", "bomb/deflate", "endless_bomb", "empty_members", "packed/broken", "packed/garbage")
LOOPING = ("loop", "growing", "chain?n=50")
LYING = ("short_body", "no_answer", "not_http", "switch", "packed/br", "packed/twice", "packed/followed")

_SECONDS = 30.0
_GRACE_SECONDS = 3.0
_MEMORY_MB = 100


@dataclass(slots=True, kw_only=True)
class Met:
    """What came of meeting some behaviours: seconds each took, most work at a stretch, what was read."""

    seconds: dict[str, float] = field(default_factory=dict)
    lag: float = 0.0
    read: list[str] = field(default_factory=list)


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """Run the hostile server in another process and yield its address."""
    command = (sys.executable, "-m", "tests.emulators.hostile")
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=root)
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def measure(scale: float) -> list[Row]:
    """Meet each behaviour, with the time limit of the settings times `scale`."""
    limit = max(_SECONDS * scale, 0.5)
    fetcher = Fetcher(FetchSettings(seconds=limit))
    before = _peak_mb()
    async with server() as url:
        await fetcher.fetch(f"{url}page", private_hosts=True)
        slow = await _meet(fetcher, url, SLOW, at_once=True)
        quick = [await _meet(fetcher, url, group) for group in (ENDLESS, PACKED, LOOPING, LYING)]
        await fetcher.close()
    met = [slow, *quick]
    done = "slow", "endless", "compressed", "looping", "lying"
    rows = [_row(kind, one, limit) for kind, one in zip(done, met, strict=True)]
    return [*rows, _lag(met), _memory(_peak_mb() - before)]


async def _meet(fetcher: Fetcher, url: str, paths: Sequence[str], *, at_once: bool = False) -> Met:
    met = Met()
    watching = asyncio.create_task(_watch(met))
    if at_once:
        await asyncio.gather(*(_one(fetcher, url, path, met) for path in paths))
    else:
        for path in paths:
            await _one(fetcher, url, path, met)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return met


async def _one(fetcher: Fetcher, url: str, path: str, met: Met) -> None:
    begun = time.perf_counter()
    try:
        await fetcher.fetch(url + path, private_hosts=True)
        met.read.append(path)
    except FetchError:
        pass
    met.seconds[path] = time.perf_counter() - begun


async def _watch(met: Met) -> None:
    """Notice how much was worked on before others got their turn, whatever else the machine does."""
    loop = asyncio.get_running_loop()
    while True:
        before = time.thread_time()
        turn = asyncio.Event()
        loop.call_later(0.002, turn.set)
        await turn.wait()
        met.lag = max(met.lag, time.thread_time() - before)


def _row(kind: str, met: Met, limit: float) -> Row:
    longest = max(met.seconds.values())
    return Row(
        promise="P24",
        done=f"{len(met.seconds)} {kind} servers, limit {limit:g} s, 20 MB, 10 redirects",
        figure=f"longest {longest:.1f} s, {len(met.read)} read",
        reach="none holds on beyond the limit, none is read",
        kept=longest < limit + _GRACE_SECONDS and not met.read,
    )


def _lag(met: Sequence[Met]) -> Row:
    lag = max(one.lag for one in met)
    return Row(
        promise="P24",
        done="work on what a hostile server sends, between two turns of others",
        figure=f"at most {lag * 1000:.0f} ms",
        reach="500 ms",
        kept=lag < 0.5,
    )


def _memory(grown: float) -> Row:
    return Row(
        promise="P24",
        done="memory while all of them are read",
        figure=f"{grown:.0f} MB more",
        reach=f"{_MEMORY_MB} MB",
        kept=grown < _MEMORY_MB,
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
