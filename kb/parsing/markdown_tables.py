"""HTML tables within Markdown become pipe tables: a row can then be cut out with its header."""

from __future__ import annotations

import re

from kb.parsing.hidden import mask_code

_OPENING = re.compile(r"<table\b[^<>]{0,1000}>", re.IGNORECASE)
_CLOSING = re.compile(r"</table\s*>", re.IGNORECASE)
_LONGEST = 500_000


def with_plain_tables(markdown: str) -> str:
    """Return the Markdown with its HTML tables written as pipe tables; nested ones stay as they are."""
    if "<table" not in markdown and "<TABLE" not in markdown:
        return markdown
    masked = mask_code(markdown)
    parts: list[str] = []
    at = 0
    while opening := _OPENING.search(masked, at):
        closing = _CLOSING.search(masked, opening.end(), opening.end() + _LONGEST)
        if closing is None:
            break
        html = markdown[opening.start() : closing.end()]
        parts.append(markdown[at : opening.start()])
        kept = "```" in html or _OPENING.search(html, 1)  # Markdown code, or a table in a table
        parts.append(html if kept else _plain(html))
        at = closing.end()
    return "".join((*parts, markdown[at:]))


def _plain(html: str) -> str:
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    from kb.parsing.html_blocks import blocks_of
    from kb.parsing.html_tables import make_plain

    try:
        tree = document_fromstring(html, parser=HTMLParser(no_network=True))
    except etree.ParserError:
        return html
    make_plain(tree)
    return f"\n\n{blocks_of(tree)}\n\n"
