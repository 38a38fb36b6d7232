"""A server that speaks OpenAI's wire protocol: chat completions with and without SSE, embeddings, models.

It listens on a real socket of the loopback interface. A test scripts it with `reply`, a function of the
request; `requests` records what came in. It imports nothing of ours, so that one misreading of the
protocol cannot pass twice.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import math
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: Body
    at: float

    @property
    def system(self) -> str:
        """The text of the system messages."""
        return "\n".join(m["content"] for m in self.body.get("messages", []) if m["role"] == "system")

    @property
    def user(self) -> str:
        """The text of the last user message."""
        said = [m["content"] for m in self.body.get("messages", []) if m["role"] == "user"]
        return said[-1] if said else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A reply in words, streamed as `parts` when the request asks for a stream.

    `first_token` is awaited before the first word and `between` before each further one. After `cut`
    parts the connection is closed. With `malformed` a line of broken JSON follows the first part.
    """

    parts: Sequence[str]
    finish: str | None = "stop"
    refusal: str | None = None
    usage: bool = True
    prompt_tokens: int = 11
    completion_tokens: int = 7
    first_token: Callable[[], Awaitable[object]] | None = None
    between: Callable[[], Awaitable[object]] | None = None
    cut: int | None = None
    malformed: bool = False
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error as the API reports it."""

    status: int
    message: str = "scripted failure"
    type: str = "server_error"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A body sent as it is: HTML from a proxy, broken JSON."""

    body: str
    status: int = 200
    content_type: str = "application/json"


Reply = Text | Failure | Raw
Script = Callable[[Recorded], Reply]


def say(*parts: str, **options: Any) -> Text:  # noqa: ANN401 - the fields of Text
    """Return a reply of these parts."""
    return Text(parts=parts, **options)


async def forever() -> None:
    """Wait until the connection is dropped or the server is closed."""
    await asyncio.Event().wait()


BAD_REQUEST = Failure(status=400, message="bad request", type="invalid_request_error")
UNAUTHORISED = Failure(
    status=401, message="Incorrect API key provided.", type="invalid_request_error", code="invalid_api_key"
)
NO_SUCH_MODEL = Failure(
    status=404, message="The model does not exist.", type="invalid_request_error", code="model_not_found"
)
NO_QUOTA = Failure(
    status=429, message="You exceeded your quota.", type="insufficient_quota", code="insufficient_quota"
)
INTERNAL = Failure(status=500, message="The server had an error.")
OVERLOADED = Failure(status=503, message="The engine is overloaded.")


def rate_limited(retry_after: float | str) -> Failure:
    """Return a 429 that asks for a pause of so many seconds."""
    return Failure(
        status=429,
        message="Rate limit reached.",
        type="requests",
        code="rate_limit_exceeded",
        headers={"retry-after": str(retry_after)},
    )


def one_after_another(*replies: Reply) -> Script:
    """Return a script that gives each reply once and then repeats the last."""
    left = list(replies)
    return lambda _request: left.pop(0) if len(left) > 1 else left[0]


class OpenAIEmulator:
    """The server. `base_url` is what a client is given; `reply` answers chat requests."""

    def __init__(
        self, *, key: str = "test-key", models: Sequence[str] = ("test-model",), dimension: int = 8
    ) -> None:
        self.key = key
        self.models = tuple(models)
        self.dimension = dimension
        self.reply: Script = lambda _request: say("Hello.")
        self.embedding_failure: Callable[[Recorded], Failure | None] = lambda _request: None
        self.requests: list[Recorded] = []
        self.base_url = ""

    def chats(self) -> list[Recorded]:
        """Return the chat requests that came in."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OpenAIEmulator]:
        """Serve on a free port until the block ends."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embeddings)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_get("/v1/models/{model}", self._show_model)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _record(self, request: web.Request) -> Recorded | web.Response:
        """Return the request, or the response to one that is not let in."""
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _failed(UNAUTHORISED)
        text = await request.text()
        try:
            body = json.loads(text) if text else {}
        except json.JSONDecodeError:
            return _failed(Failure(status=400, message="not JSON", type="invalid_request_error"))
        recorded = Recorded(path=request.path, headers=dict(request.headers), body=body, at=time.monotonic())
        self.requests.append(recorded)
        return recorded

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        recorded = await self._record(request)
        if isinstance(recorded, web.Response):
            return recorded
        problem = self._problem(recorded.body, needed="messages")
        if problem is not None:
            return _failed(problem)
        reply = self.reply(recorded)
        if isinstance(reply, Failure):
            return _failed(reply)
        if isinstance(reply, Raw):
            return web.Response(text=reply.body, status=reply.status, content_type=reply.content_type)
        if recorded.body.get("stream"):
            return await _stream(request, recorded.body, reply)
        return await _whole(recorded.body, reply)

    def _problem(self, body: Body, *, needed: str) -> Failure | None:
        if not body.get(needed):
            return Failure(
                status=400, message=f"Missing parameter: {needed!r}.", type="invalid_request_error"
            )
        if "stream_options" in body and not body.get("stream"):
            return Failure(status=400, message="stream_options needs stream.", type="invalid_request_error")
        return None if body.get("model") in self.models else NO_SUCH_MODEL

    async def _embeddings(self, request: web.Request) -> web.Response:
        recorded = await self._record(request)
        if isinstance(recorded, web.Response):
            return recorded
        problem = self._problem(recorded.body, needed="input") or self.embedding_failure(recorded)
        if problem is not None:
            return _failed(problem)
        given = recorded.body["input"]
        texts = [given] if isinstance(given, str) else given
        packed = recorded.body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": i, "embedding": _embedding(text, self.dimension, packed=packed)}
            for i, text in enumerate(texts)
        ]
        tokens = sum(len(str(text).split()) for text in texts)
        return web.json_response(
            {
                "object": "list",
                "model": recorded.body["model"],
                "data": data,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )

    async def _list_models(self, request: web.Request) -> web.Response:
        recorded = await self._record(request)
        if isinstance(recorded, web.Response):
            return recorded
        return web.json_response({"object": "list", "data": [_model(name) for name in self.models]})

    async def _show_model(self, request: web.Request) -> web.Response:
        recorded = await self._record(request)
        if isinstance(recorded, web.Response):
            return recorded
        name = request.match_info["model"]
        return web.json_response(_model(name)) if name in self.models else _failed(NO_SUCH_MODEL)


def _model(name: str) -> Body:
    return {"id": name, "object": "model", "created": 1, "owned_by": "emulator"}


def embed(text: str, dimension: int) -> list[float]:
    """Return a unit vector in which texts that share words are near each other."""
    vector = [0.0] * dimension
    for word in str(text).casefold().split():
        digest = hashlib.sha256(word.encode("utf-8", "replace")).digest()
        vector[digest[0] % dimension] += 1.0 if digest[1] % 2 else -1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else [1.0, *vector[1:]]


def _embedding(text: str, dimension: int, *, packed: bool) -> str | list[float]:
    vector = embed(text, dimension)
    if not packed:
        return vector
    return base64.b64encode(struct.pack(f"<{dimension}f", *vector)).decode()


def _failed(failure: Failure) -> web.Response:
    error = {"message": failure.message, "type": failure.type, "param": None, "code": failure.code}
    return web.json_response({"error": error}, status=failure.status, headers=failure.headers)


def _usage(reply: Text) -> Body:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
    }


async def _whole(body: Body, reply: Text) -> web.Response:
    if reply.first_token is not None:
        await reply.first_token()
    message = {"role": "assistant", "content": "".join(reply.parts), "refusal": reply.refusal}
    return web.json_response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": None}],
            "usage": _usage(reply) if reply.usage else None,
        }
    )


async def _stream(request: web.Request, body: Body, reply: Text) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    model = body["model"]
    await _send(response, _chunk(model, {"role": "assistant", "content": "", "refusal": None}))
    for position, part in enumerate(reply.parts):
        if reply.cut is not None and position >= reply.cut:
            return _drop(request, response)
        wait = reply.first_token if position == 0 else reply.between
        if wait is not None:
            await wait()
        await _send(response, _chunk(model, {"content": part}))
        if reply.malformed and position == 0:
            await response.write(b'data: {"id": "chatcmpl-1", "choices": [{"delta"\n\n')
    if reply.refusal:
        await _send(response, _chunk(model, {"refusal": reply.refusal}))
    if reply.finish is not None:
        await _send(response, _chunk(model, {}, finish=reply.finish))
    if reply.usage and (body.get("stream_options") or {}).get("include_usage"):
        await _send(response, _chunk(model, None) | {"usage": _usage(reply)})
    if reply.done:
        await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _drop(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


def _chunk(model: str, delta: Body | None, *, finish: str | None = None) -> Body:
    """Return one event; `delta` None makes the closing one, which has no choices."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": [] if delta is None else [choice],
        "usage": None,
    }


async def _send(response: web.StreamResponse, event: Body) -> None:
    await response.write(f"data: {json.dumps(event)}\n\n".encode())
