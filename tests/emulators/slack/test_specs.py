"""The emulator against the recorded documentation and payloads of Slack."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.emulators.slack.conftest import Office
from tests.emulators.slack.methods import METHODS
from tests.emulators.slack.server import FAMILIES
from tests.emulators.slack.workspace import Json, Payload

SPECS = Path(__file__).resolve().parents[4] / "shared/specs/slack"
DOCS = SPECS / "slack_kit-method-docs/priv/docs"
HERE = Path(__file__).parent

# bolt-python's own recordings have them, the older merged ones do not.
YOUNGER_EVENT_KEYS = {"client_msg_id", "user_team", "file_access", "parent_user_id", "reply_users_count"}

pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(not SPECS.exists(), reason="../shared is absent"),
]

# Younger than the recorded documentation; slack-sdk 3.47 has them.
YOUNGER_METHODS = {"agents.sessions.rename", "agents.sessions.setStatus"}
YOUNGER_ARGUMENTS = {("chat.stopStream", "session_status")}
# Where the client leaves out what the recording calls needed: agent views have no thread yet, and pieces of
# a stream may come as chunks alone.
OPTIONAL_NOW = {
    ("assistant.threads.setSuggestedPrompts", "thread_ts"),
    ("chat.appendStream", "markdown_text"),
}
# Not errors of one method: the front of the API gives them to any call.
OF_THE_FRONT = {"invalid_json", "json_not_object", "unknown_method", "ratelimited"}


def recorded(method: str) -> Payload:
    found: Payload = json.loads((DOCS / "methods" / f"{method}.json").read_text())
    return found


@pytest.mark.parametrize("method", sorted(set(METHODS) - YOUNGER_METHODS))
def test_arguments_are_the_documented_ones(method: str) -> None:
    """A method takes the documented arguments, and needs those that are needed."""
    known = recorded(method)["args"]
    ours = {one for one in METHODS[method].arguments if (method, one) not in YOUNGER_ARGUMENTS}
    assert ours <= set(known)
    needed = {name for name, told in known.items() if told["required"] and (method, name) not in OPTIONAL_NOW}
    assert needed == {one.name for one in METHODS[method].arguments.values() if one.needed}


@pytest.mark.parametrize("method", sorted(set(METHODS) - YOUNGER_METHODS))
def test_tiers_and_scopes_are_the_documented_ones(method: str) -> None:
    """A method has its documented tier, and every scope it asks for is one that lets it in."""
    told, ours = recorded(method), METHODS[method]
    label = told["rate_limit"]["label"]
    if isinstance(ours.tier, int):
        assert label.startswith(f"Tier {ours.tier}:")
    else:
        assert label == "Special rate limits apply."
    documented = {scope["name"] for scope in told["scopes"].get("bot", [])}
    assert set(ours.scopes) <= documented | {"assistant:write"}
    assert bool(ours.scopes) == bool(documented)


def test_errors_are_documented_ones() -> None:
    """Every error name in the handlers is one that Slack documents for a method of the same family."""
    common = set(json.loads((DOCS / "common_errors.json").read_text())) | OF_THE_FRONT
    for family in FAMILIES:
        path = Path(str(family.__file__))
        methods = [one for one in METHODS.values() if one.handler.__module__ == family.__name__]
        known = [set(recorded(one.name)["errors"]) for one in methods if one.name not in YOUNGER_METHODS]
        undocumented = _raised(path) - common - set().union(*known)
        assert undocumented <= {"session_not_found"}, path.name


def _raised(path: Path) -> set[str]:
    """Return the first arguments of all `SlackError(…)` in a module."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {
        node.args[0].value
        for node in calls
        if isinstance(node.func, ast.Name)
        and node.func.id == "SlackError"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_events_have_only_recorded_keys(office_events: dict[str, Payload]) -> None:
    """Every key of an event that the emulator sends is one that Slack's own recordings have."""
    for name, event in office_events.items():
        recording = json.loads((SPECS / "java-json-logs/events" / f"{name}Payload.json").read_text())
        unknown = _keys(event) - _keys(recording) - {"context_team_id", "context_enterprise_id"}
        assert unknown <= YOUNGER_EVENT_KEYS, name


def _keys(node: Json) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(_keys(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_keys(value) for value in node))
    return set()


@pytest.fixture
async def office_events(office: Office) -> dict[str, Payload]:
    """One event of each kind, as it would be sent."""
    slack = office.slack
    with slack.delivery.held() as held:
        ts = await slack.say(office.channel, office.ann, f"{slack.mention} see <https://a.example|this>")
        await slack.edit(office.channel, ts, "Second")
        await slack.delete(office.channel, ts)
        upload = slack.add_file("a.txt", b"a", office.ann)
        await slack.say(office.channel, office.ann, "add this", files=[upload])
        slack.join(office.channel, slack.add_user("Ben"))
        last = next(reversed(slack.channel(office.channel).messages))
        await slack.react(office.channel, last, office.ann, "eyes")
        await slack.open_home(office.ann)
        slack.uninstall()
        slack.revoke()
        events = list(held)
        held.clear()
    found = {}
    for event in events:
        kind = event["event"].get("subtype") or event["event"]["type"]
        found[_recording(kind)] = event
    return found


def _recording(kind: str) -> str:
    """Return the name of the recording of a kind of event."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    return f"Message{name}" if kind in {"file_share", "channel_join"} else name


async def test_interactions_have_the_recorded_keys(office: Office) -> None:
    """A slash command has exactly the keys of the recorded one that a workspace outside Grid has."""
    sent: list[Payload] = []

    async def keep(kind: str, payload: Payload) -> None:
        sent.append(payload)

    office.slack.delivery.ask = keep  # type: ignore[method-assign]
    await office.slack.command("/ask", "why?", office.ann, office.channel)
    path = SPECS / "java-json-logs/app-backend/slash-commands/SlashCommandPayload.json"
    recording = set(json.loads(path.read_text()))
    assert set(sent[0]) <= recording | {"is_enterprise_install", "api_app_id"}
    assert recording - set(sent[0]) <= {"enterprise_id", "enterprise_name", "ssl_check"}
