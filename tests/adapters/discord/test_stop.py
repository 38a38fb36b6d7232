"""The Stop button: it stands under what is written so far, and stops the answer for those who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.chat import Incoming, Place
from bot.chat_settings import ChannelSettings
from bot.inbox import Inbox
from bot.languages import de, en, es, fr
from bot.ledger import Ledger
from bot.wording import Texts
from kb.database import close_database, open_database
from tests.adapters.backstage import SECONDS
from tests.adapters.discord.whole import Team, team
from tests.bot.desks import ScriptedAssistant
from tests.emulators.discord.interactions import DEFERRED_UPDATE, Interaction
from tests.emulators.discord.messages import Message
from tests.emulators.discord.permissions import MANAGE_GUILD
from tests.emulators.discord.places import Member

SHOWN = "Restart the router [1]. Then"
EN = en.TEXTS


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


def writing(ledger: Ledger) -> ScriptedAssistant:
    """Return an assistant that writes half of its answer and then waits."""
    return ScriptedAssistant(ledger, deltas=(SHOWN,), holds=asyncio.Event())


def stop_of(message: Message) -> list[str]:
    """Return the ids of the buttons of a message that stop it."""
    return [one["custom_id"] for one in message.buttons() if one.get("label") == EN.stop]


async def staged(town: Team, asked: Message) -> Message:
    """Return the reply to a question that is half written."""
    (reply,) = await town.discord.wait_for(lambda: town.replies(asked), SECONDS)
    assert (reply.content, reply.is_v2) == (SHOWN, False)
    return reply


async def press(town: Team, message: Message, **who: Member) -> Interaction:
    """Press Stop, by default as the asker."""
    return await town.discord.click(message, "lk:stop", user=who.get("user", town.ann))


async def test_stop_keeps_what_was_shown(town: Team) -> None:
    """The asker's press ends the turn: what was written stays, is said to be stopped, and has no button."""
    async with town.bot(answers=writing) as bot:
        asked = await town.say("How?")
        reply = await staged(town, asked)
        assert len(stop_of(reply)) == 1
        pressed = await press(town, reply)
        await town.discord.wait_for(lambda: EN.stopped in reply.text, SECONDS)
        await bot.settled()
        assert bot.assistant.ended.is_set()
        assert "Restart the router" in reply.text
        assert not reply.buttons()
        assert (pressed.callback, pressed.messages) == (DEFERRED_UPDATE, [])
        assert pressed.latency < 1.0
        assert town.replies(asked) == [reply]
        assert reply.is_v2


async def test_the_final_message_has_no_stop(town: Team) -> None:
    """An answer that is whole cannot be stopped; a press that comes too late is told so."""
    async with town.bot(answers=writing) as bot:
        asked = await town.say("How?")
        reply = await staged(town, asked)
        late = reply.payload()
        bot.assistant.holds.set()
        await bot.settled()
        assert not stop_of(reply)
        reply.components = late["components"]  # as someone sees it who has not got the last edit yet
        pressed = await press(town, reply)
        await town.discord.wait_for(lambda: pressed.followups, SECONDS)
        assert pressed.text == EN.nothing_runs
        assert all(one.ephemeral for one in pressed.messages)


async def test_only_the_asker_and_admins_stop(town: Team) -> None:
    """Others read one line and the answer goes on; who manages the server may stop it."""
    ben = town.discord.add_member(town.guild, "Ben")
    role = town.discord.add_role(town.guild, "managers", allow=MANAGE_GUILD)
    mia = town.discord.add_member(town.guild, "Mia", roles=(role,))
    async with town.bot(answers=writing) as bot:
        reply = await staged(town, await town.say("How?"))
        refused = await press(town, reply, user=ben)
        await town.discord.wait_for(lambda: refused.followups, SECONDS)
        assert refused.text == EN.not_stopper
        assert all(one.ephemeral for one in refused.messages)
        assert not bot.assistant.ended.is_set()
        assert stop_of(reply)
        await press(town, reply, user=mia)
        await town.discord.wait_for(lambda: EN.stopped in reply.text, SECONDS)


async def test_the_named_admin_stops(town: Team) -> None:
    """Whoever the settings name may stop an answer, too."""
    ben = town.discord.add_member(town.guild, "Ben")
    async with town.bot(answers=writing, admins=(ben.user.id,)):
        reply = await staged(town, await town.say("How?"))
        await press(town, reply, user=ben)
        await town.discord.wait_for(lambda: EN.stopped in reply.text, SECONDS)


async def test_only_this_answer_stops(town: Team) -> None:
    """Of two answers in one thread, the one whose button was pressed stops."""
    ben = town.discord.add_member(town.guild, "Ben")
    async with town.bot(answers=writing) as bot:
        thread = await town.discord.open_thread(town.general, town.ann, "talk")
        mention = town.discord.bot.mention
        hers = await staged(town, await town.discord.say(thread, town.ann, f"{mention} How?"))
        his = await staged(town, await town.discord.say(thread, ben, f"{mention} Why?"))
        await press(town, hers)
        await town.discord.wait_for(lambda: EN.stopped in hers.text, SECONDS)
        assert his.content == SHOWN
        bot.assistant.holds.set()
        await town.discord.wait_for(lambda: "Why? Six." in his.text, SECONDS)


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_an_answer_to_a_command_is_stopped(town: Team, private: bool) -> None:
    """The response to `/ask` has the button, too, seen by all or by the asker alone."""
    async with town.bot(answers=writing) as bot:
        begun = await town.use("How?", private=private)
        await town.discord.wait_for(lambda: begun.text == SHOWN, SECONDS)
        (answer,) = begun.messages
        assert answer.ephemeral == private
        await press(town, answer)
        await town.discord.wait_for(lambda: EN.stopped in begun.text, SECONDS)
        await bot.settled()
        assert not answer.buttons()


async def test_a_private_answer_is_stopped_where_it_stands(town: Team) -> None:
    """Of a private answer to a mention, the button in the direct message stops the turn in the channel."""
    quiet = ChannelSettings(platform="discord", id=town.general.id, mode="private-first")
    async with town.bot(answers=writing, channels=(quiet,)):
        await town.say("How?")
        direct = town.discord.dm(town.ann)
        (reply,) = await town.discord.wait_for(lambda: town.discord.answers(direct), SECONDS)
        await press(town, reply)
        await town.discord.wait_for(lambda: EN.stopped in reply.text, SECONDS)


async def test_a_draft_has_no_stop(town: Team) -> None:
    """Reviewers approve or discard; the half-written draft has no button of the asker's."""
    drafts = ChannelSettings(
        platform="discord", id=town.general.id, mode="draft", reviewers=(town.ann.user.id,)
    )
    async with town.bot(answers=writing, channels=(drafts,)) as bot:
        await town.say("How?")
        (thread,) = await town.discord.wait_for(lambda: town.discord.threads(town.general), SECONDS)
        (draft,) = await town.discord.wait_for(lambda: town.discord.answers(thread), SECONDS)
        assert (draft.content, draft.buttons()) == (SHOWN, [])
        bot.assistant.holds.set()
        await town.discord.wait_for(lambda: draft.is_v2, SECONDS)


async def test_a_revision_is_stopped(town: Team) -> None:
    """An answer that is revised grows in its own message, with the button; stopped, it is said to be."""
    async with town.bot(answers=writing) as bot:
        asked = await town.say("How?")
        reply = await staged(town, asked)
        bot.assistant.holds.set()
        await bot.settled()
        bot.assistant.holds.clear()
        await town.discord.edit(asked, f"{town.discord.bot.mention} How exactly?")
        await town.discord.wait_for(lambda: stop_of(reply), SECONDS)
        assert (reply.is_v2, reply.text) == (True, SHOWN)
        await press(town, reply)
        await town.discord.wait_for(lambda: EN.stopped in reply.text, SECONDS)
        assert town.replies(asked) == [reply]


async def test_after_a_restart_nothing_runs(town: Team) -> None:
    """A button that an ended process left behind is answered with one line, once."""
    async with town.bot(answers=writing) as bot:
        reply = await staged(town, await town.say("How?"))
        left = reply.payload()["components"]
        bot.assistant.holds.set()
        await bot.settled()
    reply.components = left
    async with town.bot():
        pressed = await press(town, reply)
        await town.discord.wait_for(lambda: pressed.followups, SECONDS)
        assert pressed.text == EN.nothing_runs
    assert [one.status for one in town.discord.made("POST /interactions/*/*/callback")] == [204]


@pytest.mark.parametrize("words", [de.TEXTS, en.TEXTS, es.TEXTS, fr.TEXTS], ids=lambda one: one.language)
async def test_stop_speaks_the_language_of_the_place(town: Team, words: Texts) -> None:
    """Button, note and refusal are in the server's language, the refusal in that of who pressed."""
    town.guild.locale = words.language
    ben = town.discord.add_member(town.guild, "Ben", locale="fr")
    async with town.bot(answers=writing):
        (reply,) = await town.discord.wait_for(partial(town.replies, await town.say("How?")), SECONDS)
        (button,) = reply.buttons()
        assert button["label"] == words.stop
        refused = await press(town, reply, user=ben)
        await town.discord.wait_for(lambda: refused.followups, SECONDS)
        assert refused.text == fr.TEXTS.not_stopper
        await press(town, reply)
        await town.discord.wait_for(lambda: words.stopped in reply.text, SECONDS)


async def test_a_stop_reaches_the_process_that_answers(tmp_path: Path) -> None:
    """A press that another process hears stops the one question, not the others of its thread."""
    engine = await open_database("", tmp_path)
    try:
        inbox = await Inbox.open(engine)
        place = Place(platform="discord", workspace="1", channel="2", thread="3")
        for message in ("4", "5"):
            key = f"discord:1:3:{message}"
            await inbox.put(
                Incoming(key=key, subject=key, kind="message", place=place, message=message, person="9")
            )
        first, second = await inbox.claim(("discord",), 10)
        assert await inbox.stop(replace(place, thread="4"), "9")
        assert not await inbox.stop(replace(place, thread="44"), "9")
        held = await inbox.renew({first.id, second.id})
        assert held.stopped == {first.id}
    finally:
        await close_database(engine)
