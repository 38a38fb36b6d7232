import pytest

from kb.words import content_words, coverage, is_mostly_latin, words, words_at


def test_words_meet_across_endings_and_case() -> None:
    """Released, Releases and release are one word."""
    assert len(set(words("Released releases RELEASE releasing"))) == 1


def test_chinese_is_cut_into_pairs() -> None:
    """A run of Chinese gives its pairs of characters; Latin words in it stay whole."""
    assert words("数据库API密钥") == ["数据", "据库", "api", "密钥"]


def test_one_chinese_character_is_a_word() -> None:
    """A single character is kept."""
    assert words("水") == ["水"]


def test_content_words_leave_out_question_words() -> None:
    """What, does and the carry nothing; a question of such words alone keeps them."""
    assert content_words("What does the cache hold?") == words("cache hold")
    assert content_words("What is it?") == words("What is it")


def test_question_words_of_other_scripts_are_left_out() -> None:
    """Chinese and Russian question words and Japanese particles carry nothing."""
    assert content_words("什么 日志") == ["日志"]
    assert content_words("где журнал") == ["журнал"]
    assert content_words("ログ は") == ["ログ"]


def test_korean_is_cut_into_pairs() -> None:
    """Korean particles stick to words, so pairs of syllables are compared."""
    assert set(words("서버는")) & set(words("서버가"))


def test_coverage_weighs_long_words_more() -> None:
    """Missing a long word costs more than missing a short one."""
    question = ["ab", "abcdefgh"]
    assert coverage(question, {"abcdefgh"}) == pytest.approx(0.8)
    assert coverage(question, {"ab"}) == pytest.approx(0.2)
    assert coverage([], {"ab"}) == 0.0


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("How long?", True),
        ("Wie groß ist die Datei?", True),
        ("数据库在哪里？", False),
        ("Где база данных?", False),
        ("42", True),
        ("", True),
    ],
)
def test_script_of_a_question(text: str, latin: bool) -> None:
    """A question is Latin when most of its letters are."""
    assert is_mostly_latin(text) is latin


def test_the_word_around_a_character_is_found() -> None:
    """Each piece of a word is told its whole word, folded; a mark between words has none."""
    text = "SageMaker’s Tasks, ok?"
    assert words_at(text, [0, 4, 9, 10]) == ("sagemak", "sagemak", "", "s")
    assert words_at(text, [12, 17, 19, 21]) == ("task", "", "ok", "")
    assert words_at("", [0]) == ("",)
