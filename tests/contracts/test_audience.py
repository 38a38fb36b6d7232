"""P20: nobody is told what they may not see, whoever asks where, through the real desk and both real gates.

The assistant quotes every passage that the store gives it, so that nothing which the audience lets through
stays unseen. What may be seen is worked out here, from who is where.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from bot.aftercare import Aftercare
from bot.assistant import Assistant
from bot.channels import ChannelRules
from bot.chat import Incoming, Person, Place
from bot.chat_commands import ChatCommands
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.desk import Desk
from bot.home import Home
from bot.inbox import Inbox
from bot.messages import Answer, Question
from bot.outcomes import answer_id
from bot.replies import SHARED, Replies
from kb.documents import EVERYONE, Audience
from kb.settings import RetrievalSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from tests.adapters.discord.conftest import Town as DiscordTown
from tests.adapters.discord.scripted import bot
from tests.adapters.slack.harness import running
from tests.bot.desks import until_done
from tests.bot.found import Composed, Found, Passage
from tests.bot.knowledge import Knowledge, open_knowledge
from tests.bot.surface import ScriptedSurface
from tests.emulators.discord.server import DiscordEmulator
from tests.kb.fakes import DIMENSION, vector_of
from tests.kb.stored import documents_of, nodes_of

USERS = 9
Gate = Callable[..., Awaitable[Audience]]


@dataclass(slots=True, kw_only=True)
class Team:
    """Who is where on a platform, and the tags that the settings give the members of a channel."""

    platform: str
    workspace: str
    gate: Gate
    rules: Sequence[ChannelSettings] = ()
    users: list[str] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    given: dict[str, set[str]] = field(default_factory=dict)

    def public(self, channel: str) -> set[str]:
        """Return the tags that everybody in a channel holds."""
        return {"", f"{self.platform}:{channel}"} | self.given.get(channel, set())

    def private(self, user: str) -> set[str]:
        """Return the tags that one person holds."""
        tags = {"", f"{self.platform}:user:{user}"}
        tags |= {f"{self.platform}:group:{group}" for group, who in self.groups.items() if user in who}
        for channel, who in self.members.items():
            tags |= self.public(channel) if user in who else set()
        return tags

    @property
    def tags(self) -> list[str]:
        """Return one tag a source: that of everyone, and all that anybody may hold."""
        own = {f"{self.platform}:user:{user}" for user in self.users}
        own |= {f"{self.platform}:group:{group}" for group in self.groups}
        return sorted(own.union({"nobody"}, *map(self.public, self.members)))


@asynccontextmanager
async def slack_team(folder: Path) -> AsyncIterator[Team]:
    async with running(folder, connections=1) as rig:
        slack = rig.slack
        users = [
            rig.ann,
            *(slack.add_user(f"U{number}", is_stranger=number > 6) for number in range(1, USERS)),
        ]
        team = Team(platform="slack", workspace=slack.home.id, gate=rig.app.surface.audience, users=users)
        own = users[:7]
        made = {
            rig.channel: set(users[:1]),
            slack.add_channel("open", members=own): set(own),
            slack.add_channel("hr", members=own[:3], private=True): set(own[:3]),
            slack.add_channel("board", members=own[2:4], private=True): set(own[2:4]),
            slack.add_channel("empty", members=[], private=True): set(),
            slack.add_channel("partners", members=users[5:], shared=True): set(users[5:]),
        }
        general, _, hr, *_, partners = made
        team.members = made
        team.places = {one: Place(platform="slack", workspace=slack.home.id, channel=one) for one in made}
        team.groups = {slack.add_group("ops", own[1:3]): set(own[1:3]), slack.add_group("none", []): set()}
        team.rules = rules("slack", {slack.home.id: "staff", hr: "payroll"})
        rig.app._rules._channels.update(ChannelRules(team.rules, {})._channels)
        team.given = {one: {"staff"} for one in made if one not in (hr, partners)} | {hr: {"payroll"}}
        assert general in team.given
        yield team


@asynccontextmanager
async def discord_team(folder: Path) -> AsyncIterator[Team]:
    async with DiscordEmulator().running() as discord:
        guild = discord.add_guild()
        town = DiscordTown(discord, guild, discord.add_channel(guild), discord.add_member(guild, "Ann"))
        role, idle = discord.add_role(guild, "ops"), discord.add_role(guild, "idle")
        some = [discord.add_member(guild, f"U{one}", roles=(role,) if one < 3 else ()) for one in range(1, 9)]
        people = [town.ann, *some]
        users = [one.id for one in people]
        category = discord.add_category(guild, "Teams")
        every = {*users, guild.owner_id}
        made = {
            town.general.id: every,
            discord.add_channel(guild, "open", category=category).id: every,
            discord.add_channel(guild, "hr", private_for=tuple(people[:3])).id: set(users[:3]),
            discord.add_channel(guild, "ops", private_for=(role,)).id: set(users[1:3]),
            discord.add_channel(guild, "empty", private_for=()).id: set(),
            discord.add_forum(guild, "help").id: every,
        }
        _, grouped, hr, *_ = made
        chosen = rules("discord", {category.id: "teams", hr: "payroll"})
        async with bot(discord, folder, channels=chosen) as scripted:
            team = Team(platform="discord", workspace=guild.id, gate=scripted.app.surface.audience)
            team.users, team.rules, team.members = users, chosen, made
            team.places = {
                one: Place(
                    platform="discord",
                    workspace=guild.id,
                    channel=one,
                    parent=category.id if one == grouped else "",
                )
                for one in made
            }
            team.groups = {role.id: set(users[1:3]), idle.id: set()}
            team.given = {grouped: {"teams"}, hr: {"payroll"}}
            yield team


def rules(platform: str, tags: Mapping[str, str]) -> list[ChannelSettings]:
    return [
        ChannelSettings(platform=cast("Any", platform), id=one, audience=(tag,)) for one, tag in tags.items()
    ]


TEAMS = {"slack": slack_team, "discord": discord_team}


@dataclass(slots=True)
class Gated(ScriptedSurface):
    """A scripted platform before a real gate."""

    gate: Gate | None = None

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        assert self.gate is not None
        return await self.gate(place, person, private=private)


@dataclass(slots=True)
class Everything:
    """Finds all that an audience may see."""

    store: NodeStore

    async def search(
        self, text: str, *, audience: Audience = EVERYONE, sources: Sequence[str] = (), limit: int = 10
    ) -> Found:
        nearest = await self.store.find_nearest(vector_of(text), limit=100, audience=audience)
        read = await self.store.read(nearest, audience)
        return Found(passages=tuple(Passage(node=node, text=node.text) for node in read.values()))


async def quote_all(question: str, result: Found) -> Composed:
    lines = [f"{one.text} [{number}]" for number, one in enumerate(result.passages, start=1)]
    quotes = tuple((number, one.text) for number, one in enumerate(result.passages))
    return Composed(text="\n\n".join(lines), used=result.passages, quotes=quotes)


class Heard(Assistant):
    """Keeps what it was asked."""

    asked: list[Question]

    def stream(self, question: Question) -> Any:  # noqa: ANN401 - an async generator of AnswerEvent
        self.asked.append(question)
        return super().stream(question)


@dataclass(slots=True, kw_only=True)
class Court:
    """A team, what is known, and the desk between them. `words` holds the secret of each source by tag."""

    team: Team
    base: Knowledge
    words: dict[str, str]
    desk: Desk
    surface: Gated
    inbox: Inbox
    care: Aftercare
    home: Home
    chat: ChatCommands
    assistant: Heard
    cells: int = 0

    def secrets(self, seen: object) -> set[str]:
        """Return the tags of the sources whose secrets are somewhere in what was seen."""
        found = set(re.findall(r"secret\d+x", str(seen)))
        return {tag for tag, word in self.words.items() if word in found}

    def check(self, seen: object, tags: set[str], about: object) -> None:
        """See that the secrets of these tags are there and no others: a cell for each source."""
        assert self.secrets(seen) == tags & self.words.keys(), about
        self.cells += len(self.words)

    def incoming(self, number: int, user: str, place: Place, *, private: bool = False) -> Incoming:
        key = f"{place.platform}:{place.workspace}:{place.channel}:{number}"
        return Incoming(
            key=key,
            subject=key,
            kind="command" if private else "message",
            place=place,
            message=str(number),
            person=user,
            text="What are the secrets?",
            addressed=True,
            private=private,
        )

    async def answers(self, asked: Sequence[Incoming]) -> dict[str, Answer]:
        """Ask all of them and return the answers by their subjects."""
        for one in asked:
            assert await self.desk.receive(one)
        await until_done(self.inbox, seconds=60.0)
        shown = {post.subject: post.outcome for post in self.surface.posts.values()}
        found = {subject: outcome.answer for subject, outcome in shown.items() if outcome is not None}
        return {subject: answer for subject, answer in found.items() if answer is not None}


@asynccontextmanager
async def court(team: Team, folder: Path) -> AsyncIterator[Court]:
    """Put a court together: a source of one document for each tag that anybody may hold."""
    words = {tag: f"secret{number}x" for number, tag in enumerate(team.tags)}
    sources = [source(folder, tag, word) for tag, word in words.items()]
    async with AsyncExitStack() as stack:
        base = await open_knowledge(stack, folder, sources)
        await fill(base, sources)
        settings = {team.platform: PlatformSettings(per_person=100_000)}
        chosen = ChannelRules(team.rules, settings)
        searcher, surface = Everything(base.store), Gated(platform=team.platform, gate=team.gate)
        retrieval = RetrievalSettings(threshold=0.0, results=60)
        assistant = Heard(cast("Any", searcher), cast("Any", quote_all), None, base.ledger, retrieval)
        assistant.asked = []
        inbox, replies = await Inbox.open(base.engine), await Replies.open(base.engine)
        chat = ChatCommands(base.commands, base.curated, settings, rules=chosen)
        desk = Desk(
            assistant=assistant,
            inbox=inbox,
            replies=replies,
            ledger=base.ledger,
            rules=chosen,
            commands=chat,
            curated=base.curated,
        )
        desk.join(surface)
        stop = asyncio.Event()
        task = asyncio.create_task(desk.run(stop))
        try:
            yield Court(
                team=team,
                base=base,
                words=words,
                desk=desk,
                surface=surface,
                inbox=inbox,
                care=Aftercare(
                    assistant=assistant, ledger=base.ledger, replies=replies, rules=chosen, nodes=base.store
                ),
                home=Home(base.commands, base.ledger, base.engine, settings),
                chat=chat,
                assistant=assistant,
            )
        finally:
            stop.set()
            await task


def source(folder: Path, tag: str, word: str) -> FolderSource:
    """Make a source whose name, page's name, title and text hold its secret."""
    place = folder / "sources" / word
    place.mkdir(parents=True)
    (place / f"{word}.md").write_text(f"# Title {word}\n\nThe word is {word}.\n", encoding="utf-8")
    return FolderSource(name=word, location=str(place), audience=(tag,) if tag else ())


async def fill(base: Knowledge, sources: Sequence[FolderSource]) -> None:
    """Sync a few sources, and write the others as their syncs would: each flushes the disk."""
    synced = [one for one in sources if not one.seen_by or one.seen_by & {"payroll", "nobody"}]
    for one in synced:
        assert (await base.commands.sync(one)).status == "ok"
    groups = [
        nodes_of(
            f"{one.name}.md",
            f"The word is {one.name}.",
            source=one.name,
            title=f"Title {one.name}",
            audience=tuple(Audience(frozenset(one.seen_by)).stored()),
            dimension=DIMENSION,
        )
        for one in sources
        if one not in synced
    ]
    await base.store.replace(documents_of(*groups))


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_nobody_sees_what_they_may_not(platform: str, tmp_path: Path) -> None:
    """Over 2,000 cells of user, channel and source: each shows exactly what may be seen there."""
    async with TEAMS[platform](tmp_path / "app") as team, court(team, tmp_path / "base") as held:
        await in_channels(held)
        await in_direct_messages(held)
        await behind_buttons(held)
        await at_home(held)
    assert held.cells >= 2_000, held.cells


async def in_channels(held: Court) -> None:
    """Ask publicly and privately in one thread of each channel, and look at every answer and memory."""
    team = held.team
    asked = [
        held.incoming(number, user, _in_thread(place), private=private)
        for number, (user, place, private) in enumerate(
            (user, place, private)
            for place in team.places.values()
            for private in (True, False)
            for user in team.users
        )
    ]
    answers = await held.answers(asked)
    assert len(answers) == len(asked)
    for one in asked:
        held.check(answers[one.subject], tags_of(team, one), one)
    for question in held.assistant.asked:
        seen = held.secrets(question.conversation.turns)
        assert seen <= tags_of_memory(team, question), question.conversation.id


async def in_direct_messages(held: Court) -> None:
    """Ask in direct messages."""
    asked = []
    for number, user in enumerate(held.team.users):
        workspace = held.team.workspace if held.team.platform == "slack" else ""
        place = Place(platform=held.team.platform, workspace=workspace, channel=f"D{user}", kind="direct")
        asked.append(held.incoming(1_000_000 + number, user, place))
    answers = await held.answers(asked)
    for one in asked:
        held.check(answers[one.subject], held.team.private(one.person), one)


async def behind_buttons(held: Court) -> None:
    """Look at the sources of a private answer as somebody else, and share it."""
    team = held.team
    for number, (user, place) in enumerate(zip(team.users * 2, list(team.places.values()) * 3, strict=True)):
        asked = held.incoming(2_000_000 + number, user, place, private=True)
        await held.answers([asked])
        other = team.users[(number + 1) % len(team.users)]
        person = Person(platform=team.platform, workspace=team.workspace, id=other)
        key = answer_id(asked.key)
        detail = await held.care.sources(key, held.surface, place, person)
        held.check(detail, team.private(user) & team.private(other), (asked, other))
        owner = Person(platform=team.platform, workspace=team.workspace, id=user)
        await held.care.share(key, owner, held.surface, place)
        shown = [post for post in held.surface.posts.values() if post.subject == asked.subject + SHARED]
        held.check([post.outcome for post in shown], team.public(place.channel), asked)


async def at_home(held: Court) -> None:
    """Open everybody's home and lists, and name sources that are not theirs."""
    team = held.team
    anywhere = next(iter(team.places.values()))
    for user in team.users:
        person = Person(platform=team.platform, workspace=team.workspace, id=user)
        audience = await team.gate(anywhere, user, private=True)
        tags = team.private(user)
        view = await held.home.view(person, audience)
        held.check(view.sources, tags, user)
        assert held.secrets(view) == tags & held.words.keys()
        assert held.secrets(await held.home.suggestions(person, audience)) <= tags
        names = await held.chat.source_names("", person, anywhere, audience=audience)
        assert held.secrets(names) <= tags
        hidden = next(word for tag, word in held.words.items() if tag not in tags)
        for command in ("list", "status", f"show {hidden}"):
            told = [one async for one in held.chat.run(command, person, anywhere, audience=audience)]
            assert held.secrets([one.text.replace(hidden, "") for one in told]) <= tags
            assert told[-1].failed is command.startswith("show")


def tags_of(team: Team, asked: Incoming) -> set[str]:
    """Return what an answer may use."""
    return team.private(asked.person) if asked.private else team.public(asked.place.channel)


def tags_of_memory(team: Team, question: Question) -> set[str]:
    """Return what the memory of a question may hold: it is its asker's alone, or the channel's."""
    user = question.asker.id.rpartition(":")[2]
    if f":private:{user}" in question.conversation.id:
        return team.private(user)
    channel = question.conversation.id.split(":")[2]
    return team.public(channel)


def _in_thread(place: Place) -> Place:
    return Place(
        platform=place.platform,
        workspace=place.workspace,
        channel=place.channel,
        thread=f"t{place.channel}",
        parent=place.parent,
    )
