"""Random lives of a channel: what is remembered never parts from what a fresh look finds."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kb.connectors.base import Connector
from kb.connectors.discord_history import DiscordHistoryConnector
from kb.connectors.slack_history import SlackHistoryConnector
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.sources import DiscordHistorySource, SlackHistorySource
from tests.emulators.discord_history import TOKEN as DISCORD_TOKEN
from tests.emulators.discord_history import DiscordServer, serve_discord
from tests.emulators.slack_history import TOKEN as SLACK_TOKEN
from tests.emulators.slack_history import SlackServer, serve_slack
from tests.kb.connectors.histories import DAY, HOUR, NOON, Surroundings, listed, read

Place = tuple[str, str]


class Life(ABC):
    """A channel in which things happen by chance. A message is known by its thread, if any, and its id."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.messages: list[Place] = []

    @abstractmethod
    def connector(self) -> Connector:
        """Return a new connector with the memory of the surroundings."""

    @abstractmethod
    def post(self, text: str, thread: str) -> Place:
        """Write a message now, in a thread unless its id is empty."""

    @abstractmethod
    def answered(self, message: Place) -> str:
        """Return the thread on a message of the channel, opened if need be."""

    @abstractmethod
    def edit(self, message: Place, text: str) -> None:
        """Change a message."""

    @abstractmethod
    def delete(self, message: Place) -> None:
        """Delete a message."""

    def happen(self, chance: random.Random) -> None:
        """Let one thing happen after some time."""
        self.around.now += chance.choice([20.0, 300.0, 900.0, 4 * HOUR])
        what = chance.random()
        text = f"Words {chance.randrange(10**6)}"
        if what < 0.35 or not self.messages:
            self.messages.append(self.post(text, ""))
        elif what < 0.65:
            message = chance.choice(self.messages)
            self.messages.append(self.post(text, message[0] or self.answered(message)))
        elif what < 0.85:
            self.edit(chance.choice(self.messages), text)
        else:
            self.delete(self.messages.pop(chance.randrange(len(self.messages))))


class SlackLife(Life):
    def __init__(self, around: Surroundings, server: SlackServer) -> None:
        super().__init__(around)
        self.server = server
        server.page = 4

    def connector(self) -> Connector:
        source = SlackHistorySource(
            name="chat", location=self.server.channel, base_url=self.server.url, private_hosts=True
        )
        return SlackHistoryConnector(source, self.around.resources(), clock=self.around.clock)

    def post(self, text: str, thread: str) -> Place:
        return thread, self.server.post(self.around.now, text, thread=thread)

    def answered(self, message: Place) -> str:
        return message[1]

    def edit(self, message: Place, text: str) -> None:
        self.server.edit(message[1], text, at=self.around.now)

    def delete(self, message: Place) -> None:
        self.server.delete(message[1])


class DiscordLife(Life):
    def __init__(self, around: Surroundings, server: DiscordServer) -> None:
        super().__init__(around)
        self.server = server

    def connector(self) -> Connector:
        source = DiscordHistorySource(
            name="chat", location=self.server.channel, base_url=self.server.url, private_hosts=True
        )
        return DiscordHistoryConnector(source, self.around.resources(), clock=self.around.clock)

    def post(self, text: str, thread: str) -> Place:
        return thread, self.server.post(self.around.now, text, thread=thread)

    def answered(self, message: Place) -> str:
        if message[1] not in self.server.threads:
            self.server.open_thread(self.around.now, f"About {message[1]}", message=message[1])
        return message[1]

    def edit(self, message: Place, text: str) -> None:
        self.server.edit(message[1], text, at=self.around.now, thread=message[0])

    def delete(self, message: Place) -> None:
        self.server.delete(message[1], thread=message[0])


@pytest.fixture(params=["slack", "discord"])
async def life(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Life]:
    fetcher = Fetcher()
    if request.param == "slack":
        async with serve_slack() as slack:
            yield SlackLife(Surroundings(folder=tmp_path, fetcher=fetcher, token=SLACK_TOKEN), slack)
    else:
        async with serve_discord() as discord:
            yield DiscordLife(Surroundings(folder=tmp_path, fetcher=fetcher, token=DISCORD_TOKEN), discord)
    await fetcher.close()


async def fresh(life: Life, look: Callable[[Connector], object]) -> object:
    """Look at the channel as one who remembers nothing."""
    memory, life.around.memory = life.around.memory, BorrowedMemory()
    try:
        return await look(life.connector())  # type: ignore[misc]
    finally:
        life.around.memory = memory


@pytest.mark.parametrize("seed", range(3))
async def test_memory_and_a_fresh_look_agree(life: Life, seed: int) -> None:
    """Whatever happens within look_back, a listing with memory gives the refs and texts of one without."""
    chance = random.Random(seed)
    texts: dict[tuple[str, str], bytes] = {}
    for _ in range(12):
        for _ in range(chance.randrange(1, 8)):
            life.happen(chance)
        connector = life.connector()
        refs = await listed(connector)
        assert refs == await fresh(life, listed)
        for ref in refs.values():
            content = await connector.fetch(ref)
            assert content.version is None
            assert texts.setdefault((ref.uri, ref.version), content.data) == content.data
    assert life.around.now < NOON + 30 * DAY


async def test_what_slept_is_found_within_a_day(life: Life) -> None:
    """After months, edits and deletions of what is old show in the listing of the next day."""
    chance = random.Random(5)
    for _ in range(40):
        life.happen(chance)
    life.around.now += 60 * DAY
    await listed(life.connector())
    for message in chance.sample([one for one in life.messages if not one[0]], 3):
        life.edit(message, "Words that are new")
        life.around.now += HOUR
        await listed(life.connector())
    life.around.now += DAY
    assert await read(life.connector()) == await fresh(life, read)
