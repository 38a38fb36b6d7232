import pytest

from bot.quotable import quotables, sentences

TABLE = "| Plan | Limit |\n| --- | --- |\n| Team | 20 |\n| Pro | 100 |"
CODE = "```sh\nmake setup\n\nmake demo\n```"


def texts(markdown: str) -> list[str]:
    return [unit.text for unit in quotables(markdown)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One ends here. Two ends there! Is three here? Yes.", 4),
        ("Use e.g. version 3.5 of it. Then go on.", 2),
        ("Dr. Smith wrote it in Jan. 2020 for J. K. Rowling. She read it.", 2),
        ("第一句。第二句！第三句？", 3),
        ("A line\nthat goes on. Another\none.", 2),
        ("No full stop", 1),
        ("", 0),
    ],
)
def test_sentences(text: str, count: int) -> None:
    """Sentences end at full stops, not at abbreviations, decimals or line breaks."""
    assert len(list(sentences(text))) == count


def test_sentences_are_literal_text() -> None:
    """Joined again, sentences are the paragraph."""
    text = "One (e.g. this) ends. *Two* ends with `code.py`. Three."
    assert " ".join(sentences(text)) == text


def test_table_rows_come_with_their_header() -> None:
    """Each row is a small table of its own."""
    units = quotables(f"Limits are below.\n\n{TABLE}")
    assert [unit.shape for unit in units] == ["sentence", "table", "table"]
    assert units[2].text == "| Plan | Limit |\n| --- | --- |\n| Pro | 100 |"
    assert units[2].plain == "Plan Limit Pro 100"


def test_code_stays_whole_and_takes_its_lead() -> None:
    """A fence is one unit together with the sentence that introduces it."""
    assert texts(f"Set it up. Run this:\n\n{CODE}\n\nDone.") == [
        "Set it up.",
        f"Run this:\n\n{CODE}",
        "Done.",
    ]


def test_open_fence_is_closed() -> None:
    """A fence that is never closed is quoted closed."""
    assert texts("```\nmake\n") == ["```\nmake\n```"]


def test_short_list_is_one_unit() -> None:
    """A short list is quoted whole with its lead; a long one by item."""
    assert texts("It has:\n\n- tea\n- milk") == ["It has:\n\n- tea\n- milk"]
    long = "\n".join(f"- Item {number} has a sentence of its own here." for number in range(20))
    assert texts(long)[3] == "Item 3 has a sentence of its own here."


def test_items_of_a_long_list_keep_their_lead() -> None:
    """A line without a full stop introduces the list below it, and is quoted with each item."""
    items = [f"- Item {number} has a sentence of its own here." for number in range(20)]
    units = quotables("Things to do\n\n" + "\n".join(items))
    assert [unit.text for unit in units] == [f"Things to do\n\n{item}" for item in items]
    assert units[3].plain == "Things to do Item 3 has a sentence of its own here."
    assert texts("This is no lead.\n\n" + "\n".join(items))[:2] == ["This is no lead.", items[0][2:]]


def test_a_bold_name_stays_with_what_is_said_of_it() -> None:
    """A sentence that is only a bold name is no unit by itself."""
    assert texts("**Too little.** Fifty are needed. More help.") == [
        "**Too little.** Fifty are needed.",
        "More help.",
    ]
    assert texts("**Nothing else is said.**") == ["**Nothing else is said.**"]


def test_headings_and_page_marks_are_left_out() -> None:
    """What is quoted is text."""
    assert texts("<!-- page 2 -->\n\nWords here.") == ["Words here."]


def test_definitions_follow_their_lead() -> None:
    """Terms with their meanings are one unit with the sentence that announces them."""
    states = "It is in one of these states:\n\n`active`\nIt runs.\n\n`failed`\nIt does not."
    assert texts(f"{states}\n\nAnother paragraph stands here.") == [states, "Another paragraph stands here."]
