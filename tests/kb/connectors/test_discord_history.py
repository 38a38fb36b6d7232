from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.connectors.discord_history import DiscordHistoryConnector
from kb.connectors.history_discord_access import may_read_history
from kb.documents import DocumentRef
from kb.errors import DocumentVanished, SourceInvalid, SourceUnavailable
from kb.fetch import Fetcher
from kb.sources import DiscordHistorySource
from tests.emulators.discord_history import BOT, GUILD, TOKEN, DiscordServer, Refusal, serve_discord
from tests.kb.connectors.histories import DAY, HOUR, MINUTE, NOON, Surroundings, listed, listed_into, read

HISTORY = 1 << 16


@dataclass(slots=True, kw_only=True)
class Discord:
    """An emulated server and connectors to its channel, which share a memory."""

    server: DiscordServer
    around: Surroundings

    def connector(self, **settings: object) -> DiscordHistoryConnector:
        values = {"name": "chat", "location": self.server.channel, "base_url": self.server.url} | settings
        source = DiscordHistorySource.model_validate({"private_hosts": True} | values)
        around = self.around
        return DiscordHistoryConnector(source, around.resources(), clock=around.clock, sleep=around.sleep)

    def requests(self) -> list[str]:
        """Return the paths asked for since the last call."""
        paths = [asked.partition("?")[0] for asked in self.server.asked]
        self.server.asked.clear()
        return paths


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[Discord]:
    fetcher = Fetcher()
    async with serve_discord() as server:
        yield Discord(server=server, around=Surroundings(folder=tmp_path, fetcher=fetcher, token=TOKEN))
        await fetcher.close()


def talkative(server: DiscordServer, at: float, name: str = "Why is it slow?") -> tuple[str, str, str]:
    """Post a message with a thread of one reply; return the thread, its root and the reply."""
    root = server.post(at, "It takes ages.")
    thread = server.open_thread(at + 1, name, message=root)
    return thread, root, server.post(at + 60, "Add an index.", user="Bo", thread=thread)


async def test_a_thread_is_one_document(discord: Discord) -> None:
    """A thread on a message is one document under its name, with that message first and its own link."""
    thread, _, _ = talkative(discord.server, NOON - HOUR)
    connector = discord.connector()
    refs = await listed(connector)
    content = await connector.fetch(refs[thread])
    assert list(refs) == [thread]
    assert content.data.decode() == (
        "# Why is it slow?\n\n"
        "**Ann** (2026-03-06 11:00):\nIt takes ages.\n\n"
        "**Bo** (2026-03-06 11:01):\nAdd an index.\n"
    )
    assert content.url == refs[thread].url == f"https://discord.com/channels/{GUILD}/{thread}"
    assert content.updated is not None
    assert content.updated.timestamp() == NOON - HOUR + 60


async def test_a_talk_is_one_document(discord: Discord) -> None:
    """Messages outside threads are joined until a pause; the link is that of the first."""
    first = discord.server.post(NOON - 3 * HOUR, "Is the build red?")
    discord.server.post(NOON - 3 * HOUR + 9 * MINUTE, "Yes, since this morning.", user="Bo")
    later = discord.server.post(NOON - 2 * HOUR, "Fixed it.")
    connector = discord.connector()
    refs = await listed(connector)
    assert set(refs) == {first, later}
    assert refs[first].url == f"https://discord.com/channels/{GUILD}/{discord.server.channel}/{first}"
    assert b"Yes, since this morning." in (await connector.fetch(refs[first])).data


async def test_a_forum_is_its_posts(discord: Discord) -> None:
    """Each post of a forum is a document under its title, archived ones too."""
    discord.server.type = 15
    new = discord.server.forum_post(NOON - HOUR, "How to deploy", "Which command is it?")
    discord.server.post(NOON - HOUR + 60, "make deploy", user="Bo", thread=new)
    old = discord.server.forum_post(NOON - 20 * DAY, "Old story", "Once upon a time")
    discord.server.archive(old, NOON - 17 * DAY)
    texts = await read(discord.connector())
    assert set(texts) == {new, old}
    assert texts[new].startswith("# How to deploy\n\n**Ann**")
    assert "make deploy" in texts[new]
    assert "Once upon a time" in texts[old]


async def test_private_threads_are_left_out(discord: Discord) -> None:
    """What only some of the channel may see is neither listed nor fetched by a forged ref."""
    secret = discord.server.open_thread(NOON - HOUR, "Salaries", kind=12)
    discord.server.post(NOON - HOUR, "Do not tell", thread=secret)
    other = discord.server.open_thread(NOON - HOUR, "Of another channel")
    discord.server.threads[other]["parent_id"] = "700000000000000002"
    discord.server.post(NOON - HOUR, "Not here", thread=other)
    connector = discord.connector()
    assert await listed(connector) == {}
    for thread in (secret, other):
        with pytest.raises(DocumentVanished):
            await connector.fetch(DocumentRef(source="chat", uri=thread, version=""))
    assert discord.server.count(f"channels/{secret}/messages") == 0


async def test_a_quiet_channel_costs_few_requests(discord: Discord) -> None:
    """A second listing asks for the lists and one page, and for no thread older than look_back."""
    thread, _, _ = talkative(discord.server, NOON - 40 * DAY)
    discord.server.archive(thread, NOON - 37 * DAY)
    discord.server.post(NOON - 50 * DAY, "Old words")
    discord.server.post(NOON - HOUR, "New words")
    before = await listed(discord.connector())
    assert len(before) == 3
    discord.requests()
    discord.around.now += HOUR
    assert await listed(discord.connector()) == before
    channel = f"channels/{discord.server.channel}"
    assert discord.requests() == [
        channel,
        "users/@me",
        f"guilds/{GUILD}/threads/active",
        f"{channel}/threads/archived/public",
        f"{channel}/messages",
    ]


async def test_a_late_reply_is_read(discord: Discord) -> None:
    """A reply to a thread archived long ago changes it."""
    thread, _, _ = talkative(discord.server, NOON - 90 * DAY)
    discord.server.archive(thread, NOON - 87 * DAY)
    await listed(discord.connector())
    discord.around.now += HOUR
    discord.server.post(discord.around.now - 60, "It was the disk.", thread=thread)
    discord.server.threads[thread]["thread_metadata"]["archived"] = False
    assert "It was the disk." in (await read(discord.connector()))[thread]


async def test_edits_and_deletions_follow(discord: Discord) -> None:
    """An edited or deleted message shows in the next listing, in a thread, its root and a talk."""
    thread, root, reply = talkative(discord.server, NOON - 2 * HOUR)
    other = discord.server.post(NOON - 2 * HOUR + 90, "Or two.", thread=thread)
    talk = discord.server.post(NOON - HOUR, "A talk")
    second = discord.server.post(NOON - HOUR + 1, "and more")
    await listed(discord.connector())
    discord.server.edit(reply, "Add two indices.", at=NOON, thread=thread)
    discord.server.edit(root, "It takes minutes.", at=NOON)
    discord.server.delete(other, thread=thread)
    discord.server.delete(second)
    connector = discord.connector()
    refs = await listed(connector)
    content = await connector.fetch(refs[thread])
    assert b"Add two indices." in content.data
    assert b"It takes minutes." in content.data
    assert b"Or two." not in content.data
    assert content.updated is not None
    assert content.updated.timestamp() == NOON
    assert b"and more" not in (await connector.fetch(refs[talk])).data
    discord.server.delete_thread(thread)
    discord.server.delete(root)
    assert set(await listed(discord.connector())) == {talk}


async def test_a_thread_outlives_its_root(discord: Discord) -> None:
    """A thread whose first message was deleted in the channel keeps the rest."""
    thread, root, _ = talkative(discord.server, NOON - HOUR)
    await listed(discord.connector())
    discord.server.delete(root)
    text = (await read(discord.connector()))[thread]
    assert "Add an index." in text
    assert "It takes ages." not in text


async def test_once_a_day_all_is_listed(discord: Discord) -> None:
    """What was deleted before look_back shows within a day."""
    gone = discord.server.post(NOON - 60 * DAY, "Gone")
    thread, root, reply = talkative(discord.server, NOON - 70 * DAY)
    discord.server.archive(thread, NOON - 67 * DAY)
    before = await listed(discord.connector())
    discord.server.delete(gone)
    discord.around.now += HOUR
    assert await listed(discord.connector()) == before
    discord.server.delete(reply, thread=thread)
    discord.around.now += DAY
    texts = await read(discord.connector())
    assert list(texts) == [thread] == [root]
    assert "Add an index." not in texts[thread]


@pytest.mark.parametrize("kept", [True, False])
async def test_the_root_of_an_old_thread_is_followed(discord: Discord, kept: bool) -> None:
    """An edit or deletion of the message that an old thread began with shows within a day."""
    thread, root, _ = talkative(discord.server, NOON - 60 * DAY)
    discord.server.archive(thread, NOON - 57 * DAY)
    await listed(discord.connector())
    if kept:
        discord.server.edit(root, "It is fast.", at=NOON)
    else:
        discord.server.delete(root)
    discord.around.now += DAY
    text = (await read(discord.connector()))[thread]
    assert "It takes ages." not in text
    assert ("It is fast." in text) is kept
    assert "Add an index." in text
    discord.requests()
    discord.around.now += DAY
    await listed(discord.connector())
    assert f"channels/{thread}/messages" not in discord.requests()


async def test_bots_are_left_out(discord: Discord) -> None:
    """Bots, webhooks, joins and questions to our own bot are no knowledge, unless `bots` names them."""
    bot = {"id": "600000000000000777", "username": "Deployer", "bot": True}
    deploy = discord.server.post(NOON - 5 * HOUR, "Deployed 12", author=bot)
    discord.server.post(NOON - 4 * HOUR, "Hook", webhook_id="600000000000000888")
    discord.server.post(NOON - 3 * HOUR, "", type=7)
    discord.server.post(NOON - 2 * HOUR, f"<@{BOT}> where?", mentions=[{"id": BOT, "username": "lore"}])
    discord.server.post(NOON - HOUR, "Here.", author={"id": BOT, "username": "lore", "bot": True})
    assert await listed(discord.connector()) == {}
    assert "Deployed 12" in (await read(discord.connector(bots=[bot["id"]])))[deploy]


async def test_every_page_is_read(discord: Discord) -> None:
    """A channel, a thread and a list of archived threads of several pages are read whole."""
    talks = [discord.server.post(NOON - (2 + number) * HOUR, f"Talk {number}") for number in range(230)]
    long = discord.server.open_thread(NOON - HOUR, "Long")
    for number in range(205):
        discord.server.post(NOON - HOUR + number, f"Reply {number}.", thread=long)
    archived = [
        discord.server.forum_post(NOON - (9 + day) * DAY, f"Post {day}", "Text") for day in range(120)
    ]
    for day, thread in enumerate(archived):
        discord.server.archive(thread, NOON - (6 + day) * DAY)
    texts = await read(discord.connector())
    assert set(texts) == {*talks, long, *archived}
    assert all(f"Reply {number}." in texts[long] for number in range(205))


@pytest.mark.parametrize(
    ("ending", "refusal"),
    [
        ("threads/active", Refusal(status=500, body={"message": "oops"})),
        ("threads/active", Refusal(status=200, body={})),
        ("archived/public", Refusal(status=200, body={"threads": [], "has_more": True})),
        ("archived/public", Refusal(status=403, body={"code": 50001})),
        ("/messages", Refusal(status=200, body={"message": "odd"})),
        ("/messages", Refusal(status=502, body="<html>")),
        ("/messages", Refusal(status=404, body={"code": 10003})),
        ("700000000000000001", Refusal(status=404, body={"code": 10003})),
        ("users/@me", Refusal(status=400, body={"code": 0})),
    ],
)  # fmt: skip
async def test_a_missing_page_is_no_end(discord: Discord, ending: str, refusal: Refusal) -> None:
    """A list that does not come as it should breaks the listing in one line."""
    discord.server.post(NOON - HOUR, "Words")
    discord.server.refusals[ending] = [refusal]
    with pytest.raises(SourceUnavailable, match=r"^Source 'chat': the Discord channel '7.*\.$") as raised:
        await listed(discord.connector())
    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)


async def test_a_second_page_that_fails_is_no_end(discord: Discord) -> None:
    """A page that fails after others were listed breaks the listing."""
    for number in range(120):
        discord.server.post(NOON - (2 + number) * HOUR, f"Talk {number}")
    found: list[str] = []
    with pytest.raises(SourceUnavailable):
        await listed_into(
            found,
            discord.connector(),
            lambda: discord.server.refusals.setdefault("/messages", [Refusal(status=500)]),
        )
    assert 0 < len(found) < 120


async def test_hidden_text_is_no_empty_channel(discord: Discord) -> None:
    """Without the message content intent Discord shows empty messages: the channel is not read."""
    discord.server.post(NOON - HOUR, "Words")
    discord.server.sees_text = False
    with pytest.raises(SourceUnavailable, match=r"Switch on Message Content Intent"):
        await listed(discord.connector())


async def test_an_empty_message_is_odd_and_no_more(discord: Discord) -> None:
    """A message of a kind without any part is left out when the bot may read text."""
    discord.server.post(NOON - 2 * HOUR, "")
    talk = discord.server.post(NOON - HOUR, "Words")
    assert set(await listed(discord.connector())) == {talk}
    assert discord.server.count("applications/@me") == 1


@pytest.mark.parametrize("forum", [False, True])
async def test_hidden_history_is_no_empty_channel(discord: Discord, forum: bool) -> None:
    """Without Read Message History Discord shows no messages: the channel is not read."""
    if forum:
        discord.server.type = 15
        discord.server.forum_post(NOON - HOUR, "Title", "Words")
    else:
        discord.server.post(NOON - HOUR, "Words")
    discord.server.permissions = 1 << 10
    with pytest.raises(
        SourceUnavailable, match=r"hides its history from the bot\. Give the bot View Channel and"
    ):
        await listed(discord.connector())


async def test_an_emptied_channel_is_empty(discord: Discord) -> None:
    """A channel whose messages were all deleted lists nothing."""
    message = discord.server.post(NOON - HOUR, "Words")
    await listed(discord.connector())
    discord.server.delete(message)
    assert await listed(discord.connector()) == {}


async def test_a_thread_can_be_the_source(discord: Discord) -> None:
    """The id of a thread gives that thread alone, with the message it began with."""
    thread, _, _ = talkative(discord.server, NOON - HOUR)
    discord.server.post(NOON - 2 * HOUR, "Not this")
    texts = await read(discord.connector(location=thread))
    assert set(texts) == {thread}
    assert "It takes ages." in texts[thread]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, r"the token is not valid\. Put a valid bot token in .* variable 'DISCORD_BOT_TOKEN'\."),
        (403, r"the bot may not see it\. Give the bot View Channel and Read Message History there\."),
        (404, r"there is no such channel, or the bot is not on its server\. Correct the id, or invite it\."),
        (418, r"Discord answered 'channels/7\d+' with status 418\."),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_to_do(discord: Discord, status: int, advice: str) -> None:
    """Each way in which Discord refuses a channel says what to do."""
    discord.server.every = Refusal(status=status, body={"message": "no", "code": 0})
    with pytest.raises(SourceUnavailable, match=advice):
        await listed(discord.connector())


async def test_it_waits_when_asked(discord: Discord) -> None:
    """A refusal is waited for as long as it says, and a window that is used up is waited for before it."""
    talk = discord.server.post(NOON - HOUR, "Words")
    limited = Refusal(status=429, body={"retry_after": 1.5, "global": False}, headers={"Retry-After": "2"})
    discord.server.refusals["/messages"] = [limited]
    assert set(await listed(discord.connector())) == {talk}
    assert discord.around.slept == [2]
    discord.around.slept.clear()
    discord.server.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0.25"}
    discord.requests()
    await listed(discord.connector())
    assert discord.around.slept == [0.25] * (len(discord.requests()) - 1)


@pytest.mark.parametrize(
    "location", ["general", "discord://700000000000000001", "7", "70000000000000000x", "@me"]
)
async def test_only_a_channel_id_is_a_location(discord: Discord, location: str) -> None:
    """A location that is no channel id is refused before anything is asked."""
    with pytest.raises(SourceInvalid, match=r"is no channel id\."):
        await listed(discord.connector(location=location))
    assert discord.requests() == []


@pytest.mark.parametrize("kind", [1, 3, 4, 14])
async def test_only_text_is_read(discord: Discord, kind: int) -> None:
    """A category, a directory and private messages are no source."""
    discord.server.type = kind
    with pytest.raises(SourceInvalid, match=r"is no text channel, forum or thread of a server\."):
        await listed(discord.connector())


async def test_old_threads_are_not_read(discord: Discord) -> None:
    """A thread without a message in `days` is not listed and not fetched by a forged ref."""
    thread, _, _ = talkative(discord.server, NOON - 40 * DAY)
    connector = discord.connector(days=30)
    assert await listed(connector) == {}
    with pytest.raises(DocumentVanished):
        await connector.fetch(DocumentRef(source="chat", uri=thread, version=""))


async def test_a_document_is_fetched_without_a_listing(discord: Discord) -> None:
    """A new connector fetches a thread and a talk as they are now."""
    talkative(discord.server, NOON - 2 * HOUR)
    discord.server.post(NOON - HOUR, "Talk")
    discord.server.post(NOON - HOUR + 1, "goes on")
    connector = discord.connector()
    refs = await listed(connector)
    assert len(refs) == 2
    for ref in refs.values():
        assert await discord.connector().fetch(ref) == await connector.fetch(ref)


def overwrite(identity: str, *, allow: int = 0, deny: int = 0) -> dict[str, str]:
    return {"id": identity, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize(
    ("everyone", "role", "overwrites", "may"),
    [
        (1 << 10 | HISTORY, 0, [], True),
        (1 << 10, 0, [], False),
        (0, 1 << 3, [overwrite("1", deny=HISTORY)], True),
        (1 << 10, HISTORY, [], True),
        (1 << 10 | HISTORY, 0, [overwrite("1", deny=HISTORY)], False),
        (1 << 10 | HISTORY, 0, [overwrite("1", deny=HISTORY), overwrite("2", allow=HISTORY)], True),
        (1 << 10 | HISTORY, 0, [overwrite("2", deny=HISTORY), overwrite("3", allow=HISTORY)], True),
        (1 << 10 | HISTORY, 0, [overwrite("3", deny=1 << 10)], False),
        (1 << 10 | HISTORY, 0, [overwrite("99", deny=HISTORY)], True),
    ],
)
def test_permissions_add_up(everyone: int, role: int, overwrites: list[dict[str, str]], may: bool) -> None:
    """Roles are joined, then the channel's rules for everyone, for roles and for the member count."""
    roles = [{"id": "1", "permissions": str(everyone)}, {"id": "2", "permissions": str(role)}]
    member = {"user": {"id": "3"}, "roles": ["2"]}
    channel = {"guild_id": "1", "permission_overwrites": overwrites}
    assert may_read_history(member, roles, channel) is may


async def test_it_is_seen_by_the_channel() -> None:
    """A channel's history is for its members unless the source says otherwise."""
    assert DiscordHistorySource(name="chat", location="7" * 18).seen_by == {"discord:" + "7" * 18}
