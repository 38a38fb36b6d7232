"""A Slack whose people read German, and a bot in it that is asked there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.adapters.failing import Assistants
from tests.adapters.slack.whole import shown, team
from tests.contracts.chat_world import SECONDS, serving
from tests.contracts.slack_chat_world import secrets as secrets_of
from tests.contracts.slack_chat_world import seen
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message

SETTINGS = """
[slack]
enabled = true
api_url = "{slack.api_url}"
language = "de"
admins = ["{ann}"]
"""


def words(message: Message) -> str:
    """Return what a message says, without its buttons."""
    return shown(replace(message, blocks=[one for one in message.blocks if one["type"] != "actions"])).strip()


async def said(folder: Path, answers: Assistants, *asked: str, per_person: int = 100) -> list[str]:
    """Return what a German bot says to questions."""
    async with team(folder) as town, town.bot(answers=answers, language="de", per_person=per_person) as bot:
        return [words(await town.once(bot, await town.say(one), "")) for one in asked]


@dataclass(frozen=True, kw_only=True)
class Office:
    """A Slack whose people read German: Ann may change what is known, Bob may not."""

    slack: SlackEmulator
    ann: str
    bob: str
    channel: str

    async def kb(self, text: str, user: str) -> str:
        """Type a command and return what is said to whoever typed it."""
        known = {one.ts for one in self.slack.messages(self.channel)}
        await self.slack.command("/kb", text, user, self.channel)

        def news() -> list[Message]:
            return [one for one in self.slack.messages(self.channel) if one.ts not in known]

        (line,) = await self.slack.wait_for(news, SECONDS)
        assert line.ephemeral == user
        return seen(line)


@asynccontextmanager
async def office(folder: Path, *, locale: str = "de-DE") -> AsyncIterator[Office]:
    """Open an office with a bot that serves in it."""
    async with SlackEmulator().running() as slack:
        ann, bob = (slack.add_user(name, locale=locale) for name in ("Ann", "Bob"))
        channel = slack.add_channel("general", members=[ann, bob])
        (folder / "config.toml").write_text("", encoding="utf-8")
        async with serving(folder, SETTINGS.format(slack=slack, ann=ann), secrets_of(slack)):
            await slack.connected(2, SECONDS)
            yield Office(slack=slack, ann=ann, bob=bob, channel=channel)
