"""Answers without a language model: the sentences that fit the question best, quoted and cited.

    score = cosine + overlap + ½ · passage + 0.3 / rank + 2 · MaxSim

of the sentence's own embedding with the question's, the share of the question's words that it has, its
passage's score and rank; a line that is no sentence counts less. A second sentence is quoted when it scores
nearly as well: on squad2 that keeps 46 % of them and costs 0.6 points of answers held. "How do I" questions
get the section itself: two sentences rarely hold the steps.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.quotable import Quotable, quotables, word_count
from kb import maxsim
from kb.blocks import read_blocks
from kb.words import content_words, coverage, words

if TYPE_CHECKING:
    from kb.nodes import Embedding, QuestionEmbedding
    from kb.retriever import Passage, Searcher, SearchResult

PASSAGES = 5
SENTENCES = 2
FRAGMENT = 0.4  # how much less a line counts that is no whole sentence, such as a caption
NEAR = 0.6  # how much less a second sentence may score: what is further off seldom holds the answer
COMPARED = 32  # sentences that are embedded: about 80 ms
REMEMBERED = (
    4_096  # sentences whose embeddings are kept, about 3 kB each: what is asked often is quoted often
)
SECTION_WORDS = 150

_HOW_TO = re.compile(
    r"\bhow (?:(?:do|can|could|should|would|must|might|shall) (?:i|we|you|one|someone)\b|to\b)"
    r"|\bhow (?:i|we|you) (?:can|could|should)\b"
    r"|^\W*(?:what are the steps|which steps|steps (?:to|for)\b|walk me through|guide me)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:commands?|syntax|examples?|snippets?|code|flags?|options?|config(?:uration)?|settings?|scripts?|"
    r"quer(?:y|ies)|regex|curl|install|run)\b|`",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An answer in quotes. The marker [n] in `text` names `used[n - 1]`; `quotes` are literal text."""

    text: str
    used: tuple[Passage, ...]
    quotes: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    unit: Quotable
    passage: int  # index into the result's passages
    order: int
    score: float


class Composer:
    """Composes quoted answers from what a Searcher found."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._remembered: OrderedDict[str, Embedding] = OrderedDict()

    async def compose(self, question: str, result: SearchResult) -> Composed:
        """Return the best one or two sentences, or the section that tells how; empty without passages."""
        if not result.passages:
            return Composed(text="", used=())
        if is_how_to(question):
            return await self._section(result.passages[0])
        candidates = _candidates(question, result.passages[:PASSAGES])
        scored = await self._scored(candidates, result.question)
        return _composed(_chosen(scored), result.passages)

    async def _section(self, passage: Passage) -> Composed:
        nodes = await self._searcher.section(passage)
        start = next((at for at, node in enumerate(nodes) if node.id == passage.node.id), 0)
        whole = sum(word_count(node.text) for node in nodes) <= SECTION_WORDS
        text = _shortened([node.text for node in (nodes if whole else nodes[start:])])
        path = " > ".join(dict.fromkeys(part for part in (passage.node.title, *passage.node.heading) if part))
        return Composed(
            text="\n\n".join(part for part in (f"**{path}**" if path else "", _marked(text, 1)) if part),
            used=(passage,),
            quotes=((0, text),),
        )

    async def _scored(
        self, candidates: Sequence[_Candidate], question: QuestionEmbedding | None
    ) -> list[_Candidate]:
        if question is None or question.token_vectors is None:
            return list(candidates)
        best = sorted(candidates, key=lambda item: -item.score)[:COMPARED]
        embeddings = await self._embedded([item.unit.plain for item in best])
        cosines = np.stack([embedding.vector for embedding in embeddings]) @ question.vector
        alike = maxsim.score(question, [embedding.tokens for embedding in embeddings])
        gains = (cosines + 2 * alike).tolist()
        return [replace(item, score=item.score + gain) for item, gain in zip(best, gains, strict=True)]

    async def _embedded(self, texts: Sequence[str]) -> list[Embedding]:
        """Return the sentences' embeddings; those of late are remembered, for equal texts have equal ones."""
        found = {text: self._remembered[text] for text in texts if text in self._remembered}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            made = await self._searcher.embedder.embed_passages(new, urgent=True)
            found |= zip(new, made, strict=True)
        for text, embedding in found.items():
            self._remembered[text] = embedding
            self._remembered.move_to_end(text)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return [found[text] for text in texts]


def is_how_to(question: str) -> bool:
    """Tell whether a question asks for a procedure."""
    return _HOW_TO.search(question) is not None


def _candidates(question: str, passages: Sequence[Passage]) -> list[_Candidate]:
    wanted = content_words(question)
    found: dict[str, _Candidate] = {}
    for rank, passage in enumerate(passages):
        base = 0.5 * passage.score + 0.3 / (rank + 1)
        for unit in (unit for node in passage.nodes for unit in quotables(node.text)):
            score = base + coverage(wanted, frozenset(words(unit.plain))) - FRAGMENT * unit.fragment
            found.setdefault(unit.plain, _Candidate(unit=unit, passage=rank, order=len(found), score=score))
    told = [item for item in found.values() if not item.unit.bare_code]
    return list(found.values()) if _CODE.search(question) or not told else told


def _chosen(scored: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the best units: in reading order within a passage, the best one's passage first."""
    best = sorted(scored, key=lambda item: (-item.score, item.order))[:SENTENCES]
    best = [item for item in best if item.score >= best[0].score - NEAR]
    first = best[0].passage if best else 0
    return sorted(best, key=lambda item: (item.passage != first, item.passage, item.order))


def _composed(chosen: Sequence[_Candidate], passages: Sequence[Passage]) -> Composed:
    used = list(dict.fromkeys(item.passage for item in chosen))
    parts: list[str] = []
    for unit, passage in _merged(chosen):
        text = _marked(unit.text, used.index(passage) + 1)
        joins = parts and unit.shape == "sentence" and "\n" not in parts[-1]
        parts[-1:] = [f"{parts[-1]} {text}"] if joins else [*parts[-1:], text]
    return Composed(
        text="\n\n".join(parts),
        used=tuple(passages[index] for index in used),
        quotes=tuple((used.index(item.passage), item.unit.text) for item in chosen),
    )


def _merged(chosen: Sequence[_Candidate]) -> list[tuple[Quotable, int]]:
    """Return units with their passages; rows of one table become one table, items of one list one list."""
    merged: list[tuple[Quotable, int]] = []
    for item in chosen:
        unit, last = item.unit, merged[-1] if merged else None
        if last and unit.lead and (last[0].lead, last[1]) == (unit.lead, item.passage):
            text = f"{last[0].text}\n{unit.text.removeprefix(unit.lead).lstrip()}"
            merged[-1] = (replace(last[0], text=text), item.passage)
        else:
            merged.append((unit, item.passage))
    return merged


def _marked(text: str, number: int) -> str:
    """Put the marker behind a sentence, or under a block that it would break."""
    last = text.rstrip().rpartition("\n")[2].lstrip()
    block = last.startswith(("|", "```", "~~~"))
    return f"{text.rstrip()}\n\n[{number}]" if block else f"{text.rstrip()} [{number}]"


def _shortened(texts: Sequence[str]) -> str:
    """Return whole blocks up to about SECTION_WORDS words, at least one."""
    kept: list[str] = []
    room = SECTION_WORDS
    blocks = (block for text in texts for block in read_blocks(text))
    for block in blocks:
        if block.kind == "page":
            continue
        size = word_count(block.text)
        if kept and size > room:
            break
        kept.append(block.text)
        room -= size
    return "\n\n".join(kept)
