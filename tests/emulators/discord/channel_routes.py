"""The HTTP API of channels: messages, threads, typing, reactions."""

from __future__ import annotations

from bisect import bisect_right

from tests.emulators.discord import drafts, permissions
from tests.emulators.discord.calls import Call, Reply
from tests.emulators.discord.errors import ApiError, Payload, Plain, checked_length, invalid
from tests.emulators.discord.messages import DEFAULT, REPLY, Message
from tests.emulators.discord.places import FORUM, NEWS, PRIVATE_THREAD, PUBLIC_THREAD, TEXT, Channel
from tests.emulators.discord.world import (
    DIRECT_TYPING,
    GUILD_TYPING,
    GUILDS,
    World,
)

_DURATIONS = frozenset({60, 1440, 4320, 10080})


async def show_channel(call: Call) -> Reply:
    channel = call.world.channel(call.args["channel_id"])
    shown = channel.payload()
    if channel.is_thread and call.world.me.id in channel.members:
        shown["member"] = channel.member(call.world.me.id)
    return 200, shown


async def edit_channel(call: Call) -> Reply:
    """Change a thread's state or a channel's name and topic."""
    world, fields = call.world, call.fields
    channel = world.channel(call.args["channel_id"])
    if not channel.is_thread:
        world.need(channel, permissions.MANAGE_CHANNELS)
    elif channel.owner_id != world.me.id or fields.get("locked") is not None:
        world.need(channel, permissions.MANAGE_THREADS)
    if "name" in fields:
        checked_length("name", fields["name"], most=100, least=1)
        channel.name = fields["name"]
    if "topic" in fields and not channel.is_thread:
        channel.topic = fields["topic"]
    if channel.is_thread:
        if channel.archived and fields.get("archived") is not False:
            raise ApiError(50083)
        channel.auto_archive = fields.get("auto_archive_duration") or channel.auto_archive
        channel.tags = fields.get("applied_tags", channel.tags)
        archived = fields.get("archived", channel.archived)
        world.set_archived(channel, archived=archived, locked=fields.get("locked"))
    else:
        world.emit("CHANNEL_UPDATE", channel.payload(), guild_id=channel.guild_id, intent=GUILDS)
    return 200, channel.payload()


async def delete_channel(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    if channel.is_direct:
        return 200, channel.payload()
    world.need(channel, permissions.MANAGE_THREADS if channel.is_thread else permissions.MANAGE_CHANNELS)
    drop_channel(world, channel)
    return 200, channel.payload()


def drop_channel(world: World, channel: Channel) -> None:
    """Delete a channel or thread with its messages, and tell the gateway."""
    guild = world.guilds[channel.guild_id]
    for inner in [one for one in guild.channels.values() if one.is_thread and one.parent_id == channel.id]:
        drop_channel(world, inner)
    shown = channel.payload()
    if channel.is_thread:
        shown = {key: shown[key] for key in ("id", "guild_id", "parent_id", "type")}
    world.emit(
        "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE",
        shown,
        guild_id=channel.guild_id,
        intent=GUILDS,
    )
    for message in channel.messages.values():
        message.deleted = True
    del guild.channels[channel.id], world.channels[channel.id]


# Messages


def _sendable(world: World, channel: Channel) -> None:
    """Raise `ApiError` unless the bot may write here."""
    if not channel.holds_text:
        raise ApiError(50008)
    if channel.is_direct:
        if any(one.closed for one in channel.recipients):
            raise ApiError(50007)
        return
    threads = channel.is_thread
    world.need(channel, permissions.SEND_MESSAGES_IN_THREADS if threads else permissions.SEND_MESSAGES)
    if channel.archived and channel.locked and not world.may(channel, permissions.MANAGE_THREADS):
        raise ApiError(50083)


async def create_message(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    _sendable(world, channel)
    draft = drafts.new(world, channel, call.sent)
    draft.flags &= ~(1 << 6)
    before = world.posted_before(draft)
    if before is not None:
        return 200, world.shown(before)
    kind = REPLY if draft.referenced is not None else DEFAULT
    return 200, world.shown(world.post(channel, world.me, draft, type=kind))


async def list_messages(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    if not channel.holds_text:
        raise ApiError(50008)
    limit = _limit(call.query.get("limit", "50"), most=100)
    if not world.may(channel, permissions.READ_MESSAGE_HISTORY):
        return 200, []
    return 200, [world.shown(one) for one in _page(channel, call, limit)]


def _page(channel: Channel, call: Call, limit: int) -> list[Message]:
    """Return a page, newest first: before, after or around an id, else the newest."""
    query = call.query
    # They were put in by their ids, which grow.
    held = [one for one in channel.messages.values() if not one.ephemeral]
    ids = [int(one.id) for one in held]
    if "after" in query:
        start = bisect_right(ids, _snowflake("after", query["after"]))
        found = held[start : start + limit]
    elif "around" in query:
        middle = bisect_right(ids, _snowflake("around", query["around"]))
        start = max(0, middle - 1 - limit // 2)
        found = held[start : start + limit]
    else:
        end = bisect_right(ids, _snowflake("before", query["before"]) - 1) if "before" in query else len(ids)
        found = held[max(0, end - limit) : end]
    return found[::-1]


def _snowflake(name: str, given: str) -> int:
    if not given.isdecimal():
        raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{given}" is not snowflake.')
    return int(given)


def _limit(given: str, *, most: int) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise invalid("limit", "NUMBER_TYPE_MAX", f"int value should be between 1 and {most}.")
    return int(given)


async def show_message(call: Call) -> Reply:
    channel = call.world.channel(call.args["channel_id"])
    call.world.need(channel, permissions.READ_MESSAGE_HISTORY)
    return 200, call.world.shown(call.world.message(channel, call.args["message_id"]))


async def edit_message(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    message = world.message(channel, call.args["message_id"])
    if message.author is not world.me:
        raise ApiError(50005)
    if channel.archived:
        raise ApiError(50083)
    world.revise(message, drafts.edited(world, message, call.sent))
    return 200, world.shown(message)


async def delete_message(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    message = world.message(channel, call.args["message_id"])
    if message.author is not world.me:
        world.need(channel, permissions.MANAGE_MESSAGES)
    if message.type == 21:
        raise ApiError(50021)
    if channel.archived:
        raise ApiError(50083)
    world.remove(message)
    return 204, None


async def typing(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    _sendable(world, channel)
    now = world.clock.now()
    world.typing.append((now, channel.id))
    data: Payload = {"channel_id": channel.id, "user_id": world.me.id, "timestamp": int(now)}
    if channel.guild_id:
        member = world.guilds[channel.guild_id].members[world.me.id]
        data |= {"guild_id": channel.guild_id, "member": member.payload()}
    intent = GUILD_TYPING if channel.guild_id else DIRECT_TYPING
    world.emit("TYPING_START", data, guild_id=channel.guild_id, intent=intent)
    return 204, None


async def react(call: Call) -> Reply:
    return await _reaction(call, add=True)


async def unreact(call: Call) -> Reply:
    return await _reaction(call, add=False)


async def _reaction(call: Call, *, add: bool) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    message = world.message(channel, call.args["message_id"])
    world.need(channel, permissions.READ_MESSAGE_HISTORY)
    emoji = call.args["emoji_name"]
    who = message.reactions.setdefault(emoji, set())
    if add:
        world.need(channel, permissions.ADD_REACTIONS)
        who.add(world.me.id)
        message.reacted.add(emoji)
    else:
        who.discard(world.me.id)
        message.reacted.discard(emoji)
    if not who:
        del message.reactions[emoji]
    world.pulse.beat()
    return 204, None


# Threads


def _thread_name(call: Call) -> str:
    checked_length("name", call.fields.get("name"), most=100, least=1)
    duration = call.fields.get("auto_archive_duration")
    if duration is not None and duration not in _DURATIONS:
        raise invalid(
            "auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(_DURATIONS)}."
        )
    return str(call.fields["name"])


async def thread_on_message(call: Call) -> Reply:
    world = call.world
    channel = world.channel(call.args["channel_id"])
    message = world.message(channel, call.args["message_id"])
    if channel.type not in {TEXT, NEWS}:
        raise ApiError(50024)
    world.need(channel, permissions.CREATE_PUBLIC_THREADS | permissions.READ_MESSAGE_HISTORY)
    name = _thread_name(call)
    if message.thread is not None:
        raise ApiError(160004)
    thread = world.open_thread(channel, world.me, name, message=message)
    thread.auto_archive = call.fields.get("auto_archive_duration") or thread.auto_archive
    return 201, thread.payload() | {"member": thread.member(world.me.id)}


async def create_thread(call: Call) -> Reply:
    """Open a thread without a message, or a forum's post."""
    world = call.world
    channel = world.channel(call.args["channel_id"])
    name = _thread_name(call)
    if channel.type == FORUM:
        return _forum_post(call, channel, name)
    if channel.type not in {TEXT, NEWS}:
        raise ApiError(50024)
    kind = call.fields.get("type") or PRIVATE_THREAD
    needed = (
        permissions.CREATE_PRIVATE_THREADS if kind == PRIVATE_THREAD else permissions.CREATE_PUBLIC_THREADS
    )
    world.need(channel, needed)
    thread = world.open_thread(channel, world.me, name, kind=kind)
    return 201, thread.payload() | {"member": thread.member(world.me.id)}


def _forum_post(call: Call, forum: Channel, name: str) -> Reply:
    world = call.world
    world.need(forum, permissions.SEND_MESSAGES)
    given = call.fields.get("message")
    if not isinstance(given, dict):
        raise invalid("message", "BASE_TYPE_REQUIRED", "This field is required")
    draft = drafts.new(world, forum, drafts.Sent(body=given, files=call.files))
    thread = world.open_thread(forum, world.me, name, kind=PUBLIC_THREAD)
    thread.tags = [str(one) for one in call.fields.get("applied_tags") or ()]
    first = world.post(thread, world.me, draft, id=thread.id)
    return 201, thread.payload() | {"member": thread.member(world.me.id), "message": world.shown(first)}


def _thread(call: Call) -> Channel:
    thread = call.world.channel(call.args["channel_id"])
    if not thread.is_thread:
        raise ApiError(50024)
    return thread


async def join_thread(call: Call) -> Reply:
    thread = _thread(call)
    if thread.archived:
        raise ApiError(50083)
    user = call.args.get("user_id", call.world.me.id)
    if user not in call.world.users:
        raise ApiError(10013)
    thread.members.setdefault(user, call.world.clock.now())
    return 204, None


async def leave_thread(call: Call) -> Reply:
    thread = _thread(call)
    user = call.args.get("user_id", call.world.me.id)
    if user != call.world.me.id:
        call.world.need(thread, permissions.MANAGE_THREADS)
    thread.members.pop(user, None)
    return 204, None


async def thread_member(call: Call) -> Reply:
    thread = _thread(call)
    user = call.args["user_id"]
    if user not in thread.members:
        raise ApiError(10007)
    return 200, thread.member(user)


async def thread_members(call: Call) -> Reply:
    thread = _thread(call)
    if not call.world.see_members:
        raise ApiError(50001)
    return 200, [thread.member(one) for one in sorted(thread.members)]


async def archived_threads(call: Call) -> Reply:
    world = call.world
    parent = world.channel(call.args["channel_id"])
    world.need(parent, permissions.READ_MESSAGE_HISTORY)
    kind = PRIVATE_THREAD if call.template.endswith("private") else PUBLIC_THREAD
    if kind == PRIVATE_THREAD:
        world.need(parent, permissions.MANAGE_THREADS)
    inner = world.guilds[parent.guild_id].channels.values()
    found = [one for one in inner if one.parent_id == parent.id and one.type == kind and one.archived]
    found.sort(key=lambda one: one.archived_at, reverse=True)
    shown = [one.payload() for one in found]
    if "before" in call.query:
        shown = [one for one in shown if one["thread_metadata"]["archive_timestamp"] < call.query["before"]]
    limit = _limit(call.query.get("limit", "50"), most=100)
    return 200, {"threads": shown[:limit], "members": [], "has_more": len(shown) > limit}


async def open_direct(call: Call) -> Reply:
    """Open the direct conversation with someone."""
    user = call.world.users.get(str(call.fields.get("recipient_id")))
    if user is None or user.bot:
        raise ApiError(50033)
    return 200, call.world.direct_channel(user).payload()


async def not_served(_call: Call) -> Reply:
    raise Plain(404, "Not Found")
