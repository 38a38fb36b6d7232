"""reStructuredText: docutils reads it with file access off, and its tree is written as Markdown."""

from __future__ import annotations

import re

from kb.parsing.markdown import first_title, timestamp
from kb.parsing.parsed import Foreign, Parsed
from kb.parsing.rst_blocks import write_blocks
from kb.parsing.text import clean_text, one_line

_ROLE_NAME = r"(?!math:|sub:|sup:)([A-Za-z][\w.+-]*(?::[A-Za-z][\w.+-]*)?)"
_ROLE = re.compile(rf"(?<![\w:`]):{_ROLE_NAME}:`([^`\n]{{1,500}}(?:\n[^`\n]{{1,500}})?)`")
_PLAIN_ROLES = frozenset(
    ["ref", "doc", "term", "numref", "guilabel", "menuselection", "abbr", "emphasis", "strong"]
)
_TARGET = re.compile(r"\s*<[^<>]*>\s*$")
# What Sphinx adds to docutils: directives whose content is prose, and those that produce none.
_PROSE = ("centered", "class-doc", "glossary", "grid-item", "tab-set", "tabs")
_BODY = ("grid", "hlist", "only")
_TITLED = ("card", "collapse", "details", "dropdown", "grid-item-card", "tab", "tab-item")
_CHANGES = ("deprecated", "versionadded", "versionchanged", "versionremoved")
_SIGNATURES = [
    "attribute",
    "confval",
    "data",
    "describe",
    "envvar",
    "exception",
    "function",
    "method",
    "option",
    "py:attribute",
    "py:class",
    "py:data",
    "py:exception",
    "py:function",
    "py:method",
    "py:module",
    "rst:directive",
]
_SILENT = [
    "autoclass",
    "autofunction",
    "automethod",
    "automodule",
    "autosummary",
    "bibliography",
    "codeauthor",
    "contents",
    "currentmodule",
    "default-domain",
    "graphviz",
    "highlight",
    "ifconfig",
    "image",
    "include",
    "index",
    "inheritance-diagram",
    "literalinclude",
    "mermaid",
    "module",
    "plot",
    "program",
    "raw",
    "sectionauthor",
    "tabularcolumns",
    "toctree",
    "todolist",
]
_CODE = ("sourcecode", "code-block", "ipython", "prompt", "testcode", "doctest", "parsed-literal", "console")
_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": None,
    "line_length_limit": 1_000_000,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "doctitle_xform": False,
    "docinfo_xform": True,
    "sectsubtitle_xform": False,
    "input_encoding": "unicode",
}


def read_rst(text: str) -> Parsed:
    """Read a reStructuredText document."""
    tree = _tree(_without_roles(clean_text(text)))
    markdown = write_blocks(tree)
    info = _document_info(tree)
    return Parsed(
        markdown=markdown,
        title=first_title(markdown) or info.get("title", ""),
        metadata=info,
        updated=timestamp(info.get("date", "")),
    )


def _without_roles(text: str) -> str:
    """Replace Sphinx roles, which docutils reports as unknown, by the words they show."""
    return _ROLE.sub(_shown, text) if ":`" in text else text


def _shown(role: re.Match[str]) -> str:
    name, content = role[1].rsplit(":", 1)[-1], role[2]
    words = _TARGET.sub("", content) or content
    if words.startswith("~"):
        words = words[1:].rsplit(".", 1)[-1]
    words = words.lstrip("!")
    return words if name in _PLAIN_ROLES else f"``{words}``"


def _tree(source: str) -> Foreign:
    from docutils.core import publish_doctree

    _register()
    return publish_doctree(source, settings_overrides=_SETTINGS)


def _register() -> None:
    """Teach docutils the directives that Sphinx documents use; docutils keeps them for the process."""
    from docutils.parsers.rst import directives

    from kb.parsing import rst_directives as ours

    for names, directive in (
        (_PROSE, ours.Prose),
        (_BODY, ours.Body),
        (_TITLED, ours.Titled),
        (_SIGNATURES, ours.Signature),
        (_CHANGES, ours.Change),
        (("seealso",), ours.SeeAlso),
        (_SILENT, ours.Silent),
        (_CODE, ours.Listing),
    ):
        for name in names:
            directives.register_directive(name, directive)


def _document_info(tree: Foreign) -> dict[str, str]:
    from docutils import nodes

    found: dict[str, str] = {}
    for block in tree.findall(nodes.docinfo):
        for entry in block.children:
            if isinstance(entry, nodes.field):
                name, value = entry.children[0].astext(), entry.children[1].astext()
            else:
                name, value = entry.tagname, entry.astext()
            found[one_line(name, 60)] = one_line(value, 500)
    return found
