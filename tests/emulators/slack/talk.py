"""What people do in channels: say something, change and delete it, react, come and go."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from tests.emulators.slack.markup import rich_text, stored
from tests.emulators.slack.site import Site
from tests.emulators.slack.workspace import Channel, Message, Payload, Workspace


class Talk(Site):
    """The people's side of messages."""

    @property
    def bot_user(self) -> str:
        return self.home.bot_user

    @property
    def bot_token(self) -> str:
        return self.home.bot_token

    @property
    def mention(self) -> str:
        """What a person types to address the bot."""
        return f"<@{self.home.bot_user}>"

    async def say(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        thread_ts: str = "",
        files: Iterable[str] = (),
        broadcast: bool = False,
        bot: bool = False,
    ) -> str:
        """Write a message as a person and return its ts.

        `<@U…>` and other tokens stay alive, all else is escaped as Slack does. `bot` lets another app say it.
        """
        place = self.channel(channel)
        team = self.workspaces[place.team]
        uploads = [team.files[one] for one in files]
        for upload in uploads:
            upload.channels.append(channel)
        kept = stored(text)
        message = Message(
            channel=channel,
            ts=self.ids.ts(),
            user=user,
            team=team.id,
            text=kept,
            thread_ts=thread_ts,
            subtype=_subtype(bool(uploads), bot=bot, broadcast=broadcast),
            broadcast=broadcast,
            blocks=[rich_text(kept, self.ids.new("b"))] if text else [],
            files=uploads,
            bot_id="B0OTHERBOT" if bot else "",
            app_id="A0OTHERBOT" if bot else "",
            client_msg_id="" if bot else str(uuid.uuid4()),
        )
        self.post(place, message)
        if place.kind != "im":
            self._mention(team, place, message)
        return message.ts

    def _mention(self, team: Workspace, place: Channel, message: Message) -> None:
        """Send `app_mention` when the bot is named where it is a member."""
        named = f"<@{team.bot_user}" in message.text and team.bot_user in place.members
        if not named or "app_mention" not in self.events:
            return
        event = place.shown(message) | {
            "type": "app_mention",
            "channel": place.id,
            "event_ts": message.ts,
        }
        event.pop("subtype", None)
        self.emit(team, event, shared=place.shared)

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change a person's message."""
        place = self.channel(channel)
        message = place.messages[ts]
        before = place.shown(message)
        message.text = stored(text)
        message.blocks = [rich_text(message.text, self.ids.new("b"))]
        message.edited = {"user": message.user, "ts": self.ids.ts()}
        self.change(place, before, message, own=False)

    async def unfurl(self, channel: str, ts: str, url: str) -> None:
        """Let Slack put a link's preview below a message, which looks like a change."""
        place = self.channel(channel)
        message = place.messages[ts]
        before = place.shown(message)
        message.attachments = [{"id": 1, "from_url": url, "title": "A page", "fallback": "A page"}]
        self.change(place, before, message, own=False)

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message."""
        place = self.channel(channel)
        self.remove(place, place.messages[ts], own=False)

    async def react(self, channel: str, ts: str, user: str, name: str) -> None:
        """Add an emoji to a message."""
        place = self.channel(channel)
        message = place.messages[ts]
        message.reactions.setdefault(name, []).append(user)
        event = {
            "type": "reaction_added",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel, "ts": ts},
            "item_user": message.user,
            "event_ts": self.ids.ts(),
        }
        self._emit_if("reaction_added", self.workspaces[place.team], event)

    def join(self, channel: Channel | str, user: str) -> None:
        """Let somebody, the bot too, come into a channel."""
        place = self.channel(channel) if isinstance(channel, str) else channel
        if user in place.members:
            return
        place.members.append(user)
        self._membership("member_joined_channel", place, user)
        told = {"user": user, "team": place.team, "text": f"<@{user}> has joined the channel"}
        notice = Message(channel=place.id, ts=self.ids.ts(), subtype="channel_join", **told)
        self.post(place, notice)

    def leave(self, channel: str, user: str) -> None:
        """Let somebody, the bot too, go from a channel."""
        place = self.channel(channel)
        self._membership("member_left_channel", place, user)
        place.members.remove(user)
        self.bell.ring()

    def _membership(self, kind: str, place: Channel, user: str) -> None:
        event = {
            "type": kind,
            "user": user,
            "channel": place.id,
            "channel_type": "C" if place.kind == "channel" else "G",
            "team": place.team,
            "event_ts": self.ids.ts(),
        }
        self._emit_if(kind, self.workspaces[place.team], event)

    async def open_home(self, user: str, *, tab: str = "home") -> None:
        """Open the app's page: its tab is "home" or "messages"."""
        team = self.team_of_user(user)
        event: Payload = {
            "type": "app_home_opened",
            "user": user,
            "channel": self.direct(user),
            "tab": tab,
            "event_ts": self.ids.ts(),
        }
        view = self.homes.get((team.id, user))
        if view is not None and tab == "home":
            event["view"] = view.payload(app=self.app_id, bot=team.bot_id)
        self._emit_if("app_home_opened", team, event)

    async def stop_button(self, user: str, channel: str, thread_ts: str) -> list[str]:
        """Press the stop button of a thread; return the ts of the streams that Slack halted."""
        place = self.channel(channel)
        halted = [one for one in place.replies(thread_ts) if one.streaming]
        for message in halted:
            assert message.stream is not None
            message.stream.state = "halted"
        event = {
            "type": "agent_session_stopped",
            "user": user,
            "channel": channel,
            "thread_ts": thread_ts,
            "streaming_message_ts": [one.ts for one in halted],
            "event_ts": self.ids.ts(),
        }
        self._emit_if("agent_session_stopped", self.workspaces[place.team], event)
        self.bell.ring()
        return [one.ts for one in halted]

    def revoke(self, team: Workspace | None = None) -> None:
        """Take the app's token away, as an administrator does, and tell the app."""
        place = team or self.home
        self.revoked[place.bot_token] = "token_revoked"
        place.installed = False
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [place.bot_user]}}
        self._emit_if("tokens_revoked", place, event)
        self.bell.ring()

    def uninstall(self, team: Workspace | None = None) -> None:
        """Remove the app from a workspace."""
        place = team or self.home
        self.revoked[place.bot_token] = "account_inactive"
        place.installed = False
        self._emit_if("app_uninstalled", place, {"type": "app_uninstalled"})
        self.bell.ring()

    def _emit_if(self, name: str, team: Workspace, event: Payload) -> None:
        if name in self.events:
            self.emit(team, event)


def _subtype(uploads: bool, *, bot: bool, broadcast: bool) -> str:
    if bot:
        return "bot_message"
    if uploads:
        return "file_share"
    return "thread_broadcast" if broadcast else ""
