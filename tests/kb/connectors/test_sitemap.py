from __future__ import annotations

import gzip
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.connectors.sitemap_files import UNPACKED, Location, NoSitemap, read_sitemap
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from tests.contracts.sitemap_world import sitemap
from tests.emulators.site import Site, html
from tests.kb.connectors.sites import Bench, listed

TRUST = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust" / "sitemaps"
DATED = "2024-05-01T10:00:00Z"
XML = "application/xml"


def index(*addresses: str) -> str:
    entries = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<sitemapindex xmlns="{space}">{entries}</sitemapindex>'


# Files


LISTS = [
    (sitemap({"http://h/a": DATED, "http://h/b": ""}).encode(), XML, {"http://h/a": DATED, "http://h/b": ""}),
    (b"<urlset><url><loc>\n http://h/?x=1&amp;y=2 </loc></url></urlset>", "", {"http://h/?x=1&y=2": ""}),
    (b"<urlset><url><i><loc>no</loc></i><loc>a</loc></url></urlset>", XML, {"a": ""}),
    (b"<urlset><url><loc><![CDATA[http://h/a]]></loc></url></urlset>", XML, {"http://h/a": ""}),
    (b"\xef\xbb\xbfhttp://h/a\r\n\r\nb\n", "text/plain; charset=utf-8", {"http://h/a": "", "b": ""}),
    (b"<urlset/>", XML, {}),
    (gzip.compress(b"<urlset><url><loc>a</loc></url></urlset>", mtime=0), "application/gzip", {"a": ""}),
    (
        "<?xml version='1.0' encoding='UTF-16'?><urlset><url><loc>ü</loc></url></urlset>".encode("utf-16"),
        XML,
        {"ü": ""},
    ),
]


@pytest.mark.parametrize(("data", "media_type", "locations"), LISTS)
def test_sitemaps_are_read(data: bytes, media_type: str, locations: dict[str, str]) -> None:
    """A sitemap gives its addresses and the times of change, as they are written."""
    assert read_sitemap(data, media_type).pages == tuple(Location(*each) for each in locations.items())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (html("a").encode(), "it is an HTML page"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", "it is an HTML page"),
        (b"<rss version='2.0'/>", "it is 'rss'"),
        (b"<urlset><url><loc>http://h/a</loc></url>", "is no sitemap that can be read"),
        (b"<urlset><url><loc>http://h/a</url></urlset>", "is no sitemap that can be read"),
        (b"<!DOCTYPE urlset [<!ENTITY a 'x'>]><urlset><url><loc>&a;</loc></url></urlset>", "document type"),
        (b"", "it is not XML"),
        (b"Service unavailable", "it is not XML"),
        (gzip.compress(b"<urlset/>", mtime=0)[:-9], "breaks off"),
        (b"\x1f\x8bnonsense", "is no gzip file"),
        (gzip.compress(b" " * (UNPACKED + 2)), "is larger than 50 MB"),
        (b"<urlset>" + b"<a>" * 5000, "is no sitemap that can be read"),
    ],
)
def test_what_is_no_sitemap_says_why(data: bytes, why: str) -> None:
    """What is no sitemap, or only a part of one, is refused with the reason."""
    with pytest.raises(NoSitemap, match=why):
        read_sitemap(data, XML)


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
async def test_trust_sitemaps(bench: Bench, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Of odd sitemaps only pages of their own site are listed; loops and document types are outages."""
    data = {path.name: path.read_bytes() for path in TRUST.iterdir()}
    own = site.url.encode()
    for name, body in data.items():
        own_site = body.replace(b"http://site.test", own).replace(b"http://SITE.test", own)
        site.put(f"/{name}", own_site, media_type="application/octet-stream" if name[-2:] == "gz" else XML)
    for path in ("/a%20b", "/?a=1&b=2", "/Case", "/a", "/a/", "/relative"):
        site.put(path, html())
    found = bench.paths(await listed(bench.sitemap("/bad_locs.xml")))
    assert found <= {"/a%20b", "/?a=1&b=2", "/Case", "/a", "/a/", "/relative"}
    assert {"/a", "/a/", "/Case"} <= found
    with pytest.raises(SourceUnavailable, match="declares a document type"):
        await listed(bench.sitemap("/doctype.xml"))
    assert await listed(bench.sitemap("/index_self.xml")) == {}
    with pytest.raises(SourceUnavailable, match="names only pages of other sites"):
        await listed(bench.sitemap("/utf16.xml"))
    with pytest.raises(SourceUnavailable, match="names only pages of other sites"):
        await listed(bench.sitemap("/urls_60000.xml.gz"))
    assert not [path for path in site.asked() if "169.254" in path]


# Listing


async def test_dates_decide(bench: Bench, site: Site) -> None:
    """Where the sitemap dates its pages only the sitemap is asked for, and pages that have a new date."""
    pages = {f"{site.url}/{name}": DATED for name in "abc"}
    site.put("/sitemap.xml", sitemap(pages), media_type=XML)
    for name in "abc":
        site.put(f"/{name}", html(text=name))
    before = await listed(bench.sitemap())
    assert site.asked() == ["/sitemap.xml", "/robots.txt"]
    assert bench.paths(before) == {"/a", "/b", "/c"}
    changed = f"{site.url}/b"
    site.put("/sitemap.xml", sitemap({**pages, changed: "2024-05-02T10:00:00Z"}), media_type=XML)
    connector = bench.sitemap()
    after = await listed(connector)
    assert {uri for uri in after if after[uri] != before[uri]} == {changed}
    content = await connector.fetch(after[changed])
    assert (content.data, content.version, content.url) == (site.pages["/b"].body, None, changed)


async def test_undated_pages_are_asked(bench: Bench, site: Site) -> None:
    """Pages without a date cost a conditional request each, and what is new of them is read once."""
    site.put("/sitemap.xml", sitemap({f"{site.url}/{name}": "" for name in "abc"}), media_type=XML)
    for name in "abc":
        site.put(f"/{name}", html(text=name))
    await listed(bench.sitemap(robots=False))
    site.put("/b", html(text="new"))
    start = len(site.requests)
    connector = bench.sitemap(robots=False)
    refs = await listed(connector)
    assert (await connector.fetch(refs[f"{site.url}/b"])).data == site.pages["/b"].body
    assert site.statuses(since=start) == [200, 304, 200, 304]


async def test_a_bare_day_is_doubted_while_it_lasts(bench: Bench, site: Site) -> None:
    """A date without a time tells nothing of a page that may change again on that day."""
    today = datetime.now(UTC).date()
    days = {"/new": today, "/future": today + timedelta(days=400), "/old": today - timedelta(days=5)}
    site.put(
        "/sitemap.xml",
        sitemap({site.url + path: day.isoformat() for path, day in days.items()}),
        media_type=XML,
    )
    for path in days:
        site.put(path, html(text=path))
    refs = await listed(bench.sitemap(robots=False))
    assert site.asked() == ["/sitemap.xml", "/new", "/future"]
    assert refs[f"{site.url}/old"].version == f"lastmod {days['/old'].isoformat()}"


async def test_indexes_are_followed(bench: Bench, site: Site) -> None:
    """An index's sitemaps are read, packed or not, each once; a page in two of them is one document."""
    site.put(
        "/sitemap.xml", index(f"{site.url}/one.xml", f"{site.url}/two.xml.gz", f"{site.url}/sitemap.xml")
    )
    site.put("/one.xml", sitemap({f"{site.url}/a": DATED}))
    packed = gzip.compress(sitemap({f"{site.url}/a": DATED, f"{site.url}/b": DATED}).encode())
    site.put("/two.xml.gz", packed, media_type="application/x-gzip")
    assert bench.paths(await listed(bench.sitemap())) == {"/a", "/b"}
    assert sorted(site.asked()) == ["/one.xml", "/robots.txt", "/sitemap.xml", "/two.xml.gz"]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
async def test_half_an_index_is_an_outage(bench: Bench, site: Site, status: int) -> None:
    """A sitemap of an index that cannot be read makes the source unavailable, whatever the others say."""
    site.put("/sitemap.xml", index(f"{site.url}/one.xml", f"{site.url}/two.xml"))
    site.put("/one.xml", sitemap({f"{site.url}/a": DATED}))
    site.put("/two.xml", status=status, etag=False)
    with pytest.raises(SourceUnavailable, match=r"^Source 'site': .*\.$"):
        await listed(bench.sitemap())


async def test_endless_indexes_end(bench: Bench, site: Site) -> None:
    """Indexes that lead ever deeper are an outage."""
    for number in range(10):
        site.put(f"/{number}.xml", index(f"{site.url}/{number + 1}.xml"))
    with pytest.raises(SourceUnavailable, match="is more than 4 sitemap indexes deep"):
        await listed(bench.sitemap("/0.xml"))
    assert len(site.requests) == 4


async def test_html_for_a_sitemap_is_an_outage(bench: Bench, site: Site) -> None:
    """A web page where the sitemap was is an outage, not an empty source."""
    site.put("/sitemap.xml", html("a"))
    with pytest.raises(SourceUnavailable, match="is no sitemap: it is an HTML page"):
        await listed(bench.sitemap())


async def test_the_cap_keeps_what_is_known(
    bench: Bench, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Above the page cap a message says so, and pages that were listed before stay."""
    old = {f"{site.url}/old{number}": DATED for number in range(3)}
    site.put("/sitemap.xml", sitemap(old), media_type=XML)
    before = await listed(bench.sitemap(pages=3))
    new = {f"{site.url}/new{number}": DATED for number in range(5)}
    site.put("/sitemap.xml", sitemap({**new, **old}), media_type=XML)
    with caplog.at_level(logging.WARNING):
        assert await listed(bench.sitemap(pages=3)) == before
    assert "names 8 pages; 3 of them are read" in caplog.text
    assert len(await listed(bench.sitemap(pages=5))) == 5


async def test_what_is_not_to_be_indexed_is_not(bench: Bench, site: Site) -> None:
    """Pages that robots.txt or they themselves forbid are left out, at the latest when they are fetched."""
    site.put("/robots.txt", "User-agent: *\nDisallow: /private", media_type="text/plain")
    pages = {f"{site.url}/{path}": DATED for path in ("a", "private/b", "unwanted", "away", "gone", "c.png")}
    site.put("/sitemap.xml", sitemap({**pages, f"{site.url}/undated": ""}), media_type=XML)
    site.put("/a", html())
    site.put("/unwanted", html(head='<meta name="robots" content="noindex">'))
    site.put("/undated", html(head='<meta name="robots" content="noindex">'))
    site.redirect("/away", site.url.replace("127.0.0.1", "localhost") + "/a")
    connector = bench.sitemap()
    refs = await listed(connector)
    assert bench.paths(refs) == {"/a", "/unwanted", "/away", "/gone"}
    for path, error in [
        ("unwanted", DocumentUnreadable),
        ("away", DocumentVanished),
        ("gone", DocumentVanished),
    ]:
        with pytest.raises(error):
            await connector.fetch(refs[f"{site.url}/{path}"])


async def test_a_page_that_fails_stays_listed(bench: Bench, site: Site) -> None:
    """An undated page that gives an error is listed as it was known; one that is gone is not."""
    names = [f"{site.url}/{name}" for name in "abc"]
    site.put("/sitemap.xml", sitemap(dict.fromkeys(names, "")), media_type=XML)
    for name in "abc":
        site.put(f"/{name}", html(text=name))
    before = await listed(bench.sitemap())
    site.put("/b", status=500, etag=False)
    del site.pages["/c"]
    connector = bench.sitemap()
    after = await listed(connector)
    assert after == {uri: before[uri] for uri in names[:2]}
    with pytest.raises(DocumentUnreadable):
        await connector.fetch(after[names[1]])


async def test_a_wrong_location_is_invalid(bench: Bench) -> None:
    """A location that is no web address, or of a host that may not be read, is an error of the definition."""
    for path in ("ftp://example.org/sitemap.xml", "http://169.254.169.254/sitemap.xml"):
        with pytest.raises(SourceInvalid):
            await listed(bench.sitemap(path))
