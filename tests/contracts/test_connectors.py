"""What every connector promises, whatever it reads.

A connector joins by adding a `World` of its own to `WORLDS`: a real source that the tests change.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import pytest

from kb.connectors.base import Connector
from kb.connectors.folder import FolderConnector
from kb.connectors.git import GitConnector
from kb.documents import Content, DocumentRef
from kb.errors import (
    DocumentUnreadable,
    DocumentVanished,
    KnowledgeBaseError,
    SourceInvalid,
    SourceUnavailable,
)
from kb.settings import FolderSource, GitSource
from tests.kb.connectors.repository import Repository

TRUST = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust"


class World(ABC):
    """A source that a test changes, and new connectors to it."""

    # Whether fetching goes on to give what was listed, after the source has changed.
    keeps_listed = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        """Return a new connector with the source name `world`."""

    @abstractmethod
    def invalid(self) -> Connector:
        """Return a connector whose definition can never work."""

    @abstractmethod
    def write(self, files: Mapping[str, bytes]) -> None:
        """Add or change documents; a change leaves the time of the change as it was."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Delete a document."""

    @abstractmethod
    def link(self, links: Mapping[str, str]) -> None:
        """Add symbolic links with these targets, where the source can hold them."""

    @abstractmethod
    def break_source(self) -> None:
        """Make the whole source unreadable, as an outage does."""


class FolderWorld(World):
    """A folder on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root = folder / "root"
        self.root.mkdir()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = FolderSource(name="world", location=str(self.root), include=include, exclude=exclude)
        return FolderConnector(source, max_bytes=max_bytes)

    def invalid(self) -> Connector:
        return FolderConnector(FolderSource(name="world", location="a\0b"))

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            os.utime(file, (1_700_000_000, 1_700_000_000))

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def link(self, links: Mapping[str, str]) -> None:
        for path, target in links.items():
            (self.root / path).symlink_to(target)

    def break_source(self) -> None:
        self.root.rename(self.folder / "elsewhere")


class GitWorld(World):
    """A local git repository."""

    keeps_listed = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.repository = Repository(folder / "repository")
        self.repository.commit()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = GitSource(name="world", location=str(self.repository.path), include=include, exclude=exclude)
        return GitConnector(source, data=self.folder / "data", max_bytes=max_bytes)

    def invalid(self) -> Connector:
        return GitConnector(GitSource(name="world", location="ext::sh -c true"), data=self.folder / "data")

    def write(self, files: Mapping[str, bytes]) -> None:
        self.repository.write(files)

    def remove(self, path: str) -> None:
        (self.repository.path / path).unlink()
        self.repository.commit()

    def link(self, links: Mapping[str, str]) -> None:
        for path, target in links.items():
            (self.repository.path / path).symlink_to(target)
        self.repository.commit()

    def break_source(self) -> None:
        self.repository.path.rename(self.folder / "elsewhere")


WORLDS: list[type[World]] = [FolderWorld, GitWorld]


@pytest.fixture(params=WORLDS, ids=lambda world: world.__name__)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made = request.param(tmp_path)
    assert isinstance(made, World)
    return made


async def listed(connector: Connector) -> dict[str, DocumentRef]:
    refs = [ref async for ref in connector.list_documents()]
    found = {ref.uri: ref for ref in refs}
    assert len(found) == len(refs)
    return found


def forged(uri: str) -> DocumentRef:
    return DocumentRef(source="world", uri=uri, version="")


async def test_lists_every_document_once(world: World) -> None:
    """A listing yields each document once, with its source and size."""
    world.write({"a.md": b"alpha", "deep/er/b.md": b"be"})
    found = await listed(world.connector())
    assert {uri: (ref.source, ref.size) for uri, ref in found.items()} == {
        "a.md": ("world", 5),
        "deep/er/b.md": ("world", 2),
    }


async def test_fetches_the_bytes(world: World) -> None:
    """Fetching a listed document returns its bytes under the listed version."""
    data = bytes(range(256)) * 300
    world.write({"a.bin": data})
    connector = world.connector()
    refs = await listed(connector)
    content = await connector.fetch(refs["a.bin"])
    assert (content.data, content.version) == (data, None)


async def test_says_when_it_changed(world: World) -> None:
    """Content says, with a time zone, when the document last changed."""
    world.write({"a.md": b"alpha"})
    content = await fetched(world.connector(), "a.md")
    assert content.updated is not None
    assert content.updated.isoformat() == "2023-11-14T22:13:20+00:00"


async def fetched(connector: Connector, uri: str) -> Content:
    return await connector.fetch((await listed(connector))[uri])


async def test_unchanged_listings_are_equal(world: World) -> None:
    """Two listings of an unchanged source are equal, from one connector or from two."""
    world.write({f"d{number % 3}/{number}.md": b"text" for number in range(20)})
    connector = world.connector()
    first = await listed(connector)
    assert first == await listed(connector)
    assert first == await listed(world.connector())


async def test_a_change_shows(world: World) -> None:
    """A changed document has another version though size and time are as before; others keep theirs."""
    world.write({"a.md": b"old", "b.md": b"old"})
    before = await listed(world.connector())
    world.write({"a.md": b"new"})
    after = await listed(world.connector())
    assert after["a.md"].version != before["a.md"].version
    assert after["b.md"] == before["b.md"]


async def test_same_text_twice(world: World) -> None:
    """Two documents with the same text are two documents."""
    world.write({"a.md": b"same", "b.md": b"same"})
    assert set(await listed(world.connector())) == {"a.md", "b.md"}


async def test_equal_versions_mean_equal_content(world: World) -> None:
    """Over a random history, one version of one document always stands for the same bytes."""
    chance = random.Random(7)
    seen: dict[tuple[str, str], bytes] = {}
    held: set[str] = set()
    for _ in range(12):
        path = f"{chance.choice('abc')}.md"
        if path in held and chance.random() < 0.3:
            world.remove(path)
            held.discard(path)
        else:
            world.write({path: chance.choice([b"one", b"two", b"six"])})
            held.add(path)
        connector = world.connector()
        refs = await listed(connector)
        assert set(refs) == held
        for uri, ref in refs.items():
            data = (await connector.fetch(ref)).data
            assert seen.setdefault((uri, ref.version), data) == data


async def test_a_removed_document_is_not_listed(world: World) -> None:
    """A deleted document is in no later listing and cannot be fetched after it."""
    world.write({"a.md": b"alpha", "b.md": b"beta"})
    connector = world.connector()
    before = await listed(connector)
    world.remove("a.md")
    if world.keeps_listed:
        assert (await connector.fetch(before["a.md"])).data == b"alpha"
    else:
        with pytest.raises(DocumentVanished):
            await connector.fetch(before["a.md"])
    assert set(await listed(connector)) == {"b.md"}
    with pytest.raises(DocumentVanished):
        await connector.fetch(before["a.md"])


async def test_an_empty_source_lists_nothing(world: World) -> None:
    """A source without documents is no error."""
    assert await listed(world.connector()) == {}


AWKWARD = {
    'it\'s "quoted".md': 'it\'s "quoted".md',
    "two\nlines.md": "two%0Alines.md",
    "🦉 owl.md": "🦉 owl.md",
    "café.md": "café.md",
    "cafe\u0301.md": "cafe\u0301.md",
    "..md": "..md",
    "-rf.md": "-rf.md",
    "a\\b.md": "a\\b.md",
    "100% sure.md": "100% sure.md",
    "%41.md": "%2541.md",
    os.fsdecode(b"\xff\xfe.md"): "%FF%FE.md",
    "\u202egnp.md": "%E2%80%AEgnp.md",
    "x" * 252 + ".md": "x" * 252 + ".md",
    "README.md": "README.md",
    "readme.md": "readme.md",
    "a?b#c.md": "a?b#c.md",
}


async def test_awkward_names_work(world: World) -> None:
    """Every legal file name has a printable uri of its own and can be fetched by it."""
    world.write({name: str(number).encode() for number, name in enumerate(AWKWARD)})
    connector = world.connector()
    refs = await listed(connector)
    assert set(refs) == set(AWKWARD.values())
    for number, uri in enumerate(AWKWARD.values()):
        assert (await connector.fetch(refs[uri])).data == str(number).encode()


SECRETS = [
    ".env",
    ".env.local",
    "tls/server.pem",
    "tls/Server.KEY",
    "id_rsa",
    "id_ed25519.pub",
    ".netrc",
    "credentials",
    "credentials.json",
    "team.kdbx",
    ".aws/credentials",
    ".ssh/config",
    ".git-credentials",
    "infra/main.tfstate",
]


async def test_secrets_are_neither_listed_nor_fetched(world: World) -> None:
    """Keys, passwords and the like are skipped by default; pages about them are not."""
    world.write({**dict.fromkeys(SECRETS, b"planted-secret"), "credentials.md": b"How to get credentials."})
    connector = world.connector()
    assert set(await listed(connector)) == {"credentials.md"}
    for path in SECRETS:
        with pytest.raises(DocumentVanished):
            await connector.fetch(forged(path))


async def test_machine_folders_are_skipped(world: World) -> None:
    """Caches, dependencies and hidden folders are not read; `.github` is."""
    skipped = ["node_modules/x/a.md", "src/__pycache__/a.md", ".venv/a.md", ".cache/a.md"]
    world.write(dict.fromkeys([*skipped, ".github/a.md"], b"text"))
    assert set(await listed(world.connector())) == {".github/a.md"}


async def test_globs_choose(world: World) -> None:
    """`include` limits what is read, `exclude` takes from it, and a forged ref does not get round them."""
    world.write(dict.fromkeys(["docs/a.md", "docs/old/b.md", "docs/c.txt", "src/d.md"], b"text"))
    connector = world.connector(include=("docs/**/*.md",), exclude=("old/",))
    assert set(await listed(connector)) == {"docs/a.md"}
    for path in ("docs/old/b.md", "docs/c.txt", "src/d.md"):
        with pytest.raises(DocumentVanished):
            await connector.fetch(forged(path))


@pytest.mark.parametrize("glob", ["[z-a]", "!", "#comment", "*a*a*a*a*a*a*"])
async def test_a_bad_glob_is_refused(world: World, glob: str) -> None:
    """A glob that cannot work is named in one line."""
    with pytest.raises(SourceInvalid, match=r"^Source 'world': include has .*, not a glob"):
        await listed(world.connector(include=(glob,)))


OUTSIDE = [
    "../outside.md",
    "a/../../outside.md",
    "./a.md",
    "/etc/passwd",
    "//etc/passwd",
    "..",
    ".",
    "",
    "a.md/",
    "a.md\0",
    "\ud800",
    "%2e%2e/outside.md",
    "%2E%2E/outside.md",
    "x" * 5000,
]


async def test_nothing_outside_is_fetched(world: World) -> None:
    """A ref that was never listed leads nowhere."""
    (world.folder / "outside.md").write_bytes(b"outside")
    world.write({"a.md": b"inside"})
    connector = world.connector()
    for uri in OUTSIDE:
        with pytest.raises(DocumentVanished) as raised:
            await connector.fetch(forged(uri))
        assert "\n" not in str(raised.value)


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
async def test_traversal_strings_lead_nowhere(world: World) -> None:
    """No traversal string fetches anything."""
    world.write({"a.md": b"inside"})
    connector = world.connector()
    lines = (TRUST / "paths" / "traversal.jsonl").read_text("utf-8").splitlines()
    for line in lines:
        with pytest.raises(DocumentUnreadable):
            await connector.fetch(forged(json.loads(line)["path"]))


def legal_names() -> dict[bytes, bytes]:
    """Every trust string and file name that a file of Linux can bear, and its text."""
    strings = (TRUST / "strings" / "blns.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["s"] for line in strings]
    names = [
        json.loads(line)["name"] for line in (TRUST / "paths" / "filenames.jsonl").read_text().splitlines()
    ]
    raw = [text.encode("utf-8", "surrogatepass") for text in (*texts, *names)]
    legal = [name for name in raw if name and len(name) <= 255 and not {0, 47} & set(name)]
    return {name: name for name in legal if name not in {b".", b".."} and name.lower() != b".git"}


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
async def test_trust_strings_as_names(world: World) -> None:
    """Every naughty string that can be a file name is listed under a printable uri and fetched."""
    names = legal_names()
    world.write({os.fsdecode(name): data for name, data in names.items()})
    connector = world.connector()
    refs = await listed(connector)
    contents = {(await connector.fetch(ref)).data for ref in refs.values()}
    assert contents == set(names.values())
    assert not [uri for uri in refs if any(ord(character) < 32 for character in uri)]
    assert not [uri for uri in refs if not uri.isprintable() and uri.isascii()]


async def test_links_do_not_lead_out(world: World) -> None:
    """A symbolic link out of the source, to itself, in a ring or to a folder is no document."""
    (world.folder / "outside.md").write_bytes(b"outside")
    world.write({"a.md": b"inside"})
    links = {
        "absolute.md": "/etc/passwd",
        "relative.md": "../outside.md",
        "folder": "/etc",
        "self.md": "self.md",
        "ring1.md": "ring2.md",
        "ring2.md": "ring1.md",
        "dangling.md": "nowhere.md",
    }
    world.link(links)
    connector = world.connector()
    assert set(await listed(connector)) == {"a.md"}
    for uri in ("absolute.md", "relative.md", "folder/passwd", "self.md", "ring1.md", "dangling.md"):
        with pytest.raises(DocumentUnreadable):
            await connector.fetch(forged(uri))


async def test_a_large_document_is_refused(world: World) -> None:
    """A document above the limit is listed with its size and not read."""
    world.write({"big.md": b"x" * 2000, "small.md": b"x" * 100})
    connector = world.connector(max_bytes=1000)
    refs = await listed(connector)
    assert refs["big.md"].size == 2000
    with pytest.raises(DocumentUnreadable, match=r"too large: 2,000 bytes, the limit is 1,000") as raised:
        await connector.fetch(refs["big.md"])
    assert raised.value.status == "too-large"
    assert len((await connector.fetch(refs["small.md"])).data) == 100


async def test_fetches_run_side_by_side(world: World) -> None:
    """Concurrent fetches each get their own document."""
    world.write({f"{number}.md": str(number).encode() * 1000 for number in range(10)})
    connector = world.connector()
    refs = await listed(connector)
    contents = await asyncio.gather(*(connector.fetch(refs[f"{n % 10}.md"]) for n in range(50)))
    assert [content.data[:1] for content in contents] == [str(n % 10).encode() for n in range(50)]


async def test_a_listing_can_be_left(world: World) -> None:
    """A listing that its reader leaves early does not spoil the next one."""
    world.write({f"{number}.md": b"text" for number in range(5)})
    connector = world.connector()
    async for ref in connector.list_documents():
        assert ref.size == 4
        break
    assert len(await listed(connector)) == 5


async def test_an_outage_is_no_empty_source(world: World) -> None:
    """A source that cannot be read raises SourceUnavailable in one line, and works again afterwards."""
    world.write({"a.md": b"alpha"})
    before = await listed(world.connector())
    world.break_source()
    with pytest.raises(SourceUnavailable, match=r"^Source 'world': .*\.$") as raised:
        await listed(world.connector())
    assert "\n" not in str(raised.value)
    with pytest.raises(SourceUnavailable):
        await world.connector().fetch(before["a.md"])


async def test_construction_does_no_work(world: World) -> None:
    """A definition that cannot work is found by the first call, not by the constructor."""
    connector = world.invalid()
    with pytest.raises(SourceInvalid):
        await listed(connector)
    with pytest.raises(KnowledgeBaseError):
        await connector.fetch(forged("a.md"))
