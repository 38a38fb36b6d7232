"""How answers, passages and tables look."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from adapters.terminal import say, show_answer, show_pairs, show_table
from bot.messages import Answer, Citation, Usage

CITATION = Citation(
    number=1,
    document="ops/\x1b[31mdelete.md",
    title="Operations",
    heading="Deleting > Guard",
    url="",
    quote="Ten documents\nare held.",
    updated="2026-11-20T10:00:00+00:00",
    source="docs",
)


def shown(answer: Answer, *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, highlight=False, markup=False, emoji=False)
    show_answer(console, answer)
    return out.getvalue()


def test_an_answer_is_followed_by_what_it_stands_on() -> None:
    """Text, place of the citation, and how it came about, in that order."""
    answer = Answer(
        question="?",
        answered=True,
        text="They are held. [1]",
        confidence=0.87,
        citations=(CITATION,),
        milliseconds=41.3,
    )
    assert shown(answer) == (
        "They are held. [1]\n"
        "\n"
        "[1] ops/delete.md > Deleting > Guard  docs · 2026-11-20\n"
        "\n"
        "quoted · confidence 0.87 · 41 ms\n"
    )


def test_a_refusal_shows_the_nearest_passages() -> None:
    """What came closest is offered where there is no answer."""
    answer = Answer(question="?", answered=False, text="Not found.", confidence=0.1, nearest=(CITATION,))
    assert "Nearest passages\n[1] ops/delete.md" in shown(answer)


def test_a_model_s_answer_tells_model_and_tokens() -> None:
    """A notice comes first, then the cited words; the last line names the model and what it used."""
    answer = Answer(
        question="?",
        answered=True,
        text="Yes.",
        confidence=0.9,
        mode="model",
        model="qwen3",
        usage=Usage(input_tokens=1200, output_tokens=34),
        notice="The model was slow.",
        citations=(CITATION,),
    )
    text = shown(answer)
    assert "    “Ten documents are held.”\n" in text
    assert text.startswith("The model was slow.\n")
    assert "qwen3 · confidence 0.90 · 0 ms · 1,234 tokens" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_documents_send_nothing_to_the_terminal(terminal: bool) -> None:
    """Escape sequences of a document's name or text reach no screen."""
    answer = Answer(
        question="?", answered=True, text="a \x1b]0;x\x07b", confidence=1.0, citations=(CITATION,)
    )
    text = shown(answer, terminal=terminal)
    assert "\x1b[31m" not in text
    assert "\x1b]" not in text


def test_rich_markup_in_names_is_text() -> None:
    """A name in brackets is printed, not obeyed."""
    out = io.StringIO()
    say(Console(file=out, markup=False), "[bold]name[/bold]")
    assert out.getvalue() == "[bold]name[/bold]\n"


def test_tables_have_no_trailing_blanks_in_a_file() -> None:
    """Without a terminal each row is one line that greps well."""
    out = io.StringIO()
    show_table(Console(file=out, width=20), ("Source", "Nodes>"), [("a", "1"), ("long-name", "2,000")])
    assert out.getvalue() == "Source     Nodes\na              1\nlong-name  2,000\n"


def test_a_table_that_a_narrow_terminal_would_cut_is_shown_row_by_row() -> None:
    """Where words would be cut, each row is names and values; on a wide terminal it is a table."""
    columns, rows = (
        ("Source", "Location", "Documents>", "State"),
        [("docs", "/a", "7", "ok"), ("b", "/c", "8", "")],
    )

    def told(width: int) -> list[str]:
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=width, color_system=None, highlight=False)
        show_table(console, columns, rows)
        return [" ".join(line.split()) for line in out.getvalue().splitlines()]

    assert told(80) == ["Source Location Documents State", "docs /a 7 ok", "b /c 8"]
    assert told(30) == [
        *("Source docs", "Location /a", "Documents 7", "State ok", ""),
        *("Source b", "Location /c", "Documents 8"),
    ]


def test_pairs_in_a_file_are_not_padded_or_folded() -> None:
    """What is piped into another program has whole values and no blanks behind them."""
    out = io.StringIO()
    show_pairs(Console(file=out, width=40), [("Data", "/a/long/path/" * 5), ("Answers", "no")])
    assert out.getvalue() == f"Data     {'/a/long/path/' * 5}\nAnswers  no\n"
