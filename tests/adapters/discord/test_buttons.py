"""The buttons under an answer, over the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.discord import layouts
from bot.errors import NotAllowed
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import Scripted, ScriptedDesk, bot, citation
from tests.emulators.discord.messages import Message

ID = "a" * 32


async def answered(town: Town) -> Message:
    """Ask, and return the answer's message."""
    discord = town.discord
    asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
    (reply,) = await discord.wait_for(lambda: discord.replies(asked))
    return reply


async def test_a_good_verdict_is_kept_and_thanked_for(town: Town, tmp_path: Path) -> None:
    """A press on "Helpful" is noted, and the person alone reads a line about it."""
    async with bot(town.discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        pressed = await town.discord.click(await answered(town), f"lk:feedback:{ID}:good", user=town.ann)
        await town.discord.answer(pressed)
    assert scripted.aftercare.calls == [("feedback", ID, town.ann.id, True, "")]
    assert pressed.text == "Done: feedback."
    assert pressed.messages[0].ephemeral
    assert pressed.latency < 1.0


async def test_a_bad_verdict_is_kept_before_its_reason(town: Town, tmp_path: Path) -> None:
    """A press on "Not helpful" is noted at once, and the form asks what was wrong."""
    async with bot(town.discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        pressed = await town.discord.click(await answered(town), f"lk:feedback:{ID}:bad", user=town.ann)
        await town.discord.wait_for(lambda: pressed.modal)
        sent = await town.discord.submit_modal(pressed, {"comment": "It is outdated."})
        await town.discord.answer(sent)
    assert scripted.aftercare.calls == [
        ("feedback", ID, town.ann.id, False, ""),
        ("feedback", ID, town.ann.id, False, "It is outdated."),
    ]


async def test_the_passages_are_shown_to_who_asks_for_them(town: Town, tmp_path: Path) -> None:
    """The button "Sources" shows the passages; a line says so when none may be seen."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        reply = await answered(town)
        scripted.aftercare.citations = (citation(title="Network guide"),)
        pressed = await discord.answer(await discord.click(reply, f"lk:sources:{ID}", user=town.ann))
        assert "Network guide" in pressed.text
        scripted.aftercare.citations = ()
        pressed = await discord.answer(await discord.click(reply, f"lk:sources:{ID}", user=town.ann))
        assert "Network guide" not in pressed.text
        assert pressed.text


async def press(scripted: Scripted, town: Town, control: str) -> str:
    """Press a button of a message that an earlier release posted, and return what is said."""
    discord = town.discord
    identifier = layouts.custom_id(control, ID)  # type: ignore[arg-type]
    row = {"type": 1, "components": [{"type": 2, "style": 2, "label": "x", "custom_id": identifier}]}
    payload = {"flags": layouts.COMPONENTS_V2, "components": [row]}
    await scripted.app._api.post(town.general.id, payload, nonce=control)
    message = discord.messages(town.general)[-1]
    return (await discord.answer(await discord.click(message, identifier, user=town.ann))).text


@pytest.mark.parametrize("control", ["person", "resolved", "share", "approve", "discard"])
async def test_buttons_outlive_the_process_that_posted_them(town: Town, tmp_path: Path, control: str) -> None:
    """A button of a message that this process does not know works by its id alone."""
    async with bot(town.discord, tmp_path) as scripted:
        assert await press(scripted, town, control) == f"Done: {control}."
    assert scripted.aftercare.calls == [(control, ID, town.ann.id)]


async def test_who_may_not_is_told_so(town: Town, tmp_path: Path) -> None:
    """A refusal is one line to the person who pressed."""
    async with bot(town.discord, tmp_path) as scripted:
        scripted.aftercare.raises = NotAllowed("Only the reviewers of this channel may do that.")
        assert "Only the reviewers" in await press(scripted, town, "approve")
