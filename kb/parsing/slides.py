"""PowerPoint presentations: a page and a heading for each slide, its text, tables and notes."""

from __future__ import annotations

from collections.abc import Iterator

from kb.parsing.markdown import heading_words, timestamp
from kb.parsing.packages import open_package, package_title
from kb.parsing.parsed import Foreign, Parsed, page_mark
from kb.parsing.tables import cell_text, render_table
from kb.parsing.text import clean_text, one_line

_DEEPEST_GROUP = 10


def read_slides(data: bytes) -> Parsed:
    """Read a .pptx presentation."""
    import pptx

    deck = open_package(data, "a PowerPoint presentation", pptx.Presentation)
    blocks: list[str] = []
    title = ""
    for number, slide in enumerate(deck.slides, 1):
        words = _title(slide)
        content = [block for block in _slide(slide) if block.strip()]
        if words or content:
            # Without a heading of its own a slide would stand under that of the slide before.
            blocks.extend((page_mark(number), f"# {words or f'Slide {number}'}", *content))
        title = title or words
    markdown = clean_text("\n\n".join(blocks))
    core = deck.core_properties
    return Parsed(
        markdown=markdown,
        title=heading_words(title) or one_line(package_title(core.title)),
        metadata={"author": one_line(core.author), "slides": len(deck.slides)},
        updated=timestamp(core.modified),
    )


def _title(slide: Foreign) -> str:
    title = slide.shapes.title
    return " ".join(title.text_frame.text.split()) if title is not None else ""


def _slide(slide: Foreign) -> Iterator[str]:
    title = slide.shapes.title
    shapes = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
    for shape in sorted(shapes, key=_position):
        yield from _shape(shape, 0)
    if slide.has_notes_slide:
        notes = slide.notes_slide.notes_text_frame
        if notes is not None and notes.text.strip():
            yield "Notes: " + notes.text.strip()


def _position(shape: Foreign) -> tuple[int, int]:
    return (shape.top or 0, shape.left or 0)


def _shape(shape: Foreign, depth: int) -> Iterator[str]:
    if hasattr(shape, "shapes") and depth < _DEEPEST_GROUP:
        for inner in sorted(shape.shapes, key=_position):
            yield from _shape(inner, depth + 1)
    elif getattr(shape, "has_table", False):
        yield render_table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        yield from _chart(shape.chart)
    elif shape.has_text_frame and not _is_furniture(shape):
        yield _text(shape.text_frame)


def _is_furniture(shape: Foreign) -> bool:
    """Tell slide numbers, dates and footers, which repeat on each slide."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    furniture = (PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER)
    return bool(shape.is_placeholder and shape.placeholder_format.type in furniture)


def _text(frame: Foreign) -> str:
    """Write several paragraphs as a list, one as a paragraph."""
    lines = [(paragraph.level, " ".join(paragraph.text.split())) for paragraph in frame.paragraphs]
    lines = [(level, words) for level, words in lines if words]
    if len(lines) < 2:
        return "".join(words for _, words in lines)
    return "\n".join("  " * min(level, 8) + f"- {words}" for level, words in lines)


def _chart(chart: Foreign) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield chart.chart_title.text_frame.text
    for plot in chart.plots:
        header = ["", *(str(category) for category in plot.categories)]
        rows = [[series.name or "", *(cell_text(value) for value in series.values)] for series in plot.series]
        yield render_table([header, *rows])
