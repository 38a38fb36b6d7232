"""The emulator, driven by Slack's own client and held against the documented errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack_history import BOT_USER, TOKEN, SlackServer, serve_slack

METHODS = Path(__file__).resolve().parents[3] / "shared/specs/slack/slack_kit-method-docs/priv/docs"


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with serve_slack() as running:
        yield running


def client(server: SlackServer, token: str = TOKEN) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=f"{server.url}/")


async def test_the_client_pages_through_a_channel(server: SlackServer) -> None:
    """Slack's client reads a channel newest first over several pages, without the replies."""
    server.page = 2
    sent = [server.post(1_700_000_000 + number, f"Words {number}") for number in range(5)]
    server.post(1_700_000_100, "Reply", thread=sent[0])
    pages = await client(server).conversations_history(channel=server.channel, limit=2)
    messages = [message async for page in pages for message in page["messages"]]
    assert [message["ts"] for message in messages] == sent[::-1]
    assert messages[-1]["reply_count"] == 1
    assert messages[-1]["latest_reply"] == "1700000100.000000"


async def test_the_client_reads_a_thread(server: SlackServer) -> None:
    """A thread comes root first; times outside oldest and latest are not in a channel's history."""
    root = server.post(1_700_000_000, "Root")
    reply = server.post(1_700_000_001, "1 < 2", thread=root)
    told = await client(server).conversations_replies(channel=server.channel, ts=root)
    assert [message["ts"] for message in told["messages"]] == [root, reply]
    assert told["messages"][1]["text"] == "1 &lt; 2"
    later = await client(server).conversations_history(channel=server.channel, oldest=root)
    assert later["messages"] == []
    same = await client(server).conversations_history(channel=server.channel, oldest=root, inclusive=True)
    assert [message["ts"] for message in same["messages"]] == [root]


async def test_the_client_learns_who_is_who(server: SlackServer) -> None:
    """The bot's own id and a person's name are told."""
    server.person("U1", "Ann")
    assert (await client(server).auth_test())["user_id"] == BOT_USER
    assert (await client(server).users_info(user="U1"))["user"]["profile"]["display_name"] == "Ann"


@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies", "users.info"])
@pytest.mark.skipif(not METHODS.exists(), reason="../shared is absent")
async def test_errors_are_documented(server: SlackServer, method: str) -> None:
    """Every error that the emulator gives is one that Slack documents for the method."""
    known = json.loads((METHODS / "methods" / f"{method}.json").read_text())["errors"]
    known |= json.loads((METHODS / "common_errors.json").read_text())
    given = set()
    for token, channel, scopes in (
        ("bad", "C0GENERAL", {"users:read"}),
        (TOKEN, "C0", set()),
        (TOKEN, "C0", None),
    ):
        server.scopes = {"channels:history", "users:read"} if scopes is None else scopes
        with pytest.raises(SlackApiError) as raised:
            await client(server, token).api_call(
                method, params={"channel": channel, "ts": "1.0", "user": "U0"}
            )
        given.add(raised.value.response["error"])
    assert given <= known.keys()
    assert len(given) == 3
