"""Socket Mode, with slack-bolt at the other end."""

from __future__ import annotations

import asyncio
import time

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from tests.emulators.slack.conftest import Office
from tests.emulators.slack.socket_mode import MOST_CONNECTIONS
from tests.emulators.slack.workspace import Payload


def collect(app: AsyncApp) -> list[Payload]:
    """Keep the event of everything that comes."""
    seen: list[Payload] = []

    async def keep(body: Payload) -> None:
        seen.append(body["event"])

    for kind in (
        "message",
        "app_mention",
        "app_home_opened",
        "agent_session_stopped",
        "member_joined_channel",
    ):
        app.event(kind)(keep)
    return seen


async def test_a_mention_comes_as_two_events(office: Office, app: AsyncApp) -> None:
    """A post that names the bot is delivered as `message` and as `app_mention`, with one ts, escaped."""
    seen, slack = collect(app), office.slack
    ts = await slack.say(office.channel, office.ann, f"{slack.mention} is 1 < 2?")
    await slack.wait_for(lambda: len(seen) == 2)
    assert {one["type"] for one in seen} == {"message", "app_mention"}
    assert {one["ts"] for one in seen} == {ts}
    assert seen[0]["text"] == f"{slack.mention} is 1 &lt; 2?"
    assert all(one["blocks"][0]["elements"][0]["elements"][1]["text"] == " is 1 < 2?" for one in seen)


async def test_edits_deletions_and_previews_are_events(office: Office, app: AsyncApp) -> None:
    """A changed, an unfurled and a deleted message each come with what was there before."""
    seen, slack = collect(app), office.slack
    ts = await slack.say(office.channel, office.ann, "First")
    await slack.edit(office.channel, ts, "Second")
    await slack.unfurl(office.channel, ts, "https://a.example")
    await slack.delete(office.channel, ts)
    await slack.wait_for(lambda: len(seen) == 4)
    kinds = [one.get("subtype") for one in seen]
    assert kinds == [None, "message_changed", "message_changed", "message_deleted"]
    assert seen[1]["previous_message"]["text"] == "First"
    assert seen[2]["message"]["text"] == seen[2]["previous_message"]["text"] == "Second"
    assert seen[3]["deleted_ts"] == ts


async def test_direct_messages_have_no_mention(office: Office, app: AsyncApp) -> None:
    """In a direct message there is the message event alone, of channel type im."""
    seen, slack = collect(app), office.slack
    await slack.say(slack.direct(office.ann), office.ann, f"{slack.mention} hello")
    await slack.open_home(office.ann, tab="messages")
    await slack.wait_for(lambda: len(seen) == 2)
    assert [one["type"] for one in seen] == ["message", "app_home_opened"]
    assert seen[0]["channel_type"] == "im"
    assert seen[1]["tab"] == "messages"


async def test_only_subscribed_events_of_own_channels_come(office: Office, app: AsyncApp) -> None:
    """Nothing comes from channels without the bot, nor what the app is not subscribed to."""
    seen, slack = collect(app), office.slack
    foreign = slack.add_channel("foreign", members=[office.ann], bot=False)
    await slack.say(foreign, office.ann, f"{slack.mention} hello?")
    slack.events.discard("message.channels")
    await slack.say(office.channel, office.ann, "hello?")
    slack.join(foreign, slack.bot_user)
    await slack.wait_for(lambda: seen)
    assert [one["type"] for one in seen] == ["member_joined_channel"]


async def test_files_and_other_bots_are_told_apart(office: Office, app: AsyncApp) -> None:
    """A message with files has the subtype file_share, one of another app a bot id."""
    seen, slack = collect(app), office.slack
    upload = slack.add_file("notes.txt", b"Hello", office.ann)
    await slack.say(office.channel, office.ann, "add this", files=[upload])
    await slack.say(office.channel, "U0OTHER", "beep", bot=True)
    await slack.wait_for(lambda: len(seen) == 2)
    assert (seen[0]["subtype"], seen[0]["files"][0]["size"]) == ("file_share", 5)
    assert (seen[1]["subtype"], seen[1]["bot_id"]) == ("bot_message", "B0OTHERBOT")


async def test_what_is_not_acknowledged_comes_again(office: Office, app: AsyncApp) -> None:
    """An event without a listener comes at once, after one and after five minutes, then is lost."""
    slack = office.slack
    await slack.say(office.channel, office.ann, "Is anybody there?")
    for count, seconds in enumerate((3.1, 60.1, 300.1, 3.1), 1):
        await slack.wait_for(lambda count=count: len(slack.acks) == count)
        slack.clock.advance(seconds)
    await slack.wait_for(lambda: slack.delivery.lost)
    assert [one.attempt for one in slack.acks] == [0, 1, 2, 3]
    assert {one.failed for one in slack.acks} == {"timeout"}
    assert len({one.event_id for one in slack.acks}) == 1


async def test_events_wait_for_a_connection(office: Office) -> None:
    """What was said while nobody was connected arrives when the app is there for a repetition."""
    slack = office.slack
    await slack.say(office.channel, office.ann, "Hello?")
    await slack.wait_for(lambda: len(slack.acks) == 2)
    assert {one.failed for one in slack.acks} == {"no_connection"}
    bolt = office.bolt()
    seen = collect(bolt)
    handler = AsyncSocketModeHandler(bolt, slack.app_token)
    await handler.connect_async()
    await slack.connected()
    slack.clock.advance(61)
    await slack.wait_for(lambda: seen)
    await handler.close_async()


async def test_two_connections_share_the_events(office: Office, app: AsyncApp) -> None:
    """With two connections each carries half of the events."""
    collect(app)
    slack = office.slack
    second = AsyncSocketModeHandler(app, slack.app_token)
    await second.connect_async()
    await slack.connected(2)
    for number in range(10):
        await slack.say(office.channel, office.ann, f"Words {number}")
    await slack.wait_for(lambda: len([one for one in slack.acks if one.acked]) == 10)
    assert [one.delivered for one in slack.sockets.connections] == [5, 5]
    await second.close_async()


async def test_a_zombie_answers_pings_alone(office: Office, app: AsyncApp) -> None:
    """A zombie connection stays open and pings, but no event comes; the repetition takes another one."""
    seen, slack = collect(app), office.slack
    slack.sockets.zombie()
    await slack.say(office.channel, office.ann, "Hello?")
    client = slack.sockets.connections[0]
    assert not client.socket.closed
    second = AsyncSocketModeHandler(app, slack.app_token)
    await second.connect_async()
    await slack.connected(2)
    slack.clock.advance(3.1)
    await slack.wait_for(lambda: seen)
    assert slack.acks[0].failed == "timeout"
    await second.close_async()


async def test_the_client_comes_back_after_a_break(office: Office, app: AsyncApp) -> None:
    """After a cut connection and after a farewell the client connects again and events flow."""
    seen, slack = collect(app), office.slack
    slack.sockets.cut()
    await slack.wait_for(lambda: slack.sockets.opened == 2 and slack.sockets.connections, 10)
    await slack.sockets.disconnect("refresh_requested")
    await slack.wait_for(lambda: slack.sockets.opened == 3 and slack.sockets.connections, 10)
    await slack.say(office.channel, office.ann, "Hello?")
    await slack.wait_for(lambda: seen)


async def test_there_are_at_most_ten_connections(office: Office) -> None:
    """The eleventh connection is told that there are too many."""
    token, count = office.slack.app_token, MOST_CONNECTIONS + 1
    clients = [SocketModeClient(token, web_client=office.client) for _ in range(count)]
    for client in clients:
        client.auto_reconnect_enabled = client.default_auto_reconnect_enabled = False
        await client.connect()
    await office.slack.wait_for(lambda: len(office.slack.sockets.connections) == MOST_CONNECTIONS)
    assert len(office.slack.calls_of("apps.connections.open")) == MOST_CONNECTIONS + 1
    for client in clients:
        await client.close()


async def test_duplicates_come_on_request(office: Office, app: AsyncApp) -> None:
    """With a share of duplicates an acknowledged event is delivered again under the same event id."""
    seen, slack = collect(app), office.slack
    slack.faults.duplicates, slack.faults.duplicate_delays = 1.0, (0.0,)
    await slack.say(office.channel, office.ann, "Hello?")
    await slack.wait_for(lambda: len(seen) == 2)
    assert [one.attempt for one in slack.acks] == [0, 1]
    assert len({one.event_id for one in slack.acks}) == 1


async def test_events_can_overtake_each_other(office: Office, app: AsyncApp) -> None:
    """Events that are held back go out in the order that the test gives them."""
    seen, slack = collect(app), office.slack
    with slack.delivery.held() as held:
        ts = await slack.say(office.channel, office.ann, "First")
        await slack.edit(office.channel, ts, "Second")
        held.reverse()
    await slack.wait_for(lambda: len(seen) == 2)
    assert [one.get("subtype") for one in seen] == ["message_changed", None]


async def test_own_messages_come_back(office: Office, app: AsyncApp) -> None:
    """The app's own posts are delivered to it, as Slack does, unless that is switched off."""
    slack = office.slack
    await office.client.chat_postMessage(channel=office.channel, text="Mine")
    await slack.wait_for(lambda: [one for one in slack.acks if one.acked])
    slack.own_events = False
    await office.client.chat_postMessage(channel=office.channel, text="Mine")
    assert len(slack.acks) == 1


async def test_it_carries_three_hundred_events_a_second(office: Office) -> None:
    """1,200 messages are delivered and acknowledged within four seconds of processor time."""
    slack = office.slack
    ticket = (await office.client.apps_connections_open(app_token=slack.app_token))["url"]
    started = time.process_time()
    async with aiohttp.ClientSession() as session, session.ws_connect(ticket) as socket:
        reader = asyncio.ensure_future(acknowledge(socket, 1200))
        await slack.connected()
        for number in range(1200):
            await slack.say(office.channel, office.ann, f"Words {number}")
        await reader
    await slack.wait_for(lambda: len([one for one in slack.acks if one.acked]) == 1200)
    assert time.process_time() - started < 4


async def acknowledge(socket: aiohttp.ClientWebSocketResponse, count: int) -> None:
    """Acknowledge that many envelopes at once, without looking at them."""
    while count:
        envelope = await socket.receive_json()
        if envelope["type"] == "events_api":
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            count -= 1
