"""What `lorekeeper doctor` asks Discord: whether it lets the bot in, with the intents that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import SecretStr

from adapters.discord.invite import missing
from adapters.discord.settings import DiscordSettings
from adapters.errors import PlatformRefused, Remark, UsageError

if TYPE_CHECKING:
    from bot.chat_settings import ChannelSettings

_SECONDS = 15
# Flags of an application: the message content intent, for verified and for small apps.
_MESSAGE_CONTENT = (1 << 18) | (1 << 19)


async def check_bot(
    settings: DiscordSettings, token: SecretStr, channels: Sequence[ChannelSettings] = ()
) -> str:
    """Return who the bot is and where; raise `PlatformRefused` or, for what can wait, `Remark`."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    headers = {"Authorization": f"Bot {token.get_secret_value()}"}
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        application = await _asked(session, settings, "/applications/@me")
        servers = await _asked(session, settings, "/users/@me/guilds")
    if settings.message_content and not int(application.get("flags", 0)) & _MESSAGE_CONTENT:
        raise PlatformRefused(
            "discord.message_content is true and the app has not the message content intent. Switch it on at "
            "discord.com/developers, Bot, Privileged Gateway Intents, or set the key to false."
        )
    name = application.get("name", "the bot")
    if not servers:
        raise Remark(f"{name} is in no server yet. Invite it: lorekeeper discord invite")
    for server in servers:
        if lacking := missing(int(server.get("permissions", 0)), settings, channels):
            raise Remark(
                f"{name} may not do all that it needs in the server {server.get('name')!r}: "
                f"{', '.join(lacking)}. Give its role these, or open the link of: lorekeeper discord invite"
            )
    return f"{name} in {len(servers):,} server{'' if len(servers) == 1 else 's'}"


async def application_id(settings: DiscordSettings, token: SecretStr) -> str:
    """Return the id of the application that the token belongs to."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    headers = {"Authorization": f"Bot {token.get_secret_value()}"}
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        return str((await _asked(session, settings, "/applications/@me"))["id"])


async def _asked(session: aiohttp.ClientSession, settings: DiscordSettings, path: str) -> Any:  # noqa: ANN401
    url = f"{settings.api_url.rstrip('/')}{path}"
    try:
        async with session.get(url) as response:
            if response.status in {401, 403}:
                raise PlatformRefused(
                    f"Discord refused the token of discord.token_env ({response.status}). Take a new one "
                    "at discord.com/developers, Bot, Reset Token."
                )
            if response.status != 200:
                raise UsageError(f"{url} answered {response.status}. Try again later.")
            return await response.json()
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise UsageError(
            f"{settings.api_url} does not answer. Check the network, a proxy and discord.api_url."
        ) from None
