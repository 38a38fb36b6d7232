"""The emulator as a process of its own, steered over HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from tests.emulators.discord.conftest import Bot, Connect

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def process() -> Any:  # noqa: ANN401 - a generator of the process's first line
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.emulators.discord",
        "--port",
        "0",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdout is not None
    try:
        yield json.loads(await asyncio.wait_for(running.stdout.readline(), 20))
    finally:
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 10) == 0


async def test_a_process_is_steered_over_http(process: dict[str, Any], connect: Connect) -> None:
    """It prints where it is; a real client answers in it; posts, waits, faults and refusals work by HTTP."""
    (guild,) = process["guilds"].values()
    names = {name: key for key, name in guild["channels"].items()}
    ann = next(key for key, name in guild["members"].items() if name == "Ann")
    place = SimpleNamespace(**{key: process[key] for key in ("api_url", "gateway_url", "token")})
    async with aiohttp.ClientSession() as session, connect(place, Echo()) as bot:

        async def act(name: str, **given: object) -> tuple[int, dict[str, Any]]:
            async with session.post(f"{process['control_url']}/{name}", json=given) as response:
                return response.status, await response.json()

        assert (await act("ready"))[0] == 200
        said = {"channel": names["general"], "user": ann}
        _, asked = await act("say", **said, text="question {n}", times=3)
        _, replies = await act("wait", asked=asked["ids"])
        await act("gateway", what="cut")
        _, again = await act("say", **said, text="after the cut")
        _, more = await act("wait", asked=[again["id"]])
        unknown = await act("say", channel="1", user=ann, text="a")
        async with session.get(f"{process['control_url']}/state") as response:
            state = await response.json()
        assert bot.user is not None
    assert [replies[key][0]["content"] for key in asked["ids"]] == [f"echo question {n}" for n in range(3)]
    assert more[again["id"]][0]["content"] == "echo after the cut"
    assert unknown[0] == 400
    assert state["violations"] == []


class Echo(Bot):
    """Replies to all that it hears."""

    async def on_message(self, message: Any) -> None:  # noqa: ANN401 - discord.py's message
        if message.author != self.user:
            await message.reply(f"echo {message.content}")
