from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.aftercare import Aftercare
from bot.chat import Person, Posted
from bot.chat_settings import ChannelSettings
from bot.errors import NotAllowed, SurfaceBusy
from bot.outcomes import answer_id
from bot.replies import SHARED
from kb.database import close_database, open_database
from kb.documents import Audience, document_id
from kb.nodes import StoredNode
from tests.bot.desks import Bench, bench
from tests.bot.surface import CHANNEL, message

ADA = Person(platform="slack", workspace="T1", id="U1", name="Ada")
BOB = Person(platform="slack", workspace="T1", id="U2", name="Bob")
REVIEWER = Person(platform="slack", workspace="T1", id="U9", name="Eve")
SETTINGS = ChannelSettings(platform="slack", id="C1", person="S1")
DRAFTS = ChannelSettings(platform="slack", id="C1", mode="draft", reviewers=("U9",))


@dataclass(slots=True)
class Stored:
    """The passages that are stored: ids of nodes with their audiences, all of one document."""

    audiences: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"n1": ("*",)})

    async def nodes_of(self, document: str) -> list[StoredNode]:
        assert document == document_id("docs", "a.md")
        return [
            cast("Any", type("Node", (), {"id": node, "audience": audience})())
            for node, audience in self.audiences.items()
        ]


@dataclass(slots=True)
class Counter:
    """A desk with its buttons."""

    table: Bench
    care: Aftercare
    stored: Stored


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await close_database(opened)


async def counter(engine: AsyncEngine, *channels: ChannelSettings) -> Counter:
    table = await bench(engine, channels=channels or (SETTINGS,))
    stored = Stored()
    care = Aftercare(
        assistant=cast("Any", table.assistant),
        ledger=table.ledger,
        replies=table.replies,
        rules=table.rules,
        nodes=stored,
    )
    return Counter(table, care, stored)


@pytest.fixture
async def desk(engine: AsyncEngine) -> Counter:
    return await counter(engine)


async def asked(desk: Counter, text: str = "How?", *, private: bool = False) -> str:
    """Ask and return the id of the answer."""
    incoming = message(1, text, kind="command" if private else "message", private=private)
    async with desk.table.running():
        await desk.table.ask(incoming)
    return answer_id(incoming.key)


async def test_feedback(desk: Counter) -> None:
    """Each person has one opinion of an answer, the last; a comment is kept beside it."""
    answer = await asked(desk)
    ledger = desk.table.ledger
    assert "What was wrong?" in await desk.care.feedback(answer, ADA, good=False)
    await desk.care.feedback(answer, ADA, good=False, comment="page 3 says \0 seven")
    await desk.care.feedback(answer, ADA, good=False)
    await desk.care.feedback(answer, BOB, good=False)
    assert await desk.care.feedback(answer, BOB, good=True) == "Thank you, noted."
    rated = {one.person: (one.good, one.comment) for one in await ledger.ratings(answer)}
    assert rated == {"slack:T1:U1": (False, "page 3 says \ufffd seven"), "slack:T1:U2": (True, "")}
    assert await ledger.opinions() == (1, 1)
    assert "no longer" in await desk.care.feedback("0" * 32, ADA, good=True)
    assert await ledger.ratings("0" * 32) == []


async def test_sources_that_still_stand(desk: Counter) -> None:
    """A passage that is gone, or that this person may not see, is not shown."""
    answer = await asked(desk)
    surface = desk.table.surface

    async def shown() -> list[str]:
        found = await desk.care.sources(answer, surface, CHANNEL, ADA)
        return [citation.node for citation in found]

    assert await shown() == ["n1"]
    desk.stored.audiences = {"n1": ("board",)}
    assert await shown() == []
    surface.tags = lambda place, person, private: Audience(frozenset({"board"}))
    assert await shown() == ["n1"]
    desk.stored.audiences = {"n2": ("*",)}
    assert await shown() == []
    assert await desk.care.sources("0" * 32, surface, CHANNEL, ADA) == ()
    surface.fail("audience", SurfaceBusy("cannot tell"))
    with pytest.raises(SurfaceBusy):
        await shown()


async def test_the_nearest_passages_of_no_answer(desk: Counter) -> None:
    """Where nothing was found, the sources are the nearest passages."""
    answer = await asked(desk, "unknown?")
    assert [one.node for one in await desk.care.sources(answer, desk.table.surface, CHANNEL, ADA)] == ["n1"]


async def test_a_person_is_called_once(desk: Counter) -> None:
    """The configured person is mentioned by the platform, once an answer; a failed call can be repeated."""
    answer = await asked(desk)
    surface = desk.table.surface
    surface.fail("call_person", SurfaceBusy("later"))
    assert "(log" in await desk.care.call_person(answer, ADA, surface, CHANNEL)
    lines = await asyncio.gather(
        *(desk.care.call_person(answer, person, surface, CHANNEL) for person in (ADA, BOB, ADA))
    )
    assert [who for who, _ in surface.calls] == ["S1"]
    assert sorted("already" in line for line in lines) == [False, True, True]


async def test_nobody_to_call(engine: AsyncEngine) -> None:
    """Where the settings name nobody, a line says so."""
    desk = await counter(engine, ChannelSettings(platform="slack", id="C2"))
    answer = await asked(desk)
    assert "person" in await desk.care.call_person(answer, ADA, desk.table.surface, CHANNEL)
    assert desk.table.surface.calls == []


async def test_resolved(desk: Counter) -> None:
    """A question can be marked as settled, once and again."""
    answer = await asked(desk)
    assert await desk.care.resolved(answer, BOB) == await desk.care.resolved(answer, ADA)
    reply = await desk.table.replies.by_answer(answer)
    assert reply is not None
    assert reply.resolved


async def test_share_asks_again_for_all(desk: Counter) -> None:
    """A private answer is asked again with what the channel may see, and that answer is posted once."""
    surface = desk.table.surface
    surface.tags = lambda place, person, private: Audience(frozenset({"mine" if private else "all"}))
    answer = await asked(desk, private=True)
    lines = await asyncio.gather(*(desk.care.share(answer, ADA, surface, CHANNEL) for _ in range(3)))
    assert lines == ["Shared with the channel."] * 3
    first, second = desk.table.assistant.asked
    assert (first.asker.audience.tags, second.asker.audience.tags) == ({"mine"}, {"all"})
    assert first.conversation.id != second.conversation.id
    private, public = surface.posts.values()
    assert (private.shown, public.shown) == ("private", "public")
    assert public.outcome is not None
    assert "Shared by Ada." in public.outcome.notes
    assert "share" not in public.outcome.controls
    assert await desk.table.replies.owns(replace(CHANNEL, thread="1"))


async def test_what_cannot_stand_before_all_is_not_shared(desk: Counter) -> None:
    """Where the channel may not see what the answer stands on, nothing is posted and nothing kept."""
    answer = await asked(desk, private=True)
    desk.table.assistant.confidence = -1.0
    said = await desk.care.share(answer, ADA, desk.table.surface, CHANNEL)
    assert said.startswith("I cannot share this")
    assert len(desk.table.surface.posts) == 1
    assert len(await desk.table.ledger.recent()) == 1
    desk.table.assistant.confidence = 0.9
    assert await desk.care.share(answer, ADA, desk.table.surface, CHANNEL) == "Shared with the channel."


async def test_nobody_shares_past_the_review(engine: AsyncEngine) -> None:
    """Where answers are drafts first, a private one is shared by a reviewer alone."""
    desk = await counter(engine, DRAFTS)
    answer = await asked(desk, private=True)
    said = await desk.care.share(answer, ADA, desk.table.surface, CHANNEL)
    assert said.startswith("Answers in this channel are reviewed first.")
    assert [post.shown for post in desk.table.surface.posts.values()] == ["private"]
    desk = await counter(engine, DRAFTS.model_copy(update={"reviewers": ("U1",)}))
    assert await desk.care.share(answer, ADA, desk.table.surface, CHANNEL) == "Shared with the channel."


async def test_only_the_asker_shares(desk: Counter) -> None:
    """Someone else cannot post what a person asked privately."""
    answer = await asked(desk, private=True)
    assert "Ada" in await desk.care.share(answer, BOB, desk.table.surface, CHANNEL)
    assert len(desk.table.surface.posts) == 1


async def test_a_share_that_was_posted_and_refused(desk: Counter) -> None:
    """When the platform posted and said no, pressing again completes that post."""
    answer = await asked(desk, private=True)
    surface = desk.table.surface
    surface.posted_first = True
    surface.fail("finish", SurfaceBusy("500"))
    assert "(log" in await desk.care.share(answer, ADA, surface, CHANNEL)
    assert await desk.care.share(answer, ADA, surface, CHANNEL) == "Shared with the channel."
    assert len(surface.posts) == 2


async def test_a_shared_answer_follows_its_question(desk: Counter) -> None:
    """An edit revises the shared answer in public, a deletion removes both."""
    answer = await asked(desk, private=True)
    surface = desk.table.surface
    await desk.care.share(answer, ADA, surface, CHANNEL)
    desk.table.stop.clear()
    async with desk.table.running():
        await desk.table.ask(message(1, "Better?", kind="edit", stamp="2"))
        assert [post.said for post in surface.posts.values()] == ["How? Six. [1]", "Better? Six. [1]"]
        await desk.table.ask(message(1, "", kind="delete"))
    assert surface.posts == {}


async def test_a_draft_is_approved_once(engine: AsyncEngine) -> None:
    """A reviewer's approval posts the draft as it is, for all to see, and takes the draft away."""
    desk = await counter(engine, DRAFTS)
    answer = await asked(desk)
    surface = desk.table.surface
    with pytest.raises(NotAllowed):
        await desk.care.approve(answer, ADA, surface, CHANNEL)
    lines = await asyncio.gather(*(desk.care.approve(answer, REVIEWER, surface, CHANNEL) for _ in range(2)))
    assert sorted(lines) == ["Approved and posted.", "Somebody has dealt with this draft already."]
    (post,) = surface.posts.values()
    assert (post.shown, post.said, post.subject) == ("public", "How? Six. [1]", message(1).subject + SHARED)
    assert len(desk.table.assistant.asked) == 1
    reply = await desk.table.replies.by_answer(answer)
    assert reply is not None
    assert reply.shown == "public"
    assert "already" in await desk.care.discard(answer, REVIEWER, surface, CHANNEL)


async def test_a_draft_whose_passage_is_gone(engine: AsyncEngine) -> None:
    """What was deleted or hidden since the draft was written is not posted."""
    desk = await counter(engine, DRAFTS)
    answer = await asked(desk)
    desk.stored.audiences = {}
    said = await desk.care.approve(answer, REVIEWER, desk.table.surface, CHANNEL)
    assert said.startswith("I cannot share this")
    assert [post.shown for post in desk.table.surface.posts.values()] == ["draft"]


async def test_a_draft_is_discarded(engine: AsyncEngine) -> None:
    """A discarded draft is gone from the platform and from memory."""
    desk = await counter(engine, DRAFTS)
    answer = await asked(desk)
    surface = desk.table.surface
    with pytest.raises(NotAllowed):
        await desk.care.discard(answer, BOB, surface, CHANNEL)
    assert await desk.care.discard(answer, REVIEWER, surface, CHANNEL) == "Discarded."
    assert surface.posts == {}
    assert "already" in await desk.care.approve(answer, REVIEWER, surface, CHANNEL)
    (entry,) = await desk.table.ledger.recent()
    assert entry.withdrawn


async def test_a_late_press(desk: Counter) -> None:
    """Buttons of an answer that nobody knows any more say so."""
    surface, gone = desk.table.surface, "0" * 32
    lines = [
        await desk.care.call_person(gone, ADA, surface, CHANNEL),
        await desk.care.resolved(gone, ADA),
        await desk.care.share(gone, ADA, surface, CHANNEL),
        await desk.care.approve(gone, ADA, surface, CHANNEL),
        await desk.care.discard(gone, ADA, surface, CHANNEL),
    ]
    assert all(lines)
    assert await desk.care.answer(gone) is None
    assert surface.posts == {}


async def test_who_began_and_died_loses_the_right(desk: Counter) -> None:
    """A post that was begun and never made can be begun again, after a while, by someone who looks first."""
    replies = desk.table.replies
    one = message(5)
    assert [await replies.begin(one), await replies.begin(one)] == ["new", "taken"]
    await replies.give_back(one.subject, posted=True)
    assert await replies.begin(one) == "again"
    await replies.give_back(one.subject, posted=False)
    assert await replies.begin(one) == "new"
    await replies.keep(one, answer="a", shown="public", posted=Posted(channel="C1", messages=("m",)))
    assert await replies.begin(one) == "taken"
