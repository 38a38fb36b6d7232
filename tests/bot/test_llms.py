from __future__ import annotations

import logging

import pytest
from pydantic import SecretStr

from bot.errors import ModelRefused, ModelUnavailable
from bot.llms import Model, open_model, user
from bot.messages import Usage
from bot.settings import LlmSettings
from bot.spending import Spent
from tests.emulators.openai import (
    BAD_REQUEST,
    INTERNAL,
    NO_QUOTA,
    NO_SUCH_MODEL,
    OVERLOADED,
    UNAUTHORISED,
    Failure,
    OpenAIEmulator,
    Raw,
    Reply,
    one_after_another,
    rate_limited,
    say,
)

HELLO = [user("Hello?")]


async def read(model: Model, spent: Spent | None = None) -> list[str]:
    return [delta async for delta in model.stream(HELLO, spent or Spent())]


async def test_stream_and_cost(server: OpenAIEmulator, model: Model) -> None:
    """Deltas come as they are written; tokens are counted and priced by the million."""
    server.reply = lambda _request: say("One ", "two.", prompt_tokens=1_000, completion_tokens=500)
    spent = Spent()
    assert await read(model, spent) == ["One ", "two."]
    assert spent.usage(model.settings) == Usage(input_tokens=1_000, output_tokens=500, cost=0.007)


async def test_request(server: OpenAIEmulator, model: Model) -> None:
    """The request holds the settings and asks for usage; no tool is offered."""
    await read(model)
    body = server.chats()[0].body
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("test-model", 0.0, 600)
    assert body["stream_options"] == {"include_usage": True}
    assert "tools" not in body


async def test_estimated_usage(server: OpenAIEmulator, model: Model) -> None:
    """A server that reports no usage gets an estimate of a token every four characters."""
    server.reply = lambda _request: say("12345678", usage=False)
    spent = Spent()
    await read(model, spent)
    assert (spent.input_tokens, spent.output_tokens) == (2, 2)


@pytest.mark.parametrize(
    ("reply", "error", "reason"),
    [
        (UNAUTHORISED, ModelRefused, "the model's key was rejected"),
        (Failure(status=403), ModelRefused, "the model's key was rejected"),
        (NO_SUCH_MODEL, ModelRefused, "the model is not known to its server"),
        (BAD_REQUEST, ModelRefused, "the model rejected the request"),
        (Failure(status=413), ModelRefused, "the question was too long for the model"),
        (NO_QUOTA, ModelRefused, "the model's quota is used up"),
        (rate_limited(60), ModelUnavailable, "the model is rate-limited"),
        (rate_limited("Wed, 21 Oct 2026 07:28:00 GMT"), ModelUnavailable, "the model is rate-limited"),
        (INTERNAL, ModelUnavailable, "the model is down"),
        (OVERLOADED, ModelUnavailable, "the model is down"),
        (Raw(body="<html>", status=502, content_type="text/html"), ModelUnavailable, "the model is down"),
        (say("One", cut=0), ModelUnavailable, "the model cannot be reached"),
        (say("One", "two", cut=1), ModelUnavailable, "the model cannot be reached"),
        (say("One", "two", malformed=True), ModelUnavailable, "the model's answer could not be read"),
        (say("One", finish=None, done=False), ModelUnavailable, "the model's answer broke off"),
        (say("One", finish="length"), ModelUnavailable, "the model's answer broke off"),
        (say(finish="content_filter"), ModelRefused, "the model declined to answer"),
        (say(refusal="I cannot."), ModelRefused, "the model declined to answer"),
    ],
)
async def test_failures(
    server: OpenAIEmulator, model: Model, reply: Reply, error: type[Exception], reason: str
) -> None:
    """Each failure of the server becomes our error with a reason in a few words."""
    server.reply = lambda _request: reply
    with pytest.raises(error) as caught:
        await read(model)
    assert getattr(caught.value, "reason", "") == reason


async def test_one_retry(server: OpenAIEmulator, model: Model) -> None:
    """A short `Retry-After` is waited for once, before the first word."""
    server.reply = one_after_another(rate_limited(0.01), say("Now."))
    assert await read(model) == ["Now."]
    assert len(server.chats()) == 2


@pytest.mark.parametrize("reply", [rate_limited(60), NO_QUOTA, UNAUTHORISED, say("One", "two", cut=1)])
async def test_no_retry(server: OpenAIEmulator, model: Model, reply: Reply) -> None:
    """A long `Retry-After`, a refusal or a broken answer is not tried again."""
    server.reply = lambda _request: reply
    with pytest.raises((ModelRefused, ModelUnavailable)):
        await read(model)
    assert len(server.chats()) == 1


async def test_nobody_listens(llm_settings: LlmSettings) -> None:
    """A server that is not there cannot be reached."""
    gone = llm_settings.model_copy(update={"base_url": "http://127.0.0.1:1/v1", "timeout": 4.0})
    model = open_model(gone, SecretStr("k"))
    assert model is not None
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await read(model)
    await model.close()


async def test_the_key_stays_secret(
    server: OpenAIEmulator, llm_settings: LlmSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The key is in no error, log or representation."""
    caplog.set_level(logging.DEBUG)
    model = open_model(llm_settings, SecretStr("sk-planted-secret"))
    assert model is not None
    with pytest.raises(ModelRefused) as caught:
        await read(model)
    await model.close()
    told = f"{caught.value!r} {caplog.text} {model!r} {model.llama!r} {model.llama.to_dict()}"
    assert "sk-planted-secret" not in told
    assert "rejected the key (401)" in told


def test_no_model() -> None:
    """Without a provider there is no model."""
    assert open_model(LlmSettings(), SecretStr("k")) is None


def test_missing_key() -> None:
    """OpenAI's own API needs a key, and the message names the variable that should hold it."""
    with pytest.raises(ModelRefused, match="'MY_KEY'"):
        open_model(LlmSettings(provider="openai", model="m", api_key_env="MY_KEY"), None)
