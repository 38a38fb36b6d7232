"""What goes wrong between Discord and `lorekeeper serve`, from outside: nothing is lost, doubled or hidden.

All but the token's tests share one process, in the order of this file.
"""

from __future__ import annotations

import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.adapters.discord.serving import (
    COFFEE,
    KEY,
    LEAVE,
    TRAVEL,
    Served,
    Town,
    is_whole,
    serve,
    town_in,
    write,
)
from tests.emulators.discord.messages import Message
from tests.emulators.discord.places import Channel
from tests.emulators.discord.server import DiscordEmulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = "POST /channels/*/messages"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("team")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(folder: Path) -> AsyncIterator[Served]:
    """Serve for the whole module; afterwards no request may have come inside a Retry-After (P18)."""
    async with DiscordEmulator().running() as discord:
        town = town_in(discord)
        write(folder, town)
        async with serve(town, folder) as process:
            await process.ready()
            yield process
        assert discord.limits.early == []
        assert "Traceback" not in process.log


@pytest.fixture
def town(served: Served) -> Town:
    return served.town


async def settled(served: Served) -> None:
    """Wait until nothing is left in the inbox."""
    await served.until(lambda: not served.rows("SELECT 1 FROM inbox WHERE state != 'done'"))


async def once(served: Served, asked: Message, containing: str) -> Message:
    """Return the one answer of a question, once all has settled."""
    await served.replies(asked)
    await settled(served)
    (reply,) = [one for one in served.discord.replies(asked) if is_whole(one)]
    assert containing in reply.text
    return reply


async def say(served: Served, text: str, channel: Channel | None = None) -> Message:
    town = served.town
    return await town.discord.say(channel or town.flat, town.ann, f"{town.discord.bot.mention} {text}")


@pytest.mark.parametrize("later", [1.0, 60.0, 301.0])
async def test_a_message_told_again_is_answered_once(served: Served, town: Town, later: float) -> None:
    """The same event a second, a minute or five minutes later brings no second answer."""
    asked = await say(served, KEY)
    await once(served, asked, "40 euros")
    town.discord.clock.advance(later)
    town.discord.world.tell("MESSAGE_CREATE", asked)
    after = await say(served, TRAVEL)
    await once(served, after, "room 12")
    assert len(town.discord.replies(asked)) == 1


async def test_an_edit_before_its_message_counts_once(served: Served, town: Town) -> None:
    """When the edit arrives first, there is one answer, to the edited text."""
    world, tell = town.discord.world, town.discord.world.tell
    held: list[tuple[str, Message]] = []
    world.tell = lambda name, message: held.append((name, message))  # type: ignore[method-assign]
    try:
        asked = await say(served, KEY)
        await town.discord.edit(asked, f"{town.discord.bot.mention} {TRAVEL}")
    finally:
        world.tell = tell  # type: ignore[method-assign]
    for name, message in reversed(held):
        world.tell(name, message)
    await once(served, asked, "room 12")


async def test_an_answer_whose_receipt_is_lost_is_posted_once(served: Served, town: Town) -> None:
    """Discord takes the post and the connection breaks, or it answers 500: there is still one."""
    for status in (0, 500):
        town.discord.faults.lose_answer(POST, status=status)
        await once(served, await say(served, LEAVE), "28 days")


async def test_a_retry_after_is_kept(served: Served, town: Town) -> None:
    """A 429 delays the answer for as long as Discord says, and nothing is lost."""
    town.discord.faults.rate_limit(POST, 1.5)
    asked = await say(served, COFFEE)
    reply = await once(served, asked, "Friday")
    assert reply.at - asked.at >= 1.5


async def test_a_missing_permission_ends_quietly(served: Served, town: Town) -> None:
    """Where the bot may not write, the turn ends; the next question elsewhere is answered."""
    town.discord.faults.add(POST, status=403, code=50013, times=4)
    asked = await say(served, KEY)
    await settled(served)
    assert town.discord.replies(asked) == []
    town.discord.faults.clear()
    await once(served, await say(served, KEY), "40 euros")


async def test_a_very_long_question_is_seen_to(served: Served, town: Town) -> None:
    """A question of 4,000 characters, the most that /ask takes, is answered in one message."""
    question = f"{KEY} {'very ' * 800}"[:4000]
    asked = await town.discord.command("ask", {"question": question}, user=town.ann, channel=town.general)
    await served.until(lambda: asked.answered)
    (answer,) = asked.messages
    assert 0 < len(answer.text) <= 4000


@pytest.mark.parametrize("fault", ["reconnect", "invalid", "resumable", "cut", "forgotten", "closed"])
async def test_events_flow_after_a_gateway_fault(served: Served, town: Town, fault: str) -> None:
    """Whatever breaks the gateway, what is asked meanwhile is answered, once (P16)."""
    faults = town.discord.faults
    match fault:
        case "reconnect":
            faults.reconnect()
        case "invalid" | "resumable":
            faults.invalid_session(resumable=fault == "resumable")
        case "forgotten":
            faults.forget_sessions()
            faults.cut()
        case "cut":
            faults.cut()
        case _:
            await faults.close(4000)
    await once(served, await say(served, TRAVEL), "room 12")


async def test_a_network_that_was_away_loses_nothing(served: Served, town: Town) -> None:
    """What is asked while the network is down is answered when it is back."""
    town.discord.faults.offline()
    asked = await say(served, COFFEE)
    town.discord.faults.online()
    await once(served, asked, "Friday")


async def test_a_killed_process_leaves_nothing_behind(served: Served, town: Town, folder: Path) -> None:
    """What a killed process had posted or was about to, and what came meanwhile, is answered once."""
    questions = []
    for text, channel, accepted in ((KEY, town.flat, True), (TRAVEL, town.general, False)):
        fault = town.discord.faults.add(POST, hang=True, after=accepted)
        questions.append(await say(served, text, channel))
        await served.until(lambda fault=fault: fault.used)  # type: ignore[misc]
    await served.end(signal.SIGKILL)
    town.discord.faults.clear()
    questions.append(await say(served, LEAVE))
    async with serve(town, folder) as successor:
        for asked, text in zip(questions, ("40 euros", "room 12", "28 days"), strict=True):
            await once(successor, asked, text)
        assert await successor.end() == 0


async def test_a_refused_token_ends_with_one_line(served: Served, town: Town, folder: Path) -> None:
    """Without a valid token serve ends with code 4 and one line that says what to do, and not the token."""
    async with serve(town, folder, DISCORD_BOT_TOKEN="no.such.token") as refused:
        assert await refused.process.wait() == 4
    last = refused.lines[-1]
    assert re.search(r"Discord refused the token", last)
    assert "no.such.token" not in "".join(refused.lines) + refused.log
