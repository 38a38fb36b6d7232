from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.connectors import folder as folder_module
from kb.connectors import rooted
from kb.connectors.folder import FolderConnector
from kb.documents import DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.sources import FolderSource
from tests.kb.connectors.repository import Repository


def connector(root: Path | str, *, gitignore: bool = True) -> FolderConnector:
    return FolderConnector(FolderSource(name="docs", location=str(root), gitignore=gitignore))


async def listed(connector: FolderConnector) -> dict[str, DocumentRef]:
    return {ref.uri: ref async for ref in connector.list_documents()}


def write(root: Path, **files: str) -> None:
    for path, text in files.items():
        file = root / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_name(file.name + ".md").write_text(text)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make opening one name fail as a file without permission does, also for root."""
    really_open = os.open

    def install(name: str) -> None:
        def refusing(path: str, flags: int, *rest: int, dir_fd: int | None = None) -> int:
            if path == name:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return really_open(path, flags, *rest, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refusing)

    return install


async def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    """A folder that does not exist may be mounted later: nothing of it may be deleted."""
    with pytest.raises(
        SourceUnavailable, match=r"^Source 'docs': the folder '.*/gone' does not exist\. Create"
    ):
        await listed(connector(tmp_path / "gone"))


async def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file as location is a wrong definition."""
    (tmp_path / "file").write_text("text")
    with pytest.raises(SourceInvalid, match=r"is a file\. Give the path of a folder\.$"):
        await listed(connector(tmp_path / "file"))
    with pytest.raises(SourceUnavailable, match="does not exist"):
        await listed(connector(tmp_path / "file" / "below"))


@pytest.mark.parametrize("location", ["  ", "a\0b", "~no-such-user-here/docs"])
async def test_what_is_no_path_is_invalid(location: str) -> None:
    """A location that can never be a folder is a wrong definition."""
    with pytest.raises(SourceInvalid, match=r"^Source 'docs': the folder "):
        await listed(connector(location))


async def test_an_unreadable_root_is_unavailable(tmp_path: Path, refuse: Callable[[str], None]) -> None:
    """A root without permission raises SourceUnavailable from listing and from fetching."""
    write(tmp_path, a="alpha")
    refs = await listed(connector(tmp_path))
    refuse(str(tmp_path))
    with pytest.raises(SourceUnavailable, match=r"cannot be read \(Permission denied\)"):
        await listed(connector(tmp_path))
    with pytest.raises(SourceUnavailable):
        await connector(tmp_path).fetch(refs["a.md"])


async def test_an_unreadable_part_makes_the_listing_incomplete(
    tmp_path: Path, refuse: Callable[[str], None]
) -> None:
    """Readable documents are listed first, then the listing says that it is incomplete."""
    write(tmp_path, a="alpha", locked__b="beta", open__c="gamma")
    refuse("locked")
    seen = []

    async def note() -> None:
        async for ref in connector(tmp_path).list_documents():
            seen.append(ref.uri)  # noqa: PERF401 - a comprehension would lose what came before the error

    with pytest.raises(
        SourceUnavailable, match=r"1 folders in it cannot be read, first 'locked' \(Permission"
    ):
        await note()
    assert sorted(seen) == ["a.md", "open/c.md"]


async def test_unreadable_ignore_rules_make_the_listing_incomplete(
    tmp_path: Path, refuse: Callable[[str], None]
) -> None:
    """A folder whose .gitignore cannot be read is not read, since its private files are unknown."""
    write(tmp_path, a="alpha", sub__b="beta")
    (tmp_path / "sub" / ".gitignore").write_text("b.md")
    refuse(".gitignore")
    with pytest.raises(SourceUnavailable, match="first 'sub'"):
        await listed(connector(tmp_path))


async def test_one_unreadable_file_is_its_own_matter(tmp_path: Path, refuse: Callable[[str], None]) -> None:
    """A file without permission fails alone."""
    write(tmp_path, a="alpha", b="beta")
    source = connector(tmp_path)
    refs = await listed(source)
    refuse("a.md")
    with pytest.raises(
        DocumentUnreadable, match=r"^'a.md' of source 'docs' cannot be read: Permission denied"
    ):
        await source.fetch(refs["a.md"])
    assert (await source.fetch(refs["b.md"])).data == b"beta"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_real_permissions(tmp_path: Path) -> None:
    """A folder with mode 000 makes the listing incomplete."""
    write(tmp_path, a="alpha", locked__b="beta")
    (tmp_path / "locked").chmod(0)
    try:
        with pytest.raises(SourceUnavailable):
            await listed(connector(tmp_path))
    finally:
        (tmp_path / "locked").chmod(stat.S_IRWXU)


async def test_a_root_replaced_midway_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is unmounted during the walk does not look emptied."""
    monkeypatch.setattr(folder_module, "_BATCH", 1)
    root = tmp_path / "root"
    write(root, a="alpha", sub__b="beta")
    listing = connector(root).list_documents()
    assert (await anext(listing)).uri == "a.md"
    root.rename(tmp_path / "away")
    root.mkdir()
    with pytest.raises(SourceUnavailable, match="was replaced while it was listed"):
        await anext(listing)


async def test_a_folder_that_vanishes_midway_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sub-folder that is deleted during the walk is deleted, not unreadable."""
    monkeypatch.setattr(folder_module, "_BATCH", 1)
    write(tmp_path, a="alpha", sub__b="beta")
    listing = connector(tmp_path).list_documents()
    assert (await anext(listing)).uri == "a.md"
    (tmp_path / "sub" / "b.md").unlink()
    (tmp_path / "sub").rmdir()
    assert [ref.uri async for ref in listing] == []


IGNORE_CASES = [
    {".gitignore": "*.log\nbuild/\n!keep.log\n"},
    {".gitignore": "/top.md\nsub/*.md\n", "sub/.gitignore": "!b.md\n"},
    {".gitignore": "sub/*\n!sub/deep/\n"},
    {".gitignore": "sub/\n!sub/b.md\n", "sub/.gitignore": "!*\n"},
    {".gitignore": "*\n!*/\n!*.md\n"},
    {".gitignore": "/*\n!/sub/\nsub/**\n!sub/b.md\n"},
    {".gitignore": "sub/**\n!sub/**/\n!sub/**/c.md\n"},
    {".gitignore": "/*/\n!/sub/\n/sub/*/\n"},
    {".gitignore": "**/deep\n# comment\n\\#odd.md\nspace.md \n"},
    {".gitignore": "\ufeffb.md\r\n*.log\r\n"},
    {"sub/.gitignore": "/b.md\ndeep/**/c.md\n", "sub/deep/.gitignore": "*.log"},
]


@pytest.mark.parametrize("rules", IGNORE_CASES)
async def test_ignore_rules_are_those_of_git(tmp_path: Path, rules: dict[str, str]) -> None:
    """`.gitignore` files, nested and negated, leave the same files as git itself."""
    root = tmp_path / "root"
    repository = Repository(root)
    for path in (
        "top.md", "b.md", "x.log", "keep.log", "#odd.md", "space.md", "build/a.md", "sub/b.md", "sub/top.md",
        "sub/x.log", "sub/build", "sub/deep/c.md", "sub/deep/keep.log", "sub/deep/er/c.md", "deep/c.md",
    ):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text")
    for path, text in rules.items():
        (root / path).write_text(text)
    wanted = set(repository.run("ls-files", "-z", "--others", "--exclude-standard").strip("\0").split("\0"))
    assert set(await listed(connector(root))) == wanted - set(rules)


async def test_ignore_rules_can_be_off(tmp_path: Path) -> None:
    """`gitignore = false` reads what git would ignore."""
    write(tmp_path, a="alpha")
    (tmp_path / ".gitignore").write_text("*.md")
    assert await listed(connector(tmp_path)) == {}
    assert set(await listed(connector(tmp_path, gitignore=False))) == {"a.md"}


async def test_broken_ignore_lines_are_left_out(tmp_path: Path) -> None:
    """A line that is no pattern does not spoil the others."""
    write(tmp_path, a="alpha", b="beta")
    (tmp_path / ".gitignore").write_text("[z-a]\n!\n\\\n\0\n*a*a*a*a*a*a*\na.md\n")
    assert set(await listed(connector(tmp_path))) == {"b.md"}


async def test_only_regular_files_are_documents(tmp_path: Path) -> None:
    """Pipes and sockets are not listed, and not opened when a document turned into one."""
    write(tmp_path, a="alpha", b="beta")
    source = connector(tmp_path)
    refs = await listed(source)
    (tmp_path / "a.md").unlink()
    os.mkfifo(tmp_path / "a.md")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "c.md"))
        assert set(await listed(source)) == {"b.md"}
    with pytest.raises(DocumentUnreadable, match="not a regular file"):
        await source.fetch(refs["a.md"])


async def test_a_link_inside_is_a_document_of_its_own(tmp_path: Path) -> None:
    """A link to a file of the folder is listed under the link's path and follows its target."""
    write(tmp_path, sub__a="alpha")
    (tmp_path / "link.md").symlink_to("sub/a.md")
    source = connector(tmp_path)
    before = await listed(source)
    assert set(before) == {"sub/a.md", "link.md"}
    write(tmp_path, sub__a="changed")
    after = await listed(source)
    assert after["link.md"].version != before["link.md"].version
    content = await source.fetch(after["link.md"])
    assert (content.data, content.version) == (b"changed", None)


async def test_a_link_to_a_secret_is_no_document(tmp_path: Path) -> None:
    """A harmless name does not open a file that is skipped."""
    (tmp_path / ".env").write_text("planted")
    (tmp_path / "notes.md").symlink_to(".env")
    source = connector(tmp_path)
    assert await listed(source) == {}
    with pytest.raises(DocumentUnreadable, match="a link that leads to none of the source's files"):
        await source.fetch(DocumentRef(source="docs", uri="notes.md", version=""))


@pytest.mark.parametrize("swapped", ["sub/a.md", "sub"])
async def test_a_link_swapped_in_does_not_lead_out(tmp_path: Path, swapped: str) -> None:
    """A file or a folder replaced by a link after the listing is not followed."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(root, sub__a="inside")
    write(outside, a="outside")
    source = connector(root)
    refs = await listed(source)
    (root / swapped).rename(tmp_path / "away")
    (root / swapped).symlink_to(outside / "a.md" if swapped.endswith(".md") else outside)
    with pytest.raises(DocumentUnreadable):
        await source.fetch(refs["sub/a.md"])


async def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    """A location that is a link to a folder works, links inside it included."""
    write(tmp_path / "real", a="alpha")
    (tmp_path / "real" / "b.md").symlink_to(tmp_path / "real" / "a.md")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    source = connector(tmp_path / "alias")
    refs = await listed(source)
    assert set(refs) == {"a.md", "b.md"}
    assert (await source.fetch(refs["b.md"])).data == b"alpha"


async def test_quick_edits_are_seen(tmp_path: Path) -> None:
    """A file edited again at once, to the same size and time, has another version than the bytes read."""
    source = connector(tmp_path)
    file = tmp_path / "a.md"
    for number in range(10, 30):
        file.write_text(str(number))
        os.utime(file, (1, 1))
        ref = (await listed(source))["a.md"]
        content = await source.fetch(ref)
        assert content.data == str(number).encode()
        file.write_text(str(number + 50))
        os.utime(file, (1, 1))
        assert (await listed(source))["a.md"].version != (content.version or ref.version)


async def test_content_carries_the_version_of_its_bytes(tmp_path: Path) -> None:
    """A file that changed between listing and reading comes with its new version."""
    write(tmp_path, a="alpha")
    source = connector(tmp_path)
    ref = (await listed(source))["a.md"]
    write(tmp_path, a="something longer")
    content = await source.fetch(ref)
    assert content.data == b"something longer"
    assert content.version == (await listed(source))["a.md"].version


async def test_a_file_that_keeps_growing_has_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading stops at the size the file had, and the bytes count as unknown so that they are read again."""
    write(tmp_path, log="0")
    source = connector(tmp_path)
    ref = (await listed(source))["log.md"]

    def grow(_: os.stat_result) -> None:
        with (tmp_path / "log.md").open("a") as file:
            file.write("1" * 1000)

    monkeypatch.setattr(rooted, "_outwait_clock_tick", grow)
    content = await source.fetch(ref)
    assert (content.version, len(content.data)) == ("", 2001)


async def test_deep_folders_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Folders are read to a depth no people reach; below it a warning says so."""
    path = tmp_path
    for _ in range(210):
        path = path / "d"
        path.mkdir()
        if len(path.relative_to(tmp_path).parts) in {150, 205}:
            (path / "a.md").write_text("deep")
    assert len(await listed(connector(tmp_path))) == 1
    assert "folders more than 200 deep are not read" in caplog.text


@pytest.mark.parametrize(("seconds", "year"), [(4_102_444_800, 2100), (-1, 1969)])
async def test_odd_times_work(tmp_path: Path, seconds: int, year: int) -> None:
    """A modification time in the future or before 1970 is what it is."""
    write(tmp_path, a="alpha")
    os.utime(tmp_path / "a.md", (seconds, seconds))
    source = connector(tmp_path)
    content = await source.fetch((await listed(source))["a.md"])
    assert content.updated is not None
    assert content.updated.year == year


async def test_links_for_people(tmp_path: Path) -> None:
    """A document's link is a file:// URL with everything odd encoded."""
    (tmp_path / "a b#?é.md").write_text("text")
    source = connector(tmp_path)
    ref = (await listed(source))["a b#?é.md"]
    assert ref.url == f"file://{tmp_path}/a%20b%23%3F%C3%A9.md"
    assert (await source.fetch(ref)).url == ref.url


async def test_relative_locations_and_home_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A location may be relative or begin with ~."""
    write(tmp_path / "docs", a="alpha")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert await listed(connector("docs")) == await listed(connector("~/docs"))


async def test_a_huge_sparse_file_is_only_listed(tmp_path: Path) -> None:
    """A file of 10 GB is listed with its size and refused, not read."""
    with (tmp_path / "a.md").open("wb") as file:
        file.truncate(10 << 30)
    source = connector(tmp_path)
    ref = (await listed(source))["a.md"]
    assert ref.size == 10 << 30
    with pytest.raises(DocumentUnreadable, match="too large"):
        await source.fetch(ref)


async def test_a_vanished_file_says_so(tmp_path: Path) -> None:
    """A file or its folder deleted after the listing is vanished, not unreadable."""
    write(tmp_path, a="alpha", sub__b="beta")
    source = connector(tmp_path)
    refs = await listed(source)
    (tmp_path / "a.md").unlink()
    (tmp_path / "sub" / "b.md").unlink()
    (tmp_path / "sub").rmdir()
    for uri in ("a.md", "sub/b.md"):
        with pytest.raises(DocumentVanished, match=rf"^'{uri}' of source 'docs' is gone\.$"):
            await source.fetch(refs[uri])


async def test_a_page_may_name_its_own_link(tmp_path: Path) -> None:
    """With `links`, a web address in the front matter is what a page is cited under; without, it is not."""
    (tmp_path / "a.md").write_text("---\nlink: https://chat.example/p1?t=2\n---\nText.")
    (tmp_path / "b.md").write_text("---\nlink: javascript:alert(1)\n---\nText.")
    urls: dict[bool, list[str | None]] = {}
    for links in (True, False):
        source = FolderSource(name="docs", location=str(tmp_path), links=links)
        opened = FolderConnector(source)
        refs = sorted([ref async for ref in opened.list_documents()], key=lambda ref: ref.uri)
        urls[links] = [(await opened.fetch(ref)).url for ref in refs]
    own = [f"file://{tmp_path}/a.md", f"file://{tmp_path}/b.md"]
    assert urls == {True: ["https://chat.example/p1?t=2", own[1]], False: own}
