from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kb.errors import FetchFailed, FetchRefused
from kb.fetch import Fetcher
from kb.settings import FetchSettings
from tests.emulators.hostile import PAGE, Hostile, hostile


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with hostile() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    gate = Fetcher(FetchSettings(seconds=20, max_mb=1, private_hosts=("127.0.0.0/8",)))
    yield gate
    await gate.close()


@pytest.mark.parametrize("path", ["silent", "slow_head", "slow_body", "stalled_body", "slow_chain"])
async def test_a_slow_host_is_left_at_the_deadline(server: Hostile, path: str) -> None:
    """However the time is spent, a fetch ends at the deadline with a line that names it."""
    gate = Fetcher(FetchSettings(seconds=0.3, private_hosts=("127.0.0.1",)))
    with pytest.raises(FetchFailed, match=r"over 0\.3 s"):
        await gate.fetch(server.url(path))
    await gate.close()


@pytest.mark.parametrize(
    "path", ["endless_body", "endless_chunks", "huge_length", "bomb/gzip", "bomb/deflate", "endless_bomb"]
)
async def test_a_large_page_is_left_at_the_limit(server: Hostile, fetcher: Fetcher, path: str) -> None:
    """A body is read no further than the limit, packed or unpacked, announced or not."""
    with pytest.raises(FetchFailed, match="over 1 MB"):
        await fetcher.fetch(server.url(path))


async def test_the_limit_of_a_call_replaces_that_of_the_settings(server: Hostile, fetcher: Fetcher) -> None:
    """`max_bytes` holds for one call: the page fits in it exactly, and not in a byte less."""
    assert (await fetcher.fetch(server.url("page"), max_bytes=len(PAGE))).body == PAGE
    assert (await fetcher.fetch(server.url("packed/gzip"), max_bytes=len(PAGE))).body == PAGE
    for path in ("page", "packed/gzip"):
        with pytest.raises(FetchFailed, match="is over"):
            await fetcher.fetch(server.url(path), max_bytes=len(PAGE) - 1)


@pytest.mark.parametrize("path", ["endless_header", "endless_headers", "endless_trailers", "endless_interim"])
async def test_headers_that_do_not_end_are_left(server: Hostile, fetcher: Fetcher, path: str) -> None:
    """A header, headers, trailers and interim answers without end stop after some hundred kilobytes."""
    with pytest.raises(FetchFailed, match="did not answer as it should"):
        await fetcher.fetch(server.url(path))


@pytest.mark.parametrize("path", ["crumbs", "chunk_extensions", "empty_members"])
async def test_crumbs_are_not_collected(server: Hostile, fetcher: Fetcher, path: str) -> None:
    """A body that costs far more work than it holds is left before it reaches any limit."""
    with pytest.raises(FetchFailed, match="crumbs"):
        await fetcher.fetch(server.url(path))


@pytest.mark.parametrize("path", ["loop", "chain?n=11"])
async def test_redirects_are_counted(server: Hostile, fetcher: Fetcher, path: str) -> None:
    """After ten redirects the next one is an error; ten are followed."""
    with pytest.raises(FetchFailed, match="more than 10 times"):
        await fetcher.fetch(server.url(path))
    assert len(server.asked) == 11
    assert (await fetcher.fetch(server.url("chain?n=10"))).status == 200


async def test_a_call_may_have_its_own_redirects(server: Hostile, fetcher: Fetcher) -> None:
    """`redirects` holds for one call; with none the first redirect is an error."""
    assert (await fetcher.fetch(server.url("chain?n=1"), redirects=1)).status == 200
    with pytest.raises(FetchFailed, match="more than 0 times"):
        await fetcher.fetch(server.url("chain?n=1"), redirects=0)


async def test_an_ever_longer_redirect_is_refused(server: Hostile, fetcher: Fetcher) -> None:
    """An address longer than browsers take is not asked for."""
    with pytest.raises(FetchRefused, match="characters"):
        await fetcher.fetch(server.url("growing" + "/x" * 3000))


@pytest.mark.parametrize("path", ["short_body", "packed/broken", "packed/garbage", "packed/followed"])
async def test_half_a_page_is_no_page(server: Hostile, fetcher: Fetcher, path: str) -> None:
    """A body that breaks off, or that cannot be unpacked to its end, is an error and not a page."""
    with pytest.raises(FetchFailed):
        await fetcher.fetch(server.url(path))


@pytest.mark.parametrize("path", ["no_answer", "not_http", "switch"])
async def test_what_is_no_answer_is_an_error(server: Hostile, fetcher: Fetcher, path: str) -> None:
    """A host that says nothing, or does not speak HTTP, is named in one line."""
    with pytest.raises(FetchFailed) as failed:
        await fetcher.fetch(server.url(path))
    assert path in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("how", ["gzip", "x-gzip", "members", "padded", "deflate", "raw", "identity"])
async def test_packed_pages_are_unpacked(server: Hostile, fetcher: Fetcher, how: str) -> None:
    """Each form of gzip and deflate that servers send is unpacked."""
    assert (await fetcher.fetch(server.url(f"packed/{how}"))).body == PAGE


@pytest.mark.parametrize("how", ["br", "twice"])
async def test_other_packings_are_not_guessed(server: Hostile, fetcher: Fetcher, how: str) -> None:
    """A packing that was not asked for is an error: its bytes are no page."""
    with pytest.raises(FetchFailed, match="not asked for"):
        await fetcher.fetch(server.url(f"packed/{how}"))


async def test_a_host_that_was_left_is_hung_up_on(server: Hostile) -> None:
    """After a deadline or a limit the connection is closed and the next fetch opens its own."""
    gate = Fetcher(FetchSettings(seconds=0.2, max_mb=1, private_hosts=("127.0.0.1",)))
    for path in ("silent", "endless_body"):
        with pytest.raises(FetchFailed):
            await gate.fetch(server.url(path))
    assert (await gate.fetch(server.url("page"))).body == PAGE
    assert server.connections == 3
    await gate.close()
