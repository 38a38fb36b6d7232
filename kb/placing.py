"""Lets a document's place speak for it: its source, its folders and its own name.

A page "Label images" in a folder `sagemaker-guide` need not say SageMaker. Places are looked at when a
question is asked and are no part of what is embedded, so that a document that moves keeps its vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote

import numpy as np

from kb.nodes import QuestionEmbedding, StoredNode, Vector
from kb.words import words

NAMED = 0.65  # between a stranger's vector and the same word's in a passage (0.8 to 0.9)


def with_places(similar: Vector, question: QuestionEmbedding, nodes: Sequence[StoredNode]) -> Vector:
    """Return the similarities, shape (nodes, pieces), at least NAMED where a node's place has the word."""
    asked = question.token_words
    if not asked:
        return similar
    named = np.array([[word in place for word in asked] for place in map(_place, nodes)], dtype=bool)
    return np.where(named.reshape(similar.shape), np.maximum(similar, np.float32(NAMED)), similar)


def _place(node: StoredNode) -> frozenset[str]:
    return _words_of(node.source, node.uri)


@lru_cache(maxsize=16_384)
def _words_of(source: str, uri: str) -> frozenset[str]:
    return frozenset(words(f"{source} {unquote(uri)}"))
