"""A Discord with one server, one channel and one person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.emulators.discord.places import Channel, Guild, Member
from tests.emulators.discord.server import DiscordEmulator


@dataclass(frozen=True, slots=True)
class Town:
    """The emulator and who is in it."""

    discord: DiscordEmulator
    guild: Guild
    general: Channel
    ann: Member


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with DiscordEmulator().running() as discord:
        guild = discord.add_guild()
        yield Town(discord, guild, discord.add_channel(guild), discord.add_member(guild, "Ann"))
