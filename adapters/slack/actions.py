"""Buttons: under answers, in what commands told, and in the Home tab."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from adapters.slack import interactions, posting
from adapters.slack.interactions import pressed
from adapters.slack.private import direct_channel
from adapters.slack.render import line_message
from adapters.slack.render_views import comment_modal, notice_modal, sources_modal
from adapters.slack.saying import Ear, kept_place
from bot.chat import Incoming, Place

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck

    from adapters.slack.home import HomeTab
    from adapters.slack.interactions import Pressed
    from adapters.slack.kb_command import KbCommand
    from adapters.slack.saying import Saying
    from adapters.slack.surface import SlackSurface
    from adapters.slack.workspaces import Workspaces
    from bot.aftercare import Aftercare
    from bot.desk import Desk

log = logging.getLogger(__name__)


class Actions:
    """Does what a pressed button stands for, and tells the person who pressed it."""

    def __init__(
        self,
        *,
        aftercare: Aftercare,
        desk: Desk,
        workspaces: Workspaces,
        surface: SlackSurface,
        saying: Saying,
        knowledge: KbCommand,
        home: HomeTab,
    ) -> None:
        self._aftercare = aftercare
        self._desk = desk
        self._workspaces = workspaces
        self._surface = surface
        self._saying = saying
        self._knowledge = knowledge
        self._home = home

    async def on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Handle a `block_actions` body."""
        await ack()
        press = pressed(body)
        if press is None:
            return
        ear = Ear(
            person=press.person,
            place=press.place,
            response_url=press.response_url,
            trigger=press.trigger_id,
        )
        async with self._saying.guarded(ear):
            if press.control is not None:
                await self._control(press, ear)
            else:
                await self._other(press, ear)

    async def _control(self, press: Pressed, ear: Ear) -> None:
        match press.control:
            case "feedback":
                await self._feedback(press, ear)
            case "sources":
                await self._sources(press, ear)
            case "resolved":
                await self._saying.line(ear, await self._aftercare.resolved(press.answer, press.person))
            case _:
                await self._decide(press, ear)

    async def _feedback(self, press: Pressed, ear: Ear) -> None:
        good = press.good is not False
        words = await self._saying.words(press.person)
        modal = comment_modal(press.answer, words, keep=kept_place(press.place))
        asked = "" if good else await self._saying.open(ear, modal)
        line = await self._aftercare.feedback(press.answer, press.person, good=good)
        if not asked:
            await self._saying.line(ear, line)

    async def _sources(self, press: Pressed, ear: Ear) -> None:
        """Open a modal at once, for it can be opened for three seconds only, and fill it in."""
        words = await self._saying.words(press.person)
        view = await self._saying.open(ear, notice_modal(words.sources, words.loading[0], words))
        person = await self._saying.whole(press.person)
        found = await self._aftercare.sources(press.answer, self._surface, press.place, person)
        if view:
            await self._saying.update(ear, view, sources_modal(found, words))
        else:
            await self._saying.line(ear, "\n".join(f"{one.number}. {one.title}" for one in found))

    async def _decide(self, press: Pressed, ear: Ear) -> None:
        """Do what needs the person's rights: they are asked of Slack, not taken from what was sent."""
        person, ear = await asyncio.gather(self._saying.whole(press.person), self._saying.placed(ear))
        done = {
            "person": self._aftercare.call_person,
            "share": self._aftercare.share,
            "approve": self._aftercare.approve,
            "discard": self._aftercare.discard,
        }[str(press.control)]
        await self._saying.line(ear, await done(press.answer, person, self._surface, ear.place))

    async def _other(self, press: Pressed, ear: Ear) -> None:
        if press.action == interactions.CHOOSE:
            await self._knowledge.choose(ear, press.value)
            return
        ear = await self._saying.placed(ear)
        match press.action:
            case interactions.CONFIRM:
                await self._knowledge.confirm(ear, press.value)
            case interactions.FORM | interactions.ADD:
                await self._knowledge.run(ear, "add")
            case interactions.SYNC:
                await self._knowledge.run(ear, f"sync {press.value}")
                await self._home.publish(press.person)
            case interactions.REFRESH:
                await self._home.publish(press.person)
            case interactions.ASK:
                await self._ask(press)

    async def _ask(self, press: Pressed) -> None:
        """Ask a suggested question where person and bot talk: the question is posted, then answered."""
        api = await self._workspaces.api(press.place.workspace)
        channel = await direct_channel(api, press.person.id)
        key = f"{press.place.workspace}:{channel}:home:{press.trigger_id}"
        ts = await posting.post(api, channel, "", line_message(f"> {press.value}"), subject=f"{key}:asked")
        place = Place(
            platform="slack", workspace=press.place.workspace, channel=channel, thread=ts, kind="direct"
        )
        await self._desk.receive(
            Incoming(
                key=key,
                subject=key,
                kind="message",
                place=place,
                message=ts,
                person=press.person.id,
                text=press.value,
                name=press.person.name,
                addressed=True,
            )
        )
