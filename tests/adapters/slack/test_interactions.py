"""Commands, shortcuts, buttons and modals of Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.slack.interactions import (
    command_incoming,
    keep_text,
    person_of,
    place_of,
    pressed,
    shortcut_incoming,
    stopped,
    submitted,
)
from tests.adapters.slack.trust_output import SPECS, needs_specs

URL = "https://hooks.slack.test/1"


def command(**more: object) -> dict[str, Any]:
    """Return the body of a slash command."""
    given = {
        "team_id": "T1",
        "channel_id": "C1",
        "channel_name": "finance",
        "user_id": "U1",
        "user_name": "mara",
    }
    return {
        **given,
        "command": "/ask",
        "text": "How &amp; why?",
        "trigger_id": "1.2",
        "response_url": URL,
        **more,
    }


def action(action_id: str, value: str, **more: object) -> dict[str, Any]:
    """Return the body of a pressed button."""
    return {
        "type": "block_actions",
        "user": {"id": "U1", "username": "mara", "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": "C1", "name": "finance"},
        "container": {"type": "message", "message_ts": "2.2", "channel_id": "C1", "thread_ts": "1.1"},
        "message": {"ts": "2.2", "thread_ts": "1.1"},
        "response_url": URL,
        "trigger_id": "1.2",
        "actions": [{"action_id": action_id, "value": value, "type": "button"}],
        **more,
    }


def test_a_command_asks_in_private() -> None:
    """The answer to a slash command is for its asker alone, and the way to answer comes along."""
    asked = command_incoming(command(), kind="channel")
    assert (asked.kind, asked.private, asked.addressed, asked.text) == ("command", True, True, "How & why?")
    assert asked.key == asked.subject == "T1:C1:command:1.2"
    assert asked.reply_to == {"response_url": URL, "trigger_id": "1.2"}
    assert URL not in repr(asked)


@pytest.mark.parametrize(
    ("channel", "name", "kind"),
    [
        ("D1", "directmessage", "direct"),
        ("C2", "privategroup", "private"),
        ("C3", "mpdm-a--b-1", "private"),
        ("C4", "finance", "private"),
    ],
)
def test_a_command_tells_its_place(channel: str, name: str, kind: str) -> None:
    """What the channel's name does not tell is private, unless the caller knows better."""
    body = command(channel_id=channel, channel_name=name)
    assert place_of(body).kind == kind
    assert place_of(body, "channel").kind == ("channel" if name == "finance" else kind)


def test_a_shortcut_asks_the_message_it_was_used_on() -> None:
    """The message's text is the question, its user's mention apart; the person is who used it."""
    body = {
        "type": "message_action",
        "callback_id": "lk_ask_about",
        "team": {"id": "T1"},
        "user": {"id": "U1", "name": "mara"},
        "channel": {"id": "C1", "name": "finance"},
        "message_ts": "2.2",
        "message": {"text": "<@UBOT> How?", "user": "U2", "ts": "2.2", "thread_ts": "1.1"},
        "trigger_id": "1.2",
        "response_url": URL,
        "action_ts": "3.5",
    }
    asked = shortcut_incoming(body, bot_user="UBOT")
    assert (asked.text, asked.person, asked.private, asked.message) == ("How?", "U1", True, "2.2")
    assert (asked.place.thread, asked.received) == ("1.1", 3.5)


@pytest.mark.parametrize(("value", "good"), [("good:a1", True), ("bad:a1", False)])
def test_thumbs_tell_the_answer_and_the_verdict(value: str, good: bool) -> None:
    """The value of a thumb holds the verdict and the id of the answer."""
    button = pressed(action("lk_feedback", value))
    assert button is not None
    assert (button.control, button.answer, button.good) == ("feedback", "a1", good)
    assert (button.place.thread, button.message, button.person.id) == ("1.1", "2.2", "U1")


def test_a_control_tells_its_answer() -> None:
    """The value of a button under an answer is the answer's id."""
    button = pressed(action("lk_share", "a1", container={"is_ephemeral": True, "message_ts": "2.2"}))
    assert button is not None
    assert (button.control, button.answer, button.good, button.ephemeral) == ("share", "a1", None, True)


def test_other_buttons_of_ours_keep_their_value() -> None:
    """A button that is no control under an answer is told by its action; foreign ones are not ours."""
    asked = pressed(action("lk_ask", "How?", channel=None, container={"type": "view"}, view={"id": "V1"}))
    assert asked is not None
    assert (asked.control, asked.action, asked.value, asked.answer) == (None, "lk_ask", "How?", "")
    assert (asked.place.kind, asked.view) == ("direct", "V1")
    assert pressed(action("other", "x")) is None
    assert pressed({"type": "block_actions"}) is None


def test_a_modal_gives_back_its_fields_and_what_was_kept() -> None:
    """Each field is told by its name, whatever its element, with what was given along."""
    state = {
        "location": {"value": {"type": "plain_text_input", "value": "./docs"}},
        "name": {"value": {"type": "plain_text_input", "value": None}},
        "type": {"value": {"type": "static_select", "selected_option": {"value": "git"}}},
        "tags": {
            "value": {"type": "multi_static_select", "selected_options": [{"value": "a"}, {"value": "b"}]}
        },
        "review": {"value": {"type": "datepicker", "selected_date": "2027-01-31"}},
    }
    view = {"id": "V1", "callback_id": "lk_form:add", "state": {"values": state}}
    body = {
        "user": {"id": "U1", "team_id": "T1"},
        "view": {**view, "private_metadata": keep_text({"place": "C1"})},
    }
    given = submitted(body)
    assert given.values == {
        "location": "./docs",
        "name": "",
        "type": "git",
        "tags": "a,b",
        "review": "2027-01-31",
    }
    assert (given.form, given.keep, given.person.id) == ("lk_form:add", {"place": "C1"}, "U1")


def test_what_a_modal_keeps_has_a_limit() -> None:
    """More than Slack keeps is an error here, not a modal that does not open; what is broken is nothing."""
    with pytest.raises(ValueError, match="3000 characters"):
        keep_text({"text": "x" * 3_000})
    assert submitted({"view": {"private_metadata": "{broken"}}).keep == {}


def test_the_stop_button_tells_the_conversation() -> None:
    """The event names channel, thread and person."""
    event = {"type": "agent_session_stopped", "channel": "D1", "thread_ts": "1.1", "user": "U1"}
    told = stopped({"team_id": "T1", "event": event})
    assert told is not None
    place, person = told
    assert (place.workspace, place.channel, place.thread, place.kind, person) == (
        "T1",
        "D1",
        "1.1",
        "direct",
        "U1",
    )
    assert stopped({"event": {"type": "message"}}) is None


@pytest.mark.trust
@needs_specs
def test_recorded_interactions_are_understood() -> None:
    """Recorded commands, shortcuts, buttons and modals give person, place and values."""
    recorded = json.loads((SPECS / "bolt-python-payloads" / "payloads.json").read_text(encoding="utf-8"))
    bodies = [body for body in recorded.values() if isinstance(body, dict)]
    actions = [body for body in bodies if body.get("type") == "block_actions"]
    assert actions
    assert all(person_of(body).id and pressed(body) is None for body in actions)
    views = [body for body in bodies if body.get("type") == "view_submission"]
    assert views
    assert all(submitted(body).person.workspace for body in views)
    shortcuts = [body for body in bodies if body.get("type") == "message_action"]
    assert [shortcut_incoming(body).text for body in shortcuts] == ["@someone test"]
