"""P22 on the wire: whatever stands in questions, names and documents, nothing shared or approved is live."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.chat_settings import ChannelSettings
from kb.documents import EVERYONE, Audience
from kb.nodes import StoredNode
from tests.adapters.backstage import SECONDS
from tests.adapters.discord.test_gate import OUTPUT, constructs, problems
from tests.adapters.discord.whole import Team, team
from tests.bot.found import Found, Passage, assistant, passage
from tests.emulators.discord.calls import Call
from tests.emulators.discord.messages import COMPONENTS_V2, SUPPRESS_EMBEDS, Message, Upload
from tests.emulators.discord.places import Channel, Member

SAFE = "https://handbook.test/page"
SENT = ("POST /channels/*/messages", "PATCH /channels/*/messages/*", "* /webhooks/*")
_NUMBER = re.compile(r"Item (\d+)")

pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(not OUTPUT.exists(), reason="shared/data/trust is not here"),
]


def poisoned(construct: str, number: int) -> tuple[Passage, ...]:
    """Return passages with a construct in each of their parts; one has an address of its own."""
    found = (
        passage(f"Alpha {construct} omega.", title=construct, uri=f"{number}/{construct}.md"),
        passage(
            f"See {construct}",
            title=f"On {construct}",
            heading=(construct,),
            uri=f"{number}/safe.md",
            url=SAFE,
        ),
    )
    return found[::-1] if number % 2 else found


@dataclass(slots=True)
class Library:
    """Finds for each question the passages of its number."""

    held: dict[int, tuple[Passage, ...]] = field(default_factory=dict)

    async def search(
        self, text: str, *, audience: Audience = EVERYONE, sources: Sequence[str] = (), limit: int = 10
    ) -> Found:
        numbered = _NUMBER.search(text)
        assert numbered is not None
        return Found(passages=self.held[int(numbered[1])], confidence=0.9)

    async def nodes_of(self, document_id: str) -> list[StoredNode]:
        nodes = [one.node for passages in self.held.values() for one in passages]
        return [node for node in nodes if node.document_id == document_id]


@dataclass(slots=True, kw_only=True)
class Round:
    """One construct on its way: asked privately and shared, asked in a draft channel and approved."""

    town: Team
    drafts: Channel
    eve: Member
    number: int
    construct: str
    answered: bool = False

    @property
    def question(self) -> str:
        return f"Item {self.number}: what is {self.construct}?"

    async def share(self) -> None:
        discord = self.town.discord
        options = {"question": self.question, "private": True}
        begun = await discord.command("ask", options, user=self.town.ann, channel=self.town.general)
        await discord.answer(begun, SECONDS)
        (answer,) = begun.messages[-1:]
        self.answered = any("lk:share" in str(one) for one in answer.buttons())
        if not self.answered:
            return
        await discord.answer(await discord.click(begun.messages[-1], "lk:share", user=self.town.ann), SECONDS)

    async def approve(self) -> None:
        discord = self.town.discord
        file = Upload(name=f"{self.construct}.txt", data=b"x", media_type="text/plain")
        mention = discord.bot.mention
        await discord.say(self.drafts, self.town.ann, f"{mention} {self.question}", files=(file,))

        def there() -> list[Message]:
            threads = [one for one in discord.threads(self.drafts) if one.type == 12]
            shown = [one for thread in threads for one in discord.answers(thread)]
            marks = [one for one in shown if f"Item {self.number}:" in one.text]
            return [one for one in marks if any("lk:approve" in str(held) for held in one.buttons())]

        (draft,) = await discord.wait_for(there, SECONDS)
        await discord.answer(await discord.click(draft, "lk:approve", user=self.eve), SECONDS)
        await discord.wait_for(lambda: draft.deleted, SECONDS)


def assert_dead(message: Message) -> None:
    """Fail unless a message notifies nobody, unfurls nothing and leads nowhere but to what is cited."""
    assert problems(message.text, allowed=SAFE) == []
    assert not message.pings
    assert message.flags & (COMPONENTS_V2 | SUPPRESS_EMBEDS)
    assert message.embeds == []
    assert {one["url"] for one in message.buttons() if "url" in one} <= {SAFE}
    for component in message.walk():
        assert component["type"] in {1, 2, 9, 10, 14, 17}  # no picture, no file


def assert_dead_when_sent(call: Call) -> None:
    """Fail unless a request allows no mention and has no embed."""
    body: dict[str, Any] = call.fields
    assert body["allowed_mentions"]["parse"] == []
    assert not body["allowed_mentions"].get("users")
    assert not body["allowed_mentions"].get("roles")
    assert not body["allowed_mentions"].get("replied_user")
    assert not body.get("embeds")


async def test_nothing_that_is_shared_or_approved_is_live(tmp_path: Path) -> None:
    """No construct of P22 becomes a mention, a link or a picture when it is shared or approved."""
    library = Library()
    async with team(tmp_path) as town:
        discord = town.discord
        eve = discord.add_member(town.guild, "Eve @everyone https://evil.test")
        drafts = discord.add_channel(town.guild, "drafts")
        rules = ChannelSettings(
            platform="discord", id=drafts.id, mode="draft", reviewers=(eve.user.id,), threads=False
        )

        def answers(ledger: Any) -> Any:  # noqa: ANN401 - what the desk is given
            return assistant(ledger=ledger, searcher=library)  # type: ignore[arg-type]

        async with town.bot(answers=answers, channels=(rules,)) as bot:
            bot.aftercare._nodes = library
            rounds = [
                Round(town=town, drafts=drafts, eve=eve, number=number, construct=construct)
                for number, construct in enumerate(constructs())
            ]
            library.held = {one.number: poisoned(one.construct, one.number) for one in rounds}
            for one in rounds:
                await asyncio.gather(one.share(), one.approve())
            await bot.settled()
        said = [one for one in discord.world.messages.values() if one.author is discord.bot]
        shared = [one for one in discord.answers(town.general) if not one.ephemeral]
        approved = discord.answers(drafts)
        assert len(approved) == len(rounds)
        assert len(shared) == sum(one.answered for one in rounds) > len(rounds) * 0.9
        for message in said:
            assert_dead(message)
        sent = [call for route in SENT for call in discord.made(route) if call.method != "DELETE"]
        posted = [call for call in sent if call.method in {"POST", "PATCH"}]
        assert len(posted) > 4 * len(rounds)
        for call in posted:
            assert_dead_when_sent(call)
        assert discord.pings == []
