"""Who may see what on Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.assistant import Assistant
from bot.chat import Place
from bot.chat_settings import ChannelSettings
from bot.errors import SurfaceBusy
from bot.extractive import Composer
from bot.languages import en
from kb.embedding import Embedder, MiniLMEmbedder
from kb.minilm.model import MiniLM
from kb.nodes import index_text
from kb.retriever import Searcher
from kb.settings import RetrievalSettings
from kb.store import NodeStore
from tests.adapters.backstage import Assistants
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import bot
from tests.adapters.discord.whole import team
from tests.bot.found import passage
from tests.emulators.discord import permissions
from tests.emulators.discord.places import Channel, Member


def place(town: Town, channel: str, **more: object) -> Place:
    return Place(platform="discord", workspace=town.guild.id, channel=channel, **more)  # type: ignore[arg-type]


async def test_a_public_answer_uses_what_the_channel_may_see(town: Town, tmp_path: Path) -> None:
    """In a channel the tags are its own and those that the settings give it, whoever asks."""
    channel = ChannelSettings(platform="discord", id=town.general.id, audience=("staff",))
    async with bot(town.discord, tmp_path, channels=(channel,)) as scripted:
        found = await scripted.app.surface.audience(place(town, town.general.id), town.ann.id, private=False)
    assert found.tags == {"staff", f"discord:{town.general.id}"}


async def test_a_private_answer_uses_what_the_person_may_see(town: Town, tmp_path: Path) -> None:
    """Someone holds their own tag, their roles', and those of the channels that they may read."""
    discord = town.discord
    role = discord.add_role(town.guild, "ops")
    bea = discord.add_member(town.guild, "Bea", roles=(role,))
    secret = discord.add_channel(town.guild, "secret", private_for=(role,))
    closed = discord.add_channel(town.guild, "closed", private_for=())
    unread = discord.add_channel(town.guild, "unread")
    discord.set_overwrite(unread, bea, deny=permissions.READ_MESSAGE_HISTORY)
    channel = ChannelSettings(platform="discord", id=secret.id, audience=("keys",))
    async with bot(discord, tmp_path, channels=(channel,)) as scripted:
        surface = scripted.app.surface
        hers = await surface.audience(place(town, town.general.id), bea.id, private=True)
        anns = await surface.audience(place(town, town.general.id), town.ann.id, private=True)
    assert {f"discord:user:{bea.id}", f"discord:group:{role.id}", f"discord:{secret.id}", "keys"} <= hers.tags
    assert f"discord:{closed.id}" not in hers.tags
    assert f"discord:{unread.id}" not in hers.tags
    assert not {f"discord:{secret.id}", "keys", f"discord:group:{role.id}"} & anns.tags


async def test_a_direct_message_counts_all_servers_of_the_person(town: Town, tmp_path: Path) -> None:
    """In direct messages the servers count where the person is a member, and no others."""
    discord = town.discord
    other = discord.add_guild("Other")
    others = discord.add_channel(other, "general")
    direct = Place(platform="discord", workspace="", channel=discord.dm(town.ann).id, kind="direct")
    async with bot(discord, tmp_path) as scripted:
        found = await scripted.app.surface.audience(direct, town.ann.id, private=False)
    assert f"discord:{town.general.id}" in found.tags
    assert f"discord:{others.id}" not in found.tags


async def test_a_role_taken_away_counts_at_once(town: Town, tmp_path: Path) -> None:
    """A channel that is closed is not used for the next question, although members are remembered."""
    discord = town.discord
    where = place(town, town.general.id)
    open_channel = discord.add_channel(town.guild, "open")
    async with bot(discord, tmp_path) as scripted:
        surface = scripted.app.surface
        tag = f"discord:{open_channel.id}"
        assert tag in (await surface.audience(where, town.ann.id, private=True)).tags
        everyone = town.guild.roles[town.guild.id]
        discord.set_overwrite(open_channel, everyone, deny=permissions.VIEW_CHANNEL)

        async def hidden() -> bool:
            return tag not in (await surface.audience(where, town.ann.id, private=True)).tags

        await discord.wait_for(hidden)


async def test_what_cannot_be_known_is_not_guessed(town: Town, tmp_path: Path) -> None:
    """When Discord does not tell about the member or the server, `SurfaceBusy` is raised."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        discord.faults.add("GET /guilds/*/members/*", status=503, times=9)
        with pytest.raises(SurfaceBusy):
            await scripted.app.surface.audience(place(town, town.general.id), town.ann.id, private=True)
        unknown = Place(platform="discord", workspace="1", channel="2")
        with pytest.raises(SurfaceBusy):
            await scripted.app.surface.audience(unknown, town.ann.id, private=True)


async def test_members_are_asked_for_once_a_minute(town: Town, tmp_path: Path) -> None:
    """A second question within a minute asks Discord nothing."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        for _ in range(2):
            await scripted.app.surface.audience(place(town, town.general.id), town.ann.id, private=True)
    assert len(discord.made("GET /guilds/*/members/*")) == 1


async def test_places_are_told_apart(town: Town, tmp_path: Path) -> None:
    """A closed channel is private, a thread belongs to its channel, a forum's post to its forum."""
    discord = town.discord
    category = discord.add_category(town.guild, "Team")
    closed = discord.add_channel(town.guild, "closed", private_for=(town.ann,), category=category)
    forum = discord.add_forum(town.guild)
    post = await discord.forum_post(forum, town.ann, "t", "text")
    async with bot(discord, tmp_path) as scripted:
        places = scripted.app._places
        found = [await places.spot(town.guild.id, one) for one in (closed.id, post.channel.id)]
        asleep = await discord.open_thread(town.general, town.ann, "asleep")
        await discord.archive(asleep)
        found.append(await places.spot(town.guild.id, asleep.id))
    assert [one.place.kind for one in found] == ["private", "channel", "channel"]
    assert (found[0].place.parent, found[1].place.channel, found[1].forum) == (category.id, forum.id, True)
    assert (found[2].place.channel, found[2].place.thread) == (town.general.id, asleep.id)


BOARD, THREAD, ALL = "pay.md", "deal.md", "printer.md"
TEXTS = {
    BOARD: ("Salaries", "The bonus of the board is 12 percent of the profit."),
    THREAD: ("The deal", "The price of the new warehouse is 90 thousand crowns."),
    ALL: ("Printer help", "Printer PINs have 6 digits."),
}
BONUS, PRICE = "How large is the bonus of the board?", "What is the price of the new warehouse?"


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return MiniLMEmbedder(MiniLM.load(tmp_path_factory.mktemp("models"), threads=1))


@asynccontextmanager
async def library(
    folder: Path, embedder: Embedder, audiences: Mapping[str, str]
) -> AsyncIterator[Assistants]:
    """Store the documents, some for an audience of their own; give what answers from them."""
    store = await NodeStore.open(folder / "index", model=embedder.identity, dimension=embedder.dimension)
    nodes = [passage(text, title=title, uri=uri).node for uri, (title, text) in TEXTS.items()]
    vectors = await embedder.embed_passages([index_text(one.title, one.heading, one.text) for one in nodes])
    await store.replace(
        {
            node.document_id: [replace(node, embedding=vector, audience=(audiences.get(node.uri, "*"),))]
            for node, vector in zip(nodes, vectors, strict=True)
        }
    )
    chosen = RetrievalSettings()
    searcher = Searcher(store, embedder, chosen)
    try:
        yield lambda ledger: Assistant(searcher, Composer(searcher).compose, None, ledger, chosen)
    finally:
        await store.close()


async def test_a_private_channels_source_is_used_there_and_nowhere_else(
    tmp_path: Path, embedder: Embedder
) -> None:
    """What is limited to a closed channel is told there, and to its members alone where they are alone."""
    async with team(tmp_path) as town:
        discord, guild = town.discord, town.guild
        bea = discord.add_member(guild, "Bea")
        board = discord.add_channel(guild, "board", private_for=(bea,))
        mention = discord.bot.mention

        async def told(where: Channel, who: Member, text: str = f"{mention} {BONUS}") -> str:
            asked = await discord.say(where, who, text)
            return (await town.once(bot, asked, "")).text

        async def privately(who: Member) -> str:
            options = {"question": BONUS, "private": True}
            begun = await discord.command("ask", options, user=who, channel=town.general)
            return (await town.used(bot, begun, "")).text

        async with (
            library(tmp_path, embedder, {BOARD: f"discord:{board.id}"}) as answers,
            town.bot(answers=answers) as bot,
        ):
            inside = await discord.open_thread(board, bea, "talk")
            closed = await discord.open_thread(town.general, bea, "closed", private=True)
            await discord.add_to_thread(closed, discord.bot)
            seen = [await told(board, bea), await told(inside, bea), await told(discord.dm(bea), bea, BONUS)]
            seen.append(await privately(bea))
            assert ["12 percent" in text for text in seen] == [True] * 4
            unseen = [await told(town.general, bea), await told(closed, bea)]
            unseen += [await told(discord.dm(town.ann), town.ann, BONUS), await privately(town.ann)]
            assert ["12 percent" in text or "Salaries" in text for text in unseen] == [False] * 4
            assert all(text.startswith("I could not find this") for text in unseen)


async def test_a_private_answer_is_not_shared_where_it_may_not_be_seen(
    tmp_path: Path, embedder: Embedder
) -> None:
    """A private answer from a closed channel cannot be shared in an open one; the presser reads why."""
    async with team(tmp_path) as town:
        discord = town.discord
        bea = discord.add_member(town.guild, "Bea")
        board = discord.add_channel(town.guild, "board", private_for=(bea,))
        async with (
            library(tmp_path, embedder, {BOARD: f"discord:{board.id}"}) as answers,
            town.bot(answers=answers) as bot,
        ):
            options = {"question": BONUS, "private": True}
            begun = await discord.command("ask", options, user=bea, channel=town.general)
            answer = await town.used(bot, begun, "12 percent")
            pressed = await discord.answer(await discord.click(answer, "lk:share", user=bea))
            assert pressed.text == en.TEXTS.share_not_possible
            assert all(one.ephemeral for one in discord.answers(town.general))


async def test_a_private_threads_source_is_used_there_and_nowhere_else(
    tmp_path: Path, embedder: Embedder
) -> None:
    """What is limited to a private thread is told in it, not in its channel, which more people see."""
    async with team(tmp_path) as town:
        discord = town.discord
        closed = await discord.open_thread(town.general, town.ann, "closed", private=True)
        await discord.add_to_thread(closed, discord.bot)
        async with (
            library(tmp_path, embedder, {THREAD: f"discord:{closed.id}"}) as answers,
            town.bot(answers=answers) as bot,
        ):
            mention = discord.bot.mention
            inside = await discord.say(closed, town.ann, f"{mention} {PRICE}")
            await town.once(bot, inside, "90 thousand")
            for where in (town.general, await discord.open_thread(town.general, town.ann, "open")):
                asked = await discord.say(where, town.ann, f"{mention} {PRICE}")
                assert "90 thousand" not in (await town.once(bot, asked, "I could not find this")).text


async def test_what_is_saved_in_a_private_thread_is_for_its_members(town: Town, tmp_path: Path) -> None:
    """A document that is saved from a private thread has the thread's tag, not that of its channel."""
    discord = town.discord
    closed = await discord.open_thread(town.general, town.ann, "closed", private=True)
    await discord.add_to_thread(closed, discord.bot)
    async with bot(discord, tmp_path) as scripted:
        spot = await scripted.app._places.spot(town.guild.id, closed.id)
        again = await scripted.app._places._asked(town.guild.id, closed.id)
        found = await scripted.app.surface.audience(spot.place, town.ann.id, private=False)
    assert (spot.place.kind, spot.place.room, spot.place.seen_by) == (
        "private", closed.id, f"discord:{closed.id}",
    )  # fmt: skip
    assert again.place.room == closed.id
    assert found.tags == {f"discord:{closed.id}", f"discord:{town.general.id}"}
