"""Slack as the desk speaks to it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.slack import files, posting
from adapters.slack.client import CallRefused
from adapters.slack.pace import Ration
from adapters.slack.private import DraftReply, PrivateReply, Whisper, direct_channel, draft_subject
from adapters.slack.render import notice_messages, person_message
from adapters.slack.reply import Rations, StreamedReply
from adapters.slack.status import Status
from bot.chat import Attachment, Choice, Incoming, Outcome, Place, Posted, Reply, Shown
from bot.errors import CommandError, SurfaceError, SurfaceGone
from bot.texts import ENGLISH

if TYPE_CHECKING:
    import aiohttp

    from adapters.slack.access import Access
    from adapters.slack.client import Api
    from adapters.slack.open_streams import OpenStreams
    from adapters.slack.settings import SlackSettings
    from adapters.slack.workspaces import Workspaces
    from bot.channels import ChannelRules
    from kb.documents import Audience

# Slack takes 20 starts, 100 appends and 50 updates a minute; a few are left for what must not wait.
_STARTS, _APPENDS, _UPDATES = 18, 95, 30

log = logging.getLogger(__name__)


class SlackSurface:
    """Shows what the desk says in Slack; see `bot.chat.Surface`."""

    platform = "slack"

    def __init__(
        self,
        settings: SlackSettings,
        session: aiohttp.ClientSession,
        *,
        workspaces: Workspaces,
        access: Access,
        rules: ChannelRules,
        streams: OpenStreams,
    ) -> None:
        self._settings = settings
        self._session = session
        self._workspaces = workspaces
        self._access = access
        self._rules = rules
        self._streams = streams
        self._rations: dict[str, Rations] = {}
        self.status = Status(workspaces, lambda place: rules.of(place).language)
        self.whisper = Whisper(session, api_url=settings.api_url)

    async def close(self) -> None:
        """End what is under way besides replies."""
        await self.status.close()

    async def working(self, incoming: Incoming) -> None:
        """See `Surface.working`."""
        await self.status.begin(incoming)

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        """See `Surface.audience`."""
        return await self._access.audience(place, person, private=private)

    async def found(self, incoming: Incoming) -> Posted | None:
        """See `Surface.found`; what one person alone sees in a channel cannot be found."""
        place = incoming.place
        api = await self._workspaces.api(place.workspace)
        if not incoming.private or place.kind == "direct":
            stands = await _found(api, place.channel, place.thread, incoming.subject, since=incoming.message)
            if stands:
                return posting.posted(api, place.channel, stands, thread=place.thread)
        return await self._handed(api, incoming) if self._rules.of(place).mode == "draft" else None

    async def _handed(self, api: Api, incoming: Incoming) -> Posted | None:
        """Return the draft that an earlier try has handed to its reviewers, or to some of them."""
        handed: list[str] = []
        for user in await self._reviewers(incoming.place):
            channel = await direct_channel(api, user)
            stands = await _found(api, channel, "", draft_subject(incoming), since=incoming.message)
            handed += [posting.at(api, channel, ts) for ts in stands]
        return Posted(channel=incoming.place.channel, messages=tuple(handed)) if handed else None

    async def reply(self, incoming: Incoming, *, shown: Shown, before: Posted | None = None) -> Reply:
        """See `Surface.reply`."""
        place = incoming.place
        api = await self._workspaces.api(place.workspace)
        if shown == "draft":
            reviewers = await self._reviewers(place)
            return _Signed(DraftReply(incoming, api=api, reviewers=reviewers, before=before), incoming, self)
        if shown == "private" and place.kind != "direct":
            return _Signed(PrivateReply(incoming, api=api, whisper=self.whisper), incoming, self)
        begun = await self._streams.of(incoming.subject) if before is None else None
        streamed = StreamedReply(
            incoming,
            api=api,
            streams=self._streams,
            rations=self._rations_of(place.workspace),
            before=before,
            begun=begun[1] if begun and begun[0] == place.channel else "",
        )
        return _Signed(streamed, incoming, self)

    async def remove(self, posted: Posted) -> None:
        """See `Surface.remove`."""
        if posted.messages:
            await posting.remove(await self._workspaces.api(posting.workspace(posted)), posted)

    async def tell(self, incoming: Incoming, line: str) -> Posted | None:
        """See `Surface.tell`."""
        shown: Shown = "private" if incoming.private else "public"
        reply = await self.reply(incoming, shown=shown)
        return await reply.finish(Outcome(alone=line, shown=shown))

    async def call_person(self, incoming: Incoming, who: str, line: str) -> Posted:
        """See `Surface.call_person`."""
        try:
            message = person_message(who, line)
        except ValueError as exc:
            raise SurfaceGone(str(exc)) from exc
        place = incoming.place
        api = await self._workspaces.api(place.workspace)
        subject = f"{incoming.subject}:person"
        ts = await posting.post(
            api, place.channel, place.thread, message, subject=subject, since=incoming.message
        )
        return posting.posted(api, place.channel, [ts], thread=place.thread)

    async def download(self, attachment: Attachment, *, limit: int) -> bytes:
        """See `Surface.download`."""
        try:
            api = await self._workspaces.api(files.workspace(attachment))
        except SurfaceError as exc:
            reason = ENGLISH.file_not_fetched.format(name=attachment.name, reason=exc)
            raise CommandError(reason) from exc
        return await files.download(
            self._session, api, attachment, api_url=self._settings.api_url, limit=limit
        )

    async def notify(self, workspace: str, channel: str, line: str, choices: Sequence[Choice] = ()) -> None:
        """See `Surface.notify`; an empty workspace is the only one."""
        api = await self._workspaces.api(workspace)
        subject = f"notice:{uuid.uuid4().hex}"  # its own: an earlier notice must not be taken for this one
        for part, message in enumerate(notice_messages(line, choices)):
            await posting.post(api, channel, "", message, subject=subject, part=part)

    async def _reviewers(self, place: Place) -> list[str]:
        """Return the users who review a channel's drafts; without any, the admins that the settings name."""
        settings = self._settings
        named = self._rules.of(place).reviewers or (*settings.admins, *settings.admin_groups)
        users: list[str] = []
        for who in named:
            users += await self._access.members(place.workspace, who)
        return list(dict.fromkeys(users))

    def _rations_of(self, workspace: str) -> Rations:
        if workspace not in self._rations:
            self._rations[workspace] = Rations(
                starts=Ration(_STARTS), appends=Ration(_APPENDS), updates=Ration(_UPDATES)
            )
        return self._rations[workspace]


async def _found(api: Api, channel: str, thread: str, subject: str, *, since: str) -> list[str]:
    """Return the messages of a reply in their order, none where the place is gone."""
    try:
        parts = await posting.find(api, channel, thread, subject=subject, since=since)
    except CallRefused as exc:
        if exc.code in posting.GONE:
            return []
        raise
    return [ts for _, ts in sorted(parts.items())]


class _Signed:
    """A reply that takes the signs of its making away when it ends."""

    def __init__(self, reply: Reply, incoming: Incoming, surface: SlackSurface) -> None:
        self._reply = reply
        self._incoming = incoming
        self._status = surface.status

    async def show(self, text: str) -> None:
        await self._reply.show(text)

    async def finish(self, outcome: Outcome) -> Posted:
        posted = await self._reply.finish(outcome)
        self._status.end(self._incoming, replied=outcome.shown == "public")
        return posted

    async def withdraw(self) -> None:
        await self._reply.withdraw()
        self._status.end(self._incoming, replied=False)
