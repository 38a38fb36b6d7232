"""What `lorekeeper slack manifest` and `lorekeeper discord invite` do."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from adapters.cli_options import Place
from adapters.errors import UsageError
from adapters.failures import DONE
from adapters.plain import emit, json_text
from adapters.settings import load_settings, read_discord_token


def run_manifest(place: Place, *, name: str, url: str) -> int:
    """Print the manifest of the Slack app."""
    from adapters.slack.manifest import manifest

    whole = load_settings(place.config, place.data)
    settings = whole.slack
    parts = urlsplit(url)
    if url and (parts.scheme != "https" or not parts.hostname):
        raise UsageError(f"--url {url!r}: give the https:// address at which Slack reaches this server.")
    if settings.mode == "http" and not url:
        raise UsageError('slack.mode is "http": give the server\'s address with --url https://….')
    emit(json_text(manifest(settings, address=url.rstrip("/"), name=name, personas=whole.persona.enabled)))
    return DONE


def run_invite(place: Place, *, application: str) -> int:
    """Print the link that invites the Discord bot."""
    from adapters.discord.invite import invite_link

    whole = load_settings(place.config, place.data)
    settings = whole.discord
    if application and not (application.isascii() and application.isdigit()):
        raise UsageError(f"--id {application!r}: the application's id is a number, on its General page.")
    if not application:
        from adapters.discord.checking import application_id

        application = asyncio.run(application_id(settings, read_discord_token(settings)))
    emit(invite_link(settings, application, whole.channels))
    return DONE
