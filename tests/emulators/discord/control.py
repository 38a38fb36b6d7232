"""The emulator steered from another process: `POST /control/NAME` with a JSON object, `GET /control/state`.

Places, people and messages are named by their ids. Each answer is a JSON object; what Discord's client
would refuse, and unknown names, are 400 with `{"error": …}`. `wait` answers when enough has happened.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.emulators.discord.commands import NotRegistered
from tests.emulators.discord.errors import ApiError, Payload
from tests.emulators.discord.interactions import Interaction
from tests.emulators.discord.messages import Message, Upload
from tests.emulators.discord.people import Refused
from tests.emulators.discord.places import Channel, Guild, Role, User
from tests.emulators.discord.server import DiscordEmulator

Act = Callable[[Payload], Awaitable[Payload]]


class Control:
    """The acts by name. Each takes the JSON object of its request."""

    def __init__(self, discord: DiscordEmulator) -> None:
        self.discord = discord
        self.acts: dict[str, Act] = {
            "add_guild": self.add_guild,
            "add_channel": self.add_channel,
            "add_forum": self.add_forum,
            "add_role": self.add_role,
            "add_member": self.add_member,
            "dm": self.dm,
            "say": self.say,
            "edit": self.edit,
            "delete": self.delete,
            "forum_post": self.forum_post,
            "command": self.command,
            "autocomplete": self.autocomplete,
            "message_menu": self.message_menu,
            "click": self.click,
            "submit_modal": self.submit_modal,
            "interaction": self.interaction,
            "messages": self.messages,
            "calls": self.calls,
            "ready": self.ready,
            "wait": self.wait,
            "fault": self.fault,
            "gateway": self.gateway,
            "advance": self.advance,
        }

    def mount(self, app: web.Application) -> None:
        app.router.add_post("/control/{name}", self._serve)
        app.router.add_get("/control/state", self._state)

    async def _serve(self, request: web.Request) -> web.Response:
        act = self.acts.get(request.match_info["name"])
        if act is None:
            return web.json_response({"error": f"no act; there are {', '.join(self.acts)}"}, status=404)
        try:
            text = await request.text()
            return web.json_response(await act(json.loads(text) if text else {}))
        except (Refused, NotRegistered, ApiError, AssertionError, ValueError, LookupError, TypeError) as exc:
            return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(state(self.discord))

    # Naming things

    def _guild(self, given: Payload) -> Guild:
        return self.discord.world.guilds[given["guild"]]

    def _channel(self, given: Payload, key: str = "channel") -> Channel:
        return self.discord.world.channels[given[key]]

    def _user(self, given: Payload) -> User:
        return self.discord.world.users[given["user"]]

    def _message(self, given: Payload, key: str = "message") -> Message:
        return self.discord.world.messages[given[key]]

    def _roles(self, guild: Guild, keys: list[str]) -> tuple[Role, ...]:
        return tuple(guild.roles[key] for key in keys)

    # The world

    async def add_guild(self, given: Payload) -> Payload:
        guild = self.discord.add_guild(given.get("name", "Acme"), joined=given.get("joined", True))
        return {"id": guild.id}

    async def add_channel(self, given: Payload) -> Payload:
        """Make a channel; `private_for` lists ids of members and roles."""
        guild = self._guild(given)
        closed = given.get("private_for")
        seen_by = None
        if closed is not None:
            seen_by = tuple(guild.roles[key] if key in guild.roles else guild.members[key] for key in closed)
        channel = self.discord.add_channel(guild, given.get("name", "general"), private_for=seen_by)
        return {"id": channel.id}

    async def add_forum(self, given: Payload) -> Payload:
        name, tags = given.get("name", "help"), tuple(given.get("tags", ()))
        return {"id": self.discord.add_forum(self._guild(given), name, tags=tags).id}

    async def add_role(self, given: Payload) -> Payload:
        role = self.discord.add_role(self._guild(given), given["name"], allow=int(given.get("allow", 0)))
        return {"id": role.id}

    async def add_member(self, given: Payload) -> Payload:
        guild = self._guild(given)
        roles = self._roles(guild, given.get("roles", []))
        member = self.discord.add_member(
            guild,
            self.discord.world.users.get(given.get("user", "")) or given["name"],
            roles=roles,
            bot=given.get("bot", False),
            locale=given.get("locale", "en-US"),
        )
        return {"id": member.id}

    async def dm(self, given: Payload) -> Payload:
        return {"id": self.discord.dm(self._user(given)).id}

    # People

    async def say(self, given: Payload) -> Payload:
        """Post a text `times` times, with the number in place of `{n}`; `reply_to` names a message."""
        channel, user = self._channel(given), self._user(given)
        reply_to = self._message(given, "reply_to") if given.get("reply_to") else None
        files = [_upload(one) for one in given.get("files", ())]
        ids = []
        for number in range(given.get("times", 1)):
            text = given["text"].replace("{n}", str(number))
            message = await self.discord.say(channel, user, text, reply_to=reply_to, files=files)
            ids.append(message.id)
        return {"id": ids[-1], "ids": ids}

    async def edit(self, given: Payload) -> Payload:
        await self.discord.edit(self._message(given), given["text"])
        return {}

    async def delete(self, given: Payload) -> Payload:
        await self.discord.delete(self._message(given))
        return {}

    async def forum_post(self, given: Payload) -> Payload:
        forum, user = self._channel(given, "forum"), self._user(given)
        message = await self.discord.forum_post(forum, user, given["title"], given["text"])
        return {"id": message.id}

    async def command(self, given: Payload) -> Payload:
        """Use a command with `options` by name; a file is `{"name": …, "data": base64, "media_type": …}`."""
        options = {
            key: _upload(one) if isinstance(one, dict) else one
            for key, one in given.get("options", {}).items()
        }
        user, channel = self._user(given), self._channel(given)
        begun = await self.discord.command(given["name"], options, user=user, channel=channel)
        return await self._answered(begun, given)

    async def autocomplete(self, given: Payload) -> Payload:
        choices = await self.discord.autocomplete(
            given["name"],
            given["option"],
            given["typed"],
            user=self._user(given),
            channel=self._channel(given),
            options=given.get("options"),
        )
        return {"choices": choices}

    async def message_menu(self, given: Payload) -> Payload:
        begun = await self.discord.message_menu(given["name"], self._message(given), user=self._user(given))
        return await self._answered(begun, given)

    async def click(self, given: Payload) -> Payload:
        begun = await self.discord.click(
            self._message(given), given["wanted"], user=self._user(given), values=given.get("values")
        )
        return await self._answered(begun, given)

    async def submit_modal(self, given: Payload) -> Payload:
        opened = self.discord.interaction(given["interaction"])
        begun = await self.discord.submit_modal(opened, given.get("values"))
        return await self._answered(begun, given)

    async def interaction(self, given: Payload) -> Payload:
        return await self._answered(self.discord.interaction(given["interaction"]), given)

    async def _answered(self, begun: Interaction, given: Payload) -> Payload:
        """Return an interaction, once it is answered if `seconds` says how long to wait for that."""
        if given.get("seconds"):
            await self.discord.answer(begun, given["seconds"])
        return begun.facts()

    # Looking and waiting

    async def messages(self, given: Payload) -> Payload:
        """Return the messages of `channel`, or all that the bot wrote."""
        if "channel" in given:
            found = self.discord.messages(self._channel(given))
        else:
            found = [one for one in self.discord.world.messages.values() if one.author is self.discord.bot]
        return {"messages": [one.facts() for one in found]}

    async def calls(self, given: Payload) -> Payload:
        return {"calls": [one.facts() for one in self.discord.made(given.get("route", "*"))]}

    async def ready(self, given: Payload) -> Payload:
        found = await self.discord.ready(given.get("sessions", 1), given.get("seconds", 10))
        return {"sessions": [one.id for one in found]}

    async def wait(self, given: Payload) -> Payload:
        """Wait for `answered` of the messages in `asked`: each has a finished reply of the bot."""
        asked = [self.discord.world.messages[key] for key in given["asked"]]

        def open_ones() -> list[Message]:
            return [one for one in asked if not self.discord.replies(one)]

        await self.discord.wait_for(lambda: not open_ones(), given.get("seconds", 10))
        return {key.id: [one.facts() for one in self.discord.replies(key)] for key in asked}

    # Faults

    async def fault(self, given: Payload) -> Payload:
        """Arm a fault for `route`, with the fields of `faults.Fault`; {"clear": true} disarms all."""
        if given.pop("clear", False):
            self.discord.faults.clear()
        if "route" in given:
            self.discord.faults.add(given.pop("route"), **given)
        return dict(self.discord.faults.facts())

    async def gateway(self, given: Payload) -> Payload:
        """Do `what`: close, revoke, or one of those below."""
        faults = self.discord.faults
        what = given["what"]
        if what == "revoke":
            await faults.revoke_token()
        elif what == "close":
            await faults.close(int(given["code"]))
        else:
            simple: dict[str, Callable[[], None]] = {
                "reconnect": faults.reconnect,
                "invalid": faults.invalid_session,
                "resumable": lambda: faults.invalid_session(resumable=True),
                "forget": faults.forget_sessions,
                "cut": faults.cut,
                "dead": faults.zombie,
                "deaf": lambda: faults.zombie("deaf"),
                "offline": faults.offline,
                "online": faults.online,
            }
            simple[what]()
        return {}

    async def advance(self, given: Payload) -> Payload:
        self.discord.clock.advance(float(given["seconds"]))
        return {"now": self.discord.clock.now()}


def _upload(given: Payload) -> Upload:
    data = base64.b64decode(given["data"])
    media_type = given.get("media_type", "application/octet-stream")
    return Upload(name=given["name"], data=data, media_type=media_type)


def state(discord: DiscordEmulator) -> dict[str, Any]:
    """Return where the emulator serves, what is in it, and what was counted."""
    world = discord.world
    return {
        "api_url": discord.api_url,
        "gateway_url": discord.gateway_url,
        "control_url": f"{discord.url}/control",
        "token": discord.token,
        "bot": discord.bot.id,
        "guilds": {
            guild.id: {
                "name": guild.name,
                "channels": {one.id: one.name for one in guild.channels.values()},
                "members": {one.id: one.user.name for one in guild.members.values()},
                "roles": {one.id: one.name for one in guild.roles.values()},
            }
            for guild in world.guilds.values()
        },
        "commands": {guild: [one["name"] for one in held] for guild, held in world.commands.items()},
        "sessions": len(discord.gateway.ready()),
        "calls": len(discord.calls),
        "messages": len(world.messages),
        "violations": discord.violations,
        "early": discord.limits.early,
        "invalid": len(discord.limits.invalid),
        "pings": [one.id for one in discord.pings],
    }
