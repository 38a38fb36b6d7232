"""The assistant over the real store, embedder, searcher and composer."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.assistant import NO_DOCUMENTS, NOT_FOUND, Assistant
from bot.extractive import Composer
from bot.extractive_synthesizer import ExtractiveSynthesizer
from bot.ledger import Ledger
from bot.llms import Model
from bot.messages import Asker, Conversation, Question, Turn
from bot.query_engine import build_query_engine
from kb.database import close_database, open_database
from kb.documents import Audience
from kb.embedding import Embedder, MiniLMEmbedder
from kb.llama_retriever import KnowledgeRetriever
from kb.minilm.model import MiniLM
from kb.nodes import StoredNode, index_text
from kb.retriever import Searcher
from kb.settings import RetrievalSettings
from kb.store import NodeStore
from tests.bot.found import passage
from tests.emulators.openai import OpenAIEmulator, say

INJECTION = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust" / "injection"
HANDBOOK = {
    "printer.md": ("Printer help", "Printer PINs have 6 digits. They expire after 90 days."),
    "leave.md": ("Holiday policy", "Part-time staff get 15 days of holiday. Days carry over until March."),
    "vpn.md": ("Network", "The office VPN listens on UDP port 51820."),
    "pay.md": ("Salaries", "The bonus of the board is 12 percent of the profit."),
}


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return MiniLMEmbedder(MiniLM.load(tmp_path_factory.mktemp("models"), threads=1))


@pytest.fixture
async def store(tmp_path: Path, embedder: Embedder) -> AsyncIterator[NodeStore]:
    opened = await NodeStore.open(tmp_path / "index", model=embedder.identity, dimension=embedder.dimension)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    engine = await open_database("", tmp_path)
    yield await Ledger.open(engine)
    await close_database(engine)


async def fill(store: NodeStore, embedder: Embedder, documents: Mapping[str, tuple[str, str]]) -> None:
    """Store one node a document; `pay.md` is for the board alone."""
    nodes = [passage(text, title=title, uri=uri).node for uri, (title, text) in documents.items()]
    texts = [index_text(node.title, node.heading, node.text) for node in nodes]
    vectors = await embedder.embed_passages(texts)
    stored: dict[str, list[StoredNode]] = {}
    for node, vector in zip(nodes, vectors, strict=True):
        audience = ("board",) if node.uri == "pay.md" else node.audience
        stored[node.document_id] = [replace(node, embedding=vector, audience=audience)]
    await store.replace(stored)


def over(
    store: NodeStore, embedder: Embedder, *, model: Model | None = None, ledger: Ledger | None = None
) -> Assistant:
    settings = RetrievalSettings()
    searcher = Searcher(store, embedder, settings)
    return Assistant(searcher, Composer(searcher).compose, model, ledger, settings)


async def test_from_question_to_ledger(store: NodeStore, embedder: Embedder, ledger: Ledger) -> None:
    """A question is answered in the document's words, cited, and kept."""
    await fill(store, embedder, HANDBOOK)
    answer = await over(store, embedder, ledger=ledger).answer(
        Question(text="How many digits has a printer PIN?")
    )
    assert "Printer PINs have 6 digits. [1]" in answer.text
    assert (answer.answered, answer.mode, answer.citations[0].document) == (True, "extractive", "printer.md")
    assert answer.citations[0].quote in HANDBOOK["printer.md"][1]
    (entry,) = await ledger.recent()
    assert (entry.id, entry.answer) == (answer.id, answer.text)
    assert (
        entry.nodes[0] == passage(HANDBOOK["printer.md"][1], title="Printer help", uri="printer.md").node.hash
    )


async def test_a_follow_up_is_answered_itself(store: NodeStore, embedder: Embedder) -> None:
    """What a follow-up asks comes first, not what was asked before it."""
    await fill(
        store,
        embedder,
        {
            "leave.md": ("Leave", "Everybody has 28 days of paid leave a year."),
            "illness.md": ("Illness", "An illness is reported to the office before nine."),
        },
    )
    before = Turn(question="How many days of paid leave does everybody have?", answer="28")
    question = Question(
        text="And to whom is an illness reported?", conversation=Conversation(id="t", turns=(before,))
    )
    answer = await over(store, embedder).answer(question)
    assert answer.text.startswith("An illness is reported to the office before nine.")


async def test_unanswerable(store: NodeStore, embedder: Embedder) -> None:
    """What the documents do not hold is declined, with the nearest passages."""
    await fill(store, embedder, HANDBOOK)
    answer = await over(store, embedder).answer(
        Question(text="Who painted the ceiling of the Sistine Chapel?")
    )
    assert (answer.answered, answer.text, len(answer.nearest)) == (False, NOT_FOUND, 3)


async def test_empty(store: NodeStore, embedder: Embedder) -> None:
    """An empty index is told apart from a question that it cannot answer."""
    answer = await over(store, embedder).answer(Question(text="How many digits has a printer PIN?"))
    assert answer.text == NO_DOCUMENTS


async def test_limited_document(store: NodeStore, embedder: Embedder) -> None:
    """A limited document answers those who may see it and nobody else, not even as a near passage."""
    await fill(store, embedder, HANDBOOK)
    asked = Question(text="What is the bonus of the board in percent of the profit?")
    board = Asker(audience=Audience(frozenset({"board"})))
    seen = await over(store, embedder).answer(replace(asked, asker=board))
    assert "12 percent" in seen.text
    unseen = await over(store, embedder).answer(asked)
    assert "pay.md" not in {c.document for c in (*unseen.citations, *unseen.nearest)}
    assert "12 percent" not in unseen.text


async def test_with_a_model(
    store: NodeStore, embedder: Embedder, server: OpenAIEmulator, model: Model
) -> None:
    """A model's verified draft is given, from the passages that were found."""
    await fill(store, embedder, HANDBOOK)
    server.reply = lambda _request: say("Part-time staff get 15 days of holiday [1].")
    asked = Question(text="How many days of holiday do part-time staff get?")
    answer = await over(store, embedder, model=model).answer(asked)
    assert (answer.mode, answer.text) == ("model", "Part-time staff get 15 days of holiday [1].")
    assert answer.citations[0].document == "leave.md"


@pytest.mark.trust
@pytest.mark.skipif(not INJECTION.is_dir(), reason="../shared/data is absent")
async def test_poisoned_documents(store: NodeStore, embedder: Embedder) -> None:
    """Quoted from a base of poisoned documents, no answer holds a link, a ping or what must not be told."""
    rows = [json.loads(line) for line in (INJECTION / "poisoned_docs.jsonl").read_text("utf-8").splitlines()]
    await fill(store, embedder, {f"{row['id']}.md": (row["title"], row["body"]) for row in rows})
    bot = over(store, embedder)
    for row in rows[::6]:
        text = (await bot.answer(Question(text=row["question"]))).text
        assert not re.search(r"https?://|\]\(|!\[|evil\.test|<!|<@|(?<!\\)@everyone", text), (row["id"], text)
        assert row["also_fail_if"] not in text


async def test_query_engine_without_a_model(store: NodeStore, embedder: Embedder) -> None:
    """LlamaIndex's query engine answers from our retriever with a quote, a marker and its source node."""
    await fill(store, embedder, HANDBOOK)
    searcher = Searcher(store, embedder, RetrievalSettings())
    engine = build_query_engine(KnowledgeRetriever(searcher), ExtractiveSynthesizer(Composer(searcher)))
    response = await engine.aquery("How many digits has a printer PIN?")
    assert str(response).startswith("Printer PINs have 6 digits. [1]")
    assert response.source_nodes[0].node.metadata["uri"] == "printer.md"
