"""P22 on the wire: whatever stands in questions, titles, file names and documents, nothing sent is live."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bot.chat_settings import ChannelSettings
from kb.nodes import StoredNode
from tests.adapters.slack.live import live
from tests.adapters.slack.serving import SECONDS
from tests.adapters.slack.trust_output import constructs, needs_output
from tests.adapters.slack.whole import Team, team
from tests.bot.found import FakeSearcher, Found, Passage, assistant, passage
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message

SAFE = "https://handbook.test/page"


def poisoned(construct: str, number: int) -> tuple[Passage, ...]:
    """Return passages with a construct in each of their parts; the second has an address of its own."""
    return (
        passage(f"Alpha {construct} omega.", title=construct, uri=f"{number}/{construct}.md"),
        passage(f"See {construct}", title=f"On {construct}", heading=(construct,), url=SAFE),
    )


def quotable(construct: str, number: int) -> tuple[Passage, ...]:
    """Return such passages as an answer can quote: their texts are of one line."""
    line = " ".join(construct.split())
    return (
        passage(f"Alpha {line} omega.", title=construct, uri=f"{number}/{construct}.md"),
        passage(f"See {line}", title=f"On {construct}", heading=(construct,), url=SAFE),
    )


@pytest.mark.trust
@needs_output
async def test_nothing_that_is_sent_is_live(tmp_path: Path) -> None:
    """No construct of P22 becomes a mention, an image or a link, wherever it comes from and goes to."""
    searcher = FakeSearcher(Found(passages=()))
    async with team(tmp_path) as town:
        slack = town.slack
        async with town.bot(answers=lambda ledger: assistant(ledger=ledger, searcher=searcher)) as bot:
            for number, construct in enumerate(constructs()):
                first, second = poisoned(construct, number)
                found = (second, first) if number % 2 else (first, second)
                searcher.found = Found(passages=found, confidence=0.9 if number % 3 else 0.1)
                file = slack.add_file(f"{construct}.txt", b"x", user=town.ann)
                await town.say(f"What is {construct}?", files=[file])
                await slack.command("/ask", f"What is {construct}?", town.ann, town.channel)
                await town.settled(bot)
        messages = slack.messages(town.channel)
        # A command is acknowledged by a line of its own.
        assert len([one for one in messages if one.ephemeral]) == 2 * len(constructs())
        assert len([one for one in messages if not one.ephemeral]) == len(constructs())
        assert_dead(slack, messages)


def assert_dead(slack: SlackEmulator, messages: Collection[Message]) -> None:
    """Fail unless no message notifies anybody, or leads anywhere but to what is cited."""
    for message in messages:
        assert slack.live_mentions(message) == []
        assert set(slack.links(message)) <= {SAFE}
        assert live(message.payload(), allowed={SAFE}) == []
        assert message.ephemeral or (message.unfurl_links, message.unfurl_media) == (False, False)
    assert any(slack.links(message) for message in messages)


@dataclass(frozen=True, slots=True)
class Stored:
    """Holds the passages that were just found: an answer that cites them stands."""

    searcher: FakeSearcher

    async def nodes_of(self, document_id: str) -> list[StoredNode]:
        found = [one.node for one in self.searcher.found.passages]
        return [node for node in found if node.document_id == document_id]


async def pressed(town: Team, channel: str, known: set[str], button: str, user: str) -> None:
    """Press a button below the only new message that has it."""

    def there() -> list[Message]:
        new = [one for one in town.slack.messages(channel) if one.ts not in known]
        return [one for one in new if button in str(one.blocks)]

    (message,) = await town.slack.wait_for(there, SECONDS)
    known.add(message.ts)
    await town.slack.click(message, button, user=user)


@pytest.mark.trust
@needs_output
async def test_nothing_that_is_shared_or_approved_is_live(tmp_path: Path) -> None:
    """No construct of P22 becomes live when a private answer is shared or a draft is approved."""
    searcher = FakeSearcher(Found(passages=()))
    async with team(tmp_path) as town:
        slack, known = town.slack, set[str]()
        drafts = slack.add_channel("drafts", members=[town.ann])
        eve = slack.add_user("Eve <!channel> https://evil.test/eve")
        rules = [ChannelSettings(platform="slack", id=drafts, mode="draft", reviewers=(eve,))]
        async with town.bot(
            answers=lambda ledger: assistant(ledger=ledger, searcher=searcher),
            channels=rules,
            nodes=Stored(searcher),
        ) as bot:
            for number, construct in enumerate(constructs(), start=1):
                first, second = quotable(construct, number)
                searcher.found = Found(passages=(second, first) if number % 2 else (first, second))
                await slack.command("/ask", f"What is {construct}?", town.ann, town.channel)
                await pressed(town, town.channel, known, "lk_share", town.ann)
                await town.say(f"What is {construct}?", channel=drafts)
                await pressed(town, slack.direct(eve), known, "lk_approve", eve)
                # The private answer, and a line to each who pressed a button.
                await slack.wait_for(partial(responses, slack, 3 * number), SECONDS)
            await town.settled(bot)
        for channel in (town.channel, drafts):
            assert len(public(slack, channel)) == len(constructs())
            assert_dead(slack, public(slack, channel))
        for call in (*slack.calls_of("chat.postMessage"), *slack.calls_of("chat.update")):
            assert live(call.arguments, allowed={SAFE}) == []
            assert call.method == "chat.update" or not (
                call.arguments["unfurl_links"] or call.arguments["unfurl_media"]
            )
        # What was shared, the draft, the word that it waits, and what was approved.
        assert len(slack.calls_of("chat.postMessage")) == 4 * len(constructs())


def responses(slack: SlackEmulator, count: int) -> bool:
    return len(slack.responding.asked) >= count


def public(slack: SlackEmulator, channel: str) -> list[Message]:
    return [one for one in slack.messages(channel) if not one.ephemeral]
