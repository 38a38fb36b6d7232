"""A Slack of one's own on loopback, for the real slack-bolt and slack-sdk clients.

Use it in a test:

    async with SlackEmulator().running() as slack:
        ann = slack.add_user("Ann")
        channel = slack.add_channel("general", members=[ann])
        ...  # start the app with base_url=slack.api_url, slack.bot_token and slack.app_token
        ts = await slack.say(channel, ann, f"{slack.mention} where is the manual?")
        await slack.wait_for(lambda: slack.messages(channel, ts))

Events come by Socket Mode, or by signed HTTP requests once `request_url` is set. `calls` has every call of
the Web API, `acks` every delivery, `faults` and `sockets` make things go wrong, `clock.advance` lets
minutes pass and `limits.on = True` applies Slack's rate limits. Nothing here was taken from Slack's code: it
follows the public documentation, and imports nothing of the project.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web

from tests.emulators.slack import assistant, chat, conversations, files, oauth, people, streams, views
from tests.emulators.slack.control import Control
from tests.emulators.slack.delivery import Delivered
from tests.emulators.slack.interactions import Interactions
from tests.emulators.slack.markup import links, live_mentions
from tests.emulators.slack.responding import Responding
from tests.emulators.slack.site import Called
from tests.emulators.slack.web_api import WebApi
from tests.emulators.slack.workspace import Message, Payload

Value = TypeVar("Value")

# Each of these fills the table of methods when it is imported.
FAMILIES = (assistant, chat, conversations, files, oauth, people, streams, views)


class SlackEmulator(Interactions):
    """One Slack with a workspace, and more when asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.consent = oauth.Consent(self)
        self.downloads = files.Downloads(self)
        self.responding = Responding(self)

    @property
    def acks(self) -> list[Delivered]:
        """Every delivery to the app, with when it was acknowledged."""
        return self.delivery.acks

    @property
    def delivering(self) -> bool:
        """Whether events are on their way, or wait to be delivered again."""
        return bool(self._tasks)

    @property
    def authorize_url(self) -> str:
        """Where the app sends people who install it."""
        return f"{self.url}/oauth/v2/authorize"

    @property
    def api_url(self) -> str:
        """The base address of the Web API, with its slash."""
        return f"{self.url}/api/"

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[SlackEmulator]:
        """Serve on loopback, at a free port by default."""
        application = web.Application(client_max_size=8 << 20)
        self.routes(application)
        runner = web.AppRunner(application, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await self.end()
            await runner.cleanup()

    def routes(self, application: web.Application) -> None:
        """Add what is served."""
        api = WebApi(self)
        application.router.add_get("/api/{method}", api.answer)
        application.router.add_post("/api/{method}", api.answer)
        application.router.add_post("/control/{verb}", Control(self).answer)
        application.router.add_get("/link/", self.sockets.serve)
        application.router.add_get("/oauth/v2/authorize", self.consent.answer)
        application.router.add_get("/files-pri/{file}/{name:.*}", self.downloads.answer)
        application.router.add_post("/actions/{team}/{key}", self.responding.answer)

    # What tests look at

    def messages(self, channel: str, thread_ts: str = "") -> list[Message]:
        """Return the app's messages of a channel or of one thread, oldest first, ephemeral ones too."""
        place = self.channel(channel)
        team = self.workspaces[place.team]
        found = [one for one in place.messages.values() if one.bot_id == team.bot_id]
        if thread_ts:
            found = [one for one in found if one.thread_ts == thread_ts]
        for message in found:
            self.settle(place, message)
        return sorted(found, key=lambda one: float(one.ts))

    def message(self, channel: str, ts: str) -> Message:
        """Return one message, of whomever."""
        return self.channel(channel).messages[ts]

    def calls_of(self, method: str) -> list[Called]:
        return [one for one in self.calls if one.method == method]

    def status(self, channel: str, thread_ts: str) -> str:
        """Return what the app says it is doing in a thread, nothing after two minutes."""
        shown: Payload = self.statuses.get((channel, thread_ts), {})
        return str(shown.get("status", "")) if shown.get("until", 0.0) > self.clock.now() else ""

    def live_mentions(self, message: Message) -> list[str]:
        """Return whom a message would notify."""
        return live_mentions(message.payload() | {"mrkdwn": message.mrkdwn})

    def links(self, message: Message) -> list[str]:
        """Return the addresses that a message would make clickable or load."""
        return links(message.payload())

    async def wait_for(self, found: Callable[[], Value], seconds: float = 5.0) -> Value:
        """Return what `found` gives once it is truthy; fail with the last calls after that many seconds."""
        try:
            return await self.bell.until(found, seconds)
        except TimeoutError:
            last = [(one.method, one.error or one.status) for one in self.calls[-8:]]
            sent = [(one.event_type, one.failed or one.latency) for one in self.delivery.acks[-5:]]
            raise AssertionError(
                f"not within {seconds} s; last calls {last}, last deliveries {sent}"
            ) from None

    async def connected(self, connections: int = 1, seconds: float = 5.0) -> None:
        """Wait until the app has that many sockets open."""
        await self.wait_for(lambda: len(self.sockets.connections) >= connections, seconds)
