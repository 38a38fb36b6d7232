"""Everything one emulated Slack holds, and the few things that all of its parts need."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.emulators.slack.clock import STREAM_SECONDS, Bell, Clock
from tests.emulators.slack.delivery import Delivery
from tests.emulators.slack.errors import NotDelivered
from tests.emulators.slack.faults import Faults
from tests.emulators.slack.limits import Limits
from tests.emulators.slack.socket_mode import Sockets
from tests.emulators.slack.workspace import (
    Channel,
    File,
    Group,
    Ids,
    Json,
    Message,
    Payload,
    User,
    View,
    Workspace,
)

SCOPES = frozenset(
    [
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "chat:write.customize",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    ]
)
EVENTS = frozenset(
    [
        "agent_session_stopped",
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "reaction_added",
        "subteam_members_changed",
        "tokens_revoked",
    ]
)
MESSAGE_EVENTS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
CHANNEL_TYPES = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}


@dataclass(slots=True, kw_only=True)
class Called:
    """One call of the Web API as it was made and answered."""

    method: str
    arguments: Payload
    at: float
    token: str = ""
    team: str = ""
    status: int = 0
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Trigger:
    """What lets an app open one view within three seconds."""

    user: str
    team: str
    at: float
    view: str = ""
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """Where an app may answer an interaction five times within half an hour."""

    team: str
    channel: str
    user: str
    at: float
    thread: str = ""
    message: str = ""
    left: int = 5


class Site:
    """State shared by all parts. Tests use `SlackEmulator`, which builds on it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bell = Bell()
        self.ids = Ids(self.clock)
        self.faults = Faults()
        self.limits = Limits(self.clock)
        self.delivery = Delivery(self)
        self.sockets = Sockets(self)
        self.url = ""
        self.request_url = ""
        self.own_events = True
        self.events = set(EVENTS)
        self.app_id = "A0EMULATOR"
        self.app_token = "xapp-1-A0EMULATOR-1-emulated"
        self.signing_secret = "8f742231b10e8888abcd99yyyzzz85a5"
        self.client_id = "1111.2222"
        self.client_secret = "client-secret-of-the-emulator"
        self.workspaces: dict[str, Workspace] = {}
        self.revoked: dict[str, str] = {}
        self.redirect_url = ""
        self.codes: dict[str, Payload] = {}
        self.calls: list[Called] = []
        self.views: dict[str, View] = {}
        self.homes: dict[tuple[str, str], View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.statuses: dict[tuple[str, str], Payload] = {}
        self.status_log: list[tuple[float, str, str, str]] = []
        self.sessions: dict[tuple[str, str], Payload] = {}
        self.prompts: dict[tuple[str, str], Payload] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.closing = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._failures: list[BaseException] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self.home = self.add_workspace("Acme")

    # What runs beside

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something until it is done or the emulator ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, NotDelivered):
            self._failures.append(error)

    def session(self) -> aiohttp.ClientSession:
        """Return the client for requests to the app, opened at its first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session

    async def end(self) -> None:
        """Stop whatever still runs; raise what went wrong in the background."""
        self.closing.set()
        await self.sockets.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._failures:
            raise self._failures[0]

    # Workspaces and who is in them

    def add_workspace(self, name: str, *, installed: bool = True) -> Workspace:
        """Add a team; one that is not installed waits for an OAuth installation."""
        workspace = Workspace(
            id=self.ids.new("T"),
            name=name,
            domain=name.lower().replace(" ", "-"),
            bot_user=self.ids.new("U"),
            bot_id=self.ids.new("B"),
            bot_token=f"xoxb-{secrets.token_hex(12)}",
            installed=installed,
            scopes=set(SCOPES),
        )
        workspace.users[workspace.bot_user] = User(
            id=workspace.bot_user, team=workspace.id, name="Lorekeeper", is_bot=True
        )
        self.workspaces[workspace.id] = workspace
        return workspace

    def add_user(
        self, name: str = "Ann", *, key: str = "", workspace: Workspace | None = None, **more: Json
    ) -> str:
        """Add a person, for instance with `is_admin=True` or `is_guest=True`, and return the id."""
        team = workspace or self.home
        user = User(id=key or self.ids.new("U"), team=team.id, name=name, **more)
        team.users[user.id] = user
        return user.id

    def add_channel(
        self,
        name: str = "general",
        *,
        members: Iterable[str] = (),
        private: bool = False,
        shared: bool = False,
        bot: bool = True,
        kind: str = "",
        key: str = "",
        workspace: Workspace | None = None,
    ) -> str:
        """Add a channel with these members, and the bot unless `bot` is False, and return the id."""
        team = workspace or self.home
        channel = Channel(
            id=key or self.ids.new("C"),
            team=team.id,
            name=name,
            kind=kind or ("group" if private else "channel"),
            members=[*members, *([team.bot_user] if bot else [])],
            shared=shared,
        )
        team.channels[channel.id] = channel
        return channel.id

    def add_group(
        self, name: str, users: Iterable[str], *, key: str = "", workspace: Workspace | None = None
    ) -> str:
        """Add a user group and return the id."""
        team = workspace or self.home
        group = Group(id=key or self.ids.new("S"), team=team.id, name=name, handle=name, users=list(users))
        team.groups[group.id] = group
        return group.id

    def add_file(
        self,
        name: str,
        data: bytes,
        user: str,
        *,
        mimetype: str = "text/plain",
    ) -> str:
        """Upload a file that a message may bring along, and return the id."""
        team, number = self.team_of_user(user), self.ids.new("F")
        team.files[number] = File(
            id=number,
            team=team.id,
            user=user,
            name=name,
            data=data,
            mimetype=mimetype,
            url=f"{self.url}/files-pri/{team.id}-{number}",
        )
        return number

    def direct(self, user: str) -> str:
        """Return the id of a person's direct conversation with the bot, opened when there is none."""
        team = self.team_of_user(user)
        if (channel := team.direct(user)) is None:
            channel = Channel(
                id=self.ids.new("D"),
                team=team.id,
                name="",
                kind="im",
                user=user,
                members=[user, team.bot_user],
            )
            team.channels[channel.id] = channel
        return channel.id

    def team_of_user(self, user: str) -> Workspace:
        """Return the workspace of a person; LookupError when nobody has that id."""
        for team in self.workspaces.values():
            if user in team.users:
                return team
        raise LookupError(f"there is no user {user!r}")

    def team_of(self, channel: str) -> Workspace:
        """Return the workspace of a channel; LookupError when there is none."""
        for team in self.workspaces.values():
            if channel in team.channels:
                return team
        raise LookupError(f"there is no channel {channel!r}")

    def channel(self, channel: str) -> Channel:
        return self.team_of(channel).channels[channel]

    # What both the app and people do

    def post(self, channel: Channel, message: Message) -> None:
        """Put a message into its channel and tell the app about it."""
        channel.put(message)
        if message.thread_ts:
            self.statuses.pop((channel.id, message.thread_ts), None)
        if not message.ephemeral:
            self.emit_message(channel, message)
        self.bell.ring()

    def emit_message(self, channel: Channel, message: Message) -> None:
        """Send what the app gets for a new message."""
        event = channel.shown(message) | {
            "channel": channel.id,
            "event_ts": message.ts,
            "channel_type": CHANNEL_TYPES[channel.kind],
        }
        self.emit_in(channel, event, own=bool(message.bot_id))

    def change(self, channel: Channel, before: Payload, message: Message, *, own: bool) -> None:
        """Tell the app that a message is another one now."""
        message.revisions += 1
        stamp = self.ids.ts()
        event = {
            "type": "message",
            "subtype": "message_changed",
            "message": channel.shown(message),
            "previous_message": before,
            "channel": channel.id,
            "hidden": True,
            "ts": stamp,
            "event_ts": stamp,
            "channel_type": CHANNEL_TYPES[channel.kind],
        }
        self.emit_in(channel, event, own=own)
        self.bell.ring()

    def settle(self, channel: Channel, message: Message) -> None:
        """End a stream whose five minutes are over."""
        stream = message.stream
        if stream is None or stream.state != "open":
            return
        if self.clock.now() - stream.started >= STREAM_SECONDS:
            stream.state = "expired"
            message.blocks = [{"type": "markdown", "text": message.text}] if message.text else []

    def remove(self, channel: Channel, message: Message, *, own: bool) -> None:
        """Delete a message and tell the app; a root with replies leaves a tombstone."""
        before, stamp = channel.shown(message), self.ids.ts()
        if channel.replies(message.ts):
            message.subtype, message.text = "tombstone", "This message was deleted."
            message.user, message.blocks, message.files, message.attachments = "USLACKBOT", [], [], []
            message.bot_id, message.metadata, message.client_msg_id = "", None, ""
            event = {"subtype": "message_changed", "message": channel.shown(message)}
        else:
            del channel.messages[message.ts]
            event = {"subtype": "message_deleted", "deleted_ts": message.ts}
        event |= {
            "type": "message",
            "previous_message": before,
            "channel": channel.id,
            "hidden": True,
            "ts": stamp,
            "event_ts": stamp,
            "channel_type": CHANNEL_TYPES[channel.kind],
        }
        self.emit_in(channel, event, own=own)
        self.bell.ring()

    def emit_in(self, channel: Channel, event: Payload, *, own: bool) -> None:
        """Send a message event when the app is subscribed and in the channel."""
        team = self.workspaces[channel.team]
        wanted = self.own_events or not own
        if wanted and MESSAGE_EVENTS[channel.kind] in self.events and team.bot_user in channel.members:
            self.emit(team, event, shared=channel.shared)

    def emit(self, team: Workspace, event: Payload, *, shared: bool = False) -> None:
        """Send an event to the app, in the envelope that all events have."""
        authorization = {
            "enterprise_id": None,
            "team_id": team.id,
            "user_id": team.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        self.delivery.event(
            {
                "token": "verification-token",
                "team_id": team.id,
                "context_team_id": team.id,
                "context_enterprise_id": None,
                "api_app_id": self.app_id,
                "event": event,
                "type": "event_callback",
                "event_id": self.ids.new("Ev"),
                "event_time": int(self.clock.now()),
                "authorizations": [authorization],
                "is_ext_shared_channel": shared,
                "event_context": f"4-{secrets.token_hex(8)}",
            }
        )

    def trigger(self, team: Workspace, user: str, *, view: str = "") -> str:
        """Return a new trigger id."""
        number = f"{self.ids.new('')}.{team.id}.{secrets.token_hex(16)}"
        self.triggers[number] = Trigger(user=user, team=team.id, at=self.clock.now(), view=view)
        return number

    def stack(self, user: str) -> list[View]:
        """Return a person's open modals, the lowest first."""
        modals = (one for one in self.views.values() if one.content["type"] == "modal")
        return [one for one in modals if one.user == user and not one.closed]

    def response_url(self, team: Workspace, user: str, channel: str, **more: str) -> str:
        """Return a new address for answers to an interaction."""
        key = secrets.token_urlsafe(16)
        self.response_urls[key] = ResponseUrl(
            team=team.id, channel=channel, user=user, at=self.clock.now(), **more
        )
        return f"{self.url}/actions/{team.id}/{key}"
