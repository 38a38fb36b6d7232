"""Slack's events become Incoming."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.slack.events import question_text, to_incoming
from bot.chat import Incoming
from tests.adapters.slack.trust_output import SPECS, needs_specs

BOT = "UBOT"
TS = "1726133700.887259"


def body(event: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """Return an Events API body around an event."""
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": dict(event), **more}


def message(**more: object) -> dict[str, Any]:
    """Return a message event in a public channel."""
    given = {"type": "message", "user": "U1", "ts": TS, "event_ts": TS, "channel": "C1", "text": "How?"}
    return {**given, "channel_type": "channel", **more}


def changed(text: str, before: str, **more: object) -> dict[str, Any]:
    """Return a message_changed event."""
    edited = {"user": "U1", "ts": "1726133800.1"}
    held = {"type": "message", "user": "U1", "ts": TS, "text": text, "edited": edited}
    old = {"type": "message", "user": "U1", "ts": TS, "text": before}
    return message(subtype="message_changed", message={**held, **more}, previous_message=old, hidden=True)


def seen(event: Mapping[str, Any], **more: object) -> Incoming:
    """Return the Incoming of an event that is seen to."""
    incoming = to_incoming(body(event, **more), bot_user=BOT)
    assert incoming is not None
    return incoming


def test_a_message_and_its_mention_are_one_thing() -> None:
    """The two events that a mention sends have one key, and both count as addressed."""
    said = seen(message(text=f"<@{BOT}> How do I?"))
    mention = message(type="app_mention", text=f"<@{BOT}> How do I?")
    del mention["channel_type"]
    mentioned = to_incoming(body(mention), bot_user=BOT, kind="channel")
    assert mentioned == said
    assert said.key == said.subject == f"T1:C1:{TS}"
    assert (said.text, said.addressed, said.root, said.received) == ("How do I?", True, True, float(TS))


def test_a_mention_of_unknown_channel_kind_counts_as_private() -> None:
    """Without the channel's kind nothing is taken for public."""
    mention = message(type="app_mention")
    del mention["channel_type"]
    assert seen(mention).place.kind == "private"


@pytest.mark.parametrize(
    ("told", "kind"), [("channel", "channel"), ("group", "private"), ("mpim", "private"), ("im", "direct")]
)
def test_the_place_is_what_slack_tells(told: str, kind: str) -> None:
    """Each channel type has its kind, and a direct message needs no mention."""
    incoming = seen(message(channel_type=told))
    assert incoming.place.kind == kind
    assert incoming.addressed == (kind == "direct")


def test_a_reply_belongs_to_its_thread_and_a_root_begins_one() -> None:
    """The thread is the root's timestamp, for the root itself too."""
    root = seen(message())
    reply = seen(message(ts="1726133799.1", thread_ts=TS))
    assert root.place == reply.place
    assert (root.root, reply.root, reply.message) == (True, False, "1726133799.1")


@pytest.mark.parametrize(
    "event",
    [
        message(bot_id="B1"),
        message(user=BOT),
        message(user="USLACKBOT"),
        message(subtype="channel_join"),
        message(subtype="bot_message", user=None),
        message(subtype="channel_topic"),
        message(hidden=True),
        message(user=None),
        changed("same", "same"),
        changed("new", "old", bot_id="B1"),
        changed("new", "old", edited=None),
        changed("new", "old", subtype="assistant_app_thread"),
        message(subtype="message_deleted", previous_message={"user": BOT, "ts": TS}, deleted_ts=TS),
        message(subtype="message_deleted"),
        {"type": "reaction_added", "user": "U1"},
        {},
    ],
)
def test_what_no_person_wrote_is_not_seen_to(event: dict[str, Any]) -> None:
    """Bots, Slack's own lines, joins, unfurled links and replies to replies are no questions."""
    assert to_incoming(body(event), bot_user=BOT) is None


def test_an_edit_is_about_its_message() -> None:
    """An edit has the subject of the message and a key of its own, the same for every retry."""
    edit = seen(changed("How do I claim?", "How do I"))
    again = seen(changed("How do I claim?", "How do I"))
    assert edit == again
    assert (edit.kind, edit.subject, edit.text) == ("edit", f"T1:C1:{TS}", "How do I claim?")
    assert edit.key == f"T1:C1:{TS}:edit:1726133800.1"
    assert edit.place == seen(message()).place


@pytest.mark.parametrize(
    "event",
    [
        message(
            subtype="message_deleted",
            ts="1726133900.1",
            event_ts="1726133900.1",
            deleted_ts=TS,
            previous_message={"user": "U1", "ts": TS, "text": "How?"},
            hidden=True,
        ),
        message(
            subtype="message_changed",
            ts="1726133900.1",
            event_ts="1726133900.1",
            message={"subtype": "tombstone", "user": "USLACKBOT", "ts": TS, "text": "Deleted."},
            previous_message={"user": "U1", "ts": TS, "text": "How?"},
            hidden=True,
        ),
    ],
    ids=["deleted", "tombstone"],
)
def test_a_deletion_is_told_in_two_ways(event: dict[str, Any]) -> None:
    """A message that is gone, or whose place a tombstone keeps for its thread, is deleted."""
    gone = seen(event)
    assert (gone.kind, gone.key, gone.person) == ("delete", f"T1:C1:{TS}:delete", "U1")
    assert (gone.subject, gone.text, gone.received) == (f"T1:C1:{TS}", "", 1726133900.1)


def test_files_come_along_with_their_address() -> None:
    """A file has name, type, size and the address for its bytes; one that is gone is left out."""
    file = {
        "id": "F1",
        "name": "a.png",
        "mimetype": "image/png",
        "size": 5,
        "url_private": "https://files.test/a",
    }
    said = seen(message(subtype="file_share", text="", files=[file, {"id": "F2", "mode": "tombstone"}]))
    assert [(one.id, one.name, one.image, one.size, one.url) for one in said.attachments] == [
        ("F1", "a.png", True, 5, "https://files.test/a")
    ]


def test_the_workspace_is_the_one_that_installed_the_app() -> None:
    """In a shared channel the authorization names our workspace, and the place is shared."""
    more = {"authorizations": [{"team_id": "T9"}], "is_ext_shared_channel": True}
    place = seen(message(), **more).place
    assert (place.workspace, place.shared) == ("T9", True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@UBOT> hi", "hi"),
        ("hi <@UBOT>, you", "hi , you"),
        ("ask <@U2> or <@U3|ann>", "ask @Bo or @ann"),
        ("in <#C2|general> and <#C3>", "in #general and #channel"),
        ("<!here> <!subteam^S1|@oncall> <!subteam^S2>", "@here @oncall @group"),
        ("see <https://a.test/x|the guide>", "see the guide (https://a.test/x)"),
        ("see <https://a.test/x|a.test/x>", "see https://a.test/x"),
        ("<mailto:a@b.test|a@b.test>", "a@b.test"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&lt;@UBOT&gt;", "<@UBOT>"),
        ("<@UBOT>\n```\n  indented\n```", "```\n  indented\n```"),
    ],
)
def test_text_reads_as_people_see_it(text: str, read: str) -> None:
    """Mentions become names, links their address, and the bot's own mention goes."""
    assert question_text(text, bot_user=BOT, names={"U2": "Bo"}) == read


@pytest.mark.trust
@needs_specs
def test_recorded_payloads_are_understood() -> None:
    """What Slack was recorded to send gives what its kind asks for, and never fails."""
    recorded = json.loads((SPECS / "bolt-python-payloads" / "payloads.json").read_text(encoding="utf-8"))
    kinds: dict[str, str] = {}
    for name, payload in recorded.items():
        if isinstance(payload, dict):
            incoming = to_incoming(payload, bot_user=BOT)
            kinds[name.partition("::")[0]] = incoming.kind if incoming else "none"
    assert kinds["test_message_deleted"] == "delete"
    assert kinds["test_message_file_share"] == "message"
    assert kinds["test_message_thread_broadcast"] == "message"
    assert kinds["test_shortcut"] == "none"


@pytest.mark.trust
@needs_specs
def test_payloads_with_every_key_and_no_value_are_nothing() -> None:
    """What has all the keys that Slack was ever seen to send, each of them blank, is nobody's message."""
    files = sorted((SPECS / "java-json-logs" / "events").glob("Message*Payload.json"))
    assert len(files) > 10
    for file in files:
        payload = json.loads(file.read_text(encoding="utf-8"))
        assert to_incoming(payload, bot_user=BOT) is None, file.name
