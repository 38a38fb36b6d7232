"""Each format's reader on documents made here."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from email.message import EmailMessage

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import OxmlElement
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from kb.errors import DocumentUnreadable
from kb.parsing.parsed import Parsed
from kb.parsing.reading import parse


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]  # each of the Office libraries has it
    return buffer.getvalue()


def read(data: bytes | str, name: str) -> Parsed:
    return parse(data.encode() if isinstance(data, str) else data, name, "")


def status_of(data: bytes, name: str) -> str:
    with pytest.raises(DocumentUnreadable) as caught:
        read(data, name)
    assert "\n" not in str(caught.value)
    return caught.value.status


PAGE = """<!doctype html><html><head><title>Widgets | Acme</title>
<meta property="article:modified_time" content="2024-01-02T00:00:00Z"></head>
<body><nav><a href="/">Home sweet home</a></nav><main><h1>Widgets<a class="headerlink" href="#w">¶</a></h1>
<p>A widget is a <b>small</b> thing that teams like to use every single day of the year.</p>
<h2>Limits</h2><ul><li>One<ul><li>Nested</li></ul></li><li>Two</li></ul>
<table><tr><th>Plan</th><th>Seats</th></tr><tr><td>Free</td><td>10</td></tr></table>
<pre><code class="language-python">x = 1
y = 2</code></pre>
<p hidden>SECRET one</p><div style="display: none">SECRET two</div><!-- SECRET three -->
<img src="x.png" alt="SECRET four"></main><script>SECRET()</script><footer>Imprint</footer></body></html>"""


def test_html_keeps_structure_and_drops_furniture() -> None:
    """Headings, lists, tables and code of a page stay; navigation and hidden text go."""
    parsed = read(PAGE, "a.html")
    assert parsed.title == "Widgets"
    assert parsed.updated == dt.datetime(2024, 1, 2, tzinfo=dt.UTC).timestamp()
    for kept in ("# Widgets", "## Limits", "- Two", "| Plan | Seats |", "x = 1\ny = 2"):
        assert kept in parsed.markdown
    for dropped in ("SECRET", "Home sweet", "¶"):
        assert dropped not in parsed.markdown


def test_html_that_the_extractor_drops_is_read_whole() -> None:
    """A page of many short parts keeps them all."""
    items = "".join(f"<div><a href='/{n}'>Entry {n}</a></div>" for n in range(50))
    markdown = read(f"<html><body><h1>Index</h1>{items}</body></html>", "a.html").markdown
    assert "Entry 0" in markdown
    assert "Entry 49" in markdown


def test_deep_html_does_not_overflow() -> None:
    """A page nested a hundred thousand deep is cut off where the parser stops, and never crashes."""
    markdown = read("<p>word</p>" + "<div>" * 100_000 + "deep", "a.html").markdown
    assert markdown.startswith("word")


def test_restructuredtext_becomes_markdown() -> None:
    """Sections, lists, code, tables, notes and Sphinx roles become Markdown."""
    text = """\
Guide
=====

See :ref:`the intro <intro>` and :class:`~pkg.Thing`.

.. versionadded:: 2.0
   New *here*.

.. toctree::

   hidden-page

Steps
-----

1. First
2. Second

.. code-block:: python

   x = 1

==== =====
Name Value
==== =====
a    1
==== =====

Term
  Meaning.
"""
    parsed = read(text, "a.rst")
    assert parsed.title == "Guide"
    for kept in (
        "# Guide",
        "See the intro and `Thing`.",
        "2.0",
        "New *here*.",
        "## Steps",
        "1. First\n2. Second",
        "```python\nx = 1\n```",
        "| Name | Value |\n| --- | --- |\n| a | 1 |",
        "- **Term**: Meaning.",
    ):
        assert kept in parsed.markdown
    assert "hidden-page" not in parsed.markdown


def test_restructuredtext_reads_no_other_file() -> None:
    """`include`, `raw` and `csv-table` directives bring nothing in from the disk."""
    text = (
        "Title\n=====\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\n"
        ".. csv-table::\n   :file: /etc/passwd\n\nEnd.\n"
    )
    assert "root:" not in read(text, "a.rst").markdown


def test_word_headings_lists_and_tables() -> None:
    """A Word document keeps headings by style, lists and tables; hidden text goes."""
    document = docx.Document()
    document.core_properties.title = "From properties"
    document.add_heading("Handbook", 1)
    document.add_paragraph("Intro words.")
    document.add_heading("Rules", 2)
    document.add_paragraph("one", style="List Bullet")
    document.add_paragraph("two", style="List Bullet")
    document.add_paragraph("first", style="List Number")
    hidden = document.add_paragraph("seen ").add_run("SECRET")
    hidden.font.hidden = True
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(
        (c for row in table.rows for c in row.cells), ["Key", "Value", "a|b", "1"], strict=True
    ):
        cell.text = words
    parsed = read(saved(document), "a.docx")
    assert parsed.title == "Handbook"
    for kept in (
        "# Handbook\n\nIntro words.",
        "## Rules",
        "- one\n- two",
        "1. first",
        "| Key | Value |",
        "a\\|b",
    ):
        assert kept in parsed.markdown
    assert "SECRET" not in parsed.markdown


def test_word_revisions_and_merged_cells() -> None:
    """Deleted text is left out, and a merged cell's text stands in each of its rows."""
    document = docx.Document()
    paragraph = document.add_paragraph("kept")
    deleted = OxmlElement("w:del")
    deleted.append(paragraph.add_run("DELETED")._r)
    paragraph._p.append(deleted)
    table = document.add_table(rows=3, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Area", "Rule"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "Travel"
    table.cell(1, 1).text, table.cell(2, 1).text = "Train", "Hotel"
    markdown = read(saved(document), "a.docx").markdown
    assert "DELETED" not in markdown
    assert "| Travel | Train |\n| Travel | Hotel |" in markdown


def test_powerpoint_slides_are_pages() -> None:
    """Each slide is a page with its title as heading, its text, table and notes."""
    deck = pptx.Presentation()
    for number in (1, 2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = f"point {number}\nmore"
    slide.notes_slide.notes_text_frame.text = "Say hello."
    table = slide.shapes.add_table(2, 2, 0, 5_000_000, 1_000_000, 1_000_000).table
    table.cell(0, 0).text, table.cell(0, 1).text = "K", "V"
    table.cell(1, 0).text, table.cell(1, 1).text = "a", "1"
    parsed = read(saved(deck), "a.pptx")
    assert parsed.title == "Slide 1"
    assert parsed.markdown.startswith("<!-- page 1 -->\n\n# Slide 1\n\n- point 1\n- more\n\n<!-- page 2 -->")
    assert "| K | V |\n| --- | --- |\n| a | 1 |" in parsed.markdown
    assert "Notes: Say hello." in parsed.markdown


def test_excel_sheets_are_headings_with_tables() -> None:
    """Each visible sheet is a heading; runs of rows are tables with their first row as header."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for row in (["Plan", "Price", "From"], ["Free", 0.0, dt.datetime(2024, 1, 2)], [], ["Note"]):
        sheet.append(row)
    book.create_sheet("Hidden").sheet_state = "hidden"
    book["Hidden"]["A1"] = "SECRET"
    parsed = read(saved(book), "a.xlsx")
    assert parsed.markdown == (
        "## Prices\n\n| Plan | Price | From |\n| --- | --- | --- |\n| Free | 0 | 2024-01-02 |\n\nNote"
    )
    assert parsed.warnings == ("Its hidden sheet 'Hidden' is not read.",)


def test_csv_delimiters_and_the_cell_limit() -> None:
    """The delimiter is found by counting, and what is cut off is told."""
    assert read("a;b\n1;2,5\n", "a.csv").markdown == "| a | b |\n| --- | --- |\n| 1 | 2,5 |"
    assert read("a\tb\n1\t2\n", "a.tsv").markdown.startswith("| a | b |")
    long = read("a,b\n" + "1,2\n" * 60_000, "a.csv")
    assert long.warnings == ("Only its first 100,000 cells are read.",)


def test_wide_tables_become_records() -> None:
    """A table of hundreds of columns is written as pairs of header and cell."""
    header = ",".join(f"c{n}" for n in range(100))
    assert read(f"{header}\n{','.join('7' * 100)}", "a.csv").markdown.startswith("c0: 7; c1: 7; ")


def test_notebook_cells() -> None:
    """Text cells stay text, code cells are fenced, short outputs follow them."""
    book = {
        "metadata": {"kernelspec": {"language": "python"}},
        "cells": [
            {"cell_type": "markdown", "source": ["# Study\n", "Words <!-- no -->"]},
            {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}]},
            {"cell_type": "code", "source": None},
        ],
    }
    parsed = read(json.dumps(book), "a.ipynb")
    assert parsed.title == "Study"
    assert parsed.markdown == "# Study\nWords \n\n```python\nprint(1)\n```\n\n```text\n1\n```"


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', "nul"])
def test_broken_notebooks_are_unreadable(text: str) -> None:
    """A notebook that is no notebook is refused."""
    assert status_of(text.encode(), "a.ipynb") == "unreadable"


def test_mail_has_headers_text_and_attachment_names() -> None:
    """A message shows subject, headers, its text and the names of its attachments."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Launch plan", "ann@example.org", "bob@example.org"
    message["Date"] = "Tue, 02 Jan 2024 00:00:00 +0000"
    message.set_content("We launch on Friday.")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="plan.pdf")
    parsed = read(bytes(message), "a.eml")
    assert parsed.title == "Launch plan"
    assert parsed.updated == dt.datetime(2024, 1, 2, tzinfo=dt.UTC).timestamp()
    assert parsed.markdown.startswith("# Launch plan\n\nFrom: ann@example.org\nTo: bob@example.org")
    assert "We launch on Friday." in parsed.markdown
    assert "- plan.pdf" in parsed.markdown


def test_source_code_is_fenced_below_its_docstring() -> None:
    """A module's docstring is text; the code is fenced by more backticks than it holds."""
    markdown = read('"""Tell the time."""\n\nx = "```"\n', "clock.py").markdown
    assert markdown.startswith("Tell the time.\n\n````python\n")
    assert read("// Copyright Acme\nint x;\n", "a.c").markdown == "```c\n// Copyright Acme\nint x;\n```"


def pdf(*pages: list[tuple[float, str]], encrypt: str = "") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption(encrypt) if encrypt else None)
    canvas.setTitle("From properties")
    for lines in pages:
        y = 780.0
        for size, text in lines:
            canvas.setFont("Helvetica", size)
            canvas.drawString(72, y, text)
            y -= size * 1.2
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_pdf_pages_headings_and_paragraphs() -> None:
    """Lines of a page are joined to paragraphs, large letters are headings, pages are marked."""
    body = [(10.0, f"line {n} of a paragraph that goes on") for n in range(8)]
    parsed = read(pdf([(24.0, "The Handbook"), *body], body), "a.pdf")
    assert parsed.title == "The Handbook"
    assert parsed.markdown.startswith(
        "<!-- page 1 -->\n\n# The Handbook\n\nline 0 of a paragraph that goes on line 1"
    )
    assert "<!-- page 2 -->\n\nline 0" in parsed.markdown
    assert parsed.metadata["pages"] == 2


def test_pdf_without_text_is_empty() -> None:
    """A PDF of images says that it needs text recognition; an empty page among others is a warning."""
    with pytest.raises(DocumentUnreadable, match="holds no text: 2 pages of images") as caught:
        read(pdf([], []), "scan.pdf")
    assert caught.value.status == "empty"
    assert read(pdf([(10, "words")], []), "a.pdf").warnings == ("1 of its 2 pages hold no text.",)


def test_encrypted_and_damaged_documents() -> None:
    """A password is told from damage."""
    assert status_of(pdf([(10, "x")], encrypt="secret"), "a.pdf") == "encrypted"
    assert status_of(b"%PDF-1.7 nothing", "a.pdf") == "unreadable"
    whole = saved(docx.Document())
    assert status_of(whole[: len(whole) // 2], "a.docx") == "unreadable"


def repacked(part: str, content: str) -> bytes:
    """Return a Word document with one of its parts replaced."""
    source = zipfile.ZipFile(io.BytesIO(saved(docx.Document())))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, content if name == part else source.read(name))
    return buffer.getvalue()


@pytest.mark.parametrize("entity", ['SYSTEM "file:///etc/passwd"', '"lol"'])
def test_office_entities_are_refused(entity: str) -> None:
    """A document that declares XML entities is refused before a library reads it."""
    xml = f'<!DOCTYPE d [<!ENTITY e {entity}>]><w:document xmlns:w="w"><w:body>&e;</w:body></w:document>'
    assert status_of(repacked("word/document.xml", xml), "a.docx") == "unreadable"


def test_office_bombs_are_too_large() -> None:
    """A part that unpacks to more than the limit is not unpacked."""
    assert status_of(repacked("word/document.xml", " " * 70_000_000), "a.docx") == "too-large"
