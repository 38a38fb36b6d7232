"""What people do in Discord: write, edit, use commands, press buttons, fill in forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.emulators.discord import commands, drafts, interactions, permissions
from tests.emulators.discord.channel_routes import drop_channel
from tests.emulators.discord.components import SELECTS
from tests.emulators.discord.errors import Payload
from tests.emulators.discord.interactions import Interaction
from tests.emulators.discord.mentions import named
from tests.emulators.discord.messages import DEFAULT, REPLY, Message, Upload
from tests.emulators.discord.places import PUBLIC_THREAD, Channel, Member, User
from tests.emulators.discord.world import DIRECT_TYPING, GUILD_MEMBERS, GUILD_TYPING, GUILDS, Draft, World

Someone = User | Member
NotRegistered = commands.NotRegistered


class Refused(Exception):
    """Discord's own client does not let a person do this."""


def account(someone: Someone) -> User:
    return someone.user if isinstance(someone, Member) else someone


class People:
    """The acts of people in one world. Each returns what it made; the bot hears of it over the gateway."""

    world: World

    # Messages

    async def say(
        self,
        channel: Channel,
        user: Someone,
        text: str = "",
        *,
        reply_to: Message | None = None,
        files: Sequence[Upload] = (),
        flags: int = 0,
        kind: int = DEFAULT,
        webhook: bool = False,
    ) -> Message:
        """Post a person's message.

        `kind` makes a message of the system, such as 6 for a pin or 7 for a join; `webhook` one that a
        webhook posts under the user's name.
        """
        person = account(user)
        self._may_write(channel, person)
        draft = self._draft(channel, text, files) if kind == DEFAULT else Draft(content=text)
        draft.flags = flags
        draft.referenced = reply_to
        if reply_to is not None:
            draft.named.users.add(reply_to.author.id)
        return self.world.post(
            channel,
            person,
            draft,
            type=REPLY if reply_to else kind,
            webhook_id=self.world.clock.snowflake() if webhook else "",
        )

    async def edit(self, message: Message, text: str) -> None:
        """Change a person's message."""
        self._own(message)
        draft = self._draft(message.channel, text, ())
        draft.attachments, draft.flags = message.attachments, message.flags
        if message.referenced is not None:
            draft.named.users.add(message.referenced.author.id)
        self.world.revise(message, draft)

    async def touch(self, message: Message) -> None:
        """Send MESSAGE_UPDATE for an unchanged message, as Discord does when it unfurls a link."""
        message.embeds = [{"type": "link", "url": "https://example.com", "title": "Example"}]
        self.world.tell("MESSAGE_UPDATE", message)

    async def delete(self, message: Message) -> None:
        """Delete a message, as its author or a moderator would."""
        self.world.remove(message)

    async def delete_many(self, messages: Sequence[Message]) -> None:
        """Delete several messages of a channel at once, as moderation bots do."""
        channel = messages[0].channel
        for message in messages:
            message.deleted = True
            channel.messages.pop(message.id, None)
        data: Payload = {"ids": [one.id for one in messages], "channel_id": channel.id}
        data["guild_id"] = channel.guild_id
        self.world.emit("MESSAGE_DELETE_BULK", data, guild_id=channel.guild_id, intent=1 << 9)

    async def forum_post(
        self,
        forum: Channel,
        user: Someone,
        title: str,
        text: str,
        *,
        tags: Sequence[str] = (),
        files: Sequence[Upload] = (),
    ) -> Message:
        """Open a post in a forum; return its first message, whose id is the thread's."""
        person = account(user)
        self._may_write(forum, person)
        thread = self.world.open_thread(forum, person, title, kind=PUBLIC_THREAD)
        thread.tags = [one["id"] for one in forum.available_tags if one["name"] in tags]
        return self.world.post(thread, person, self._draft(thread, text, files), id=thread.id)

    async def open_thread(
        self, parent: Channel | Message, user: Someone, name: str, *, private: bool = False
    ) -> Channel:
        """Open a thread on a message, or in a channel."""
        if isinstance(parent, Message):
            return self.world.open_thread(parent.channel, account(user), name, message=parent)
        return self.world.open_thread(parent, account(user), name, kind=12 if private else PUBLIC_THREAD)

    async def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Archive a thread, as Discord does after days of silence."""
        self.world.set_archived(thread, archived=True, locked=locked)

    async def add_to_thread(self, thread: Channel, who: Someone) -> None:
        """Bring someone into a thread; the bot is shown a private one only then."""
        key = account(who).id
        thread.members.setdefault(key, self.world.clock.now())
        mine = key == self.world.me.id
        if mine:
            self.world.tell_thread("THREAD_CREATE", thread, newly_created=False)
        data: Payload = {"id": thread.id, "guild_id": thread.guild_id, "added_members": [thread.member(key)]}
        data |= {"removed_member_ids": [], "member_count": len(thread.members)}
        self.world.emit(
            "THREAD_MEMBERS_UPDATE", data, guild_id=thread.guild_id, intent=GUILDS if mine else GUILD_MEMBERS
        )

    async def remove_channel(self, channel: Channel) -> None:
        """Delete a channel or a thread, with all that is in it."""
        drop_channel(self.world, channel)

    async def type(self, channel: Channel, user: Someone) -> None:
        """Show that a person is typing."""
        person = account(user)
        now = int(self.world.clock.now())
        data: Payload = {"channel_id": channel.id, "user_id": person.id, "timestamp": now}
        intent = DIRECT_TYPING
        if channel.guild_id:
            intent = GUILD_TYPING
            member = self.world.guilds[channel.guild_id].members[person.id]
            data |= {"guild_id": channel.guild_id, "member": member.payload()}
        self.world.emit("TYPING_START", data, guild_id=channel.guild_id, intent=intent)

    # Commands

    async def command(
        self,
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        user: Someone,
        channel: Channel,
    ) -> Interaction:
        """Use a slash command: "ask", or "kb add" for a subcommand. Raise `NotRegistered`."""
        first, *path = name.removeprefix("/").split()
        person = account(user)
        command = commands.find(self.world, channel.guild_id, commands.CHAT_INPUT, first)
        self._may_use(command, channel, person)
        filled = commands.Filled(self.world, channel)
        data = filled.command(command, path, options or {})
        return interactions.begin(self.world, interactions.COMMAND, person, channel, data)

    async def autocomplete(
        self,
        name: str,
        option: str,
        typed: str,
        *,
        user: Someone,
        channel: Channel,
        options: Mapping[str, Any] | None = None,
        seconds: float = 3.0,
    ) -> list[Payload]:
        """Type into an option; return what the bot offers."""
        first, *path = name.removeprefix("/").split()
        command = commands.find(self.world, channel.guild_id, commands.CHAT_INPUT, first)
        filled = commands.Filled(self.world, channel)
        data = filled.command(command, path, dict(options or {}) | {option: typed}, focused=option)
        begun = interactions.begin(self.world, interactions.AUTOCOMPLETE, account(user), channel, data)
        await self.world.pulse.until(lambda: begun.acknowledged, seconds)
        return begun.choices or []

    async def message_menu(self, name: str, message: Message, *, user: Someone) -> Interaction:
        """Use an entry of a message's menu."""
        world, channel, person = self.world, message.channel, account(user)
        command = commands.find(world, channel.guild_id, commands.MESSAGE_MENU, name)
        self._may_use(command, channel, person)
        data: Payload = {"id": command["id"], "name": name, "type": commands.MESSAGE_MENU}
        data |= {"target_id": message.id, "resolved": {"messages": {message.id: message.payload()}}}
        if command.get("guild_id"):
            data["guild_id"] = command["guild_id"]
        return interactions.begin(world, interactions.COMMAND, person, channel, data)

    async def user_menu(self, name: str, target: Someone, *, user: Someone, channel: Channel) -> Interaction:
        """Use an entry of a person's menu."""
        world = self.world
        command = commands.find(world, channel.guild_id, commands.USER_MENU, name)
        filled = commands.Filled(world, channel)
        filled.person(world.guilds.get(channel.guild_id), account(target))
        data: Payload = {"id": command["id"], "name": name, "type": commands.USER_MENU}
        data |= {"target_id": account(target).id, "resolved": filled.resolved}
        return interactions.begin(world, interactions.COMMAND, account(user), channel, data)

    # Components and forms

    async def click(
        self, message: Message, wanted: str, *, user: Someone, values: Sequence[str] | None = None
    ) -> Interaction:
        """Press a button or choose `values` of a select: by its custom_id, the start of it, or its label."""
        person = account(user)
        if message.deleted or message.ephemeral_to not in {"", person.id}:
            raise Refused(f"{person.name} does not see message {message.id}")
        component = message.component(wanted)
        if component.get("disabled") or "custom_id" not in component:
            raise Refused(f"the component {wanted!r} cannot be pressed")
        data: Payload = {"component_type": component["type"], "custom_id": component["custom_id"]}
        data["id"] = component["id"]
        if component["type"] in SELECTS:
            data["values"] = _chosen(component, values or ())
        return interactions.begin(
            self.world, interactions.COMPONENT, person, message.channel, data, source=message
        )

    async def submit_modal(
        self, opened: Interaction, values: Mapping[str, Any] | None = None, *, user: Someone | None = None
    ) -> Interaction:
        """Send back a form; `values` are by custom_id or label, other fields stay as they are prefilled."""
        if opened.modal is None:
            raise Refused("that interaction opened no form")
        filled = dict(values or {})
        rows = [_filled(one, filled) for one in opened.modal["components"]]
        if filled:
            raise Refused(f"the form has no field {', '.join(map(repr, filled))}")
        data: Payload = {"custom_id": opened.modal["custom_id"], "components": rows}
        data["resolved"] = {}
        person = account(user) if user else opened.user
        return interactions.begin(
            self.world, interactions.MODAL_SUBMIT, person, opened.channel, data, source=opened.source
        )

    # What Discord's own client checks

    def _may_write(self, channel: Channel, person: User) -> None:
        wanted = permissions.SEND_MESSAGES_IN_THREADS if channel.is_thread else permissions.SEND_MESSAGES
        if not person.bot and not self.world.may(channel, wanted, person.id):
            raise Refused(f"{person.name} may not write in {channel.name or channel.id!r}")

    def _may_use(self, command: Payload, channel: Channel, person: User) -> None:
        needed = command.get("default_member_permissions")
        if not channel.guild_id or needed is None:
            return
        granted = self.world.allowed(channel, person.id)
        if granted & int(needed) != int(needed) or (int(needed) == 0 and granted != permissions.ALL):
            raise Refused(f"{person.name} may not use {command['name']!r}")

    def _own(self, message: Message) -> None:
        if message.author is self.world.me:
            raise Refused("people do not edit the bot's messages")

    def _draft(self, channel: Channel, text: str, files: Sequence[Upload]) -> Draft:
        """Return a person's message as a draft; it mentions whom it names, as a person's does."""
        sent = drafts.Sent(body={"content": text}, files=dict(enumerate(files)))
        draft = drafts.new(self.world, channel, sent, ephemeral=True)
        draft.named = named(text)
        return draft


def _chosen(component: Payload, values: Sequence[str]) -> list[str]:
    least, most = component["min_values"], component["max_values"]
    if not least <= len(values) <= most:
        raise Refused(f"{component['custom_id']!r} takes {least} to {most} values")
    offered = {one["value"] for one in component.get("options", ())}
    if offered and not offered.issuperset(values):
        raise Refused(f"{component['custom_id']!r} offers {sorted(offered)}")
    return list(values)


def _filled(component: Payload, values: dict[str, Any]) -> Payload:
    """Return a component of a form as it is sent back; it takes what it uses out of `values`."""
    shown: Payload = {"type": component["type"], "id": component["id"]}
    if component["type"] == 1:
        return shown | {"components": [_filled(one, values) for one in component["components"]]}
    if component["type"] == 18:
        inner = component["component"]
        if component["label"] in values:
            values[inner["custom_id"]] = values.pop(component["label"])
        return shown | {"component": _filled(inner, values)}
    if "custom_id" not in component:
        return shown
    given = values.pop(component["custom_id"], None)
    if given is None and component.get("label"):
        given = values.pop(component["label"], None)
    shown["custom_id"] = component["custom_id"]
    if component["type"] in SELECTS | {19, 22}:
        return shown | {"values": _selected(component, given)}
    if component["type"] in {21, 23}:
        return shown | {"value": given}
    return shown | {"value": _written(component, given)}


def _selected(component: Payload, given: Sequence[str] | None) -> list[str]:
    if given is None:
        given = [one["value"] for one in component.get("options", ()) if one.get("default")]
    if not given and component.get("required") is False:
        return []
    return _chosen(component, given)


def _written(component: Payload, given: str | None) -> str:
    text = component.get("value", "") if given is None else given
    if not text and component["required"]:
        raise Refused(f"the field {component['custom_id']!r} is required")
    least, most = component.get("min_length") or 0, component.get("max_length") or 4000
    if text and not least <= len(text) <= most:
        raise Refused(f"the field {component['custom_id']!r} takes {least} to {most} characters")
    return text
