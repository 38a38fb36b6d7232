"""Embedders: the embedded one and the API, behind one port."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from pydantic import SecretStr

from kb import maxsim
from kb.embedding import Embedder, MiniLMEmbedder, open_embedder
from kb.errors import EmbeddingError
from kb.minilm.model import MiniLM
from kb.settings import EmbeddingSettings

KEY = "sk-planted-0123456789"
Reply = Callable[[dict[str, Any]], web.Response]
Wire = Callable[..., Awaitable[Embedder]]


def vector_of(text: str, dimension: int = 3) -> list[float]:
    """Return a vector that tells its text by length; not of unit length, as some servers answer."""
    return [float(len(text)), 4.0, *[0.0] * (dimension - 2)]


def vectors(body: dict[str, Any], *, dimension: int = 3, backwards: bool = False) -> web.Response:
    rows = [
        {"object": "embedding", "index": index, "embedding": vector_of(text, dimension)}
        for index, text in enumerate(body["input"])
    ]
    return answer(rows[::-1] if backwards else rows)


def answer(rows: object) -> web.Response:
    return web.json_response({"object": "list", "model": "m", "data": rows, "usage": {}})


def failure(status: int, text: str = "no", **headers: str) -> Reply:
    def reply(_: dict[str, Any]) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": text}}, status=status, headers=named)

    return reply


@dataclass
class Api:
    """A server that speaks the embeddings wire format: queued replies first, then `usual`."""

    url: str = ""
    usual: Reply = vectors
    replies: list[Reply] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("Authorization"))
        if self.hold:
            await self.hold.wait()
        return (self.replies.pop(0) if self.replies else self.usual)(body)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    state = Api()
    app = web.Application()
    app.router.add_post("/v1/embeddings", state.serve)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    state.url = f"http://{host}:{port}/v1"
    yield state
    await runner.cleanup()


@pytest.fixture
async def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the seconds that the client would wait between tries; nobody waits."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("openai._base_client.anyio.sleep", wait)
    return waited


@pytest.fixture
async def wire(api: Api, waits: list[float], tmp_path: Path) -> AsyncIterator[Wire]:
    """Open embedders over the API; they are closed at the end."""
    opened: list[Embedder] = []

    async def connect(key: str | None = KEY, **changes: object) -> Embedder:
        settings = EmbeddingSettings.model_validate(
            {"provider": "openai", "model": "any-name/v2", "base_url": api.url, **changes}
        )
        opened.append(await open_embedder(settings, tmp_path, SecretStr(key) if key else None))
        return opened[-1]

    yield connect
    for embedder in opened:
        await embedder.close()


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    return MiniLM.load(tmp_path_factory.mktemp("cache"), threads=1)


async def test_the_dimension_is_learnt(wire: Wire) -> None:
    """Opening asks the API for one vector and takes the dimension from it."""
    embedder = await wire()
    assert embedder.dimension == 3
    assert embedder.identity == "openai/any-name/v2"


async def test_passages_go_in_batches(api: Api, wire: Wire) -> None:
    """Passages are sent `batch_size` at a time and come back in order with unit length."""
    embedder = await wire(batch_size=2)
    texts = ["a", "bb", "ccc", "line\nbreak", "eeeee"]
    embeddings = await embedder.embed_passages(texts)
    assert [request["input"] for request in api.requests[1:]] == [
        ["a", "bb"],
        ["ccc", "line\nbreak"],
        ["eeeee"],
    ]
    for text, embedding in zip(texts, embeddings, strict=True):
        expected = np.array(vector_of(text)) / np.linalg.norm(vector_of(text))
        assert embedding.vector == pytest.approx(expected)
        assert embedding.tokens == b""


async def test_the_order_follows_the_index(api: Api, wire: Wire) -> None:
    """A server that answers in another order does not swap vectors."""
    embedder = await wire()
    straight = await embedder.embed_passages(["a", "bb", "ccc"])
    api.usual = lambda body: vectors(body, backwards=True)
    turned = await embedder.embed_passages(["a", "bb", "ccc"])
    assert [one.vector.tolist() for one in straight] == [one.vector.tolist() for one in turned]


async def test_no_passages_need_no_request(api: Api, wire: Wire) -> None:
    """Embedding nothing asks nothing."""
    embedder = await wire()
    assert await embedder.embed_passages([]) == []
    assert len(api.requests) == 1


async def test_texts_that_the_api_refuses_are_mended(api: Api, wire: Wire) -> None:
    """Empty texts, lone surrogates and endless texts are sent in a form that the API takes."""
    embedder = await wire()
    await embedder.embed_passages(["", " \n", "a\ud800b", "x" * 100_000])
    assert api.requests[-1]["input"] == ["-", "-", "a\ufffdb", "x" * 8000]


async def test_the_key_travels_as_a_bearer_token(api: Api, wire: Wire) -> None:
    """The key goes into the header, without the line end that a file left on it."""
    await wire(key=f"{KEY}\n")
    assert api.keys == [f"Bearer {KEY}"]


async def test_a_server_of_ones_own_needs_no_key(api: Api, wire: Wire) -> None:
    """With a base_url the key may be missing."""
    assert (await wire(key=None)).dimension == 3
    assert api.requests[0]["model"] == "any-name/v2"


async def test_retry_after_is_honoured(api: Api, wire: Wire, waits: list[float]) -> None:
    """After 429 the client waits what the server says, and then succeeds."""
    embedder = await wire()
    api.replies = [failure(429, Retry_After="7"), failure(429, Retry_After="0.5")]
    assert len(await embedder.embed_passages(["a"])) == 1
    assert waits == [7.0, 0.5]


async def test_failures_are_retried_with_growing_waits(api: Api, wire: Wire, waits: list[float]) -> None:
    """Five failures in a row are survived, each wait longer than the one before."""
    embedder = await wire()
    api.replies = [failure(status) for status in (500, 502, 503, 504, 429)]
    assert len(await embedder.embed_passages(["a"])) == 1
    assert len(waits) == 5
    assert waits == sorted(waits)


async def test_a_question_gives_up_sooner(api: Api, wire: Wire) -> None:
    """A person's question is tried three times, a passage six."""
    embedder = await wire()
    api.usual = failure(503)
    with pytest.raises(EmbeddingError, match=r"the server failed \(503\)"):
        await embedder.embed_question("why?")
    assert len(api.requests) == 1 + 3
    with pytest.raises(EmbeddingError, match=r"the server failed \(503\)"):
        await embedder.embed_passages(["because"])
    assert len(api.requests) == 1 + 3 + 6


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (failure(401, f"bad key {KEY}"), r"the key was refused \(401\)\. Check the variable"),
        (failure(403), r"the key was refused \(403\)"),
        (failure(404), r"not found \(404\)\. Check \[embedding\] model and base_url"),
        (failure(400, f"too\nlong {KEY}"), r"refused \(400\): too long \*\*\*\.$"),
        (failure(422, "x" * 285 + KEY), r"refused \(422\): x{285}"),
        (failure(429), r"too many requests"),
        (lambda _: answer([]), r"1 texts were sent and 0 vectors came back"),
        (lambda _: answer([{"index": 1, "embedding": [1.0]}]), r"1 texts were sent and 1 vectors came back"),
        (lambda _: answer([{"index": 0, "embedding": []}]), r"empty, zero or not finite"),
        (lambda _: answer([{"index": 0, "embedding": [0.0, 0.0]}]), r"empty, zero or not finite"),
        (lambda _: answer([{"index": 0, "embedding": "AAAA"}]), r"not a list of embeddings"),
        (lambda _: answer(None), r"not a list of embeddings"),
        (lambda _: web.Response(text="<html>hello</html>", content_type="text/html"), r"not a list of emb"),
        (lambda _: web.Response(text="{oops", content_type="application/json"), r"its answer cannot be used"),
        (lambda body: vectors(body, dimension=5), r"have 5 numbers now and had 3 before.*sync --reembed"),
    ],
)
async def test_what_goes_wrong_is_said_in_one_line(
    api: Api, wire: Wire, caplog: pytest.LogCaptureFixture, reply: Reply, said: str
) -> None:
    """Each failure is an EmbeddingError of one line, with the address and without the key."""
    embedder = await wire()
    api.usual = reply
    with pytest.raises(EmbeddingError, match=said) as caught:
        await embedder.embed_question("why?")
    logging.getLogger("test").error("failed", exc_info=caught.value)
    assert str(caught.value).startswith(f"The embedding API '{api.url}', model 'any-name/v2': ")
    assert "\n" not in str(caught.value)
    assert KEY not in caplog.text


async def test_vectors_of_unequal_length_are_refused(api: Api, wire: Wire) -> None:
    """Passages of one request must have vectors of one length."""
    embedder = await wire()
    api.usual = lambda _: answer([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}])
    with pytest.raises(EmbeddingError, match="differ in length"):
        await embedder.embed_passages(["a", "b"])


async def test_silence_is_a_time_out(api: Api, wire: Wire) -> None:
    """A server that never answers gives an error after the time-out."""
    embedder = await wire(timeout=0.05)
    api.hold = asyncio.Event()
    with pytest.raises(EmbeddingError, match=r"no answer in time.*timeout"):
        await embedder.embed_question("why?")
    api.hold.set()


async def test_nobody_listens(wire: Wire) -> None:
    """A refused connection says to check the address; a password in it is not shown."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://me:hunter2@127.0.0.1:{bound.getsockname()[1]}/v1"
        with pytest.raises(EmbeddingError, match=r"no connection\. Check \[embedding\] base_url") as caught:
            await wire(base_url=url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": ""}, r"model is empty"),
        ({"base_url": "", "key": None, "api_key_env": "MY_KEY"}, r"'MY_KEY' is not set"),
        ({"base_url": "localhost:11434"}, r"base_url is not a web address"),
        ({"base_url": "http://host:port/v1"}, r"base_url is not a web address"),
        ({"key": "sk-…"}, r"'OPENAI_API_KEY' holds characters that no API key has"),
    ],
)
async def test_settings_that_cannot_work_are_refused(
    api: Api, wire: Wire, changes: dict[str, object], said: str
) -> None:
    """Wrong settings are named before anything is sent."""
    with pytest.raises(EmbeddingError, match=said):
        await wire(**changes)
    assert api.requests == []


async def test_llama_index_embeds_through_the_port(api: Api, wire: Wire) -> None:
    """LlamaIndex's asynchronous methods give the embedder's vectors."""
    embedder = await wire()
    texts = ["a", "bb"]
    passages = [one.vector.tolist() for one in await embedder.embed_passages(texts)]
    assert await embedder.llama.aget_text_embedding_batch(texts) == passages
    assert await embedder.llama.aget_text_embedding("bb") == passages[1]
    question = (await embedder.embed_question("why?")).vector.tolist()
    assert await embedder.llama.aget_query_embedding("why?") == question
    assert embedder.llama.model_name == embedder.identity
    assert KEY not in json.dumps(embedder.llama.to_dict())


async def test_llama_index_may_not_block(wire: Wire) -> None:
    """LlamaIndex's synchronous methods raise and name the other one."""
    llama = (await wire()).llama
    with pytest.raises(NotImplementedError, match="Await 'aget_query_embedding'"):
        llama.get_query_embedding("why?")
    with pytest.raises(NotImplementedError, match="Await 'aget_text_embedding'"):
        llama.get_text_embedding("because")


async def test_the_embedded_model_is_the_default(minilm: MiniLM, tmp_path: Path) -> None:
    """Default settings open MiniLM, which needs no key."""
    embedder = await open_embedder(EmbeddingSettings(), tmp_path, None)
    assert (embedder.identity, embedder.dimension) == (minilm.identity, 384)
    await embedder.close()


async def test_the_embedded_model_gives_word_vectors(minilm: MiniLM) -> None:
    """A question brings its word vectors, a passage brings them packed."""
    embedder = MiniLMEmbedder(minilm)
    (passage,) = await embedder.embed_passages(["The log is kept for ninety days."])
    question = await embedder.embed_question("The log is kept for ninety days.")
    assert question.token_ids is not None
    assert question.token_vectors is not None
    assert np.array_equal(passage.vector, question.vector)
    assert passage.tokens == maxsim.pack(question.token_ids, question.token_vectors)


async def test_a_question_passes_waiting_passages(minilm: MiniLM) -> None:
    """A question is answered while every thread is busy with passages."""
    gate = threading.Event()
    busy = asyncio.create_task(minilm.map(lambda _: gate.wait(), ["a", "b", "c"]))
    question = await MiniLMEmbedder(minilm).embed_question("why?")
    assert question.vector.shape == (384,)
    assert not busy.done()
    gate.set()
    assert await busy == [True, True, True]
