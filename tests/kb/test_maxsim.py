from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kb import maxsim
from kb.nodes import QuestionEmbedding, Vector

DIMENSION = 384
LAMBDA, BUCKET, THE, COMMA = 23375, 13610, 1996, 1010


def unit(count: int, seed: int = 0) -> Vector:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int32)


def question(token_ids: np.ndarray, vectors: Vector) -> QuestionEmbedding:
    return QuestionEmbedding(vector=unit(1)[0], token_ids=token_ids, token_vectors=vectors)


def test_pack_takes_49_bytes_a_piece() -> None:
    """A packed piece takes one bit a dimension and one byte."""
    assert len(maxsim.pack(ids(LAMBDA, BUCKET, 5000), unit(3))) == 3 * 49


def test_marks_are_not_stored() -> None:
    """Marks and the commonest word are dropped from a passage."""
    assert len(maxsim.pack(ids(LAMBDA, COMMA, THE), unit(3))) == 49


def test_marks_alone_are_stored() -> None:
    """A passage of marks alone keeps them, so that it can be compared at all."""
    assert len(maxsim.pack(ids(COMMA, COMMA), unit(2))) == 2 * 49


def test_pack_of_nothing_is_empty() -> None:
    """A text without pieces packs to nothing."""
    assert maxsim.pack(ids(), unit(0)) == b""


def test_unpacked_vectors_estimate_cosines() -> None:
    """A vector's product with its own packed form is 1; with a stranger's it is near 0."""
    vectors = unit(8)
    products = vectors @ maxsim.unpack(maxsim.pack(np.full(8, 5000, np.int32), vectors), DIMENSION).T
    assert np.diag(products) == pytest.approx(1.0, abs=0.01)
    assert np.abs(products - np.diag(np.diag(products))).max() < 0.25


def test_same_words_score_one() -> None:
    """A passage that has all of a question's words in the same sense scores 1."""
    vectors = unit(4)
    tokens = ids(LAMBDA, BUCKET, 5000, 6000)
    passages = [maxsim.pack(tokens, vectors), maxsim.pack(tokens, unit(4, seed=1))]
    scores = maxsim.score(question(tokens, vectors), passages)
    assert scores[0] == pytest.approx(1.0, abs=0.01)
    assert scores[1] < 0.3


def test_rare_words_weigh_more() -> None:
    """A passage with the question's rare word beats one with its common word."""
    vectors = unit(2)
    common, rare = 2100, LAMBDA
    asked = question(ids(common, rare), vectors)
    with_common, with_rare = (maxsim.pack(ids(5000), vectors[at : at + 1]) for at in (0, 1))
    scores = maxsim.score(asked, [with_common, with_rare])
    assert scores[1] > scores[0]


def test_passage_without_word_vectors_scores_zero() -> None:
    """A passage without word vectors scores 0 and does not shift its neighbours' scores."""
    vectors = unit(2)
    tokens = ids(LAMBDA, BUCKET)
    packed = maxsim.pack(tokens, vectors)
    scores = maxsim.score(question(tokens, vectors), [b"", packed, b"", packed])
    assert scores.tolist() == pytest.approx([0, 1, 0, 1], abs=0.01)


def test_question_without_word_vectors_scores_zero() -> None:
    """A question from a model without word vectors scores 0 everywhere."""
    asked = QuestionEmbedding(vector=unit(1)[0])
    assert maxsim.score(asked, [maxsim.pack(ids(LAMBDA), unit(1))]).tolist() == [0.0]


def test_question_of_marks_is_scored() -> None:
    """A question of which no piece weighs anything counts all pieces alike."""
    vectors = unit(1)
    scores = maxsim.score(question(ids(COMMA), vectors), [maxsim.pack(ids(LAMBDA), vectors)])
    assert scores[0] == pytest.approx(1.0, abs=0.01)


def test_scores_no_passages() -> None:
    """No passages give no scores."""
    assert maxsim.score(question(ids(LAMBDA), unit(1)), []).shape == (0,)


@pytest.mark.parametrize(("common", "rare"), [(1996, 2054), (2054, 6013), (6013, LAMBDA), (1045, 1014)])
def test_weights_grow_with_the_number(common: int, rare: int) -> None:
    """The vocabulary's order is the words' frequency, so later words weigh more; digits beat letters."""
    low, high = maxsim.weights_of(ids(common, rare))
    assert low < high


def test_unknown_numbers_have_a_weight() -> None:
    """Numbers past the vocabulary do not raise."""
    assert maxsim.weights_of(ids(100_000))[0] > 0


def test_parts_make_one_comparison() -> None:
    """Passages of more pieces than are unpacked at a time score as each does alone."""
    tokens = np.full(500, 5000, np.int32)
    passages = [maxsim.pack(tokens[:size], unit(size, seed=size)) for size in (500, 3, 499, 41)]
    passages.insert(2, b"")
    asked = question(ids(LAMBDA, BUCKET, 5000), unit(3, seed=9))
    together = maxsim.similarities(asked, passages)
    assert together is not None
    assert asked.token_vectors is not None
    expected = [
        (maxsim.unpack(packed, DIMENSION) @ asked.token_vectors.T).max(axis=0) if packed else np.zeros(3)
        for packed in passages
    ]
    assert together == pytest.approx(np.array(expected), abs=1e-6)


def test_memory_that_is_used_again_changes_no_score() -> None:
    """A score is the same before and after larger and smaller comparisons, in every thread."""
    tokens = ids(LAMBDA, BUCKET, 5000)
    asked = question(tokens, unit(3))
    passages = [maxsim.pack(np.full(200, 5000, np.int32), unit(200, seed=seed)) for seed in range(12)]
    alone = [float(maxsim.score(asked, [passage])[0]) for passage in passages]
    kept = maxsim.similarities(asked, passages[:1])
    assert kept is not None
    before = kept.copy()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda count: maxsim.score(asked, passages[:count]), [12, 1, 5, 12, 2] * 4))
    for scores in together:
        np.testing.assert_allclose(scores, alone[: len(scores)], atol=1e-6)
    np.testing.assert_array_equal(kept, before)
