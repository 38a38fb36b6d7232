"""Compares a question word by word with passages, from word vectors packed when a passage is stored.

MaxSim: each piece of the question looks for the passage's piece that is most like it; the passage's score
is the mean of those cosines, rare pieces weighing more. The vectors come out of the same forward pass that
embeds a passage, so keeping them costs storage and no computing: one sign bit a dimension and one byte of
scale a piece. The question keeps its floats: q·p ≈ Σ ±q / Σ|p| estimates the cosine.

The numbers of BERT's pieces follow their frequency, hence the weight of a piece is the logarithm of its
number: the same for every base of documents, so that scores compare between bases of any size.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kb.nodes import QuestionEmbedding, Vector

# bert-base-uncased's vocabulary: ASCII marks, digits and letters, then other characters, then words.
_FIRST_CHARACTER, _FIRST_DIGIT, _FIRST_LETTER, _LAST_LETTER = 999, 1014, 1037, 1062
_FIRST_OTHER, _FIRST_WORD, _SIZE = 1067, 1996, 30_522
_DIGITS = slice(_FIRST_DIGIT, _FIRST_DIGIT + 10)
_LETTERS = slice(_FIRST_LETTER, _LAST_LETTER + 1)
_MARKS = (
    (1067, 1076),
    (1077, 1081),
    (1513, 1536),
    (1583, 1632),
    (1635, 1646),
    (1986, 1996),
    (29_612, 29_648),
)
_CHARACTER_WEIGHT, _LETTER_WEIGHT = 6.0, 2.0
_UNPACKED = 512  # pieces that are unpacked at a time: 0.8 MB
_KEPT = 400_000  # floats that a thread keeps room for: fresh memory takes longer than the products
_SCALE = 209.0  # Σ|p| / √d of a unit vector is at most 1; a byte holds up to 255


@cache
def _frequency_weights() -> Vector:
    weights = np.zeros(_SIZE, dtype=np.float32)
    weights[_DIGITS] = _CHARACTER_WEIGHT
    weights[_LETTERS] = _LETTER_WEIGHT
    weights[_FIRST_OTHER:_FIRST_WORD] = _CHARACTER_WEIGHT
    weights[_FIRST_WORD:] = np.log(np.arange(1, _SIZE - _FIRST_WORD + 1))
    for first, end in _MARKS:
        weights[first:end] = 0.0
    return weights


def weights_of(token_ids: NDArray[np.int32]) -> Vector:
    """Return how much each piece counts: 0 for marks and unknown pieces, up to 10 for rare words."""
    return _frequency_weights()[np.minimum(token_ids, _SIZE - 1)]


def pack(token_ids: NDArray[np.int32], token_vectors: Vector) -> bytes:
    """Pack a passage's word vectors, shape (n, d), d a multiple of 8, into d/8 + 1 bytes a piece kept.

    Marks are dropped, unless nothing else is there.
    """
    kept = weights_of(token_ids) > 0
    vectors = token_vectors[kept] if kept.any() else token_vectors
    if not len(vectors):
        return b""
    scales = np.abs(vectors).mean(axis=1, keepdims=True) * (_SCALE * vectors.shape[1] ** 0.5)
    rows = [np.clip(np.rint(scales), 1, 255).astype(np.uint8), np.packbits(vectors > 0, axis=1)]
    return np.concatenate(rows, axis=1).tobytes()


def unpack(packed: bytes, dimension: int) -> Vector:
    """Return the approximate vectors, shape (n, dimension), of which a dot product gives the cosine."""
    rows = _rows([packed], dimension)
    return _signs(rows, dimension) * _factors(rows, dimension)[:, np.newaxis]


def score(question: QuestionEmbedding, packed: Sequence[bytes]) -> Vector:
    """Return the weighted MaxSim of each passage, about 0.2 (unrelated) to 1; 0 where nothing is known."""
    similar = similarities(question, packed)
    return np.zeros(len(packed), dtype=np.float32) if similar is None else weighted(question, similar)


def weighted(question: QuestionEmbedding, similar: Vector) -> Vector:
    """Return each passage's mean of its `similarities`, rare pieces of the question weighing more."""
    weights = weights_of(question.token_ids) if question.token_ids is not None else np.zeros(1, np.float32)
    total = float(weights.sum())
    means: Vector = similar @ (weights / np.float32(total)) if total > 0 else similar.mean(axis=1)
    return means


def similarities(question: QuestionEmbedding, packed: Sequence[bytes]) -> Vector | None:
    """Return the best cosine of each question piece in each passage, shape (passages, pieces).

    A passage without word vectors has a row of zeros. None when the question has no word vectors.
    """
    vectors = question.token_vectors
    if vectors is None or not len(vectors):
        return None
    dimension = vectors.shape[1]
    result = np.zeros((len(packed), len(vectors)), dtype=np.float32)
    known = [index for index, data in enumerate(packed) if data]
    if known:
        cosines = _cosines(_rows([packed[index] for index in known], dimension), vectors)
        best = np.maximum.reduceat(cosines, _starts(packed, known, dimension), axis=0)
        result[known] = best[:, : len(vectors)]
    return result


class _Room(threading.local):
    """Memory that a thread uses again and again."""

    def __init__(self) -> None:
        self._arrays: dict[str, Vector] = {}

    def of(self, name: str, count: int) -> Vector:
        """Return so many floats, whatever they are; the next call for this name returns the same ones."""
        kept = self._arrays.get(name)
        if kept is None or len(kept) < count:
            kept = np.empty(count, dtype=np.float32)
            if count <= _KEPT:
                self._arrays[name] = kept
        return kept[:count]


_room = _Room()


def _cosines(rows: NDArray[np.uint8], vectors: Vector) -> Vector:
    """Return each packed piece's cosine with each vector, shape (rows, vectors), until the next call.

    Some rows are unpacked at a time, as many as stay in the processor's cache, and the vectors are filled up
    to a multiple of eight, so that there may be columns more: together that takes half the time.
    """
    count, dimension = vectors.shape
    columns = np.zeros((dimension, -(-count // 8) * 8), dtype=np.float32)
    columns[:, :count] = vectors.T
    width = columns.shape[1]
    products = _room.of("products", len(rows) * width).reshape(-1, width)
    signs = _room.of("signs", _UNPACKED * dimension).reshape(_UNPACKED, dimension // 8, 8)
    for start in range(0, len(rows), _UNPACKED):
        part = rows[start : start + _UNPACKED]
        known = signs[: len(part)]
        np.take(_signs_of_bytes(), part[:, 1:], axis=0, out=known, mode="clip")
        np.matmul(known.reshape(-1, dimension), columns, out=products[start : start + _UNPACKED])
    products *= _factors(rows, dimension)[:, np.newaxis]
    return products


def _rows(packed: Sequence[bytes], dimension: int) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(packed), dtype=np.uint8).reshape(-1, dimension // 8 + 1)


@cache
def _signs_of_bytes() -> Vector:
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1)
    return bits.astype(np.float32) * 2 - 1


def _signs(rows: NDArray[np.uint8], dimension: int) -> Vector:
    # One look-up of eight floats a byte takes half the time of unpacking and converting bits.
    signs: Vector = np.take(_signs_of_bytes(), rows[:, 1:], axis=0).reshape(-1, dimension)
    return signs


def _factors(rows: NDArray[np.uint8], dimension: int) -> Vector:
    factors: Vector = np.float32(_SCALE / dimension**0.5) / rows[:, 0].astype(np.float32)
    return factors


def _starts(packed: Sequence[bytes], known: Sequence[int], dimension: int) -> NDArray[np.int64]:
    lengths = [len(packed[index]) // (dimension // 8 + 1) for index in known]
    return np.concatenate(([0], np.cumsum(lengths[:-1]))).astype(np.int64)
