"""`lorekeeper serve` as its own process before an emulated Slack, as a team would run it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.adapters.served import SECONDS, ServedProcess, start
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message

Value = TypeVar("Value")


ADA, ANN, BOB = "U0ADA", "U0ANN", "U0BOB"  # Ada is the admin that the settings name
GENERAL, AUTO, FIRST, DRAFTS, NOTICES = "C0GENERAL", "C0AUTO", "C0FIRST", "C0DRAFTS", "C0NOTICES"

HANDBOOK = {
    "leave.md": "# Leave policy\n\nEverybody has 28 days of paid leave a year.\n",
    "travel.md": "# Travel\n\nA train ticket is booked by the office in room 12.\n",
    "keys.md": "# Keys\n\nA lost door key costs 40 euros and is reported to the reception.\n",
    "coffee.md": "# Coffee machine\n\nThe coffee machine is cleaned every Friday by the kitchen team.\n",
}
LEAVE = "How many days of paid leave does everybody have?"
TRAVEL = "Who books a train ticket?"
KEY = "How much does a lost door key cost?"
COFFEE = "When is the coffee machine cleaned?"
UNKNOWN = "What is the melting point of tungsten carbide?"

_SETTINGS = """
[slack]
enabled = true
api_url = "{api_url}"
admins = ["{ada}"]
person = "{ada}"
notices = "{notices}"
per_person = 1000
{slack}

[[channels]]
platform = "slack"
id = "{auto}"
mode = "auto"

[[channels]]
platform = "slack"
id = "{first}"
mode = "private-first"

[[channels]]
platform = "slack"
id = "{drafts}"
mode = "draft"

[[sources]]
name = "handbook"
type = "folder"
location = "handbook"

{more}
"""


def people(slack: SlackEmulator) -> None:
    """Fill a workspace: everybody is in every channel."""
    for name, key in (("Ada", ADA), ("Ann", ANN), ("Bob", BOB)):
        slack.add_user(name, key=key)
    for name, key in (
        ("general", GENERAL), ("auto", AUTO), ("first", FIRST), ("drafts", DRAFTS), ("notices", NOTICES)
    ):  # fmt: skip
        slack.add_channel(name, key=key, members=[ADA, ANN, BOB])


def write(folder: Path, slack: SlackEmulator, *, more: str = "", in_slack: str = "") -> None:
    """Write the handbook and the settings of a team."""
    (folder / "handbook").mkdir(exist_ok=True)
    for name, text in HANDBOOK.items():
        (folder / "handbook" / name).write_text(text, encoding="utf-8")
    settings = _SETTINGS.format(
        api_url=slack.api_url, ada=ADA, notices=NOTICES, auto=AUTO, first=FIRST, drafts=DRAFTS,
        slack=in_slack, more=more,
    )  # fmt: skip
    (folder / "config.toml").write_text(settings, encoding="utf-8")


@dataclass(kw_only=True)
class Served(ServedProcess):
    """A serving process before the emulator."""

    slack: SlackEmulator

    async def ready(self, connections: int = 2) -> None:
        """Wait until the handbook is synced and the bot hears Slack."""
        await self.line("handbook: ")
        await self.slack.connected(connections, SECONDS)

    async def until(self, found: Callable[[], Value]) -> Value:
        """Return what `found` gives once it is truthy; it may look at files and the database too."""
        async with asyncio.timeout(SECONDS):
            while not (value := found()):
                await self.slack.bell.wait(0.1)
        return value

    async def replies(self, channel: str, thread: str, count: int = 1) -> list[Message]:
        """Return the bot's messages in a thread once there are so many and each is whole."""

        def found() -> list[Message]:
            there = [one for one in self.slack.messages(channel, thread) if not one.streaming]
            return there if len(there) >= count else []

        return await self.until(found)

    async def ask(self, channel: str, user: str, text: str, *, thread: str = "") -> tuple[str, Message]:
        """Mention the bot and return the question's ts and the reply."""
        root = thread
        before = len(self.slack.messages(channel, root)) if root else 0
        ts = await self.slack.say(channel, user, f"{self.slack.mention} {text}", thread_ts=thread)
        return ts, (await self.replies(channel, root or ts, before + 1))[-1]


def environment(slack: SlackEmulator, folder: Path) -> dict[str, str]:
    """Return what the process is given: the tokens, and a home of its own."""
    return {
        **os.environ,
        "HOME": str(folder),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
    }


@asynccontextmanager
async def serve(slack: SlackEmulator, folder: Path, **variables: str) -> AsyncIterator[Served]:
    """Run `lorekeeper serve` in a folder; it is killed at the end if it still runs."""
    process = await start(folder, environment(slack, folder) | variables)
    served = Served(slack=slack, folder=folder, process=process)
    async with served.watched():
        yield served


def shown(message: Message) -> str:
    """Return everything that a person reads in a message."""
    return "\n".join(_texts(message.blocks)) or message.text


def _texts(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [
            text for key, value in part.items() if key != "text" or not own for text in _texts(value)
        ]
    if isinstance(part, list):
        return [text for entry in part for text in _texts(entry)]
    return []
