"""What the connectors of repository hosts share."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from kb.connectors.repository_api import asked_pause, last_page, next_query
from kb.connectors.repository_catalogue import Item, Kept, Probe, Remark, bring_up_to_date, kept_text
from kb.connectors.repository_threads import Post, Thread
from kb.fetch import Fetched

NOW = 1_800_000_000.0
START = datetime(2024, 3, 1, tzinfo=UTC)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Fetched:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(url="https://h/x", status=status, headers=named, body=body)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (answer(200), None),
        (answer(403), None),
        (answer(503), None),
        (answer(200, x_ratelimit_remaining="0", x_ratelimit_reset="1800000100"), None),
        (answer(200, b'[{"title": "errors", "labels": [{"name":"RATE_LIMITED"}]}]'), None),
        (answer(429, retry_after="7"), 7),
        (answer(503, retry_after="7.5"), 7.5),
        (answer(403, retry_after="0"), 0),
        (answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="1800000100"), 101),
        (answer(429, ratelimit_remaining="0", ratelimit_reset="1799999000"), 1),
        (answer(429, x_ratelimit_remaining="0", x_ratelimit_reset="soon"), 60),
        (answer(403, b'{"message": "You have exceeded a secondary rate limit."}'), 60),
        (answer(429), 60),
        (answer(429, retry_after="Fri, 15 Jan 2027 08:00:30 GMT"), 30),
        (answer(429, retry_after="Thu, 14 Jan 2027 08:00:30 GMT"), 0),
        (answer(429, retry_after="later"), 60),
        (answer(429, retry_after="nan"), 60),
        (answer(429, retry_after="inf"), 1e9),
        (answer(429, retry_after="-5"), 0),
        (answer(200, b'{"errors": [{"type": "RATE_LIMITED"}]}'), 60),
    ],
)
def test_pauses(given: Fetched, seconds: float | None) -> None:
    """A refusal for a rate limit asks for the pause that it names, or for a minute."""
    assert asked_pause(given, NOW) == seconds


@pytest.mark.parametrize(
    ("link", "following", "last"),
    [
        ("", None, None),
        ("nonsense", None, None),
        ('<https://h/x?page=1>; rel="prev"', None, None),
        (
            '<https://h/x?a=b,c&page=2>; rel="next", <https://h/x?page=9>; rel="last"',
            {"a": "b,c", "page": "2"},
            9,
        ),
        ("<https://other/y?after=Y3%3D%3D>; rel=next", {"after": "Y3=="}, None),
        ('<https://h/x?page=2>; title="next", <https://h/x?page=z>; rel="last"', None, None),
        ('<https://h/x?page=4>; rel="foo next"; title="x"', {"page": "4"}, None),
    ],
)
def test_links(link: str, following: dict[str, str] | None, last: int | None) -> None:
    """The next page's parameters and the last page's number are read from a Link header."""
    assert next_query(answer(link=link)) == following
    assert last_page(answer(link=link)) == last


def test_titles_and_signatures_are_lines() -> None:
    """Titles, labels and authors cannot break out of their line; an empty title is named by its kind."""
    post = Post(author="a\n# b", text="", replies=())
    text = Thread(kind="Issue #1", title=" \n ", post=post, labels=("x\ny",)).document().data.decode()
    assert text == "# Issue #1\n\nIssue #1, labels: x y. By a # b.\n"


def test_what_is_no_unicode_is_replaced() -> None:
    """A lone surrogate, which JSON can hold, does not make a document unreadable."""
    post = Post(author="a", text="odd \ud800 end")
    assert b"odd ? end" in Thread(kind="Issue #1", title="t", post=post).document().data


class Host:
    """A host's threads, changed at random; it is honest about times."""

    def __init__(self, chance: random.Random, *, counts: bool) -> None:
        self.chance = chance
        self.counts = counts
        self.now = START
        self.numbers = 0
        self.threads: dict[int, tuple[datetime, str]] = {}
        self.comments: dict[int, tuple[datetime, str]] = {}
        self.full_listings = 0

        for _ in range(250):
            self.now += timedelta(seconds=self.chance.choice([0, 1, 30, 400]))
            self.add()

    def add(self) -> None:
        self.numbers += 1
        self.threads[self.numbers] = (self.now, str(self.chance.random()))

    def change(self) -> None:
        self.now += timedelta(seconds=self.chance.choice([0, 0, 1, 30, 400]))
        kind = self.chance.choice(["new", "new", "edit", "comment", "delete"])
        if kind == "new" or not self.threads:
            self.add()
            return
        number = self.chance.choice(list(self.threads))
        if kind == "delete":
            del self.threads[number]
        elif kind == "edit":
            self.threads[number] = (self.now, str(self.chance.random()))
        else:
            self.comments[number] = (self.now, str(self.chance.random()))

    async def probe(self) -> Probe:
        newest = max((changed for changed, _ in self.threads.values()), default=None)
        return Probe(total=len(self.threads) if self.counts else None, newest=newest)

    async def everything(self) -> AsyncIterator[tuple[int, Item]]:
        self.full_listings += 1
        for number, (_, version) in self.threads.items():
            yield number, Item("issues", version)

    async def changed(self, since: datetime) -> AsyncIterator[tuple[int, Item]]:
        for number, (changed, version) in self.threads.items():
            if changed >= since:
                yield number, Item("issues", version)

    async def remarks(self, since: datetime) -> AsyncIterator[Remark]:
        for number, (changed, text) in self.comments.items():
            if changed >= since:
                yield Remark(number, changed, text)


@pytest.mark.parametrize("seed", range(20))
async def test_following_equals_listing(seed: int) -> None:
    """Over random histories what is followed has the versions of a full listing, and shows each comment."""
    host = Host(random.Random(seed), counts=True)
    kept = await bring_up_to_date(host, None, NOW)
    for _ in range(30):
        before = {number: item.token for number, item in kept.items.items()} if kept else {}
        comments = dict(host.comments)
        for _ in range(host.chance.randrange(4)):
            host.change()
        kept = await bring_up_to_date(host, Kept.read(await kept_text(kept)), NOW)
        assert kept is not None
        assert {number: item.version for number, item in kept.items.items()} == {
            number: version for number, (_, version) in host.threads.items()
        }
        for number in host.threads.keys() & before.keys():
            if host.comments.get(number) != comments.get(number):
                assert kept.items[number].token != before[number]
    assert 1 < host.full_listings < 60


async def test_nothing_new_is_nothing_to_remember() -> None:
    """Bringing an unchanged host up to date leaves the text that is remembered as it was."""
    host = Host(random.Random(1), counts=True)
    kept = await bring_up_to_date(host, None, NOW)
    again = await bring_up_to_date(host, kept, NOW + 3600)
    assert again == kept
    assert await kept_text(again) == await kept_text(kept)
    assert host.full_listings == 1


async def test_a_count_that_never_fits_costs_no_listing_a_run() -> None:
    """Where the host counts otherwise than it lists, the difference is remembered."""

    class Odd(Host):
        async def probe(self) -> Probe:
            told = await super().probe()
            return Probe(total=(told.total or 0) + 3, newest=told.newest)

    host = Odd(random.Random(2), counts=True)
    kept = await bring_up_to_date(host, None, NOW)
    assert host.full_listings == 2
    kept = await bring_up_to_date(host, kept, NOW)
    assert host.full_listings == 2
    del host.threads[next(iter(host.threads))]
    kept = await bring_up_to_date(host, kept, NOW)
    assert kept is not None
    assert kept.items.keys() == host.threads.keys()


async def test_a_clock_that_went_back_lists_all() -> None:
    """A last full listing in the future counts for nothing."""
    host = Host(random.Random(3), counts=False)
    kept = await bring_up_to_date(host, None, NOW)
    await bring_up_to_date(host, kept, NOW - 10)
    assert host.full_listings == 2
