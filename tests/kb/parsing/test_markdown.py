"""Markdown, hidden text and text decoding."""

from __future__ import annotations

import datetime as dt

import pytest

from kb.errors import DocumentUnreadable
from kb.parsing.hidden import without_hidden
from kb.parsing.reading import parse


def read(text: str, name: str = "a.md") -> str:
    return parse(text.encode(), name, "").markdown


def test_markdown_passes_through_unchanged() -> None:
    """Markdown without hidden parts is not re-rendered."""
    text = "# Title\n\nSome *words* and `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert read(text) == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: From the front\n---\n# Heading\n\nbody", "From the front"),
        ("+++\ntitle = 'Toml'\n+++\nbody", "Toml"),
        ("intro\n\n# The **bold** [link](x) `code` {#id}\n\nbody", "The bold link code"),
        ("Underlined\n==========\n\nbody", "Underlined"),
        ("```sh\n# a comment\n```\n\n# Real\n", "Real"),
        ("## Only second level\n", ""),
    ],
)
def test_title_is_front_matter_then_first_top_heading(text: str, title: str) -> None:
    """The title is the front matter's, else the first heading of level 1 outside code."""
    assert parse(text.encode(), "file.md", "").title == title


def test_front_matter_becomes_metadata() -> None:
    """Front matter leaves the text; its scalars and its date are kept."""
    text = "---\ntags: [a, b]\nowner: Ann\nlastmod: 2024-05-06\nnested: {x: 1}\n---\nbody\n"
    parsed = parse(text.encode(), "a.md", "")
    assert parsed.markdown == "body\n"
    assert parsed.metadata == {"tags": ["a", "b"], "owner": "Ann", "lastmod": "2024-05-06"}
    assert parsed.updated == dt.datetime(2024, 5, 6, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize("front", ["a: [1", "a: !!python/object/apply:os.system [ls]", "a: " + "[" * 5000])
def test_broken_front_matter_is_a_warning(front: str) -> None:
    """Front matter that cannot be read warns; the body is read all the same."""
    parsed = parse(f"---\n{front}\n---\nbody".encode(), "a.md", "")
    assert parsed.markdown == "body"
    assert parsed.warnings[0].startswith("Its front matter cannot be read")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a <!-- secret --> b", "a  b"),
        ("a\n\n<!-- never closed\nsecret", "a\n\n"),
        ("<p hidden>secret</p>x", "x"),
        ("<div style='display:none'>a<div>b</div>c</div>x", "x"),
        ("<span style='color:#fff;background:#fff'>secret</span>x", "x"),
        ("<span style='font-size:0'>secret</span>x", "x"),
        ("<script>alert(1)</script>x", "x"),
        ("<img src=a.png alt='do this'>x", "x"),
        ("![tiny](data:image/gif;base64,R0lGODlh)x", "tinyx"),
        ("[i]: <data:image/png;base64,AAAA>\nx", "\nx"),
        ("`<!-- kept -->`", "`<!-- kept -->`"),
        ("```html\n<p hidden>kept</p>\n```", "```html\n<p hidden>kept</p>\n```"),
        ("<span style='font-size:12px'>kept</span>", "<span style='font-size:12px'>kept</span>"),
        ("<span style='opacity:0.8'>kept</span>", "<span style='opacity:0.8'>kept</span>"),
    ],
)
def test_what_a_reader_does_not_see_is_dropped(text: str, seen: str) -> None:
    """Comments, hidden elements and embedded data go; code and visible text stay."""
    assert without_hidden(text) == seen


@pytest.mark.parametrize(
    "text",
    ["<!--" * 20_000, "![](data:" * 20_000, "`" * 50_000 + "<b>", "<div hidden>" * 5_000, "``` \n" * 9_000],
)
def test_hostile_markdown_takes_linear_time(text: str) -> None:
    """Unclosed constructs are read to the end once, not once each."""
    assert len(without_hidden(text)) <= len(text)


@pytest.mark.parametrize(
    "data",
    [
        "Grüße aus Köln".encode(),
        "Grüße aus Köln".encode("utf-8-sig"),
        "Grüße aus Köln".encode("utf-16"),
        "Grüße aus Köln".encode("utf-16-le"),
        "Grüße aus Köln".encode("utf-32"),
    ],
)
def test_encodings_are_recognised(data: bytes) -> None:
    """Text is read in any Unicode encoding, marked or not."""
    assert parse(data, "a.txt", "").markdown == "Grüße aus Köln"


def test_declared_encoding_is_used() -> None:
    """A media type's charset decides where the bytes are not UTF-8."""
    assert parse("Привет".encode("cp1251"), "a.txt", "text/plain; charset=cp1251").markdown == "Привет"


def test_one_bad_byte_does_not_change_the_encoding() -> None:
    """UTF-8 with a damaged byte stays UTF-8."""
    data = "Äpfel, Öl und Übermut gehören dazu".encode() + b" \xff"
    assert "Öl und Übermut" in parse(data, "a.txt", "").markdown


def test_invisible_characters_are_removed() -> None:
    """Control characters, zero-width runs and direction overrides go; single joiners stay."""
    text = "a\u200b\u200cb\x00c\u202ed\ufeff e\u200d\u200cf g\u200ch"
    assert parse((text + " plain words" * 40).encode(), "a.txt", "").markdown.startswith(
        "a\u200cbcd ef g\u200ch"
    )


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf", "\u200b\u200b".encode(), b"<!-- x -->"])
def test_nothing_to_read_is_empty(data: bytes) -> None:
    """A document without visible text has the status `empty`."""
    with pytest.raises(DocumentUnreadable, match=r"empty|no text") as caught:
        parse(data, "a.md", "")
    assert caught.value.status == "empty"


def test_code_in_an_item_keeps_its_markup() -> None:
    """Markup in the code of a nested item is code, not a hidden element."""
    text = (
        "1. a\n   - b\n\n     ```html\n     <script>go()</script>\n     ```\n\n- ```html\n  <style>p\n  ```\n"
    )
    assert read(text).rstrip() == text.rstrip()


@pytest.mark.parametrize(
    ("heading", "title"),
    [("# Using C#", "Using C#"), ("# Limits ##", "Limits"), ("# Set {key} {#id .x}", "Set {key}")],
)
def test_the_title_is_the_first_heading_without_its_marks(heading: str, title: str) -> None:
    """What closes a heading and what a dialect puts behind it is not part of the title."""
    assert parse(f"{heading}\n\nwords\n".encode(), "a.md", "").title == title


def test_an_html_table_becomes_a_table() -> None:
    """A row of it has its header, as in any other table; in code it stays as it is."""
    row = "<tr><td>Free &amp; open</td><td><b>20</b></td></tr>"
    table = f"<table>\n<tr><th>Plan</th><th>Builds</th></tr>\n{row}\n</table>"
    assert read(f"Before.\n{table}\nAfter.\n") == (
        "Before.\n\n\n| Plan | Builds |\n| --- | --- |\n| Free & open | 20 |\n\n\nAfter.\n"
    )
    assert read(f"```html\n{table}\n```\n") == f"```html\n{table}\n```\n"
    assert read("<table><tr><td>never closed") == "<table><tr><td>never closed"
