"""E-mail messages: the headers a reader sees, the text, and the names of what is attached."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from kb.errors import DocumentUnreadable
from kb.parsing.hidden import without_hidden
from kb.parsing.html_pages import read_html_text
from kb.parsing.parsed import Parsed
from kb.parsing.text import clean_text, decode_text, one_line

_HEADERS = ("From", "To", "Cc", "Date")
_ATTACHMENTS = 50


def read_mail(data: bytes) -> Parsed:
    """Read an .eml message or a web page saved as .mht."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise DocumentUnreadable("is no e-mail message: it has no headers")
    subject = _header(message, "Subject")
    body = _body(message)
    if not body.strip() and not subject:
        raise DocumentUnreadable("holds no text", status="empty")
    blocks = [f"# {subject}" if subject else "", "\n".join(_preamble(message)), body, _attachments(message)]
    return Parsed(
        markdown="\n\n".join(block for block in blocks if block),
        title=subject,
        metadata={"from": sender} if (sender := _header(message, "From")) else {},
        updated=_date(message),
    )


def _header(message: EmailMessage, name: str) -> str:
    """Return a header, or nothing where the library fails on a malformed one."""
    try:
        return one_line(str(message.get(name, "")), 300)
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""


def _preamble(message: EmailMessage) -> Iterator[str]:
    for name in _HEADERS:
        if value := _header(message, name):
            yield f"{name}: {value}"


def _date(message: EmailMessage) -> float | None:
    try:
        return parsedate_to_datetime(_header(message, "Date")).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if not isinstance(part, EmailMessage):
        return ""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    text = decode_text(raw, declared=part.get_content_charset("")) if raw.strip() else ""
    if part.get_content_type() == "text/html" and text.strip():
        return read_html_text(text).markdown
    return without_hidden(clean_text(text)).strip()


def _attachments(message: EmailMessage) -> str:
    names: list[str] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        name = part.get_filename()
        if name and len(names) < _ATTACHMENTS:
            names.append(f"- {one_line(name, 120)}")
    return "Attachments:\n" + "\n".join(names) if names else ""
