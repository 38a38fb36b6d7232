"""The app manifest."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from adapters.slack.manifest import BOT_EVENTS, BOT_SCOPES, manifest
from adapters.slack.settings import SlackSettings
from tests.adapters.slack.trust_output import SPECS, needs_specs

DOCS = Path(__file__).parents[3] / "docs" / "slack.md"
ADDRESS = "https://bot.acme.test/"


@pytest.mark.trust
@needs_specs
@pytest.mark.parametrize("mode", ["socket", "http"])
@pytest.mark.parametrize("name", ["Lorekeeper", "Docs", "A name that is much longer than Slack takes"])
def test_slack_takes_the_manifest(mode: str, name: str) -> None:
    """The manifest is valid by Slack's own schema, whatever the mode and the name."""
    schema = json.loads((SPECS / "manifest-schema" / "schemas" / "manifest.schema.2.0.0.json").read_text())
    made = manifest(
        SlackSettings(mode=mode),  # type: ignore[arg-type]
        address=ADDRESS,
        name=name,
        prompts=[("Expenses", "How do I claim?")] * 6,
    )
    jsonschema.Draft7Validator(schema).validate(made)


@pytest.mark.trust
@needs_specs
def test_methods_that_are_used_have_their_scopes() -> None:
    """Every scope of the manifest is one that Slack's method pages name, or an event's or a command's."""
    pages = SPECS / "slack_kit-method-docs" / "priv" / "docs" / "methods"
    named = " ".join(page.read_text(encoding="utf-8") for page in pages.glob("*.json"))
    without_methods = {"app_mentions:read", "commands"}
    assert [scope for scope in BOT_SCOPES if scope not in without_methods and scope not in named] == []


def test_socket_mode_needs_no_address() -> None:
    """With Socket Mode nothing in the manifest is an address."""
    made = manifest(SlackSettings())
    assert made["settings"]["socket_mode_enabled"] is True
    assert "https://" not in json.dumps(made)


def test_http_mode_names_where_events_commands_and_logins_go() -> None:
    """With HTTP every address is below the given one."""
    made = manifest(SlackSettings(mode="http"), address=ADDRESS)
    assert made["settings"]["event_subscriptions"]["request_url"] == "https://bot.acme.test/slack/events"
    assert made["settings"]["interactivity"]["request_url"] == "https://bot.acme.test/slack/events"
    assert made["oauth_config"]["redirect_urls"] == ["https://bot.acme.test/slack/oauth_redirect"]
    assert {command["url"] for command in made["features"]["slash_commands"]} == {
        "https://bot.acme.test/slack/events"
    }


@pytest.mark.parametrize(
    "address", ["", "http://bot.acme.test", "bot.acme.test", "https://bot.acme.test/?x=1"]
)
def test_http_mode_needs_an_address_that_slack_can_call(address: str) -> None:
    """Without an https:// address the error says what to give."""
    with pytest.raises(ValueError, match="Give the https:// address"):
        manifest(SlackSettings(mode="http"), address=address)


def test_commands_are_named_as_the_settings_say() -> None:
    """Other command names in the settings are those in the manifest."""
    made = manifest(SlackSettings(command="/docs", ask_command="/askdocs"))
    assert [command["command"] for command in made["features"]["slash_commands"]] == ["/askdocs", "/docs"]


def test_the_set_up_page_explains_every_scope_and_event() -> None:
    """docs/slack.md tells what each scope and each event is for, and names no other scope."""
    page = DOCS.read_text(encoding="utf-8")
    assert [name for name in (*BOT_SCOPES, *BOT_EVENTS) if f"`{name}`" not in page] == []
