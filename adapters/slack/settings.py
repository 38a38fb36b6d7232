"""`[slack]`: how Slack is reached.

DESIGN's contract has `mode = "socket"|"http"` here; how channels are answered by default is `answers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, SecretStr

from bot.chat_settings import PlatformSettings


class SlackSettings(PlatformSettings):
    """`[slack]`: the Slack app."""

    mode: Literal["socket", "http"] = Field("socket", description="How events come in.")
    api_url: str = Field("https://slack.com/api/", description="Base URL of the Web API.")
    bot_token_env: str = Field("SLACK_BOT_TOKEN", description="Variable that holds the bot token, xoxb-….")
    app_token_env: str = Field("SLACK_APP_TOKEN", description="Variable with the app token, xapp-… (socket).")
    signing_secret_env: str = Field(
        "SLACK_SIGNING_SECRET", description="Variable that holds the signing secret (http)."
    )
    client_id: str = Field(
        "", description="The app's client id, to be installed by several workspaces (http)."
    )
    client_secret_env: str = Field(
        "SLACK_CLIENT_SECRET", description="Variable that holds the client secret (several workspaces)."
    )
    host: str = Field("127.0.0.1", description="Address to listen at (http).")
    port: int = Field(3000, ge=0, le=65535, description="Port to listen at (http).")
    connections: int = Field(2, ge=1, le=10, description="WebSocket connections (socket).")
    command: str = Field("/kb", pattern=r"^/[a-z0-9_-]{1,31}$", description="The command for the knowledge.")
    ask_command: str = Field("/ask", pattern=r"^/[a-z0-9_-]{1,31}$", description="The command for questions.")
    persona_command: str = Field(
        "/persona", pattern=r"^/[a-z0-9_-]{1,31}$", description="The one for voices."
    )
    shared_channels: bool = Field(False, description="Answer in channels shared with other organisations.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSecrets:
    """The secrets that `[slack]` names; None where the variable is not set."""

    bot_token: SecretStr | None = field(default=None, repr=False)
    app_token: SecretStr | None = field(default=None, repr=False)
    signing_secret: SecretStr | None = field(default=None, repr=False)
    client_secret: SecretStr | None = field(default=None, repr=False)
