"""One request of a source's host, with manners: turns, waits that the host asks for, robots.txt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from protego import Protego

from kb.connectors.base import Resources
from kb.connectors.web_address import origin_of
from kb.connectors.web_manners import Clock, Manners
from kb.errors import FetchFailed, FetchRefused, SourceInvalid, SourceUnavailable

if TYPE_CHECKING:
    from kb.fetch import Fetched

PATIENCE = 60.0
_FIRST_WAIT = 5.0
_ROBOTS_BYTES = 512 * 1024


class Asking:
    """Asks hosts for one source. `label` begins the messages of what it raises."""

    def __init__(
        self, label: str, resources: Resources, *, private_hosts: bool, delay: float, clock: Clock
    ) -> None:
        self.label = label
        self.manners = Manners(delay, clock)
        self._fetcher = resources.fetcher
        limit = int(resources.fetcher.settings.max_mb * 1_000_000)
        self._max_bytes = min(limit, resources.max_bytes)
        self._private_hosts = private_hosts
        self._waited = 0.0

    @property
    def user_agent(self) -> str:
        """How this program names itself."""
        return self._fetcher.settings.user_agent

    async def ask(self, address: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """Return the answer of a host; a request that it puts off is made again when it says.

        Raises `SourceUnavailable` when it puts them off for longer than a minute in all, and what the gate
        raises.
        """
        wait = _FIRST_WAIT
        while True:
            async with self.manners.turn(address):
                fetched = await self._fetcher.fetch(
                    address,
                    headers=headers,
                    private_hosts=self._private_hosts,
                    max_bytes=self._max_bytes,
                )
            asked = _put_off(fetched, wait)
            if asked is None:
                return fetched
            self._put_off(fetched.url, asked)
            wait *= 2

    def _put_off(self, address: str, seconds: float) -> None:
        later = self.manners.hold(address, seconds)
        self._waited += later
        if self._waited > PATIENCE:
            until = datetime.now(UTC) + timedelta(seconds=min(seconds, 10**8))
            raise SourceUnavailable(
                f"{self.label}: {origin_of(address)!r} takes no more requests until "
                f"{until:%Y-%m-%d %H:%M} UTC. Sync again then, or sync it less often."
            )

    def reset(self) -> None:
        """Forget, at the start of a run, what the last one waited."""
        self._waited = 0.0


def _put_off(fetched: Fetched, usual: float) -> float | None:
    """Return how many seconds a host asks to wait, None when it has answered."""
    header = fetched.headers.get("retry-after", "").strip()
    if fetched.status != 429 and not (fetched.status == 503 and header):
        return None
    if header.isascii() and header.isdigit():
        return float(min(int(header), 10**9))
    moment = moment_of(header)
    return usual if moment is None else max(1.0, (moment - datetime.now(UTC)).total_seconds())


def moment_of(header: str | None) -> datetime | None:
    """Return the time that a header states, with its zone."""
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Rules:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    parsed: Protego | None = None
    read: bool = False


class Robots:
    """What the robots.txt of each origin allows. It is read once an origin and run."""

    def __init__(self, asking: Asking, *, honoured: bool) -> None:
        self._asking = asking
        self._honoured = honoured
        self._rules: dict[str, _Rules] = {}

    def reset(self) -> None:
        """Read the files again when they are needed next."""
        self._rules.clear()

    async def allow(self, address: str) -> bool:
        """Say whether an address may be asked.

        Raises `SourceUnavailable` when a host does not say: as RFC 9309 has it, it then allows nothing.
        """
        if not self._honoured:
            return True
        origin = origin_of(address)
        rules = self._rules.setdefault(origin, _Rules())
        async with rules.lock:
            if not rules.read:
                rules.parsed = await self._read(origin)
                rules.read = True
        return rules.parsed is None or bool(rules.parsed.can_fetch(address, self._asking.user_agent))

    async def _read(self, origin: str) -> Protego | None:
        address = f"{origin}/robots.txt"
        try:
            fetched = await self._asking.ask(address)
        except FetchRefused as exc:
            raise SourceInvalid(f"{self._asking.label}: {exc}") from exc
        except FetchFailed as exc:
            raise SourceUnavailable(f"{self._asking.label}: {exc}") from exc
        if fetched.status >= 500:
            raise SourceUnavailable(
                f"{self._asking.label}: {address!r} answers with status {fetched.status}, so nothing may be "
                "read. Sync again later."
            )
        if fetched.status != 200:
            return None
        parsed = Protego.parse(fetched.body[:_ROBOTS_BYTES].decode("utf-8", "replace"))
        self._asking.manners.slow(address, _pause(parsed, self._asking.user_agent))
        return parsed


def _pause(parsed: Protego, user_agent: str) -> float | None:
    rate = parsed.request_rate(user_agent)
    delay = parsed.crawl_delay(user_agent)
    if rate is None or not rate.requests:
        return delay
    return max(delay or 0.0, rate.seconds / rate.requests)
