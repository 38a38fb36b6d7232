"""What every connector promises, whatever it reads.

A connector joins by a module `<name>_world.py` beside this one: see `world.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kb.connectors.base import Connector
from kb.documents import Content, DocumentRef
from kb.errors import (
    DocumentUnreadable,
    DocumentVanished,
    KnowledgeBaseError,
    SourceInvalid,
    SourceUnavailable,
)
from tests.contracts.world import World, worlds

TRUST = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust"


@pytest.fixture(params=worlds(), ids=lambda world: world.__name__)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    made = request.param(tmp_path)
    assert isinstance(made, World)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def of_paths(world: World) -> World:
    if not world.paths:
        pytest.skip("its documents are no files")
    return world


@pytest.fixture
def of_globs(world: World) -> World:
    if not world.globs:
        pytest.skip("its documents have no paths to choose by")
    return world


@pytest.fixture
def of_removals(world: World) -> World:
    if not world.removes:
        pytest.skip("its documents stay when they leave the source")
    return world


async def listed(connector: Connector) -> dict[str, DocumentRef]:
    refs = [ref async for ref in connector.list_documents()]
    found = {ref.uri: ref for ref in refs}
    assert len(found) == len(refs)
    return found


def forged(uri: str) -> DocumentRef:
    return DocumentRef(source="world", uri=uri, version="")


async def test_lists_every_document_once(world: World) -> None:
    """A listing yields each document once, under its source's name."""
    world.write({"a.md": b"alpha", "deep/er/b.md": b"be"})
    found = await listed(world.connector())
    assert {uri: ref.source for uri, ref in found.items()} == {
        world.uri("a.md"): "world",
        world.uri("deep/er/b.md"): "world",
    }


async def test_lists_sizes(of_paths: World) -> None:
    """A file is listed with its size in bytes."""
    of_paths.write({"a.md": b"alpha", "deep/er/b.md": b"be"})
    found = await listed(of_paths.connector())
    assert {uri: ref.size for uri, ref in found.items()} == {"a.md": 5, "deep/er/b.md": 2}


async def test_fetches_the_content(world: World) -> None:
    """Fetching a listed document returns its content under the listed version."""
    data = "Größe & Gewicht, 🦉 and more. ".encode() * 500
    world.write({"a.md": data})
    content = await fetched(world.connector(), world.uri("a.md"))
    assert world.shows(content, data)
    assert content.version is None


async def test_fetches_the_bytes(of_paths: World) -> None:
    """Whatever bytes a file holds are fetched as they are."""
    data = bytes(range(256)) * 300
    of_paths.write({"a.bin": data})
    assert (await fetched(of_paths.connector(), "a.bin")).data == data


async def test_says_when_it_changed(of_paths: World) -> None:
    """A file's content says, with a time zone, when it last changed."""
    of_paths.write({"a.md": b"alpha"})
    content = await fetched(of_paths.connector(), "a.md")
    assert content.updated is not None
    assert content.updated.isoformat() == "2023-11-14T22:13:20+00:00"


async def test_times_have_a_zone(world: World) -> None:
    """Where content says when it changed, it says so with a time zone."""
    world.write({"a.md": b"alpha"})
    content = await fetched(world.connector(), world.uri("a.md"))
    assert content.updated is None or content.updated.utcoffset() is not None


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
    """A changed document has another version, whatever its size and time; others keep theirs."""
    world.write({"a.md": b"old", "b.md": b"old"})
    before = await listed(world.connector())
    world.write({"a.md": b"new"})
    after = await listed(world.connector())
    one, other = world.uri("a.md"), world.uri("b.md")
    assert after[one].version != before[one].version
    assert after[other] == before[other]


async def test_same_text_twice(world: World) -> None:
    """Two documents with the same text are two documents."""
    world.write({"a.md": b"same", "b.md": b"same"})
    assert set(await listed(world.connector())) == {world.uri("a.md"), world.uri("b.md")}


async def test_equal_versions_mean_equal_content(world: World) -> None:
    """Over a random history, one version of one document always stands for the same bytes."""
    chance = random.Random(7)
    seen: dict[tuple[str, str], bytes] = {}
    held: dict[str, bytes] = {}
    for _ in range(12):
        path = f"{chance.choice('abc')}.md"
        if path in held and world.removes and chance.random() < 0.3:
            world.remove(path)
            del held[path]
        else:
            held[path] = chance.choice([b"one", b"two", b"six"])
            world.write({path: held[path]})
        connector = world.connector()
        refs = await listed(connector)
        assert set(refs) == {world.uri(each) for each in held}
        for each, text in held.items():
            ref = refs[world.uri(each)]
            content = await connector.fetch(ref)
            assert world.shows(content, text)
            assert seen.setdefault((ref.uri, ref.version), content.data) == content.data


async def test_a_removed_document_is_not_listed(of_removals: World) -> None:
    """A deleted document is in no later listing and cannot be fetched after it."""
    world = of_removals
    world.write({"a.md": b"alpha", "b.md": b"beta"})
    connector = world.connector()
    before = await listed(connector)
    gone, left = world.uri("a.md"), world.uri("b.md")
    world.remove("a.md")
    if world.keeps_listed:
        assert world.shows(await connector.fetch(before[gone]), b"alpha")
    else:
        with pytest.raises(DocumentVanished):
            await connector.fetch(before[gone])
    assert set(await listed(connector)) == {left}
    with pytest.raises(DocumentVanished):
        await connector.fetch(before[gone])


async def test_a_lost_memory_costs_no_truth(world: World) -> None:
    """A connector that has lost what it remembered lists the same refs."""
    world.write({"a.md": b"alpha", "b.md": b"beta"})
    before = await listed(world.connector())
    world.forget()
    assert await listed(world.connector()) == before


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


async def test_awkward_names_work(of_paths: World) -> None:
    """Every legal file name has a printable uri of its own and can be fetched by it."""
    of_paths.write({name: str(number).encode() for number, name in enumerate(AWKWARD)})
    connector = of_paths.connector()
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


async def test_secrets_are_neither_listed_nor_fetched(of_paths: World) -> None:
    """Keys, passwords and the like are skipped by default; pages about them are not."""
    of_paths.write(
        {**dict.fromkeys(SECRETS, b"planted-secret"), "credentials.md": b"How to get credentials."}
    )
    connector = of_paths.connector()
    assert set(await listed(connector)) == {"credentials.md"}
    for path in SECRETS:
        with pytest.raises(DocumentVanished):
            await connector.fetch(forged(path))


async def test_machine_folders_are_skipped(of_paths: World) -> None:
    """Caches, dependencies and hidden folders are not read; `.github` is."""
    skipped = ["node_modules/x/a.md", "src/__pycache__/a.md", ".venv/a.md", ".cache/a.md"]
    of_paths.write(dict.fromkeys([*skipped, ".github/a.md"], b"text"))
    assert set(await listed(of_paths.connector())) == {".github/a.md"}


async def test_globs_choose(of_globs: World) -> None:
    """`include` limits what is read, `exclude` takes from it, and a forged ref does not get round them."""
    of_globs.write(dict.fromkeys(["docs/a.md", "docs/old/b.md", "docs/c.txt", "src/d.md"], b"text"))
    connector = of_globs.connector(include=("docs/**/*.md",), exclude=("old/",))
    assert set(await listed(connector)) == {of_globs.uri("docs/a.md")}
    for path in ("docs/old/b.md", "docs/c.txt", "src/d.md"):
        with pytest.raises(DocumentVanished):
            await connector.fetch(forged(of_globs.uri(path)))


@pytest.mark.parametrize("glob", ["[z-a]", "!", "#comment", "*a*a*a*a*a*a*"])
async def test_a_bad_glob_is_refused(of_globs: World, glob: str) -> None:
    """A glob that cannot work is named in one line."""
    with pytest.raises(SourceInvalid, match=r"^Source 'world': include has .*, not a glob"):
        await listed(of_globs.connector(include=(glob,)))


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
    for uri in (*OUTSIDE, *world.outside):
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
async def test_trust_strings_as_names(of_paths: World) -> None:
    """Every naughty string that can be a file name is listed under a printable uri and fetched."""
    names = legal_names()
    of_paths.write({os.fsdecode(name): data for name, data in names.items()})
    connector = of_paths.connector()
    refs = await listed(connector)
    contents = {(await connector.fetch(ref)).data for ref in refs.values()}
    assert contents == set(names.values())
    assert not [uri for uri in refs if any(ord(character) < 32 for character in uri)]
    assert not [uri for uri in refs if not uri.isprintable() and uri.isascii()]


async def test_links_do_not_lead_out(of_paths: World) -> None:
    """A symbolic link out of the source, to itself, in a ring or to a folder is no document."""
    (of_paths.folder / "outside.md").write_bytes(b"outside")
    of_paths.write({"a.md": b"inside"})
    links = {
        "absolute.md": "/etc/passwd",
        "relative.md": "../outside.md",
        "folder": "/etc",
        "self.md": "self.md",
        "ring1.md": "ring2.md",
        "ring2.md": "ring1.md",
        "dangling.md": "nowhere.md",
    }
    of_paths.link(links)
    connector = of_paths.connector()
    assert set(await listed(connector)) == {"a.md"}
    for uri in ("absolute.md", "relative.md", "folder/passwd", "self.md", "ring1.md", "dangling.md"):
        with pytest.raises(DocumentUnreadable):
            await connector.fetch(forged(uri))


async def test_a_large_document_is_refused(of_paths: World) -> None:
    """A document above the limit is listed with its size and not read."""
    of_paths.write({"big.md": b"x" * 2000, "small.md": b"x" * 100})
    connector = of_paths.connector(max_bytes=1000)
    refs = await listed(connector)
    assert refs["big.md"].size == 2000
    with pytest.raises(DocumentUnreadable, match=r"too large: 2,000 bytes, the limit is 1,000") as raised:
        await connector.fetch(refs["big.md"])
    assert raised.value.status == "too-large"
    assert len((await connector.fetch(refs["small.md"])).data) == 100


async def test_fetches_run_side_by_side(world: World) -> None:
    """Concurrent fetches each get their own document."""
    texts = {f"{number}.md": str(number).encode() * 1000 for number in range(10)}
    world.write(texts)
    connector = world.connector()
    refs = await listed(connector)
    names = [f"{number % 10}.md" for number in range(50)]
    contents = await asyncio.gather(*(connector.fetch(refs[world.uri(name)]) for name in names))
    for name, content in zip(names, contents, strict=True):
        assert world.shows(content, texts[name])


async def test_a_listing_can_be_left(world: World) -> None:
    """A listing that its reader leaves early does not spoil the next one."""
    world.write({f"{number}.md": b"text" for number in range(5)})
    connector = world.connector()
    async for ref in connector.list_documents():
        assert ref.source == "world"
        break
    assert len(await listed(connector)) == 5


async def test_documents_are_fetched_while_listing_goes_on(world: World) -> None:
    """A document can be fetched as soon as it is listed, before the listing has ended."""
    texts = {f"{number}.md": str(number).encode() * 100 for number in range(10)}
    world.write(texts)
    uris = {world.uri(name): data for name, data in texts.items()}
    connector = world.connector()
    async for ref in connector.list_documents():
        assert world.shows(await connector.fetch(ref), uris.pop(ref.uri))
    assert not uris


async def test_an_outage_is_no_empty_source(world: World) -> None:
    """A source that cannot be read raises SourceUnavailable in one line."""
    world.write({"a.md": b"alpha"})
    before = await listed(world.connector())
    world.break_source()
    with pytest.raises(SourceUnavailable, match=r"^Source 'world': .*\.$") as raised:
        await listed(world.connector())
    assert "\n" not in str(raised.value)
    with pytest.raises(SourceUnavailable):
        await world.connector().fetch(before[world.uri("a.md")])


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_a_refusal_is_no_empty_source(world: World, status: int) -> None:
    """A host that answers everything with an error status makes the source unavailable, not empty."""
    if status not in world.refusals:
        pytest.skip("it has no such answer")
    world.write({"a.md": b"alpha"})
    before = await listed(world.connector())
    world.refuse(status)
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match=r"^Source 'world': .*\.$") as raised:
            await listed(world.connector())
        assert "\n" not in str(raised.value)
    with pytest.raises((SourceUnavailable, DocumentUnreadable)):
        await world.connector().fetch(before[world.uri("a.md")])


async def test_construction_does_no_work(world: World) -> None:
    """A definition that cannot work is found by the first call, not by the constructor."""
    connector = world.invalid()
    with pytest.raises(SourceInvalid):
        await listed(connector)
    with pytest.raises(KnowledgeBaseError):
        await connector.fetch(forged("a.md"))
