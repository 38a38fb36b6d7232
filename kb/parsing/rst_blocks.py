"""Writes a docutils tree as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from docutils import nodes

from kb.parsing.parsed import Foreign
from kb.parsing.source_code import fenced
from kb.parsing.tables import render_table

_SKIPPED = (
    nodes.comment,
    nodes.docinfo,
    nodes.image,
    nodes.meta,
    nodes.pending,
    nodes.raw,
    nodes.substitution_definition,
    nodes.system_message,
    nodes.target,
    nodes.decoration,
    nodes.generated,
)
_MARKS: dict[type[nodes.Node], str] = {nodes.strong: "**", nodes.emphasis: "*", nodes.literal: "`"}
_DEEPEST = 60


def write_blocks(tree: Foreign) -> str:
    """Return the document as Markdown blocks."""
    return "\n\n".join(block for block in _children(tree, 0, 0) if block.strip())


def _children(node: Foreign, level: int, depth: int) -> Iterator[str]:
    for child in node.children:
        yield from _blocks(child, level, depth + 1)


def _blocks(node: Foreign, level: int, depth: int) -> Iterator[str]:
    if isinstance(node, _SKIPPED) or (isinstance(node, nodes.topic) and "contents" in node["classes"]):
        return
    if depth > _DEEPEST:
        yield node.astext()
    elif isinstance(node, nodes.section):
        yield from _children(node, level + 1, depth)
    elif isinstance(node, nodes.title | nodes.subtitle | nodes.rubric):
        yield _heading(node, level)
    elif isinstance(node, nodes.Admonition | nodes.topic | nodes.sidebar):
        yield from _admonition(node, level, depth)
    elif (write := _writer(node)) is not None:
        yield write(node)
    elif isinstance(node, nodes.TextElement):
        yield _inline(node)
    elif isinstance(node, nodes.Text):
        yield node.astext()
    else:
        yield from _children(node, level, depth)


def _writer(node: Foreign) -> Callable[[Foreign], str] | None:
    writers: tuple[tuple[Any, Callable[[Foreign], str]], ...] = (
        (nodes.literal_block | nodes.doctest_block | nodes.math_block, _code),
        (nodes.bullet_list | nodes.enumerated_list, _list),
        (nodes.definition_list | nodes.field_list | nodes.option_list, _definitions),
        (nodes.table, _table),
        (nodes.line_block, _lines),
    )
    return next((write for kinds, write in writers if isinstance(node, kinds)), None)


def _heading(node: Foreign, level: int) -> str:
    if isinstance(node, nodes.rubric):
        return f"**{_inline(node)}**"
    return "#" * min(max(level, 1), 6) + " " + " ".join(_inline(node).split())


def _admonition(node: Foreign, level: int, depth: int) -> Iterator[str]:
    """Write a note or a box: its title in bold, or what kind of note it is in front of its words."""
    kind = "" if isinstance(node, nodes.admonition | nodes.topic | nodes.sidebar) else node.tagname
    label = f"**{kind.capitalize()}:**" if kind else ""
    for child in node.children:
        if isinstance(child, nodes.title | nodes.subtitle):
            yield f"**{_inline(child)}**"
            continue
        if label and not isinstance(child, nodes.paragraph):
            yield label
            label = ""
        for block in _blocks(child, level, depth + 1):
            yield f"{label} {block}" if label else block
            label = ""


def _inline(node: Foreign) -> str:
    return "".join(_words(child) for child in node.children)


def _words(node: Foreign) -> str:
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.problematic):
        return node.astext().strip("`|*")
    if isinstance(node, _SKIPPED):
        return ""
    words = _inline(node)
    mark = _MARKS.get(type(node), "")
    return f"{mark}{words}{mark}" if words.strip() else words


def _code(node: Foreign) -> str:
    language = next((name for name in node.get("classes", []) if name not in ("code", "")), "")
    return fenced(node.astext(), language)


def _list(node: Foreign) -> str:
    ordered = isinstance(node, nodes.enumerated_list)
    first = int(node.get("start", 1)) if ordered else 1
    items = []
    for number, item in enumerate(node.children, first):
        mark = f"{number}. " if ordered else "- "
        items.append(mark + _indented(_tight(item), len(mark)))
    return "\n".join(items)


def _tight(node: Foreign) -> str:
    blocks = [block for block in _children(node, 0, 0) if block.strip()]
    return "\n".join(blocks)


def _indented(text: str, width: int) -> str:
    return text.replace("\n", "\n" + " " * width)


def _definitions(node: Foreign) -> str:
    """Write each entry as a list item: the term in bold, then what it means."""
    items = []
    for entry in node.children:
        if not isinstance(entry, nodes.definition_list_item | nodes.field | nodes.option_list_item):
            continue
        *terms, meaning = entry.children
        name = ", ".join(" ".join(term.astext().split()) for term in terms)
        items.append(f"- **{name}**: " + _indented(_tight(meaning), 2))
    return "\n".join(items)


def _table(node: Foreign) -> str:
    caption = next((_inline(title) for title in node.children if isinstance(title, nodes.title)), "")
    return "\n\n".join(part for part in (caption, render_table(_rows(node))) if part)


def _rows(table: Foreign) -> list[list[str]]:
    """Return the cells; one that spans rows is repeated in each, so that a row can be quoted alone."""
    rows: list[list[str]] = []
    waiting: dict[int, tuple[str, int]] = {}
    for row in table.findall(nodes.row):
        cells: list[str] = []
        entries = list(row.children)
        while entries or len(cells) in waiting:
            if len(cells) in waiting:
                text, left = waiting.pop(len(cells))
                if left > 1:
                    waiting[len(cells)] = (text, left - 1)
                cells.append(text)
                continue
            entry = entries.pop(0)
            text = entry.astext()
            if down := int(entry.get("morerows", 0)):
                waiting[len(cells)] = (text, down)
            cells.extend((text, *[""] * int(entry.get("morecols", 0))))
        rows.append(cells)
    return rows


def _lines(node: Foreign) -> str:
    return "\n".join(_inline(line) for line in node.findall(nodes.line))
