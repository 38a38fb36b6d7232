"""What a bot may do in a Discord channel.

Discord does not refuse a reader who lacks a permission: it shows no messages, or messages without text. Taken
for the truth, either would delete what is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
READ_MESSAGE_HISTORY = 1 << 16
MESSAGE_CONTENT_FLAGS = 1 << 18 | 1 << 19

Payload = Mapping[str, Any]


def may_read_history(member: Payload, roles: Iterable[Payload], channel: Payload) -> bool:
    """Compute whether a member may see a channel and its history, as Discord documents it.

    The roles' permissions add up; an administrator may everything; then the channel's overwrites count: that
    of everyone, those of the roles together, that of the member.
    """
    guild = str(channel.get("guild_id"))
    held = {guild, *(str(role) for role in member.get("roles") or ())}
    allowed = 0
    for role in roles:
        if str(role.get("id")) in held:
            allowed |= _bits(role.get("permissions"))
    if allowed & ADMINISTRATOR:
        return True
    overwrites = [one for one in channel.get("permission_overwrites") or () if isinstance(one, dict)]
    user = member.get("user")
    itself = str(user.get("id")) if isinstance(user, dict) else ""
    for ids in ({guild}, held - {guild}, {itself}):
        allowed = _overwritten(allowed, [one for one in overwrites if str(one.get("id")) in ids])
    needed = VIEW_CHANNEL | READ_MESSAGE_HISTORY
    return allowed & needed == needed


def _overwritten(allowed: int, overwrites: Iterable[Payload]) -> int:
    deny = grant = 0
    for one in overwrites:
        deny |= _bits(one.get("deny"))
        grant |= _bits(one.get("allow"))
    return allowed & ~deny | grant


def _bits(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0
