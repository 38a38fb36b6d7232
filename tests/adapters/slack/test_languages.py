"""What goes wrong in Slack is told in the language of its reader (P17); here that is German."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.texts import texts
from kb.errors import StoreError
from kb.manifest import Manifest
from tests.adapters.failing import (
    ASK,
    QUOTE,
    Assistants,
    Broken,
    knowing,
    locked,
    model_down,
    without_documents,
)
from tests.adapters.slack.whole import Team, shown, team
from tests.contracts.chat_world import SECONDS, serving
from tests.contracts.slack_chat_world import secrets as secrets_of
from tests.contracts.slack_chat_world import seen
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message

GERMAN = texts("de")
SETTINGS = """
[slack]
enabled = true
api_url = "{slack.api_url}"
language = "de"
admins = ["{ann}"]
"""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


def words(message: Message) -> str:
    """Return what a message says, without its buttons."""
    return shown(replace(message, blocks=[one for one in message.blocks if one["type"] != "actions"])).strip()


async def said(town: Team, answers: Assistants) -> str:
    """Return what a German bot says to a question."""
    async with town.bot(answers=answers, language="de") as bot:
        return words(await town.once(bot, await town.say(ASK), ""))


def begins(template: str) -> str:
    """Return what stands before a template's first blank."""
    return template.partition("{")[0]


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
    assert "locked by another process. (Log " in detail


async def test_a_failure_that_nobody_foresaw(town: Team) -> None:
    """One German line stands in the answer's place."""
    assert (await said(town, Broken)).startswith(begins(GERMAN.failed))


async def test_a_quota(town: Team) -> None:
    """Who asks too much is told in German when they may ask again."""
    async with town.bot(answers=knowing, language="de", per_person=1) as bot:
        await town.once(bot, await town.say(ASK), "")
        told = words(await town.once(bot, await town.say("How many weeks?"), ""))
    assert told.startswith("Du hast in zehn Minuten 1 Frage gestellt. Frag in ")


async def test_what_one_person_alone_reads(town: Team) -> None:
    """Without a language in the settings, direct messages and private answers are in the asker's own."""
    uta = town.slack.add_user("Uta", locale="de-DE")
    direct = town.slack.direct(uta)
    async with town.bot(answers=without_documents) as bot:
        ts = await town.slack.say(direct, uta, ASK)
        told = words(await town.once(bot, ts, "", channel=direct))
        assert told == GERMAN.no_documents
        english = words(await town.once(bot, await town.say(ASK), ""))
        assert english == texts("en").no_documents


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
    async with SlackEmulator().running() as slack:
        ann, bob = (slack.add_user(name, locale=locale) for name in ("Ann", "Bob"))
        channel = slack.add_channel("general", members=[ann, bob])
        (folder / "config.toml").write_text("", encoding="utf-8")
        async with serving(folder, SETTINGS.format(slack=slack, ann=ann), secrets_of(slack)):
            await slack.connected(2, SECONDS)
            yield Office(slack=slack, ann=ann, bob=bob, channel=channel)


async def test_commands_that_cannot_be_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown command, one that is not allowed and a broken database are refused in German."""
    async with office(tmp_path) as town:
        assert await town.kb("lits", town.bob) == ("Den Befehl 'lits' gibt es nicht. Meintest du `/kb list`?")
        refused = await town.kb("sync", town.bob)
        assert refused.startswith("Du darfst nicht ändern, was ich weiß; das dürfen Admins und alle")

        async def fails(_: Manifest) -> None:
            raise StoreError("The database is malformed.")

        monkeypatch.setattr(Manifest, "states", fails)
        line = GERMAN.failures["StoreError"]
        assert (await town.kb("list", town.bob)).startswith(f"{line} (Log ")
        assert await town.kb("list", town.ann) == f"{line} The database is malformed."


async def test_a_form_that_comes_too_late(tmp_path: Path) -> None:
    """Whoever opens a form that Slack no longer lets open is told in German."""
    async with office(tmp_path) as town:
        ts = await town.slack.say(town.channel, town.bob, "The alarm code is 99-21.")
        town.slack.faults.fail("views.open", "expired_trigger_id")
        before = len(town.slack.messages(town.channel))
        await town.slack.shortcut("lk_save", town.ann, channel=town.channel, ts=ts)
        told = await town.slack.wait_for(lambda: town.slack.messages(town.channel)[before:], SECONDS)
        assert seen(told[0]) == GERMAN.later


async def test_a_slack_that_does_not_tell(tmp_path: Path) -> None:
    """While Slack does not say who somebody is, they read in the settings' language that it does not."""
    async with office(tmp_path, locale="en-US") as town:
        town.slack.faults.fail("users.info", "user_not_found", times=10)
        assert (await town.kb("list", town.bob)).startswith(f"{GERMAN.failures['SurfaceGone']} (Log ")
