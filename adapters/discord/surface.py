"""Discord as the desk speaks to it: where signs, answers and lines appear."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from adapters.discord import render
from adapters.discord.access import PLATFORM, Access
from adapters.discord.api import DiscordApi, Payload, nonce
from adapters.discord.download import download
from adapters.discord.finding import find
from adapters.discord.reply import PACE_SECONDS, DiscordReply
from adapters.discord.reviews import Reviews
from adapters.discord.signs import Signs
from adapters.discord.staging import Staging, thread_or_channel, where
from adapters.discord.stopping import stop_button
from bot.chat import Attachment, Choice, Incoming, Outcome, Place, Posted, Reply, Shown
from bot.texts import Texts, texts
from kb.documents import Audience

if TYPE_CHECKING:
    from adapters.discord.places import Places
    from adapters.discord.settings import DiscordSettings
    from bot.channels import ChannelRules


class DiscordSurface:
    """Speaks on Discord for the desk. `bot` returns the bot's own user id."""

    platform = PLATFORM

    def __init__(
        self,
        api: DiscordApi,
        *,
        settings: DiscordSettings,
        access: Access,
        rules: ChannelRules,
        places: Places,
        bot: Callable[[], str],
        pace: float = PACE_SECONDS,
    ) -> None:
        self._api = api
        self._settings = settings
        self._access = access
        self._rules = rules
        self._places = places
        self._bot = bot
        self._pace = pace
        self._reviews = Reviews(api, places, rules, settings, bot=bot)
        self.staging = Staging(api, rules=rules, reviews=self._reviews)
        self.signs = Signs(api)

    async def working(self, incoming: Incoming) -> None:
        """Show typing; an interaction was told already that an answer comes."""
        if "token" not in incoming.reply_to:
            self.signs.begin(incoming.key, thread_or_channel(incoming.place))

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        """Return the tags that an answer may use; raise `SurfaceBusy` when they are not known."""
        return await self._access.audience(place, person, private=private)

    async def found(self, incoming: Incoming) -> Posted | None:
        """Look for a reply to this, whole or half shown; raise `SurfaceBusy` when it cannot be told."""
        if found := await find(self._api, incoming, bot=self._bot()):
            return found
        return await self._reviews.found(incoming) if self._rules.of(incoming.place).mode == "draft" else None

    async def reply(self, incoming: Incoming, *, shown: Shown, before: Posted | None = None) -> Reply:
        """Begin a reply, or the revision of one."""
        return DiscordReply(
            self.staging.stage(incoming, shown, before),
            render=partial(self._rendered, incoming),
            sketch=self._sketch(incoming, shown, standing=before is not None),
            settled=partial(self.signs.end, incoming.key),
            pace=self._pace,
        )

    async def remove(self, posted: Posted) -> None:
        """Delete a reply's messages."""
        for message in posted.messages:
            await self._api.delete(where(posted), message)

    async def tell(self, incoming: Incoming, line: str) -> Posted | None:
        """Say one line in place of an answer."""
        self.signs.end(incoming.key)
        stage = self.staging.line(incoming)
        await stage.put(0, render.line_payload(line))
        return await stage.settle()

    async def call_person(self, incoming: Incoming, who: str, line: str) -> Posted:
        """Post a line that mentions a user or a role of the settings, and nobody else."""
        place = incoming.place
        role = self._places.is_role(place.workspace, who)
        message = await self._api.post(
            thread_or_channel(place),
            render.person_payload(who, line, role=role),
            nonce=nonce(f"{incoming.key}\0person\0{who}"),
            mentions={"roles": [who]} if role else {"users": [who]},
        )
        return Posted(channel=place.channel, thread=place.thread, messages=(str(message["id"]),))

    async def download(self, attachment: Attachment, *, limit: int) -> bytes:
        """Return a file's bytes; raise `CommandError` when it is too large or cannot be had."""
        return await download(attachment, limit=limit, api_url=self._settings.api_url)

    async def notify(self, workspace: str, channel: str, line: str, choices: Sequence[Choice] = ()) -> None:
        """Post Markdown into a channel, whole; raise `SurfaceGone` or `SurfaceBusy`."""
        subject = uuid.uuid4().hex
        for part, payload in enumerate(render.notice_payloads(line, choices)):
            await self._api.post(channel, payload, nonce=nonce(subject, part))

    def words(self, place: Place) -> Texts:
        """Return the bot's words in a place."""
        return texts(self._rules.of(place).language)

    def _rendered(self, incoming: Incoming, outcome: Outcome) -> Sequence[Payload]:
        """Return an outcome as messages; a draft in the language of those who review it."""
        draft = outcome.shown == "draft"
        place = self._places.at_home(incoming.place) if draft else incoming.place
        words = self.words(place) if draft or not outcome.language else texts(outcome.language)
        return render.answer_payloads(outcome, words)

    def _sketch(self, incoming: Incoming, shown: Shown, *, standing: bool) -> Callable[[str], Payload]:
        """Return what makes a message of the text so far. Whoever reviews drafts has other buttons."""
        stop = None if shown == "draft" else stop_button(incoming, self.words(incoming.place))
        return partial(render.stream_payload, stop=stop, standing=standing)
