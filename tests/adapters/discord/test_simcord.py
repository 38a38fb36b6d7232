"""A second opinion: the bot in simcord's Discord, which was written by others than our emulator."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import discord
import pytest

simcord = pytest.importorskip("simcord", reason="simcord is not installed")

from simcord.components import walk_components  # noqa: E402 - only where there is simcord

from tests.adapters.discord.simulated import Simulated, simulated  # noqa: E402

ENTRIES = ["ask", "kb add", "kb help", "kb list", "kb remove", "kb show", "kb status", "kb sync"]


def words(shown: simcord.ResponseMessage | None) -> str:
    """Return the words of a response, empty while there is none."""
    components = walk_components(shown.components) if shown else ()
    return "\n".join(str(one["content"]) for one in components if one["type"] == 10)


def control(shown: simcord.ResponseMessage, wanted: str) -> str:
    """Return the custom id of the one button whose id holds a word."""
    ids = [str(one.get("custom_id", "")) for one in walk_components(shown.components)]
    (found,) = [one for one in ids if wanted in one]
    return found


def pinged(message: discord.Message) -> tuple[list[int], list[int], bool]:
    """Return the people and the roles that a message notifies, and whether it does everyone."""
    return (
        [one.id for one in message.mentions],
        [one.id for one in message.role_mentions],
        message.mention_everyone,
    )


async def response(there: Simulated, used: simcord.InteractionResult) -> simcord.ResponseMessage:
    """Return what answers an interaction, once it says something."""
    await there.until(lambda: words(used.response))
    assert used.response is not None
    return used.response


async def test_a_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mention is answered in a thread at it, in components, and a follow-up there needs no mention."""
    async with simulated(tmp_path, monkeypatch) as there:
        asked = await there.ask("How many days?")
        (thread,) = await there.until(lambda: there.general.threads)
        (answer,) = await there.answers(thread)
        assert thread.id == asked.id
        assert answer.flags.components_v2
        assert not answer.content
        assert pinged(answer) == ([], [], False)
        await there.say("How many weeks?", channel=thread)
        _, second = await there.answers(thread, 2)
        assert "weeks" in str(second.components[0])
        turns = there.behind.assistant.asked[1].conversation.turns
        assert [turn.question for turn in turns] == ["How many days?"]
        assert [one for one in there.general.history() if one.components] == []


async def test_mentions_in_an_answer_are_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a question brings along pings nobody when it is said again."""
    async with simulated(tmp_path, monkeypatch, threads=False) as there:
        await there.ask(f"How many days, @everyone @here <@{there.ann.id}> <@&{there.guild.id}>?")
        (answer,) = await there.answers(there.general)
        assert pinged(answer) == ([], [], False)


async def test_an_edit_revises_and_a_deletion_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply follows its question: revised in place, then gone."""
    async with simulated(tmp_path, monkeypatch, threads=False) as there:
        asked = await there.ask("How many days?")
        (answer,) = await there.answers(there.general)
        assert answer.reference is not None
        assert answer.reference.message_id == asked.id
        await there.ann.edit(asked, f"{there.env.bot.user.mention} How many weeks?")  # type: ignore[union-attr]
        await there.until(lambda: "weeks" in str(there.general.history()[-1].components[0]))
        assert len(await there.answers(there.general)) == 1
        await there.ann.delete(asked)
        await there.until(lambda: not there.general.history())


async def test_commands_are_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simcord takes the commands as we register them, and shows them to everyone."""
    async with simulated(tmp_path, monkeypatch) as there:
        assert set(ENTRIES) <= set(there.ann.available_commands(there.general))


async def test_ask_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/ask is deferred and answered for all, with a thread for follow-ups; a private one for the asker."""
    async with simulated(tmp_path, monkeypatch) as there:
        used = await there.ann.slash(there.general, "ask", question="How many days?")
        public = await response(there, used)
        assert used.acknowledged
        assert not public.ephemeral
        assert "days" in words(public)
        (thread,) = await there.until(lambda: there.general.threads)
        assert thread.id == public.id
        used = await there.ann.slash(there.general, "ask", question="How many weeks?", private=True)
        assert (await response(there, used)).ephemeral


async def test_buttons_and_a_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thumb up is kept and thanked for in private; a thumb down opens a form, whose text is kept."""
    async with simulated(tmp_path, monkeypatch) as there:
        used = await there.ann.slash(there.general, "ask", question="How many days?")
        shown = await response(there, used)
        good = await there.ann.click(shown, custom_id=control(shown, ":good"))
        assert (await response(there, good)).ephemeral
        assert feedback(tmp_path) == [(1, "")]
        bad = await there.ann.click(shown, custom_id=control(shown, ":bad"))
        await there.until(lambda: bad.modal)
        sent = await there.ann.submit_modal(bad, {"comment": "It is 50 now."})
        assert (await response(there, sent)).ephemeral
        assert feedback(tmp_path) == [(0, "It is 50 now.")]


def feedback(folder: Path) -> list[tuple[int, str]]:
    """Return what was kept of thumbs."""
    with closing(sqlite3.connect(folder / "lorekeeper.db")) as database:
        return database.execute("SELECT good, comment FROM feedback").fetchall()


async def test_the_menu_of_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry "Ask about this" answers what the message asks, for whoever opened the menu alone."""
    async with simulated(tmp_path, monkeypatch) as there:
        said = await there.say("How many days?")
        used = await there.ann.context_menu(there.general, "Ask about this", said)
        shown = await response(there, used)
        assert shown.ephemeral
        assert "days" in words(shown)


async def test_without_the_right_to_open_threads_the_answer_is_a_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By simcord's reckoning of permissions, too, the bot falls back to a reply."""
    async with simulated(tmp_path, monkeypatch) as there:
        assert there.guild.me is not None
        closed = {there.guild.me: discord.PermissionOverwrite(create_public_threads=False)}
        flat = there.guild.create_text_channel("flat", overwrites=closed)
        asked = await there.say(f"{there.guild.me.mention} How many days?", channel=flat)
        (answer,) = await there.answers(flat)
        assert answer.reference is not None
        assert answer.reference.message_id == asked.id
        assert flat.threads == []


async def test_without_the_right_to_write_the_bot_stays_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where simcord lets it not write, the turn ends; elsewhere the next question is answered."""
    async with simulated(tmp_path, monkeypatch, threads=False) as there:
        assert there.guild.me is not None
        closed = {there.guild.me: discord.PermissionOverwrite(send_messages=False)}
        read_only = there.guild.create_text_channel("read-only", overwrites=closed)
        await there.say(f"{there.guild.me.mention} How many days?", channel=read_only)
        await there.ask("How many weeks?")
        await there.answers(there.general)
        await there.behind.settled()
        assert [one for one in read_only.history() if one.author == there.guild.me] == []
