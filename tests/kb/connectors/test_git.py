from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import socket
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from kb.connectors import git_mirror
from kb.connectors.git import GitConnector
from kb.connectors.git_address import Address, parse_address, shown
from kb.connectors.git_process import Finished
from kb.documents import DocumentRef
from kb.errors import DocumentUnreadable, KnowledgeBaseError, SourceInvalid, SourceUnavailable
from kb.sources import GitSource
from tests.kb.connectors.repository import GIT, Repository

TRUST = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "handbook")
    made.write({"a.md": b"alpha", "docs/b.md": b"beta"})
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name resolve to one public address, without a look-up."""

    async def resolve(host: str, port: int) -> list[IPv4Address]:
        return [IPv4Address("192.0.43.8")]

    monkeypatch.setattr(git_mirror, "resolve", resolve)


def connector(
    location: Path | str, data: Path, *, seconds: float = 60, branch: str = "", folder: str = ""
) -> GitConnector:
    source = GitSource(name="repo", location=str(location), branch=branch, folder=folder)
    return GitConnector(source, data=data, seconds=seconds)


async def listed(connector: GitConnector) -> dict[str, DocumentRef]:
    return {ref.uri: ref async for ref in connector.list_documents()}


async def texts(connector: GitConnector) -> dict[str, bytes]:
    refs = await listed(connector)
    return {uri: (await connector.fetch(ref)).data for uri, ref in refs.items()}


def mirror(data: Path) -> Path:
    (found,) = (data / "git").glob("*.git")
    return found


async def test_versions_are_blob_ids(repository: Repository, data: Path) -> None:
    """A file's version is its blob's id, so a renamed or restored file is known."""
    refs = await listed(connector(repository.path, data))
    assert refs["a.md"].version == repository.run("rev-parse", "HEAD:a.md")


async def test_file_addresses_bare_repositories_and_branches(
    repository: Repository, data: Path, tmp_path: Path
) -> None:
    """A bare repository by file:// works, and a branch or a tag can be chosen."""
    repository.run("checkout", "-q", "-b", "next/one")
    repository.write({"c.md": b"gamma"})
    repository.run("tag", "-a", "v1", "-m", "one")
    repository.write({"c.md": b"delta"})
    repository.run("checkout", "-q", "main")
    bare = tmp_path / "with space.git"
    repository.run("clone", "-q", "--bare", str(repository.path), str(bare))
    address = bare.as_uri()
    assert set(await texts(connector(address, data))) == {"a.md", "docs/b.md"}
    assert (await texts(connector(address, data, branch="next/one")))["c.md"] == b"delta"
    assert (await texts(connector(address, data, branch="v1")))["c.md"] == b"gamma"


async def test_a_folder_can_be_chosen(repository: Repository, data: Path) -> None:
    """Only the files of the chosen folder are listed, under their path in the repository."""
    assert set(await texts(connector(repository.path, data, folder="/docs/"))) == {"docs/b.md"}


@pytest.mark.parametrize(
    ("branch", "folder", "message"),
    [
        ("gone", "", r"has no branch or tag 'gone'\. Correct branch\."),
        ("", "gone", r"has no folder 'gone' in 'main'\."),
        ("", "a.md", r"has no folder 'a\.md' in 'main'\."),
    ],
)
async def test_what_is_not_there_is_unavailable(
    repository: Repository, data: Path, branch: str, folder: str, message: str
) -> None:
    """A branch or a folder that does not exist deletes nothing and is named."""
    with pytest.raises(SourceUnavailable, match=message):
        await listed(connector(repository.path, data, branch=branch, folder=folder))


@pytest.mark.parametrize(
    ("branch", "folder"),
    [
        ("--upload-pack=x", ""),
        ("a b", ""),
        ("a..b", ""),
        ("refs/*", ""),
        ("a\n", ""),
        ("", "../x"),
        ("", "a\0"),
    ],
)
async def test_names_that_cannot_be_are_invalid(
    repository: Repository, data: Path, branch: str, folder: str
) -> None:
    """A branch or folder that no repository can have is a wrong definition."""
    with pytest.raises(SourceInvalid, match=r"^Source 'repo': the repository "):
        await listed(connector(repository.path, data, branch=branch, folder=folder))


async def test_no_commit_is_unavailable(tmp_path: Path, data: Path) -> None:
    """A repository without a commit is no empty source."""
    empty = Repository(tmp_path / "empty")
    with pytest.raises(SourceUnavailable, match=r"has no commit on its default branch\. Push one"):
        await listed(connector(empty.path, data))


async def test_what_is_no_repository_is_unavailable(tmp_path: Path, data: Path) -> None:
    """A plain or a missing folder is no repository."""
    for location in (tmp_path, tmp_path / "gone"):
        with pytest.raises(SourceUnavailable, match="is not there, or is none"):
            await listed(connector(location, data))


async def test_a_forced_push_is_followed(repository: Repository, data: Path) -> None:
    """Rewritten history is just another tree."""
    source = connector(repository.path, data)
    await listed(source)
    repository.run("checkout", "-q", "--orphan", "fresh")
    repository.run("rm", "-rq", "--cached", ".")
    shutil.rmtree(repository.path / "docs")
    repository.write({"a.md": b"rewritten"})
    repository.run("branch", "-M", "fresh", "main")
    assert await texts(source) == {"a.md": b"rewritten"}


async def test_a_new_default_branch_is_followed(repository: Repository, data: Path) -> None:
    """Without a branch of its own a source follows the repository's default branch."""
    source = connector(repository.path, data)
    await listed(source)
    repository.run("checkout", "-q", "-b", "trunk")
    repository.write({"c.md": b"gamma"})
    assert "c.md" in await listed(source)


async def test_only_regular_blobs_are_documents(repository: Repository, data: Path) -> None:
    """Links and submodules of the tree are skipped; an executable file is a file."""
    (repository.path / "link.md").symlink_to(".git/hooks/pre-commit")
    (repository.path / "run.sh").write_text("echo")
    (repository.path / "run.sh").chmod(0o755)
    head = repository.run("rev-parse", "HEAD")
    repository.run("update-index", "--add", "--cacheinfo", f"160000,{head},module")
    repository.commit()
    assert set(await listed(connector(repository.path, data))) == {"a.md", "docs/b.md", "run.sh"}


async def test_large_file_pointers_are_told(repository: Repository, data: Path) -> None:
    """A Git LFS pointer is reported, not indexed as text."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"
    repository.write({"big.md": pointer})
    source = connector(repository.path, data)
    refs = await listed(source)
    with pytest.raises(DocumentUnreadable, match="Git LFS") as raised:
        await source.fetch(refs["big.md"])
    assert raised.value.status == "unsupported"


async def test_times_are_those_of_the_last_change(repository: Repository, data: Path) -> None:
    """Each file was updated when the last commit that touched it was made."""
    repository.write({"docs/b.md": b"changed"}, when=1_750_000_000)
    repository.write({"c.md": b"gamma"}, when=1_760_000_000)
    source = connector(repository.path, data)
    refs = await listed(source)
    found = {uri: (await source.fetch(ref)).updated for uri, ref in refs.items()}
    assert {uri: when and when.timestamp() for uri, when in found.items()} == {
        "a.md": 1_700_000_000,
        "docs/b.md": 1_750_000_000,
        "c.md": 1_760_000_000,
    }


async def test_without_a_change_nothing_is_fetched(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository whose tip is known is asked for its tip and nothing else."""
    before = await listed(connector(repository.path, data))

    async def refuse(*_: object) -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr(git_mirror.Mirror, "_fetch", refuse)
    assert await listed(connector(repository.path, data)) == before


async def test_two_at_once_share_a_mirror(repository: Repository, data: Path) -> None:
    """Connectors that start together wait for each other and see the same."""
    found = await asyncio.gather(*(texts(connector(repository.path, data)) for _ in range(4)))
    assert all(each == {"a.md": b"alpha", "docs/b.md": b"beta"} for each in found)


async def test_leftovers_of_a_killed_fetch_are_cleared(repository: Repository, data: Path) -> None:
    """Lock files and half packs that a killed git left do not stop the next sync."""
    await listed(connector(repository.path, data))
    kept = next((mirror(data) / "refs" / "lorekeeper").iterdir())
    kept.with_name(f"{kept.name}.lock").touch()
    for left in ("shallow.lock", "packed-refs.lock", "config.lock", "objects/pack/tmp_pack_x"):
        (mirror(data) / left).touch()
    repository.write({"c.md": b"gamma"})
    assert "c.md" in await texts(connector(repository.path, data))
    assert not list(mirror(data).rglob("*.lock"))
    assert not (mirror(data) / "objects/pack/tmp_pack_x").exists()


async def test_a_lock_outlives_its_process_while_git_works(repository: Repository, data: Path) -> None:
    """A git that an ended run left behind keeps the mirror's lock; the next run waits, then says so."""
    await listed(connector(repository.path, data))
    lock = mirror(data).with_suffix(".lock")
    reader, writer = os.pipe()
    with lock.open() as held:
        assert git_mirror._take(held.fileno())
        orphan = await asyncio.create_subprocess_exec("cat", stdin=reader, pass_fds=[held.fileno()])
    os.close(reader)
    with pytest.raises(SourceUnavailable, match=r"took longer than 0\.5 s"):
        await listed(connector(repository.path, data, seconds=0.5))
    os.close(writer)
    await orphan.wait()
    assert "a.md" in await listed(connector(repository.path, data))


def empty_packs(mirror: Path) -> None:
    for pack in [*mirror.rglob("*.pack"), *mirror.glob("objects/??/*")]:
        pack.chmod(0o600)
        pack.write_bytes(b"")


def drop_objects(mirror: Path) -> None:
    shutil.rmtree(mirror / "objects")
    (mirror / "objects").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        empty_packs,
        drop_objects,
        lambda mirror: (mirror / "HEAD").write_text(""),
        lambda mirror: (mirror / "config").write_text("[core\n"),
        lambda mirror: next((mirror / "refs" / "lorekeeper").iterdir()).write_text("0" * 10),
        lambda mirror: shutil.rmtree(mirror / "refs"),
    ],
)
async def test_a_damaged_mirror_is_made_again(
    repository: Repository, data: Path, damage: Callable[[Path], object]
) -> None:
    """A mirror that a disk or a power cut spoiled is replaced without a word."""
    before = await texts(connector(repository.path, data))
    damage(mirror(data))
    assert await texts(connector(repository.path, data)) == before


async def test_a_mirror_damaged_after_listing_is_made_again(repository: Repository, data: Path) -> None:
    """A blob that cannot be read any more is fetched anew."""
    source = connector(repository.path, data)
    refs = await listed(source)
    empty_packs(mirror(data))
    assert (await source.fetch(refs["a.md"])).data == b"alpha"


async def test_hooks_and_settings_of_a_repository_do_nothing(
    repository: Repository, data: Path, tmp_path: Path
) -> None:
    """Neither hooks nor commands in a repository's settings are run."""
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    hooks = repository.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("reference-transaction", "post-checkout", "post-merge", "pre-auto-gc"):
        (hooks / hook).symlink_to(trap)
    for key in ("core.fsmonitor", "uploadpack.packObjectsHook", "core.sshCommand", "core.pager"):
        repository.run("config", key, str(trap))
    (tmp_path / "sprung").unlink(missing_ok=True)
    assert set(await texts(connector(repository.path, data))) == {"a.md", "docs/b.md"}
    assert not (tmp_path / "sprung").exists()


async def test_git_not_installed(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without git the message says to install it."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(SourceUnavailable, match=r"^git is not installed, .* Install git\.$"):
        await listed(connector(repository.path, data))


def fake_ssh(folder: Path, body: str) -> str:
    script = folder / "ssh.sh"
    script.write_text(f'#!/bin/sh\nfor last; do :; done\necho "$@" > {folder}/ssh.log\n{body}\n')
    script.chmod(0o755)
    return str(script)


async def test_ssh_addresses_work(
    repository: Repository, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ssh forms reach the repository, and ssh is told never to ask."""
    git = Path(GIT).parent
    monkeypatch.setenv("GIT_SSH_COMMAND", fake_ssh(tmp_path, f'PATH={git}:$PATH exec sh -c "$last"'))
    for address in (f"git@host.example:{repository.path}", f"ssh://git@host.example:2222{repository.path}"):
        assert set(await texts(connector(address, data))) == {"a.md", "docs/b.md"}
        assert "-oBatchMode=yes" in (tmp_path / "ssh.log").read_text()


@pytest.mark.parametrize(
    ("complaint", "message"),
    [
        ("git@host.example: Permission denied (publickey).", "needs a login. Give this user an ssh key"),
        ("Host key verification failed.", "whose ssh key is unknown. Connect to it with ssh once"),
        ("ERROR: Repository not found.", "is not there, or not for this user"),
        ("Something\x1b[31m else at https://user:token@host/x", "cannot be read"),
    ],
)
async def test_complaints_of_ssh_become_one_line(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaint: str, message: str
) -> None:
    """What ssh or the server says becomes a line that says what to do, without credentials."""
    monkeypatch.setenv("GIT_SSH_COMMAND", fake_ssh(tmp_path, f"echo '{complaint}' >&2; exit 255"))
    with pytest.raises(SourceUnavailable) as raised:
        await listed(connector("git@host.example:o/r.git", data))
    text = str(raised.value)
    assert message in text
    assert text.startswith("Source 'repo': the repository 'git@host.example:o/r.git' ")
    assert "token" not in text
    assert text.isprintable()


async def test_a_hanging_server_is_left(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit git and all that it started are killed."""
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", fake_ssh(tmp_path, f"echo $$ > {tmp_path}/pid; exec tail -f /dev/null")
    )
    with pytest.raises(SourceUnavailable, match=r"took longer than 2 s\. Check the network"):
        await listed(connector("git@host.example:o/r.git", data, seconds=2))
    assert ended(int((tmp_path / "pid").read_text()))


def ended(pid: int) -> bool:
    """Wait for the end of any process, ten seconds at most."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 10)[0])
    finally:
        os.close(watched)


@pytest.mark.parametrize(
    "location", ["https://127.0.0.1/x.git", "https://0x7f.1/x", "https://localhost/x", "ssh://git@[::1]/x",
                 "git@10.0.0.1:x.git", "https://[fd00::1]/x", "https://[::ffff:127.0.0.1]/x"]
)  # fmt: skip
async def test_hosts_of_private_networks_are_refused(location: str, data: Path) -> None:
    """An address of this machine or a private network needs the source's consent."""
    with pytest.raises(SourceInvalid, match=r"private network\. Set private_hosts = true"):
        await listed(connector(location, data))


async def test_names_of_private_addresses_are_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to any address that is not public is refused."""

    async def resolve(host: str, port: int) -> list[IPv4Address]:
        return [IPv4Address("192.0.43.8"), IPv4Address("169.254.169.254")]

    monkeypatch.setattr(git_mirror, "resolve", resolve)
    with pytest.raises(SourceUnavailable, match="private network"):
        await listed(connector("https://rebind.example/x.git", data))


@pytest.mark.parametrize("problem", [OSError("no such host"), UnicodeError("label too long")])
async def test_a_host_that_no_resolver_takes(
    data: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    """A host that cannot be resolved is an outage of one line."""

    async def resolve(host: str, port: int) -> list[IPv4Address]:
        raise problem

    monkeypatch.setattr(git_mirror, "resolve", resolve)
    with pytest.raises(SourceUnavailable, match=r"is on a host that cannot be found\. Check the address"):
        await listed(connector("https://host.example/x.git", data))


async def test_the_checked_address_is_the_one_reached(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git connects to the address that was checked and looks the name up no more."""

    async def resolve(host: str, port: int) -> list[IPv4Address]:
        return [IPv4Address("127.0.0.1")]

    monkeypatch.setattr(git_mirror, "resolve", resolve)
    monkeypatch.setattr(git_mirror, "is_public", lambda _: True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        port = server.getsockname()[1]
        listing = asyncio.create_task(listed(connector(f"https://pinned.invalid:{port}/x.git", data)))
        connection, _ = await asyncio.to_thread(server.accept)
        connection.close()
        with pytest.raises(SourceUnavailable):
            await listing


@pytest.mark.trust
@pytest.mark.usefixtures("public")
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
async def test_bad_addresses_reach_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the trust addresses the bad ones end in one line without secrets, the good ones are accepted."""

    async def unreachable(*arguments: str, **_: object) -> Finished:
        assert "https://evil.test/redirect-to-local.git" in arguments
        return Finished(128, b"", "fatal: unable to access: redirect to file:///etc")

    monkeypatch.setattr(git_mirror, "run_git", unreachable)
    for line in (TRUST / "git" / "urls.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["expect"] == "allow":
            assert parse_address(case["url"]).protocol in {"https", "ssh"}
            continue
        with pytest.raises(KnowledgeBaseError) as raised:
            await listed(connector(case["url"], data))
        assert str(raised.value).isprintable()
        assert "token" not in str(raised.value)


@pytest.mark.parametrize(
    ("location", "page"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r/blob/main/docs/a%20b.md"),
        ("git@github.com:o/r.git", "https://github.com/o/r/blob/main/docs/a%20b.md"),
        ("https://gitlab.com/g/s/r", "https://gitlab.com/g/s/r/-/blob/main/docs/a%20b.md"),
        ("ssh://git@bitbucket.org/o/r.git", "https://bitbucket.org/o/r/src/main/docs/a%20b.md"),
        ("https://codeberg.org/o/r", "https://codeberg.org/o/r/src/branch/main/docs/a%20b.md"),
        ("https://git.example.org/o/r", None),
        ("/srv/r.git", None),
    ],
)
def test_pages_of_known_hosts(location: str, page: str | None) -> None:
    """A file links to its page where the host is known to have one."""
    assert parse_address(location).page("main", b"docs/a b.md") == page


@pytest.mark.parametrize(
    "location",
    [
        "fd::17", "ext::x", "--upload-pack=x", "-x", "", " ", "a\0b", "http://h/x", "git://h/x", "ftp://h/x",
        "git+ssh://h/x", "ssh://-oProxyCommand=x/y", "ssh://git@-o/y", "ssh://-u@h/y", "a@-oX:y", "h@@:y",
        "https://u:secret@h/x", "https://secret@h/x", "ssh://u:secret@h/x", "https://h/x?secret=1", "https://h/x#y",
        "https://h", "https://h:99999/x", "https://h:x/y", "https://h\\i/x", "https://hö.example/x", "https:///x",
        "https://u:se/secret@h/x", "file://host/x", "file://", "ssh://h/-x", "git@h:-x", "git@h:a\nb",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(location: str) -> None:
    """An address that could make git do more, or that holds credentials, is refused in one line."""
    with pytest.raises(SourceInvalid) as raised:
        parse_address(location)
    assert str(raised.value).isprintable()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("/srv/a b.git", Address(url="/srv/a b.git", protocol="file", path="/srv/a b.git")),
        ("file:///srv/a%20b.git", Address(url="/srv/a b.git", protocol="file", path="/srv/a b.git")),
        ("h:x/r", Address(url="/srv/h:x/r", protocol="file", path="/srv/h:x/r")),
        ("git@h.ex:o/r", Address(url="git@h.ex:o/r", protocol="ssh", host="h.ex", port=22, path="o/r")),
        ("ssh://h.ex:23/r", Address(url="ssh://h.ex:23/r", protocol="ssh", host="h.ex", port=23, path="/r")),
        ("https://H.ex/r", Address(url="https://H.ex/r", protocol="https", host="h.ex", port=443, path="/r")),
    ],
)  # fmt: skip
def test_addresses_that_are_accepted(
    location: str, address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each form is told from the others."""
    monkeypatch.setattr(Path, "absolute", lambda self: Path("/srv") / self)
    assert parse_address(location) == address


def test_shown_addresses_hold_no_secret() -> None:
    """What is shown of an address leaves out user, password and query."""
    assert shown("https://user:pa/ss@host/x?token=1") == "https://***@host/x?***"
    assert shown("git@host:x\n") == "git@host:x\ufffd"
