"""Who may see what on Discord."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.chat import Place
from bot.chat_settings import ChannelSettings
from bot.errors import SurfaceBusy
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import bot
from tests.emulators.discord import permissions


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
