"""Rate limits and faults of the HTTP API."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.emulators.discord.conftest import Connect, Http, Place
from tests.emulators.discord.server import DiscordEmulator


async def test_real_limits_answer_429_with_what_the_client_needs() -> None:
    """The sixth message within 5 s is refused with all that a client needs; a repeat is early."""
    async with DiscordEmulator(real_limits=True).running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        path = f"/channels/{place.general.id}/messages"
        answers = [await http("POST", path, {"content": str(number)}) for number in range(7)]
        emulator.clock.advance(5)
        after = await http("POST", path, {"content": "later"})
    assert [one[0] for one in answers] == [200] * 5 + [429] * 2
    assert [one[2]["X-RateLimit-Remaining"] for one in answers[:5]] == ["4", "3", "2", "1", "0"]
    _, body, headers = answers[5]
    assert 4 < body["retry_after"] <= 5
    assert headers["Via"]
    assert headers["Retry-After"] == "5"
    assert headers["X-RateLimit-Scope"] == "user"
    assert headers["X-RateLimit-Bucket"] == answers[0][2]["X-RateLimit-Bucket"]
    assert emulator.limits.early == ["POST /channels/{channel_id}/messages"]
    assert after[0] == 200


async def test_the_client_waits_out_a_rate_limit(connect: Connect) -> None:
    """A scripted 429 delays the real client by its retry_after, and the message comes once."""
    async with DiscordEmulator().running() as emulator:
        place = Place(emulator)
        async with connect(emulator) as bot:
            emulator.faults.rate_limit("POST /channels/*/messages", 0.2)
            await bot.get_partial_messageable(int(place.general.id)).send("hello")
        refused, taken = emulator.made("POST /channels/*/messages")
    assert (refused.status, taken.status) == (429, 200)
    assert taken.at - refused.at >= 0.2
    assert not emulator.limits.early


async def test_too_many_invalid_requests_are_banned() -> None:
    """After so many 401s every request gets Cloudflare's 429: no Via, no JSON."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        http = Http(emulator, session)
        emulator.limits.most_invalid = 3
        for _ in range(3):
            assert (await http("GET", "/users/@me", token="wrong"))[0] == 401
        status, body, headers = await http("GET", "/users/@me")
    assert status == 429
    assert "Cloudflare" in body
    assert "Via" not in headers


async def test_faults_meet_the_requests_they_name() -> None:
    """An error, a cut before and after the work, a hanging request and an HTML page, each once."""
    async with DiscordEmulator().running() as emulator, aiohttp.ClientSession() as session:
        place, http = Place(emulator), Http(emulator, session)
        path, route = f"/channels/{place.general.id}/messages", "POST /channels/*/messages"
        emulator.faults.add(route, status=503, html=True)
        assert (await http("POST", path, {"content": "a"}))[0] == 503
        emulator.faults.add(route, cut=True)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http("POST", path, {"content": "b"})
        emulator.faults.lose_answer(route, status=500)
        assert (await http("POST", path, {"content": "c"}))[0] == 500
        emulator.faults.add(route, hang=True)
        hanging = asyncio.create_task(http("POST", path, {"content": "d"}))
        await emulator.wait_for(lambda: len(emulator.made(route)) == 4)
        emulator.faults.release()
        assert (await hanging)[0] == 200
        emulator.faults.offline()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http("GET", "/users/@me")
        emulator.faults.online()
        assert (await http("GET", "/users/@me"))[0] == 200
    assert [one.content for one in emulator.messages(place.general)] == ["c", "d"]
