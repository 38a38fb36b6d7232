"""Cuts a passage into what can be quoted as it stands: sentences, table rows, short lists, whole code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.pointers import points_elsewhere, without_markup
from bot.sentences import sentence_end
from kb.blocks import Block, list_items, read_blocks
from kb.plain import plain_text

Shape = Literal["sentence", "list", "table", "code"]

SHORT_LIST_WORDS = 80
ITEM_WORDS = 50  # an item of a longer list is quoted whole up to so many words
SUBJECT_WORDS = 60  # a sentence about what "it" was before is quoted with that up to so many words
_TERM_WORDS = 6  # a paragraph whose first line is as short defines a term
_LONGEST_COMPARED = 1_000
_ITEM_MARK = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+")
_LABEL = re.compile(r"(\*\*|__)[^*_]+[.:!?]?\1[.:!?]?")  # a bold name before what is said of it
_NAMED = re.compile(r"(\*\*[^*\n]{1,80}\*\*|`[^`\n]{1,80}`)[.:]?(?=\s+[–—:-]|\s*[.:])")  # an item's name
_LINES = re.compile(r":[ \t]*(?: {2}|\\)\n(?=[^\n]+\n)")  # a colon and lines that are kept apart
_BELOW = re.compile(r"\b(?:following|below|as follows)\b", re.IGNORECASE)
_REFERS = re.compile(
    r"(?:it(?!(?: is|'s) \w+ (?:that|to)\b)|they|this|these|those(?! who)|he|she|its|their|his|her|also|"
    r"additionally|however|otherwise|therefore|instead|in addition|for (?:example|instance)|"
    r"in (?:this|that|such) case)\b",
    re.IGNORECASE,
)
_NAMELESS = re.compile(  # what the heading names does this
    r"(?:returns?|deletes?|creates?|removes?|updates?|modifies|gets?|lists?|adds?|sent|used|defines|represents|"
    r"fires|indicates|specifies|shows|prints|writes|reads|starts|stops|brings|checks|called|emitted|triggered|"
    r"dispatched|retrieves|fetches|replaces|opens|closes|describes|contains|provides|allows|enables|"
    r"disables) ",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_RULE = re.compile(r"[ \t|:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotable:
    """A unit of a passage. `text` is Markdown that is whole by itself; `plain` is what is compared.

    `lead` is the beginning of `text` that it shares with its neighbours: a table's header, the sentence that
    introduces a list, or the heading that names what it tells of. A `pointer` says only where something is
    told.
    """

    text: str
    plain: str
    shape: Shape = "sentence"
    lead: str = ""
    pointer: bool = False

    @property
    def bare_code(self) -> bool:
        """Tell whether it is code that no sentence introduces."""
        return self.shape == "code" and self.text.startswith(("```", "~~~"))

    @property
    def fragment(self) -> bool:
        """Tell whether it is no whole sentence: a caption, a bold name, a lead without what it leads to."""
        open_end = self.plain[-1:].isalnum() or self.plain.endswith((":", "："))
        return self.shape == "sentence" and (open_end or _LABEL.fullmatch(self.text) is not None)


def quotables(markdown: str) -> list[Quotable]:
    """Return the units of a passage in reading order; headings are left out.

    A sentence that ends with a colon, or with no mark at all before a list, or that announces what follows,
    is one unit with the list, code or definitions that it introduces, and with each item of a list that is
    too long to be quoted whole. A sentence that begins with "it" has the one before it in its text.
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
    if text.endswith((":", "：")) or (block.kind == "list" and text[-1:].isalnum()):
        return True
    last = list(sentences(text))[-1:]
    return block.kind in ("list", "code") and any(_BELOW.search(sentence) for sentence in last)


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
            pointer=unit.pointer,
        )
        for unit in units
    ]


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, line breaks as spaces; links, code and bold text stay whole."""
    rest = _SPACES.sub(" ", text).strip()
    while rest:
        end = _whole_end(rest)
        yield rest[:end].strip()
        rest = rest[end:].lstrip()


def _whole_end(text: str) -> int:
    end = 0
    while more := sentence_end(text[end:], final=True):
        end += more
        if end > _LONGEST_COMPARED or not _open(text[:end], text[end : end + _LONGEST_COMPARED]):
            return end
    return len(text)


def _open(begun: str, rest: str) -> bool:
    """Tell whether a link, code span or bold text that has begun ends in the rest."""
    link = begun.count("[") > begun.count("]") and "](" in rest
    return link or any(begun.count(mark) % 2 and mark in rest for mark in ("`", "**"))


def under(heading: str, unit: Quotable) -> Quotable:
    """Return a unit as it is, or behind its heading if that names what does it: "Deletes a file."."""
    if not heading or unit.shape != "sentence" or not _NAMELESS.match(unit.text):
        return unit
    lead = f"**{heading}**: "
    return replace(unit, text=lead + unit.text, plain=f"{plain_text(heading)}: {unit.plain}", lead=lead)


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
        text = without_markup(block.text)
        pointer = points_elsewhere(_ITEM_MARK.sub("", text))
        yield Quotable(text=text, plain=_compared([text]), shape="list", pointer=pointer)
    elif block.kind == "list":
        for item in list_items(block.text):
            yield from _item(_ITEM_MARK.sub("", item))


def _item(text: str) -> Iterator[Quotable]:
    """Yield an item as it is if it is short; of a longer one its sentences, each with the item's name."""
    first, *rest = text.splitlines() or [""]
    inner = "\n".join([first, textwrap.dedent("\n".join(rest))])
    nested = len(list(read_blocks(inner))) > 1
    if "```" in text or "~~~" in text:
        yield Quotable(text=text, plain=_compared([text]), shape="code")
    elif word_count(text) <= ITEM_WORDS:
        yield from _whole(text, nested=nested)
    elif nested:
        yield from quotables(inner)
    else:
        yield from _named(list(_prose(text)))


def _whole(text: str, *, nested: bool) -> Iterator[Quotable]:
    """Yield a short item, without the sentences that say only where more is told."""
    whole = without_markup(text).strip()
    if not nested:
        told = list(sentences(whole))
        whole = " ".join([sentence for sentence in told if not points_elsewhere(sentence)] or told)
    if whole:
        yield Quotable(text=whole, plain=_compared([whole]), pointer=points_elsewhere(whole))


def _named(units: Sequence[Quotable]) -> Iterator[Quotable]:
    name = _NAMED.match(units[0].text) if units else None
    for at, unit in enumerate(units):
        if at and name:
            yield replace(
                unit, text=f"{name[1]} … {unit.text}", plain=_compared([plain_text(name[1]), unit.plain])
            )
        else:
            yield unit


def _prose(text: str) -> Iterator[Quotable]:
    text = without_markup(text)
    if (lines := _LINES.search(text)) and word_count(text[lines.end() :]) <= SHORT_LIST_WORDS:
        *before, lead = list(_sentences(text[: lines.start() + 1])) or [Quotable(text="", plain="")]
        kept = "\n".join(line.strip() for line in text[lines.end() :].splitlines())
        yield from before
        yield Quotable(text=f"{lead.text}\n{kept}", plain=_compared([lead.plain, kept]), shape="list")
    else:
        yield from _sentences(text)


def _sentences(text: str) -> Iterator[Quotable]:
    label = ""
    told: list[str] = []
    for sentence in sentences(text):
        if _LABEL.fullmatch(sentence):
            label = f"{label} {sentence}".lstrip()
        elif any(map(str.isalnum, sentence)):
            whole = f"{label} {sentence}".lstrip()
            pointer = points_elsewhere(whole)
            yield Quotable(text=_with_subject(told, whole), plain=_compared([whole]), pointer=pointer)
            told = [] if pointer else [*told, whole]
            label = ""
    if label:
        yield Quotable(text=label, plain=_compared([label]), pointer=bool(told))


def _with_subject(told: Sequence[str], sentence: str) -> str:
    """Return a sentence behind those before it that say what its first word stands for."""
    quoted = sentence
    for before in reversed(told[-3:]):
        longer = f"{before} {quoted}"
        if not _REFERS.match(quoted) or word_count(longer) > SUBJECT_WORDS:
            break
        quoted = longer
    return quoted


def _rows(table: str) -> Iterator[Quotable]:
    lines = narrow_table(table).splitlines()
    header, rows = lines[:2], lines[2:]
    for row in rows:
        yield Quotable(
            text="\n".join([*header, row]),
            plain=_compared([header[0], row]),
            shape="table",
            lead="\n".join(header),
        )


def narrow_table(table: str) -> str:
    """Return a table without the spaces and dashes that line its columns up, and without blank lines."""
    return "\n".join(_narrow(line) for line in table.splitlines() if line.strip())


def _narrow(row: str) -> str:
    if _RULE.fullmatch(row):
        return re.sub(r"-+", "---", re.sub(r"\s*\|\s*", " | ", row)).strip()
    return re.sub(r"[ \t]{2,}", " ", row)


def _compared(parts: Iterable[str]) -> str:
    return " ".join(plain_text("\n".join(parts)).split())[:_LONGEST_COMPARED]
