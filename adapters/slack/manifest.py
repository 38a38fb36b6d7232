"""The app manifest: all that Slack must know of the app, made from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from adapters.slack.interactions import ASK_ABOUT, SAVE
from adapters.slack.settings import SlackSettings

EVENTS_PATH = "/slack/events"
REDIRECT_PATH = "/slack/oauth_redirect"
SHORTCUT_NAME = 24
DESCRIPTION = "Answers questions from your team's documents, with sources."

# What each is for is told in docs/slack.md, line by line; a test compares the two.
BOT_SCOPES: tuple[str, ...] = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "usergroups:read",
    "users:read",
)
BOT_EVENTS: tuple[str, ...] = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)


def manifest(
    settings: SlackSettings,
    *,
    address: str = "",
    name: str = "Lorekeeper",
    prompts: Sequence[tuple[str, str]] = (),
    personas: bool = False,
) -> dict[str, Any]:
    """Return the manifest for these settings; with `personas`, it has their command.

    `address` is the https:// address at which Slack reaches the bot; mode "http" needs it. `prompts` are
    titles and questions that a new conversation offers. Raise ValueError when the address is missing or none.
    """
    web = settings.mode == "http"
    base = _base(address) if web else ""
    whole: dict[str, Any] = {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name[:35],
            "description": DESCRIPTION,
            "background_color": "#1f2937",
        },
        "features": _features(settings, base, name, prompts),
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(BOT_EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not web,
            "token_rotation_enabled": False,
        },
    }
    if web:
        whole["settings"]["event_subscriptions"]["request_url"] = base + EVENTS_PATH
        whole["settings"]["interactivity"]["request_url"] = base + EVENTS_PATH
        whole["oauth_config"]["redirect_urls"] = [base + REDIRECT_PATH]
    if personas:
        whole["features"]["slash_commands"].append(
            _command(
                settings.persona_command, "Choose a voice.", "list | on NAME | off | vote QUESTION", base
            )
        )
    return whole


def _features(
    settings: SlackSettings, base: str, name: str, prompts: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    asking = f"Ask {name} about this"
    asking = asking if len(asking) <= SHORTCUT_NAME else "Ask about this"
    return {
        "agent_view": {
            "agent_description": DESCRIPTION,
            "suggested_prompts": [{"title": title, "message": message} for title, message in prompts[:4]],
        },
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": name[:80], "always_online": True},
        "shortcuts": [
            _shortcut(asking, ASK_ABOUT, "Answers this message's question, for you alone."),
            _shortcut("Save to knowledge base", SAVE, "Keeps this message as a document."),
        ],
        "slash_commands": [
            _command(settings.ask_command, "Ask a question; only you see the answer.", "[question]", base),
            _command(settings.command, "Manage what is known.", "add | list | sync | status | help", base),
        ],
    }


def _shortcut(name: str, callback: str, description: str) -> dict[str, str]:
    return {"name": name, "type": "message", "callback_id": callback, "description": description}


def _command(command: str, description: str, hint: str, base: str) -> dict[str, Any]:
    entry = {"command": command, "description": description, "usage_hint": hint, "should_escape": False}
    return {**entry, "url": base + EVENTS_PATH} if base else entry


def _base(address: str) -> str:
    """Return an address without its last slash; raise ValueError unless Slack can call it."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"{address!r} is no address that Slack can call. Give the https:// address of your server."
        )
    return address.rstrip("/")
