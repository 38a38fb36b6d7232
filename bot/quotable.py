"""Cuts a passage into what can be quoted as it stands: sentences, table rows, short lists, whole code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.sentences import sentence_end
from kb.blocks import Block, list_items, read_blocks
from kb.plain import plain_text

Shape = Literal["sentence", "list", "table", "code"]

SHORT_LIST_WORDS = 80
_TERM_WORDS = 6  # a paragraph whose first line is as short defines a term
_LONGEST_COMPARED = 1_000
_ITEM_MARK = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+")
_LABEL = re.compile(r"(\*\*|__)[^*_]+[.:!?]?\1[.:!?]?")  # a bold name before what is said of it
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotable:
    """A unit of a passage. `text` is Markdown that is whole by itself; `plain` is what is compared.

    `lead` is the beginning of `text` that it shares with its neighbours: a table's header, or the sentence
    that introduces a list.
    """

    text: str
    plain: str
    shape: Shape = "sentence"
    lead: str = ""

    @property
    def bare_code(self) -> bool:
        """Tell whether it is code that no sentence introduces."""
        return self.shape == "code" and self.text.startswith(("```", "~~~"))

    @property
    def fragment(self) -> bool:
        """Tell whether it is a line without a mark at its end, such as a caption."""
        return self.shape == "sentence" and self.plain[-1:].isalnum()


def quotables(markdown: str) -> list[Quotable]:
    """Return the units of a passage in reading order; headings are left out.

    A sentence that ends with a colon, or with no mark at all before a list, is one unit with the list, code
    or definitions that it introduces, and with each item of a list that is too long to be quoted whole.
    """
    units: list[Quotable] = []
    before: Block | None = None
    defining = False
    for block in read_blocks(markdown):
        found = list(_units(block))
        if not found:
            continue
        if before and (defining or _leads(before, block)) and _follows(units[-1], block):
            units[-1:] = _led(units[-1], found, block)
            defining = block.kind == "paragraph"
        else:
            units += found
            defining = False
        before = block if block.kind == "paragraph" else None
    return units


def _leads(before: Block, block: Block) -> bool:
    text = plain_text(before.text).rstrip()
    return text.endswith((":", "：")) or (block.kind == "list" and text[-1:].isalnum())


def _follows(lead: Quotable, block: Block) -> bool:
    if block.kind in ("list", "code"):
        return lead.shape == "sentence"
    first, *more = block.text.splitlines()
    short = word_count(lead.text) + word_count(block.text) <= SHORT_LIST_WORDS
    return block.kind == "paragraph" and bool(more) and len(first.split()) <= _TERM_WORDS and short


def _led(lead: Quotable, units: list[Quotable], block: Block) -> list[Quotable]:
    """Return the units of a block behind the sentence that introduces them."""
    if block.kind == "paragraph":
        plain = _compared([lead.plain, *(unit.plain for unit in units)])
        return [Quotable(text=f"{lead.text}\n\n{block.text}", plain=plain, shape="list")]
    return [
        Quotable(
            text=f"{lead.text}\n\n{'- ' if unit.shape == 'sentence' else ''}{unit.text}",
            plain=_compared([lead.plain, unit.plain]),
            shape="list" if unit.shape == "sentence" else unit.shape,
            lead=f"{lead.text}\n" if unit.shape == "sentence" else "",
        )
        for unit in units
    ]


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, line breaks as spaces."""
    rest = _SPACES.sub(" ", text).strip()
    while rest:
        end = sentence_end(rest, final=True) or len(rest)
        yield rest[:end].strip()
        rest = rest[end:].lstrip()


def word_count(text: str) -> int:
    """Return how many words a reader sees."""
    return len(plain_text(text).split())


def _units(block: Block) -> Iterator[Quotable]:
    if block.kind == "paragraph":
        yield from _prose(block.text)
    elif block.kind == "code":
        yield Quotable(text=block.text, plain=_compared([block.text]), shape="code")
    elif block.kind == "table":
        yield from _rows(block.text)
    elif block.kind == "list" and word_count(block.text) <= SHORT_LIST_WORDS:
        yield Quotable(text=block.text, plain=_compared([block.text]), shape="list")
    elif block.kind == "list":
        for item in list_items(block.text):
            yield from _item(_ITEM_MARK.sub("", item))


def _item(text: str) -> Iterator[Quotable]:
    if "```" in text or "~~~" in text:
        yield Quotable(text=text, plain=_compared([text]), shape="code")
    else:
        yield from _prose(text)


def _prose(text: str) -> Iterator[Quotable]:
    label = ""
    for sentence in sentences(text):
        if _LABEL.fullmatch(sentence):
            label = f"{label} {sentence}".lstrip()
        elif any(map(str.isalnum, sentence)):
            whole = f"{label} {sentence}".lstrip()
            yield Quotable(text=whole, plain=_compared([whole]))
            label = ""
    if label:
        yield Quotable(text=label, plain=_compared([label]))


def _rows(table: str) -> Iterator[Quotable]:
    lines = [line for line in table.splitlines() if line.strip()]
    header, rows = lines[:2], lines[2:]
    for row in rows:
        yield Quotable(
            text="\n".join([*header, row]),
            plain=_compared([header[0], row]),
            shape="table",
            lead="\n".join(header),
        )


def _compared(parts: Iterable[str]) -> str:
    return " ".join(plain_text("\n".join(parts)).split())[:_LONGEST_COMPARED]
