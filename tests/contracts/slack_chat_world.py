"""Slack as a surface of the parity suite."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.contracts.chat_world import SECONDS, ServedWorld
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message

SETTINGS = """
[slack]
enabled = true
api_url = "{slack.api_url}"
admins = ["{ann}"]
"""


class SlackChatWorld(ServedWorld):
    """A channel with two people."""

    async def open(self, stack: AsyncExitStack) -> None:
        """Start it."""
        self.slack = await stack.enter_async_context(SlackEmulator().running())
        self.ann, self.bob = self.slack.add_user("Ann"), self.slack.add_user("Bob")
        self.channel = self.slack.add_channel("general", members=[self.ann, self.bob])
        self.thread = ""
        self.last: Message | None = None
        await self.serve(stack, SETTINGS.format(slack=self.slack, ann=self.ann), secrets(self.slack))
        await self.slack.connected(2, SECONDS)

    async def ask(self, question: str) -> str:
        """Mention the bot in the channel."""
        self.thread = await self.slack.say(self.channel, self.ann, f"{self.slack.mention} {question}")
        return await self._answered(lambda one: one.thread_ts == self.thread)

    async def follow_up(self, question: str) -> str:
        """Write into the thread, without a mention."""
        known = {one.ts for one in self._all()}
        await self.slack.say(self.channel, self.ann, question, thread_ts=self.thread)
        return await self._answered(lambda one: one.ts not in known)

    async def ask_privately(self, question: str) -> str:
        """Use the command for questions."""
        known = {one.ts for one in self._all()}
        await self.slack.command("/ask", question, self.ann, self.channel)
        said = await self._answered(lambda one: one.ts not in known)
        assert self.last is not None
        assert self.last.ephemeral == self.ann
        return said

    async def share(self) -> str:
        """Press the button under the private answer."""
        assert self.last is not None
        known = {one.ts for one in self._all()}
        await self.slack.click(self.last, "lk_share", user=self.ann)
        return await self._answered(lambda one: one.ts not in known and not one.ephemeral)

    async def rate(self) -> str:
        """Press the thumb."""
        assert self.last is not None
        (value,) = [one for one in values(self.last.blocks) if one.startswith("good:")]
        return await self._told(self.slack.click(self.last, "lk_feedback", user=self.ann, value=value))

    async def add(self, location: Path, name: str) -> str:
        """Type the command."""
        return await self._told(self._kb(f"add {location} as {name}"))

    async def sync(self, name: str) -> str:
        """Type the command."""
        return await self._told(self._kb(f"sync {name}"))

    async def remove(self, name: str) -> str:
        """Type the command and confirm its question."""
        await self._kb(f"remove {name}")
        await self.slack.wait_for(lambda: self.slack.stack(self.ann), SECONDS)
        return await self._told(self.slack.submit_view(self.ann))

    async def save(self, text: str, title: str) -> str:
        """Use the message's shortcut and fill its form in."""
        said = await self.slack.say(self.channel, self.bob, text)
        await self.slack.shortcut("lk_save", self.ann, channel=self.channel, ts=said)
        await self.slack.wait_for(lambda: self.slack.stack(self.ann), SECONDS)
        return await self._told(self.slack.submit_view(self.ann, {"title": title}))

    async def _kb(self, text: str) -> Any:  # noqa: ANN401 - what Slack's client shows
        return await self.slack.command("/kb", text, self.ann, self.channel)

    async def _told(self, doing: Any) -> str:  # noqa: ANN401 - any act of a person
        """Do something and return the last that the person alone is told: progress comes before it."""
        known = {one.ts for one in self._all()}
        await doing

        def news() -> list[Message]:
            found = [one for one in self._all() if one.ts not in known and one.ephemeral == self.ann]
            return found if found and not _is_progress(seen(found[-1])) else []

        return seen((await self.slack.wait_for(news, SECONDS))[-1])

    async def _answered(self, wanted: Callable[[Message], bool]) -> str:
        def found() -> list[Message]:
            return [one for one in self._all() if wanted(one) and is_whole(one)]

        self.last = (await self.slack.wait_for(found, SECONDS))[-1]
        return seen(self.last)

    def _all(self) -> list[Message]:
        return self.slack.messages(self.channel)


def secrets(slack: SlackEmulator) -> dict[str, str]:
    """Return the environment that the app is given."""
    return {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}


def is_whole(message: Message) -> bool:
    """Tell whether an answer is finished: its buttons come last."""
    return not message.streaming and "lk_" in str(message.blocks)


def seen(message: Message) -> str:
    """Return all words of a message's blocks, or its text where it has none."""
    return "\n".join(_texts(message.blocks)) or message.text


def values(blocks: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return the values of all buttons."""
    if isinstance(blocks, dict):
        own = [str(blocks["value"])] if "value" in blocks else []
        return own + [value for part in blocks.values() for value in values(part)]
    return [value for part in blocks for value in values(part)] if isinstance(blocks, list) else []


def _texts(part: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(part, dict):
        return [
            text
            for key, inner in part.items()
            for text in ([inner] if key == "text" and isinstance(inner, str) else _texts(inner))
        ]
    return [text for inner in part for text in _texts(inner)] if isinstance(part, list) else []


def _is_progress(text: str) -> bool:
    return "…" in text
