"""The real Slack app with the real desk and inbox behind it, before an emulated Slack whose clock they share.

Only the assistant is chosen by the test. A bot that is opened again over the same folder is its own
successor; two that are open at once are replicas.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from adapters.slack.app import SlackApp
from adapters.slack.settings import SlackSettings
from bot.aftercare import Aftercare
from bot.channels import ChannelRules
from bot.chat_settings import ChannelSettings
from bot.desk import Desk
from bot.inbox import Inbox
from bot.ledger import Ledger
from bot.replies import Replies
from kb.database import open_database
from tests.adapters.backstage import Assistants, Backstage
from tests.adapters.slack.harness import ScriptedCommands, ScriptedCurated, ScriptedHome, secrets_of
from tests.adapters.slack.serving import SECONDS, shown
from tests.adapters.voting import Commanding
from tests.bot.desks import ScriptedAssistant, until_done
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message, Payload


@dataclass(kw_only=True)
class Bot(Backstage):
    """One running bot."""

    slack: SlackEmulator
    app: SlackApp

    async def begin(self) -> None:
        """Begin to serve, and wait until Slack is heard."""
        before = len(self.slack.sockets.connections)
        await self.app.open()
        self.start(self.app)
        await self.slack.wait_for(
            lambda: self.tasks[1].done() or len(self.slack.sockets.connections) > before, SECONDS
        )
        if self.tasks[1].done():
            self.tasks[1].result()


@asynccontextmanager
async def bot(
    slack: SlackEmulator,
    folder: Path,
    *,
    answers: Assistants = ScriptedAssistant,
    channels: Sequence[ChannelSettings] = (),
    nodes: object = None,
    quiet_seconds: float | None = None,
    commands: Commanding | None = None,
    **settings: object,
) -> AsyncIterator[Bot]:
    """Run a bot over the database in a folder; what a draft cites is looked up in `nodes`.

    With `commands`, those are carried out.
    """
    chosen = SlackSettings(
        enabled=True, api_url=slack.api_url, **cast("Any", {"per_person": 1_000} | settings)
    )
    engine, clock = await open_database("", folder), slack.clock.now
    ledger, inbox = await Ledger.open(engine), await Inbox.open(engine, clock=clock)
    replies = await Replies.open(engine, clock=clock)
    rules = ChannelRules(channels, {"slack": chosen})
    assistant = answers(ledger)
    desk = Desk(
        assistant=assistant,
        inbox=inbox,
        replies=replies,
        ledger=ledger,
        rules=rules,
        commands=cast("Any", ScriptedCommands()),
        curated=cast("Any", ScriptedCurated()),
        concurrent=chosen.concurrent,
        clock=clock,
    )
    aftercare = Aftercare(
        assistant=assistant, ledger=ledger, replies=replies, rules=rules, nodes=cast("Any", nodes)
    )
    app = SlackApp(
        chosen,
        secrets_of(slack),
        desk=desk,
        aftercare=aftercare,
        commands=commands(engine, rules, desk.surface) if commands else cast("Any", ScriptedCommands()),
        curated=cast("Any", ScriptedCurated()),
        home=cast("Any", ScriptedHome()),
        rules=rules,
        engine=engine,
        quiet_seconds=quiet_seconds,
    )
    one = Bot(
        slack=slack, engine=engine, rules=rules, assistant=assistant, inbox=inbox, desk=desk,
        aftercare=aftercare, app=app,
    )  # fmt: skip
    await one.begin()
    try:
        yield one
    finally:
        if one.tasks:
            await one.close()


@dataclass(kw_only=True)
class Team:
    """An emulated Slack with a channel, somebody in it, and a folder for the bot's database."""

    slack: SlackEmulator
    folder: Path
    ann: str
    channel: str

    def bot(self, **more: Any) -> AbstractAsyncContextManager[Bot]:  # noqa: ANN401 - see `bot`
        """Run a bot of this team."""
        return bot(self.slack, self.folder, **more)

    async def say(self, text: str, *, channel: str = "", files: Sequence[str] = ()) -> str:
        """Mention the bot and return the question's ts."""
        return await self.slack.say(
            channel or self.channel, self.ann, f"{self.slack.mention} {text}", files=files
        )

    async def heard(self) -> None:
        """Wait until everything that was delivered is acknowledged, or failed to be."""
        await self.slack.wait_for(
            lambda: self.slack.acks and all(one.failed or one.acked for one in self.slack.acks), SECONDS
        )

    async def settled(self, one: Bot) -> None:
        """Wait until everything is acknowledged and nothing is left in the inbox."""
        await self.heard()
        await until_done(one.inbox, seconds=SECONDS)

    def replies(self, ts: str, *, channel: str = "") -> list[Message]:
        """Return the replies in a question's thread."""
        return self.slack.messages(channel or self.channel, ts)

    async def once(self, one: Bot, ts: str, containing: str, *, channel: str = "") -> Message:
        """Return the only reply to a question, when all is over."""
        await self.slack.wait_for(lambda: self.replies(ts, channel=channel), SECONDS)
        await self.settled(one)
        (reply,) = self.replies(ts, channel=channel)
        assert not reply.streaming
        assert containing in shown(reply)
        return reply

    async def again(self, *, attempt: int = 1) -> None:
        """Deliver every event so far once more, and wait until that is heard."""
        events, before = list(self.slack.delivery.sent), len(self.slack.acks)
        for event in events:
            self.slack.delivery.redeliver(event, attempt=attempt)
        await self.sent(before + len(events))
        await self.heard()

    async def deliver(self, *events: Payload) -> None:
        """Deliver events that were held back, and wait until they are heard."""
        before = len(self.slack.acks)
        for event in events:
            self.slack.delivery.event(event)
        await self.sent(before + len(events))
        await self.heard()

    async def sent(self, count: int) -> None:
        """Wait until Slack has begun so many deliveries."""
        await self.slack.wait_for(lambda: len(self.slack.acks) >= count, SECONDS)


@asynccontextmanager
async def team(folder: Path) -> AsyncIterator[Team]:
    """Open a Slack of a team's own."""
    async with SlackEmulator().running() as slack:
        ann = slack.add_user("Ann")
        channel = slack.add_channel("general", members=[ann])
        yield Team(slack=slack, folder=folder, ann=ann, channel=channel)
