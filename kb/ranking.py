"""Puts what the two search legs found into one order, and folds what says the same.

fused = ½ · (cosine, from the least to the best of its leg as 0 to 1) + ½ · BM25 / best BM25
score = MaxSim + 0.05 · fused
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kb.nodes import Found, StoredNode

VECTOR_SHARE = 0.5
FUSED_WEIGHT = 0.05
MOST_OF_A_DOCUMENT = 3
_SAME = 0.95  # share of words in common from which two passages say the same
_LONGEST = 4_000  # characters that are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A node with what it is ranked by. `same` holds folded nodes that say the same, best first."""

    node: StoredNode
    fused: float
    score: float
    same: tuple[StoredNode, ...] = ()


def fuse(
    nearest: Sequence[Found], matching: Sequence[Found], *, vector_share: float = VECTOR_SHARE
) -> list[Found]:
    """Merge what both legs found, best first; the score is the weighted sum, 0 to 1."""
    rows = {one.id: one.row for one in (*matching, *nearest)}
    cosines, matches = _from_least(nearest), _of_best(matching)
    merged = [
        (-vector_share * cosines.get(key, 0.0) - (1 - vector_share) * matches.get(key, 0.0), key)
        for key in rows
    ]
    return [Found(id=key, row=rows[key], score=-less) for less, key in sorted(merged)]


def rerank(ranked: Sequence[Ranked], similar: Sequence[float]) -> list[Ranked]:
    """Order the first `len(similar)` by their MaxSim and a little of `fused`; the rest stays behind."""
    first = [
        Ranked(node=item.node, fused=item.fused, score=words_alike + FUSED_WEIGHT * item.fused)
        for item, words_alike in zip(ranked, similar, strict=False)
    ]
    least = min((item.score for item in first), default=1.0)
    rest = [
        Ranked(node=item.node, fused=item.fused, score=least * item.fused) for item in ranked[len(first) :]
    ]
    return [*_sorted(first), *_sorted(rest)]


def spread(ranked: Iterable[Ranked]) -> list[Ranked]:
    """Move what a document has beyond its best few behind the other documents; the order else stays."""
    first, behind = _parted(ranked)
    return [*first, *behind]


def leading(ranked: Iterable[Ranked]) -> list[Ranked]:
    """Return what is among the best few of its document: what comes behind cannot change their order."""
    return _parted(ranked)[0]


def fold(ranked: Iterable[Ranked], limit: int) -> list[Ranked]:
    """Return the first `limit` that differ; of those that say the same the newest stands for all.

    Passages whose numbers differ never say the same.
    """
    kept: list[Ranked] = []
    texts: list[_Text] = []
    for item in ranked:
        if len(kept) == limit:
            break
        text = _Text.of(item.node)
        twin = next((at for at, other in enumerate(texts) if text.says_same(other)), None)
        if twin is not None:
            kept[twin] = _folded(kept[twin], item.node)
        else:
            kept.append(item)
            texts.append(text)
    return kept


def _parted(ranked: Iterable[Ranked]) -> tuple[list[Ranked], list[Ranked]]:
    first: list[Ranked] = []
    behind: list[Ranked] = []
    of_document: Counter[str] = Counter()
    for item in ranked:
        of_document[item.node.document_id] += 1
        few = of_document[item.node.document_id] <= MOST_OF_A_DOCUMENT
        (first if few else behind).append(item)
    return first, behind


def _folded(item: Ranked, twin: StoredNode) -> Ranked:
    if twin.updated > item.node.updated:
        return replace(item, node=twin, same=(item.node, *item.same))
    return replace(item, same=(*item.same, twin))


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as its words between spaces: cutting endings would take longer than the search."""

    whole: str
    words: frozenset[str]

    @classmethod
    def of(cls, node: StoredNode) -> _Text:
        return cls(node.text, frozenset(node.text[:_LONGEST].casefold().split()))

    def says_same(self, other: _Text) -> bool:
        if self.whole == other.whole:
            return True
        fewer, more = sorted((self.words, other.words), key=len)
        if len(fewer) < _SAME * len(more) or not _share_nearly_all(fewer, more):
            return False
        differing = self.words ^ other.words
        if len(differing) > (1 - _SAME) * len(self.words | other.words):
            return False
        return not any(char.isdigit() for word in differing for char in word)


def _share_nearly_all(fewer: frozenset[str], more: frozenset[str]) -> bool:
    """Tell whether few enough words differ that it is worth counting: two passages rarely share that many."""
    room = int((1 - _SAME) * (len(fewer) + len(more)))
    for word in fewer:
        if word not in more:
            room -= 1
            if room < 0:
                return False
    return True


def _sorted(ranked: Iterable[Ranked]) -> list[Ranked]:
    return sorted(ranked, key=lambda item: (-item.score, item.node.uri, item.node.position))


def _from_least(hits: Sequence[Found]) -> dict[str, float]:
    if not hits:
        return {}
    best, least = max(hit.score for hit in hits), min(hit.score for hit in hits)
    span = best - least
    return {hit.id: (hit.score - least) / span if span > 0 else 1.0 for hit in hits}


def _of_best(hits: Sequence[Found]) -> dict[str, float]:
    best = max((hit.score for hit in hits), default=0.0)
    return {hit.id: hit.score / best for hit in hits} if best > 0 else {}
