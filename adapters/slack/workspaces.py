"""The workspaces that the bot is installed in, each with its token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from adapters.errors import PlatformRefused
from adapters.slack.client import TOKEN_ERRORS, Api, CallRefused, web_client
from adapters.slack.pace import Pace
from bot.errors import SurfaceGone

if TYPE_CHECKING:
    import aiohttp
    from pydantic import SecretStr

    from adapters.slack.settings import SlackSettings

log = logging.getLogger(__name__)


class Installed(Protocol):
    """Where the tokens of several workspaces are kept."""

    async def token(self, team: str) -> str | None:
        """Return a workspace's bot token, None when the bot is not installed there."""


class Workspaces:
    """Opens the Web API of a workspace, once.

    With `token`, it is the same token everywhere: the app is installed in one workspace. Otherwise
    `installed` knows the tokens. `refused` hears of a token that Slack takes no more.
    """

    def __init__(
        self,
        settings: SlackSettings,
        session: aiohttp.ClientSession,
        *,
        token: SecretStr | None = None,
        installed: Installed | None = None,
        refused: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._session = session
        self._token = token
        self._installed = installed
        self._refused = refused
        self._pace = Pace()
        self._apis: dict[str, Api] = {}
        self._opening = asyncio.Lock()

    async def open_only(self) -> Api:
        """Open the one workspace of the token; raise `PlatformRefused` when Slack does not take it."""
        assert self._token is not None
        try:
            api = await self._open(self._token.get_secret_value())
        except CallRefused as exc:
            raise PlatformRefused(
                f"Slack refuses the token in ${self._settings.bot_token_env}: {exc.code}. "
                "Copy the bot token (xoxb-…) from OAuth & Permissions of your app and set it again."
            ) from exc
        self._apis[api.team] = api
        return api

    async def api(self, team: str) -> Api:
        """Return a workspace's Web API; raise `SurfaceGone` when the bot is not installed there."""
        if (api := self._apis.get(team)) is not None:
            return api
        if not team and len(self._apis) == 1:
            return next(iter(self._apis.values()))
        async with self._opening:
            if team not in self._apis:
                self._apis[team] = await self._opened(team)
            return self._apis[team]

    def forget(self, team: str) -> None:
        """Drop what is known of a workspace, because its token changed or is gone."""
        self._apis.pop(team, None)

    async def _opened(self, team: str) -> Api:
        if self._installed is None:
            # One app in one workspace: in a shared channel the event may name the other organisation.
            return next(iter(self._apis.values())) if self._apis else await self.open_only()
        token = await self._installed.token(team)
        if token is None:
            raise SurfaceGone(f"The app is not installed in the Slack workspace {team!r}. Install it there.")
        return await self._open(token, team)

    async def _open(self, token: str, team: str = "") -> Api:
        client = web_client(token, base_url=self._settings.api_url, session=self._session)
        api = Api(client, team=team, bot_user="", bot_id="", pace=self._pace)
        told = await api.call("auth.test")
        api.team = team or str(told.get("team_id", ""))
        api.bot_user, api.bot_id = str(told.get("user_id", "")), str(told.get("bot_id", ""))
        api.refused = self._refused
        log.info("slack workspace opened team=%s", api.team)
        return api


def refusal(settings: SlackSettings, code: str) -> PlatformRefused:
    """Return the error that ends the program when the only token is taken no more."""
    assert code in TOKEN_ERRORS
    return PlatformRefused(
        f"Slack no longer takes the token in ${settings.bot_token_env}: {code}. "
        "Install the app again, copy the new token and set it."
    )
