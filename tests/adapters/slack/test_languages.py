"""What Slack's readers are told in their own language; what all platforms tell is in `tests.adapters`."""

from __future__ import annotations

from pathlib import Path

from bot.texts import texts
from tests.adapters.failing import ASK, without_documents
from tests.adapters.slack.office import office, words
from tests.adapters.slack.whole import team
from tests.contracts.chat_world import SECONDS
from tests.contracts.slack_chat_world import seen

GERMAN = texts("de")


async def test_what_one_person_alone_reads(tmp_path: Path) -> None:
    """Without a language in the settings, direct messages and private answers are in the asker's own."""
    async with team(tmp_path) as town, town.bot(answers=without_documents) as bot:
        uta = town.slack.add_user("Uta", locale="de-DE")
        direct = town.slack.direct(uta)
        ts = await town.slack.say(direct, uta, ASK)
        told = words(await town.once(bot, ts, "", channel=direct))
        assert told == GERMAN.no_documents_here.format(command="/kb")
        english = words(await town.once(bot, await town.say(ASK), ""))
        assert english == texts("en").no_documents_here.format(command="/kb")


async def test_a_command_that_there_is_not(tmp_path: Path) -> None:
    """A word that is no command is refused in German, with the one that may be meant."""
    async with office(tmp_path) as town:
        assert await town.kb("lits", town.bob) == "Den Befehl 'lits' gibt es nicht. Meintest du `/kb list`?"


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
