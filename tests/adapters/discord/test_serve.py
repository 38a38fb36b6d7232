"""What a team sees of `lorekeeper serve` in Discord, from outside: one process, one emulated server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.adapters.discord.serving import (
    COFFEE,
    KEY,
    LEAVE,
    TRAVEL,
    UNKNOWN,
    Served,
    Town,
    is_whole,
    serve,
    town_in,
    write,
)
from tests.emulators.discord.interactions import Interaction
from tests.emulators.discord.messages import Message, Upload
from tests.emulators.discord.people import Someone
from tests.emulators.discord.server import DiscordEmulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANAGE_SERVER = 1 << 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Serve for the whole module; afterwards nothing that was sent may have broken a rule of Discord."""
    folder = tmp_path_factory.mktemp("team")
    async with DiscordEmulator().running() as discord:
        town = town_in(discord)
        write(folder, town)
        async with serve(town, folder) as process:
            await process.ready()
            yield process
            assert await process.end() == 0
        refused = [(call.method, call.path, call.status) for call in discord.calls if call.status >= 400]
        assert refused == []
        assert not any(one.failed for one in discord.world.interactions.values())
        assert "Traceback" not in process.log
        assert discord.token not in process.log + "".join(process.lines)


@pytest.fixture
def town(served: Served) -> Town:
    return served.town


async def used(served: Served, user: Someone, command: str, **options: object) -> Interaction:
    """Use a slash command in #general and return it once it is answered."""
    begun = await served.discord.command(command, options, user=user, channel=served.town.general)
    await served.until(lambda: begun.answered)
    return begun


async def told(served: Served, user: Someone, command: str, containing: str, **options: object) -> str:
    """Use a slash command and return what its person reads, once it holds a text."""
    begun = await served.discord.command(command, options, user=user, channel=served.town.general)
    await served.until(lambda: containing in begun.text)
    return begun.text


async def pressed(served: Served, message: Message, control: str, user: Someone) -> Interaction:
    """Press a button of an answer and return it once its person has read what came of it."""
    begun = await served.discord.click(message, f"lk:{control}:", user=user)
    await served.until(lambda: begun.text)
    return begun


async def test_a_mention_is_answered_in_a_thread(served: Served, town: Town) -> None:
    """The answer stands in a thread made for the question, with its source, heading and age."""
    asked, reply = await served.ask(town.general, town.ann, LEAVE)
    assert asked.thread is not None
    assert reply.channel is asked.thread
    assert "28 days" in reply.text
    assert "Leave policy · handbook · updated <t:" in reply.text
    assert town.discord.typed(town.general)
    assert (reply.pings.everyone, reply.previews) == (False, [])
    assert reply.nonce


async def test_follow_ups_need_no_mention(served: Served, town: Town) -> None:
    """In a thread of its own the bot answers the next question, and leaves small talk alone."""
    asked, _ = await served.ask(town.general, town.ann, LEAVE)
    assert asked.thread is not None
    await town.discord.say(asked.thread, town.bob, "thanks, that helps")
    await town.discord.say(asked.thread, town.bob, TRAVEL)
    replies = await served.replies(asked, 2)
    assert len(replies) == 2
    assert "room 12" in replies[1].text


async def test_where_threads_are_off_the_answer_is_a_reply(served: Served, town: Town) -> None:
    """It refers to its question, and a reply to it is a follow-up."""
    asked, reply = await served.ask(town.flat, town.ann, KEY)
    assert asked.thread is None
    assert reply.referenced is asked
    again = await town.discord.say(town.flat, town.bob, COFFEE, reply_to=reply)
    assert "Friday" in (await served.replies(again))[0].text


async def test_a_direct_message_is_answered(served: Served, town: Town) -> None:
    """A question to the bot alone needs no mention and gets no thread."""
    asked = await town.discord.say(town.discord.dm(town.ann), town.ann, KEY)
    (reply,) = await served.replies(asked)
    assert "40 euros" in reply.text


async def test_a_forum_post_is_answered(served: Served, town: Town) -> None:
    """A new post in a chosen forum is answered in it."""
    post = await town.discord.forum_post(town.forum, town.bob, "Lost my key", KEY)
    (reply,) = await served.until(
        lambda: [one for one in town.discord.answers(post.channel) if is_whole(one)]
    )
    assert "40 euros" in reply.text


async def test_what_is_not_known_is_said(served: Served, town: Town) -> None:
    """Without an answer the nearest passages are shown, and a person can be called by their id."""
    asked, reply = await served.ask(town.general, town.ann, UNKNOWN)
    assert "I could not find this in my documents." in reply.text
    assert "Nearest passages" in reply.text
    await town.discord.click(reply, "lk:person:", user=town.ann)
    (call,) = await served.until(lambda: town.discord.pings)
    assert call.channel is asked.thread
    assert (call.pings.users, call.pings.roles, call.pings.everyone) == ({town.ada.id}, set(), False)


async def test_ask_is_answered_for_all(served: Served, town: Town) -> None:
    """/ask is acknowledged at once, and its answer is the channel's."""
    begun = await used(served, town.bob, "ask", question=COFFEE)
    assert begun.latency < 3
    assert "Friday" in begun.text
    assert not begun.messages[0].ephemeral


async def test_a_private_answer_is_shared(served: Served, town: Town) -> None:
    """A private answer is the asker's alone until they share it; then the channel sees one."""
    begun = await used(served, town.bob, "ask", question=COFFEE, private=True)
    private = begun.messages[0]
    assert private.ephemeral_to == town.bob.id
    before = set(town.discord.answers(town.general))
    await pressed(served, private, "share", town.bob)
    (public,) = [one for one in town.discord.answers(town.general) if one not in before and not one.ephemeral]
    assert "Friday" in public.text


async def test_commands_about_the_knowledge(served: Served, town: Town) -> None:
    """Everyone may look; who may change things adds a source in a form, syncs it and removes it."""
    assert "**handbook**" in await told(served, town.ann, "kb list", "handbook")
    assert "may not change" in await told(served, town.ann, "kb sync", "may not", source="handbook")
    more = served.folder / "more"
    more.mkdir()
    (more / "bike.md").write_text("# Bikes\n\nThe bike shed code is 4711.\n", encoding="utf-8")
    form = await used(served, town.ada, "kb add")
    sent = await town.discord.submit_modal(form, {"location": str(more), "name": "more", "every": "1h"})
    await served.until(lambda: "Added **more**" in sent.text)
    await served.until(lambda: served.rows("SELECT 1 FROM documents WHERE source = 'more'"))
    assert "**more** (folder)" in await told(served, town.ann, "kb list", "handbook")
    names = await town.discord.autocomplete(
        "kb sync", "source", "mo", user=town.ada, channel=town.general, seconds=20
    )
    assert [one["value"] for one in names] == ["more"]
    _, reply = await served.ask(town.general, town.ann, "What is the bike shed code?")
    assert "4711" in reply.text
    (more / "bike.md").write_text("# Bikes\n\nThe bike shed code is 8080.\n", encoding="utf-8")
    await told(served, town.ada, "kb sync", "1 updated", source="more")
    _, reply = await served.ask(town.general, town.ann, "What is the bike shed code?")
    assert "8080" in reply.text
    asking = await used(served, town.ada, "kb remove", source="more")
    await town.discord.click(asking.messages[0], "lk:confirm", user=town.ada)
    await served.until(lambda: not served.rows("SELECT 1 FROM sources WHERE name = 'more'"))
    _, reply = await served.ask(town.general, town.ann, "What is the bike shed code?")
    assert "8080" not in reply.text


async def test_a_wrong_location_is_told(served: Served, town: Town) -> None:
    """A folder that is not there is told in one line, and the form can be opened again as it was."""
    form = await used(served, town.ada, "kb add")
    wrong = str(served.folder / "nowhere")
    sent = await town.discord.submit_modal(form, {"location": wrong})
    await served.until(lambda: sent.answered)
    assert "nowhere" in sent.text
    again = await town.discord.click(sent.messages[0], "lk:form:", user=town.ada)
    await served.until(lambda: again.modal)
    assert wrong in str(again.modal)


async def test_a_file_is_added(served: Served, town: Town) -> None:
    """A file given with "add this" or with /kb add is answered from; others may not."""
    parking = Upload(name="parking.md", data=b"# Parking\n\nVisitors park on deck 3 of the garage.\n")
    _, reply = await served.ask(town.flat, town.ann, "add this", (parking,))
    assert "may not change" in reply.text
    _, reply = await served.ask(town.flat, town.ada, "add this", (parking,))
    assert "parking" in reply.text
    _, reply = await served.ask(town.general, town.ann, "Where do visitors park?")
    assert "deck 3" in reply.text
    pool = Upload(name="pool.md", data=b"# Swimming pool\n\nThe pool opens at 6:30 in the morning.\n")
    assert "pool" in (await used(served, town.ada, "kb add", file=pool)).text
    _, reply = await served.ask(town.general, town.ann, "When does the swimming pool open?")
    assert "6:30" in reply.text


async def test_an_image_is_said_to_be_unread(served: Served, town: Town) -> None:
    """A question with a picture is answered with the note that the picture was not read."""
    file = Upload(name="door.png", data=b"\x89PNG", media_type="image/png")
    _, reply = await served.ask(town.general, town.ann, KEY, (file,))
    assert "door" in reply.text
    assert "40 euros" in reply.text


async def test_feedback_and_sources(served: Served, town: Town) -> None:
    """A thumb is kept once a person, a bad one may say why, and the sources are shown to who asks."""
    _, reply = await served.ask(town.general, town.ann, KEY)
    (answer,) = set(re.findall(r"lk:feedback:(\w+):good", str(reply.components)))
    query = "SELECT good, comment FROM feedback WHERE answer = ?"
    good = await town.discord.click(reply, f"lk:feedback:{answer}:good", user=town.ann)
    await served.until(lambda: good.answered)
    assert served.rows(query, answer) == [(1, "")]
    bad = await town.discord.click(reply, f"lk:feedback:{answer}:bad", user=town.ann)
    await served.until(lambda: bad.modal)
    sent = await town.discord.submit_modal(bad, {"comment": "It is 50 now."})
    await served.until(lambda: sent.answered)
    assert served.rows(query, answer) == [(0, "It is 50 now.")]
    shown = await pressed(served, reply, "sources", town.bob)
    assert "lost door key" in shown.text
    assert shown.messages[0].ephemeral_to == town.bob.id


async def test_an_edit_revises_and_a_deletion_removes(served: Served, town: Town) -> None:
    """The reply follows its question: revised in place, then gone."""
    asked, reply = await served.ask(town.flat, town.ann, KEY)
    await town.discord.edit(asked, f"{town.discord.bot.mention} {TRAVEL}")
    await served.until(lambda: "room 12" in reply.text)
    assert len(town.discord.replies(asked)) == 1
    await town.discord.delete(asked)
    await served.until(lambda: reply.deleted)


async def test_questions_are_answered_unasked_where_that_is_wanted(served: Served, town: Town) -> None:
    """In an auto channel a question the documents answer is answered; others stay alone, without a sign."""
    sure = await town.discord.say(town.auto, town.ann, LEAVE)
    assert "28 days" in (await served.replies(sure))[0].text
    typed = len(town.discord.typed(town.auto))
    unsure = await town.discord.say(town.auto, town.ann, UNKNOWN)
    await served.until(lambda: not served.rows("SELECT 1 FROM inbox WHERE state != 'done'"))
    assert not town.discord.replies(unsure)
    assert len(town.discord.typed(town.auto)) == typed


async def test_drafts_wait_for_a_reviewer(served: Served, town: Town) -> None:
    """A draft stands in a private thread of the reviewers; approved, it is the question's answer."""
    asked = await town.discord.say(town.drafts, town.ann, f"{town.discord.bot.mention} {COFFEE}")

    def drafts() -> list[Message]:
        threads = [one for one in town.discord.threads(town.drafts) if one is not asked.thread]
        return [one for thread in threads for one in town.discord.answers(thread) if "Friday" in one.text]

    (draft,) = await served.until(drafts)
    assert town.ada.id in draft.channel.members
    assert town.ann.id not in draft.channel.members
    assert not [one for one in town.discord.replies(asked) if "Friday" in one.text]
    await pressed(served, draft, "approve", town.ada)
    await served.until(lambda: [one for one in town.discord.replies(asked) if "Friday" in one.text])


async def test_a_message_is_saved(served: Served, town: Town) -> None:
    """Whoever may change things saves what a colleague wrote, and the bot answers from it."""
    wifi = await town.discord.say(town.general, town.bob, "The guest wifi password is swordfish.")
    form = await town.discord.message_menu("Save to knowledge base", wifi, user=town.ada)
    await served.until(lambda: form.modal)
    sent = await town.discord.submit_modal(form, {"title": "Guest wifi"})
    await served.until(lambda: sent.answered)
    _, reply = await served.ask(town.general, town.ann, "What is the guest wifi password?")
    assert "swordfish" in reply.text


async def test_ask_about_a_message(served: Served, town: Town) -> None:
    """The message menu answers a colleague's question for whoever opens it alone."""
    said = await town.discord.say(town.general, town.bob, KEY)
    begun = await town.discord.message_menu("Ask about this", said, user=town.ann)
    await served.until(lambda: begun.answered)
    assert "40 euros" in begun.text
    assert begun.messages[0].ephemeral_to == town.ann.id


async def test_a_failing_sync_is_told_in_the_channel_for_it(
    served: Served, town: Town, tmp_path: Path
) -> None:
    """When a source begins to fail, the channel of the settings reads one line."""
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / "a.md").write_text("# A\n\nText.\n", encoding="utf-8")
    await told(served, town.ada, "kb add", "1 added", location=str(gone), name="gone", every="1s")
    (gone / "a.md").unlink()
    gone.rmdir()
    (notice,) = await served.until(lambda: town.discord.answers(town.notices))
    assert "gone" in notice.text


async def test_text_of_people_and_files_stays_text(served: Served, town: Town) -> None:
    """No mention, link or image that a document or a question brings along is live in what the bot says."""
    title = "@everyone <@&1> [here](https://evil.example)"
    text = (
        f"# Pizza {title}\n\nThe pizza day @everyone <@{town.bob.id}> is Tuesday "
        "![x](https://evil.example/p.png) [menu](https://evil.example/m) <https://evil.example> @here.\n"
    )
    (served.folder / "handbook" / "@everyone pizza.md").write_text(text, encoding="utf-8")
    await told(served, town.ada, "kb sync", "1 added", source="handbook")
    _, reply = await served.ask(town.flat, town.ann, "Which day is the pizza day @everyone?")
    assert "Tuesday" in reply.text
    found = await pressed(served, reply, "sources", town.ann)
    for message in (reply, *found.messages):
        assert not message.pings
        assert "evil.example" not in str(message.components)
