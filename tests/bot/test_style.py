from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import pytest

from bot.errors import CommandError
from bot.style import FEWEST, StyleMeasure, auroc, bare, function_words, words
from bot.style_samples import read_samples
from tests.bot import hands

SHAKESPEARE = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "persona-shakespeare"


@cache
def pirate_measure() -> StyleMeasure:
    return StyleMeasure.train(hands.pirate(60), hands.plain(60))


def test_unseen_groups_are_told() -> None:
    """A strong manner is told on groups of replies that the measure has not seen, and it says so."""
    accuracy = pirate_measure().accuracy
    assert accuracy.grouped.value >= 0.97
    assert accuracy.right.value >= 0.95
    assert (accuracy.own, accuracy.others, accuracy.folds, accuracy.group) == (60, 60, 5, 5)
    assert accuracy.trusted


def test_shuffled_labels_give_chance() -> None:
    """With labels that mean nothing the same procedure tells nothing."""
    assert 0.3 <= pirate_measure().accuracy.shuffled.value <= 0.7


def test_one_hand_on_both_sides_is_not_trusted() -> None:
    """Where both sides are written by one hand, the measure reports that it cannot tell them."""
    texts = hands.plain(120)
    accuracy = StyleMeasure.train(texts[::2], texts[1::2]).accuracy
    assert accuracy.grouped.value < 0.8
    assert not accuracy.trusted


def test_scores_of_new_texts() -> None:
    """New texts in the manner score high and plain ones low, in groups and together."""
    measure = pirate_measure()
    groups = [hands.pirate(5, seed=11), hands.plain(5, seed=12)]
    voiced, plain = measure.scores(groups)
    assert voiced > 0.8 > 0.2 > plain
    assert measure.score(groups[0]) == pytest.approx(voiced)


def test_group_of_one() -> None:
    """A single text is judged too; less surely than five."""
    measure = pirate_measure()
    one = measure.score(["Arr, ye'd best mind the ship, matey!"])
    assert one > 0.5


def test_nothing_to_judge() -> None:
    """Texts without words are no evidence: 0.5."""
    assert pirate_measure().score([]) == 0.5
    assert pirate_measure().scores([["```\nx\n```"], ["[1]"]]) == [0.5, 0.5]
    assert pirate_measure().scores([]) == []


def test_training_is_repeatable() -> None:
    """The same texts give the same measure and the same figures."""
    again = StyleMeasure.train(hands.pirate(60), hands.plain(60))
    assert again.accuracy == pirate_measure().accuracy
    assert again.score(["Aye, so be it!"]) == pytest.approx(pirate_measure().score(["Aye, so be it!"]))


def test_too_few_texts() -> None:
    """With too few different texts there is no measure, and the error says how many there are."""
    with pytest.raises(CommandError, match=f"needs {FEWEST} different texts of the speaker, there are 3"):
        StyleMeasure.train(["Arr one!", "Arr two!", "Aye three!"] * 30, hands.plain(60))
    with pytest.raises(CommandError, match="of other people, there are 0"):
        StyleMeasure.train(hands.pirate(60), [])


def test_texts_on_both_sides_count_once() -> None:
    """A text that both sides have said, or one side twice, is one text: of the speaker."""
    pirate, plain = hands.pirate(30), hands.plain(30)
    accuracy = StyleMeasure.train(pirate + pirate[:10], plain + pirate[:20]).accuracy
    assert (accuracy.own, accuracy.others) == (30, 30)


def test_conversations_are_not_split() -> None:
    """Texts of one conversation stay in one fold: all of one side in one conversation cannot be checked."""
    pirate, plain = hands.pirate(30), hands.plain(30)
    spread = [f"talk {number // 3}" for number in range(60)]
    assert StyleMeasure.train(pirate, plain, talks=spread).accuracy.grouped.value >= 0.9
    with pytest.raises(CommandError, match="from one conversation"):
        StyleMeasure.train(pirate, plain, talks=["one"] * 30 + ["other"] * 30)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-learn the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(CommandError, match=r"pip install 'lorekeeper\[persona\]'"):
        StyleMeasure.train(hands.pirate(30), hands.plain(30))


def test_few_replies_are_told() -> None:
    """From fewer than fifty replies of the speaker a measure is made, and says that it is not steady."""
    assert pirate_measure().accuracy.steady
    accuracy = StyleMeasure.train(hands.pirate(30), hands.plain(60)).accuracy
    assert (accuracy.own, accuracy.steady) == (30, False)


def test_words_of_a_text() -> None:
    """Words and punctuation count each for itself, whatever their case."""
    assert words("Aye!! Don't stop.") == ["aye", "!", "!", "don't", "stop", "."]


def test_topic_is_left_out() -> None:
    """Among function words every other word counts as the same blank."""
    assert function_words("You restart the printer!") == ["you", "the", "!", "you _", "_ the", "the _", "_ !"]
    assert function_words("You rename the wiki!") == function_words("You restart the printer!")


def test_what_says_nothing_is_taken_out() -> None:
    """Code, links, addresses, numbers and markers are no style."""
    text = (
        "See `make all` or https://example.org/x, or ask a.b@example.org [1][2].\n```\nrm\n```\nin 1,000 days"
    )
    assert bare(text) == "See or or ask . in 0 days"


def test_auroc() -> None:
    """It is the share of pairs in the right order, ties counted half."""
    assert auroc([2, 3], [0, 1]) == 1.0
    assert auroc([1], [1]) == 0.5
    assert auroc([0, 2], [1]) == 0.5


def _write(file: Path, *rows: object) -> Path:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def test_samples_of_chat_examples(tmp_path: Path) -> None:
    """Of an example the last reply is the speaker's; what was asked, by several people, is others'."""
    messages = [
        {"role": "system", "content": "You reply."},
        {"role": "user", "content": "Person 1: Is it down?\nPerson 2: It is."},
        {"role": "assistant", "content": "Earlier.", "weight": 0},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "Aye!"},
    ]
    train = _write(tmp_path / "train.jsonl", {"messages": messages})
    samples = read_samples((train, tmp_path / "validation.jsonl"), tmp_path / "replies.jsonl")
    assert samples.own == ("Aye!",)
    assert samples.others == ("Is it down?\n", "It is.", "And now?")


def test_samples_of_replies(tmp_path: Path) -> None:
    """The file of replies goes before the examples; a text without a conversation has one of its own."""
    replies = _write(
        tmp_path / "replies.jsonl",
        {"text": "Aye!", "own": True, "talk": "t1"},
        {"text": "Yes.", "own": False},
    )
    samples = read_samples((tmp_path / "train.jsonl",), replies)
    assert (samples.own, samples.others, samples.talks) == (("Aye!",), ("Yes.",), ("t1", "line 1"))


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"messages": []}', '{"messages": [{"role": 1}]}'])
def test_unreadable_samples(tmp_path: Path, line: str) -> None:
    """A line that is no example is named with its file and number."""
    train = tmp_path / "train.jsonl"
    train.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"train\.jsonl, line 2: is no"):
        read_samples((train,), tmp_path / "replies.jsonl")


def test_no_data_set(tmp_path: Path) -> None:
    """Without a data set the error says how to make one."""
    with pytest.raises(CommandError, match="lorekeeper persona dataset"):
        read_samples((tmp_path / "train.jsonl",), tmp_path / "replies.jsonl")


@pytest.mark.trust
def test_held_out_speaker() -> None:
    """A character of Shakespeare is told from all others on held-out groups of five: AUROC 0.97 or more."""
    if not SHAKESPEARE.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    from tests.benchmarks.style import held_out, load

    assert held_out(load(SHAKESPEARE, "Menenius")) >= 0.97
