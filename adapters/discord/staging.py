"""Which stage a reply gets: where it belongs by how it was asked and who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from adapters.discord import render
from adapters.discord.api import DiscordApi, Payload
from adapters.discord.reviews import Reviews
from adapters.discord.stages import AnswerStage, ChannelStage, DirectStage, FirstOf, Opening, Stage, Token
from bot.chat import Incoming, Place, Posted, Shown
from bot.texts import texts

if TYPE_CHECKING:
    from bot.channels import ChannelRules


class Staging:
    """Chooses stages. `deferred` holds an event for each interaction that is being acknowledged now."""

    def __init__(self, api: DiscordApi, *, rules: ChannelRules, reviews: Reviews) -> None:
        self._api = api
        self._rules = rules
        self._reviews = reviews
        self.deferred: dict[str, asyncio.Event] = {}

    def stage(self, incoming: Incoming, shown: Shown, before: Posted | None) -> Stage:
        """Return the stage of an answer; with `before`, of the reply that it revises."""
        seed = f"{incoming.key}\0{shown}"
        answer = self._answer(incoming, shown)
        if before is not None and before.messages:
            standing = standing_stage(self._api, seed, before)
            return FirstOf(answer, _given(standing)) if answer else standing
        if shown == "draft":
            return self._reviews.stage(incoming, seed)
        if shown == "private" and incoming.place.kind != "direct":
            return self._private(incoming, seed, answer)
        here = self.here(incoming, seed)
        return FirstOf(answer, _given(here)) if answer else here

    def line(self, incoming: Incoming) -> Stage:
        """Return the stage of one line in place of an answer, or beside it; it opens no thread."""
        seed = f"{incoming.key}\0line"
        answer = self._answer(incoming, "private" if incoming.private else "public", line=True)
        here = self.here(incoming, seed, opens=False)
        if answer is not None:
            return FirstOf(answer, _given(here))
        if incoming.private and incoming.place.kind != "direct":
            return DirectStage(self._api, seed=seed, person=incoming.person)
        return here

    def here(self, incoming: Incoming, seed: str, *, opens: bool = True) -> ChannelStage:
        """Return the channel or thread of the question, or the thread that is opened at it."""
        place = incoming.place
        opening = None
        command = incoming.kind == "command"  # there is no message to open a thread at, or to refer to
        if opens and not place.thread and place.kind != "direct" and not command:
            opening = self._opening(incoming)
        return ChannelStage(
            self._api,
            seed=seed,
            channel=place.channel,
            thread=place.thread,
            opening=opening,
            reference="" if opening or command else incoming.message,
        )

    def _opening(self, incoming: Incoming) -> Opening | None:
        if not self._rules.of(incoming.place).threads:
            return None
        return Opening(message=incoming.message, name=render.thread_name(incoming.text))

    def _answer(self, incoming: Incoming, shown: Shown, *, line: bool = False) -> AnswerStage | None:
        """Return the answer to the interaction, if it was one that the right people see."""
        reply_to = incoming.reply_to
        if "token" not in reply_to or shown == "draft":
            return None
        ephemeral = reply_to.get("ephemeral") == "1"
        if not line and ephemeral != (shown == "private") and incoming.place.kind != "direct":
            return None
        name = ""
        if not ephemeral and not line and incoming.place.kind != "direct" and not incoming.place.thread:
            name = render.thread_name(incoming.text) if self._rules.of(incoming.place).threads else ""
        return AnswerStage(
            self._api,
            Token(application=reply_to["application"], token=reply_to["token"], ephemeral=ephemeral),
            seed=f"{incoming.key}\0{shown}",
            channel=incoming.place.thread or incoming.place.channel,
            deferred=self.deferred.get(incoming.key),
            thread_name=name,
        )

    def _private(self, incoming: Incoming, seed: str, answer: AnswerStage | None) -> Stage:
        """Return the ephemeral answer, else direct messages, else a line that says why there is none."""
        direct = DirectStage(self._api, seed=seed, person=incoming.person)
        if answer is not None:
            return FirstOf(answer, _given(direct))
        words = texts(self._rules.of(incoming.place).language)
        refused = _Instead(self.here(incoming, seed, opens=False), render.line_payload(words.direct_closed))
        return FirstOf(direct, _given(refused))


class _Instead:
    """A stage that shows one payload whatever it is given: all may see it, the answer not."""

    def __init__(self, stage: ChannelStage, payload: Payload) -> None:
        self._stage = stage
        self._payload = payload

    async def put(self, part: int, payload: Payload) -> None:
        """Show the payload once."""
        if part == 0:
            await self._stage.put(0, self._payload)

    async def cut(self, parts: int) -> None:
        """Take it away when nothing is to be shown."""
        await self._stage.cut(min(parts, 1))

    async def settle(self) -> Posted:
        """Return where it stands."""
        return await self._stage.settle()


def standing_stage(api: DiscordApi, seed: str, posted: Posted) -> ChannelStage:
    """Return the stage of a reply that stands already."""
    thread = "" if where(posted) == posted.channel else posted.thread
    return ChannelStage(
        api, seed=seed, channel=posted.channel, thread=thread, messages=posted.messages, named=posted.thread
    )


def where(posted: Posted) -> str:
    """Return the channel or thread that holds a reply's messages.

    A thread has the id of the message that it hangs at: that one stands in the channel.
    """
    return posted.channel if not posted.thread or posted.thread in posted.messages else posted.thread


def thread_or_channel(place: Place) -> str:
    """Return where something said in a place goes."""
    return place.thread or place.channel


def _given(stage: Stage) -> Callable[[], Awaitable[Stage]]:
    async def give() -> Stage:
        return stage

    return give
