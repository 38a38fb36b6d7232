"""Slash commands, menus, autocomplete and forms, over the emulator."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from adapters.discord.commands import definitions, digest
from adapters.discord.knowledge import typed
from adapters.discord.modals import fitted
from bot.chat import Incoming, Surface
from bot.chat_settings import ChannelSettings
from bot.errors import NotAllowed
from bot.forms import Confirm, Field, FieldError, Form, Told
from kb.errors import StoreError
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import Scripted, ScriptedDesk, bot, outcome
from tests.emulators.discord.messages import Upload
from tests.emulators.discord.server import DiscordEmulator

REGISTER = "PUT /applications/*/commands"
FORM = Form(
    title="Add a source",
    action="add",
    fields=(Field(name="location", label="Location"), Field(name="name", label="Name", optional=True)),
)


async def registered(discord: DiscordEmulator) -> None:
    """Wait until the commands are there."""
    await discord.wait_for(lambda: [one for one in discord.made(REGISTER) if one.status == 200])


async def test_a_question_by_command_is_answered_in_its_response(town: Town, tmp_path: Path) -> None:
    """`/ask` is acknowledged at once, answered in its response, and has a thread for follow-ups."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        await registered(discord)
        asked = await discord.command("ask", {"question": "how?"}, user=town.ann, channel=town.general)
        await discord.answer(asked)
        await scripted.desk.until(posted=1)
    assert asked.latency < 1.0
    assert "Restart the router" in asked.text
    assert asked.original is not None
    assert not asked.original.ephemeral
    assert scripted.desk.posted[0].thread == asked.original.id
    assert scripted.desk.incoming[0].kind == "command"


async def test_a_private_question_is_answered_to_the_asker_alone(town: Town, tmp_path: Path) -> None:
    """`/ask private:true` gets an ephemeral answer and no thread."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        await registered(discord)
        options = {"question": "how?", "private": True}
        asked = await discord.command("ask", options, user=town.ann, channel=town.general)
        await discord.answer(asked)
        await scripted.desk.until(posted=1)
    assert all(one.ephemeral for one in asked.messages)
    assert not discord.threads(town.general)
    assert scripted.desk.incoming[0].private


async def test_a_private_first_channel_answers_commands_privately(town: Town, tmp_path: Path) -> None:
    """Where the first answer is private, the response to `/ask` is ephemeral."""
    discord = town.discord
    channel = ChannelSettings(platform="discord", id=town.general.id, mode="private-first")
    desk = ScriptedDesk().answers(shown="private")
    async with bot(discord, tmp_path, desk=desk, channels=(channel,)):
        await registered(discord)
        asked = await discord.command("ask", {"question": "how?"}, user=town.ann, channel=town.general)
        await discord.answer(asked)
    assert all(one.ephemeral for one in asked.messages)


async def test_an_answer_after_the_token_is_over_stands_in_the_channel(town: Town, tmp_path: Path) -> None:
    """When 15 minutes have passed, a public answer is posted as a message, a private one sent directly."""
    discord, waiting, go_on = town.discord, asyncio.Event(), asyncio.Event()
    desk = ScriptedDesk()

    async def turn(incoming: Incoming, surface: Surface) -> None:
        waiting.set()
        await go_on.wait()
        shown = "private" if incoming.private else "public"
        reply = await surface.reply(incoming, shown=shown)
        desk.posted.append(await reply.finish(outcome(shown=shown)))

    desk.turn = turn
    async with bot(discord, tmp_path, desk=desk):
        await registered(discord)
        for private in (False, True):
            options = {"question": "how?", "private": private}
            asked = await discord.command("ask", options, user=town.ann, channel=town.general)
            await discord.wait_for(lambda asked=asked: asked.acknowledged)
        discord.clock.advance(16 * 60)
        go_on.set()
        await discord.wait_for(
            lambda: discord.answers(town.general) and discord.answers(discord.dm(town.ann))
        )


async def test_commands_are_registered_only_when_they_differ(town: Town, tmp_path: Path) -> None:
    """A second start finds the same commands and registers nothing."""
    discord = town.discord
    async with bot(discord, tmp_path):
        await registered(discord)
    discord.calls.clear()
    async with bot(discord, tmp_path):
        await discord.wait_for(lambda: discord.made("GET /applications/*/commands"))
        await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.made("GET /guilds/*/threads/active"))
    assert not discord.made(REGISTER)


async def test_commands_can_belong_to_chosen_servers(town: Town, tmp_path: Path) -> None:
    """With `servers` the commands are those servers' own, and work there at once."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers(), servers=(town.guild.id,)):
        await discord.wait_for(lambda: discord.made(f"PUT /applications/*/guilds/{town.guild.id}/commands"))
        asked = await discord.command("ask", {"question": "how?"}, user=town.ann, channel=town.general)
        await discord.answer(asked)


def test_the_digest_sees_what_matters() -> None:
    """What Discord adds to a command changes nothing; another description or option does."""
    ours = definitions()
    theirs = [{**one, "id": "1", "version": "2", "nsfw": False, "dm_permission": True} for one in ours]
    assert digest(theirs) == digest(ours)
    assert digest([{**ours[0], "description": "Else"}, *ours[1:]]) != digest(ours)
    assert digest(ours[:-1]) != digest(ours)


def test_options_are_typed_as_one_command() -> None:
    """A subcommand's options become what would be typed; a quotation mark cannot leave its place."""
    given = {"location": 'https://a.example" as other', "every": "1h", "name": "a", "audience": "x y"}
    assert typed("add", given) == 'add "https://a.example as other" every "1h" as "a" for "x y"'
    assert typed("sync", {"source": "docs", "allow_deletes": True}) == 'sync "docs" allow deletes'
    assert typed("list", {}) == "list"


async def test_a_command_is_told_privately_step_by_step(town: Town, tmp_path: Path) -> None:
    """`/kb sync` shows how it gets on and ends with its last word, to whoever typed it."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        scripted.commands.told['sync "docs"'] = [Told(text="begins"), Told(text="docs: 3 added.")]
        asked = await discord.command("kb sync", {"source": "docs"}, user=town.ann, channel=town.general)
        await discord.wait_for(lambda: asked.text == "docs: 3 added.")
    assert asked.original is not None
    assert asked.original.ephemeral
    assert scripted.commands.ran[0][1].id == town.ann.id


async def test_names_of_sources_are_offered_while_typing(town: Town, tmp_path: Path) -> None:
    """Autocomplete offers the sources that fit."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        scripted.commands.names = ["docs", "wiki"]
        offered = await discord.autocomplete("kb show", "source", "d", user=town.ann, channel=town.general)
    assert [one["name"] for one in offered] == ["docs"]


async def test_a_removal_is_confirmed_by_a_button_that_outlives_a_restart(town: Town, tmp_path: Path) -> None:
    """The button holds the command, so another process carries it out."""
    discord = town.discord
    confirm = Confirm(title="Remove", text="Remove docs?", label="Remove", command="remove docs --yes")
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        scripted.commands.told['remove "docs"'] = [Told(text="Remove docs?", confirm=confirm)]
        asked = await discord.command("kb remove", {"source": "docs"}, user=town.ann, channel=town.general)
        await discord.answer(asked)
    assert asked.original is not None
    async with bot(discord, tmp_path) as scripted:
        await discord.click(asked.original, "Remove", user=town.ann)
        await discord.wait_for(lambda: "Ran remove docs" in asked.text)
    assert scripted.commands.ran[0][0] == "remove docs --yes"


async def test_a_removal_can_be_cancelled(town: Town, tmp_path: Path) -> None:
    """Cancel takes the question away and runs nothing."""
    discord = town.discord
    confirm = Confirm(title="Remove", text="Remove docs?", label="Remove", command="remove docs --yes")
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        scripted.commands.told['remove "docs"'] = [Told(text="Remove docs?", confirm=confirm)]
        asked = await discord.command("kb remove", {"source": "docs"}, user=town.ann, channel=town.general)
        await discord.answer(asked)
        assert asked.original is not None
        await discord.click(asked.original, "lk:cancel", user=town.ann)
        await discord.wait_for(lambda: not asked.messages)
    assert len(scripted.commands.ran) == 1


async def opened_form(scripted: Scripted, town: Town):  # noqa: ANN201 - the emulator's interaction
    """Type `/kb add` and return what opened the form."""
    await registered(town.discord)
    scripted.commands.told["add"] = [Told(text="", form=FORM)]
    asked = await town.discord.command("kb add", user=town.ann, channel=town.general)
    await town.discord.wait_for(lambda: asked.modal)
    return asked


async def test_adding_without_a_location_opens_a_form(town: Town, tmp_path: Path) -> None:
    """`/kb add` alone opens the form; what is sent back is carried out."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        scripted.commands.submits.append(Told(text="Added docs."))
        opened = await opened_form(scripted, town)
        sent = await discord.submit_modal(opened, {"location": "https://docs.example.com"})
        await discord.wait_for(lambda: sent.text == "Added docs.")
    assert scripted.commands.sent[0][0] == "add"
    assert scripted.commands.sent[0][1]["location"] == "https://docs.example.com"


async def test_a_mistake_in_a_form_brings_it_back_filled(town: Town, tmp_path: Path) -> None:
    """A wrong field is named, and a button opens the form again with all that was typed."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        scripted.commands.submits += [
            FieldError("'nope' is no location.", field="location"),
            Told(text="Ok."),
        ]
        opened = await opened_form(scripted, town)
        sent = await discord.submit_modal(opened, {"location": "nope", "name": "docs"})
        await discord.answer(sent)
        assert "no location" in sent.text
        again = await discord.click(sent.messages[0], "lk:form:add", user=town.ann)
        await discord.wait_for(lambda: again.modal)
        last = await discord.submit_modal(again, {"location": "https://docs.example.com"})
        await discord.answer(last)
    assert scripted.commands.sent[1][1] == {"location": "https://docs.example.com", "name": "docs"}


async def test_a_file_is_kept_by_command(town: Town, tmp_path: Path) -> None:
    """`/kb add file:` hands the file's bytes to the curated documents."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        file = Upload(name="guide.md", data=b"# Guide", media_type="text/markdown")
        asked = await discord.command("kb add", {"file": file}, user=town.ann, channel=town.general)
        await discord.wait_for(lambda: asked.text == "Saved guide.md.")
    assert scripted.curated.files == [("guide.md", b"# Guide")]


async def test_a_message_can_be_asked_about(town: Town, tmp_path: Path) -> None:
    """The menu "Ask about this" asks the message's text, privately."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        await registered(discord)
        message = await discord.say(town.general, town.ann, "The router is broken. What now?")
        asked = await discord.message_menu("Ask about this", message, user=town.ann)
        await discord.answer(asked)
    command = next(one for one in scripted.desk.incoming if one.kind == "command")
    assert (command.text, command.private) == ("The router is broken. What now?", True)
    assert all(one.ephemeral for one in asked.messages)


async def test_a_thread_is_saved_with_its_first_message(town: Town, tmp_path: Path) -> None:
    """The menu "Save to knowledge base" opens a form about the message and the thread at it."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        scripted.curated.form = replace(FORM, action="save", title="Save to knowledge base")
        message = await discord.say(town.general, town.ann, "How do I restart it?")
        thread = await discord.open_thread(message, town.ann, "Restarting")
        await discord.say(thread, town.ann, "Press the button.")
        opened = await discord.message_menu("Save to knowledge base", message, user=town.ann)
        await discord.wait_for(lambda: opened.modal)
    assert [one.text for one in scripted.curated.quoted] == ["How do I restart it?", "Press the button."]


def test_a_long_form_is_fitted_into_a_modal() -> None:
    """A form of six fields loses its last optional one that is filled, whose value is kept."""
    fields = [Field(name=f"f{number}", label="x", value="v", optional=number > 2) for number in range(6)]
    form, kept = fitted(Form(title="Save", fields=tuple(fields), action="save"))
    assert [one.name for one in form.fields] == ["f0", "f1", "f2", "f3", "f4"]
    assert kept == {"f5": "v"}


async def test_failures_are_told_in_one_line(town: Town, tmp_path: Path) -> None:
    """A refused command, a locked database and a bug each end in one line to the person."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        await registered(discord)
        message = await discord.say(town.general, town.ann, "x")
        await scripted.desk.until(heard=1)
        for failure in (NotAllowed("You may not."), StoreError("locked /secret/path"), ValueError("bug")):
            scripted.desk.failures.append(failure)
            asked = await discord.message_menu("Ask about this", message, user=town.ann)
            await discord.answer(asked)
            assert asked.text
            assert "Traceback" not in asked.text
            assert "/secret/path" not in asked.text
