"""`[discord]`: how Discord is reached."""

from __future__ import annotations

from pydantic import Field

from bot.chat_settings import PlatformSettings
from kb.settings import Interval


class DiscordSettings(PlatformSettings):
    """`[discord]`: the Discord bot."""

    api_url: str = Field("https://discord.com/api/v10", description="Base URL of the HTTP API.")
    gateway_url: str = Field("", description="Address of the gateway; empty: the one that the API names.")
    token_env: str = Field("DISCORD_BOT_TOKEN", description="Variable that holds the bot token.")
    message_content: bool = Field(
        False, description="The app has the message content intent: follow-ups and auto-answers need it."
    )
    threads: bool = Field(True, description="Answer questions in channels in a thread made for them.")
    shards: int = Field(0, ge=0, description="Gateway connections; 0: one, without sharding.")
    servers: tuple[str, ...] = Field(
        (), description="Server ids to install the commands in at once; empty: all."
    )
    catch_up: Interval = Field(
        "6h", description="After a restart, answer what was asked meanwhile, as far back."
    )
