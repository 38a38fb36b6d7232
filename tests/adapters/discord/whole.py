"""The real Discord app with the real desk and inbox behind it, before a Discord whose clock they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from adapters.discord.app import DiscordApp
from adapters.discord.settings import DiscordSettings
from bot.chat_settings import ChannelSettings
from tests.adapters.backstage import SECONDS, Assistants, Backstage, backstage
from tests.adapters.discord.scripted import ScriptedCommands, ScriptedCurated, settings
from tests.adapters.discord.serving import is_whole
from tests.adapters.voting import Commanding
from tests.bot.desks import ScriptedAssistant
from tests.emulators.discord.interactions import Interaction
from tests.emulators.discord.messages import Message
from tests.emulators.discord.places import Channel, Guild, Member
from tests.emulators.discord.server import DiscordEmulator

QUICK = {"pace": 0.01, "settle": 0.05}


@dataclass(frozen=True, kw_only=True)
class Team:
    """An emulated Discord with a server, a channel, somebody in it, and a folder for the bot's database."""

    discord: DiscordEmulator
    folder: Path
    guild: Guild
    general: Channel
    ann: Member

    @asynccontextmanager
    async def bot(
        self,
        *,
        answers: Assistants = ScriptedAssistant,
        channels: Sequence[ChannelSettings] = (),
        app_options: Mapping[str, Any] | None = None,
        commands: Commanding | None = None,
        **more: Any,  # noqa: ANN401 - fields of the settings
    ) -> AsyncIterator[Backstage]:
        """Run a bot of this team; it is connected and its commands are registered.

        With `commands`, those are carried out, and there are voices.
        """
        chosen = settings(self.discord, **{"per_person": 1_000, **more})
        clock, pulse = self.discord.clock.now, self.discord.world.pulse
        async with backstage(
            self.folder,
            {"discord": chosen},
            clock=clock,
            answers=answers,
            channels=channels,
            concurrent=chosen.concurrent,
            beat=pulse.beat,
        ) as behind:
            options = {"clock": clock, **(app_options or {})}
            if commands is not None:
                told = commands(behind.engine, behind.rules, behind.desk.surface)
                options |= {"commands": told, "personas": True}
            await started(behind, chosen, self.discord.token, **options)
            await self.discord.wait_for(lambda: self.discord.world.commands, SECONDS)
            yield behind

    async def say(self, text: str, *, channel: Channel | None = None) -> Message:
        """Mention the bot and return the question."""
        return await self.discord.say(channel or self.general, self.ann, f"{self.discord.bot.mention} {text}")

    async def use(self, question: str, *, private: bool = False) -> Interaction:
        """Ask with the command."""
        options = {"question": question, "private": private}
        return await self.discord.command("ask", options, user=self.ann, channel=self.general)

    async def heard(self, behind: Backstage, count: int) -> None:
        """Wait until so much has reached the desk, known or new."""
        await self.discord.wait_for(lambda: len(behind.heard) >= count, SECONDS)

    async def again(self, behind: Backstage, *messages: Message) -> None:
        """Tell the bot of messages once more, and wait until that is heard."""
        before = len(behind.heard)
        for message in messages:
            self.discord.world.tell("MESSAGE_CREATE", message)
        await self.heard(behind, before + len(messages))

    def replies(self, asked: Message) -> list[Message]:
        """Return what the bot said to a question."""
        return self.discord.replies(asked)

    async def once(self, behind: Backstage, asked: Message, containing: str) -> Message:
        """Return the only reply to a question, when all is over."""
        await self.discord.wait_for(lambda: self.replies(asked), SECONDS)
        await behind.settled()
        (reply,) = self.replies(asked)
        assert is_whole(reply)
        assert containing in reply.text
        return reply

    async def used(self, behind: Backstage, begun: Interaction, containing: str) -> Message:
        """Return the only answer to a command, when all is over."""
        await self.discord.answer(begun, SECONDS)
        await behind.settled()
        (answer,) = begun.messages
        assert containing in answer.text
        return answer


def app_before(behind: Backstage, chosen: DiscordSettings, token: SecretStr, **options: Any) -> DiscordApp:  # noqa: ANN401
    """Return the app that stands before these parts."""
    return DiscordApp(
        chosen,
        token,
        desk=behind.desk,
        aftercare=behind.aftercare,
        curated=cast("Any", ScriptedCurated()),
        rules=behind.rules,
        engine=behind.engine,
        **{"commands": cast("Any", ScriptedCommands()), **QUICK, **options},
    )


async def started(behind: Backstage, chosen: DiscordSettings, token: str, **options: Any) -> DiscordApp:  # noqa: ANN401
    """Start the app; return it when it is connected."""
    app = app_before(behind, chosen, SecretStr(token), **options)
    behind.desk.join(app.surface)
    behind.start(app)
    async with asyncio.timeout(SECONDS):
        await app.connected.wait()
    return app


@asynccontextmanager
async def team(folder: Path) -> AsyncIterator[Team]:
    """Open a Discord of a team's own."""
    async with DiscordEmulator().running() as discord:
        guild = discord.add_guild()
        general, ann = discord.add_channel(guild), discord.add_member(guild, "Ann")
        yield Team(discord=discord, folder=folder, guild=guild, general=general, ann=ann)
