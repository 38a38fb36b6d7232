"""Which reader a document gets, and with which words it is refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from kb.errors import DocumentUnreadable
from kb.parsing.formats import identify, suffix

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HTML = b"<!doctype html><html><body><p>Hello</p></body></html>"


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "media_type", "kind"),
    [
        (b"# x", "docs/README.md", "", "markdown"),
        (b"x", "page.rst?plain=1", "", "restructuredtext"),
        (b"x", "Makefile", "", "code"),
        (b"x", "a/b.PY", "", "code"),
        (b"a,b", "t.csv", "", "csv"),
        (b"x", "notes", "text/markdown; charset=utf-8", "markdown"),
        (HTML, "notes", "", "html"),
        (HTML, "https://example.org/blob/README.md", "text/html", "html"),
        (b"words", "notes", "", "text"),
        (b"words", "notes.unknown", "", "text"),
        (b"%PDF-1.4", "x", "", "pdf"),
        (zipped("word/document.xml"), "x.docx", "", "word"),
        (zipped("word/document.xml"), "old.doc", "", "word"),
        (zipped("xl/workbook.xml"), "download", "application/octet-stream", "spreadsheet"),
        (b"OTTO is our bot. ID3 tags. PAR1 too.", "a.txt", "", "text"),
    ],
)
def test_format_by_name_then_media_type_then_bytes(
    data: bytes, name: str, media_type: str, kind: str
) -> None:
    """The name's end decides, then the media type, then the bytes."""
    assert identify(data, name, media_type) == kind


@pytest.mark.parametrize(
    ("data", "name", "status", "reason"),
    [
        (PNG, "a.md", "unsupported", "is named .md but holds a PNG image"),
        (PNG, "a.png", "passed-over", "is a PNG image; there is no reader for it"),
        (zipped("a.txt"), "a.pdf", "unsupported", "is named .pdf but holds a ZIP archive"),
        (HTML, "a.pdf", "unsupported", "is named .pdf but holds an HTML page"),
        (HTML, "a.docx", "unsupported", "is named .docx but holds an HTML page"),
        (b"%PDF-1.4", "a.html", "unsupported", "is named .html but holds a PDF document"),
        (b"plain", "a.docx", "unreadable", "is named .docx but is no Office document, or a damaged one"),
        (b"plain", "a.pdf", "unreadable", "is named .pdf but is no PDF document, or a damaged one"),
        (bytes(range(256)), "a.txt", "unsupported", "is named .txt but holds binary data of an unknown kind"),
        (bytes(range(256)), "a", "unsupported", "holds binary data of an unknown kind"),
        (b"GIF89a" + bytes(9), "x", "passed-over", "is a GIF image; there is no reader for it"),
        (b"<svg xmlns='x'/>", "a.svg", "passed-over", "is an SVG image; there is no reader for it"),
        (b"text", "a.mp3", "passed-over", "is a sound recording; there is no reader for it"),
        (b"\x7fELF\x02", "tool", "passed-over", "is a program (ELF); there is no reader for it"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"),
            "a.doc",
            "unsupported",
            "is an old Word document (save it as .docx); there is no reader for it",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "encrypted",
            "is an encrypted Office document; remove its password",
        ),
        (b"PK\3\4 word/document.xml", "a.docx", "unreadable", "is named .docx but holds a damaged file"),
    ],
)
def test_refusals_say_what_the_file_is(data: bytes, name: str, status: str, reason: str) -> None:
    """A file that is not what its name says, or has no reader, is refused in plain words."""
    with pytest.raises(DocumentUnreadable) as caught:
        identify(data, name, "")
    assert caught.value.status == status
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("a/b.Tar.GZ", "gz"),
        ("C:\\x\\y.MD", "md"),
        ("https://x.org/p.html?a=b.c#d", "html"),
        ("Dockerfile", "dockerfile"),
    ],
)
def test_suffix_of_paths_and_addresses(name: str, end: str) -> None:
    """The end of a name is found in paths of both kinds and in URLs."""
    assert suffix(name) == end
