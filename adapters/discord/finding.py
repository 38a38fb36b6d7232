"""Finds a reply that an earlier try has posted, whole or in part, before another one would be."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.discord.api import LOADING, DiscordApi, Message
from adapters.discord.layouts import custom_id, walk
from bot.chat import Incoming, Posted
from bot.errors import SurfaceGone
from bot.outcomes import answer_id

_LOOKED_AT = 200  # messages behind a question among which a reply is looked for


async def find(api: DiscordApi, incoming: Incoming, *, bot: str) -> Posted | None:
    """Return the reply to what came in, None if there is none; raise `SurfaceBusy` if it cannot be told."""
    if "token" in incoming.reply_to:
        return await _answer(api, incoming)
    place = incoming.place
    if place.thread:
        return await _replies(api, incoming, place.thread, bot)
    # A thread has the id of the message that it hangs at.
    in_thread = await _replies(api, incoming, incoming.message, bot) if place.kind != "direct" else None
    return in_thread or await _replies(api, incoming, place.channel, bot)


async def find_draft(api: DiscordApi, channel: str, incoming: Incoming, *, bot: str) -> tuple[str, ...]:
    """Return the messages of a draft that stands whole in a channel: its buttons name the answer."""
    approves = custom_id("approve", answer_id(incoming.key))
    parts: list[str] = []
    async for message in api.messages(channel, after=int(incoming.message)):
        buttons = {part.get("custom_id") for part in walk(message.get("components", ()))} - {None}
        if str(message.get("author", {}).get("id")) != bot:
            parts.clear()
            continue
        parts.append(str(message["id"]))
        if approves in buttons:
            return tuple(parts)
        if buttons:  # which end another draft
            parts.clear()
    return ()


async def _answer(api: DiscordApi, incoming: Incoming) -> Posted | None:
    """Return what answers an interaction, once it is more than "thinking"."""
    try:
        message = await api.original(incoming.reply_to["application"], incoming.reply_to["token"])
    except SurfaceGone:
        return None
    if message.get("flags", 0) & LOADING:
        return None
    channel = incoming.place.thread or incoming.place.channel
    return Posted(channel=channel, messages=(str(message["id"]),))


async def _replies(api: DiscordApi, incoming: Incoming, channel: str, bot: str) -> Posted | None:
    behind: list[Message] = []
    try:
        async for message in api.messages(channel, after=int(incoming.message)):
            behind.append(message)
            if len(behind) >= _LOOKED_AT:
                break
    except SurfaceGone:
        return None  # no such thread, or no right to read it: then nothing was posted there
    begins_thread = channel == incoming.message
    found = _parts(behind, incoming.message, bot, begins_thread=begins_thread)
    if not found:
        return None
    thread = channel if begins_thread or incoming.place.thread else ""
    return Posted(channel=incoming.place.channel, thread=thread, messages=found)


def _parts(behind: Sequence[Message], question: str, bot: str, *, begins_thread: bool) -> tuple[str, ...]:
    """Return the bot's first message to the question and those that follow it directly."""
    found: list[str] = []
    for message in behind:
        ours = str(message.get("author", {}).get("id")) == bot
        about = str((message.get("message_reference") or {}).get("message_id", ""))
        if not found:
            if ours and (about == question or (begins_thread and not about)):
                found.append(str(message["id"]))
        elif ours and not about:
            found.append(str(message["id"]))
        else:
            break
    return tuple(found)
