from __future__ import annotations

import pytest

from bot.fact_lock import Verdict, judge
from tests.bot import styled
from tests.bot.paraphrases import DIFFERENT, SAME, templated
from tests.bot.paraphrases_written import LOCKED, SETS, measure, read, wilson

MOST_FALSE_REJECTIONS = 0.05
DRAFTS = 150
MOST_SWAPS_MISSED = 0.07  # of all broken ones: words that change places without a name or a number


def test_paraphrases_that_keep_the_facts_pass() -> None:
    """Of more than 200 rewrites that say the same, at most 5 % are rejected."""
    pairs = [*SAME, *templated()]
    rejected = [(draft, written) for draft, written in pairs if not judge(draft, written).kept]
    assert len(pairs) >= 200
    assert len(rejected) <= MOST_FALSE_REJECTIONS * len(pairs), rejected


@pytest.mark.parametrize(("draft", "written"), DIFFERENT)
def test_changed_facts_are_rejected(draft: str, written: str) -> None:
    """A rewrite that changes one fact is rejected."""
    assert not judge(draft, written).kept


@pytest.mark.parametrize("kind", styled.BREAKS)
def test_every_break_is_found(kind: str) -> None:
    """Over 150 generated drafts, each way of breaking a fact is found every time."""
    drafts = [styled.draft(seed) for seed in range(DRAFTS)]
    assert [one for one in drafts if judge(one.text, styled.BREAKS[kind](one)).kept] == []


def test_generated_rewrites_that_keep_all_pass() -> None:
    """Over the same drafts, the rewrite that keeps the facts is never rejected."""
    drafts = [styled.draft(seed) for seed in range(DRAFTS)]
    assert [one for one in drafts if not judge(one.text, one.kept).kept] == []


def test_the_verdict_names_what_was_lost_and_invented() -> None:
    """What is lost and what is new is told as it was written."""
    verdict = judge("Ask Priya within 30 days [1].", "Ask Marcus within 3 weeks [1].")
    assert verdict == Verdict(kept=False, lost=("30 days", "Priya"), invented=("3 weeks", "Marcus"))


def test_a_text_is_its_own_paraphrase() -> None:
    """A draft left as it is keeps all its facts, code, tables and other languages included."""
    for text in (
        "Run:\n\n```sh\nmake up\n```\n\nThen see https://a.example/x [1].",
        "| a | b |\n| --- | --- |\n| 12 % | Priya [1] |",
        "Die Abrechnung gehört Priya und darf nicht vor 9:00 laufen [1].",
        "备份不会保留超过30天 [1]。",
        "",
    ):
        assert judge(text, text).kept, text


@pytest.mark.parametrize("mark", "*-+•")
def test_an_item_begins_as_a_sentence_does(mark: str) -> None:
    """What an item of a list begins with is no name for its capital letter, whatever marks the item."""
    draft = f"For this:\n\n{mark} Ensure that you have enough of it [1]."
    assert judge(draft, f"For this:\n\n{mark} Make sure that you have enough of it [1].").kept
    assert judge(draft, f"For this:\n\n{mark} Option one, ensure that you have enough of it [1].").kept


def test_fenced_code_must_stay() -> None:
    """A line of fenced code that is changed is lost."""
    draft = "Run this [1]:\n\n```sh\nmake up\nmake test\n```"
    assert judge(draft, draft.replace("make test", "make rest")).lost == ("make test",)


def test_passages_are_known_and_need_not_be_told() -> None:
    """Without a draft, facts of the passages are no inventions and others are."""
    passages = ("Priya owns billing since 2021.",)
    assert judge("", "Billing is with Priya.", passages).kept
    assert judge("", "Billing is with Priya and 3 others.", passages).invented == ("3",)


def test_rewrites_written_by_hand_are_told_apart() -> None:
    """Of 800 rewrites in many voices at most 5 % are rejected, and none with a broken fact passes."""
    found = measure([one for paths in SETS.values() for one in read(paths)])
    assert found.kept >= 800
    assert found.broken >= 800
    assert len(found.rejected) <= MOST_FALSE_REJECTIONS * found.kept, found.rejected
    assert [one for one in found.missed if one[0] in LOCKED] == []
    assert len(found.missed) <= MOST_SWAPS_MISSED * found.broken, found.missed


def test_dialects_deny_as_plain_english_does() -> None:
    """A denial in Scots, in a northern voice or in old English is kept, and its loss is seen."""
    draft = "Do not restart the primary [1]."
    for written in (
        "Dinnae restart the primary [1].",
        "Restart not the primary [1].",
        "Tha munnot restart t' primary [1].",
    ):
        assert judge(draft, written).kept, written
        assert not judge(written, "Restart the primary [1].").kept, written


def test_times_dates_and_sums_are_known_however_they_are_said() -> None:
    """Spoken times, days that share a month and names of currencies are the same fact, and others are not."""
    for draft, same, other in (
        (
            "It runs at 01:30 [1].",
            "It runs at half one in the mornin' [1].",
            "It runs at half two in the mornin' [1].",
        ),
        (
            "Closed on 24 and 31 December [1].",
            "Closed on December 24 or 31 [1].",
            "Closed on December 24 or 30 [1].",
        ),
        (
            "It costs CHF 17 [1].",
            "Seventeen Swiss francs it costs [1].",
            "Seventeen Danish kroner it costs [1].",
        ),
        (
            "We meet every Tuesday [1].",
            "We meet on Tuesdays, every week [1].",
            "We meet on Tuesdays, every month [1].",
        ),
        (
            "EUR 2 per kilometre is paid [1].",
            "2 euros a kilometre are paid [1].",
            "EUR 2 for every mile is paid [1].",
        ),
    ):
        assert judge(draft, same).kept, (same, judge(draft, same))
        assert not judge(draft, other).kept, other


def test_a_person_is_told_from_a_word_at_the_beginning_of_a_sentence() -> None:
    """An exclamation invents nobody, and a person who begins a sentence is somebody."""
    draft = "Lunch is served at noon [1]."
    assert judge(draft, "Lunch is served at noon [1]. Unbelievable scenes!").kept
    assert judge(draft, "Lunch is served at noon [1]. Marcus approves.").invented == ("Marcus",)


def test_wilsons_interval_holds_the_share() -> None:
    """Wilson's interval of 2 in 50 is the one of the books."""
    low, high = wilson(2, 50)
    assert (round(low, 3), round(high, 3)) == (0.011, 0.135)
