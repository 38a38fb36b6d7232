import pytest

from bot.quotable import quotables, sentences, under
from kb.plain import plain_text

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


LONG_ITEM = "**Backups** – They are kept in the vault. " + "More is said here of what they hold. " * 8


def test_short_items_of_a_long_list_are_whole() -> None:
    """An item keeps its sentences and what is nested in it, and loses what only says where more is told."""
    items = [f"- Item {number} has words. It has more of them." for number in range(12)]
    nested = "- To do it:\n  - Open it\n  - Shut it"
    pointing = "- It is fast. For more information, see [Speed](speed.md)."
    found = texts("\n".join([*items, nested, pointing]))
    assert found[0] == "Item 0 has words. It has more of them."
    assert found[-2:] == ["To do it:\n  - Open it\n  - Shut it", "It is fast."]


def test_sentences_of_a_long_item_carry_its_name() -> None:
    """Of a long item the sentences are units, each with the name that the item begins with."""
    units = quotables(f"- {LONG_ITEM}\n- Short one.\n- " + "Much else is said in this one. " * 8)
    assert units[0].text == "**Backups** – They are kept in the vault."
    assert units[1].text == "**Backups** … More is said here of what they hold."
    assert units[1].plain == "Backups More is said here of what they hold."


def test_a_list_in_a_long_item_keeps_its_lead() -> None:
    """A list nested in a long item is one unit with the line that introduces it."""
    words = "with quite a few words of its own in it. " * 3
    found = texts(f"- Be quick:\n  - First, {words}\n  - Then, {words}\n- " + "Other words stand here. " * 12)
    assert found[0].startswith("Be quick:\n\n- First, ")
    assert "\n- Then, " in found[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The log is kept. It is small.", ["The log is kept.", "The log is kept. It is small."]),
        ("The log is kept. It is wise to look.", ["The log is kept.", "It is wise to look."]),
        ("It is small. Logs are kept.", ["It is small.", "Logs are kept."]),
        ("A. lot " * 20 + "ends. It is.", ["A. lot " * 20 + "ends.", "A. lot " * 20 + "ends. It is."]),
        ("A lot " * 40 + "ends. It is.", ["A lot " * 40 + "ends.", "It is."]),
        (
            "For more, see [Logs](logs.md). They are small.",
            ["For more, see [Logs](logs.md).", "They are small."],
        ),
    ],
)
def test_a_sentence_has_the_one_it_refers_to(text: str, found: list[str]) -> None:
    """A sentence about "it" has the one before in its text, unless that is long or says nothing of it."""
    assert texts(text) == [" ".join(one.split()) for one in found]
    assert quotables(text)[-1].plain == plain_text(list(sentences(text))[-1])


def test_what_is_announced_is_one_unit_with_its_lead() -> None:
    """A sentence that says what follows introduces the list or code behind it without a colon."""
    assert texts("The following names are taken.\n\n- id\n- key") == [
        "The following names are taken.\n\n- id\n- key"
    ]
    assert texts("These names are taken.\n\n- id\n- key")[0] == "These names are taken."


def test_lines_kept_apart_behind_a_colon_stay_apart() -> None:
    """Lines that a hard break keeps apart are one unit with their lead, as they are."""
    text = "The limits are set. They are:  \n10 seats\n3 rooms"
    assert texts(text)[-1].endswith("They are:\n10 seats\n3 rooms")


def test_links_code_and_bold_text_stay_whole() -> None:
    """A full stop inside a link's text, a code span or bold text ends no sentence."""
    text = "See [NEW! The tour](tour.md). Use `a. b` now. **Once. Twice again.** End."
    assert list(sentences(text)) == [
        "See [NEW! The tour](tour.md).",
        "Use `a. b` now.",
        "**Once. Twice again.**",
        "End.",
    ]
    assert list(sentences("A [ stays. Open ` too. End.")) == ["A [ stays.", "Open ` too.", "End."]


def test_markup_is_left_out() -> None:
    """Images and tags are no text: what is only an image is no unit."""
    text = '![A map. With words.](map.png)\n\n<Warning>\nIt is seen <a name="x"></a>once.\n</Warning>'
    assert texts(text) == ["It is seen once."]


def test_wide_rows_are_narrowed() -> None:
    """The spaces and dashes that line up a table's columns are left out."""
    table = "| Plan      | Limit |\n|-----------|------:|\n| Team      | 20    |"
    assert texts(table) == ["| Plan | Limit |\n| --- | ---: |\n| Team | 20 |"]


def test_pointers_are_told() -> None:
    """A unit knows whether it only says where something is told; what an announcement leads to tells it."""
    text = "Seats cost 5. For more information, see [Seats](seats.md)."
    example = "The following example shows it:\n\n```\nbuy\n```"
    assert [unit.pointer for unit in quotables(f"{text}\n\n{example}")] == [False, True, False]
    assert [
        unit.pointer
        for unit in quotables("**Topics**\n\n- [How to buy seats](#a)\n- [How to sell seats](#b)")
    ] == [True]


@pytest.mark.parametrize("text", ["Run this:", "**To add a key**", "A caption"])
def test_a_lead_without_what_it_leads_to_is_a_fragment(text: str) -> None:
    """A caption, a bold name and a lead that nothing follows are no sentences."""
    assert quotables(text)[0].fragment


def test_a_sentence_without_its_subject_has_its_heading() -> None:
    """What begins with a verb has the heading in front that names what does it; a whole sentence has not."""
    sent, whole = quotables("Sent when a key is deleted. Keys are old.")
    assert under("Key Delete", sent).text == "**Key Delete**: Sent when a key is deleted."
    assert under("Key Delete", sent).plain == "Key Delete: Sent when a key is deleted."
    assert under("", sent) == sent
    assert under("Key Delete", whole) == whole
