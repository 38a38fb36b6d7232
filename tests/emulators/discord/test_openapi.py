"""The emulator against Discord's own OpenAPI document."""

from __future__ import annotations

import json

import pytest

from tests.emulators.discord import components
from tests.emulators.discord.api import ROUTES
from tests.emulators.discord.openapi import PATH, Specification

pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(not PATH.exists(), reason="Discord's OpenAPI document is not here"),
]


def test_every_route_is_in_the_specification() -> None:
    """No method or path is made up; @original is a message id in ours."""
    specification = Specification.load()
    assert specification is not None
    unknown = [f"{method} {path}" for method, path, _ in ROUTES if not specification.knows(method, path)]
    assert unknown == []


def test_a_wrong_body_is_told() -> None:
    """A missing field, a wrong type and an undocumented status are named."""
    specification = Specification.load()
    assert specification is not None
    path = "/channels/{channel_id}/messages"
    assert "content" in specification.request("POST", path, {"content": 5})
    assert (
        specification.request("POST", path, {"content": "a", "message_reference": {"message_id": 1 << 60}})
        == ""
    )
    assert "'id'" in specification.response("GET", "/users/@me", 200, {})
    assert "302" in specification.response("GET", "/users/@me", 302, {})


def test_the_documents_examples_of_components_pass_our_rules() -> None:
    """Every message example of Discord's docs with components is accepted as it stands."""
    examples = json.loads((PATH.parents[2] / "discord-api-docs" / "json_examples.json").read_text("utf-8"))
    bodies = [
        one["json"] for one in examples if isinstance(one["json"], dict) and "components" in one["json"]
    ]
    messages = [one for one in bodies if one.get("flags") == 1 << 15 and "id" not in one]
    assert len(messages) >= 5
    for body in messages:
        given = body["components"]
        files = frozenset(
            str(one[key]["url"]).removeprefix("attachment://")
            for one in components.walk(given)
            for key in ("file", "media")
            if key in one
        ) | frozenset(
            item["media"]["url"].removeprefix("attachment://")
            for one in components.walk(given)
            for item in one.get("items", ())
        )
        assert components.of_message(given, v2=True, files=files)
