from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from kb.errors import FetchFailed, FetchRefused
from kb.fetch import Fetcher
from kb.settings import FetchSettings
from tests.emulators.certificates import tls_pair
from tests.emulators.hostile import PAGE, Hostile, hostile
from tests.emulators.internet import Internet

SECRET = SecretStr("Bearer planted-secret")


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with hostile() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    gate = Fetcher(FetchSettings(user_agent="Tester/1", private_hosts=("127.0.0.0/8",)))
    yield gate
    await gate.close()


@pytest.fixture
async def internet(server: Hostile) -> Internet:
    return Internet(http=server.port)


@pytest.fixture
async def outside(internet: Internet) -> AsyncIterator[Fetcher]:
    gate = Fetcher(lookup=internet.lookup, dial=internet.dial)
    yield gate
    await gate.close()


async def test_a_page_is_read(server: Hostile, fetcher: Fetcher) -> None:
    """Status, headers by lower-case name, body and final address come back."""
    answer = await fetcher.fetch(server.url("page#part"))
    assert (answer.url, answer.status, answer.body) == (server.url("page"), 200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Some words" not in repr(answer)


@pytest.mark.parametrize("status", [204, 304, 404, 410, 429, 500, 503])
async def test_a_status_is_no_error(server: Hostile, fetcher: Fetcher, status: int) -> None:
    """Whoever asks decides what a status means."""
    assert (await fetcher.fetch(server.url(f"status/{status}"))).status == status


async def test_what_is_sent(server: Hostile, fetcher: Fetcher) -> None:
    """The gate names itself and its packings; a caller adds headers but does not replace the gate's own."""
    answer = await fetcher.fetch(
        server.url("echo?q=1"),
        headers={
            "If-None-Match": '"tag"',
            "Host": "other.example",
            "Accept-Encoding": "br",
            "Connection": "x",
        },
    )
    lines = answer.body.decode().splitlines()
    assert lines[0] == "GET /echo?q=1"
    assert "user-agent: Tester/1" in lines
    assert "accept-encoding: gzip, deflate" in lines
    assert 'if-none-match: "tag"' in lines
    assert f"host: 127.0.0.1:{server.port}" in lines
    assert not [line for line in lines if line.startswith("upgrade")]


async def test_a_body_is_posted(server: Hostile, fetcher: Fetcher) -> None:
    """A body goes out with its length, and its answer comes back."""
    answer = await fetcher.fetch(server.url("echo"), method="POST", body=b"question")
    assert answer.body.startswith(b"POST /echo")
    assert answer.body.endswith(b"\n\nquestion")


async def test_the_head_of_a_page_has_no_body(server: Hostile, fetcher: Fetcher) -> None:
    """HEAD brings headers, and the length that they announce is not waited for."""
    server.asked.clear()
    answer = await fetcher.fetch(server.url("huge_length"), method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert server.asked[0].method == "HEAD"


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [
        ("301", "GET", "GET"), ("302", "POST", "GET"), ("303", "POST", "GET"), ("303", "HEAD", "HEAD"),
        ("307", "POST", "POST"), ("308", "POST", "POST"), ("307", "GET", "GET"),
    ],
)  # fmt: skip
async def test_methods_along_redirects(
    server: Hostile, fetcher: Fetcher, status: str, method: str, becomes: str
) -> None:
    """303, and 301 and 302 after POST, ask again with GET; 307 and 308 keep method and body."""
    body = b"question" if method == "POST" else None
    await fetcher.fetch(server.url(f"redirect/{status}?to=/echo"), method=method, body=body)  # type: ignore[arg-type]
    assert server.asked[-1].method == becomes
    assert server.asked[-1].body == (b"question" if becomes == "POST" else b"")


async def test_a_secret_stays_with_its_origin(server: Hostile, outside: Fetcher) -> None:
    """Authorization and other headers of the caller go to the first origin alone; validators go along."""
    sent = {"Cookie": "a=planted-secret", "Private-Token": "planted-secret", "If-None-Match": '"tag"'}
    there = "http://other.example/redirect/302?to=http://first.example/page"
    await outside.fetch(f"http://first.example/redirect/302?to={there}", headers=sent, authorization=SECRET)
    first, other, back = server.asked
    assert first.headers["authorization"] == "Bearer planted-secret"
    assert first.headers["private-token"] == "planted-secret"
    assert "planted-secret" not in str(other.headers)
    assert other.headers["if-none-match"] == '"tag"'
    assert "private-token" not in back.headers


async def test_another_port_or_scheme_is_another_origin(server: Hostile, outside: Fetcher) -> None:
    """The secret does not follow a redirect to another port of the same host."""
    await outside.fetch("http://a.example/redirect/302?to=http://a.example:8080/", authorization=SECRET)
    assert "authorization" not in server.asked[-1].headers


async def test_what_was_posted_stays_with_its_origin(server: Hostile, outside: Fetcher) -> None:
    """A redirect that would hand the body to another host is refused."""
    url = "http://a.example/redirect/307?to=http://b.example/"
    with pytest.raises(FetchRefused, match=r"b\.example"):
        await outside.fetch(url, method="POST", body=b"private")
    assert len(server.asked) == 1


@pytest.mark.parametrize("secret", ["planted\r\nX-Other: 1", "planted\x00", "planted-ü"])
async def test_a_crooked_secret_is_not_quoted(fetcher: Fetcher, server: Hostile, secret: str) -> None:
    """A secret that no header can hold is refused, and neither the error nor its causes show it."""
    with pytest.raises(FetchRefused) as refused:
        await fetcher.fetch(server.url("echo"), authorization=SecretStr(secret))
    assert "planted" not in repr(refused.value)
    assert refused.value.__cause__ is None
    assert server.asked == []


async def test_secrets_are_in_no_log(
    server: Hostile, outside: Fetcher, caplog: pytest.LogCaptureFixture
) -> None:
    """With debug logs on, neither the header nor the query of an address is written."""
    caplog.set_level(logging.DEBUG)
    await outside.fetch("http://a.example/page?key=planted-secret", authorization=SECRET)
    with pytest.raises(FetchFailed):
        await outside.fetch("http://a.example/no_answer?key=planted-secret", authorization=SECRET)
    assert "planted-secret" not in caplog.text


async def test_connections_are_used_again(server: Hostile, fetcher: Fetcher) -> None:
    """Pages of one host come over one connection, until the gate is closed."""
    for _ in range(3):
        await fetcher.fetch(server.url("page"))
    assert server.connections == 1
    await fetcher.close()
    await fetcher.fetch(server.url("page"))
    assert server.connections == 2


async def test_a_connection_that_the_host_closed_is_replaced(server: Hostile, fetcher: Fetcher) -> None:
    """An idle connection that turns out closed costs no error."""
    await fetcher.fetch(server.url("page"))
    server.hang_up_once = True
    assert (await fetcher.fetch(server.url("page"))).body == PAGE
    assert server.connections == 2


async def test_a_new_connection_is_not_tried_twice(server: Hostile, fetcher: Fetcher) -> None:
    """A host that closes without an answer is asked once."""
    with pytest.raises(FetchFailed, match="no_answer"):
        await fetcher.fetch(server.url("no_answer"))
    assert server.connections == 1


async def test_pages_are_read_at_once(server: Hostile, fetcher: Fetcher) -> None:
    """A host that does not answer keeps no other page waiting."""
    waiting = asyncio.create_task(fetcher.fetch(server.url("silent")))
    assert (await fetcher.fetch(server.url("page"))).status == 200
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_closed_port_is_named(unused_tcp_port: int, fetcher: Fetcher) -> None:
    """A host that takes no connection is named with its port."""
    with pytest.raises(FetchFailed, match=rf"'127\.0\.0\.1' .* port {unused_tcp_port}"):
        await fetcher.fetch(f"http://127.0.0.1:{unused_tcp_port}/")


async def test_proxies_of_the_environment_are_not_used(
    server: Hostile, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY and its relatives send nothing elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert (await fetcher.fetch(server.url("page"))).status == 200


async def test_names_go_along_with_the_connection(tmp_path: Path) -> None:
    """TLS is spoken for the name of the address, though the connection went to a checked address."""
    server_side, client_side = tls_pair(tmp_path, ["docs.example"])
    async with hostile(tls=server_side) as server:
        internet = Internet(http=0, https=server.port)
        gate = Fetcher(lookup=internet.lookup, dial=internet.dial, tls=client_side)
        answer = await gate.fetch("https://docs.example/echo")
        assert b"host: docs.example\n" in answer.body
        with pytest.raises(FetchFailed, match="Hostname mismatch"):
            await gate.fetch("https://other.example/")
        await gate.close()


async def test_unknown_certificates_are_refused(tmp_path: Path) -> None:
    """By default only certificates that the machine trusts are accepted."""
    server_side, _ = tls_pair(tmp_path, ["localhost"])
    async with hostile(tls=server_side) as server:
        gate = Fetcher(FetchSettings(private_hosts=("127.0.0.1",)))
        with pytest.raises(FetchFailed, match="certificate verify failed"):
            await gate.fetch(server.url("page"))
        await gate.close()
