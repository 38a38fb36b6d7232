from dataclasses import replace

import pytest

from kb.nodes import Found, StoredNode
from kb.ranking import Ranked, fold, fuse, rerank, spread

LONG = "The audit log is kept for ninety days on every plan and is then deleted for good. " * 3


def node(key: str, text: str = "", *, position: int = 0, updated: float = 0.0) -> StoredNode:
    return StoredNode(
        id=key,
        document_id=f"d-{key}",
        source="s",
        uri=f"{key}.md",
        title="",
        heading=(),
        position=position,
        text=text or key,
        hash=key,
        updated=updated,
        audience=("*",),
    )


def hits(**scores: float) -> list[Found]:
    return [Found(id=key, row=at, score=score) for at, (key, score) in enumerate(scores.items())]


def ranked(*nodes: StoredNode) -> list[Ranked]:
    return [Ranked(node=item, fused=1 - at / 10, score=1 - at / 10) for at, item in enumerate(nodes)]


def test_fusion_adds_both_legs() -> None:
    """A node that both legs find beats the best of one leg."""
    order = fuse(hits(a=0.9, b=0.8, c=0.1), hits(b=12.0, d=10.0))
    assert [item.id for item in order] == ["b", "a", "d", "c"]
    assert order[0].score == pytest.approx(0.5 * 0.875 + 0.5)


def test_fusion_of_nothing_is_nothing() -> None:
    """No hits give no ranking."""
    assert fuse([], []) == []


def test_fusion_of_one_leg() -> None:
    """One leg alone decides when the other finds nothing."""
    assert [item.id for item in fuse([], hits(a=3.0, b=5.0))] == ["b", "a"]
    assert [item.id for item in fuse(hits(a=0.4), [])] == ["a"]


def test_fusion_is_stable() -> None:
    """Equal scores come in the order of their ids."""
    assert [item.id for item in fuse([], hits(c=1.0, a=1.0, b=1.0))] == ["a", "b", "c"]


def test_rerank_orders_by_similarity_and_keeps_the_rest_behind() -> None:
    """Words decide among the first; those that were not compared stay behind them."""
    order = rerank(ranked(node("a"), node("b"), node("c")), [0.5, 0.9])
    assert [item.node.id for item in order] == ["b", "a", "c"]
    assert [item.score for item in order] == sorted((item.score for item in order), reverse=True)


def test_same_text_is_folded_into_the_newest() -> None:
    """Of two equal passages the newer one is shown at the better one's rank; the other is remembered."""
    old, new = node("old", LONG, updated=1.0), node("new", LONG, updated=2.0)
    kept = fold(ranked(old, node("other"), new), 10)
    assert [item.node.id for item in kept] == ["new", "other"]
    assert [twin.id for twin in kept[0].same] == ["old"]


def test_almost_same_text_is_folded() -> None:
    """A passage that differs in a single word of many says the same."""
    varied = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" * 2)
    near = " ".join(f"{start}{end}" for start in "bcdfghjklm" for end in "aeiou")
    assert len(fold(ranked(node("a", near), node("b", f"{near} also")), 10)) == 1
    assert len(fold(ranked(node("a", near), node("b", varied)), 10)) == 2


def test_other_numbers_are_not_folded() -> None:
    """Two passages with different numbers are both shown, however alike they are."""
    near = " ".join(f"{start}{end}" for start in "bcdfghjklm" for end in "aeiou")
    assert len(fold(ranked(node("a", f"{near} 10"), node("b", f"{near} 20")), 10)) == 2


def test_fold_keeps_the_limit() -> None:
    """No more than the limit is kept, and twins of what is kept do not count."""
    twin = replace(node("a2", "a"), document_id="d-a2")
    kept = fold(ranked(node("a", "a"), twin, node("b"), node("c")), 2)
    assert [item.node.id for item in kept] == ["a", "b"]


def test_one_long_document_leaves_room_for_others() -> None:
    """A document's fourth passage comes behind the other documents, and none is lost."""
    pages = [replace(node(f"p{at}"), document_id="long") for at in range(5)]
    order = spread(ranked(*pages, node("other")))
    assert [item.node.id for item in order] == ["p0", "p1", "p2", "other", "p3", "p4"]
