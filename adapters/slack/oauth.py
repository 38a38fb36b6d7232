"""Installation by several workspaces: Slack's OAuth, with the tokens kept encrypted.

The tokens must be kept, and the database may be read by others than the bot: a backup is copied, a server is
shared. They are encrypted with a key that is drawn from the client secret, which only the environment holds.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Text, select

from adapters.errors import SettingsError
from adapters.slack.manifest import BOT_SCOPES
from kb.database import reading, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession
    from pydantic import SecretStr
    from slack_sdk.web.async_slack_response import AsyncSlackResponse
    from sqlalchemy.ext.asyncio import AsyncEngine

    from adapters.slack.settings import SlackSettings

Kept = TypeVar("Kept", Bot, Installation)

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
_STATE_SECONDS = 600
_SECRETS = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
_MARK = "v1:"
_PURPOSE = b"lorekeeper slack tokens"

log = logging.getLogger(__name__)
# The SDK's own lines quote codes and the like.
_quiet = logging.getLogger(f"{__name__}.sdk")
_quiet.setLevel(logging.CRITICAL)


class InstallClient(AsyncWebClient):
    """The SDK's client, which names the app in the body: its own way to do so is deprecated in aiohttp."""

    async def oauth_v2_access(
        self,
        *,
        client_id: str,
        client_secret: str,
        code: str | None = None,
        redirect_uri: str | None = None,
        **more: object,
    ) -> AsyncSlackResponse:
        """Return what an installation brings in exchange for its code."""
        given: dict[str, object] = {"client_id": client_id, "client_secret": client_secret, "code": code}
        given |= {"redirect_uri": redirect_uri, **more}
        sent = {name: value for name, value in given.items() if value is not None}
        return await self.api_call("oauth.v2.access", data=sent)


class Seal:
    """Encrypts texts with a key drawn from a secret."""

    def __init__(self, secret: SecretStr) -> None:
        try:
            from cryptography.fernet import Fernet
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ImportError as exc:
            raise SettingsError(
                "[slack] client_id: the tokens of several workspaces are kept encrypted, and the package "
                "'cryptography' is missing. Install it: pip install 'lorekeeper[slack]'."
            ) from exc
        drawn = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
        key = drawn.derive(secret.get_secret_value().encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def close(self, text: str) -> str:
        """Return a text encrypted."""
        return _MARK + self._fernet.encrypt(text.encode()).decode()

    def open(self, text: str) -> str | None:
        """Return what was encrypted; None when it was with another key."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(text.removeprefix(_MARK).encode()).decode()
        except InvalidToken:
            return None


class SealedStore(AsyncSQLAlchemyInstallationStore):
    """The SDK's store of installations, whose secrets are encrypted in the database."""

    def __init__(self, client_id: str, engine: AsyncEngine, seal: Seal) -> None:
        super().__init__(client_id, engine, logger=_quiet)
        for table in (self.bots, self.installations):
            for name in _SECRETS:
                if name in table.c:
                    table.c[name].type = Text()  # a sealed token is longer than the SDK's columns
        self._seal = seal

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation; its bot is kept with it."""
        await super().async_save(self._sealed(installation))

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep an installation's bot."""
        await super().async_save_bot(self._sealed(bot))

    async def async_find_bot(self, **where: Any) -> Bot | None:  # noqa: ANN401 - the SDK's arguments
        """Return the latest installation's bot."""
        found = await super().async_find_bot(**where)
        return self._opened(found) if found else None

    async def async_find_installation(self, **where: Any) -> Installation | None:  # noqa: ANN401 - the SDK's
        """Return the latest installation."""
        found = await super().async_find_installation(**where)
        return self._opened(found) if found else None

    async def token(self, team: str) -> str | None:
        """Return a workspace's bot token; None when the bot is not installed there."""
        bots = self.bots.c
        query = (
            select(bots.bot_token)
            .where(bots.client_id == self.client_id, bots.team_id == team, bots.bot_token.is_not(None))
            .order_by(bots.installed_at.desc())
            .limit(1)
        )
        async with reading(self.engine) as connection:
            sealed = (await connection.execute(query)).scalar()
        token = self._seal.open(sealed) if sealed else None
        if sealed and token is None:
            log.error(
                "slack token of workspace %r cannot be read: the client secret has changed. "
                "Install the app there again.",
                team,
            )
        return token

    def _sealed(self, kept: Kept) -> Kept:
        return _with_secrets(kept, lambda text: text if text.startswith(_MARK) else self._seal.close(text))

    def _opened(self, kept: Kept) -> Kept:
        return _with_secrets(kept, self._open_sealed)

    def _open_sealed(self, text: str) -> str | None:
        return self._seal.open(text) if text.startswith(_MARK) else text


def _with_secrets(kept: Kept, change: Callable[[str], str | None]) -> Kept:
    """Return a copy of an installation whose secrets went through `change`."""
    fields = dict(vars(kept))
    for name in _SECRETS:
        if fields.get(name):
            fields[name] = change(fields[name])
    copy = object.__new__(type(kept))
    vars(copy).update(fields)
    return copy


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """The installation flow and the store of what it brought."""

    flow: AsyncOAuthFlow
    store: SealedStore
    states: AsyncSQLAlchemyOAuthStateStore

    async def prepare(self) -> None:
        """Make the tables where they are missing."""
        for metadata in (self.store.metadata, self.states.metadata):
            async with transaction(self.store.engine) as connection:
                await connection.run_sync(metadata.create_all)

    async def uninstalled(self, team: str, enterprise: str | None = None) -> None:
        """Forget a workspace."""
        await self.store.async_delete_all(enterprise_id=enterprise, team_id=team)


def build_oauth(
    settings: SlackSettings,
    client_secret: SecretStr,
    *,
    engine: AsyncEngine,
    session: ClientSession,
    installed: Callable[[str], None],
) -> OAuth:
    """Return the flow for the app; `installed` hears of a workspace that has just installed it."""
    store = SealedStore(settings.client_id, engine, Seal(client_secret))
    states = AsyncSQLAlchemyOAuthStateStore(_STATE_SECONDS, engine, logger=_quiet)

    async def success(arguments: AsyncSuccessArgs) -> BoltResponse:
        installed(str(arguments.installation.team_id or ""))
        return await arguments.default.success(arguments)

    async def failure(arguments: AsyncFailureArgs) -> BoltResponse:
        log.warning("slack installation failed reason=%s", arguments.reason)
        return await arguments.default.failure(arguments)

    client = InstallClient(base_url=settings.api_url, session=session, retry_handlers=[])
    client.proxy = None  # the session heeds the proxy variables, NO_PROXY included
    flow = AsyncOAuthFlow(
        client=client,
        logger=_quiet,
        settings=AsyncOAuthSettings(
            client_id=settings.client_id,
            client_secret=client_secret.get_secret_value(),
            scopes=list(BOT_SCOPES),
            user_scopes=[],
            install_path=INSTALL_PATH,
            redirect_uri_path=REDIRECT_PATH,
            installation_store=store,
            state_store=states,
            state_expiration_seconds=_STATE_SECONDS,
            callback_options=AsyncCallbackOptions(success=success, failure=failure),
            logger=_quiet,
            authorization_url=urljoin(settings.api_url, "/oauth/v2/authorize"),
        ),
    )
    return OAuth(flow=flow, store=store, states=states)
