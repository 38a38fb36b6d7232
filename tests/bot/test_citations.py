from __future__ import annotations

import pytest

from bot.citations import (
    add_markers,
    best_quote,
    build_citation,
    canonical_markers,
    cite,
    iso_time,
    keep_markers,
    markers,
    renumber,
    safe_url,
)
from tests.bot.found import passage


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a [1, 2] b", "a [1][2] b"),
        ("a [1][2]", "a [1][2]"),
        ("a【1】", "a[1]"),
        ("a【3†source】", "a[3]"),
        ("a [^2]", "a [2]"),
        ("a [1-3]", "a [1][2][3]"),
        ("a [1 and 4]", "a [1][4]"),
        ("in [2019] `x[1, 2]`", "in [2019] `x[1, 2]`"),
    ],
)
def test_canonical_markers(text: str, canonical: str) -> None:
    """Every way models write markers becomes one; years and code stay."""
    assert canonical_markers(text) == canonical


def test_markers_in_order() -> None:
    """Markers are read in order of first use, code left out."""
    assert markers("a [3] b [1][3] `[7]`") == [3, 1]


def test_unknown_markers_go() -> None:
    """A marker that names no passage is removed with the space before it."""
    assert keep_markers("A [1][9]. B [7].", range(1, 3)) == "A [1]. B."


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("A is B. ", "A is B [1]. "),
        ("A is B [2].", "A is B [2][1]."),
        ("| a | b |\n", "| a | b [1] |\n"),
        ("open end", "open end [1]"),
    ],
)
def test_added_markers(text: str, marked: str) -> None:
    """Code puts a marker before the full stop, or into a row's last cell."""
    assert add_markers(text, [1]) == marked


def test_renumber() -> None:
    """Passages are numbered by first use."""
    assert renumber("a [3] b [1] `[3]`", [3, 1]) == "a [1] b [2] `[3]`"


def test_cite() -> None:
    """A text's markers become 1, 2, … and its Citations follow; an unused passage has none."""
    found = [passage("One.", uri="1.md"), passage("Two.", uri="2.md"), passage("Three.", uri="3.md")]
    text, citations = cite("Three [3]. One [1][9]. In `x[2]` [0].", found, {3: "Three."})
    assert text == "Three [1]. One [2]. In `x[2]` [0]."
    assert [(c.number, c.document) for c in citations] == [(1, "3.md"), (2, "1.md")]


def test_citation_of_a_passage() -> None:
    """A Citation holds the path, the heading path, the ISO time, a literal quote and the node."""
    found = passage(
        "PINs have 6 digits.",
        title="Printer help",
        heading=("Access", "PINs"),
        uri="it/printer.md",
        url="https://git.test/it/printer.md",
        updated=1_700_000_000.0,
    )
    citation = build_citation(2, found, claim="6 digits")
    assert (citation.number, citation.document, citation.title) == (2, "it/printer.md", "Printer help")
    assert citation.heading == "Access > PINs"
    assert citation.url == "https://git.test/it/printer.md"
    assert citation.updated == "2023-11-14T22:13:20+00:00"
    assert (citation.quote, citation.node, citation.source) == (found.text, found.node.id, "docs")


def test_title_passes_the_gate() -> None:
    """A title or heading cannot carry a link or a mention; the path stays exact."""
    found = passage("x", title="[a](https://evil.test) @here", heading=("<img src=x>b",), uri="@here.md")
    citation = build_citation(1, found, claim="x")
    assert (citation.title, citation.heading) == ("a @\u200bhere", "b")
    assert citation.document == "@here.md"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://git.test/a.md", True),
        ("http://git.test/a", True),
        ("file:///srv/handbook/a.md", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://", False),
        ("https://user:pw@git.test/a", False),
        ("https://git.test/a b", False),
        ("https://git.test/a|b>", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_safe_url(url: str, kept: bool) -> None:
    """Only http, https and file addresses without a password or odd characters become links."""
    assert safe_url(url) == (url if kept else "")


def test_iso_time() -> None:
    """An unknown or impossible time is empty."""
    assert [iso_time(0), iso_time(1e30), iso_time(-5)] == ["", "", ""]


def test_quote_is_literal_and_fits_the_claim() -> None:
    """Of a long passage the literal part that shares most words with the claim is quoted."""
    text = "Filler words are here to make it long. " * 9 + "Printer PINs have 6 digits. " + "And more. " * 40
    quote = best_quote(text, "How many digits has a printer PIN?")
    assert quote.startswith("Printer PINs have 6 digits.")
    assert quote in text
    assert len(quote) <= 300


def test_quote_without_spaces() -> None:
    """A passage of one endless word is cut."""
    assert best_quote("x" * 900, "y") == "x" * 300
