"""Feeds read in a process of their own: `python -m kb.connectors.feed_apart` reads one from its input.

feedparser's clean-up of HTML takes minutes for some feeds that were made to that end.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

from kb.connectors.feed_items import Item, NoFeed, read_feed

SECONDS = 30.0
_MEMORY = 1 << 30


async def read_feed_apart(
    data: bytes, headers: Mapping[str, str], address: str, *, seconds: float = SECONDS
) -> list[Item]:
    """Return the items of a feed; raise `NoFeed`, also when reading it takes too long or too much memory."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
        start_new_session=True,
    )
    request = json.dumps({"headers": dict(headers), "address": address}).encode() + b"\n" + data
    try:
        async with asyncio.timeout(seconds):
            answer, _ = await process.communicate(request)
    except TimeoutError:
        raise NoFeed(f"could not be read within {seconds:g} s") from None
    finally:
        await _end(process)
    if process.returncode != 0:
        raise NoFeed("could not be read: its reader ended, as for want of memory")
    reply = json.loads(answer)
    if "refused" in reply:
        raise NoFeed(reply["refused"])
    return [_item(each) for each in reply["items"]]


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _item(fields: dict[str, str]) -> Item:
    updated = fields.pop("updated")
    return Item(**fields, updated=datetime.fromisoformat(updated) if updated else None)


def main() -> None:
    """Read a request from the input and write the items to the output."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
    request = json.loads(sys.stdin.buffer.readline())
    try:
        items = read_feed(sys.stdin.buffer.read(), request["headers"], request["address"])
        reply: object = {"items": [_fields(item) for item in items]}
    except NoFeed as exc:
        reply = {"refused": str(exc)}
    sys.stdout.buffer.write(json.dumps(reply).encode("ascii"))


def _fields(item: Item) -> dict[str, str]:
    updated = item.updated.isoformat() if item.updated is not None else ""
    return {**asdict(item), "updated": updated}


if __name__ == "__main__":
    main()
