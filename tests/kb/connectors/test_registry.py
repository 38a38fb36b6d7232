from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kb.connectors.folder import FolderConnector
from kb.connectors.git import GitConnector
from kb.connectors.registry import guess_source, open_connector
from kb.errors import SourceInvalid
from kb.settings import SOURCE_NAME, FolderSource, GitSource
from tests.kb.connectors.repository import Repository

TRUST = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust"


def refusal(location: str) -> str:
    """Return the message with which a location is refused, empty when it is accepted."""
    try:
        guess_source(location)
    except SourceInvalid as exc:
        return str(exc)
    return ""


def test_each_type_has_its_connector(tmp_path: Path) -> None:
    """A source is opened by the connector of its type, without any work."""
    folder = FolderSource(name="a", location="/nowhere")
    git = GitSource(name="b", location="ext::nonsense")
    assert isinstance(open_connector(folder, data=tmp_path / "data"), FolderConnector)
    assert isinstance(open_connector(git, data=tmp_path / "data"), GitConnector)
    assert not (tmp_path / "data").exists()


def test_a_folder_is_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local folder becomes an absolute folder source named after it, also when git manages it."""
    Repository(tmp_path / "hand book")
    monkeypatch.chdir(tmp_path)
    source = guess_source("./hand book", every="2h", audience=["staff"])
    assert source == FolderSource(
        name="hand-book", location=str(tmp_path / "hand book"), every="2h", audience=("staff",)
    )
    monkeypatch.chdir(tmp_path / "hand book")
    assert guess_source(".") == FolderSource(name="hand-book", location=str(tmp_path / "hand book"))


def test_a_local_repository_is_guessed(tmp_path: Path) -> None:
    """A bare repository, and a path that ends in .git, are git sources."""
    repository = Repository(tmp_path / "wiki")
    repository.run("clone", "-q", "--bare", str(repository.path), str(tmp_path / "bare"))
    assert guess_source(str(tmp_path / "bare")) == GitSource(name="bare", location=str(tmp_path / "bare"))
    inner = str(tmp_path / "wiki" / ".git")
    assert guess_source(inner) == GitSource(name="wiki", location=inner)
    address = (tmp_path / "bare").as_uri()
    assert guess_source(address) == GitSource(name="bare", location=str(tmp_path / "bare"))
    working = str(tmp_path / "wiki")
    assert guess_source(working, type="git") == GitSource(name="wiki", location=working)


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("https://github.com/acme/hand_book.git", "hand_book"),
        ("https://gitlab.com/acme/group/wiki/", "wiki"),
        ("ssh://git@git.example:2222/~ada/wiki.git", "wiki"),
        ("git@git.example:wiki.git", "wiki"),
        ("git.example:acme/wiki.git", "wiki"),
        ("https://git.example/acme/.git", "acme"),
    ],
)
def test_a_remote_repository_is_guessed(location: str, name: str) -> None:
    """A git address is kept as it is and named after its repository."""
    assert guess_source(location) == GitSource(name=name, location=location)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (
            "https://docs.example.org/start",
            "looks like a web page, which is not supported. Supported are a folder",
        ),
        ("http://docs.example.org/start", "looks like a web page"),
        ("https://github.com/acme/wiki/blob/main/a.md", "looks like a web page"),
        ("http://git.example/acme/wiki.git", "begins with http://, which is not supported"),
        ("s3://bucket/key", "begins with s3://, which is not supported"),
        ("./no/such/folder", "does not exist. Give the path of a folder."),
        ("/no/such/repository.git", "is no git repository"),
        (__file__, "is a file. Give the path of a folder."),
        ("", "is not a git address"),
        ("a\0b", "is not a git address"),
        ("--config=x", "is not a git address"),
        ("https://ada:hunter2@docs.example.org/start", "holds credentials"),
    ],
)
def test_what_is_not_supported_says_what_is(location: str, message: str) -> None:
    """A location that can be no source is refused in one line."""
    with pytest.raises(SourceInvalid) as raised:
        guess_source(location)
    assert message in str(raised.value)
    assert str(raised.value).isprintable()
    assert "hunter2" not in str(raised.value)


def test_wrong_words_are_named(tmp_path: Path) -> None:
    """A wrong type, name or interval is named with what is wrong."""
    with pytest.raises(SourceInvalid, match="its type is not supported"):
        guess_source(str(tmp_path), type="wiki")
    with pytest.raises(SourceInvalid, match=r"name 'a b' is wrong"):
        guess_source(str(tmp_path), name="a b")
    with pytest.raises(SourceInvalid, match=r"every 'often' is wrong: .*'often' is not an interval"):
        guess_source(str(tmp_path), every="often")


def test_an_explicit_type_is_kept(tmp_path: Path) -> None:
    """A git address that is not told by its form is taken when its type is given."""
    address = "https://git.example/acme/wiki"
    assert guess_source(address, type="git") == GitSource(name="wiki", location=address)
    with pytest.raises(SourceInvalid, match="is no path"):
        guess_source(address, type="folder")
    assert guess_source(str(tmp_path), type="folder", name="x").name == "x"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Überblick", "Uberblick"), ("文档", "folder"), ("..odd..", "odd"), ("x" * 200, "x" * 64), ("a:b", "b")],
)
def test_names_fit(tmp_path: Path, folder: str, name: str) -> None:
    """A name made from any folder is a legal source name."""
    (tmp_path / folder).mkdir()
    assert guess_source(str(tmp_path / folder)).name == name


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
def test_trust_addresses() -> None:
    """Bad addresses are refused when they are added, save the one that only its server betrays."""
    cases = [json.loads(line) for line in (TRUST / "git" / "urls.jsonl").read_text().splitlines()]
    refused = {case["url"] for case in cases if refusal(case["url"])}
    bad = {case["url"] for case in cases if case["expect"] == "block"}
    assert bad - refused == {"https://evil.test/redirect-to-local.git"}
    assert refused <= bad


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
def test_trust_strings_as_locations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every naughty string as a location gives a source with a legal name or one clear line."""
    monkeypatch.chdir(tmp_path)
    for line in (TRUST / "strings" / "blns.jsonl").read_text("utf-8").splitlines():
        text = json.loads(line)["s"]
        assert len(refusal(text).splitlines()) == 1 or re.fullmatch(SOURCE_NAME, guess_source(text).name)
