"""Signed requests to slack-bolt's own HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.signature import SignatureVerifier

from tests.emulators.slack.conftest import Office
from tests.emulators.slack.errors import NotDelivered
from tests.emulators.slack.http_delivery import signature
from tests.emulators.slack.workspace import Payload


@pytest.fixture
async def served(office: Office) -> AsyncIterator[AsyncApp]:
    """Serve a bolt app and deliver to it by HTTP."""
    bolt = office.bolt()
    runner = web.AppRunner(bolt.web_app(path="/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    office.slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield bolt
    await runner.cleanup()


def test_signatures_are_slacks_own() -> None:
    """Slack's own verifier accepts what is signed here, and nothing else."""
    verifier = SignatureVerifier("secret")
    signed = signature("secret", "1", b"body")
    assert verifier.generate_signature(timestamp="1", body="body") == signed
    assert signature("secret", "2", b"body") != signed


async def test_events_and_commands_pass_the_check(office: Office, served: AsyncApp) -> None:
    """Bolt verifies the signature of events and commands and answers them."""
    seen: list[Payload] = []

    @served.event("message")
    async def keep(event: Payload) -> None:
        seen.append(event)

    @served.command("/ask")
    async def ask(ack: AsyncAck, command: Payload) -> None:
        await ack(f"You asked {command['text']}")

    await office.slack.say(office.channel, office.ann, "Hello?")
    await office.slack.wait_for(lambda: seen)
    answer = await office.slack.command("/ask", "why?", office.ann, office.channel)
    assert answer == {"text": "You asked why?"}
    (message,) = office.slack.messages(office.channel)
    assert (message.text, message.ephemeral) == ("You asked why?", office.ann)


async def test_an_address_answers_its_challenge(office: Office, served: AsyncApp) -> None:
    """The address of an app that verifies signatures answers Slack's challenge."""
    assert await office.slack.verify_url()


async def test_a_wrong_secret_is_refused_and_tried_again(office: Office, served: AsyncApp) -> None:
    """An event that the app refuses is repeated with its number and reason."""
    office.slack.signing_secret = "another"
    await office.slack.say(office.channel, office.ann, "Hello?")
    await office.slack.wait_for(lambda: len([one for one in office.slack.acks if one.failed]) == 2)
    assert [(one.attempt, one.failed) for one in office.slack.acks] == [(0, "http_error"), (1, "http_error")]
    with pytest.raises(NotDelivered):
        await office.slack.command("/ask", "why?", office.ann, office.channel)


async def test_an_app_can_refuse_repetitions(office: Office) -> None:
    """With X-Slack-No-Retry an event that failed is not repeated; an absent app is."""
    headers: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        headers.append(request.headers.get("X-Slack-Retry-Num", ""))
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"} if len(headers) == 2 else {})

    application = web.Application()
    application.router.add_post("/", refuse)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    office.slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await office.slack.say(office.channel, office.ann, "Hello?")
    await office.slack.wait_for(lambda: len(headers) == 2)
    office.slack.clock.advance(400)
    assert headers == ["", "1"]
    await runner.cleanup()
    await office.slack.say(office.channel, office.ann, "Still there?")
    await office.slack.wait_for(lambda: office.slack.acks[-1].failed == "connection_failed")
