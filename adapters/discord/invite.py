"""The link with which the bot is invited to a server, with the least permissions that it works with. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from adapters.discord.settings import DiscordSettings
    from bot.chat_settings import ChannelSettings

SITE = "https://discord.com"
SCOPES = ("bot", "applications.commands")
PERMISSIONS: Mapping[str, int] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Read Message History": 1 << 16,
    "Send Messages in Threads": 1 << 38,
    "Create Public Threads": 1 << 35,
    "Create Private Threads": 1 << 36,
}
ADMINISTRATOR = 1 << 3


def needed(settings: DiscordSettings, channels: Iterable[ChannelSettings] = ()) -> tuple[str, ...]:
    """Return the permissions that the bot needs to do what its settings say, by their names in Discord."""
    ours = [channel for channel in channels if channel.platform == "discord"]
    modes = {settings.answers, *(channel.mode for channel in ours)}
    names = ["View Channels", "Send Messages", "Read Message History", "Send Messages in Threads"]
    if settings.threads or any(channel.threads for channel in ours):
        names.append("Create Public Threads")
    if "draft" in modes:
        names.append("Create Private Threads")
    return tuple(names)


def permissions(settings: DiscordSettings, channels: Iterable[ChannelSettings] = ()) -> int:
    """Return the needed permissions as Discord's number."""
    return sum(PERMISSIONS[name] for name in needed(settings, channels))


def missing(
    granted: int, settings: DiscordSettings, channels: Iterable[ChannelSettings] = ()
) -> tuple[str, ...]:
    """Return the names of the permissions that a number lacks."""
    if granted & ADMINISTRATOR:
        return ()
    return tuple(name for name in needed(settings, channels) if not granted & PERMISSIONS[name])


def invite_link(
    settings: DiscordSettings,
    application: str,
    channels: Iterable[ChannelSettings] = (),
    *,
    server: str = "",
    site: str = SITE,
) -> str:
    """Return the address that invites an application; `server` chooses the server beforehand.

    Raise ValueError when the application's id is none.
    """
    if not (application.isascii() and application.isdigit()):
        raise ValueError(
            f"{application!r} is no id of a Discord application. It is a number, such as 80351110224678912."
        )
    query = {
        "client_id": application,
        "scope": " ".join(SCOPES),
        "permissions": str(permissions(settings, channels)),
        "integration_type": "0",
    }
    if server:
        query |= {"guild_id": server, "disable_guild_select": "true"}
    return f"{site}/oauth2/authorize?{urlencode(query)}"


def application_of(token: str) -> str:
    """Return the id of the application that a token belongs to: its first part holds it; empty if not."""
    first = token.strip().removeprefix("Bot ").partition(".")[0]
    try:
        held = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return held if held.isdigit() and 15 <= len(held) <= 20 else ""
