"""Who may see what in Slack: the tags of a place and of a person, and the rights a person has."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from adapters.slack.client import CallRefused
from bot.chat import Person, Place
from bot.errors import SurfaceBusy, SurfaceError
from kb.documents import Audience

if TYPE_CHECKING:
    from adapters.slack.client import Api
    from adapters.slack.workspaces import Workspaces
    from bot.channels import ChannelRules
    from bot.chat import PlaceKind

Value = TypeVar("Value")

FRESH_SECONDS = 60.0
_PAGE = 200
_PATIENCE = 8.0
_SETTLE_SECONDS = 1.0  # of the three that Slack waits for an acknowledgement
# The workspace has no user groups, or the app was not given the scope to see them.
_NO_GROUPS = frozenset({"plan_upgrade_required", "missing_scope", "no_permission", "not_allowed_token_type"})
_MOST_KEPT = 5_000

log = logging.getLogger(__name__)


class Access:
    """Asks Slack who belongs where, and remembers it for at most a minute."""

    def __init__(
        self, workspaces: Workspaces, rules: ChannelRules, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workspaces = workspaces
        self._rules = rules
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, asyncio.Future[Any]]] = {}

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        """Return the tags an answer may use there; see `Surface.audience`."""
        try:
            if not private and place.kind != "direct":
                return Audience(await self._of_channel(place))
            return await self._of_person(place.workspace, person)
        except SurfaceBusy:
            raise
        except SurfaceError as exc:
            raise SurfaceBusy(f"Slack does not tell what {person!r} may see: {exc}") from exc

    async def settled(self, place: Place) -> Place:
        """Return a place with its kind and whether it is shared, as Slack says; raise `SurfaceError`.

        Events name both, commands and buttons do not: what their ids and names tell is a guess.
        """
        if not place.channel:
            return place
        channel = await self._channel(place)
        return replace(place, kind=_kind(channel), shared=place.shared or _shared(channel))

    async def guarded(self, place: Place) -> Place:
        """Return a place settled; where Slack does not tell at once, as one that few may see.

        Slack tells nothing of a place that the bot is not in, such as what two people write to each other.
        """
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                return await self.settled(place)
        except (SurfaceError, TimeoutError) as exc:
            log.info("slack place not settled place=%s reason=%s", place.channel, exc or "no reply in time")
            return replace(place, kind="private", shared=True)

    async def _channel(self, place: Place) -> Mapping[str, Any]:
        async def ask() -> Mapping[str, Any]:
            api = await self._workspaces.api(place.workspace)
            told = await api.call("conversations.info", channel=place.channel, patience=_PATIENCE)
            return cast("Mapping[str, Any]", told.get("channel") or {})

        return await self._fresh(("channel", place.workspace, place.channel), ask)

    async def person(self, workspace: str, user: str, name: str = "") -> Person:
        """Return a person with their groups and whether they are an admin; raise `SurfaceError`."""
        info, groups = await asyncio.gather(self._user(workspace, user), self._groups(workspace))
        profile: Mapping[str, Any] = info.get("profile") or {}
        shown = profile.get("display_name") or profile.get("real_name") or name or info.get("name") or ""
        return Person(
            platform="slack",
            workspace=workspace,
            id=user,
            name=str(shown),
            groups=_groups_of(groups, user),
            admin=bool(info.get("is_admin") or info.get("is_owner")) and not info.get("is_stranger"),
        )

    async def members(self, workspace: str, who: str) -> list[str]:
        """Return the users that an id stands for: a group's members, or the user."""
        if not who.startswith("S"):
            return [who]
        return sorted((await self._groups(workspace)).get(who, frozenset()))

    async def language(self, workspace: str, user: str) -> str:
        """Return the settings' language, else the one a person has set in Slack; empty: not known."""
        settings = self._rules.platforms.get("slack")
        if settings is not None and settings.language:
            return settings.language
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                return str((await self._user(workspace, user)).get("locale") or "")
        except (SurfaceError, TimeoutError):
            return ""

    async def _of_channel(self, place: Place) -> frozenset[str]:
        """Return what every member of a channel may see; Slack is asked only where sharing it matters."""
        tags, outside = self._rules.of(place).audience, self._rules.of(replace(place, shared=True)).audience
        if tags != outside and _shared(await self._channel(place)):
            tags = outside
        return tags | {_channel_tag(place.channel)}

    async def _of_person(self, workspace: str, person: str) -> Audience:
        channels, groups = await asyncio.gather(self._channels(workspace, person), self._groups(workspace))
        tags = {f"slack:user:{person}"}
        tags |= {f"slack:group:{group}" for group in _groups_of(groups, person)}
        for channel, shared in channels.items():
            place = Place(platform="slack", workspace=workspace, channel=channel, shared=shared)
            tags |= {_channel_tag(channel), *self._rules.of(place).audience}
        return Audience(frozenset(tags))

    async def _channels(self, workspace: str, person: str) -> Mapping[str, bool]:
        """Return the channels that the person is in and the bot can see, and which are shared with others."""

        async def ask() -> Mapping[str, bool]:
            found = await _all_pages(
                await self._workspaces.api(workspace),
                "users.conversations",
                "channels",
                user=person,
                types="public_channel,private_channel,mpim",
                exclude_archived=True,
                limit=_PAGE,
            )
            return {str(channel["id"]): bool(channel.get("is_ext_shared")) for channel in found}

        return await self._fresh(("channels", workspace, person), ask)

    async def _groups(self, workspace: str) -> Mapping[str, frozenset[str]]:
        """Return the members of each user group."""

        async def ask() -> Mapping[str, frozenset[str]]:
            api = await self._workspaces.api(workspace)
            try:
                told = await api.call("usergroups.list", include_users=True, patience=_PATIENCE)
            except CallRefused as exc:
                if exc.code not in _NO_GROUPS:
                    raise
                log.info("slack user groups are not to be had workspace=%s reason=%s", workspace, exc.code)
                return {}
            groups = told.get("usergroups") or ()
            return {str(group["id"]): frozenset(map(str, group.get("users") or ())) for group in groups}

        return await self._fresh(("groups", workspace), ask)

    async def _user(self, workspace: str, user: str) -> Mapping[str, Any]:
        async def ask() -> Mapping[str, Any]:
            api = await self._workspaces.api(workspace)
            told = await api.call("users.info", user=user, include_locale=True, patience=_PATIENCE)
            return cast("Mapping[str, Any]", told.get("user") or {})

        return await self._fresh(("user", workspace, user), ask)

    async def _fresh(self, key: tuple[str, ...], ask: Callable[[], Awaitable[Value]]) -> Value:
        """Return what `ask` found at most a minute ago; many who want it at once ask once."""
        now = self._clock()
        until, future = self._kept.get(key, (0.0, None))
        if future is None or now >= until or _failed(future):
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            future = asyncio.ensure_future(ask())
            future.add_done_callback(_failed)  # looks at the exception even when its askers are gone
            self._kept[key] = (now + FRESH_SECONDS, future)
        return cast("Value", await asyncio.shield(future))


def _failed(future: asyncio.Future[Any]) -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)


def _kind(channel: Mapping[str, Any]) -> PlaceKind:
    """Return the kind of a conversation; public is what Slack calls a channel and nothing else."""
    if channel.get("is_im"):
        return "direct"
    closed = (
        any(channel.get(key) for key in ("is_group", "is_mpim")) or channel.get("is_private") is not False
    )
    return "private" if closed or not channel.get("is_channel") else "channel"


def _shared(channel: Mapping[str, Any]) -> bool:
    return bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))


def _channel_tag(channel: str) -> str:
    return f"slack:{channel}"


def _groups_of(groups: Mapping[str, frozenset[str]], user: str) -> frozenset[str]:
    return frozenset(group for group, members in groups.items() if user in members)


async def _all_pages(api: Api, method: str, field: str, **arguments: object) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    cursor = ""
    while True:
        told = await api.call(method, patience=_PATIENCE, cursor=cursor or None, **arguments)
        found += told.get(field) or ()
        cursor = str((told.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return found
