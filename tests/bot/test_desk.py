from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import answering, desk, turns
from bot.chat import Attachment, Place
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.errors import SurfaceBusy, SurfaceGone
from bot.outcomes import answer_id
from bot.texts import texts
from kb.database import close_database, open_database
from kb.documents import Audience
from tests.bot.desks import Bench, bench
from tests.bot.surface import CHANNEL, Post, ScriptedSurface, message

QUESTION = "How many digits has a PIN?"
ANSWER = f"{QUESTION} Six. [1]"
DIRECT = Place(platform="slack", workspace="T1", channel="D1", kind="direct")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await close_database(opened)


@pytest.fixture
async def table(engine: AsyncEngine) -> Bench:
    return await bench(engine)


def only(surface: ScriptedSurface) -> Post:
    (post,) = surface.posts.values()
    return post


async def test_a_question_is_answered_once_in_its_thread(table: Bench) -> None:
    """A first sign comes before the answer; the answer has its buttons, and ledger and replies know it."""
    async with table.running():
        await table.ask(message(1), message(1), message(1))
    post = only(table.surface)
    assert (post.said, table.surface.signs) == (ANSWER, [message(1).key])
    assert post.outcome is not None
    assert post.outcome.controls == ("feedback", "sources", "resolved")
    reply = await table.replies.by_message("slack", "C1", "m1")
    assert reply is not None
    assert (reply.answer, reply.thread) == (answer_id(message(1).key), "1")
    assert reply.incoming.reply_to == {}
    assert [entry.id for entry in await table.ledger.recent()] == [reply.answer]


async def test_a_follow_up_knows_what_was_said(table: Bench) -> None:
    """The thread that an answer began is its memory, and the bot owns it: no new mention is needed."""
    async with table.running():
        await table.ask(message(1))
        assert await table.replies.owns(message(2, thread="1").place)
        await table.ask(message(2, "And how long do they last?", thread="1"))
    first, second = table.assistant.asked
    assert first.conversation.turns == ()
    assert [turn.question for turn in second.conversation.turns] == [QUESTION]
    assert second.conversation.id == first.conversation.id


async def test_chatter_is_left_alone(table: Bench) -> None:
    """What is not to the bot gets no sign and no answer, and leaves no text behind."""
    async with table.running():
        await table.ask(message(1, "lunch?", addressed=False), message(2, "ok", thread="9", addressed=False))
    assert (table.surface.posts, table.surface.signs, table.assistant.asked) == ({}, [], [])
    assert set((await table.results()).values()) == {"ignored"}


async def test_answers_nobody_asked_for(engine: AsyncEngine) -> None:
    """In an auto channel a question gets no sign, and an answer only above the higher bar."""
    table = await bench(
        engine, platform=PlatformSettings(answers="auto", auto_threshold=0.8), surface=ScriptedSurface()
    )
    async with table.running():
        table.assistant.confidence = 0.7
        await table.ask(message(1, addressed=False))
        assert (table.surface.posts, table.surface.signs) == ({}, [])
        assert await table.ledger.recent() == []
        table.assistant.confidence = 0.85
        await table.ask(message(2, addressed=False))
    assert (table.surface.said, table.surface.signs) == ([ANSWER], [])
    assert [question.bar for question in table.assistant.asked] == [0.8, 0.8]


async def test_an_edit_revises_in_place(table: Bench) -> None:
    """An edited question's answer takes the place of the old one, which no follow-up remembers."""
    async with table.running():
        await table.ask(message(1))
        await table.ask(message(1, "What is the PIN?", kind="edit", stamp="2"))
        await table.ask(message(1, "What is the PIN?", kind="edit", stamp="3"))
        await table.ask(message(2, "And then?", thread="1"))
    assert table.surface.posts["m1"].said == "What is the PIN? Six. [1]"
    assert table.surface.posts["m1"].revised == 1
    assert len(table.surface.posts) == 2
    revised, last = table.assistant.asked[1:]
    assert revised.conversation.turns == ()
    assert [turn.question for turn in last.conversation.turns] == ["What is the PIN?"]
    assert [*(await table.results()).values()] == ["answered", "answered", "unchanged", "answered"]


async def test_an_edit_meanwhile(table: Bench) -> None:
    """An edit while its question is being answered cancels that turn; only the edited text is answered."""
    table.assistant.deltas = ("Some",)
    table.assistant.holds = asyncio.Event()
    async with table.running():
        await table.desk.receive(message(1))
        await table.surface.until(lambda: table.surface.said == ["Some"])
        table.assistant.holds.set()
        await table.desk.receive(message(1, "Better?", kind="edit", stamp="2"))
        await table.idle()
    assert table.surface.said == ["Better? Six. [1]"]


async def test_an_edit_before_its_message(table: Bench) -> None:
    """When the edit comes in first, its text counts, once."""
    async with table.running():
        await table.ask(message(1, "Better?", kind="edit", stamp="2"))
        await table.ask(message(1))
    assert table.surface.said == ["Better? Six. [1]"]
    assert [*(await table.results()).values()] == ["answered", "overtaken"]


async def test_an_edit_of_an_old_message(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit to nobody of a message that never comes is not answered, however much a question it is."""
    monkeypatch.setattr(turns, "EDIT_PATIENCE", 0.05)
    monkeypatch.setattr(desk, "POLL", 0.02)
    table = await bench(engine, platform=PlatformSettings(answers="auto"))
    async with table.running():
        await table.ask(message(1, kind="edit", stamp="2", addressed=False))
    assert table.surface.posts == {}


async def test_a_deleted_question(table: Bench) -> None:
    """With its question an answer goes, from the platform, from memory, and with it the question's text."""
    async with table.running():
        await table.ask(message(1))
        await table.ask(message(1, "", kind="delete"))
        assert table.surface.posts == {}
        await table.ask(message(2, "And then?", thread="1"))
    assert table.assistant.asked[1].conversation.turns == ()
    reply = await table.replies.by_subject(message(1).subject)
    assert reply is not None
    assert (reply.state, reply.incoming.text) == ("removed", "")
    assert await table.replies.by_message("slack", "C1", "m1") is None


async def test_deleted_while_it_is_answered(table: Bench) -> None:
    """A deletion cancels the running turn and takes away what it has shown."""
    table.assistant.deltas, table.assistant.holds = ("Some",), asyncio.Event()
    async with table.running():
        await table.desk.receive(message(1))
        await table.surface.until(lambda: table.surface.said == ["Some"])
        await table.ask(message(1, "", kind="delete"))
    assert (table.surface.posts, await table.ledger.recent()) == ({}, [])


@pytest.mark.parametrize("shown", ["Six [1] digits.", ""])
async def test_the_stop_button(table: Bench, shown: str) -> None:
    """Stop keeps what was shown, with a note and without marks that lead nowhere; nothing is remembered."""
    table.assistant.deltas, table.assistant.holds = (shown,) if shown else (), asyncio.Event()
    async with table.running():
        await table.desk.receive(message(1))
        await table.assistant.began.wait()
        await table.surface.until(lambda: not shown or table.surface.said)
        assert not await table.desk.stop(message(8, thread="8").place, "U1")
        assert await table.desk.stop(message(2, thread="1").place, "U2")
        await table.idle()
    outcome = only(table.surface).outcome
    assert outcome is not None
    if shown:
        assert outcome.answer is not None
        assert (outcome.answer.text, outcome.notes, outcome.controls) == ("Six digits.", ("Stopped.",), ())
    else:
        assert outcome.alone == "Stopped."
    assert await table.ledger.recent() == []


async def test_a_busy_platform(table: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that the platform refuses for now is posted later, looked for first, and not asked twice."""
    monkeypatch.setattr(desk, "POLL", 0.02)
    table.surface.fail("finish", SurfaceBusy("later", seconds=0.05))
    async with table.running():
        await table.ask(message(1))
    assert table.surface.said == [ANSWER]
    assert table.surface.looked == [message(1).key]
    assert len(table.assistant.asked) == 1


async def test_accepted_and_refused(table: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post that was accepted although the platform said no is completed in place, not repeated."""
    monkeypatch.setattr(desk, "POLL", 0.02)
    table.surface.posted_first = True
    table.surface.fail("finish", SurfaceBusy("500", seconds=0.01))
    async with table.running():
        await table.ask(message(1))
    assert (only(table.surface).said, only(table.surface).revised) == (ANSWER, 1)


async def test_a_place_that_is_gone(table: Bench) -> None:
    """Where the bot may not write any more, a question ends quietly."""
    table.surface.fail("finish", SurfaceGone("not_in_channel"))
    async with table.running():
        await table.ask(message(1), message(2))
    assert table.surface.said == [ANSWER]
    assert sorted((await table.results()).values()) == ["answered", "gone"]


async def test_a_failure_is_one_line(table: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw becomes one line with the id under which the log has the rest."""
    table.assistant.fails.append(RuntimeError("the secret cause"))
    async with table.running():
        await table.ask(message(1))
    outcome = only(table.surface).outcome
    short = answer_id(message(1).key)[:8]
    assert outcome is not None
    assert f"(log {short})" in outcome.alone
    assert "secret" not in outcome.alone
    assert f"turn {short}: failed" in caplog.text
    assert "the secret cause" in caplog.text


async def test_an_adapter_that_fails_for_good(table: Bench) -> None:
    """When not even the line can be shown the claim ends all the same."""
    table.surface.fail("finish", RuntimeError("one"), RuntimeError("two"))
    async with table.running():
        await table.ask(message(1))
    assert await table.results() == {message(1).key: "failed"}


async def test_silence_is_broken(table: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that says nothing for long is given up with a line."""
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    table.assistant.holds = asyncio.Event()
    async with table.running():
        await table.ask(message(1))
    assert "went wrong" in only(table.surface).said


async def test_an_unknown_audience_is_no_guess(table: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the platform cannot tell who sees an answer there is none, and after a while a line says so."""
    monkeypatch.setattr(turns, "AUDIENCE_PATIENCE", 0.05)
    monkeypatch.setattr(desk, "POLL", 0.02)
    table.surface.fail("audience", *[SurfaceBusy("no", seconds=0.0)] * 50)
    async with table.running():
        await table.ask(message(1))
    assert "who may see what" in only(table.surface).said
    assert table.assistant.asked == []


async def test_the_audience_of_a_channel(engine: AsyncEngine) -> None:
    """An answer uses the tags that its platform tells, and no others; sources are the channel's."""
    table = await bench(
        engine, channels=[ChannelSettings(platform="slack", id="C1", audience=("hr",), sources=("docs",))]
    )
    own, every = frozenset({"slack:user:U1"}), frozenset({"slack:C1", "hr"})
    table.surface.tags = lambda place, person, private: Audience(own if private else every)
    async with table.running():
        await table.ask(message(1))
        await table.ask(message(2, kind="command", private=True))
        await table.ask(message(3, place=DIRECT))
        own = frozenset({"slack:user:U1", "slack:C1"})
        await table.ask(message(4, kind="command", private=True))
    held = [question.asker.audience.tags for question in table.assistant.asked]
    assert held == [every, {"slack:user:U1"}, {"slack:user:U1"}, own]
    assert [question.sources for question in table.assistant.asked] == [("docs",), ("docs",), (), ("docs",)]


async def test_own_lines_are_in_the_language_of_the_place(engine: AsyncEngine) -> None:
    """What the assistant says of its own is shown in the place's language, and kept as it was said."""
    table = await bench(engine, channels=[ChannelSettings(platform="slack", id="C1", language="de")])
    async with table.running():
        await table.ask(message(1, "unknown?"))
        await table.ask(message(2))
    none, found = (post.outcome.answer for post in table.surface.posts.values() if post.outcome)
    assert none is not None
    assert none.text == texts("de").not_found
    assert found is not None
    assert "Six. [1]" in found.text
    kept = await table.ledger.answer(none.id)
    assert kept is not None
    assert kept.text == texts("en").not_found


async def test_private_answers_have_a_memory_of_their_own(table: Bench) -> None:
    """What was answered privately is in no public memory, nor the other way round, nor another person's."""
    async with table.running():
        await table.ask(message(1))
        await table.ask(message(2, "One?", kind="command", private=True, thread="1"))
        await table.ask(message(3, "Two?", kind="command", private=True, thread="1"))
        await table.ask(message(4, "Three?", kind="command", private=True, thread="1", person="U2"))
        await table.ask(message(5, "Four?", thread="1"))
    told = [[turn.question for turn in one.conversation.turns] for one in table.assistant.asked]
    assert told == [[], [], ["One?"], [], [QUESTION]]
    shown = [post.outcome.controls for post in table.surface.posts.values() if post.outcome]
    assert [("share" in controls) for controls in shown] == [False, True, True, True, False]


async def test_a_draft_tells_the_asker(engine: AsyncEngine) -> None:
    """Where reviewers approve, the answer is a draft with their buttons and the asker hears of it."""
    table = await bench(
        engine, channels=[ChannelSettings(platform="slack", id="C1", mode="draft", reviewers=("U9",))]
    )
    async with table.running():
        await table.ask(message(1))
    post = only(table.surface)
    assert post.outcome is not None
    assert (post.shown, post.outcome.controls) == ("draft", ("sources", "approve", "discard"))
    assert len(table.surface.told) == 1


async def test_a_quota(engine: AsyncEngine) -> None:
    """Past a person's quota a few questions are refused in one line, the rest in silence; others go on."""
    table = await bench(engine, platform=PlatformSettings(per_person=2))
    async with table.running():
        for number in range(7):
            await table.ask(message(number))
        await table.ask(message(8, person="U2"))
    refusals = [said for said in table.surface.said if said.startswith("You have asked 2 questions")]
    assert (len(table.assistant.asked), len(refusals), len(table.surface.posts)) == (3, 3, 6)


async def test_files(table: Bench) -> None:
    """Files with "add this" are kept if the person may; with a question they are said to be unread."""
    manual = Attachment(id="F1", name="manual.pdf", media_type="application/pdf", size=3)
    picture = Attachment(id="F2", name="<!channel>.png", media_type="image/png")
    table.surface.files = {"F1": b"pdf"}
    async with table.running():
        await table.ask(message(1, "Add this, please!", attachments=(manual,)))
        table.surface.tags = lambda place, person, private: Audience(frozenset({"slack:group:G1"}))
        await table.ask(message(2, "please add this", attachments=(manual,)))
        await table.ask(message(3, attachments=(manual, picture)))
    first, second, third = table.surface.posts.values()
    assert (first.said, second.said) == ("Only G1 may add files.", "Kept manual.pdf.")
    assert table.shelf.files == {"manual.pdf": b"pdf"}
    assert third.outcome is not None
    assert ["manual.pdf" in third.outcome.notes[0], ".png" in third.outcome.notes[1]] == [True, True]
    assert "<!channel>" not in third.outcome.notes[1]


async def test_a_few_at_a_time_all_with_a_sign(engine: AsyncEngine) -> None:
    """Of many questions at once each gets its sign at once; only so many are answered at a time."""
    table = await bench(engine, concurrent=3, platform=PlatformSettings(per_person=100))
    table.assistant.holds = asyncio.Event()
    async with table.running():
        await asyncio.gather(*(table.desk.receive(message(number)) for number in range(40)))
        await table.surface.until(lambda: len(table.surface.signs) == 40)
        async with asyncio.timeout(15):
            while table.assistant.running < 3:
                table.assistant.began.clear()
                await table.assistant.began.wait()
        table.assistant.holds.set()
        await table.idle()
    assert (len(table.surface.posts), table.assistant.most) == (40, 3)


async def test_the_end_of_the_program(table: Bench, engine: AsyncEngine) -> None:
    """A turn that does not end in time goes back to the inbox and is answered by the next process, once."""
    table.assistant.deltas, table.assistant.holds = ("Some",), asyncio.Event()
    running = asyncio.create_task(table.desk.run(table.stop, drain_seconds=0.05))
    await table.desk.receive(message(1))
    await table.surface.until(lambda: table.surface.said == ["Some"])
    table.stop.set()
    await running
    assert await table.inbox.states() == {"new": 1}
    successor = await bench(engine, surface=table.surface)
    async with successor.running():
        await successor.idle()
    assert only(table.surface).said == ANSWER
    assert await table.ledger.recent(5) == await successor.ledger.recent(5) != []


async def test_a_turn_that_was_taken_over_posts_nothing(
    table: Bench, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that was paused for longer than its lease finds that out before it shows anything."""
    caplog.set_level(logging.WARNING)
    table.assistant.holds = asyncio.Event()
    async with table.running():
        await table.desk.receive(message(1))
        await table.assistant.began.wait()
        late = await bench(engine, surface=table.surface, clock=lambda: 1e11)
        async with late.running():
            await late.idle()
        table.assistant.holds.set()
        await table.assistant.ended.wait()
    assert only(table.surface).said == ANSWER
    assert only(table.surface).revised == 0
    assert "another process has taken it over" in caplog.text


async def test_a_thread_in_a_direct_place(table: Bench) -> None:
    """In a direct message the first question begins the thread in which the next one is understood."""
    async with table.running():
        await table.ask(message("1.0", place=DIRECT))
        await table.ask(message("2.0", "And?", place=DIRECT, thread="1.0"))
        await table.ask(message("3.0", "Another thing?", place=DIRECT))
    told = [len(question.conversation.turns) for question in table.assistant.asked]
    assert told == [0, 1, 0]


async def test_a_platform_joins_late(engine: AsyncEngine) -> None:
    """What came in for a platform before it joined is answered when it does."""
    table = await bench(engine)
    other = replace(CHANNEL, platform="discord")
    async with table.running():
        await table.desk.receive(message(1, place=other))
        discord = ScriptedSurface(platform="discord")
        table.desk.join(discord)
        await table.idle()
    assert len(discord.posts) == 1
