"""Numbers the passages, reads the markers of a text and builds Citations with links made by code."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from bot.grounding import content_words
from bot.messages import Citation
from bot.output_gate import CODE, defang_line
from bot.sentences import split_units
from kb.nodes import StoredNode
from kb.words import stem

QUOTE_LENGTH = 300

_GROUP = re.compile(
    r"\[\^?\s*(\d{1,2}(?:\s*(?:[,;&]|and|[-\u2013])\s*\^?\d{1,2})*)\s*\]"
    r"|【\s*(\d{1,2}(?:\s*[,;\u3001\u2013-]\s*\d{1,2})*)[^】]*】"
)
_CANONICAL = re.compile(r"\[([1-9]\d?)\]")


class Cited(Protocol):
    """What a passage must have to be cited."""

    @property
    def node(self) -> StoredNode:
        """The node that was found."""
        ...

    @property
    def text(self) -> str:
        """Its text, neighbours joined."""
        ...


def context(node: StoredNode) -> str:
    """Return title and heading path as one line."""
    return " > ".join(part for part in (node.title, *node.heading) if part)


def evidence_text(passage: Cited) -> str:
    """Return all that a sentence citing this passage may rest on."""
    return f"{context(passage.node)}\n{passage.text}"


def canonical_markers(text: str) -> str:
    """Rewrite `[1, 2]`, `[1-3]`, `[^1]` and `【1】` as `[1][2]`; code spans stay as they are."""
    return _outside_code(text, lambda part: _GROUP.sub(_canonical, part))


def _canonical(match: re.Match[str]) -> str:
    return "".join(f"[{number}]" for number in _numbers(match.group(1) or match.group(2)))


def _numbers(group: str) -> list[int]:
    found: list[int] = []
    for part in re.split(r"[,;&\u3001]|and", group.replace("^", "")):
        first, *last = (int(piece) for piece in re.split(r"[-\u2013]", part.strip()))
        found.extend(range(first, min(last[0], first + 9) + 1) if last else [first])
    return list(dict.fromkeys(found))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for span in CODE.finditer(text):
        parts += [change(text[end : span.start()]), span.group()]
        end = span.end()
    return "".join([*parts, change(text[end:])])


def markers(text: str) -> list[int]:
    """Return the numbers that a canonical text cites, in order of first use."""
    bare = CODE.sub(" ", text)
    return list(dict.fromkeys(map(int, _CANONICAL.findall(bare))))


def keep_markers(text: str, known: Collection[int]) -> str:
    """Remove the markers that name no passage."""
    kept = _outside_code(
        text, lambda part: _CANONICAL.sub(lambda m: m.group() if int(m.group(1)) in known else "\0", part)
    )
    return re.sub(r"[ \t]*\0+", "", kept)


def add_markers(text: str, numbers: Iterable[int]) -> str:
    """Put markers at the end of a sentence, before its full stop; of a table row, into its last cell."""
    added = "".join(f"[{number}]" for number in numbers)
    body = text.rstrip()
    tail = text[len(body) :]
    closing = re.search(r"(?:[.!?\u3002]+[\"'\u201d\u2019)*_]*|\s*\|)$", body)
    cut = closing.start() if closing else len(body)
    gap = "" if body[:cut].endswith("]") else " "
    space = " " if body[cut:].strip() == "|" else ""
    return f"{body[:cut]}{gap}{added}{space}{body[cut:].strip() if space else body[cut:]}{tail}"


def renumber(text: str, order: Sequence[int]) -> str:
    """Give the passages new numbers: the first of `order` becomes 1, and so on."""
    new = {old: position for position, old in enumerate(order, start=1)}
    return _outside_code(
        text, lambda part: _CANONICAL.sub(lambda m: f"[{new.get(int(m.group(1)), m.group(1))}]", part)
    )


def build_citation(number: int, passage: Cited, *, claim: str) -> Citation:
    """Build the Citation of a passage; its quote is the part that fits `claim` best."""
    node = passage.node
    return Citation(
        number=number,
        document=node.uri,
        title=defang_line(node.title),
        heading=defang_line(" > ".join(node.heading)),
        url=safe_url(node.url),
        quote=_quote(passage, claim),
        updated=iso_time(node.updated),
        source=node.source,
        node=node.id,
    )


def _quote(passage: Cited, claim: str) -> str:
    """Quote the node itself, unless the claim rests on a neighbour that was joined to it."""
    own = best_quote(passage.node.text, claim)
    if passage.text == passage.node.text:
        return own
    joined, wanted = best_quote(passage.text, claim), _Wanted.of(claim)
    return joined if wanted.found_in(joined) > wanted.found_in(own) or not own else own


def safe_url(url: str) -> str:
    """Return an address that a reader may open (http, https, file), or nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if any(char <= " " or char in "<>|\"'`" or char == "\x7f" for char in url):
        return ""
    if parts.scheme == "file":
        return url if parts.path else ""
    return url if parts.scheme in {"http", "https"} and parts.hostname and not parts.password else ""


def iso_time(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC, or nothing for 0."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds") if seconds > 0 else ""
    except (OverflowError, ValueError, OSError):
        return ""


def best_quote(text: str, claim: str, *, limit: int = QUOTE_LENGTH) -> str:
    """Return the literal part of `text` that shares most words with `claim`, at most `limit` long."""
    if len(text.strip()) <= limit:
        return text.strip()
    wanted = _Wanted.of(claim)
    units, starts = split_units(text), [0]
    for unit in units:
        starts.append(starts[-1] + len(unit.text))
    scores = [wanted.found_in(unit.text) for unit in units]
    best = max(range(len(units)), key=lambda i: (scores[i], -i))
    end = best + 1
    while end < len(units) and starts[end + 1] - starts[best] <= limit:
        end += 1
    return _cut(text[starts[best] : starts[end]].strip(), limit)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The words of a claim, prepared to be looked for in many sentences."""

    stems: frozenset[str]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, claim: str) -> _Wanted:
        stems = frozenset(map(stem, content_words(claim)))
        return cls(stems, frozenset(word[:3] for word in stems))

    def found_in(self, text: str) -> int:
        """Return how many of the words occur; a stem keeps three letters, so others need no stemming."""
        near = {word for word in content_words(text) if word[:3] in self.beginnings}
        return len(self.stems.intersection(map(stem, near)))


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(maxsplit=1)[0] if " " in text[:limit] else text[:limit]


def cite(text: str, passages: Sequence[Cited], claims: Mapping[int, str]) -> tuple[str, tuple[Citation, ...]]:
    """Give passages numbers by first use; return the text with them and its Citations.

    Markers of `text` count `passages` from 1, as the keys of `claims` do, which hold what each passage
    is cited for; markers that name no passage are removed.
    """
    text = keep_markers(text, range(1, len(passages) + 1))
    order = markers(text)
    citations = tuple(
        build_citation(position, passages[old - 1], claim=claims.get(old, text))
        for position, old in enumerate(order, start=1)
    )
    return renumber(text, order), citations
