from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kb.connectors.feed_apart import read_feed_apart
from kb.connectors.feed_items import NoFeed, read_feed
from kb.documents import DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from tests.contracts.feed_world import rss
from tests.emulators.site import Site, html
from tests.kb.connectors.sites import Bench, listed

ATOM = b"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>
<entry><id>tag:example.org,2024:1</id><title type="html">One &amp;amp; only</title>
<link href="/posts/1?utm_source=feed"/><updated>2024-05-01T10:00:00+02:00</updated>
<summary>Short.</summary>
<content type="html">&lt;p&gt;The &lt;b&gt;whole&lt;/b&gt; text.&lt;script&gt;x()
&lt;/script&gt;&lt;/p&gt;</content></entry>
<entry><id>tag:example.org,2024:2</id><title>Two</title><content type="text">1 &lt; 2</content></entry>
<entry><id>tag:example.org,2024:1</id><title>Twin</title></entry>
</feed>"""
RSS = "application/rss+xml"


# Items


def test_items_are_read() -> None:
    """Items have an id, a title, their longest text without scripts, an absolute link and a time."""
    one, two = read_feed(ATOM, {"content-type": "application/atom+xml"}, "http://h/feed.xml")
    assert (one.id, one.title, one.link) == ("tag:example.org,2024:1", "One & only", "http://h/posts/1")
    assert one.text == "<p>The <b>whole</b> text.</p>"
    assert one.updated == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert two.text == "<pre>1 &lt; 2</pre>"
    assert (two.link, two.updated) == ("", None)
    page = one.page().decode()
    assert "<h1>One &amp; only</h1>" in page
    assert one.text in page


def test_ids_are_fit() -> None:
    """An item without an id is known by its link or by its text, one with an unfit id by a hash of it."""
    items = [
        "<item><link>http://h/a</link></item>",
        "<item><title>Only a title</title></item>",
        f"<item><guid>{'x' * 1000}</guid></item>",
        "<item><guid>a\u202eb</guid></item>",
    ]
    feed = f'<rss version="2.0"><channel>{"".join(items)}</channel></rss>'.encode()
    ids = [item.id for item in read_feed(feed, {"content-type": RSS}, "http://h/feed.xml")]
    assert ids[0] == "http://h/a"
    assert ids[3] == "http://h/a%E2%80%AEb"
    assert [len(each) for each in ids[1:3]] == [32, 32]
    assert ids == [item.id for item in read_feed(feed, {"content-type": RSS}, "http://h/feed.xml")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (html("a").encode(), "it is an HTML page"),
        (b"", "it is neither RSS nor Atom"),
        (b"<urlset/>", "it is neither RSS nor Atom"),
        (b'<!DOCTYPE rss [<!ENTITY a "b">]><rss version="2.0"/>', "declares entities"),
    ],
)
def test_what_is_no_feed_says_why(data: bytes, why: str) -> None:
    """What is no feed is refused with the reason."""
    with pytest.raises(NoFeed, match=why):
        read_feed(data, {"content-type": "text/html"}, "http://h/feed.xml")


async def test_a_feed_that_takes_too_long_is_given_up() -> None:
    """A feed made to hold its reader is given up after its time, and its process ended."""
    text = b"<" * 1_000_000
    feed = (
        b"<rss version='2.0'><channel><item><description><![CDATA[%s]]></description></item></channel></rss>"
    )
    with pytest.raises(NoFeed, match="could not be read within 1 s"):
        await read_feed_apart(feed % text, {"content-type": RSS}, "http://h/feed.xml", seconds=1)


async def test_a_reader_that_dies_is_no_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Items come over from the reading process as they are; when it dies there is no feed."""
    items = await read_feed_apart(ATOM, {"content-type": "application/atom+xml"}, "http://h/feed.xml")
    assert items == read_feed(ATOM, {"content-type": "application/atom+xml"}, "http://h/feed.xml")
    monkeypatch.setattr("kb.connectors.feed_apart.__name__", "kb.connectors.no_such_module")
    with pytest.raises(NoFeed, match="its reader ended"):
        await read_feed_apart(ATOM, {}, "http://h/feed.xml")


# The connector


async def test_items_that_left_the_feed_stay(bench: Bench, site: Site) -> None:
    """A feed shows its newest items; older ones are still listed and fetched, by any later run."""
    site.put("/feed.xml", rss({"1": "first", "2": "second"}), media_type=RSS)
    before = await listed(bench.feed())
    site.put("/feed.xml", rss({"3": "third", "2": "second, mended"}), media_type=RSS)
    connector = bench.feed()
    after = await listed(connector)
    assert set(after) == {"1", "2", "3"}
    assert after["1"] == before["1"]
    assert after["2"].version != before["2"].version
    assert b"first" in (await connector.fetch(after["1"])).data
    assert b"mended" in (await bench.feed().fetch(after["2"])).data


async def test_an_unchanged_feed_is_not_sent(bench: Bench, site: Site) -> None:
    """An unchanged feed costs one conditional request."""
    site.put("/feed.xml", ATOM, media_type="application/atom+xml")
    before = await listed(bench.feed())
    assert await listed(bench.feed()) == before
    assert site.statuses() == [200, 304]
    (linked,) = (ref for ref in before.values() if ref.uri.endswith(":1"))
    assert linked.url == f"{site.url}/posts/1"


async def test_new_dates_change_nothing(bench: Bench, site: Site) -> None:
    """A feed that dates its items anew each time has no new versions."""
    site.put("/feed.xml", ATOM, media_type="application/atom+xml")
    before = await listed(bench.feed())
    site.put("/feed.xml", ATOM.replace(b"2024-05-01", b"2024-06-01"), media_type="application/atom+xml")
    connector = bench.feed()
    assert await listed(connector) == before
    content = await connector.fetch(before["tag:example.org,2024:1"])
    assert content.updated == datetime(2024, 6, 1, 8, tzinfo=UTC)


async def test_half_a_feed_takes_nothing_away(bench: Bench, site: Site) -> None:
    """A feed that breaks off, or has become empty, leaves the items that it had."""
    feed = rss({"1": "first", "2": "second"})
    site.put("/feed.xml", feed, media_type=RSS)
    before = await listed(bench.feed())
    for half in (feed[: feed.index("second")], rss({})):
        site.put("/feed.xml", half, media_type=RSS)
        assert set(await listed(bench.feed())) == set(before)


async def test_html_for_a_feed_is_an_outage(bench: Bench, site: Site) -> None:
    """A web page where the feed was is an outage."""
    site.put("/feed.xml", html("a"))
    with pytest.raises(SourceUnavailable, match="is no feed: it is an HTML page"):
        await listed(bench.feed())


async def test_linked_pages_are_read_in_their_place(bench: Bench, site: Site) -> None:
    """With `linked` an item's page is its content; a page that cannot be read is an error of that item."""
    items = "".join(f"<item><title>{name}</title><link>/{name}</link></item>" for name in "abcd")
    items += '<item><guid isPermaLink="false">e</guid><title>E</title></item>'
    feed = f'<rss version="2.0"><channel>{items}</channel></rss>'
    site.put("/feed.xml", feed, media_type=RSS)
    site.put("/robots.txt", "User-agent: *\nDisallow: /d", media_type="text/plain")
    site.put("/a", html(text="The page."))
    site.put("/c", b"\x89PNG", media_type="image/png")
    connector = bench.feed(linked=True)
    refs = await listed(connector)
    page = refs[f"{site.url}/a"]
    content = await connector.fetch(page)
    assert (content.data, content.url, content.version) == (site.pages["/a"].body, f"{site.url}/a", None)
    assert b"<h1>E</h1>" in (await connector.fetch(refs["e"])).data
    for name, error in [("b", DocumentVanished), ("c", DocumentUnreadable), ("d", DocumentUnreadable)]:
        with pytest.raises(error):
            await connector.fetch(refs[f"{site.url}/{name}"])
    assert (await listed(bench.feed()))[page.uri].version != page.version


async def test_what_is_not_in_the_feed_is_not_fetched(bench: Bench, site: Site) -> None:
    """A ref that the feed never listed leads nowhere, also where it is an address."""
    site.put("/feed.xml", rss({"1": "first"}), media_type=RSS)
    site.put("/other", html())
    for uri in (f"{site.url}/other", "2", ""):
        with pytest.raises(DocumentVanished):
            await bench.feed(linked=True).fetch(DocumentRef(source="site", uri=uri, version=""))
    assert "/other" not in site.asked()


async def test_a_wrong_location_is_invalid(bench: Bench) -> None:
    """A location that is no web address, or of a host that may not be read, is an error of the definition."""
    for path in ("ftp://example.org/feed", "http://169.254.169.254/feed"):
        with pytest.raises(SourceInvalid):
            await listed(bench.feed(path))
