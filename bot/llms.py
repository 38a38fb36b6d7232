"""The answering model: a LlamaIndex LLM over the openai client, its errors told in our words.

The client's own retries are off: one retry is made here, only before the first word, only when the
server's `Retry-After` and the deadline allow it.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import httpx
import openai
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import ChatMessage, ChatResponse, MessageRole
from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]  # it ships no py.typed
from openai import AsyncOpenAI

from bot.errors import ModelError, ModelRefused, ModelUnavailable
from bot.settings import LlmSettings
from bot.spending import Spent

if TYPE_CHECKING:
    from pydantic import SecretStr

OPENAI_URL = "https://api.openai.com/v1"
CHARACTERS_A_TOKEN = 4  # an estimate for servers that report no usage

_RETRY_PAUSE = 0.5
_FILTERED = "content_filter"
_CLIENT_ERRORS = (openai.OpenAIError, httpx.HTTPError, json.JSONDecodeError)
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class Model:
    """One configured model. `llama` is its LlamaIndex face."""

    def __init__(self, settings: LlmSettings, client: AsyncOpenAI) -> None:
        self.settings = settings
        self._client = client
        self.llama = OpenAILike(
            model=settings.model,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            context_window=settings.context_window,
            is_chat_model=True,
            max_retries=0,
            timeout=settings.timeout,
            api_base=settings.base_url or OPENAI_URL,
            api_key="held by the client",
            async_openai_client=client,
            callback_manager=CallbackManager([]),
            additional_kwargs={"stream_options": {"include_usage": True}},
        )

    @property
    def name(self) -> str:
        """The model's name at its API."""
        return self.settings.model

    async def stream(self, messages: Sequence[ChatMessage], spent: Spent) -> AsyncGenerator[str, None]:
        """Yield the model's words as they come; raise ModelError when the answer is not whole.

        The caller sets the deadline with `asyncio.timeout`.
        """
        said = 0
        call = Spent()
        try:
            async with aclosing(self._words(messages, call)) as words:
                async for word in words:
                    said += len(word)
                    yield word
        finally:
            _estimate(call, messages, said)
            spent.add(call)

    async def _words(self, messages: Sequence[ChatMessage], call: Spent) -> AsyncGenerator[str, None]:
        first, rest = await self._begun(messages, call)
        async with aclosing(rest):
            if first is not None:
                yield first
            try:
                async for word in rest:
                    yield word
            except _CLIENT_ERRORS as exc:
                raise model_error(exc, self.name) from exc

    async def _begun(
        self, messages: Sequence[ChatMessage], call: Spent
    ) -> tuple[str | None, AsyncGenerator[str, None]]:
        """Return the first word, for which there is one retry, and the generator of the others."""
        retried = False
        while True:
            words = self._attempt(messages, call)
            try:
                return await anext(words, None), words
            except _CLIENT_ERRORS as exc:
                pause = retry_pause(exc)
                if retried or pause is None or pause > self.settings.timeout / 4:
                    raise model_error(exc, self.name) from exc
                retried = True
            await asyncio.sleep(pause)

    async def complete(self, prompt: str, spent: Spent) -> str:
        """Return the model's whole reply to one prompt."""
        async with aclosing(self.stream([user(prompt)], spent)) as deltas:
            return "".join([delta async for delta in deltas]).strip()

    async def _attempt(self, messages: Sequence[ChatMessage], spent: Spent) -> AsyncGenerator[str, None]:
        ended = ""
        responses = await self.llama.astream_chat(messages)
        async for response in responses:
            _count(response, spent)
            ended = ended if ended == _FILTERED else _finish_reason(response) or ended
            if response.delta:
                yield response.delta
        if ended == _FILTERED:
            raise ModelRefused(
                f"The model {self.name!r} declined to answer (content filter).",
                reason="the model declined to answer",
            )
        if ended != "stop":
            raise ModelUnavailable(
                f"The model {self.name!r} broke off its answer ({ended or 'the stream was cut'}).",
                reason="the model's answer broke off",
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def open_model(settings: LlmSettings, api_key: SecretStr | None) -> Model | None:
    """Return the configured model, or None when none is; nothing is sent yet."""
    if settings.provider == "none":
        return None
    if api_key is None and not settings.base_url:
        raise ModelRefused(
            f"The model {settings.model!r} needs a key. Put it into the environment variable "
            f"{settings.api_key_env!r}.",
            reason="the model has no key",
        )
    client = AsyncOpenAI(
        api_key=api_key.get_secret_value() if api_key else "none",
        base_url=settings.base_url or OPENAI_URL,
        max_retries=0,
        timeout=settings.timeout,
    )
    return Model(settings, client)


def system(text: str) -> ChatMessage:
    """Return a message with the rules."""
    return ChatMessage(role=MessageRole.SYSTEM, content=text)


def user(text: str) -> ChatMessage:
    """Return a message with what is asked."""
    return ChatMessage(role=MessageRole.USER, content=text)


def retry_pause(exc: Exception) -> float | None:
    """Return how many seconds to wait before the one retry; None when a retry is of no use."""
    if isinstance(exc, openai.APIStatusError):
        if _code(exc) in _QUOTA_CODES or not (exc.status_code == 429 or exc.status_code >= 500):
            return None
        return _retry_after(exc.response.headers.get("retry-after", ""))
    return _RETRY_PAUSE if isinstance(exc, openai.APIConnectionError | httpx.TransportError) else None


def _retry_after(value: str) -> float | None:
    if not value:
        return _RETRY_PAUSE
    try:
        seconds = float(value)
    except ValueError:
        return None  # a date: longer than an answer can wait
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def model_error(exc: Exception, model: str) -> ModelError:
    """Return what an error of the client means, without anything that the server said."""
    if isinstance(exc, openai.APITimeoutError | httpx.TimeoutException):
        return ModelUnavailable(
            f"The model {model!r} did not answer in time. Raise [llm] timeout or try later.",
            reason="the model took too long",
        )
    if isinstance(exc, openai.APIStatusError):
        return _status_error(exc, model)
    if isinstance(exc, openai.APIConnectionError | httpx.TransportError):
        return ModelUnavailable(
            f"The server of the model {model!r} cannot be reached. Check [llm] base_url.",
            reason="the model cannot be reached",
        )
    return ModelUnavailable(
        f"The server of the model {model!r} sent what is no answer ({type(exc).__name__}). "
        "Check [llm] base_url.",
        reason="the model's answer could not be read",
    )


_REFUSALS = {  # status → what happened, what to do, the reason in a few words
    401: (
        "rejected the key (401)",
        "Check the key that [llm] api_key_env names.",
        "the model's key was rejected",
    ),
    403: ("denied access (403)", "Check what the key may use.", "the model's key was rejected"),
    404: (
        "is not known to its server (404)",
        "Check [llm] model and base_url.",
        "the model is not known to its server",
    ),
    413: (
        "found the request too long (413)",
        "Lower [retrieval] results.",
        "the question was too long for the model",
    ),
}


def _status_error(exc: openai.APIStatusError, model: str) -> ModelError:
    status = exc.status_code
    if _code(exc) in _QUOTA_CODES or status == 402:
        return ModelRefused(
            f"The model {model!r} has no quota left ({status}). Check the account's plan and billing.",
            reason="the model's quota is used up",
        )
    if status == 429:
        return ModelUnavailable(
            f"The model {model!r} takes no more requests for now (429). Try later.",
            reason="the model is rate-limited",
        )
    if status >= 500:
        return ModelUnavailable(
            f"The server of the model {model!r} failed ({status}). Try later.", reason="the model is down"
        )
    what, advice, reason = _REFUSALS.get(
        status, (f"rejected the request ({status})", "Check [llm] model.", "the model rejected the request")
    )
    return ModelRefused(f"The model {model!r} {what}. {advice}", reason=reason)


def _code(exc: openai.APIStatusError) -> str:
    return str(exc.code or "")


def _count(response: ChatResponse, spent: Spent) -> None:
    counts: dict[str, Any] = response.additional_kwargs
    spent.input_tokens = max(spent.input_tokens, int(counts.get("prompt_tokens") or 0))
    spent.output_tokens = max(spent.output_tokens, int(counts.get("completion_tokens") or 0))


def _finish_reason(response: ChatResponse) -> str:
    choices = getattr(response.raw, "choices", None) or []
    if not choices:
        return ""
    refused = getattr(choices[0].delta, "refusal", None)
    return _FILTERED if refused else str(choices[0].finish_reason or "")


def _estimate(spent: Spent, messages: Sequence[ChatMessage], said: int) -> None:
    """Fill in what the server did not report; an answer that was never begun cost nothing."""
    if not said:
        return
    asked = sum(len(message.content or "") for message in messages)
    spent.input_tokens = spent.input_tokens or math.ceil(asked / CHARACTERS_A_TOKEN)
    spent.output_tokens = spent.output_tokens or math.ceil(said / CHARACTERS_A_TOKEN)
