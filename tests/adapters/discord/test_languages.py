"""What goes wrong in Discord is told in the language of its reader (P17); here that is German."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.texts import texts
from kb.errors import StoreError
from kb.manifest import Manifest
from tests.adapters.backstage import Assistants
from tests.adapters.discord.whole import Team, team
from tests.adapters.failing import ASK, QUOTE, Broken, knowing, locked, model_down
from tests.contracts.chat_world import SECONDS, serving
from tests.contracts.discord_chat_world import registered
from tests.contracts.discord_chat_world import secrets as secrets_of
from tests.emulators.discord.places import Channel, Member
from tests.emulators.discord.server import DiscordEmulator

GERMAN = texts("de")
SETTINGS = """
[discord]
enabled = true
api_url = "{discord.api_url}"
admins = ["{ann.id}"]
"""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


async def said(town: Team, answers: Assistants) -> str:
    """Return what a German bot says to a question."""
    async with town.bot(answers=answers, language="de") as bot:
        return (await town.once(bot, await town.say(ASK), "")).text.strip()


async def test_a_model_that_is_down(town: Team) -> None:
    """Beside the passage a German line says that the model cannot be reached."""
    async with model_down() as answers:
        told = await said(town, answers)
    assert QUOTE in told
    assert "Das Modell ist nicht erreichbar, deshalb hier die Textstellen selbst (Log " in told


async def test_documents_that_cannot_be_searched(town: Team) -> None:
    """The German line comes first; below it stands what the store said, with a German word for the log."""
    line, detail = (await said(town, locked)).splitlines()
    assert line == GERMAN.cannot_search
    assert "locked by another process" in detail
    assert "(Log " in detail


async def test_a_failure_that_nobody_foresaw(town: Team) -> None:
    """One German line stands in the answer's place."""
    assert (await said(town, Broken)).startswith("Bei mir ist etwas schiefgegangen.")


async def test_a_quota(town: Team) -> None:
    """Who asks too much is told in German when they may ask again."""
    async with town.bot(answers=knowing, language="de", per_person=1) as bot:
        await town.once(bot, await town.say(ASK), "")
        told = (await town.once(bot, await town.say("How many weeks?"), "")).text.strip()
    assert told.startswith("Du hast in zehn Minuten 1 Frage gestellt. Frag in ")


@dataclass(frozen=True, kw_only=True)
class Office:
    """A server whose people read German: Ann may change what is known, Bob may not."""

    discord: DiscordEmulator
    ann: Member
    bob: Member
    channel: Channel

    async def kb(self, command: str, user: Member, **options: object) -> str:
        """Use a command and return what is said to whoever used it."""
        used = await self.discord.command(f"kb {command}", options, user=user, channel=self.channel)
        message = (await self.discord.answer(used, SECONDS)).messages[0]
        assert message.ephemeral_to == user.id
        return message.text


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    async with DiscordEmulator().running() as discord:
        guild = discord.add_guild()
        channel = discord.add_channel(guild)
        ann, bob = (discord.add_member(guild, name, locale="de") for name in ("Ann", "Bob"))
        (folder / "config.toml").write_text("", encoding="utf-8")
        async with serving(folder, SETTINGS.format(discord=discord, ann=ann), secrets_of(discord)):
            await registered(discord)
            yield Office(discord=discord, ann=ann, bob=bob, channel=channel)


async def test_commands_that_cannot_be_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown source, a command that is not allowed and a broken database are refused in German."""
    async with office(tmp_path) as town:
        unknown = await town.kb("show", town.bob, source="rules")
        assert unknown.startswith("Eine Quelle 'rules' gibt es nicht. Siehe `/kb list`.")
        refused = await town.kb("sync", town.bob)
        assert refused.startswith("Du darfst nicht ändern, was ich weiß; das dürfen Admins und alle")

        async def fails(_: Manifest) -> None:
            raise StoreError("The database is malformed.")

        monkeypatch.setattr(Manifest, "states", fails)
        line = GERMAN.failures["StoreError"]
        assert (await town.kb("list", town.bob)).startswith(f"{line} (Log ")
        assert await town.kb("list", town.ann) == f"{line} The database is malformed."
