"""What `lorekeeper doctor` asks Slack: whether it lets the bot in, with the scopes that it needs."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.errors import PlatformRefused, Remark, UsageError
from adapters.slack.manifest import BOT_SCOPES
from adapters.slack.settings import SlackSecrets, SlackSettings

_SECONDS = 15


async def check_bot(settings: SlackSettings, secrets: SlackSecrets) -> str:
    """Return who the bot is; raise `PlatformRefused` for a bad token, `Remark` for scopes that it lacks."""
    if secrets.bot_token is None:
        return "installed by several workspaces, nothing to ask before one has done so"
    response = await _asked(settings, secrets.bot_token.get_secret_value(), "auth.test", "bot_token_env")
    granted = set(str(_header(response, "x-oauth-scopes")).replace(" ", "").split(",")) - {""}
    if granted and (missing := sorted(set(BOT_SCOPES) - granted)):
        raise Remark(
            f"the bot token lacks the scopes {', '.join(missing)}. Add them to the app "
            "(lorekeeper slack manifest) and install it again."
        )
    return f"{response['user']} in {response['team']}"


async def check_socket(settings: SlackSettings, secrets: SlackSecrets) -> str:
    """Tell that events can come in by Socket Mode; raise `PlatformRefused` when they cannot."""
    assert secrets.app_token is not None  # the settings are checked for it first
    await _asked(settings, secrets.app_token.get_secret_value(), "apps.connections.open", "app_token_env")
    return f"Socket Mode, {settings.connections} connections"


async def _asked(settings: SlackSettings, token: str, method: str, key: str) -> Any:  # noqa: ANN401 - the SDK's
    client = AsyncWebClient(token=token, base_url=settings.api_url, timeout=_SECONDS, retry_handlers=[])
    try:
        return await client.api_call(method)
    except SlackApiError as exc:
        raise PlatformRefused(_refusal(method, str(exc.response["error"]), key)) from None
    except (ClientError, TimeoutError, OSError):
        raise UsageError(
            f"{settings.api_url} does not answer. Check the network, a proxy and slack.api_url."
        ) from None


def _refusal(method: str, error: str, key: str) -> str:
    if error == "missing_scope":
        return f"{method} was refused: the token of slack.{key} lacks a scope. See: lorekeeper slack manifest"
    return (
        f"{method} was refused ({error}). Take the token of slack.{key} anew from the app's page at "
        "api.slack.com/apps."
    )


def _header(response: Any, name: str) -> str:  # noqa: ANN401 - the SDK's response
    headers = {key.lower(): value for key, value in dict(response.headers).items()}
    value = headers.get(name, "")
    return value if isinstance(value, str) else ",".join(value)
