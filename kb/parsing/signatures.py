"""What the first bytes of a file say it is.

Text has no signature: `signature` returns None for it, and for binary data of an unknown kind.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from kb.errors import DocumentStatus


@dataclass(frozen=True, slots=True)
class Signature:
    """What a file is: a kind that has a reader (or none), and words for people.

    `status` is `ok`, or why a file of a readable kind cannot be read.
    """

    kind: str
    what: str
    status: DocumentStatus = "ok"


_ARCHIVE, _IMAGE, _SOUND, _VIDEO, _PROGRAM, _FONT = "archive", "image", "sound", "video", "program", "font"

_PREFIXES: tuple[tuple[bytes, Signature], ...] = (
    (b"\x1f\x8b", Signature(_ARCHIVE, "a gzip archive")),
    *((b"BZh%d1AY&SY" % level, Signature(_ARCHIVE, "a bzip2 archive")) for level in range(1, 10)),
    (b"\xfd7zXZ\0", Signature(_ARCHIVE, "an xz archive")),
    (b"7z\xbc\xaf\x27\x1c", Signature(_ARCHIVE, "a 7z archive")),
    (b"Rar!\x1a\x07", Signature(_ARCHIVE, "a RAR archive")),
    (b"\x28\xb5\x2f\xfd", Signature(_ARCHIVE, "a zstd archive")),
    (b"\x04\x22\x4d\x18", Signature(_ARCHIVE, "an lz4 archive")),
    (b"MSCF\0\0", Signature(_ARCHIVE, "a cabinet archive")),
    (b"!<arch>\n", Signature(_ARCHIVE, "an ar archive")),
    (b"\x89PNG\r\n", Signature(_IMAGE, "a PNG image")),
    (b"\xff\xd8\xff", Signature(_IMAGE, "a JPEG image")),
    (b"GIF87a", Signature(_IMAGE, "a GIF image")),
    (b"GIF89a", Signature(_IMAGE, "a GIF image")),
    (b"II*\0", Signature(_IMAGE, "a TIFF image")),
    (b"MM\0*", Signature(_IMAGE, "a TIFF image")),
    (b"\0\0\1\0", Signature(_IMAGE, "an icon image")),
    (b"8BPS\0", Signature(_IMAGE, "a Photoshop image")),
    (b"\0\0\0\x0cjP  ", Signature(_IMAGE, "a JPEG 2000 image")),
    (b"AT&TFORM", Signature(_IMAGE, "a DjVu document")),
    (b"%!PS", Signature(_IMAGE, "a PostScript file")),
    *((b"ID3%c" % version, Signature(_SOUND, "an MP3 recording")) for version in (2, 3, 4)),
    (b"OggS\0", Signature(_SOUND, "an Ogg recording")),
    (b"fLaC", Signature(_SOUND, "a FLAC recording")),
    (b"MThd\0", Signature(_SOUND, "a MIDI file")),
    (b"\x1aE\xdf\xa3", Signature(_VIDEO, "a Matroska video")),
    (b"FLV\1", Signature(_VIDEO, "a Flash video")),
    (b"\0\0\1\xba", Signature(_VIDEO, "an MPEG video")),
    (b"\x7fELF", Signature(_PROGRAM, "a program (ELF)")),
    (b"MZ\x90\0", Signature(_PROGRAM, "a Windows program")),
    (b"\xca\xfe\xba\xbe", Signature(_PROGRAM, "a compiled program")),
    (b"\xcf\xfa\xed\xfe", Signature(_PROGRAM, "a macOS program")),
    (b"\xce\xfa\xed\xfe", Signature(_PROGRAM, "a macOS program")),
    (b"\0asm", Signature(_PROGRAM, "a WebAssembly program")),
    (b"SQLite format 3\0", Signature("database", "an SQLite database")),
    (b"PAR1\x15", Signature("database", "a Parquet table")),
    (b"wOFF\0\1", Signature(_FONT, "a font")),
    (b"wOF2\0\1", Signature(_FONT, "a font")),
    (b"OTTO\0", Signature(_FONT, "a font")),
    (b"\0\1\0\0\0", Signature(_FONT, "a font")),
    (b"{\\rtf", Signature("rtf", "a Rich Text document (save it as .docx)")),
)
_RIFF = {
    b"WEBP": (_IMAGE, "a WebP image"),
    b"WAVE": (_SOUND, "a WAV recording"),
    b"AVI ": (_VIDEO, "an AVI video"),
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS: tuple[tuple[str, Signature], ...] = (
    (
        "EncryptedPackage",
        Signature("office", "an encrypted Office document; remove its password", "encrypted"),
    ),
    ("WordDocument", Signature("legacy", "an old Word document (save it as .docx)")),
    ("PowerPoint Document", Signature("legacy", "an old PowerPoint presentation (save it as .pptx)")),
    ("Workbook", Signature("legacy", "an old Excel workbook (save it as .xlsx)")),
    ("Book", Signature("legacy", "an old Excel workbook (save it as .xlsx)")),
    ("__substg1.0_", Signature("legacy", "an Outlook message (save it as .eml)")),
    ("VisioDocument", Signature("legacy", "a Visio drawing")),
)
_PACKAGES: tuple[tuple[str, Signature], ...] = (
    ("word/document", Signature("word", "a Word document")),
    ("xl/workbook", Signature("spreadsheet", "an Excel workbook")),
    ("ppt/presentation", Signature("presentation", "a PowerPoint presentation")),
    ("visio/document", Signature("drawing", "a Visio drawing")),
    ("META-INF/MANIFEST.MF", Signature(_PROGRAM, "a Java archive")),
)
_OPEN_DOCUMENT = Signature("opendocument", "an OpenDocument file (save it as .docx, .xlsx or .pptx)")


def signature(data: bytes) -> Signature | None:
    """Return what the bytes say the file is, or None where they say nothing."""
    for prefix, found in _PREFIXES:
        if data.startswith(prefix):
            return found
    if data.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
        return _zip(data)
    if data.startswith(_OLE):
        return _compound(data)
    if b"%PDF-" in data[:1024]:
        return Signature("pdf", "a PDF document")
    return _by_inner_mark(data)


def _by_inner_mark(data: bytes) -> Signature | None:
    if data.startswith(b"RIFF") and data[8:12] in _RIFF:
        return Signature(*_RIFF[data[8:12]])
    if data[4:8] == b"ftyp":
        image = data[8:12] in (b"heic", b"heix", b"mif1", b"avif")
        return Signature(_IMAGE, "a HEIC or AVIF image") if image else Signature(_VIDEO, "an MP4 recording")
    if data[257:262] == b"ustar":
        return Signature(_ARCHIVE, "a tar archive")
    if data.startswith(b"BM") and len(data) > 14 and data[6:10] == b"\0\0\0\0":
        return Signature(_IMAGE, "a BMP image")
    if data[:1] == b"\xff" and data[1:2] in (b"\xfb", b"\xf3", b"\xf2"):
        return Signature(_SOUND, "an MP3 recording")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    drawn = start.startswith((b"<?xml", b"<!doctype svg")) and b"<svg" in start and b"<html" not in start
    if drawn or start.startswith(b"<svg"):
        return Signature(_IMAGE, "an SVG image")
    return None


def _compound(data: bytes) -> Signature:
    """Name an OLE compound file by the streams in it."""
    for stream, found in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return found
    return Signature("legacy", "an OLE compound file")


def _zip(data: bytes) -> Signature:
    """Name a ZIP container by what it holds; an unreadable one is still a ZIP archive."""
    plain = Signature(_ARCHIVE, "a ZIP archive")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _package(archive) or plain
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, IndexError):
        return _damaged_package(data) or plain


def _package(archive: zipfile.ZipFile) -> Signature | None:
    names = archive.namelist()
    for start, found in _PACKAGES:
        if any(name.startswith(start) for name in names):
            return found
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        return Signature(_ARCHIVE, "an encrypted ZIP archive", "encrypted")
    if "mimetype" in names:
        return _by_mimetype(archive, names)
    return None


def _by_mimetype(archive: zipfile.ZipFile, names: list[str]) -> Signature | None:
    """Tell the formats apart that begin with a `mimetype` entry."""
    with archive.open("mimetype") as entry:
        declared = entry.read(200)
    if b"epub" in declared:
        return Signature("ebook", "an e-book")
    if b"opendocument" not in declared:
        return None
    if "META-INF/manifest.xml" in names:
        with archive.open("META-INF/manifest.xml") as entry:
            if b"encryption-data" in entry.read(1_000_000):
                return Signature("opendocument", "an encrypted OpenDocument file", "encrypted")
    return _OPEN_DOCUMENT


def _damaged_package(data: bytes) -> Signature | None:
    """Recognise an Office package whose directory is broken by the part names in it."""
    for start, found in _PACKAGES[:3]:
        if start.encode() in data:
            return Signature(found.kind, f"a damaged file, once {found.what}", "unreadable")
    return None
