"""Modals that are sent back, and the shortcuts that open them."""

from __future__ import annotations

from pathlib import Path

from bot.errors import CommandError
from bot.forms import FieldError, Told
from tests.adapters.slack.harness import FORM, Rig, running


async def open_form(rig: Rig) -> None:
    rig.commands.told = (Told(text="Fill it in.", form=FORM),)
    await rig.slack.command("/kb", "add", rig.ann, rig.channel)
    await rig.slack.wait_for(lambda: rig.slack.stack(rig.ann))


async def test_a_form_is_carried_out(tmp_path: Path) -> None:
    """What was filled in reaches the commands by name, and the person is told where they were."""
    async with running(tmp_path) as rig:
        await open_form(rig)
        await rig.slack.submit_view(rig.ann, {"location": "docs/"})
        await rig.slack.wait_for(
            lambda: any("Added." in str(one.blocks) for one in rig.slack.messages(rig.channel))
        )
        assert rig.commands.sent == [("add", {"location": "docs/"})]


async def test_a_wrong_field_is_marked(tmp_path: Path) -> None:
    """What is wrong in a field is said at that field, and the modal stays open."""
    async with running(tmp_path) as rig:
        await open_form(rig)
        rig.commands.submits = FieldError("There is no such folder.", field="location")
        sent = await rig.slack.submit_view(rig.ann, {"location": "nowhere/"})
        assert sent.errors == {"location": "There is no such folder."}
        assert rig.slack.modal(rig.ann)


async def test_a_refused_form_says_why(tmp_path: Path) -> None:
    """A form that cannot be carried out says so while it is open."""
    async with running(tmp_path) as rig:
        await open_form(rig)
        rig.commands.submits = CommandError("Only admins may add sources.")
        sent = await rig.slack.submit_view(rig.ann, {"location": "docs/"})
        assert "Only admins" in next(iter(sent.errors.values()))


async def test_a_message_is_saved_in_a_modal(tmp_path: Path) -> None:
    """The shortcut opens the message's text with its author and link to be edited, and sends it on."""
    async with running(tmp_path) as rig:
        bob = rig.slack.add_user("Bob")
        ts = await rig.slack.say(rig.channel, bob, "The door code changes on Mondays.")
        await rig.slack.shortcut("lk_save", rig.ann, channel=rig.channel, ts=ts)
        await rig.slack.wait_for(lambda: rig.slack.stack(rig.ann))
        shown = str(rig.slack.modal(rig.ann).content)
        assert "The door code changes on Mondays." in shown
        assert "Bob" in shown
        assert "/archives/" in shown
        await rig.slack.submit_view(rig.ann, {"text": "The door code changes on Tuesdays."})
        await rig.slack.wait_for(lambda: rig.commands.sent)
        form, values = rig.commands.sent[0]
        assert form == "save"
        assert values["text"] == "The door code changes on Tuesdays."


async def test_a_message_is_asked_about(tmp_path: Path) -> None:
    """The shortcut makes a message a private question of the person who used it."""
    async with running(tmp_path) as rig:
        bob = rig.slack.add_user("Bob")
        ts = await rig.slack.say(rig.channel, bob, "how many days of leave?")
        await rig.slack.shortcut("lk_ask_about", rig.ann, channel=rig.channel, ts=ts)
        asked = next(one for one in rig.desk.received if one.kind == "command")
        assert (asked.person, asked.private, asked.text) == (rig.ann, True, "how many days of leave?")
