"""Reduces Markdown to the words a reader sees, for embedding and for matching.

Link targets, escapes and table rules take a third of the window on real documentation and say nothing
about the meaning. Every pattern is bounded, so the time is linear in the text.
"""

from __future__ import annotations

import re

_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\((?:[^()\n]|\([^()\n]{0,200}\)){0,1000}\)")
_REFERENCE = re.compile(r"\[([^\[\]\n]{1,300})\]\[[^\[\]\n]{0,200}\]")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^<>\s]{1,1000})>")
_LINE_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,300}>")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_RULE_LINE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}[-:| \t]*$", re.MULTILINE)
_ROW = re.compile(r"^[ \t]*\|(.*)\|[ \t]*$", re.MULTILINE)
_HEADING_MARK = re.compile(r"^ {0,3}#{1,6}[ \t]+", re.MULTILINE)
_BLANK_RUN = re.compile(r"\n\s*\n")


def plain_text(markdown: str) -> str:
    """Return the words of a Markdown text: links as their text, no escapes, marks, fences or rules."""
    text = _LINK.sub(r"\1", markdown) if "](" in markdown else markdown
    text = _REFERENCE.sub(r"\1", text) if "][" in text else text
    if "<" in text:
        text = _TAG.sub("", _LINE_BREAK.sub(" ", _AUTOLINK.sub(r"\1", text)))
    text = _ROW.sub(_cells, _RULE_LINE.sub("", text)) if "|" in text else text
    text = _FENCE_LINE.sub("", text)
    text = _HEADING_MARK.sub("", text) if "#" in text else text
    text = _ESCAPE.sub(r"\1", text) if "\\" in text else text
    text = text.replace("**", "").replace("`", "")
    return _BLANK_RUN.sub("\n", text).strip()


def _cells(row: re.Match[str]) -> str:
    return " ".join(row[1].replace("|", " ").split())
