"""What goes wrong on purpose: with HTTP requests by their route, and with the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.emulators.discord.gateway import Gateway, Hearing
from tests.emulators.discord.world import World


@dataclass(slots=True, kw_only=True)
class Fault:
    """What the next `times` requests of a route get.

    `route` is a pattern of method and path, such as `POST /channels/*/messages`. With `after` the request is
    carried out first, so that only its answer is lost. `status` answers with an error, a 429 needs
    `retry_after`; `cut` drops the connection; `hang` never answers, until `Faults.release`; `delay` waits
    first. `via` False makes a 429 the ban of Cloudflare, `scope` "shared" one that is not the bot's fault.
    """

    route: str
    times: int = 1
    status: int = 0
    code: int = 0
    message: str = "scripted failure"
    retry_after: float = 0.0
    is_global: bool = False
    scope: str = "user"
    via: bool = True
    html: bool = False
    cut: bool = False
    hang: bool = False
    after: bool = False
    delay: float = 0.0
    used: int = 0

    def meets(self, method: str, path: str) -> bool:
        return self.used < self.times and fnmatchcase(f"{method} {path}", self.route)


class Faults:
    """The faults of one emulator."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world = world
        self.gateway = gateway
        self.waiting: list[Fault] = []
        self.revoked = False
        self.released = asyncio.Event()
        self.is_offline = False

    # HTTP

    def add(self, route: str, **how: object) -> Fault:
        """Arm a fault for a route; the fields of `Fault` say what it does."""
        fault = Fault(route=route, **how)  # type: ignore[arg-type]
        self.waiting.append(fault)
        return fault

    def rate_limit(self, route: str, retry_after: float, **how: object) -> Fault:
        """Answer the next request with 429 and a Retry-After."""
        return self.add(route, status=429, retry_after=retry_after, **how)

    def lose_answer(self, route: str, *, times: int = 1, status: int = 0) -> Fault:
        """Carry out the next requests, then cut the connection, or answer with an error."""
        return self.add(route, times=times, after=True, status=status, cut=not status)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and use it up once."""
        for fault in self.waiting:
            if fault.meets(method, path):
                fault.used += 1
                return fault
        return None

    def clear(self) -> None:
        """Disarm all faults and let hanging requests go on."""
        self.waiting.clear()
        self.release()

    def release(self) -> None:
        """Let the requests that hang go on."""
        self.released.set()
        self.released = asyncio.Event()

    # The network and the token

    def offline(self) -> None:
        """Take the network away: connections are cut, new ones dropped, until `online`."""
        self.is_offline = self.gateway.refuse = True
        self.gateway.cut()

    def online(self) -> None:
        self.is_offline = self.gateway.refuse = False

    async def revoke_token(self) -> None:
        """Refuse the token from now on: HTTP 401, and close code 4004 on the gateway."""
        self.revoked = True
        self.world.token = f"another-{self.world.clock.snowflake()}"
        await self.gateway.close(4004, "Authentication failed.")

    # The gateway

    def reconnect(self) -> None:
        """Op 7."""
        self.gateway.ask_reconnect()

    def invalid_session(self, *, resumable: bool = False) -> None:
        """Op 9."""
        self.gateway.invalidate(resumable=resumable)

    def cut(self) -> None:
        """Drop the gateway's TCP connections without a close frame; sessions can be resumed."""
        self.gateway.cut()

    def zombie(self, hearing: Hearing = "dead") -> None:
        """Make the connections useless: "dead" ones send nothing, "deaf" ones only acknowledge heartbeats."""
        self.gateway.hear(hearing)

    def forget_sessions(self) -> None:
        """Make the next resume fail with op 9 false."""
        self.gateway.forget()

    async def close(self, code: int, reason: str = "") -> None:
        """Close the gateway's connections with a code."""
        await self.gateway.close(code, reason)

    def facts(self) -> Mapping[str, object]:
        return {"armed": [one.route for one in self.waiting if one.used < one.times], "revoked": self.revoked}
