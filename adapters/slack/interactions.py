"""Commands, shortcuts, buttons and modals of Slack become what the desk and the commands understand. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from adapters.slack.events import question_text, seconds, workspace_of
from bot.chat import Control, Incoming, Person, Place, PlaceKind

ASK_ABOUT = "lk_ask_about"  # callback ids of the message shortcuts
SAVE = "lk_save"
FORM = "lk_form"  # callback ids of the modals; a form's action follows after ":"
CONFIRM = "lk_confirm"
COMMENT = "lk_comment"
ASK = "lk_ask"  # action ids of the Home tab
ADD = "lk_add"
SYNC = "lk_sync"
REFRESH = "lk_refresh"
CHOOSE = "lk_choose"  # action id of a button that all may press; which of its row follows after ":"
VALUE = "value"  # action id of every field of a modal

_CONTROLS = frozenset(get_args(Control))
_CHANNEL_NAMES: Mapping[str, PlaceKind] = {"directmessage": "direct", "privategroup": "private"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button that was pressed.

    `control` is what stands under an answer, None for other buttons, which `action` tells apart. `message` is
    the id of the message with the button, `ephemeral` whether its reader alone sees that message.
    """

    action: str
    control: Control | None = None
    answer: str = ""
    good: bool | None = None
    value: str = ""
    place: Place
    person: Person
    message: str = ""
    ephemeral: bool = False
    view: str = ""
    response_url: str = field(default="", repr=False)
    trigger_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A modal that was sent back. `form` is its callback id, `keep` what it was opened with."""

    form: str
    values: Mapping[str, str]
    keep: Mapping[str, str]
    person: Person
    view: str = ""


def person_of(body: Mapping[str, Any]) -> Person:
    """Return who did this; their groups and rights are not known from it."""
    user = body.get("user")
    known: Mapping[str, Any] = user if isinstance(user, Mapping) else {}
    return Person(
        platform="slack",
        workspace=workspace_of(body),
        id=str(known.get("id") or body.get("user_id") or user or ""),
        name=str(known.get("name") or known.get("username") or body.get("user_name") or ""),
    )


def place_of(body: Mapping[str, Any], kind: PlaceKind | None = None) -> Place:
    """Return where this was done. A channel's kind is what Slack tells, else `kind`, else private."""
    channel = body.get("channel") or {}
    container = body.get("container") or {}
    message = body.get("message") or {}
    id_ = str(channel.get("id") or body.get("channel_id") or container.get("channel_id") or "")
    name = str(channel.get("name") or body.get("channel_name") or "")
    thread = message.get("thread_ts") or container.get("thread_ts") or body.get("thread_ts")
    told = _CHANNEL_NAMES.get(name) or ("private" if name.startswith("mpdm-") else None)
    return Place(
        platform="slack",
        workspace=workspace_of(body),
        channel=id_,
        thread=str(thread or message.get("ts") or body.get("message_ts") or ""),
        kind="direct" if id_.startswith("D") or not id_ else (told or kind or "private"),
    )


def command_incoming(body: Mapping[str, Any], kind: PlaceKind | None = None) -> Incoming:
    """Return the question of a slash command, whose answer its asker alone sees."""
    place = place_of(body, kind)
    key = f"{place.workspace}:{place.channel}:command:{body.get('trigger_id') or ''}"
    return Incoming(
        key=key,
        subject=key,
        kind="command",
        place=place,
        message="",
        person=str(body.get("user_id") or ""),
        text=question_text(str(body.get("text") or "")),
        name=str(body.get("user_name") or ""),
        addressed=True,
        root=not place.thread,
        private=True,
        reply_to=_interaction(body),
    )


def shortcut_incoming(
    body: Mapping[str, Any], *, bot_user: str = "", kind: PlaceKind | None = None
) -> Incoming:
    """Return a message somebody wants to ask about; its answer is for them alone."""
    place, person = place_of(body, kind), person_of(body)
    message = body.get("message") or {}
    key = f"{place.workspace}:{place.channel}:shortcut:{body.get('trigger_id') or ''}"
    return Incoming(
        key=key,
        subject=key,
        kind="command",
        place=place,
        message=str(body.get("message_ts") or message.get("ts") or ""),
        person=person.id,
        text=question_text(str(message.get("text") or ""), bot_user=bot_user),
        name=person.name,
        addressed=True,
        root=False,
        private=True,
        reply_to=_interaction(body),
        received=seconds(body.get("action_ts")),
    )


def pressed(body: Mapping[str, Any], kind: PlaceKind | None = None) -> Pressed | None:
    """Return the button of a block_actions body; None when it is none of ours."""
    action = (body.get("actions") or [{}])[0]
    name = str(action.get("action_id") or "").partition(":")[0]
    if not name.startswith("lk_"):
        return None
    value = str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
    control = name.removeprefix("lk_")
    container = body.get("container") or {}
    verdict, _, answer = value.partition(":") if control == "feedback" else ("", "", value)
    known = control in _CONTROLS
    return Pressed(
        action=name,
        control=control if known else None,  # type: ignore[arg-type]
        answer=answer if known else "",
        good={"good": True, "bad": False}.get(verdict),
        value=value,
        place=place_of(body, kind),
        person=person_of(body),
        message=str(container.get("message_ts") or (body.get("message") or {}).get("ts") or ""),
        ephemeral=bool(container.get("is_ephemeral")),
        view=str((body.get("view") or {}).get("id") or ""),
        response_url=str(body.get("response_url") or ""),
        trigger_id=str(body.get("trigger_id") or ""),
    )


def submitted(body: Mapping[str, Any]) -> Submitted:
    """Return the fields of a view_submission body by name."""
    view = body.get("view") or {}
    state = (view.get("state") or {}).get("values") or {}
    return Submitted(
        form=str(view.get("callback_id") or ""),
        values={str(name): _value(fields) for name, fields in state.items()},
        keep=_kept(view.get("private_metadata") or ""),
        person=person_of(body),
        view=str(view.get("id") or ""),
    )


def stopped(body: Mapping[str, Any]) -> tuple[Place, str] | None:
    """Return the conversation that somebody stopped, and who; None for other events."""
    event = body.get("event") or {}
    if event.get("type") != "agent_session_stopped":
        return None
    channel = str(event.get("channel") or "")
    place = Place(
        platform="slack",
        workspace=workspace_of(body),
        channel=channel,
        thread=str(event.get("thread_ts") or ""),
        kind="direct" if channel.startswith("D") else "private",
    )
    return place, str(event.get("user") or "")


def keep_text(keep: Mapping[str, str]) -> str:
    """Return what a modal gives along to its answer, as Slack keeps it: at most 3,000 characters."""
    text = json.dumps(dict(keep), ensure_ascii=False, separators=(",", ":"))
    if len(text) > 3_000:
        raise ValueError(f"A modal can keep 3000 characters, not {len(text)}. Keep ids instead of text.")
    return text


def _kept(text: str) -> dict[str, str]:
    try:
        kept = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in kept.items()} if isinstance(kept, dict) else {}


def _value(fields: Mapping[str, Any]) -> str:
    """Return what one field holds, whatever its element: text, one choice, or several joined with commas."""
    held: Mapping[str, Any] = next(iter(fields.values()), {})
    if "selected_options" in held:
        return ",".join(str(option.get("value")) for option in held["selected_options"] or ())
    chosen = held.get("selected_option") or {}
    return str(held.get("value") or chosen.get("value") or held.get("selected_date") or "")


def _interaction(body: Mapping[str, Any]) -> dict[str, str]:
    kept = ("response_url", "trigger_id")
    return {name: str(body[name]) for name in kept if body.get(name)}
