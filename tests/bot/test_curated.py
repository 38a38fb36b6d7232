"""Curated documents, from what was said in a chat to what is found in the index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import Place
from bot.curated import LONGEST_DRAFT, Quoted
from bot.curated_files import Page, check_day, file_name, write_file
from bot.errors import CommandError, NotAllowed
from bot.forms import FieldError
from bot.texts import ENGLISH
from kb.documents import Audience, document_id
from kb.leases import Leases
from kb.parsing.markdown import read_markdown
from tests.bot.knowledge import CLOSED, DIRECT, GUEST, NOW, OPEN, OPERATOR, Knowledge, open_knowledge

LINK = "https://team.slack.com/archives/C1/p1700000000000100?thread_ts=17.1&cid=C1"
VALUES = {
    "title": "How to reset a badge",
    "text": "Press the star key twice.",
    "link": LINK,
    "author": "Ann Lee",
    "review": "2027-06-30",
}


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Knowledge]:
    async with AsyncExitStack() as stack:
        yield await open_knowledge(stack, tmp_path)


def files(base: Knowledge) -> list[str]:
    root = base.data / "curated"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_a_draft_quotes_what_was_said(base: Knowledge) -> None:
    """The form holds the messages with their authors, the link, and a day on which to look again."""
    said = [
        Quoted(author="Ann", text="How do I reset my badge?"),
        Quoted(author="Bob", text="Star key, twice."),
    ]
    form = base.curated.draft("", said, LINK, "Ann", OPEN)
    values = {field.name: field.value for field in form.fields}
    assert values == {
        "title": "How do I reset my badge?",
        "text": "**Ann:** How do I reset my badge?\n\n**Bob:** Star key, twice.",
        "link": LINK,
        "author": "Ann",
        "review": "2027-07-14",
    }
    assert form.action == "save"


async def test_a_long_thread_fits_a_field(base: Knowledge) -> None:
    """What is quoted is cut to what a field of a form holds."""
    form = base.curated.draft("T", [Quoted(author="Ann", text="word " * 4_000)], "", "", OPEN)
    text = next(field.value for field in form.fields if field.name == "text")
    assert len(text) <= LONGEST_DRAFT


async def test_a_saved_document_is_searched_at_once(base: Knowledge) -> None:
    """Saving writes a Markdown file with front matter, makes its folder a source, and syncs it."""
    told = await base.curated.save(VALUES, OPERATOR, OPEN)
    assert told == "Saved 'How to reset a badge'; I answer from it now."
    [path] = files(base)
    assert path.startswith("everyone/how-to-reset-a-badge-")
    read = read_markdown((base.data / "curated" / path).read_text())
    assert read.title == "How to reset a badge"
    assert read.markdown.strip() == "Press the star key twice."
    assert read.metadata == {
        "title": "How to reset a badge",
        "author": "Ann Lee",
        "link": LINK,
        "saved": read.metadata["saved"],
        "saved_by": "slack:T1:UOP",
        "review": "2027-06-30",
    }
    [source] = await base.commands.sources()
    assert (source.name, source.audience, source.every) == ("saved", (), "30m")
    [*_, node] = await base.store.nodes_of(document_id("saved", path.removeprefix("everyone/")))
    assert node.text == "Press the star key twice."
    assert node.url == LINK


async def test_saving_again_from_a_link_replaces(base: Knowledge) -> None:
    """One thread is one document, whatever its title becomes."""
    await base.curated.save(VALUES, OPERATOR, OPEN)
    told = await base.curated.save({**VALUES, "title": "Badges", "text": "Thrice."}, OPERATOR, OPEN)
    assert told == "Saved 'Badges' in place of what was kept under that name."
    [path] = files(base)
    assert "Thrice." in (base.data / "curated" / path).read_text()


async def test_without_a_link_titles_tell_documents_apart(base: Knowledge) -> None:
    """Two notes of one title and other texts are two documents."""
    note = {"title": "Note", "text": "One."}
    await base.curated.save(note, OPERATOR, OPEN)
    await base.curated.save({**note, "text": "Two."}, OPERATOR, OPEN)
    assert len(files(base)) == 2


@pytest.mark.parametrize(
    ("place", "name", "tag"),
    [
        (CLOSED, "saved-C2", "slack:C2"),
        (DIRECT, "saved-UOP", "slack:user:UOP"),
        (replace(OPEN, shared=True), "saved-C1", "slack:C1"),
    ],
)
async def test_what_few_could_read_stays_with_them(
    base: Knowledge, place: Place, name: str, tag: str
) -> None:
    """From a private channel, a direct or a shared one, only those who were there find it."""
    told = await base.curated.save(VALUES, OPERATOR, place)
    assert "to those alone who may see this conversation" in told
    [source] = await base.commands.sources()
    assert (source.name, source.audience) == (name, (tag,))
    [path] = files(base)
    found = await base.store.nodes_of(document_id(name, path.rpartition("/")[2]))
    assert {node.audience for node in found} == {(tag,)}
    assert tag not in Audience().visible()


async def test_it_may_be_saved_for_everyone_by_choice(base: Knowledge) -> None:
    """In a private place the form asks who finds it; the fewest come first."""
    form = base.curated.draft("T", [], "", "", CLOSED)
    assert form.fields[-1].choices == ("The members of this channel", "Everyone")
    assert form.fields[-1].value == "The members of this channel"
    await base.curated.save({**VALUES, "seen_by": "Everyone"}, OPERATOR, CLOSED)
    [source] = await base.commands.sources()
    assert (source.name, source.audience) == ("saved", ())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("title", " ", "Fill in 'Title'."),
        ("text", "", "Fill in 'Text (Markdown)'."),
        ("title", "t" * 151, "'Title' is too long: 150 characters at most."),
        ("review", "soon", "'soon' is not a day. Write it as 2027-01-31, or leave it out."),
    ],
)
async def test_a_wrong_field_is_marked(base: Knowledge, field: str, value: str, message: str) -> None:
    """What cannot be saved names its field, and nothing is written."""
    with pytest.raises(FieldError) as caught:
        await base.curated.save({**VALUES, field: value}, OPERATOR, OPEN)
    assert (caught.value.field, str(caught.value)) == (field, message)
    assert files(base) == []


async def test_others_save_nothing(base: Knowledge) -> None:
    """Whoever may not change sources may not save either."""
    with pytest.raises(NotAllowed):
        await base.curated.save(VALUES, GUEST, OPEN)
    with pytest.raises(NotAllowed):
        await base.curated.add_file("notes.md", b"Text.", GUEST, OPEN)
    assert files(base) == []


async def test_a_file_is_kept_and_replaced(base: Knowledge) -> None:
    """A file is a document under its own name; the same name again takes its place."""
    assert await base.curated.add_file("../Notes 1.md", b"Alpha.", OPERATOR, OPEN) == (
        "Saved 'Notes 1.md'; I answer from it now."
    )
    assert "in place of" in await base.curated.add_file("Notes 1.md", b"Beta.", OPERATOR, OPEN)
    assert files(base) == ["everyone/Notes 1.md"]
    assert await base.texts("saved", "Notes 1.md") == ["Beta."]


async def test_a_file_without_text_says_so(base: Knowledge) -> None:
    """What cannot be read is kept and said to be unread, with the reason."""
    told = await base.curated.add_file("empty.md", b"", OPERATOR, OPEN)
    assert told == "Saved 'empty.md', but I found no text in it: empty"


async def test_a_file_from_a_private_place_is_for_its_members(base: Knowledge) -> None:
    """Unless it is for everyone, a file is found where it was dropped alone."""
    await base.curated.add_file("a.md", b"Alpha.", OPERATOR, CLOSED)
    await base.curated.add_file("b.md", b"Beta.", OPERATOR, CLOSED, everyone=True)
    assert {source.name: source.audience for source in await base.commands.sources()} == {
        "saved": (),
        "saved-C2": ("slack:C2",),
    }


@pytest.mark.parametrize("name", ["", "noending", ".env", "id.pem", "..", "a/b/.env.md", "x.", "\0"])
async def test_bad_names_are_refused(base: Knowledge, name: str) -> None:
    """A name that no source would read, such as a key's, is refused with what to do."""
    with pytest.raises(CommandError, match="cannot be kept under that name"):
        await base.curated.add_file(name, b"Text.", OPERATOR, OPEN)


async def test_a_large_file_is_refused(base: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit holds also where the platform has none."""
    monkeypatch.setattr("bot.curated.LARGEST_FILE", 3)
    with pytest.raises(CommandError, match="too large"):
        await base.curated.add_file("a.md", b"Text.", OPERATOR, OPEN)


async def test_a_folder_that_cannot_be_written_is_told(base: Knowledge) -> None:
    """A full or read-only disk gives one line, not a traceback."""
    (base.data / "curated").write_text("in the way")
    with pytest.raises(CommandError, match="cannot be written"):
        await base.curated.save(VALUES, OPERATOR, OPEN)


async def test_many_may_save_at_once(base: Knowledge) -> None:
    """Documents that are saved together are all found."""
    notes = [{"title": f"Note {number}", "text": f"Text {number}."} for number in range(8)]
    told = await asyncio.gather(*(base.curated.save(note, OPERATOR, OPEN) for note in notes))
    assert all(line.endswith("I answer from it now.") for line in told)
    overview = await base.commands.overview()
    assert [one.state.documents for one in overview] == [8]


async def test_a_name_that_is_taken_is_left_alone(base: Knowledge, tmp_path: Path) -> None:
    """A source of a person's own called `saved` stays what it is."""
    own = tmp_path / "own"
    own.mkdir()
    await base.commands.add(str(own), kind=None, options={"name": "saved"})
    await base.curated.save(VALUES, OPERATOR, OPEN)
    assert sorted(source.name for source in await base.commands.sources()) == ["saved", "saved-2"]


async def test_a_sync_under_way_does_not_lose_it(base: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another run holds the source, the document is kept and said to be found later."""
    await base.curated.save(VALUES, OPERATOR, OPEN)
    monkeypatch.setattr("bot.curated._SYNC_SECONDS", -1.0)
    async with Leases(base.engine).hold("saved"):
        told = await base.curated.save({"title": "Next", "text": "More."}, OPERATOR, OPEN)
    assert told == "Saved 'Next'; I answer from it as soon as saved is synced."
    assert len(files(base)) == 2


@given(st.text(), st.text(min_size=1), st.text())
def test_front_matter_holds_any_text(title: str, text: str, author: str) -> None:
    """Whatever is in a field, it stays in that field."""
    page = Page(title=title, text=text, author=author, link="", saved=NOW, saved_by="x:y:z")
    read = read_markdown(page.markdown())
    assert read.warnings == ()
    assert set(read.metadata) <= {"title", "author", "saved", "saved_by"}
    assert read.metadata["saved_by"] == "x:y:z"


@given(st.text())
def test_no_name_leaves_the_folder(name: str) -> None:
    """A kept file's name is one that lies in its folder."""
    kept = file_name(name)
    assert "/" not in kept
    assert "\\" not in kept
    assert not kept.startswith((".", "-"))
    assert len(kept.encode()) <= 128


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """Nothing but the file itself is left in the folder."""
    assert not write_file(tmp_path / "a", "b.md", b"1")
    assert write_file(tmp_path / "a", "b.md", b"2")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.md"]


def test_days() -> None:
    """A day is written in one way."""
    assert check_day("2027-01-31")
    assert not any(map(check_day, ["2027-02-30", "20270131", "31.1.2027", "2027-W01-1", ""]))
    assert "2027-01-31" in ENGLISH.bad_day
