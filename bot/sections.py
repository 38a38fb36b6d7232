"""Cuts a section to what a chat message holds: whole blocks, and lists between two items."""

from __future__ import annotations

from collections.abc import Sequence

from bot.pointers import points_elsewhere, without_markup
from bot.quotable import narrow_table, sentences, word_count
from kb.blocks import Block, list_items, read_blocks
from kb.plain import plain_text

SECTION_WORDS = 150
STEPS_WORDS = 250  # a list that begins within SECTION_WORDS words may go on up to so many
LEAD_WORDS = 12  # a line without a mark at its end of so many words leads to what follows
TITLE_WORDS = 3  # a line of so many words over titles of other pages is their heading

_MORE = "…"


def section_text(texts: Sequence[str], at: int) -> str:
    """Return a section in short, given its passages and which of them was found; empty if it tells nothing.

    A long section begins at the passage that was found. Steps are told from the first one, behind the line
    that leads to them, even if they begin before that passage or too far behind it.
    """
    told = [(number, block) for number, text in enumerate(texts) for block in _told(list(read_blocks(text)))]
    following = [block.kind for _, block in told[1:]] + ["paragraph"]
    told = [one for one, then in zip(told, following, strict=False) if not _only_points(one[1], then)]
    blocks = [block for _, block in told]
    if all(points_elsewhere(block.text) for block in blocks):
        return ""
    if sum(word_count(block.text) for block in blocks) > SECTION_WORDS:
        found = next((place for place, (number, _) in enumerate(told) if number >= at), len(told) - 1)
        blocks = blocks[_beginning(blocks, found) :]
    return _shortened(blocks)


def shows_how(text: str) -> bool:
    """Tell whether a section has steps or code."""
    return any(block.kind == "code" or _steps(block) for block in read_blocks(text))


def _beginning(blocks: Sequence[Block], found: int) -> int:
    steps = next((at for at, block in enumerate(blocks) if at >= found and _steps(block)), None)
    if steps is None:
        return found
    if sum(word_count(block.text) for block in blocks[found:steps]) < SECTION_WORDS and steps > found:
        return found
    while steps and blocks[steps - 1].kind == "list":
        steps -= 1
    lead = steps > 0 and blocks[steps - 1].kind == "paragraph" and _leads(blocks[steps - 1].text)
    return steps - lead


def _steps(block: Block) -> bool:
    return block.kind == "list" and block.text.lstrip()[:1].isdigit()


def _leads(text: str) -> bool:
    last = plain_text(text).rstrip()[-1:]
    return last == ":" or (last.isalnum() and word_count(text) <= LEAD_WORDS)


def _told(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks without page marks, rules, images, and titles of other pages with their heading."""
    told: list[Block] = []
    for block in blocks:
        text = block.text if block.kind == "code" else without_markup(block.text).strip()
        if block.kind in ("page", "heading") or not any(map(str.isalnum, plain_text(text))):
            continue
        if block.kind == "list" and all(points_elsewhere(item.lstrip("-*+• ")) for item in list_items(text)):
            if told and told[-1].kind == "paragraph" and word_count(told[-1].text) <= TITLE_WORDS:
                told.pop()
        else:
            told.append(Block(kind=block.kind, text=narrow_table(text) if block.kind == "table" else text))
    return told


def _only_points(block: Block, then: str) -> bool:
    """Tell whether a paragraph only points elsewhere, and not to the block behind it."""
    return block.kind == then == "paragraph" and all(map(points_elsewhere, sentences(block.text)))


def _shortened(blocks: Sequence[Block]) -> str:
    """Return blocks up to about SECTION_WORDS words, with a sign where something is left out."""
    kept: list[str] = []
    used = 0
    for block in blocks:
        room = (STEPS_WORDS if block.kind == "list" else SECTION_WORDS) - used
        if word_count(block.text) <= room or not (kept or block.kind == "list"):
            kept.append(block.text)
            used += word_count(block.text)
            continue
        items = _items(block.text, room) if block.kind == "list" and used < SECTION_WORDS else []
        return "\n\n".join([*kept, *(["\n".join(items)] if items else []), _MORE])
    return "\n\n".join(kept)


def _items(text: str, room: int) -> list[str]:
    """Return the first items of a list that fit, at least one."""
    items: list[str] = []
    for item in list_items(text):
        room -= word_count(item)
        if items and room < 0:
            break
        items.append(item)
    return items
