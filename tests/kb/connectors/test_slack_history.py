from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.connectors import history
from kb.connectors.slack_history import SlackHistoryConnector
from kb.documents import DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.fetch import Fetcher
from kb.sources import SlackHistorySource
from tests.emulators.slack_history import BOT_ID, BOT_USER, TOKEN, Refusal, SlackServer, serve_slack
from tests.kb.connectors.histories import DAY, HOUR, MINUTE, NOON, Surroundings, listed, listed_into, read


@dataclass(slots=True, kw_only=True)
class Slack:
    """An emulated workspace and connectors to its channel, which share a memory."""

    server: SlackServer
    around: Surroundings

    def connector(self, **settings: object) -> SlackHistoryConnector:
        values = {"name": "chat", "location": self.server.channel, "base_url": self.server.url} | settings
        source = SlackHistorySource.model_validate({"private_hosts": True} | values)
        around = self.around
        return SlackHistoryConnector(source, around.resources(), clock=around.clock, sleep=around.sleep)

    def requests(self) -> list[str]:
        """Return the methods asked for since the last call."""
        methods = [method for method, _ in self.server.asked]
        self.server.asked.clear()
        return methods


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[Slack]:
    fetcher = Fetcher()
    async with serve_slack() as server:
        server.person("U1", "Ann Lee")
        server.person("U2", "Bo")
        yield Slack(server=server, around=Surroundings(folder=tmp_path, fetcher=fetcher, token=TOKEN))
        await fetcher.close()


async def test_a_thread_is_one_document(slack: Slack) -> None:
    """A root and its replies are one document, with names for ids and the root's link."""
    root = slack.server.post(NOON - HOUR, "How do I reset the VPN?\nIt asks ⟨@U2⟩.")
    slack.server.post(
        NOON - HOUR + 30, "Open ⟨https://vpn.acme.io/reset|the page⟩ & wait.", user="U2", thread=root
    )
    connector = slack.connector()
    refs = await listed(connector)
    content = await connector.fetch(refs[root])
    assert content.data.decode() == (
        "# How do I reset the VPN?\n\n"
        "**Ann Lee** (2026-03-06 11:00):\nHow do I reset the VPN?\nIt asks Bo.\n\n"
        "**Bo** (2026-03-06 11:00):\nOpen [the page](https://vpn.acme.io/reset) & wait.\n"
    )
    assert (content.media_type, content.version) == ("text/markdown", None)
    assert content.updated is not None
    assert content.updated.timestamp() == NOON - HOUR + 30
    link = f"https://acme.slack.com/archives/C0GENERAL/p{root.replace('.', '')}"
    assert (content.url, refs[root].url) == (link, link)


async def test_a_talk_is_one_document(slack: Slack) -> None:
    """Messages outside threads that follow each other within minutes are one document; a pause ends it."""
    first = slack.server.post(NOON - 3 * HOUR, "Is the build red?")
    slack.server.post(NOON - 3 * HOUR + 9 * MINUTE, "Since this morning, yes.", user="U2")
    later = slack.server.post(NOON - 3 * HOUR + 20 * MINUTE, "Fixed it by pinning numpy.")
    texts = await read(slack.connector())
    assert set(texts) == {first, later}
    assert "Is the build red?" in texts[first]
    assert "Since this morning" in texts[first]


async def test_midnight_ends_a_talk(slack: Slack) -> None:
    """A talk does not go past midnight UTC, so that a day can be read by itself."""
    before = slack.server.post(NOON - 12 * HOUR - MINUTE, "Good night")
    after = slack.server.post(NOON - 12 * HOUR + MINUTE, "Good morning")
    assert set(await listed(slack.connector())) == {before, after}


async def test_a_quiet_channel_costs_one_page(slack: Slack) -> None:
    """A second listing asks for the page of recent messages, and for no thread older than look_back."""
    root = slack.server.post(NOON - 40 * DAY, "Old thread")
    slack.server.post(NOON - 40 * DAY + HOUR, "Old reply", thread=root)
    slack.server.post(NOON - 50 * DAY, "Old words")
    slack.server.post(NOON - HOUR, "New words")
    before = await listed(slack.connector())
    slack.requests()
    slack.around.now += HOUR
    assert await listed(slack.connector()) == before
    assert slack.requests() == ["conversations.history"]


async def test_a_late_reply_is_read(slack: Slack) -> None:
    """A reply that comes weeks later changes its thread, and no other thread is read for it."""
    roots = [slack.server.post(NOON - day * DAY, f"Question {day}") for day in (25, 40)]
    for root in roots:
        slack.server.post(float(root) + 60, "An answer", thread=root)
    before = await read(slack.connector())
    slack.around.now += HOUR
    slack.server.post(slack.around.now - 60, "It is solved by now.", thread=roots[0])
    slack.requests()
    after = await read(slack.connector())
    assert "It is solved by now." in after[roots[0]]
    assert after[roots[1]] == before[roots[1]]
    assert slack.requests().count("conversations.replies") == 2  # one of them to show what did not change


async def test_a_lively_old_thread_is_read_again(slack: Slack) -> None:
    """A thread whose root is older than what is listed is still looked at while people answer in it."""
    root = slack.server.post(NOON - 90 * DAY, "A long story")
    slack.server.post(NOON - 2 * DAY, "Still going", thread=root)
    await listed(slack.connector())
    slack.around.now += HOUR
    slack.server.post(slack.around.now - 60, "And on", thread=root)
    assert "And on" in (await read(slack.connector()))[root]


async def test_a_reply_shown_in_the_channel_wakes_its_thread(slack: Slack) -> None:
    """A late reply that is also sent to the channel has its old thread read, once."""
    root = slack.server.post(NOON - 90 * DAY, "A long story")
    slack.server.post(NOON - 89 * DAY, "The end", thread=root)
    await listed(slack.connector(look_back="7d"))
    slack.around.now += HOUR
    slack.server.post(slack.around.now - 60, "Not yet", thread=root, subtype="thread_broadcast")
    texts = await read(slack.connector(look_back="7d"))
    assert list(texts) == [root]
    assert "Not yet" in texts[root]


async def test_once_a_day_all_is_listed(slack: Slack) -> None:
    """What was deleted, edited or answered before look_back shows within a day."""
    gone = slack.server.post(NOON - 60 * DAY, "Gone")
    edited = slack.server.post(NOON - 61 * DAY, "Edited")
    root = slack.server.post(NOON - 62 * DAY, "Answered late")
    slack.server.post(NOON - 62 * DAY + 60, "Early", thread=root)
    before = await listed(slack.connector())
    slack.server.delete(gone)
    slack.server.edit(edited, "Edited twice")
    slack.server.post(NOON, "Late", thread=root)
    slack.around.now += HOUR
    assert await listed(slack.connector()) == before
    slack.around.now += DAY
    texts = await read(slack.connector())
    assert set(texts) == {edited, root}
    assert "Edited twice" in texts[edited]
    assert "Late" in texts[root]


async def test_edits_and_deletions_follow(slack: Slack) -> None:
    """An edited or deleted message shows in the next listing, in a thread and in a talk."""
    root = slack.server.post(NOON - 2 * HOUR, "The root")
    reply = slack.server.post(NOON - 2 * HOUR + 1, "The reply", thread=root)
    other = slack.server.post(NOON - 2 * HOUR + 2, "The other", thread=root)
    talk = slack.server.post(NOON - HOUR, "A talk")
    second = slack.server.post(NOON - HOUR + 1, "and more")
    await listed(slack.connector())
    slack.server.edit(reply, "The better reply", at=NOON - 60)
    slack.server.delete(other)
    slack.server.delete(second)
    texts = await read(slack.connector())
    assert "The better reply" in texts[root]
    assert "The other" not in texts[root]
    assert "and more" not in texts[talk]
    slack.server.edit(root, "The better root", at=NOON - 30)
    assert "# The better root" in (await read(slack.connector()))[root]
    slack.server.delete(talk)
    assert set(await listed(slack.connector())) == {root}


async def test_what_was_deleted_does_not_come_back(slack: Slack) -> None:
    """A deleted message stays gone when it would have been older than what is read."""
    talk = slack.server.post(NOON - DAY, "A talk")
    root = slack.server.post(NOON - DAY + HOUR, "A root")
    slack.server.post(NOON - DAY + 2 * HOUR, "A reply", thread=root)
    kept = slack.server.post(NOON - DAY + 5 * HOUR, "Kept")
    await listed(slack.connector(look_back="2d"))
    for ts in list(slack.server.messages):
        if ts != kept:
            del slack.server.messages[ts]
    for days in (0, 5, 0.5):
        slack.around.now += days * DAY
        assert set(await listed(slack.connector(look_back="2d"))) == {kept}
    assert not {key for key in await slack.around.memory.recall() if talk in key or root in key}


async def test_a_thread_outlives_its_root(slack: Slack) -> None:
    """What is left of a thread whose root was deleted stays; Slack's note in its place is not kept."""
    root = slack.server.post(NOON - HOUR, "A mistake")
    slack.server.post(NOON - HOUR + 1, "The answer stays", thread=root)
    await listed(slack.connector())
    slack.server.delete(root)
    texts = await read(slack.connector())
    assert "The answer stays" in texts[root]
    assert "mistake" not in texts[root]
    assert "deleted" not in texts[root]


async def test_a_message_becomes_a_thread(slack: Slack) -> None:
    """A message that gets its first reply leaves its talk and is a thread of its own."""
    first = slack.server.post(NOON - HOUR, "First")
    second = slack.server.post(NOON - HOUR + 1, "Second")
    assert set(await listed(slack.connector())) == {first}
    slack.server.post(NOON - 60, "Reply", thread=first)
    texts = await read(slack.connector())
    assert set(texts) == {first, second}
    assert "Reply" in texts[first]
    assert "Second" not in texts[first]


async def test_bots_are_left_out(slack: Slack) -> None:
    """Bots, our own among them, and notes of the system are no knowledge; people who answer them are."""
    slack.server.post(NOON - 5 * HOUR, "Deploy 12 done", bot_id="B0DEPLOY", subtype="bot_message")
    slack.server.post(NOON - 4 * HOUR, "joined", subtype="channel_join")
    asked = slack.server.post(NOON - 3 * HOUR, f"⟨@{BOT_USER}⟩ where is the wiki?")
    slack.server.post(NOON - 3 * HOUR + 1, "It is at …", user=BOT_USER, bot_id=BOT_ID, thread=asked)
    alarm = slack.server.post(NOON - 2 * HOUR, "Disk full on db1", user="U0ALARM", bot_id="B0ALARM")
    slack.server.post(NOON - 2 * HOUR + 1, "I rotated the logs.", thread=alarm)
    texts = await read(slack.connector())
    assert set(texts) == {alarm}
    assert "I rotated the logs." in texts[alarm]
    assert "Disk full" not in texts[alarm]


async def test_a_named_bot_is_kept(slack: Slack) -> None:
    """The messages of bots that `bots` names are kept, also when their text stands in attachments."""
    alarm = slack.server.post(
        NOON - HOUR, "", user="", bot_id="B0ALARM", subtype="bot_message", username="Alarm",
        attachments=[{"title": "Disk full", "text": "db1 has 0 bytes left", "fallback": "Disk full on db1"}],
    )  # fmt: skip
    assert await listed(slack.connector()) == {}
    texts = await read(slack.connector(bots=["B0ALARM"]))
    assert "**Alarm**" in texts[alarm]
    assert "db1 has 0 bytes left" in texts[alarm]


async def test_other_bots_make_documents_anew(slack: Slack) -> None:
    """A change of `bots` shows at once, in threads that did not change too."""
    root = slack.server.post(NOON - 60 * DAY, "Why?")
    slack.server.post(NOON - 60 * DAY + 1, "Because.", user="U9", bot_id="B0CLEVER", thread=root)
    assert "Because." not in (await read(slack.connector()))[root]
    assert "Because." in (await read(slack.connector(bots=["B0CLEVER"])))[root]


async def test_a_question_to_the_bot_is_context(slack: Slack) -> None:
    """What was asked of the bot is kept where a person answered."""
    asked = slack.server.post(NOON - HOUR, f"⟨@{BOT_USER}⟩ where is the wiki?")
    slack.server.post(NOON - HOUR + 60, "At wiki.acme.io.", user="U2", thread=asked)
    text = (await read(slack.connector()))[asked]
    assert "where is the wiki?" in text
    assert "At wiki.acme.io." in text


async def test_many_threads_take_turns(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing reads a limited number of unchanged threads again, and in a few listings all of them."""
    monkeypatch.setattr(history, "READ_AGAIN", 3)
    roots = [slack.server.post(NOON - (2 + number) * HOUR, f"Question {number}") for number in range(7)]
    replies = [slack.server.post(float(root) + 1, "Answer", thread=root) for root in roots]
    await listed(slack.connector())
    slack.requests()
    for reply in replies:
        slack.server.edit(reply, "Better answer", at=NOON)
    read_again = []
    for _ in range(3):
        slack.around.now += MINUTE
        refs = await listed(slack.connector())
        read_again.append(slack.requests().count("conversations.replies"))
    assert read_again == [3, 3, 3]
    connector = slack.connector()
    texts = [(await connector.fetch(ref)).data for ref in refs.values()]
    assert all(b"Better answer" in text for text in texts)


async def test_a_broken_listing_goes_on(slack: Slack) -> None:
    """A listing that broke off raises, and the next does not read again what was read."""
    roots = [slack.server.post(NOON - (2 + number) * HOUR, f"Question {number}") for number in range(4)]
    for root in roots:
        slack.server.post(float(root) + 1, "Answer", thread=root)
    answered = Refusal(status=200, body={"ok": False, "error": "internal_error"})
    connector = slack.connector(look_back="1s")
    found: list[str] = []

    def fail_after_two() -> None:
        if len(found) == 2:
            slack.server.refusals["conversations.replies"] = [answered]

    with pytest.raises(SourceUnavailable, match="'internal_error'"):
        await listed_into(found, connector, fail_after_two)
    slack.requests()
    assert set(await listed(slack.connector(look_back="1s"))) == set(roots)
    assert slack.requests().count("conversations.replies") == 2


async def test_every_page_is_read(slack: Slack) -> None:
    """A channel and a thread of several pages are listed and read whole."""
    slack.server.page = 3
    roots = [slack.server.post(NOON - (2 + number) * HOUR, f"Talk {number}") for number in range(8)]
    replies = [
        slack.server.post(float(roots[0]) + number, f"Reply {number}.", thread=roots[0])
        for number in range(1, 9)
    ]
    texts = await read(slack.connector())
    assert set(texts) == set(roots)
    assert all(f"Reply {number}." in texts[roots[0]] for number in range(1, len(replies) + 1))


@pytest.mark.parametrize(
    "page",
    [
        Refusal(body={"ok": True, "messages": [], "has_more": True}),
        Refusal(body={"ok": True, "messages": [], "has_more": True, "response_metadata": {}}),
        Refusal(body={"ok": True, "messages": None}),
        Refusal(body={"ok": False, "error": "invalid_cursor"}),
        Refusal(body=[]),
        Refusal(body="<html>Sign in</html>"),
        Refusal(status=502, body="bad gateway"),
        Refusal(status=500, body={"ok": True, "messages": []}),
    ],
)  # fmt: skip
async def test_a_missing_page_is_no_end(slack: Slack, page: Refusal) -> None:
    """A page that does not come as it should breaks the listing in one line."""
    slack.server.page = 2
    for number in range(5):
        slack.server.post(NOON - (2 + number) * HOUR, f"Talk {number}")
    connector = slack.connector()
    refs: list[str] = []
    with pytest.raises(
        SourceUnavailable, match=r"^Source 'chat': the Slack channel 'C0GENERAL'.*\.$"
    ) as raised:
        await listed_into(
            refs, connector, lambda: slack.server.refusals.setdefault("conversations.history", [page])
        )
    assert "\n" not in str(raised.value)
    assert 0 < len(refs) < 5


async def test_it_waits_when_asked(slack: Slack) -> None:
    """A refusal that says how long to wait is obeyed, and the request repeated."""
    talk = slack.server.post(NOON - HOUR, "Words")
    limited = Refusal(status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "30"})
    slack.server.refusals["conversations.history"] = [limited, limited]
    assert set(await listed(slack.connector())) == {talk}
    assert slack.around.slept == [30, 30]


@pytest.mark.parametrize(("after", "waited"), [("61", []), ("25", [25, 25]), ("1e400", []), ("3600", [])])
async def test_it_does_not_wait_for_long(slack: Slack, after: str, waited: list[float]) -> None:
    """More than a minute for one request is not waited; the message says when to try again."""
    limited = Refusal(status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": after})
    slack.server.refusals["conversations.history"] = [limited] * 9
    with pytest.raises(
        SourceUnavailable, match=r"limits requests \(status 429\) (until .* UTC|for years)\. Sync"
    ):
        await listed(slack.connector())
    assert slack.around.slept == waited


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("not_in_channel", r"the bot is not in it\. Invite the bot in the channel: /invite @its-name\."),
        ("channel_not_found", r"sees no such channel\. Correct the id; if it is private: Invite"),
        ("is_archived", r"it is archived\. Unarchive it, or remove the source"),
        ("invalid_auth", r"the token is not valid\. Put a valid bot token .* variable 'SLACK_BOT_TOKEN'\."),
        ("token_revoked", r"was revoked\. Put"),
        ("internal_error", r"Slack answered conversations.history with 'internal_error'\."),
        ("odd\nerror", r"with 'odd\\nerror'\."),
    ],
)
async def test_a_refusal_says_what_to_do(slack: Slack, error: str, advice: str) -> None:
    """Each way in which Slack refuses a channel is one line that says what to do, without the token."""
    slack.server.refusals["conversations.history"] = [Refusal(body={"ok": False, "error": error})]
    with pytest.raises(SourceUnavailable, match=advice) as raised:
        await listed(slack.connector())
    assert str(raised.value).startswith("Source 'chat': the Slack channel 'C0GENERAL' cannot be read: ")
    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)


async def test_a_missing_scope_is_named(slack: Slack) -> None:
    """A bot without the scope is told which one to add."""
    slack.server.scopes = set()
    with pytest.raises(SourceUnavailable, match=r"lacks the scope 'channels:history'\. Add it under OAuth"):
        await listed(slack.connector())


async def test_names_need_a_scope(slack: Slack) -> None:
    """A bot that may not look up people goes by their ids, and asks once."""
    slack.server.scopes = {"channels:history"}
    talk = slack.server.post(NOON - HOUR, "Ask ⟨@U2⟩ or ⟨@W7⟩")
    text = (await read(slack.connector()))[talk]
    assert "**U1**" in text
    assert "Ask U2 or W7" in text
    assert slack.requests().count("users.info") == 1


async def test_names_are_remembered(slack: Slack) -> None:
    """A person's name is asked for once a week; of a stranger nothing but the id is known."""
    talk = slack.server.post(NOON - HOUR, "Ask ⟨@U2⟩ or ⟨@U404⟩")
    assert "Ask Bo or U404" in (await read(slack.connector()))[talk]
    assert slack.requests().count("users.info") == 3
    slack.around.now += 2 * DAY
    await listed(slack.connector())
    assert slack.requests().count("users.info") == 0
    slack.server.person("U2", "Bob")
    slack.around.now += 6 * DAY
    assert "Ask Bob" in (await read(slack.connector()))[talk]


async def test_no_token_is_said(slack: Slack) -> None:
    """Without a token the variable is named."""
    slack.around.token = ""
    with pytest.raises(SourceInvalid, match=r"the environment variable 'SLACK_BOT_TOKEN' is not set\."):
        await listed(slack.connector())


@pytest.mark.parametrize("location", ["general", "#general", "slack://C0GENERAL", "C", "C0../x", "U0PERSON"])
async def test_only_a_channel_id_is_a_location(slack: Slack, location: str) -> None:
    """A location that is no channel id is refused before anything is asked."""
    with pytest.raises(SourceInvalid, match=r"is no channel id\. Give the id"):
        await listed(slack.connector(location=location))
    assert slack.requests() == []


async def test_globs_are_refused(slack: Slack) -> None:
    """`include` and `exclude` would be ignored, so they are refused."""
    with pytest.raises(SourceInvalid, match=r"a channel has no paths to choose by\."):
        await listed(slack.connector(include=["*.md"]))


async def test_private_networks_are_closed(slack: Slack) -> None:
    """A base URL on a private network is not asked unless the source allows it."""
    with pytest.raises(
        SourceUnavailable, match=r"^Source 'chat': the Slack channel 'C0GENERAL' cannot be read: "
    ):
        await listed(slack.connector(private_hosts=False))
    assert slack.requests() == []


async def test_old_messages_are_not_read(slack: Slack) -> None:
    """What is older than `days` leaves the listing, and a forged ref does not fetch it."""
    old = slack.server.post(NOON - 40 * DAY, "Old")
    kept = slack.server.post(NOON - 20 * DAY, "Not so old")
    connector = slack.connector(days=30)
    assert set(await listed(connector)) == {kept}
    with pytest.raises(DocumentVanished):
        await connector.fetch(DocumentRef(source="chat", uri=old, version=""))
    slack.around.now += 15 * DAY
    assert await listed(slack.connector(days=30)) == {}


async def test_a_document_is_fetched_without_a_listing(slack: Slack) -> None:
    """A new connector fetches a thread and a talk as they are now, and says when the version is another."""
    root = slack.server.post(NOON - 3 * HOUR, "Root")
    slack.server.post(NOON - 3 * HOUR + 1, "Reply", thread=root)
    talk = slack.server.post(NOON - HOUR, "Talk")
    slack.server.post(NOON - HOUR + 1, "goes on")
    connector = slack.connector()
    refs = await listed(connector)
    for ref in refs.values():
        there, here = await slack.connector().fetch(ref), await connector.fetch(ref)
        assert there == here
    slack.server.edit(talk, "Talk it over")
    content = await slack.connector().fetch(refs[talk])
    assert b"Talk it over" in content.data
    assert content.version not in (None, refs[talk].version)
    slack.server.delete(talk)
    with pytest.raises(DocumentVanished):
        await slack.connector().fetch(refs[talk])
    assert set(await listed(slack.connector())) > {root}


async def test_a_large_thread_is_refused(slack: Slack) -> None:
    """A thread above the limit is listed and not handed over."""
    root = slack.server.post(NOON - HOUR, "x" * 5000)
    slack.around.max_bytes = 1000
    connector = slack.connector()
    refs = await listed(connector)
    with pytest.raises(DocumentUnreadable, match=r"too large: 5,\d\d\d bytes, the limit is 1,000"):
        await connector.fetch(refs[root])


async def test_little_is_held_in_memory(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was listed and not fetched is held up to a limit; the rest is read again when it is fetched."""
    monkeypatch.setattr(history, "_SHELF_BYTES", 400)
    for number in range(5):
        slack.server.post(NOON - (2 + number) * HOUR, f"Talk {number} " + "x" * 100)
    connector = slack.connector()
    refs = await listed(connector)
    slack.requests()
    contents = [await connector.fetch(ref) for ref in refs.values()]
    assert [content.version for content in contents] == [None] * 5
    assert slack.requests().count("conversations.history") == 3


async def test_it_is_seen_by_the_channel() -> None:
    """A channel's history is for its members unless the source says otherwise."""
    source = SlackHistorySource(name="chat", location="C0GENERAL")
    assert source.seen_by == {"slack:C0GENERAL"}
    assert source.model_copy(update={"audience": ("staff",)}).seen_by == {"staff"}
