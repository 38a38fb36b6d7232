import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from llama_index.core.schema import QueryBundle

from kb import maxsim
from kb.documents import EVERYONE, Audience
from kb.llama_retriever import KnowledgeRetriever
from kb.nodes import Embedding, Found, QuestionEmbedding, StoredNode, Vector
from kb.retriever import Searcher
from kb.settings import RetrievalSettings
from kb.words import words

STRINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust" / "strings" / "blns.jsonl"
DIMENSION = 64


def word_vectors(text: str) -> tuple[np.ndarray, Vector]:
    """Return a made-up model's pieces: equal words have equal vectors."""
    pieces = [2000 + sum(word.encode()) * 31 % 20_000 for word in words(text)]
    rows = [np.random.default_rng(piece).standard_normal(DIMENSION) for piece in pieces]
    vectors = np.array(rows, dtype=np.float32).reshape(-1, DIMENSION)
    return np.array(pieces, np.int32), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def vector(text: str) -> Vector:
    total = word_vectors(text)[1].sum(axis=0) + 1e-6
    unit: Vector = (total / np.linalg.norm(total)).astype(np.float32)
    return unit


class WordEmbedder:
    """Stands in for the embedded model."""

    identity = "words"
    dimension = DIMENSION

    def __init__(self, *, with_words: bool = True) -> None:
        self.questions: list[str] = []
        self._with_words = with_words

    async def embed_question(self, text: str) -> QuestionEmbedding:
        self.questions.append(text)
        if not self._with_words:
            return QuestionEmbedding(vector=vector(text))
        ids, vectors = word_vectors(text)
        return QuestionEmbedding(
            vector=vector(text), token_ids=ids, token_vectors=vectors, token_words=tuple(words(text))
        )


class ListStore:
    """Stands in for the store: both legs look at every node."""

    def __init__(self, nodes: Sequence[StoredNode]) -> None:
        self._nodes = nodes
        self.asked: list[tuple[Audience, tuple[str, ...]]] = []

    async def find_nearest(
        self, vector: Vector, *, limit: int, audience: Audience, sources: Sequence[str] = ()
    ) -> list[Found]:
        self.asked.append((audience, tuple(sources)))
        return self._best(
            {node.id: float(globals()["vector"](node.text) @ vector) for node in self._nodes}, limit
        )

    async def find_matching(
        self, text: str, *, limit: int, audience: Audience, sources: Sequence[str] = ()
    ) -> list[Found]:
        self.asked.append((audience, tuple(sources)))
        wanted = set(words(text))
        scores = {node.id: float(len(wanted & set(words(node.text)))) for node in self._nodes}
        return self._best({key: score for key, score in scores.items() if score}, limit)

    async def read(self, found: Sequence[Found], audience: Audience) -> dict[str, StoredNode]:
        return {one.id: self._nodes[one.row] for one in found}

    async def nodes_of(self, document_id: str) -> list[StoredNode]:
        return [node for node in self._nodes if node.document_id == document_id]

    def _best(self, scores: dict[str, float], limit: int) -> list[Found]:
        found = [
            Found(id=node.id, row=at, score=scores[node.id])
            for at, node in enumerate(self._nodes)
            if node.id in scores
        ]
        return sorted(found, key=lambda one: -one.score)[:limit]


def node(document: str, position: int, text: str, *, heading: tuple[str, ...] = ()) -> StoredNode:
    ids, vectors = word_vectors(text)
    return StoredNode(
        id=f"{document}-{position}",
        document_id=document,
        source="s",
        uri=f"{document}.md",
        title=document,
        heading=heading,
        position=position,
        text=text,
        hash=f"{document}-{position}",
        updated=0.0,
        audience=("*",),
        embedding=Embedding(vector=np.zeros(0, np.float32), tokens=maxsim.pack(ids, vectors)),
    )


NODES = [
    node("audit", 0, "The audit log keeps every login for ninety days."),
    node("audit", 1, "Owners export the audit log as a spreadsheet."),
    node("billing", 0, "Invoices are sent on the first day of a month."),
    node("colours", 0, "Buttons are teal, warnings are amber."),
    node("zh", 0, "审计日志保留九十天。"),
]


def searcher(*, with_words: bool = True, nodes: Sequence[StoredNode] = NODES) -> Searcher:
    return Searcher(ListStore(nodes), WordEmbedder(with_words=with_words), RetrievalSettings())  # type: ignore[arg-type]  # only what a question needs


async def test_the_passage_with_the_words_is_first() -> None:
    """The best passage has the question's words, and the confidence is high."""
    result = await searcher().search("Which days are invoices sent?")
    assert result.passages[0].node.document_id == "billing"
    assert result.confidence > 0.5
    assert result.milliseconds > 0


async def test_a_strange_question_has_low_confidence() -> None:
    """A question about nothing in the base brings passages with a low confidence."""
    result = await searcher().search("Penguin migration routes of Antarctica")
    assert result.passages
    assert result.confidence < 0.1


async def test_neighbours_are_joined_in_reading_order() -> None:
    """Two results that follow one another in a document become one passage at the better rank."""
    result = await searcher().search("export the audit log of logins")
    first = result.passages[0]
    assert [item.position for item in first.nodes] == [0, 1]
    assert first.text == f"{NODES[0].text}\n\n{NODES[1].text}"
    assert sum(passage.node.document_id == "audit" for passage in result.passages) == 1


async def test_words_decide_without_word_vectors() -> None:
    """A model without word vectors ranks by shared words, and the confidence is theirs."""
    known = await searcher(with_words=False).search("When are invoices sent?")
    strange = await searcher(with_words=False).search("penguin migration routes")
    assert known.passages[0].node.document_id == "billing"
    assert known.confidence > 0.5 > strange.confidence


async def test_the_folder_decides_between_equal_texts() -> None:
    """Of two pages that leave out whose tasks they list, the one in the folder of that name comes first.

    The folder does not make it surer that they answer the question.
    """
    text = "Choose one of the task types: bounding box, classification, verification."
    pages = [node("a", 0, text), node("b", 0, "Task types are chosen: bounding box or classification.")]
    placed = [pages[0], replace(pages[1], uri="turquoise-guide/b.md")]
    question = "What are the turquoise task types?"
    plain = await searcher(nodes=pages).search(question)
    found = await searcher(nodes=placed).search(question)
    assert plain.passages[0].node.document_id == "a"
    assert found.passages[0].node.document_id == "b"
    assert found.confidence == pytest.approx(plain.confidence)


async def test_other_scripts_are_matched_by_their_characters() -> None:
    """A Chinese question is answered by shared characters, and refused where none are shared."""
    known = await searcher().search("审计日志保留多少天")
    strange = await searcher().search("企鹅迁徙路线图")
    assert known.passages[0].node.document_id == "zh"
    assert known.confidence > 0.5 > strange.confidence


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
async def test_empty_text_finds_nothing(text: str) -> None:
    """Nothing is searched for where nothing is asked."""
    result = await searcher().search(text)
    assert result.passages == ()
    assert result.confidence == 0.0


@pytest.mark.parametrize("text", ["?!…", "\u200b", "→ ←"])
async def test_text_without_words_has_no_confidence(text: str) -> None:
    """Without a letter or a digit there is no confidence in what is found."""
    assert (await searcher().search(text)).confidence == 0.0


async def test_a_question_is_embedded_once() -> None:
    """Asking the same again does not embed again; a few dozen questions are remembered."""
    embedder = WordEmbedder()
    searching = Searcher(ListStore(NODES), embedder, RetrievalSettings())  # type: ignore[arg-type]  # as above
    for _ in range(3):
        await searching.search("Who keeps logs?")
    assert embedder.questions == ["Who keeps logs?"]


async def test_a_pasted_document_is_cut() -> None:
    """A question of forty kilobytes is cut before it is embedded."""
    embedder = WordEmbedder()
    searching = Searcher(ListStore(NODES), embedder, RetrievalSettings())  # type: ignore[arg-type]  # as above
    result = await searching.search("audit log " * 4_000)
    assert len(embedder.questions[0]) <= 2_000
    assert result.passages[0].node.document_id == "audit"


async def test_audience_and_sources_reach_both_legs() -> None:
    """Both legs are limited before they search."""
    store = ListStore(NODES)
    searching = Searcher(store, WordEmbedder(), RetrievalSettings())  # type: ignore[arg-type]  # as above
    audience = Audience(frozenset({"staff"}))
    await searching.search("audit", audience=audience, sources=["s"])
    assert store.asked == [(audience, ("s",))] * 2


async def test_the_limit_counts_nodes() -> None:
    """A limit of one brings one passage."""
    result = await searcher().search("audit log", limit=1)
    assert len(result.passages) == 1


async def test_few_documents_are_read_whole() -> None:
    """Where the best are of one document, the other documents come before more of it."""
    many = [node("log", at, f"audit log part{at} of the log") for at in range(44)]
    others = [node(f"other{at}", 0, f"log number{at}") for at in range(3)]
    result = await searcher(nodes=[*many, *others]).search("audit log", limit=6)
    assert sum(len(passage.nodes) for passage in result.passages) == 6
    assert {passage.node.document_id for passage in result.passages} == {"log", "other0", "other1", "other2"}


async def test_without_reranking_the_fusion_decides() -> None:
    """Re-ranking can be switched off; the confidence stays."""
    settings = RetrievalSettings(rerank=False)
    searching = Searcher(ListStore(NODES), WordEmbedder(), settings)  # type: ignore[arg-type]  # as above
    result = await searching.search("invoices sent")
    assert result.passages[0].score == pytest.approx(1.0)
    assert result.confidence > 0.5


async def test_section_is_the_run_around_a_passage() -> None:
    """A section is the passage's neighbours under the same headings, not a later part of that name."""
    parts = [
        node("guide", 0, "Intro words.", heading=("Other",)),
        node("guide", 1, "First step words.", heading=("Steps",)),
        node("guide", 2, "Second step invoices.", heading=("Steps",)),
        node("guide", 3, "Closing words.", heading=("Other",)),
        node("guide", 4, "Unrelated words.", heading=("Steps",)),
    ]
    searching = searcher(nodes=parts)
    result = await searching.search("invoices", limit=1)
    assert [item.position for item in await searching.section(result.passages[0])] == [1, 2]


async def test_llama_nodes_carry_the_stored_fields() -> None:
    """LlamaIndex's nodes come in rank order with every field of the stored node."""
    retriever = KnowledgeRetriever(searcher(), audience=EVERYONE)
    nodes = await retriever.aretrieve(QueryBundle("When are invoices sent?"))
    assert nodes[0].node.node_id == "billing-0"
    assert nodes[0].metadata["uri"] == "billing.md"
    assert nodes[0].metadata["position"] == 0
    assert nodes[0].score is not None


def test_the_sync_face_refuses() -> None:
    """The blocking method of LlamaIndex's interface says to use the async one."""
    with pytest.raises(NotImplementedError, match="async"):
        KnowledgeRetriever(searcher()).retrieve(QueryBundle("x"))


@pytest.mark.trust
async def test_every_naughty_string_is_a_question() -> None:
    """No string raises, whatever it holds, and every confidence lies between 0 and 1."""
    if not STRINGS.exists():
        pytest.skip(f"{STRINGS} is absent")
    searching = searcher(nodes=[replace(item, title="x") for item in NODES])
    for line in STRINGS.read_text(encoding="utf-8").splitlines():
        result = await searching.search(json.loads(line)["s"])
        assert 0.0 <= result.confidence <= 1.0
