"""What a team sees of `lorekeeper serve` in Slack, from outside: one process, one emulated workspace."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.adapters.slack.live import live
from tests.adapters.slack.serving import (
    ADA,
    ANN,
    AUTO,
    BOB,
    COFFEE,
    DRAFTS,
    FIRST,
    GENERAL,
    KEY,
    LEAVE,
    NOTICES,
    TRAVEL,
    UNKNOWN,
    Served,
    people,
    serve,
    shown,
    write,
)
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Serve for the whole module; afterwards nothing that was sent may have broken a rule of Slack."""
    folder = tmp_path_factory.mktemp("team")
    async with SlackEmulator().running() as slack:
        people(slack)
        write(folder, slack)
        async with serve(slack, folder) as process:
            await process.ready()
            yield process
            assert await process.end() == 0
        assert {call.error for call in slack.calls} == {""}
        assert not any(one.failed for one in slack.acks)
        assert "Traceback" not in process.log
        for secret in (slack.bot_token, slack.app_token, slack.signing_secret):
            assert secret not in process.log + "".join(process.lines)


def private_to(slack: SlackEmulator, channel: str, user: str) -> list[Message]:
    return [one for one in slack.messages(channel) if one.ephemeral == user]


async def told(served: Served, user: str, command: str, containing: str) -> Message:
    """Type a /kb command and return the line that its person alone sees, once it holds a text."""
    before = len(private_to(served.slack, GENERAL, user))
    await served.slack.command("/kb", command, user, GENERAL)

    def found() -> Message | None:
        new = private_to(served.slack, GENERAL, user)[before:]
        return next((one for one in new if containing in shown(one)), None)

    message = await served.until(found)
    assert message is not None
    return message


def rows(served: Served, query: str) -> list[Any]:
    with closing(sqlite3.connect(served.folder / ".lorekeeper" / "lorekeeper.db")) as database:
        return database.execute(query).fetchall()


async def test_a_mention_is_answered_in_its_thread(served: Served) -> None:
    """The answer stands in the question's thread with its source, heading, age and buttons."""
    ts, reply = await served.ask(GENERAL, ANN, LEAVE)
    text = shown(reply)
    assert "28 days" in text
    assert "Leave policy" in text
    assert "handbook" in text
    assert "updated" in text
    assert reply.thread_ts == ts
    assert reply.metadata is not None
    assert (reply.unfurl_links, reply.unfurl_media) == (False, False)
    assert served.slack.live_mentions(reply) == []
    assert (GENERAL, ts) in [(channel, thread) for _, channel, thread, _ in served.slack.status_log]
    (asked,) = [one for one in served.slack.acks if one.event_type == "app_mention" and not one.attempt][:1]
    assert asked.latency is not None


async def test_follow_ups_need_no_mention(served: Served) -> None:
    """In a thread of its own the bot answers the next question, and leaves small talk alone."""
    ts, _ = await served.ask(GENERAL, ANN, LEAVE)
    await served.slack.say(GENERAL, BOB, "thanks, that helps", thread_ts=ts)
    await served.slack.say(GENERAL, BOB, TRAVEL, thread_ts=ts)
    replies = await served.replies(GENERAL, ts, 2)
    assert len(replies) == 2
    assert "room 12" in shown(replies[1])


async def test_a_direct_message_is_answered(served: Served) -> None:
    """In the app's Messages tab a question needs no mention."""
    channel = served.slack.direct(ANN)
    ts = await served.slack.say(channel, ANN, KEY)
    (reply,) = await served.replies(channel, ts)
    assert "40 euros" in shown(reply)


async def test_what_is_not_known_is_said(served: Served) -> None:
    """Without an answer the nearest passages are shown, and a person can be called by their id."""
    ts, reply = await served.ask(GENERAL, ANN, UNKNOWN)
    assert "I could not find this in my documents." in shown(reply)
    assert "Nearest passages" in shown(reply)
    await served.slack.click(reply, "lk_person", user=ANN)
    call = (await served.replies(GENERAL, ts, 2))[1]
    assert set(served.slack.live_mentions(call)) == {f"@{ADA}"}


async def test_ask_and_share(served: Served) -> None:
    """The answer to /ask is the asker's alone until they share it; then all of the channel see one."""
    before = len(private_to(served.slack, GENERAL, BOB))
    await served.slack.command("/ask", COFFEE, BOB, GENERAL)

    def answered() -> list[Message]:
        return [one for one in private_to(served.slack, GENERAL, BOB)[before:] if "Friday" in shown(one)]

    (private,) = await served.until(answered)
    assert private.ephemeral == BOB
    shared = len([one for one in served.slack.messages(GENERAL) if not one.ephemeral])
    await served.slack.click(private, "lk_share", user=BOB)

    def public() -> list[Message]:
        return [one for one in served.slack.messages(GENERAL) if not one.ephemeral][shared:]

    (message,) = await served.until(public)
    assert "Friday" in shown(message)


async def test_commands_about_the_knowledge(served: Served) -> None:
    """Everyone may look; who may change things adds a source in a modal, syncs it and removes it."""
    assert "**handbook**" in shown(await told(served, ANN, "list", "handbook"))
    assert "may not change" in shown(await told(served, ANN, "sync handbook", "may not"))
    more = served.folder / "more"
    more.mkdir()
    (more / "bike.md").write_text("# Bikes\n\nThe bike shed code is 4711.\n", encoding="utf-8")
    await served.slack.command("/kb", "add", ADA, GENERAL)
    await served.until(lambda: served.slack.stack(ADA))
    sent = await served.slack.submit_view(ADA, {"location": str(more), "name": "more", "every": "1h"})
    assert not sent.errors
    await served.until(lambda: rows(served, "SELECT 1 FROM documents WHERE source = 'more'"))
    await told(served, ADA, "list", "**more** (folder): 1 document")
    _, reply = await served.ask(GENERAL, ANN, "What is the bike shed code?")
    assert "4711" in shown(reply)
    (more / "bike.md").write_text("# Bikes\n\nThe bike shed code is 8080.\n", encoding="utf-8")
    await told(served, ADA, "sync more", "1 updated")
    _, reply = await served.ask(GENERAL, ANN, "What is the bike shed code?")
    assert "8080" in shown(reply)
    await served.slack.command("/kb", "remove more", ADA, GENERAL)
    await served.until(lambda: served.slack.stack(ADA))
    await served.slack.submit_view(ADA)
    await served.until(lambda: not served.slack.stack(ADA))
    await served.until(lambda: "more" not in str(rows(served, "SELECT name FROM sources")))
    _, reply = await served.ask(GENERAL, ANN, "What is the bike shed code?")
    assert "8080" not in shown(reply)


async def test_a_wrong_field_is_told_at_the_field(served: Served) -> None:
    """A folder that is not there is an error at the location, in the modal that stays open."""
    await served.slack.command("/kb", "add", ADA, GENERAL)
    await served.until(lambda: served.slack.stack(ADA))
    sent = await served.slack.submit_view(ADA, {"location": str(served.folder / "nowhere")})
    assert list(sent.errors) == ["location"]
    await served.slack.close_view(ADA)


async def test_a_file_is_added(served: Served) -> None:
    """A file dropped on the bot with "add this" is answered from; others may not."""
    data = b"# Parking\n\nVisitors park on deck 3 of the garage.\n"
    file = served.slack.add_file("parking.md", data, ANN, mimetype="text/markdown")
    ts = await served.slack.say(GENERAL, ANN, f"{served.slack.mention} add this", files=[file])
    assert "may not change" in shown((await served.replies(GENERAL, ts))[0])
    file = served.slack.add_file("parking.md", data, ADA, mimetype="text/markdown")
    ts = await served.slack.say(GENERAL, ADA, f"{served.slack.mention} add this", files=[file])
    assert "parking" in shown((await served.replies(GENERAL, ts))[0])
    _, reply = await served.ask(GENERAL, ANN, "Where do visitors park?")
    assert "deck 3" in shown(reply)


async def test_an_image_is_said_to_be_unread(served: Served) -> None:
    """A question with a picture is answered with the note that the picture was not read."""
    file = served.slack.add_file("door.png", b"\x89PNG", ANN, mimetype="image/png")
    ts = await served.slack.say(GENERAL, ANN, f"{served.slack.mention} {KEY}", files=[file])
    (reply,) = await served.replies(GENERAL, ts)
    assert "door" in shown(reply)
    assert "40 euros" in shown(reply)


async def test_feedback_and_sources(served: Served) -> None:
    """A thumb is kept once a person, a bad one may say why, and the sources open in a modal."""
    _, reply = await served.ask(GENERAL, ANN, KEY)
    blocks = json.dumps(reply.blocks)
    answer = blocks.partition("good:")[2].partition('"')[0]
    await served.slack.click(reply, "lk_feedback", user=ANN, value=f"good:{answer}")
    query = f"SELECT good FROM feedback WHERE answer = '{answer}' ORDER BY person"  # noqa: S608 - our own id
    await served.until(lambda: rows(served, query) == [(1,)])
    await served.slack.click(reply, "lk_feedback", user=ANN, value=f"bad:{answer}")
    await served.until(lambda: served.slack.stack(ANN))
    await served.slack.submit_view(ANN, {"comment": "It is 50 by now."})
    await served.until(lambda: rows(served, query) == [(0,)])
    await served.slack.click(reply, "lk_sources", user=BOB)
    await served.until(
        lambda: served.slack.stack(BOB) and "40 euros" in json.dumps(served.slack.modal(BOB).content)
    )
    await served.slack.close_view(BOB)


async def test_an_edit_revises_and_a_deletion_removes(served: Served) -> None:
    """The reply follows its question: another text, another answer; no question, no reply."""
    ts, reply = await served.ask(GENERAL, ANN, LEAVE)
    await served.slack.edit(GENERAL, ts, f"{served.slack.mention} {TRAVEL}")
    await served.until(lambda: "room 12" in shown(served.slack.messages(GENERAL, ts)[0]))
    assert [one.ts for one in served.slack.messages(GENERAL, ts)] == [reply.ts]
    await served.slack.unfurl(GENERAL, ts, "https://example.com/")
    await served.slack.delete(GENERAL, ts)
    await served.until(lambda: not served.slack.messages(GENERAL, ts))


async def test_questions_are_answered_unasked_where_that_is_wanted(served: Served) -> None:
    """In an automatic channel a question above the bar is answered, and nothing else."""
    chat = await served.slack.say(AUTO, ANN, "good morning everybody")
    unknown = await served.slack.say(AUTO, ANN, UNKNOWN)
    asked = await served.slack.say(AUTO, ANN, TRAVEL)
    (reply,) = await served.replies(AUTO, asked)
    assert "room 12" in shown(reply)
    await served.until(lambda: not rows(served, "SELECT 1 FROM inbox WHERE state != 'done'"))
    assert not served.slack.messages(AUTO, chat)
    assert not served.slack.messages(AUTO, unknown)
    assert (AUTO, unknown) not in [(channel, thread) for _, channel, thread, _ in served.slack.status_log]


async def test_private_first(served: Served) -> None:
    """Where the asker sees an answer first, nobody else sees it until it is shared."""
    await served.slack.say(FIRST, ANN, KEY)
    (private,) = await served.until(lambda: private_to(served.slack, FIRST, ANN))
    assert "40 euros" in shown(private)
    assert len(served.slack.messages(FIRST)) == 1
    await served.slack.click(private, "lk_share", user=ANN)
    await served.until(lambda: [one for one in served.slack.messages(FIRST) if not one.ephemeral])


async def test_drafts_wait_for_a_reviewer(served: Served) -> None:
    """A draft goes to the admin of the settings, who approves it; only then does the channel see it."""
    asked = await served.slack.say(DRAFTS, ANN, COFFEE)
    mine = served.slack.direct(ADA)

    def waiting() -> list[Message]:
        return [one for one in served.slack.messages(mine) if "Draft" in shown(one)]

    (draft,) = await served.until(waiting)
    assert not served.slack.messages(DRAFTS, asked)
    await served.slack.click(draft, "lk_approve", user=ADA)
    (reply,) = await served.replies(DRAFTS, asked)
    assert "Friday" in shown(reply)
    await served.until(lambda: not waiting())


async def test_a_message_is_saved(served: Served) -> None:
    """A message becomes a document by its shortcut, edited in a modal before, and is answered from."""
    ts = await served.slack.say(GENERAL, BOB, "The alarm code of the archive is 99-21.")
    await served.slack.shortcut("lk_save", ADA, channel=GENERAL, ts=ts)
    view = (await served.until(lambda: served.slack.stack(ADA)))[-1]
    assert "99-21" in json.dumps(view.content)
    sent = await served.slack.submit_view(ADA, {"title": "Archive alarm"})
    assert not sent.errors
    await served.until(
        lambda: [one for one in private_to(served.slack, GENERAL, ADA) if "Archive alarm" in shown(one)]
    )
    _, reply = await served.ask(GENERAL, ANN, "What is the alarm code of the archive?")
    assert "99-21" in shown(reply)


async def test_ask_about_a_message(served: Served) -> None:
    """The shortcut on somebody's message answers it for the person who used it alone."""
    ts = await served.slack.say(GENERAL, BOB, LEAVE)
    before = len(private_to(served.slack, GENERAL, ADA))
    await served.slack.shortcut("lk_ask_about", ADA, channel=GENERAL, ts=ts)
    await served.until(lambda: "28 days" in str(
        [shown(one) for one in private_to(served.slack, GENERAL, ADA)[before:]]
    ))  # fmt: skip
    assert not [one for one in served.slack.messages(GENERAL, ts) if not one.ephemeral]


async def test_the_home_tab(served: Served) -> None:
    """It shows sources and freshness to everyone, and the button to add a source to who may."""
    for user in (ANN, ADA):
        await served.slack.open_home(user)
        await served.until(lambda user=user: served.slack.home_of(user))
    homes = {user: json.dumps(served.slack.home_of(user).content) for user in (ANN, ADA)}  # type: ignore[union-attr]
    assert all("handbook" in home for home in homes.values())
    assert ["lk_add" in homes[user] for user in (ANN, ADA)] == [False, True]
    await served.slack.open_home(ANN, tab="messages")
    await served.until(lambda: served.slack.prompts)


async def test_a_failing_sync_is_told_in_the_channel_for_it(served: Served, tmp_path: Path) -> None:
    """When a source cannot be read, one line in the configured channel says so."""
    folder = served.folder / "fading"
    folder.mkdir()
    (folder / "one.md").write_text("# One\n\nOne is first.\n", encoding="utf-8")
    await served.slack.command("/kb", f"add {folder} every 1s as fading", ADA, GENERAL)
    await served.until(lambda: rows(served, "SELECT 1 FROM documents WHERE source = 'fading'"))
    folder.rename(tmp_path / "gone")
    notice = (await served.until(lambda: served.slack.messages(NOTICES)))[0]
    assert "fading" in shown(notice)
    assert served.slack.live_mentions(notice) == []


async def test_text_of_people_and_files_stays_text(served: Served) -> None:
    """Mentions and links in a question, a title, a file name and a document are dead on the wire (P22)."""
    evil = "<!channel> <@U0ADA> @here [click](https://evil.test/x) ![i](https://evil.test/i.png)"
    folder = served.folder / "handbook"
    (folder / "evil @here.md").write_text(
        f"# Zeppelin <!here> {evil}\n\nThe zeppelin lands at noon {evil}.\n"
    )
    await told(served, ADA, "sync handbook", "added")
    ts, reply = await served.ask(GENERAL, ANN, f"When does the zeppelin land? {evil}")
    assert "noon" in shown(reply)
    saved = "https://acme.slack.com/archives/"  # where a citation's own document may lie
    assert not [found for found in live(reply.payload()["blocks"]) if not found.startswith(f"<{saved}")]
    for message in served.slack.messages(GENERAL, ts):
        assert served.slack.live_mentions(message) == []
        assert all(link.startswith(saved) for link in served.slack.links(message))


async def test_a_refused_token_ends_with_one_line(tmp_path: Path) -> None:
    """A bot token that Slack does not take ends the program with code 4 and one line without the token."""
    async with SlackEmulator().running() as slack:
        people(slack)
        write(tmp_path, slack)
        async with serve(slack, tmp_path, SLACK_BOT_TOKEN="xoxb-not-a-token") as process:
            await process.line("SLACK_BOT_TOKEN")
            assert await process.process.wait() == 4
        assert len([line for line in process.lines if "SLACK_BOT_TOKEN" in line]) == 1
        assert "xoxb-not-a-token" not in "".join(process.lines) + process.log
