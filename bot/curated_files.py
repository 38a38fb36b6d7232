"""The files of curated documents: their names, their front matter, and how they are written."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from kb.connectors.selection import Selection
from kb.sources import FolderSource

_UNSAFE = re.compile(r"[^\w.() +-]+")
_LONGEST_STEM = 80
_LONGEST_ENDING = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A curated document. `saved` is in seconds since the epoch, `review` a day or empty."""

    title: str
    text: str
    author: str
    link: str
    saved: float
    saved_by: str
    review: str = ""

    def markdown(self) -> str:
        """Return the document with its front matter, which is YAML in JSON's spelling."""
        facts = {
            "title": self.title,
            "author": self.author,
            "link": self.link,
            "saved": datetime.fromtimestamp(self.saved, UTC).isoformat(timespec="seconds"),
            "saved_by": self.saved_by,
            "review": self.review,
        }
        lines = [f"{key}: {_quoted(value)}" for key, value in facts.items() if value]
        return "\n".join(["---", *lines, "---", "", self.text, ""])

    @property
    def mark(self) -> str:
        """What tells this document from others in its file's name: its link, or else its title and text."""
        text = self.link or f"{self.title}\n{self.text}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def page_name(folder: Path, page: Page) -> str:
    """Return the name of a document's file: the one it has already, else one made of its title."""
    ending = f"-{page.mark}.md"
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name.endswith(ending):
                return path.name
    return f"{_stem(page.title).lower().replace(' ', '-') or 'note'}{ending}"


def file_name(name: str) -> str:
    """Return a name under which a file can be kept and is read as a document; empty when there is none."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem, dot, ending = base.rpartition(".")
    if not dot or not stem:
        return ""
    ending = re.sub(r"\W", "", ending)[:_LONGEST_ENDING]
    safe = f"{_stem(stem)}.{ending}"
    reads = Selection(FolderSource(name="saved", location="/"))
    return safe if _stem(stem) and ending and reads.allows(safe) and reads.allows(base.strip()) else ""


def write_file(folder: Path, name: str, data: bytes) -> bool:
    """Write a file whole or not at all, safe from power loss; tell whether it took another's place."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    replaced = path.exists()
    handle, scratch = tempfile.mkstemp(dir=folder, prefix=".", suffix=".swp")  # no source reads *.swp
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    return replaced


def check_day(text: str) -> bool:
    """Tell whether a text is a day such as 2027-01-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _stem(text: str) -> str:
    clean = " ".join(_UNSAFE.sub(" ", unicodedata.normalize("NFC", text)).split())
    while len(clean.encode()) > _LONGEST_STEM:
        clean = clean[:-1]
    return clean.strip(" .-")


def _quoted(text: str) -> str:
    clean = "".join(char if char.isprintable() else " " for char in text)
    return json.dumps(clean, ensure_ascii=False)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
