"""Slack's half of `tests.benchmarks.chat`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.benchmarks.chat import Round, Seen, emulator

CHANNELS = 8


class Slack:
    """The emulated workspace, steered over its control address."""

    name = "slack"

    def __init__(self, session: aiohttp.ClientSession, state: dict[str, Any]) -> None:
        self._session = session
        self._state = state
        self._channels: list[str] = []
        self._people: list[str] = []

    async def control(self, verb: str, **arguments: object) -> Any:  # noqa: ANN401 - what the verb gives
        async with self._session.post(f"{self._state['url']}/control/{verb}", json=arguments) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return answer["result"]

    async def fill(self) -> None:
        """Add people and channels."""
        self._people = [await self.control("add_user", name=f"Person{number}") for number in range(200)]
        for number in range(CHANNELS):
            members = self._people
            self._channels.append(
                await self.control("add_channel", name=f"channel-{number}", members=members)
            )

    def settings(self) -> str:
        return f'[slack]\nenabled = true\napi_url = "{self._state["api_url"]}"\nper_person = 100000\n'

    def environment(self) -> dict[str, str]:
        return {"SLACK_BOT_TOKEN": self._state["bot_token"], "SLACK_APP_TOKEN": self._state["app_token"]}

    async def connected(self) -> None:
        await self.control("connected", connections=2, seconds=30)

    async def ask(self, questions: Sequence[str], *, seconds: float) -> Round:
        calls = len(await self.control("calls", since=0))
        acks = len(await self.control("acks", since=0))
        asked = await asyncio.gather(*(self._say(number, text) for number, text in enumerate(questions)))
        await self._answered(dict(asked), time.monotonic() + seconds)
        made = await self.control("calls", since=calls)
        seen = {ts: Seen() for ts, _ in asked}
        for call in made:
            self._note(seen, call)
        for ts, channel in asked:
            seen[ts].answers = len(await self.control("messages", channel=channel, thread_ts=ts))
        given = await self.control("acks", since=acks)
        latencies = [one["latency"] for one in given if one["latency"] is not None]
        return Round(list(seen.values()), latencies, sum(one["attempt"] > 0 for one in given))

    async def _say(self, number: int, text: str) -> tuple[str, str]:
        channel = self._channels[number % CHANNELS]
        said = f"<@{self._state['bot_user']}> {text}"
        user = self._people[number % len(self._people)]
        return await self.control("say", channel=channel, user=user, text=said), channel

    async def _answered(self, asked: dict[str, str], until: float) -> None:
        for ts, channel in asked.items():
            await self.control(
                "wait", channel=channel, thread_ts=ts, seconds=max(0.1, until - time.monotonic())
            )

    def _note(self, seen: dict[str, Seen], call: dict[str, Any]) -> None:
        """Note a call that made something visible in a question's thread."""
        question = seen.get(str(call["arguments"].get("thread_ts")))
        if question is None or call["error"] or call["status"] != 200:
            return
        after = call["at"] - float(call["arguments"]["thread_ts"])
        if call["method"] in {"assistant.threads.setStatus", "chat.startStream", "chat.postMessage"}:
            question.sign = after if question.sign is None else min(question.sign, after)
        if call["method"] in {"chat.postMessage", "chat.stopStream"}:
            question.answer = after


@asynccontextmanager
async def platform() -> AsyncIterator[Slack]:
    """Run the emulator with a workspace of 200 people."""
    async with emulator("tests.emulators.slack") as (state, session):
        slack = Slack(session, state)
        await slack.fill()
        yield slack
