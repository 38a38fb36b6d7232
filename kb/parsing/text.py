"""Bytes to characters, and characters to what a reader can see."""

from __future__ import annotations

import codecs
import re

from kb.errors import DocumentUnreadable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 32_768
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))
# Characters without a shape carry hidden text and break words; single joiners belong to real scripts.
_SHAPELESS = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_SHAPELESS}]|[\u200c\u200d]{{2,}}")
_SUSPECT = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200c\u200d\u2028\u2029\ud800-\udfff{_SHAPELESS}]")
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def clean_text(text: str) -> str:
    """Return the text without control and invisible characters, with line feeds as line ends."""
    if text.isascii():
        return (_LINE_END.sub("\n", text) if "\r" in text else text).translate(_NO_CONTROL)
    if not _SUSPECT.search(text):
        return text
    text = _CONTROL.sub("", _LINE_END.sub("\n", text))
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def one_line(text: str, limit: int = 200) -> str:
    """Return a short text on one line, clipped to `limit` characters."""
    line = " ".join(clean_text(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def decode_text(data: bytes, *, declared: str = "") -> str:
    """Decode a text file: byte order mark, UTF-8, then the declared encoding, then a guess.

    Raises DocumentUnreadable when the bytes are no text in any encoding.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace")
    if encoding := _unmarked_utf16(data):
        return data.decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(_known(declared) or _guess(data), "replace")


def _known(encoding: str) -> str:
    """Return the encoding's name where Python has it as a text encoding; UTF-7 hides markup."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, ValueError, TypeError):
        return ""
    return "" if name in ("utf-8", "utf-7", "utf-16", "utf-32") else name


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    if _damaged_utf8(sample):
        return "utf-8"
    best = from_bytes(sample, cp_exclusion=["utf_7"]).best()
    if best is None:
        raise DocumentUnreadable("holds text in no known encoding. Save it as UTF-8.")
    return best.encoding


def _damaged_utf8(sample: bytes) -> bool:
    """Tell UTF-8 with a few bad bytes: no other encoding looks like valid sequences so often."""
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    valid = len(text) - bad - sum(map(str.isascii, text))
    return valid >= 2 * bad


def looks_binary(data: bytes) -> bool:
    """Tell whether the first bytes are no text in any common encoding."""
    sample = data[:8192]
    if any(sample.startswith(bom) for bom, _ in _BOMS) or _unmarked_utf16(sample):
        return False
    control = len(sample) - len(sample.translate(None, _CONTROL_BYTES))
    return control > len(sample) * 0.02


def _unmarked_utf16(data: bytes) -> str:
    """Return the byte order of UTF-16 text without a mark: nearly every other byte is zero."""
    sample = data[:1024]
    half = len(sample) // 2
    if half < 4 or b"\0" not in sample:
        return ""
    if sample[1::2].count(0) > half * 0.8 and sample[::2].count(0) < half * 0.1:
        return "utf-16-le"
    if sample[::2].count(0) > half * 0.8 and sample[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return ""
