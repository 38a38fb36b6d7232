from collections.abc import Sequence

import numpy as np
import pytest

from bot.extractive import Composer, is_how_to
from bot.quotable import word_count
from bot.sections import SECTION_WORDS
from kb import maxsim
from kb.nodes import Embedding, QuestionEmbedding, StoredNode, Vector
from kb.retriever import Passage, SearchResult
from kb.words import words

DIMENSION = 64
AUDIT = "The audit log keeps every login. It is kept for ninety days. Owners may export it."
BILLING = "Invoices are sent monthly. They list every seat."
CONSOLE = '```console\n$ ask "How long are backups kept?"\n```'
PLACES = list(enumerate(["lift", "stairs", "pillar", "door", "plant", "wall", "lamp", "window", "sink"]))


def word_vectors(text: str) -> tuple[np.ndarray, Vector]:
    pieces = [2000 + sum(word.encode()) * 31 % 20_000 for word in words(text)]
    rows = [np.random.default_rng(piece).standard_normal(DIMENSION) for piece in pieces]
    vectors = np.array(rows, dtype=np.float32).reshape(-1, DIMENSION)
    return np.array(pieces, np.int32), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def vector(text: str) -> Vector:
    total = word_vectors(text)[1].sum(axis=0) + 1e-6
    unit: Vector = (total / np.linalg.norm(total)).astype(np.float32)
    return unit


class WordEmbedder:
    def __init__(self) -> None:
        self.embedded = 0

    async def embed_passages(self, texts: Sequence[str], *, urgent: bool = False) -> list[Embedding]:
        self.embedded += len(texts)
        return [Embedding(vector=vector(text), tokens=maxsim.pack(*word_vectors(text))) for text in texts]


class FakeSearcher:
    """Knows the sections of passages."""

    def __init__(self, section: Sequence[StoredNode] = ()) -> None:
        self.embedder = WordEmbedder()
        self._section = tuple(section)

    async def section(self, passage: Passage) -> tuple[StoredNode, ...]:
        return self._section or passage.nodes


def node(key: str, text: str, *, heading: tuple[str, ...] = (), position: int = 0) -> StoredNode:
    return StoredNode(
        id=f"{key}-{position}",
        document_id=key,
        source="s",
        uri=f"{key}.md",
        title=key.title(),
        heading=heading,
        position=position,
        text=text,
        hash=key,
        updated=0.0,
        audience=("*",),
    )


def passage(found: StoredNode, score: float = 0.7) -> Passage:
    return Passage(node=found, score=score, text=found.text, nodes=(found,))


def result(question: str, *passages: Passage, with_words: bool = True) -> SearchResult:
    ids, vectors = word_vectors(question)
    embedding = QuestionEmbedding(vector=vector(question), token_ids=ids, token_vectors=vectors)
    if not with_words:
        embedding = QuestionEmbedding(vector=vector(question))
    return SearchResult(passages=passages, confidence=0.9, question=embedding)


def composer(section: Sequence[StoredNode] = ()) -> Composer:
    return Composer(FakeSearcher(section))  # type: ignore[arg-type]  # the two members that are used


@pytest.mark.parametrize("with_words", [True, False])
async def test_the_sentence_with_the_words_is_quoted(with_words: bool) -> None:
    """The sentence that fits is quoted with its marker, with and without word vectors."""
    question = "For how many days is it kept?"
    found = result(
        question, passage(node("audit", AUDIT)), passage(node("billing", BILLING)), with_words=with_words
    )
    composed = await composer().compose(question, found)
    assert "It is kept for ninety days. [1]" in composed.text
    assert composed.used[0].node.document_id == "audit"


async def test_two_sentences_at_most() -> None:
    """A question for a fact is answered with at most two sentences, each marked."""
    question = "For how many days is the login kept by the audit log?"
    composed = await composer().compose(question, result(question, passage(node("audit", AUDIT))))
    assert len(composed.quotes) == 2
    assert composed.text.count("[1]") == 2


async def test_a_sentence_that_fits_much_less_is_left_out() -> None:
    """One sentence answers alone when no other fits nearly as well."""
    question = "What does the audit log keep?"
    composed = await composer().compose(question, result(question, passage(node("audit", AUDIT))))
    assert composed.text == "The audit log keeps every login. [1]"


async def test_items_of_one_list_are_one_list() -> None:
    """Two items of a long list share the line that introduces them."""
    items = [f"- Seat {number} is by the {place}, where it is warm and quiet." for number, place in PLACES]
    text = "Seats in the office\n\n" + "\n".join(items)
    question = "Who has seat 3 and seat 7 in the office, by the door or the window?"
    composed = await composer().compose(question, result(question, passage(node("seats", text))))
    assert composed.text == f"Seats in the office\n\n{items[3]}\n{items[7]} [1]"


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("How long are backups kept?", "Old ones are kept for a while, as the plan says. [1]"),
        ("Which command tells how long backups are kept?", f"{CONSOLE}\n\n[1]"),
    ],
)
async def test_bare_code_answers_only_who_asks_for_it(question: str, quoted: str) -> None:
    """Code that no sentence introduces is quoted when it is asked for, not because it has the words."""
    text = f"Old ones are kept for a while, as the plan says.\n\n{CONSOLE}"
    composed = await composer().compose(question, result(question, passage(node("backups", text))))
    assert composed.text == quoted


async def test_a_caption_does_not_outdo_a_sentence() -> None:
    """A line that is no whole sentence counts less than one that is."""
    text = "A draft to approve\n\nA reviewer has to approve a draft."
    question = "Who has to approve a draft?"
    composed = await composer().compose(question, result(question, passage(node("drafts", text))))
    assert composed.text == "A reviewer has to approve a draft. [1]"


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("For how many days are backups kept?", "Backups are kept for seven days. [1]"),
        (
            "Where can I read how long backups are kept?",
            "For how long backups are kept, see [Backups](b.md). [1]",
        ),
    ],
)
async def test_a_pointer_answers_only_who_asks_for_it(question: str, quoted: str) -> None:
    """A sentence that says only where something is told is quoted to those who ask where."""
    text = "For how long backups are kept, see [Backups](b.md).\n\nBackups are kept for seven days."
    composed = await composer().compose(question, result(question, passage(node("backups", text))))
    assert composed.text.startswith(quoted)


async def test_a_sentence_that_says_no_more_is_left_out() -> None:
    """The same told again in fewer words is not quoted beside it."""
    question = "What does a listener do?"
    texts = ["A listener checks for requests, at the port it has.", "A listener checks for requests."]
    found = result(question, *(passage(node(str(at), text)) for at, text in enumerate(texts)))
    composed = await composer().compose(question, found)
    assert len(composed.quotes) == 1


async def test_a_sentence_without_its_subject_has_its_heading() -> None:
    """Sentences of a reference that begin with a verb are quoted under their heading, named once."""
    question = "Key delete: sent when a key is gone? Used to tell who took it?"
    text = "Sent when a key is gone. Used to tell who took it."
    found = result(question, passage(node("events", text, heading=("Events", "Key Delete"))))
    composed = await composer().compose(question, found)
    assert composed.text == f"**Key Delete**: {text} [1]"


async def test_quotes_are_literal() -> None:
    """Each quote is text of the passage it names."""
    question = "Which invoices list seats and what does the audit log keep?"
    found = result(question, passage(node("audit", AUDIT)), passage(node("billing", BILLING)))
    composed = await composer().compose(question, found)
    assert composed.quotes
    for index, quote in composed.quotes:
        assert quote in composed.used[index].text


async def test_markers_number_the_used_passages() -> None:
    """Markers count the passages that are used, not their ranks."""
    question = "When are invoices sent monthly?"
    found = result(question, passage(node("audit", "Teal."), 0.1), passage(node("billing", BILLING), 0.1))
    composed = await composer().compose(question, found)
    numbers = {int(part[0]) for part in composed.text.split("[")[1:]}
    assert numbers == set(range(1, len(composed.used) + 1))


async def test_sentences_of_a_passage_keep_their_order() -> None:
    """Two sentences of one passage come in reading order, whichever fits better."""
    question = "export ninety days kept"
    composed = await composer().compose(question, result(question, passage(node("audit", AUDIT))))
    places = [AUDIT.index(quote) for _, quote in composed.quotes]
    assert places == sorted(places)


async def test_a_repeated_sentence_is_quoted_once() -> None:
    """The same sentence in two passages is quoted once."""
    question = "What does the audit log keep?"
    text = "The audit log keeps every login."
    found = result(question, passage(node("a", text)), passage(node("b", text)))
    composed = await composer().compose(question, found)
    assert composed.text == f"{text} [1]"


async def test_a_table_row_has_its_header_and_the_marker_is_below() -> None:
    """A row is quoted as a table that renders; the marker does not break it."""
    question = "How many seats does the Pro plan have?"
    table = "| Plan | Seats |\n| --- | --- |\n| Pro | 100 |"
    composed = await composer().compose(question, result(question, passage(node("plans", table))))
    assert composed.text == f"{table}\n\n[1]"


async def test_rows_of_one_table_are_one_table() -> None:
    """Two rows of a table share its header."""
    table = "| Plan | Seats |\n| --- | --- |\n| Pro | 100 |\n| Team | 20 |"
    question = "How many seats have the plans Pro and Team?"
    composed = await composer().compose(question, result(question, passage(node("plans", table))))
    assert composed.text == f"{table}\n\n[1]"


async def test_how_to_quotes_the_section_with_its_path() -> None:
    """A procedure is quoted whole, with its headings above."""
    steps = [
        node("guide", "Open the panel.\n\n1. Press *New*.\n2. Name it.", heading=("Keys", "Add"), position=3),
        node("guide", "```sh\nkeys sync\n```", heading=("Keys", "Add"), position=4),
    ]
    question = "How do I add a key?"
    composed = await composer(steps).compose(question, result(question, passage(steps[1])))
    assert composed.text.startswith("**Guide > Keys > Add**\n\nOpen the panel.")
    assert composed.text.endswith("```sh\nkeys sync\n```\n\n[1]")


async def test_a_long_section_is_cut_between_blocks() -> None:
    """A long section begins at the passage that was found and ends with a whole block."""
    parts = [node("guide", f"Part {at}. " + "word " * 60, position=at) for at in range(6)]
    question = "How to do part 2?"
    composed = await composer(parts).compose(question, result(question, passage(parts[2])))
    assert "Part 2." in composed.text
    assert "Part 1." not in composed.text
    assert word_count(composed.quotes[0][1]) <= SECTION_WORDS


async def test_how_to_takes_the_section_that_names_the_task() -> None:
    """Of passages that score alike the one whose heading has the question's words, or steps, is quoted."""
    intro = node("keys", "Keys open doors, and there are many of them.", heading=("Overview",))
    steps = node("keys", "1. Open the panel.\n2. Press *New*.", heading=("Add a key",))
    question = "How do I add a key?"
    composed = await composer().compose(question, result(question, passage(intro, 0.8), passage(steps, 0.7)))
    assert composed.text.startswith("**Keys > Add a key**")
    composed = await composer().compose(question, result(question, passage(intro, 0.9), passage(steps, 0.6)))
    assert composed.text.startswith("**Keys > Overview**")


async def test_how_to_never_quotes_titles_of_other_pages() -> None:
    """A section that has only links to other pages is passed over; it is quoted if there is no other."""
    links = node("more", "- [How do I delete a key?](del.md)\n- [How do I add many keys?](many.md)")
    told = node("keys", "Open the panel and press *New*.")
    question = "How do I add a key?"
    composed = await composer().compose(question, result(question, passage(links, 0.9), passage(told, 0.2)))
    assert composed.used[0].node is told
    composed = await composer().compose(question, result(question, passage(links, 0.9)))
    assert "many.md" in composed.text


async def test_no_passages_give_no_answer() -> None:
    """Without passages there is nothing to quote."""
    assert (await composer().compose("Anything?", result("Anything?"))).text == ""


async def test_few_sentences_are_embedded() -> None:
    """However long the passages are, a bounded number of sentences is embedded."""
    searcher = FakeSearcher()
    long = node("long", " ".join(f"Sentence {number} is here." for number in range(500)))
    question = "What is sentence 7?"
    await Composer(searcher).compose(question, result(question, passage(long)))  # type: ignore[arg-type]  # as above
    assert searcher.embedder.embedded <= 32


@pytest.mark.parametrize(
    ("question", "how_to"),
    [
        ("How do I reset my password?", True),
        ("how to reset it", True),
        ("Could you say how we can add a key?", True),
        ("Steps to add a key", True),
        ("How many seats are there?", False),
        ("How does it work?", False),
        ("How do plants grow?", False),
        ("What is the limit?", False),
    ],
)
def test_questions_for_a_procedure(question: str, how_to: bool) -> None:
    """How do I, how to and steps to ask for a procedure; how many and how does do not."""
    assert is_how_to(question) is how_to
