"""A Discord on loopback: HTTP API v10, gateway and CDN, to which a real client connects.

    async with DiscordEmulator().running() as discord:
        guild = discord.add_guild("Acme")
        general, ann = discord.add_channel(guild, "general"), discord.add_member(guild, "Ann")
        ...  # connect the bot: discord.api_url, discord.gateway_url, discord.token
        await discord.ready()
        asked = await discord.say(general, ann, f"{discord.bot.mention} how do I log in?")
        answer = await discord.wait_for(lambda: discord.replies(asked))

The people's acts are in `people.py`, faults in `faults.py`. `calls` holds each request, `messages` gives
what stands in a channel, private answers included. Where Discord's OpenAPI document is at hand, requests and
responses are checked against it, and a violation fails the block. It imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from typing import TypeVar

from aiohttp import web

from tests.emulators.discord import permissions
from tests.emulators.discord.api import Api
from tests.emulators.discord.calls import Call
from tests.emulators.discord.faults import Faults
from tests.emulators.discord.gateway import Gateway, Session
from tests.emulators.discord.interactions import Interaction
from tests.emulators.discord.limits import Limits
from tests.emulators.discord.messages import THREAD_CREATED, THREAD_STARTER, Message
from tests.emulators.discord.openapi import Specification
from tests.emulators.discord.people import People
from tests.emulators.discord.places import (
    CATEGORY,
    FORUM,
    NEWS,
    TEXT,
    Channel,
    Guild,
    Member,
    Overwrite,
    Role,
    User,
)
from tests.emulators.discord.world import GUILD_MEMBERS, GUILDS, World

T = TypeVar("T")
TOKEN = "emulator.token.of-the-bot"
BOT_PERMISSIONS = permissions.EVERYONE | permissions.CREATE_PRIVATE_THREADS


class DiscordEmulator(People):
    """The server and the world behind it.

    `message_content` and `members` tell which privileged intents the application has. With `real_limits`
    requests are limited as Discord limits them; without, every bucket is wide and only faults answer 429.
    With `check` bodies are checked by the OpenAPI document, if there is a copy.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        message_content: bool = True,
        members: bool = False,
        heartbeat_seconds: float = 41.25,
        real_limits: bool = False,
        check: bool = True,
    ) -> None:
        self.world = World(token=token, message_content=message_content, members=members)
        self.gateway = Gateway(self.world, heartbeat_seconds=heartbeat_seconds)
        self.limits = Limits(self.world.clock, real=real_limits)
        self.faults = Faults(self.world, self.gateway)
        self.api = Api(self.world, self.faults, self.limits, Specification.load() if check else None)
        self.clock = self.world.clock
        self.url = self.api_url = self.gateway_url = ""

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def bot(self) -> User:
        return self.world.me

    @property
    def application_id(self) -> str:
        return self.world.application

    @property
    def calls(self) -> list[Call]:
        """Every request to the HTTP API so far."""
        return self.api.calls

    @property
    def violations(self) -> list[str]:
        """What the OpenAPI document says against requests and responses so far."""
        return self.api.violations

    @asynccontextmanager
    async def running(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[DiscordEmulator]:
        """Serve until the block ends; raise `AssertionError` then if the specification was violated."""
        app = web.Application(client_max_size=32 * 1024 * 1024)
        self.mount(app)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            self.at(f"{host}:{runner.addresses[0][1]}")
            yield self
        finally:
            self.faults.release()
            await self.gateway.stop()
            await runner.cleanup()
        if self.violations:
            raise AssertionError("against Discord's OpenAPI document:\n" + "\n".join(self.violations[:20]))

    def mount(self, app: web.Application) -> None:
        """Add the API, the CDN and the gateway to an application."""
        self.api.mount(app)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/gateway", self.gateway.serve)

    def at(self, address: str) -> None:
        """Tell the emulator where it serves."""
        self.url = f"http://{address}"
        self.api_url = f"{self.url}/api/v10"
        self.gateway_url = f"ws://{address}/gateway/"
        self.world.base = self.url
        self.world.gateway_url = self.gateway.url = self.gateway_url

    # The world

    def add_guild(
        self, name: str = "Acme", *, bot_permissions: int = BOT_PERMISSIONS, joined: bool = True
    ) -> Guild:
        """Make a server. The bot is in it, unless not `joined`, with a role of its own."""
        clock, me = self.clock, self.world.me
        guild = Guild(id=clock.snowflake(), name=name, owner_id=self.world.owner.id, made=clock.now())
        guild.roles[guild.id] = Role(id=guild.id, name="@everyone", permissions=permissions.EVERYONE)
        guild.members[guild.owner_id] = Member(user=self.world.owner, joined=clock.now())
        self.world.guilds[guild.id] = guild
        if joined:
            role = Role(
                id=clock.snowflake(),
                name=me.name,
                permissions=bot_permissions,
                position=1,
                managed=True,
                bot_id=me.id,
            )
            guild.roles[role.id] = role
            guild.members[me.id] = Member(user=me, joined=clock.now(), roles=[role.id])
            self.gateway.joined(guild)
        return guild

    def add_channel(
        self,
        guild: Guild,
        name: str = "general",
        *,
        private_for: tuple[Role | Member, ...] | None = None,
        category: Channel | None = None,
        news: bool = False,
    ) -> Channel:
        """Make a text channel; `private_for` names the only ones, besides the bot, who see it."""
        channel = self._add(guild, name, NEWS if news else TEXT, category)
        if private_for is not None:
            self._close(guild, channel, private_for)
        return self._tell_channel(channel)

    def add_category(self, guild: Guild, name: str) -> Channel:
        return self._tell_channel(self._add(guild, name, CATEGORY, None))

    def add_forum(
        self, guild: Guild, name: str = "help", *, tags: tuple[str, ...] = (), category: Channel | None = None
    ) -> Channel:
        """Make a forum."""
        forum = self._add(guild, name, FORUM, category)
        for tag in tags:
            made = {
                "id": self.clock.snowflake(),
                "name": tag,
                "moderated": False,
                "emoji_id": None,
                "emoji_name": None,
            }
            forum.available_tags.append(made)
        return self._tell_channel(forum)

    def add_role(self, guild: Guild, name: str, *, allow: int = 0, mentionable: bool = False) -> Role:
        """Make a role with these permission bits."""
        role = Role(
            id=self.clock.snowflake(),
            name=name,
            permissions=allow,
            position=len(guild.roles),
            mentionable=mentionable,
        )
        guild.roles[role.id] = role
        data = {"guild_id": guild.id, "role": role.payload()}
        self.world.emit("GUILD_ROLE_CREATE", data, guild_id=guild.id, intent=GUILDS)
        return role

    def add_user(self, name: str, *, bot: bool = False, locale: str = "en-US") -> User:
        """Make an account that is in no server yet."""
        user = User(id=self.clock.snowflake(), name=name, bot=bot, locale=locale)
        self.world.users[user.id] = user
        return user

    def add_member(
        self,
        guild: Guild,
        who: str | User,
        *,
        roles: tuple[Role, ...] = (),
        bot: bool = False,
        locale: str = "en-US",
    ) -> Member:
        """Make someone, or bring a user, into a server."""
        user = self.add_user(who, bot=bot, locale=locale) if isinstance(who, str) else who
        member = Member(user=user, joined=self.clock.now(), roles=[one.id for one in roles])
        guild.members[user.id] = member
        data = member.payload() | {"guild_id": guild.id}
        self.world.emit("GUILD_MEMBER_ADD", data, guild_id=guild.id, intent=GUILD_MEMBERS)
        return member

    def set_roles(self, guild: Guild, member: Member, roles: tuple[Role, ...]) -> None:
        """Give a member exactly these roles."""
        member.roles = [one.id for one in roles]
        data = member.payload() | {"guild_id": guild.id}
        mine = member.id == self.world.me.id
        self.world.emit("GUILD_MEMBER_UPDATE", data, guild_id=guild.id, intent=0 if mine else GUILD_MEMBERS)

    def remove_member(self, guild: Guild, member: Member) -> None:
        """Take someone out of a server."""
        del guild.members[member.id]
        data = {"guild_id": guild.id, "user": member.user.payload()}
        self.world.emit("GUILD_MEMBER_REMOVE", data, guild_id=guild.id, intent=GUILD_MEMBERS)

    def kick_bot(self, guild: Guild) -> None:
        """Take the bot out of a server."""
        self.world.leave(guild)

    def set_overwrite(
        self, channel: Channel, who: Role | Member | User, *, allow: int = 0, deny: int = 0
    ) -> None:
        """Allow and deny a role or a person something in a channel."""
        kind = 0 if isinstance(who, Role) else 1
        channel.overwrites[who.id] = Overwrite(type=kind, allow=allow, deny=deny)
        self.world.emit("CHANNEL_UPDATE", channel.payload(), guild_id=channel.guild_id, intent=GUILDS)

    def dm(self, user: User | Member) -> Channel:
        """Return the direct conversation of someone with the bot."""
        return self.world.direct_channel(user.user if isinstance(user, Member) else user)

    def _add(self, guild: Guild, name: str, kind: int, category: Channel | None) -> Channel:
        channel = Channel(
            id=self.clock.snowflake(),
            type=kind,
            made=self.clock.now(),
            name=name,
            guild_id=guild.id,
            parent_id=category.id if category else None,
            position=len(guild.channels),
        )
        guild.channels[channel.id] = self.world.channels[channel.id] = channel
        return channel

    def _close(self, guild: Guild, channel: Channel, seen_by: tuple[Role | Member, ...]) -> None:
        view = permissions.VIEW_CHANNEL
        channel.overwrites[guild.id] = Overwrite(type=0, deny=view)
        for one in (*seen_by, self.world.me):
            channel.overwrites[one.id] = Overwrite(type=0 if isinstance(one, Role) else 1, allow=view)

    def _tell_channel(self, channel: Channel) -> Channel:
        self.world.emit("CHANNEL_CREATE", channel.payload(), guild_id=channel.guild_id, intent=GUILDS)
        return channel

    # Looking at it

    def messages(self, channel: Channel) -> list[Message]:
        """Return what stands in a channel, oldest first, ephemeral messages too."""
        return list(channel.messages.values())

    def answers(self, channel: Channel) -> list[Message]:
        """Return the bot's finished messages in a channel."""
        return [one for one in channel.messages.values() if self._is_answer(one)]

    def replies(self, message: Message) -> list[Message]:
        """Return the bot's finished messages that reply to one, or stand in the thread on it."""
        beside = [one for one in message.replied if self._is_answer(one) and one.channel is message.channel]
        return beside + (self.answers(message.thread) if message.thread else [])

    def _is_answer(self, message: Message) -> bool:
        finished = not (message.loading or message.deleted)
        return (
            message.author is self.bot and finished and message.type not in {THREAD_CREATED, THREAD_STARTER}
        )

    def typed(self, channel: Channel) -> list[float]:
        """Return when the bot showed that it is typing in a channel."""
        return [at for at, where in self.world.typing if where == channel.id]

    def threads(self, parent: Channel) -> list[Channel]:
        inner = self.world.guilds[parent.guild_id].channels.values()
        return [one for one in inner if one.is_thread and one.parent_id == parent.id]

    def interaction(self, key: str) -> Interaction:
        return next(one for one in self.world.interactions.values() if one.id == key)

    def made(self, route: str) -> list[Call]:
        """Return the requests of a route, such as `POST /channels/*/messages`."""
        return [one for one in self.calls if fnmatchcase(f"{one.method} {one.path}", route)]

    @property
    def pings(self) -> list[Message]:
        """The bot's messages that notify anyone, or would where it may mention everyone."""
        return [one for one in self.world.messages.values() if one.author is self.bot and one.pings]

    # Waiting

    async def wait_for(self, predicate: Callable[[], T | Awaitable[T]], seconds: float = 5.0) -> T:
        """Return the first true value of `predicate`, which is asked after each change."""
        return await self.world.pulse.until(predicate, seconds, self.described)

    async def ready(self, sessions: int = 1, seconds: float = 10.0) -> list[Session]:
        """Wait until so many gateway sessions are up and have their guilds."""
        await self.wait_for(lambda: len(self.gateway.ready()) >= sessions, seconds)
        return self.gateway.ready()

    async def answer(self, interaction: Interaction, seconds: float = 5.0) -> Interaction:
        """Wait until an interaction is answered: not only deferred."""
        await self.wait_for(lambda: interaction.answered, seconds)
        return interaction

    def described(self) -> str:
        """Return what happened of late, for the message of a failed wait."""
        calls = [f"  {one.method} {one.path} -> {one.status}" for one in self.calls[-15:]]
        last = sorted(self.world.messages.values(), key=lambda one: int(one.id))[-8:]
        said = [
            f"  {one.author.name} in {one.channel.name or one.channel.id}: {one.text[:120]!r}" for one in last
        ]
        return "\n".join(["last requests:", *calls, "last messages:", *said])
