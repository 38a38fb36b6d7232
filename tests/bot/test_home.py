"""What a person's home shows."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import Incoming, Person, Place, Posted, Shown
from bot.home import Home
from bot.messages import Answer, Asker, Citation, Question
from bot.replies import Replies
from bot.suggesting import title
from kb.documents import EVERYONE, Audience
from tests.bot.knowledge import ADMIN, CLOSED, GUEST, OPEN, PLATFORMS, Knowledge, open_knowledge

ASKED = "How many days of leave do I have?"


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Knowledge]:
    async with AsyncExitStack() as stack:
        opened = await open_knowledge(stack, tmp_path)
        for name, page, tags in (
            ("handbook", "parental-leave.md", ""),
            ("board", "bonus-plan.md", " for board"),
        ):
            (tmp_path / name).mkdir()
            (tmp_path / name / page).write_text("Fifteen.")
            await opened.last(f"add {tmp_path / name}{tags}")
        yield opened


@pytest.fixture
def home(base: Knowledge) -> Home:
    return Home(base.commands, base.ledger, base.engine, PLATFORMS, ("minilm", "none"))


async def answered(
    base: Knowledge,
    question: str = ASKED,
    *,
    person: Person = ADMIN,
    place: Place = OPEN,
    sources: Sequence[str] = ("handbook",),
    confidence: float = 0.9,
    shown: Shown = "public",
    root: bool = True,
) -> str:
    """Keep an answer as a turn does, and return its id."""
    citations = tuple(
        Citation(
            number=number, document="a.md", title="A", heading="", url="", quote="", updated="", source=source
        )
        for number, source in enumerate(sources, start=1)
    )
    identity = uuid.uuid4().hex
    answer = Answer(
        id=identity,
        question=question,
        answered=confidence > 0.5,
        text="Fifteen.",
        confidence=confidence,
        citations=citations,
    )
    asker = Asker(id=person.asker(EVERYONE).id)
    await base.ledger.record(Question(text=question, asker=asker), answer, timings={}, hashes={})
    incoming = Incoming(
        key=identity, subject=identity, kind="message", place=place, message="1", person=person.id, root=root
    )
    replies = await Replies.open(base.engine)
    await replies.keep(incoming, answer=identity, shown=shown, posted=Posted(channel="C1", messages=("2",)))
    return identity


async def test_a_reader_sees_what_they_may(home: Home) -> None:
    """Sources, how many documents and how fresh: those of this person alone, without paths or errors."""
    view = await home.view(GUEST, EVERYONE)
    [source] = view.sources
    assert (source.name, source.type, source.documents, source.state) == ("handbook", "folder", 1, "ok")
    assert source.location == ""
    assert source.last_good is not None
    assert source.next_run is not None
    assert (view.documents, view.admin, view.settings) == (1, False, ())
    assert view.freshest == source.last_good


async def test_tags_open_more(home: Home) -> None:
    """Who holds a source's tag sees it."""
    view = await home.view(GUEST, Audience(frozenset({"board"})))
    assert [source.name for source in view.sources] == ["board", "handbook"]


async def test_an_admin_sees_errors_and_settings(home: Home, base: Knowledge, tmp_path: Path) -> None:
    """What is wrong with a source, and how the bot is set, is for those who manage it."""
    (tmp_path / "handbook" / "parental-leave.md").unlink()
    (tmp_path / "handbook").rmdir()
    await base.last("sync handbook")
    view = await home.view(ADMIN, EVERYONE)
    broken = next(source for source in view.sources if source.name == "handbook")
    assert "does not exist" in broken.error
    assert broken.location.endswith("/handbook")
    assert ("Answers in channels", "when mentioned") in view.settings
    assert (await home.view(GUEST, EVERYONE)).sources[0].error == ""


async def test_a_home_is_in_its_readers_language(home: Home) -> None:
    """Types of sources and settings are told in the language of whoever opens it."""
    view = await home.view(ADMIN, EVERYONE, language="de")
    assert {source.type for source in view.sources} == {"Ordner"}
    assert ("Antwortet in Kanälen", "wenn es erwähnt wird") in view.settings
    assert ("Nötige Sicherheit ungefragter Antworten", "0,7") in view.settings


async def test_a_paused_source_says_so(home: Home, base: Knowledge) -> None:
    """The state is the one word that matters most."""
    await base.last("pause handbook")
    assert (await home.view(GUEST, EVERYONE)).sources[0].state == "paused"


async def test_good_public_questions_are_suggested(home: Home, base: Knowledge) -> None:
    """What others asked in public and was answered well comes first, then what documents are about."""
    await answered(base)
    view = await home.view(GUEST, EVERYONE)
    assert view.suggested == (ASKED, "What do the documents say about parental leave?")
    german = await home.suggestions(GUEST, EVERYONE, language="de")
    assert german[1] == "Was steht in den Dokumenten über parental leave?"


@pytest.mark.parametrize(
    "changed",
    [
        {"place": CLOSED},
        {"shown": "private"},
        {"confidence": 0.6},
        {"sources": ("handbook", "board")},
        {"sources": ()},
        {"root": False},
        {"place": replace(OPEN, shared=True)},
        {"place": replace(OPEN, workspace="T2")},
        {"question": "thanks for all of that"},
        {"question": "@bob how many days of leave do I have?"},
    ],
)
async def test_other_questions_are_not_suggested(
    home: Home, base: Knowledge, changed: dict[str, object]
) -> None:
    """Private, doubtful, foreign and limited questions, and follow-ups, are nobody else's to read."""
    await answered(base, **changed)  # type: ignore[arg-type]
    assert ASKED not in (await home.view(GUEST, EVERYONE)).suggested
    assert not [text for text in (await home.view(GUEST, EVERYONE)).suggested if "days of leave" in text]


async def test_a_disliked_answer_is_not_suggested(home: Home, base: Knowledge) -> None:
    """One bad opinion is enough."""
    identity = await answered(base)
    await base.ledger.rate(identity, "slack:T1:U5", good=False)
    assert ASKED not in (await home.view(GUEST, EVERYONE)).suggested


async def test_ones_own_questions_are_shown(home: Home, base: Knowledge) -> None:
    """Everyone sees their own questions, each once, newest first, and nobody else's."""
    for question in ("First?", "Second?", "First?"):
        await answered(base, question, person=GUEST, shown="private", confidence=0.4)
    assert set((await home.view(GUEST, EVERYONE)).recent) == {"First?", "Second?"}
    assert (await home.view(ADMIN, EVERYONE)).recent == ()


async def test_the_freshness_of_all(home: Home) -> None:
    """The latest sync of any source is how fresh the knowledge is."""
    assert await home.freshest() is not None


@pytest.mark.parametrize(
    ("uri", "called"),
    [
        ("hr/parental-leave.md", "parental leave"),
        ("https://docs.example/guide/getting_started/", "getting started"),
        ("README.md", ""),
        ("a/1234.pdf", ""),
        ("https://docs.example/", ""),
        ("<!channel>-rules.md", "<\u200b!channel> rules"),
    ],
)
def test_what_a_document_is_called(uri: str, called: str) -> None:
    """A path gives a readable name, or none when it says nothing; it pings nobody."""
    assert title(uri) == called
