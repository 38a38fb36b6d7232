"""The methods of the Web API: which arguments each takes, its scopes and its rate tier.

A handler is put into `METHODS` by `method(name, arguments, …)`. Arguments are written in one line: a name
with `!` must be given, `:json`, `:bool`, `:number` or `:list` behind it tells its kind; else it is text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.workspace import Channel, Json, Message, Payload, User, Workspace

if TYPE_CHECKING:
    from tests.emulators.slack.talk import Talk

# The error for an argument that is no JSON or has the wrong shape; `invalid_arguments` else.
_MALFORMED = {
    "attachments": "invalid_attachments",
    "blocks": "invalid_blocks_format",
    "metadata": "invalid_metadata_format",
    "chunks": "invalid_chunks",
}
_MALFORMED_OF = {
    ("chat.postMessage", "attachments"): "invalid_arguments",
    ("chat.stopStream", "blocks"): "invalid_blocks",
}
# The clients send the workspace along with every call once they know it.
COMMON = {"team_id"}
Caller = Literal["bot", "app", "any", "none"]
_TRUE, _FALSE = {"1", "true", "True"}, {"0", "false", "False", ""}


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    kind: str
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """`scopes`: one is enough. `by`: the token it wants. `tier`: 1 to 4, or a limit of its own."""

    name: str
    arguments: Mapping[str, Argument]
    handler: Handler
    scopes: tuple[str, ...]
    tier: int | str
    by: Caller


@dataclass(slots=True, kw_only=True)
class Call:
    """One call as its handler sees it: arguments already of the right kind."""

    site: Talk
    workspace: Workspace
    method: str
    arguments: Payload
    notes: Payload = field(default_factory=dict)

    def get(self, name: str, default: Json = None) -> Json:
        return self.arguments.get(name, default)

    def text(self, name: str) -> str:
        return str(self.arguments.get(name) or "")

    def channel(self, name: str = "channel") -> Channel:
        """Return a conversation that the bot can see, or refuse as Slack does."""
        channel = self.workspace.channels.get(self.text(name))
        if channel is None or (channel.private and not self.member(channel)):
            raise SlackError("channel_not_found")
        return channel

    def member(self, channel: Channel) -> bool:
        return self.workspace.bot_user in channel.members

    def user(self, name: str = "user") -> User:
        user = self.workspace.users.get(self.text(name))
        if user is None:
            raise SlackError("user_not_found")
        return user

    def own(self, channel: Channel, name: str, other: str) -> Message:
        """Return a message of the bot; refuse one of others with `other`."""
        message = channel.messages.get(self.text(name))
        if message is None or message.ephemeral:
            raise SlackError("message_not_found")
        if message.bot_id != self.workspace.bot_id:
            raise SlackError(other)
        return message

    def number(self, name: str, default: int, most: int) -> int:
        return max(1, min(int(self.arguments.get(name, default)), most))


Handler = Callable[[Call], Payload]
METHODS: dict[str, Method] = {}


def method(
    name: str,
    arguments: str = "",
    *,
    scopes: str = "",
    tier: int | str = 3,
    by: Caller = "bot",
) -> Callable[[Handler], Handler]:
    """Put a handler into the table."""

    def put(handler: Handler) -> Handler:
        METHODS[name] = Method(
            name=name,
            arguments={one.name: one for one in map(_argument, arguments.split())},
            handler=handler,
            scopes=tuple(scopes.split()),
            tier=tier,
            by=by,
        )
        return handler

    return put


def _argument(written: str) -> Argument:
    name, _, kind = written.replace("!", "").partition(":")
    return Argument(name, kind or "text", "!" in written)


def read_arguments(known: Method, given: Mapping[str, Any]) -> Payload:
    """Return the arguments in their kinds; refuse unknown, missing and malformed ones."""
    if unknown := sorted(set(given) - set(known.arguments) - COMMON):
        raise SlackError("invalid_arguments", *(f"[ERROR] unsupported argument: {name}" for name in unknown))
    missing = [one.name for one in known.arguments.values() if one.needed and given.get(one.name) is None]
    if missing:
        raise SlackError(
            "invalid_arguments", *(f"[ERROR] missing required field: {name}" for name in missing)
        )
    return {
        name: _read(known.name, known.arguments[name], value)
        for name, value in given.items()
        if value is not None and name in known.arguments
    }


def _read(name: str, argument: Argument, value: Json) -> Json:
    try:
        return _KINDS[argument.kind](value)
    except (TypeError, ValueError) as error:
        refusal = _MALFORMED_OF.get((name, argument.name)) or _MALFORMED.get(argument.name)
        raise SlackError(
            refusal or "invalid_arguments", f"[ERROR] must be {argument.kind} [json-pointer:/{argument.name}]"
        ) from error


def _text(value: Json) -> str:
    if isinstance(value, bool | dict | list):
        raise TypeError(value)
    return str(value)


def _bool(value: Json) -> bool:
    if str(value) not in _TRUE | _FALSE:
        raise ValueError(value)
    return str(value) in _TRUE


def _json(value: Json) -> Json:
    parsed = json.loads(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict | list):
        raise TypeError(parsed)
    return parsed


def _list(value: Json) -> list[Any]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [one for one in value.split(",") if one]
    parsed = _json(value)
    if not isinstance(parsed, list):
        raise TypeError(parsed)
    return parsed


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "bool": _bool,
    "number": int,
    "json": _json,
    "list": _list,
}
