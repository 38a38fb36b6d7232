"""How events and interactions reach the app: acknowledged within three seconds, or tried again.

An event that is not acknowledged is delivered again at once, after one and after five minutes. Interactions
are never repeated: the person sees an error instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.slack import http_delivery
from tests.emulators.slack.errors import NotDelivered

if TYPE_CHECKING:
    from tests.emulators.slack.site import Site
    from tests.emulators.slack.workspace import Json, Payload

RETRIES = (0.0, 60.0, 300.0)


@dataclass(slots=True, kw_only=True)
class Delivered:
    """One delivery: `acked` is None while, and when, it was not acknowledged in time."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    kind: str
    event_id: str = ""
    event_type: str = ""
    attempt: int = 0
    reason: str = ""
    sent: float = 0.0
    acked: float | None = None
    failed: str = ""
    connection: int = -1
    response: Json = None

    @property
    def latency(self) -> float | None:
        """Seconds until the app acknowledged."""
        return None if self.acked is None else self.acked - self.sent


class Delivery:
    """All that was sent to the app, in `acks`, and `lost`: events that were given up."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.acks: list[Delivered] = []
        self.lost: list[Payload] = []
        self.sent: dict[str, Payload] = {}
        self._held: list[Payload] | None = None

    def event(self, payload: Payload) -> None:
        """Deliver an event, with repetitions, in the background."""
        self.sent[payload["event_id"]] = payload
        if self._held is not None:
            self._held.append(payload)
            return
        self._site.spawn(self._deliver(payload))
        for delay in self._site.faults.repeats():
            self._site.spawn(self._again(payload, delay))

    def redeliver(self, event_id: str, *, attempt: int = 1) -> None:
        """Deliver an event once more, as a repetition after a time-out."""
        self._site.spawn(self._once(self.sent[event_id], attempt, "http_timeout"))

    @contextmanager
    def held(self) -> Iterator[list[Payload]]:
        """Keep events back; what the list holds at the end, in its order, is delivered then."""
        self._held = held = []
        try:
            yield held
        finally:
            self._held = None
            for payload in held:
                self.event(payload)

    async def ask(self, kind: str, payload: Payload) -> Json:
        """Deliver an interaction and return what the app answers; raise `NotDelivered`."""
        delivered = Delivered(kind=kind, event_type=str(payload.get("type", kind)))
        return await self._send(delivered, payload)

    async def _deliver(self, payload: Payload) -> None:
        """Deliver an event, up to four times; each time is counted from the one before."""
        sent = self._site.clock.now()
        reason = await self._once(payload, 0, "")
        for attempt, delay in enumerate(RETRIES, 1):
            if not reason:
                return
            await self._site.clock.until(sent + delay)
            sent = self._site.clock.now()
            reason = await self._once(payload, attempt, reason)
        if reason:
            self.lost.append(payload)
            self._site.bell.ring()

    async def _again(self, payload: Payload, delay: float) -> None:
        await self._site.clock.sleep(delay)
        await self._once(payload, 1, "http_timeout")

    async def _once(self, payload: Payload, attempt: int, reason: str) -> str:
        """Try once; return the reason why it must be tried again, or nothing."""
        delivered = Delivered(
            kind="events_api",
            event_id=payload["event_id"],
            event_type=payload["event"]["type"],
            attempt=attempt,
            reason=reason,
        )
        try:
            await self._send(delivered, payload)
        except NotDelivered as refused:
            return "" if refused.final else refused.reason
        return ""

    async def _send(self, delivered: Delivered, payload: Payload) -> Json:
        site = self._site
        delivered.sent = site.clock.now()
        self.acks.append(delivered)
        site.bell.ring()
        try:
            if site.request_url:
                delivered.response = await http_delivery.deliver(site, delivered, payload)
            else:
                delivered.response = await site.sockets.deliver(delivered, payload)
        except NotDelivered as refused:
            delivered.failed = refused.reason
            raise
        else:
            delivered.acked = site.clock.now()
            return delivered.response
        finally:
            site.bell.ring()
