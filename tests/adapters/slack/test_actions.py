"""Buttons, commands, the Home tab and the stop button, pressed in the emulator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.slack import kb_command, status
from bot.errors import NotAllowed
from bot.forms import Confirm, Told
from tests.adapters.slack.harness import FORM, Rig, answer_at_once, answered, running
from tests.emulators.slack.workspace import Message


async def reply_of(rig: Rig, **outcome: object) -> Message:
    """Ask, answer with these buttons and return the reply."""
    ts = await rig.slack.say(rig.channel, rig.ann, f"{rig.slack.mention} how many days?")
    await rig.slack.wait_for(lambda: rig.desk.received)
    reply = await rig.surface.reply(rig.desk.received[-1], shown="public")
    await reply.finish(answered(**outcome))
    return rig.slack.messages(rig.channel, ts)[0]


def told(rig: Rig, text: str) -> bool:
    """Whether Ann alone was told this."""
    return any(text in str(one.blocks) and one.ephemeral for one in rig.slack.messages(rig.channel))


@pytest.mark.parametrize("control", ["person", "resolved", "share", "approve", "discard"])
async def test_each_button_does_what_it_says(tmp_path: Path, control: str) -> None:
    """A button under an answer is carried out for who pressed it, who alone is told how it went."""
    async with running(tmp_path) as rig:
        message = await reply_of(rig, controls=(control,))
        await rig.slack.click(message, f"lk_{control}", user=rig.ann)
        await rig.slack.wait_for(lambda: told(rig, f"{control} is done"))
        assert rig.aftercare.pressed == [(control, "a1", rig.ann)]


async def test_good_feedback_is_thanked_for(tmp_path: Path) -> None:
    """A thumb up is kept, and its giver is told."""
    async with running(tmp_path) as rig:
        message = await reply_of(rig, controls=("feedback",))
        await rig.slack.click(message, "lk_feedback", user=rig.ann, value="good:a1")
        await rig.slack.wait_for(lambda: told(rig, "good is done"))


async def test_bad_feedback_asks_what_was_wrong(tmp_path: Path) -> None:
    """A thumb down is kept at once, and a modal takes the comment."""
    async with running(tmp_path) as rig:
        message = await reply_of(rig, controls=("feedback",))
        await rig.slack.click(message, "lk_feedback", user=rig.ann, value="bad:a1")
        await rig.slack.wait_for(lambda: rig.slack.stack(rig.ann) and rig.aftercare.pressed)
        await rig.slack.submit_view(rig.ann, {"comment": "It is 28."})
        await rig.slack.wait_for(lambda: rig.aftercare.comments)
        assert rig.aftercare.comments == ["It is 28."]


async def test_sources_open_in_a_modal(tmp_path: Path) -> None:
    """The sources of an answer are shown in a modal, in the words of the passage."""
    async with running(tmp_path) as rig:
        message = await reply_of(rig, controls=("sources",))
        await rig.slack.click(message, "lk_sources", user=rig.ann)
        await rig.slack.wait_for(lambda: rig.method("views.update"))
        assert "Everyone has 30 days" in str(rig.slack.modal(rig.ann).content)


async def test_who_may_not_is_told_in_one_line(tmp_path: Path) -> None:
    """A refusal and a failure of the program are each one line for the person, never a traceback."""
    async with running(tmp_path) as rig:
        message = await reply_of(rig, controls=("approve",))
        rig.aftercare.fails = NotAllowed("Only reviewers may approve.")
        await rig.slack.click(message, "lk_approve", user=rig.ann)
        await rig.slack.wait_for(lambda: told(rig, "Only reviewers may approve."))
        rig.aftercare.fails = RuntimeError("a secret detail")
        await rig.slack.click(message, "lk_approve", user=rig.ann)
        await rig.slack.wait_for(lambda: told(rig, "log "))
        assert not told(rig, "secret detail")


async def test_a_command_tells_its_last_word(tmp_path: Path) -> None:
    """`/kb` runs with the person's rights and place, and tells them alone."""
    async with running(tmp_path) as rig:
        await rig.slack.command("/kb", "list", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: told(rig, "Here are your sources."))
        text, person, place = rig.commands.ran[0]
        assert (text, person.id, place.channel) == ("list", rig.ann, rig.channel)


async def test_a_slow_command_says_so_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that takes long shows how far it is, and its last word when it is done."""
    monkeypatch.setattr(kb_command, "FIRST_WORD_SECONDS", 0.01)
    async with running(tmp_path) as rig:
        rig.commands.told = (Told(text="Listing…"), Told(text="Synced."))
        rig.commands.slowly = asyncio.Event()
        await rig.slack.command("/kb", "sync", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: told(rig, "Listing…"))
        rig.commands.slowly.set()
        await rig.slack.wait_for(lambda: told(rig, "Synced."))


async def test_a_command_is_finished_before_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever typed a command just before the bot ends is still told."""
    async with running(tmp_path) as rig:
        rig.commands.slowly = asyncio.Event()
        await rig.slack.command("/kb", "list", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: rig.commands.ran)
        rig.stop.set()
        await rig.slack.wait_for(lambda: not rig.slack.sockets.connections)
        rig.commands.slowly.set()
        await asyncio.gather(rig.task)
        assert told(rig, "Here are your sources.")
    assert not [one for one in caplog.records if one.exc_info]


async def test_removing_is_confirmed_in_a_modal(tmp_path: Path) -> None:
    """A command with a question opens a modal; sending it back carries the command out."""
    confirm = Confirm(title="Remove", text="Remove it?", label="Remove", command="remove handbook --yes")
    async with running(tmp_path) as rig:
        rig.commands.told = (Told(text="Remove it?", confirm=confirm),)
        await rig.slack.command("/kb", "remove handbook", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: rig.slack.stack(rig.ann))
        rig.commands.told = (Told(text="It is gone."),)
        await rig.slack.submit_view(rig.ann)
        await rig.slack.wait_for(lambda: told(rig, "It is gone."))
        assert [text for text, _, _ in rig.commands.ran] == ["remove handbook", "remove handbook --yes"]


async def test_a_modal_that_is_too_late_is_a_button(tmp_path: Path) -> None:
    """When no modal can be opened any more, the question comes with a button that opens it."""
    confirm = Confirm(title="Remove", text="Remove it?", label="Remove", command="remove handbook --yes")
    async with running(tmp_path) as rig:
        rig.slack.faults.fail("views.open", "expired_trigger_id")
        rig.commands.told = (Told(text="Remove it?", confirm=confirm),)
        await rig.slack.command("/kb", "remove handbook", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: told(rig, "lk_confirm"))
        await rig.slack.click(rig.slack.messages(rig.channel)[-1], "lk_confirm", user=rig.ann)
        await rig.slack.wait_for(lambda: rig.slack.stack(rig.ann))


async def test_the_home_tab_is_shown(tmp_path: Path) -> None:
    """Opening the Home tab publishes it, with buttons for admins that open the form."""
    async with running(tmp_path) as rig:
        boss = rig.slack.add_user("Boss", is_admin=True)
        await rig.slack.open_home(boss)
        view = await rig.slack.wait_for(lambda: rig.slack.home_of(boss))
        rig.commands.told = (Told(text="Fill it in.", form=FORM),)
        await rig.slack.click(view, "lk_add", user=boss)
        await rig.slack.wait_for(lambda: rig.slack.stack(boss))


async def test_a_suggested_question_is_asked(tmp_path: Path) -> None:
    """Pressing a suggested question asks it in the direct messages and answers it there."""
    async with running(tmp_path, work=answer_at_once) as rig:
        await rig.slack.open_home(rig.ann)
        view = await rig.slack.wait_for(lambda: rig.slack.home_of(rig.ann))
        await rig.slack.click(view, "lk_ask", user=rig.ann, value="How many days of leave?")
        await rig.slack.wait_for(lambda: rig.desk.received)
        (incoming,) = rig.desk.received
        assert incoming.text == "How many days of leave?"
        await rig.slack.wait_for(lambda: rig.slack.messages(incoming.place.channel, incoming.message))


async def test_the_messages_tab_suggests_questions(tmp_path: Path) -> None:
    """Opening the Messages tab shows what may be asked."""
    async with running(tmp_path) as rig:
        await rig.slack.open_home(rig.ann, tab="messages")
        call = await rig.slack.wait_for(
            lambda: next(iter(rig.method("assistant.threads.setSuggestedPrompts")), None)
        )
        assert "How many days of leave?" in str(call.arguments["prompts"])


async def test_the_stop_button_stops_the_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long turn shows Slack's stop button; pressing it reaches the desk, and the reply takes it away."""
    monkeypatch.setattr(status, "STOPPABLE_AFTER_SECONDS", 0.01)
    async with running(tmp_path) as rig:
        dm = rig.slack.direct(rig.ann)
        ts = await rig.slack.say(dm, rig.ann, "how many days?")
        await rig.slack.wait_for(lambda: rig.desk.received)
        await rig.surface.working(rig.desk.received[0])
        await rig.slack.wait_for(lambda: rig.method("agents.sessions.setStatus"))
        rig.desk.running = True
        await rig.slack.stop_button(rig.ann, dm, ts)
        await rig.slack.wait_for(lambda: rig.desk.stopped)
        assert rig.desk.stopped[0][0].thread == ts
        await (await rig.surface.reply(rig.desk.received[0], shown="public")).finish(answered())
        await rig.slack.wait_for(lambda: len(rig.method("agents.sessions.setStatus")) == 2)
        assert rig.method("agents.sessions.setStatus")[1].arguments["status"] == "active"
