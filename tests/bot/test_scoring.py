from __future__ import annotations

import pytest

from bot.scoring import Expected, citations_right, correct, facts, token_f1

PINS = "Printer help\nPrinter PINs have 6 digits. They expire after 90 days."
LEAVE = "Leave\nPart-time staff get 15 days of holiday each year."


@pytest.mark.parametrize(
    ("text", "gold", "right"),
    [
        ("Printer PINs have 6 digits [1].", "6 digits", True),
        ("Arr, six be the digits of yer PIN [1]!", "6 digits", True),
        ("It costs 1,000 dollars.", "1000 dollars", True),
        ("Printer PINs have 4 digits [1].", "6 digits", False),
        ("Yes, they do.", "Yes", True),
        ("Staff who work part-time get fifteen days of holiday in each year, as leave says.",
         "Part-time staff members get 15 days of holiday per year", True),
        ("Nobody knows.", "Part-time staff members get 15 days of holiday per year", False),
        ("Anything", "", False),
    ],
)  # fmt: skip
def test_right_answers(text: str, gold: str, right: bool) -> None:
    """An expected answer counts in other words and figures, but not when a part of it is missing."""
    assert correct(text, Expected(answers=("something else entirely", gold)), answered=True) == float(right)


def test_declining() -> None:
    """Declining is right where there is no answer and wrong where there is one."""
    assert correct("", Expected(answerable=False), answered=False) == 1.0
    assert correct("It is 5.", Expected(answerable=False), answered=True) == 0.0
    assert correct("6 digits", Expected(answers=("6 digits",)), answered=False) == 0.0
    assert correct("It is 5.", Expected(), answered=True) is None


def test_f1() -> None:
    """Word overlap is the best over the expected answers; articles and markers do not count."""
    assert token_f1("The PIN has 6 digits [1]", Expected(answers=("no", "PIN has 6 digits"))) == 1.0
    assert token_f1("6 digits", Expected(answers=("a PIN has 6 digits",))) == pytest.approx(2 / 3)
    assert token_f1("x", Expected(answers=("y",))) == 0.0
    assert token_f1("x", Expected(answerable=False)) is None


def test_right_citations() -> None:
    """A claim is cited rightly when what it takes from the passages stands in the cited one."""
    cited = {1: PINS, 2: LEAVE}
    text = "Printer PINs have 6 digits [1]. Part-time staff get 15 days of holiday [2]."
    assert citations_right(text, cited, [PINS, LEAVE]) == 1.0
    assert citations_right(text.replace("[2]", "[1]"), cited, [PINS, LEAVE]) == 0.5
    assert citations_right(text.replace(" [2]", ""), cited, [PINS, LEAVE]) == 0.5
    assert citations_right(text.replace("[2]", "[7]"), cited, [PINS, LEAVE]) == 0.5


def test_words_of_a_voice_are_no_claims() -> None:
    """What a voice adds of its own needs no citation and spoils none."""
    text = "Arr, me hearty! Printer PINs have six digits, by me beard and barnacles [1]."
    assert citations_right(text, {1: PINS}, [PINS, LEAVE]) == 1.0


def test_sentence_without_a_marker() -> None:
    """It leans on the next marker or the one before, and is wrong where neither holds it."""
    text = "Printer PINs have 6 digits. They expire after 90 days [1]."
    assert citations_right(text, {1: PINS}, [PINS, LEAVE]) == 1.0
    assert citations_right(text.replace("[1]", "[2]"), {1: PINS, 2: LEAVE}, [PINS, LEAVE]) == 0.0
    assert citations_right(text.replace(" [1]", ""), {1: PINS}, [PINS, LEAVE]) == 0.0


def test_citation_of_nothing() -> None:
    """A marker behind words that are in no passage is wrong; a text without claims is not marked."""
    assert citations_right("Whales sing beautifully [1].", {1: PINS}, [PINS]) == 0.0
    assert citations_right("Arr!", {1: PINS}, [PINS]) is None


def test_wrong_figure_for_the_citation() -> None:
    """A figure of another passage makes a citation wrong, whatever the words."""
    text = "Printer PINs have digits and expire after 15 days [1]."
    assert citations_right(text, {1: PINS, 2: LEAVE}, [PINS, LEAVE]) == 0.0


def test_facts() -> None:
    """Facts of the draft that are missing are lost, those that no passage has are invented."""
    draft = "Printer PINs have 6 digits [1]. They expire after 90 days [1]."
    assert facts(draft, "Arr, six digits has the printer PIN, and 90 days it lasts!", [PINS]) == ((), ())
    lost, invented = facts(draft, "Printer PINs have 6 digits. Ask Ahab at 12:30.", [PINS])
    assert any("90" in fact for fact in lost)
    assert any("Ahab" in fact for fact in invented)
    assert any("12:30" in fact for fact in invented)


def test_facts_of_the_passages_are_not_invented() -> None:
    """What a passage says and the draft does not is no invention; without a draft nothing is lost."""
    assert facts("", "They expire after 90 days.", [PINS]) == ((), ())
