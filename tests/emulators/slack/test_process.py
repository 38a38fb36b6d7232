"""The emulator as a process of its own, steered over its control address."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.workspace import Json, Payload

ROOT = Path(__file__).resolve().parents[3]


class Remote:
    """A client of the control address."""

    def __init__(self, session: aiohttp.ClientSession, state: Payload) -> None:
        self._session = session
        self.state = state

    async def __call__(self, verb: str, **arguments: Json) -> Json:
        url = f"{self.state['url']}/control/{verb}"
        async with self._session.post(url, json=arguments) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return answer["result"]


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.emulators.slack", "--port", "0", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        state = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            yield Remote(session, state)
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_a_conversation_over_the_control_address(remote: Remote) -> None:
    """People and channels are made, a question is asked and the app's answer is read from outside."""
    state = remote.state
    client = AsyncWebClient(token=state["bot_token"], base_url=state["api_url"])
    app = AsyncApp(client=client, signing_secret=state["signing_secret"])

    @app.event("app_mention")
    async def answer(event: Payload, say: AsyncSay) -> None:
        await say("Here.", thread_ts=event["ts"])

    @app.event("message")
    async def ignore() -> None:
        pass

    handler = AsyncSocketModeHandler(app, state["app_token"])
    await handler.connect_async()
    await remote("connected", connections=1)
    ann = await remote("add_user", name="Ann")
    channel = await remote("add_channel", name="general", members=[ann])
    await remote("fault_fail", method="users.info", error="user_not_found")
    ts = await remote("say", channel=channel, user=ann, text=f"<@{state['bot_user']}> where?")
    (message,) = await remote("wait", channel=channel, thread_ts=ts, seconds=5)
    assert (message["text"], message["streaming"]) == ("Here.", False)
    assert (await remote("messages", channel=channel))[0]["ts"] == message["ts"]
    assert [one["error"] for one in await remote("calls", method="chat.postMessage")] == [""]
    assert all(one["attempt"] == 0 for one in await remote("acks"))
    await handler.close_async()


async def test_wrong_verbs_are_told(remote: Remote) -> None:
    """A wrong verb, wrong arguments and unknown settings have a status and a line."""
    async with aiohttp.ClientSession() as session:
        for verb, arguments, status in (
            ("dance", {}, 404),
            ("say", {"channel": "C1"}, 400),
            ("say", {"channel": "C1", "user": "U1", "text": "a"}, 400),
            ("set", {"colour": "red"}, 400),
        ):
            async with session.post(f"{remote.state['url']}/control/{verb}", json=arguments) as response:
                assert response.status == status
                assert (await response.json())["error"]
