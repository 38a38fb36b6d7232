"""The buttons under an answer, over the emulator."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from adapters.discord import layouts
from bot.errors import NotAllowed
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import Scripted, ScriptedDesk, bot, citation
from tests.emulators.discord import permissions
from tests.emulators.discord.messages import Message
from tests.emulators.discord.places import Channel

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
    message = await posted(scripted, town.general, identifier)
    return (await discord.answer(await discord.click(message, identifier, user=town.ann))).text


async def posted(scripted: Scripted, channel: Channel, *identifiers: str, card: bool = False) -> Message:
    """Post a message with buttons as another process would, and return it."""
    buttons = [layouts.button("x", identifier) for identifier in identifiers]
    parts = [layouts.text("An answer."), *layouts.rows(buttons)]
    payload = layouts.message([layouts.container(parts)] if card else parts)
    message = await scripted.app._api.post(channel.id, payload, nonce=str(identifiers)[:25])
    return channel.messages[str(message["id"])]


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


@pytest.mark.parametrize("where", ["channel", "card", "thread", "asleep", "direct"])
async def test_a_press_is_seen_to_once_wherever_the_button_stands(
    town: Town, tmp_path: Path, where: str
) -> None:
    """The library hands a press on once, from a card, a thread that it never heard of and direct messages."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        channel = discord.dm(town.ann) if where == "direct" else town.general
        if where in {"thread", "asleep"}:
            channel = await discord.open_thread(town.general, town.ann, "talk")
        message = await posted(scripted, channel, f"lk:resolved:{ID}", card=where == "card")
        if where == "asleep":
            await discord.archive(channel)
        pressed = await discord.answer(await discord.click(message, "lk:resolved", user=town.ann))
    assert pressed.text == "Done: resolved."
    assert scripted.aftercare.calls == [("resolved", ID, town.ann.id)]
    assert len(discord.made(f"POST /interactions/{pressed.id}/*/callback")) == 1


def ran_for(scripted: Scripted, person: str) -> bool:
    """Tell whether a command was run for somebody."""
    return any(one.id == person for _, one, _ in scripted.commands.ran)


async def test_who_presses_is_known_with_roles_and_rights(town: Town, tmp_path: Path) -> None:
    """The roles, the right to manage the server and the language of who presses reach what is done."""
    discord = town.discord
    ops = discord.add_role(town.guild, "ops")
    chiefs = discord.add_role(town.guild, "chiefs", allow=permissions.MANAGE_GUILD)
    bea = discord.add_member(town.guild, "Bea", roles=(ops, chiefs), locale="de")
    async with bot(discord, tmp_path) as scripted:
        for member, name in ((bea, "handbook"), (town.ann, "wiki")):
            message = await posted(scripted, town.general, f"lk:confirm:remove {name} --yes")
            await discord.click(message, "lk:confirm", user=member)
            await discord.wait_for(partial(ran_for, scripted, member.id))
    (text, hers, place), (_, anns, _) = scripted.commands.ran
    assert text == "remove handbook --yes"
    assert (hers.groups, hers.admin, hers.name) == (frozenset({ops.id, chiefs.id}), True, "Bea")
    assert (anns.groups, anns.admin) == (frozenset(), False)
    assert (place.channel, place.language) == (town.general.id, "de")


async def test_a_foreign_button_is_left_alone(town: Town, tmp_path: Path) -> None:
    """A press on a button that is none of ours leads to nothing."""
    async with bot(town.discord, tmp_path) as scripted:
        message = await posted(scripted, town.general, "other:1", f"lk:resolved:{ID}")
        foreign = await town.discord.click(message, "other:1", user=town.ann)
        ours = await town.discord.answer(await town.discord.click(message, "lk:resolved", user=town.ann))
        assert ours.text == "Done: resolved."
    assert not foreign.acknowledged
