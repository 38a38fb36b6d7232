from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.errors import FetchRefused
from kb.fetch_address import follow, parse_address, shown

READ = [
    ("https://example.com", "https://example.com/"),
    ("HTTPS://Example.COM:443/A", "https://example.com/A"),
    ("http://example.com:80/?q=1#part", "http://example.com/?q=1"),
    ("https://example.com.:8443/a%20b", "https://example.com:8443/a%20b"),
    ("https://example.com?q=ü", "https://example.com/?q=%C3%BC"),
    ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ("https://[2606:4700:0::1111]:8443/", "https://[2606:4700::1111]:8443/"),
    ("https://1.1.1.1/", "https://1.1.1.1/"),
    ("https://my_host.example/a%2Fb", "https://my_host.example/a%2Fb"),
    ("https://example.com/@user/a:b", "https://example.com/@user/a:b"),
    ("https://example.com/\\evil", "https://example.com/%5Cevil"),
    ("https://example.com/a?next=http://127.0.0.1/", "https://example.com/a?next=http://127.0.0.1/"),
]

REFUSED = [
    "", "example.com", "/path", "//example.com/", "http:/example.com/", "http:///example.com/", "https://",
    "https://:80/", "https://example.com:/", "https://example.com:0/", "https://example.com:65536/",
    "https://example.com:25/", "https://example.com:a/", "https://example.com:443:443/", "ftp://example.com/",
    "file:///etc/passwd", " https://example.com/", "https://example.com/ a", "https://exa mple.com/",
    "https://example.com/\r\nHost: a", "https://example.com\\@127.0.0.1/", "https://a@example.com/",
    "https://a:b@example.com/", "https://@example.com/", "https://example.com%00/", "https://%6cocalhost/",
    "https://exam%70le.com/", "https://-a.example/", "https://a..example/", "https://.example/", "https://a,b/",
    "https://" + "a" * 64 + ".example/", "https://" + "a." * 127 + "example/", "https://127.1/", "https://0x7f.1/",
    "https://2130706433/", "https://0177.0.0.1/", "https://1.2.3.4.5/", "https://a.0x4/", "https://256.1.1.1/",
    "https://127。0。0。1/", "https://①②⑦.⓪.⓪.①/", "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://exa\u00admple.com/",
    "https://[fe80::1%25eth0]/", "https://[::1/", "https://[1.2.3.4]/", "https://[v1.a]/", "https://a[::1]/",
    "https://example.com/" + "a" * 9000, "https://\ud800.example/", "https://example.com/\udc80",
]  # fmt: skip


@pytest.mark.parametrize(("url", "canonical"), READ)
def test_good_addresses_are_read(url: str, canonical: str) -> None:
    """A web address is read into one form: case, default port, fragment and letters are settled."""
    assert parse_address(url).url == canonical


@pytest.mark.parametrize("url", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(url: str) -> None:
    """No address, or one that two programs may read differently, is refused in one line."""
    with pytest.raises(FetchRefused) as refused:
        parse_address(url)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600


def test_messages_hold_no_secrets() -> None:
    """A refusal shows neither the password nor the query of an address."""
    with pytest.raises(FetchRefused) as refused:
        parse_address("https://user:hunter2@example.com/?token=hunter2")
    assert "hunter2" not in str(refused.value)
    assert shown("https://example.com/a?token=hunter2") == "https://example.com/a?…"
    assert "hunter2" not in shown("http:\\\\user:hunter2@example.com/")


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("/a", "https://example.com/a"),
        ("b c", "https://example.com/dir/b%20c"),
        ("?page=2", "https://example.com/dir/page?page=2"),
        ("//other.example/x", "https://other.example/x"),
        (" https://other.example/ ", "https://other.example/"),
        ("http://example.com/a", "https://example.com/a"),
        ("/\\other.example", "https://example.com/%5Cother.example"),
    ],
)
def test_redirects_are_followed_as_browsers_do(location: str, there: str) -> None:
    """A relative target is joined with the address that it came from."""
    assert follow(parse_address("https://example.com/dir/page"), location).url == there


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example/",
        "http://example.com:8080/",
        "//[x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//127.1/",
        "//a@b/",
        "/a\x00b",
    ],
)
def test_redirects_to_elsewhere_are_refused(location: str) -> None:
    """A redirect from https to http, to another scheme or to a crooked address is refused."""
    with pytest.raises(FetchRefused):
        follow(parse_address("https://example.com/"), location)


PIECES = st.sampled_from(
    [*"/\\:@#?%[]. \t\r\n\x00-_~&=;", "http", "https", "://", "//", "127.0.0.1", "localhost", "::1",
     "a.example", "0x7f", "80", "。", "①", "é", "\ud800", "\u00ad", "%2f", "%00", "..", "user:pw@"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join))


@given(TEXTS.map(lambda rest: f"https://{rest}") | TEXTS)
@example("https://a.example:443")
def test_any_text_is_refused_or_read_the_same_by_others(url: str) -> None:
    """What is read has one form, of which the standard library reads the same host and port."""
    try:
        address = parse_address(url)
    except FetchRefused:
        return
    assert parse_address(address.url) == address
    there = urlsplit(address.url)
    assert (there.hostname, there.port, there.username) == (address.host, address.explicit_port, None)
    assert address.url.isascii()
    assert address.url.isprintable()


@given(TEXTS)
def test_any_redirect_is_refused_or_followed(location: str) -> None:
    """A redirect never leads to anything but a checked web address."""
    try:
        there = follow(parse_address("https://a.example/b"), location)
    except FetchRefused:
        return
    assert parse_address(there.url) == there
    assert there.scheme == "https"
