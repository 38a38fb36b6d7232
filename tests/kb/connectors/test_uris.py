from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.connectors.uris import link_path, path_of, uri_of

PATHS = st.binary(max_size=40) | st.text(alphabet="%0aAfF\n\x85é/.", max_size=20).map(str.encode)


@given(PATHS)
def test_every_path_comes_back(path: bytes) -> None:
    """A uri gives back the path it was made from, so two paths never share one."""
    assert path_of(uri_of(path)) == path


@given(PATHS)
def test_uris_are_text(path: bytes) -> None:
    """A uri is valid UTF-8 on one line without control characters."""
    uri = uri_of(path)
    uri.encode("utf-8")
    assert len(uri.splitlines()) <= 1
    assert not any(ord(character) < 32 for character in uri)


def test_other_spellings_are_no_uris() -> None:
    """A uri that no path has been turned into means no path."""
    assert path_of("%61.md") is None
    assert path_of("a\nb.md") is None
    assert path_of("\ud800") is None


def test_links_are_encoded() -> None:
    """A path in a link is percent-encoded save for its separators."""
    assert link_path("a b/é?.md".encode()) == "a%20b/%C3%A9%3F.md"
