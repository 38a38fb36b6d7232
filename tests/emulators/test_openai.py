"""The emulator, driven by the real openai client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.emulators.openai import (
    BAD_REQUEST,
    INTERNAL,
    NO_QUOTA,
    OVERLOADED,
    Failure,
    OpenAIEmulator,
    Raw,
    embed,
    forever,
    one_after_another,
    rate_limited,
    say,
)

ASK: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi?"},
]


@pytest.fixture
async def server() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator().running() as running:
        yield running


@pytest.fixture
async def client(server: OpenAIEmulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=server.key, base_url=server.base_url, max_retries=0) as opened:
        yield opened


async def _streamed(client: AsyncOpenAI) -> tuple[str, list[str | None], int]:
    """Return the text, the finish reasons and the tokens of a streamed reply."""
    text, tokens = "", 0
    finishes: list[str | None] = []
    stream = await client.chat.completions.create(
        model="test-model", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    async with stream:
        async for event in stream:
            tokens = event.usage.total_tokens if event.usage else tokens
            for choice in event.choices:
                text += choice.delta.content or ""
                finishes.append(choice.finish_reason)
    return text, finishes, tokens


async def test_whole_reply(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A request without streaming gets one completion with its usage."""
    server.reply = lambda request: say(f"You said {request.user}")
    reply = await client.chat.completions.create(model="test-model", messages=ASK)
    assert reply.choices[0].message.content == "You said Hi?"
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 7)


async def test_streamed_reply(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A streamed reply comes in its parts, ends with a reason, and a last chunk holds the usage."""
    server.reply = lambda _request: say("One ", "two.")
    assert await _streamed(client) == ("One two.", [None, None, None, "stop"], 18)


async def test_usage_chunk_only_on_request(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """Without `include_usage` no usage is sent."""
    stream = await client.chat.completions.create(model="test-model", messages=ASK, stream=True)
    async with stream:
        assert [event.usage async for event in stream] == [None, None, None]
    assert "stream_options" not in server.chats()[0].body


async def test_requests_are_recorded(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """The recorded request holds path, key and messages."""
    await client.chat.completions.create(model="test-model", messages=ASK)
    (request,) = server.chats()
    assert (request.path, request.system, request.user) == ("/v1/chat/completions", "Be brief.", "Hi?")
    assert request.headers["Authorization"] == "Bearer test-key"


@pytest.mark.parametrize(
    ("failure", "error", "code"),
    [
        (BAD_REQUEST, openai.BadRequestError, None),
        (rate_limited(2), openai.RateLimitError, "rate_limit_exceeded"),
        (NO_QUOTA, openai.RateLimitError, "insufficient_quota"),
        (INTERNAL, openai.InternalServerError, None),
        (OVERLOADED, openai.InternalServerError, None),
    ],
)
async def test_failures(
    server: OpenAIEmulator,
    client: AsyncOpenAI,
    failure: Failure,
    error: type[openai.APIStatusError],
    code: str | None,
) -> None:
    """A scripted failure reaches the client as the error that its status stands for."""
    server.reply = lambda _request: failure
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model="test-model", messages=ASK)
    assert (caught.value.status_code, caught.value.code) == (failure.status, code)


async def test_retry_after_is_sent(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A rate limit names its pause in `Retry-After`, and the client's own retry gets the next reply."""
    server.reply = one_after_another(rate_limited(0.01), say("Now."))
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model="test-model", messages=ASK)
    assert caught.value.response.headers["retry-after"] == "0.01"
    reply = await client.chat.completions.create(model="test-model", messages=ASK)
    assert reply.choices[0].message.content == "Now."


async def test_wrong_key(server: OpenAIEmulator) -> None:
    """A wrong key is refused on every path and nothing is recorded."""
    async with AsyncOpenAI(api_key="wrong", base_url=server.base_url, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(model="test-model", messages=ASK)
        with pytest.raises(openai.AuthenticationError):
            await client.embeddings.create(model="test-model", input="x")
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    assert server.requests == []


async def test_unknown_model(client: AsyncOpenAI) -> None:
    """A model that the server does not have gives 404."""
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.create(model="other", messages=ASK)
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("other")


async def test_models(client: AsyncOpenAI) -> None:
    """The models are listed."""
    assert [model.id async for model in client.models.list()] == ["test-model"]


async def test_embeddings(client: AsyncOpenAI) -> None:
    """Embeddings come in order, as unit vectors, packed or plain."""
    packed = await client.embeddings.create(model="test-model", input=["a b", "c"])
    plain = await client.embeddings.create(model="test-model", input=["a b", "c"], encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1]
    assert packed.data[0].embedding == pytest.approx(embed("a b", 8), abs=1e-6)
    assert plain.data[1].embedding == pytest.approx(embed("c", 8))


async def test_embedding_failure(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """Embedding requests can be made to fail."""
    server.embedding_failure = lambda _request: OVERLOADED
    with pytest.raises(openai.InternalServerError):
        await client.embeddings.create(model="test-model", input="x")


async def test_cut_stream(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A cut stream breaks off in the middle of the body."""
    server.reply = lambda _request: say("One ", "two.", cut=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await _streamed(client)


async def test_malformed_event(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A malformed event is no JSON."""
    server.reply = lambda _request: say("One ", "two.", malformed=True)
    with pytest.raises(json.JSONDecodeError):
        await _streamed(client)


async def test_raw_body(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A body can be anything, such as a proxy's page."""
    server.reply = lambda _request: Raw(body="<html>", status=502, content_type="text/html")
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model="test-model", messages=ASK)


async def test_slow_first_token(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A reply whose first word never comes runs into the client's time-out."""
    server.reply = lambda _request: say("Late.", first_token=forever)
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.05).chat.completions.create(model="test-model", messages=ASK)
    with pytest.raises((openai.APITimeoutError, httpx.ReadTimeout)):
        await _streamed(client.with_options(timeout=0.05))


async def test_refusal(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A refusal comes beside the content."""
    server.reply = lambda _request: say(refusal="I cannot.", finish="content_filter")
    reply = await client.chat.completions.create(model="test-model", messages=ASK)
    choice = reply.choices[0]
    assert (choice.message.refusal, choice.finish_reason) == ("I cannot.", "content_filter")


async def test_bad_requests(server: OpenAIEmulator, client: AsyncOpenAI) -> None:
    """A request without messages, or one that is no JSON, gives 400."""
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(model="test-model", messages=[])
    async with httpx.AsyncClient() as plain:
        reply = await plain.post(
            f"{server.base_url}/chat/completions",
            content="{",
            headers={"Authorization": f"Bearer {server.key}"},
        )
    assert reply.status_code == 400
