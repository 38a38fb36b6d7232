"""Block Kit's limits, each at its border."""

from __future__ import annotations

import pytest

from tests.emulators.slack.blocks import check_blocks
from tests.emulators.slack.clock import Clock
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.workspace import Ids, Payload


def plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def button(**more: object) -> Payload:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: Payload) -> Payload:
    return {"type": "actions", "elements": list(elements)}


def section(text: str, **more: object) -> Payload:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def entry(**element: object) -> Payload:
    return {"type": "input", "label": plain("Name"), "element": {"type": "plain_text_input", **element}}


def rows(count: int, columns: int) -> Payload:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * columns] * count}


def problems(*blocks: Payload, surface: str = "message") -> str:
    """Return what is told to be wrong."""
    with pytest.raises(SlackError) as raised:
        check_blocks(list(blocks), surface, ids=Ids(Clock()))
    assert raised.value.error == "invalid_blocks"
    return "\n".join(raised.value.messages)


def taken(*blocks: Payload, surface: str = "message") -> int:
    return len(check_blocks(list(blocks), surface, ids=Ids(Clock())))


_VOTE = {"text": plain("Good"), "value": "good:1"}
_OPTION = {"text": plain("One"), "value": "1"}


@pytest.mark.parametrize(
    "block",
    [
        section("a" * 3000, accessory=button()),
        {"type": "section", "fields": [plain("a" * 2000)] * 10},
        {"type": "header", "text": plain("a" * 150)},
        {"type": "markdown", "text": "a" * 12_000},
        {"type": "context", "elements": [plain("a")] * 10},
        actions(*[button(value="v" * 2000, style="primary")] * 25),
        {
            "type": "context_actions",
            "elements": [{"type": "feedback_buttons", "positive_button": _VOTE, "negative_button": _VOTE}],
        },
        entry(multiline=True, max_length=3000, initial_value="a"),
        actions({"type": "static_select", "options": [_OPTION] * 100, "placeholder": plain("Choose")}),
        rows(100, 20),
        {"type": "divider", "block_id": "b" * 255},
        {"type": "image", "image_url": "https://a.example/a.png", "alt_text": "A"},
    ],
)
def test_what_slack_takes_passes(block: Payload) -> None:
    """A block at its limit is taken."""
    assert taken(block) == 1


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"type": "songs"}, "unsupported type: songs [json-pointer:/blocks/0]"),
        ({"type": "divider", "colour": "red"}, "additional property: colour"),
        ({"type": "section"}, "missing required field: text"),
        (section("a" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (section(""), "must be more than 0 characters"),
        (section("a", accessory={"type": "plain_text_input"}), "unsupported type: plain_text_input"),
        ({"type": "section", "fields": [plain("a")] * 11}, "no more than 10 items allowed"),
        ({"type": "header", "text": plain("a" * 151)}, "must be less than 151"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "a"}}, "unsupported type: mrkdwn"),
        ({"type": "markdown", "text": "a" * 12_001}, "must be less than 12001"),
        ({"type": "context", "elements": [plain("a")] * 11}, "no more than 10 items"),
        (actions(*[button()] * 26), "no more than 25 items"),
        (actions(button(text=plain("a" * 76))), "must be less than 76"),
        (actions(button(value="a" * 2001)), "must be less than 2001"),
        (actions(button(style="loud")), "must be one of primary, danger"),
        (actions(button(url=1)), "must be a string"),
        (actions({"type": "feedback_buttons"}), "unsupported type: feedback_buttons"),
        (actions({"type": "overflow", "options": [_OPTION] * 6}), "no more than 5 items"),
        (entry(max_length=3001), "must be a number from 1 to 3000"),
        (entry(multiline="yes"), "must be a boolean"),
        (rows(101, 1), "no more than 100 items"),
        (rows(1, 21), "no more than 20 items"),
        ({"type": "divider", "block_id": "b" * 256}, "must be less than 256"),
        ({"type": "image", "alt_text": "a"}, "missing required field: image_url"),
    ],
)
def test_what_slack_refuses_is_named(block: Payload, told: str) -> None:
    """A block over its limit is refused with the reason and the place."""
    assert told in problems(block)


def test_what_holds_for_all_blocks_together() -> None:
    """Numbers of blocks and tables, all Markdown together and doubled ids are looked at."""
    divider = {"type": "divider"}
    assert "no more than 50 items" in problems(*[divider] * 51)
    assert taken(*[divider] * 100, surface="modal") == 100
    assert "only one table" in problems(rows(1, 1), rows(1, 1))
    half = {"type": "markdown", "text": "a" * 6001}
    assert "more than 12000 characters" in problems(half, half)
    assert "already exists" in problems({**divider, "block_id": "b"}, {**divider, "block_id": "b"})
    assert "unsupported type: markdown" in problems({"type": "markdown", "text": "a"}, surface="modal")


def test_blocks_get_ids() -> None:
    """A block without an id gets one, and so does an element."""
    given = actions({"type": "button", "text": plain("Go")})
    (block,) = check_blocks([given], "message", ids=Ids(Clock()))
    assert block["block_id"]
    assert block["elements"][0]["action_id"]
    assert "block_id" not in given
