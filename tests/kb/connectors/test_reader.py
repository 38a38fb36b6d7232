from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from kb.connectors.base import Resources
from kb.connectors.reader import ReaderConnector
from kb.connectors.reader_documents import Naming, RawDocument, markdown, read_document, uri_for
from kb.connectors.reader_guard import Guard
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, SourceInvalid, SourceUnavailable
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.parsing.markdown import read_markdown
from kb.public_hosts import AllowedHosts
from kb.settings import FetchSettings, ReadersSettings
from kb.sources import ReaderSource

HERE = "tests.kb.connectors.readers"
SECRET = "planted-secret-4711"


def connector(
    folder: Path,
    reader: str,
    *,
    allowed: tuple[str, ...] | None = None,
    seconds: float = 60,
    memory_mb: int = 1024,
    max_bytes: int = 1 << 20,
    hosts: tuple[str, ...] = (),
    **source: Any,  # noqa: ANN401 - keys of the source
) -> ReaderConnector:
    name = reader if "." in reader else f"{HERE}.{reader}"
    return ReaderConnector(
        ReaderSource(name="notes", location=name, **source),
        Resources(
            data=folder,
            fetcher=Fetcher(FetchSettings(private_hosts=hosts)),
            memory=BorrowedMemory(),
            secret={"THE_PASSWORD": SecretStr(SECRET)}.get,
            readers=ReadersSettings(
                allowed=(name,) if allowed is None else allowed, seconds=seconds, memory_mb=memory_mb
            ),
            max_bytes=max_bytes,
        ),
    )


async def listed(opened: ReaderConnector) -> list[DocumentRef]:
    return [ref async for ref in opened.list_documents()]


async def contents(opened: ReaderConnector) -> dict[str, Content]:
    return {ref.uri: await opened.fetch(ref) for ref in await listed(opened)}


def given(*documents: dict[str, Any]) -> dict[str, Any]:
    return {"documents": list(documents)}


async def test_only_readers_that_are_allowed_run(tmp_path: Path) -> None:
    """A reader that the settings do not list is refused before anything of it is imported."""
    opened = connector(tmp_path, "GivenReader", allowed=("some.OtherReader",), arguments=given())
    with pytest.raises(SourceInvalid, match=r"^Source 'notes': the reader .* is not allowed\. .*\[readers\]"):
        await listed(opened)
    assert not (tmp_path / "cache").exists()


async def test_documents_keep_text_and_metadata(tmp_path: Path) -> None:
    """Text, title, link, time and metadata of a reader's document are kept."""
    metadata = {
        "title": 'On "owls"',
        "url": "https://example.org/owls",
        "updated_at": "2024-05-01T10:00:00+02:00",
        "tags": ["a", "b"],
        "odd": "two\nlines \u0007",
    }
    opened = connector(
        tmp_path, "GivenReader", arguments=given({"text": "Owls fly at night.", "metadata": metadata})
    )
    content = (await contents(opened))["https://example.org/owls"]
    parsed = read_markdown(content.data.decode())
    assert parsed.title == 'On "owls"'
    assert parsed.markdown.strip() == "Owls fly at night."
    assert parsed.metadata["tags"] == ["a", "b"]
    assert parsed.warnings == ()
    assert content.url == "https://example.org/owls"
    assert content.updated is not None
    assert content.updated.isoformat() == "2024-05-01T10:00:00+02:00"


async def test_made_up_ids_do_not_count(tmp_path: Path) -> None:
    """Documents whose ids are made up in each run keep their uris and versions from run to run."""
    documents = given(*({"text": text, "metadata": {"kind": "note"}} for text in ("one", "two", "two")))
    first = await listed(connector(tmp_path, "GivenReader", arguments=documents))
    again = await listed(connector(tmp_path, "GivenReader", arguments=documents))
    assert first == again
    assert len({ref.uri for ref in first}) == 3


async def test_readers_of_llamaindex_work(tmp_path: Path) -> None:
    """LlamaIndex's own reader of folders loads in the child; its made-up ids give way to the paths."""
    (tmp_path / "a.txt").write_text("Owls fly at night.", "utf-8")
    (tmp_path / "b.csv").write_text("name,age\nHedwig,7\n", "utf-8")
    where = {"input_files": [str(tmp_path / "a.txt"), str(tmp_path / "b.csv")]}
    files = "llama_index.core.readers.SimpleDirectoryReader"
    found = await contents(connector(tmp_path / "data", files, arguments=where))
    assert [data.data.decode().endswith("Owls fly at night.") for data in found.values()].count(True) == 1
    assert sorted(found) == [f"{tmp_path}/a.txt.md", f"{tmp_path}/b.csv.md"]


async def test_coroutines_are_awaited(tmp_path: Path) -> None:
    """A reader that loads asynchronously only is loaded so."""
    assert (await contents(connector(tmp_path, "AsyncReader")))["one"].data == b"from a coroutine"


async def test_secrets_reach_the_reader_alone(tmp_path: Path) -> None:
    """A secret argument is neither in the process's arguments nor in its environment; prints go nowhere."""
    opened = connector(tmp_path, "SpyReader", secrets={"password": "THE_PASSWORD"})
    found = (await contents(opened))["spy"].data
    assert found == f"password in sight: False; its length: {len(SECRET)}".encode()


async def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    """A source whose secret is absent says which variable to set."""
    opened = connector(tmp_path, "SpyReader", secrets={"password": "ABSENT"})
    with pytest.raises(SourceInvalid, match=r"'ABSENT' of its argument 'password' is not set"):
        await listed(opened)


@pytest.mark.parametrize(
    ("reader", "source", "says"),
    [
        (
            "llama_index.readers.wikipedia_x.WikipediaReader",
            {},
            "pip install llama-index-readers-wikipedia-x",
        ),
        ("NoReader", {}, "does not exist"),
        ("Plain", {}, "is no reader"),
        ("GivenReader", {"arguments": {"colour": "red"}}, "does not take its arguments"),
        ("GivenReader", {"arguments": given(), "load": {"x": 1}}, "does not take its load arguments"),
        ("not a name.at all", {}, "is no full name"),
    ],
)
async def test_a_source_that_cannot_work_says_why(
    tmp_path: Path, reader: str, source: dict[str, Any], says: str
) -> None:
    """A reader that is absent, is none or takes other arguments is named in one line."""
    with pytest.raises(SourceInvalid, match=r"^Source 'notes': the reader .*\.$") as raised:
        await listed(connector(tmp_path, reader, **source))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ("raise", "RuntimeError: the server said no to ***"),
        ("exit", "SystemExit: 3"),
        ("crash", "SIGABRT"),
        ("memory", "needs more than 256 MB"),
    ],
)
async def test_a_load_that_fails_lists_nothing(tmp_path: Path, end: str, says: str) -> None:
    """A reader that raises, exits, crashes or fills the memory makes the source unavailable in one line."""
    opened = connector(
        tmp_path,
        "GivenReader",
        arguments=given({"text": "one"}),
        secrets={"password": "THE_PASSWORD"},
        load={"end": end},
        memory_mb=256,
    )
    with pytest.raises(SourceUnavailable, match=r"^Source 'notes': the reader .*\.$") as raised:
        await listed(opened)
    assert says in str(raised.value)
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_reader_that_hangs_is_ended(tmp_path: Path) -> None:
    """A reader that goes over its time is killed, and the source is unavailable."""
    opened = connector(
        tmp_path, "GivenReader", arguments=given(), load={"end": "hang"}, seconds=2, private_hosts=True
    )
    with pytest.raises(SourceUnavailable, match=r"takes longer than 2 s"):
        await listed(opened)


async def test_a_cancelled_load_leaves_no_process(tmp_path: Path) -> None:
    """A listing that is cancelled kills the child and what it started; its spool goes as well."""
    before = children()
    opened = connector(tmp_path, "GivenReader", arguments=given(), load={"end": "hang"})
    task = asyncio.create_task(listed(opened))
    while children() == before:
        await asyncio.wait({task}, timeout=0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == before
    del opened, task
    assert left(tmp_path) == []


def left(folder: Path) -> list[Path]:
    return list((folder / "cache" / "readers" / "notes").iterdir())


def children() -> set[str]:
    own = os.getpid()
    return set(Path(f"/proc/{own}/task/{own}/children").read_text("ascii").split())


async def test_documents_that_are_too_large_are_listed(tmp_path: Path) -> None:
    """A document above the limit is listed with its size and not read; its neighbours are."""
    documents = given(
        {"text": "x" * 5000, "metadata": {"id": "big"}}, {"text": "y", "metadata": {"id": "small"}}
    )
    opened = connector(tmp_path, "GivenReader", arguments=documents, max_bytes=1000)
    refs = {ref.uri: ref for ref in await listed(opened)}
    assert refs["big"].size == 5000
    with pytest.raises(DocumentUnreadable, match=r"too large: 5,000 bytes") as raised:
        await opened.fetch(refs["big"])
    assert raised.value.status == "too-large"
    assert (await opened.fetch(refs["small"])).data.endswith(b"y")


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("how", ["connect", "mapped", "number", "name", "datagram"])
async def test_readers_reach_public_hosts_alone(tmp_path: Path, port: int, how: str) -> None:
    """A reader that reaches for this machine, in whatever spelling, is refused and lists nothing."""
    opened = connector(tmp_path, "CallingReader", arguments={"port": port, "how": how})
    with pytest.raises(SourceUnavailable, match=r"tried to reach .* which is not public"):
        await listed(opened)


async def test_a_refusal_that_is_swallowed_counts(tmp_path: Path, port: int) -> None:
    """A reader that goes on without what it could not reach lists nothing: documents may be missing."""
    opened = connector(tmp_path, "CallingReader", arguments={"port": port, "forgive": True})
    with pytest.raises(SourceUnavailable, match=r"tried to reach '127\.0\.0\.1'"):
        await listed(opened)


async def test_metadata_services_are_silent(tmp_path: Path) -> None:
    """A client that asks where it runs is refused the answer and may go on without."""
    source = {"arguments": {"port": 1, "how": "metadata", "forgive": True}, "private_hosts": True}
    found = await contents(connector(tmp_path, "CallingReader", **source))
    assert b"refused: '169.254.169.254' is not a public address" in found["call"].data


@pytest.mark.parametrize("source", [{"private_hosts": True}, {"hosts": ("127.0.0.0/8",)}])
async def test_private_hosts_can_be_allowed(tmp_path: Path, port: int, source: dict[str, Any]) -> None:
    """The source's own switch or the settings of the fetch gate let a reader reach private hosts."""
    opened = connector(tmp_path, "CallingReader", arguments={"port": port}, **source)
    assert (await contents(opened))["call"].data == b"called"


async def test_readers_start_no_programs(tmp_path: Path) -> None:
    """A reader may not start a program, which could reach any host, unless its source has private hosts."""
    call = {"port": 1, "how": "program"}
    with pytest.raises(SourceUnavailable, match=r"may not start programs"):
        await listed(connector(tmp_path, "CallingReader", arguments=call))
    assert await listed(connector(tmp_path, "CallingReader", arguments=call, private_hosts=True))


def test_names_that_are_allowed_open_their_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses that an allowed name was looked up to may be reached, others not."""
    monkeypatch.setattr("sys.addaudithook", lambda _hook: None)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(2, 1, 6, "", ("10.1.2.3", 80))])
    guard = Guard(AllowedHosts.parse(["wiki.corp"]), private=False)
    guard.install()
    with socket.socket() as connection:
        with pytest.raises(PermissionError):
            guard.check("socket.connect", (connection, ("10.1.2.3", 80)))
        socket.getaddrinfo("other.corp", 80)
        with pytest.raises(PermissionError):
            guard.check("socket.connect", (connection, ("10.1.2.3", 80)))
        socket.getaddrinfo("wiki.corp", 80)
        guard.check("socket.connect", (connection, ("10.1.2.3", 80)))
        guard.check("socket.connect", (connection, ("93.184.216.34", 80)))


def raw(text: str = "text", identifier: str = "", **metadata: object) -> RawDocument:
    return RawDocument(id=identifier, text=text, size=len(text), metadata=metadata)


def names(*documents: RawDocument) -> list[str]:
    naming = Naming()
    return [uri_for(naming.name(document)) for document in documents]


def test_uris_are_stable_and_unique() -> None:
    """A document is named by its own id, else by what its metadata says, and no two share a uri."""
    assert names(raw(identifier="page-1"), raw(identifier="page-1"), raw(identifier="page-1-2")) == [
        "page-1",
        "page-1-2",
        "page-1-2-2",
    ]
    assert names(raw(file_path="a/b", page_label="3"), raw(file_path="a/b", page_label="4")) == [
        "a/b/page_label-3",
        "a/b/page_label-4",
    ]
    hashed = names(raw(colour="red"), raw(colour="blue"), raw(colour="red"))
    assert len(set(hashed)) == 3
    assert hashed[1] == names(raw(colour="blue"))[0]
    assert names(raw(identifier="x.pdf"), raw(identifier="x.pdf.md")) == ["x.pdf.md", "x.pdf.md-2.md"]
    assert len(names(raw(identifier="y" * 5000))[0]) < 600


def test_uris_end_like_markdown() -> None:
    """No end of an id makes a parser take its text for another format."""
    assert uri_for("https://example.org/a.pdf?x=1#top") == "https://example.org/a.pdf%3Fx=1%23top.md"
    assert uri_for("notes/one") == "notes/one"


def test_versions_follow_text_and_metadata() -> None:
    """A version changes with the text and with the metadata, and with nothing else."""
    first = read_document("a", raw("text", colour="red", size=1))
    assert first.version == read_document("b", raw("text", size=1, colour="red")).version
    assert first.version != read_document("a", raw("Text", colour="red", size=1)).version
    assert first.version != read_document("a", raw("text", colour="blue", size=1)).version


def test_front_matter_survives_odd_metadata() -> None:
    """Metadata of any text stays metadata: none of it becomes text, or a key of its own."""
    odd = {"a: b": "---\ntitle: no", "c": "x" * 5000, "d": {"deep": 1}, "e": [1, [2]], "f": "\u2028\u0000é🦉"}
    parsed = read_markdown(markdown("Body.", odd).decode())
    assert parsed.markdown.strip() == "Body."
    assert parsed.warnings == ()
    assert parsed.metadata == {"a: b": "--- title: no", "f": "é🦉"}


async def test_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    """The spool of a process that was killed is removed by the next load; that of a live one stays."""
    folder = tmp_path / "cache" / "readers" / "notes"
    (folder / "dead" / "ab").mkdir(parents=True)
    (folder / "dead" / "lock").touch()
    arguments = given({"text": "one", "metadata": {"id": "one"}})
    living = connector(tmp_path, "GivenReader", arguments=arguments)
    refs = await listed(living)
    assert not (folder / "dead").exists()
    await listed(connector(tmp_path, "GivenReader", arguments=arguments))
    assert (await living.fetch(refs[0])).data.endswith(b"one")
