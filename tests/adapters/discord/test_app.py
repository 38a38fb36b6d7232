"""The Discord bot on real sockets: what people write reaches the desk, and what it says stands there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.errors import PlatformRefused
from bot.chat import Incoming, Surface
from kb.errors import StoreError
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import ScriptedDesk, bot, outcome
from tests.emulators.discord.messages import Upload
from tests.emulators.discord.server import DiscordEmulator


async def test_a_mention_is_answered_in_a_thread_of_its_own(town: Town, tmp_path: Path) -> None:
    """A question in a channel gets its answer in a thread that is opened at it."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how do I fix it?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
        await scripted.desk.until(posted=1)
    assert "Restart the router" in reply.text
    assert reply.channel is asked.thread
    assert asked.thread is not None
    assert asked.thread.name == "how do I fix it?"
    assert scripted.desk.incoming[0].text == "how do I fix it?"
    assert scripted.desk.posted[0].thread == asked.id
    assert not discord.pings


async def test_the_bot_types_while_it_works(town: Town, tmp_path: Path) -> None:
    """The first sign of a question is typing in its channel."""
    discord, done = town.discord, asyncio.Event()

    async def turn(incoming: Incoming, surface: Surface) -> None:
        await surface.working(incoming)
        await done.wait()

    async with bot(discord, tmp_path, desk=ScriptedDesk(turn=turn)):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (typing,) = await discord.wait_for(lambda: discord.made(f"POST /channels/{town.general.id}/typing"))
        done.set()
    assert typing.at - asked.at < 0.3


async def test_without_threads_the_answer_replies_in_the_channel(town: Town, tmp_path: Path) -> None:
    """With `threads = false` an answer is a reply in the channel that pings nobody."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers(), threads=False):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
    assert reply.channel is town.general
    assert reply.referenced is asked
    assert not discord.pings


async def test_an_answer_stays_in_the_channel_where_threads_are_forbidden(tmp_path: Path) -> None:
    """A bot that may not open threads replies in the channel."""
    from tests.emulators.discord import permissions
    from tests.emulators.discord.server import BOT_PERMISSIONS

    async with DiscordEmulator().running() as discord:
        no_threads = BOT_PERMISSIONS & ~permissions.CREATE_PUBLIC_THREADS
        guild = discord.add_guild(bot_permissions=no_threads)
        guild.roles[guild.id].permissions &= ~permissions.CREATE_PUBLIC_THREADS
        general, ann = discord.add_channel(guild), discord.add_member(guild, "Ann")
        async with bot(discord, tmp_path, desk=ScriptedDesk().answers()):
            asked = await discord.say(general, ann, f"{discord.bot.mention} how?")
            (reply,) = await discord.wait_for(lambda: discord.replies(asked))
        assert reply.channel is general


async def test_a_direct_message_needs_no_mention(town: Town, tmp_path: Path) -> None:
    """What is said to the bot alone is addressed to it, and answered there."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        asked = await discord.say(discord.dm(town.ann), town.ann, "how do I fix it?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
    assert reply.channel is asked.channel
    incoming = scripted.desk.incoming[0]
    assert (incoming.addressed, incoming.place.kind, incoming.place.workspace) == (True, "direct", "")


async def test_a_forum_post_begins_a_conversation(town: Town, tmp_path: Path) -> None:
    """The first message of a forum's post is a root, and its answer stands in the post."""
    discord = town.discord
    forum = discord.add_forum(town.guild)
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        post = await discord.forum_post(forum, town.ann, "Router", "How do I restart the router?")
        (reply,) = await discord.wait_for(lambda: discord.replies(post))
    incoming = scripted.desk.incoming[0]
    assert (incoming.root, incoming.place.channel, incoming.place.thread) == (True, forum.id, post.id)
    assert reply.channel is post.channel


async def test_edits_and_deletions_of_a_question_are_heard(town: Town, tmp_path: Path) -> None:
    """An edit and a deletion reach the desk with the question's key as their subject; unfurling does not."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.touch(asked)
        await discord.edit(asked, f"{discord.bot.mention} why?")
        await discord.delete(asked)
        await scripted.desk.until(heard=3)
    first, edit, deletion = scripted.desk.incoming
    assert [one.kind for one in scripted.desk.incoming] == ["message", "edit", "delete"]
    assert first.key == edit.subject == deletion.subject
    assert edit.text == "why?"


async def test_bots_and_the_bot_itself_are_not_heard(town: Town, tmp_path: Path) -> None:
    """What other bots write goes nowhere, even when it mentions the bot."""
    discord = town.discord
    robot = discord.add_member(town.guild, "Robot", bot=True)
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        await discord.say(town.general, robot, f"{discord.bot.mention} how?")
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.replies(asked))
    assert [one.message for one in scripted.desk.incoming] == [asked.id]


async def test_an_event_that_cannot_be_kept_is_tried_again(town: Town, tmp_path: Path) -> None:
    """A locked database delays a question and does not lose it."""
    discord = town.discord
    desk = ScriptedDesk(failures=[StoreError("The database is locked. Try again.")]).answers()
    async with bot(discord, tmp_path, desk=desk):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.replies(asked))


async def test_a_refused_token_ends_the_bot(town: Town, tmp_path: Path) -> None:
    """A wrong token raises `PlatformRefused`, which names the setting and not the token."""
    async with bot(town.discord, tmp_path, token="wrong.token", wait=False) as scripted:
        with pytest.raises(PlatformRefused, match="token_env") as refused:
            await asyncio.wait_for(scripted.running, 5)
    assert "wrong.token" not in str(refused.value)


async def test_a_revoked_token_ends_the_bot(town: Town, tmp_path: Path) -> None:
    """A token that is revoked while the bot runs ends it."""
    async with bot(town.discord, tmp_path) as scripted:
        await town.discord.faults.revoke_token()
        with pytest.raises(PlatformRefused):
            await asyncio.wait_for(scripted.running, 5)


async def test_a_missing_intent_is_named(tmp_path: Path) -> None:
    """Without the message content intent that the settings ask for, one line says where to switch it on."""
    async with DiscordEmulator(message_content=False).running() as discord:
        discord.add_guild()
        async with bot(discord, tmp_path, wait=False) as scripted:
            with pytest.raises(PlatformRefused, match="message_content"):
                await asyncio.wait_for(scripted.running, 5)


async def test_a_line_stands_in_place_of_an_answer(town: Town, tmp_path: Path) -> None:
    """`tell` replies with one line where the question was asked."""
    discord = town.discord

    async def turn(incoming: Incoming, surface: Surface) -> None:
        await surface.tell(incoming, "I cannot answer right now (log 1234).")

    async with bot(discord, tmp_path, desk=ScriptedDesk(turn=turn)):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
    assert reply.text == "I cannot answer right now (log 1234)."


async def test_only_calling_a_person_pings(town: Town, tmp_path: Path) -> None:
    """`call_person` mentions the user or role of the settings, and nobody whom the line names."""
    discord = town.discord
    helpers = discord.add_role(town.guild, "helpers", mentionable=True)

    async def turn(incoming: Incoming, surface: Surface) -> None:
        for who in (helpers.id, town.ann.id):
            await surface.call_person(incoming, who, "Ann needs a person. @everyone <@1>")

    async with bot(discord, tmp_path, desk=ScriptedDesk(turn=turn)):
        await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        role, person = await discord.wait_for(lambda: len(discord.pings) == 2 and discord.pings)
    assert (role.pings.roles, role.pings.users, role.pings.everyone) == ({helpers.id}, set(), False)
    assert (person.pings.users, person.pings.everyone) == ({town.ann.id}, False)


async def test_a_mention_in_an_answer_is_dead(town: Town, tmp_path: Path) -> None:
    """An answer full of mentions notifies nobody."""
    discord = town.discord
    text = f"@everyone @here <@{town.ann.id}> <@&{town.guild.id}> [1]."
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers(text, steps=(text,))):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.replies(asked))
    assert not discord.pings


async def test_a_private_answer_to_a_message_is_a_direct_message(town: Town, tmp_path: Path) -> None:
    """Where answers are for the asker alone, a mention is answered in direct messages."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers(shown="private")):
        await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (reply,) = await discord.wait_for(lambda: discord.answers(discord.dm(town.ann)))
    assert "Restart the router" in reply.text
    assert not discord.answers(town.general)


async def test_closed_direct_messages_are_said(town: Town, tmp_path: Path) -> None:
    """Someone whom the bot may not write to is told so in the channel, without the answer."""
    discord = town.discord
    direct = discord.dm(town.ann)
    discord.faults.add(f"POST /channels/{direct.id}/messages", status=403, code=50007)
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers(shown="private")):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
    assert "router" not in reply.text


async def test_a_draft_is_seen_by_reviewers_alone(town: Town, tmp_path: Path) -> None:
    """A draft stands in a private thread with its reviewers, the next one in the same."""
    from bot.chat_settings import ChannelSettings

    discord = town.discord
    bea = discord.add_member(town.guild, "Bea")
    channel = ChannelSettings(platform="discord", id=town.general.id, mode="draft", reviewers=(bea.id,))
    desk = ScriptedDesk().answers(shown="draft")
    async with bot(discord, tmp_path, desk=desk, channels=(channel,)):
        for question in ("how?", "why?"):
            await discord.say(town.general, town.ann, f"{discord.bot.mention} {question}")
        (thread,) = await discord.wait_for(lambda: discord.threads(town.general))
        await discord.wait_for(lambda: len(discord.answers(thread)) == 2)
        await desk.until(posted=2)
    assert thread.type == 12
    assert desk.posted[0].thread == thread.id


async def test_a_reply_is_revised_in_its_place_and_removed(town: Town, tmp_path: Path) -> None:
    """With `before` the same messages change; `remove` deletes them."""
    discord = town.discord
    desk = ScriptedDesk().answers()
    async with bot(discord, tmp_path, desk=desk) as scripted:
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
        await desk.until(posted=1)
        again = await scripted.app.surface.reply(desk.incoming[0], shown="public", before=desk.posted[0])
        posted = await again.finish(outcome("Buy a new router [1]."))
        assert posted == desk.posted[0]
        assert "Buy a new router" in reply.text
        await scripted.app.surface.remove(posted)
        assert discord.replies(asked) == []


async def test_a_file_is_read_from_discord_alone(town: Town, tmp_path: Path) -> None:
    """An attachment's bytes come from Discord's hosts, up to a limit, and never from elsewhere."""
    from dataclasses import replace

    from bot.errors import CommandError

    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        file = Upload(name="guide.md", data=b"# Guide", media_type="text/markdown")
        await discord.say(town.general, town.ann, f"{discord.bot.mention} add this", files=(file,))
        await scripted.desk.until(heard=1)
        (attachment,) = scripted.desk.incoming[0].attachments
        surface = scripted.app.surface
        assert await surface.download(attachment, limit=100) == b"# Guide"
        with pytest.raises(CommandError, match="too large"):
            await surface.download(replace(attachment, size=0), limit=3)
        with pytest.raises(CommandError, match="kept elsewhere"):
            await surface.download(replace(attachment, url="http://169.254.169.254/"), limit=100)


async def test_a_notice_is_posted_into_a_channel(town: Town, tmp_path: Path) -> None:
    """`notify` posts one line that pings nobody."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        await scripted.app.surface.notify(
            town.guild.id, town.general.id, "The sync of handbook failed. @here"
        )
        (notice,) = await discord.wait_for(lambda: discord.answers(town.general))
    assert notice.text.startswith("The sync of handbook failed.")
    assert not discord.pings
