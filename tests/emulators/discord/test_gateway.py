"""The gateway: its protocol, spoken by hand, and its breaks, lived through by the real client."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest

from tests.emulators.discord.conftest import Bot, Connect, Place
from tests.emulators.discord.server import DiscordEmulator

INTENTS = 1 << 0 | 1 << 9 | 1 << 12 | 1 << 15


class Line:
    """A websocket spoken to by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.inflate = zlib.decompressobj()
        self.frames: list[bytes] = []

    async def get(self) -> dict[str, Any]:
        message = await asyncio.wait_for(self.socket.receive(), 5)
        if message.type is aiohttp.WSMsgType.BINARY:
            self.frames.append(message.data)
            return dict(json.loads(self.inflate.decompress(message.data)))
        if message.type is aiohttp.WSMsgType.TEXT:
            return dict(json.loads(message.data))
        return {"closed": self.socket.close_code}

    async def until(self, name: str) -> dict[str, Any]:
        while (event := await self.get()).get("t") != name:
            assert "closed" not in event
        return event

    async def send(self, operation: int, data: object) -> None:
        await self.socket.send_json({"op": operation, "d": data})

    async def identify(
        self, emulator: DiscordEmulator, intents: int = INTENTS, **more: object
    ) -> dict[str, Any]:
        await self.get()
        properties = {"os": "linux", "browser": "test", "device": "test"}
        token = {"token": emulator.token, "intents": intents, "properties": properties}
        await self.send(2, token | more)
        return await self.get()


@asynccontextmanager
async def line(emulator: DiscordEmulator, query: str = "v=10&encoding=json") -> AsyncIterator[Line]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{emulator.gateway_url}?{query}") as socket,
    ):
        yield Line(socket)


async def test_a_session_is_greeted_with_its_guilds() -> None:
    """READY names the guilds as unavailable and where to resume; GUILD_CREATE brings each."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with line(emulator) as spoken:
            ready = await spoken.identify(emulator)
            created = await spoken.get()
    assert ready["t"] == "READY"
    assert ready["s"] == 1
    assert ready["d"]["resume_gateway_url"] == emulator.gateway_url
    assert ready["d"]["guilds"] == [{"id": place.guild.id, "unavailable": True}]
    assert ready["d"]["application"]["flags"] == 1 << 19
    assert created["t"] == "GUILD_CREATE"
    assert [one["name"] for one in created["d"]["channels"]] == ["general"]


async def test_zlib_stream_is_one_stream_of_flushed_frames() -> None:
    """Every frame is binary, ends with the sync mark, and needs the ones before it."""
    async with DiscordEmulator().running() as emulator:
        Place(emulator)
        async with line(emulator, "v=10&encoding=json&compress=zlib-stream") as spoken:
            ready = await spoken.identify(emulator)
    assert ready["t"] == "READY"
    assert len(spoken.frames) == 2
    assert all(frame.endswith(b"\x00\x00\xff\xff") for frame in spoken.frames)
    with pytest.raises(zlib.error):
        zlib.decompress(spoken.frames[1])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 40}, 4013),
        ({"intents": 1 << 1}, 4014),
        ({"shard": [2, 2]}, 4010),
    ],
)
async def test_an_identify_that_is_wrong_is_closed_with_its_code(
    change: dict[str, object], code: int
) -> None:
    """A wrong token, impossible or disallowed intents and shards each have their close code."""
    async with DiscordEmulator().running() as emulator, line(emulator) as spoken:
        assert await spoken.identify(emulator, **change) == {"closed": code}


@pytest.mark.parametrize(
    ("operation", "code"), [(99, 4001), (3, 4003), (8, 4003)], ids=["unknown", "presence", "members"]
)
async def test_what_comes_before_identify_is_refused(operation: int, code: int) -> None:
    """Unknown operations close with 4001, known ones before an identify with 4003."""
    async with DiscordEmulator().running() as emulator, line(emulator) as spoken:
        await spoken.get()
        await spoken.send(operation, {})
        assert await spoken.get() == {"closed": code}


async def test_a_resume_replays_what_was_missed() -> None:
    """Events of the time without a connection come in order, then RESUMED."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with line(emulator) as spoken:
            ready = await spoken.identify(emulator)
            await spoken.until("GUILD_CREATE")
            emulator.faults.cut()
            await emulator.wait_for(lambda: not emulator.gateway.ready())
        for text in ("one", "two"):
            await emulator.say(place.general, place.ann, text)
        async with line(emulator) as again:
            await again.get()
            session = ready["d"]["session_id"]
            await again.send(6, {"token": emulator.token, "session_id": session, "seq": 2})
            events = [await again.get() for _ in range(3)]
    assert [one["t"] for one in events] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
    assert [one["s"] for one in events] == [3, 4, 5]
    assert [one["d"].get("content") for one in events[:2]] == ["one", "two"]


async def test_a_session_that_is_gone_is_invalid() -> None:
    """A resume of an unknown session, or one too old, gets op 9 false."""
    async with DiscordEmulator().running() as emulator:
        Place(emulator)
        async with line(emulator) as spoken:
            ready = await spoken.identify(emulator)
            emulator.faults.cut()
            await emulator.wait_for(lambda: not emulator.gateway.ready())
        emulator.clock.advance(3600)
        for session in (ready["d"]["session_id"], "unknown"):
            async with line(emulator) as again:
                await again.get()
                await again.send(6, {"token": emulator.token, "session_id": session, "seq": 1})
                assert await again.get() == {"op": 9, "d": False}


async def test_a_client_without_heartbeats_is_dropped() -> None:
    """After two missed heartbeats the connection closes with 4009 and the session is over."""
    async with DiscordEmulator(heartbeat_seconds=0.05).running() as emulator, line(emulator) as spoken:
        await spoken.identify(emulator)
        assert await spoken.get() == {"closed": 4009}
        assert not emulator.gateway.sessions


async def test_message_text_needs_the_intent() -> None:
    """Without the intent a message comes empty, unless it mentions the bot or is direct."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with line(emulator) as spoken:
            await spoken.identify(emulator, INTENTS & ~(1 << 15))
            await emulator.say(place.general, place.ann, "secret")
            await emulator.say(place.general, place.ann, f"{emulator.bot.mention} open")
            await emulator.say(emulator.dm(place.ann), place.ann, "direct")
            seen = [(await spoken.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(3)]
    assert seen == ["", f"{emulator.bot.mention} open", "direct"]


async def test_channels_that_the_bot_may_not_see_stay_silent() -> None:
    """No event tells of a message in a channel without the permission to view it."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        closed = emulator.add_channel(place.guild, "closed", private_for=(place.ann,))
        emulator.set_overwrite(closed, emulator.bot, deny=1 << 10)
        async with line(emulator) as spoken:
            await spoken.identify(emulator)
            await emulator.say(closed, place.ann, "unseen")
            await emulator.say(place.general, place.ann, "seen")
            event = await spoken.until("MESSAGE_CREATE")
    assert event["d"]["content"] == "seen"


@pytest.mark.parametrize("fault", ["reconnect", "cut", "resumable", "close"])
async def test_the_client_resumes_after_a_break(connect: Connect, fault: str) -> None:
    """Op 7, a cut connection, op 9 true and close code 4000 all end in a resume without a lost message."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator) as bot:
            (session,) = await emulator.ready()
            if fault == "resumable":
                emulator.faults.invalid_session(resumable=True)
            elif fault == "close":
                await emulator.faults.close(4000)
            else:
                getattr(emulator.faults, fault)()
            await emulator.say(place.general, place.ann, "still there?")
            heard = await asyncio.wait_for(bot.heard.get(), 10)
            await emulator.wait_for(lambda: session.resumes == 1, 10)
    assert heard.content == "still there?"
    assert emulator.gateway.identifies == 1


async def test_an_invalid_session_is_identified_anew(connect: Connect) -> None:
    """After op 9 false the client identifies again, and hears what comes from then on."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator) as bot:
            emulator.faults.invalid_session()
            await emulator.wait_for(lambda: emulator.gateway.identifies == 2, 10)
            await emulator.ready()
            await emulator.say(place.general, place.ann, "again")
            assert (await asyncio.wait_for(bot.heard.get(), 5)).content == "again"


async def test_the_client_leaves_a_dead_connection(connect: Connect) -> None:
    """A connection that sends nothing at all is left by the client, which resumes."""
    async with DiscordEmulator(heartbeat_seconds=0.2).running() as emulator:
        place = Place(emulator)
        async with connect(emulator, Bot(heartbeat_timeout=1.0)) as bot:
            (session,) = await emulator.ready()
            emulator.gateway.connections[0].heard_at += 60
            emulator.faults.zombie("dead")
            await emulator.say(place.general, place.ann, "unheard")
            await emulator.wait_for(lambda: session.resumes == 1, 15)
            assert (await asyncio.wait_for(bot.heard.get(), 5)).content == "unheard"


async def test_a_deaf_connection_still_acknowledges_heartbeats() -> None:
    """A deaf connection sends no event, but answers heartbeats, so only silence gives it away."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with line(emulator) as spoken:
            await spoken.identify(emulator)
            await spoken.until("GUILD_CREATE")
            emulator.faults.zombie("deaf")
            await emulator.say(place.general, place.ann, "unheard")
            await spoken.send(1, 2)
            assert await spoken.get() == {"op": 11}


async def test_a_refused_token_ends_the_client(connect: Connect) -> None:
    """A revoked token closes with 4004, the client ends instead of coming back, and a login is refused."""
    async with DiscordEmulator().running() as emulator:
        token = emulator.token
        async with connect(emulator) as bot:
            await emulator.faults.revoke_token()
            with pytest.raises(discord.ConnectionClosed) as closed:
                await asyncio.wait_for(bot.running, 5)
            async with Bot() as another:
                with pytest.raises(discord.LoginFailure):
                    await another.login(token)
    assert closed.value.code == 4004


async def test_guilds_are_spread_over_shards() -> None:
    """A session of one of two shards gets only the guilds whose id falls to it."""
    async with DiscordEmulator().running() as emulator:
        guilds = [emulator.add_guild(f"guild {number}") for number in range(4)]
        mine = [one.id for one in guilds if (int(one.id) >> 22) % 2 == 1]
        async with line(emulator) as spoken:
            ready = await spoken.identify(emulator, shard=[1, 2])
    assert [one["id"] for one in ready["d"]["guilds"]] == mine


async def test_three_hundred_events_a_second_are_delivered() -> None:
    """900 messages posted at once reach a compressed session, in order, within 3 s."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        loop = asyncio.get_running_loop()
        async with line(emulator, "v=10&encoding=json&compress=zlib-stream") as spoken:
            await spoken.identify(emulator)
            began = loop.time()
            for number in range(900):
                await emulator.say(place.general, place.ann, str(number))
            seen = [(await spoken.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(900)]
            took = loop.time() - began
    assert seen == [str(number) for number in range(900)]
    assert took < 3


async def test_a_sharded_client_hears_every_guild(connect: Connect) -> None:
    """The real client with two shards opens two sessions, each with its guilds, and hears them all."""

    class Sharded(Bot, discord.AutoShardedClient):
        """The same bot over two connections."""

    async with DiscordEmulator().running() as emulator:
        guilds = [emulator.add_guild(f"guild {number}") for number in range(4)]
        channels = [emulator.add_channel(guild) for guild in guilds]
        ann = emulator.add_user("Ann")
        for guild in guilds:
            emulator.add_member(guild, ann)
        async with connect(emulator, Sharded(shard_count=2)) as bot:
            sessions = await emulator.ready(2)
            for number, channel in enumerate(channels):
                await emulator.say(channel, ann, str(number))
            heard = {(await asyncio.wait_for(bot.heard.get(), 5)).content for _ in guilds}
    assert {one.shard for one in sessions} == {(0, 2), (1, 2)}
    assert heard == {"0", "1", "2", "3"}


async def test_the_presence_that_the_client_sets_is_kept(connect: Connect) -> None:
    """What the bot says of itself is seen on its session."""
    async with DiscordEmulator().running() as emulator, connect(emulator) as bot:
        (session,) = await emulator.ready()
        await bot.change_presence(activity=discord.CustomActivity("12 sources"))
        presence = await emulator.wait_for(lambda: session.presence)
    assert presence["activities"][0]["state"] == "12 sources"
