from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.events import (
    Event,
    bulk_deleted,
    command_incoming,
    message_text,
    moment,
    person_of,
    question_text,
    to_incoming,
)
from bot.chat import Incoming, Place

BOT, ROLE, GUILD, CHANNEL, MESSAGE, MARA = "900", "901", "100", "200", "1417000000000000000", "300"
PLACE = Place(platform="discord", workspace=GUILD, channel=CHANNEL)
DIRECT = Place(platform="discord", workspace="", channel="250", kind="direct")
EXAMPLES = Path(__file__).resolve().parents[4] / "shared/specs/discord/discord-api-docs/json_examples.json"


def message(**more: object) -> dict[str, Any]:
    """Return a message as the gateway sends it."""
    return {
        "id": MESSAGE,
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "author": {"id": MARA, "username": "mara", "global_name": "Mara Lind"},
        "member": {"nick": None, "roles": []},
        "content": "How do I claim expenses?",
        "timestamp": "2026-09-21T10:24:00+00:00",
        "edited_timestamp": None,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "type": 0,
        **more,
    }


def seen(
    data: dict[str, Any],
    event: Event = "MESSAGE_CREATE",
    place: Place = PLACE,
    *,
    forum_post: bool = False,
    now: float = 0.0,
) -> Incoming | None:
    """Return what an event tells, None when it is nothing for the bot."""
    return to_incoming(event, data, place=place, bot=BOT, roles={ROLE}, forum_post=forum_post, now=now)


def read(
    data: dict[str, Any],
    event: Event = "MESSAGE_CREATE",
    place: Place = PLACE,
    *,
    forum_post: bool = False,
    now: float = 0.0,
) -> Incoming:
    """Return what an event tells, which must be something."""
    incoming = seen(data, event, place, forum_post=forum_post, now=now)
    assert incoming is not None
    return incoming


def test_message() -> None:
    """A message becomes an Incoming with its key, its author's name and its time."""
    incoming = read(message())
    assert incoming.key == incoming.subject == f"discord:{GUILD}:{CHANNEL}:{MESSAGE}"
    assert (incoming.kind, incoming.person, incoming.name) == ("message", MARA, "Mara Lind")
    assert incoming.text == "How do I claim expenses?"
    assert (incoming.addressed, incoming.root) == (False, True)
    assert incoming.received == moment(MESSAGE)
    assert read(message(member={"nick": "mara (finance)"})).name == "mara (finance)"


@pytest.mark.parametrize(
    "more",
    [
        {"mentions": [{"id": BOT, "username": "lorekeeper"}], "content": f"<@{BOT}> how?"},
        {"mentions": [{"id": BOT, "username": "lorekeeper"}], "content": f"<@!{BOT}>   how?"},
        {"mention_roles": [ROLE], "content": f"<@&{ROLE}> how?"},
        {
            "type": 19,
            "content": "how?",
            "message_reference": {"message_id": "1"},
            "referenced_message": {"author": {"id": BOT}},
        },
    ],
)
def test_addressed(more: dict[str, Any]) -> None:
    """A mention of the bot or of its role and a reply to it address it; its name is not part of the text."""
    incoming = read(message(**more))
    assert incoming.addressed
    assert incoming.text == "how?"


def test_a_direct_message_is_addressed() -> None:
    """In a direct message everything is said to the bot; the key has no server."""
    incoming = read(message(channel_id="250", guild_id=None), place=DIRECT)
    assert incoming.addressed
    assert incoming.key == f"discord::250:{MESSAGE}"


def test_everyone_does_not_address() -> None:
    """A call to everyone, or to another role, is not a question to the bot."""
    assert not read(message(mention_everyone=True, content="@everyone lunch?")).addressed
    assert not read(message(mention_roles=["999"], content="<@&999> lunch?")).addressed


@pytest.mark.parametrize(
    "more",
    [
        {"author": {"id": BOT, "username": "lorekeeper", "bot": True}},
        {"author": {"id": BOT}},
        {"author": {"id": "1", "bot": True}},
        {"author": {"id": "1", "system": True}},
        {"webhook_id": "5"},
        {"type": 7},
        {"type": 18},
        {"type": 20},
        {"type": 21},
        {"author": {}},
        {"content": ""},
    ],
)
def test_what_is_not_for_the_bot(more: dict[str, Any]) -> None:
    """Bots, webhooks, Discord's own messages and messages without content for us are left out."""
    assert seen(message(**more)) is None


def test_a_bare_mention_is_kept() -> None:
    """A mention without a word is something the bot answers."""
    incoming = read(message(content=f"<@{BOT}>", mentions=[{"id": BOT}]))
    assert incoming.addressed
    assert incoming.text == ""


def test_root() -> None:
    """A thread's messages and replies begin no conversation; a forum's first post does."""
    thread = Place(platform="discord", workspace=GUILD, channel=CHANNEL, thread="777")
    assert not read(message(channel_id="777"), place=thread).root
    assert read(message(channel_id="777"), place=thread, forum_post=True).root
    assert read(message(channel_id="777"), place=thread).key == f"discord:{GUILD}:777:{MESSAGE}"
    assert not read(message(type=19, message_reference={"message_id": "1"})).root


def test_edit() -> None:
    """An edit has the message's key as its subject; a preview that Discord adds is no edit."""
    stamp = "2026-09-21T10:25:00.123000+00:00"
    incoming = read(message(edited_timestamp=stamp, content="And meals?"), "MESSAGE_UPDATE")
    assert incoming.kind == "edit"
    assert incoming.key == f"discord:{GUILD}:{CHANNEL}:{MESSAGE}:edit:{stamp}"
    assert incoming.subject == f"discord:{GUILD}:{CHANNEL}:{MESSAGE}"
    assert incoming.received == pytest.approx(1_789_986_300.123)
    assert seen(message(embeds=[{}]), "MESSAGE_UPDATE") is None
    assert seen({"id": MESSAGE, "channel_id": CHANNEL, "embeds": []}, "MESSAGE_UPDATE") is None


def test_delete() -> None:
    """A deletion is about its message, alone or in bulk."""
    incoming = read({"id": MESSAGE, "channel_id": CHANNEL, "guild_id": GUILD}, "MESSAGE_DELETE", now=5.0)
    assert (incoming.kind, incoming.key) == ("delete", f"discord:{GUILD}:{CHANNEL}:{MESSAGE}:delete")
    assert (incoming.subject, incoming.received) == (f"discord:{GUILD}:{CHANNEL}:{MESSAGE}", 5.0)
    many = bulk_deleted({"ids": ["1", "2"], "channel_id": CHANNEL}, place=PLACE, now=5.0)
    assert [one.message for one in many] == ["1", "2"]


def test_attachments() -> None:
    """Files come along with name, kind, size and address."""
    file = {
        "id": "7",
        "filename": "a.png",
        "content_type": "image/png; x=y",
        "size": 12,
        "url": "https://cdn.test/a",
    }
    incoming = read(message(content="", attachments=[file]))
    (attachment,) = incoming.attachments
    assert attachment.image
    assert (attachment.id, attachment.name, attachment.size, attachment.url) == (
        "7",
        "a.png",
        12,
        file["url"],
    )


def test_forwarded_messages() -> None:
    """What is forwarded to the bot is what it is asked; forwarding is no reply."""
    snapshot = {"message": {"content": "How do I claim expenses?"}}
    data = message(content="", message_snapshots=[snapshot], message_reference={"type": 1, "message_id": "1"})
    incoming = read(data, place=DIRECT)
    assert incoming.text == "How do I claim expenses?"
    assert incoming.root


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@300> and <@!301>?", "@Mara and @someone?"),
        ("<@&901> ask <@&950> in <#200>", "ask @role in #general"),
        ("<:party:123456> <a:dance:12>", ":party: :dance:"),
        ("due <t:1790000000:R>", "due 2026-09-21 14:13 UTC"),
        ("use </kb add:12>, see <id:customize>", "use /kb add, see customize"),
        ("<t:9999999999999:R>x", "x"),
        ("a  b\n  c  ", "a b\nc"),
        ("List<String> <none>", "List<String> <none>"),
    ],
)
def test_question_text(text: str, shown: str) -> None:
    """Mentions, emoji, times and commands are written as people read them."""
    assert question_text(text, bot=BOT, roles={ROLE}, names={"300": "Mara", "200": "general"}) == shown


def interaction(**more: object) -> dict[str, Any]:
    user = {"id": MARA, "username": "mara", "global_name": "Mara Lind"}
    return {
        "id": MESSAGE,
        "application_id": BOT,
        "token": "T0K3N",
        "locale": "de",
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "member": {"user": user, "nick": "mara", "roles": ["950"], "permissions": str(1 << 5)},
        **more,
    }


def test_command() -> None:
    """A command is addressed, private when asked so, and knows how it is answered."""
    incoming = command_incoming(interaction(), question=" how? ", place=PLACE, private=True, persona="")
    assert incoming.key == f"discord:{GUILD}:{CHANNEL}:{MESSAGE}"
    assert (incoming.kind, incoming.text, incoming.private, incoming.persona) == (
        "command",
        "how?",
        True,
        None,
    )
    assert incoming.reply_to == {"token": "T0K3N", "application": BOT, "id": MESSAGE}
    assert "T0K3N" not in repr(incoming)


def test_person() -> None:
    """A person comes with roles, and is an admin who may manage the server."""
    person = person_of(interaction())
    assert (person.id, person.name, person.groups, person.admin) == (MARA, "mara", frozenset({"950"}), True)
    member = interaction()["member"] | {"permissions": "2048"}
    assert not person_of(interaction(member=member)).admin
    direct = person_of({"user": {"id": MARA, "username": "mara"}})
    assert (direct.id, direct.workspace, direct.admin) == (MARA, "", False)


def test_text_of_a_quoted_message() -> None:
    """A message that is asked about or saved reads as people saw it."""
    data = message(content="ask <@300>", mentions=[{"id": "300", "username": "mara"}])
    assert message_text(data) == "ask @mara"


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text stops an event from being read."""
    assert read(message(content=text), place=DIRECT).addressed


@pytest.mark.trust
@pytest.mark.skipif(not EXAMPLES.exists(), reason="shared/specs is not here")
def test_documented_examples() -> None:
    """The messages and interactions of Discord's documentation are read."""
    found = {}
    for example in json.loads(EXAMPLES.read_text("utf-8")):
        data = example["json"]
        if example["heading"] == "Example Message":
            found["message"] = read(data)
        elif example["heading"] == "Example Interaction" and "member" in data:
            found["interaction"] = command_incoming(data, question="q", place=PLACE)
    assert found["message"].text
    assert found["interaction"].person
    assert found["interaction"].reply_to["token"]
