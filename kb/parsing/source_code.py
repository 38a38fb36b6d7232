"""Source code becomes a fenced block; what its first comment says of the file becomes text."""

from __future__ import annotations

import re

from kb.parsing.formats import LANGUAGES, suffix
from kb.parsing.parsed import Parsed
from kb.parsing.text import clean_text

_DOCSTRING = re.compile(r'\A(?:[ \t]*(?:#[^\n]*)?\n)*[rRuU]?("""|\'\'\')(.*?)\1', re.DOTALL)
_BLOCK_COMMENT = re.compile(r"\A\s*/\*+!?(.*?)\*/", re.DOTALL)
_LINE_COMMENT = re.compile(r"\A\s*((?:[ \t]*(?:#(?!include|define|if|pragma)|//|--|;)[^\n]*\n)+)")
_COMMENT_MARK = re.compile(r"^[ \t]*(?:#+!?|//+!?|--+|;+|\*+)[ \t]?", re.MULTILINE)
_LICENCE = re.compile(r"copyright|licen[cs]e|spdx|^!|-\*-|coding[:=]", re.IGNORECASE)
_TICKS = re.compile(r"`{3,}")


def read_code(text: str, name: str) -> Parsed:
    """Read a source file."""
    code = clean_text(text).strip("\n")
    language = LANGUAGES.get(suffix(name), "")
    about = _leading_comment(code) if language not in ("json", "xml", "diff", "") else ""
    return Parsed(markdown="\n\n".join(part for part in (about, fenced(code, language)) if part))


def fenced(code: str, language: str = "") -> str:
    """Return code in a fence that nothing in it closes; empty for empty code."""
    if not code.strip():
        return ""
    longest = max((len(run) for run in _TICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def _leading_comment(code: str) -> str:
    """Return what the file's first comment or docstring says, unless it is a licence."""
    head = code[:8000]
    found = _DOCSTRING.match(head)
    words = found[2] if found else ""
    if not words:
        found = _BLOCK_COMMENT.match(head) or _LINE_COMMENT.match(head)
        words = _COMMENT_MARK.sub("", found[1]) if found else ""
    return "" if _LICENCE.search(words) else "\n".join(line.strip() for line in words.strip().split("\n"))
