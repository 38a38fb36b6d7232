"""The HTTP API: what it takes, what it refuses, and what breaks on purpose."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import discord
import pytest

from tests.emulators.discord.conftest import Bot, Connect, Http, Place
from tests.emulators.discord.messages import Upload
from tests.emulators.discord.people import Refused
from tests.emulators.discord.server import DiscordEmulator


async def test_every_read_of_the_api_is_as_the_specification_says() -> None:
    """The account, application, gateway, guild, channel and thread calls pass Discord's OpenAPI document."""
    async with DiscordEmulator(members=True).running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        guild, general = place.guild.id, place.general.id
        forum = emulator.add_forum(place.guild, tags=("bug",))
        said = await emulator.say(place.general, place.ann, "hello", files=[Upload(name="a.md", data=b"a")])
        thread = await emulator.open_thread(said, place.ann, "about it")
        await emulator.archive(thread)
        await emulator.forum_post(forum, place.ann, "Crash", "It crashed", tags=("bug",))
        paths = [
            "/gateway", "/gateway/bot", "/users/@me", "/users/@me/guilds",
            f"/users/@me/guilds/{guild}/member",
            f"/users/{place.ann.id}", "/applications/@me", f"/guilds/{guild}?with_counts=true",
            f"/guilds/{guild}/channels", f"/guilds/{guild}/roles", f"/guilds/{guild}/threads/active",
            f"/guilds/{guild}/members?limit=10", f"/guilds/{guild}/members/{place.ann.id}",
            f"/guilds/{guild}/members/search?query=an", f"/channels/{general}", f"/channels/{forum.id}",
            f"/channels/{thread.id}", f"/channels/{general}/messages?limit=5",
            f"/channels/{general}/messages/{said.id}", f"/channels/{general}/threads/archived/public",
            f"/channels/{thread.id}/thread-members", f"/channels/{thread.id}/thread-members/{place.ann.id}",
        ]  # fmt: skip
        statuses = {path: (await http("GET", path))[0] for path in paths}
        direct = await http("POST", "/users/@me/channels", {"recipient_id": place.ann.id})
    assert set(statuses.values()) == {200}, statuses
    assert direct[1]["type"] == 1


async def test_the_same_nonce_posts_once(connect: Connect) -> None:
    """A message with the nonce of one before is not posted again, and the first is given back."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator) as bot:
            channel = bot.get_partial_messageable(int(place.general.id))
            first = await channel.send("one", nonce="n-1")
            second = await channel.send("one", nonce="n-1")
            emulator.clock.advance(600)
            third = await channel.send("one", nonce="n-1")
    assert first.id == second.id != third.id
    assert len(emulator.messages(place.general)) == 2


async def test_an_answer_that_was_lost_is_posted_once_by_its_nonce(connect: Connect) -> None:
    """The connection is cut after the post; the repeat with the same nonce finds the message."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator) as bot:
            channel = bot.get_partial_messageable(int(place.general.id))
            emulator.faults.lose_answer("POST /channels/*/messages")
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await channel.send("answer", nonce="n-2")
            await channel.send("answer", nonce="n-2")
    assert [one.content for one in emulator.answers(place.general)] == ["answer"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "   "}, 50006),
        ({"embeds": [{"description": "x" * 4097}]}, 50035),
        ({"embeds": [{"description": "x" * 3001}] * 2}, 50035),
        ({"content": "a", "nonce": "n" * 26}, 50035),
        ({"content": "a", "components": [{"type": 10, "content": "v2"}]}, 50035),
        ({"content": "a", "flags": 1 << 15, "components": [{"type": 10, "content": "v2"}]}, 50035),
        ({"flags": 1 << 15, "components": [{"type": 10, "content": "x" * 2500}] * 2}, 50035),
        ({"flags": 1 << 15, "components": [{"type": 17, "components": [{"type": 14}] * 40}]}, 50035),
        ({"content": "a", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
        ({"content": "a", "message_reference": {"message_id": "1"}}, 50035),
    ],
)
async def test_messages_over_the_limits_are_refused(body: dict[str, object], code: int) -> None:
    """Too long, empty, or v2 components beside old fields: 400 with Discord's code, and nothing is posted."""
    async with DiscordEmulator(check=False).running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        status, refusal, _ = await http("POST", f"/channels/{place.general.id}/messages", body)
        assert (status, refusal["code"]) == (400, code)
        assert not emulator.messages(place.general)


@pytest.mark.parametrize(
    ("button", "error"),
    [
        ({"style": 1, "label": "a"}, "custom_id"),
        ({"style": 1, "label": "x" * 81, "custom_id": "a"}, "label"),
        ({"style": 1, "label": "a", "custom_id": "x" * 101}, "custom_id"),
        ({"style": 5, "label": "a", "url": "javascript:alert(1)"}, "url"),
        ({"style": 5, "label": "a", "url": "https://a.b/" + "x" * 512}, "url"),
        ({"style": 1, "custom_id": "a"}, "_errors"),
    ],
)
async def test_buttons_against_the_rules_are_refused(button: dict[str, object], error: str) -> None:
    """The refusal names the field of the button."""
    async with DiscordEmulator(check=False).running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        row = {"type": 1, "components": [{"type": 2} | button]}
        body = {"content": "a", "components": [row]}
        status, refusal, _ = await http("POST", f"/channels/{place.general.id}/messages", body)
        assert status == 400
        assert error in refusal["errors"]["components"]["0"]["components"]["0"]


async def test_components_get_ids_and_defaults() -> None:
    """What is stored has ids in order and every default, so that the specification's response holds."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        inner = [
            {"type": 10, "content": "text"},
            {"type": 14},
            {
                "type": 9,
                "components": [{"type": 10, "content": "beside", "id": 2}],
                "accessory": {"type": 2, "style": 5, "label": "Open", "url": "https://a.b"},
            },
            {
                "type": 1,
                "components": [{"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]}],
            },
        ]
        body = {"flags": 1 << 15, "components": [{"type": 17, "components": inner}]}
        status, shown, _ = await http("POST", f"/channels/{place.general.id}/messages", body)
        (message,) = emulator.messages(place.general)
    assert status == 200
    assert sorted(one["id"] for one in message.walk()) == list(range(1, 9))
    assert shown["components"][0]["components"][1] == {"type": 14, "id": 4, "spacing": 1, "divider": True}


async def test_pings_are_counted_unless_they_are_forbidden() -> None:
    """Without allowed_mentions everyone named is notified; with an empty list nobody, v2 texts included."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        role = emulator.add_role(place.guild, "Team")
        text = f"@everyone {place.ann.mention} {role.mention}"
        path = f"/channels/{place.general.id}/messages"
        v2 = {"flags": 1 << 15, "components": [{"type": 10, "content": text}]}
        await http("POST", path, {"content": text})
        await http("POST", path, v2)
        await http("POST", path, {"content": text, "allowed_mentions": {"parse": []}})
        await http("POST", path, v2 | {"allowed_mentions": {"parse": [], "users": [place.ann.id]}})
        loud, also, quiet, one = emulator.messages(place.general)
    assert loud.pings == also.pings
    assert (loud.pings.users, loud.pings.roles, loud.pings.everyone) == ({place.ann.id}, {role.id}, True)
    assert not quiet.pings
    assert one.pings.users == {place.ann.id}
    assert emulator.pings == [loud, also, one]


async def test_links_unfold_unless_embeds_are_suppressed() -> None:
    """A bare link makes a preview; the flag, angle brackets and components v2 prevent it."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        path = f"/channels/{place.general.id}/messages"
        for body in (
            {"content": "see https://a.b/c"},
            {"content": "see https://a.b/c", "flags": 4},
            {"content": "see <https://a.b/c>"},
            {"flags": 1 << 15, "components": [{"type": 10, "content": "https://a.b/c"}]},
        ):
            await http("POST", path, body)
        assert [one.previews for one in emulator.messages(place.general)] == [["https://a.b/c"], [], [], []]


async def test_an_interaction_must_be_answered_in_three_seconds() -> None:
    """A callback after 3 s is 10062, a second one 40060, an edit after 15 min 50027."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        command = {"name": "ask", "description": "Ask"}
        await http("PUT", f"/applications/{emulator.application_id}/commands", [command])
        begun = [await emulator.command("ask", user=place.ann, channel=place.general) for _ in range(2)]

        async def callback(number: int) -> tuple[int, Any, dict[str, str]]:
            path = f"/interactions/{begun[number].id}/{begun[number].token}/callback"
            return await http("POST", path, {"type": 5})

        edit = f"/webhooks/{emulator.application_id}/{begun[0].token}/messages/@original"
        early = await http("PATCH", edit, {"content": "too early"})
        assert (await callback(0))[0] == 204
        again = await callback(0)
        assert (await http("PATCH", edit, {"content": "in time"}))[0] == 200
        emulator.clock.advance(3.5)
        late = await callback(1)
        emulator.clock.advance(900)
        expired = await http("PATCH", edit, {"content": "too late"})
    codes = [(one[0], one[1]["code"]) for one in (early, again, late, expired)]
    assert codes == [(404, 10015), (400, 40060), (404, 10062), (401, 50027)]
    assert begun[1].failed
    assert begun[0].text == "in time"


async def test_threads_and_forum_posts_are_made_by_the_client(connect: Connect) -> None:
    """A thread on a message has its id, a second one is refused, and the client hears of people's own."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        forum = emulator.add_forum(place.guild)
        async with connect(emulator) as bot:
            said = await emulator.say(place.general, place.ann, "question")
            heard = await asyncio.wait_for(bot.heard.get(), 5)
            thread = await heard.create_thread(name="Question")
            await thread.send("answer")
            with pytest.raises(discord.HTTPException) as twice:
                await heard.create_thread(name="Again")
            post = await emulator.forum_post(forum, place.ann, "Crash", "It crashed")
            while (heard := await asyncio.wait_for(bot.heard.get(), 5)).content != "It crashed":
                pass
            await heard.channel.send("Seen.")
    assert str(thread.id) == said.id
    assert twice.value.code == 160004
    assert [one.content for one in emulator.replies(said)] == ["answer"]
    assert post.id == post.channel.id
    assert isinstance(heard.channel, discord.Thread)
    assert [one.content for one in emulator.answers(post.channel)] == ["Seen."]


async def test_archived_threads_open_again_by_a_message(connect: Connect) -> None:
    """An edit in an archived thread is 50083; a new message takes it out of the archive, unless locked."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        said = await emulator.say(place.general, place.ann, "question")
        thread = await emulator.open_thread(said, place.ann, "Question")
        async with connect(emulator) as bot:
            channel = bot.get_partial_messageable(int(thread.id))
            answer = await channel.send("answer")
            await emulator.archive(thread)
            with pytest.raises(discord.HTTPException) as refused:
                await answer.edit(content="changed")
            await channel.send("more")
            assert not thread.archived
            await emulator.archive(thread, locked=True)
            with pytest.raises(discord.HTTPException) as locked:
                await channel.send("no")
    assert refused.value.code == locked.value.code == 50083


async def test_missed_messages_are_read_after_an_id(connect: Connect) -> None:
    """GET messages with after, before and around gives the pages that Discord gives."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        ids = [(await emulator.say(place.general, place.ann, str(number))).id for number in range(10)]
        path = f"/channels/{place.general.id}/messages?limit=3"
        pages = {
            key: [one["content"] for one in (await http("GET", f"{path}&{key}={ids[4]}"))[1]]
            for key in ("after", "before", "around")
        }
        last = [one["content"] for one in (await http("GET", path))[1]]
    assert pages == {"after": ["7", "6", "5"], "before": ["3", "2", "1"], "around": ["5", "4", "3"]}
    assert last == ["9", "8", "7"]


async def test_what_the_bot_may_not_do_is_refused() -> None:
    """Hidden channels are 50001, missing rights 50013, foreign messages 50005, closed people 50007."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        said = await emulator.say(place.general, place.ann, "mine")
        hidden = emulator.add_channel(place.guild, "hidden")
        emulator.set_overwrite(hidden, emulator.bot, deny=1 << 10)
        mute = emulator.add_channel(place.guild, "mute")
        emulator.set_overwrite(mute, emulator.bot, deny=1 << 11)
        place.ann.user.closed = True
        own = f"/channels/{place.general.id}/messages/{said.id}"
        refused = [
            await http("POST", f"/channels/{hidden.id}/messages", {"content": "a"}),
            await http("POST", f"/channels/{mute.id}/messages", {"content": "a"}),
            await http("PATCH", own, {"content": "a"}),
            await http("DELETE", own),
            await http("POST", f"/channels/{emulator.dm(place.ann).id}/messages", {"content": "a"}),
            await http("GET", f"/guilds/{place.guild.id}/members?limit=10"),
            await http("GET", "/channels/1"),
            await http("GET", "/users/@me", token="wrong"),
        ]
        emulator.set_overwrite(mute, place.ann, deny=1 << 11)
        with pytest.raises(Refused):
            await emulator.say(mute, place.ann, "hello")
    assert [(one[0], one[1]["code"]) for one in refused] == [
        (403, 50001), (403, 50013), (403, 50005), (403, 50013),
        (403, 50007), (403, 50001), (404, 10003), (401, 0),
    ]  # fmt: skip


async def test_files_are_kept_and_handed_out_while_their_address_lasts(connect: Connect) -> None:
    """The bot's upload has a signed address, which another signature or a day later does not open."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place = Place(emulator)
        async with connect(emulator, Bot()) as bot:
            channel = bot.get_partial_messageable(int(place.general.id))
            file = discord.File(io.BytesIO(b"# Notes"), filename="notes.md")
            sent = await channel.send("here", file=file)
            assert await sent.attachments[0].read() == b"# Notes"
            url = sent.attachments[0].url
        async with session.get(url.replace("hm=", "hm=0")) as forged:
            assert forged.status == 404
        emulator.clock.advance(2 * 86_400)
        async with session.get(url) as late:
            assert late.status == 404
    assert emulator.messages(place.general)[0].attachments[0]["content_type"] == "text/markdown"


async def test_edits_and_deletions_reach_the_client(connect: Connect) -> None:
    """An update carries the new text, a deletion the id, and the bot's own edit keeps the versions."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator) as bot:
            said = await emulator.say(place.general, place.ann, "before")
            await emulator.edit(said, "after")
            edit = await asyncio.wait_for(bot.edits.get(), 5)
            await emulator.delete(said)
            deletion = await asyncio.wait_for(bot.deletions.get(), 5)
            answer = await bot.get_partial_messageable(int(place.general.id)).send("one")
            await answer.edit(content="two")
        (mine,) = emulator.answers(place.general)
    assert edit.message.content == "after"
    assert str(deletion.message_id) == said.id
    assert mine.content == "two"
    assert [text for _, text in mine.versions] == ["one"]


async def test_commands_are_checked_and_keep_their_ids() -> None:
    """A bad name is refused; a command that stays keeps its id; 200 creates a day are the most."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        path = f"/applications/{emulator.application_id}/guilds/{place.guild.id}/commands"
        ask = {"name": "ask", "description": "Ask"}
        bad = await http("PUT", path, [ask | {"name": "Ask It"}])
        first = await http("PUT", path, [ask])
        second = await http("PUT", path, [ask | {"description": "Ask me"}, {"name": "Menu", "type": 3}])
        for number in range(3):
            last = await http(
                "PUT", path, [{"name": f"c{number}-{one}", "description": "d"} for one in range(80)]
            )
    assert bad[1]["errors"]["0"]["name"]["_errors"][0]["code"] == "APPLICATION_COMMAND_INVALID_NAME"
    assert first[1][0]["id"] == second[1][0]["id"]
    assert first[1][0]["version"] != second[1][0]["version"]
    assert (last[0], last[1]["code"]) == (400, 30034)


async def test_modals_over_the_limits_are_refused() -> None:
    """A title of 46 letters is refused with the field's name, and the person gets no form."""
    async with DiscordEmulator(check=False).running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        commands = f"/applications/{emulator.application_id}/commands"
        await http("PUT", commands, [{"name": "form", "description": "Form"}])
        begun = await emulator.command("form", user=place.ann, channel=place.general)
        field = {"type": 18, "label": "L", "component": {"type": 4, "custom_id": "c", "style": 1}}
        modal = {"custom_id": "m", "title": "x" * 46, "components": [field]}
        path = f"/interactions/{begun.id}/{begun.token}/callback"
        status, refusal, _ = await http("POST", path, {"type": 9, "data": modal})
        assert (status, begun.modal) == (400, None)
        assert "title" in refusal["errors"]["data"]
        assert (await http("POST", path, {"type": 9, "data": modal | {"title": "Short"}}))[0] == 204
        assert begun.modal is not None
