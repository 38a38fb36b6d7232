"""Text from documents made safe for a terminal, and JSON made safe for a line."""

from __future__ import annotations

import json
import re
import sys

# CSI and OSC sequences whole, then every control character but tab and newline, both sets of them, and
# the marks that turn the direction of text around (they can make a line read as another one).
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x9b[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(text: str) -> str:
    """Return `text` without what a terminal would obey; a stray byte of a file name becomes `?`."""
    return _CONTROL.sub(_stand_in, _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def single_line(text: str) -> str:
    """Return `text` printable and on one line."""
    return " ".join(printable(text).split())


def json_line(value: object) -> str:
    """Return `value` as JSON on one line that any terminal and any UTF-8 reader takes."""
    return _escaped(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


def json_text(value: object) -> str:
    """Return `value` as indented JSON."""
    return _escaped(json.dumps(value, ensure_ascii=False, indent=2))


def emit(text: str) -> None:
    """Write one line to standard output, at once, in UTF-8 whatever the terminal's setting."""
    sys.stdout.buffer.write(text.encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def _escaped(text: str) -> str:
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _stand_in(match: re.Match[str]) -> str:
    return "?" if "\ud800" <= match[0] <= "\udfff" else ""
