"""Drafts: answers that only the reviewers of a channel see until one of them approves.

They stand in one private thread a channel, to which its reviewers are invited; where there can be none, as in
a forum, in direct messages with the first reviewer who takes them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from adapters.discord.api import PRIVATE_THREAD, DiscordApi, Payload, nonce
from adapters.discord.finding import find_draft
from adapters.discord.stages import ChannelStage, DirectStage, Stage
from bot.chat import Incoming, Place, Posted
from bot.errors import SurfaceBusy, SurfaceGone
from bot.texts import texts

if TYPE_CHECKING:
    from adapters.discord.places import Places
    from adapters.discord.settings import DiscordSettings
    from bot.channels import ChannelRules

log = logging.getLogger(__name__)

_NAME_LENGTH = 100
_SAID = 0  # the type of a message that somebody wrote; who came in is told by others


class Reviews:
    """Finds where the reviewers of a channel look at drafts. `bot` returns the bot's own id."""

    def __init__(
        self,
        api: DiscordApi,
        places: Places,
        rules: ChannelRules,
        settings: DiscordSettings,
        *,
        bot: Callable[[], str],
    ) -> None:
        self._api = api
        self._places = places
        self._rules = rules
        self._settings = settings
        self._bot = bot
        self._threads: dict[str, str] = {}
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def stage(self, incoming: Incoming, seed: str) -> Stage:
        """Return where a draft is shown."""
        return _ReviewStage(self, incoming.place, seed)

    async def found(self, incoming: Incoming) -> Posted | None:
        """Return the draft that an earlier try has shown whole; raise `SurfaceBusy` if it cannot be told."""
        place = incoming.place
        if thread := self._threads.get(place.channel) or await self._standing(place, self._name(place)):
            stands = await find_draft(self._api, thread, incoming, bot=self._bot())
            return Posted(channel=place.channel, thread=thread, messages=stands) if stands else None
        for person in self._reviewers(place)[0]:
            try:
                channel = await self._api.direct(person)
                stands = await find_draft(self._api, channel, incoming, bot=self._bot())
            except SurfaceGone:
                continue  # who takes no direct messages has none
            if stands:
                return Posted(channel=channel, messages=stands)
        return None

    async def open(self, place: Place, seed: str, payload: Payload) -> ChannelStage | DirectStage:
        """Show a draft's first part; raise `SurfaceGone` when no reviewer can be reached."""
        people, roles = self._reviewers(place)
        if not people and not roles:
            raise SurfaceGone(
                f"Nobody reviews drafts of channel {place.channel!r}. Name reviewers in its [[channels]]."
            )
        stage: ChannelStage | DirectStage
        try:
            thread = await self._thread(place, people, roles)
            stage = ChannelStage(self._api, seed=seed, channel=place.channel, thread=thread)
            await stage.put(0, payload)
        except SurfaceGone as exc:
            self._threads.pop(place.channel, None)
            log.info("discord drafts go to direct messages: %s", exc)
        else:
            return stage
        return await self._directly(people, seed, payload)

    async def _directly(self, people: Sequence[str], seed: str, payload: Payload) -> DirectStage:
        for person in people:
            stage = DirectStage(self._api, seed=f"{seed}\0{person}", person=person)
            try:
                await stage.put(0, payload)
            except SurfaceGone as exc:
                log.info("discord reviewer %s takes no direct messages: %s", person, exc)
            else:
                return stage
        raise SurfaceGone("No reviewer takes direct messages. Let the bot create private threads.")

    def _reviewers(self, place: Place) -> tuple[list[str], list[str]]:
        """Return the users and the roles that review here; where none are named, the admins."""
        named = self._rules.of(place).reviewers or (*self._settings.admins, *self._settings.admin_groups)
        roles = [one for one in named if self._places.is_role(place.workspace, one)]
        return [one for one in named if one not in roles], roles

    async def _thread(self, place: Place, people: Sequence[str], roles: Sequence[str]) -> str:
        """Return the thread of a channel's drafts, to which its reviewers are invited."""
        async with self._opening[place.channel]:
            if place.channel not in self._threads:
                name = self._name(place)
                found = await self._standing(place, name)
                thread = found or await self._new(place, name)
                if not found or not await self._begun(thread):
                    await self._call(thread, people, roles)
                self._threads[place.channel] = thread
            return self._threads[place.channel]

    def _name(self, place: Place) -> str:
        language = self._rules.of(self._places.at_home(place)).language
        return texts(language).draft[:_NAME_LENGTH]

    async def _standing(self, place: Place, name: str) -> str:
        for thread in await self._api.threads(place.workspace):
            ours = str(thread.get("owner_id")) == self._bot() and thread.get("type") == PRIVATE_THREAD
            if ours and str(thread.get("parent_id")) == place.channel and thread.get("name") == name:
                return str(thread["id"])
        return ""

    async def _new(self, place: Place, name: str) -> str:
        """Open a thread; where that is not sure to have failed, look whether it has."""
        try:
            return await self._api.private_thread(place.channel, name)
        except SurfaceBusy:
            if thread := await self._standing(place, name):
                return thread
            raise

    async def _begun(self, thread: str) -> bool:
        """Tell whether the bot has said something there: then whoever reviews was invited before."""
        async for message in self._api.messages(thread, after=0):
            if str(message["author"]["id"]) == self._bot() and message.get("type") == _SAID:
                return True
        return False

    async def _call(self, thread: str, people: Sequence[str], roles: Sequence[str]) -> None:
        for person in people:
            await self._api.invite(thread, person)
        if roles:
            # Whoever is mentioned in a private thread is in it; ids of the settings, never of a text.
            called = {"content": " ".join(f"<@&{role}>" for role in roles)}
            await self._api.post(
                thread, called, nonce=nonce(f"{thread}\0roles"), mentions={"roles": list(roles)}
            )


class _ReviewStage:
    """A draft, in the place that is found when it is first shown."""

    def __init__(self, reviews: Reviews, place: Place, seed: str) -> None:
        self._reviews = reviews
        self._place = place
        self._seed = seed
        self._stage: ChannelStage | DirectStage | None = None

    async def put(self, part: int, payload: Payload) -> None:
        """Show a part to the reviewers."""
        if self._stage is None:
            self._stage = await self._reviews.open(self._place, self._seed, payload)
        else:
            await self._stage.put(part, payload)

    async def cut(self, parts: int) -> None:
        """Take away all but the first parts."""
        if self._stage is not None:
            await self._stage.cut(parts)

    async def settle(self) -> Posted:
        """Return where the draft stands."""
        return await self._stage.settle() if self._stage else Posted(channel="", messages=())
