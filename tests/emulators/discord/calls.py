"""One request to the HTTP API, as it came in and as it was answered."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.emulators.discord.drafts import Sent
from tests.emulators.discord.errors import ApiError, Payload
from tests.emulators.discord.messages import Upload
from tests.emulators.discord.world import World

Reply = tuple[int, Any]
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """A request. `route` is its method and path template, `args` what stands in the template's places."""

    world: World
    method: str
    template: str
    path: str
    args: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    files: dict[int, Upload] = field(default_factory=dict)
    authorization: str = ""
    at: float = 0.0
    status: int = 0
    reply: Any = None
    took: float = 0.0

    @property
    def route(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def major(self) -> str:
        """What Discord counts rate limits apart by."""
        return ":".join(self.args[key] for key in MAJOR if key in self.args)

    @property
    def sent(self) -> Sent:
        """The body of a message."""
        return Sent(body=self.fields, files=self.files)

    @property
    def fields(self) -> Payload:
        """The JSON object that was sent; raise `ApiError` when it is none."""
        if not isinstance(self.body, dict):
            raise ApiError(50109)
        return self.body

    def facts(self) -> Payload:
        """Return what a test in another process asks about."""
        return {
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "body": self.body,
            "files": [one.name for one in self.files.values()],
            "status": self.status,
            "at": self.at,
            "took": self.took,
        }


async def read(world: World, request: web.Request, template: str) -> Call:
    """Return a request with its body read, JSON or multipart; raise `ApiError` for a broken one."""
    call = Call(
        world=world,
        method=request.method,
        template=template,
        path=request.path.removeprefix("/api/v10"),
        args=dict(request.match_info),
        query=dict(request.query),
        authorization=request.headers.get("Authorization", ""),
        at=world.clock.now(),
    )
    if request.content_type == "multipart/form-data":
        await _multipart(call, request)
    elif request.can_read_body:
        call.body = _json(await request.text())
    return call


async def _multipart(call: Call, request: web.Request) -> None:
    form = await request.post()
    for key, value in form.items():
        if key == "payload_json":
            call.body = _json(value.file.read().decode() if isinstance(value, web.FileField) else str(value))
        elif isinstance(value, web.FileField):
            number = key.removeprefix("files[").removesuffix("]")
            position = int(number) if number.isdecimal() else len(call.files)
            call.files[position] = Upload(
                name=value.filename, data=value.file.read(), media_type=_kind(value.filename)
            )
    if call.body is None:
        call.body = {}


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _json(text: str) -> Any:  # noqa: ANN401 - whatever was sent
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise ApiError(50109) from None
