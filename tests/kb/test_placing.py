"""Tests of what a document's place adds to its words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kb.nodes import QuestionEmbedding, StoredNode, Vector
from kb.placing import NAMED, with_places
from kb.words import words
from tests.kb.test_retriever import node, vector, word_vectors


def asked(text: str) -> QuestionEmbedding:
    ids, vectors = word_vectors(text)
    return QuestionEmbedding(
        vector=vector(text), token_ids=ids, token_vectors=vectors, token_words=tuple(words(text))
    )


def at(uri: str, source: str = "s") -> StoredNode:
    return replace(node("page", 0, "Choose a task."), uri=uri, source=source)


def unlike(count: int, question: QuestionEmbedding) -> Vector:
    return np.full((count, len(question.token_words)), 0.25, dtype=np.float32)


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("ground-truth/images.md", "s"),
        ("Ground_Truths/images.md", "s"),
        ("https://example.org/ground%20truth/images", "s"),
        ("images.md", "ground-truth"),
    ],
)
def test_a_place_says_what_the_text_leaves_out(uri: str, source: str) -> None:
    """Words of a question that the folder, the address or the source has count as said in the passage."""
    question = asked("ground truth tasks")
    found = with_places(unlike(2, question), question, [at(uri, source), at("other/images.md")])
    assert found[0].tolist() == pytest.approx([NAMED, NAMED, 0.25])
    assert found[1].tolist() == pytest.approx([0.25, 0.25, 0.25])


def test_a_place_takes_nothing_away() -> None:
    """A word that the text has already keeps its likeness."""
    question = asked("ground truth")
    similar = np.array([[0.95, 0.1]], dtype=np.float32)
    assert with_places(similar, question, [at("ground/truth.md")]).tolist() == [pytest.approx([0.95, NAMED])]


def test_without_words_nothing_changes() -> None:
    """A question whose pieces belong to no known word is left alone; nothing found stays nothing."""
    question = asked("ground truth")
    similar = unlike(1, question)
    assert with_places(similar, replace(question, token_words=()), [at("ground.md")]) is similar
    assert with_places(unlike(0, question), question, []).shape == (0, 2)
