"""`persona compare` and `persona vote` from the command line, against a server on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.ledger import Ledger
from bot.messages import Answer, Voice
from bot.voting import BlindVotes
from kb.database import open_database
from tests.adapters.command import Shell
from tests.bot import hands
from tests.emulators.openai import OpenAIEmulator, Recorded, Reply, say

CONFIG = """
[llm]
provider = "openai"
model = "base"
base_url = "{url}"
api_key_env = "COMPARE_KEY"

[persona]
enabled = true
name = "pirate"
description = "a pirate"
model = "ft:pirate"
base_url = "{url}"
api_key_env = "COMPARE_KEY"

[[sources]]
name = "docs"
type = "folder"
location = "./docs"
"""
VOICED = "Arr, printer PINs have six digits, ye scurvy dog, and after 90 days they expire, har har [1]!"
PLAIN = "Printer PINs have 6 digits [1]. They expire after 90 days [1]."


@contextmanager
def serving(server: OpenAIEmulator) -> Iterator[OpenAIEmulator]:
    """Run the server beside a command that runs its own loop in this thread."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    ending = asyncio.Event()

    async def serve() -> None:
        async with server.running():
            started.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()
        loop.close()


def reply(request: Recorded) -> Reply:
    """Speak as a pirate where the request asks for the voice; the style model alone guesses."""
    if (
        request.body["model"] == "ft:pirate"
        and "Rewrite" not in request.system
        and "passages" not in request.system
    ):
        return say("Arr, 12 digits it be, says Blackbeard!")
    return say(VOICED if "a pirate" in request.system else PLAIN)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIEmulator]:
    emulator = OpenAIEmulator(models=("base", "ft:pirate"))
    emulator.reply = reply
    monkeypatch.setenv("COMPARE_KEY", emulator.key)
    with serving(emulator):
        yield emulator


def prepare(folder: Path, url: str) -> None:
    (folder / "docs").mkdir()
    (folder / "docs" / "printer.md").write_text(
        "# Printer PINs\n\nPrinter PINs have 6 digits. They expire after 90 days.\n", encoding="utf-8"
    )
    (folder / "config.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    rows = [
        {"question": "How many digits do printer PINs have?", "answers": ["6 digits"]},
        {"question": "When do printer PINs expire?", "answer": "after 90 days"},
    ]
    write(folder / "questions.jsonl", rows * 4)
    dataset = folder / ".lorekeeper" / "personas" / "pirate" / "dataset"
    dataset.mkdir(parents=True)
    write(
        dataset / "train.jsonl",
        [example(*pair) for pair in zip(hands.plain(60), hands.pirate(60), strict=True)],
    )


def write(file: Path, rows: list[dict[str, object]]) -> None:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def example(draft: str, said: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": draft}, {"role": "assistant", "content": said}]}


class Tags(HTMLParser):
    """Collects what a page loads and whether its tags are closed in order."""

    void = frozenset({"meta", "line", "rect", "path", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_compare(shell: Shell, server: OpenAIEmulator) -> None:
    """All five ways are measured; JSON, table and page say the same and which one to choose."""
    prepare(shell.folder, server.base_url)
    assert shell("sync").code == 0
    done = shell("persona", "compare", "questions.jsonl", "--json", "--html", "page.html")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    ways = {way["key"]: way for way in told["ways"]}
    assert list(ways) == ["base", "alone", "rewrite", "direct", "prompt"]
    assert told["questions"] == 8
    for key in ("base", "rewrite", "direct", "prompt"):
        assert ways[key]["correct"]["value"] == 1.0, key
        assert ways[key]["citations"]["value"] == 1.0, key
        assert ways[key]["invented"]["value"] == 0, key
    assert ways["alone"]["correct"]["value"] == 0
    assert ways["alone"]["invented"]["value"] >= 1
    assert ways["rewrite"]["style"]["low"] > ways["base"]["style"]["high"]
    assert ways["prompt"]["model"] == "base"
    assert told["style_measure"]["grouped"]["value"] >= 0.97
    assert told["choice"] == "prompt"  # as much like the speaker as the trained model, and easier to have
    assert "8 questions are few" in told["reasons"][0]
    page = (shell.folder / "page.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.links) == ([], [])
    assert tags.seen.count("svg") >= 8
    assert told["advice"].replace('"', "&quot;") in page
    done = shell("persona", "compare", "questions.jsonl", "--limit", "1", "--persona", "PIRATE")
    assert done.code == 0, done.err
    assert "Persona pirate: 1 question, with 95 % intervals" in done.out
    assert "Right answers" in done.out


def test_compare_without_a_style_model(shell: Shell, server: OpenAIEmulator) -> None:
    """What cannot be tried is left out by name, and a missing data set costs the style score alone."""
    prepare(shell.folder, server.base_url)
    config = shell.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('model = "ft:pirate"', ""), encoding="utf-8")
    (shell.folder / ".lorekeeper" / "personas" / "pirate" / "dataset" / "train.jsonl").unlink()
    assert shell("sync").code == 0
    done = shell("persona", "compare", "questions.jsonl", "--limit", "1", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [way["key"] for way in told["ways"]] == ["base", "prompt"]
    assert len(told["left_out"]) == 3
    assert told["choice"] == "base"
    assert "No style score" in done.err
    assert "lorekeeper persona dataset" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no questions"),
        ("nonsense", "line 1: not JSON"),
        ("[]", "line 1: is no JSON object"),
        ('{"id": 1}', 'line 1: has no "question"'),
        ('{"question": "?", "answers": [1]}', '"answers" is no list of texts'),
        ('{"question": "?", "answerable": 1}', "neither true nor false"),
    ],
)
def test_wrong_questions(shell: Shell, text: str, said: str) -> None:
    """A file that holds no questions is named with the line and what to write."""
    (shell.folder / "questions.jsonl").write_text(text, encoding="utf-8")
    done = shell("persona", "compare", "questions.jsonl")
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_wrong_usage(shell: Shell, server: OpenAIEmulator) -> None:
    """Unknown files, folders, personas and data sets are told in one line before anything is asked."""
    prepare(shell.folder, server.base_url)
    for words, said in (
        (("none.jsonl",), "No such file"),
        (("questions.jsonl", "--html", "no/page.html"), "there is no folder 'no'"),
        (("questions.jsonl", "--persona", "elf"), "there is no persona 'elf'. There are: 'pirate'."),
        (("questions.jsonl", "--dataset", "nowhere"), "holds no data set"),
    ):
        done = shell("persona", "compare", *words)
        assert (done.code, done.out) == (2, ""), words
        assert said in done.err
    assert server.requests == []


def voted(folder: Path) -> None:
    async def work() -> None:
        engine = await open_database("", folder / ".lorekeeper")
        try:
            await Ledger.open(engine)
            votes = BlindVotes(engine, coin=lambda: 0)
            plain = Answer(question="?", answered=True, text="Six.", confidence=1.0)
            arr = Answer(
                question="?", answered=True, text="Arr, six!", confidence=1.0, voice=Voice(name="pirate")
            )
            ballot = await votes.open("How many?", plain=plain, voiced=arr, place="slack:T:C")
            for number in range(12):
                await votes.cast(ballot.id, f"U{number}", "second" if number else "neither")
            await votes.close(ballot.id)
        finally:
            await engine.dispose()

    asyncio.run(work())


def test_votes(shell: Shell) -> None:
    """What people voted is shown with how sure it is; without votes it says how to begin."""
    assert "Nobody has voted yet" in shell("persona", "vote").out
    voted(shell.folder)
    done = shell("persona", "vote")
    assert "pirate: people prefer the voice: 11 of 11 votes" in done.out
    (told,) = json.loads(shell("persona", "vote", "--json").out)["personas"]
    assert (told["voiced"], told["plain"], told["neither"], told["voters"]) == (11, 0, 1, 12)
    assert told["chance"] < 0.001
    assert json.loads(shell("persona", "vote", "--persona", "elf", "--json").out) == {"personas": []}
