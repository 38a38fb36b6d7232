"""Files that people drop on the bot: fetched with its token, from Slack alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bot.errors import CommandError
from bot.texts import ENGLISH

if TYPE_CHECKING:
    from adapters.slack.client import Api
    from bot.chat import Attachment

FILE_HOST = "files.slack.com"
_OK = 200
_TEAM = re.compile(r"/files-(?:pri|tmb)/([TE][A-Z0-9]+)-")
_CHUNK = 65_536


async def download(
    session: aiohttp.ClientSession, api: Api, attachment: Attachment, *, api_url: str, limit: int
) -> bytes:
    """Return a file's bytes; raise `CommandError` when it is too large or cannot be had."""
    name, url = attachment.name, attachment.url
    if attachment.size > limit:
        raise _too_large(name, limit)
    if not _is_slack(url, api_url):
        # The token goes with the request: it must reach no other host.
        raise CommandError(ENGLISH.file_elsewhere.format(name=name))
    headers = {"Authorization": f"Bearer {api.client.token}"}
    try:
        async with session.get(url, headers=headers, allow_redirects=False) as reply:
            if reply.status != _OK or reply.content_type == "text/html" != attachment.media_type:
                # Slack shows its sign-in page where the scope files:read is missing.
                reason = f"HTTP {reply.status}, scope files:read"
                raise CommandError(ENGLISH.file_refused.format(platform="Slack", name=name, reason=reason))
            return await _read(reply, name, limit)
    except (aiohttp.ClientError, TimeoutError) as exc:
        reason = type(exc).__name__
        raise CommandError(ENGLISH.file_not_fetched.format(name=name, reason=reason)) from exc


def workspace(attachment: Attachment) -> str:
    """Return the workspace that keeps a file, as its address tells; empty when it does not."""
    found = _TEAM.search(urlsplit(attachment.url).path)
    return found[1] if found else ""


async def _read(reply: aiohttp.ClientResponse, name: str, limit: int) -> bytes:
    data = bytearray()
    async for chunk in reply.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise _too_large(name, limit)
    return bytes(data)


def _too_large(name: str, limit: int) -> CommandError:
    return CommandError(ENGLISH.file_too_large.format(name=name, most=limit // 1_000_000))


def _is_slack(url: str, api_url: str) -> bool:
    parts = urlsplit(url)
    at_api = parts[:2] == urlsplit(api_url)[:2]
    return at_api or (parts.scheme == "https" and parts.netloc == FILE_HOST)
