from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import discord
import pytest

from adapters.discord.invite import PERMISSIONS, application_of, invite_link, missing, needed, permissions
from adapters.discord.settings import DiscordSettings
from bot.chat_settings import ChannelSettings

BASIC = ("View Channels", "Send Messages", "Read Message History", "Send Messages in Threads")


def test_least_permissions() -> None:
    """The bot asks for what its settings need: threads when it makes them, private ones for drafts."""
    assert needed(DiscordSettings(threads=False)) == BASIC
    assert needed(DiscordSettings()) == (*BASIC, "Create Public Threads")
    drafts = [ChannelSettings(platform="discord", id="1", mode="draft")]
    assert needed(DiscordSettings(), drafts)[-1] == "Create Private Threads"
    elsewhere = [ChannelSettings(platform="slack", id="1", mode="draft")]
    assert needed(DiscordSettings(), elsewhere) == needed(DiscordSettings())


def test_bits_are_those_of_discord() -> None:
    """The numbers are those that discord.py has for the same permissions."""
    flags = {
        "View Channels": "view_channel",
        "Send Messages": "send_messages",
        "Read Message History": "read_message_history",
        "Send Messages in Threads": "send_messages_in_threads",
        "Create Public Threads": "create_public_threads",
        "Create Private Threads": "create_private_threads",
    }
    theirs = {name: discord.Permissions(**{flag: True}).value for name, flag in flags.items()}
    assert dict(PERMISSIONS) == theirs


def test_link() -> None:
    """The link names application, scopes, permissions and, when chosen, the server."""
    settings = DiscordSettings()
    parts = urlsplit(invite_link(settings, "80351110224678912", server="42"))
    assert (parts.netloc, parts.path) == ("discord.com", "/oauth2/authorize")
    assert parse_qs(parts.query) == {
        "client_id": ["80351110224678912"],
        "scope": ["bot applications.commands"],
        "permissions": [str(permissions(settings))],
        "integration_type": ["0"],
        "guild_id": ["42"],
        "disable_guild_select": ["true"],
    }


@pytest.mark.parametrize("application", ["", "abc", "12 34", "١٢٣"])
def test_a_wrong_application_is_refused(application: str) -> None:
    """What is no id makes no link."""
    with pytest.raises(ValueError, match="no id of a Discord application"):
        invite_link(DiscordSettings(), application)


def test_missing() -> None:
    """What a server did not grant is named; an administrator lacks nothing."""
    settings = DiscordSettings()
    granted = permissions(settings) & ~PERMISSIONS["Create Public Threads"]
    assert missing(granted, settings) == ("Create Public Threads",)
    assert missing(permissions(settings), settings) == ()
    assert missing(1 << 3, settings) == ()


def test_application_of_a_token() -> None:
    """The first part of a token holds the application's id; other text holds none."""
    first = base64.urlsafe_b64encode(b"80351110224678912").decode().rstrip("=")
    assert application_of(f"{first}.abc.def") == "80351110224678912"
    assert application_of(f"Bot {first}.abc.def") == "80351110224678912"
    for other in ("", "abc", "!!!.x", "é.x", "eA.x"):
        assert application_of(other) == ""
