"""What is typed behind the command, taken apart."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat_grammar import Typed, parse
from bot.errors import CommandError
from bot.texts import ENGLISH


def read(text: str, platform: str = "slack") -> Typed:
    return parse(text, platform=platform, command="/kb", words=ENGLISH)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("", Typed(verb="help")),
        ("?", Typed(verb="help")),
        ("LIST", Typed(verb="list")),
        ("ls", Typed(verb="list")),
        ("show handbook", Typed(verb="show", target="handbook")),
        ("sync", Typed(verb="sync")),
        ("sync handbook", Typed(verb="sync", target="handbook")),
        ("sync handbook allow deletes", Typed(verb="sync", target="handbook", allow_deletes=True)),
        ("sync Allow Deletions", Typed(verb="sync", allow_deletes=True)),
        ("delete handbook", Typed(verb="remove", target="handbook")),
        ("remove handbook --yes", Typed(verb="remove", target="handbook", confirmed=True)),
        ("add", Typed(verb="add")),
        ("add https://docs.example/", Typed(verb="add", target="https://docs.example/")),
        ("add <https://docs.example/|docs.example>", Typed(verb="add", target="https://docs.example/")),
        ("add <#C012|general>", Typed(verb="add", target="slack://C012")),
        ('add "/srv/my docs" as docs', Typed(verb="add", target="/srv/my docs", name="docs")),
        (
            "add ./x every 2h as handbook for staff, board",
            Typed(verb="add", target="./x", every="2h", name="handbook", tags=("staff", "board")),
        ),
        (
            "add ./x for a b every 0 3 * * *",
            Typed(verb="add", target="./x", every="0 3 * * *", tags=("a", "b")),
        ),
        ("add ./x every “0 3 * * *”", Typed(verb="add", target="./x", every="0 3 * * *")),
    ],
)
def test_commands_are_understood(text: str, typed: Typed) -> None:
    """Each form of each command is read as it is meant."""
    assert read(text) == typed


def test_a_discord_channel_is_one_of_discord() -> None:
    """A channel that is written as the platform writes it is that platform's."""
    assert read("add <#123>", "discord").target == "discord://123"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lsit", "There is no command 'lsit'. Did you mean `/kb list`?"),
        ("frobnicate", "There is no command 'frobnicate'. Did you mean `/kb help`?"),
        ("show", "Which source? Write `/kb show NAME`."),
        ("show a b", "I do not understand 'b' there. Write `/kb show NAME`."),
        ("list all", "I do not understand 'all' there. Write `/kb list`."),
        ("sync a b", "I do not understand 'b' there. Write `/kb sync [NAME] [allow deletes]`."),
        (
            "add x y",
            "I do not understand 'y' there. Write `/kb add LOCATION [every 30m] [as NAME] [for TAG…]`.",
        ),
        (
            "add x as",
            "I do not understand 'as' there. Write `/kb add LOCATION [every 30m] [as NAME] [for TAG…]`.",
        ),
    ],
)
def test_wrong_input_is_one_line_with_what_to_write(text: str, message: str) -> None:
    """Whatever is wrong is said with the nearest command or its form."""
    with pytest.raises(CommandError) as caught:
        read(text)
    assert str(caught.value) == message


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the grammar."""
    with suppress(CommandError):
        assert read(text).verb
