"""One answer as it appears on Discord: in steps at a humane rate while it is written, then whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from adapters.discord.api import COMPONENTS_V2, Payload, PayloadRefused
from adapters.discord.stages import Stage
from bot.chat import Outcome, Posted
from bot.errors import BotError, SurfaceError

log = logging.getLogger(__name__)

PACE_SECONDS = 1.3  # Discord takes five edits in five seconds for a whole channel
_PLAIN = 1_900

Render = Callable[[Outcome], Sequence[Payload]]


class NotTaken(BotError):
    """Discord takes an answer in no form: the place is there, so its reader is to be told."""


class DiscordReply:
    """Shows an answer on a stage. `render` makes messages of the outcome, `sketch` one of the text so far.

    `settled` is called once when nothing more will be shown.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        render: Render,
        sketch: Callable[[str], Payload],
        settled: Callable[[], None] = lambda: None,
        pace: float = PACE_SECONDS,
    ) -> None:
        self._stage = stage
        self._render = render
        self._sketch = sketch
        self._settled = settled
        self._pace = pace
        self._text = ""
        self._news = asyncio.Event()
        self._ending = asyncio.Event()
        self._steps: asyncio.Task[None] | None = None

    async def show(self, text: str) -> None:
        """Have the text so far shown as soon as the pace allows."""
        if self._ending.is_set() or not text.strip():
            return
        self._text = text
        self._news.set()
        if self._steps is None:
            self._steps = asyncio.create_task(self._show_steps())

    async def finish(self, outcome: Outcome) -> Posted:
        """Show the outcome in place of the steps; raise `SurfaceGone`, `SurfaceBusy` or `NotTaken`."""
        try:
            await self._end_steps()
            await self._put(self._render(outcome))
            return await self._stage.settle()
        finally:
            self._settled()

    async def withdraw(self) -> None:
        """Delete what was shown so far."""
        try:
            await self._end_steps()
            await self._stage.cut(0)
        except SurfaceError as exc:
            log.warning("discord reply could not be withdrawn: %s", exc)
        finally:
            self._settled()

    async def _put(self, payloads: Sequence[Payload]) -> None:
        for part, payload in enumerate(payloads):
            try:
                await self._stage.put(part, payload)
            except PayloadRefused:
                # Better bare words than silence; what was refused is in the log.
                await self._put_bare(part, _bare(payload))
        await self._stage.cut(len(payloads))

    async def _put_bare(self, part: int, payload: Payload) -> None:
        try:
            await self._stage.put(part, payload)
        except PayloadRefused as exc:
            raise NotTaken(f"{exc} Not even its bare words were.") from exc

    async def _show_steps(self) -> None:
        """Show the latest text, wait, and so on until the end. A failed step is made good by the next."""
        while not self._ending.is_set():
            await self._news.wait()
            if self._ending.is_set():
                return
            self._news.clear()
            try:
                await self._stage.put(0, self._sketch(self._text))
            except SurfaceError as exc:
                log.info("discord step of an answer not shown: %s", exc)
            await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._pace):
                await self._ending.wait()
        except TimeoutError:
            return

    async def _end_steps(self) -> None:
        """Let a step that is on its way arrive: cut off, it might come after the answer."""
        self._ending.set()
        self._news.set()
        if self._steps is not None:
            await asyncio.wait({self._steps})


def _bare(payload: Payload) -> Payload:
    """Return the words of a message alone, without what makes it beautiful."""
    words = "\n".join(_texts(payload.get("components", ()))) or str(payload.get("content") or "")
    text = words[:_PLAIN] or "…"
    return {"flags": COMPONENTS_V2, "components": [{"type": 10, "content": text}]}


def _texts(components: Sequence[Payload]) -> list[str]:
    found: list[str] = []
    for component in components:
        if component.get("type") == 10:
            found.append(str(component["content"]))
        found += _texts(component.get("components", ()))
    return found
