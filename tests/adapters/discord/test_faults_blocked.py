"""A process that is held up: its heartbeats stop, Discord drops it; nothing is lost when it goes on (P15).

The Discord that it talks to runs elsewhere, or it would be held up too.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.discord.settings import DiscordSettings
from bot.messages import Answer, Question
from tests.adapters.backstage import SECONDS, backstage
from tests.adapters.discord.serving import KEY, LEAVE, TRAVEL, Served, serve, town_in, write
from tests.adapters.discord.whole import started
from tests.bot.desks import ScriptedAssistant
from tests.emulators.discord.messages import Message
from tests.emulators.discord.server import DiscordEmulator

ROOT = Path(__file__).parents[3]
BEAT = 1.0  # seconds between heartbeats; who misses two is dropped
_LOOK = 0.05


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A Discord in a process of its own, steered by requests that need no event loop."""

    place: dict[str, Any]

    def act(self, name: str, **given: object) -> dict[str, Any]:
        """Have something done there and return what came of it."""
        request = urllib.request.Request(  # noqa: S310 - its own address on this machine
            f"{self.place['control_url']}/{name}",
            data=json.dumps(given).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
            found: dict[str, Any] = json.load(reply)
        return found

    def sessions(self) -> int:
        """Return how many sessions of the gateway are up."""
        with urllib.request.urlopen(f"{self.place['control_url']}/state", timeout=SECONDS) as reply:  # noqa: S310
            return int(json.load(reply)["sessions"])

    def until_alone(self) -> None:
        """Wait until no session is up."""
        end = time.monotonic() + SECONDS
        while self.sessions():
            assert time.monotonic() < end
            threading.Event().wait(_LOOK)

    def say(self, text: str) -> str:
        """Mention the bot in the channel and return the question's id."""
        (guild,) = self.place["guilds"].values()
        (channel,) = (key for key, name in guild["channels"].items() if name == "general")
        (ann,) = (key for key, name in guild["members"].items() if name == "Ann")
        said = self.act("say", channel=channel, user=ann, text=f"<@{self.place['bot']}> {text}")
        return str(said["id"])

    def answers(self, asked: str) -> list[str]:
        """Return the texts of the replies to a question, once there is one."""
        return [str(one["text"]) for one in self.act("wait", asked=[asked], seconds=SECONDS)[asked]]


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """Run a Discord beside this process."""
    command = (sys.executable, "-m", "tests.emulators.discord", "--port", "0", "--heartbeat", str(BEAT))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
        yield Elsewhere(place=json.loads(line))
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0


@dataclass(slots=True)
class Blocking(ScriptedAssistant):
    """An assistant that blocks the whole event loop at the word "block", until it is let go on."""

    blocked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def made(self, question: Question) -> Answer:
        if "block" in question.text:
            self.blocked.set()
            assert self.let_go.wait(SECONDS)
        return ScriptedAssistant.made(self, question)


async def test_a_handler_that_blocks_the_event_loop_loses_nothing(tmp_path: Path) -> None:
    """While the loop stands, Discord drops the bot; afterwards it beats again and answers all, once."""
    async with elsewhere() as discord:
        chosen = DiscordSettings(
            enabled=True, api_url=discord.place["api_url"], message_content=True, per_person=1_000
        )
        meanwhile, dropped = list[str](), threading.Event()

        def drop(assistant: Blocking) -> None:
            """Ask more while the loop stands, before and after Discord has lost patience; let it go on."""
            try:
                assert assistant.blocked.wait(SECONDS)
                meanwhile.append(discord.say("How many weeks?"))
                discord.until_alone()
                meanwhile.append(discord.say("How many months?"))
                dropped.set()
            finally:
                assistant.let_go.set()

        async with backstage(tmp_path, {"discord": chosen}, clock=time.time, answers=Blocking) as bot:
            await started(bot, chosen, discord.place["token"])
            thread = threading.Thread(target=drop, args=(bot.assistant,), daemon=True)
            thread.start()
            asked = await asyncio.to_thread(discord.say, "How many days until they block it?")
            await asyncio.to_thread(thread.join, SECONDS)
            assert dropped.is_set()
            for question, word in zip((asked, *meanwhile), ("days", "weeks", "months"), strict=True):
                (text,) = await asyncio.to_thread(discord.answers, question)
                assert word in text
            await bot.settled()
            assert len(bot.assistant.asked) == 3
            assert await asyncio.to_thread(discord.sessions) == 1


async def test_a_process_that_stands_still_loses_nothing(tmp_path: Path) -> None:
    """`serve` is stopped until Discord has dropped it; woken, it answers what it was asked, once."""
    async with DiscordEmulator(heartbeat_seconds=BEAT).running() as discord:
        town = town_in(discord)
        write(tmp_path, town)
        async with serve(town, tmp_path) as served:
            await served.ready()
            asked = [await said(served, KEY)]
            await served.replies(asked[0])
            served.process.send_signal(signal.SIGSTOP)
            asked.append(await said(served, LEAVE))
            await discord.wait_for(lambda: not discord.gateway.ready(), SECONDS)
            asked.append(await said(served, TRAVEL))
            served.process.send_signal(signal.SIGCONT)
            for question, text in zip(asked, ("40 euros", "28 days", "room 12"), strict=True):
                (reply,) = await served.replies(question)
                assert text in reply.text
            await served.until(lambda: not served.rows("SELECT 1 FROM inbox WHERE state != 'done'"))
            assert [len(discord.replies(question)) for question in asked] == [1, 1, 1]
            assert await served.end() == 0


async def said(served: Served, text: str) -> Message:
    """Mention the bot and return the question."""
    town = served.town
    return await town.discord.say(town.flat, town.ann, f"{town.discord.bot.mention} {text}")
