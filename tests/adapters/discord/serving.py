"""`lorekeeper serve` as its own process before an emulated Discord, as a team would run it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.adapters.served import SECONDS, ServedProcess, start
from tests.emulators.discord.messages import Message, Upload
from tests.emulators.discord.people import Someone
from tests.emulators.discord.places import Channel, Guild, Member
from tests.emulators.discord.server import DiscordEmulator

Value = TypeVar("Value")

_BEAT = 0.1  # seconds between looks at what tells nobody that it changed, such as a database

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
[discord]
enabled = true
api_url = "{town.discord.api_url}"
message_content = true
admins = ["{town.ada.id}"]
person = "{town.ada.id}"
notices = "{town.notices.id}"
per_person = 1000
{discord}

[[channels]]
platform = "discord"
id = "{town.auto.id}"
mode = "auto"

[[channels]]
platform = "discord"
id = "{town.drafts.id}"
mode = "draft"
reviewers = ["{town.ada.id}"]

[[channels]]
platform = "discord"
id = "{town.flat.id}"
threads = false

[[channels]]
platform = "discord"
id = "{town.forum.id}"
mode = "auto"

[[sources]]
name = "handbook"
type = "folder"
location = "handbook"

{more}
"""


@dataclass(frozen=True, slots=True)
class Town:
    """A Discord server with its channels and people; Ada is the admin that the settings name."""

    discord: DiscordEmulator
    guild: Guild
    general: Channel
    auto: Channel
    drafts: Channel
    flat: Channel
    notices: Channel
    forum: Channel
    ada: Member
    ann: Member
    bob: Member


def town_in(discord: DiscordEmulator) -> Town:
    """Fill an emulated Discord."""
    guild = discord.add_guild("Acme")
    names = ("general", "auto", "drafts", "flat", "notices")
    channels = [discord.add_channel(guild, name) for name in names]
    people = [discord.add_member(guild, name) for name in ("Ada", "Ann", "Bob")]
    return Town(discord, guild, *channels, discord.add_forum(guild, "help"), *people)


def write(folder: Path, town: Town, *, more: str = "", in_discord: str = "") -> None:
    """Write the handbook and the settings of a team."""
    (folder / "handbook").mkdir(exist_ok=True)
    for name, text in HANDBOOK.items():
        (folder / "handbook" / name).write_text(text, encoding="utf-8")
    settings = _SETTINGS.format(town=town, discord=in_discord, more=more)
    (folder / "config.toml").write_text(settings, encoding="utf-8")


@dataclass(kw_only=True)
class Served(ServedProcess):
    """A serving process before the emulator."""

    town: Town

    @property
    def discord(self) -> DiscordEmulator:
        return self.town.discord

    async def ready(self, sessions: int = 1) -> None:
        """Wait until the handbook is synced, the bot hears Discord and its commands are registered."""
        await self.discord.ready(sessions, SECONDS)
        await self.line("handbook: ")
        await self.until(lambda: self.discord.world.commands)

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what the process's database answers."""
        with closing(sqlite3.connect(self.folder / ".lorekeeper" / "lorekeeper.db")) as database:
            return database.execute(query, values).fetchall()

    async def until(self, found: Callable[[], Value]) -> Value:
        """Return what `found` gives once it is truthy; it may look into the process's database, too."""
        loop, beating = asyncio.get_running_loop(), True

        def beat() -> None:
            if beating:
                self.discord.world.pulse.beat()
                loop.call_later(_BEAT, beat)

        beat()
        try:
            return await self.discord.wait_for(found, SECONDS)
        finally:
            beating = False

    async def replies(self, message: Message, count: int = 1) -> list[Message]:
        """Return the bot's replies to a message once there are so many and each is whole."""

        def found() -> list[Message]:
            there = [one for one in self.discord.replies(message) if is_whole(one)]
            return there if len(there) >= count else []

        return await self.until(found)

    async def ask(
        self, channel: Channel, user: Someone, text: str, files: tuple[Upload, ...] = ()
    ) -> tuple[Message, Message]:
        """Mention the bot and return the question and its reply."""
        asked = await self.discord.say(channel, user, f"{self.discord.bot.mention} {text}", files=files)
        return asked, (await self.replies(asked))[0]


def is_whole(message: Message) -> bool:
    """Whether a message is an answer in its last state: it is in components v2, and nothing stops it."""
    stops = (str(one.get("custom_id", "")).startswith("lk:stop") for one in message.buttons())
    return message.is_v2 and not any(stops)


def environment(discord: DiscordEmulator, folder: Path) -> dict[str, str]:
    """Return what the process is given: the token, and a home of its own."""
    return {**os.environ, "HOME": str(folder), "DISCORD_BOT_TOKEN": discord.token}


@asynccontextmanager
async def serve(town: Town, folder: Path, **variables: str) -> AsyncIterator[Served]:
    """Run `lorekeeper serve` in a folder; it is killed at the end if it still runs."""
    process = await start(folder, environment(town.discord, folder) | variables)
    served = Served(town=town, folder=folder, process=process)
    async with served.watched():
        yield served
