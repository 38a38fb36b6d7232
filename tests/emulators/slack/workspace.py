"""What Slack knows: workspaces with their people, channels, messages, files and views."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.slack.clock import Clock

Payload = dict[str, Any]
Json = Any  # whatever a JSON document can hold


@dataclass(slots=True, kw_only=True)
class User:
    id: str
    team: str
    name: str
    email: str = ""
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_guest: bool = False
    is_stranger: bool = False
    deleted: bool = False
    locale: str = "en-US"

    def payload(self, *, locale: bool = False) -> Payload:
        profile = {
            "real_name": self.name,
            "display_name": self.name,
            "real_name_normalized": self.name,
            "display_name_normalized": self.name,
            "team": self.team,
        }
        shown = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower().replace(" ", "."),
            "real_name": self.name,
            "deleted": self.deleted,
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "profile": profile | ({"email": self.email} if self.email else {}),
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": False,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        shown |= {"is_stranger": True} if self.is_stranger else {}
        return shown | ({"locale": self.locale} if locale else {})


@dataclass(slots=True, kw_only=True)
class Group:
    id: str
    team: str
    name: str
    handle: str
    users: list[str]
    disabled: bool = False

    def payload(self, *, users: bool, count: bool) -> Payload:
        shown = {
            "id": self.id,
            "team_id": self.team,
            "is_usergroup": True,
            "name": self.name,
            "handle": self.handle,
            "is_external": False,
            "date_delete": 1_700_000_000 if self.disabled else 0,
        }
        shown |= {"users": list(self.users)} if users else {}
        return shown | ({"user_count": len(self.users)} if count else {})


@dataclass(slots=True, kw_only=True)
class File:
    id: str
    team: str
    user: str
    name: str
    data: bytes
    mimetype: str
    url: str
    deleted: bool = False
    channels: list[str] = field(default_factory=list)

    def payload(self) -> Payload:
        kind = self.name.rpartition(".")[2].lower()
        return {
            "id": self.id,
            "created": 1_700_000_000,
            "timestamp": 1_700_000_000,
            "name": self.name,
            "title": self.name,
            "mimetype": self.mimetype,
            "filetype": kind,
            "pretty_type": kind.upper(),
            "user": self.user,
            "user_team": self.team,
            "editable": False,
            "size": len(self.data),
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": True,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{self.url}/{self.name}",
            "url_private_download": f"{self.url}/download/{self.name}",
            "permalink": f"{self.url}/permalink",
            "has_rich_preview": False,
            "file_access": "visible",
        }


@dataclass(slots=True, kw_only=True)
class Stream:
    """A message that is being written. `state` goes from "open" to "stopped", "halted" or "expired"."""

    started: float
    recipient: str = ""
    state: str = "open"
    pieces: list[str] = field(default_factory=list)
    tasks: dict[str, Payload] = field(default_factory=dict)
    blocks: list[Payload] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `ephemeral` names the one person who sees it; `stream` is set on streamed ones."""

    channel: str
    ts: str
    user: str
    team: str
    text: str = ""
    thread_ts: str = ""
    bot_id: str = ""
    app_id: str = ""
    subtype: str = ""
    blocks: list[Payload] = field(default_factory=list)
    attachments: list[Payload] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    metadata: Payload | None = None
    edited: Payload | None = None
    client_msg_id: str = ""
    ephemeral: str = ""
    broadcast: bool = False
    mrkdwn: bool = True
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    stream: Stream | None = None
    revisions: int = 0

    @property
    def streaming(self) -> bool:
        return self.stream is not None and self.stream.state == "open"

    def payload(self, *, metadata: bool = False) -> Payload:
        """Return it as the API and events show it, without what only a thread's root has."""
        shown: Payload = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.files:
            shown |= {"upload": False, "display_as_bot": False}
        elif self.team:
            shown["team"] = self.team
        optional = {
            "subtype": self.subtype,
            "client_msg_id": self.client_msg_id,
            "thread_ts": self.thread_ts,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "edited": self.edited,
            "files": [one.payload() for one in self.files],
        }
        shown |= {name: value for name, value in optional.items() if value}
        if self.bot_id:
            shown["bot_profile"] = {"id": self.bot_id, "app_id": self.app_id, "team_id": self.team}
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ]
        if metadata and self.metadata:
            shown["metadata"] = self.metadata
        return shown


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation. `kind` is "channel", "group" (private), "im" or "mpim"."""

    id: str
    team: str
    name: str
    kind: str = "channel"
    members: list[str] = field(default_factory=list)
    user: str = ""
    shared: bool = False
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        return self.kind != "channel"

    def put(self, message: Message) -> None:
        self.messages[message.ts] = message
        if message.thread_ts and message.thread_ts != message.ts:
            self.threads.setdefault(message.thread_ts, []).append(message.ts)

    def replies(self, root: str) -> list[Message]:
        """Return a thread's replies that everybody sees, oldest first."""
        found = (self.messages[ts] for ts in self.threads.get(root, ()) if ts in self.messages)
        return sorted((one for one in found if not one.ephemeral), key=lambda one: float(one.ts))

    def shown(self, message: Message, *, metadata: bool = False) -> Payload:
        """Return a message with what the root of a thread has."""
        shown = message.payload(metadata=metadata)
        if replies := self.replies(message.ts):
            people = list(dict.fromkeys(reply.user for reply in replies))
            shown |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "reply_users_count": len(people),
                "latest_reply": replies[-1].ts,
                "reply_users": people,
                "is_locked": False,
                "subscribed": False,
            }
        elif message.thread_ts in self.messages and message.thread_ts != message.ts:
            shown["parent_user_id"] = self.messages[message.thread_ts].user
        return shown

    def payload(self, *, bot: str, members: bool = False) -> Payload:
        if self.kind == "im":
            return {"id": self.id, "created": 1_700_000_000, "is_im": True, "user": self.user} | {
                "is_archived": self.archived,
                "is_org_shared": False,
                "context_team_id": self.team,
                "is_user_deleted": False,
            }
        shown = {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.private,
            "is_archived": self.archived,
            "is_general": False,
            "is_shared": self.shared,
            "is_ext_shared": self.shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "is_member": bot in self.members,
            "created": 1_700_000_000,
            "creator": self.members[0] if self.members else "",
            "context_team_id": self.team,
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }
        return shown | ({"num_members": len(self.members)} if members else {})


@dataclass(slots=True, kw_only=True)
class View:
    """An open modal or a published Home tab."""

    id: str
    team: str
    user: str
    content: Payload
    hash: str
    root: str
    previous: str = ""
    external_id: str = ""
    closed: bool = False

    def payload(self, *, app: str, bot: str, values: Payload | None = None) -> Payload:
        return {
            **self.content,
            "id": self.id,
            "team_id": self.team,
            "state": {"values": values or {}},
            "hash": self.hash,
            "private_metadata": self.content.get("private_metadata", ""),
            "callback_id": self.content.get("callback_id", ""),
            "external_id": self.external_id,
            "clear_on_close": bool(self.content.get("clear_on_close")),
            "notify_on_close": bool(self.content.get("notify_on_close")),
            "previous_view_id": self.previous or None,
            "root_view_id": self.root,
            "app_id": app,
            "app_installed_team_id": self.team,
            "bot_id": bot,
        }


@dataclass(slots=True, kw_only=True)
class Workspace:
    """One team and the app's installation in it."""

    id: str
    name: str
    domain: str
    bot_user: str
    bot_id: str
    bot_token: str
    installed: bool = True
    scopes: set[str] = field(default_factory=set)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    def direct(self, user: str) -> Channel | None:
        """Return the direct conversation of a user and the bot."""
        return next((one for one in self.channels.values() if one.kind == "im" and one.user == user), None)


class Ids:
    """Ids and message timestamps, each given once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._last = 0

    def new(self, prefix: str) -> str:
        return f"{prefix}0{next(self._numbers):09d}"

    def ts(self) -> str:
        """Return a message's timestamp, later than every one before."""
        self._last = max(self._last + 1, int(self._clock.now() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
