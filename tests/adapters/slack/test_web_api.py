"""Everything that is sent to Slack, in each language: documented methods and arguments, within the limits."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

import adapters.slack
from adapters.slack.client import FREE_CALLS
from adapters.slack.pace import FREE
from bot.texts import texts
from tests.adapters.slack.block_limits import message_problems, view_problems
from tests.adapters.slack.driving import SPOKEN, Sent, everything
from tests.adapters.slack.trust_output import SPECS, needs_specs

SOURCES = Path(adapters.slack.__file__).parent
DOCS = SPECS / "slack_kit-method-docs/priv/docs/methods"
TIERS = SPECS / "java-meta/metadata/web-api/rate_limit_tiers.json"
_A_MINUTE = {"Tier1": 1, "Tier2": 20, "Tier3": 50, "Tier4": 100}
_METHOD = re.compile(
    r"(?:agents|api|apps|assistant|auth|bots|chat|conversations|files|oauth|reactions|team|usergroups|users|views)"
    r"(?:\.[A-Za-z0-9]+)+(?<!\.com)"
)

# What is younger than the recorded documentation, and where Slack documents it.
DOCUMENTED_ELSEWHERE: dict[str, tuple[set[str], str]] = {
    "agents.sessions.setStatus": (
        {"channel_id", "thread_ts", "status"},
        "https://docs.slack.dev/reference/methods/agents.sessions.setStatus",
    ),
}
# Needed when the documentation was recorded, and no more: slack-sdk 3.47 may leave it out; the Messages tab
# has no thread before the first message.
OPTIONAL_NOW = {("assistant.threads.setSuggestedPrompts", "thread_ts")}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """Do everything that the bot does, once for all tests."""
    return await everything(tmp_path_factory.mktemp("everything"))


def named() -> set[str]:
    """Return the methods of the Web API that the adapter's source names."""
    return {
        node.value
        for path in SOURCES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _METHOD.fullmatch(node.value)
    }


def called_on_the_client() -> set[str]:
    """Return the methods of the SDK's client that the adapter's source calls by name."""
    known = {name for name, _ in inspect.getmembers(AsyncWebClient, inspect.iscoroutinefunction)}
    calls = (
        node.func.attr
        for path in SOURCES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )
    return {name for name in known & set(calls) if not name.startswith("_")} - {"api_call"}


def recorded(method: str) -> dict[str, Any]:
    return dict(json.loads((DOCS / f"{method}.json").read_text("utf-8"))["args"])


async def test_the_run_does_everything(sent: Sent) -> None:
    """Every method that the source names is called, and none in a way that its text does not show."""
    assert named() == sent.methods()
    assert called_on_the_client() == set()


@pytest.mark.trust
@needs_specs
async def test_methods_and_arguments_are_documented(sent: Sent) -> None:
    """Slack documents every method and argument that is used, and every argument that it needs is given."""
    wrong: set[str] = set()
    for call in sent.calls:
        given = set(call.arguments)
        if call.method in DOCUMENTED_ELSEWHERE:
            known, needed = DOCUMENTED_ELSEWHERE[call.method][0], {"status"}
        elif (DOCS / f"{call.method}.json").is_file():
            told = recorded(call.method)
            known = set(told)
            needed = {name for name, one in told.items() if one["required"]} - {"token"}
        else:
            wrong.add(f"{call.method} is not documented")
            continue
        needed -= {name for method, name in OPTIONAL_NOW if method == call.method}
        wrong |= {f"{call.method}: unknown {name}" for name in given - known}
        wrong |= {f"{call.method}: without {name}" for name in needed - given}
    assert wrong == set()


@pytest.mark.trust
@needs_specs
async def test_free_calls_are_half_of_the_documented_limits() -> None:
    """No more calls go side by side than half of what Slack documents to take a minute."""
    tiers = json.loads(TIERS.read_text("utf-8"))
    for method in named():
        most = _A_MINUTE.get(tiers.get(method, ""))
        assert most is None or FREE_CALLS.get(method, FREE) <= most / 2, method


def messages(sent: Sent) -> Iterator[tuple[str, list[dict[str, Any]], str]]:
    """Give all messages: how each was sent, its blocks and its text."""
    for call in sent.calls:
        blocks, text = call.arguments.get("blocks") or [], str(call.arguments.get("text") or "")
        if call.method == "chat.stopStream":
            # What was streamed stands above these blocks, in the place of a text.
            yield call.method, blocks, text or "streamed"
        elif call.method.startswith("chat.") and (blocks or text):
            yield call.method, blocks, text
    for body in sent.responses:
        yield "response_url", body.get("blocks") or [], str(body.get("text") or "")


def views(sent: Sent) -> list[dict[str, Any]]:
    return [call.arguments["view"] for call in sent.calls if call.method.startswith("views.")]


async def test_every_message_is_within_the_limits(sent: Sent) -> None:
    """No message, in any language, has more in it than Slack takes, or what has no place there."""
    assert {how for how, _, _ in messages(sent)} == {
        "chat.postEphemeral", "chat.postMessage", "chat.stopStream", "chat.update", "response_url",
    }  # fmt: skip
    found = [
        (how, problem) for how, blocks, text in messages(sent) for problem in message_problems(blocks, text)
    ]
    assert found == []


async def test_every_view_is_within_the_limits(sent: Sent) -> None:
    """No modal and no Home tab, in any language, breaks a documented limit."""
    assert {view["type"] for view in views(sent)} == {"home", "modal"}
    assert [problem for view in views(sent) for problem in view_problems(view)] == []


async def test_streams_status_and_prompts_are_within_the_limits(sent: Sent) -> None:
    """Pieces of a stream, loading words and suggested prompts are no longer and no more than Slack takes."""
    for call in sent.calls:
        given = call.arguments
        assert len(given.get("markdown_text") or "") <= 12_000
        if call.method == "assistant.threads.setStatus":
            assert len(given.get("loading_messages") or ()) <= 10
        if call.method == "assistant.threads.setSuggestedPrompts":
            assert 1 <= len(given["prompts"]) <= 4


async def test_nothing_unfurls(sent: Sent) -> None:
    """Every post says that no link in it is unfurled."""
    posts = [call.arguments for call in sent.calls if call.method == "chat.postMessage"]
    assert {(one.get("unfurl_links"), one.get("unfurl_media")) for one in posts} == {(False, False)}


@pytest.mark.parametrize("language", SPOKEN)
async def test_each_language_is_spoken(sent: Sent, language: str) -> None:
    """What was checked was said in each language: answers, private lines, modals, Home tabs and a status."""
    words = texts(language)
    said = json.dumps([blocks for _, blocks, _ in messages(sent)], ensure_ascii=False)
    for word in (words.not_found, words.share, words.approve, words.sources):
        assert word in said
    shown = json.dumps(views(sent), ensure_ascii=False)
    assert words.add_source in shown
    states = {call.arguments["status"] for call in sent.calls if call.method == "assistant.threads.setStatus"}
    assert words.working in states
