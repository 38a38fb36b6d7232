"""The parser's processes: limits, crashes, cancellation and an end without traces."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import docx
import pytest

from kb.errors import DocumentUnreadable
from kb.parsing import worker
from kb.parsing.parsed import ParsedDocument
from kb.parsing.pool import Parser

GOOD = b"# Title\n\n## Part\n\nSome words.\n"


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    parser = Parser(seconds=20, memory_mb=512)
    yield parser
    await parser.close()


async def is_well(parser: Parser) -> bool:
    return (await parser.parse(GOOD, "good.md", "")).title == "Title"


def child_pids(parser: Parser) -> list[int]:
    pids = [child._transport.get_pid() for child in parser._children]
    return [pid for pid in pids if pid is not None]


async def test_a_document_comes_back_in_pieces(parser: Parser) -> None:
    """A document is parsed and split, with title, heading path, metadata and date."""
    text = b"---\nowner: Ann\nupdated: 2024-01-02\n---\n" + GOOD
    document = await parser.parse(text, "a.md", "")
    assert isinstance(document, ParsedDocument)
    assert [(piece.heading, piece.text) for piece in document.pieces] == [(("Part",), "Some words.")]
    assert document.metadata == {"owner": "Ann", "updated": "2024-01-02"}
    assert document.updated == 1704153600.0


async def test_refusals_carry_status_and_reason(parser: Parser) -> None:
    """What the child refuses is raised with its status and a reason of one line."""
    with pytest.raises(DocumentUnreadable, match=r"^is named \.md but holds a PNG image$") as caught:
        await parser.parse(b"\x89PNG\r\n\x1a\n" + bytes(20), "a.md", "")
    assert caught.value.status == "unsupported"
    assert await is_well(parser)


async def test_concurrent_calls_share_the_workers() -> None:
    """More calls than workers are queued, and each gets its own answer."""
    parser = Parser(seconds=20, memory_mb=512, workers=2)
    texts = [f"# T{number}\n\nbody {number}".encode() for number in range(12)]
    documents = await asyncio.gather(*(parser.parse(text, "a.md", "") for text in texts))
    assert [document.title for document in documents] == [f"T{number}" for number in range(12)]
    assert len(child_pids(parser)) <= 2
    await parser.close()


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    """Past the deadline the child is killed, and the next document gets another one."""
    parser = Parser(seconds=20, memory_mb=512)
    assert await is_well(parser)
    (slow,) = child_pids(parser)
    parser._seconds = 0.2
    with pytest.raises(DocumentUnreadable, match=r"takes longer than 0.2 s") as caught:
        await parser.parse(b"word " * 1_500_000, "a.txt", "")
    assert caught.value.status == "unreadable"
    parser._seconds = 20
    assert await is_well(parser)
    assert child_pids(parser) != [slow]
    await parser.close()


async def test_a_document_that_needs_too_much_memory_is_too_large() -> None:
    """A document that outgrows the memory limit is refused; the parser goes on."""
    parser = Parser(seconds=60, memory_mb=128)
    paragraphs = b"<w:p><w:r><w:t>ab</w:t></w:r></w:p>" * 600_000
    with pytest.raises(DocumentUnreadable) as caught:
        await parser.parse(word_document(paragraphs), "a.docx", "")
    assert caught.value.status == "too-large"
    assert await is_well(parser)
    await parser.close()


def word_document(body: bytes) -> bytes:
    plain, bomb = io.BytesIO(), io.BytesIO()
    docx.Document().save(plain)
    namespace = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = b'<w:document xmlns:w="%s"><w:body>%s</w:body></w:document>' % (namespace, body)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, xml if name == "word/document.xml" else source.read(name))
    return bomb.getvalue()


FAILS = "makes its reader fail"
ENDS = {
    "os.abort()": ("unreadable", "makes its reader crash (SIGABRT)"),
    "os.kill(os.getpid(), 11)": ("unreadable", "makes its reader crash (SIGSEGV)"),
    "os.kill(os.getpid(), 9)": ("too-large", "needs more memory to be read than the system has"),
    "os._exit(3)": ("unreadable", "makes its reader crash (exit code 3)"),
    "open('/tmp/lorekeeper-not-written', 'w')": ("unreadable", f"{FAILS} (PermissionError)"),
    "__import__('socket').socket().connect(('127.0.0.1', 9))": ("unreadable", f"{FAILS} (PermissionError)"),
    "__import__('subprocess').run(['true'])": ("unreadable", f"{FAILS} (PermissionError)"),
    "os.write(1, b'noise'); print('noise'); {}['x']": ("unreadable", f"{FAILS} (KeyError)"),
}
OBEDIENT_READER = """\
import os, kb.parsing.reading as reading
honest = reading._TEXT_READERS["markdown"]
def reader(text, name):
    if text.startswith("EVIL "):
        exec(text[5:])
    return honest(text, name)
reading._TEXT_READERS["markdown"] = reader
"""


async def test_every_end_of_a_child_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crashes, kills and forbidden acts of a reader end in a status and a reason, and harm nobody else."""
    (tmp_path / "sitecustomize.py").write_text(OBEDIENT_READER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    parser = Parser(seconds=20, memory_mb=512)
    found: dict[str, tuple[str, str]] = {}
    for act in ENDS:
        assert await is_well(parser)
        with pytest.raises(DocumentUnreadable) as caught:
            await parser.parse(f"EVIL {act}".encode(), "a.md", "")
        found[act] = (caught.value.status, str(caught.value))
    await parser.close()
    assert found == ENDS


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (MemoryError(), "too-large", "needs more memory to be read than a document may take"),
        (RecursionError(), "unreadable", "is nested too deeply to be read"),
        (KeyError("x"), "unreadable", "makes its reader fail (KeyError)"),
    ],
)
def test_whatever_a_reader_raises_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, reason: str
) -> None:
    """The child answers with a status and a reason, whatever a reader raises."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(worker, "parse", fails)
    answer = worker.answer(GOOD, "a.md", "", len)
    assert (answer["status"], answer["reason"]) == (status, reason)


async def test_a_cancelled_parse_never_answers_the_next_call(parser: Parser) -> None:
    """Cancelling kills the child, so its late answer cannot be taken for another document's."""
    assert await is_well(parser)
    (busy,) = child_pids(parser)
    task = asyncio.create_task(parser.parse(b"# Late\n\n" + b"word " * 200_000, "late.md", ""))
    for _ in range(10):  # turns of the loop: the request is on its way
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert busy not in child_pids(parser)
    assert not parser._idle
    assert await is_well(parser)


async def test_close_leaves_no_process_behind() -> None:
    """After `close` every child is reaped and further calls are refused."""
    parser = Parser(seconds=20, memory_mb=512)
    assert await is_well(parser)
    (pid,) = child_pids(parser)
    await parser.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="closed"):
        await parser.parse(GOOD, "a.md", "")
    await parser.close()


async def test_a_child_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables that may hold keys are not passed on."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nimport kb.parsing.reading as reading\nfrom kb.parsing.parsed import Parsed\n"
        "def names(text, name):\n    return Parsed(markdown=' '.join(sorted(os.environ)))\n"
        "reading._TEXT_READERS['markdown'] = names\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "planted")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "planted")
    parser = Parser(seconds=20, memory_mb=512)
    document = await parser.parse(b"x", "a.md", "")
    names = document.pieces[0].text.split()
    assert "PYTHONPATH" in names
    assert {"OPENAI_API_KEY", "SLACK_BOT_TOKEN"}.isdisjoint(names)
    await parser.close()
