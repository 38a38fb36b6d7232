"""Block Kit as Slack checks it: known types, known keys, documented limits.

Each table gives a type's keys with what may stand there; a name with `!` must be there. Everything that is
wrong is told at once, each with its place, as Slack does in `response_metadata.messages`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.workspace import Ids, Json, Payload

Problems = list[str]
Check = Callable[[Any, str, Problems], None]
Keys = Mapping[str, Check]

MARKDOWN, TABLES = 12_000, 1
MOST = {"message": 50, "modal": 100, "home": 100}
ONLY_IN = {
    "context_actions": {"message"},
    "file": {"message"},
    "markdown": {"message"},
    "plan": {"message"},
    "table": {"message"},
    "task_card": {"message"},
}


def check_blocks(blocks: object, surface: str, *, ids: Ids) -> list[Payload]:
    """Return blocks with the ids that Slack gives to those without; refuse bad ones with all reasons."""
    problems: Problems = []
    if not isinstance(blocks, list) or not all(isinstance(one, dict) for one in blocks):
        raise SlackError("invalid_blocks", "[ERROR] must be an array of objects [json-pointer:/blocks]")
    if len(blocks) > MOST[surface]:
        problems.append(f"[ERROR] no more than {MOST[surface]} items allowed [json-pointer:/blocks]")
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        typed(BLOCKS)(block, where, problems)
        if surface not in ONLY_IN.get(str(block.get("type")), {surface}):
            _say(problems, f"unsupported type: {block['type']}", where)
        if block.get("type") == "section" and not (block.get("text") or block.get("fields")):
            _say(problems, "missing required field: text", where)
        if block.get("type") == "image" and not (block.get("image_url") or block.get("slack_file")):
            _say(problems, "missing required field: image_url", where)
    _whole(blocks, problems)
    if problems:
        raise SlackError("invalid_blocks", *problems)
    return [_with_ids(block, ids) for block in blocks]


def _whole(blocks: list[Payload], problems: Problems) -> None:
    """Check what holds for all blocks of a payload together."""
    written = [str(one.get("text")) for one in blocks if one.get("type") == "markdown"]
    if sum(map(len, written)) > MARKDOWN:
        _say(problems, f"markdown blocks hold more than {MARKDOWN} characters", "/blocks")
    if sum(one.get("type") == "table" for one in blocks) > TABLES:
        _say(problems, "only one table is allowed", "/blocks")
    named = [one["block_id"] for one in blocks if one.get("block_id")]
    if len(named) != len(set(named)):
        _say(problems, "`block_id` already exists", "/blocks")


def _with_ids(block: Payload, ids: Ids) -> Payload:
    named = block if block.get("block_id") else block | {"block_id": ids.new("b")}
    for key in ("element", "accessory"):
        if isinstance(named.get(key), dict):
            named = named | {key: _acting(named[key], ids)}
    if named["type"] in {"actions", "context_actions"}:
        named = named | {"elements": [_acting(one, ids) for one in named["elements"]]}
    return named


def _acting(element: Payload, ids: Ids) -> Payload:
    missing = "action_id" not in element and element.get("type") != "image"
    return element | {"action_id": ids.new("a")} if missing else element


def _say(problems: Problems, what: str, where: str) -> None:
    problems.append(f"[ERROR] {what} [json-pointer:{where}]")


# Checks


def string(most: int, least: int = 1) -> Check:
    def check(value: Json, where: str, problems: Problems) -> None:
        if not isinstance(value, str):
            _say(problems, "must be a string", where)
        elif len(value) > most:
            _say(problems, f"must be less than {most + 1} characters", where)
        elif len(value) < least:
            _say(problems, f"must be more than {least - 1} characters", where)

    return check


def number(least: int, most: int) -> Check:
    def check(value: Json, where: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            _say(problems, f"must be a number from {least} to {most}", where)

    return check


def flag(value: Json, where: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        _say(problems, "must be a boolean", where)


def anything(value: Json, where: str, problems: Problems) -> None:
    """Take what this emulator does not look into."""


def one_of(*words: str) -> Check:
    def check(value: Json, where: str, problems: Problems) -> None:
        if value not in words:
            _say(problems, f"must be one of {', '.join(words)}", where)

    return check


def some(each: Check, most: int, least: int = 1) -> Check:
    def check(value: Json, where: str, problems: Problems) -> None:
        if not isinstance(value, list):
            _say(problems, "must be an array", where)
            return
        if len(value) > most:
            _say(problems, f"no more than {most} items allowed", where)
        if len(value) < least:
            _say(problems, f"no fewer than {least} items allowed", where)
        for index, item in enumerate(value):
            each(item, f"{where}/{index}", problems)

    return check


def keys(table: Keys) -> Check:
    """Check an object without a type of its own."""
    needed = {name[:-1] for name in table if name.endswith("!")}
    known = {name.rstrip("!"): check for name, check in table.items()}

    def check(value: Json, where: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            _say(problems, "must be an object", where)
            return
        for name in sorted(needed - set(value)):
            _say(problems, f"missing required field: {name}", where)
        for name, held in value.items():
            if name == "type":
                continue
            if name not in known:
                _say(problems, f"additional property: {name}", where)
            else:
                known[name](held, f"{where}/{name}", problems)

    return check


def typed(table: Mapping[str, Keys], only: Collection[str] = ()) -> Check:
    """Check an object by its type, which must be one of the table, or of `only`."""

    def check(value: Json, where: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in table or (only and kind not in only):
            _say(problems, f"unsupported type: {kind}", where)
            return
        keys(table[kind])(value, where, problems)

    return check


def text(most: int, *kinds: str) -> Check:
    """Check a text object; both kinds are allowed when none is named."""
    allowed = kinds or ("plain_text", "mrkdwn")
    fields = {
        "plain_text": {"text!": string(most), "emoji": flag},
        "mrkdwn": {"text!": string(most), "verbatim": flag},
    }
    return typed(fields, allowed)


def plain(most: int) -> Check:
    return text(most, "plain_text")


# Composition objects and elements

_CONFIRM = keys(
    {
        "title!": plain(100),
        "text!": text(300),
        "confirm!": plain(30),
        "deny!": plain(30),
        "style": one_of("primary", "danger"),
    }
)
_OPTION = keys({"text!": text(75), "value!": string(150), "description": text(75), "url": string(3000)})
_OPTION_GROUP = keys({"label!": plain(75), "options!": some(_OPTION, 100)})
_ACTING: Keys = {"action_id": string(255), "confirm": _CONFIRM}
_FIELD: Keys = {"action_id": string(255), "placeholder": plain(150), "focus_on_load": flag}
_DISPATCH = keys({"trigger_actions_on": some(one_of("on_enter_pressed", "on_character_entered"), 2)})
_FEEDBACK = keys({"text!": plain(75), "value!": string(2000), "accessibility_label": string(75)})
_FILE_REFERENCE = keys({"id": string(255), "url": string(3000)})
_SELECT: Keys = {**_FIELD, "confirm": _CONFIRM}
_OPTIONS: Keys = {"options": some(_OPTION, 100), "option_groups": some(_OPTION_GROUP, 100)}
_MANY: Keys = {"max_selected_items": number(1, 100), "initial_options": some(_OPTION, 100)}
_IDS: Check = some(string(255), 100)
_FILTER = keys(
    {
        "include": some(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    }
)
_TYPED: Keys = {**_FIELD, "initial_value": string(3000, 0), "dispatch_action_config": _DISPATCH}

ELEMENTS: dict[str, Keys] = {
    "button": {
        **_ACTING,
        "text!": plain(75),
        "url": string(3000),
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
        "agent_prompt": string(4000),
    },
    "feedback_buttons": {
        "action_id": string(255),
        "positive_button!": _FEEDBACK,
        "negative_button!": _FEEDBACK,
    },
    "icon_button": {
        **_ACTING,
        "icon!": one_of("trash"),
        "text!": plain(75),
        "value": string(2000),
        "accessibility_label": string(75),
        "visible_to_user_ids": _IDS,
    },
    "overflow": {**_ACTING, "options!": some(_OPTION, 5)},
    "static_select": {**_SELECT, **_OPTIONS, "initial_option": _OPTION},
    "multi_static_select": {**_SELECT, **_OPTIONS, **_MANY},
    "external_select": {**_SELECT, "min_query_length": number(0, 100), "initial_option": _OPTION},
    "users_select": {**_SELECT, "initial_user": string(255)},
    "multi_users_select": {**_SELECT, "initial_users": _IDS, "max_selected_items": number(1, 100)},
    "channels_select": {**_SELECT, "initial_channel": string(255), "response_url_enabled": flag},
    "conversations_select": {
        **_SELECT,
        "initial_conversation": string(255),
        "default_to_current_conversation": flag,
        "response_url_enabled": flag,
        "filter": _FILTER,
    },
    "checkboxes": {
        **_ACTING,
        "options!": some(_OPTION, 10),
        "initial_options": some(_OPTION, 10),
        "focus_on_load": flag,
    },
    "radio_buttons": {
        **_ACTING,
        "options!": some(_OPTION, 10),
        "initial_option": _OPTION,
        "focus_on_load": flag,
    },
    "datepicker": {**_SELECT, "initial_date": string(10)},
    "timepicker": {**_SELECT, "initial_time": string(5), "timezone": string(100)},
    "plain_text_input": {
        **_TYPED,
        "multiline": flag,
        "min_length": number(0, 3000),
        "max_length": number(1, 3000),
    },
    "email_text_input": _TYPED,
    "url_text_input": _TYPED,
    "number_input": {
        **_TYPED,
        "is_decimal_allowed!": flag,
        "min_value": string(100),
        "max_value": string(100),
    },
    "file_input": {
        "action_id": string(255),
        "filetypes": some(string(20), 100),
        "max_files": number(1, 10),
    },
    "image": {
        "image_url": string(3000),
        "slack_file": _FILE_REFERENCE,
        "alt_text!": string(2000),
    },
    "url": {"url!": string(3000), "text!": string(3000), "icon_url": string(3000)},
}
INPUTS = {
    "channels_select", "checkboxes", "conversations_select", "datepicker", "email_text_input",
    "external_select", "file_input", "multi_static_select", "multi_users_select", "number_input",
    "plain_text_input", "radio_buttons", "static_select", "timepicker", "url_text_input", "users_select",
}  # fmt: skip
_ACTIONS = {
    "button", "channels_select", "checkboxes", "conversations_select", "datepicker", "external_select",
    "overflow", "radio_buttons", "static_select", "timepicker", "users_select",
}  # fmt: skip
_ACCESSORIES = {*_ACTIONS, "image", "multi_static_select", "multi_users_select"}
_CONTEXT = typed(
    {
        "image": ELEMENTS["image"],
        "mrkdwn": {"text!": string(3000), "verbatim": flag},
        "plain_text": {"text!": string(3000), "emoji": flag},
    }
)
_RICH = typed(
    {
        "rich_text_section": {"elements!": some(anything, 1000, 0)},
        "rich_text_list": {
            "elements!": some(anything, 1000),
            "style!": one_of("bullet", "ordered"),
            "indent": number(0, 8),
            "offset": number(0, 10_000),
            "border": number(0, 1),
        },
        "rich_text_preformatted": {"elements!": some(anything, 1000), "border": number(0, 1)},
        "rich_text_quote": {"elements!": some(anything, 1000), "border": number(0, 1)},
    }
)
_RICH_TEXT: Keys = {"elements!": some(_RICH, 1000)}
_CELL = typed(
    {
        "raw_text": {"text!": string(10_000)},
        "raw_number": {"value!": anything, "text": string(100)},
        "rich_text": _RICH_TEXT,
    }
)
_COLUMN = keys({"align": one_of("left", "center", "right"), "is_wrapped": flag})
_TASK: Keys = {
    "task_id!": string(255),
    "title!": string(3000),
    "status": one_of("pending", "in_progress", "complete", "error"),
    "details": typed({"rich_text": _RICH_TEXT}),
    "output": typed({"rich_text": _RICH_TEXT}),
    "sources": some(typed(ELEMENTS, {"url"}), 100, 0),
}


def _any(kinds: Collection[str]) -> Check:
    return typed(ELEMENTS, kinds)


_BLOCKS: dict[str, Keys] = {
    "section": {
        "text": text(3000),
        "fields": some(text(2000), 10),
        "accessory": _any(_ACCESSORIES),
        "expand": flag,
    },
    "divider": {},
    "image": {
        "image_url": string(3000),
        "slack_file": _FILE_REFERENCE,
        "alt_text!": string(2000),
        "title": plain(2000),
    },
    "actions": {"elements!": some(_any(_ACTIONS), 25)},
    "context": {"elements!": some(_CONTEXT, 10)},
    "context_actions": {"elements!": some(_any({"feedback_buttons", "icon_button"}), 5)},
    "input": {
        "label!": plain(2000),
        "element!": _any(INPUTS),
        "hint": plain(2000),
        "optional": flag,
        "dispatch_action": flag,
    },
    "file": {"external_id!": string(255), "source!": one_of("remote")},
    "header": {"text!": plain(150)},
    "markdown": {"text!": string(MARKDOWN)},
    "video": {
        "alt_text!": string(2000),
        "title!": plain(200),
        "thumbnail_url!": string(3000),
        "video_url!": string(3000),
        "author_name": string(50),
        "description": plain(200),
        "provider_icon_url": string(3000),
        "provider_name": string(200),
        "title_url": string(3000),
    },
    "rich_text": _RICH_TEXT,
    "table": {
        "rows!": some(some(_CELL, 20), 100),
        "column_settings": some(_COLUMN, 20),
    },
    "task_card": _TASK,
    "plan": {"title!": string(3000), "tasks": some(typed({"task_card": _TASK}), 100, 0)},
    "alert": {"text!": text(3000), "level": one_of("default", "info", "warning", "error", "success")},
}
BLOCKS: dict[str, Keys] = {kind: {"block_id": string(255), **table} for kind, table in _BLOCKS.items()}
