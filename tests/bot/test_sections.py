from bot.quotable import word_count
from bot.sections import SECTION_WORDS, STEPS_WORDS, section_text, shows_how

STEPS = "1. Press *New*.\n2. Name it.\n3. Press *Save*."
LONG = "word " * 120 + "end."
TITLES = "+ [How do I empty a bucket?](empty.md)\n+ [How do I delete an object?](delete.md)"


def test_titles_of_other_pages_are_left_out() -> None:
    """A list of links to other pages goes with its heading; nothing is left of a section that has no more."""
    assert section_text([f"Open the panel.\n\n**Topics**\n\n{TITLES}"], 0) == "Open the panel."
    assert section_text([TITLES], 0) == ""


def test_pointers_images_and_rules_are_left_out() -> None:
    """What is quoted of a section tells how."""
    text = f"![The panel.](panel.png)\n\n{STEPS}\n\n---\n\nFor more information, see [Keys](keys.md)."
    assert section_text([text], 0) == STEPS


def test_what_is_announced_keeps_its_lead() -> None:
    """A line that announces the code behind it stays with it."""
    text = "The following example shows it:\n\n```\nmake\n```"
    assert section_text([f"Keys open doors.\n\n{text}"], 0) == f"Keys open doors.\n\n{text}"
    assert section_text(text.split("\n\n"), 0) == text


def test_steps_are_told_from_the_first_one() -> None:
    """A list of steps that goes on in the passage that was found is told from its lead on."""
    texts = [LONG, "**To add a key**\n\n1. Open the panel.", f"1. Do so.\n\n{LONG}"]
    assert section_text(texts, 2).startswith("**To add a key**\n\n1. Open the panel.\n\n1. Do so.")


def test_steps_far_behind_are_told_first() -> None:
    """A section whose steps come late is told from their lead on."""
    text = section_text([LONG, LONG, f"To add a key:\n\n{STEPS}"], 0)
    assert text == f"To add a key:\n\n{STEPS}"


def test_steps_near_by_follow_what_comes_before() -> None:
    """What stands a little before the steps is told with them."""
    text = section_text([f"Owners can add keys.\n\nTo add a key:\n\n{STEPS}\n\n{LONG}\n\n{LONG}"], 0)
    assert text.startswith(f"Owners can add keys.\n\nTo add a key:\n\n{STEPS}")


def test_a_long_list_is_cut_between_items() -> None:
    """Steps may take more room than prose; the cut is between two of them and shown."""
    steps = "\n".join(f"{number}. " + "word " * 29 for number in range(1, 21))
    text = section_text([f"To add a key:\n\n{steps}"], 0)
    assert text.endswith("\n\n…")
    assert SECTION_WORDS < word_count(text) <= STEPS_WORDS + 20
    assert len(text.splitlines()) == 2 + 8 + 2


def test_a_cut_is_shown() -> None:
    """Prose that does not fit is left out by whole blocks, with a sign."""
    assert section_text([f"One.\n\n{LONG}", LONG], 0) == f"One.\n\n{LONG}\n\n…"


def test_wide_tables_are_narrowed() -> None:
    """The spaces that line up a table's columns are left out."""
    assert (
        section_text(["| a     | b |\n|-------|:-:|\n| long  | c |"], 0)
        == "| a | b |\n| --- | :---: |\n| long | c |"
    )


def test_what_shows_how() -> None:
    """Steps and code show how; prose and other lists do not."""
    assert shows_how(STEPS)
    assert shows_how("```\nmake\n```")
    assert not shows_how("Prose.\n\n- an item")
