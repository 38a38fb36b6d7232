"""The emulator from outside its process: `POST /control/{verb}` with the verb's arguments as JSON.

`state` tells addresses and tokens. Verbs of `SlackEmulator` take its own argument names; `click` takes
`channel` and `ts` instead of a message. `wait` returns the app's messages of a thread as soon as there are
`count` of them that are finished, or what there is after `seconds`.
"""

from __future__ import annotations

import base64
import dataclasses
import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.emulators.slack.errors import NotDelivered, SlackError
from tests.emulators.slack.workspace import Json, Message, Payload, View

if TYPE_CHECKING:
    from tests.emulators.slack.server import SlackEmulator

_SAME = [
    "add_user",
    "add_channel",
    "add_group",
    "direct",
    "say",
    "edit",
    "delete",
    "unfurl",
    "react",
    "join",
    "leave",
    "open_home",
    "stop_button",
    "revoke",
    "uninstall",
    "command",
    "shortcut",
    "submit_view",
    "close_view",
    "connected",
]
_FAULTS = ["fail", "status", "rate_limit", "cut", "hang", "slow", "clear"]
_SETTINGS = {"request_url", "redirect_url", "own_events"}


class Control:
    """Answers `/control/{verb}`."""

    def __init__(self, slack: SlackEmulator) -> None:
        self._slack = slack
        self._verbs: dict[str, Callable[..., Any]] = {name: getattr(slack, name) for name in _SAME}
        self._verbs |= {f"fault_{name}": getattr(slack.faults, name) for name in _FAULTS}
        self._verbs |= {
            "add_file": self.add_file,
            "acks": self.acks,
            "advance": slack.clock.advance,
            "calls": self.calls,
            "click": self.click,
            "cut_sockets": slack.sockets.cut,
            "disconnect_sockets": slack.sockets.disconnect,
            "duplicates": self.duplicates,
            "limits": self.limits,
            "messages": self.messages,
            "redeliver": slack.delivery.redeliver,
            "set": self.set,
            "state": self.state,
            "wait": self.wait,
            "zombie_sockets": slack.sockets.zombie,
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Do one thing; wrong names and arguments are told with status 400."""
        verb = self._verbs.get(request.match_info["verb"])
        if verb is None:
            return web.json_response({"error": f"no verb; there are {sorted(self._verbs)}"}, status=404)
        try:
            arguments = await request.json() if request.can_read_body else {}
            result = verb(**arguments)
            if inspect.isawaitable(result):
                result = await result
        except (NotDelivered, SlackError, AssertionError) as error:
            return web.json_response({"error": str(error) or type(error).__name__}, status=409)
        except (TypeError, LookupError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"result": result}, dumps=_dumps)

    def state(self) -> Payload:
        """Tell how to reach the emulator."""
        slack = self._slack
        return {
            "url": slack.url,
            "api_url": slack.api_url,
            "authorize_url": slack.authorize_url,
            "bot_token": slack.bot_token,
            "bot_user": slack.bot_user,
            "app_token": slack.app_token,
            "signing_secret": slack.signing_secret,
            "client_id": slack.client_id,
            "client_secret": slack.client_secret,
            "team": slack.home.id,
            "connections": len(slack.sockets.connections),
        }

    def set(self, **values: Json) -> None:
        """Change a setting of the app."""
        if unknown := sorted(set(values) - _SETTINGS):
            raise LookupError(f"there is no {unknown[0]!r} among {sorted(_SETTINGS)}")
        for name, value in values.items():
            setattr(self._slack, name, value)

    def limits(self, *, on: bool | None = None) -> Payload:
        """Switch the rate limits; tell who was refused, and who came back too early."""
        if on is not None:
            self._slack.limits.on = on
        return {"refused": self._slack.limits.refused, "early": self._slack.limits.early}

    def duplicates(self, *, rate: float, delays: list[float] | None = None) -> None:
        """Deliver that share of the events twice."""
        self._slack.faults.duplicates = rate
        if delays is not None:
            self._slack.faults.duplicate_delays = tuple(delays)

    def add_file(self, *, name: str, data: str, user: str, mimetype: str = "text/plain") -> str:
        """Upload a file; `data` is base64."""
        return self._slack.add_file(name, base64.b64decode(data), user, mimetype=mimetype)

    async def click(
        self, *, channel: str, ts: str, action_id: str, user: str, value: str | None = None
    ) -> Json:
        """Press a button below a message."""
        message = self._slack.message(channel, ts)
        return await self._slack.click(message, action_id, user=user, value=value)

    def messages(self, *, channel: str, thread_ts: str = "") -> list[Message]:
        return self._slack.messages(channel, thread_ts)

    async def wait(
        self, *, channel: str, thread_ts: str = "", count: int = 1, seconds: float = 10.0
    ) -> list[Message]:
        def finished() -> list[Message]:
            found = [one for one in self._slack.messages(channel, thread_ts) if not one.streaming]
            return found if len(found) >= count else []

        try:
            return await self._slack.bell.until(finished, seconds)
        except TimeoutError:
            return self._slack.messages(channel, thread_ts)

    def calls(self, *, method: str = "", since: int = 0) -> list[Any]:
        """Return the calls of the Web API, of one method if named, from number `since` on."""
        return [one for one in self._slack.calls[since:] if method in {"", one.method}]

    def acks(self, *, since: int = 0) -> list[Payload]:
        """Return the deliveries from number `since` on, with their latencies."""
        found = self._slack.acks[since:]
        return [dataclasses.asdict(one) | {"latency": one.latency} for one in found]


def _dumps(value: object) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: object) -> Json:
    """Return what is no JSON yet in a form that is."""
    if isinstance(value, Message):
        return value.payload(metadata=True) | {
            "channel": value.channel,
            "ephemeral": value.ephemeral,
            "streaming": value.streaming,
            "revisions": value.revisions,
        }
    if isinstance(value, View):
        return {"id": value.id, **value.content}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, set | tuple):
        return list(value)
    return str(value)
