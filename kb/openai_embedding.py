"""Embeddings from an OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from kb.errors import EmbeddingError
from kb.minilm.tokens import encodable
from kb.nodes import Embedding, QuestionEmbedding, Vector

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from pydantic import SecretStr

    from kb.settings import EmbeddingSettings

_OPENAI = "https://api.openai.com/v1"
# Waits grow from 0.5 to 8 seconds, or are what Retry-After says up to two minutes. A person waits for a
# question; a sync has time.
_QUESTION_RETRIES = 2
_PASSAGE_RETRIES = 5
_LONGEST = 8000  # characters: within the 8,191 tokens of OpenAI's models in nearly every language
_BLANK = "-"  # the API refuses an empty text
_SHOWN = 300  # characters of a reason: a server may answer with a page


class OpenAIEmbedder:
    """An OpenAI-compatible embeddings API; it gives no word vectors.

    The openai client is used as it is: LlamaIndex's `OpenAIEmbedding` retries around its retries, turns
    line breaks into blanks and trusts the order of the answer.
    """

    def __init__(self, settings: EmbeddingSettings, key: str) -> None:
        self._settings = settings
        self._url = settings.base_url or _OPENAI
        self._key = key
        self.identity = f"openai/{settings.model}"
        self.dimension = 0
        self._passages = openai.AsyncOpenAI(
            api_key=key or "none",  # a server of one's own needs no key, but the client insists on one
            base_url=self._url,
            timeout=settings.timeout,
            max_retries=_PASSAGE_RETRIES,
        )
        self._questions = self._passages.with_options(max_retries=_QUESTION_RETRIES)

    @classmethod
    async def open(cls, settings: EmbeddingSettings, api_key: SecretStr | None) -> OpenAIEmbedder:
        """Connect and learn the dimension; raise EmbeddingError when the API cannot be used."""
        key = api_key.get_secret_value().strip() if api_key else ""
        _check(settings, key)
        embedder = cls(settings, key)
        try:
            embedder.dimension = (await embedder.embed_question(_BLANK)).vector.size
        except EmbeddingError:
            await embedder.close()
            raise
        return embedder

    @property
    def llama(self) -> BaseEmbedding:
        """The same embedder as LlamaIndex's parts expect it; its async methods alone work."""
        from kb.llama_embedding import LlamaEmbedding

        return LlamaEmbedding.over(self)

    async def embed_passages(self, texts: Sequence[str], *, urgent: bool = False) -> list[Embedding]:
        """Return an embedding for each text, in order, in requests of `batch_size` texts."""
        size = self._settings.batch_size
        embeddings: list[Embedding] = []
        for first in range(0, len(texts), size):
            vectors = await self._embed(self._passages, texts[first : first + size])
            embeddings += [Embedding(vector=vector) for vector in vectors]
        return embeddings

    async def embed_question(self, text: str) -> QuestionEmbedding:
        """Return the vector of a question."""
        (vector,) = await self._embed(self._questions, [text])
        return QuestionEmbedding(vector=vector)

    async def close(self) -> None:
        """Close the connections."""
        await self._passages.close()

    async def _embed(self, client: openai.AsyncOpenAI, texts: Sequence[str]) -> Vector:
        """Return an array with a unit row for each text."""
        inputs = [encodable(text[:_LONGEST]).strip() or _BLANK for text in texts]
        try:
            answer = await client.embeddings.create(
                input=inputs, model=self._settings.model, encoding_format="float"
            )
            vectors = unit_rows(answer, len(texts))
        # The causes are left out: a server may repeat the key in its answer, and tracebacks are logged.
        except openai.APIError as error:
            raise self._failure(_reason(error)) from None
        except ValueError as error:
            raise self._failure(f"its answer cannot be used ({error}). Check [embedding] base_url") from None
        if self.dimension not in {0, vectors.shape[1]}:
            raise self._failure(
                f"its vectors have {vectors.shape[1]} numbers now and had {self.dimension} before. "
                "Restart, then run `lorekeeper sync --reembed`"
            )
        return vectors

    def _failure(self, reason: str) -> EmbeddingError:
        """Return an error of one line that holds neither the key nor a password of the address."""
        parts = urlsplit(self._url)
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        # Hidden before it is cut: a cut through the key would leave a part of it.
        hidden = " ".join(reason.replace(self._key or "\0", "***").split())
        shown = hidden if len(hidden) <= _SHOWN else f"{hidden[:_SHOWN]} …"
        return EmbeddingError(f"The embedding API {address!r}, model {self._settings.model!r}: {shown}.")


def _check(settings: EmbeddingSettings, key: str) -> None:
    """Raise EmbeddingError when the settings cannot work whatever the server does."""
    if not settings.model:
        raise EmbeddingError("[embedding] model is empty. Name the API's model, or set provider = 'minilm'.")
    if not (key or settings.base_url):
        raise EmbeddingError(
            f"[embedding] provider is 'openai' and the variable {settings.api_key_env!r} is not set. "
            "Set it to the API key, or set provider = 'minilm'."
        )
    if not (key.isascii() and key.isprintable()):
        raise EmbeddingError(
            f"The variable {settings.api_key_env!r} holds characters that no API key has. Copy the key again."
        )
    if settings.base_url and not _is_web_address(settings.base_url):
        raise EmbeddingError(
            "[embedding] base_url is not a web address. Write it as 'https://host/v1' or 'http://host:port/v1'."
        )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    data: list[_Row]


def unit_rows(answer: object, count: int) -> Vector:
    """Return an API answer's vectors by index as unit rows; raise ValueError when it is not sound."""
    try:
        data = _Answer.model_validate(answer).data
    except ValidationError as error:
        raise ValueError("it is not a list of embeddings") from error
    rows = {row.index: row.embedding for row in data}
    if len(data) != count or rows.keys() != set(range(count)):
        raise ValueError(f"{count} texts were sent and {len(rows)} vectors came back")
    if len({len(row) for row in rows.values()}) != 1:
        raise ValueError("its vectors differ in length")
    vectors = np.array([rows[index] for index in range(count)], dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise ValueError("a vector is empty, zero or not finite")
    unit: Vector = vectors / lengths
    return unit


def _reason(error: openai.APIError) -> str:
    """Say in a few words what went wrong and what to do."""
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return f"the key was refused ({error.status_code}). Check the variable that api_key_env names"
        case openai.NotFoundError():
            return "not found (404). Check [embedding] model and base_url"
        case openai.RateLimitError():
            return "too many requests or no credit left (429). Try again later, or lower batch_size"
        case openai.APITimeoutError():
            return "no answer in time. Try again later, or raise [embedding] timeout"
        case openai.APIConnectionError():
            return "no connection. Check [embedding] base_url and that the server runs"
        case openai.InternalServerError():
            return f"the server failed ({error.status_code}). Try again later"
        case openai.APIStatusError():
            return f"refused ({error.status_code}): {_words(error)}"
        case _:
            return f"its answer cannot be used: {_words(error)}"


def _words(error: openai.APIError) -> str:
    """Return what the server said, without the JSON around it where it keeps to the format."""
    said = error.body.get("message") if isinstance(error.body, dict) else None
    return said if isinstance(said, str) else error.message
