"""What people put into Word documents, presentations and notebooks beside plain text."""

from __future__ import annotations

import io
import json
import zipfile

import docx
import pptx
from docx.enum.style import WD_STYLE_TYPE
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE

from kb.parsing.reading import parse

_FOOTNOTES = """<?xml version="1.0"?>
<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:t>Ask extension 4711.</w:t></w:r></w:p></w:footnote>
<w:footnote w:id="3"><w:p><w:r><w:t>Nothing points here.</w:t></w:r></w:p></w:footnote></w:footnotes>"""
_RELATION = (
    '<Relationship Id="rId99" Target="footnotes.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"/></Relationships>'
)
_OVERRIDE = (
    '<Override PartName="/word/footnotes.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.footnotes+xml"/></Types>'
)


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]  # both libraries have it
    return buffer.getvalue()


def with_footnotes(data: bytes) -> bytes:
    """Return a Word document whose text `MARK` is a reference to a footnote."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            text = text.replace(b"<w:t>MARK</w:t>", b'<w:footnoteReference w:id="2"/>')
            if name == "word/_rels/document.xml.rels":
                text = text.replace(b"</Relationships>", _RELATION.encode())
            if name == "[Content_Types].xml":
                text = text.replace(b"</Types>", _OVERRIDE.encode())
            target.writestr(name, text)
        target.writestr("word/footnotes.xml", _FOOTNOTES)
    return buffer.getvalue()


def test_a_footnote_stands_behind_its_paragraph() -> None:
    """A note belongs to the section that points to it; one that nothing points to is kept at the end."""
    document = docx.Document()
    document.add_heading("Travel", 1)
    document.add_paragraph("Rail is preferred.").add_run("MARK")
    document.add_heading("Meals", 1)
    document.add_paragraph("Meals are paid.")
    markdown = parse(with_footnotes(saved(document)), "a.docx", "").markdown
    assert markdown == (
        "# Travel\n\nRail is preferred. (Ask extension 4711.)\n\n"
        "# Meals\n\nMeals are paid.\n\nNothing points here."
    )


def test_the_table_of_contents_of_a_word_document_is_not_read() -> None:
    """Entries of a table of contents would be found instead of the sections that they name."""
    document = docx.Document()
    document.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("Travel expenses\t3", style="toc 1")
    document.add_heading("Travel expenses", 1)
    document.add_paragraph("Words.")
    assert parse(saved(document), "a.docx", "").markdown == "# Travel expenses\n\nWords."


def test_a_chart_keeps_its_gaps_and_its_numbers_whole() -> None:
    """A value stands below its category, also behind a missing one, with all its digits."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Results"
    values = CategoryChartData()
    values.categories = ["Jan", "Feb", "Mar"]
    values.add_series("Revenue", (1234567.0, None, 0.125))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 2_000_000, 4_000_000, 2_000_000, values)
    markdown = parse(saved(deck), "a.pptx", "").markdown
    assert "|  | Jan | Feb | Mar |\n| --- | --- | --- | --- |\n| Revenue | 1234567 |  | 0.125 |" in markdown


def test_a_slide_without_a_title_does_not_stand_under_the_one_before() -> None:
    """Such a slide is named by its number, and the presentation by its first title."""
    deck = pptx.Presentation()
    for title in ("", "Budget", ""):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = title
        slide.shapes.add_textbox(0, 2_000_000, 4_000_000, 1_000_000).text_frame.text = "Words."
    parsed = parse(saved(deck), "a.pptx", "")
    assert parsed.title == "Budget"
    assert parsed.markdown == (
        "<!-- page 1 -->\n\n# Slide 1\n\nWords.\n\n<!-- page 2 -->\n\n# Budget\n\nWords.\n\n"
        "<!-- page 3 -->\n\n# Slide 3\n\nWords."
    )


def test_colours_of_an_output_are_not_text() -> None:
    """What makes a terminal show colours is left out of a notebook's output."""
    cells = [{"cell_type": "code", "source": "run()", "outputs": [{"text": ["\x1b[1;32mrows: 7\x1b[0m\n"]}]}]
    assert "```text\nrows: 7\n```" in parse(json.dumps({"cells": cells}).encode(), "a.ipynb", "").markdown
