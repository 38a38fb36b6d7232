"""A running emulator with one person in one channel, and a slack-bolt app that is connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.server import SlackEmulator


@dataclass(slots=True, kw_only=True)
class Office:
    """The emulator, a channel with Ann in it, and a client with the bot's token."""

    slack: SlackEmulator
    ann: str
    channel: str
    client: AsyncWebClient

    def bolt(self) -> AsyncApp:
        return AsyncApp(client=self.client, signing_secret=self.slack.signing_secret)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with SlackEmulator().running() as slack:
        ann = slack.add_user("Ann", email="ann@acme.example")
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        yield Office(slack=slack, ann=ann, channel=slack.add_channel(members=[ann]), client=client)


@pytest.fixture
async def app(office: Office) -> AsyncIterator[AsyncApp]:
    """Connect a bolt app over Socket Mode; tests register their listeners."""
    bolt = office.bolt()
    handler = AsyncSocketModeHandler(bolt, office.slack.app_token, ping_interval=1)
    await handler.connect_async()
    try:
        await office.slack.connected()
        yield bolt
    finally:
        await handler.close_async()
