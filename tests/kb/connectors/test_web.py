from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.connectors.base import Connector
from kb.connectors.web_address import page_address
from kb.connectors.web_facts import LINKS, page_facts
from kb.connectors.web_memory import PageEntry, pack_links
from kb.documents import DocumentRef
from kb.errors import (
    DocumentUnreadable,
    DocumentVanished,
    SourceInvalid,
    SourceUnavailable,
)
from tests.emulators.site import Site, html
from tests.kb.connectors.sites import Bench, listed

TRUST = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust"
NOINDEX = '<meta name="robots" content="noindex">'


def put_tree(site: Site, links: dict[str, list[str]]) -> None:
    for path, targets in links.items():
        site.put(path, html(*targets, text=f"About {path}."))


# Addresses


@pytest.mark.parametrize(
    ("text", "base", "address"),
    [
        ("HTTP://Ex.ORG:80/a/../b/./c#part", "", "http://ex.org/b/c"),
        ("../x y/ü?q=ä", "http://h/a/b/c", "http://h/a/x%20y/%C3%BC?q=%C3%A4"),
        ("?b=2&utm_source=mail&a=1&gclid=9", "http://h/x", "http://h/x?b=2&a=1"),
        ("?utm_medium=mail", "http://h/x", "http://h/x"),
        ("..", "http://h/a/b/c", "http://h/a/"),
        ("/../../a", "http://h/", "http://h/a"),
        ("//Bücher.example/%7ea%2fb%zz", "https://h/", "https://xn--bcher-kva.example/~a%2Fb%25zz"),
        ("http://h:8080", "", "http://h:8080/"),
        ("http://[::1]:81/a", "", "http://[::1]:81/a"),
        (" /a\n/b ", "http://h/", "http://h/a/b"),
        ("javascript:alert(1)", "http://h/", None),
        ("mailto:ada@example.org", "http://h/", None),
        ("http://ada:pass@h/", "", None),
        ("http://h:99999/", "", None),
        ("http://[::1", "", None),
        ("http://h/" + "x" * 3000, "", None),
        ("docs", "", None),
    ],
)
def test_an_address_has_one_spelling(text: str, base: str, address: str | None) -> None:
    """Whatever way a link is written, its page has one address, which spells itself."""
    assert page_address(text, base) == address
    assert address is None or page_address(address) == address


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
def test_trust_strings_as_links() -> None:
    """Every naughty string as a link is refused or gives an address that is printable and spells itself."""
    for line in (TRUST / "strings" / "blns.jsonl").read_text("utf-8").splitlines():
        address = page_address(json.loads(line)["s"], "http://h/a/")
        assert address is None or (address.isascii() and address.isprintable() and " " not in address)
        assert address is None or page_address(address) == address


# What a page says


def test_a_page_says_what_it_links_to() -> None:
    """Links of anchors, areas, frames and refreshes count, in order, each once; nofollow ones do not."""
    page = b"""<base href="/base/"><meta http-equiv=refresh content="0; url='next'">
        <a href=a>a</a><a href=a>again</a><a href="#part">here</a><area href=b><frame src=c>
        <a rel="NoFollow external" href=d>d</a><a>none</a><link rel="Canonical" href="/self">"""
    facts = page_facts(page, {})
    assert facts.links == ("next", "a", "b", "c")
    assert (facts.base, facts.canonical, facts.index, facts.follow) == ("/base/", "/self", True, True)


@pytest.mark.parametrize(
    ("meta", "header", "index", "follow"),
    [
        ("noindex", "", False, True),
        ("NOFOLLOW, noarchive", "", True, False),
        ("none", "", False, False),
        ("all", "noindex", False, True),
        ("", "otherbot: noindex, nofollow", True, True),
        ("", "otherbot: none, lorekeeper: nofollow", True, False),
        ("", "unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", False, True),
    ],
)
def test_a_page_says_how_it_may_be_used(meta: str, header: str, index: bool, follow: bool) -> None:
    """The meta element and the header of robots are obeyed, those for other bots are not."""
    page = f'<meta name="robots" content="{meta}"><a href="/a">a</a>'.encode()
    facts = page_facts(page, {"x-robots-tag": header})
    assert (facts.index, facts.follow) == (index, follow)
    assert facts.links == (("/a",) if follow else ())


def test_facts_of_odd_pages() -> None:
    """Broken, empty, foreign and endless pages give what can be read of them."""
    assert page_facts(b"", {}).links == ()
    assert page_facts(b"<a href='x'", {}).index
    assert page_facts(b"\xff\xfe\0<a href=a>" * 3, {"content-type": "text/html; charset=nonsense"}).index
    many = b"".join(b"<a href=p%d>x</a>" % number for number in range(LINKS + 10))
    assert len(page_facts(many, {}).links) == LINKS
    deep = b"<div>" * 100_000 + b"<a href=deep>x</a>"
    assert page_facts(deep, {}).links in {(), ("deep",)}


def test_links_are_packed() -> None:
    """The links of a page are remembered as they were."""
    links = [f"http://h/docs/page-{number}.html" for number in range(500)]
    packed = pack_links(links)
    assert PageEntry(packed=packed).links == links
    assert len(packed) < len("\n".join(links)) / 3


# The walk


async def test_reads_below_its_address(bench: Bench, site: Site) -> None:
    """Pages are found by links below the location's folder, at any depth; others are never asked for."""
    put_tree(
        site,
        {
            "/docs/": ["a.html", "/other", "b/?utm_source=x#part", "http://elsewhere.test/", "mailto:x@y.z"],
            "/docs/a.html": ["b/c.html", "/docs/", "logo.png", "/docsearch"],
            "/docs/b/": ["../a.html"],
            "/docs/b/c.html": ["d"],
            "/docs/b/d": [],
            "/other": [],
        },
    )
    refs = await listed(bench.web())
    assert bench.paths(refs) == {"/docs/", "/docs/a.html", "/docs/b/", "/docs/b/c.html", "/docs/b/d"}
    assert sorted(site.asked()) == sorted(["/robots.txt", *bench.paths(refs)])
    assert all(ref.url == uri for uri, ref in refs.items())


async def test_one_page_alone(bench: Bench, site: Site) -> None:
    """An address that does not end in a slash is one page, unless a depth is set."""
    put_tree(site, {"/docs/start": ["a", "b"], "/docs/a": ["c"], "/docs/b": [], "/docs/c": []})
    assert bench.paths(await listed(bench.web("/docs/start"))) == {"/docs/start"}
    assert bench.paths(await listed(bench.web("/docs/start", depth=1))) == {
        "/docs/start",
        "/docs/a",
        "/docs/b",
    }


async def test_a_second_run_asks_for_what_is_new(bench: Bench, site: Site) -> None:
    """An unchanged page costs one conditional request; a changed one is read once, also for its new links."""
    put_tree(site, {"/docs/": ["a", "b"], "/docs/a": [], "/docs/b": [], "/docs/c": []})
    before = await listed(bench.web())
    start = len(site.requests)
    assert await listed(bench.web()) == before
    assert site.statuses(since=start) == [404, 304, 304, 304]
    site.put("/docs/b", html("c"))
    start = len(site.requests)
    connector = bench.web()
    after = await listed(connector)
    assert site.statuses(since=start) == [404, 304, 304, 200, 200]
    changed = f"{site.url}/docs/b"
    content = await connector.fetch(after[changed])
    assert content.data == site.pages["/docs/b"].body
    assert content.updated == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert len(site.requests) == start + 5
    assert (await bench.web().fetch(after[changed])).data == content.data


async def test_times_alone_tell_changes(bench: Bench, site: Site) -> None:
    """Without an ETag the time of change serves, unless the page may have changed again in that second."""
    now = datetime.now(UTC)
    for age, status in [(3600, 304), (0, 200)]:
        modified = (now - timedelta(seconds=age)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        site.put("/docs/", html(text=f"{age}"), etag=False, modified=modified)
        await listed(bench.web(robots=False))
        start = len(site.requests)
        await listed(bench.web(robots=False))
        assert site.statuses(since=start) == [status]


async def test_the_cap_cuts_new_pages_only(
    bench: Bench, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Above the page cap a message says so, and pages that were listed before stay."""
    put_tree(site, {"/docs/": ["a", "b"], "/docs/a": [], "/docs/b": []})
    kept = bench.paths(await listed(bench.web(pages=3)))
    assert not caplog.records
    site.put("/docs/", html(*(f"new{number}" for number in range(10))))
    for number in range(10):
        site.put(f"/docs/new{number}", html())
    with caplog.at_level(logging.WARNING):
        assert bench.paths(await listed(bench.web(pages=3))) == kept
    assert "has more than 3 pages; 10 links were not followed" in caplog.text
    del site.pages["/docs/b"]
    assert bench.paths(await listed(bench.web(pages=3))) == kept - {"/docs/b"}
    assert len(await listed(bench.web(pages=3))) == 3


async def test_a_trap_ends(bench: Bench, site: Site) -> None:
    """Endless new links end at the depth or at the page cap."""
    for number in range(100):
        site.put(f"/docs/{number}", html(str(number + 1), text=str(number)))
    site.put("/docs/", html("0"))
    assert len(await listed(bench.web(depth=5))) == 6
    assert len(await listed(bench.web(depth=50, pages=20))) == 20


async def test_robots_is_obeyed(bench: Bench, site: Site) -> None:
    """What robots.txt forbids is neither asked for nor listed, and its pause of up to 10 s is kept."""
    rules = "User-agent: *\nDisallow: /docs/secret\nCrawl-delay: 99\n"
    site.put("/robots.txt", rules, media_type="text/plain")
    put_tree(site, {"/docs/": ["a", "secret/b"], "/docs/a": [], "/docs/secret/b": []})
    connector = bench.web()
    assert bench.paths(await listed(connector)) == {"/docs/", "/docs/a"}
    assert bench.time.waits == [10.0, 10.0]  # before each page
    with pytest.raises(DocumentVanished, match=r"robots\.txt"):
        await connector.fetch(ref_of(f"{site.url}/docs/secret/b"))
    assert "/docs/secret/b" not in site.asked()
    everything = bench.web(robots=False)
    assert bench.paths(await listed(everything)) == {"/docs/", "/docs/a", "/docs/secret/b"}


def ref_of(uri: str) -> DocumentRef:
    return DocumentRef(source="site", uri=uri, version="")


async def test_robots_that_fail_forbid(bench: Bench, site: Site) -> None:
    """A robots.txt that cannot be read, or that forbids the start, makes the source unavailable."""
    put_tree(site, {"/docs/": []})
    site.put("/robots.txt", status=500)
    with pytest.raises(SourceUnavailable, match=r"robots\.txt' answers with status 500"):
        await listed(bench.web())
    site.put("/robots.txt", "User-agent: Lorekeeper\nDisallow: /docs", media_type="text/plain")
    with pytest.raises(SourceUnavailable, match="robots = false"):
        await listed(bench.web())


async def test_pages_say_how_to_read_them(bench: Bench, site: Site) -> None:
    """A noindex keeps a page out, not its links; nofollow the other way round; canonical pages stand in."""
    site.put("/docs/", html("no-index", "no-follow", "copy?sort=1", "copy?sort=2", "lone", head=NOINDEX))
    site.put("/docs/no-index", html("behind"), headers={"X-Robots-Tag": "noindex"})
    site.put("/docs/no-follow", html("hidden", head='<meta name="robots" content="nofollow">'))
    for path in ("/docs/copy?sort=1", "/docs/copy?sort=2", "/docs/copy"):
        site.put(path, html(head='<link rel="canonical" href="/docs/copy">'))
    site.put("/docs/lone", html(head='<link rel="canonical" href="/docs/missing">'))
    put_tree(site, {"/docs/behind": [], "/docs/hidden": []})
    expected = {"/docs/no-follow", "/docs/behind", "/docs/copy", "/docs/lone"}
    connector = bench.web()
    first = await listed(connector)
    assert bench.paths(first) == expected
    assert (await connector.fetch(first[f"{site.url}/docs/copy"])).version is None
    assert await listed(bench.web()) == first


async def test_redirects_lead_to_one_page(bench: Bench, site: Site) -> None:
    """A page is listed once, where redirects end; what leads out of the source is not read."""
    put_tree(site, {"/docs/": ["old", "new", "out", "loop"], "/docs/new": [], "/elsewhere": []})
    site.redirect("/docs/old", "/docs/new", 301)
    site.redirect("/docs/out", "/elsewhere")
    site.redirect("/docs/loop", "/docs/loop")
    connector = bench.web(robots=False)
    refs = await listed(connector)
    assert bench.paths(refs) == {"/docs/", "/docs/new", "/docs/loop"}
    with pytest.raises(DocumentUnreadable, match="redirects more than 10 times"):
        await connector.fetch(refs[f"{site.url}/docs/loop"])
    del site.pages["/docs/loop"]
    start = len(site.requests)
    assert bench.paths(await listed(bench.web(robots=False))) == {"/docs/", "/docs/new"}
    assert 200 not in [r.status for r in site.requests[start:] if r.path == "/docs/new"]


async def test_a_start_that_leads_away_is_an_outage(bench: Bench, site: Site) -> None:
    """A location that redirects out of itself, as to a login page, deletes nothing."""
    put_tree(site, {"/docs/": ["a"], "/docs/a": [], "/login": []})
    await listed(bench.web())
    site.redirect("/docs/", "/login")
    with pytest.raises(SourceUnavailable, match=r"now leads to '.*/login', which is not below it"):
        await listed(bench.web())


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
async def test_a_start_that_fails_is_an_outage(bench: Bench, site: Site, status: int) -> None:
    """Whatever error the location itself answers with, the source is unavailable."""
    site.put("/docs/", status=status, etag=False)
    with pytest.raises(SourceUnavailable, match=r"^Source 'site': "):
        await listed(bench.web())


async def test_a_page_that_fails_is_still_listed(bench: Bench, site: Site) -> None:
    """A page that gives an error is listed as known, its links too; fetching it fails for it alone."""
    put_tree(site, {"/docs/": ["a", "gone"], "/docs/a": ["below"], "/docs/below": [], "/docs/gone": []})
    before = await listed(bench.web())
    site.put("/docs/a", status=500, etag=False)
    del site.pages["/docs/gone"]
    connector = bench.web()
    after = await listed(connector)
    assert bench.paths(after) == {"/docs/", "/docs/a", "/docs/below"}
    assert all(after[uri] == before[uri] for uri in after)
    with pytest.raises(DocumentUnreadable, match="answers with status 500"):
        await connector.fetch(after[f"{site.url}/docs/a"])
    with pytest.raises(DocumentVanished):
        await connector.fetch(before[f"{site.url}/docs/gone"])


async def test_a_barred_page_shows(bench: Bench, site: Site) -> None:
    """A page that is now forbidden is listed without a version, so that it is reported; a new one is not."""
    put_tree(site, {"/docs/": ["a", "b"], "/docs/a": []})
    site.put("/docs/b", status=403, etag=False)
    assert bench.paths(await listed(bench.web())) == {"/docs/", "/docs/a"}
    site.put("/docs/a", status=403, etag=False)
    connector = bench.web()
    refs = await listed(connector)
    assert bench.paths(refs) == {"/docs/", "/docs/a"}
    barred = refs[f"{site.url}/docs/a"]
    assert barred.version == ""
    with pytest.raises(DocumentUnreadable, match="answers with status 403"):
        await connector.fetch(barred)


async def test_a_host_that_dies_midway_is_an_outage(bench: Bench, site: Site) -> None:
    """Several failures in a row are the host's, not the pages'."""
    put_tree(site, {"/docs/": [str(number) for number in range(20)]})
    for number in range(20):
        site.put(f"/docs/{number}", status=502, etag=False)
    with pytest.raises(SourceUnavailable, match="5 pages in a row could not be read"):
        await listed(bench.web())
    assert len(site.requests) <= 10


async def test_a_dead_host_is_an_outage(bench: Bench, site: Site) -> None:
    """A host that takes no connections makes listing and fetching fail for the source."""
    put_tree(site, {"/docs/": []})
    refs = await listed(bench.web())
    connector = bench.web(robots=False)
    await site.stop()
    await bench.fetcher.close()
    with pytest.raises(SourceUnavailable):
        await listed(connector)
    with pytest.raises(SourceUnavailable):
        await connector.fetch(refs[f"{site.url}/docs/"])


async def test_what_is_no_document_is_not_listed(bench: Bench, site: Site) -> None:
    """Media types that no reader reads are not listed, whatever their address says; PDF and text are."""
    put_tree(site, {"/docs/": ["a", "b.pdf", "c.txt", "d.md", "api", "e"]})
    site.put("/docs/a", b"\x89PNG", media_type="image/png")
    site.put("/docs/b.pdf", b"%PDF-1.7", media_type="application/pdf")
    site.put("/docs/c.txt", "text", media_type="")
    site.put("/docs/d.md", "# D", media_type="application/octet-stream")
    site.put("/docs/api", "{}", media_type="application/json")
    site.put("/docs/e", b"\0\1", media_type="application/octet-stream")
    assert bench.paths(await listed(bench.web())) == {"/docs/", "/docs/b.pdf", "/docs/c.txt", "/docs/d.md"}


async def test_a_changed_setting_counts_at_once(bench: Bench, site: Site) -> None:
    """What is left out by the settings is found when they change, though no page does."""
    put_tree(site, {"/docs/": ["a"], "/docs/a": ["old/b"], "/docs/old/b": []})
    assert len(await listed(bench.web(exclude=("old/",)))) == 2
    assert len(await listed(bench.web())) == 3
    assert bench.paths(await listed(bench.web(include=("old/",)))) == {"/docs/old/b"}


async def test_other_origins_are_read_when_allowed(bench: Bench, site: Site) -> None:
    """Links to another origin are followed only when the source names it."""
    other = Site()
    await other.start()
    put_tree(site, {"/docs/": [f"{other.url}/post"]})
    put_tree(other, {"/post": ["/second"], "/second": []})
    try:
        assert len(await listed(bench.web())) == 1
        refs = await listed(bench.web(origins=(other.url,)))
        assert set(refs) == {f"{site.url}/docs/", f"{other.url}/post", f"{other.url}/second"}
    finally:
        await other.stop()


@pytest.mark.parametrize(
    ("path", "settings", "message"),
    [
        ("ftp://example.org/", {}, "is no web address"),
        ("https://ada:hunter2@example.org/", {}, "is no web address"),
        ("/docs/", {"origins": ("https://a.example/path",)}, "is no origin"),
        ("/docs/", {"private_hosts": False}, "is not public"),
        ("http://169.254.169.254/docs/", {}, "is not public"),
    ],
)
async def test_what_cannot_work_is_invalid(
    bench: Bench, path: str, settings: dict[str, object], message: str
) -> None:
    """A location that may not be read, or is no address, is an error of the definition."""
    with pytest.raises(SourceInvalid, match=message):
        await listed(bench.web(path, **settings))


# Manners


async def test_two_requests_at_a_time(bench: Bench, site: Site) -> None:
    """A host gets two requests at a time and no more."""
    put_tree(site, {"/docs/": [str(number) for number in range(8)]})
    put_tree(site, {f"/docs/{number}": [] for number in range(8)})
    refs = await listed(bench.web())
    connector = bench.web(robots=False)
    site.turnstile = asyncio.Semaphore(0)
    fetching = asyncio.gather(*(connector.fetch(ref) for ref in refs.values()))
    for _ in range(8):
        await site.until_busy(2)
        site.turnstile.release()
    site.turnstile.release()
    assert len(await fetching) == 9
    assert site.busiest == 2


async def test_the_delay_lies_between_requests(bench: Bench, site: Site) -> None:
    """Requests to a host begin at least the delay apart."""
    put_tree(site, {"/docs/": ["a", "b"], "/docs/a": [], "/docs/b": []})
    await listed(bench.web(delay=2.5))
    assert bench.time.waits == [2.5, 2.5, 2.5]


async def test_a_wait_that_is_asked_for_is_kept(bench: Bench, site: Site) -> None:
    """A short Retry-After is waited for and the page read; a long one makes the source unavailable."""
    put_tree(site, {"/docs/": ["a"]})
    site.put("/docs/a", status=429, headers={"Retry-After": "30"}, etag=False)
    bench.time.sleep = then(bench, lambda: site.put("/docs/a", html()))
    assert bench.paths(await listed(bench.web())) == {"/docs/", "/docs/a"}
    assert bench.time.waits == [30.0]
    site.put("/docs/a", status=503, headers={"Retry-After": "600"}, etag=False)
    with pytest.raises(SourceUnavailable, match=r"takes no more requests until \d{4}-.* UTC"):
        await listed(bench.web())
    assert bench.time.waits == [30.0]


def then(bench: Bench, act: object) -> object:
    wait = bench.time.sleep

    async def sleep(seconds: float) -> None:
        await wait(seconds)
        assert callable(act)
        act()

    return sleep


# The spool


async def test_the_spool_is_emptied(bench: Bench, site: Site) -> None:
    """What was read while listing lies on disk until it is fetched, and goes with the connector at last."""
    put_tree(site, {"/docs/": ["a"], "/docs/a": []})
    spool = bench.folder / "data" / "cache" / "spool" / "site"
    connector = bench.web()
    refs = await listed(connector)
    assert len([*spool.rglob("*")]) == 3
    await connector.fetch(refs[f"{site.url}/docs/a"])
    assert len([*spool.rglob("*")]) == 2
    del connector
    assert [*spool.rglob("*")] == []


async def test_a_lost_spool_costs_a_request(bench: Bench, site: Site) -> None:
    """A spooled page whose file is gone is asked for again."""
    put_tree(site, {"/docs/": []})
    connector: Connector = bench.web()
    refs = await listed(connector)
    for file in (bench.folder / "data" / "cache" / "spool").rglob("*"):
        if file.is_file():
            file.unlink()
    (ref,) = refs.values()
    assert (await connector.fetch(ref)).data == site.pages["/docs/"].body
