"""Mailboxes in the mbox format: what each person wrote, without what they quoted."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path

from bot.persona_data.said import Found, Known, Said

_ID = re.compile(r"<[^<>\s]+>")
_LONGEST_TEXT = 20_000
_LARGEST_PART = 2_000_000
_BULK = frozenset({"bulk", "junk", "auto_reply"})
# The line above a quotation, and what stands above a forwarded mail; all after it is not the writer's.
_QUOTED_FROM = re.compile(
    r"^(?:-{2,} ?(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine|"
    r"Mensaje original).*|_{20,}|(?:On|Am|Le|El)\b.{4,200}(?:wrote|schrieb.{0,80}|a écrit|escribió) ?:)\s*$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_SIGNATURE = re.compile(r"^(?:-- ?|—|Sent from my .{1,40}|Von meinem .{1,40} gesendet)\s*$", re.MULTILINE)


def read_mailbox(file: Path) -> Iterator[Found]:
    """Yield the people and mails of a mailbox; mails that machines sent to many are left out."""
    box = mailbox.mbox(file, create=False)
    roots: dict[str, str] = {}
    try:
        for number in box.iterkeys():
            yield from _mail(box.get_message(number), f"{file.name}:{number}", roots)
    finally:
        box.close()


def _mail(message: Message, fallback: str, roots: dict[str, str]) -> Iterator[Found]:
    name, address = parseaddr(_header(message, "From"))
    if "@" not in address or _by_machine(message):
        return
    own = _first(_header(message, "Message-ID")) or fallback
    references = _ID.findall(_header(message, "References"))
    parent = _first(_header(message, "In-Reply-To")) or (references[-1] if references else "")
    root = roots.get(parent) or (references[0] if references else parent) or own
    roots[own] = root
    speaker = f"mail:{address.lower()}"
    yield Known(id=speaker, names=(name.strip(),) if name.strip() else (address.lower(),))
    if text := own_words(_body(message)):
        yield Said(
            key=f"mail:{own}",
            kind="mail",
            conversation=f"mail:{root}",
            speaker=speaker,
            text=text[:_LONGEST_TEXT],
            at=_sent(message),
            parent=f"mail:{parent}" if parent else "",
        )


def own_words(body: str) -> str:
    """Return what the writer of a mail wrote: no quotation, no signature."""
    text = body.replace("\r\n", "\n")
    quoted = _QUOTED_FROM.search(text)
    above = text[: quoted.start()] if quoted else text
    if not above.strip() and quoted:  # written below what it answers
        above = text[quoted.end() :]
    kept = "\n".join(line for line in above.split("\n") if not line.startswith(">"))
    signature = _SIGNATURE.search(kept)
    return re.sub(r"\n{3,}", "\n\n", kept[: signature.start()] if signature else kept).strip()


def _by_machine(message: Message) -> bool:
    automatic = _header(message, "Auto-Submitted").lower()
    return _header(message, "Precedence").lower() in _BULK or automatic not in {"", "no"}


def _header(message: Message, name: str) -> str:
    value = message.get(name)
    if value is None:
        return ""
    try:
        return str(make_header(decode_header(str(value))))
    except (LookupError, ValueError):
        return str(value)


def _first(text: str) -> str:
    found = _ID.search(text)
    return found[0] if found else ""


def _sent(message: Message) -> float:
    try:
        return parsedate_to_datetime(_header(message, "Date")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _body(message: Message) -> str:
    """Return the text of a mail: the plain part, or the page made plain."""
    html = ""
    for part in message.walk():
        kind = part.get_content_type()
        if part.get_filename() or kind not in {"text/plain", "text/html"}:
            continue
        text = _decoded(part)
        if kind == "text/plain" and text.strip():
            return text
        html = html or text
    return _PlainPage.of(html) if html else ""


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    data = raw[:_LARGEST_PART] if isinstance(raw, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")


class _PlainPage(HTMLParser):
    """Turns an HTML mail into plain text; quotations are marked as in plain mails."""

    _BREAKS = frozenset({"br", "p", "div", "li", "tr", "blockquote"})
    _SILENT = frozenset({"style", "script", "head", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._silent = 0

    @classmethod
    def of(cls, html: str) -> str:
        """Return the words of a page."""
        page = cls()
        page.feed(html)
        page.close()
        return re.sub(r"[ \t]+", " ", "".join(page._parts)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag in self._BREAKS:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT and self._silent > 0
        if tag in self._BREAKS - {"br"}:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data)
