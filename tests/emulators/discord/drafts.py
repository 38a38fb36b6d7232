"""A message's body as a bot sends it: checked by Discord's rules and made into a `Draft`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.emulators.discord import components, mentions, permissions
from tests.emulators.discord.errors import ApiError, Payload, checked_length, invalid
from tests.emulators.discord.messages import (
    COMPONENTS_V2,
    DEFAULT,
    EPHEMERAL,
    REPLY,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    Message,
    Upload,
)
from tests.emulators.discord.places import Channel
from tests.emulators.discord.world import Draft, World

_SETTABLE = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
_EDITABLE = SUPPRESS_EMBEDS | COMPONENTS_V2
_EMBED_LIMITS = {"title": 256, "description": 4096}
_ANSWERABLE = frozenset({DEFAULT, REPLY, 20, 23})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came in: the fields, and the files by their position."""

    body: Payload
    files: dict[int, Upload]


def new(world: World, channel: Channel, sent: Sent, *, ephemeral: bool = False) -> Draft:
    """Return the draft of a new message; raise `ApiError`."""
    body = sent.body
    draft = Draft(tts=bool(body.get("tts")), nonce=body.get("nonce"))
    draft.enforce_nonce = bool(body.get("enforce_nonce"))
    if isinstance(draft.nonce, str) and len(draft.nonce) > 25:
        raise invalid("nonce", "NONCE_TYPE_TOO_LONG", "Nonce must be 25 or fewer in length.")
    draft.flags = int(body.get("flags") or 0) & (_SETTABLE | EPHEMERAL)
    _fill(world, channel, draft, sent, kept=None)
    reference = body.get("message_reference")
    if reference:
        draft.referenced = _referenced(world, channel, reference)
    _notify(world, draft, body.get("allowed_mentions"), has_reference=bool(draft.referenced))
    if not ephemeral and sent.files and not world.may(channel, permissions.ATTACH_FILES):
        raise ApiError(50013)
    if draft.empty:
        raise ApiError(50006)
    return draft


def edited(world: World, message: Message, sent: Sent) -> Draft:
    """Return the draft of a message's new state: what the request leaves out stays; raise `ApiError`."""
    body = sent.body
    draft = Draft(nonce=message.nonce, tts=message.tts, referenced=message.referenced)
    flags = message.flags
    if body.get("flags") is not None:
        # A message with components v2 keeps the flag whatever an edit says.
        flags = flags & ~SUPPRESS_EMBEDS | int(body["flags"]) & _EDITABLE
    draft.flags = flags
    _fill(world, message.channel, draft, sent, kept=message)
    _notify(world, draft, body.get("allowed_mentions"), has_reference=bool(message.referenced))
    if draft.empty:
        raise ApiError(50006)
    return draft


def _fill(world: World, channel: Channel, draft: Draft, sent: Sent, *, kept: Message | None) -> None:
    body = sent.body
    v2 = bool(draft.flags & COMPONENTS_V2)
    if "content" in body:
        draft.content = _content(body["content"])
    elif kept is not None:
        draft.content = kept.content
    if "embeds" in body:
        draft.embeds = _embeds(body["embeds"] or [])
    elif kept is not None:
        draft.embeds = kept.embeds
    if v2 and (draft.content or draft.embeds):
        raise invalid(
            "content" if draft.content else "embeds",
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            "The 'content' and 'embeds' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2",
        )
    draft.attachments = _attachments(world, channel, sent, kept)
    names = frozenset(one["filename"] for one in draft.attachments)
    if "components" in body:
        draft.components = components.of_message(body["components"] or [], v2=v2, files=names)
        _resolve(draft)
    elif kept is not None:
        draft.components = kept.components


def _content(given: object) -> str:
    if given is None:
        return ""
    checked_length("content", given, most=2000)
    return str(given).strip()


def _embeds(given: list[Payload]) -> list[Payload]:
    if len(given) > 10:
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    total = 0
    for index, embed in enumerate(given):
        for key, most in _EMBED_LIMITS.items():
            if embed.get(key) is not None:
                checked_length(f"embeds.{index}.{key}", embed[key], most=most)
                total += len(embed[key])
        fields = embed.get("fields") or []
        if len(fields) > 25:
            raise invalid(f"embeds.{index}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for number, one in enumerate(fields):
            checked_length(f"embeds.{index}.fields.{number}.name", one.get("name"), most=256, least=1)
            checked_length(f"embeds.{index}.fields.{number}.value", one.get("value"), most=1024, least=1)
            total += len(one["name"]) + len(one["value"])
        total += len((embed.get("footer") or {}).get("text") or "")
        total += len((embed.get("author") or {}).get("name") or "")
    if total > 6000:
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
    return [{"type": "rich"} | embed for embed in given]


def _attachments(world: World, channel: Channel, sent: Sent, kept: Message | None) -> list[Payload]:
    """Return the attachments after a request: those it names, its new files, or all that were there."""
    held = {one["id"]: one for one in kept.attachments} if kept else {}
    listed: Any = sent.body.get("attachments")
    if listed is None:
        return list(held.values()) + [world.upload(channel, one) for one in sent.files.values()]
    found: list[Payload] = []
    taken = set()
    for index, one in enumerate(listed):
        key = str(one.get("id"))
        if key in held:
            found.append(held[key])
        elif key.isdecimal() and int(key) in sent.files:
            taken.add(int(key))
            found.append(world.upload(channel, _renamed(sent.files[int(key)], one)))
        else:
            raise invalid(f"attachments.{index}.id", "ATTACHMENT_NOT_FOUND", f"No attachment {key!r}")
    return found + [world.upload(channel, one) for key, one in sent.files.items() if key not in taken]


def _renamed(upload: Upload, given: Payload) -> Upload:
    return Upload(
        name=given.get("filename") or upload.name,
        data=upload.data,
        media_type=upload.media_type,
        description=given.get("description") or "",
    )


def _resolve(draft: Draft) -> None:
    """Give media components that point at an attachment the address where it is."""
    addresses = {f"attachment://{one['filename']}": one for one in draft.attachments}
    for one in components.walk(draft.components):
        items = [item["media"] for item in one.get("items", ())]
        for media in [*items, *(one[key] for key in ("media", "file") if key in one)]:
            attachment = addresses.get(media["url"])
            if attachment:
                media |= {"url": attachment["url"], "proxy_url": attachment["url"]}
                if one["type"] == components.FILE:
                    one["size"] = attachment["size"]


def _referenced(world: World, channel: Channel, given: Payload) -> Message | None:
    if not world.may(channel, permissions.READ_MESSAGE_HISTORY):
        raise ApiError(160002)
    found = channel.messages.get(str(given.get("message_id")))
    elsewhere = given.get("channel_id") and str(given["channel_id"]) != channel.id
    if elsewhere or found is None or found.ephemeral:
        if given.get("fail_if_not_exists") is False and not elsewhere:
            return None
        raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    if found.type not in _ANSWERABLE:
        raise invalid(
            "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
        )
    return found


def _notify(world: World, draft: Draft, allowed: Payload | None, *, has_reference: bool) -> None:
    shown = [one["content"] for one in components.walk(draft.components) if one["type"] == components.TEXT]
    text = "\n".join([draft.content, *shown])
    replied_to = draft.referenced.author.id if has_reference and draft.referenced else ""
    draft.pings = mentions.notified(text, allowed, replied_to=replied_to)
    draft.pings.users.discard(world.me.id)
    draft.named = mentions.named(text)
    if replied_to and replied_to in draft.pings.users:
        draft.named.users.add(replied_to)
