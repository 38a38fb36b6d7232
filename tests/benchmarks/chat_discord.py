"""Discord's half of `tests.benchmarks.chat`; by itself (`python -m tests.benchmarks.chat_discord`) the lag.

For the lag the bot runs in this process before an emulator in another, syncs a folder and is asked meanwhile:
a loop that is held up misses heartbeats, and Discord drops the bot.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from rich.console import Console

from adapters.launch import log_into
from adapters.serving import Serving
from adapters.settings import load_settings
from tests.benchmarks.chat import Round, Seen, emulator, questions
from tests.benchmarks.during import lag, write
from tests.emulators.discord.clock import moment
from tests.emulators.discord.messages import COMPONENTS_V2

CHANNELS = 100
PEOPLE = 200
_LOOK = 0.05  # seconds between looks at whether all is answered


class Discord:
    """The emulated server, steered over its control address."""

    name = "discord"

    def __init__(self, session: aiohttp.ClientSession, state: dict[str, Any]) -> None:
        self._session = session
        self._state = state
        self._channels: list[str] = []
        self._people: list[str] = []
        self._asked = 0

    async def control(self, act: str, **given: object) -> dict[str, Any]:
        async with self._session.post(f"{self._state['control_url']}/{act}", json=given) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    async def fill(self) -> None:
        """Add people and channels."""
        (guild,) = self._state["guilds"]
        for number in range(PEOPLE):
            self._people.append((await self.control("add_member", guild=guild, name=f"Person{number}"))["id"])
        for number in range(CHANNELS):
            self._channels.append((await self.control("add_channel", guild=guild, name=f"c{number}"))["id"])

    def settings(self) -> str:
        return f'[discord]\nenabled = true\napi_url = "{self._state["api_url"]}"\nper_person = 100000\n\n'

    def environment(self) -> dict[str, str]:
        return {"DISCORD_BOT_TOKEN": self._state["token"]}

    async def connected(self) -> None:
        await self.control("ready", seconds=60)

    async def ask(self, questions: Sequence[str], *, seconds: float) -> Round:
        calls = len((await self.control("calls"))["calls"])
        asked = dict(await asyncio.gather(*map(self._say, questions)))
        whole = await self._answers(asked, time.monotonic() + seconds)
        made = (await self.control("calls"))["calls"][calls:]
        return Round([self._seen(key, channel, whole[key], made) for key, channel in asked.items()])

    async def _say(self, text: str) -> tuple[str, str]:
        self._asked += 1
        channel = self._channels[self._asked % CHANNELS]
        user = self._people[self._asked % PEOPLE]
        said = await self.control("say", channel=channel, user=user, text=f"<@{self._state['bot']}> {text}")
        return str(said["id"]), channel

    async def _answers(self, asked: dict[str, str], until: float) -> dict[str, list[dict[str, Any]]]:
        """Return the whole answers of each question, once all have one or the time is up."""
        while True:
            found: dict[str, list[dict[str, Any]]] = {key: [] for key in asked}
            for one in (await self.control("messages"))["messages"]:
                key = (
                    one["channel"] if one["channel"] in asked else (one["reference"] or {}).get("message_id")
                )
                if key in found and one["flags"] & COMPONENTS_V2 and not one["deleted"]:
                    found[key].append(one)
            if all(found.values()) or time.monotonic() > until:
                return found
            await asyncio.sleep(_LOOK)

    def _seen(self, key: str, channel: str, whole: list[dict[str, Any]], made: list[dict[str, Any]]) -> Seen:
        """Return what the asker saw when: typing in the channel, the thread, the first words, all words."""
        asked = moment(key)
        shown = {
            f"/channels/{channel}/typing",
            f"/channels/{key}/typing",
            f"/channels/{channel}/messages/{key}/threads",
        }
        signs = [
            one["at"] - asked
            for one in made
            if one["path"] in shown and one["status"] < 300 and one["at"] >= asked
        ]
        signs += [one["at"] - asked for one in whole]
        answer = max(((one["edited_at"] or one["at"]) - asked for one in whole), default=None)
        return Seen(sign=min(signs, default=None), answer=answer, answers=len(whole))


@asynccontextmanager
async def platform() -> AsyncIterator[Discord]:
    """Run the emulator with a server of 200 people."""
    async with emulator("tests.emulators.discord") as (state, session):
        discord = Discord(session, state)
        await discord.fill()
        yield discord


async def measure_lag(documents: int) -> float:
    """Return how late the bot's loop is at p99, in ms, while it syncs a folder and answers; print it."""
    async with platform() as discord:
        with tempfile.TemporaryDirectory() as work:
            write(Path(work) / "docs", documents, seed=1)
            config = Path(work) / "config.toml"
            source = f'[[sources]]\nname = "docs"\ntype = "folder"\nlocation = "{work}/docs"\n'
            data = f'[data]\npath = "{work}/data"\n'
            config.write_text(discord.settings() + source + data, "utf-8")
            log_into(Path(work))
            os.environ.update(discord.environment())
            return await _lag_while_syncing(discord, Serving(load_settings(config), Console(stderr=True)))


async def _lag_while_syncing(discord: Discord, bot: Serving) -> float:
    lags: list[float] = []
    synced = asyncio.Event()
    tell = bot._tell

    def told(*what: Any) -> None:  # noqa: ANN401 - a report and its schedule
        synced.set()
        tell(*what)

    bot._tell = told  # type: ignore[method-assign]
    running = asyncio.create_task(bot.run())
    await discord.connected()
    watching = asyncio.create_task(lag(lags))
    seen: list[Seen] = []
    while not synced.is_set() and not running.done():
        seen += (await discord.ask(questions(2, len(seen)), seconds=60)).seen
    watching.cancel()
    bot._stop()
    await running
    late = float(np.percentile(lags, 99))
    signs = [one.sign for one in seen if one.sign is not None]
    print(f"{len(seen)} questions during a sync: first sign p95 {1000 * np.percentile(signs, 95):.0f} ms")
    print(f"the loop came late by p99 {late:.0f} ms (to reach: 100), at most {max(lags):.0f} ms")
    return late


def main() -> None:
    """Measure the lag."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=300)
    asyncio.run(measure_lag(parser.parse_args().documents))


if __name__ == "__main__":
    main()
