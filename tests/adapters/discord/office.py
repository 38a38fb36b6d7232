"""A Discord server whose people read German, and a bot in it that is asked there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.adapters.backstage import Assistants
from tests.adapters.discord.whole import team
from tests.contracts.chat_world import SECONDS, serving
from tests.contracts.discord_chat_world import registered
from tests.contracts.discord_chat_world import secrets as secrets_of
from tests.emulators.discord.places import Channel, Member
from tests.emulators.discord.server import DiscordEmulator

SETTINGS = """
[discord]
enabled = true
api_url = "{discord.api_url}"
admins = ["{ann.id}"]
"""


async def said(folder: Path, answers: Assistants, *asked: str, per_person: int = 100) -> list[str]:
    """Return what a German bot says to questions."""
    async with team(folder) as town, town.bot(answers=answers, language="de", per_person=per_person) as bot:
        return [(await town.once(bot, await town.say(one), "")).text.strip() for one in asked]


@dataclass(frozen=True, kw_only=True)
class Office:
    """A server whose people read German: Ann may change what is known, Bob may not."""

    discord: DiscordEmulator
    ann: Member
    bob: Member
    channel: Channel

    async def kb(self, text: str, user: Member) -> str:
        """Use a command, with the name of a source behind it or alone; return what its user is told."""
        verb, _, source = text.partition(" ")
        options = {"source": source} if source else {}
        used = await self.discord.command(f"kb {verb}", options, user=user, channel=self.channel)
        message = (await self.discord.answer(used, SECONDS)).messages[0]
        assert message.ephemeral_to == user.id
        return message.text


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    """Open an office with a bot that serves in it."""
    async with DiscordEmulator().running() as discord:
        guild = discord.add_guild()
        channel = discord.add_channel(guild)
        ann, bob = (discord.add_member(guild, name, locale="de") for name in ("Ann", "Bob"))
        (folder / "config.toml").write_text("", encoding="utf-8")
        async with serving(folder, SETTINGS.format(discord=discord, ann=ann), secrets_of(discord)):
            await registered(discord)
            yield Office(discord=discord, ann=ann, bob=bob, channel=channel)
