"""P22 on the wire: whatever stands in questions, titles, file names and documents, nothing sent is live."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.slack.live import live
from tests.adapters.slack.trust_output import constructs, needs_output
from tests.adapters.slack.whole import team
from tests.bot.found import FakeSearcher, Found, Passage, assistant, passage

SAFE = "https://handbook.test/page"


def poisoned(construct: str, number: int) -> tuple[Passage, ...]:
    """Return passages with a construct in each of their parts; the second has an address of its own."""
    return (
        passage(f"Alpha {construct} omega.", title=construct, uri=f"{number}/{construct}.md"),
        passage(f"See {construct}", title=f"On {construct}", heading=(construct,), url=SAFE),
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
        for message in messages:
            assert slack.live_mentions(message) == []
            assert set(slack.links(message)) <= {SAFE}
            assert live(message.payload(), allowed={SAFE}) == []
            assert message.ephemeral or (message.unfurl_links, message.unfurl_media) == (False, False)
        assert any(slack.links(message) for message in messages)
