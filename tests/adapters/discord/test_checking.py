"""What `lorekeeper doctor` and `lorekeeper discord invite` find out about the bot."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from adapters.discord.checking import application_id, check_bot
from adapters.discord.invite import PERMISSIONS
from adapters.errors import PlatformRefused, Remark
from bot.chat_settings import ChannelSettings
from tests.adapters.discord.scripted import settings
from tests.emulators.discord.server import BOT_PERMISSIONS, DiscordEmulator


async def test_a_bot_that_is_in_and_may_all() -> None:
    """A bot with the permissions of its invite link is well, and its application's id is known."""
    async with DiscordEmulator().running() as discord:
        discord.add_guild("Acme")
        token = SecretStr(discord.token)
        assert await check_bot(settings(discord), token) == f"{discord.bot.name} in 1 server"
        assert await application_id(settings(discord), token) == discord.application_id


async def test_what_the_role_may_not_is_named() -> None:
    """A server that withholds a permission is named; what drafts need counts only with drafts."""
    async with DiscordEmulator().running() as discord:
        granted = BOT_PERMISSIONS & ~PERMISSIONS["Create Private Threads"]
        guild = discord.add_guild("Acme", bot_permissions=granted)
        everyone = guild.roles[guild.id]
        everyone.permissions &= ~PERMISSIONS["Create Private Threads"]
        token = SecretStr(discord.token)
        assert "1 server" in await check_bot(settings(discord), token)
        drafts = ChannelSettings(platform="discord", id="1", mode="draft")
        with pytest.raises(Remark, match="'Acme': Create Private Threads"):
            await check_bot(settings(discord), token, (drafts,))


async def test_a_wrong_token_is_refused() -> None:
    """Discord's refusal is told as such, without the token."""
    async with DiscordEmulator().running() as discord:
        with pytest.raises(PlatformRefused, match="Take a new one") as caught:
            await check_bot(settings(discord), SecretStr("wrong.token"))
    assert "wrong.token" not in str(caught.value)


async def test_an_intent_that_is_off_is_told() -> None:
    """The message content intent has to be on where the settings use it."""
    async with DiscordEmulator(message_content=False).running() as discord:
        discord.add_guild("Acme")
        with pytest.raises(PlatformRefused, match="message content intent"):
            await check_bot(settings(discord), SecretStr(discord.token))


async def test_a_bot_in_no_server_is_to_be_invited() -> None:
    """Before it is invited anywhere, doctor says how."""
    async with DiscordEmulator().running() as discord:
        with pytest.raises(Remark, match="lorekeeper discord invite"):
            await check_bot(settings(discord), SecretStr(discord.token))
