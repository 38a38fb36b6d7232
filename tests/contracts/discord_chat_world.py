"""Discord as a surface of the parity suite."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.contracts.chat_world import SECONDS, ServedWorld
from tests.emulators.discord.interactions import Interaction
from tests.emulators.discord.messages import Message
from tests.emulators.discord.server import DiscordEmulator

SETTINGS = """
[discord]
enabled = true
api_url = "{discord.api_url}"
message_content = true
admins = ["{ann.id}"]
"""


class DiscordChatWorld(ServedWorld):
    """A server with a channel and two people."""

    async def open(self, stack: AsyncExitStack) -> None:
        """Start it."""
        self.discord = await stack.enter_async_context(DiscordEmulator().running())
        self.guild = self.discord.add_guild()
        self.general = self.discord.add_channel(self.guild)
        self.ann, self.bob = (self.discord.add_member(self.guild, name) for name in ("Ann", "Bob"))
        self.last: Message | None = None
        await self.serve(stack, SETTINGS.format(discord=self.discord, ann=self.ann), secrets(self.discord))
        await registered(self.discord)

    async def ask(self, question: str) -> str:
        """Mention the bot in the channel; the answer gets a thread."""
        asked = await self.discord.say(self.general, self.ann, f"{self.discord.bot.mention} {question}")
        return await self._answered(lambda: self.discord.replies(asked))

    async def follow_up(self, question: str) -> str:
        """Write into the thread, without a mention."""
        assert self.last is not None
        thread, known = self.last.channel, self.discord.answers(self.last.channel)
        await self.discord.say(thread, self.ann, question)
        return await self._answered(lambda: [one for one in self.discord.answers(thread) if one not in known])

    async def ask_privately(self, question: str) -> str:
        """Use the command for questions, privately."""
        asked = await self._used("ask", question=question, private=True)
        said = await self._answered(lambda: asked.messages)
        assert self.last is not None
        assert self.last.ephemeral_to == self.ann.id
        return said

    async def share(self) -> str:
        """Press the button under the private answer."""
        assert self.last is not None
        known = self._public()
        await self.discord.click(self.last, "lk:share", user=self.ann)
        return await self._answered(lambda: [one for one in self._public() if one not in known])

    async def rate(self) -> str:
        """Press the thumb."""
        assert self.last is not None
        pressed = await self.discord.click(self.last, "lk:feedback", user=self.ann)
        return (await self.discord.answer(pressed, SECONDS)).text

    async def add(self, location: Path, name: str) -> str:
        """Use the command."""
        return await self._told(await self._used("kb add", location=str(location), name=name))

    async def sync(self, name: str) -> str:
        """Use the command."""
        return await self._told(await self._used("kb sync", source=name))

    async def remove(self, name: str) -> str:
        """Use the command and press its question's button."""
        used = await self.discord.answer(await self._used("kb remove", source=name), SECONDS)
        question = used.messages[-1]
        await self.discord.click(question, "lk:confirm", user=self.ann)
        return await self.discord.wait_for(
            lambda: "" if question.buttons() or "…" in question.text else question.text, SECONDS
        )

    async def save(self, text: str, title: str) -> str:
        """Use the message's menu and fill its form in."""
        said = await self.discord.say(self.general, self.bob, text)
        opened = await self.discord.message_menu("Save to knowledge base", said, user=self.ann)
        await self.discord.wait_for(lambda: opened.modal, SECONDS)
        return await self._told(await self.discord.submit_modal(opened, {"Title": title}))

    async def _used(self, command: str, /, **options: object) -> Interaction:
        return await self.discord.command(command, options, user=self.ann, channel=self.general)

    async def _told(self, used: Interaction) -> str:
        """Return the last that the person alone is told: progress comes before it."""
        return await self.discord.wait_for(
            lambda: used.text if used.answered and "…" not in used.text else "", SECONDS
        )

    async def _answered(self, wanted: Callable[[], list[Message]]) -> str:
        def found() -> list[Message]:
            return [one for one in wanted() if one.buttons()]

        self.last = (await self.discord.wait_for(found, SECONDS))[-1]
        return self.last.text

    def _public(self) -> list[Message]:
        places = (self.general, *self.discord.threads(self.general))
        return [one for place in places for one in self.discord.answers(place) if not one.ephemeral]


def secrets(discord: DiscordEmulator) -> dict[str, str]:
    """Return the environment that the bot is given."""
    return {"DISCORD_BOT_TOKEN": discord.token}


async def registered(discord: DiscordEmulator) -> None:
    """Wait until the bot is connected and its commands are there."""
    await discord.ready(seconds=SECONDS)
    done = "PUT /applications/*/commands"
    await discord.wait_for(lambda: [one for one in discord.made(done) if one.status == 200], SECONDS)
