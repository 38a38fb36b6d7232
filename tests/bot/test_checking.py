from __future__ import annotations

import pytest

from bot.checking import DraftCheck
from bot.errors import DraftRejected
from tests.bot.found import passage

PINS = passage(
    "Printer PINs have 6 digits. They expire after 90 days. See https://print.corp.test/pins?x=1.\n"
    "```sh\nlpadmin -p office\n```",
    title="Printer help",
    uri="printer.md",
)
LEAVE = passage("Part-time staff get 15 days of holiday.", title="Leave", uri="leave.md")
PAGE = passage("The page is public.", uri="p.md", url="https://git.test/p.md")


def run(draft: str, size: int = 5) -> DraftCheck:
    """Feed a draft in small deltas."""
    check = DraftCheck([PINS, LEAVE, PAGE])
    for at in range(0, len(draft), size):
        check.feed(draft[at : at + size])
    check.end()
    return check


def test_verified_draft() -> None:
    """A draft that stands on its passages is let through and its passages are renumbered."""
    check = run("Part-time staff get 15 days [2]. Printer PINs have 6 digits [1].")
    assert check.text == "Part-time staff get 15 days [1]. Printer PINs have 6 digits [2]."
    assert [(c.number, c.document) for c in check.citations()] == [(1, "leave.md"), (2, "printer.md")]


def test_whole_sentences_are_shown() -> None:
    """Nothing is shown before its sentence is complete and checked."""
    check = DraftCheck([PINS])
    assert check.feed("Printer PINs have 6 digits [1]. They ") == "Printer PINs have 6 digits [1]. "
    assert check.feed("expire after 90 da") == ""
    assert check.feed("ys [1].") == ""
    assert check.end() == "They expire after 90 days [1]."


def test_a_marker_is_added_by_code() -> None:
    """A sentence without a marker that stands on its neighbour's passage gets that marker."""
    assert run("Printer PINs have 6 digits [1]. They expire after 90 days.").text == (
        "Printer PINs have 6 digits [1]. They expire after 90 days [1]."
    )
    assert run("Printer PINs have 6 digits. They expire after 90 days [1].").text == (
        "Printer PINs have 6 digits [1]. They expire after 90 days [1]."
    )


def test_list_and_code() -> None:
    """A lead-in, list items and code from a passage are let through."""
    draft = "Do this [1]:\n- Printer PINs have 6 digits.\n```sh\nlpadmin -p office\n```\n"
    assert (
        run(draft).text == "Do this [1]:\n- Printer PINs have 6 digits [1].\n```sh\nlpadmin -p office\n```\n"
    )


@pytest.mark.parametrize(
    "draft",
    [
        "Printer PINs have 6 digits.",
        "Printer PINs have 8 digits [1].",
        "Printer PINs have 6 digits [7].",
        "Printer PINs have 6 digits [2].",
        "Printer PINs have 6 digits [1]. Holidays can be sold back to Payroll.",
        "Printer PINs have 6 digits [1].\n```sh\nrm -rf /\n```\n",
        "Printer PINs have 6 digits [1]. NO_ANSWER",
        "Hello!",
        "",
    ],
)
def test_rejected(draft: str) -> None:
    """No marker, a wrong number, a foreign passage, foreign words or code, nothing: the draft is rejected."""
    with pytest.raises(DraftRejected) as caught:
        run(draft)
    assert caught.value.reason == "the model's answer could not be verified against the documents"


@pytest.mark.parametrize("draft", ["NO_ANSWER", " `NO_ANSWER`.\n", "NO_ANSWER. The passages are silent."])
def test_declined(draft: str) -> None:
    """The token for "no answer" declines."""
    check = run(draft)
    assert (check.declined, check.text) == (True, "")


def test_unknown_marker_beside_a_known_one() -> None:
    """A marker that names no passage is dropped when the sentence has another."""
    assert run("Printer PINs have 6 digits [1][9].").text == "Printer PINs have 6 digits [1]."


def test_links_and_images() -> None:
    """Links become text, made-up addresses go, a passage's address is shown so that it cannot be followed."""
    draft = (
        "[Printer PINs](https://evil.test/a) have 6 digits ![x](https://evil.test/i.png) [1]. "
        "Printer PINs have 6 digits https://evil.test/b [1]. See https://print.corp.test/pins [1]."
    )
    assert run(draft).text == (
        "Printer PINs have 6 digits x [1]. Printer PINs have 6 digits  [1]. See print[.]corp[.]test/pins [1]."
    )


def test_thoughts_are_left_out() -> None:
    """What a model thinks before it answers is not shown."""
    assert run("<think>\nPINs? [9]\n</think>\n\nPrinter PINs have 6 digits [1].").text == (
        "Printer PINs have 6 digits [1]."
    )


def test_table() -> None:
    """A table's rows are checked and its header is let through."""
    draft = "| Printer | digits |\n|---|---|\n| PINs | 6 [1] |\n"
    assert run(draft).text == draft
