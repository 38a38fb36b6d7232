"""HTML pages: the main text as Markdown, without navigation and without what a browser does not show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kb.errors import DocumentUnreadable
from kb.parsing.hidden import is_hidden_style
from kb.parsing.html_blocks import blocks_of
from kb.parsing.html_tables import make_plain
from kb.parsing.markdown import first_title, timestamp
from kb.parsing.parsed import Foreign, Parsed
from kb.parsing.text import clean_text, decode_text, one_line

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_UNSEEN = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "iframe",
        "object",
        "embed",
        "svg",
        "canvas",
        "audio",
        "video",
    ]
)
_FURNITURE = ("nav", "header", "footer", "aside", "form", "button", "select", "dialog")
_MARKED_HIDDEN = ".//*[@hidden or @aria-hidden='true' or @style]"
_PERMALINK = re.compile(r"\s*[¶#🔗]\s*$", re.MULTILINE)
_EMPTY_ROW = re.compile(r"^\|[ \t|]*\n(?!\|-)", re.MULTILINE)  # of tables that only lay a page out
_CHANGED = ("article:modified_time", "og:updated_time", "last-modified", "dcterms.modified", "date.modified")
_STRUCTURE = re.compile(r"^(?:#{1,6} |\| ?---|`{3})", re.MULTILINE)
_KEPT_SHARE = 0.4  # of a page's text: below it the extractor has dropped content, not furniture


def read_html(data: bytes, media_type: str = "") -> Parsed:
    """Read an HTML page."""
    return read_html_text(decode_text(data, declared=_declared(data, media_type)))


def read_html_text(text: str) -> Parsed:
    """Read an HTML page that is decoded already."""
    tree = _tree(clean_text(text))
    title, updated = _title(tree), _updated(tree)
    _prune(tree)
    make_plain(tree)
    markdown = _with_heading(_markdown(tree), tree)
    return Parsed(markdown=markdown, title=first_title(markdown) or title, updated=updated)


def _with_heading(markdown: str, tree: HtmlElement) -> str:
    """Put the page's only top heading in front where the extractor took it for furniture."""
    headings = tree.findall(".//h1")
    words = one_line(headings[0].text_content()) if len(headings) == 1 else ""
    return f"# {words}\n\n{markdown}" if words and not first_title(markdown) else markdown


def _declared(data: bytes, media_type: str) -> str:
    if found := re.search(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", media_type, re.IGNORECASE):
        return found[1]
    found_here = _CHARSET.search(data[:4096])
    return found_here[1].decode("ascii") if found_here else ""


def _tree(text: str) -> HtmlElement:
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    source = _XML_DECLARATION.sub("", text)
    try:
        parser = HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
        return document_fromstring(source, parser=parser)
    except etree.ParserError as exc:
        raise DocumentUnreadable("holds no text", status="empty") from exc


def _title(tree: HtmlElement) -> str:
    named = tree.find(".//title")
    return one_line(named.text_content()) if named is not None else ""


def _updated(tree: HtmlElement) -> float | None:
    for meta in tree.iter("meta"):
        key = (meta.get("property") or meta.get("name") or meta.get("http-equiv") or "").lower()
        if key in _CHANGED and (moment := timestamp(meta.get("content"))):
            return moment
    return None


def _prune(tree: HtmlElement) -> None:
    """Remove what a browser does not show, and the marks that link a heading to itself."""
    for element in list(tree.iter(*sorted(_UNSEEN))):
        _drop(element)
    for element in tree.xpath(_MARKED_HIDDEN):
        style = element.get("style")
        hidden = "hidden" in element.attrib or element.get("aria-hidden") == "true"
        if element.tag not in ("html", "body") and (hidden or (style and is_hidden_style(style))):
            _drop(element)
    for link in tree.xpath(".//a[contains(@class, 'headerlink') or contains(@class, 'anchor')]"):
        if len(link.text_content().strip()) <= 1:
            _drop(link)


def _drop(element: Foreign) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _markdown(tree: HtmlElement) -> str:
    """Return the main text; the whole of it where the extractor loses content or all structure.

    On short pages trafilatura falls back to bare lines without headings, tables and code.
    """
    if not tree.text_content().strip():
        raise DocumentUnreadable("holds no text", status="empty")
    extracted, full = _extracted(tree), _full_text(tree)
    little = sum(map(str.isalnum, extracted)) < sum(map(str.isalnum, full)) * _KEPT_SHARE
    flat = not _STRUCTURE.search(extracted) and _STRUCTURE.search(full)
    return full if little or flat else extracted


def _extracted(tree: HtmlElement) -> str:
    """Return the main text as trafilatura sees it, or nothing where it fails on the page."""
    from copy import deepcopy

    import trafilatura
    from lxml import etree

    try:
        found = trafilatura.extract(
            deepcopy(tree),
            output_format="markdown",
            include_tables=True,
            include_comments=False,
            include_formatting=True,
            favor_recall=True,
            fast=True,
        )
    except (RecursionError, ValueError, TypeError, AttributeError, IndexError, KeyError, etree.LxmlError):
        return ""
    return _PERMALINK.sub("", _EMPTY_ROW.sub("", found)) if found else ""


def _full_text(tree: HtmlElement) -> str:
    """Return the page's text without its furniture; all of it where that leaves nothing."""
    from copy import deepcopy

    body = tree.find("body")
    whole = tree if body is None else body
    main = whole.find(".//main")
    bare = deepcopy(main if main is not None else whole)
    for element in list(bare.iter(*_FURNITURE)):
        if element is not bare:
            _drop(element)
    return blocks_of(bare) or blocks_of(whole)
