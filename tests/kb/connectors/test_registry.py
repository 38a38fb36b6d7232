from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from kb.connectors.folder import FolderConnector
from kb.connectors.git import GitConnector
from kb.connectors.guessing import guess_source
from kb.connectors.registry import Connectors
from kb.errors import SourceInvalid
from kb.fetch import Fetcher
from kb.sources import (
    SOURCE_NAME,
    AnySource,
    DiscordHistorySource,
    FeedSource,
    FolderSource,
    GithubSource,
    GitlabSource,
    GitSource,
    ObjectStoreSource,
    SitemapSource,
    SlackHistorySource,
    WebSource,
)
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
    engine = create_async_engine("sqlite+aiosqlite://")
    connect = Connectors(engine, tmp_path / "data")
    assert isinstance(connect(folder), FolderConnector)
    assert isinstance(connect(git), GitConnector)
    assert not (tmp_path / "data").exists()


def test_a_network_client_is_made_for_the_network_alone(tmp_path: Path) -> None:
    """The sources on the network share one fetcher, made with the first of them; folders need none."""
    made: list[Fetcher] = []

    def make() -> Fetcher:
        made.append(Fetcher())
        return made[-1]

    connect = Connectors(create_async_engine("sqlite+aiosqlite://"), tmp_path / "data", fetcher=make)
    connect(FolderSource(name="a", location="/nowhere"))
    connect(GitSource(name="b", location="https://git.example/acme/wiki.git"))
    assert made == []
    for name in ("c", "d"):
        connect(WebSource(name=name, location="https://docs.example.org/"))
    assert len(made) == 1


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
        ("http://git.example/acme/wiki.git", "begins with http://, which is not supported"),
        ("ftp://host/key", "begins with ftp://, which is not supported"),
        ("https://docs.example.org/a b", "is no web address"),
        ("https://[::1/", "is no web address. Supported are a folder"),
        ("./no/such/folder", "does not exist. Give the path of a folder."),
        ("/no/such/repository.git", "is no git repository"),
        (__file__, "is a file. Give the path of a folder."),
        ("", "is empty"),
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


HOSTED = [
    ("https://docs.example.org/guide/", WebSource, "docs.example.org-guide"),
    ("http://docs.example.org/start.html", WebSource, "docs.example.org-start"),
    ("https://www.example.org", WebSource, "example.org"),
    ("https://example.org/a/sitemaps-and-feeds", WebSource, "example.org-sitemaps-and-feeds"),
    ("https://github.com/acme/wiki/blob/main/a.md", WebSource, "github.com-a"),
    ("https://example.org/sitemap.xml", SitemapSource, "example.org-sitemap"),
    ("https://example.org/docs/sitemap_index.xml.gz", SitemapSource, "example.org-sitemap_index"),
    ("https://example.org/wp-sitemap.xml", SitemapSource, "example.org-wp-sitemap"),
    ("https://example.org/sitemap-1.xml", SitemapSource, "example.org-sitemap-1"),
    ("https://blog.example.org/feed.xml", FeedSource, "blog.example.org-feed"),
    ("https://blog.example.org/feed/", FeedSource, "blog.example.org-feed"),
    ("https://blog.example.org/news.atom", FeedSource, "blog.example.org-news"),
    ("https://blog.example.org/x/index.rss?all=1", FeedSource, "blog.example.org-index"),
    ("s3://bucket/manuals/2024/", ObjectStoreSource, "bucket-2024"),
    ("gs://bucket", ObjectStoreSource, "bucket"),
    ("az://box/a", ObjectStoreSource, "box-a"),
]


@pytest.mark.parametrize(("location", "kind", "name"), HOSTED)
def test_what_a_host_has_is_guessed(location: str, kind: type[AnySource], name: str) -> None:
    """The form of an address tells pages, sitemaps, feeds and object stores apart; it stays as it is."""
    source = guess_source(location)
    assert type(source) is kind
    assert (source.location, source.name) == (location, name)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("slack://C0123ABCD", SlackHistorySource(name="slack-C0123ABCD", location="C0123ABCD")),
        ("discord://123456", DiscordHistorySource(name="discord-123456", location="123456")),
        ("github:acme/wiki", GithubSource(name="github-wiki", location="acme/wiki")),
        ("gitlab:acme/sub/wiki", GitlabSource(name="gitlab-wiki", location="acme/sub/wiki")),
        (
            "https://github.com/acme/wiki/issues",
            GithubSource(name="github-wiki-issues", location="acme/wiki", parts=("issues",)),
        ),
        (
            "https://gitlab.com/acme/sub/wiki/-/merge_requests",
            GitlabSource(name="gitlab-wiki-pulls", location="acme/sub/wiki", parts=("pulls",)),
        ),
    ],
)
def test_channels_and_repositories_are_guessed(location: str, expected: AnySource) -> None:
    """A channel, and what stands beside a repository's files, are told by their forms."""
    assert guess_source(location) == expected


def test_a_given_type_decides() -> None:
    """A type that is given is taken, with the location as its settings hold it."""
    assert guess_source("https://example.org/news", type="feed").type == "feed"
    assert guess_source("acme/wiki", type="github").location == "acme/wiki"
    assert guess_source("C0123ABCD", type="slack_history").name == "slack-C0123ABCD"
    reader = guess_source("llama_index.readers.wikipedia.WikipediaReader", type="reader")
    assert (reader.type, reader.name) == ("reader", "WikipediaReader")
    for location in ("", "a\0b", "x y"):
        with pytest.raises(SourceInvalid):
            guess_source(location, type="web")


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
