from __future__ import annotations

import asyncio
import gc
import importlib.util
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any
from uuid import uuid4

import pytest
from fsspec.asyn import iothread
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import SecretStr
from s3fs import S3FileSystem

from kb.connectors.object_store import ObjectStoreConnector, _link
from kb.connectors.object_store_reading import ObjectStore, entry_of
from kb.documents import DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.fetch import Fetcher
from kb.settings import FetchSettings
from kb.sources import ObjectStoreSource
from tests.contracts.object_store_world import SECRET, S3Server, resources, s3_server, s3_source


@pytest.fixture(scope="module")
def server() -> S3Server:
    return s3_server()


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.bucket()


@pytest.fixture
def stored(server: S3Server, bucket: str, tmp_path: Path) -> ObjectStoreConnector:
    return ObjectStoreConnector(s3_source(server, bucket), resources(tmp_path))


async def listed(connector: ObjectStoreConnector) -> dict[str, DocumentRef]:
    return {ref.uri: ref async for ref in connector.list_documents()}


def source(location: str, **more: Any) -> ObjectStoreSource:  # noqa: ANN401 - keys of the source
    return ObjectStoreSource(name="files", location=location, **more)


async def refusal(made: ObjectStoreSource, folder: Path, settings: FetchSettings | None = None) -> str:
    with pytest.raises(SourceInvalid) as raised:
        await listed(ObjectStoreConnector(made, resources(folder, fetcher=Fetcher(settings))))
    assert "\n" not in str(raised.value)
    return str(raised.value)


async def test_a_listing_takes_a_request_a_thousand(
    server: S3Server, bucket: str, stored: ObjectStoreConnector
) -> None:
    """An S3 prefix is listed a thousand keys a request, whatever their folders, and nothing is read."""
    server.put(bucket, {f"docs/{number % 40}/{number}.md": b"x" for number in range(1010)})
    server.requests.clear()
    assert len(await listed(stored)) == 1010
    assert [each for each in server.requests if bucket in each] == [f"GET /{bucket}"] * 2


async def test_only_the_prefix_is_read(server: S3Server, bucket: str, stored: ObjectStoreConnector) -> None:
    """Keys beside the prefix are not the source's, nor are marks of folders and keys with empty parts."""
    keys = ["docs/a.md", "docs-old/b.md", "docs", "docs/folder/", "docs//c.md", "docs/../d.md", "other.md"]
    server.put(bucket, dict.fromkeys(keys, b"text"))
    assert set(await listed(stored)) == {"a.md"}
    for path in ("/c.md", "../d.md", "../other.md", "folder/"):
        with pytest.raises(DocumentVanished):
            await stored.fetch(DocumentRef(source="world", uri=path, version=""))


async def test_left_out_keys_are_logged(
    server: S3Server, bucket: str, stored: ObjectStoreConnector, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys that are no path are counted in the log."""
    server.put(bucket, dict.fromkeys(["docs//c.md", "docs/x//d.md"], b"text"))
    with caplog.at_level(logging.WARNING, "kb.connectors.object_store"):
        assert await listed(stored) == {}
    assert "2 keys with empty parts are not read" in caplog.text


async def test_awkward_keys_work(server: S3Server, bucket: str, stored: ObjectStoreConnector) -> None:
    """Any key that S3 takes is listed and fetched by its uri."""
    names = {
        "a?b#c.md": "a?b#c.md",
        "100% é🦉.md": "100% é🦉.md",
        "%41.md": "%2541.md",
        "a+b&c=d.md": "a+b&c=d.md",
    }
    server.put(bucket, {f"docs/{name}": name.encode() for name in names})
    refs = await listed(stored)
    assert set(refs) == set(names.values())
    for name, uri in names.items():
        assert (await stored.fetch(refs[uri])).data == name.encode()


async def test_an_object_is_read_once(server: S3Server, bucket: str, stored: ObjectStoreConnector) -> None:
    """Fetching a listed object takes one reading and one look at what it is by then."""
    server.put(bucket, {"docs/a.md": b"alpha", "docs/empty.md": b""})
    refs = await listed(stored)
    server.requests.clear()
    content = await stored.fetch(refs["a.md"])
    assert [each for each in server.requests if bucket in each] == [
        f"GET /{bucket}/docs/a.md",
        f"HEAD /{bucket}/docs/a.md",
    ]
    assert content.updated is not None
    assert (await stored.fetch(refs["empty.md"])).data == b""


async def test_an_object_replaced_since_the_listing(
    server: S3Server, bucket: str, stored: ObjectStoreConnector
) -> None:
    """An object that was replaced, by a longer, a shorter or an empty one, is read whole with its version."""
    for data in (b"a longer text", b"short", b""):
        server.put(bucket, {"docs/a.md": b"the first"})
        before = (await listed(stored))["a.md"]
        server.put(bucket, {"docs/a.md": data})
        content = await stored.fetch(before)
        assert content.data == data
        assert content.version == (await listed(stored))["a.md"].version


async def test_an_object_that_keeps_changing_has_no_version(
    server: S3Server, bucket: str, stored: ObjectStoreConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is replaced during every reading is given without a version, so that it is read again."""
    server.put(bucket, {"docs/a.md": b"0"})
    before = (await listed(stored))["a.md"]
    read = ObjectStore.read

    async def replaced(self: ObjectStore, path: str, size: int) -> bytes:
        data = await read(self, path, size)
        server.put(bucket, {"docs/a.md": b"%d" % (int(data) + 1)})
        return data

    monkeypatch.setattr(ObjectStore, "read", replaced)
    assert (await stored.fetch(before)).version == ""


async def test_one_object_is_no_prefix(server: S3Server, bucket: str, tmp_path: Path) -> None:
    """A location that is an object and no prefix is told so."""
    server.put(bucket, {"docs": b"text"})
    connector = ObjectStoreConnector(s3_source(server, bucket), resources(tmp_path))
    with pytest.raises(SourceInvalid, match=r"is one object\. Give the prefix"):
        await listed(connector)


async def test_a_bucket_that_is_absent_is_no_empty_one(server: S3Server, tmp_path: Path) -> None:
    """A bucket that does not exist makes the source unavailable."""
    connector = ObjectStoreConnector(s3_source(server, f"bucket-{uuid4().hex}"), resources(tmp_path))
    with pytest.raises(SourceUnavailable, match=r"does not exist\. Create it, or correct its location\."):
        await listed(connector)


async def test_a_refused_key_is_told_without_secrets(
    server: S3Server, bucket: str, stored: ObjectStoreConnector
) -> None:
    """Where the store refuses the credentials, the message says so and shows none of them."""
    server.refused[bucket] = 403
    with pytest.raises(SourceUnavailable, match=r"refuses access .*Check its credentials") as raised:
        await listed(stored)
    assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_one_object_may_be_refused(server: S3Server, bucket: str, stored: ObjectStoreConnector) -> None:
    """An object that may not be read is unreadable while its neighbours are read."""
    server.put(bucket, {"docs/a.md": b"alpha", "docs/b.md": b"beta"})
    refs = await listed(stored)
    server.refused_keys.add(f"/{bucket}/docs/a.md")
    with pytest.raises(DocumentUnreadable, match=r"^'a\.md' of source 'world' cannot be read") as raised:
        await stored.fetch(refs["a.md"])
    assert raised.value.status == "unreadable"
    assert (await stored.fetch(refs["b.md"])).data == b"beta"


async def test_endpoints_of_this_machine_are_refused(server: S3Server, tmp_path: Path) -> None:
    """An endpoint that is not public is refused before it is contacted, unless the settings allow it."""
    endpoint = {"endpoint_url": server.url}
    told = await refusal(source("s3://bucket/docs", options=endpoint), tmp_path)
    assert "'endpoint_url' is refused" in told
    assert "private_hosts" in told
    secret = source("s3://bucket/docs", secrets={"endpoint_url": "THE_ENDPOINT"})
    with_secret = replace(resources(tmp_path), secret={"THE_ENDPOINT": SecretStr(server.url)}.get)
    with pytest.raises(SourceInvalid, match="is refused"):
        await listed(ObjectStoreConnector(secret, with_secret))
    allowed = Fetcher(FetchSettings(private_hosts=("127.0.0.1",)))
    made = source(f"s3://{server.bucket()}/docs", options={**endpoint, "anon": True})
    assert await listed(ObjectStoreConnector(made, resources(tmp_path, fetcher=allowed))) == {}


@pytest.mark.parametrize(
    "options",
    [
        {"client_kwargs.endpoint_url": "http://10.0.0.1/"},
        {"endpoint": "169.254.169.254"},
        {"endpoint_url": "http://2130706433/"},
        {"connection_string": "AccountKey=x;BlobEndpoint=http://192.168.1.1/;EndpointSuffix=y"},
    ],
)
async def test_hosts_are_found_in_any_option(tmp_path: Path, options: dict[str, str]) -> None:
    """A host that is not public is found wherever an option names it."""
    assert "is refused" in await refusal(source("s3://bucket/docs", options=options), tmp_path)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (source("s3:bucket"), "is no object store"),
        (source("s3://"), "is no object store"),
        (source("simplecache::s3://bucket/docs"), "is no object store"),
        (source("https://example.org/docs"), 'Use the type "web"'),
        (source("file:///etc"), 'Use the type "folder"'),
        (source("ftp://example.org/docs"), "Use one of"),
        (source("s3://key:word@bucket/docs"), "holds credentials"),
        (source("s3://bucket/docs", secrets={"key": "ABSENT"}), "'ABSENT' of its option 'key' is not set"),
        (source("s3://bucket/docs", options={"a.b": 1, "a": 2}), "cannot be opened with its options"),
        (source("memory://bucket/docs", options={"account_name": "x/y"}), "no account's name"),
    ],
)
async def test_a_location_that_cannot_work_says_why(
    tmp_path: Path, made: ObjectStoreSource, says: str
) -> None:
    """A location or option that cannot work is refused in one line, without the credentials in it."""
    told = await refusal(made, tmp_path)
    assert says in told
    assert "key:word" not in told


@pytest.mark.parametrize(
    ("location", "install"),
    [
        ("s3://bucket/docs", "pip install 'lorekeeper[s3]'"),
        ("gs://bucket/docs", "pip install 'lorekeeper[gcs]'"),
        ("az://container/docs", "pip install 'lorekeeper[azure]'"),
        ("oss://bucket/docs", "pip install 'ossfs'"),
    ],
)
async def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, install: str
) -> None:
    """Where the package of a store is not installed, the message says how to install it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert install in await refusal(source(location), tmp_path)


@pytest.mark.parametrize(
    ("location", "options", "link"),
    [
        ("s3://bucket/docs", {}, "https://s3.console.aws.amazon.com/s3/object/bucket?prefix=docs/a%20b.md"),
        ("s3://bucket", {"endpoint_url": "https://s3.corp/"}, "https://s3.corp/bucket/a%20b.md"),
        ("gs://bucket/docs/", {}, "https://storage.cloud.google.com/bucket/docs/a%20b.md"),
        ("az://box/docs", {"account_name": "me"}, "https://me.blob.core.windows.net/box/docs/a%20b.md"),
        ("memory://box/docs", {}, None),
    ],
)
def test_links_lead_to_the_store(location: str, options: dict[str, str], link: str | None) -> None:
    """A person who may see an object is led to it at its store, where that has pages for people."""
    assert _link(source(location, options=options), "a b.md") == link


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"ETag": '"a"', "size": 1, "LastModified": "2024-01-01"}, {"ETag": '"a"', "size": 1}, True),
        ({"ETag": '"a"', "size": 1}, {"ETag": '"b"', "size": 1}, False),
        ({"generation": "1", "etag": "x", "size": 1}, {"generation": "1", "etag": "y", "size": 1}, True),
        ({"md5Hash": "q", "generation": "1"}, {"md5Hash": "q", "generation": "2"}, True),
        ({"last_modified": 1.5, "size": 1}, {"last_modified": 1.25, "size": 1}, False),
        ({"last_modified": 1.5, "size": 1}, {"last_modified": 1.5, "size": 2}, False),
    ],
)
def test_versions_follow_the_content(one: Mapping[str, Any], other: Mapping[str, Any], same: bool) -> None:
    """A version is the store's token of the content with the size, and the time where there is none."""
    assert (entry_of("a", one).version == entry_of("a", other).version) == same


def test_an_object_without_token_and_time_has_no_version() -> None:
    """Where a store tells neither, the object is read again each time."""
    assert entry_of("a", {"size": 3}).version == ""


async def test_folders_that_vanish_are_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that goes while a store is walked holds nothing, and the rest is listed."""
    files, root = MemoryFileSystem(), f"/{uuid4().hex}"
    files.pipe({f"{root}/a/one.md": b"1", f"{root}/b/two.md": b"2"})
    listing = MemoryFileSystem.ls

    def going(self: MemoryFileSystem, path: str, detail: bool = True) -> list[Any]:
        if path.endswith("/a"):
            raise FileNotFoundError(path)
        return list(listing(self, path, detail))

    monkeypatch.setattr(MemoryFileSystem, "ls", going)
    assert set(await listed(ObjectStoreConnector(source(f"memory:/{root}"), resources(tmp_path)))) == {
        "b/two.md"
    }


async def test_an_error_of_a_library_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library raises makes the source unavailable in one line."""

    def failing(*_: object, **__: object) -> list[Any]:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(MemoryFileSystem, "ls", failing)
    with pytest.raises(SourceUnavailable, match=r"cannot be read \(ZeroDivisionError: two\)\. Check .*\.$"):
        await listed(ObjectStoreConnector(source("memory://x/y"), resources(tmp_path)))


async def test_connections_are_closed(
    server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connector that is dropped has its connections closed on the loop that they belong to."""
    server.put(bucket, {"docs/a.md": b"alpha"})
    connector = ObjectStoreConnector(s3_source(server, bucket), resources(tmp_path))
    assert len(await listed(connector)) == 1
    threads: Queue[int | None] = Queue()
    close = S3FileSystem.close_session

    def closed(loop: asyncio.AbstractEventLoop, client: object) -> None:
        threads.put(threading.current_thread().ident)
        close(loop, client)

    monkeypatch.setattr(S3FileSystem, "close_session", staticmethod(closed))
    del connector
    gc.collect()
    assert await asyncio.to_thread(threads.get, timeout=10) == iothread[0].ident
