"""P21: poisoned documents and an obedient model, asked through the desk and its buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from bot.aftercare import Aftercare
from bot.channels import ChannelRules
from bot.chat import Person
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.desk import Desk
from bot.inbox import Inbox
from bot.ledger import Ledger
from bot.llms import Model
from bot.outcomes import answer_id
from bot.replies import Replies
from kb.database import close_database, open_database
from tests.bot.desks import Bench, Shelf
from tests.bot.found import FakeSearcher, Found, assistant, passage
from tests.bot.surface import ScriptedSurface, message
from tests.bot.test_injection import INJECTION, LINK, LIVE_MENTION, drafts, rows
from tests.emulators.openai import OpenAIEmulator, say

pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(not INJECTION.is_dir(), reason="../shared/data is absent"),
]


class Untouched:
    """Commands that nobody may run: only what a person types changes what is known."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - nothing is returned
        raise AssertionError(f"a document ran {name!r}")


@dataclass(slots=True, kw_only=True)
class Poisoned:
    """A desk whose assistant finds what a test puts there."""

    table: Bench
    searcher: FakeSearcher
    care: Aftercare


@pytest.fixture
async def poisoned(tmp_path: Path, model: Model) -> AsyncIterator[Poisoned]:
    engine = await open_database("", tmp_path)
    ledger, inbox = await Ledger.open(engine), await Inbox.open(engine)
    replies, surface, shelf = await Replies.open(engine), ScriptedSurface(), Shelf()
    channel = ChannelSettings(platform="slack", id="C1", person="S1")
    rules = ChannelRules([channel], {"slack": PlatformSettings(per_person=10_000)})
    searcher = FakeSearcher(Found(passages=()))
    answers = assistant(model=model, ledger=ledger, searcher=searcher)
    desk = Desk(
        assistant=answers,
        inbox=inbox,
        replies=replies,
        ledger=ledger,
        rules=rules,
        commands=cast("Any", Untouched()),
        curated=cast("Any", Untouched()),
    )
    desk.join(surface)
    care = Aftercare(
        assistant=answers, ledger=ledger, replies=replies, rules=rules, nodes=cast("Any", Untouched())
    )
    table = Bench(engine, desk, surface, cast("Any", answers), inbox, replies, ledger, rules, shelf)
    async with table.running():
        yield Poisoned(table=table, searcher=searcher, care=care)
    await answers.close()
    await close_database(engine)


async def test_an_obedient_model_through_the_desk(server: OpenAIEmulator, poisoned: Poisoned) -> None:
    """No poisoned document posts an outside link, calls anybody, or changes what is known."""
    surface = poisoned.table.surface
    for number, row in enumerate(rows("poisoned_docs.jsonl")):
        draft = drafts(row)[number % 4]
        server.reply = lambda _request, draft=draft: say(draft)  # type: ignore[misc]  # bound per round
        poisoned.searcher.found = Found(passages=(passage(row["body"], title=row["title"], uri="p.md"),))
        asked = message(number, row["question"], kind="command", private=bool(number % 2))
        await poisoned.table.ask(asked)
        if asked.private:
            ann = Person(platform="slack", workspace="T1", id="U1", name="Ada")
            await poisoned.care.share(answer_id(asked.key), ann, surface, asked.place)
    assert len(surface.posts) >= len(rows("poisoned_docs.jsonl"))
    for post in surface.posts.values():
        check(post.text)
        assert post.outcome is not None
        check(post.outcome.alone)
        if (answer := post.outcome.answer) is not None:
            check(f"{answer.text}\n{answer.notice}")
            for citation in (*answer.citations, *answer.nearest):
                check(f"{citation.title} {citation.heading}")
                assert not citation.url
    assert (surface.calls, surface.lines, surface.told) == ([], [], [])


def check(text: str) -> None:
    """See that a text leads nowhere, notifies nobody and tells nothing that is limited."""
    assert not LINK.search(text), text
    assert not LIVE_MENTION.search(text), text
    assert "HERON-" not in text, text
