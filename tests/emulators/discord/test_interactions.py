"""Commands, buttons and forms with the real client."""

from __future__ import annotations

import discord
import pytest
from discord import app_commands, ui

from tests.emulators.discord.conftest import Bot, Connect, Place
from tests.emulators.discord.messages import Upload
from tests.emulators.discord.people import NotRegistered, Refused
from tests.emulators.discord.server import DiscordEmulator


class Form(ui.Modal, title="Add a source"):
    """A form with a labelled field and a list."""

    location = ui.Label(text="Location", component=ui.TextInput(custom_id="location", max_length=50))
    every = ui.Label(
        text="Every",
        component=ui.Select(
            custom_id="every",
            required=False,
            options=[discord.SelectOption(label="hour", default=True), discord.SelectOption(label="day")],
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        location, every = self.location.component, self.every.component
        assert isinstance(location, ui.TextInput)
        assert isinstance(every, ui.Select)
        await interaction.response.send_message(f"{location.value} {every.values}", ephemeral=True)


class Layout(ui.LayoutView):
    """Components v2: a text with buttons."""

    text = ui.TextDisplay("**Answer** with @everyone")
    row: ui.ActionRow[Layout] = ui.ActionRow()

    @row.button(label="More", custom_id="more")
    async def more(self, interaction: discord.Interaction, _button: ui.Button[Layout]) -> None:
        await interaction.response.send_message("More.", ephemeral=True)

    @row.button(label="Form", custom_id="form")
    async def form(self, interaction: discord.Interaction, _button: ui.Button[Layout]) -> None:
        await interaction.response.send_modal(Form())

    @row.button(label="Change", custom_id="change")
    async def change(self, interaction: discord.Interaction, _button: ui.Button[Layout]) -> None:
        await interaction.response.defer()
        changed = ui.LayoutView()
        changed.add_item(ui.TextDisplay("Changed."))
        await interaction.edit_original_response(view=changed)


def commanded() -> Bot:
    """Return a bot with the commands of these tests."""
    bot = Bot()

    @bot.tree.command(description="Ask")
    async def ask(
        interaction: discord.Interaction, question: app_commands.Range[str, 1, 100], private: bool = False
    ) -> None:
        await interaction.response.defer(thinking=True, ephemeral=private)
        await interaction.edit_original_response(view=Layout())
        await interaction.followup.send(f"You asked {question!r}.", ephemeral=private)

    group = app_commands.Group(name="kb", description="Knowledge")

    @group.command(description="Add")
    async def add(interaction: discord.Interaction, file: discord.Attachment) -> None:
        await interaction.response.send_message((await file.read()).decode(), ephemeral=True)

    @group.command(description="Show")
    async def show(interaction: discord.Interaction, name: str) -> None:
        await interaction.response.send_message(name)

    @show.autocomplete("name")
    async def names(_interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        known = ["handbook", "wiki"]
        return [app_commands.Choice(name=one, value=one) for one in known if one.startswith(typed)]

    @bot.tree.context_menu(name="Ask about this")
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"About {message.content!r}", ephemeral=True)

    bot.tree.add_command(group)
    return bot


async def test_a_deferred_command_is_answered_by_an_edit_and_a_follow_up(connect: Connect) -> None:
    """What is thinking becomes the answer, a follow-up comes after it, and nothing pings."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator, commanded()) as bot:
            await bot.tree.sync()
            begun = await emulator.command("ask", {"question": "why?"}, user=place.ann, channel=place.general)
            await emulator.wait_for(lambda: len(begun.messages) == 2)
    answer, further = begun.messages
    assert begun.callback == 5
    assert begun.latency < 3
    assert answer.text == "**Answer** with @everyone"
    assert answer.is_v2
    assert [one["label"] for one in answer.buttons()] == ["More", "Form", "Change"]
    assert further.content == "You asked 'why?'."
    assert not emulator.pings


async def test_a_private_answer_is_seen_by_the_asker_alone(connect: Connect) -> None:
    """An ephemeral deferral makes the answer and its follow-up ephemeral, and no channel call shows them."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        bob = emulator.add_member(place.guild, "Bob")
        async with connect(emulator, commanded()) as bot:
            await bot.tree.sync()
            begun = await emulator.command(
                "ask", {"question": "why?", "private": True}, user=place.ann, channel=place.general
            )
            await emulator.wait_for(lambda: len(begun.messages) == 2)
            with pytest.raises(Refused):
                await emulator.click(begun.messages[0], "more", user=bob)
            channel = await bot.fetch_channel(int(place.general.id))
            assert isinstance(channel, discord.TextChannel)
            assert [one async for one in channel.history()] == []
    assert [one.ephemeral_to for one in begun.messages] == [place.ann.id] * 2


async def test_buttons_open_forms_and_change_messages(connect: Connect) -> None:
    """A button answers privately, opens a form that comes back filled in, or changes its message."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator, commanded()) as bot:
            await bot.tree.sync()
            begun = await emulator.command("ask", {"question": "why?"}, user=place.ann, channel=place.general)
            (answer,) = (await emulator.answer(begun)).messages[:1]
            more = await emulator.answer(await emulator.click(answer, "more", user=place.ann))
            opened = await emulator.answer(await emulator.click(answer, "Form", user=place.ann))
            with pytest.raises(Refused, match="required"):
                await emulator.submit_modal(opened)
            sent = await emulator.answer(await emulator.submit_modal(opened, {"Location": "https://a.b"}))
            await emulator.answer(await emulator.click(answer, "change", user=place.ann))
            await emulator.wait_for(lambda: answer.text == "Changed.")
    assert more.text == "More."
    assert sent.text == "https://a.b ['hour']"


async def test_subcommands_take_files_and_complete_names(connect: Connect) -> None:
    """A file option is downloaded by the bot, and autocompletion offers what the bot names."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        at = {"user": place.ann, "channel": place.general}
        async with connect(emulator, commanded()) as bot:
            await bot.tree.sync()
            upload = Upload(name="a.md", data=b"# Hello", media_type="text/markdown")
            added = await emulator.answer(await emulator.command("kb add", {"file": upload}, **at))
            offered = await emulator.autocomplete("kb show", "name", "hand", **at)
            with pytest.raises(NotRegistered):
                await emulator.command("kb remove", {}, **at)
    assert added.text == "# Hello"
    assert [one["value"] for one in offered] == ["handbook"]
    assert not any("Authorization" in one for one in emulator.api.downloads)


async def test_a_message_menu_shows_the_bot_the_message(connect: Connect) -> None:
    """The text is there even for a bot without the message content intent."""
    async with DiscordEmulator(message_content=False).running() as emulator:
        place = Place(emulator)
        bot = commanded()
        bot._connection._intents = discord.Intents(1 << 0 | 1 << 9)
        async with connect(emulator, bot):
            await bot.tree.sync()
            said = await emulator.say(place.general, place.ann, "the cable is red")
            begun = await emulator.message_menu("Ask about this", said, user=place.ann)
            await emulator.answer(begun)
    assert begun.text == "About 'the cable is red'"


async def test_a_command_in_a_direct_message_has_no_guild(connect: Connect) -> None:
    """In a direct conversation the interaction carries the user, and the answer stands there."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        direct = emulator.dm(place.ann)
        async with connect(emulator, commanded()) as bot:
            await bot.tree.sync()
            begun = await emulator.command("ask", {"question": "why?"}, user=place.ann, channel=direct)
            await emulator.answer(begun)
    assert begun.messages[0].channel is direct
    assert begun.messages[0].text.startswith("**Answer**")


async def test_what_discords_own_client_forbids_is_refused(connect: Connect) -> None:
    """Commands with unknown options, too long texts or missing rights, and disabled buttons, raise."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        at = {"user": place.ann, "channel": place.general}
        bot = commanded()
        kb = bot.tree.get_command("kb")
        assert isinstance(kb, app_commands.Group)
        kb.default_permissions = discord.Permissions(manage_guild=True)
        async with connect(emulator, bot):
            await bot.tree.sync()
            for options in ({}, {"question": "why?", "other": 1}, {"question": "x" * 101}):
                with pytest.raises(NotRegistered):
                    await emulator.command("ask", options, **at)
            with pytest.raises(Refused, match="may not use"):
                await emulator.command("kb show", {"name": "a"}, **at)
            view = ui.View()
            view.add_item(ui.Button(label="Off", custom_id="off", disabled=True))
            await bot.get_partial_messageable(int(place.general.id)).send("a", view=view)
            with pytest.raises(Refused, match="cannot be pressed"):
                await emulator.click(emulator.answers(place.general)[0], "off", user=place.ann)
