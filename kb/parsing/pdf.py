"""PDF documents: text page by page, with paragraphs put together again and headings told by their size."""

from __future__ import annotations

import ctypes
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from kb.errors import DocumentUnreadable
from kb.parsing.markdown import first_title
from kb.parsing.packages import package_title
from kb.parsing.parsed import Foreign, Parsed, page_mark
from kb.parsing.text import clean_text, one_line

_PASSWORD_ERRORS = (4, 5)  # FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY
_PAGE_LIMIT = 5_000
_HEADING_CHARACTERS = 120
_HEADING_RATIO = 1.15
_HEADING_LEVELS = 3
_HEADING_SHARE = 0.2  # of the lines: where more are large, size does not mean a heading
_GAP_RATIO = 1.45
_FURNITURE_BAND = 0.06  # of the height that text takes: where headers and footers stand
_FURNITURE_SHARE = 3  # on a third of the pages: headers of left and right pages differ
_FURNITURE_PAGES = 3
_FURNITURE_WORDS = 6  # "Page 3 of 20": in longer lines other numbers mean other text
_NUMBER = re.compile(r"\d+|\b[ivxlcdm]+\b")
_BULLET = re.compile(r"[•▪◦●○■‣–*·\uf0b7\uf0a7]\s+")
_NUMBERED = re.compile(r"(?:\d{1,3}|[a-z])[.)]\s+\S")
_SENTENCE_END = re.compile(r"[^.!?]{1,400}[.!?](?:\s+|$)")  # of one that began on the page before
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?")
_SOFT_BREAK = re.compile("\ufffe(?=[a-z])")  # how PDFium writes a hyphen that ends a line
_BREAK_HYPHEN = ("-", "\u2010", "\ufffe")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of a page: its text, the height of its letters, and its top and left edge, in points."""

    text: str
    size: float
    top: float
    left: float


def read_pdf(data: bytes) -> Parsed:
    """Read a PDF document."""
    document = _open(data)
    try:
        count = len(document)
        pages = [_page_lines(document, number) for number in range(min(count, _PAGE_LIMIT))]
        named = document.get_metadata_dict()
    finally:
        document.close()
    readable = [lines for lines in pages if lines]
    if not readable:
        raise DocumentUnreadable(_without_text(count, pages), status="empty")
    markdown = clean_text("\n\n".join(_markdown([lines or [] for lines in pages])))
    return Parsed(
        markdown=markdown,
        title=first_title(markdown) or one_line(package_title(named.get("Title"))),
        warnings=tuple(_warnings(count, pages)),
        metadata={"pages": count, **({"author": one_line(named["Author"])} if named.get("Author") else {})},
        updated=_date(named.get("ModDate") or named.get("CreationDate") or ""),
    )


def _open(data: bytes) -> Foreign:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as exc:
        if exc.err_code in _PASSWORD_ERRORS:
            raise DocumentUnreadable("is encrypted; remove its password", status="encrypted") from exc
        raise DocumentUnreadable("is damaged: it cannot be opened as a PDF document") from exc


def _without_text(count: int, pages: Sequence[object]) -> str:
    if count == 0:
        return "holds no pages"
    if all(page is None for page in pages):
        return f"holds no page that can be read, of {count}"
    return f"holds no text: {count} page{'s' if count > 1 else ''} of images? It needs text recognition (OCR)"


def _warnings(count: int, pages: list[list[_Line] | None]) -> Iterator[str]:
    broken = sum(page is None for page in pages)
    empty = sum(page == [] for page in pages)
    if broken:
        yield f"{broken} of its {count} pages cannot be read."
    if empty:
        yield f"{empty} of its {count} pages hold no text."
    if count > _PAGE_LIMIT:
        yield f"Only its first {_PAGE_LIMIT:,} pages are read."


def _page_lines(document: Foreign, number: int) -> list[_Line] | None:
    """Return the lines of a page, or None when the page is broken."""
    import pypdfium2

    try:
        with closing(document[number]) as page, closing(page.get_textpage()) as textpage:
            return list(_lines(textpage))
    except pypdfium2.PdfiumError:
        return None


def _lines(textpage: Foreign) -> Iterator[_Line]:
    """Read a page's text and where each of its lines stands.

    PDFium counts UTF-16 units, so the text stays in that form until a line is cut out.
    """
    import pypdfium2.raw as pdfium

    count = textpage.count_chars()
    if count <= 0:
        return
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(textpage, 0, count, buffer)
    units = bytes(buffer)[: 2 * max(written - 1, 0)]
    box = pdfium.FS_RECTF()
    at = 0
    for raw in _raw_lines(units):
        whole = raw.decode("utf-16-le", "replace")
        start, at = at, at + len(raw) // 2
        if text := whole.strip("\r\n\0 "):
            first = start + len(whole) - len(whole.lstrip())
            found = pdfium.FPDFText_GetLooseCharBox(textpage, first, box)
            size = box.top - box.bottom if found else 0.0
            yield _Line(text=text, size=round(size, 1), top=box.top if found else 0.0, left=box.left)


def _raw_lines(units: bytes) -> Iterator[bytes]:
    """Cut UTF-16 text after each line feed."""
    start = 0
    at = units.find(b"\n\0")
    while at >= 0:
        if at % 2 == 0:
            yield units[start : at + 2]
            start = at + 2
        at = units.find(b"\n\0", at + 1)
    yield units[start:]


def _markdown(pages: list[list[_Line]]) -> Iterator[str]:
    levels = _heading_levels([line for lines in pages for line in lines])
    pages = _without_furniture(pages, levels)
    blocks: list[str] = []
    for number, lines in enumerate(pages, 1):
        if not lines:
            continue
        first, *others = _page_blocks(lines, levels)
        end = _SENTENCE_END.match(first)
        if end and blocks and _runs_on(blocks[-1], first):
            blocks[-1] = _glued(blocks[-1], end[0].rstrip())
            first = first[end.end() :]
        blocks.extend((page_mark(number), first, *others) if first else (page_mark(number), *others))
    yield from blocks


def _without_furniture(pages: list[list[_Line]], levels: dict[float, int]) -> list[list[_Line]]:
    """Drop the headers and footers that repeat from page to page, apart from the number in them."""
    tops = [line.top for lines in pages for line in lines]
    band = (max(tops) - min(tops)) * _FURNITURE_BAND
    inner = (min(tops) + band, max(tops) - band)
    seen = Counter(mark for lines in pages for mark in {_mark(line, inner) for line in lines})
    least = max(len(pages) // _FURNITURE_SHARE, _FURNITURE_PAGES)
    repeated = {mark for mark, count in seen.items() if mark and count >= least}
    kept = [
        [line for line in lines if line.size in levels or _mark(line, inner) not in repeated]
        for lines in pages
    ]
    return kept if any(kept) else pages


def _mark(line: _Line, inner: tuple[float, float]) -> tuple[str, int] | None:
    """Return what tells a header or footer again on another page; None for a line of the text."""
    if inner[0] < line.top < inner[1]:
        return None
    numbered = line.text.count(" ") < _FURNITURE_WORDS
    return _NUMBER.sub("#", line.text) if numbered else line.text, round(line.top / 4)


def _heading_levels(lines: list[_Line]) -> dict[float, int]:
    """Map the letter sizes that are headings to their level: clearly larger than the text, and rare."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0]
    if body <= 0:
        return {}
    large = sorted((size for size in letters if size >= body * _HEADING_RATIO), reverse=True)
    counts = Counter(line.size for line in lines)
    if sum(counts[size] for size in large) > len(lines) * _HEADING_SHARE + 2:
        return {}
    return {size: min(rank, _HEADING_LEVELS) for rank, size in enumerate(large, 1)}


def _page_blocks(lines: list[_Line], levels: dict[float, int]) -> Iterator[str]:
    gap = _usual_gap(lines)
    block: list[_Line] = []
    for line in lines:
        if block and _breaks(block[-1], line, gap, levels):
            yield _joined(block, levels)
            block = []
        block.append(line)
    if block:
        yield _joined(block, levels)


def _usual_gap(lines: list[_Line]) -> float:
    gaps = [gap for above, below in pairwise(lines) if (gap := above.top - below.top) > 0]
    return statistics.median(gaps) if gaps else 0.0


def _breaks(above: _Line, below: _Line, gap: float, levels: dict[float, int]) -> bool:
    """Tell whether a new block begins: a larger gap, another kind of line, a bullet or a new column."""
    if levels.get(above.size) != levels.get(below.size):
        return True
    if _BULLET.match(below.text) or _NUMBERED.match(below.text):
        return True
    distance = above.top - below.top
    new_column = distance < -gap and not _runs_on(above.text, below.text)
    return gap > 0 and (distance > gap * _GAP_RATIO or new_column)


def _runs_on(before: str, after: str) -> bool:
    """Tell whether a sentence goes on in the next column or on the next page."""
    open_end = before[-1:].isalnum() or before.endswith((",", *_BREAK_HYPHEN))
    return open_end and after[:1].islower() and not before.startswith(("#", "<!--"))


def _glued(before: str, after: str) -> str:
    """Return two lines of a paragraph as one; a hyphen that ends the first only broke a word."""
    if before.endswith(_BREAK_HYPHEN) and after[:1].islower():
        return before[:-1] + after
    return f"{before} {after}" if _spaced(before, after) else before + after


def _joined(lines: list[_Line], levels: dict[float, int]) -> str:
    text = lines[0].text
    for line in lines[1:]:
        text = _glued(text, line.text)
    text = " ".join(_SOFT_BREAK.sub("", text).replace("\ufffe", "-").split())
    level = levels.get(lines[0].size)
    if level and len(text) <= _HEADING_CHARACTERS and any(map(str.isalpha, text)):
        return "#" * level + f" {text}"
    return _BULLET.sub("- ", text, count=1) if _BULLET.match(text) else text


def _spaced(before: str, after: str) -> bool:
    """Tell whether words are separated by spaces: Chinese and Japanese run on over a line end."""
    return not ("\u2e80" <= before[-1:] <= "\uffef" and "\u2e80" <= after[:1] <= "\uffef")


def _date(text: str) -> float | None:
    import datetime as dt

    found = _DATE.match(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        moment = dt.datetime(year, month or 1, day or 1, hour, minute, second, tzinfo=dt.UTC)
        return moment.timestamp()
    except ValueError:
        return None
