"""Pages of PDF documents: what repeats on each, and text that goes on over a page or a column."""

from __future__ import annotations

import io

from reportlab.pdfgen.canvas import Canvas

from kb.parsing.reading import parse


def pages(count: int, *, footer: str = "Page {} of 9", body: str = "") -> str:
    """Return the Markdown of a handbook with a header and a footer."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for number in range(1, count + 1):
        canvas.setFont("Helvetica", 8)
        canvas.drawString(50, 815, "ACME Handbook")
        canvas.drawString(270, 20, footer.format(number))
        canvas.setFont("Helvetica", 10)
        for line in range(30):
            canvas.drawString(
                50, 780 - line * 12, body or f"Rule {number}.{line} is written on this line here."
            )
        canvas.showPage()
    canvas.save()
    return parse(buffer.getvalue(), "a.pdf", "").markdown


def columns(*texts: list[str]) -> str:
    """Return the Markdown of pages of two columns, each a list of lines."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for at, lines in enumerate(texts):
        canvas.setFont("Helvetica", 10)
        for number, line in enumerate(lines):
            canvas.drawString(50 + 250 * (at % 2), 780 - number * 12, line)
        if at % 2:
            canvas.showPage()
    canvas.save()
    return parse(buffer.getvalue(), "a.pdf", "").markdown


def test_headers_and_footers_are_not_text() -> None:
    """What stands at the edge of every page is dropped, page numbers with it; the text is whole."""
    text = pages(6)
    assert "ACME" not in text
    assert "Page" not in text
    assert all(f"Rule {page}.{line} is" in text for page in range(1, 7) for line in range(30))


def test_what_stands_on_two_pages_alone_is_kept() -> None:
    """Two pages with the same edge may be two forms."""
    assert pages(2).count("ACME Handbook") == 2


def test_edges_that_differ_by_more_than_a_number_are_kept() -> None:
    """A long line with another number on each page says something else each time."""
    text = pages(5, footer="Order {} is due in the first week after it was paid in full")
    assert "Order 4 is due" in text


def test_a_document_of_labels_keeps_them() -> None:
    """Where everything repeats, it is the text."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for _ in range(4):
        canvas.drawString(50, 500, "Fragile")
        canvas.showPage()
    canvas.save()
    assert parse(buffer.getvalue(), "a.pdf", "").markdown.count("Fragile") == 4


def test_a_sentence_goes_on_in_the_next_column_and_page() -> None:
    """A sentence that breaks off is whole; the one after it keeps its page, and other text its paragraph."""
    one = ["First words of a paragraph that", "goes on and does not", "end in this column because it"]
    two = ["runs on here, and then over", "the end of the page with a hy-"]
    three = ["phen in it. Then it", "ends after two or", "three lines."]
    text = columns(one, two, three, ["Another column."])
    assert text.startswith(
        "<!-- page 1 -->\n\nFirst words of a paragraph that goes on and does not end in this column"
    )
    assert "because it runs on here, and then over the end of the page with a hyphen in it." in text
    assert "<!-- page 2 -->\n\nThen it ends after two or three lines.\n\nAnother column." in text
