"""What people do with the app itself: commands, buttons, shortcuts, modals.

Each returns what the app answered within three seconds; `NotDelivered` is raised when it did not, which a
person in Slack would read as "operation_timeout".
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.responding import respond
from tests.emulators.slack.site import ResponseUrl
from tests.emulators.slack.talk import Talk
from tests.emulators.slack.views import check_view, made, renewed
from tests.emulators.slack.workspace import Channel, Json, Message, Payload, View, Workspace

_VALUES = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "file_input": ("files", ""),
}
_CHOICES = {"static_select", "radio_buttons", "checkboxes", "multi_static_select", "overflow"}


@dataclass(slots=True, kw_only=True)
class Submitted:
    """What became of a modal that was sent: `errors` by block, or the view that is shown now."""

    errors: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None
    action: str = ""


class Interactions(Talk):
    """The people's side of everything interactive."""

    async def command(self, command: str, text: str, user: str, channel: str) -> Json:
        """Type a slash command; what the app answers at once is shown as Slack shows it."""
        place, team = self.channel(channel), self.team_of(channel)
        person = team.users[user]
        payload = {
            "token": "verification-token",
            "team_id": team.id,
            "team_domain": team.domain,
            "channel_id": place.id,
            "channel_name": {"im": "directmessage", "group": "privategroup"}.get(place.kind, place.name),
            "user_id": user,
            "user_name": person.name.lower(),
            "command": command,
            "text": text,
            "api_app_id": self.app_id,
            "is_enterprise_install": "false",
            "response_url": self.response_url(team, user, channel),
            "trigger_id": self.trigger(team, user),
        }
        answer = await self.delivery.ask("slash_commands", payload)
        if isinstance(answer, dict) and (answer.get("text") or answer.get("blocks")):
            address = ResponseUrl(team=team.id, channel=channel, user=user, at=self.clock.now())
            respond(self, address, answer)
        return answer

    async def shortcut(self, callback_id: str, user: str, *, channel: str = "", ts: str = "") -> Json:
        """Use a shortcut, on a message when its channel and ts are given."""
        team = self.team_of_user(user)
        payload = self._interaction(team, user) | {
            "type": "message_action" if ts else "shortcut",
            "action_ts": self.ids.ts(),
            "callback_id": callback_id,
            "trigger_id": self.trigger(team, user),
        }
        if ts:
            place = self.channel(channel)
            message = place.messages[ts]
            payload |= {
                "channel": _named(place),
                "message_ts": ts,
                "message": place.shown(message),
                "response_url": self.response_url(team, user, channel, message=ts),
            }
        return await self.delivery.ask("interactive", payload)

    async def click(
        self, message: Message | View, action_id: str, *, user: str, value: str | None = None
    ) -> Json:
        """Press a button, or choose `value` from a menu; LookupError when there is no such element."""
        if isinstance(message, View):
            return await self._click_in_view(message, action_id, user, value)
        place = self.channel(message.channel)
        if message.ephemeral not in {"", user} or message.ts not in place.messages:
            raise LookupError(f"{user} does not see the message {message.ts}")
        team = self.workspaces[place.team]
        block, element = _element(message.blocks, action_id, value)
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": place.id,
            "is_ephemeral": bool(message.ephemeral),
        } | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
        payload = self._interaction(team, user) | {
            "type": "block_actions",
            "container": container,
            "channel": _named(place),
            "trigger_id": self.trigger(team, user),
            "response_url": self.response_url(
                team, user, place.id, message=message.ts, thread=message.thread_ts
            ),
            "state": {"values": {}},
            "actions": [self._action(block, element, value)],
        }
        payload |= {} if message.ephemeral else {"message": place.shown(message)}
        return await self.delivery.ask("interactive", payload)

    async def _click_in_view(self, view: View, action_id: str, user: str, value: str | None) -> Json:
        if view.closed or view.user != user:
            raise LookupError(f"{user} does not see the view {view.id}")
        team = self.workspaces[view.team]
        block, element = _element(view.content["blocks"], action_id, value)
        shown = view.payload(app=self.app_id, bot=team.bot_id, values=_state(view, {}))
        payload = self._interaction(team, user) | {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.trigger(team, user, view=view.id),
            "view": shown,
            "actions": [self._action(block, element, value)],
        }
        return await self.delivery.ask("interactive", payload)

    async def submit_view(
        self, user: str, values: Mapping[str, Any] | None = None, *, view: View | None = None
    ) -> Submitted:
        """Send a person's uppermost modal, with values by action id or block id.

        ValueError is raised when a needed field is empty: Slack's own client would not send it either.
        """
        shown = view or self.modal(user)
        team, filled = self.workspaces[shown.team], _state(shown, values or {})
        _all_filled(shown, filled)
        payload = self._interaction(team, user) | {
            "type": "view_submission",
            "trigger_id": self.trigger(team, user, view=shown.id),
            "view": shown.payload(app=self.app_id, bot=team.bot_id, values=filled),
            "response_urls": [],
        }
        return self._after_submission(shown, await self.delivery.ask("interactive", payload))

    def _after_submission(self, shown: View, answer: Json) -> Submitted:
        """Do what the app wants to happen with the modal."""
        action = answer.get("response_action", "") if isinstance(answer, dict) else ""
        if action == "errors":
            blocks = {one["block_id"] for one in shown.content["blocks"] if one["type"] == "input"}
            if not answer.get("errors") or set(answer["errors"]) - blocks:
                raise SlackError("invalid_arguments", f"[ERROR] errors for unknown blocks: {answer}")
            return Submitted(errors=answer["errors"], view=shown, action=action)
        if action in {"update", "push"}:
            content = check_view(self, answer.get("view"), "modal")
            if action == "update":
                renewed(self, shown, content)
                return Submitted(view=shown, action=action)
            team = self.workspaces[shown.team]
            return Submitted(view=made(self, team, shown.user, content, below=shown), action=action)
        closed = self.stack(shown.user) if action == "clear" else [shown]
        for one in closed:
            one.closed = True
        self.bell.ring()
        stack = self.stack(shown.user)
        return Submitted(view=stack[-1] if stack else None, action=action)

    async def close_view(self, user: str) -> None:
        """Close a person's uppermost modal."""
        view = self.modal(user)
        team = self.workspaces[view.team]
        view.closed = True
        self.bell.ring()
        if not view.content.get("notify_on_close"):
            return
        payload = self._interaction(team, user) | {
            "type": "view_closed",
            "view": view.payload(app=self.app_id, bot=team.bot_id),
            "is_cleared": False,
        }
        await self.delivery.ask("interactive", payload)

    async def verify_url(self) -> bool:
        """Return whether the app's address answers the challenge with which Slack tries it."""
        challenge = secrets.token_urlsafe(16)
        payload = {"token": "verification-token", "type": "url_verification", "challenge": challenge}
        answer = await self.delivery.ask("url_verification", payload)
        return isinstance(answer, dict) and challenge in answer.values()

    def modal(self, user: str) -> View:
        """Return the uppermost modal that a person has open; LookupError when there is none."""
        stack = self.stack(user)
        if not stack:
            raise LookupError(f"{user} has no modal open")
        return stack[-1]

    def home_of(self, user: str) -> View | None:
        """Return a person's Home tab as the app published it."""
        return self.homes.get((self.team_of_user(user).id, user))

    def _interaction(self, team: Workspace, user: str) -> Payload:
        """Return what all interactive payloads have."""
        name = team.users[user].name.lower()
        return {
            "user": {"id": user, "username": name, "name": name, "team_id": team.id},
            "api_app_id": self.app_id,
            "token": "verification-token",
            "team": {"id": team.id, "domain": team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _action(self, block: Payload, element: Payload, value: str | None) -> Payload:
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "action_ts": self.ids.ts(),
        }
        if element["type"] in _CHOICES:
            option = _option(element, value)
            many = element["type"] in {"checkboxes", "multi_static_select"}
            return action | ({"selected_options": [option]} if many else {"selected_option": option})
        if element["type"] in _VALUES:
            return action | {_VALUES[element["type"]][0]: value}
        if element["type"] == "feedback_buttons":
            pressed = next(one for one in _feedback(element) if one["value"] == value)
            return action | {"text": pressed["text"], "value": value}
        return action | {key: element[key] for key in ("text", "value", "url", "style") if key in element}


def _named(channel: Channel) -> Payload:
    return {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name}


def _elements(blocks: list[Payload]) -> Iterator[tuple[Payload, Payload]]:
    """Yield each interactive element with its block."""
    for block in blocks:
        for key in ("element", "accessory"):
            if isinstance(block.get(key), dict):
                yield block, block[key]
        if block["type"] in {"actions", "context_actions"}:
            for element in block["elements"]:
                yield block, element


def _element(blocks: list[Payload], action_id: str, value: str | None) -> tuple[Payload, Payload]:
    """Return an element and its block; among buttons of one id `value` tells which."""
    for block, element in _elements(blocks):
        if element.get("action_id") == action_id and _offers(element, value):
            return block, element
    there = [(one.get("action_id"), one.get("value")) for _, one in _elements(blocks)]
    raise LookupError(f"there is no {action_id!r} with {value!r} among {there}")


def _offers(element: Payload, value: str | None) -> bool:
    if element["type"] == "feedback_buttons":
        return value in [one["value"] for one in _feedback(element)]
    if element["type"] in {"button", "icon_button"}:
        return value is None or element.get("value") == value
    return element["type"] not in _CHOICES or value in [one["value"] for one in _options(element)]


def _feedback(element: Payload) -> tuple[Payload, Payload]:
    return element["positive_button"], element["negative_button"]


def _options(element: Payload) -> list[Payload]:
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def _option(element: Payload, value: str | None) -> Payload:
    return next(one for one in _options(element) if one["value"] == value)


def _state(view: View, values: Mapping[str, Any]) -> Payload:
    """Return the values of a view's fields: those given, else those it began with."""
    state: Payload = {}
    used = set()
    for block, element in _elements(view.content["blocks"]):
        if element["type"] not in _VALUES:
            continue
        key, initial = _VALUES[element["type"]]
        value = element.get(initial)
        for name in (element["action_id"], block["block_id"]):
            if name in values:
                used.add(name)
                value = _chosen(element, values[name])
        state.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], key: value}
    if unknown := set(values) - used:
        raise LookupError(f"there are no fields {sorted(unknown)} in the view {view.id}")
    return state


def _chosen(element: Payload, value: Json) -> Json:
    if element["type"] not in _CHOICES or value is None:
        return value
    if element["type"] in {"checkboxes", "multi_static_select"}:
        return [_option(element, one) for one in value]
    return _option(element, value)


def _all_filled(view: View, filled: Payload) -> None:
    """Refuse what Slack's client would not send."""
    for block, element in _elements(view.content["blocks"]):
        if block["type"] != "input":
            continue
        value = next(
            held for key, held in filled[block["block_id"]][element["action_id"]].items() if key != "type"
        )
        if value in (None, "", []) and not block.get("optional"):
            raise ValueError(f"the field {block['block_id']!r} must be filled in")
        if isinstance(value, str) and len(value) > element.get("max_length", 3000):
            raise ValueError(
                f"the field {block['block_id']!r} takes {element.get('max_length', 3000)} characters"
            )
