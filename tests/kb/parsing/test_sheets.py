"""Workbooks and tables of values as a person sees them."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest

from kb.parsing.cell_formats import shown
from kb.parsing.reading import parse


def read(data: bytes, name: str) -> str:
    return parse(data, name, "").markdown


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_row_repeats_the_merged_cell_that_it_continues() -> None:
    """Each row stands alone, also where a cell reaches over several; other sheets do not mix in."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for row in (["Region", "Plan"], ["EMEA", "Basic"], [None, "Pro"], [None, "Max"], ["APAC", "Basic"]):
        first.append(row)
    first.merge_cells("A2:A4")
    second = book.create_sheet("Other & more")
    for row in (["a", "b"], [1, 2], [None, 3]):
        second.append(row)
    text = read(saved(book), "a.xlsx")
    assert "| EMEA | Pro |\n| EMEA | Max |\n| APAC | Basic |" in text
    assert "| 1 | 2 |\n|  | 3 |" in text


def test_the_title_above_a_table_is_not_its_header() -> None:
    """A merged title on top of a sheet is text; the row of names below it is the header."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "Price list 2026"
    sheet.merge_cells("A1:B1")
    sheet.append(["Plan", "Price"])
    sheet.append(["Basic", 9])
    assert "Price list 2026\n\n| Plan | Price |\n| --- | --- |\n| Basic | 9 |" in read(saved(book), "a.xlsx")


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.15, "0%", "15%"),
        (0.075, "0.0%", "7.5%"),
        (1, "0%", "100%"),
        (1234.5, "#,##0.00\\ [$€-407]", "1234.50 €"),
        (20, '"$"#,##0.00_);("$"#,##0.00)', "$20.00"),
        (20.0, "[$CHF-807] #,##0", "CHF 20"),
        (3.5, "0.00", "3.5"),
        (True, "0%", "TRUE"),
        ("15", "0%", "15"),
        (dt.time(9, 30), "h:mm", "09:30"),
        (dt.datetime(2026, 3, 1, 9, 30), "d.m.yy h:mm", "2026-03-01 09:30"),
        (dt.datetime(2026, 3, 1), "d.m.yy", "2026-03-01"),
        (2, "[Red]0", "2"),
    ],
)
def test_a_number_reads_as_its_cell_shows_it(value: object, number_format: str, text: str) -> None:
    """Shares are of a hundred, amounts have their currency, times no needless seconds."""
    assert shown(value, number_format) == text


def test_formats_of_a_workbook_reach_its_text() -> None:
    """A cell of 0.15 in a percent format is read as 15%."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Plan", "Discount"])
    sheet.append(["Pro", 0.15])
    sheet["B2"].number_format = "0%"
    assert "| Pro | 15% |" in read(saved(book), "a.xlsx")


def test_the_line_that_tells_excel_the_delimiter_is_no_row() -> None:
    """`sep=` names the delimiter and is not part of the table."""
    assert read(b"sep=;\nTicket;State\n1;open, late\n", "a.csv") == (
        "| Ticket | State |\n| --- | --- |\n| 1 | open, late |"
    )
