"""One life of a knowledge base between two power cuts: look, catch up, and write until the light goes out.

It tells the parent on standard output, a JSON line each: what it found, what it is about to write, and
every document that was recorded, which is a promise that it survives.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from kb.leases import Lease
from kb.manifest import Manifest
from kb.planning import Known
from tests.kb.small_base import SmallBase, open_small

DOCUMENTS = 40
_EDITS = 6


def tell(**said: Any) -> None:  # noqa: ANN401 - any JSON
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


class Promising(Manifest):
    """A manifest that tells of each document once its row is safe."""

    async def record(self, lease: Lease, batch: Sequence[Known]) -> None:
        await super().record(lease, batch)
        tell(recorded=[row.uri for row in batch])

    async def forget(self, lease: Lease, ids: Collection[str]) -> None:
        known = await self.known(lease.source)
        await super().forget(lease, ids)
        tell(gone=[known[key].uri for key in ids if key in known])


def edit(files: dict[str, str], chance: random.Random, number: int) -> None:
    for _ in range(_EDITS):
        uri = f"{chance.randrange(DOCUMENTS)}.md"
        if uri in files and chance.random() < 0.2:
            del files[uri]
        else:
            passages = "\n\n".join(f"Passage {n} of edit {number}." for n in range(chance.randint(1, 5)))
            files[uri] = f"# {uri}\n\nEdit {number} of {uri}.\n\n{passages}"


async def found(base: SmallBase) -> dict[str, list[str]]:
    stored = await base.store.stored(await base.store.document_ids("s", hidden=True))
    return {nodes[0].uri: [node.text for node in nodes] for nodes in stored.values()}


async def clean_hash(files: dict[str, str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            clean = await open_small(stack, Path(folder))
            clean.files.update(files)
            await clean.sync()
            return await clean.store.state_hash()


async def live(folder: Path, seed: int) -> None:
    files: dict[str, str] = json.loads(sys.stdin.readline())
    async with AsyncExitStack() as stack:
        base = await open_small(stack, folder)
        base.manifest = Promising(base.manifest.engine)
        tell(opened=await found(base), repairs=base.store.repairs)
        base.files.update(files)
        await base.sync(allow_deletes=True)
        tell(state=await base.store.state_hash(), clean=await clean_hash(files))
        chance = random.Random(seed)
        for number in range(100_000):
            edit(base.files, chance, number)
            tell(writing=dict(base.files))
            await base.sync(allow_deletes=True)
            if number % 4 == 3:
                await base.store.maintain(force=True, keep=timedelta(0))


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
