"""Answers without a language model: the sentences that fit the question best, quoted and cited.

    score = cosine + overlap + ½ · passage + 0.3 / rank + 2 · MaxSim

of the sentence's own embedding with the question's, the share of the question's words that it has, its
passage's score and rank; a line that is no sentence counts less, and so does one that only says where
something is told. A second sentence is quoted when it scores nearly as well and says more. "How do I"
questions get the section itself: two sentences rarely hold the steps.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.quotable import Quotable, quotables, under
from bot.sections import section_text, shows_how
from kb import maxsim
from kb.words import content_words, coverage, words

if TYPE_CHECKING:
    from kb.nodes import Embedding, QuestionEmbedding
    from kb.retriever import Passage, Searcher, SearchResult

PASSAGES = 5
SENTENCES = 2
FRAGMENT = 0.4  # how much less a line counts that is no whole sentence, such as a caption
POINTER = 0.8  # how much less a sentence counts that only says where something is told
NEAR = 0.5  # how much less a second sentence may score: what is further off seldom holds the answer
# How much more a section counts that has all words of the question in its heading, or in the path to it, or
# that has steps or code.
HEADING, PATH, STEPS = 0.1, 0.05, 0.08
SAME = 0.9  # of a sentence's words that another one has: more of them and it says the same
COMPARED = 32  # sentences that are embedded: about 80 ms
REMEMBERED = (
    4_096  # sentences whose embeddings are kept, about 3 kB each: what is asked often is quoted often
)

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
_ASKS_WHERE = re.compile(
    r"\bmore (?:information|details|about)\b|\b(?:links?|docs|documentation|page|guide|tutorial)\b"
    r"|\bwhere (?:can|do|could|should) (?:i|we|one) (?:find|read|learn|see|look)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An answer in quotes. The marker [n] in `text` names `used[n - 1]`; `quotes` are its parts."""

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
            return await self._section(question, result.passages)
        candidates = _candidates(question, result.passages[:PASSAGES])
        scored = await self._scored(candidates, result.question)
        return _composed(_chosen(scored), result.passages)

    async def _section(self, question: str, passages: Sequence[Passage]) -> Composed:
        passage, text = await self._telling(question, passages[:PASSAGES])
        path = " > ".join(dict.fromkeys(part for part in (passage.node.title, *passage.node.heading) if part))
        return Composed(
            text="\n\n".join(part for part in (f"**{path}**" if path else "", _marked(text, 1)) if part),
            used=(passage,),
            quotes=((0, text),),
        )

    async def _telling(self, question: str, passages: Sequence[Passage]) -> tuple[Passage, str]:
        """Return the passage whose section tells how, and the section in short.

        Among passages with nearly equal scores it is the one under the heading that names the task, or with
        steps or code, and never one that has only the titles of other pages.
        """
        wanted = content_words(question)
        best, found = -math.inf, (passages[0], passages[0].node.text)
        for passage in passages:
            nodes = await self._searcher.section(passage)
            at = next((at for at, node in enumerate(nodes) if node.id == passage.node.id), 0)
            text = section_text([node.text for node in nodes], at)
            fit = _fit(passage, wanted) + STEPS * shows_how(text)
            if text and fit > best:
                best, found = fit, (passage, text)
        return found

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


def _fit(passage: Passage, wanted: Sequence[str]) -> float:
    path = (passage.node.title, *passage.node.heading)
    heading = coverage(wanted, frozenset(words(path[-1])))
    return passage.score + HEADING * heading + PATH * coverage(wanted, frozenset(words(" ".join(path))))


def _candidates(question: str, passages: Sequence[Passage]) -> list[_Candidate]:
    wanted = content_words(question)
    asks_where = _ASKS_WHERE.search(question) is not None
    found: dict[str, _Candidate] = {}
    for rank, passage in enumerate(passages):
        base = 0.5 * passage.score + 0.3 / (rank + 1)
        for unit in _units(passage):
            score = base + coverage(wanted, frozenset(words(unit.plain))) - _worse(unit, asks_where)
            found.setdefault(unit.plain, _Candidate(unit=unit, passage=rank, order=len(found), score=score))
    told = [item for item in found.values() if not item.unit.bare_code]
    return list(found.values()) if _CODE.search(question) or not told else told


def _units(passage: Passage) -> Iterator[Quotable]:
    for node in passage.nodes:
        heading = (node.title, *node.heading)[-1]
        yield from (under(heading, unit) for unit in quotables(node.text))


def _worse(unit: Quotable, asks_where: bool) -> float:
    return FRAGMENT * unit.fragment + POINTER * (unit.pointer and not asks_where)


def _chosen(scored: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the best units: in reading order within a passage, the best one's passage first."""
    best: list[_Candidate] = []
    for item in sorted(scored, key=lambda item: (-item.score, item.order)):
        if len(best) == SENTENCES or item.score < (best or [item])[0].score - NEAR:
            break
        if all(_says_more(item, than=other) for other in best):
            best.append(item)
    first = best[0].passage if best else 0
    return sorted(best, key=lambda item: (item.passage != first, item.passage, item.order))


def _says_more(item: _Candidate, *, than: _Candidate) -> bool:
    """Tell whether a unit is more than another one again, whole or in part."""
    if item.unit.lead and item.unit.lead == than.unit.lead:
        return True
    told = frozenset(words(than.unit.text))
    return coverage(content_words(item.unit.plain), told) < SAME


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
    """Return units with their passages; what has one lead is joined: a table's rows, a list's items."""
    merged: list[tuple[Quotable, int]] = []
    for item in chosen:
        unit, last = item.unit, merged[-1] if merged else None
        if last and unit.lead and (last[0].lead, last[1]) == (unit.lead, item.passage):
            between = " " if unit.shape == "sentence" else "\n"
            text = f"{last[0].text}{between}{unit.text.removeprefix(unit.lead).lstrip()}"
            merged[-1] = (replace(last[0], text=text), item.passage)
        else:
            merged.append((unit, item.passage))
    return merged


def _marked(text: str, number: int) -> str:
    """Put the marker behind a sentence, or under a block that it would break."""
    last = text.rstrip().rpartition("\n")[2].lstrip()
    block = last.startswith(("|", "```", "~~~"))
    return f"{text.rstrip()}\n\n[{number}]" if block else f"{text.rstrip()} [{number}]"
