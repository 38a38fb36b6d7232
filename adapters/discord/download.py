"""Files that came with a message, read from Discord's own hosts alone and never with the bot's token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.chat import Attachment
from bot.errors import CommandError
from bot.texts import ENGLISH

_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_SECONDS = 60.0
LARGEST = 20_000_000


def attachment(data: Mapping[str, Any]) -> Attachment:
    """Return a file as Discord describes it."""
    return Attachment(
        id=str(data["id"]),
        name=str(data.get("filename", "")),
        media_type=str(data.get("content_type") or ""),
        size=int(data.get("size", 0)),
        url=str(data.get("url", "")),
    )


async def download(attachment: Attachment, *, limit: int, api_url: str) -> bytes:
    """Return a file's bytes; raise `CommandError` when it is larger than `limit` bytes or cannot be had."""
    if attachment.size > limit:
        raise _too_large(attachment, limit)
    if not _is_discords(attachment.url, api_url):
        raise CommandError(ENGLISH.file_elsewhere.format(name=attachment.name))
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(attachment.url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise CommandError(
                    ENGLISH.file_refused.format(
                        platform="Discord", name=attachment.name, reason=f"HTTP {response.status}"
                    )
                )
            return await _read(response, attachment, limit)
    except (aiohttp.ClientError, OSError) as exc:
        reason = type(exc).__name__
        raise CommandError(ENGLISH.file_not_fetched.format(name=attachment.name, reason=reason)) from exc


def _is_discords(url: str, api_url: str) -> bool:
    """Whether an address is Discord's own, or the host that takes the API's place."""
    there, api = urlsplit(url), urlsplit(api_url)
    if there.scheme == "https" and there.hostname in _HOSTS:
        return True
    return (there.scheme, there.netloc) == (api.scheme, api.netloc)


async def _read(response: aiohttp.ClientResponse, attachment: Attachment, limit: int) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_chunked(1 << 16):
        data += piece
        if len(data) > limit:
            raise _too_large(attachment, limit)
    return bytes(data)


def _too_large(attachment: Attachment, limit: int) -> CommandError:
    return CommandError(ENGLISH.file_too_large.format(name=attachment.name, most=limit // 1_000_000))
