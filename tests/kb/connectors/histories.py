"""What the tests of both chat histories share: a clock, a memory that outlives a connector, a listing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.documents import DocumentRef
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory

# Friday 2026-03-06, noon UTC.
NOON = 1_772_798_400.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What a connector is given. Its clock moves when a test moves `now`; `slept` is what it waited."""

    folder: Path
    fetcher: Fetcher
    token: str
    now: float = NOON
    memory: BorrowedMemory = field(default_factory=BorrowedMemory)
    slept: list[float] = field(default_factory=list)
    max_bytes: int = 1 << 20

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def resources(self) -> Resources:
        return Resources(
            data=self.folder,
            fetcher=self.fetcher,
            memory=self.memory,
            secret=lambda _: SecretStr(self.token) if self.token else None,
            max_bytes=self.max_bytes,
        )


async def listed(connector: Connector) -> dict[str, DocumentRef]:
    """Return the refs by uri; none comes twice."""
    refs = [ref async for ref in connector.list_documents()]
    assert len({ref.uri for ref in refs}) == len(refs)
    return {ref.uri: ref for ref in refs}


async def listed_into(uris: list[str], connector: Connector, then: Callable[[], object]) -> None:
    """Add the uris as they are listed, and call a function after each."""
    async for ref in connector.list_documents():
        uris.append(ref.uri)
        then()


async def read(connector: Connector) -> dict[str, str]:
    """Return the text of every listed document by uri; each is what its listed version stands for."""
    refs = await listed(connector)
    contents = {uri: await connector.fetch(ref) for uri, ref in refs.items()}
    assert all(content.version is None for content in contents.values())
    return {uri: content.data.decode() for uri, content in contents.items()}
